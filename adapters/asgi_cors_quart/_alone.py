"""What a decorated view does where nothing is around its app: it puts the middleware around itself.

What comes before the view stays without: authentication, redirects, a path that leads nowhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from quart import Response, abort, after_this_request, request
from werkzeug.datastructures import Headers

from asgi_cors import Configuration, CORSMiddleware

if TYPE_CHECKING:
    from quart import Quart
    from quart.typing import ResponseTypes

Message = MutableMapping[str, Any]


async def answer_alone(configuration: Configuration, view: Callable[[], Awaitable[Any]]) -> Any:
    """Answer a preflight; else call the view, and put the fields on its response, a 404 or 500 of its own included."""
    if request.method == "OPTIONS" and (answer := await _answer(configuration, request.scope)):
        return answer

    async def decorate(response: ResponseTypes) -> ResponseTypes:
        start, *_ = await _run(configuration, request.scope, response.status_code, response.headers)
        response.headers = _decoded(start)
        return response

    after_this_request(decorate)
    return await view()


async def check_handshake(configuration: Configuration, scope: Any) -> None:
    """Refuse a handshake that the policy doesn't allow, with the middleware's answer.

    Raises:
        HTTPException: The refusal; Quart sends it where the server can, and closes otherwise.
    """
    extensions: dict[str, Any] = {**(scope.get("extensions") or {}), "websocket.http.response": {}}
    if answer := await _answer(configuration, {**scope, "extensions": extensions}):
        abort(answer)


def options_response(app: Quart) -> Response:
    """Answer an OPTIONS request that is no preflight, as Quart does."""
    response = Response("")
    adapter = app.create_url_adapter(request)
    response.allow.update(adapter.allowed_methods() if adapter else ())
    return response


async def _answer(configuration: Configuration, scope: Any) -> Response | None:
    """Give the middleware's own answer; None where it hands the request on."""
    messages = await _run(configuration, scope)
    if not messages:
        return None
    start, *bodies = messages
    answer = Response(b"".join(body.get("body", b"") for body in bodies), start["status"])
    answer.headers = _decoded(start)
    return answer


async def _run(
    configuration: Configuration, scope: Any, status: int | None = None, headers: Iterable[tuple[str, str]] = ()
) -> list[Message]:
    """Run the middleware around an app that sends the start of a response, or nothing, and give what comes out."""
    sent: list[Message] = []

    async def app(_scope: Any, _receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        if status is not None:
            pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
            await send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send(message: Message) -> None:
        sent.append(message)

    nothing_comes: Any = None
    await CORSMiddleware(app, configuration)({**scope}, nothing_comes, send)
    return sent


def _decoded(start: Message) -> Headers:
    return Headers([(name.decode(), value.decode("latin-1")) for name, value in start["headers"]])
