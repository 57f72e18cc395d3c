"""The options of a policy with few values: `csrf_protection`, `timing_allow_origin`, `resource_policy` and `name`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final, Literal, cast

from asgi_cors._errors import UNSET, OptionIssues, show, text_of

from .options import list_of, plain_string

RESOURCE_POLICIES: Final = ("same-origin", "same-site", "cross-origin")
_MAX_NAME: Final = 100  # characters
_REPORTING: Final = frozenset({"audit", "dry-run", "dry_run", "dryrun", "log", "monitor", "observe", "warn", "warning"})
_OFF: Final = frozenset({"", "0", "false", "no", "off", "none", "null", "disabled"})


def parse_protection(value: Any, issues: OptionIssues) -> bool | Literal["report"]:
    """Parse a protection: a boolean, or `"report"`. If the value is wrong, return the one that is probably meant.

    Only a value that means "off" is taken as False.
    """
    if isinstance(value, bool):
        return value
    text = _only_text(plain_string(value))
    if text == "report" and isinstance(value, str):
        return "report"
    lower = (text or "").strip().lower()
    meant: bool | Literal["report"] = not _is_off(value, lower)
    if meant and (lower in _REPORTING or difflib.get_close_matches(lower[:20], ["report"], cutoff=0.65)):
        meant = "report"
    issues.add_wrong_type(value, f"True, False or 'report'{_unset(value)}", f"Write {issues.option}={meant!r}.")
    return meant


def _is_off(value: object, text: str) -> bool:
    """Return whether a value means that an option is not set."""
    if text_of(value) is not None:
        return text in _OFF
    return value is None or (isinstance(value, int | float) and value == 0) or list_of(value) == []


def parse_timing(value: Any, issues: OptionIssues) -> bool:
    """Parse `timing_allow_origin`: a boolean. The header's own value, such as `*` or origins, means True."""
    if isinstance(value, bool):
        return value
    text = text_of(plain_string(value))
    meant = not _is_off(value, (text or "").strip().lower())
    expected = "True or False" + (": the origins are those of allow_origins" if meant else _unset(value))
    issues.add_wrong_type(value, expected, f"Write {issues.option}={meant}.")
    return meant


def parse_resource_policy(value: Any, issues: OptionIssues) -> str | None:
    """Parse `resource_policy`: a value of Cross-Origin-Resource-Policy, or None to send no header."""
    text = plain_string(value)
    if text is None or (isinstance(text, str) and text in RESOURCE_POLICIES):
        return text
    message = f"{show(value)} is not a resource policy{_unset(value)}"
    issues.add("bad-resource-policy", value, message, _resource_policy_hint(text))
    return None


def _resource_policy_hint(value: Any) -> str:
    text = _only_text(value)
    if value is False or (text is not None and text.strip().lower() in _OFF):
        return "Write resource_policy=None."
    name = re.sub(r"[^a-z]+", "-", (text or "")[:100].lower().rpartition(":")[2]).strip("-")
    close = difflib.get_close_matches(name, RESOURCE_POLICIES, n=1, cutoff=0.7)
    return f"Write {close[0]!r}." if close else f"Use one of: {', '.join(map(repr, RESOURCE_POLICIES))}."


def parse_name(value: Any, issues: OptionIssues) -> str | None:
    """Parse `name`: a text of one line, or None. It is a label of metrics, and part of log lines."""
    text = plain_string(value)
    if text is None:
        return None
    if not isinstance(text, str):
        advice = _name_hint(_only_text(value))
        issues.add_wrong_type(value, "a string or None", advice)
        return None
    if not text.strip():
        issues.add("bad-name", value, f"{show(text)} is empty ({UNSET})", "Write name=None.")
    elif text != text.strip() or not text.isprintable() or len(text) > _MAX_NAME:
        message = f"{show(text)} is not a text of one line with up to {_MAX_NAME} characters"
        issues.add("bad-name", value, message, _name_hint(text))
    return text


def _name_hint(text: str | None) -> str:
    """Return the hint with the printable characters of a text, or else with an example."""
    printable = "".join(character if character.isprintable() else " " for character in (text or "")[: 2 * _MAX_NAME])
    return f"Write name={' '.join(printable.split())[:_MAX_NAME].strip() or 'public-api'!r}."


def _only_text(value: object) -> str | None:
    """Return the text of a string, of bytes, of an enum's member, or of a list of one such value."""
    entries = list_of(value) if not isinstance(value, str) else None
    one = cast("Iterable[object]", entries) if entries is not None and len(entries) == 1 else (value,)
    return text_of(next(iter(one)))


def _unset(value: object) -> str:
    """Return a question for a value that is None or empty."""
    return f" ({UNSET})" if isinstance(value, str | None) and not value else ""
