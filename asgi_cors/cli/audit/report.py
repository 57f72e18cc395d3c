"""The audit's report: a table of routes, the attacks, what should be changed; for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asgi_cors import Policy
from asgi_cors.cli.doctor.report import finding_json, findings_shown
from asgi_cors.cli.terminal import MARKS, heading, labelled, plain

from .app import origins_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .app import Attacked, Audit, Row

SCHEMA: Final = 1
_SHOWN: Final = 8


def report(audit: Audit) -> RenderableType:
    """Tell people what the audit found."""
    return Group(*_parts(audit))


def _parts(audit: Audit) -> Iterator[RenderableType]:
    yield plain(f"{audit.subject} ({audit.kind})", "bold")
    if audit.rows:
        yield heading("Routes, and what pages of other origins may do there")
        yield _table(audit)
    if audit.attacked:
        yield heading("Origins that a careless check takes for yours")
        yield labelled([("", _attacked(attacked)) for attacked in audit.attacked], width=0)
    if audit.findings:
        yield heading(f"To change ({len(audit.findings)})")
        yield findings_shown(audit.findings, "yellow")
    else:
        yield Text("\n✓ nothing to change", "green")
    if audit.notes:
        yield heading("Good to know")
        yield findings_shown(audit.notes, "cyan")


def _table(audit: Audit) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("route", overflow="fold", ratio=3)
    table.add_column("methods", overflow="fold", ratio=2)
    table.add_column("origins", overflow="fold", ratio=4)
    table.add_column("cookies")
    for row in audit.rows:
        policy = row.policy
        cookies = Text("yes" if policy.allow_credentials else "no") if isinstance(policy, Policy) else Text("")
        table.add_row(plain(row.route.path), _methods(row), _origins(row), cookies)
    return Padding(table, (0, 0, 0, 1))


def _methods(row: Row) -> Text:
    if row.route.is_websocket:
        return Text("WebSocket", "cyan")
    words = [(name, "red" if name in row.refused else "") for name in row.route.methods or ("any",)]
    marked = [(f"{name} {MARKS[False][0]}" if style else name, style) for name, style in words]
    return Text(" ").join(Text(word, style) for word, style in marked)


def _origins(row: Row) -> Text:
    if isinstance(row.policy, Policy):
        return plain(origins_of(row.policy))
    return Text("untouched" if row.policy is None else "asked at run time", "dim")


def _attacked(attacked: Attacked) -> RenderableType:
    if not attacked.tried:
        return Text.assemble(plain(attacked.subject), (": nothing to attack, all may read", "dim"))
    sent = [attack for attack in attacked.got_in if attack.is_sent]
    mark, style = MARKS[not sent]
    said = f"{mark} {len(sent)} of {attacked.tried} get in" if sent else f"{mark} none of {attacked.tried} gets in"
    lines: list[RenderableType] = [Text.assemble((said, style), plain(f": {attacked.subject}"))]
    lines += [Text.assemble(plain(f"  {attack.origin}"), (f"  {attack.kind}", "dim")) for attack in sent[:_SHOWN]]
    lines += [Text(f"  and {len(sent) - _SHOWN} more", "dim")] if len(sent) > _SHOWN else []
    return Group(*lines)


def as_json(audit: Audit) -> dict[str, Any]:
    """Give it as data; docs/cli.md describes it."""
    return {
        "schema": SCHEMA,
        "command": "audit",
        "subject": audit.subject,
        "kind": audit.kind,
        "routes": [_row(row) for row in audit.rows],
        "attacks": [
            {
                "subject": attacked.subject,
                "credentials": attacked.credentials,
                "tried": attacked.tried,
                "got_in": [
                    {
                        "kind": attack.kind,
                        "origin": attack.origin,
                        "rule": attack.rule,
                        "sent_by_browsers": attack.is_sent,
                    }
                    for attack in attacked.got_in
                ],
            }
            for attacked in audit.attacked
        ],
        "findings": [finding_json(finding) for finding in audit.findings],
        "notes": [finding_json(note) for note in audit.notes],
    }


def _row(row: Row) -> dict[str, Any]:
    policy = row.policy
    return {
        "path": row.route.path,
        "websocket": row.route.is_websocket,
        "methods": list(row.route.methods),
        "refused_methods": list(row.refused),
        "served_by": "policy" if isinstance(policy, Policy) else "nothing" if policy is None else policy,
        "origins": origins_of(policy) if isinstance(policy, Policy) else None,
        "credentials": policy.allow_credentials if isinstance(policy, Policy) else None,
    }
