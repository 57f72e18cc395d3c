"""The routes of a router, and the one that serves a scope. For FastAPI's routers, see `_fastapi`.

Each request is matched with every route, so only `matches` is called before one matches. `Routes.candidate` then
returns the route with the objects that may have a policy for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

Scope = MutableMapping[str, Any]

_OWN_MATCHERS: Final = ("starlette.", "fastapi.")  # modules whose `matches` depends on path, method and headers only
_own_classes: Final[set[type]] = set()  # classes of routes whose `matches` is known to be one of these


class Candidate(NamedTuple):
    """A route that serves a scope.

    Args:
        route: The route. Its `endpoint`, `methods` and `app` count.
        owners: The objects that may have a policy for the route, the outermost first.
        included: For an included router: returns its own routes. None for any other route.
    """

    route: Any
    owners: tuple[object, ...]
    included: Callable[[], Routes] | None = None


class Routes(NamedTuple):
    """The routes of a router, or of an included router.

    Args:
        holder: The router, or the included router as its parent tries it.
        entries: The routes, in the order in which the router tries them. The method `matches` of each returns whether
            it matches a scope, and the changes to the scope, as `BaseRoute.matches`.
        candidate: Returns the candidate of an entry.
    """

    holder: object
    entries: Sequence[Any]
    candidate: Callable[[Any], Candidate]

    def candidates(self) -> Iterable[Candidate]:
        """Return all candidates."""
        return map(self.candidate, self.entries)


def own_candidate(route: Any) -> Candidate:
    """Return the candidate of a route of Starlette's."""
    return Candidate(route, (route,))


def has_own_matcher(route: object) -> bool:
    """Return whether `matches` is Starlette's or FastAPI's, which looks at path, method and headers only.

    For an included router, return whether this is true of all its routes.
    """
    kind = type(route)
    if kind in _own_classes:
        return True
    module = getattr(getattr(kind, "matches", None), "__module__", None)
    if not f"{module}.".startswith(_OWN_MATCHERS):
        return False
    router = getattr(route, "original_router", None)
    if router is not None:
        return have_own_matchers(router.routes)
    _own_classes.add(kind)
    return True


def have_own_matchers(routes: Sequence[Any]) -> bool:
    """Return whether `matches` of each route is Starlette's or FastAPI's."""
    return _own_classes.issuperset(map(type, routes)) or all(map(has_own_matcher, routes))
