"""Find the Python files, and check each of them."""

from __future__ import annotations

import ast
import os
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from asgi_cors.cli.errors import CannotRunError

from .django import OURS, THEIRS, check_order, names_middleware
from .libraries import DJANGO, STARLETTE
from .origins import Problem
from .rewrite import change_names, write_line
from .rules import check_hosts, check_setup
from .setups import Setup, find_setups

_SKIPPED: Final = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env", ".venv", ".git", ".tox", ".nox"}
)
_BYTE_ORDER_MARK: Final = "\ufeff"
_MAX_SIZE: Final = 5_000_000  # bytes


@dataclass(frozen=True)
class CheckedSetup:
    """A setup with its mistakes.

    Args:
        setup: The setup.
        problems: The mistakes.
        line: The line to write with asgi_cors.
    """

    setup: Setup
    problems: tuple[Problem, ...]
    line: str


@dataclass(frozen=True)
class CheckedFile:
    """A file that uses a CORS library, or that can't be read.

    Args:
        path: The file.
        setups: The uses of CORS libraries.
        changed: The source with the names of asgi_cors, or "" if nothing changes.
        source: The source.
        is_utf_8: Whether the file has the encoding of a diff.
        error: Why the file can't be read, or "".
        middlewares: The CORS middlewares of Django that the file names.
    """

    path: Path
    setups: tuple[CheckedSetup, ...] = ()
    changed: str = ""
    source: str = ""
    is_utf_8: bool = True
    error: str = ""
    middlewares: frozenset[str] = frozenset()


def check_paths(paths: Iterable[str]) -> Iterator[CheckedFile]:
    """Yield the files that use or import a CORS library, and those that can't be read.

    Raises:
        CannotRunError: A path does not exist.
    """
    files = [_check_file(path) for path in dict.fromkeys(file for name in paths for file in _files(Path(name)))]
    if {name for file in files for name in file.middlewares} == {OURS}:
        files = [_without_django(file) for file in files]
    yield from (file for file in files if file.setups or file.changed or file.error)


def _without_django(file: CheckedFile) -> CheckedFile:
    """Return a file without its settings of Django, which our middleware reads and checks itself."""
    return replace(file, setups=tuple(checked for checked in file.setups if checked.setup.library is not DJANGO))


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or all Python files of a folder, without those of installed packages."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED)
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))
    else:
        raise CannotRunError(
            f"there is no file or folder {str(path)!r}. Write asgi-cors lint . in the project's folder."
        )


def _check_file(path: Path) -> CheckedFile:
    try:
        if path.stat().st_size > _MAX_SIZE:
            return CheckedFile(path, error="is too large")
        if not path.is_file():
            return CheckedFile(path, error="is not a regular file")
        with path.open("rb") as file:
            encoding, _ = tokenize.detect_encoding(file.readline)
            file.seek(0)
            source = file.read().decode(encoding.removesuffix("-sig"))
        if "cors" not in source.lower():  # in the names of all libraries and of their settings
            return CheckedFile(path)
        tree = ast.parse(source.removeprefix(_BYTE_ORDER_MARK))
        return replace(_check_source(path, source, tree), is_utf_8=encoding.startswith("utf-8"))
    except (RecursionError, MemoryError):
        return CheckedFile(path, error="is nested too deeply")
    except SyntaxError as error:
        return CheckedFile(path, error=f"is not valid Python: {error.msg}, line {error.lineno}")
    except (OSError, ValueError) as error:
        return CheckedFile(path, error=f"can't be read: {error}")


def _check_source(path: Path, source: str, tree: ast.Module) -> CheckedFile:
    checked: list[CheckedSetup] = []
    order, hosts = list(check_order(tree)), list(check_hosts(tree))
    for setup in find_setups(tree):
        problems, origins = check_setup(setup)
        if setup.library is DJANGO:
            problems, order = [*problems, *order], []
        elif setup.library is STARLETTE:
            problems, hosts = [*problems, *hosts], []
        checked.append(CheckedSetup(setup, tuple(problems), write_line(setup, origins)))
    changed = change_names(source, tree)
    middlewares = frozenset(name for name in (OURS, THEIRS) if names_middleware(tree, name))
    return CheckedFile(path, tuple(checked), changed if changed != source else "", source, middlewares=middlewares)


def count_mistakes(files: Iterable[CheckedFile]) -> int:
    """Return the number of mistakes in all files."""
    return sum(len(checked.problems) for file in files for checked in file.setups)
