"""`route_cors` and `websocket_cors`: a policy for one view, which replaces the blueprint's and the app's.

If `CORS(app, …)` or `cors(…)` wraps the app, the middleware applies the view's policy. Otherwise, or if a decorator
above hides the policy, the view applies it itself. Responses that are sent before the view is reached, such as a login,
a redirect or a 404, then have no CORS headers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Unpack, cast

from quart import Response, abort, after_this_request, current_app, request, websocket

from asgi_cors import Configuration, CORSMiddleware
from asgi_cors_werkzeug import attach_policy

from ._extension import decode_headers, installation_of
from ._options import Options, WebsocketOptions, parse_options

if TYPE_CHECKING:
    from quart import Quart
    from quart.typing import ResponseTypes
    from werkzeug.local import LocalProxy

Message = MutableMapping[str, Any]
P = ParamSpec("P")


def route_cors(
    *, provide_automatic_options: bool = True, **options: Unpack[Options]
) -> Callable[[Callable[P, Any]], Callable[P, Awaitable[Any]]]:
    """Apply a policy to one view. Write it below `@app.route(…)`.

    Args:
        provide_automatic_options: Whether to answer OPTIONS requests that are not preflights, so that the view gets
            none.
        options: As those of `cors`.

    Raises:
        ConfigError: With every mistake found. Those that depend on the configuration are raised when the app starts. If
            the view comes later, it allows no origin then, and the log names it.
    """

    def decorate(view: Callable[P, Any]) -> Callable[P, Awaitable[Any]]:
        policy = parse_options(f"route_cors({_name(view)})", options)

        @wraps(view)
        async def serve(*args: P.args, **kwargs: P.kwargs) -> Any:
            app = _app()
            installation = installation_of(app)

            async def call_view() -> Any:
                if provide_automatic_options and request.method == "OPTIONS":
                    return _options_response(app)
                return await app.ensure_async(view)(*args, **kwargs)

            if installation.must_apply_itself(policy, request.endpoint):
                return await _serve_unwrapped_view(installation.standalone_configuration(policy), call_view)
            return await call_view()

        if provide_automatic_options:
            vars(serve).update(
                required_methods={*getattr(view, "required_methods", ()), "OPTIONS"}, provide_automatic_options=False
            )
        attach_policy(serve, policy, wrapped=view)
        return serve

    return decorate


def websocket_cors(
    **options: Unpack[WebsocketOptions],
) -> Callable[[Callable[P, Any]], Callable[P, Awaitable[Any]]]:
    """Apply a policy to the view of one WebSocket. Write it below `@app.websocket(…)`.

    Args:
        options: `allow_origin`; `allow_credentials`, by default True for named origins, since browsers send cookies
            with every handshake; `send_origin_wildcard`.

    Raises:
        ConfigError: As `route_cors` does.
    """

    def decorate(view: Callable[P, Any]) -> Callable[P, Awaitable[Any]]:
        policy = parse_options(f"websocket_cors({_name(view)})", options, websocket=True)

        @wraps(view)
        async def serve(*args: P.args, **kwargs: P.kwargs) -> Any:
            app = _app()
            installation = installation_of(app)
            if installation.must_apply_itself(policy, websocket.endpoint):
                await _check_handshake(installation.standalone_configuration(policy), websocket.scope)
            return await app.ensure_async(view)(*args, **kwargs)

        attach_policy(serve, policy, wrapped=view)
        return serve

    return decorate


def _app() -> Quart:
    """Return the app itself instead of the proxy, because it is needed after the request."""
    proxy = cast("LocalProxy[Quart]", current_app)
    return proxy._get_current_object()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the documented way


def _name(view: Callable[..., Any]) -> str:
    return getattr(view, "__name__", type(view).__name__)


# -- a view that applies its policy itself


async def _serve_unwrapped_view(configuration: Configuration, call_view: Callable[[], Awaitable[Any]]) -> Any:
    """Answer a preflight. Otherwise call the view and add the headers to its response, even to a 404 or 500."""
    if request.method == "OPTIONS" and (response := await _own_response(configuration, request.scope)):
        return response

    async def decorate(response: ResponseTypes) -> ResponseTypes:
        start, *_ = await _run(configuration, request.scope, response.status_code, response.headers)
        response.headers = decode_headers(start["headers"])
        return response

    after_this_request(decorate)
    return await call_view()


async def _check_handshake(configuration: Configuration, scope: Any) -> None:
    """Refuse a handshake that the policy does not allow, with the middleware's response.

    Raises:
        HTTPException: The refusal. If the server cannot send a response, Quart closes the WebSocket.
    """
    extensions: dict[str, Any] = {**(scope.get("extensions") or {}), "websocket.http.response": {}}
    if response := await _own_response(configuration, {**scope, "extensions": extensions}):
        abort(response)


def _options_response(app: Quart) -> Response:
    """Answer an OPTIONS request that is not a preflight, as Quart does."""
    response = Response("")
    adapter = app.create_url_adapter(request)
    response.allow.update(adapter.allowed_methods() if adapter else ())
    return response


async def _own_response(configuration: Configuration, scope: Any) -> Response | None:
    """Return the middleware's own response; None if it calls the app."""
    messages = await _run(configuration, scope)
    if not messages:
        return None
    start, *bodies = messages
    response = Response(b"".join(body.get("body", b"") for body in bodies), start["status"])
    response.headers = decode_headers(start["headers"])
    return response


async def _run(
    configuration: Configuration, scope: Any, status: int | None = None, headers: Iterable[tuple[str, str]] = ()
) -> list[Message]:
    """Return the messages that the middleware sends for an app that sends only a response start, or nothing."""
    sent: list[Message] = []

    async def app(_scope: Any, _receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        if status is not None:
            pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
            await send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send(message: Message) -> None:
        sent.append(message)

    unused: Any = None
    await CORSMiddleware(app, configuration)({**scope}, unused, send)
    return sent
