"""FastAPI's routers: included routers, and routes with low priority.

FastAPI 0.137 and later build a tree of included routers, so that the same router may be included in several others.
`candidates_of` walks it. For earlier releases, which copy the routes of an included router, see `_copies`.

FastAPI is recognised by its attributes, so that an app of Starlette does not import it. Most of them are private,
because FastAPI's public function returns the routes without the routers that they belong to.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from starlette.routing import Match

from ._candidates import Candidate, Matches, Scope
from ._copies import copies_routes, decorated, owners_of_copy

_SCOPE_KEY: Final = "fastapi"  # FastAPI's own part of a scope
_CONTEXT_KEY: Final = "effective_route_context"


def candidates_of(routes: Sequence[Any]) -> Iterator[Candidate]:
    """Yield the routes of a router in the order in which it tries them.

    Args:
        routes: The router's `routes`.
    """
    has_copies = copies_routes()
    for route in routes:
        if not hasattr(route, "original_router"):
            owners = (*owners_of_copy(route, routes), route) if has_copies else (route,)
            yield Candidate(route, route.matches, owners)
        elif hasattr(route, "effective_candidates"):
            yield _included(route)
        else:
            yield from _unknown_tree(route)


def list_candidates(routes: Sequence[Any]) -> Iterator[Candidate]:
    """Yield the routes of a router, with those of included routers in their place.

    Args:
        routes: The router's `routes`.
    """
    for candidate in candidates_of(routes):
        yield from _flatten(candidate, ())


def match_low_priority(router: Any, scope: Scope) -> tuple[Candidate, Match, Scope] | None:
    """Return the route that serves a scope that no other route matches, such as `app.frontend(…)`; None without one.

    Args:
        router: The router of an app.
        scope: A copy of the scope of the request.

    Returns:
        The route, whether it matches in full, and the changes to the scope.
    """
    find_match = getattr(router, "_match_low_priority", None)
    if find_match is None:
        return None
    match, changes, route, context = find_match(_own_scope(scope))
    if match is Match.NONE or route is None:
        return None
    original, prefix = getattr(context, "original_route", route), getattr(context, "frontend_prefix", "")
    owners = (*_low_priority_owners(router.routes, original, prefix), original)
    return Candidate(route, getattr(context, "matches", route.matches), owners), match, changes


def _flatten(candidate: Candidate, owners: tuple[object, ...]) -> Iterator[Candidate]:
    owners = (*owners, *candidate.owners)
    if candidate.included is None:
        yield candidate._replace(owners=owners)
    else:
        for inner in candidate.included():
            yield from _flatten(inner, owners)


# -- the tree of FastAPI 0.137 and later


def _is_known_tree(route: Any) -> bool:
    return hasattr(route, "original_router") and hasattr(route, "effective_candidates")


def _included(route: Any) -> Candidate:
    """Return an included router as a candidate."""

    def included() -> Iterator[Candidate]:
        for inner in route.effective_candidates():
            yield _included(inner) if _is_known_tree(inner) else _effective(inner)

    @functools.wraps(route.matches)
    def matches(scope: Scope) -> tuple[Match, Scope]:
        found: tuple[Match, Scope] = route.matches(_own_scope(scope))
        return found

    return Candidate(route, matches, (route.original_router,), included)


def _effective(context: Any) -> Candidate:
    """Return a route of an included router as a candidate, with the prefixes of all routers in its path."""
    original, route = context.original_route, context.starlette_route
    return Candidate(route or context, context.matches if route else _operation_matches(context), (original,))


def _operation_matches(context: Any) -> Matches:
    """Return a function that matches an operation as FastAPI does, so that a `matches` of its own class is called."""

    @functools.wraps(context.original_route.matches)
    def matches(scope: Scope) -> tuple[Match, Scope]:
        own = _own_scope(scope)
        own[_SCOPE_KEY][_CONTEXT_KEY] = context
        found: tuple[Match, Scope] = context.original_route.matches(own)
        return found

    return matches


def _unknown_tree(route: Any) -> Iterator[Candidate]:
    """Yield the routes of an included router of another release, as far as FastAPI's public function lists them."""
    for context in sys.modules["fastapi.routing"].iter_route_contexts([route]):
        original: Any = context.original_route
        routers = [router for router in decorated if any(own is original for own in router.routes)]
        yield Candidate(context, context.matches, (*routers, original))


def _own_scope(scope: Scope) -> dict[str, Any]:
    """Return a copy of a scope whose part for FastAPI may be changed."""
    own: dict[str, Any] = scope.get(_SCOPE_KEY) or {}
    return {**scope, _SCOPE_KEY: {**own}}


def _low_priority_owners(routes: Iterable[Any], original: Any, prefix: str) -> tuple[Any, ...]:
    """Return the included routers that a route with low priority belongs to, the outermost first."""
    for route in filter(_is_known_tree, routes):
        router = route.original_router
        if route.include_context.prefix == prefix and original in router._low_priority_routes:  # noqa: SLF001 - it has no public name
            return (router,)
        if inner := _low_priority_owners(route.effective_candidates(), original, prefix):
            return (router, *inner)
    return ()
