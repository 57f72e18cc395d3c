"""`explain`: an app's answer to one call, told for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Explanation, Step, explain

from .doctor.question import CannotAskError
from .routes import policy_of
from .terminal import MARKS, labelled, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .apps import Installed

SCHEMA = 1


def explanation_of(  # noqa: PLR0913 - the parts of a call
    installed: Installed,
    method: str,
    origin: str,
    path: str,
    headers: tuple[tuple[str, str], ...],
    *,
    credentials: bool,
) -> Explanation:
    """Put a call to the policy that serves its path.

    Raises:
        CannotAskError: Nothing of ours stands around the app.
    """
    if installed.configuration is None:
        raise CannotAskError(
            f"the {installed.framework or 'ASGI or WSGI'} app has no CORS policy of asgi_cors."
            " Write app = CORSMiddleware(app, allow_origins=[…])."
        )
    path = path if path.startswith("/") else f"/{path}"
    policy = policy_of(installed, path, method)
    request = f"{method} {path!r} from {origin!r}"
    if isinstance(policy, str):
        return _open(request, path, "the policy is found by a function that needs the request itself")
    if policy is None:
        return _open(request, path, "no policy serves it: what the app itself sends decides")
    return explain(policy, method, origin, headers, credentials)


def _open(request: str, path: str, why: str) -> Explanation:
    return Explanation(request, None, None, (Step("path", why, repr(path), passed=None),), "")


def report(explanation: Explanation) -> RenderableType:
    """Tell people the verdict, each check, and what to write."""
    verdicts = {
        True: "as far as this middleware decides, the browser lets the page read the response",
        False: "the browser blocks it",
        None: "it depends",
    }
    mark, style = MARKS[explanation.allowed]
    grid = Table.grid(padding=(0, 1))
    for step in explanation.steps:
        step_mark, step_style = MARKS[step.passed]
        grid.add_row(Text(step_mark, step_style), Text(step.check, "bold"), plain(f"{step.value}: {step.rule}"))
    head = plain(explanation.request, "bold")
    verdict = Text.assemble((f"{mark} {verdicts[explanation.allowed]}", style), (f" {explanation.code or ''}", "dim"))
    parts: list[RenderableType] = [head, Padding(verdict, (0, 0, 1, 2)), Padding(grid, (0, 0, 0, 2))]
    if explanation.remedy:
        parts += [Text(""), labelled([("asgi_cors", plain(explanation.remedy))])]
    return Group(*parts)


def as_json(app: str, path: str, explanation: Explanation) -> dict[str, Any]:
    """Give it as data; docs/cli.md describes it."""
    return {
        "schema": SCHEMA,
        "command": "explain",
        "app": app,
        "path": path,
        "request": explanation.request,
        "allowed": explanation.allowed,
        "code": explanation.code,
        "steps": [
            {"check": step.check, "rule": step.rule, "value": step.value, "passed": step.passed}
            for step in explanation.steps
        ],
        "remedy": explanation.remedy,
    }
