"""`explain`: the policy of an app's path explains its decision on one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Explanation, Policy, Step
from asgi_cors._decision.explanation import explain_with

from .apps import find_policy
from .errors import CannotRunError
from .terminal import SYMBOLS, labelled, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .apps import InspectedApp, ServedBy
    from .sources import SourceAnswers

SCHEMA: Final = 1
_VERDICTS: Final = {
    True: "as far as this middleware decides, the browser lets the page read the response",
    False: "the browser blocks it",
    None: "it depends",
}


def find_path_policy(app: InspectedApp, method: str, path: str) -> ServedBy:
    """Return the policy that serves a path, None for no policy, or "at run time".

    Raises:
        CannotRunError: The app has no asgi_cors middleware.
    """
    if app.configuration is None:
        raise CannotRunError(
            f"the {app.framework or 'ASGI or WSGI'} app has no CORS policy of asgi_cors."
            " Write app = CORSMiddleware(app, allow_origins=[…])."
        )
    return find_policy(app, _absolute(path), method)


def explain_request(  # noqa: PLR0913 - the parts of a request
    answers: SourceAnswers,
    policy: ServedBy,
    method: str,
    origin: str,
    path: str,
    *,
    headers: tuple[tuple[str, str], ...],
    credentials: bool,
) -> Explanation:
    """Explain a request by the policy that serves its path. The sources of the policy are called."""
    path = _absolute(path)
    request = f"{method} {path!r} from {origin!r}"
    if isinstance(policy, Policy):
        return explain_with(answers.get, policy, method, origin, headers, credentials=credentials)
    if policy is None:
        return _undecided(request, path, "the path has no policy, and the app's own headers are sent unchanged")
    return _undecided(request, path, "policy_for needs the request itself to find the policy")


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _undecided(request: str, path: str, why: str) -> Explanation:
    return Explanation(request, None, None, (Step("path", why, repr(path), passed=None),), "")


def report(explanation: Explanation) -> RenderableType:
    """Return the verdict, each check and the correction for the terminal."""
    symbol, style = SYMBOLS[explanation.allowed]
    verdict = f"{symbol} {_VERDICTS[explanation.allowed]}"
    grid = Table.grid(padding=(0, 1))
    for step in explanation.steps:
        step_symbol, step_style = SYMBOLS[step.passed]
        grid.add_row(Text(step_symbol, step_style), Text(step.check, "bold"), plain(f"{step.value}: {step.rule}"))
    parts: list[RenderableType] = [
        plain(explanation.request, "bold"),
        Padding(Text.assemble((verdict, style), (f" {explanation.code or ''}", "dim")), (0, 0, 1, 2)),
        Padding(grid, (0, 0, 0, 2)),
    ]
    if explanation.remedy:
        parts += [Text(""), labelled([("asgi_cors", plain(explanation.remedy))])]
    return Group(*parts)


def as_json(app: str, path: str, explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as data. docs/cli.md describes the keys."""
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
