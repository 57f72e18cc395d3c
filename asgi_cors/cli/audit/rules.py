"""What an audit finds in an app: each a small rule over its routes, its policies and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors import Policy, explain
from asgi_cors.cli.findings import Finding

if TYPE_CHECKING:
    from .app import Row, Seen

# Middlewares that answer nothing by themselves, so that it doesn't matter that they run before.
_HARMLESS: Final = (
    "gzip",
    "proxyfix",
    "proxyheaders",
    "sentry",
    "opentelemetry",
    "prometheus",
    "profiler",
    "requestid",
)
_SHOWN: Final = 6


def _listed(rows: list[Row]) -> str:
    shown = ", ".join(row.route.path for row in rows[:_SHOWN])
    return shown + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def no_policy(seen: Seen) -> Iterator[Finding]:
    """Nothing of ours stands around the app."""
    if seen.installed.configuration is None:
        yield Finding(
            "no-policy",
            "The app has no CORS policy of asgi_cors: pages of other origins read nothing, but for what the app itself"
            " sends.",
            "If pages of other origins may use it, give it a policy.",
            "",
            "app = CORSMiddleware(app, allow_origins=['https://app.example.com'])",
        )


def method_refused(seen: Seen) -> Iterator[Finding]:
    """A route serves a method that pages may not send."""
    by_methods: dict[tuple[str, ...], list[Row]] = {}
    for row in seen.rows:
        if row.refused:
            by_methods.setdefault(row.refused, []).append(row)
    for methods, rows in by_methods.items():
        yield Finding(
            "method-refused",
            f"{_listed(rows)}: {', '.join(methods)} {'is' if len(methods) == 1 else 'are'} served, but no page of"
            " another origin may send it.",
            "Allow it, if pages are meant to.",
            "",
            f"allow_methods=[…, {', '.join(map(repr, methods))}]",
        )


def nothing_allowed(seen: Seen) -> Iterator[Finding]:
    """Routes whose policy allows no origin at all."""
    rows = [row for row in seen.rows if isinstance(row.policy, Policy) and row.policy.allow_origins == ()]
    if rows:
        yield Finding(
            "nothing-allowed",
            f"{_listed(rows)}: the policy allows no origin, so no page of another origin can read anything there.",
            "Name the origins, or pass the path through untouched if that is meant.",
            "",
            "allow_origins=['https://app.example.com']",
        )


def origin_refused(seen: Seen) -> Iterator[Finding]:
    """An origin that must get through doesn't, somewhere."""
    for origin in seen.origins:
        rows = [
            row
            for row in seen.rows
            if isinstance(row.policy, Policy) and explain(row.policy, "GET", origin).allowed is False
        ]
        if rows:
            told = explain(rows[0].policy, "GET", origin) if isinstance(rows[0].policy, Policy) else None
            yield Finding(
                "origin-refused",
                f"{origin} may not read {_listed(rows)}: {told.steps[0].rule if told else ''}.",
                "Add it to the policy of these routes.",
                "",
                f"allow_origins=[…, {origin!r}]",
            )


def policy_unused(seen: Seen) -> Iterator[Finding]:
    """A path of the policy at which nothing is served."""
    for path in seen.unused:
        yield Finding(
            "policy-unused",
            f"paths[{path!r}] serves no route: a mistyped path leaves its routes to the base policy.",
            "Write it as the router has it, upper and lower case included; or take it out.",
        )


def cors_inside(seen: Seen) -> Iterator[Finding]:
    """Another library sets CORS fields, too."""
    for name in dict.fromkeys(seen.installed.inner):
        ours = seen.installed.configuration is not None
        effect = "asgi_cors replaces its fields, and warns at each" if ours else "it decides by rules of its own"
        yield Finding(
            "cors-inside",
            f"{name} sets CORS inside of the app: {effect}.",
            "Take it out, and write what it allows into the one policy.",
            "",
            "paths={'/that/*': {…}} where its routes need another policy",
        )


def runs_before(seen: Seen) -> Iterator[Finding]:
    """A middleware outside of ours: what it answers by itself has no CORS fields."""
    for name in seen.installed.outer:
        if not any(word in name.lower() for word in _HARMLESS):
            yield Finding(
                "runs-before",
                f"{name} runs before the policy: preflights pass it first, and what it answers by itself (401, 429, a"
                " redirect) has no CORS fields.",
                "Put the policy outermost.",
                "",
                "app = CORSMiddleware(app, …) around everything; for Starlette and FastAPI install(app, …)",
            )


def websocket_unguarded(seen: Seen) -> Iterator[Finding]:
    """A WebSocket that any site may open."""
    configuration = seen.installed.configuration
    unchecked = configuration is None or not configuration.settings.check_websockets
    rows = [row for row in seen.rows if row.route.is_websocket and (unchecked or row.policy is None)]
    if rows:
        yield Finding(
            "websocket-unguarded",
            f"{_listed(rows)}: any site may open this WebSocket in the name of a user who has a cookie here.",
            "Let the policy look at the handshake's Origin.",
            "",
            "check_websockets=True, and a policy at that path",
        )


def attack_gets_in(seen: Seen) -> Iterator[Finding]:
    """A hostile origin gets in."""
    for attacked in seen.attacked:
        sent = [attack for attack in attacked.got_in if attack.is_sent]
        if sent and attacked.credentials:
            rules = dict.fromkeys(attack.rule.removeprefix("allowed by ") for attack in sent)
            yield Finding(
                "attack-gets-in",
                f"{len(sent)} of {attacked.tried} hostile origins get in with credentials, such as {sent[0].origin!r}"
                f" ({sent[0].kind}), by {', '.join(rules)}.",
                "Name the origins, or let the function or the expression compare the whole origin.",
                "",
                "allow_origins=['https://app.example.com', 'https://*.example.com']",
            )


def trusts_subdomains(seen: Seen) -> Iterator[Finding]:
    """A wildcard with credentials is as safe as the weakest subdomain."""
    policies = [row.policy for row in seen.rows if isinstance(row.policy, Policy) and row.policy.allow_credentials]
    entries = [entry for policy in policies for entry in policy.allow_origins if isinstance(entry, str)]
    for entry in dict.fromkeys(entry for entry in entries if "://*." in entry):
        yield Finding(
            "trusts-subdomains",
            f"{entry!r} lets every subdomain in with credentials, those that show what users upload and those whose DNS"
            " entry points nowhere any more included.",
            "Name the subdomains that need it, if they are few.",
        )


NOTES: Final = (trusts_subdomains,)
RULES: Final = (
    no_policy,
    attack_gets_in,
    websocket_unguarded,
    runs_before,
    cors_inside,
    method_refused,
    nothing_allowed,
    origin_refused,
    policy_unused,
)
