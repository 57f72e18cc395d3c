"""The lines to write, for each server software and each goal.

The table is in the TOML files of this folder: a section for each software, with the link to its documentation and a
recipe for each goal. In a recipe, these are replaced by values of the question:

- `{origin}`: the page's origin
- `{methods}`, `{headers}`: names, separated by commas
- `{'methods'}`, `{"methods"}`, `{'headers'}`, `{"headers"}`: the same, each name in these quotes
- `{:methods}`: the same, as symbols of Ruby

Every recipe may have all of them. Its comments are at most 76 columns wide. No line is broken, because many
configurations do not allow that.
"""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.servers import detect_servers
from asgi_cors.cli.errors import CannotRunError

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import ServerResponse
    from asgi_cors.cli.doctor.question import Question

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
UPGRADE: Final = "upgrade"
# Each goal with its title in docs/servers.md.
GOALS: Final = {
    ORIGIN: "Allow an origin",
    CREDENTIALS: "Allow credentials",
    METHODS: "Allow methods",
    HEADERS: "Allow request headers",
    EXPOSE: "Let scripts read response headers",
    PREFLIGHT: "Respond to preflights",
    ERRORS: "Send the headers on errors",
    ONCE: "Send each header once",
    VARY: "Send Vary: Origin",
    UPGRADE: "Forward WebSockets",
}

DOCS: Final = "docs"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The lines to write for one goal.

    Args:
        goal: One of the goals above.
        software: The name of the software in the table, or "" if the response reveals none with this goal.
        origin: The page's origin.
        methods: The methods to allow, separated by commas.
        headers: The headers to allow or expose, separated by commas.
    """

    goal: str
    software: str = ""
    origin: str = ""
    methods: str = ""
    headers: str = ""

    @property
    def lines(self) -> str:
        """The lines to write, or ""."""
        text = read_table().get(self.software, {}).get(self.goal, "")
        return fill(text, origin=self.origin, methods=self.methods, headers=self.headers).strip("\n").expandtabs(4)

    @property
    def docs(self) -> str:
        """The link to the documentation of the software, or ""."""
        return read_table()[self.software][DOCS] if self.software else ""


@functools.cache
def read_table() -> Mapping[str, Mapping[str, str]]:
    """Return the recipes of each software by goal, with the link to its documentation under "docs"."""
    table: dict[str, dict[str, str]] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name):
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
    return text.replace("{:methods}", ", ".join(f":{part.strip().lower()}" for part in methods.split(",")))


def recipe(
    goal: str, response: ServerResponse | None, *, origin: str = "", methods: str = "", headers: str = ""
) -> Recipe:
    """Return the lines to write for the software that sent `response`: for the app's if both it and a proxy show."""
    found = Recipe(goal=goal, origin=origin, methods=methods, headers=headers)
    servers = reversed(detect_servers(response)) if response else ()
    return next((choice for choice in (replace(found, software=name) for name in servers) if choice.lines), found)


def complete(found: Recipe, question: Question) -> Recipe:
    """Return a recipe with the values of the question, for the software that `--server` names.

    A recipe that names the origin `null` is empty: any site gets that origin with a sandboxed frame.
    """
    completed = Recipe(
        goal=found.goal,
        software=question.server or found.software,
        origin=found.origin or question.origin,
        methods=found.methods or question.method,
        headers=found.headers or ", ".join(name.lower() for name, _ in question.headers),
    )
    text = read_table().get(completed.software, {}).get(completed.goal, "")
    return replace(completed, software="") if "{origin}" in text and question.origin == "null" else completed


def software_names() -> list[str]:
    """Return the names of all software in the table."""
    return sorted(read_table(), key=str.lower)


def find_software(name: str) -> str:
    """Return the name of a software as the table spells it. Letter case does not count.

    Raises:
        CannotRunError: The table has no such software.
    """
    names = software_names()
    match = next((known for known in names if known.lower() == name.strip().lower()), None)
    if match is None:
        closest = difflib.get_close_matches(name.lower(), [known.lower() for known in names], n=1)
        suggestion = next((f"Did you mean {known!r}? " for known in names if [known.lower()] == closest), "")
        raise CannotRunError(f"--server {name[:60]!r} is not known. {suggestion}Write one of {', '.join(names)}.")
    return match
