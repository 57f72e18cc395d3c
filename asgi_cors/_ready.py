"""Decisions made ready for ASGI: the function that sends a response start, and the answer to a preflight.

Each is made once for a policy and an origin, and kept. The figures are of CPython 3.11, per request.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from . import _http
from ._mark import CONFIGURATION, INNER, NEXT, REQUEST, STARTED, restricted
from ._merge import MAYBE_WATCHED, WATCHED, merge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._configuration import Judgement
    from ._decision import Decision
    from ._mark import State

    Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
    Start = Callable[[State, Any], Awaitable[None]]  # a message is a dict (ASGI, "Events")

_CONTENT_TYPE: Final = (b"content-type", b"text/plain; charset=utf-8")


def answered(status: int, text: str, decision: Decision) -> Answer:
    """Make an answer of a decision: status, headers and body, as a plain tuple, which unpacks fastest (-45 ns)."""
    body = text.encode()
    content = () if status == 204 else (_CONTENT_TYPE, (b"content-length", b"%d" % len(body)))  # noqa: PLR2004 - empty
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
        sent = restricted(fields, vary, state[INNER] or ())
        warn = state[CONFIGURATION].log.warn_overridden
        return merge(headers, *sent, replaced=lambda name: warn(name, policy, state[REQUEST]["path"]))

    return _marked(start)


def _marked(start: Start) -> Start:
    """Mark a function that returns an awaitable as what it is, for asgiref's AsyncToSync, which warns of others."""
    if sys.version_info >= (3, 12):  # pragma: no cover - one of the two on each version
        import inspect  # noqa: PLC0415 - dear to import; an event loop brings it along

        return inspect.markcoroutinefunction(start)
    word = getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)  # pragma: no cover - the other
    setattr(start, "_is_coroutine", word)  # noqa: B010  # pragma: no cover
    return start  # pragma: no cover
