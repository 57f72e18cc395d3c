"""From a scope to an evaluation: the policy, the decision, and the response that is sent without the app.

An `Evaluator` is the compiled form of a middleware's options. `reconfigure` replaces it as a whole, with its caches. A
thread that is overtaken by `reconfigure` therefore reads and writes the old caches only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgi_cors import _http
from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.decision import Decision, Outcome, decide, intersect, refuse, unite_names
from asgi_cors._decision.request import Request, is_internal_host, read_request
from asgi_cors._routing.rules import InvalidViewError, PolicyMatch

from .cache import ResponseCaches, origin_text
from .lookup import call_origin_callables
from .source import Answer, Lease, OriginSource, Source

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from asgi_cors._http import Headers, Scope
    from asgi_cors._policy.policy import Policy
    from asgi_cors._routing.rules import Rules

    from .cache import ResponseCache
    from .calls import AppContext
    from .log import Log
    from .lookup import AwaitableGenerator

OnDecision = Callable[[Decision, "_http.Scope"], object]
LookUp = Answer | Generator[Any, Any, Answer]  # of a policy's callables: the answer, or awaitables that lead to it


@dataclass(slots=True)
class Evaluation:
    """The result for one request.

    Args:
        evaluator: The evaluator that made it.
        request: The request.
        policy: The policy; if the request is passed through, the base policy.
        decision: The decision that is sent.
        checked: The decision that `enforce` uses: that of all policies which may serve the request. It may allow even
            if nothing is granted because of an ambiguous path or a failed `policy_for`. None: the same decision.
        cacheable: Whether an identical request always gets the same decision, as long as its callables return the same.
        passes_through: Whether the response is left to the app, with the names in `decision.vary` added to Vary.
        granted: Whether the policy's callables allow the origin; None if they don't have to be called for an identical
            request, because they were not called, or because `leases` says how long their answer holds.
        cache: The cache that stores the response; None for that of the policy.
        leases: The decision holds as long as all of these are current.
        log_after: When a cached refusal is logged again; None if it must not be cached.
        response: Status and body of a response that is sent without the app: a preflight's, or a refusal.
    """

    evaluator: Evaluator
    request: Request
    policy: Policy
    decision: Decision
    checked: Decision | None = None
    cacheable: bool = False
    passes_through: bool = False
    granted: bool | None = None
    cache: ResponseCache | None = None
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
    """

    def __init__(
        self, rules: Rules, options: Mapping[str, Any], log: Log, app_context: AppContext | None = None
    ) -> None:
        """Start with empty caches."""
        self.rules = rules
        self.options = options
        self.log = log
        self.app_context = app_context
        self.enforce: bool = options["enforce"]
        self.check_websockets: bool = options["check_websockets"]
        self.on_decision: OnDecision | None = options["on_decision"]
        self.asgi = ResponseCaches(self)
        self.wsgi = ResponseCaches(self)
        for source in self.sources():
            source.app_context = source.app_context or app_context

    def sources(self) -> list[Source]:
        """Return the sources of the known policies, and `policy_for` if it has tasks of its own, each once."""
        entries = [entry for policy in self.rules.policies() for entry in policy.compiled.callables]
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
        evaluation = yield from self._evaluate(match or self.rules.find(scope), scope, answer)
        if not evaluation.passes_through:
            if evaluation.decision.refused:
                evaluation.log_after = self.log.refusal(
                    evaluation.policy, evaluation.request, evaluation.decision, scope
                )
            self.report(evaluation.decision, scope)
            evaluation.response = self._own_response(evaluation, scope)
        return evaluation

    def evaluate_view(self, scope: Scope, key: Hashable | None) -> AwaitableGenerator[Evaluation]:
        """Evaluate a request once more, for the view that runs. It was logged and reported before.

        Yields:
            An awaitable, whose result must be sent in.
        """
        evaluation = yield from self._evaluate(self.rules.find_by_key(scope, key), scope)
        evaluation.response = self._own_response(evaluation, scope)
        return evaluation

    def checks_handshake(self, scope: Scope) -> bool:
        """Return whether a handshake is evaluated: the options require it, and it comes from another origin."""
        if not (self.check_websockets or self.enforce):
            return False
        request = read_request(scope)
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
        self, finding: AwaitableGenerator[PolicyMatch] | PolicyMatch, scope: Scope, answer: LookUp | None = None
    ) -> AwaitableGenerator[Evaluation]:
        """Decide by the policies that `finding` returns. If it fails, refuse the request."""
        request, base, reason = read_request(scope), self.rules.policy, None
        evaluation = Evaluation(self, request, base, refuse(request, _reasons.POLICY_FAILED))
        try:
            match = finding if isinstance(finding, PolicyMatch) else (yield from finding)
        except InvalidViewError as error:
            self.log.invalid_view(error)
            return evaluation
        except Exception as error:  # noqa: BLE001 - an error in a user's callable must not fail the request
            self.log.failure("the policy for a request could not be found, so it is refused", error)
            match, reason = PolicyMatch((base,), vary=self.rules.vary), _reasons.POLICY_FAILED
        if match.policy is None:
            evaluation.decision = Decision(Outcome.NOT_CORS, vary=match.vary)
            evaluation.passes_through = True
            return evaluation
        if match.is_ambiguous:
            reason = _reasons.AMBIGUOUS_PATH
        evaluation.policy = match.policy
        evaluation.cacheable = match.is_plain or match is finding
        checked: Decision | None = None
        for policy in filter(None, match.policies) if reason is None or self.enforce else ():
            decision = yield from self._decide(policy, evaluation, scope, answer)
            checked = decision if checked is None else intersect(checked, decision)
        evaluation.checked = checked
        decision = checked if checked and reason is None else _refuse_all(request, reason or _reasons.POLICY_FAILED)
        if match.per_method:
            decision = decision._replace(headers=_without_caching(decision.headers))
        evaluation.decision = decision._replace(vary=unite_names(decision.vary, match.vary))
        return evaluation

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
            answer = self.look_up(policy, origin_text(request))
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

    def _own_response(self, evaluation: Evaluation, scope: Scope) -> tuple[int, str] | None:
        """Return status and body of a response that is sent without the app."""
        request, decision = evaluation.request, evaluation.decision
        if decision.status is not None:
            return decision.status, _reasons.refusal_body(decision.reason, decision.subject) if decision.refused else ""
        checks_handshake = scope["type"] == "websocket" and self.check_websockets
        checked = decision if checks_handshake else evaluation.checked or decision
        if (checks_handshake or self.enforce) and checked.refused and not request.same_origin:
            host, internal = request.host or b"", is_internal_host(request)
            return 403, _reasons.refusal_body(checked.reason, host=host, internal=internal)
        return None


def _refuse_all(request: Request, reason: str) -> Decision:
    """Refuse a request, whatever its policies allow."""
    has_failed = reason == _reasons.POLICY_FAILED and request.origin is not None
    return refuse(request, reason)._replace(no_store=has_failed)


def _without_caching(headers: Headers) -> Headers:
    """Return the headers of an allowed preflight that browsers must not cache."""
    if _http.ALLOW_METHODS not in dict(headers):
        return headers
    return (*(header for header in headers if header[0] != _http.MAX_AGE), (_http.MAX_AGE, b"0"))
