"""A policy as text: mappings for TOML and JSON, and environment variables.

Knows how values are spelled there; what they mean is for `_policy` to say.
"""

from __future__ import annotations

import ast
import json
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from asgi_cors._errors import ConfigError, ConfigWarning, Issue, show

T = TypeVar("T")

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}
# The values in a hint that an environment variable spells differently: a list after "Write", or a boolean.
_WRITTEN: Final = re.compile(r"(?<=^Write )\[.*\](?=\.$| )|(?<==)(?:True|False)(?=\.$)", re.DOTALL)


def to_mapping(options: Mapping[str, Any]) -> dict[str, Any]:
    """Spell options so that JSON can hold them; regexes without flags go as text."""
    entries = options.get("allow_origins", ())
    advice = "Keep it in code, and the rest in the mapping."
    issues = [
        Issue("not-text", "allow_origins", entry, f"{show(entry)} can't be written as text", advice)
        for entry in cast("tuple[object, ...]", entries)
        if not isinstance(entry, str)
    ]
    texts: dict[str, Any] = {name: _listed(value) for name, value in options.items()}
    regex = cast("re.Pattern[str] | str | None", options.get("allow_origin_regex"))
    if isinstance(regex, re.Pattern):
        texts["allow_origin_regex"] = regex.pattern
        if regex.flags & ~re.UNICODE:
            message = f"{regex!r} has flags"
            issues.append(Issue("not-text", "allow_origin_regex", regex, message, "Write them inside: '(?i:…)'."))
    if issues:
        raise ConfigError(issues)
    return texts


def _listed(value: object) -> object:
    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value


def policy_from_env(build: Callable[..., T], prefix: Any, environ: Any, defaults: Mapping[str, Any]) -> T:
    """Build a policy from the variables of the environment.

    Args:
        build: Builds the policy from keywords.
        prefix: The beginning of the variables' names.
        environ: The variables; `os.environ` if None.
        defaults: The options' default values.

    Raises:
        ConfigError: With every mistake, in a variable's text and in its value. Each names the variable.
    """
    source = _variables(prefix, os.environ if environ is None else environ)
    keys = {name: prefix + name.upper() for name in defaults}
    issues: list[Issue] = []
    given = {name: _text(key, source[key], issues) for name, key in keys.items() if key in source}
    read = {name: _read(name, keys[name], text, defaults[name], issues) for name, text in given.items()}
    strange = [
        replace(Issue.unknown(key, keys.values()), code="unknown-variable", message="no option has this name")
        for key in source
        if key.startswith(prefix) and key not in keys.values()
    ]
    if "allow_origins" not in given and "allow_origin_regex" not in given:
        issues += strange  # one of them may be the origins, mistyped
    options = {name: value for name, value in read.items() if value is not _UNREADABLE}
    policy = _named(build, options, keys, issues)
    for found in strange:
        found.warn()
    return policy


def _variables(prefix: Any, environ: Any) -> dict[str, Any]:
    if isinstance(prefix, str) and isinstance(environ, Mapping):
        variables = cast("Mapping[object, Any]", environ)
        return {key: value for key, value in variables.items() if isinstance(key, str)}
    is_prefix = not isinstance(prefix, str)
    value, what = (prefix, "a string") if is_prefix else (environ, "a mapping of variables")
    hint = "Write prefix='CORS_'." if is_prefix else "Leave environ out, or use a dict."
    raise ConfigError(
        [Issue("wrong-type", "prefix" if is_prefix else "environ", value, f"{show(value)} is not {what}", hint)]
    )


_UNREADABLE: Final = object()


def _named(build: Callable[..., T], options: Mapping[str, Any], variables: Mapping[str, str], issues: list[Issue]) -> T:
    """Build the policy. Its mistakes and warnings name the variables."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            policy = build(**options)
        except ConfigError as error:
            raise ConfigError([*issues, *(_renamed(each, variables) for each in error.issues)]) from None
    if issues:
        raise ConfigError(issues)
    for each in caught:
        if isinstance(each.message, ConfigWarning):
            _renamed(each.message.issue, variables).warn()
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return policy


def _renamed(found: Issue, variables: Mapping[str, str]) -> Issue:
    """Return an issue that names variables in place of options; values in its hint are the text of a variable."""
    names = re.compile(rf"(?<![\w'\"/.-])(?:{'|'.join(variables)})\b")

    def rename(text: str) -> str:
        return names.sub(lambda match: variables[match[0]], text)

    hint = _WRITTEN.sub(lambda match: _spelled(match[0]), found.hint)
    hint = re.sub(r"Write re\.compile\((.*)\)\.$", r"Write allow_origin_regex=\1.", hint)
    return replace(found, option=rename(found.option), message=rename(found.message), hint=rename(hint))


def _spelled(literal: str) -> str:
    """Spell a Python literal as the text of a variable."""
    value = ast.literal_eval(literal)
    return repr(",".join(map(str, cast("list[object]", value)))) if isinstance(value, list) else literal.lower()


def _text(key: str, value: object, issues: list[Issue]) -> str:
    if isinstance(value, str):
        return value.strip()
    issues.append(Issue("wrong-type", key, value, f"{show(value)} is not a string", f"Use a string, as in {key}=…"))
    return ""


def _read(name: str, key: str, text: str, default: object, issues: list[Issue]) -> object:
    if name == "allow_origin_regex":
        return text or None
    if name == "max_age":
        return _read_seconds(key, text, issues)
    if isinstance(default, bool):
        if text.lower() not in _BOOLEANS:
            issues.append(Issue("not-boolean", key, text, f"{show(text)} is not a boolean", "Write true or false."))
            return _UNREADABLE
        return _BOOLEANS[text.lower()]
    return _read_list(key, text, issues)


def _read_seconds(key: str, text: str, issues: list[Issue]) -> object:
    if text.lower() in {"none", ""}:
        return None
    try:
        return int(text)
    except ValueError:
        message = f"{show(text)} is not a number of seconds"
        issues.append(Issue("not-number", key, text, message, "Write 600, or none to send no header."))
        return _UNREADABLE


def _read_list(key: str, text: str, issues: list[Issue]) -> object:
    """Read a list: JSON if it begins with a bracket, else its entries are separated by commas."""
    if not text.startswith("[") or re.match(r"\[[0-9a-fA-F:.]+\]", text):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        entries = [part for part in re.split(r"[\[\],\s\"']+", text) if part][:20]
        hint = f"Write {json.dumps(entries)}, or {','.join(entries)}." if entries else 'Write ["a", "b"], or a,b.'
        issues.append(Issue("not-json", key, text, f"{show(text)} is not a JSON list: {reason}", hint))
        return _UNREADABLE
    return cast("list[str]", value)  # it begins with a bracket, so it is a list; the policy checks its entries
