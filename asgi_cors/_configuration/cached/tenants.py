"""`Tenants`: a callable for `policy_for` that caches the policy of each tenant."""

from __future__ import annotations

import functools
import operator
import time
from collections.abc import Awaitable, Callable
from types import NotImplementedType
from typing import TYPE_CHECKING, Any, Final, Never, TypedDict, Unpack, cast

from asgi_cors._configuration.calls import LimitedAwaitable
from asgi_cors._configuration.source import Answer, OriginSource
from asgi_cors._configuration.source_options import (
    check_function,
    check_options,
    count,
    function,
    is_async,
    positional_error,
    raise_issues,
    repr_of,
    seconds,
)
from asgi_cors._decision.callables import call_name, name_of
from asgi_cors._errors import Issue, show
from asgi_cors._policy.functions import PolicyFinder
from asgi_cors._policy.policy import Policy

from .answers import AnswerCache
from .records import CacheStatistics, Deferred, Limits, Result

if TYPE_CHECKING:
    from datetime import timedelta

    from asgi_cors._configuration.calls import AppContext
    from asgi_cors._configuration.feed import Feed
    from asgi_cors._http import Scope

MAX_HOST: Final = 262  # bytes: a name of 255, a colon, a port, and a final dot
MAX_KEY: Final = 1024  # characters

KeyOf = Callable[["Scope"], str | None]
PolicyOf = Callable[[str], Awaitable[Policy | None] | Policy | None]


class TenantsOptions(TypedDict, total=False):
    """The options of `Tenants`, as keywords."""

    ttl: float | timedelta
    negative_ttl: float | timedelta
    stale_if_error: float | timedelta
    max_entries: int
    max_refused: int
    max_in_flight: int
    timeout: float | timedelta
    feed: Feed | None
    clock: Callable[[], float]


OPTIONS: Final = {
    "ttl": seconds(60, is_positive=True),
    "negative_ttl": seconds(10),
    "stale_if_error": seconds(300),
    "max_entries": count(10_000),
    "max_refused": count(10_000),
    "max_in_flight": count(100),
    "timeout": seconds(2, is_positive=True, is_finite=True),
    "feed": function(None, "a function that returns an async iterator", "Write feed=changes, without parentheses."),
    "clock": function(time.monotonic, "a function that returns seconds", "Leave clock out, or write clock=my_clock."),
}
_ERROR_TTL: Final = 1.0  # seconds


class _NoOrigins(OriginSource):
    """The origins of an unknown tenant."""

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer:  # noqa: ARG002 - the base's
        """Refuse every origin."""
        return Answer(allowed=False, leases=())

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool, str]:  # noqa: ARG002 - the base's
        """Say why."""
        return False, "refused, because the tenant is unknown"

    def __repr__(self) -> str:
        """Return the name that messages show."""
        return "<no origins: the tenant is unknown>"


@functools.cache
def unknown_policy() -> Policy:
    """Return the policy of unknown tenants. It allows nothing, which is intended."""
    return Policy(allow_origins=[_NoOrigins()])


