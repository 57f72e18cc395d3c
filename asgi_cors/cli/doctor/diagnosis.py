"""From evidence to findings: the cause of a block, the risks, the notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asgi_cors.cli.findings import Finding

from .rules import layers, lists, origin, preflight, response
from .rules.notes import NOTES
from .rules.risks import RISKS

if TYPE_CHECKING:
    from .evidence import Evidence

# What comes first wins: each group relies on those before it.
CAUSES = (
    *layers.BETWEEN,
    *preflight.RULES,
    *origin.RULES,
    *layers.OF_CREDENTIALS,
    *lists.RULES,
    *response.RULES,
)


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found.

    Args:
        evidence: What it looked at.
        cause: Why the call is blocked; None where it isn't.
        risks: What is wrong though the call may go through.
        notes: What is good to know.
    """

    evidence: Evidence
    cause: Finding | None
    risks: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def diagnose(evidence: Evidence) -> Diagnosis:
    """Apply every rule."""
    cause = None if evidence.is_allowed else next(filter(None, (rule(evidence) for rule in CAUSES)), _unknown(evidence))
    risks = tuple(finding for rule in RISKS if (finding := rule(evidence)))
    notes = tuple(finding for rule in NOTES if (finding := rule(evidence)))
    return Diagnosis(evidence, cause, risks, notes)


def _unknown(evidence: Evidence) -> Finding:
    """Tell what the browser tells, where no rule knows more."""
    error = evidence.error
    remedy = error.remedy if error else "Look at the exchanges above."
    return Finding("blocked", f"The browser blocks it: {next(v.code for v in evidence.visits if v.code)}.", remedy)
