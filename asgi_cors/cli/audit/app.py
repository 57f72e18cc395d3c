"""`audit`: every route of an app, what is served and what pages may do there, and which attacks get in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors import Policy, explain
from asgi_cors.cli.apps import Installed, inspecting, installed_in, load
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.routes import Route, Served, policy_of, routes_of

from .attacks import attacks_on, is_sent_by_browsers, targets_of
from .rules import NOTES, RULES

if TYPE_CHECKING:
    from re import Pattern

_MOST_TARGETS: Final = 20
_SAFELISTED: Final = {"GET", "HEAD", "POST"}
_EVERYTHING: Final = Route("/*", "/", ())


@dataclass(frozen=True)
class Row:
    """One route, and what pages may do there.

    Args:
        route: The route.
        policy: What serves it: a Policy, None (nothing of ours), or "at run time".
        refused: The methods that it serves and pages may not send.
    """

    route: Route
    policy: Served
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Attack:
    """An origin that gets in though nobody wrote it.

    Args:
        kind: The class of the mistake.
        origin: The hostile origin.
        rule: What lets it in.
        is_sent: Whether browsers send it.
    """

    kind: str
    origin: str
    rule: str
    is_sent: bool


@dataclass(frozen=True)
class Attacked:
    """What was attacked, and whether it allows credentials; how many origins were tried, and those that got in."""

    subject: str
    credentials: bool
    tried: int
    got_in: tuple[Attack, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Args:
        subject: MODULE:APP or a URL.
        kind: The framework, or what is asked.
        rows: Each route.
        attacked: Each policy that names origins.
        findings: What should be changed.
        notes: What is good to know.
    """

    subject: str
    kind: str
    rows: tuple[Row, ...] = ()
    attacked: tuple[Attacked, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the rules look at."""

    installed: Installed
    rows: tuple[Row, ...]
    attacked: tuple[Attacked, ...]
    origins: tuple[str, ...]
    unused: tuple[str, ...]


def audit_app(name: str, origins: tuple[str, ...] = (), *, app_dir: str = ".", factory: bool = False) -> Audit:
    """Audit MODULE:APP without starting it.

    Raises:
        CannotAskError: It can't be imported or inspected.
    """
    with inspecting(name):
        installed = installed_in(load(name, app_dir=app_dir, factory=factory))
        return _audit(name, installed, origins)


def _audit(name: str, installed: Installed, origins: tuple[str, ...]) -> Audit:
    """Audit an app that was imported."""
    rows = tuple(_row(installed, route) for route in routes_of(installed) or [_EVERYTHING])
    attacked = tuple(_attacked(policy) for policy in _policies(installed, rows))
    seen = Seen(installed, rows, attacked, origins, tuple(_unused(installed, rows)))
    findings = tuple(finding for rule in RULES for finding in rule(seen))
    notes = tuple(finding for rule in NOTES for finding in rule(seen))
    return Audit(name, installed.framework or "ASGI or WSGI app", rows, attacked, findings, notes)


def _row(installed: Installed, route: Route) -> Row:
    """Find the policy of a route; where methods have several, the one that is refused most is told."""
    found: list[tuple[Served, str]] = [
        (policy_of(installed, route.sample, method, is_websocket=route.is_websocket), method)
        for method in route.methods or ("GET",)
    ]
    refused = tuple(method for policy, method in found if route.methods and _refuses(policy, method))
    policy: Served = next((policy for policy, method in found if method in refused), found[0][0])
    return Row(route, policy, refused)


def _refuses(policy: Served, method: str) -> bool:
    if not isinstance(policy, Policy):
        return False
    return method not in _SAFELISTED and policy.allow_methods != "*" and method not in policy.allow_methods


def _policies(installed: Installed, rows: Iterable[Row]) -> list[Policy]:
    """Give each policy once: those of the routes, and those that no route uses."""
    found = [row.policy for row in rows if isinstance(row.policy, Policy)]
    if installed.configuration is not None:
        found += [policy for _, policy in _by_path(installed) if isinstance(policy, Policy)]
    return list(dict.fromkeys(found))


def _by_path(installed: Installed) -> Iterator[tuple[str, Policy | None]]:
    """Give the paths that are written, each with the policy that serves it."""
    configuration = installed.configuration
    written = configuration.settings.written["paths"] if configuration else None
    for path in written or ():
        yield _written(path), _at(installed, path)


def _written(path: str | Pattern[str]) -> str:
    return path if isinstance(path, str) else f"re.compile({path.pattern!r})"


def _at(installed: Installed, path: str | Pattern[str]) -> Policy | None:
    if not isinstance(path, str) or installed.configuration is None:
        return None
    rules = installed.configuration.settings.rules
    return rules.at(path.removesuffix("*") + "x" if path.endswith("*") else path).policy


def _unused(installed: Installed, rows: tuple[Row, ...]) -> Iterator[str]:
    """Name the paths of the policy at which nothing is served."""
    if rows[0].route is _EVERYTHING or installed.configuration is None:
        return
    for path in installed.configuration.settings.written["paths"] or ():
        if not any(_covers(path, row.route.sample) for row in rows):
            yield _written(path)


def _covers(path: str | Pattern[str], sample: str) -> bool:
    if not isinstance(path, str):
        return path.fullmatch(sample) is not None
    if path.endswith("/*"):
        return sample == path[:-2] or sample.startswith(path[:-1])
    return sample == path


def _attacked(policy: Policy) -> Attacked:
    """Attack a policy with what a careless check lets in; what it spells out itself is meant."""
    subject = origins_of(policy)
    if policy.allow_origins == "*":
        return Attacked(subject, policy.allow_credentials, 0, ())
    targets = list(targets_of(policy))[:_MOST_TARGETS] or ["https://app.example.com"]
    hostile = dict.fromkeys(pair for target in targets for pair in attacks_on(target))
    got_in = tuple(attack for kind, origin in hostile if (attack := _attack(policy, kind, origin)))
    return Attacked(subject, policy.allow_credentials, len(hostile), got_in)


def origins_of(policy: Policy) -> str:
    """Write the origins of a policy in short."""
    entries = policy.allow_origins
    if isinstance(entries, str):
        return "every origin"
    words = [entry if isinstance(entry, str) else getattr(entry, "pattern", "a function") for entry in entries]
    return ", ".join(map(str, words)) or "nobody"


def _attack(policy: Policy, kind: str, origin: str) -> Attack | None:
    step = explain(policy, "GET", origin).steps[0]
    if not step.passed or step.rule.removeprefix("allowed by ").startswith("'"):
        return None
    return Attack(kind, origin, step.rule, is_sent_by_browsers(origin))
