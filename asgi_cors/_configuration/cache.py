"""Caches of responses, bounded because clients choose the keys.

The key of a response is Origin; for a preflight, Origin and the Access-Control-Request-* headers. Most responses depend
on the policy and the key alone. The others are cached under a longer key, and the item under the key has no response:

- The functions among a policy's callables are called for each request, because their result may change. The result
  becomes a part of the key.
- A refusal depends on whether the request is same-origin. `enforce` sends such a request to the app, and the log leaves
  it out. The headers that tell become a part of the key.
- Some ASGI servers send Origin under a name in upper case, which the look-up misses. Under `enforce` and `on_decision`,
  the names of a request without Origin are therefore checked.
- `on_decision` is called with each decision, before the response is sent.

`ResponseCache.store` stores these items, and `ResponseCache.check` follows them.

An `OriginSource`, such as `Cached`, returns its answer with leases, which say how long the answer holds. If all
callables of a policy are such sources, the response depends on the key alone while the leases are current.

The policies of `Tenants` have caches of their own, which are dropped with the policy. Their bounds are shared.

The caches of one policy, or of all tenants, and one interface hold about 8 MB at the most.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from asgi_cors._decision.fetch_metadata import SAFE_METHODS
from asgi_cors._decision.request import read_request
from asgi_cors._routing.rules import PolicyMatch

from .cached.tenants import Tenants
from .source import Answer, Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asgi_cors._decision.decision import Decision
    from asgi_cors._http import Scope
    from asgi_cors._policy.compiled import CompiledPolicy
    from asgi_cors._policy.policy import Policy
    from asgi_cors._routing.rules import Rules

    from .evaluation import Evaluation, Evaluator, LookUp
    from .lookup import AwaitableGenerator

MAX_ACTUAL: Final = 4096
MAX_PREFLIGHT: Final = 1024
MAX_REFUSED: Final = 256  # of each of these kinds
MAX_KEY_LENGTH: Final = 512  # bytes; a response with a longer key is not cached
MAX_PATHS: Final = 1024
MAX_PATH_LENGTH: Final = 256  # characters
MAX_LINES: Final = 1000  # a request with more headers is never cached


@dataclass(slots=True)
class CachedResponse:
    """A cached response, or the part of its key that is missing.

    Args:
        key: The key of this item.
        response: Whatever a middleware needs to respond again; None if it has to be checked by `ResponseCache.check`.
        leases: The response may be sent as long as all of these are current; see `is_current`.
        log_after: The time on the log's clock after which a refusal is logged again; 0 for never.
        decision: The decision that `on_decision` is called with; None if there is no such callable.
        origin: If there is no response: the origin with which the policy's callables are called, if they are.
        depends_on_page: If there is no response: whether it depends on the headers that `_page_key` returns.
        answer: The answer of the policy's callables for one request, which has to be evaluated; see `check`.
    """

    key: Hashable
    response: Any = None
    leases: tuple[Lease, ...] = ()
    log_after: float = 0.0
    decision: Decision | None = None
    origin: str | None = None
    depends_on_page: bool = False
    answer: LookUp | None = None

    def is_current(self) -> bool:
        """Return whether all leases are current. If so, count a hit for each."""
        leases = self.leases
        for lease in leases:
            if lease.clock() >= lease.until:
                return False
        for lease in leases:
            lease.hits += 1
        return True


class BoundedCache(dict[Hashable, CachedResponse]):
    """Cached responses, by the request headers on which they depend.

    Holds allowed and refused requests in one dict, so that a hit costs one look-up. Each kind evicts its oldest item at
    its own limit, so that an attacker cannot evict allowed ones. Threads need no lock: a deque's ends are thread-safe.

    Args:
        max_allowed: The limit of allowed requests.
    """

    def __init__(self, max_allowed: int = MAX_ACTUAL) -> None:
        super().__init__()
        self._allowed: deque[Hashable] = deque()
        self._refused: deque[Hashable] = deque()
        self._max_allowed = max_allowed

    def store(self, cached: CachedResponse, *, refused: bool) -> None:
        """Store a response under its key."""
        key = cached.key
        self[key] = cached
        order, limit = (self._refused, MAX_REFUSED) if refused else (self._allowed, self._max_allowed)
        order.append(key)  # after the dict, because another thread may evict the key as soon as `order` has it
        if len(order) > limit:
            self.pop(order.popleft(), None)


class _SharedBounds:
    """The limits that the cached responses of all tenants share, and the order of eviction.

    Args:
        max_allowed: The limit of allowed requests.
    """

    def __init__(self, max_allowed: int) -> None:
        self._allowed: deque[tuple[weakref.ref[_TenantResponses], Hashable]] = deque()
        self._refused: deque[tuple[weakref.ref[_TenantResponses], Hashable]] = deque()
        self._max_allowed = max_allowed

    def add(self, responses: _TenantResponses, key: Hashable, *, refused: bool) -> None:
        """Add a response, and evict the oldest one beyond the limit."""
        order, limit = (self._refused, MAX_REFUSED) if refused else (self._allowed, self._max_allowed)
        order.append((weakref.ref(responses), key))
        if len(order) > limit:
            reference, oldest = order.popleft()
            owner = reference()
            if owner is not None:  # None if its policy was dropped
                owner.pop(oldest, None)


class _TenantResponses(BoundedCache):
    """Cached responses of one tenant.

    Args:
        bounds: The bounds, which all tenants share.
    """

    def __init__(self, bounds: _SharedBounds) -> None:
        super(BoundedCache, self).__init__()  # without bounds of its own
        self._bounds = bounds

    def store(self, cached: CachedResponse, *, refused: bool) -> None:
        """Store a response under its key."""
        self[cached.key] = cached
        self._bounds.add(self, cached.key, refused=refused)


class ResponseCache:
    """The cached responses of one policy, for one interface.

    Args:
        evaluator: The evaluator that owns the cache.
        policy: The policy; None if it depends on more than the view or path. The cache is always empty then.
        vary: Request headers, besides those of the policy, on which the policy depends.
        bounds: The bounds of actual responses and of preflights, if they are shared with other policies.
    """

    __slots__ = (
        *("_depends_on_page", "_evaluator", "_match", "_page_key", "_policy"),
        *("actual", "any_origin", "clock", "preflight"),
    )

    def __init__(
        self,
        evaluator: Evaluator,
        policy: Policy | None,
        vary: tuple[bytes, ...] = (),
        bounds: tuple[_SharedBounds, _SharedBounds] | None = None,
    ) -> None:
        """Create empty caches."""
        self._evaluator = evaluator
        self._policy = policy
        self.clock = evaluator.log.clock
        self._match = None if policy is None else PolicyMatch((policy,), vary=vary)
        policies = [each for each in (policy, evaluator.report_only) if each is not None]
        checks_sender = any(each.compiled.csrf_protection for each in policies)
        self._page_key = _sender_key if checks_sender else _page_key
        self._depends_on_page = checks_sender or evaluator.report_only is not None
        self.any_origin: CachedResponse | None = None  # the response of a policy that ignores Origin
        # By Origin; for preflights, by Origin and the Access-Control-Request-* headers:
        self.actual = _TenantResponses(bounds[0]) if bounds else BoundedCache()
        self.preflight = _TenantResponses(bounds[1]) if bounds else BoundedCache(MAX_PREFLIGHT)

    def evaluate(self, scope: Scope, answer: LookUp | None = None) -> AwaitableGenerator[Evaluation]:
        """Evaluate a request whose response is not cached; see `Evaluator.evaluate`."""
        evaluation = yield from self._evaluator.evaluate(scope, self._match, answer)
        evaluation.cache = self if self._match else None
        return evaluation

    def check(self, cached: CachedResponse, responses: BoundedCache, scope_of: Callable[[], Scope]) -> CachedResponse:
        """Find the response that an item leads to.

        Args:
            cached: The item under the request's key.
            responses: The cache that has it: `actual` or `preflight`.
            scope_of: Returns the scope of the request.

        Returns:
            The item with the response. If the request has to be evaluated, an item without a response, but with the
            result of the policy's callables, so that they are called once.
        """
        evaluator, policy = self._evaluator, self._policy
        answer: LookUp | None = None
        found: CachedResponse | None = cached
        while found is not None and found.response is None:
            part: Any = ()
            if found.origin is not None and policy is not None:
                answer = evaluator.look_up(policy, found.origin)
                if not isinstance(answer, Answer) or answer.error is not None:  # it must be awaited, or has failed
                    return CachedResponse(cached.key, answer=answer)
                part = answer.allowed
            elif found.depends_on_page:
                part = self._page_key(scope_of())
            found = responses.get((found.key, part))
        if found is None or (found.log_after and self.clock() >= found.log_after):
            return CachedResponse(cached.key, answer=answer)
        if found.leases and not found.is_current():
            return CachedResponse(cached.key, answer=answer)
        if found.decision is not None:
            evaluator.report(found.decision, scope_of())
        return found

    def store(
        self, evaluation: Evaluation, key: Any, response: Any, scope: Scope, *, depends_on_page: bool = False
    ) -> None:
        """Store the response of an evaluation for identical requests, if it is cacheable.

        Args:
            evaluation: An evaluation by this evaluator and policy.
            key: For a preflight, Origin and the Access-Control-Request-* headers; else Origin.
            response: Whatever the middleware needs to respond again.
            scope: The request.
            depends_on_page: Whether the other headers are a part of the key, even if the request is not refused.
        """
        request, decision, log_after = evaluation.request, evaluation.decision, evaluation.log_after
        if not evaluation.cacheable or log_after is None or request.oversized:
            return
        is_preflight, refused = request.is_preflight, decision.refused or decision.report is not None
        reported = decision if self._evaluator.on_decision is not None else None
        depends_on_page |= self._depends_on_page and not is_preflight
        ignores_request = evaluation.policy.compiled.ignores_origin and not (is_preflight or depends_on_page)
        if ignores_request and reported is None:
            self.any_origin = CachedResponse(None, response)
            return
        depends_on_page |= refused and (request.same_origin or (self._evaluator.enforce and not is_preflight))
        page = self._page_key(scope) if depends_on_page else ()
        parts: tuple[Any, ...] = key if is_preflight else (key,)
        if page is None or sum(len(part or "") for part in (*parts, *page)) > MAX_KEY_LENGTH:
            return
        responses = self.preflight if is_preflight else self.actual
        if evaluation.granted is not None:
            responses.store(CachedResponse(key, origin=request.origin_text), refused=refused)
            key = key, evaluation.granted
        if depends_on_page:
            refused = True  # clients choose Host, and must not evict allowed requests
            responses.store(CachedResponse(key, depends_on_page=True), refused=refused)
            key = key, page
        elif reported is not None and evaluation.granted is None:
            responses.store(CachedResponse(key), refused=refused)
            key = key, ()
        responses.store(CachedResponse(key, response, evaluation.leases, log_after, reported), refused=refused)


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
        self._bounds = _SharedBounds(MAX_ACTUAL), _SharedBounds(MAX_PREFLIGHT)
        self._unknown: ResponseCache | None = None  # of unknown tenants
        self._without_key: dict[CompiledPolicy, ResponseCache] = {}  # of requests without a tenant, by policy
        self.needs_scope = rules.view_of is not None or self._tenants is not None
        self.only = self.for_policy(rules.policy) if rules.has_one_policy else None  # if it serves every request

    def for_scope(self, scope: Scope) -> ResponseCache | None:
        """Return the cache of the policy that serves `scope`; None if the request is passed through."""
        rules = self._rules
        if self._evaluator.hosts is not None and not self._evaluator.hosts.allows(host_line(scope["headers"])):
            return self._empty  # `evaluate` refuses it
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

    def for_path(self, path: str, host: bytes | None = None) -> ResponseCache | None:
        """Return the cache of the policy that serves `path`; see `for_scope`."""
        return self._by_path[path] if self._evaluator.allows_host(host) else self._empty

    def for_match(self, match: PolicyMatch | None) -> ResponseCache | None:
        """Return the cache of a match with one policy; None if it passes requests through."""
        if match is None or not match.is_plain:
            return self._empty
        return self.for_policy(match.policy) if match.policy else None

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


def _page_key(scope: Scope) -> tuple[Any, ...] | None:
    """Return the values on which `Request.same_origin` depends, besides Origin.

    None if a header is repeated, or if a name is not in lower case: it could be Origin, which the cache then misses.
    """
    host = fetch_site = None
    for name, value in scope["headers"]:
        if not name.islower():
            return None
        if name == b"host":
            if host is not None:
                return None
            host = value
        elif name == b"sec-fetch-site":
            if fetch_site is not None:
                return None
            fetch_site = value
    return host, fetch_site, scope.get("scheme")


def _sender_key(scope: Scope) -> tuple[Any, ...] | None:
    """Return the values on which `csrf_protection` depends, besides Origin; see `_page_key`."""
    page = _page_key(scope)
    if page is None or scope["method"] in SAFE_METHODS:
        return page
    request = read_request(scope)
    return (*page, request.referer, b"credentials" if request.has_ambient_credentials else b"")


def host_line(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Return the value of Host; None unless there is exactly one."""
    hosts = [value for name, value in headers if name == b"host" or name.lower() == b"host"]
    return hosts[0] if len(hosts) == 1 else None
