"""From a scope to an evaluation: the policy, the decision, and the response that is sent without the app.

An `Evaluator` is the compiled form of a middleware's options. `reconfigure` replaces it as a whole, with its caches. A
thread that is overtaken by `reconfigure` therefore reads and writes the old caches only.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from asgi_cors import _http
from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.decision import Decision, Outcome, decide, intersect, refuse, unite_names
from asgi_cors._decision.host import refuse_host
from asgi_cors._decision.request import Request, read_request
from asgi_cors._routing.rules import InvalidViewError, PolicyMatch

from .cache import ResponseCaches
from .cached.tenants import unknown_policy
from .lookup import call_origin_callables
from .protection import Protection, refusal_text
from .source import Answer, Lease, OriginSource, Source

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from asgi_cors._decision.host import HostSet
    from asgi_cors._http import Headers, Scope
    from asgi_cors._policy.policy import Policy
    from asgi_cors._routing.rules import Rules

    from .cache import ResponseCache
    from .calls import AppContext
    from .log import Log
    from .lookup import AwaitableGenerator

OnDecision = Callable[[Decision, "_http.Scope"], object]
Decided = list[tuple["Policy", Decision]]
LookUp = Answer | Generator[Any, Any, Answer]  # of a policy's callables: the answer, or awaitables that lead to it


@dataclass(slots=True)
class Evaluation:
    """The result for one request.

    Args:
        evaluator: The evaluator that made it.
        request: The request.
        policy: The policy; if the request is passed through, the base policy.
        decision: The decision that is sent.
        cacheable: Whether an identical request always gets the same decision, as long as its callables return the same.
        passes_through: Whether the response is left to the app, with the names in `decision.vary` added to Vary.
        granted: Whether the policy's callables allow the origin; None if they don't have to be called for an identical
            request, because they were not called, or because `leases` says how long their answer holds.
        cache: The cache that stores the response; None for that of the policy.
        depends_on_page: Whether the decision depends on whether the request is same-origin.
        depends_on_credentials: Whether the decision depends on the request's credentials.
        is_trusted: Whether `csrf_trusted_origins` let the request pass, whose origin may send but not read.
        reporting: The policy whose decision is `decision.report_only`.
        leases: The decision holds as long as all of these are current.
        log_after: When a cached refusal is logged again; None if it must not be cached.
        response: Status and body of a response that is sent without the app: a preflight's, or a refusal.
    """

    evaluator: Evaluator
    request: Request
    policy: Policy
    decision: Decision
    cacheable: bool = False
    passes_through: bool = False
    granted: bool | None = None
    cache: ResponseCache | None = None
    depends_on_page: bool = False
    depends_on_credentials: bool = False
    is_trusted: bool = False
    reporting: Policy | None = None
    leases: tuple[Lease, ...] = ()
    log_after: float | None = 0.0
    response: tuple[int, str] | None = None


class Evaluator:
    """The options in force, compiled.

    Args:
        rules: The rules that lead to a policy.
        options: The middleware's own options.
        log: The log of the configuration.
        app_context: Returns the context manager in which the policies' callables run; None for an empty context.
        hosts: The hosts of `allowed_hosts`; None if every host is allowed.
        report_only: The policy of `report_only`.
    """

    def __init__(  # noqa: PLR0913 - the compiled options
        self,
        rules: Rules,
        options: Mapping[str, Any],
        log: Log,
        app_context: AppContext | None = None,
        *,
        hosts: HostSet | None = None,
        report_only: Policy | None = None,
    ) -> None:
        """Start with empty caches."""
        self.rules = rules
        self.options = options
        self.log = log
        self.app_context = app_context
        self.hosts = hosts
        self.report_only = report_only
        self.enforce: bool | Literal["report"] = options["enforce"]
        self.check_websockets: bool = options["check_websockets"]
        self.unknown_policy = _with_protection_of(rules.policy, unknown_policy())
        self._protection = Protection(options, self.look_up)
        self.on_decision: OnDecision | None = options["on_decision"]
        self.asgi = ResponseCaches(self)
        self.wsgi = ResponseCaches(self)
        for source in self.sources():
            source.app_context = source.app_context or app_context

    def sources(self) -> list[Source]:
        """Return the sources of the known policies, and `policy_for` if it has tasks of its own, each once."""
        policies = [*self.rules.policies(), *filter(None, [self.report_only])]
        policies += [policy.compiled.trusted for policy in policies if policy.compiled.trusted]
        entries = [entry for policy in policies for entry in policy.compiled.callables]
        found: list[Any] = [entry for entry in entries if isinstance(entry, OriginSource)]
        if hasattr(self.rules.policy_for, "app_context"):  # Tenants, which is not an entry of a policy
            found.append(self.rules.policy_for)
        return [*{id(source): source for source in found}.values()]

    def evaluate(
        self, scope: Scope, match: PolicyMatch | None = None, answer: LookUp | None = None
    ) -> AwaitableGenerator[Evaluation]:
        """Evaluate a request, log a refusal, and call `on_decision`.

        Args:
            scope: The request.
            match: The one policy that serves it, if that is known.
            answer: The result of this policy's callables, if they were called already.

        Yields:
            An awaitable, whose result must be sent in.
        """
        request = read_request(scope)
        if self.allows_host(request.host):
            evaluation = yield from self._evaluate(match or self.rules.find(scope), scope, request, answer)
        else:
            evaluation = Evaluation(self, request, self.rules.policy, refuse_host(self.rules.policy, request))
        if not evaluation.passes_through:
            _ignore_reading(evaluation)
            self._log(evaluation, scope)
            self.report(evaluation.decision, scope)
            evaluation.response = self._own_response(evaluation)
        return evaluation

    def evaluate_view(self, scope: Scope, key: Hashable | None) -> AwaitableGenerator[Evaluation]:
        """Evaluate a request once more, for the view that runs. It is logged and reported if the view may not run.

        Yields:
            An awaitable, whose result must be sent in.
        """
        request = read_request(scope)
        evaluation = yield from self._evaluate(self.rules.find_by_key(scope, key), scope, request)
        evaluation.response = self._own_response(evaluation)
        if evaluation.response is not None:
            self._log(evaluation, scope)
            self.report(evaluation.decision, scope)
        return evaluation

    def allows_host(self, host: bytes | None) -> bool:
        """Return whether `allowed_hosts` allows the value of Host."""
        return self.hosts is None or self.hosts.allows(host)

    def allows_host_of(self, scope: Scope) -> bool:
        """Return whether `allowed_hosts` allows the Host of a request."""
        return self.allows_host(read_request(scope).host)

    def checks_handshake(self, scope: Scope) -> bool:
        """Return whether a handshake is evaluated: the options require it, and it comes from another origin."""
        request = read_request(scope)
        if not self.allows_host(request.host):
            return True
        if not (self.check_websockets or self.enforce):
            return False
        return request.origin is not None and not request.same_origin

    def look_up(self, policy: Policy, origin: str) -> LookUp:
        """Call a policy's callables; see `call_origin_callables`."""
        return call_origin_callables(policy, origin, self.log, self.app_context)

    def report(self, decision: Decision, scope: Scope) -> None:
        """Call `on_decision`."""
        if self.on_decision is not None:
            try:
                self.on_decision(decision, scope)
            except Exception as error:  # noqa: BLE001 - an error in it must not fail the request
                self.log.failure("on_decision raised", error)

    def _evaluate(
        self,
        finding: AwaitableGenerator[PolicyMatch] | PolicyMatch,
        scope: Scope,
        request: Request,
        answer: LookUp | None = None,
    ) -> AwaitableGenerator[Evaluation]:
        """Decide by the policies that `finding` returns. If it fails, refuse the request."""
        base, reason = self.rules.policy, None
        evaluation = Evaluation(self, request, base, refuse(request, _reasons.POLICY_FAILED))
        try:
            match = finding if isinstance(finding, PolicyMatch) else (yield from finding)
        except InvalidViewError as error:
            self.log.invalid_view(error)
            evaluation.decision = _refuse_all(request, _reasons.POLICY_FAILED, base)._replace(no_store=False)
            yield from self._protection.apply(evaluation, [(base, evaluation.decision)], scope)
            return evaluation
        except Exception as error:  # noqa: BLE001 - an error in a user's callable must not fail the request
            self.log.failure("the policy for a request could not be found, so it is refused", error)
            match, reason = PolicyMatch((base,), vary=self.rules.vary), _reasons.POLICY_FAILED
        if match.policy is unknown_policy():
            match = match._replace(policies=(self.unknown_policy,))
        if match.policy is None:
            evaluation.decision = Decision(Outcome.NOT_CORS, vary=match.vary)
            evaluation.passes_through = True
            return evaluation
        if match.is_ambiguous:
            reason = _reasons.AMBIGUOUS_PATH
        evaluation.policy = match.policy
        evaluation.cacheable = match.is_plain or match is finding
        decided = yield from self._decide_each(match, evaluation, scope, answer, is_certain=reason is None)
        decision = _refuse_all(request, reason, match.policy) if reason else _intersect_all(decided)
        if match.per_method:
            decision = decision._replace(headers=_without_caching(decision.headers))
        evaluation.decision = decision._replace(vary=unite_names(decision.vary, match.vary))
        yield from self._protection.apply(evaluation, decided, scope)
        if self.report_only is not None and reason is None and match.policies == (base,):
            yield from self._compare(self.report_only, evaluation, scope)
        return evaluation

    def _decide_each(
        self,
        match: PolicyMatch,
        evaluation: Evaluation,
        scope: Scope,
        answer: LookUp | None,
        *,
        is_certain: bool,
    ) -> AwaitableGenerator[Decided]:
        """Decide by each policy.

        Args:
            match: The policies.
            evaluation: The evaluation.
            scope: The request.
            answer: The result of the callables of the first policy, if they were called already.
            is_certain: Whether these policies serve the request. Otherwise only those decide that may refuse it before
                the app runs.
        """
        decided: Decided = []
        for policy in filter(None, match.policies):
            if is_certain or self.enforce or policy.compiled.csrf_protection:
                decided.append((policy, (yield from self._decide(policy, evaluation, scope, answer))))
        return decided

    def _compare(self, policy: Policy, evaluation: Evaluation, scope: Scope) -> AwaitableGenerator[None]:
        """Decide by the policy of `report_only`, and add its decision if it differs."""
        request, decision = evaluation.request, evaluation.decision
        other = Evaluation(self, request, policy, decision, cacheable=True)
        cors = yield from self._decide(policy, other, scope, None)
        other.decision = cors
        yield from self._protection.apply(other, [(policy, cors)], scope)
        evaluation.cacheable &= other.cacheable and other.granted is None
        evaluation.leases = (*evaluation.leases, *other.leases)
        found = (other.decision.report_only or other.decision)._replace(report_only=None)
        if _withholds_credentials(decision, found):
            evaluation.depends_on_credentials = True
            if request.has_ambient_credentials:
                found = found._replace(outcome=Outcome.REFUSED, reason=_reasons.CREDENTIALS_NOT_ALLOWED)
        if found.strictness == decision.strictness:
            return
        if max(found.strictness, decision.strictness) == 1 and _is_unread(evaluation):
            evaluation.cacheable &= evaluation.is_trusted
            return
        evaluation.depends_on_page = True
        if max(found.strictness, decision.strictness) > 1 or not request.same_origin:
            evaluation.decision, evaluation.reporting = decision._replace(report_only=found), policy

    def _decide(
        self, policy: Policy, evaluation: Evaluation, scope: Scope, answer: LookUp | None
    ) -> AwaitableGenerator[Decision]:
        """Decide by one policy, its callables and a handshake's credentials included."""
        request = evaluation.request
        decision = decide(policy, request)
        if decision.outcome is Outcome.LOOKUP:
            decision = yield from self._resolve_lookup(policy, evaluation, answer)
        is_handshake = scope["type"] == "websocket"
        if is_handshake and decision.allowed and request.has_credentials and not policy.allow_credentials:
            return refuse(request, _reasons.CREDENTIALS_NOT_ALLOWED)
        return decision

    def _resolve_lookup(
        self, policy: Policy, evaluation: Evaluation, answer: LookUp | None
    ) -> AwaitableGenerator[Decision]:
        """Decide by the result of the policy's callables. If one fails, refuse the request."""
        request = evaluation.request
        if answer is None:
            answer = self.look_up(policy, request.origin_text)
        was_awaited = not isinstance(answer, Answer)
        if not isinstance(answer, Answer):
            answer = yield from answer
        if answer.error is not None:
            evaluation.cacheable = False
            return decide(policy, request, granted=False)._replace(reason=_reasons.LOOKUP_FAILED, no_store=True)
        if answer.leases is not None:
            evaluation.leases = answer.leases
        elif was_awaited:
            evaluation.cacheable = False
        else:
            evaluation.granted = answer.allowed
        return decide(policy, request, granted=answer.allowed)

    def _log(self, evaluation: Evaluation, scope: Scope) -> None:
        """Log a refusal, and a difference of `report_only`."""
        decision, policy, request = evaluation.decision, evaluation.policy, evaluation.request
        if decision.refused:
            evaluation.log_after = self.log.refusal(policy, request, decision, scope, self.hosts)
        if decision.report is not None:
            log_after = self.log.report_only(evaluation.reporting or policy, request, decision, scope)
            times = (evaluation.log_after, log_after)
            evaluation.log_after = None if None in times else min(filter(None, times), default=0.0)

    @staticmethod
    def _own_response(evaluation: Evaluation) -> tuple[int, str] | None:
        """Return status and body of a response that is sent without the app."""
        request, decision = evaluation.request, evaluation.decision
        if decision.status is None:
            return None
        if not decision.refused:
            return decision.status, ""
        return decision.status, refusal_text(request, decision)


