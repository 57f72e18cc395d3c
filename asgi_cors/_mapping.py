"""A policy as text: mappings for TOML and JSON, and environment variables.

Knows how values are spelled there; what they mean is for `_policy` to say.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, cast

from ._errors import ConfigError, issue, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._issue import Issue

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def to_mapping(options: Mapping[str, Any]) -> dict[str, Any]:
    """Spell options so that JSON can hold them; regexes without flags go as text."""
    entries = options.get("allow_origins", ())
    advice = "Keep it in code, and the rest in the mapping."
    issues = [
        issue("not-text", "allow_origins", entry, f"{entry!r} can't be written as text", advice)
        for entry in cast("tuple[object, ...]", entries)
        if not isinstance(entry, str)
    ]
    texts: dict[str, Any] = {name: _listed(value) for name, value in options.items()}
    regex = cast("re.Pattern[str] | str | None", options.get("allow_origin_regex"))
    if isinstance(regex, re.Pattern):
        texts["allow_origin_regex"] = regex.pattern
        if regex.flags & ~re.UNICODE:
            message = f"{regex!r} has flags"
            issues.append(issue("not-text", "allow_origin_regex", regex, message, "Write them inside: '(?i:…)'."))
    if issues:
        raise ConfigError(issues)
    return texts


def _listed(value: object) -> object:
    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value


def from_env(prefix: str, environ: Mapping[str, str] | None, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options that the environment names; a variable that no option answers to is warned of."""
    source = os.environ if environ is None else environ
    named = {key[len(prefix) :].lower(): (key, value) for key, value in source.items() if key.startswith(prefix)}
    strange = [
        issue("unknown-variable", key, key, "no option has this name", unknown(name, defaults).hint)
        for name, (key, _) in named.items()
        if name not in defaults
    ]
    if strange and "allow_origins" not in named and "allow_origin_regex" not in named:
        raise ConfigError(strange)  # probably the origins, mistyped
    for doubt in strange:
        doubt.warn()
    issues: list[Issue] = []
    options = {
        name: _read(name, key, text.strip(), defaults[name], issues)
        for name, (key, text) in named.items()
        if name in defaults
    }
    if issues:
        raise ConfigError(issues)
    return options


def _read(name: str, key: str, text: str, default: object, issues: list[Issue]) -> object:
    if name == "allow_origin_regex":
        return text or None
    if name == "max_age":
        return _read_seconds(key, text, issues)
    if isinstance(default, bool):
        if text.lower() not in _BOOLEANS:
            issues.append(issue("not-boolean", key, text, f"{text!r} is no boolean", "Write true or false."))
        return _BOOLEANS.get(text.lower(), default)
    return _read_list(key, text, issues)


def _read_seconds(key: str, text: str, issues: list[Issue]) -> int | None:
    if text.lower() in {"none", ""}:
        return None
    try:
        return int(text)
    except ValueError:
        issues.append(issue("not-number", key, text, f"{text!r} is no number of seconds", "Write a number, or none."))
        return None


def _read_list(key: str, text: str, issues: list[Issue]) -> list[str]:
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        value = json.loads(text)
    except ValueError as error:
        issues.append(issue("not-json", key, text, f"{text!r} is no JSON list: {error}", 'Write ["a", "b"], or a,b.'))
        return []
    return cast("list[str]", value)  # it begins with a bracket, so a list it is; what is in it, the policy checks
