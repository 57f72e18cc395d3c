"""The responses that the middleware for ASGI sends, and the start of those that the app sends."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._http import VARY

from .base import CONFIGURATION, INNER_DECISIONS, SCOPE, SEND, STARTED, ResponseState, intersect_with_inner
from .headers import NO_STORE, UNCACHEABLE, add_vary, forbid_storing, merge_headers, merged_names

if TYPE_CHECKING:
    from asgi_cors._http import Headers, Send
    from asgi_cors._policy.policy import Policy

Response = tuple[int, list[tuple[bytes, bytes]], bytes]
Start = Callable[[ResponseState, Any], Awaitable[None]]


def build_response(status: int, text: str, decision: Decision) -> Response:
    """Return status, headers and body of a response of the middleware's own."""
    body = text.encode()
    headers: Headers = ()
    if status != 204:  # noqa: PLR2004 - it has no content (RFC 9110, 15.3.5)
        headers += ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)))
    if status in UNCACHEABLE or decision.no_store:
        headers += (NO_STORE,)
    return status, [*headers, *_policy_headers(decision)], body


def make_send(policy: Policy, decision: Decision) -> Start:
    """Return the function that adds a decision's headers to a response start.

    It replaces `send` once it is bound to the response state by `MethodType`, which costs less than a closure for each
    request.
    """
    policy_headers = _policy_headers(decision)
    names, name_lengths = merged_names(decision.headers)

    def start(state: ResponseState, message: dict[str, Any]) -> Awaitable[None]:
        """Replace `send`, once bound to a state."""
        if message["type"] == "http.response.start":
            state[STARTED] = True
            try:
                own = message["headers"]
                headers = own + policy_headers if state[INNER_DECISIONS] is None else merged(state, own)
                for name, _ in own:
                    if name_lengths[len(name)] and name.lower() in names:
                        headers = merged(state, own)
                        break
            except (LookupError, TypeError):  # no headers, not a list, or a very long name
                headers = merged(state, [*message.get("headers", ())])
            message = message.copy()  # the app may use its own again
            message["headers"] = headers
        return state[SEND](message)  # type: ignore[no-any-return]

    def merged(state: ResponseState, headers: list[Any]) -> list[Any]:
        sent = intersect_with_inner(state, decision)
        warn, path = state[CONFIGURATION].log.warn_overridden, state[SCOPE]["path"]
        headers = merge_headers(headers, sent.headers, sent.vary, on_override=lambda name: warn(name, policy, path))
        return forbid_storing(headers) if sent.no_store else headers

    return _make_merging_send(merged) if decision.no_store else _as_coroutine_function(start)


def make_pass_through_send(vary: tuple[bytes, ...]) -> Start:
    """Return the function that leaves a response to the app, except for Vary.

    If a view with a policy ran, the prediction was wrong. Both must allow, so nothing is granted.
    """

    def merged(state: ResponseState, headers: list[Any]) -> list[Any]:
        if not state[INNER_DECISIONS]:
            return add_vary(headers, vary)
        sent = intersect_with_inner(state, Decision(Outcome.NOT_CORS, vary=vary))
        headers = merge_headers(headers, (), sent.vary, on_override=lambda _: None)
        return forbid_storing(headers) if sent.no_store else headers

    return _make_merging_send(merged)


def _make_merging_send(merged: Callable[[ResponseState, list[Any]], list[Any]]) -> Start:
    """Return the function that replaces `send` and changes the headers of every response start."""

    def start(state: ResponseState, message: dict[str, Any]) -> Awaitable[None]:
        """Replace `send`, once bound to a state."""
        if message["type"] == "http.response.start":
            state[STARTED] = True
            message = {**message, "headers": merged(state, [*message.get("headers", ())])}
        return state[SEND](message)  # type: ignore[no-any-return]

    return _as_coroutine_function(start)


def _policy_headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    vary = ((VARY, b", ".join(decision.vary)),) if decision.vary else ()
    return [*decision.headers, *vary]


def _as_coroutine_function(start: Start) -> Start:
    """Declare a function that returns an awaitable as one: asgiref's AsyncToSync warns of others."""
    if sys.version_info >= (3, 12):  # pragma: no cover - one of the two on each version
        return inspect.markcoroutinefunction(start)
    marker = getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)  # pragma: no cover - the other
    setattr(start, "_is_coroutine", marker)  # noqa: B010  # pragma: no cover
    return start  # pragma: no cover


async def send_response(response: Response, method: str, send: Send) -> None:
    """Send a response of the middleware's own. On HEAD the body is left out, its length not (RFC 9110, 9.3.2)."""
    status, headers, body = response
    if method == "HEAD":
        body = b""
    await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
    # ASGI makes `more_body` optional, but Quart's test client requires it.
    await send({"type": "http.response.body", "body": body, "more_body": False})
