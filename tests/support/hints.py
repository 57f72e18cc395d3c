"""Follows a hint literally: changes options as the hint says."""

import re
import warnings
from collections.abc import Callable
from typing import Any

from asgi_cors import ConfigError, ConfigWarning, Issue

NOTHING = object()


def correction(hint: str) -> Any:
    """Return the value or the `Keywords` after "Write"; NOTHING if the hint is only advice."""
    if not hint.startswith("Write "):
        return NOTHING
    text = hint.removeprefix("Write ").removesuffix(".")
    for end in range(len(text), 0, -1):
        for form in ("({})", "dict({})") if "=" in text[:end] else ("({})",):
            try:
                return eval(form.format(text[:end]), {"re": re, "dict": Keywords, "__builtins__": {}})  # noqa: S307
            except Exception:  # noqa: BLE001, S112 - try a shorter text
                continue
    return NOTHING


class Keywords(dict[str, Any]):
    """Options by name, in contrast to a value of an option that is a dict."""


def follow(options: dict[str, Any], found: Issue) -> dict[str, Any]:
    """Return the options, corrected as the hint of an issue says. For advice, the value is left out."""
    name, hint = found.option, found.hint
    renamed = re.match(r"Did you mean '(.*)'\?$", hint)
    if renamed and found.code == "unknown-option":
        rest = {key: value for key, value in options.items() if key != name}
        return rest | {renamed[1]: options[name]}
    new = renamed[1] if renamed else correction(hint)
    if re.match(r"Leave allow_origins out", hint):
        return {key: value for key, value in options.items() if key != "allow_origins"}
    if isinstance(new, Keywords):
        rest = replaced(options, found, NOTHING) if name not in new else options
        return {**rest, **new}
    return replaced(options, found, new)


def replaced(options: dict[str, Any], found: Issue, new: Any) -> dict[str, Any]:
    """Return the options with the issue's value replaced; left out if `new` is NOTHING."""
    value = options.get(found.option, NOTHING)
    rest = {key: each for key, each in options.items() if key != found.option}
    entries = list(new) if isinstance(new, list) else [] if new is NOTHING else [new]
    if isinstance(value, (list, tuple, set)) and any(is_same(each, found.value) for each in value):
        listed = [[each] if not is_same(each, found.value) else entries for each in value]
        return rest | {found.option: [each for part in listed for each in part]}
    return rest if new is NOTHING else rest | {found.option: new}


def is_same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and one == other)


def found_in(build: Callable[..., object], **options: Any) -> tuple[Issue, ...]:
    """Return the issues that options are refused with; none if they are accepted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        try:
            build(**options)
        except ConfigError as error:
            return error.issues
    return ()
