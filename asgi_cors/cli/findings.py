"""A finding of the doctor or the audit, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from .terminal import labelled, plain

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Finding:
    """A mistake or a note, with its remedy.

    Args:
        name: The stable name, in kebab case.
        sentence: The problem.
        remedy: The change on any server, or the place to look at.
        recipe: The line for the server software that was recognised, or "".
        policy: The option of an asgi_cors policy that solves it, or "".
    """

    name: str
    sentence: str
    remedy: str
    recipe: str = ""
    policy: str = ""


def render_findings(findings: Iterable[Finding], style: str) -> RenderableType:
    """Return findings for the terminal: the name, the problem, then the remedy."""
    parts: list[RenderableType] = []
    for finding in findings:
        rows: list[tuple[str, RenderableType]] = [("Write", plain(finding.remedy))]
        rows += [("Here", plain(finding.recipe))] if finding.recipe else []
        rows += [("asgi_cors", plain(finding.policy))] if finding.policy else []
        problem = Group(Text(finding.name, f"bold {style}"), plain(finding.sentence))
        parts += [Text(""), Padding(problem, (0, 0, 0, 2)), labelled(rows, style="cyan")]
    return Group(*parts[1:])
