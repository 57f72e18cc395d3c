"""What is wrong with a configuration, as data. This module knows nothing of CORS.

An `Issue` is one mistake. All mistakes are collected and raised at once, so that one run shows everything to correct.
"""

from __future__ import annotations

import difflib
import enum
import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from ._interfaces import NOT_AN_APP, describe, is_factory

UNSET: Final = "is an environment variable not set?"
UNSET_HINT: Final = "Write [] for none, or set the variable."
NAME_ORIGINS: Final = (
    "Write the origins that you trust: allow_origins=['https://app.example.com', 'https://*.example.com']."
)
MAX_SHOWN: Final = 200  # characters

# The order of Starlette's parameters. Before version 0.51, `allow_private_network` was not among them.
_ORDER: Final = (
    *("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex"),
    *("allow_private_network", "expose_headers", "max_age"),
)
_NAMES: Final = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
_PRIVATE_NETWORK: Final = 5


@dataclass(frozen=True, slots=True)
class Issue:
    """One mistake in a configuration.

    Args:
        code: A stable kebab-case name, unique to the kind of mistake.
        option: The option it stands in, such as `allow_origins`.
        value: The value written there.
        message: What is wrong, a sentence without its full stop.
        hint: What to write instead; empty where there is nothing to write.
    """

    code: str
    option: str
    value: object
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Say where, what, and what to write instead, in one line."""
        return f"{self.option}: {self.message}.{' ' if self.hint else ''}{self.hint}"

    @staticmethod
    def show(value: object) -> str:
        """Return a value as one line of a message, whatever its type."""
        return show(value)

    @classmethod
    def unknown(cls, option: object, known: Iterable[str], *, kind: str = "option") -> Issue:
        """Describe an unknown name, with the closest known one."""
        names = {name.lower(): name for name in known}
        close = (
            difflib.get_close_matches(option[:100].lower(), names, n=1, cutoff=0.5) if isinstance(option, str) else []
        )
        hint = f"Did you mean {names[close[0]]!r}?" if close else f"Known: {', '.join(sorted(names.values()))}."
        text = option if isinstance(option, str) else show(option)
        return cls("unknown-option", text, option, f"there is no {kind} of this name", hint)

    @classmethod
    def wrong_type(cls, option: str, value: object, wanted: str, hint: str) -> Issue:
        """Describe a value of a wrong type; `wanted` says of which it should be, such as `"a number of threads"`."""
        return cls("wrong-type", option, value, f"{show(value)} is not {wanted}", hint)

    @classmethod
    def wrong_app(cls, app: object, expected: str, line: str) -> Issue:
        """Describe an app of the wrong kind.

        Args:
            app: What was given.
            expected: The kind of app that is needed, such as `"a Flask app"`.
            line: The code to write with such an app.
        """
        found, better = describe(app)
        message = f"{show(app)} is {found}" + ("" if found == NOT_AN_APP else f", not {expected}")
        if found == NOT_AN_APP and callable(app) and is_factory(app):
            message += ", because it takes no arguments"
            line = line.replace("(app", f"({getattr(app, '__name__', 'factory').strip('<>')}()")
        return cls("wrong-app", "app", app, message, f"Write {better or line}.")

    @classmethod
    def positional(cls, place: str, values: Sequence[object], names: Mapping[str, str] | None = None) -> Issue:
        """Describe options that are given as positional arguments, in the order of Starlette's middleware.

        Args:
            place: The class or function that is called.
            values: The positional arguments.
            names: The names to write instead of a policy's option names, for the names of another library.
        """
        message = f"{place} takes options as keywords, not as positional arguments"
        value = values[0] if len(values) == 1 else tuple(values)
        return cls("positional-options", "options", value, message, f"Write {_as_keywords(values, names or {})}.")

    def warn(self) -> None:
        """Warn of it, at the first line outside of this distribution."""
        warnings.warn(ConfigWarning(self), stacklevel=_outside())


@dataclass(frozen=True, slots=True)
class OptionIssues:
    """Collects the mistakes in one option.

    Args:
        option: The option.
        found: The list that mistakes are added to, shared by all options.
    """

    option: str
    found: list[Issue]

    def add(self, code: str, value: object, message: str, hint: str = "") -> None:
        """Add a mistake; see `Issue`."""
        self.found.append(Issue(code, self.option, value, message, hint))


class ConfigError(ValueError):
    """A configuration that is wrong or unsafe.

    Args:
        issues: Every mistake found, in the order of the options.
    """

    def __init__(self, issues: Iterable[Issue]) -> None:
        """Keep every issue, and say them all."""
        self.issues = tuple(issues)
        super().__init__("\n".join(map(str, self.issues)))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Issue, ...]]]:
        """Survive a trip to another process, issues included."""
        return type(self), (self.issues,)


class PositionalOptionsError(ConfigError, TypeError):
    """Options are given as positional arguments. Also a TypeError, as Python raises for such a call."""


class ConfigWarning(UserWarning):
    """A configuration that works, but hardly as meant.

    Args:
        issue: What was found.
    """

    def __init__(self, issue: Issue) -> None:
        """Keep the issue, and say it."""
        self.issue = issue
        super().__init__(str(issue))


def show(value: object) -> str:
    """Return `value` as one line of a message: its repr, cut at 200 characters, or its type if repr raises."""
    try:
        text = " ".join(repr(value).splitlines())
    except Exception:  # noqa: BLE001 - a value nested too deeply, or an object whose repr is broken
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def text_of(entry: object) -> str | None:
    """Return the text that an entry of another type probably means; None if there is none."""
    if isinstance(entry, enum.Enum) and not isinstance(entry, str):
        entry = entry.value
    if isinstance(entry, bytes | bytearray):
        return entry.decode("latin-1")
    return entry if isinstance(entry, str) else None


def _outside() -> int:
    """Count the frames from `warn` to the first that isn't of this distribution."""
    depth, frame = 0, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0].startswith("asgi_cors"):
        depth, frame = depth + 1, frame.f_back
    return depth


def _as_keywords(values: Sequence[object], names: Mapping[str, str]) -> str:
    """Return the keywords to write for positional arguments.

    Args:
        values: The positional arguments.
        names: The names to write instead of a policy's option names, for the names of another library.
    """
    keywords = {names.get(name, name): value for name, value in _keywords(values).items()}
    return ", ".join(f"{name}={show(value)}" for name, value in keywords.items()) or "the options as keywords"


def _keywords(values: Sequence[object]) -> dict[str, Any]:
    """Name the values in Starlette's order. The keys of a single mapping are the names."""
    if len(values) == 1 and isinstance(values[0], Mapping):
        return {str(name): value for name, value in cast("Mapping[object, object]", values[0]).items()}
    order: Sequence[str] = _ORDER
    if len(values) > _PRIVATE_NETWORK and not isinstance(values[_PRIVATE_NETWORK], bool):
        order = [name for name in _ORDER if name != "allow_private_network"]
    keywords = {name: value for name, value in zip(order, values, strict=False) if value is not None}
    return {name: _spelled(name, value) for name, value in keywords.items()}


def _spelled(name: str, value: object) -> object:
    """Show collections as lists, which are easier to read."""
    is_collection = name in _NAMES and isinstance(value, tuple | set | frozenset)
    return list(cast("Sequence[object]", value)) if is_collection else cast("Any", value)