class Tenants(PolicyFinder):
    """A callable for `policy_for`: the policy of each tenant, cached.

    Args:
        key: Returns the key of a request's tenant. If it returns None, the next rule finds the policy. It is called for
            each request, so it must not block.
        policy: Returns the policy for a key, sync or async. If it returns None, the tenant is unknown, and its requests
            are refused. A sync function runs in the event loop, so it must not block. Under WSGI and trio it runs in a
            thread.
        options: As keywords. Times are in seconds, or a timedelta:
            `ttl` (how long a policy is used without another call; each time is shortened at random by up to a tenth;
            default 60),
            `negative_ttl` (how long a key stays unknown; default 10),
            `stale_if_error` (how long after `ttl` the old policy is used if calls fail; default 300),
            `max_entries` (policies that are cached; default 10,000),
            `max_refused` (unknown keys that are cached; default 10,000),
            `max_in_flight` (calls that may run; a quarter is reserved for known tenants; default 100),
            `timeout` (of one call; default 2),
            `feed` (a function that returns an async iterator: each item is a key to be invalidated, or None for all),
            `clock` (a monotonic clock in seconds; default `time.monotonic`).

    Raises:
        ConfigError: With every mistake found.
    """

    app_context: AppContext | None = None
    """The context in which `policy` runs. The first middleware that uses the object sets it."""

    def __init__(
        self,
        key: KeyOf | None = None,
        policy: PolicyOf | None = None,
        *arguments: Never,
        **options: Unpack[TenantsOptions],
    ) -> None:
        """Validate the options, and start with an empty cache."""
        if arguments:
            raise positional_error("Tenants", "key, policy", arguments, OPTIONS)
        issues: list[Issue] = []
        line = "Tenants(key, policy), with functions key(scope) and policy(key)"
        if key is not host_of:
            check_function(key, "key", line, issues, ("scope",))
        check_function(policy, "policy", line, issues, ("key",))
        if is_async(key):
            message = "an async function can't return the key, because the cache is searched at once"
            issues.append(Issue("async-key", "key", key, message, "Use a function made with def."))
        values = check_options(OPTIONS, options, issues)
        raise_issues(issues, "Tenants")
        self._key = cast("KeyOf", key)
        self._policy = cast("PolicyOf", policy)
        self._values = values
        self._cache: AnswerCache[Policy] = AnswerCache(
            self._policy,
            self._convert,
            Limits.of({**values, "error_ttl": _ERROR_TTL}),
            _is_same,
            clock=values["clock"],
            name=call_name(policy),
            app_context=lambda: self.app_context,
            feed=values["feed"],
        )

    @classmethod
    def by_host(cls, policy: PolicyOf, *arguments: Never, **options: Unpack[TenantsOptions]) -> Tenants:
        """Return a `Tenants` whose key is the value of Host in lower case, without port and final dot.

        A request without exactly one Host of at most 262 bytes has no key. X-Forwarded-Host is not read.

        Args:
            policy: As for the class.
            arguments: None: options are keywords.
            options: As for the class.

        Raises:
            ConfigError: With every mistake found.
        """
        return cls(host_of, policy, *arguments, **options)

    def __repr__(self) -> str:
        """Return the functions' names, and the options that are not defaults."""
        return repr_of("Tenants", (name_of(self._key), name_of(self._policy)), OPTIONS, self._values)

    def __call__(self, scope: Scope) -> Policy | NotImplementedType | LimitedAwaitable:
        """Return the policy of a request's tenant, or an awaitable of the policy if a call is needed.

        Returns:
            NotImplemented if the request has no key.

        Raises:
            TypeError: If the key is not a string.
            LookupError: If the policy could not be looked up.
        """
        key = self.key_of(scope)
        if key is None:
            return NotImplemented  # type: ignore[no-any-return]  # typeshed has no other type
        result = self.look_up(key)
        if result is None:
            return LimitedAwaitable(Deferred(self._wait, key), self._cache.limits.timeout)
        return self._policy_of(key, result)

    def key_of(self, scope: Scope) -> str | None:
        """Return the key of a request's tenant.

        Raises:
            TypeError: If the function returns another value than a string or None.
            ValueError: If the key is too long to be cached.
        """
        key = self._key(scope)
        if not isinstance(cast("object", key), str | None):
            raise TypeError(f"{call_name(self._key)} returned {show(key)}, which is not a string or None")
        if key is not None and len(key) > MAX_KEY:
            raise ValueError(f"{call_name(self._key)} returned a key of over {MAX_KEY:,} characters")
        return key

    def look_up(self, key: str) -> Result[Policy] | None:
        """Return the stored answer for a key; None if a call is needed."""
        return self._cache.look_up(key)

    async def _wait(self, key: str) -> Policy:
        return self._policy_of(key, await self._cache.wait(key))

    def _policy_of(self, key: str, result: Result[Policy]) -> Policy:
        """Return the policy of a result.

        Raises:
            LookupError: If the call failed.
        """
        if result.error is not None:
            raise self._cache.error_of(key, result.error) from result.error
        return unknown_policy() if result.value is None else result.value

    async def get(self, key: str) -> Policy | None:
        """Return the policy for a key; None if the tenant is unknown.

        Raises:
            LookupError: If the call failed. Its cause is the exception of the function.
        """
        return await self._cache.get(key)

    def invalidate(self, key: str) -> None:
        """Drop the policy for a key, and the responses that middlewares cached with it.

        A call in flight is not stored: later requests begin another one. Any thread may call this.
        """
        self._cache.invalidate(key)

    def clear(self) -> None:
        """Drop all policies, as `invalidate` does."""
        self._cache.clear()

    def stats(self) -> CacheStatistics:
        """Return the number of hits, misses and errors since the start, and of keys that are stored."""
        return self._cache.stats()

    def start(self) -> None:
        """Begin to read the feed in the running event loop."""
        self._cache.start()

    def stop(self) -> None:
        """End the calls and the feed in the running event loop."""
        self._cache.stop()

    @staticmethod
    def _convert(value: Any) -> Policy | None:
        """Return the policy that the function returned.

        Raises:
            TypeError: If it is not a policy.
        """
        if value is not None and not isinstance(value, Policy):
            raise TypeError(f"it returned {show(value)}, which is not a Policy or None")
        return value


def _is_same(old: Policy, new: Policy) -> bool:
    """Return whether two policies are equal, and have the same callables: equal ones may answer differently."""
    callables = [policy.compiled.callables for policy in (old, new)]
    return len(callables[0]) == len(callables[1]) and all(map(operator.is_, *callables)) and old == new


def host_of(scope: Scope) -> str | None:
    """Return the value of Host in lower case, without port and final dot; None unless there is exactly one Host."""
    hosts = [value for name, value in scope["headers"] if name.lower() == b"host"]
    if len(hosts) != 1 or len(hosts[0]) > MAX_HOST:
        return None
    host = hosts[0].strip(b" \t").decode("latin-1").lower()
    name, _, port = host.rpartition(":")
    has_port = name and (not port or port.isdecimal()) and (":" not in name or name.endswith("]"))
    return (name if has_port else host).removesuffix(".") or None
