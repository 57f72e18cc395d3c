"""Find the settings of CORS libraries in the syntax tree of a file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeGuard

from asgi_cors.cli.guards import is_list

from .libraries import CONFIG_PREFIXES, DJANGO, FLASK_CORS, IMPORTED, STARLETTE, Library
from .values import UNKNOWN, Constants, constants_of, evaluate, statements_in, values_in

_DJANGO_NAMES: Final = frozenset(DJANGO.options) | DJANGO.ignored
_SHARED_NAMES: Final = frozenset({"CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS", "CORS_ALLOW_PRIVATE_NETWORK"})
_SHARED_OPTIONS: Final = frozenset(name.removeprefix("CORS_").lower() for name in _SHARED_NAMES)
_UPDATES: Final = frozenset({"update", "from_mapping"})
_APP_NAMES: Final = frozenset({"app", "app_or_blueprint", "middleware_class", "cls"})
_MAX_DEPTH: Final = 20
_MODULES: Final = {module: library for library in IMPORTED for module in library.modules}
_ADDING: Final = frozenset({"add_middleware", "Middleware"})


@dataclass(frozen=True)
class Option:
    """An option in the source code.

    Args:
        name: The library's name of the option.
        value: The value, with `UNKNOWN` where only the running program knows it.
        node: The value's syntax tree.
    """

    name: str
    value: Any
    node: ast.expr

    @property
    def text(self) -> str:
        """The value as source code in one line."""
        return ast.unparse(self.node)

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
        by_position: Whether options are passed by position.
        path: The path of a Flask-CORS resource, or "".
        function: The name of the function that is called, or "".
    """

    library: Library
    line: int
    column: int
    options: Mapping[str, Option]
    unknown: tuple[Option, ...] = ()
    is_complete: bool = True
    by_position: bool = False
    path: str = ""
    function: str = ""


