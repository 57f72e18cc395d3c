"""The audit's report, for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from asgi_cors import Policy
from asgi_cors.cli.findings import as_json as finding_as_json
from asgi_cors.cli.findings import render_findings
from asgi_cors.cli.terminal import SYMBOLS, heading, labelled, plain

from .requests import FORGED, REBINDING
from .results import describe_origins, describe_trusted
from .table import RouteTable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .results import AttackResults, Audit, RequestAttack, RouteResult

SCHEMA: Final = 1
# By kind: the name, the text of a refusal, and the text for the requests that the app runs.
_REQUEST_TEXTS: Final = {
    FORGED: ("a forged request of another site, with cookies", "no route runs it", "the app runs {}"),
    REBINDING: ("DNS rebinding", "the Host of another site is refused", "Host {} is not refused (allowed_hosts)"),
}
_MAX_SHOWN: Final = 8


def report(audit: Audit) -> RenderableType:
    """Return the routes, the attacks and the findings for the terminal."""
    return Group(*_parts(audit))


def _parts(audit: Audit) -> Iterator[RenderableType]:
    yield plain(f"{audit.subject} ({audit.kind})", "bold")
    if audit.routes:
        yield heading("Routes, and the origins that may read them")
        yield Padding(RouteTable(audit.routes), (1, 0, 0, 2))
    if audit.attacks:
        yield heading("Attacks with origins that resemble yours")
        yield labelled([("", _attacks(attacks)) for attacks in audit.attacks], width=0)
    if audit.requests:
        yield heading("Requests of hostile pages")
        yield labelled([("", _request_attack(attack)) for attack in audit.requests], width=0)
    if audit.findings:
        yield heading(f"To change ({len(audit.findings)})")
        yield render_findings(audit.findings, "yellow")
    yield from _verdict(audit)
    if audit.notes:
        yield heading("Notes")
        yield render_findings(audit.notes, "cyan")


def _verdict(audit: Audit) -> Iterator[RenderableType]:
    """Yield the parts that were not checked, and whether anything is to change."""
    unlisted = dict.fromkeys(
        f"{result.route.unlisted} at {result.route.path}"
        for result in audit.routes
        if result.route.unlisted and not result.route.is_key
    )
    if unlisted:
        names = ", ".join([*unlisted][:_MAX_SHOWN])
        more = f" and {len(unlisted) - _MAX_SHOWN} more" if len(unlisted) > _MAX_SHOWN else ""
        text = f"not checked, because this command has no list of the routes: {names}{more}"
        yield Text("")
        yield Text.assemble(("? ", "yellow"), plain(text))
    if not audit.findings:
        rest = " in the other parts" if unlisted else ""
        rest = " in the policies" if unlisted and all(result.route.unlisted for result in audit.routes) else rest
        text = f"✓ nothing to change{rest}" if not unlisted else f"✓ no mistake found{rest}"
        yield Text(text if unlisted else f"\n{text}", "green")


def _attacks(attacks: AttackResults) -> RenderableType:
    if not attacks.tried:
        return Text.assemble(plain(attacks.subject), (": not attacked, because the policy allows every origin", "dim"))
    dangerous = attacks.dangerous
    symbol, style = SYMBOLS[not dangerous]
    verdict = f"{symbol} {len(dangerous) or 'none'} of {attacks.tried} allowed"
    lines: list[RenderableType] = [Text.assemble((verdict, style), plain(f": {attacks.subject}"))]
    lines += [
        Text.assemble(plain(f"  {attack.origin}"), (f"  {attack.kind}", "dim")) for attack in dangerous[:_MAX_SHOWN]
    ]
    lines += [Text(f"  and {len(dangerous) - _MAX_SHOWN} more", "dim")] if len(dangerous) > _MAX_SHOWN else []
    return Group(*lines)


def _request_attack(attack: RequestAttack) -> RenderableType:
    """Return a line about a hostile request. That the app runs it is a mistake only under a finding."""
    name, refused, passed = _REQUEST_TEXTS[attack.kind]
    symbol, style = SYMBOLS[True if not attack.passed else None]
    if not attack.passed:
        return Text.assemble((f"{symbol} ", style), plain(f"{name}: {refused}"))
    shown = ", ".join(attack.passed[:_MAX_SHOWN])
    more = f" and {len(attack.passed) - _MAX_SHOWN} more" if len(attack.passed) > _MAX_SHOWN else ""
    return Text.assemble((f"{symbol} ", style), plain(f"{name}: {passed.format(shown + more)}"))


def as_json(audit: Audit) -> dict[str, Any]:
    """Return the audit as data. docs/cli.md describes the keys."""
    return {
        "schema": SCHEMA,
        "command": "audit",
        "subject": audit.subject,
        "kind": audit.kind,
        "routes": [_route_as_json(result) for result in audit.routes],
        "attacks": [_attacks_as_json(attacks) for attacks in audit.attacks],
        "requests": [
            {"kind": attack.kind, "tried": attack.tried, "got_in": list(attack.passed)} for attack in audit.requests
        ],
        "findings": [finding_as_json(finding) for finding in audit.findings],
        "notes": [finding_as_json(note) for note in audit.notes],
    }


def _attacks_as_json(attacks: AttackResults) -> dict[str, Any]:
    return {
        "subject": attacks.subject,
        "credentials": attacks.credentials,
        "tried": attacks.tried,
        "got_in": [
            {"kind": attack.kind, "origin": attack.origin, "rule": attack.rule, "sent_by_browsers": attack.is_sent}
            for attack in attacks.allowed
        ],
    }


def _route_as_json(result: RouteResult) -> dict[str, Any]:
    policy = result.policy
    return {
        "path": result.route.template.shown,
        "host": result.route.host,
        "listed": not result.route.unlisted,
        "websocket": result.route.is_websocket,
        "methods": list(result.route.methods),
        "refused_methods": list(result.refused),
        "served_by": "policy" if isinstance(policy, Policy) else "nothing" if policy is None else policy,
        "origins": describe_origins(policy) if isinstance(policy, Policy) else None,
        "credentials": policy.allow_credentials if isinstance(policy, Policy) else None,
        "policy": policy.name if isinstance(policy, Policy) else None,
        "csrf_protection": policy.csrf_protection if isinstance(policy, Policy) else None,
        "csrf_trusted_origins": describe_trusted(policy) if isinstance(policy, Policy) else None,
        "allowed_hosts": bool(result.served.hosts),
        "forged_methods": list(result.forged),
    }
