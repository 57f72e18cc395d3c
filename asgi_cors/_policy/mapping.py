"""A policy as text: mappings for TOML and JSON, and environment variables.

This module knows how values are spelled there. `policy` validates them.
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

from asgi_cors._errors import ConfigError, ConfigWarning, Issue, OptionIssues, show

T = TypeVar("T")

_NO_REGEX: Final = "Name each origin, or use a pattern such as 'https://*.example.com'."

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}
_INVALID: Final = object()
# The values in a hint that an environment variable spells differently: a list after "Write", or a boolean.
_PYTHON_VALUE: Final = re.compile(r"(?<=^Write )\[.*\](?=\.$| )|(?<==)(?:True|False|None)(?=\.$)", re.DOTALL)


def to_mapping(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as values that JSON can hold. A regular expression without flags is text.

    Raises:
        ConfigError: If a value cannot be represented as text.
    """
    issues = OptionIssues("allow_origins")
    for option in ("allow_origins", "csrf_trusted_origins"):
        for entry in cast("tuple[object, ...]", options.get(option, ())):
            if not isinstance(entry, str):
                why = ", because it is called at run time" if callable(entry) else ""
                advice = "Write the other options in the mapping, and add this entry in code with policy.replace(…)."
                message = f"{show(entry)} cannot be represented as text{why}"
                issues.of(option).add("not-text", entry, message, advice)
    mapping = {name: _as_list(value) for name, value in options.items()}
    regex = cast("re.Pattern[str] | str | None", options.get("allow_origin_regex"))
    if isinstance(regex, re.Pattern):
        mapping["allow_origin_regex"] = regex.pattern
        if regex.flags & ~re.UNICODE:
            advice = "Write them inside: '(?i:…)'."
            issues.of("allow_origin_regex").add("not-text", regex, f"{regex!r} has flags", advice)
    if issues.errors:
        raise ConfigError(issues.errors)
    return mapping


def _as_list(value: object) -> object:
    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value


def policy_from_env(build: Callable[..., T], prefix: Any, environ: Any, defaults: Mapping[str, Any]) -> T:
    """Build a policy from environment variables.

    Args:
        build: Builds the policy from keywords.
        prefix: The beginning of the variables' names.
        environ: The variables; `os.environ` if None.
        defaults: The options' default values.

    Raises:
        ConfigError: With every mistake, in a variable's text and in its value. Each issue names the variable.
    """
    environ = os.environ if environ is None else environ
    if not isinstance(prefix, str):
        raise ConfigError([Issue.wrong_type("prefix", prefix, "a string", "Write prefix='CORS_'.")])
    if not isinstance(cast("object", environ), Mapping):
        advice = "Leave environ out, or use a dict."
        raise ConfigError([Issue.wrong_type("environ", environ, "a mapping of variables", advice)])
    variables = {option: prefix + option.upper() for option in defaults}
    errors: list[Issue] = []
    options = {
        option: _parse_variable(option, environ[variable], defaults[option], OptionIssues(variable, errors))
        for option, variable in variables.items()
        if variable in environ
    }
    unknown = [
        replace(Issue.unknown(key, variables.values()), code="unknown-variable", message="no option has this name")
        for key in environ
        if isinstance(key, str) and key.startswith(prefix) and key not in variables.values()
    ]
    if "allow_origins" not in options and "allow_origin_regex" not in options:
        errors += unknown  # one of them may be the origins, mistyped
    valid = {option: value for option, value in options.items() if value is not _INVALID}
    policy = _build(build, valid, variables, errors)
    for issue in unknown:
        issue.warn()
    return policy


def _parse_variable(option: str, value: object, default: object, issues: OptionIssues) -> object:
    """Parse a variable's text as the type that the option's default has."""
    if not isinstance(value, str):
        issues.add_wrong_type(value, "a string", f"Use a string, as in {issues.option}=…")
        return _INVALID
    text = value.strip()
    if option == "max_age":
        return _parse_seconds(text, issues)
    if option == "resource_policy":
        return None if text.lower() in {"none", ""} else text.lower()
    if default is None:
        return text or None
    if isinstance(default, bool):
        return _parse_boolean(option, text, issues)
    return _parse_list(text, issues)


def _parse_boolean(option: str, text: str, issues: OptionIssues) -> object:
    has_report = option == "csrf_protection"
    if has_report and text.lower() == "report":
        return "report"
    if text.lower() not in _BOOLEANS:
        values = "true, false or report" if has_report else "true or false"
        issues.add(
            "not-boolean", text, f"{show(text)} is not {'valid' if has_report else 'a boolean'}", f"Write {values}."
        )
    return _BOOLEANS.get(text.lower(), _INVALID)


def _parse_seconds(text: str, issues: OptionIssues) -> object:
    if text.lower() in {"none", ""}:
        return None
    try:
        return int(text)
    except ValueError:
        message = f"{show(text)} is not a number of seconds"
        issues.add("not-number", text, message, "Write 600, or none to send no header.")
        return _INVALID


def _parse_list(text: str, issues: OptionIssues) -> object:
    """Parse a list: JSON if the text begins with a bracket, or else entries separated by commas."""
    if not text.startswith("[") or re.match(r"\[[0-9a-fA-F:.]+\]", text):  # an IPv6 address
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        entries = [part for part in re.split(r"[\[\],\s\"']+", text) if part][:20]
        hint = f"Write {json.dumps(entries)}, or {','.join(entries)}." if entries else 'Write ["a", "b"], or a,b.'
        issues.add("not-json", text, f"{show(text)} is not a JSON list: {reason}", hint)
        return _INVALID


def _build(build: Callable[..., T], options: dict[str, Any], variables: Mapping[str, str], errors: list[Issue]) -> T:
    """Build the policy. Its errors and warnings name the variables."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            policy = build(**options)
        except ConfigError as error:
            raise ConfigError([*errors, *(_name_variables(issue, variables) for issue in error.issues)]) from None
    if errors:
        raise ConfigError(errors)
    for each in caught:
        if isinstance(each.message, ConfigWarning):
            _name_variables(each.message.issue, variables).warn()
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return policy


def _name_variables(issue: Issue, variables: Mapping[str, str]) -> Issue:
    """Return an issue that names variables in place of options. Its hint spells values as variables do."""
    # An option of one word, such as `name`, is named only in front of a "=".
    options = "|".join(option if "_" in option else f"{option}(?==)" for option in variables)
    names = re.compile(rf"(?<![\w'\"/.-])(?:{options})\b")

    def rename(text: str) -> str:
        return names.sub(lambda match: variables[match[0]], text)

    hint = _PYTHON_VALUE.sub(lambda match: _as_variable(match[0]), issue.hint)
    hint = re.sub(r"Write re\.compile\((.*)\)\.$", r"Write allow_origin_regex=\1.", hint)
    if issue.option == "csrf_trusted_origins" and ("re.compile" in issue.hint or "allow_origin_regex" in hint):
        hint = _NO_REGEX
    option = variables.get(issue.option, issue.option)
    return replace(issue, option=option, message=rename(issue.message), hint=rename(hint))


def _as_variable(literal: str) -> str:
    """Return a Python list, boolean or None as the text of a variable. A list without its regular expressions."""
    if not literal.startswith("["):
        return literal.lower()
    value = ast.literal_eval(re.sub(r"re\.compile\(('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\),? ?", "", literal))
    return repr(",".join(map(str, cast("list[object]", value))))
