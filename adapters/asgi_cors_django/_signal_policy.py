"""The policy of a request that a receiver of `check_request_enabled` allows."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from asgi_cors import DENY_ALL, read_request

from ._options import DEFAULTS
from ._routes import REQUEST
from .signals import check_request_enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from asgi_cors import Configuration, Policy


class SignalPolicy:
    """A `policy_for` that sends the signal first.

    Args:
        configuration: Has the base policy, and the log.
        policy_for: The user's own, for the requests that no receiver allows.
    """

    def __init__(self, configuration: Configuration, policy_for: Callable[[Any], Any] | None) -> None:
        """Begin without a policy; see the class."""
        self._configuration = configuration
        self._policy_for = policy_for
        self._allowing: tuple[Policy, Policy] | None = None

    def __call__(self, scope: Any) -> Any:
        """Return the policy for a scope, or an awaitable of it."""
        environ = scope.get("wsgi.environ", scope)
        request = environ[REQUEST]
        if read_request(scope).origin is None:
            return self._find_next(scope)
        if environ is scope:
            return self._find_async(scope, request)
        is_allowed = False
        with self._failure_logged():
            is_allowed = _allows(check_request_enabled.send(sender=None, request=request))
        return self._policy() if is_allowed else self._find_next(scope)

    async def _find_async(self, scope: Any, request: Any) -> Any:
        # Django 4.2 has no `asend`.
        send: Any = getattr(check_request_enabled, "asend", None) or sync_to_async(check_request_enabled.send)
        is_allowed = False
        with self._failure_logged():
            is_allowed = _allows(await send(sender=None, request=request))
        found = self._policy() if is_allowed else self._find_next(scope)
        return await found if inspect.isawaitable(found) else found

    @contextmanager
    def _failure_logged(self) -> Generator[None]:
        """Log an exception of a receiver. Then no receiver allows the request, but the settings still may."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a receiver may raise anything
            message = "a receiver of check_request_enabled raised, so no receiver allows the request"
            self._configuration.log.failure(message, error)

    def _find_next(self, scope: Any) -> Any:
        return NotImplemented if self._policy_for is None else self._policy_for(scope)

    def _policy(self) -> Policy:
        """Return the base policy for every origin but `null`, built once. Without settings, the defaults apply."""
        base = self._configuration.policy
        if self._allowing is None or self._allowing[0] is not base:
            options: Mapping[str, Any] = DEFAULTS if base is DENY_ALL else {}
            self._allowing = base, base.replace(allow_origins=_allow, allow_origin_regex=None, **options)
        return self._allowing[1]


def _allows(answers: list[tuple[Any, Any]]) -> bool:
    """Return whether a receiver allows the request.

    Raises:
        TypeError: If a receiver returned an awaitable. Django 4.2 does not await those of async receivers.
    """
    for receiver, answer in answers:
        if inspect.isawaitable(answer):
            getattr(answer, "close", bool)()  # a coroutine that nothing awaits
            raise TypeError(f"{receiver!r} returned an awaitable. Write a sync receiver, or await in an async one.")
    return any(answer for _, answer in answers)


def _allow(_origin: str) -> bool:
    """Allow an origin, since a receiver allows the request."""
    return True
