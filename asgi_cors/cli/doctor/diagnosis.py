"""Apply the rules to the evidence: the cause of a block, the risks and the notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.findings import Finding

from .recipes import complete
from .rules import (
    firewalls,
    layers,
    lists,
    network,
    notes,
    origin,
    preflight,
    protections,
    refused,
    response,
    risks,
    spelling,
    websocket,
)

if TYPE_CHECKING:
    from .evidence import Evidence
    from .rules.rule import Rule

# The first finding is the cause, so the order matters. Each group relies on the groups before it.
CAUSES: Final[tuple[Rule, ...]] = (
    # There is no usable HTTP response.
    *network.RULES,
    # A layer in front of the app responds itself. Its response says nothing about the app.
    *firewalls.RULES,
    # A protection of the app. It refuses whatever the CORS policy allows.
    *protections.RULES,
    *websocket.RULES,
    # The header that the browser misses is there, under another name.
    *spelling.RULES,
    # A login page. It is on another origin most of the time.
    *response.LOGINS,
    # The response belongs to another origin: a redirect, two headers, a cache.
    *layers.LAYERS,
    *preflight.REDIRECTS,
    *response.REDIRECTS,
    # An error status that is the server's way to refuse: its reason, or a comparison, shows it.
    *refused.BY_STATUS,
    # Any other error status of a preflight.
    *preflight.STATUSES,
    # Access-Control-Allow-Origin is there, with a wrong value.
    *origin.RULES,
    *layers.CREDENTIALS_RULES,
    *lists.RULES,
    # From here on, Access-Control-Allow-Origin is missing. First, a preflight with status 200 to 299.
    *refused.IN_A_PREFLIGHT,
    *preflight.NOT_ANSWERED,
    # A gateway's own error.
    *response.GATEWAYS,
    # The server allows the origin, but not on this response.
    *refused.COOKIES,
    *response.ONLY_PREFLIGHT,
    # CORS runs, and the origin is not in the list. The response may be an error as well.
    *refused.ORIGIN_RULES,
    # An error that a layer outside of CORS sends.
    *response.ERRORS_WITHOUT_CORS,
    # Nothing shows that CORS is configured.
    *response.NOT_CONFIGURED,
    # No CORS error: a WebSocket, or a response header that the script can't read.
    *response.RULES,
)


@dataclass(frozen=True)
class Diagnosis:
    """The findings of the doctor.

    Args:
        evidence: The evidence.
        cause: Why the request is blocked, or None if it is allowed.
        risks: Mistakes that do not block the request.
        notes: Facts that need no change.
    """

    evidence: Evidence
    cause: Finding | None
    risks: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def diagnose(evidence: Evidence) -> Diagnosis:
    """Apply every rule to the evidence."""
    cause = None if evidence.is_allowed else next(_apply(CAUSES, evidence), None) or _unknown(evidence)
    return Diagnosis(evidence, cause, tuple(_apply(risks.RULES, evidence)), tuple(_apply(notes.RULES, evidence)))


def _apply(rules: tuple[Rule, ...], evidence: Evidence) -> Iterator[Finding]:
    for finding in chain.from_iterable(rule(evidence) for rule in rules):
        recipe = finding.recipe and complete(finding.recipe, evidence.question)
        yield replace(finding, recipe=recipe)


def _unknown(evidence: Evidence) -> Finding:
    """Return the browser's own error, for a cause that no rule recognises."""
    remedy = evidence.error.remedy if evidence.error else "Look at the exchanges above."
    code = next(result.code for result in evidence.results if result.code)
    return Finding("blocked", f"The browser blocks the request: {code}.", remedy)
