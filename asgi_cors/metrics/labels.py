"""The labels of a decision, and one counter for each combination of them.

The number of combinations is bounded: outcomes and reasons are fixed lists, and the names of policies are limited.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from asgi_cors import Decision

MAX_POLICIES: Final = 1000  # names of policies; a `policy_for` may name one for each tenant
OTHER_POLICIES: Final = "other"

_Key = tuple[str, str | None, str | None]
_Count = Callable[[], object]


class Report(StrEnum):
    """The difference that a report-only decision would have made."""

    WOULD_REFUSE = "would_refuse"
    WOULD_ALLOW = "would_allow"


_REPORTS: Final = {"would refuse": Report.WOULD_REFUSE, "would allow": Report.WOULD_ALLOW}


class DecisionMetrics(ABC):
    """A callable for `on_decision` that counts decisions; the base class for a metrics library.

    A subclass makes the counters. Each counter is made once for each combination of labels, and then only called. A
    combination that two threads see at the same time may be made twice, so a subclass must return equivalent counters
    for equal labels. The first 1,000 names of policies have counters of their own. Further names are counted under
    the name "other".
    """

    def __init__(self) -> None:
        """Start without counters."""
        self._decisions: dict[_Key, _Count] = {}
        self._reports: dict[_Key, _Count] = {}
        self._policies: set[str] = set()

    def __call__(self, decision: Decision, scope: object, /) -> None:  # noqa: ARG002 - the arguments of on_decision
        """Count a decision. Nothing of the scope is read.

        Args:
            decision: The decision that is applied, with the one that is only reported in `decision.report_only`.
            scope: The ASGI scope.
        """
        key = decision.outcome, decision.reason, decision.policy_name
        count = self._decisions.get(key) or self._add_counter(self._decisions, self.decision_counter, key)
        count()
        if decision.report_only is not None and decision.report is not None:
            reason = decision.report_only.reason or decision.reason
            reported = _REPORTS[decision.report], reason, decision.policy_name
            count = self._reports.get(reported) or self._add_counter(self._reports, self.report_counter, reported)
            count()

    @abstractmethod
    def decision_counter(self, outcome: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return a function that counts one decision.

        Args:
            outcome: A value of `Outcome`.
            reason: The code of the refusal; None if the request is not refused.
            policy: The name of the policy; None if it has no name.
        """

    @abstractmethod
    def report_counter(self, report: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return a function that counts one decision that report-only mode would change.

        Args:
            report: A value of `Report`.
            reason: The code of the refusal: the reported one or, if that decision allows the request, the applied one.
            policy: The name of the policy that decided; None if it has no name.
        """

    def _add_counter(
        self, counters: dict[_Key, _Count], make: Callable[[str, str | None, str | None], _Count], key: _Key
    ) -> _Count:
        """Make and remember the counter for new labels."""
        kind, reason, policy = key
        if policy is not None and policy not in self._policies:
            if len(self._policies) < MAX_POLICIES:
                self._policies.add(policy)
            else:
                key = kind, reason, OTHER_POLICIES
        counter = counters.get(key)
        if counter is None:
            counter = counters[key] = make(*key)
        return counter
