"""The preflight cache (Fetch, CORS-preflight cache).

- The key of an entry is an origin, a URL with query and fragment, a credentials flag, and a method or a header name.
  An entry expires after max-age seconds.
- An entry with credentials serves every request. An entry without credentials serves requests without credentials.
- `*` serves every method, and every name except Authorization.
A page is one network partition, so there is no partition key. Two engines store one response for each URL instead.
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
    """The part of a request that a preflight must allow. Header names are lower case."""

    origin: str
    url: str
    credentials: bool
    method: str
    method_needs_preflight: bool
    names: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class AllowLists:
    """The methods and header names that a preflight's response allows. Header names are lower case."""

    methods: frozenset[str]
    names: frozenset[str]


class PreflightCache(Protocol):
    """The methods of both caches. Times are seconds of the page's clock."""

    def covers(self, query: Query, now: float) -> bool:
        """Return whether the request needs no preflight."""
        ...

    def store(self, query: Query, allowed: AllowLists, expires: float) -> None:
        """Store the response's lists until they expire."""
        ...

    def clear(self, origin: str, url: str) -> None:
        """Remove the URL's entries."""
        ...


def new_cache(engine: Engine) -> PreflightCache:
    """Return the empty cache of an engine."""
    return ResponseCache(engine) if engine.one_response_per_url else EntryCache(engine)


def _is_wildcard(engine: Engine, *, stored_credentials: bool, requested_credentials: bool) -> bool:
    """Return whether a stored `*` is a wildcard or a name like any other."""
    return {
        "always": True,
        "stored-without-credentials": not stored_credentials,
        "requested-without-credentials": not requested_credentials,
        "never": False,
    }[engine.cached_wildcard]


_Key = tuple[str, str, bool]
_Entry = tuple[Literal["preflight", "method", "header"], str]
# The entry of the preflight itself, for a preflighted request whose method and header names are all safelisted.
_PREFLIGHT: _Entry = ("preflight", "")


class EntryCache:
    """An entry for each method and header name, as in the standard."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._expiry: dict[_Key, dict[_Entry, float]] = {}

    def covers(self, query: Query, now: float) -> bool:
        """Return whether every needed method and name has an entry that has not expired."""
        needed: list[_Entry] = [("header", name) for name in query.names]
        if query.method_needs_preflight or (query.method == "HEAD" and self._engine.cached_head_needs_method):
            needed.append(("method", query.method))
        flags = [query.credentials] if query.credentials or self._engine.separates_credentials else [False, True]
        stored = [self._lookup(query, credentials=credentials) for credentials in flags]
        return all(any(_is_fresh(entry, entries, now) for entries in stored) for entry in needed or [_PREFLIGHT])

    def store(self, query: Query, allowed: AllowLists, expires: float) -> None:
        """Store each method and name, or renew its entry."""
        key = (query.origin, query.url, query.credentials)
        entries = self._expiry.pop(key, {})
        entries[_PREFLIGHT] = expires
        entries |= {("method", method): expires for method in allowed.methods}
        entries |= {("header", name): expires for name in allowed.names}
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
        entries = self._expiry[key] = self._expiry.pop(key)  # the last one used is evicted last
        if _is_wildcard(self._engine, stored_credentials=credentials, requested_credentials=query.credentials):
            return entries
        return {entry: expires for entry, expires in entries.items() if entry[1] != "*"}

    def _evict(self) -> None:
        size = self._engine.cache_size
        if size is not None and len(self._expiry) > size:
            del self._expiry[next(iter(self._expiry))]


def _is_fresh(entry: _Entry, entries: Mapping[_Entry, float], now: float) -> bool:
    accepted: list[_Entry] = [entry] if entry[1] == AUTHORIZATION else [entry, (entry[0], "*")]
    return any(entries.get(key, -math.inf) > now for key in accepted)


class ResponseCache:
    """The last response of each URL, as in Chromium and WebKit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._responses: dict[tuple[str, str], tuple[AllowLists, bool, float]] = {}

    def covers(self, query: Query, now: float) -> bool:
        """Return whether the URL's response has not expired and allows the request."""
        key = (query.origin, query.url)
        if key not in self._responses:
            return False
        allowed, credentials, expires = self._responses[key]
        is_sufficient = expires > now and self._allows(query, allowed, credentials=credentials)
        if not is_sufficient and self._engine.removes_insufficient_response:
            del self._responses[key]
        return is_sufficient

    def store(self, query: Query, allowed: AllowLists, expires: float) -> None:
        """Store the response in place of an older one."""
        limit, size = self._engine.cached_url_limit, self._engine.cache_size
        if limit is not None and len(query.url) >= limit:
            return
        self._responses[query.origin, query.url] = (allowed, query.credentials, expires)
        if size is not None and len(self._responses) > size:
            del self._responses[next(iter(self._responses))]

    def clear(self, origin: str, url: str) -> None:
        """Remove the URL's response."""
        self._responses.pop((origin, url), None)

    def _allows(self, query: Query, allowed: AllowLists, *, credentials: bool) -> bool:
        if query.credentials and not credentials:
            return False
        wildcard = _is_wildcard(self._engine, stored_credentials=credentials, requested_credentials=query.credentials)
        methods = {query.method, "*"} if wildcard else {query.method}
        if query.method_needs_preflight and not methods & allowed.methods:
            return False
        return all(name in allowed.names or (wildcard and self._wildcard_covers(name, allowed)) for name in query.names)

    def _wildcard_covers(self, name: str, allowed: AllowLists) -> bool:
        is_coverable = name != AUTHORIZATION or self._engine.cached_wildcard_covers_authorization
        return is_coverable and "*" in allowed.names
