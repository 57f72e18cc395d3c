"""Values in source code, evaluated without running it."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from asgi_cors.cli.guards import is_list


class Unknown:
    """A value that only the running program knows."""


UNKNOWN: Final = Unknown()
_COLLECTIONS: Final = frozenset({"list", "tuple", "set", "frozenset", "sorted"})
_MAX_DEPTH: Final = 40
_MAX_STEPS: Final = 20_000
_MAX_LENGTH: Final = 10_000  # of a list or a text
_WRAPPERS: Final = frozenset({"Field", "ListValue", "TupleValue", "BooleanValue"})  # pydantic, django-configurations
_READERS: Final = frozenset({"getenv", "get", "config", "env", "str", "list", "tuple"}) | _WRAPPERS
_CHANGES: Final = frozenset({"append", "extend", "insert"})
_ENVIRONMENT: Final = frozenset({"getenv", "get"})
Constants = Mapping[str, ast.expr]


class Default(str):
    """A text that applies unless an environment variable is set."""

    __slots__ = ()


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values of the names that a file binds exactly once, by an assignment.

    If a list is extended later, the value is the sum of all its parts. An attribute of a class has a dotted name, with
    the name of the class or of its instance, such as `settings.ORIGINS`.
    """
    found: dict[str, ast.expr] = {}
    added: dict[str, list[ast.expr]] = {}
    bound = Counter(name for node in ast.walk(tree) for name in _bindings(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            values = values_in(node.body)
            found.update((name, value) for name, (value, count) in values.items() if bound[name] == count)
        for name, value in _additions(node):
            added.setdefault(name, []).append(value)
    constants = {name: _total(value, added.get(name, [])) for name, value in found.items()}
    return constants | dict(_attributes(tree, constants))


def values_in(body: Iterable[ast.AST]) -> dict[str, tuple[ast.expr, int]]:
    """Return the value of each name that statements assign, and how often they do.

    If an assignment depends on a condition, the value is an expression with all that the name may have.
    """
    values: dict[str, tuple[ast.expr, int]] = {}
    for node, is_conditional in statements_in(body):
        for name, value in assignments(node):
            previous, count = values.get(name, (value, 0))
            may_stay = is_conditional and count
            both = ast.copy_location(ast.IfExp(ast.Constant(1), previous, value), value)
            values[name] = both if may_stay else value, count + 1
    return values


def statements_in(body: Iterable[ast.AST], *, is_conditional: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield statements, and those within them, without those of inner classes and functions.

    With each is whether it depends on a condition.
    """
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
            continue
        yield node, is_conditional
        within = is_conditional or not isinstance(node, ast.With | ast.AsyncWith)
        yield from statements_in(ast.iter_child_nodes(node), is_conditional=within)


def _bindings(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds: an assignment, a parameter, an import."""
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.AsyncFor | ast.comprehension | ast.NamedExpr):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name


def _attributes(tree: ast.Module, constants: Constants) -> Iterator[tuple[str, ast.expr]]:
    """Yield the attributes of classes, with the names of the class and of its instances before them."""
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    owners = dict(classes)
    for name, value in constants.items():
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in classes:
            owners[name] = classes[value.func.id]
    for name, owner in owners.items():
        yield from ((f"{name}.{attribute}", value) for attribute, (value, _) in values_in(owner.body).items())


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


def assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a statement assigns, and their values."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def evaluate(node: ast.expr, constants: Constants) -> Any:
    """Return the value of an expression, with `UNKNOWN` for it, or for the parts of it that are not literals."""
    return _Evaluator(constants).evaluate(node)


@dataclass
class _Evaluator:
    """Evaluates one expression, in a limited number of steps."""

    constants: Constants
    steps: int = _MAX_STEPS
    depth: int = 0

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression, or `UNKNOWN`. Steps, depth and length are bounded."""
        self.steps -= 1
        if self.steps < 0 or self.depth >= _MAX_DEPTH:
            return UNKNOWN
        self.depth += 1
        value = self._value(node)
        self.depth -= 1
        is_long = (isinstance(value, str) or is_list(value)) and len(value) > _MAX_LENGTH
        return UNKNOWN if is_long else value

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.List() | ast.Tuple() | ast.Set():
                return [value for part in node.elts for value in _elements(part, self.evaluate)]
            case ast.Name() if node.id in self.constants:
                return self.evaluate(self.constants[node.id])
            case ast.Attribute(value=ast.Name(id=owner)) if f"{owner}.{node.attr}" in self.constants:
                return _as_default(self.evaluate(self.constants[f"{owner}.{node.attr}"]))
            case ast.BinOp(op=ast.Add()):
                return _sum(self.evaluate(node.left), self.evaluate(node.right))
            case ast.IfExp() | ast.BoolOp(op=ast.Or()):
                choices = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
                return functools.reduce(_either, map(self.evaluate, choices))
            case ast.JoinedStr():
                return _joined([self.evaluate(part) for part in node.values])
            case ast.FormattedValue(conversion=-1, format_spec=None):
                return self.evaluate(node.value)
            case ast.Call():
                return _call(node, self.evaluate)
            case _:
                return UNKNOWN


def _joined(parts: list[Any]) -> Any:
    """Return the text of an f-string, or `UNKNOWN` if a part of it is not a known text."""
    return "".join(parts) if all(isinstance(part, str) for part in parts) else UNKNOWN


def _as_default(value: Any) -> Any:
    """Return a value that applies unless the environment has another one."""
    if isinstance(value, str):
        return Default(value)
    if value is False:
        return UNKNOWN
    return [*value, UNKNOWN] if is_list(value) and UNKNOWN not in value else value


def _either(left: Any, right: Any) -> Any:
    """Return what two possible values have together: a list of both, with an unknown rest."""
    if left is None or right is None or left == right:
        return left if right is None else right
    return [value for side in (left, right) if side is not UNKNOWN for value in as_list(side)] + [UNKNOWN]


def is_unknown(value: Any) -> bool:
    """Return whether a value, or a part of it, depends on the running program."""
    return any(part is UNKNOWN or isinstance(part, Default) for part in as_list(value))


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
    default = _default_of(node, name)
    if default is not None:
        value = _as_default(inner(default))
        if isinstance(value, Default) and name not in _READERS:
            return UNKNOWN  # a function of the program may split it
        return _cast(node, name, value) if isinstance(value, Default) else value
    if not node.args:
        return [] if name in _COLLECTIONS else UNKNOWN
    first = inner(node.args[0])
    if name == "compile" and isinstance(first, str):
        return _compile(first)
    if name in _COLLECTIONS and is_list(first):
        return first
    if name == "split" and isinstance(node.func, ast.Attribute) and isinstance(first, str) and first:
        text = inner(node.func.value)
        if not isinstance(text, str):
            return UNKNOWN
        return [*map(Default, text.split(first)), UNKNOWN] if isinstance(text, Default) else text.split(first)
    return UNKNOWN


def _default_of(node: ast.Call, name: str) -> ast.expr | None:
    """Return the value that a call returns unless the environment has another one, or None."""
    words = {word.arg: word.value for word in node.keywords}
    if "default" in words:
        return words["default"]
    factory = words.get("default_factory")
    if isinstance(factory, ast.Lambda):
        return factory.body
    if name in _ENVIRONMENT:
        return node.args[1] if len(node.args) > 1 else None
    return node.args[0] if name in _WRAPPERS and node.args else None


def _cast(node: ast.Call, name: str, value: Default) -> Any:
    """Return a default as a call converts it: some split the text of an environment variable at its commas."""
    cast = next((ast.unparse(word.value) for word in node.keywords if word.arg == "cast"), "")
    if name in {"list", "tuple"} or "csv" in cast.lower() or ".split(','" in cast:
        return [*(Default(part.strip()) for part in value.split(",")), UNKNOWN]
    return UNKNOWN if cast else value


def _compile(text: str) -> re.Pattern[str] | Unknown:
    try:
        return re.compile(text)
    except re.error:
        return UNKNOWN
