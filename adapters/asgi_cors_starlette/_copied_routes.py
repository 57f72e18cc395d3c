"""The routers and routes that a copied route belongs to, on FastAPI before 0.137.

These releases copy the routes of a router when it is included. A copy does not refer to the router, but one of its
values is the same object as in the original: the `openapi_extra` of an operation, and the `name` of any other route.
`add_owner` replaces it by an equal object that has the router as its owner. FastAPI never adds either object to the
OpenAPI document: it adds the items of `openapi_extra`, and only operations are part of the document.

A router that is included first and gets its policy later has copies without an owner; see `_unmarked`. A single route
that gets a policy of its own must get it before its router is included.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self, SupportsIndex

from ._unmarked import Decorated


class _WithOwners:
    """A value of a route that its copies share.

    Args:
        owners: The objects with a policy that the route belongs to, the outermost first.
    """

    owners: tuple[object, ...] = ()


class _NameWithOwners(_WithOwners, str):  # noqa: SLOT000 - it has an attribute
    """The name of a route."""


class _ExtraWithOwners(_WithOwners, dict[str, Any]):
    """The `openapi_extra` of an operation."""


decorated: Final = Decorated()


def add_owner(container: Any) -> None:
    """Add an object that gets a policy to the owners of its routes, so that the copies lead to it.

    The routes that a router gets later have the owner, too. Other containers stay as they are: a `Mount`, an app, and
    everything on releases of FastAPI that copy no routes.
    """
    if hasattr(container, "include_router") and "routes" in vars(container):
        decorated.add(container)
        if copies_routes():
            if not isinstance(container.routes, _RoutesWithOwner):
                container.routes = _RoutesWithOwner(container)
            decorated.claim(container, _owners_of_value)
    elif hasattr(container, "endpoint"):
        _add_owner(container, container)


def note_app(app: Any) -> None:
    """Have the routers that an app has included claim its routes, because it gets a policy."""
    if copies_routes():
        decorated.add_app(app, _owners_of_value)


def copies_routes() -> bool:
    """Return whether this release of FastAPI copies the routes of an included router; False without FastAPI."""
    routing = sys.modules.get("fastapi.routing")
    is_tree = hasattr(routing, "_IncludedRouter") or hasattr(routing, "iter_route_contexts")
    return routing is not None and not is_tree


def owners_of_copy(route: Any, siblings: Sequence[Any]) -> tuple[object, ...]:
    """Return the routers and routes with a policy that a copied route belongs to, the outermost first.

    Args:
        route: A route of a router.
        siblings: All routes of the same router.
    """
    if not copies_routes():
        return ()
    return _owners_of_value(route) or decorated.owners_of(route, siblings, _owners_of_value)


# -- values with owners


class _RoutesWithOwner(list[Any]):
    """The routes of a router with a policy, which is their owner, also of those that are added later.

    Args:
        router: The router.
    """

    def __init__(self, router: Any) -> None:
        """Add the owner to the routes that exist."""
        self._router = router
        super().__init__(self._with_owner(router.routes))

    def append(self, route: Any, /) -> None:
        """Add a route."""
        super().append(_add_owner(route, self._router))

    def insert(self, index: SupportsIndex, route: Any, /) -> None:
        """Add a route at an index."""
        super().insert(index, _add_owner(route, self._router))

    def extend(self, routes: Iterable[Any], /) -> None:
        """Add several routes."""
        super().extend(self._with_owner(routes))

    def __iadd__(self, routes: Iterable[Any], /) -> Self:  # type: ignore[misc]
        """Add several routes."""
        self.extend(routes)
        return self

    def __setitem__(self, index: SupportsIndex | slice[Any, Any, Any], route: Any, /) -> None:
        """Replace a route, or several."""
        added = self._with_owner(route) if isinstance(index, slice) else _add_owner(route, self._router)
        super().__setitem__(index, added)

    def _with_owner(self, routes: Iterable[Any]) -> list[Any]:
        return [_add_owner(route, self._router) for route in routes]


def _add_owner(route: Any, owner: object) -> Any:
    """Add an owner to a route, and return the route. If it is its own owner, it is the innermost."""
    owners = _owners_of_value(route)
    if any(known is owner for known in owners) or not copies_routes():
        return route
    owners = (*owners, owner) if owner is route else (owner, *owners)
    if hasattr(route, "openapi_extra"):
        extra = _ExtraWithOwners(route.openapi_extra or {})
        extra.owners = owners
        route.openapi_extra = extra
    elif isinstance(getattr(route, "name", None), str):  # a mount may have no name; it is never copied
        name = _NameWithOwners(route.name)
        name.owners = owners
        route.name = name
    return route


def _owners_of_value(route: Any) -> tuple[object, ...]:
    extra = getattr(route, "openapi_extra", None)
    if isinstance(extra, _WithOwners):
        return extra.owners
    name = getattr(route, "name", None)
    return name.owners if isinstance(name, _WithOwners) else ()
