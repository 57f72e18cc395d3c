"""Write the line for asgi_cors, and change the imports of a file."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from asgi_cors.cli.policy_lines import policy_line, settings_lines

from .django import MODULES, changed_names
from .libraries import DJANGO, IMPORTED
from .origins import has_credentials, is_any, origins_of
from .setups import Setup
from .values import UNKNOWN, as_list, is_unknown

_NAME_ORIGINS: Final = ["https://app.example.com"]
_BYTE_ORDER_MARK: Final = "\ufeff"
_SCALARS: Final = ("max_age", "allow_private_network")
_LISTS: Final = ("allow_methods", "allow_headers", "expose_headers")


def write_line(setup: Setup, origins: list[str | re.Pattern[str]]) -> str:
    """Return the line for asgi_cors that means what a setup intends. For Django, these are several settings.

    Args:
        setup: The setup.
        origins: Its origins, corrected.
    """
    written = _options(setup, origins)
    if setup.library is DJANGO:
        urls = setup.options.get("CORS_URLS_REGEX")
        return settings_lines(", ".join(written)) + (f"\nCORS_URLS_REGEX = {urls.text}" if urls else "")
    options = ", ".join(written)
    if setup.path:
        return f"CORS(app, resources={{{setup.path!r}: dict({options})}})"
    call = setup.library.other_calls.get(setup.function)
    if call is None:
        return setup.library.call.format(options)
    for own, name in setup.library.options.items():
        options = options.replace(f"{name}=", f"{own}=")
    return call.format(options)


def wrap_line(line: str, width: int) -> list[str]:
    """Return a line of `write_line`, with each argument on its own line if it is longer than `width` columns."""
    if "\n" in line:
        return [part for setting in line.split("\n") for part in wrap_line(setting, width)]
    if len(line) <= width:
        return [line]
    if re.match(r"CORS_\w+ = ", line):
        return _wrap_setting(line)
    code = line.removeprefix("@")
    call = next(node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    arguments = [ast.get_source_segment(code, argument) for argument in (*call.args, *call.keywords)]
    return [f"{line.partition('(')[0]}(", *(f"    {argument}," for argument in arguments), ")"]


def _wrap_setting(line: str) -> list[str]:
    """Return a setting of Django. If the value is a list, each entry is on its own line."""
    name, _, text = line.partition(" = ")
    value = ast.parse(text, mode="eval").body
    if not isinstance(value, ast.List):
        return [line]
    return [f"{name} = [", *(f"    {ast.get_source_segment(text, entry)}," for entry in value.elts), "]"]


def _options(setup: Setup, origins: list[str | re.Pattern[str]]) -> list[str]:
    """Return the options as text. Values that only the program knows are its own expressions."""
    entries, _ = origins_of(setup)
    credentials = has_credentials(setup)
    option = setup.options.get("allow_origins")
    if option is not None and (UNKNOWN in entries or is_unknown(option.value)):
        text = _corrected(_text(setup, "allow_origins"), entries, origins)
        written = [f"allow_origins={text}"]
        if _has(setup, "allow_origin_regex"):
            written.append(f"allow_origin_regex={_text(setup, 'allow_origin_regex')}")
        written += ["allow_credentials=True"] if credentials else []
    else:
        may_have_credentials = credentials or _is_unknown(setup, "allow_credentials")
        allowed: Any = (
            "*"
            if not origins and not may_have_credentials and any(is_any(setup, entry) for entry in entries)
            else origins
        )
        chosen = {"allow_origins": allowed or _NAME_ORIGINS} | ({"allow_credentials": True} if credentials else {})
        line = policy_line(**chosen) or policy_line(**(chosen | {"allow_origins": _NAME_ORIGINS}))
        written = [line]
    if _is_unknown(setup, "allow_credentials"):
        written.append(f"allow_credentials={_text(setup, 'allow_credentials')}")
    lists = [text for name in _LISTS if (text := _list(setup, name))]
    return written + lists + [text for name in _SCALARS if (text := _scalar(setup, name))]


def _has(setup: Setup, name: str) -> bool:
    return name in setup.options and setup.options[name].value is not None


def _is_unknown(setup: Setup, name: str) -> bool:
    return name in setup.options and setup.options[name].value is UNKNOWN


def _text(setup: Setup, name: str) -> str:
    """Return the program's own expression for an option."""
    return setup.options[name].text


