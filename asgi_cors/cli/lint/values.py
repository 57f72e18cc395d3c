"""Values in source code, evaluated without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard


class Unknown:
    """A value that only the running program knows."""


UNKNOWN: Final = Unknown()
_COLLECTIONS: Final = frozenset({"list", "tuple", "set", "frozenset", "sorted"})
_MAX_DEPTH: Final = 40
Constants = Mapping[str, ast.expr]


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values of the names that a module, or a class in it, assigns exactly once."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        for name, value in _assignments(node):
            found.setdefault(name, []).append(value)
    changed = {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    return {name: values[0] for name, values in found.items() if len(values) == 1 and name not in changed}


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
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {key.value: inner(value) for key, value in pairs if isinstance(key, ast.Constant)}
        case ast.Name() if node.id in constants:
            return inner(constants[node.id])
        case ast.BinOp(op=ast.Add()):
            return _sum(inner(node.left), inner(node.right))
        case ast.Call():
            return _call(node, inner)
        case _:
            return UNKNOWN


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a value is a list, of known and unknown entries."""
    return isinstance(value, list)


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
    if name == "compile" and isinstance(first, str):
        return _compile(first)
    if name in _COLLECTIONS and is_list(first):
        return first
    if name == "split" and isinstance(node.func, ast.Attribute) and isinstance(first, str) and first:
        text = inner(node.func.value)
        return text.split(first) if isinstance(text, str) else UNKNOWN
    return UNKNOWN


def _compile(text: str) -> re.Pattern[str] | Unknown:
    try:
        return re.compile(text)
    except re.error:
        return UNKNOWN
