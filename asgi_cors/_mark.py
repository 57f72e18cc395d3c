"""The mark that a middleware leaves in the scope or environ, so that one further in knows of it.

It is the state of the response, a list for speed, which the function that sends the response start is bound to:
what to call, whether the response has begun, whose configuration decided, the request (its scope; under WSGI its
path), and what middlewares further in have decided: None, or a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import _http
from ._decision import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._http import Fields

MARK: Final = "asgi_cors"
NEXT, STARTED, CONFIGURATION, REQUEST, INNER = range(5)

State = list[Any]

NOTE: Final = "CORS: the page will see this as a CORS error, since the 500 is made outside of the middleware."


def note(error: Exception) -> None:
    """Note on an exception that the page won't see the answer to it; once, since one may be raised again and again."""
    if NOTE not in getattr(error, "__notes__", ()):
        error.add_note(NOTE)


def restrict(state: State, decision: Decision) -> None:
    """Have an outer middleware know what one further in has decided."""
    state[INNER] = [*(state[INNER] or ()), decision]


def restricted(fields: Fields, vary: tuple[bytes, ...], inner: Iterable[Decision]) -> tuple[Fields, tuple[bytes, ...]]:
    """Take back what a middleware further in doesn't allow: both must."""
    for decision in inner:
        if not decision.allowed:
            fields = ()
        elif _http.ALLOW_CREDENTIALS not in dict(decision.headers):
            fields = tuple(field for field in fields if field[0] != _http.ALLOW_CREDENTIALS)
        vary = tuple(dict.fromkeys((*vary, *decision.vary)))
    return fields, vary
