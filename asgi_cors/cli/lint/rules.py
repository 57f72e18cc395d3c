"""Check the settings of a library: what is unsafe, what never matches, and other mistakes."""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import ConfigError, ConfigWarning, Issue, MiddlewareOptions, Policy, PolicyOptions
from asgi_cors.cli.guards import is_list

from .libraries import DJANGO, FLASK_CORS, STARLETTE
from .origins import MISTAKE, CheckedEntry, Problem, check_all_origins, check_entry, is_any, origins_of
from .values import UNKNOWN, Default, as_list, constants_of, evaluate

if TYPE_CHECKING:
    import re

    from .setups import Setup

_NAMES: Final = ("allow_methods", "allow_headers", "expose_headers")
# Options that only asgi_cors has.
_OWN_OPTIONS: Final = {*PolicyOptions.__annotations__, *MiddlewareOptions.__annotations__} - {*STARLETTE.options}
_TRUSTED_HOST: Final = "TrustedHostMiddleware"
_ADDING: Final = {"add_middleware", "Middleware"}


def check_setup(setup: Setup) -> tuple[list[Problem], list[str | re.Pattern[str]]]:
    """Return the mistakes of a setup, and the origins to write with asgi_cors."""
    entries, line = origins_of(setup)
    checked = [check_entry(setup, entry, line) for entry in entries if _is_checkable(setup, entry)]
    problems = [
        *check_all_origins(setup, entries, line),
        *(entry.problem for entry in checked if entry.problem),
        *_unknown_options(setup),
        *_names(setup),
        *_nothing_allowed(setup, entries),
    ]
    return problems, _corrected(checked)


def _corrected(checked: list[CheckedEntry]) -> list[str | re.Pattern[str]]:
    return list(dict.fromkeys(entry.correct for entry in checked if entry.correct is not None))


def _is_checkable(setup: Setup, entry: Any) -> bool:
    if isinstance(entry, Default) and not entry and setup.library is not DJANGO:
        return False  # nothing, until the environment has a value
    return not is_any(setup, entry) and (isinstance(entry, str) or hasattr(entry, "pattern"))


def _unknown_options(setup: Setup) -> Iterator[Problem]:
    """Yield the options that the library does not have."""
    names = [*setup.library.options, *setup.library.ignored]
    for option in setup.unknown:
        close = difflib.get_close_matches(option.name, names, 1, 0.6)
        remedy = f"Write {close[0]}." if close else "Remove it."
        remedy = "Remove it, or use asgi_cors, which has it." if option.name in _OWN_OPTIONS else remedy
        effect = "ignores" if setup.library is FLASK_CORS else "raises a TypeError for"
        message = f"{setup.library.name} has no option {option.name!r}, and {effect} it."
        if setup.library is FLASK_CORS and close[:1] == ["origins"] and "allow_origins" not in setup.options:
            message += " Every origin is allowed."
        yield Problem("unknown-option", MISTAKE, message, remedy, option.line)


def _names(setup: Setup) -> Iterator[Problem]:
    """Yield the mistakes in lists of methods and headers."""
    for name in _NAMES:
        option = setup.options.get(name)
        if option is None or option.value is UNKNOWN or option.value is None:
            continue
        if setup.library is STARLETTE and isinstance(option.value, str) and option.value != "*":
            message = f"{option.name} is a text, so Starlette reads each letter as a name."
            yield Problem("text-not-list", MISTAKE, message, f"Write a list: [{option.value!r}].", option.line)
            continue
        values: list[Any] = option.value if is_list(option.value) else str(option.value).split(",")
        known = [value.strip() for value in values if isinstance(value, str) and _is_name(setup, value)]
        for issue in _issues(**{name: known}):
            yield Problem(issue.code, MISTAKE, f"{option.name}: {issue.message}.", issue.hint, option.line)


def _is_name(setup: Setup, value: str) -> bool:
    """Return whether a text is a name, and not a regular expression of Flask-CORS."""
    return bool(value.strip()) and not (
        setup.library is FLASK_CORS and any(c in value for c in "\\.*[]()^$?+") and value != "*"
    )


def _issues(**options: Any) -> list[Issue]:
    """Return the issues of a policy, with those of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConfigWarning)
        try:
            Policy(allow_origins=["https://app.example.com"], **options)
        except ConfigError as error:
            return list(error.issues)
    return [warning.message.issue for warning in caught if isinstance(warning.message, ConfigWarning)]


def _nothing_allowed(setup: Setup, entries: list[Any]) -> Iterator[Problem]:
    allow_all = setup.options.get("allow_all")
    is_known = setup.is_complete and (allow_all is None or allow_all.value is not UNKNOWN)
    if not entries and is_known and setup.library in {STARLETTE, DJANGO}:
        message = f"No origin is allowed, so {setup.library.name} has no effect."
        yield Problem("nothing-allowed", MISTAKE, message, "Name the origins.", setup.line)


def check_hosts(tree: ast.Module) -> Iterator[Problem]:
    """Yield the uses of Starlette's TrustedHostMiddleware that allow every Host."""
    constants = constants_of(tree)
    for node in filter(_adds_trusted_hosts, ast.walk(tree)):
        given = {keyword.arg: keyword.value for keyword in getattr(node, "keywords", ())}
        value = given.get("allowed_hosts")
        is_open = not given if value is None else "*" in as_list(evaluate(value, constants))
        if is_open:
            message = "TrustedHostMiddleware allows every Host, also that of a DNS rebinding, so it has no effect."
            remedy = "Name the hosts: allowed_hosts=['api.example.com']."
            yield Problem("any-host-allowed", MISTAKE, message, remedy, getattr(node, "lineno", 1))


def _adds_trusted_hosts(node: ast.AST) -> bool:
    """Return whether a call adds the middleware, with its hosts as a keyword or without them."""
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return False
    function, argument = (ast.unparse(each).rpartition(".")[2] for each in (node.func, node.args[0]))
    return function == _TRUSTED_HOST or (function in _ADDING and argument == _TRUSTED_HOST)
