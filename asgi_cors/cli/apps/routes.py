"""A route of an app, and the policies around it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .templates import PathTemplate

if TYPE_CHECKING:
    from asgi_cors import Configuration

ADDED_METHODS = frozenset({"HEAD", "OPTIONS"})  # which frameworks add to those of a route


@dataclass(frozen=True)
class Installed:
    """A middleware of asgi_cors around an app or a part of it.

    Args:
        configuration: The configuration of the middleware.
        root: The root path of the part, as the middleware gets it.
        depth: The number of parts of a route's template that the root path takes.
        is_inside_route: Whether the middleware belongs to one route, whose methods the router checks first.
    """

    configuration: Configuration
    root: str = ""
    depth: int = 0
    is_inside_route: bool = False


@dataclass(frozen=True)
class Route:
    """A path that the app serves.

    Args:
        template: The path with its variables.
        methods: The methods that it serves, without HEAD and OPTIONS, which frameworks add. Empty for every method.
        is_websocket: Whether the route is a WebSocket.
        unlisted: The app that serves the paths below, if its routes can't be listed.
        host: The only host with this route, or "".
        installed: The policies around it, from the outside in.
        is_csrf_checked: Whether the framework itself refuses forged requests, as Django's CsrfViewMiddleware does.
        is_key: Whether it is not a route, but a path of a policy, in an app whose routes can't be listed.
    """

    template: PathTemplate
    methods: tuple[str, ...] = ()
    is_websocket: bool = False
    unlisted: str = ""
    host: str = ""
    installed: tuple[Installed, ...] = ()
    is_csrf_checked: bool = False
    is_key: bool = False

    @property
    def path(self) -> str:
        """The path for a report, after the host if the route is limited to one."""
        return self.host + self.template.shown

    @property
    def sample(self) -> str:
        """A path that the route matches."""
        return self.template.sample


@dataclass(frozen=True)
class Place:
    """The place of a part of an app.

    Args:
        prefix: The path below which it is mounted.
        host: Its only host, or "".
        installed: The policies around it.
    """

    prefix: PathTemplate = field(default_factory=PathTemplate)
    host: str = ""
    installed: tuple[Installed, ...] = ()

    def below(self, template: PathTemplate) -> Place:
        """Return the place of an app that is mounted below this one."""
        return replace(self, prefix=self.prefix + template)

    def inside(self, configuration: Configuration | None, *, is_inside_route: bool = False) -> Place:
        """Return the place inside of one more policy."""
        if configuration is None:
            return self
        root = self.prefix.sample if self.prefix.parts else ""
        installed = Installed(configuration, root, len(self.prefix.parts), is_inside_route)
        return replace(self, installed=(*self.installed, installed))

    def route(self, template: PathTemplate, **values: Any) -> Route:
        """Return a route at this place."""
        place: dict[str, Any] = {"host": self.host, "installed": self.installed}
        return Route(self.prefix + template, **(place | values))

    def everything_below(self, **values: Any) -> Route:
        """Return the route of all paths below this place."""
        return self.route(PathTemplate(is_subtree=True), **values)


def listed_methods(methods: Any) -> tuple[str, ...]:
    """Return the methods of a route without those that frameworks add, sorted."""
    names = set(methods or ())
    return tuple(sorted(names - ADDED_METHODS or names))
