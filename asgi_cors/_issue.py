"""One thing that is wrong with a configuration, and the warning of what is merely doubtful.

Knows nothing of CORS. Imported with the first mistake, by way of `_errors`: most configurations have none.
"""

from __future__ import annotations

import difflib
import inspect
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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

    @classmethod
    def unknown(cls, option: str, known: Iterable[str], *, kind: str = "option") -> Issue:
        """Describe a name that nothing answers to, with the nearest that something does."""
        near = difflib.get_close_matches(option, tuple(known), n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."
        return cls("unknown-option", option, option, f"there is no {kind} of this name", hint)

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
