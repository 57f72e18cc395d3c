"""The routers and routes that a copied route belongs to, on FastAPI before 0.137.

These releases copy the routes of a router when it is included. A copy does not refer to the router, but one of its
values is the same object as in the original: the `openapi_extra` of an operation, and the `name` of any other route.
`mark_routes` replaces it by an equal object that leads to the router. FastAPI never adds either object to the OpenAPI
document: of `openapi_extra` it adds the items, and only operations are part of the document.

A router that is included first and gets its policy later has copies without a mark. They are recognised by their
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

_FOUND: Final = "_asgi_cors_unmarked"  # of a route: its owners, with the version of `decorated`


class _Mark:
    """A value of a route that its copies share.

    Args:
        owners: The objects with a policy that the route belongs to, the outermost first.
    """

    owners: tuple[object, ...] = ()


class _MarkedName(_Mark, str):  # noqa: SLOT000 - it has the attribute of a mark
    """The name of a route."""


class _MarkedExtra(_Mark, dict[str, Any]):
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


def mark_routes(container: Any) -> None:
    """Mark a route, or the routes of a router, which gets a policy, so that the copies lead to it.

    The routes that a router gets later are marked when they are added. Other containers stay as they are: a `Mount`, an
    app, and everything on releases of FastAPI that copy no routes.
    """
    if hasattr(container, "include_router") and "routes" in vars(container):
        decorated.add(container)
        if copies_routes() and not isinstance(container.routes, _MarkedRoutes):
            container.routes = _MarkedRoutes(container)
    elif hasattr(container, "endpoint"):
        _mark(container, container)


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
    return _marked_owners(route) or _unmarked_owners(route, siblings)


# -- marks


class _MarkedRoutes(list[Any]):
    """The routes of a router with a policy. Those that are added later are marked, too.

    Args:
        router: The router.
    """

    def __init__(self, router: Any) -> None:
        """Mark the routes that exist."""
        self._router = router
        super().__init__(self._marked(router.routes))

    def append(self, route: Any, /) -> None:
        """Add a route."""
        super().append(_mark(route, self._router))

    def insert(self, index: SupportsIndex, route: Any, /) -> None:
        """Add a route at an index."""
        super().insert(index, _mark(route, self._router))

    def extend(self, routes: Iterable[Any], /) -> None:
        """Add several routes."""
        super().extend(self._marked(routes))

    def __iadd__(self, routes: Iterable[Any], /) -> Self:  # type: ignore[misc]
        """Add several routes."""
        self.extend(routes)
        return self

    def __setitem__(self, index: SupportsIndex | slice[Any, Any, Any], route: Any, /) -> None:
        """Replace a route, or several."""
        marked = self._marked(route) if isinstance(index, slice) else _mark(route, self._router)
        super().__setitem__(index, marked)

    def _marked(self, routes: Iterable[Any]) -> list[Any]:
        return [_mark(route, self._router) for route in routes]


def _mark(route: Any, owner: object) -> Any:
    """Add an owner to the mark of a route, and return the route. The route itself is always the innermost."""
    owners = _marked_owners(route)
    if any(known is owner for known in owners) or not copies_routes():
        return route
    owners = (*owners, owner) if owner is route else (owner, *owners)
    if hasattr(route, "openapi_extra"):
        extra = _MarkedExtra(route.openapi_extra or {})
        extra.owners = owners
        route.openapi_extra = extra
    elif isinstance(getattr(route, "name", None), str):  # a mount may have no name; it is never copied
        name = _MarkedName(route.name)
        name.owners = owners
        route.name = name
    return route


def _marked_owners(route: Any) -> tuple[object, ...]:
    extra = getattr(route, "openapi_extra", None)
    if isinstance(extra, _Mark):
        return extra.owners
    name = getattr(route, "name", None)
    return name.owners if isinstance(name, _Mark) else ()


# -- copies without a mark


def _unmarked_owners(route: Any, siblings: Sequence[Any]) -> tuple[object, ...]:
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

    Its earlier routes then have copies with the same prefix. If one of its copies has a mark, it was included later.
    """
    originals = [original for original in router.routes[: index + 1] if _is_copyable(original)]
    prefix = route.path.removesuffix(originals[-1].path)
    if any(known is router for sibling in siblings for known in _marked_owners(sibling)):
        return False
    return all(any(_is_copy(sibling, original, prefix) for sibling in siblings) for original in originals)
