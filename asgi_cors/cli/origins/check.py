"""`origins check`: checks whether texts are valid, and whether a store allows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from asgi_cors import check_origin
from asgi_cors._origins.origin_set import OriginSet
from asgi_cors._origins.pattern import Pattern, parse_pattern

from .report import INVALID, NOT_FOUND, VALID, OriginResult, time_text

if TYPE_CHECKING:
    from asgi_cors.registry import Entry


def check_all(
    origins: Iterable[str], *, credentials: bool, tenant: str = "", entries: Iterable[Entry] | None = None
) -> Iterator[OriginResult]:
    """Check each text.

    Args:
        origins: Origins or patterns.
        credentials: Whether the origins are checked for a policy with credentials.
        tenant: The tenant whose entries are searched.
        entries: The entries of the store; None to check without a store.
    """
    results = [_check(origin, tenant, credentials=credentials) for origin in origins]
    if entries is None:
        yield from results
        return
    found = _find({result.origin for result in results if not result.failed}, entries)
    for result in results:
        yield result if result.failed else _with_entry(result, found.get(result.origin))


def _check(origin: str, tenant: str, *, credentials: bool) -> OriginResult:
    issue = check_origin(origin, credentials=credentials)
    if issue is None:
        return OriginResult(origin=origin, tenant=tenant, result=VALID)
    return OriginResult(origin=origin, tenant=tenant, result=INVALID, message=issue.message, hint=issue.hint)


def _find(origins: set[str], entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return an entry for each origin: one with the same text, a pattern that matches, or else an expired one."""
    found: dict[str, Entry] = {}
    ended: dict[str, Entry] = {}
    for entry in entries:
        if entry.origin in origins:
            (ended if _has_ended(entry) else found)[entry.origin] = entry
        elif "*" in entry.origin and not _has_ended(entry):
            pattern = parse_pattern(entry.origin)
            matches = OriginSet((), [pattern], ()) if isinstance(pattern, Pattern) else ()
            for origin in origins:
                if origin in matches:
                    found.setdefault(origin, entry)
    return {**ended, **found}


def _has_ended(entry: Entry) -> bool:
    return entry.expires_at is not None and entry.expires_at <= datetime.now(UTC)


def _with_entry(result: OriginResult, entry: Entry | None) -> OriginResult:
    """Return a result with the entry of the store that allows the origin."""
    if entry is None:
        return replace(result, result=NOT_FOUND, message="valid, but the store does not have it")
    if _has_ended(entry):
        return replace(result, result=NOT_FOUND, message=f"valid, but it expired on {time_text(entry.expires_at)} UTC")
    if entry.origin != result.origin:
        return replace(result, message=f"and the store allows it with {entry.origin!r}")
    details = [f"added on {time_text(entry.added_at)} UTC"]
    details += [f"by {entry.by}"] if entry.by else []
    details += [f"until {time_text(entry.expires_at)} UTC"] if entry.expires_at else []
    return replace(result, message=f"and the store has it: {', '.join(details)}")
