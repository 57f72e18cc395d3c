"""The lines to write, for each server software and each goal.

The table is in the TOML files of this folder: a section for each software, with the link to its documentation and a
recipe for each goal. In a recipe, these are replaced by values of the question:

- `{origin}`: the page's origin
- `{methods}`, `{headers}`: names, separated by commas
- `{'methods'}`, `{"methods"}`, `{'headers'}`, `{"headers"}`: the same, each name in these quotes
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.servers import detect_servers

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import ServerResponse

# The goals.
ORIGIN: Final = "origin"
PREFLIGHT: Final = "preflight"
ERRORS: Final = "errors"
ONCE: Final = "once"
CREDENTIALS: Final = "credentials"
METHODS: Final = "methods"
HEADERS: Final = "headers"
EXPOSE: Final = "expose"
VARY: Final = "vary"

DOCS: Final = "docs"


@functools.cache
def read_table() -> Mapping[str, Mapping[str, str]]:
    """Return the recipes of each software by goal, with the link to its documentation under "docs"."""
    table: dict[str, dict[str, str]] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            table |= tomllib.loads(file.read_text("utf-8"))
    return table


def fill(text: str, *, origin: str = "", methods: str = "", headers: str = "") -> str:
    """Return a recipe with the values of a question."""
    text = text.replace("{origin}", origin)
    for name, value in (("methods", methods), ("headers", headers)):
        text = text.replace(f"{{{name}}}", value)
        for quote in "'\"":
            quoted = ", ".join(f"{quote}{part.strip()}{quote}" for part in value.split(","))
            text = text.replace(f"{{{quote}{name}{quote}}}", quoted)
    return text


def recipe(
    goal: str, response: ServerResponse | None, *, origin: str = "", methods: str = "", headers: str = ""
) -> str:
    """Return the lines to write for the software that sent `response`, or "" if there is no recipe for it."""
    for server in reversed(detect_servers(response)) if response else ():
        text = read_table().get(server, {}).get(goal)
        if text:
            return f"{server}: {fill(text, origin=origin, methods=methods, headers=headers)}"
    return ""
