"""The preflight cache (Fetch, CORS-preflight cache).

- An entry belongs to an origin and a URL (query and fragment included), to requests with or without credentials, and
  to a method or a header name; it lives for max-age seconds.
- An entry with credentials serves every request. An entry without serves only requests without credentials.
- `*` serves for any method and any name but Authorization.
A page is one network partition, so the partition key is left out. Two engines store one response per URL instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from .engines import Engine

AUTHORIZATION = "authorization"
SAFELISTED_METHODS = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a request would need a preflight's consent for; names are lower case."""

    origin: str
    url: str
    credentials: bool
    method: str
    method_needs_consent: bool
    names: Sequence[str]


def is_wildcard(engine: Engine, *, stored_credentials: bool, requested_credentials: bool) -> bool:
    """Return whether a stored `*` is a wildcard, and not a name like any other."""
    return {
        "always": True,
        "stored-without-credentials": not stored_credentials,
        "requested-without-credentials": not requested_credentials,
        "never": False,
    }[engine.cached_wildcard]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a preflight's response granted; names are lower case."""

    methods: frozenset[str]
    names: frozenset[str]


class PreflightCache(Protocol):
    """What the fetch needs of a cache; times are seconds of the page's clock."""

    def covers(self, query: Query, now: float) -> bool:
        """Return whether the request may go without a preflight."""
        ...

    def store(self, query: Query, answer: Answer, expires: float) -> None:
        """Keep the answer until it expires."""
        ...

    def clear(self, origin: str, url: str) -> None:
        """Forget what is known of the URL."""
        ...


def new_cache(engine: Engine) -> PreflightCache:
    """Return an empty cache of the engine's kind."""
    return AnswerCache(engine) if engine.one_answer_per_url else EntryCache(engine)


_Key = tuple[str, str, bool]
_Entry = tuple[Literal["preflight", "method", "header"], str]
# The entry of the preflight itself, for a request that must have one but needs neither a method nor a name.
_PREFLIGHT: _Entry = ("preflight", "")


class EntryCache:
    """An entry per method and per header name, as the standard has it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._expiry: dict[_Key, dict[_Entry, float]] = {}

    def covers(self, query: Query, now: float) -> bool:
        """Return whether every needed method and name has an entry that has not expired."""
        wanted: list[_Entry] = [("header", name) for name in query.names]
        if query.method_needs_consent or (query.method == "HEAD" and self._engine.cached_head_needs_method):
            wanted.append(("method", query.method))
        usable = [query.credentials] if query.credentials or self._engine.credentials_apart else [False, True]
        stored = [self._lookup(query, credentials=credentials) for credentials in usable]
        return all(any(_is_fresh(entry, entries, now) for entries in stored) for entry in wanted or [_PREFLIGHT])

    def store(self, query: Query, answer: Answer, expires: float) -> None:
        """Store each method and name, renewing those already there."""
        key = (query.origin, query.url, query.credentials)
        entries = self._expiry.pop(key, {})
        entries[_PREFLIGHT] = expires
        entries |= {("method", method): expires for method in answer.methods}
        entries |= {("header", name): expires for name in answer.names}
        self._expiry[key] = entries
        self._evict()

    def clear(self, origin: str, url: str) -> None:
        """Remove the URL's entries."""
        for credentials in (False, True):
            self._expiry.pop((origin, url, credentials), None)

    def _lookup(self, query: Query, *, credentials: bool) -> dict[_Entry, float]:
        """Return the entries, without those of `*` if it is not a wildcard."""
        key = (query.origin, query.url, credentials)
        if key not in self._expiry:
            return {}
        entries = self._expiry[key] = self._expiry.pop(key)  # used last, so evicted last
        if is_wildcard(self._engine, stored_credentials=credentials, requested_credentials=query.credentials):
            return entries
        return {entry: expires for entry, expires in entries.items() if entry[1] != "*"}

    def _evict(self) -> None:
        size = self._engine.cache_size
        if size is not None and len(self._expiry) > size:
            del self._expiry[next(iter(self._expiry))]


def _is_fresh(entry: _Entry, entries: Mapping[_Entry, float], now: float) -> bool:
    accepted: list[_Entry] = [entry] if entry[1] == AUTHORIZATION else [entry, (entry[0], "*")]
    return any(entries.get(one, -math.inf) > now for one in accepted)


class AnswerCache:
    """The last answer of each URL, as Chromium and WebKit have it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answers: dict[tuple[str, str], tuple[Answer, bool, float]] = {}

    def covers(self, query: Query, now: float) -> bool:
        """Return whether the URL's answer lives and grants all that is needed."""
        key = (query.origin, query.url)
        if key not in self._answers:
            return False
        answer, credentials, expires = self._answers[key]
        sufficient = expires > now and self._suffices(query, answer, credentials=credentials)
        if not sufficient and self._engine.drops_insufficient_answer:
            del self._answers[key]
        return sufficient

    def store(self, query: Query, answer: Answer, expires: float) -> None:
        """Keep the answer in place of an older one."""
        limit, size = self._engine.cached_url_limit, self._engine.cache_size
        if limit is not None and len(query.url) >= limit:
            return
        self._answers[query.origin, query.url] = (answer, query.credentials, expires)
        if size is not None and len(self._answers) > size:
            del self._answers[next(iter(self._answers))]

    def clear(self, origin: str, url: str) -> None:
        """Forget the URL's answer."""
        self._answers.pop((origin, url), None)

    def _suffices(self, query: Query, answer: Answer, *, credentials: bool) -> bool:
        if query.credentials and not credentials:
            return False
        wildcard = is_wildcard(self._engine, stored_credentials=credentials, requested_credentials=query.credentials)
        if query.method_needs_consent and not (query.method in answer.methods or (wildcard and "*" in answer.methods)):
            return False
        return all(name in answer.names or (wildcard and self._star_covers(name, answer)) for name in query.names)

    def _star_covers(self, name: str, answer: Answer) -> bool:
        covered = name != AUTHORIZATION or self._engine.cached_wildcard_covers_authorization
        return covered and "*" in answer.names
