"""`route_cors` and `websocket_cors`: a policy for one view, which replaces the blueprint's and the app's.

They stand below the route. Where `CORS(app, …)` or `cors(…)` is around the app, that applies the view's policy, and the
view is called as if it had no decorator; where nothing is, or the decorators above have lost it, the view does so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Unpack, cast

from quart import current_app, request, websocket

from asgi_cors_werkzeug import mark, wraps_view

from ._alone import answer_alone, check_handshake, options_response
from ._installation import installation_of
from ._settings import Options, WebsocketOptions, read

if TYPE_CHECKING:
    from quart import Quart
    from werkzeug.local import LocalProxy

P = ParamSpec("P")


def route_cors(
    *, provide_automatic_options: bool = True, **options: Unpack[Options]
) -> Callable[[Callable[P, Any]], Callable[P, Awaitable[Any]]]:
    """Give a view a policy of its own; write it below `@app.route(…)`.

    Args:
        provide_automatic_options: Answer OPTIONS requests that are no preflights, too; else the view does.
        options: As those of `cors`.

    Raises:
        ConfigError: With every mistake found; what depends on the configuration, when the app starts. Of a view that
            comes later, no origin is allowed then, and the log names it.
    """

    def decorate(view: Callable[P, Any]) -> Callable[P, Awaitable[Any]]:
        setting = read(f"route_cors({_name(view)})", options)

        @wraps(view)
        async def answer(*args: P.args, **kwargs: P.kwargs) -> Any:
            app, installation = _app(), installation_of(_app())

            async def call() -> Any:
                if provide_automatic_options and request.method == "OPTIONS":
                    return options_response(app)
                return await app.ensure_async(view)(*args, **kwargs)

            if installation.leaves_to_view(setting, request.endpoint):
                return await answer_alone(installation.alone(setting), call)
            return await call()

        if provide_automatic_options:
            vars(answer).update(
                required_methods={*getattr(view, "required_methods", ()), "OPTIONS"}, provide_automatic_options=False
            )
        mark(answer, setting)
        wraps_view(answer, view)
        return answer

    return decorate


def websocket_cors(
    **options: Unpack[WebsocketOptions],
) -> Callable[[Callable[P, Any]], Callable[P, Awaitable[Any]]]:
    """Give a WebSocket's view a policy of its own; write it below `@app.websocket(…)`.

    Args:
        options: `allow_origin`; `allow_credentials`, by default on for origins that are named, since browsers send
            cookies with every handshake; `send_origin_wildcard`.

    Raises:
        ConfigError: As `route_cors` does.
    """

    def decorate(view: Callable[P, Any]) -> Callable[P, Awaitable[Any]]:
        setting = read(f"websocket_cors({_name(view)})", options, websocket=True)

        @wraps(view)
        async def serve(*args: P.args, **kwargs: P.kwargs) -> Any:
            app, installation = _app(), installation_of(_app())
            if installation.leaves_to_view(setting, websocket.endpoint):
                await check_handshake(installation.alone(setting), websocket.scope)
            return await app.ensure_async(view)(*args, **kwargs)

        mark(serve, setting)
        wraps_view(serve, view)
        return serve

    return decorate


def _app() -> Quart:
    """Give the app itself, which outlives the request, not the proxy to it."""
    proxy = cast("LocalProxy[Quart]", current_app)
    return proxy._get_current_object()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the documented way


def _name(view: Callable[..., Any]) -> str:
    return getattr(view, "__name__", type(view).__name__)
