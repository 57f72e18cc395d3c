"""The routers and routes that a copied route belongs to, on FastAPI before 0.137.

These releases copy the routes of a router when it is included. A copy does not refer to the router, but one of its
values is the same object as in the original: the `openapi_extra` of an operation, and the `name` of any other route.
`add_owner` replaces it by an equal object that has the router as its owner. FastAPI never adds either object to the
OpenAPI document: it adds the items of `openapi_extra`, and only operations are part of the document.

A router that is included first and gets its policy later has copies without an owner. They are recognised by their
endpoint, methods and path, and by the copies of the routes before them. A single route that gets a policy of its own
must get it before its router is included.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Self, SupportsIndex

_FOUND: Final = "_asgi_cors_owners"  # the attribute of a route: its owners, and the version of `decorated`


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


class Decorated:
    """FastAPI's routers with a policy, in this process."""

    def __init__(self) -> None:
        """Start empty."""
        self._references: dict[int, weakref.ref[Any]] = {}
        self._versions = itertools.count(1)
        self.version = 0  # another one after each `add`

    def add(self, router: object) -> None:
        """Add a router."""
        self._references[id(router)] = weakref.ref(router)
        self.version = next(self._versions)

    def __iter__(self) -> Iterator[Any]:
        """Yield all that still exist."""
        for reference in [*self._references.values()]:  # a copy, because another thread may add one
            router = reference()
            if router is not None:
                yield router


decorated: Final = Decorated()


def add_owner(container: Any) -> None:
    """Add an object that gets a policy to the owners of its routes, so that the copies lead to it.

    The routes that a router gets later have the owner, too. Other containers stay as they are: a `Mount`, an app, and
    everything on releases of FastAPI that copy no routes.
    """
    if hasattr(container, "include_router") and "routes" in vars(container):
        decorated.add(container)
        if copies_routes() and not isinstance(container.routes, _RoutesWithOwner):
            container.routes = _RoutesWithOwner(container)
    elif hasattr(container, "endpoint"):
        _add_owner(container, container)


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
    return _owners_of_value(route) or _owners_by_search(route, siblings)


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


# -- copies without owners


def _owners_by_search(route: Any, siblings: Sequence[Any]) -> tuple[object, ...]:
    """Return the owners of a copy that is older than their policies. The search is repeated after the next policy."""
    if not _is_copyable(route):
        return ()
    version = decorated.version, len(siblings)
    found: tuple[object, tuple[object, ...]] = getattr(route, _FOUND, (None, ()))
    if found[0] != version:
        found = version, _search_owners(route, siblings)
        with contextlib.suppress(AttributeError):  # a route class of the app's own may have slots
            setattr(route, _FOUND, found)
    return found[1]


def _search_owners(route: Any, siblings: Sequence[Any]) -> tuple[object, ...]:
    found: list[tuple[int, int, object]] = []
    for router in decorated:
        for index, original in enumerate(router.routes):
            if _is_copy(route, original) and _was_included(router, index, route, siblings):
                found.append((len(original.path), len(router.routes), router))
                break
    # The outermost router has the longest prefix, and the most routes.
    return tuple(router for _, _, router in sorted(found, key=lambda item: item[:2], reverse=True))


def _is_copy(route: Any, original: Any, prefix: str | None = None) -> bool:
    """Return whether a route may be a copy of another one; with this prefix, if one is given."""
    if not _is_copyable(route) or not _is_copyable(original) or original.endpoint is not route.endpoint:
        return False
    copied: bool = route.path.endswith(original.path) if prefix is None else route.path == prefix + original.path
    return copied and getattr(route, "methods", None) == getattr(original, "methods", None)


def _is_copyable(route: Any) -> bool:
    return hasattr(route, "endpoint") and hasattr(route, "path")


def _was_included(router: Any, index: int, route: Any, siblings: Sequence[Any]) -> bool:
    """Return whether a router was included before it got its policy, so that a route is a copy of that with this index.

    Its earlier routes then have copies with the same prefix. If it owns a copy, it was included later.
    """
    originals = [original for original in router.routes[: index + 1] if _is_copyable(original)]
    prefix = route.path.removesuffix(originals[-1].path)
    if any(known is router for sibling in siblings for known in _owners_of_value(sibling)):
        return False
    return all(any(_is_copy(sibling, original, prefix) for sibling in siblings) for original in originals)
