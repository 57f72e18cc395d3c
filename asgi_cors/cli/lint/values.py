"""Values in source code, evaluated without running it."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from asgi_cors.cli.guards import is_list


class Unknown:
    """A value that only the running program knows."""


UNKNOWN: Final = Unknown()
_COLLECTIONS: Final = frozenset({"list", "tuple", "set", "frozenset", "sorted"})
_MAX_DEPTH: Final = 40
_CHANGES: Final = frozenset({"append", "extend", "insert"})
_ENVIRONMENT: Final = frozenset({"getenv", "get"})
Constants = Mapping[str, ast.expr]


class Default(str):
    """A text that applies unless an environment variable is set."""

    __slots__ = ()


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values of the names that a module, or a class in it, assigns exactly once.

    If a list is extended later, the value is the sum of all its parts.
    """
    found: dict[str, list[ast.expr]] = {}
    added: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        for name, value in _assignments(node):
            found.setdefault(name, []).append(value)
        for name, value in _additions(node):
            added.setdefault(name, []).append(value)
    return {name: _total(values[0], added.get(name, [])) for name, values in found.items() if len(values) == 1}


def _total(value: ast.expr, added: list[ast.expr]) -> ast.expr:
    """Return the sum of a value and of the lists that a statement may add to it."""
    parts = [*added, ast.List([ast.Yield()], ast.Load())] if added else []
    return functools.reduce(lambda left, right: ast.BinOp(left, ast.Add(), right), parts, value)


def _additions(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the lists that a statement adds to names."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES and node.args
    ):
        name = node.func.value
        if isinstance(name, ast.Name):
            argument = node.args[-1]
            yield name.id, argument if node.func.attr == "extend" else ast.List([argument], ast.Load())


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def evaluate(node: ast.expr, constants: Constants, depth: int = 0) -> Any:
    """Return the value of an expression, with `UNKNOWN` for it, or for the parts of it that are not literals."""
    if depth > _MAX_DEPTH:
        return UNKNOWN

    def inner(part: ast.expr) -> Any:
        return evaluate(part, constants, depth + 1)

    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple() | ast.Set():
            return [value for part in node.elts for value in _elements(part, inner)]
        case ast.Name() if node.id in constants:
            return inner(constants[node.id])
        case ast.BinOp(op=ast.Add()):
            return _sum(inner(node.left), inner(node.right))
        case ast.IfExp() | ast.BoolOp(op=ast.Or()):
            choices = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
            return functools.reduce(_either, map(inner, choices))
        case ast.Call():
            return _call(node, inner)
        case _:
            return UNKNOWN


def _either(left: Any, right: Any) -> Any:
    """Return what two possible values have together: a list of both, with an unknown rest."""
    if left is None or right is None or left == right:
        return left if right is None else right
    return [value for side in (left, right) if side is not UNKNOWN for value in as_list(side)] + [UNKNOWN]


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and any other value as its only entry."""
    return value if is_list(value) else [value]


def _elements(part: ast.expr, inner: Callable[[ast.expr], Any]) -> list[Any]:
    """Return the elements for an entry of a list, which may be `*other`."""
    if not isinstance(part, ast.Starred):
        return [inner(part)]
    value = inner(part.value)
    return value if is_list(value) else [UNKNOWN]


def _sum(left: Any, right: Any) -> Any:
    """Return the sum of two texts, or of two lists. One list may be unknown."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if is_list(left) or is_list(right):
        return [value for side in (left, right) for value in (side if is_list(side) else [UNKNOWN])]
    return UNKNOWN


def _call(node: ast.Call, inner: Callable[[ast.expr], Any]) -> Any:
    """Return the value of a call of re.compile, list, tuple, set or str.split with a literal."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if not node.args:
        return [] if name in _COLLECTIONS else UNKNOWN
    first = inner(node.args[0])
    if name in _ENVIRONMENT and len(node.args) > 1:
        default = inner(node.args[1])
        return Default(default) if isinstance(default, str) else UNKNOWN
    if name == "compile" and isinstance(first, str):
        return _compile(first)
    if name in _COLLECTIONS and is_list(first):
        return first
    if name == "split" and isinstance(node.func, ast.Attribute) and isinstance(first, str) and first:
        text = inner(node.func.value)
        if not isinstance(text, str):
            return UNKNOWN
        return [*text.split(first), UNKNOWN] if isinstance(text, Default) else text.split(first)
    return UNKNOWN


def _compile(text: str) -> re.Pattern[str] | Unknown:
    try:
        return re.compile(text)
    except re.error:
        return UNKNOWN
