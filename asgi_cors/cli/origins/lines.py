"""Entries as text: the lines of `import` and `export`, and times.

- A line that begins with `{` is a JSON object. Any other line is an origin. Empty lines and those that begin with `#`
  are skipped.
- Lines are read one by one, so that a file of any length takes constant memory.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, cast

from asgi_cors import Issue
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.registry import Entry

if TYPE_CHECKING:
    from asgi_cors.registry import Change

MAX_LINE: Final = 65_536  # bytes
_READ: Final = ("origin", "tenant", "note", "by", "expires_at")
_IGNORED: Final = ("id", "added_at")  # the store sets them
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DURATION: Final = re.compile(r"([0-9]{1,9})\s*([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TIME_HINT: Final = "Write 2030-01-31T12:00Z, or a duration such as 30d (s, m, h, d, w)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The values of entries that come from options.

    Args:
        tenant: The tenant of every entry; None to use the tenant of the line.
        note: The note of a line without one.
        by: The author of a line without one.
        expires_at: The expiry of a line without one.
    """

    tenant: str | None = None
    note: str = ""
    by: str = ""
    expires_at: datetime | None = None


class InvalidLine(NamedTuple):
    """A line that is not an entry.

    Args:
        number: The number of the line, from 1.
        issue: What is wrong.
    """

    number: int
    issue: Issue


class LineReader:
    """The entries in a stream of bytes.

    Args:
        stream: The stream.
        name: The stream in messages.
        defaults: The values that lines do not have.
    """

    def __init__(self, stream: IO[bytes], name: str, defaults: Defaults) -> None:
        """Start before the first line."""
        self._stream = stream
        self._name = name
        self._defaults = defaults
        self.number = 0  # of the last line
        self.bytes_read = 0

    def __iter__(self) -> Iterator[tuple[int, Entry] | InvalidLine]:
        """Yield each entry with the number of its line, or the issue of its line.

        Raises:
            CannotRunError: If the stream cannot be read.
        """
        for line in self._lines():
            try:
                text = line.decode().strip()
            except UnicodeDecodeError as error:
                shown = line.decode(errors="backslashreplace").strip()
                yield self._invalid(
                    shown, f"byte {error.start + 1} of the line is not UTF-8", "Save the file as UTF-8."
                )
                continue
            if len(line) > MAX_LINE:
                yield self._invalid(
                    text[:60], f"the line has over {MAX_LINE:,} bytes", "Write one origin on each line."
                )
            elif text and not text.startswith("#"):
                yield self._parse(text)

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines without the byte order mark. If a line is too long, yield its beginning."""
        while line := self._read():
            self.number += 1
            if self.number == 1:
                if line.startswith(_UTF_16):
                    raise CannotRunError(f"{self._name} is UTF-16. Save it as UTF-8.")
                line = line.removeprefix(codecs.BOM_UTF8)
            yield line
            while len(line) > MAX_LINE and not line.endswith(b"\n"):
                line = self._read()

    def _read(self) -> bytes:
        try:
            line = self._stream.readline(MAX_LINE + 1)
        except OSError as error:
            raise CannotRunError(f"{self._name} can't be read: {error.strerror or error}.") from None
        self.bytes_read += len(line)
        return line

    def _parse(self, text: str) -> tuple[int, Entry] | InvalidLine:
        default = self._defaults
        if not text.startswith("{"):
            origin, values = text, cast("Mapping[str, Any]", {})
        else:
            parsed = parse_object(text)
            if isinstance(parsed, Issue):
                return InvalidLine(self.number, parsed)
            origin, values = parsed["origin"], parsed
        entry = Entry(
            origin=origin,
            tenant=values.get("tenant", "") if default.tenant is None else default.tenant,
            note=values.get("note", default.note),
            by=values.get("by", default.by),
            expires_at=values.get("expires_at", default.expires_at),
        )
        return self.number, entry

    def _invalid(self, value: str, message: str, hint: str) -> InvalidLine:
        return InvalidLine(self.number, Issue("invalid-line", "line", value, message, hint))


def parse_object(text: str) -> dict[str, Any] | Issue:
    """Parse a line of JSON. Return the values of an entry by name, or what is wrong."""
    try:
        values: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return _json_issue(text, f"the line is not a JSON object: {reason}", 'Write {"origin": "https://…"}.')
    unknown = next((name for name in values if name not in {*_READ, *_IGNORED}), None)
    if unknown is not None:
        issue = Issue.unknown(unknown, _READ, kind="key")
        return _json_issue(unknown, f"there is no key {Issue.show(unknown)}", issue.hint)
    if "origin" not in values:
        return _json_issue(text, "the line has no origin", 'Write {"origin": "https://…"}.')
    for name in _READ[:-1]:
        if not isinstance(values.get(name, ""), str):
            return _json_issue(values[name], f"{name} is not a string", f'Write {{"{name}": "…"}}.')
    return _with_end(values)


def _with_end(values: dict[str, Any]) -> dict[str, Any] | Issue:
    """Return the values of an entry with `expires_at` as a datetime, or what is wrong."""
    end = values.get("expires_at")
    if end is None:
        return values
    try:
        return {**values, "expires_at": parse_time(end)}
    except (TypeError, ValueError):
        message = "expires_at is not an ISO 8601 date-time or null"
        return _json_issue(end, message, 'Write {"expires_at": "2030-01-31T12:00:00+00:00"}.')


def _json_issue(value: object, message: str, hint: str) -> Issue:
    return Issue("invalid-line", "line", value, message, hint)


# -- times


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 date or date-time. Without an offset, it is UTC.

    Raises:
        TypeError, ValueError: If it is not valid.
    """
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.utcoffset() is None else time


def parse_end(text: str) -> datetime:
    """Parse the expiry of an entry: a date-time, or a duration from now such as `30d`.

    Raises:
        CannotRunError: If it is neither, or if it has passed.
    """
    duration = _DURATION.fullmatch(text.strip().lower())
    try:
        if duration:
            end = datetime.now(UTC) + timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        else:
            end = parse_time(text.strip()).astimezone(UTC)
    except OverflowError:
        raise CannotRunError(
            f"--expires: {text!r} is too far away. Leave it out for origins that never expire."
        ) from None
    except ValueError:
        raise CannotRunError(f"--expires: {text!r} is not a time. {_TIME_HINT}") from None
    if end <= datetime.now(UTC):
        raise CannotRunError(f"--expires: {text!r} has passed. {_TIME_HINT}")
    return end


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat()


# -- JSON lines


def entry_line(entry: Entry) -> str:
    """Return an entry as one line of JSON."""
    values = {
        "id": entry.id,
        "origin": entry.origin,
        "tenant": entry.tenant,
        "note": entry.note,
        "by": entry.by,
        "added_at": _iso(entry.added_at),
        "expires_at": _iso(entry.expires_at),
    }
    return f"{json.dumps(values)}\n"


def change_line(change: Change) -> str:
    """Return a change as one line of JSON."""
    values = {
        "version": change.version,
        "at": _iso(change.at),
        "action": change.action,
        "origin": change.origin,
        "tenant": change.tenant,
        "by": change.by,
        "note": change.note,
        "expires_at": _iso(change.expires_at),
    }
    return f"{json.dumps(values)}\n"
