"""CORSMiddleware, for `MIDDLEWARE`: the policies of the settings and of views, under WSGI and ASGI."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, ClassVar, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http.response import HttpResponseBase

import asgi_cors

from ._conversion import build_response, environ_of, scope_of, set_headers, to_bytes, to_text
from ._exchanges import AsyncExchange, SyncExchange
from ._installation import installation
from ._routes import REQUEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from django.http import HttpRequest

    from ._conversion import Environ, Scope
    from ._exchanges import Exchange

_EXCHANGE: Final = "_asgi_cors_exchange"  # the attribute of a request that a middleware serves


class _WSGICore(asgi_cors.WSGIMiddleware):
    """The core, inside of Django's own handling of exceptions."""

    def propagates_exceptions(self, environ: Environ) -> bool:  # noqa: ARG002 - the signature of the base class
        """Return True: Django has made responses of the exceptions that are not to be raised."""
        return True


class CORSMiddleware:
    """Apply the policies of the settings `CORS_*` and of views. Write it first in `MIDDLEWARE`.

    Args:
        get_response: The next middleware.

    Raises:
        ConfigError: With every mistake in the settings.
    """

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Read the settings, unless another instance has; see the class."""
        installation.load()
        self.get_response = get_response
        self._serve: Callable[[HttpRequest], Any]
        self.process_view: Callable[..., Any]
        configuration = installation.configuration
        if iscoroutinefunction(get_response):  # pyright: ignore[reportDeprecated] - as Django does
            markcoroutinefunction(self)
            self._asgi = asgi_cors.CORSMiddleware(self._run_async, configuration)
            self._serve, self.process_view = self._serve_async, _process_view_async
        else:
            self._wsgi = _WSGICore(self._run, configuration)
            self._serve, self.process_view = self._serve_sync, _process_view

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serve one request."""
        if _EXCHANGE in vars(request):  # another instance serves it
            return self.get_response(request)  # type: ignore[no-any-return]
        installation.sync()
        return self._serve(request)  # type: ignore[no-any-return]

    def _serve_sync(self, request: HttpRequest) -> HttpResponseBase:
        environ = environ_of(request)
        started: list[Any] = []

        def start_response(*start: Any) -> Callable[[bytes], object]:
            started[:] = start
            return io.BytesIO().write  # which nothing calls

        exchange = SyncExchange(self._wsgi, environ)
        setattr(request, _EXCHANGE, exchange)
        try:
            response: Any = self._wsgi(environ, start_response)
        finally:
            delattr(request, _EXCHANGE)
        status, headers = started[:2]
        if isinstance(response, HttpResponseBase):
            set_headers(response, exchange.own_headers, headers)
            return response
        return build_response(int(status[:3]), headers, b"".join(response))

    def _run(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        """Run the next middleware, as the app of the core."""
        request = environ[REQUEST]
        response: Any = self.get_response(request)
        own = vars(request)[_EXCHANGE].own_headers = [*response.items()]
        start_response(str(response.status_code), own)
        return response  # type: ignore[no-any-return]

    async def _serve_async(self, request: HttpRequest) -> HttpResponseBase:
        scope = scope_of(request)
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        exchange = AsyncExchange(self._asgi, scope)
        setattr(request, _EXCHANGE, exchange)
        try:
            await self._asgi(scope, _receive, send)
        finally:
            delattr(request, _EXCHANGE)
        start, end = messages
        headers, response = to_text(start["headers"]), end.get("response")
        if response is not None:
            set_headers(response, exchange.own_headers, headers)
            return response  # type: ignore[no-any-return]
        return build_response(start["status"], headers, end["body"])

    async def _run_async(self, scope: Scope, _receive: object, send: Callable[..., Awaitable[None]]) -> None:
        """Run the next middleware, as the app of the core."""
        request = scope[REQUEST]
        response = await self.get_response(request)
        own = vars(request)[_EXCHANGE].own_headers = [*response.items()]
        headers = to_bytes(own)
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "response": response})


async def _receive() -> Any:
    raise AssertionError("the core reads no body")  # pragma: no cover


def _exchange_of(request: HttpRequest) -> Exchange | None:
    """Return the exchange of a request; None if no view has a policy, so that no view is checked."""
    if installation.configuration.evaluator.rules.view_of is None:
        return None
    return vars(request).get(_EXCHANGE)


def _process_view(
    request: HttpRequest, view: Callable[..., Any], _arguments: object, _keywords: object
) -> HttpResponseBase | None:
    """Check the view that is about to run. Return a refusal, or None."""
    exchange = _exchange_of(request)
    keys = exchange and exchange.find_keys(request, view)
    return exchange.compare(*keys) if exchange and keys else None


async def _process_view_async(
    request: HttpRequest, view: Callable[..., Any], _arguments: object, _keywords: object
) -> HttpResponseBase | None:
    """Check the view that is about to run, inside of an event loop."""
    exchange = _exchange_of(request)
    keys = exchange and exchange.find_keys(request, view)
    return await exchange.compare_async(*keys) if exchange and keys else None
