"""The difference of two policies: the grants and the protections that only one of them has.

A value counts as different only if its effect is: an origin that the other policy's pattern matches, or a header that
its prefix covers, is not a difference. A regular expression covers origins, and itself. A callable covers itself only,
because nothing is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asgi_cors._errors import show
from asgi_cors._origins.pattern import parse_valid_pattern

from .options import equality_key

if TYPE_CHECKING:
    from .compiled import CompiledPolicy
    from .options import OriginEntry
    from .policy import Policy

Difference = tuple[str, object]

_MAX_SHOWN: Final = 20  # values of one option, in a text
_IMPLIED_SECONDS: Final = 5  # how long browsers cache a preflight's response without Access-Control-Max-Age
# The values of the protections, the weakest first. A resource without Cross-Origin-Resource-Policy is refused to pages
# of other origins under COEP, so "cross-origin" allows more than None.
_CSRF_PROTECTIONS: Final = (False, "report", True)
_RESOURCE_POLICIES: Final = ("cross-origin", None, "same-site", "same-origin")
_WEAKEST: Final = ("resource_policy", _RESOURCE_POLICIES[0])
_PROTECTIONS: Final = frozenset({"csrf_protection", "resource_policy"})


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """The difference of two policies. It is false if there is none.

    A value is an origin entry, a name or another value of its option, which only one of the policies grants. For
    `csrf_protection` and `resource_policy` it is the stronger of the two protections: a protection that is turned on is
    in `refused`, and one that is turned off in `allowed`.

    Args:
        allowed: Pairs of an option and a value that only the other policy allows.
        refused: Pairs of an option and a value that only this policy allows.
    """

    allowed: tuple[Difference, ...] = ()
    refused: tuple[Difference, ...] = ()

    def __len__(self) -> int:
        """Return the number of differences."""
        return len(self.allowed) + len(self.refused)

    def __str__(self) -> str:
        """Return a line for each difference, but for the first 20 values of an option only."""
        return "\n".join((*_lines("allowed", self.allowed), *_lines("refused", self.refused)))


def _lines(kind: str, differences: Iterable[Difference]) -> Iterator[str]:
    by_option: dict[str, list[object]] = {}
    for option, value in differences:
        by_option.setdefault(option, []).append(value)
    for option, values in by_option.items():
        for value in values[:_MAX_SHOWN]:
            is_protection = option in _PROTECTIONS and (option, value) != _WEAKEST
            is_off = " is off" if is_protection and kind == "allowed" else ""
            yield f"{kind}: {option}={show(value)}{is_off}"
        if len(values) > _MAX_SHOWN:
            yield f"{kind}: {option}, {len(values) - _MAX_SHOWN:,} more"


def compare(policy: Policy, other: Policy) -> PolicyDiff:
    """Return the difference: everything that `other` allows or refuses, compared with `policy`."""
    if policy == other:
        return PolicyDiff()
    return PolicyDiff(tuple(_added(policy, other)), tuple(_added(other, policy)))


def _added(old: Policy, new: Policy) -> Iterator[Difference]:
    """Yield what `new` allows and `old` does not."""
    yield from _added_origins(old, new)
    yield from _added_names(old.compiled, new.compiled)
    for option in ("allow_credentials", "allow_private_network", "timing_allow_origin"):
        if getattr(new, option) and not getattr(old, option):
            yield option, True
    if _seconds(new.max_age) > _seconds(old.max_age):
        yield "max_age", new.max_age
    yield from _removed_protections(old, new)
    yield from _added_trusted_origins(old, new)
    yield from _added_risks(old, new)


def _seconds(max_age: int | None) -> float:
    """Return how long browsers cache, as a number that differs for each value."""
    return _IMPLIED_SECONDS - 0.5 if max_age is None else max_age


# -- origins


class _Origins:
    """The origins that a compiled policy allows, to look up entries of another policy.

    Args:
        compiled: The compiled policy.
    """

    def __init__(self, compiled: CompiledPolicy) -> None:
        self.any = compiled.allows_any_origin
        self.set = compiled.origins
        self.regexes = frozenset(self.set.regexes)
        self.callables = frozenset(map(equality_key, compiled.callables))
        self.null = compiled.ignores_origin or "null" in self.set.exact

    def cover(self, entry: Any) -> bool:
        """Return whether the policy allows every origin that an entry of another policy allows."""
        if not isinstance(entry, str):
            is_known = entry in self.regexes if isinstance(entry, re.Pattern) else equality_key(entry) in self.callables
            return self.any or is_known
        if entry in self.set.exact:
            return True
        if entry == "null":
            return self.null
        if "*" not in entry:
            return self.any or entry in self.set
        return self.any or self.set.patterns.covers(parse_valid_pattern(entry))


def _added_origins(old: Policy, new: Policy) -> Iterator[Difference]:
    origins = _Origins(old.compiled)
    if new.allow_origins == "*":
        if not origins.any:
            yield "allow_origins", "*"
        elif new.compiled.ignores_origin and not origins.null:
            yield "allow_origins", "null"  # `*` allows it without credentials only
        return
    covers = _senders(old) if _gains_senders(old, new) else [origins]
    for _, entry in _uncovered("allow_origins", new.allow_origins, *covers):
        if entry != "null" or not origins.null:  # `null` never sends
            yield "allow_origins", entry
    regex = new.allow_origin_regex
    if regex is not None and not any(cover.cover(re.compile(regex)) for cover in covers):
        yield "allow_origin_regex", regex


def _gains_senders(old: Policy, new: Policy) -> bool:
    """Return whether an origin may send requests because `new` names it, and `old` has `*`, which only reads."""
    return old.compiled.allows_any_origin and old.csrf_protection is True and new.csrf_protection is True


def _senders(policy: Policy) -> list[_Origins]:
    """Return the origins whose requests with credentials pass `csrf_protection`."""
    senders = [_Origins(policy.compiled.trusted.compiled)] if policy.compiled.trusted else []
    if policy.allow_credentials and not policy.compiled.allows_any_origin:
        senders.append(_Origins(policy.compiled))
    return senders


def _uncovered(option: str, entries: Iterable[OriginEntry], *covers: _Origins) -> Iterator[Difference]:
    for entry in entries:
        if not any(origins.cover(entry) for origins in covers):
            yield option, entry


def _added_trusted_origins(old: Policy, new: Policy) -> Iterator[Difference]:
    """Yield the trusted origins that `old` does not allow to send requests, with credentials or by its own trust."""
    covers = _senders(old)
    if new.compiled.trusted and new.compiled.trusted.compiled.allows_any_origin:
        if not any(origins.any for origins in covers):
            yield "csrf_trusted_origins", "*"
        return
    yield from _uncovered("csrf_trusted_origins", new.csrf_trusted_origins, *covers)


# -- the other options


def _added_names(old: CompiledPolicy, new: CompiledPolicy) -> Iterator[Difference]:
    """Yield methods and headers, with those of presets."""
    if new.allows_any_method:
        if not old.allows_any_method:
            yield "allow_methods", "*"
    else:
        yield from (("allow_methods", name) for name in new.methods if not old.allows_method(name))
    if new.allows_any_header:
        if not old.allows_any_header:
            yield "allow_headers", "*"
    else:
        yield from (("allow_headers", name) for name in new.headers if not _covers_header(old, name))
    if "*" not in old.exposed:
        known = {name.lower() for name in old.exposed}
        yield from (("expose_headers", name) for name in new.exposed if name.lower() not in known)


def _covers_header(policy: CompiledPolicy, name: str) -> bool:
    """Return whether a policy allows a header, or every header with a prefix such as `x-app-*`."""
    if name.endswith("*"):
        return policy.allows_any_header or name.startswith(policy.header_prefixes)
    return policy.allows_header(name)


def _removed_protections(old: Policy, new: Policy) -> Iterator[Difference]:
    """Yield each protection that is weaker in `new`, with the value of `old`."""
    if _CSRF_PROTECTIONS.index(new.csrf_protection) < _CSRF_PROTECTIONS.index(old.csrf_protection):
        yield "csrf_protection", old.csrf_protection
    if _RESOURCE_POLICIES.index(new.resource_policy) < _RESOURCE_POLICIES.index(old.resource_policy):
        yield "resource_policy", old.resource_policy or new.resource_policy


def _added_risks(old: Policy, new: Policy) -> Iterator[Difference]:
    """Yield the accepted risks, if both policies have callables with credentials.

    An accepted risk allows nothing by itself. It counts for the entries of a registry or another source only, which are
    not known here: all other entries with a risk are differences themselves.
    """
    if all(policy.compiled.checks_risks for policy in (old, new)):
        yield from (("dangerously_allow", risk) for risk in new.dangerously_allow if risk not in old.dangerously_allow)
