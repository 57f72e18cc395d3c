"""The table of routes at several widths."""

import io

import pytest
from rich.console import Console

from asgi_cors import Policy
from asgi_cors.cli.apps.policies import Served
from asgi_cors.cli.apps.routes import Route
from asgi_cors.cli.apps.templates import PathTemplate
from asgi_cors.cli.audit.results import RouteResult
from asgi_cors.cli.audit.table import RouteTable, wrap_path

LONG = "/organisations/{organisation}/projects/{project}/environments/{environment}/deployments"


def drawn(*results: RouteResult, width: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(RouteTable(results))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def result(
    path: str, *methods: str, refused: tuple[str, ...] = (), served: Served | None = None, **values
) -> RouteResult:
    served = served or Served((Policy(allow_origins=["https://app.example.com"], allow_credentials=True),))
    return RouteResult(Route(PathTemplate(path, (path,)), methods, **values), served, refused)


def test_each_route_is_one_line_at_80_columns():
    assert drawn(result("/items", "DELETE", "GET", refused=("DELETE",)), width=80) == [
        "path          methods        origins                                     cookies",
        "/items        DELETE ✗, GET  https://app.example.com                     yes",
    ]


def test_a_long_path_has_lines_of_its_own_that_end_before_a_slash():
    assert drawn(result(LONG, "GET"), result("/x", "GET"), width=80)[1:] == [
        "/organisations/{organisation}/projects/{project}/environments/{environment}",
        "  /deployments",
        "              GET      https://app.example.com                           yes",
        "/x            GET      https://app.example.com                           yes",
    ]


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 120])
def test_no_line_is_longer_than_the_terminal_and_no_part_is_lost(width):
    lines = drawn(result(LONG, "GET", "PATCH"), result("/" + "x" * 100, "PUT"), width=width)
    assert max(map(len, lines)) <= width
    text = "".join("".join(lines).split())
    assert "environments" in text
    assert "x" * 100 in text
    assert "PATCH" in text


def test_a_narrow_terminal_has_a_line_for_each_value():
    assert drawn(result("/items", "GET"), result("/ws", is_websocket=True, served=Served()), width=40) == [
        "/items",
        "  GET",
        "  https://app.example.com",
        "  cookies: yes",
        "/ws",
        "  WebSocket",
        "  no policy",
    ]


def test_a_path_that_fits_is_not_broken():
    assert str(wrap_path("/a/b", 10)) == "/a/b"
    assert str(wrap_path("/aaaa/bbbb/cccc", 10)) == "/aaaa/bbbb\n  /cccc"
