"""A finding of the doctor or the audit, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from .policy_lines import PolicyRemedy, settings_lines
from .terminal import labelled, plain, whole_line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .doctor.recipes import Recipe

NO_REMEDY: Final = PolicyRemedy()


@dataclass(frozen=True)
class Finding:
    """A mistake or a note, with its remedy.

    Args:
        name: The stable name, in kebab case.
        sentence: The problem.
        remedy: The change on any server, or the place to look at.
        recipe: The lines to write in the server software, or None if the remedy is not a line of its configuration.
        policy: The change in an app that uses `asgi_cors`.
    """

    name: str
    sentence: str
    remedy: str
    recipe: Recipe | None = None
    policy: PolicyRemedy = NO_REMEDY


def render_findings(findings: Iterable[Finding], style: str) -> RenderableType:
    """Return findings for the terminal: the name, the problem, then the remedy."""
    parts: list[RenderableType] = []
    for finding in findings:
        problem = Group(Text(finding.name, f"bold {style}"), plain(finding.sentence))
        parts += [Text(""), Padding(problem, (0, 0, 0, 2)), *_remedies(finding)]
    return Group(*parts[1:])


def _remedies(finding: Finding) -> Iterator[RenderableType]:
    yield _row("Remedy", finding.remedy)
    recipe, policy = finding.recipe, finding.policy
    if recipe and recipe.software:
        has_lines = f"these lines for {recipe.software}" if recipe.lines else ""
        yield _row("Write", has_lines or f"the lines that the documentation of {recipe.software} has")
        yield from (whole_line(line, "bold") for line in recipe.lines.splitlines())
        yield whole_line(recipe.docs, "dim")
    if policy.options and recipe and recipe.software == "Django":
        yield _row("asgi_cors", "the middleware of asgi_cors_django, with these settings:")
        yield from (whole_line(line, "bold") for line in settings_lines(policy.options).splitlines())
    elif policy.options:
        yield _row("asgi_cors", policy.options)
    if policy.advice:
        yield _row("" if policy.options else "asgi_cors", policy.advice)
    if policy.code:
        yield from (whole_line(line, "bold") for line in policy.code.splitlines())


def _row(label: str, text: str) -> RenderableType:
    return labelled([(label, plain(text))], style="cyan")


def as_json(finding: Finding) -> dict[str, str]:
    """Return a finding as data. docs/cli.md describes the keys."""
    recipe = finding.recipe
    return {
        "name": finding.name,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
        "recipe": recipe.lines if recipe else "",
        "software": recipe.software if recipe else "",
        "docs": recipe.docs if recipe else "",
        "policy": finding.policy.options,
        "advice": finding.policy.advice,
        "code": finding.policy.code,
    }
