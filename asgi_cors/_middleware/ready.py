"""Decisions made ready for ASGI: the function that sends a response start, and the answer to a preflight.

Each is made once for a policy and an origin, and kept. The figures are of CPython 3.11, per request.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import _http
from asgi_cors._decision.decision import Decision, Outcome

from .headers import MAYBE_WATCHED, WATCHED, add_vary, merge
from .mark import CONFIGURATION, INNER, NEXT, REQUEST, STARTED, intersect_with_inner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgi_cors._configuration.configuration import Judgement
    from asgi_cors._http import Headers

    from .mark import State

    Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
    Start = Callable[[State, Any], Awaitable[None]]  # a message is a dict (ASGI, "Events")

_NO_STORE: Final = (b"cache-control", b"no-store")
_CONTENT_TYPE: Final = (b"content-type", b"text/plain; charset=utf-8")


def answered(status: int, text: str, decision: Decision) -> Answer:
    """Make an answer of a decision: status, headers and body, as a plain tuple, which unpacks fastest (-45 ns)."""
    body = text.encode()
    content: Headers = () if status == 204 else (_CONTENT_TYPE, (b"content-length", b"%d" % len(body)))  # noqa: PLR2004 - empty
    content += (_NO_STORE,) if status == 403 else ()  # noqa: PLR2004 - a refusal of `enforce`
    vary = ((_http.VARY, b", ".join(decision.vary)),) if decision.vary else ()
    return status, [*content, *decision.headers, *vary], body


def starter(judgement: Judgement) -> Start:
    """Make the function that puts a decision's fields into a response start.

    It is to be bound to the response's state, a list, by `types.MethodType`: that costs 154 ns with its two calls, a
    closure 204, a partial 229, a closure that is a coroutine function 321, an object with slots 341 to 441.
    """
    policy, decision = judgement.policy, judgement.decision
    fields, vary = decision.headers, decision.vary
    tail = [*fields, (_http.VARY, b", ".join(vary))] if vary else [*fields]

    def start(state: State, message: dict[str, Any]) -> Awaitable[None]:
        """Stand in for `send`, once bound to a state."""
        if message["type"] == "http.response.start":
            state[STARTED] = True
            try:
                own = message["headers"]
                headers = own + tail if state[INNER] is None else merged(state, own)
                for name, _ in own:
                    if MAYBE_WATCHED[len(name)] and name.lower() in WATCHED:
                        headers = merged(state, own)
                        break
            except (LookupError, TypeError):  # no headers, no list, an endless name: free where nothing is raised
                headers = merged(state, [*message.get("headers", ())])
            message = message.copy()  # the app may use its own again; `{**message, …}` takes 30 ns more
            message["headers"] = headers
        return state[NEXT](message)  # type: ignore[no-any-return]

    def merged(state: State, headers: list[Any]) -> list[Any]:
        sent = intersect_with_inner(state, decision)
        warn = state[CONFIGURATION].log.warn_overridden
        path = state[REQUEST]["path"]
        return merge(headers, sent.headers, sent.vary, replaced=lambda name: warn(name, policy, path))

    return _marked(start)


def make_pass_through(vary: tuple[bytes, ...]) -> Start:
    """Return the function that leaves a response to the app, except for Vary.

    If a view with a policy ran, the prediction was wrong. Both must allow, so nothing is granted.
    """

    def start(state: State, message: dict[str, Any]) -> Awaitable[None]:
        """Replace `send`, once bound to a state."""
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ())]
            if state[INNER]:
                sent = intersect_with_inner(state, Decision(Outcome.NOT_CORS, vary=vary))
                headers = merge(headers, (), sent.vary, replaced=lambda _: None)
            else:
                headers = add_vary(headers, vary)
            message = {**message, "headers": headers}
        return state[NEXT](message)  # type: ignore[no-any-return]

    return _marked(start)


def _marked(start: Start) -> Start:
    """Mark a function that returns an awaitable as what it is, for asgiref's AsyncToSync, which warns of others."""
    if sys.version_info >= (3, 12):  # pragma: no cover - one of the two on each version
        return inspect.markcoroutinefunction(start)
    word = getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)  # pragma: no cover - the other
    setattr(start, "_is_coroutine", word)  # noqa: B010  # pragma: no cover
    return start  # pragma: no cover
