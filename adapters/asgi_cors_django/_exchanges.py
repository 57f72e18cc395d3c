"""The requests that are being served, and the check of the view that runs.

If another view was predicted, the policy of the view that runs must allow the request, too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import async_to_sync, sync_to_async

from . import _routes
from ._conversion import build_response, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from django.http import HttpRequest, HttpResponse

    from asgi_cors import CORSMiddleware, WSGIMiddleware

VERIFIER: Final = "_asgi_cors_verifier"  # the attribute of a request whose view `process_view` has verified


class Exchange(ABC):
    """One request that the middleware serves.

    When `process_view` has verified the view, the middleware stores it in the request as `VERIFIER`. The decorators of
    views that the URL does not lead to have their policies compared by it.

    Args:
        core: The core's middleware that serves it.
        noted: Its environ or scope, in which the core and `_routes` store their state.
    """

    def __init__(self, core: Any, noted: Any) -> None:
        """Begin before a view is known; see the class."""
        self._core: Any = core
        self.noted = noted
        self.own_headers: list[tuple[str, str]] = []  # of the response of the next middleware
        self.key: Hashable | None = None  # of the view that has been verified

    @abstractmethod
    def compare(self, predicted: Hashable | None, key: Hashable | None) -> HttpResponse | None:
        """Require the policy of the view that runs to allow the request, too. Return a refusal, or None."""

    @abstractmethod
    async def compare_async(self, predicted: Hashable | None, key: Hashable | None) -> HttpResponse | None:
        """Require the policy of the view that runs to allow the request, too, inside of an event loop."""

    def verify(self, key: Hashable | None) -> HttpResponse | None:
        """Require another policy to allow the request, too. Return a refusal, or None if the view may run."""
        return self.compare(self.key, key)

    async def verify_async(self, key: Hashable | None) -> HttpResponse | None:
        """Require another policy to allow the request, too, inside of an event loop."""
        return await self.compare_async(self.key, key)

    def find_keys(
        self, request: HttpRequest, view: Callable[..., Any]
    ) -> tuple[Hashable | None, Hashable | None] | None:
        """Return the predicted key and that of the view that is about to run; None if they are the same."""
        self.key = key = _routes.key_of_request(request, view)
        setattr(request, VERIFIER, self)
        return _routes.misprediction(request, view, key, self.noted)


class SyncExchange(Exchange):
    """A request that is served without an event loop."""

    _core: WSGIMiddleware

    def compare(self, predicted: Hashable | None, key: Hashable | None) -> HttpResponse | None:
        """Compare the policies; see the base class."""
        refusal = self._core.verify_view(self.noted, predicted, key)
        return refusal and build_response(int(refusal[0][:3]), *refusal[1:])

    async def compare_async(self, predicted: Hashable | None, key: Hashable | None) -> HttpResponse | None:
        """Compare the policies in a thread, for an async view."""
        return await sync_to_async(self.compare)(predicted, key)


class AsyncExchange(Exchange):
    """A request that is served in an event loop."""

    _core: CORSMiddleware

    def compare(self, predicted: Hashable | None, key: Hashable | None) -> HttpResponse | None:
        """Compare the policies in the event loop, for a view that runs in a thread."""
        return async_to_sync(self.compare_async)(predicted, key)

    async def compare_async(self, predicted: Hashable | None, key: Hashable | None) -> HttpResponse | None:
        """Compare the policies; see the base class."""
        refusal = await self._core.verify_view(self.noted, predicted, key)
        return refusal and build_response(refusal[0], to_text(refusal[1]), refusal[2])
