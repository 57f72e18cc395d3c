"""The results of an audit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asgi_cors import Policy
from asgi_cors._decision.callables import call_name, is_source
from asgi_cors._errors import show
from asgi_cors.cli.apps.settings import is_in_settings

if TYPE_CHECKING:
    from asgi_cors._decision.callables import GetAnswer
    from asgi_cors._policy.options import OriginEntry
    from asgi_cors.cli.apps import InspectedApp, Route, Served
    from asgi_cors.cli.apps.installing import InstallLine
    from asgi_cors.cli.findings import Finding


@dataclass(frozen=True)
class RouteResult:
    """A route with its policies.

    Args:
        route: The route.
        served: The policies that serve it.
        refused: The methods that the route serves and the policy does not allow.
        changing: The methods of the route that change things.
        forged: Those that another site can send with the user's cookies.
    """

    route: Route
    served: Served
    refused: tuple[str, ...]
    changing: tuple[str, ...] = ()
    forged: tuple[str, ...] = ()

    @property
    def policy(self) -> Policy | str | None:
        """The policy that serves the route, None for no policy, or "at run time"."""
        return self.served.policy


@dataclass(frozen=True)
class Attack:
    """A hostile origin that is allowed.

    Args:
        kind: The class of the mistake.
        origin: The hostile origin.
        rule: The entry of the policy that allows it.
        is_sent: Whether browsers can send it.
    """

    kind: str
    origin: str
    rule: str
    is_sent: bool


@dataclass(frozen=True)
class AttackResults:
    """The attacks on one policy or URL.

    Args:
        subject: The allowed origins of the policy, or the origin with which the URL was tested.
        credentials: Whether credentials are allowed.
        tried: The number of hostile origins.
        allowed: Those that were allowed.
        policy: The policy, or None for a URL.
    """

    subject: str
    credentials: bool
    tried: int
    allowed: tuple[Attack, ...]
    policy: Policy | None = field(default=None, compare=False)

    @property
    def dangerous(self) -> list[Attack]:
        """The allowed attacks that a browser can carry out."""
        return [attack for attack in self.allowed if attack.is_sent]


@dataclass(frozen=True)
class RequestAttack:
    """A hostile request, and the routes that run it.

    Args:
        kind: `forged-request` or `rebinding-host`.
        tried: The number of requests.
        passed: Those that the app runs: the method and the path, or the Host.
    """

    kind: str
    tried: int
    passed: tuple[str, ...]


@dataclass(frozen=True)
class AuditContext:
    """The facts on which the rules decide.

    Args:
        app: The inspected app.
        routes: Its routes.
        attacks: The attacks on each policy.
        origins: The origins that must be allowed.
        unused_paths: The keys of `paths` that match no route.
        get_answer: Returns the answer of a callable of a policy.
        line: The line that adds a policy to the app.
    """

    app: InspectedApp
    routes: tuple[RouteResult, ...]
    attacks: tuple[AttackResults, ...]
    origins: tuple[str, ...]
    unused_paths: tuple[str, ...]
    get_answer: GetAnswer
    line: InstallLine

    def is_in_settings(self, policy: Policy) -> bool:
        """Return whether a policy is that of a Django project's settings."""
        return any(part.framework == "Django" for part in (self.app, *self.app.parts)) and is_in_settings(policy)


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Args:
        subject: MODULE:APP or a URL.
        kind: The framework, or "live URL".
        routes: The routes.
        attacks: The attacks on each policy.
        findings: The mistakes.
        notes: Facts that need no change.
        requests: The hostile requests.
    """

    subject: str
    kind: str
    routes: tuple[RouteResult, ...] = ()
    attacks: tuple[AttackResults, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    requests: tuple[RequestAttack, ...] = ()


def describe_origins(policy: Policy) -> str:
    """Return the allowed origins of a policy in one line."""
    entries = policy.allow_origins
    if isinstance(entries, str):
        return "every origin"
    return ", ".join(map(_describe_entry, entries)) or "no origin"


def describe_trusted(policy: Policy) -> str:
    """Return the trusted origins of a policy in one line; empty if there are none."""
    return ", ".join(map(_describe_entry, policy.csrf_trusted_origins))


def _describe_entry(entry: OriginEntry) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, re.Pattern):
        return entry.pattern
    return show(entry) if is_source(entry) else call_name(entry)
