"""Find the settings of CORS libraries in the syntax tree of a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .libraries import CONFIG_PREFIXES, DJANGO, FLASK_CORS, IMPORTED, STARLETTE, Library
from .values import Constants, constants_of, evaluate

_DJANGO_NAMES: Final = frozenset(DJANGO.options) | DJANGO.ignored
_SHARED_NAMES: Final = frozenset({"CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS", "CORS_ALLOW_PRIVATE_NETWORK"})
_SHARED_OPTIONS: Final = frozenset(name.removeprefix("CORS_").lower() for name in _SHARED_NAMES)
_UPDATES: Final = frozenset({"update", "from_mapping"})


@dataclass(frozen=True)
class Option:
    """An option in the source code.

    Args:
        name: The library's name of the option.
        value: The value, with `UNKNOWN` where only the running program knows it.
        text: The value as Python code in one line.
        node: The value's syntax tree.
    """

    name: str
    value: Any
    text: str
    node: ast.expr

    @property
    def line(self) -> int:
        """The line of the value."""
        return self.node.lineno


@dataclass(frozen=True)
class Setup:
    """One use of a library.

    Args:
        library: The library.
        line: The first line.
        column: The first column, from 1.
        options: The options by their name in a policy. Some are only of the library; `allow_all` is Django's.
        unknown: The options that the library does not know.
        is_complete: Whether all options are known: there is no `**options`.
        path: The path of a Flask-CORS resource, or "".
        function: The name of the function that is called, or "".
    """

    library: Library
    line: int
    column: int
    options: Mapping[str, Option]
    unknown: tuple[Option, ...] = ()
    is_complete: bool = True
    path: str = ""
    function: str = ""


@dataclass
class _Finder:
    """Finds the setups of one file."""

    tree: ast.Module
    constants: Constants = field(init=False)
    imported: dict[str, tuple[Library, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.constants = constants_of(self.tree)
        self.imported = dict(_imports(self.tree))

    def find(self) -> Iterator[Setup]:
        config = dict(self._config())
        found = False
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                library = self._library_of(node)
                if library is not None:
                    found = True
                    yield from self._of_call(node, library, config.get(library.name, {}))
        for library in CONFIG_PREFIXES.values() if not found else ():
            options = config.get(library.name, {})
            if options.keys() - _SHARED_OPTIONS:
                yield _setup(library, options, min(option.line for option in options.values()), 1)
        yield from self._django()

    def _library_of(self, node: ast.Call) -> Library | None:
        """Return the library that a call sets up, or None."""
        library, name = self._resolve(node.func)
        if library is not None and name in library.functions:
            return library
        first = self._resolve(node.args[0]) if node.args else (None, "")
        is_added = _name_of(node.func) in {"add_middleware", "Middleware"}
        return STARLETTE if is_added and first == (STARLETTE, "CORSMiddleware") else None

    def _resolve(self, node: ast.expr) -> tuple[Library | None, str]:
        """Return the library, and the name in it, that an expression means."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, (None, ""))
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node.value)
            library, _ = self.imported.get(dotted, (None, ""))
            return library, node.attr
        return None, ""

    def _option(self, name: str, node: ast.expr) -> Option:
        return Option(name, evaluate(node, self.constants), ast.unparse(node), node)

    def _of_call(self, node: ast.Call, library: Library, config: Mapping[str, Option]) -> Iterator[Setup]:
        keywords = {word.arg: self._option(word.arg, word.value) for word in node.keywords if word.arg}
        is_complete = all(word.arg for word in node.keywords)
        options = {**config, **keywords}
        made = _setup(library, options, node.lineno, node.col_offset + 1)
        made = replace(made, is_complete=is_complete, function=self._resolve(node.func)[1] or _name_of(node.func))
        resources = (
            self._dict_of(options["resources"].node) if library is FLASK_CORS and "resources" in options else None
        )
        if resources is None:
            yield made
            return
        for path, value in resources.items():
            own = {name: self._option(name, entry) for name, entry in (self._dict_of(value) or {}).items()}
            merged = {name: option for name, option in options.items() if name != "resources"} | own
            yield replace(_setup(library, merged, value.lineno, value.col_offset + 1), path=path)

    def _dict_of(self, node: ast.expr) -> dict[str, ast.expr] | None:
        """Return the entries of a dict whose keys are texts, or None for another expression."""
        if isinstance(node, ast.Name):
            node = self.constants.get(node.id, node)
        if not isinstance(node, ast.Dict):
            return None
        pairs = zip(node.keys, node.values, strict=True)
        return {str(evaluate(key, self.constants)): value for key, value in pairs if isinstance(key, ast.Constant)}

    def _config(self) -> Iterator[tuple[str, dict[str, Option]]]:
        """Yield the options that the file sets in an app's config, for each library."""
        entries = list(_config_entries(self.tree))
        is_django = any(name in _DJANGO_NAMES - _SHARED_NAMES for name, _ in entries)
        for prefix, library in CONFIG_PREFIXES.items():
            options: dict[str, Option] = {}
            for name, node in entries:
                own = name.removeprefix(prefix).lower()
                is_known = own in library.options or own in library.ignored
                if name.startswith(prefix) and is_known and not (library is FLASK_CORS and is_django):
                    options[own] = self._option(own, node)
            yield library.name, options

    def _django(self) -> Iterator[Setup]:
        """Yield the settings of django-cors-headers, which are names of the module."""
        nodes = {name: node for name, node in _module_names(self.tree) if name in _DJANGO_NAMES}
        if nodes.keys() <= _SHARED_NAMES:
            return
        options = {name: self._option(name, node) for name, node in nodes.items()}
        yield _setup(DJANGO, options, min(option.line for option in options.values()), 1)


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _setup(library: Library, options: Mapping[str, Option], line: int, column: int) -> Setup:
    known = {library.options.get(name, name): option for name, option in options.items()}
    unknown = tuple(
        option for name, option in options.items() if name not in library.options and name not in library.ignored
    )
    return Setup(library, line, column, known, unknown)


def _imports(tree: ast.Module) -> Iterator[tuple[str, tuple[Library, str]]]:
    """Yield the local names of the libraries' modules and functions."""
    modules = {module: library for library in IMPORTED for module in library.modules}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                yield alias.asname or alias.name, (modules[node.module], alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in modules:
                    yield alias.asname or alias.name, (modules[alias.name], "")


def _config_entries(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names and values of `config["NAME"] = …`, `config.update(NAME=…)` and `NAME = …`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    yield str(target.slice.value), node.value
                elif isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _UPDATES:
            for word in node.keywords:
                if word.arg:
                    yield word.arg, word.value


def _module_names(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def find_setups(tree: ast.Module) -> list[Setup]:
    """Return the uses of CORS libraries in a file, in its order."""
    return sorted(_Finder(tree).find(), key=lambda setup: (setup.line, setup.column))
