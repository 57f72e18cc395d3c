"""Origins and patterns that change at run time, checked by the rules of `allow_origins`.

They are data, and data never opens everything: `*`, `null` and regular expressions are not accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from asgi_cors._errors import UNSET_HINT, Issue, OptionIssues
from asgi_cors._origins.corrections import hint_for_object
from asgi_cors._origins.origin import OVER_HTTP, SHARED_SUFFIX, is_simple_origin
from asgi_cors._origins.origin_set import MutableOriginSet
from asgi_cors._origins.pattern import Pattern, parse_pattern

from .options import parse_origins, plain_string
from .risks import check_credentials, is_over_http, is_shared

if TYPE_CHECKING:
    from asgi_cors._origins.origin_set import OriginSet

    from .policy import Policy

_OPTION: Final = "allow_origins"
_NAME_IT: Final = "Name the origin, as in 'https://app.example.com'."
# Messages and hints for two texts that a policy accepts
_NOT_DATA: Final = {
    "*": ("'*' would allow every origin; only the policy itself can do that", _NAME_IT),
    "null": ("'null' is the origin of every sandboxed page, whichever site it comes from", "Leave it out."),
}
_NO_REGEX: Final = "Name the origin, or use a pattern such as 'https://*.example.com'."


def check_origin(text: object, *, credentials: bool = False) -> Issue | None:
    """Check an origin or origin pattern of a form or database, by the rules for an entry of `allow_origins`.

    `*`, `null` and regular expressions are not accepted.

    Args:
        text: The origin, such as `https://app.example.com`, or the pattern, such as `https://*.example.com`.
        credentials: Whether it is to be allowed with credentials, so that an unsafe entry is a mistake, too.

    Returns:
        None if the text is valid; otherwise the first mistake, with a hint.
    """
    text = plain_string(text)

    def accepts(entries: list[Any]) -> bool:
        parsed = [_parse(entry) for entry in entries]
        return all(entry is not None and not (credentials and _risks(entry)) for entry in parsed)

    if not isinstance(text, str):
        return _with_hint_for_data(Issue.wrong_type(_OPTION, text, "a string", hint_for_object(text, accepts)))
    if text in _NOT_DATA:
        return Issue("origin-not-data", _OPTION, text, *_NOT_DATA[text])
    issues = OptionIssues(_OPTION)
    origins = parse_origins([text], None, issues, accepts)
    if credentials:
        check_credentials(origins, (), issues)
    return _with_hint_for_data(issues.errors[0]) if issues.errors else None


def _with_hint_for_data(issue: Issue) -> Issue:
    """Replace a hint that names an option of the policy or the environment."""
    if issue.hint == UNSET_HINT:
        return replace(issue, hint=_NAME_IT)
    if issue.code == "origin-regex" and not issue.hint.startswith("Write "):
        return replace(issue, hint=_NO_REGEX)
    return issue


class OriginTable:
    """Origins and patterns that change, for policies with and without credentials.

    One thread may change the table while others read it. It holds a million origins in about 150 MB. No call takes
    longer for many entries than for few, except `len` and iteration.

    Args:
        texts: Origins and patterns to begin with. Invalid ones are left out.
    """

    __slots__ = ("_sets",)

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._sets: dict[frozenset[str], MutableOriginSet] = {}  # by the risks of their entries with credentials
        for text in texts:
            self.insert(text)

    def add(self, text: str) -> Issue | None:
        """Add an origin or pattern.

        Returns:
            None if it is valid, also if it was in the table already; otherwise the mistake, with a hint.
        """
        return None if self.insert(text) else check_origin(text)

    def insert(self, text: object) -> bool:
        """Add an origin or pattern, and return whether it is valid. Finding its mistake takes longer; see `add`."""
        entry = _parse(text)
        if entry is None:
            return False
        risks = _risks(entry)
        origins = self._sets.get(risks)
        if origins is None:
            origins = self._sets[risks] = MutableOriginSet()
        origins.add(entry)
        return True

    def discard(self, text: str) -> None:
        """Remove an origin or pattern if it is in the table."""
        entry = _parse(text)
        origins = self._sets.get(_risks(entry)) if entry else None
        if entry is not None and origins is not None:
            origins.discard(entry)

    def allows(self, origin: str, policy: Policy | None = None) -> bool:
        """Return whether an entry matches an origin, and is safe for a policy.

        Args:
            origin: A serialized origin.
            policy: The policy that is to allow the origin. Without `allow_credentials` every entry is safe. None is
                treated like a policy with credentials that accepts no risk.
        """
        return any(origin in origins for origins in self.origin_sets(policy))

    def origin_sets(self, policy: Policy | None = None) -> tuple[OriginSet, ...]:
        """Return the sets of entries that are safe for a policy; see `allows`."""
        return tuple(origins for risks, origins in [*self._sets.items()] if _is_safe(risks, policy))

    def unsafe_entries(self, policy: Policy | None = None) -> Iterator[str]:
        """Yield the entries that are not safe for a policy; see `allows`."""
        for risks, origins in [*self._sets.items()]:
            if not _is_safe(risks, policy):
                yield from origins.entries()

    def __contains__(self, text: str) -> bool:
        """Return whether an origin or pattern is an entry, by its text. `allows` matches origins."""
        return any(origins.has_entry(text) for origins in [*self._sets.values()])

    def __iter__(self) -> Iterator[str]:
        """Yield the texts of all entries, without an order."""
        for origins in [*self._sets.values()]:
            yield from origins.entries()

    def __len__(self) -> int:
        """Return the number of entries."""
        return sum(origins.size for origins in [*self._sets.values()])

    def __repr__(self) -> str:
        """Return the number of entries."""
        return f"<OriginTable of {len(self):,} entries>"


def _parse(text: object) -> Pattern | None:
    text = plain_string(text)
    if not isinstance(text, str):
        return None
    if is_simple_origin(text):
        scheme, _, host = text.partition("://")
        return Pattern(text, scheme, host, "")
    parsed = parse_pattern(text)
    return parsed if isinstance(parsed, Pattern) else None


_NONE: Final[frozenset[str]] = frozenset()


def _risks(entry: Pattern) -> frozenset[str]:
    """Return the codes of the risks that an entry has with credentials."""
    if entry.scheme == "https" and entry.is_exact:
        return _NONE
    found = {OVER_HTTP: is_over_http(entry), SHARED_SUFFIX: is_shared(entry)}
    return frozenset(code for code, is_found in found.items() if is_found)


def _is_safe(risks: frozenset[str], policy: Policy | None) -> bool:
    if policy is None:
        return not risks
    return not policy.allow_credentials or risks.issubset(policy.dangerously_allow)
