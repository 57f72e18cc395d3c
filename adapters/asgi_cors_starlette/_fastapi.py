"""FastAPI's routers: included routers, and routes with low priority.

FastAPI 0.137 and later build a tree of included routers, so that the same router may be included in several others.
`routes_of` returns its routes. For earlier releases, which copy the routes of an included router,
see `_copied_routes`.

FastAPI is recognised by its attributes, so that an app of Starlette does not import it. Most of them are private,
because FastAPI's public function returns the routes without the routers that they belong to.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from starlette.routing import Match

from ._candidates import Candidate, Routes, Scope, have_own_matchers
from ._copied_routes import decorated, owners_of_copy

_SCOPE_KEY: Final = "fastapi"  # FastAPI's own part of a scope
_CONTEXT_KEY: Final = "effective_route_context"


def routes_of(router: Any) -> Routes:
    """Return the routes of a FastAPI router."""
    routes: Sequence[Any] = router.routes
    return Routes(router, routes, functools.partial(_candidate_of, routes))


def list_candidates(router: Any) -> Iterator[Candidate]:
    """Yield the routes of a router, with those of included routers in their place."""
    for candidate in routes_of(router).candidates():
        yield from _flatten(candidate, ())


def match_low_priority(router: Any, scope: Scope) -> tuple[Candidate, Match, Scope] | None:
    """Return the route that serves a scope that no other route matches, such as `app.frontend(…)`; None without one.

    Args:
        router: The router of an app.
        scope: A scope that `own_scope` has returned.

    Returns:
        The route, whether it matches in full, and the changes to the scope.
    """
    find_match = getattr(router, "_match_low_priority", None)
    if find_match is None:
        return None
    match, changes, route, context = find_match(scope)
    if match is Match.NONE or route is None:
        return None
    original, prefix = getattr(context, "original_route", route), getattr(context, "frontend_prefix", "")
    owners = (*_low_priority_owners(router.routes, original, prefix), original)
    return Candidate(route, owners), match, changes


def own_scope(scope: Scope) -> dict[str, Any]:
    """Return a copy of a scope whose part for FastAPI may be changed. FastAPI restores it after each route."""
    own: dict[str, Any] | None = scope.get(_SCOPE_KEY)
    return {**scope, _SCOPE_KEY: {**own}} if own else {**scope}


def _candidate_of(siblings: Sequence[Any], route: Any) -> Candidate:
    """Return a route of a router as a candidate."""
    if _is_known_tree(route):
        return _included(route)
    if hasattr(route, "original_router"):
        return Candidate(route, (), functools.partial(_routes_of_unknown_tree, route))
    return Candidate(route, (*owners_of_copy(route, siblings), route))


def _flatten(candidate: Candidate, owners: tuple[object, ...]) -> Iterator[Candidate]:
    owners = (*owners, *candidate.owners)
    if candidate.included is None:
        yield candidate._replace(owners=owners)
    else:
        for inner in candidate.included().candidates():
            yield from _flatten(inner, owners)


# -- the tree of FastAPI 0.137 and later


def _is_known_tree(route: Any) -> bool:
    return hasattr(route, "original_router") and hasattr(route, "effective_candidates")


def _included(route: Any) -> Candidate:
    """Return an included router as a candidate."""
    return Candidate(route, (route.original_router,), functools.partial(_routes_below, route))


def _routes_below(included: Any) -> Routes:
    """Return the routes of an included router, with the prefixes of all routers in their path."""
    entries = included.effective_candidates()
    if not have_own_matchers(included.original_router.routes):
        entries = [entry if _is_known_tree(entry) else _Operation(entry) for entry in entries]
    return Routes(included, entries, _inner_candidate)


class _Operation:
    """A route of an included router, matched as FastAPI does, so that a `matches` of its own class is called.

    Args:
        context: FastAPI's object for the route at this place.
    """

    def __init__(self, context: Any) -> None:
        """Store the context."""
        self.context = context

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route matches a scope, and the changes to the scope."""
        context = self.context
        if not context.starlette_route:
            scope = own_scope(scope)
            scope[_SCOPE_KEY] = {**scope.get(_SCOPE_KEY, {}), _CONTEXT_KEY: context}
            context = context.original_route
        found: tuple[Match, Scope] = context.matches(scope)
        return found


def _inner_candidate(entry: Any) -> Candidate:
    """Return a route of an included router as a candidate."""
    if _is_known_tree(entry):
        return _included(entry)
    context = entry.context if isinstance(entry, _Operation) else entry
    return Candidate(context.starlette_route or context, (context.original_route,))


# -- the tree of another release


def _routes_of_unknown_tree(route: Any) -> Routes:
    """Return the routes of an included router, as far as FastAPI's public function lists them."""
    contexts = sys.modules["fastapi.routing"].iter_route_contexts([route])
    return Routes(route, [*contexts], _listed_candidate)


def _listed_candidate(context: Any) -> Candidate:
    original = context.original_route
    routers = [router for router in decorated if any(own is original for own in router.routes)]
    return Candidate(context, (*routers, original))


def _low_priority_owners(routes: Iterable[Any], original: Any, prefix: str) -> tuple[Any, ...]:
    """Return the included routers that a route with low priority belongs to, the outermost first."""
    for route in filter(_is_known_tree, routes):
        router = route.original_router
        if route.include_context.prefix == prefix and original in router._low_priority_routes:  # noqa: SLF001 - it has no public name
            return (router,)
        if inner := _low_priority_owners(route.effective_candidates(), original, prefix):
            return (router, *inner)
    return ()
