"""The report of `asgi-cors lint`: for the terminal, as JSON, as SARIF, and as a diff."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from asgi_cors.cli.terminal import SYMBOLS, labelled, plain, whole_line

from .origins import MISTAKE, NEVER_MATCHES, UNSAFE
from .rewrite import is_refused, split_lines, wrap_line
from .values import is_unknown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .files import CheckedFile, CheckedSetup
    from .origins import Problem

SCHEMA: Final = 1
_CODE_WIDTH: Final = 76  # columns, besides the indent of 4
_STYLES: Final = {UNSAFE: "red", NEVER_MATCHES: "yellow", MISTAKE: "yellow"}
_TITLES: Final = {UNSAFE: "unsafe", NEVER_MATCHES: "never matches", MISTAKE: "mistake"}
_LEVELS: Final = {UNSAFE: "error", NEVER_MATCHES: "warning", MISTAKE: "warning"}
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_INFORMATION: Final = "https://pypi.org/project/asgi-cors-bridge/"


def report(files: Sequence[CheckedFile]) -> RenderableType:
    """Return the mistakes of each file for the terminal."""
    return Group(*_parts(files))


def _parts(files: Sequence[CheckedFile]) -> Iterator[RenderableType]:
    for file in files:
        if file.error:
            yield Text.assemble(("? ", "yellow"), plain(f"{file.path} {file.error}."))
        for checked in file.setups:
            yield from _setup(file, checked)
    uses = sum(len(file.setups) for file in files)
    mistakes = sum(len(checked.problems) for file in files for checked in file.setups)
    if not uses:
        yield Text("no use of Flask-CORS, Quart-CORS, Starlette's CORSMiddleware or django-cors-headers found")
    elif not mistakes:
        yield Text("✓ nothing to change", "green")
    else:
        yield Text(f"{mistakes} to change", "bold")


def _setup(file: CheckedFile, checked: CheckedSetup) -> Iterator[RenderableType]:
    setup = checked.setup
    path = f" for {setup.path}" if setup.path else ""
    symbol, style = SYMBOLS[None if has_unknown(checked) else True]
    sign = Text("" if checked.problems else f"{symbol} ", style)
    yield Text.assemble(sign, plain(f"{file.path}:{setup.line}  {setup.library.name}{path}", "bold"))
    for problem in checked.problems:
        head = Text.assemble((problem.rule, f"bold {_STYLES[problem.kind]}"), (f"  {_TITLES[problem.kind]}", "dim"))
        yield Padding(Group(head, plain(problem.message)), (0, 0, 0, 2))
        yield labelled([("Write", plain(_to_copy(problem.remedy)))], style="cyan")
    if has_unknown(checked):
        yield Padding(Text("Some values are known at run time only. They are not checked.", "dim"), (0, 0, 0, 2))
    if checked.problems:
        yield labelled([("asgi_cors", plain("write this instead"))], style="cyan")
        yield from (whole_line(line, "bold") for line in wrap_line(checked.line, _CODE_WIDTH))
    yield Text("")


def _to_copy(remedy: str) -> str:
    """Return a remedy without its verb, and without a full stop after a value."""
    text = remedy.removeprefix("Write ")
    return text.removesuffix(".") if text != remedy and ". " not in text else text


def has_unknown(checked: CheckedSetup) -> bool:
    """Return whether a setup has values that only the running program knows."""
    values = [option.value for option in checked.setup.options.values()]
    return not checked.setup.is_complete or any(map(is_unknown, values))


def as_json(files: Sequence[CheckedFile]) -> dict[str, Any]:
    """Return the mistakes as data. docs/cli.md describes the keys."""
    return {
        "schema": SCHEMA,
        "command": "lint",
        "files": [
            {
                "path": str(file.path),
                "error": file.error or None,
                "setups": [_setup_as_json(checked) for checked in file.setups],
            }
            for file in files
        ],
    }


def _setup_as_json(checked: CheckedSetup) -> dict[str, Any]:
    setup = checked.setup
    return {
        "library": setup.library.name,
        "line": setup.line,
        "column": setup.column,
        "path": setup.path or None,
        "complete": not has_unknown(checked),
        "findings": [_problem_as_json(problem) for problem in checked.problems],
        "asgi_cors": checked.line,
    }


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    return {
        "name": problem.rule,
        "kind": problem.kind,
        "sentence": problem.message,
        "remedy": problem.remedy,
        "line": problem.line,
    }


def as_sarif(files: Sequence[CheckedFile]) -> dict[str, Any]:
    """Return the mistakes in the Static Analysis Results Interchange Format (OASIS SARIF 2.1.0)."""
    found = [(file, problem, checked) for file in files for checked in file.setups for problem in checked.problems]
    rules = sorted({problem.rule for _, problem, _ in found})
    driver = {
        "name": "asgi-cors lint",
        "informationUri": _INFORMATION,
        "version": version("asgi-cors-bridge"),
        "rules": [{"id": rule} for rule in rules],
    }
    results = [_sarif_result(file, problem, checked) for file, problem, checked in found]
    return {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _sarif_result(file: CheckedFile, problem: Problem, checked: CheckedSetup) -> dict[str, Any]:
    location = {
        "artifactLocation": {"uri": _uri(file.path)},
        "region": {"startLine": problem.line},
    }
    return {
        "ruleId": problem.rule,
        "level": _LEVELS[problem.kind],
        "message": {"text": f"{problem.message} {problem.remedy} With asgi_cors: {checked.line}"},
        "locations": [{"physicalLocation": location}],
    }


def _uri(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def as_diff(files: Sequence[CheckedFile]) -> str:
    """Return the change of the names as a unified diff."""
    return "".join(_diff(file) for file in files if file.changed and file.is_utf_8)


def _diff(file: CheckedFile) -> str:
    name = Path(os.path.relpath(file.path)).as_posix()
    lines = difflib.unified_diff(
        split_lines(file.source), split_lines(file.changed), _quoted(f"a/{name}"), _quoted(f"b/{name}")
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _quoted(name: str) -> str:
    """Return a name as git writes it: in quotes if it has special characters."""
    special = {'"': '\\"', "\\": "\\\\"} | {chr(code): f"\\{code:03o}" for code in (*range(32), 127)}
    quoted = "".join(special.get(character, character) for character in name)
    return name if quoted == name else f'"{quoted}"'


def remaining_changes(files: Sequence[CheckedFile]) -> Iterator[str]:
    """Yield the changes that a file needs besides those of its names."""
    for file in files:
        if file.changed and not file.is_utf_8:
            yield f"{file.path} is not in UTF-8, so its change is not printed. Change its imports by hand."
        for checked in file.setups if file.changed else ():
            place = f"{file.path}:{checked.setup.line}"
            if checked.problems or is_refused(checked.setup):
                first, *others = checked.line.split("\n")
                yield f"{place} also needs {'other lines' if others else 'another line'}: {first}"
                yield from others
            elif has_unknown(checked):
                yield f"{place} has values that are known at run time only. Start the program to check them."
