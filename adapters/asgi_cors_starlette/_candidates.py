"""A route as its router tries it. FastAPI's routers add routes in other ways than Starlette's; see `_fastapi`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

from starlette.routing import Match

Scope = MutableMapping[str, Any]
Matches = Callable[[Scope], tuple[Match, Scope]]


class Candidate(NamedTuple):
    """A route that a router tries for a scope.

    Args:
        route: The route that serves. Its `endpoint`, `methods` and `app` count.
        matches: Returns whether the route matches a scope, and the changes to the scope, as `BaseRoute.matches`.
        owners: The objects that may have a policy for the route, the outermost first.
        included: For an included router: returns its own routes. None for any other route.
    """

    route: Any
    matches: Matches
    owners: tuple[object, ...]
    included: Callable[[], Iterable[Candidate]] | None = None
