"""What is wrong with a configuration, as data.

Knows nothing of CORS: an `Issue` is collected where an option is read, and all of
them are raised at once, so that a configuration is mended in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._text import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._issue import Issue


UNSET: Final = "is an environment variable not set?"
NAME_ORIGINS: Final = (
    "Write the origins that you trust: allow_origins=['https://app.example.com', 'https://*.example.com']."
)

__all__ = [
    "NAME_ORIGINS",
    "UNSET",
    "ConfigError",
    "PositionalOptionsError",
    "issue",
    "positional",
    "show",
    "unknown",
    "wrong_app",
]


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


def issue(code: str, option: str, value: object, message: str, hint: str) -> Issue:
    """Make an `Issue`."""
    from ._issue import Issue  # noqa: PLC0415 - most configurations have none, and a dataclass is dear to make

    return Issue(code, option, value, message, hint)


def unknown(option: object, known: Iterable[str], *, kind: str = "option") -> Issue:
    """Make an `Issue` of an unknown name."""
    from ._issue import Issue  # noqa: PLC0415 - as above

    return Issue.unknown(option, known, kind=kind)


def wrong_app(app: object, expected: str, line: str) -> Issue:
    """Make an `Issue` of an app of the wrong kind."""
    from ._issue import Issue  # noqa: PLC0415 - as above

    return Issue.wrong_app(app, expected, line)


def positional(place: str, values: Sequence[object]) -> Issue:
    """Make an `Issue` of options that are given as positional arguments."""
    from ._issue import Issue  # noqa: PLC0415 - as above

    return Issue.positional(place, values)