def _scalar(setup: Setup, name: str) -> str:
    """Return an option with one value, or "" if it is missing or a policy refuses it."""
    if not _has(setup, name) or setup.options[name].value is False:
        return ""
    if _is_unknown(setup, name):
        return f"{name}={_text(setup, name)}"
    return policy_line(**{name: setup.options[name].value})


def _corrected(text: str, entries: list[Any], origins: list[str | re.Pattern[str]]) -> str:
    """Return an expression with the corrected origins in place of those that the file spells out."""
    known = [entry for entry in entries if entry is not UNKNOWN]
    if len(known) == len(origins):
        for entry, origin in zip(known, origins, strict=True):
            text = text.replace(repr(entry), repr(origin)) if isinstance(entry, str) else text
    return text


def _list(setup: Setup, name: str) -> str:
    """Return an option with a list of names, or "" if it is missing or not valid."""
    option = setup.options.get(name)
    if option is None or option.value is None:
        return ""
    value: Any = option.value
    if is_unknown(value):
        return f"{name}={_text(setup, name)}"
    if isinstance(value, str) and value != "*":
        value = [part.strip() for part in value.split(",")]
    return policy_line(**{name: "*" if "*" in as_list(value) else value})


def is_refused(setup: Setup) -> bool:
    """Return whether a policy refuses the options of a setup as they are."""
    known: dict[str, Any] = {"allow_origins": _NAME_ORIGINS}
    for name in ("allow_origins", "allow_credentials", *_LISTS, *_SCALARS):
        option = setup.options.get(name)
        if option is not None and not is_unknown(option.value):
            known[name] = option.value
    return setup.by_position or not policy_line(**known)


def change_names(source: str, tree: ast.Module) -> str:
    """Return the source with the names of asgi_cors: its imports, and its middleware in Django's settings."""
    lines = split_lines(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)]
    changes: list[tuple[ast.stmt | ast.expr, list[str]]] = [(node, _changed_import(node)) for node in imports]
    changes += [(node, [text]) for node, text in changed_names(source.removeprefix(_BYTE_ORDER_MARK), tree)]
    for node, new in sorted(changes, key=lambda change: (change[0].lineno, change[0].col_offset), reverse=True):
        if new:
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            mark = _BYTE_ORDER_MARK if lines[first].startswith(_BYTE_ORDER_MARK) else ""
            before = lines[first].removeprefix(mark).encode()[: node.col_offset].decode()
            tail = lines[last].removeprefix(mark).encode()[node.end_col_offset :].decode()
            ending = "\r\n" if lines[first].endswith("\r\n") else "\n"
            separator = "; " if before.strip() else f"{ending}{before}"
            lines[first : last + 1] = [f"{mark}{before}{separator.join(new)}{tail}"]
    return "".join(lines)


def split_lines(source: str) -> list[str]:
    """Return the lines of a source as Python counts them, with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", source)


def _changed_import(node: ast.ImportFrom | ast.Import) -> list[str]:
    """Return the statements in place of an import, or an empty list if it does not change."""
    modules = {module: library for library in IMPORTED for module in library.modules}
    if isinstance(node, ast.ImportFrom):
        if node.module in MODULES:
            return [f"from {MODULES[node.module]} import {_names(node.names)}"]
        library = modules.get(node.module or "")
        ours = [alias for alias in node.names if library and alias.name in library.functions]
        others = [alias for alias in node.names if alias not in ours]
        if library is None or not ours:
            return []
        kept = [f"from {node.module} import {_names(others)}"] if others else []
        return [*kept, f"from {library.new_module} import {_names(ours)}"]
    if len(node.names) == 1 and node.names[0].name in modules and "." not in node.names[0].name:
        alias = node.names[0]
        return [f"import {modules[alias.name].new_module} as {alias.asname or alias.name}"]
    return []


def _names(aliases: list[ast.alias]) -> str:
    return ", ".join(alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in aliases)
