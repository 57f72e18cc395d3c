"""CORSMiddleware, the shell for ASGI: reads a scope, asks for a decision, and carries it out.

A preflight is answered here, so that the app is never called; of every other response only the start is touched, on
a copy. The only other await on the way of a request is the app itself.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Unpack

from ._configuration import Configuration, Installed, MiddlewareOptions
from ._log import warn_replaced, warn_stacked
from ._lookup import run
from ._mark import CONFIGURATION, INNER, MARK, NEXT, NOTE, PATH, STARTED, restricted
from ._merge import merge
from ._scope import read_request
from ._websocket import guard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ._configuration import Judgement
    from ._mark import State
    from ._policy import Policy
    from ._types import ASGIApp, Message, Receive, Scope, Send


class CORSMiddleware(Installed):
    """Apply one policy to an ASGI app.

    Args:
        app: The app.
        policy: The base policy; else its options are given as keywords.
        options: The options of the base policy, and
            `paths` (policies by path: `/exact` or `/prefix/*`; a mapping is laid over the base, None passes through),
            `policy_for` (a callable from scope to Policy, None or NotImplemented, or an awaitable of these),
            `enforce` (answer 403 to refused cross-origin requests before the app runs),
            `check_websockets` (refuse handshakes that the policy doesn't allow; default True),
            `on_decision` (called with each decision and its scope).

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    def __init__(
        self, app: ASGIApp, policy: Policy | Configuration | None = None, **options: Unpack[MiddlewareOptions]
    ) -> None:
        """Validate and compile; see the class."""
        super().__init__(policy, options)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket" and self.configuration.settings.check_websockets:
            await guard(self.app, self.configuration, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        outer: State | None = scope.get(MARK)
        if outer is not None and outer[STARTED]:
            outer = None  # of an earlier request, whose scope is used again
        if outer is not None and outer[CONFIGURATION] is self.configuration:
            await self.app(scope, receive, send)
            return
        request = read_request(scope)
        judgement = await run(self.configuration.judge(scope, request))
        if judgement is None:
            await self.app(scope, receive, send)
            return
        decision = judgement.decision
        if outer is not None:
            warn_stacked(judgement.policy, scope["path"])
            outer[INNER] = (*outer[INNER], decision)
        state = [send, False, self.configuration, (), scope["path"]]
        sends = send if outer is not None else MethodType(starter(judgement), state)
        answer = self.configuration.answer(decision, scope, request)
        if answer is not None:
            await _answer(sends, *answer)
        else:
            await self._decorated(scope, receive, sends, outer or state)

    async def _decorated(self, scope: Scope, receive: Receive, send: Send, state: State) -> None:
        """Call the app; where it raises before its response starts, the page gets a 500 that it can read."""
        scope[MARK] = state
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if not state[STARTED]:
                if _is_answered_outside(scope):
                    error.add_note(NOTE)
                else:
                    await _answer(send, 500, "Internal Server Error")
            raise


def starter(judgement: Judgement) -> Callable[[State, Message], Awaitable[None]]:
    """Make the function that puts a decision's fields into a response start, to be bound to the response's state."""
    policy, decision = judgement
    fields, vary = decision.headers, decision.vary

    def start(state: State, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            state[STARTED] = True
            sent = restricted(fields, vary, state[INNER]) if state[INNER] else (fields, vary)
            headers = merge(
                message.get("headers", ()), *sent, replaced=lambda name: warn_replaced(name, policy, state[PATH])
            )
            message = {**message, "headers": headers}
        return state[NEXT](message)  # type: ignore[no-any-return]

    return start


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers: list[Any] = []
    if status != 204:  # noqa: PLR2004 - which has no content (RFC 9110, 15.3.5)
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_answered_outside(scope: Scope) -> bool:
    """Tell whether Starlette, outside of this middleware, answers a crash by itself: in debug mode, or by a handler."""
    app = scope.get("app")
    handlers: Mapping[Any, Any] = getattr(app, "exception_handlers", {})
    return bool(getattr(app, "debug", False)) or 500 in handlers or Exception in handlers  # noqa: PLR2004
