"""Mistakes in a configuration: issues, their collector, the exception and the warning that carry them.

Every mistake is collected, and all are raised at once, so that one run shows everything to correct.
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

# Texts that several messages share

UNSET: Final = "is an environment variable not set?"
UNSET_HINT: Final = "Write [] for none, or set the variable."
_MAX_SHOWN: Final = 200  # characters


def name_origins(option: str) -> str:
    """Return the hint to name origins, for an option of a policy that has origins or a regular expression."""
    name = "allow_origins" if option == "allow_origin_regex" else option
    return f"Write the origins that you trust: {name}=['https://app.example.com', 'https://*.example.com']."


def show(value: object) -> str:
    """Return `value` as one line of a message: its repr, cut at 200 characters, or its type if repr raises."""
    try:
        text = " ".join(repr(value).splitlines())
    except Exception:  # noqa: BLE001 - a value nested too deeply, or an object with a broken repr
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def text_of(value: object) -> str | None:
    """Return the text of a string, of bytes or of an enum's member; None for any other value."""
    if isinstance(value, enum.Enum) and not isinstance(value, str):
        value = value.value
    if isinstance(value, bytes | bytearray):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None


# Issues


@dataclass(frozen=True, slots=True)
class Issue:
    """One mistake in a configuration.

    Args:
        code: A stable kebab-case name, unique to the kind of mistake.
        option: The name of the option, such as `allow_origins`.
        value: The value given.
        message: What is wrong: a sentence without its full stop.
        hint: What to write instead; empty if there is no correction.
    """

    code: str
    option: str
    value: object
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return option, message and hint as one line."""
        return f"{self.option}: {self.message}.{' ' if self.hint else ''}{self.hint}"

    @staticmethod
    def show(value: object) -> str:
        """Return a value of any type as one line of a message."""
        return show(value)

    @classmethod
    def unknown(cls, option: object, known: Iterable[str], *, kind: str = "option") -> Issue:
        """Describe an unknown name. The hint is the closest known name, or all of them."""
        names = {name.lower(): name for name in known}
        text = option if isinstance(option, str) else show(option)
        is_text = isinstance(option, str)
        close = difflib.get_close_matches(text[:100].lower(), names, n=1, cutoff=0.5) if is_text else []
        hint = f"Did you mean {names[close[0]]!r}?" if close else f"Known: {', '.join(sorted(names.values()))}."
        return cls("unknown-option", text, option, f"there is no {kind} of this name", hint)

    @classmethod
    def wrong_type(cls, option: str, value: object, expected: str, hint: str) -> Issue:
        """Describe a value of the wrong type; `expected` is a noun phrase, such as `"a number of threads"`."""
        return cls("wrong-type", option, value, f"{show(value)} is not {expected}", hint)

    @classmethod
    def wrong_app(cls, app: object, expected: str, line: str) -> Issue:
        """Describe an app of the wrong kind.

        Args:
            app: The value given.
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
            names: For options that another library names differently: its name for each.
        """
        message = f"{place} takes options as keywords, not as positional arguments"
        value = values[0] if len(values) == 1 else tuple(values)
        keywords = {(names or {}).get(name, name): each for name, each in _as_keywords(values).items()}
        line = ", ".join(f"{name}={show(each)}" for name, each in keywords.items()) or "the options as keywords"
        return cls("positional-options", "options", value, message, f"Write {line}.")

    def warn(self) -> None:
        """Issue a `ConfigWarning` for the first line of code outside of this distribution."""
        depth, frame = 0, inspect.currentframe()
        while frame and frame.f_globals.get("__name__", "").partition(".")[0].startswith("asgi_cors"):
            depth, frame = depth + 1, frame.f_back
        warnings.warn(ConfigWarning(self), stacklevel=depth + 1)


# The order of Starlette's parameters. Before version 0.51, `allow_private_network` was not among them.
_ORDER: Final = (
    *("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex"),
    *("allow_private_network", "expose_headers", "max_age"),
)
_LISTS: Final = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
_PRIVATE_NETWORK: Final = _ORDER.index("allow_private_network")


def _as_keywords(values: Sequence[object]) -> dict[str, Any]:
    """Return positional arguments by name, with lists for other collections. A single mapping has the names."""
    if len(values) == 1 and isinstance(values[0], Mapping):
        return {str(name): value for name, value in cast("Mapping[object, object]", values[0]).items()}
    order = [*_ORDER]
    if len(values) > _PRIVATE_NETWORK and not isinstance(values[_PRIVATE_NETWORK], bool):
        del order[_PRIVATE_NETWORK]
    return {
        name: list(cast("Iterable[object]", value))
        if name in _LISTS and isinstance(value, tuple | set | frozenset)
        else value
        for name, value in zip(order, values, strict=False)
        if value is not None
    }


class OptionIssues:
    """Collects the issues of one option.

    Args:
        option: The name of the option.
        errors: The mistakes, shared by the collectors of all options.
        warnings: The probable mistakes, shared in the same way.
    """

    def __init__(self, option: str, errors: list[Issue] | None = None, warnings: list[Issue] | None = None) -> None:
        """Collect into the given lists, or into new ones."""
        self.option = option
        self.errors = [] if errors is None else errors
        self.warnings = [] if warnings is None else warnings

    def add(self, code: str, value: object, message: str, hint: str = "") -> None:
        """Add a mistake; see `Issue` for the arguments."""
        self.errors.append(Issue(code, self.option, value, message, hint))

    def add_wrong_type(self, value: object, expected: str, hint: str) -> None:
        """Add a value of the wrong type; see `Issue.wrong_type`."""
        self.errors.append(Issue.wrong_type(self.option, value, expected, hint))

    def warn(self, code: str, value: object, message: str, hint: str = "") -> None:
        """Add a probable mistake; see `Issue` for the arguments."""
        self.warnings.append(Issue(code, self.option, value, message, hint))

    def of(self, option: str) -> OptionIssues:
        """Return the collector of another option, with the same lists."""
        return OptionIssues(option, self.errors, self.warnings)


# Exceptions and warnings


class ConfigError(ValueError):
    """A wrong or unsafe configuration.

    Args:
        issues: Every mistake found, in the order of the options.
    """

    def __init__(self, issues: Iterable[Issue]) -> None:
        """Store the issues. The message has one line for each."""
        self.issues = tuple(issues)
        super().__init__("\n".join(map(str, self.issues)))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Issue, ...]]]:
        """Pickle the issues, too."""
        return type(self), (self.issues,)


class PositionalOptionsError(ConfigError, TypeError):
    """Options are given as positional arguments. Also a TypeError, as Python raises for such a call."""


class ConfigWarning(UserWarning):
    """A configuration that is valid, but probably not intended.

    Args:
        issue: The probable mistake.
    """

    def __init__(self, issue: Issue) -> None:
        """Store the issue. The message is its text."""
        self.issue = issue
        super().__init__(str(issue))
