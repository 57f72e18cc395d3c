"""The options that refuse a request before the app runs: `enforce`, `csrf_protection` and `check_websockets`.

Each policy that may serve the request is checked, and one refusal suffices. An option with the value `"report"` refuses
nothing: the decision carries the refusal in `report_only`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._decision.fetch_metadata import SAFE_METHODS, check_sender, check_trusted, sender_hint
from asgi_cors._decision.request import is_internal_host

from .cache import READS
from .source import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asgi_cors._decision.request import Request
    from asgi_cors._http import Scope
    from asgi_cors._policy.policy import Policy

    from .evaluation import Decided, Evaluation, LookUp
    from .lookup import AwaitableGenerator


class Protection:
    """The checks of one middleware's options.

    Args:
        options: The middleware's own options.
        look_up: Calls a policy's callables; see `call_origin_callables`.
    """

    def __init__(self, options: Mapping[str, Any], look_up: Callable[[Policy, str], LookUp]) -> None:
        self._enforce = options["enforce"]
        self._check_websockets: bool = options["check_websockets"]
        self._look_up = look_up

    def apply(self, evaluation: Evaluation, decided: Decided, scope: Scope) -> AwaitableGenerator[None]:
        """Refuse a request before the app runs, or report that.

        Args:
            evaluation: The evaluation, whose decision is replaced.
            decided: The decision of each policy that may serve the request.
            scope: The request.
        """
        decision = evaluation.decision
        if decision.status is not None:  # a preflight
            return
        is_handshake = scope["type"] == "websocket"
        if is_handshake and self._check_websockets and decision.refused and not evaluation.request.same_origin:
            evaluation.decision = _forbid(decision, decision.reason)
            return
        if is_handshake and decision.refused:  # the option is off, and browsers apply no CORS
            decision = Decision(Outcome.NOT_CORS, vary=decision.vary, policy_name=decision.policy_name)
        evaluation.decision = yield from self._check_each(evaluation, decision, decided)

    def _check_each(self, evaluation: Evaluation, decision: Decision, decided: Decided) -> AwaitableGenerator[Decision]:
        """Return the decision, or the first refusal. The first one that is only reported becomes a part of it."""
        trust = _Trust(self._look_up, evaluation)
        reported: Decision | None = None
        for check in (self._check_enforced, self._check_sender):
            for policy, cors in decided:
                mode = self._enforce if check == self._check_enforced else policy.compiled.csrf_protection
                reason = (yield from check(policy, cors, trust)) if mode else None
                if reason is None:
                    continue
                refusal = _forbid(decision, reason)._replace(policy_name=policy.name)
                if mode is True:
                    return refusal
                reported = reported or refusal
        return decision._replace(report_only=reported)

    @staticmethod
    def _check_enforced(policy: Policy, cors: Decision, trust: _Trust) -> AwaitableGenerator[str | None]:
        """Return the reason for which `enforce` refuses a request; None if it passes."""
        request = trust.evaluation.request
        if not cors.refused:
            return None
        trust.evaluation.depends_on_page = True
        if request.same_origin:
            return None
        if request.method not in READS and (yield from trust.check(check_trusted, policy)) is None:
            trust.evaluation.is_trusted = True
            return None
        return cors.reason

    @staticmethod
    def _check_sender(policy: Policy, cors: Decision, trust: _Trust) -> AwaitableGenerator[str | None]:
        """Return the reason for which `csrf_protection` refuses a request; None if it passes."""
        request = trust.evaluation.request
        if request.origin_text == "null":
            trust.evaluation.cacheable = False  # it also depends on Sec-Fetch-Mode, which is not a part of the key
        refusal = yield from trust.check(functools.partial(check_sender, cors=cors), policy)
        if refusal is not None:
            return refusal.reason
        if cors.refused and request.method not in SAFE_METHODS and not request.same_origin:
            trust.evaluation.is_trusted = True
        return None


class _Trust:
    """The answers of the callables among `csrf_trusted_origins` for one request, so that each is called once.

    Args:
        look_up: Calls a policy's callables.
        evaluation: The evaluation of the request.
    """

    def __init__(self, look_up: Callable[[Policy, str], LookUp], evaluation: Evaluation) -> None:
        self._look_up = look_up
        self._answers: dict[Policy, bool] = {}
        self.evaluation = evaluation

    def check(self, check: Callable[..., Decision | None], policy: Policy) -> AwaitableGenerator[Decision | None]:
        """Return the result of `check_sender` or `check_trusted`, with the answers of the callables."""
        request, trusting = self.evaluation.request, policy.compiled.trusted
        if trusting is None or trusting in self._answers:
            return check(policy, request, trusted=self._answers.get(trusting) if trusting else None)
        refusal = check(policy, request)
        if refusal is None or refusal.outcome is not Outcome.LOOKUP:
            return refusal
        answer = self._look_up(trusting, request.origin_text)
        if not isinstance(answer, Answer):
            answer = yield from answer
        if answer.leases is None or answer.error is not None:
            self.evaluation.cacheable = False
        else:
            self.evaluation.leases = (*self.evaluation.leases, *answer.leases)
        self._answers[trusting] = answer.allowed
        return check(policy, request, trusted=answer.allowed)


def _forbid(decision: Decision, reason: str | None) -> Decision:
    """Return the refusal of a request that must not reach the app."""
    return decision._replace(outcome=Outcome.REFUSED, reason=reason, status=403)


def refusal_text(request: Request, decision: Decision) -> str:
    """Return the body of a refusal."""
    reason = decision.reason
    if reason == _reasons.CROSS_SITE_REQUEST:
        hint = sender_hint(request)
        return _reasons.refusal_body(reason) + (f"{hint}\n" if hint else "")
    if decision.outcome is Outcome.PREFLIGHT_REFUSED:
        return _reasons.refusal_body(reason, decision.subject)
    internal = reason != _reasons.HOST_NOT_ALLOWED and is_internal_host(request)
    return _reasons.refusal_body(reason, host=request.host or b"", internal=internal)
