"""Caches of responses, bounded because clients choose the keys.

The key of a response is Origin; for a preflight, Origin and the Access-Control-Request-* headers. Under
`csrf_protection`, the key of a request that writes has Host, Sec-Fetch-Site, the origin of Referer and the scheme, too.
Most responses depend on the policy and the key alone. The others are cached under a longer key, and the item under the
key has no response:

- The functions among a policy's callables are called for each request, because their result may change. The result
  becomes a part of the key.
- Some responses depend on another part of the request, a `Part`, which is read and becomes a part of the key.
- `on_decision` is called with each decision, before the response is sent.

`ResponseCache.store` stores these items, and `ResponseCache.check` follows them.

`allowed_hosts` is checked before a cached response is looked up.

An `OriginSource`, such as `Cached`, returns its answer with leases, which say how long the answer holds. If all
callables of a policy are such sources, the response depends on the key alone while the leases are current.

The policies of `Tenants` have caches of their own, which are dropped with the policy. Their bounds are shared.

The caches of one policy, or of all tenants, and one interface hold about 10 MB at the most.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from enum import Enum
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from asgi_cors._decision.fetch_metadata import SAFE_METHODS
from asgi_cors._routing.rules import PolicyMatch

from .bounded_cache import (
    MAX_ACTUAL,
    MAX_PREFLIGHT,
    MAX_WRITES,
    BoundedCache,
    CachedResponse,
    SharedBounds,
    TenantResponses,
)
from .cached.tenants import Tenants
from .source import Answer, Lease

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgi_cors._decision.request import Request
    from asgi_cors._http import Scope
    from asgi_cors._policy.compiled import CompiledPolicy
    from asgi_cors._policy.policy import Policy
    from asgi_cors._routing.rules import Rules

    from .evaluation import Evaluation, Evaluator, LookUp
    from .lookup import AwaitableGenerator

MAX_KEY_LENGTH: Final = 512  # bytes; a response with a longer key is not cached
MAX_PATHS: Final = 1024
MAX_PATH_LENGTH: Final = 256  # characters
MAX_LINES: Final = 1000  # a request with more headers is never cached
READS: Final = frozenset({"GET", "HEAD"})  # methods on which all options of a policy have the same effect
UNCACHED: Final = SAFE_METHODS - READS  # methods that pass where a request that writes is refused


class Part(Enum):
    """A part of a request that some responses depend on, besides the key."""

    PAGE = "whether the request is same-origin: a refusal under `enforce` depends on it, and so does the log"
    CREDENTIALS = "whether there are credentials that a browser may have added by itself"


class Reader(NamedTuple):
    """Functions that read the requests of an interface. A request is an ASGI scope or a WSGI environ.

    Args:
        actual_key: Returns the key of an actual request, which is Origin.
        preflight_key: Returns the key of a preflight.
        write_key: Returns the key of a request whose sender is checked.
        part: Returns the value of a `Part` of a request; None if the request must not be cached.
        scope: Returns the scope of a request.
    """

    actual_key: Callable[[Any], Hashable]
    preflight_key: Callable[[Any], Hashable]
    write_key: Callable[[Any], Hashable]
    part: Callable[[Any, Part], Hashable | None]
    scope: Callable[[Any], Scope]


class ResponseCache:
    """The cached responses of one policy, for one interface.

    Args:
        evaluator: The evaluator that owns the cache.
        policy: The policy; None if it depends on more than the view or path. The cache is always empty then.
        vary: Request headers, besides those of the policy, on which the policy depends.
        bounds: The bounds of actual responses and of preflights, if they are shared with other policies.
    """

    __slots__ = (
        *("_evaluator", "_match", "_policy"),
        *("actual", "any_origin", "any_read", "checks_sender", "clock", "hosts", "is_checked", "preflight", "writes"),
    )

    def __init__(
        self,
        evaluator: Evaluator,
        policy: Policy | None,
        vary: tuple[bytes, ...] = (),
        bounds: tuple[SharedBounds, SharedBounds, SharedBounds] | None = None,
    ) -> None:
        """Create empty caches."""
        self._evaluator = evaluator
        self._policy = policy
        self.clock = evaluator.log.clock
        self._match = None if policy is None else PolicyMatch((policy,), vary=vary)
        # The allowed values of Host that are known; None if every host is allowed
        self.hosts = None if evaluator.hosts is None else evaluator.hosts.known
        self.checks_sender = any(_checks_sender(each, evaluator) for each in (policy, evaluator.report_only) if each)
        # Whether more than Origin is checked; some ASGI servers send it in upper case, which must not go unnoticed
        is_reported = evaluator.on_decision is not None or bool(evaluator.enforce)
        self.is_checked = is_reported or self.hosts is not None or self.checks_sender
        # The response of a policy that ignores Origin, for every request, or for methods that read:
        self.any_origin: CachedResponse | None = None
        self.any_read: CachedResponse | None = None
        # By Origin; for preflights, by Origin and the Access-Control-Request-* headers:
        self.actual = TenantResponses(bounds[0]) if bounds else BoundedCache()
        self.preflight = TenantResponses(bounds[1]) if bounds else BoundedCache(MAX_PREFLIGHT)
        # If the sender is checked, and the method is not one that reads: by all headers that tell the sender
        self.writes = TenantResponses(bounds[2]) if bounds else BoundedCache(MAX_WRITES)

    def evaluate(self, scope: Scope, answer: LookUp | None = None) -> AwaitableGenerator[Evaluation]:
        """Evaluate a request whose response is not cached; see `Evaluator.evaluate`."""
        evaluation = yield from self._evaluator.evaluate(scope, self._match, answer)
        evaluation.cache = self if self._match else None
        return evaluation

    def check(self, cached: CachedResponse, responses: BoundedCache, request: Any, reader: Reader) -> CachedResponse:
        """Find the response that an item leads to.

        Args:
            cached: The item under the request's key.
            responses: The cache that has it: `actual`, `writes` or `preflight`.
            request: The scope or environ of the request.
            reader: The reader of such requests.

        Returns:
            The item with the response. If the request has to be evaluated, an item without a response, but with the
            result of the policy's callables, so that they are called once.
        """
        evaluator, policy = self._evaluator, self._policy
        answer: LookUp | None = None
        found: CachedResponse | None = cached
        while found is not None and found.response is None:
            if found.reported is not None:
                found = found.reported
                break
            part: Any
            if found.part is not None:
                part = reader.part(request, found.part)
            else:
                answer = evaluator.look_up(cast("Policy", policy), found.origin or "")
                if not isinstance(answer, Answer) or answer.error is not None:  # it must be awaited, or has failed
                    return CachedResponse(cached.key, answer=answer)
                part = answer.allowed
            found = responses.get((found.key, part))
        if found is None or (found.log_after and self.clock() >= found.log_after):
            return CachedResponse(cached.key, answer=answer)
        if found.leases and not found.is_current():
            return CachedResponse(cached.key, answer=answer)
        if found.decision is not None:
            evaluator.report(found.decision, reader.scope(request))
        return found

    def store(self, evaluation: Evaluation, response: Any, request: Any, reader: Reader) -> None:
        """Store the response of an evaluation for identical requests, if it is cacheable.

        Args:
            evaluation: An evaluation by this evaluator and policy.
            response: Whatever the middleware needs to respond again.
            request: The scope or environ of the request.
            reader: The reader of such requests.
        """
        decision, log_after = evaluation.decision, evaluation.log_after
        place = self._place_of(evaluation.request, reader)
        if place is None or not evaluation.cacheable or log_after is None or evaluation.request.oversized:
            return
        responses, key = place[0], place[1](request)
        values = [(part, reader.part(request, part)) for part in self._parts_of(evaluation)]
        reported = decision if self._evaluator.on_decision is not None else None
        if self._ignores_request(evaluation) and responses is self.actual and not values and reported is None:
            self._store_for_all(CachedResponse(None, response))
            return
        if any(value is None for _, value in values) or _length((key, values)) > MAX_KEY_LENGTH:
            return
        refused = decision.refused or decision.report is not None
        if responses is self.writes:
            refused = decision.status is not None  # a page of the server reads all responses
        # Clients choose Host, and must not evict allowed requests:
        refused |= any(part is Part.PAGE for part, _ in values)
        first = key
        if evaluation.granted is not None:
            responses.store(CachedResponse(key, origin=evaluation.request.origin_text), refused=refused)
            key = key, evaluation.granted
        for part, value in values:
            responses.store(CachedResponse(key, part=part), refused=refused)
            key = key, value
        cached = CachedResponse(key, response, evaluation.leases, log_after, reported)
        if reported is not None and key is first:
            cached = CachedResponse(key, reported=cached)
        responses.store(cached, refused=refused)

    def _place_of(self, request: Request, reader: Reader) -> tuple[BoundedCache, Callable[[Any], Hashable]] | None:
        """Return the cache for a request, and the function that returns its key; None if it must not be cached."""
        if request.is_preflight:
            return self.preflight, reader.preflight_key
        if not self.checks_sender and request.method != "OPTIONS":
            return self.actual, reader.actual_key
        if request.method in READS:
            return self.actual, reader.actual_key
        return None if request.method in SAFE_METHODS else (self.writes, reader.write_key)

    def _parts_of(self, evaluation: Evaluation) -> list[Part]:
        """Return the parts of a request, besides its key, on which an evaluation depends."""
        request = evaluation.request
        is_write = self.checks_sender and request.method not in READS and not request.is_preflight
        is_exempted = evaluation.decision.refused and request.same_origin
        depends = {
            Part.PAGE: (evaluation.depends_on_page or is_exempted) and not is_write,
            Part.CREDENTIALS: evaluation.depends_on_credentials and not is_write,
        }
        return [part for part, does in depends.items() if does]

    def _ignores_request(self, evaluation: Evaluation) -> bool:
        """Return whether every actual request gets the same response."""
        return evaluation.policy.compiled.ignores_origin and self._evaluator.report_only is None

    def _store_for_all(self, cached: CachedResponse) -> None:
        if self.is_checked:
            self.any_read = cached
        else:
            self.any_origin = cached


def _checks_sender(policy: Policy, evaluator: Evaluator) -> bool:
    """Return whether some methods get another response because their sender is checked."""
    return bool(policy.compiled.csrf_protection or (evaluator.enforce and policy.compiled.trusted))


def _length(key: object) -> int:
    """Return the length of all texts in a key."""
    if isinstance(key, str | bytes):
        return len(key)
    return sum(map(_length, cast("Iterable[object]", key))) if isinstance(key, tuple | list) else 0


class ResponseCaches:
    """The response caches of one evaluator, for one interface: ASGI or WSGI.

    Args:
        evaluator: The evaluator.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        """Start with empty caches."""
        self._evaluator = evaluator
        self._rules = rules = evaluator.rules
        self._empty = ResponseCache(evaluator, None)
        self._by_policy: dict[CompiledPolicy, ResponseCache] = {}  # by identity: equal policies may differ in spelling
        self._by_path = _CacheByPath(self, rules)
        self._tenants = rules.policy_for if isinstance(rules.policy_for, Tenants) else None
        self._by_lease: weakref.WeakKeyDictionary[Lease, ResponseCache] = weakref.WeakKeyDictionary()
        self._bounds = SharedBounds(MAX_ACTUAL), SharedBounds(MAX_PREFLIGHT), SharedBounds(MAX_WRITES)
        self._unknown: ResponseCache | None = None  # of unknown tenants
        self._without_key: dict[CompiledPolicy, ResponseCache] = {}  # of requests without a tenant, by policy
        self.needs_scope = rules.view_of is not None or self._tenants is not None
        self.only = self.for_policy(rules.policy) if rules.has_one_policy else None  # if it serves every request

    def for_scope(self, scope: Scope) -> ResponseCache | None:
        """Return the cache of the policy that serves `scope`; None if the request is passed through."""
        cache = self._find(scope)
        if cache is None and self._evaluator.hosts is not None and not self._evaluator.allows_host_of(scope):
            return self._empty  # `evaluate` refuses it
        return cache

    def _find(self, scope: Scope) -> ResponseCache | None:
        rules = self._rules
        if self._tenants is not None:
            return self._for_tenant(scope, self._tenants)
        if not self.needs_scope:
            path, root = scope["path"], scope.get("root_path", "")
            return self._by_path[(path, root) if root else path]
        if not rules.calls_function and length_hint(scope["headers"]) <= MAX_LINES:
            try:
                next(rules.find(scope))  # ends at once, because nothing has to be awaited
            except StopIteration as found:
                return self.for_match(found.value)
            except Exception:  # noqa: BLE001, S110 - `evaluate` raises it again, and logs it
                pass
        return self._empty

    def _for_tenant(self, scope: Scope, tenants: Tenants) -> ResponseCache:
        """Return the cache of the policy of a request's tenant, if that policy is known."""
        rules = self._rules
        if length_hint(scope["headers"]) > MAX_LINES:
            return self._empty
        try:
            if rules.has_view_policy(scope):
                return self._empty
            key = tenants.key_of(scope)
        except Exception:  # noqa: BLE001 - `evaluate` raises it again, and logs it
            return self._empty
        if key is None:
            return self._for_next_rule(rules.at(scope["path"], scope.get("root_path", "")))
        result = tenants.look_up(key)
        if result is None or result.lease is None:
            return self._empty
        if result.value is None:
            self._unknown = self._unknown or ResponseCache(self._evaluator, self._evaluator.unknown_policy, rules.vary)
            return self._unknown
        cache = self._by_lease.get(result.lease)
        if cache is None:
            cache = ResponseCache(self._evaluator, result.value, rules.vary, self._bounds)
            cache = self._by_lease.setdefault(result.lease, cache)
        return cache

    def _for_next_rule(self, match: PolicyMatch) -> ResponseCache:
        """Return the cache of a request without a tenant."""
        if not match.is_plain or match.policy is None:
            return self._empty
        cache = self._without_key.get(match.policy.compiled)
        if cache is None:
            cache = ResponseCache(self._evaluator, match.policy, self._rules.vary)
            cache = self._without_key.setdefault(match.policy.compiled, cache)
        return cache

    def for_path(self, path: str) -> ResponseCache | None:
        """Return the cache of the policy that serves `path`; see `for_scope`. Host is not checked."""
        return self._by_path[path]

    def for_match(self, match: PolicyMatch | None) -> ResponseCache | None:
        """Return the cache of a match with one policy; None if it passes requests through."""
        if match is None or not match.is_plain:
            return self._empty
        policy = match.policies[0]  # the only one
        return self.for_policy(policy) if policy else None

    def for_policy(self, policy: Policy) -> ResponseCache:
        """Return the cache of a policy."""
        cache = self._by_policy.get(policy.compiled)
        if cache is None:
            cache = self._by_policy.setdefault(policy.compiled, ResponseCache(self._evaluator, policy))
        return cache


class _CacheByPath(dict["str | tuple[str, str]", "ResponseCache | None"]):
    """The caches of recently requested paths, so that a path is not matched each time.

    The key is the path, or a pair of path and root path.
    """

    def __init__(self, caches: ResponseCaches, rules: Rules) -> None:
        super().__init__()
        self._caches = caches
        self._rules = rules

    def __missing__(self, key: str | tuple[str, str]) -> ResponseCache | None:
        path, root = (key, "") if isinstance(key, str) else key
        cache = self._caches.for_match(self._rules.at(path, root) if self._rules.depends_on_path_only else None)
        if len(path) <= MAX_PATH_LENGTH:
            if len(self) >= MAX_PATHS:
                self.clear()  # in place of a search for the oldest path at each request
            self[key] = cache
        return cache
