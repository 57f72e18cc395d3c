"""What is wrong with a configuration, as data.

Knows nothing of CORS: an `Issue` is collected where an option is read, and all of
them are raised at once, so that a configuration is mended in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._issue import Issue


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


def issue(code: str, option: str, value: object, message: str, hint: str = "") -> Issue:
    """Make an `Issue`."""
    from ._issue import Issue  # noqa: PLC0415 - most configurations have none, and a dataclass is dear to make

    return Issue(code, option, value, message, hint)


def unknown(option: str, known: Iterable[str], *, kind: str = "option") -> Issue:
    """Make an `Issue` of a name that nothing answers to."""
    from ._issue import Issue  # noqa: PLC0415 - as above

    return Issue.unknown(option, known, kind=kind)
