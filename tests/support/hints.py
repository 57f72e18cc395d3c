"""A hint followed to the letter: the options that it says to write."""

import re
import warnings
from collections.abc import Callable
from typing import Any

from asgi_cors import ConfigError, ConfigWarning, Issue

NOTHING = object()


def written(hint: str) -> Any:
    """The value, or the keywords as a dict, that follow the word Write; NOTHING if the hint is an advice."""
    if not hint.startswith("Write "):
        return NOTHING
    text = hint.removeprefix("Write ").removesuffix(".")
    for end in range(len(text), 0, -1):
        for form in ("({})", "dict({})") if "=" in text[:end] else ("({})",):
            try:
                return eval(form.format(text[:end]), {"re": re, "dict": Keywords, "__builtins__": {}})  # noqa: S307
            except Exception:  # noqa: BLE001, S112 - shorter, then
                continue
    return NOTHING


class Keywords(dict[str, Any]):
    """Keywords, not the value of an option."""


def follow(options: dict[str, Any], found: Issue) -> dict[str, Any]:
    """The options with one issue corrected as its hint says; an advice is followed by leaving the value out."""
    name, hint = found.option, found.hint
    renamed = re.match(r"Did you mean '(.*)'\?$", hint)
    if renamed and found.code == "unknown-option":
        rest = {key: value for key, value in options.items() if key != name}
        return rest | {renamed[1]: options[name]}
    new = renamed[1] if renamed else written(hint)
    if re.match(r"Leave allow_origins out", hint):
        return {key: value for key, value in options.items() if key != "allow_origins"}
    if isinstance(new, Keywords):
        kept = replaced(options, found, NOTHING) if name not in new else options
        return {**kept, **new}
    return replaced(options, found, new)


def replaced(options: dict[str, Any], found: Issue, new: Any) -> dict[str, Any]:
    """The options with the issue's value replaced, or left out."""
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
    """The issues that options are refused with; none if they are accepted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        try:
            build(**options)
        except ConfigError as error:
            return error.issues
    return ()
