"""The audit's report, for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Policy
from asgi_cors.cli.findings import as_json as finding_as_json
from asgi_cors.cli.findings import render_findings
from asgi_cors.cli.terminal import SYMBOLS, heading, labelled, plain

from .results import describe_origins

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .results import AttackResults, Audit, RouteResult

SCHEMA: Final = 1
_MAX_SHOWN: Final = 8


def report(audit: Audit) -> RenderableType:
    """Return the routes, the attacks and the findings for the terminal."""
    return Group(*_parts(audit))


def _parts(audit: Audit) -> Iterator[RenderableType]:
    yield plain(f"{audit.subject} ({audit.kind})", "bold")
    if audit.routes:
        yield heading("Routes, and the origins that may read them")
        yield _table(audit.routes)
    if audit.attacks:
        yield heading("Attacks with origins that resemble yours")
        yield labelled([("", _attacks(attacks)) for attacks in audit.attacks], width=0)
    if audit.findings:
        yield heading(f"To change ({len(audit.findings)})")
        yield render_findings(audit.findings, "yellow")
    else:
        yield Text("\n✓ nothing to change", "green")
    if audit.notes:
        yield heading("Notes")
        yield render_findings(audit.notes, "cyan")


def _table(results: tuple[RouteResult, ...]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("route", overflow="fold", ratio=3)
    table.add_column("methods", overflow="fold", ratio=2)
    table.add_column("origins", overflow="fold", ratio=4)
    table.add_column("cookies")
    for result in results:
        policy = result.policy
        if isinstance(policy, Policy):
            origins, cookies = plain(describe_origins(policy)), "yes" if policy.allow_credentials else "no"
        else:
            origins, cookies = Text("passed through" if policy is None else "decided at run time", "dim"), ""
        table.add_row(plain(result.route.path), _methods(result), origins, Text(cookies))
    return Padding(table, (0, 0, 0, 1))


def _methods(result: RouteResult) -> Text:
    if result.route.is_websocket:
        return Text("WebSocket", "cyan")
    symbol, style = SYMBOLS[False]
    return Text(" ").join(
        Text(f"{name} {symbol}", style) if name in result.refused else Text(name)
        for name in result.route.methods or ("any",)
    )


def _attacks(attacks: AttackResults) -> RenderableType:
    if not attacks.tried:
        return Text.assemble(plain(attacks.subject), (": nothing to attack, the policy allows all", "dim"))
    dangerous = attacks.dangerous
    symbol, style = SYMBOLS[not dangerous]
    verdict = f"{symbol} {len(dangerous) or 'none'} of {attacks.tried} allowed"
    lines: list[RenderableType] = [Text.assemble((verdict, style), plain(f": {attacks.subject}"))]
    lines += [
        Text.assemble(plain(f"  {attack.origin}"), (f"  {attack.kind}", "dim")) for attack in dangerous[:_MAX_SHOWN]
    ]
    lines += [Text(f"  and {len(dangerous) - _MAX_SHOWN} more", "dim")] if len(dangerous) > _MAX_SHOWN else []
    return Group(*lines)


def as_json(audit: Audit) -> dict[str, Any]:
    """Return the audit as data. docs/cli.md describes the keys."""
    return {
        "schema": SCHEMA,
        "command": "audit",
        "subject": audit.subject,
        "kind": audit.kind,
        "routes": [_route_as_json(result) for result in audit.routes],
        "attacks": [_attacks_as_json(attacks) for attacks in audit.attacks],
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
        "path": result.route.path,
        "websocket": result.route.is_websocket,
        "methods": list(result.route.methods),
        "refused_methods": list(result.refused),
        "served_by": "policy" if isinstance(policy, Policy) else "nothing" if policy is None else policy,
        "origins": describe_origins(policy) if isinstance(policy, Policy) else None,
        "credentials": policy.allow_credentials if isinstance(policy, Policy) else None,
    }
