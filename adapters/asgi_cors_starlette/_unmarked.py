"""Copies of routes without a mark: those of a router that is included first and gets its policy later.

They are recognised by their endpoint, methods and path, and by the copies of the routes before them. Other routers may
have the same endpoints at the same paths, so a router claims its copies when it gets its policy, and when an app with
copies is installed. A router that has claimed copies, or whose copies are marked, has no others.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

_CLAIMED: Final = "_asgi_cors_claimed"  # of a route: the routers that have claimed it
_FREE: Final = "_asgi_cors_free"  # of a route that no router includes: the version for which this holds

MarkedOwners = Callable[[Any], tuple[object, ...]]


class _Decorated:
    """A router with a policy.

    Args:
        router: The router.
        on_end: Called when it no longer exists.
    """

    def __init__(self, router: Any, on_end: Callable[[Any], object]) -> None:
        """Store a weak reference, and the routes that may have copies without a mark."""
        self.reference = weakref.ref(router, on_end)
        self.is_empty = not router.routes
        self.has_copies = False  # whether its copies have been found


class Decorated:
    """FastAPI's routers with a policy, and the apps that may include them, in this process."""

    def __init__(self) -> None:
        """Start empty."""
        self._routers: dict[int, _Decorated] = {}
        self._apps: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.RLock()  # apps may be made in one thread while another one serves
        self._versions = itertools.count(1)
        self._version = 0  # another one after each change

    def add(self, router: Any) -> None:
        """Add a router."""
        with self._lock:
            key = id(router)
            if key not in self._routers:
                self._routers[key] = _Decorated(router, lambda _: self._routers.pop(key, None))
            self._version = next(self._versions)

    def __iter__(self) -> Iterator[Any]:
        """Yield all that still exist."""
        with self._lock:
            known = [*self._routers.values()]
        return filter(None, (each.reference() for each in known))

    def add_app(self, app: Any, marked_owners: MarkedOwners) -> None:
        """Add an app with `install`, whose routes are claimed by the routers that it has included."""
        with self._lock:
            self._apps.add(app)
            self._version = next(self._versions)
            for router in self:
                self._claim(router, [*_lists_of(app.router)], marked_owners)

    def claim(self, router: Any, marked_owners: MarkedOwners) -> None:
        """Have a router claim its copies in all apps."""
        with self._lock:
            self._claim(router, [*self._all_lists()], marked_owners)

    def owners_of(self, route: Any, siblings: Sequence[Any], marked_owners: MarkedOwners) -> tuple[object, ...]:
        """Return the routers that have included a route, the outermost first."""
        if not is_copyable(route):
            return ()
        claimed: list[Any] = getattr(route, _CLAIMED, [])
        version = self._version, len(siblings)
        if not claimed and getattr(route, _FREE, None) != version:
            with self._lock:
                for router in self:
                    self._claim(router, [siblings], marked_owners)
            claimed = getattr(route, _CLAIMED, [])
            if not claimed:
                with contextlib.suppress(AttributeError):  # a route class of the app's own may have slots
                    setattr(route, _FREE, version)
        return tuple(claimed)

    def _claim(self, router: Any, lists: list[Sequence[Any]], marked_owners: MarkedOwners) -> None:
        known = self._routers.get(id(router))
        if known is None or known.is_empty or known.has_copies:
            return
        if self._has_marked_copies(router, marked_owners):
            known.has_copies = True
            return
        for siblings in lists:
            for route in siblings:
                if siblings is not router.routes and not marked_owners(route) and _includes(router, route, siblings):
                    known.has_copies |= _add_owner(route, router)

    def _has_marked_copies(self, router: Any, marked_owners: MarkedOwners) -> bool:
        own = {id(route) for route in router.routes}
        return any(
            owner is router
            for routes in self._all_lists()
            for route in routes
            if id(route) not in own
            for owner in marked_owners(route)
        )

    def _all_lists(self) -> Iterator[Sequence[Any]]:
        for app in [*self._apps]:
            yield from _lists_of(app.router)


def is_copyable(route: Any) -> bool:
    """Return whether a route may have copies."""
    return hasattr(route, "endpoint") and hasattr(route, "path")


def _lists_of(container: Any) -> Iterator[Sequence[Any]]:
    """Yield the routes of a router, and those of the apps mounted in it."""
    waiting = [container.routes]
    while waiting:
        routes = cast("Sequence[Any]", waiting.pop())
        yield routes
        with contextlib.suppress(Exception):  # a route class of the app's own may raise
            waiting += [inner for route in routes if isinstance(inner := getattr(route, "routes", None), list)]


def _add_owner(route: Any, router: Any) -> bool:
    """Add a router that has included a route. The outermost one has the longest prefix, and the most routes.

    If both are equal, the routers are not nested, and the route belongs to the first.
    """
    claimed: list[Any] = getattr(route, _CLAIMED, [])
    rank = _rank_of(router, route)
    if any(_rank_of(other, route) == rank for other in claimed):
        return False
    with contextlib.suppress(AttributeError):  # a route class of the app's own may have slots
        setattr(route, _CLAIMED, sorted([*claimed, router], key=lambda each: _rank_of(each, route), reverse=True))
    return True


def _rank_of(router: Any, route: Any) -> tuple[int, int]:
    lengths = [len(original.path) for original in router.routes if _is_copy(route, original)]
    return (lengths[0] if lengths else 0), len(router.routes)


def _includes(router: Any, route: Any, siblings: Sequence[Any]) -> bool:
    """Return whether a router has included a route: its routes before the original have copies with the same prefix."""
    for index, original in enumerate(router.routes):
        if _is_copy(route, original):
            prefix = route.path.removesuffix(original.path)
            earlier = filter(is_copyable, router.routes[: index + 1])
            return all(any(_is_copy(sibling, each, prefix) for sibling in siblings) for each in earlier)
    return False


def _is_copy(route: Any, original: Any, prefix: str | None = None) -> bool:
    """Return whether a route may be a copy of another one; with this prefix, if one is given."""
    if not is_copyable(route) or not is_copyable(original) or original.endpoint is not route.endpoint:
        return False
    if getattr(route, "methods", None) != getattr(original, "methods", None):
        return False
    copied: bool = route.path.endswith(original.path) if prefix is None else route.path == prefix + original.path
    return copied