@dataclass
class _Finder:
    """Finds the setups of one file."""

    tree: ast.Module
    constants: Constants = field(init=False)
    imported: dict[str, tuple[Library | None, str]] = field(init=False)  # in the scope of the current node
    extensions: dict[str, ast.Call] = field(init=False)
    later: set[ast.Call] = field(init=False)  # calls of CORS() whose options belong to a call of init_app

    def __post_init__(self) -> None:
        self.constants = constants_of(self.tree)
        self.imported = _imports(self.tree.body)
        self._add_aliases()
        self.extensions = dict(self._extensions())
        owners = [
            node.func.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "init_app"
        ]
        self.later = {node for node in owners if self._is_without_app(node)}
        self.later |= {self.extensions[name] for name in map(ast.unparse, owners) if name in self.extensions}

    def _add_aliases(self) -> None:
        """Add the names under which the file has a function or class of a library, such as a subclass."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef) and not any(
                getattr(part, "name", "") == "__init__" for part in node.body
            ):
                bases = [resolved for resolved in map(self._resolve, node.bases) if resolved[0]]
                self.imported.update((node.name, (library, name)) for library, name in bases if library)
        for name, value in self.constants.items():
            library, function = self._resolve(value)
            if library is not None and function in library.functions:
                self.imported.setdefault(name, (library, function))

    def _extensions(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield the objects of Flask-CORS that get their app later, by their names."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and self._is_without_app(node.value):
                yield from ((ast.unparse(target), node.value) for target in node.targets)

    def _is_without_app(self, node: ast.expr) -> TypeGuard[ast.Call]:
        return (
            isinstance(node, ast.Call)
            and self._resolve(node.func) == (FLASK_CORS, "CORS")
            and not node.args
            and all(word.arg != "app" for word in node.keywords)
        )

    def find(self) -> Iterator[Setup]:
        """Yield the uses of CORS libraries."""
        config = dict(self._config())
        found = False
        for node in self._calls():
            library = self._library_of(node)
            if library is not None:
                found = True
                yield from self._of_call(node, library, config.get(library.name, {}))
        for library in CONFIG_PREFIXES.values() if not found else ():
            options = config.get(library.name, {})
            if options.keys() - _SHARED_OPTIONS:
                yield _setup(library, options, min(option.line for option in options.values()), 1)
        yield from self._django()

    def _calls(self) -> Iterator[ast.Call]:
        """Yield all calls. While a call is handled, `imported` has the imports of its function."""
        waiting: list[tuple[ast.AST, dict[str, tuple[Library | None, str]]]] = [(self.tree, self.imported)]
        while waiting:
            node, imported = waiting.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                imported = imported | _imports(node.body)
            self.imported = imported
            if isinstance(node, ast.Call):
                yield node
            waiting += ((child, imported) for child in ast.iter_child_nodes(node))

    def _library_of(self, node: ast.Call) -> Library | None:
        """Return the library that a call sets up, or None."""
        library, name = self._resolve(node.func)
        if library is not None and name in library.functions:
            return None if node in self.later else library
        if _name_of(node.func) == "init_app":
            return FLASK_CORS if self._is_flask_cors(node) else None
        named = [word.value for word in node.keywords if word.arg in {"middleware_class", "cls"}]
        first = self._resolve([*node.args, *named][0]) if node.args or named else (None, "")
        is_added = _name_of(node.func) in _ADDING
        return STARLETTE if is_added and first == (STARLETTE, "CORSMiddleware") else None

    def _is_flask_cors(self, node: ast.Call) -> bool:
        """Return whether a call of init_app is that of Flask-CORS, also if its object is imported."""
        owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        name = ast.unparse(owner)
        is_ours = name in self.extensions or self._is_without_app(owner)
        return is_ours or (
            _name_of(owner).lower() == "cors"
            and any(word.arg in FLASK_CORS.options or word.arg == "resources" for word in node.keywords)
        )

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
        return Option(name, evaluate(node, self.constants), node)

    def _of_call(self, node: ast.Call, library: Library, config: Mapping[str, Option]) -> Iterator[Setup]:
        options, is_complete = self._options_of(node, library)
        options = {**config, **options}
        function = self._resolve(node.func)[1] or _name_of(node.func)
        function = "CORS" if function == "init_app" else function
        made = _setup(library, options, node.lineno, node.col_offset + 1)
        made = replace(made, by_position=bool(library.positional) and len(node.args) > 1)
        resources = options.get("resources") if library is FLASK_CORS else None
        paths = self._dict_of(resources.node) if resources is not None else None
        if paths is None:
            is_named = (
                resources is None
                or isinstance(resources.value, str)
                or (is_list(resources.value) and UNKNOWN not in resources.value)
            )
            is_complete = is_complete and is_named and not self._is_without_app(node)
            yield replace(made, is_complete=is_complete, function=function)
            return
        for path, value in paths[0].items():
            own, is_whole = self._dict_of(value) or ({}, False)
            merged = {name: option for name, option in options.items() if name != "resources"}
            merged |= {name: self._option(name, entry) for name, entry in own.items()}
            setup = _setup(library, merged, value.lineno, value.col_offset + 1)
            yield replace(setup, path=path, is_complete=is_complete and is_whole)

    def _options_of(self, node: ast.Call, library: Library) -> tuple[dict[str, Option], bool]:
        """Return the options of a call, and whether these are all."""
        options: dict[str, Option] = {}
        is_complete = True
        owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        created = self.extensions.get(ast.unparse(owner)) or (owner if self._is_without_app(owner) else None)
        if _name_of(node.func) == "init_app":
            options, is_complete = self._options_of(created, library) if created else ({}, False)
        is_starred = any(isinstance(part, ast.Starred) for part in node.args)
        has_app = any(word.arg in _APP_NAMES for word in node.keywords)
        positional = node.args if has_app else node.args[1:]
        for name, value in zip(library.positional, () if is_starred else positional, strict=False):
            options[name] = self._option(name, value)
        is_complete = is_complete and not (is_starred and library.positional)
        for word in node.keywords:
            if word.arg is None:
                entries, is_whole = self._dict_of(word.value) or ({}, False)
                options |= {name: self._option(name, value) for name, value in entries.items()}
                is_complete = is_complete and is_whole
            elif word.arg not in _APP_NAMES:
                options[word.arg] = self._option(word.arg, word.value)
        return options, is_complete

    def _dict_of(self, node: ast.expr, depth: int = 0) -> tuple[dict[str, ast.expr], bool] | None:
        """Return the entries of a dict whose keys are texts, and whether these are all, or None for another value."""
        if depth > _MAX_DEPTH:
            return None
        if isinstance(node, ast.Name):
            return self._dict_of(self.constants[node.id], depth + 1) if node.id in self.constants else None
        if isinstance(node, ast.Call) and _name_of(node.func) == "dict" and not node.args:
            pairs: list[tuple[ast.expr | None, ast.expr]] = [
                (ast.Constant(word.arg) if word.arg else None, word.value) for word in node.keywords
            ]
        elif isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        else:
            return None
        entries: dict[str, ast.expr] = {}
        is_whole = True
        for key, value in pairs:
            inner = self._dict_of(value, depth + 1) if key is None else None
            name = evaluate(key, self.constants) if key is not None else UNKNOWN
            if isinstance(name, str):
                entries[name] = value
            elif inner is not None:
                entries |= inner[0]
            is_whole = is_whole and (isinstance(name, str) or (inner is not None and inner[1]))
        return entries, is_whole

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
        """Yield the settings of django-cors-headers: the names of the module, or those of each class."""
        classes = [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]
        own = {node.name: _settings_in(node.body) for node in classes}
        all_bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
        scopes = [(_settings_in(self.tree.body), _is_extended(self.tree))]
        for node in classes:
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            inherited = {name: value for base in reversed(bases) for name, value in own.get(base, {}).items()}
            scopes += (
                [(inherited | own[node.name], bool(node.bases) or node.name in all_bases)] if own[node.name] else []
            )
        for nodes, is_extended in scopes:
            if nodes.keys() - _SHARED_NAMES:
                options = {name: self._option(name, node) for name, node in nodes.items()}
                made = _setup(DJANGO, options, min(option.line for option in options.values()), 1)
                yield replace(made, is_complete=not is_extended)


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _setup(library: Library, options: Mapping[str, Option], line: int, column: int) -> Setup:
    known = {library.options.get(name, name): option for name, option in options.items()}
    unknown = tuple(
        option for name, option in options.items() if name not in library.options and name not in library.ignored
    )
    return Setup(library, line, column, known, unknown)


def _imports(body: Iterable[ast.AST]) -> dict[str, tuple[Library | None, str]]:
    """Return the names that statements import, with their library, or None for another module."""
    found: dict[str, tuple[Library | None, str]] = {}
    others: set[str] = set()
    for node, _ in statements_in(body):
        if not isinstance(node, ast.ImportFrom | ast.Import):
            continue
        for name, library, original in _names_of(node):
            found[name] = library, original
            others |= set() if library else {name}
    return found | dict.fromkeys(others, (None, ""))


def _names_of(node: ast.ImportFrom | ast.Import) -> Iterator[tuple[str, Library | None, str]]:
    """Yield the local names of an import, with the library and its name there, or None for another module."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield alias.asname or alias.name, _MODULES.get(alias.name), ""
            continue
        library = _MODULES.get(node.module or "")
        module = _MODULES.get(f"{node.module}.{alias.name}")
        names = sorted(library.functions) if library and alias.name == "*" else [alias.name]
        for name in names:
            yield alias.asname or name, library or module, name if library else ""


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
            for mapping in node.args:
                yield from _pairs_of(mapping)


def _pairs_of(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the entries of a dict whose keys are literals."""
    pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
    yield from ((str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant))


def _settings_in(body: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """Return the settings of django-cors-headers that statements assign."""
    return {name: value for name, (value, _) in values_in(body).items() if name in _DJANGO_NAMES}


def _is_extended(tree: ast.Module) -> bool:
    """Return whether a module may have names that it does not assign itself."""
    return any(
        (isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names))
        or (isinstance(node, ast.Call) and _name_of(node.func) in {"globals", "include"})
        for node in ast.walk(tree)
    )


def find_setups(tree: ast.Module) -> list[Setup]:
    """Return the uses of CORS libraries in a file, in its order."""
    return sorted(_Finder(tree).find(), key=lambda setup: (setup.line, setup.column))
