"""One thing that is wrong with a configuration, and the warning of what is merely doubtful.

Knows nothing of CORS. Imported with the first mistake, by way of `_errors`: most configurations have none.
"""

from __future__ import annotations

import difflib
import inspect
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._text import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


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
        from ._interfaces import NOT_AN_APP, describe, is_factory  # noqa: PLC0415 - only for a mistake

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
        from ._arguments import as_keywords  # noqa: PLC0415 - only for a mistake

        message = f"{place} takes options as keywords, not as positional arguments"
        value = values[0] if len(values) == 1 else tuple(values)
        return cls("positional-options", "options", value, message, f"Write {as_keywords(values, names or {})}.")

    def warn(self) -> None:
        """Warn of it, at the first line outside of this distribution."""
        warnings.warn(ConfigWarning(self), stacklevel=_outside())


class ConfigWarning(UserWarning):
    """A configuration that works, but hardly as meant.

    Args:
        issue: What was found.
    """

    def __init__(self, issue: Issue) -> None:
        """Keep the issue, and say it."""
        self.issue = issue
        super().__init__(str(issue))


def _outside() -> int:
    """Count the frames from `warn` to the first that isn't of this distribution."""
    depth, frame = 0, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0].startswith("asgi_cors"):
        depth, frame = depth + 1, frame.f_back
    return depth
