"""Caches of responses, bounded because clients choose the keys.

A cached response is whatever a middleware needs to respond again. The caches of one policy and one interface hold about
8 MB at the most.
"""

from __future__ import annotations

from collections import deque
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from asgi_cors._decision.request import Request
    from asgi_cors._http import Scope
    from asgi_cors._policy.compiled import CompiledPolicy
    from asgi_cors._policy.policy import Policy
    from asgi_cors._routing.rules import PolicyMatch, Rules

    from .evaluation import Answer, Evaluation, Evaluator
    from .lookup import AwaitableGenerator

MAX_ACTUAL: Final = 4096
MAX_PREFLIGHT: Final = 1024
MAX_REFUSED: Final = 256  # of each of these kinds
MAX_KEY_LENGTH: Final = 512  # bytes; a response with a longer key is not cached
MAX_PATHS: Final = 1024
MAX_PATH_LENGTH: Final = 256  # characters
MAX_LINES: Final = 1000  # a request with more headers is never cached

# The response, the time on the log's clock after which a refusal is logged again (0 for never), and the decision. If
# more than the key counts, the response is None, and the third part is a condition; see `ResponseCache.check`.
CachedResponse = tuple[Any, float, Any]

_NOT_CACHED: Final[CachedResponse] = (None, 0.0, None)
_SAME_ORIGIN, _REPORTED = object(), object()  # conditions


class BoundedCache(dict["Hashable", CachedResponse]):
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

    def store(self, key: Hashable, cached: CachedResponse, *, refused: bool) -> None:
        """Store a response."""
        self[key] = cached
        order, limit = (self._refused, MAX_REFUSED) if refused else (self._allowed, self._max_allowed)
        order.append(key)  # after the dict, because another thread may evict the key as soon as `order` has it
        if len(order) > limit:
            self.pop(order.popleft(), None)


def _unchanged(scope: Scope) -> Scope:
    return scope


class ResponseCache:
    """The cached responses of one policy, for one interface.

    Args:
        evaluator: The evaluator that owns the cache.
        policy: The policy; None if it depends on more than the view or path. The cache is always empty then.
    """

    __slots__ = ("_callables", "_evaluator", "_policy", "actual", "any_origin", "clock", "preflight")

    def __init__(self, evaluator: Evaluator, policy: Policy | None) -> None:
        """Create empty caches."""
        self._evaluator = evaluator
        self._policy = policy
        self._callables = policy.compiled.callables if policy else ()
        self.clock = evaluator.log.clock
        self.any_origin: Any = None  # the response of a policy that ignores Origin
        self.actual = BoundedCache()  # by Origin
        self.preflight = BoundedCache(MAX_PREFLIGHT)  # by Origin and the Access-Control-Request-* headers

    def evaluate(self, scope: Scope, answer: Answer | None = None) -> AwaitableGenerator[Evaluation]:
        """Evaluate a request whose response is not cached; see `Evaluator.evaluate`."""
        return self._evaluator.evaluate(scope, self._policy, answer)

    def check(
        self,
        condition: object,
        cache: BoundedCache,
        key: Hashable,
        request: Any,
        scope_of: Callable[[Any], Scope] = _unchanged,
    ) -> Any:
        """Check a condition that is cached in place of a response.

        - The policy's callables, which are called each time, because their answer may change. The condition is the
          origin, as text.
        - `_SAME_ORIGIN`: a refusal by `enforce` depends on whether the request is same-origin, and so does a line in
          the log.
        - `_REPORTED`: `on_decision` is called with each decision. With another condition, it needs none of its own.

        The response is cached under the key and the condition's result.

        Args:
            condition: The condition.
            cache: The cache of all requests of this kind.
            key: The key of the condition.
            request: The scope or environ.
            scope_of: Builds a scope of it.

        Returns:
            The response; else an evaluation to be driven, which uses the answer of the callables.
        """
        evaluator, answer = self._evaluator, None
        if isinstance(condition, str):
            answer = evaluator.look_up(self._callables, condition)
            key = key, answer  # which is not cached if the answer must be awaited, or a callable failed
        elif condition is _REPORTED:
            key = key, condition
        response, log_after, decision = cache.get(key, _NOT_CACHED)
        if condition is _SAME_ORIGIN or decision is _SAME_ORIGIN:
            response, log_after, decision = cache.get((key, _page_key(scope_of(request))), _NOT_CACHED)
        if response is None or (log_after and self.clock() >= log_after):
            return self.evaluate(scope_of(request), answer)
        if evaluator.on_decision is not None:
            evaluator.report(decision, scope_of(request))
        return response

    def store(self, evaluation: Evaluation, key: Hashable, response: Any, scope: Scope) -> None:
        """Store the response of an evaluation for identical requests, if it is cacheable.

        Args:
            evaluation: An evaluation by this evaluator and policy.
            key: For a preflight, Origin and the Access-Control-Request-* headers; else Origin.
            response: Whatever the middleware needs to respond again.
            scope: The request.
        """
        request, decision, log_after = evaluation.request, evaluation.decision, evaluation.log_after
        if not evaluation.cacheable or log_after is None or request.oversized:
            return
        evaluator, policy, is_preflight = self._evaluator, evaluation.policy, decision.status is not None
        if not is_preflight and policy.compiled.ignores_origin and evaluator.on_decision is None:
            self.any_origin = response
            return
        refused = decision.refused
        depends_on_page = refused and (request.same_origin or (evaluator.enforce and not is_preflight))
        page = _page_key(scope) if depends_on_page else ()
        parts: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)
        if page is None or sum(len(part or "") for part in (*parts, *page)) > MAX_KEY_LENGTH:
            return
        conditions: list[tuple[object, Hashable]] = []  # each with its result
        if evaluation.granted is not None:
            conditions.append((origin_text(request), evaluation.granted))
        if depends_on_page:
            conditions.append((_SAME_ORIGIN, page))
        if evaluator.on_decision is not None and not conditions:
            conditions.append((_REPORTED, _REPORTED))
        cache = self.preflight if is_preflight else self.actual
        for condition, result in conditions:
            cache.store(key, (None, 0.0, condition), refused=refused)
            key = key, result
        cache.store(key, (response, log_after, decision), refused=refused)


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
        self.depends_on_view = rules.view_of is not None
        self.only = self.for_policy(rules.policy) if rules.has_one_policy else None  # if it serves every request

    def for_scope(self, scope: Scope) -> ResponseCache | None:
        """Return the cache of the policy that serves `scope`; None if the request is passed through."""
        rules = self._rules
        if not self.depends_on_view:
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

    def for_path(self, path: str) -> ResponseCache | None:
        """Return the cache of the policy that serves `path`; see `for_scope`."""
        return self._by_path[path]

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


def origin_text(request: Request) -> str:
    """Return the Origin of a request as text, as callables get it."""
    return (request.origin or b"").strip(b" \t").decode("latin-1")


def _page_key(scope: Scope) -> tuple[Any, ...] | None:
    """Return the values on which `Request.same_origin` depends, besides Origin; None if a header is repeated."""
    host = fetch_site = None
    for name, value in scope["headers"]:
        if name == b"host":
            if host is not None:
                return None
            host = value
        elif name == b"sec-fetch-site":
            if fetch_site is not None:
                return None
            fetch_site = value
    return host, fetch_site, scope.get("scheme")
