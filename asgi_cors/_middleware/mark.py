"""The mark that a middleware leaves in the scope or environ, so that one further in knows of it.

It is the state of the response, a list for speed, which the function that sends the response start is bound to:
what to call, whether the response has begun, whose configuration decided, the request (its scope; under WSGI its
path), and what middlewares further in have decided: None, or a list.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from asgi_cors._decision.decision import Decision, intersect

MARK: Final = "asgi_cors"
PASSED_THROUGH: Final = "asgi_cors.passed_through"  # the key of the state of a response that is left to the app
NEXT, STARTED, CONFIGURATION, REQUEST, INNER = range(5)

State = list[Any]

NOTE: Final = "CORS: the page will see this as a CORS error, since the 500 is made outside of the middleware."


def note(error: Exception) -> None:
    """Note on an exception that the page won't see the answer to it; once, since one may be raised again and again."""
    if NOTE not in getattr(error, "__notes__", ()):
        error.add_note(NOTE)


def add_inner_decision(state: State, decision: Decision) -> None:
    """Add a decision that the outer middleware must respect: that of a nested middleware, or of the view that ran."""
    state[INNER] = [*(state[INNER] or ()), decision]


def intersect_with_inner(state: State, decision: Decision) -> Decision:
    """Return the narrower of a decision and of all inner decisions."""
    return functools.reduce(intersect, state[INNER] or (), decision)
