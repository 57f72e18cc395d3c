"""The routes of one path for all methods, because browsers cache a preflight by its URL.

If methods of a URL lead to different policies, no browser may cache a preflight. The route of each method is found as
that of a request is, but only among the routes whose path matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from starlette.routing import Match

from ._candidates import Routes, Scope, has_own_matcher

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RoutesOfPath:
    """The routes of each router that may serve the path of one preflight, whatever the method."""

    def __init__(self) -> None:
        """Begin before any route is matched."""
        self.methods: set[str] = set()  # those that may lead to different routes
        self._found: dict[tuple[int, str, str], Sequence[Any]] = {}  # by router, path and root path

    def add_all_methods(self) -> None:
        """Add the usual methods, because a route may serve any."""
        self.methods.update(_METHODS)

    def among(self, routes: Routes, scope: Scope) -> Sequence[Any]:
        """Return the entries that may serve the path of a scope, whatever the method."""
        key = id(routes.holder), scope["path"], scope.get("root_path", "")
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = [*self._search(routes, scope)]
        return found

    def _search(self, routes: Routes, scope: Scope) -> Iterator[Any]:
        for entry in routes.entries:
            match = _match(entry, scope)
            if match is not Match.NONE or not has_own_matcher(entry):
                yield entry
                if self._serves_all(routes, entry) and match is Match.FULL:
                    return  # later routes serve no method

    def _serves_all(self, routes: Routes, entry: Any) -> bool:
        """Return whether an entry serves every method that it matches in full, and add its methods."""
        candidate = routes.candidate(entry)
        methods = getattr(candidate.route, "methods", None)
        self.methods.update(methods or ())
        is_own = has_own_matcher(entry)
        if not is_own or (not methods and hasattr(candidate.route, "endpoint")):
            self.add_all_methods()  # of a class, or of a route of the app's own class
        return is_own and not methods and candidate.included is None


def _match(entry: Any, scope: Scope) -> Match | None:
    """Return whether an entry matches a scope; None if that raises. It then raises for each method that reaches it."""
    try:
        match: Match = entry.matches(scope)[0]
    except Exception:  # noqa: BLE001 - a converter of the app's own
        return None
    return match
