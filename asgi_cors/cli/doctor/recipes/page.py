"""Write docs/servers.md: the recipes of each software, with example values."""

from __future__ import annotations

from collections.abc import Iterator

from . import DOCS, GOALS, Recipe, read_table, software_names

_HEAD = """\
# CORS in other server software

The smallest right lines for each software, as `asgi-cors doctor --server NAME` prints them for your page's origin,
methods and headers. Here the page is `https://app.example.com`. It sends GET, PUT and DELETE, with the headers `x-id`
and `x-version`.

On every server, the same rules apply:

- Compare the request's Origin with a list, and send back the matching origin. Never send back every origin.
- Send `Vary: Origin` on every response, even without CORS headers.
- Respond to preflights (OPTIONS) before authentication. They have no cookies and no Authorization header.
- Send the headers from one layer only: the app, or the proxy before it.
"""


def page() -> str:
    """Return docs/servers.md."""
    names = software_names()
    links = " \N{MIDDLE DOT}\n".join(f"[{name}](#{_anchor(name)})" for name in names)
    return "\n".join([_HEAD, f"{links}\n", *(line for name in names for line in _section(name))])


def _anchor(name: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return "".join(c for c in name.lower().replace(" ", "-") if c.isalnum() or c == "-")


def _section(name: str) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"`--server '{name}'` \N{MIDDLE DOT} [documentation]({read_table()[name][DOCS]})\n"
    for goal, title in GOALS.items():
        recipe = example(goal, name)
        if recipe.lines:
            yield f"{title}:\n\n```\n{recipe.lines}\n```\n"


def example(goal: str, software: str) -> Recipe:
    """Return a recipe with the values of the page."""
    return Recipe(
        goal=goal,
        software=software,
        origin="https://app.example.com",
        methods="GET, PUT, DELETE",
        headers="x-id, x-version",
    )
