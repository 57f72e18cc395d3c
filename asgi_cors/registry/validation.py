"""The checks of entries and arguments. Each returns issues: what is wrong, and what to write."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, cast

from asgi_cors import ConfigError, Issue, check_origin

from .store import Entry

_LIMITS: Final = {"tenant": 200, "note": 2_000, "by": 200}  # characters
_END: Final = "Write datetime.now(UTC) + timedelta(days=30)."


def check_entry(entry: Entry) -> list[Issue]:
    """Return the issues of an entry that is to be added."""
    origin = check_origin(entry.origin)
    return [*([origin] if origin else []), *check_texts(entry), *_check_end(entry.expires_at)]


def check_texts(entry: Entry) -> list[Issue]:
    """Return the issues of tenant, note and `by`."""
    issues = [check_text(option, getattr(entry, option)) for option in _LIMITS]
    return [issue for issue in issues if issue]


def check_text(option: str, value: object) -> Issue | None:
    """Return the issue of one text: `tenant`, `note` or `by`."""
    if not isinstance(value, str):
        return check_type(option, value, f"Write {option}='…', or leave it out.")
    if len(value) > _LIMITS[option]:
        message = f"the text has {len(value):,} characters, and at most {_LIMITS[option]:,} are allowed"
        return Issue("registry-text", option, value, message, "Shorten it.")
    bad = next((character for character in value if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}), "")
    if bad:
        message = f"{Issue.show(value)} has the control character {bad!r}"
        return Issue("registry-text", option, value, message, "Write it on one line, without control characters.")
    return None


def check_type(option: str, value: object, hint: str) -> Issue | None:
    """Return the issue of a value that is not a string."""
    return None if isinstance(value, str) else Issue.wrong_type(option, value, "a string", hint)


def is_storable(text: str) -> bool:
    """Return whether a text can be stored: one with a lone surrogate can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_end(value: object) -> list[Issue]:
    if value is None:
        return []
    if not isinstance(value, datetime):
        return [Issue.wrong_type("expires_at", value, "a datetime", _END)]
    if value.utcoffset() is None:
        message = f"{value} has no time zone"
        hint = "Add one: expires_at.replace(tzinfo=UTC), or expires_at.astimezone() for the local time."
        return [Issue("naive-datetime", "expires_at", value, message, hint)]
    if value <= datetime.now(UTC):
        return [Issue("registry-expired", "expires_at", value, f"{value} has passed", _END)]
    try:
        value.astimezone(UTC)
    except OverflowError:
        hint = "Leave it out for an entry without an end."
        return [Issue("registry-expired", "expires_at", value, f"{value} is after the year 9999 in UTC", hint)]
    return []


def check_time(option: str, value: object) -> datetime:
    """Return an aware datetime.

    Raises:
        ConfigError: If it is not a datetime with a time zone.
    """
    hint = "Write datetime.now(UTC) - timedelta(days=90)."
    if not isinstance(value, datetime):
        raise ConfigError([Issue.wrong_type(option, value, "a datetime", hint)])
    if value.utcoffset() is None:
        raise ConfigError([Issue("naive-datetime", option, value, f"{value} has no time zone", hint)])
    return value


def check_origins(origins: object, tenant: object) -> list[str]:
    """Check the arguments of `find`, and return the origins.

    Raises:
        ConfigError: If any of them is invalid, with an issue for each.
    """
    hint = "Write ['https://app.example.com']."
    issues = [Issue.wrong_type("origins", origins, "a list of strings", hint)]
    found: list[Any] = []
    if isinstance(origins, Iterable) and not isinstance(origins, str | bytes):
        found = [*cast("list[Any]", origins)]
        issues = [issue for origin in found if (issue := check_type("origins", origin, hint))]
    if issue := check_text("tenant", tenant):
        issues.append(issue)
    if issues:
        raise ConfigError(issues)
    return found


def check_page(*, tenant: object, after: object, limit: object) -> None:
    """Check the arguments of `list` and `history`.

    Raises:
        ConfigError: If any of them is invalid, with an issue for each.
    """
    issues: list[Issue] = []
    if tenant is not None and (issue := check_text("tenant", tenant)):
        issues.append(issue)
    if after is not None and not _is_count(after, 0):
        issues.append(Issue.wrong_type("after", after, "a number of 0 or more", "Write the id of the last entry."))
    if not _is_count(limit, 1):
        issues.append(Issue.wrong_type("limit", limit, "a number of 1 or more", "Write limit=1000."))
    if issues:
        raise ConfigError(issues)


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 1 << 63


def check_options(*, poll: object, clock: object) -> None:
    """Check the options of a registry.

    Raises:
        ConfigError: If any of them is invalid, with an issue for each.
    """
    issues: list[Issue] = []
    if not isinstance(poll, int | float) or isinstance(poll, bool) or not 0.01 <= poll <= 3600:  # noqa: PLR2004
        issues.append(Issue.wrong_type("poll", poll, "a number of seconds from 0.01 to 3600", "Write poll=0.5."))
    if not callable(clock):
        issues.append(Issue.wrong_type("clock", clock, "a function", "Write clock=time.monotonic."))
    if issues:
        raise ConfigError(issues)
