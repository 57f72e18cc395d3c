"""The table of routes, which fits into the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Policy
from asgi_cors.cli.terminal import SYMBOLS, escape, plain

from .results import describe_origins

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from .results import RouteResult

_NARROW: Final = 60  # columns; below, a route takes several lines
_GAP: Final = 2
_COOKIES: Final = 7  # columns of "cookies"
_MIN_PATH: Final = 12
_SHARES: Final = (0.4, 0.26)  # of the width, at most: paths and methods
_INDENT: Final = 2


class RouteTable:
    """A line for each route: path, methods, origins and cookies. A path that is too long has a line of its own.

    Args:
        results: The routes.
    """

    def __init__(self, results: tuple[RouteResult, ...]) -> None:
        """Store the routes."""
        self._results = results

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw the table for a width."""
        width = options.max_width
        if width < _NARROW:
            for result in self._results:
                yield from _stacked(result, width)
            return
        most, most_methods = (int(width * share) for share in _SHARES)
        paths = [len(escape(result.route.path)) for result in self._results]
        fitting = [length for length in paths if length <= most]
        first = max([_MIN_PATH, *fitting])
        second = min(most_methods, max([len("methods"), *(len(_methods(result)) for result in self._results)]))
        columns = (first, second, width - first - second - _COOKIES - 3 * _GAP, _COOKIES)
        yield _row([Text(name, "bold dim") for name in ("path", "methods", "origins", "cookies")], columns)
        for result, length in zip(self._results, paths, strict=True):
            path = plain(result.route.path, "bold")
            if length > first:
                yield wrap_path(result.route.path, width)
                path = Text("")
            yield _row([path, _methods(result), *_policy(result)], columns)


def _row(cells: list[Text], widths: tuple[int, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        grid.add_column(width=width, overflow="fold")
    grid.add_row(*cells)
    return grid


def _stacked(result: RouteResult, width: int) -> Iterator[RenderableType]:
    origins, cookies = _policy(result)
    yield wrap_path(result.route.path, width)
    yield Padding(_methods(result), (0, 0, 0, _INDENT))
    yield Padding(origins, (0, 0, 0, _INDENT))
    if cookies:
        yield Padding(Text.assemble("cookies: ", cookies), (0, 0, 0, _INDENT))


def wrap_path(path: str, width: int) -> Text:
    """Return a path that is broken before slashes, if it is longer than a line."""
    lines = [""]
    for number, segment in enumerate(escape(path).split("/")):
        part = f"/{segment}" if number else segment
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append(" " * _INDENT)
        lines[-1] += part
    return Text("\n".join(lines), style="bold", overflow="fold")


def _policy(result: RouteResult) -> tuple[Text, Text]:
    """Return the origins, and whether cookies are allowed."""
    policy = result.policy
    if isinstance(policy, Policy):
        name = f"{policy.name}: " if policy.name else ""
        return plain(f"{name}{describe_origins(policy)}"), Text("yes" if policy.allow_credentials else "no")
    if policy is not None:
        return Text("decided at run time", "dim"), Text("")
    return Text("passed through" if result.route.installed else "no policy", "dim"), Text("")


def _methods(result: RouteResult) -> Text:
    if result.route.is_websocket:
        return Text("WebSocket", "cyan")
    if result.route.unlisted:
        return Text("not listed", "yellow")
    symbol, style = SYMBOLS[False]
    return Text(", ").join(
        Text(f"{name} {symbol}", style) if name in result.refused else Text(name)
        for name in result.route.methods or ("any",)
    )
