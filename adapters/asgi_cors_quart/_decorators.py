"""`route_cors` and `websocket_cors`: a policy for one view, which replaces the blueprint's and the app's.

If `CORS(app, …)` or `cors(…)` wraps the app, the middleware applies the view's policy before any code of the app runs.
Otherwise, or if a decorator above hides the policy, the view applies it itself. Responses that are sent before the view
is reached, such as a login, a redirect or a 404, then have no CORS headers. `csrf_protection` refuses forged requests
before the view's function runs, but after the app's `before_request` functions, whose side effects it can't prevent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Unpack, cast

from quart import Response, abort, after_this_request, current_app, request, websocket

from asgi_cors import Configuration, CORSMiddleware, attach_policy

from ._installation import decode_headers, installation_of
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
    """Answer a preflight, and refuse a forged request. Otherwise call the view, and change its response.

    The headers are added to every response, even to a 404 or 500.
    """
    run = await _run(configuration, request.scope)
    if run.send is None:
        return _as_response(run.messages)
    send, messages = run.send, run.messages

    async def decorate(response: ResponseTypes) -> ResponseTypes:
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status_code, "headers": pairs})
        response.headers = decode_headers(messages[0]["headers"])
        return response

    after_this_request(decorate)
    return await call_view()


async def _check_handshake(configuration: Configuration, scope: Any) -> None:
    """Refuse a handshake that the policy does not allow, with the middleware's response.

    Raises:
        HTTPException: The refusal. If the server cannot send a response, Quart closes the WebSocket.
    """
    extensions: dict[str, Any] = {**(scope.get("extensions") or {}), "websocket.http.response": {}}
    run = await _run(configuration, {**scope, "extensions": extensions})
    if run.send is None:
        abort(_as_response(run.messages))


def _options_response(app: Quart) -> Response:
    """Answer an OPTIONS request that is not a preflight, as Quart does."""
    response = Response("")
    adapter = app.create_url_adapter(request)
    response.allow.update(adapter.allowed_methods() if adapter else ())
    return response


def _as_response(messages: Sequence[Message]) -> Response:
    """Return a response of the middleware's own."""
    start, *bodies = messages
    response = Response(b"".join(body.get("body", b"") for body in bodies), start["status"])
    response.headers = decode_headers(start["headers"])
    return response


class _Run(NamedTuple):
    """One run of the middleware for a view.

    Args:
        messages: The messages that it sends: those of its own response, or the start of the view's once that is sent.
        send: Sends the start of the view's response, with the headers of the policy added; None if the middleware has
            sent a response of its own.
    """

    messages: list[Message]
    send: Callable[[Message], Awaitable[None]] | None


async def _run(configuration: Configuration, scope: Any) -> _Run:
    """Run the middleware before a view. It evaluates the request once, before the view runs."""
    messages: list[Message] = []
    captured: list[Callable[[Message], Awaitable[None]]] = []

    async def app(_scope: Any, _receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        captured.append(send)

    async def send(message: Message) -> None:
        messages.append(message)

    unused: Any = None
    await CORSMiddleware(app, configuration)({**scope}, unused, send)
    return _Run(messages, captured[0] if captured else None)