def _with_protection_of(base: Policy, policy: Policy) -> Policy:
    """Return a policy with the base policy's options against forged requests and for resources."""
    if not (base.csrf_protection or base.resource_policy):
        return policy
    names = ("csrf_protection", "csrf_trusted_origins", "resource_policy", "dangerously_allow")
    return policy.replace(**{name: getattr(base, name) for name in names})


def _is_unread(evaluation: Evaluation) -> bool:
    """Return whether no script is to read the response: that of a navigation, or for a trusted origin."""
    return evaluation.is_trusted or evaluation.request.is_navigation


def _ignore_reading(evaluation: Evaluation) -> None:
    """Don't call a request refused that reaches the app, if no script is to read the response."""
    decision = evaluation.decision
    if decision.reason == _reasons.MISSING_ALLOW_ORIGIN and decision.status is None and _is_unread(evaluation):
        evaluation.decision = decision._replace(outcome=Outcome.NOT_CORS, reason=None)
        evaluation.cacheable &= evaluation.is_trusted  # the key of a response has no Sec-Fetch-Mode


def _withholds_credentials(decision: Decision, other: Decision) -> bool:
    """Return whether only the first of two decisions lets a page read a response to a request with credentials."""
    headers = (dict(decision.headers), dict(other.headers))
    is_actual = decision.outcome is other.outcome is Outcome.ALLOWED
    return is_actual and _http.ALLOW_CREDENTIALS in headers[0] and _http.ALLOW_CREDENTIALS not in headers[1]


def _intersect_all(decided: Decided) -> Decision:
    """Return the narrowest of the decisions of several policies."""
    return functools.reduce(intersect, (decision for _, decision in decided))


def _refuse_all(request: Request, reason: str, policy: Policy) -> Decision:
    """Refuse a request, whatever its policies allow."""
    has_failed = reason == _reasons.POLICY_FAILED and request.origin is not None
    decision = refuse(request, reason)._replace(no_store=has_failed, policy_name=policy.name)
    return decision if request.is_preflight else decision._replace(headers=policy.compiled.resource_headers)


def _without_caching(headers: Headers) -> Headers:
    """Return the headers of an allowed preflight that browsers must not cache."""
    if _http.ALLOW_METHODS not in dict(headers):
        return headers
    return (*(header for header in headers if header[0] != _http.MAX_AGE), (_http.MAX_AGE, b"0"))
