"""Lists of origins that users' functions return: collected, compared and compiled in a thread.

A list may have a million entries, and requests are served at the same time. So no step holds the interpreter lock for
long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from asgi_cors._configuration.refusal_records import logger
from asgi_cors._errors import Issue
from asgi_cors._origins.sharded import ShardedDict
from asgi_cors._policy.options import plain_string
from asgi_cors._policy.origin_table import OriginTable, check_origin

if TYPE_CHECKING:
    from asgi_cors._configuration.calls import ThreadPool
    from asgi_cors._policy.policy import Policy

_MAX_LINES: Final = 20  # entries that are reported for one list


class Entries(NamedTuple):
    """The entries of a list, without order and duplicates.

    Args:
        texts: The strings.
        others: The numbers of values of other types, by type.
    """

    texts: ShardedDict[None]
    others: Counter[str]


class OriginList(NamedTuple):
    """A compiled list.

    Args:
        table: The valid entries.
        invalid: The texts that are left out.
        others: The numbers of values that are not strings, by type.
    """

    table: OriginTable
    invalid: ShardedDict[None]
    others: Counter[str]

    @property
    def left_out(self) -> int:
        """The number of entries that are left out."""
        return len(self.invalid) + self.others.total()

    def is_made_of(self, entries: Entries) -> bool:
        """Return whether a list has the same entries."""
        return (
            len(entries.texts) == len(self.table) + len(self.invalid)
            and entries.others == self.others
            and all(text in self.table or text in self.invalid for text in entries.texts)
        )


EMPTY: Final = OriginList(OriginTable(), ShardedDict(), Counter())


def collect(value: object, max_entries: int) -> Entries:
    """Return the entries of a list.

    Args:
        value: The result of a user's function: an iterable of strings.
        max_entries: The largest number of entries.

    Raises:
        TypeError: If the value is not a list.
        ValueError: If it has too many entries.
        Exception: Any exception of the iterable.
    """
    entries = Entries(ShardedDict(), Counter())
    for number, entry in enumerate(_check_list(value)):
        if number >= max_entries:
            raise ValueError(f"the list has over {max_entries:,} entries. If they are intended, raise max_entries.")
        text = _text_of(entry)
        if text is None:
            entries.others[type(entry).__qualname__] += 1
        else:
            entries.texts[text] = None
    return entries


def _text_of(entry: object) -> str | None:
    """Return the text of an entry; None if it is not a string."""
    if type(entry) is str:
        return entry
    try:
        return plain_string(entry) if isinstance(entry, str) else None
    except Exception:  # noqa: BLE001 - a proxy of a string may raise anything
        return None


def _check_list(value: object) -> Iterable[object]:
    kind = type(value).__qualname__
    if isinstance(value, AsyncIterable):
        raise TypeError(f"{kind!r} is not a list of origins. Return [origin async for origin in …].")
    if isinstance(value, str | bytes | bytearray):
        raise TypeError(f"{kind!r} is not a list of origins. Return a list of strings, such as text.split().")
    if isinstance(value, Mapping):
        raise TypeError(f"{kind!r} is not a list of origins. Return a list of its keys or values.")
    if not isinstance(value, Iterable):
        raise TypeError(f"{kind!r} is not a list of origins. Return a list of strings, [] for none.")
    return cast("Iterable[object]", value)


def compile_entries(entries: Entries) -> OriginList:
    """Check the entries of a list. Invalid ones are left out."""
    table, invalid = OriginTable(), ShardedDict[None]()
    for text in entries.texts:
        if not table.insert(text):
            invalid[text] = None
    return OriginList(table, invalid, entries.others)


# -- reports


def report_left_out(name: str, new: OriginList, old: OriginList) -> None:
    """Log the entries that are left out of a list, except for those that were left out of the old one."""
    for kind, count in new.others.items():
        if kind not in old.others:
            logger.warning(
                "%s: %d entries are left out, because their type is %r. Return strings, as session.scalars(…) does for"
                " one column, or [row.origin for row in rows].",
                *(name, count, kind),
            )
    _report(name, (text for text in new.invalid if text not in old.invalid), check_origin)


class UnsafeReports:
    """Logs the entries that are left out for policies with credentials, once each.

    Args:
        name: The name of the entry that has the list, for messages.
    """

    def __init__(self, name: str) -> None:
        """Start with nothing logged."""
        self._name = name
        self._versions: dict[tuple[str, ...], int] = {}  # of the latest table, by accepted risks
        self._known: dict[tuple[str, ...], ShardedDict[None]] = {}  # its unsafe entries

    def report(self, table: OriginTable, version: int, policy: Policy, threads: ThreadPool) -> None:
        """Log the entries of a table that are unsafe for a policy, in a thread, once for each version."""
        accepted = policy.dangerously_allow
        if self._versions.get(accepted) != version:
            self._versions[accepted] = version
            threads.submit(self._report, table, policy)

    def _report(self, table: OriginTable, policy: Policy) -> None:
        found, known = ShardedDict[None](), self._known.get(policy.dangerously_allow, ())
        for text in table.unsafe_entries(policy):
            found[text] = None
        self._known[policy.dangerously_allow] = found
        _report(self._name, (text for text in found if text not in known), _check_with_credentials)


def _check_with_credentials(text: str) -> Issue | None:
    return check_origin(text, credentials=True)


def _report(name: str, entries: Iterable[str], check: Callable[[Any], Issue | None]) -> None:
    """Log the mistake of each entry. Above a limit, log the number of the others."""
    count = 0
    for count, text in enumerate(entries, start=1):
        issue = check(text) if count <= _MAX_LINES else None
        if issue is not None:
            logger.warning("%s: an entry is left out: %s. %s", name, issue.message, issue.hint)
    if count > _MAX_LINES:
        logger.warning("%s: %s more entries are left out", name, f"{count - _MAX_LINES:,}")
