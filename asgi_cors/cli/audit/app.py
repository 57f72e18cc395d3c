"""`audit`: every route of an app, its policy, and the attacks on each policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from asgi_cors import Policy
from asgi_cors._decision.explanation import explain_with
from asgi_cors.cli.apps import (
    InspectedApp,
    Route,
    ServedBy,
    find_policy,
    inspect_app,
    list_routes,
    load_app,
    one_line_errors,
)
from asgi_cors.cli.sources import SourceAnswers, answers_of

from .attacks import attacks_on, is_sent_by_browsers, targets_of
from .results import Attack, AttackResults, Audit, AuditContext, RouteResult, describe_origins
from .rules import NOTES, RULES

if TYPE_CHECKING:
    from re import Pattern

_MAX_TARGETS: Final = 20
_SAFELISTED: Final = {"GET", "HEAD", "POST"}
_WHOLE_APP: Final = Route("/*", "/", ())


def audit_app(name: str, origins: tuple[str, ...] = (), *, app_dir: str = ".", factory: bool = False) -> Audit:
    """Audit MODULE:APP without starting it.

    Raises:
        CannotRunError: The app can't be imported or inspected.
    """
    with one_line_errors(name):
        app = inspect_app(load_app(name, app_dir=app_dir, factory=factory))
        routes = tuple(_route_result(app, route) for route in list_routes(app) or [_WHOLE_APP])
        policies, unused_paths = _policies(app, routes), tuple(_unused_paths(app, routes))
    with answers_of(app) as answers:
        attacks = tuple(_attack_policy(policy, answers) for policy in policies)
        context = AuditContext(app, routes, attacks, origins, unused_paths, answers.get)
        findings = tuple(chain.from_iterable(rule(context) for rule in RULES))
        notes = tuple(chain.from_iterable(rule(context) for rule in NOTES))
        return Audit(name, app.framework or "ASGI or WSGI app", routes, attacks, findings, notes)


def _route_result(app: InspectedApp, route: Route) -> RouteResult:
    """Find the policy of a route. If its methods have several policies, prefer one that refuses its method."""
    found: list[tuple[ServedBy, str]] = [
        (find_policy(app, route.sample, method, is_websocket=route.is_websocket), method)
        for method in route.methods or ("GET",)
    ]
    refused = tuple(method for policy, method in found if route.methods and _refuses(policy, method))
    policy: ServedBy = next((policy for policy, method in found if method in refused), found[0][0])
    return RouteResult(route, policy, refused)


def _refuses(policy: ServedBy, method: str) -> bool:
    if not isinstance(policy, Policy):
        return False
    return method not in _SAFELISTED and policy.allow_methods != "*" and method not in policy.allow_methods


def _policies(app: InspectedApp, routes: Iterable[RouteResult]) -> list[Policy]:
    """Return each policy once: those of the routes, then those of paths that no route uses."""
    found: list[ServedBy] = [result.policy for result in routes]
    found += [_policy_at(app, path) for path in _configured_paths(app)]
    return list(dict.fromkeys(policy for policy in found if isinstance(policy, Policy)))


def _configured_paths(app: InspectedApp) -> Iterable[str | Pattern[str]]:
    return (app.configuration.evaluator.options["paths"] if app.configuration else None) or ()


def _policy_at(app: InspectedApp, path: str | Pattern[str]) -> Policy | None:
    if not isinstance(path, str) or app.configuration is None:
        return None
    rules = app.configuration.evaluator.rules
    return rules.at(path.removesuffix("*") + "x" if path.endswith("*") else path).policy


def _unused_paths(app: InspectedApp, routes: tuple[RouteResult, ...]) -> Iterator[str]:
    """Yield the keys of `paths` that match no route."""
    for path in () if routes[0].route is _WHOLE_APP else _configured_paths(app):
        if not any(_matches(path, result.route.sample) for result in routes):
            yield path if isinstance(path, str) else f"re.compile({path.pattern!r})"


def _matches(path: str | Pattern[str], sample: str) -> bool:
    if not isinstance(path, str):
        return path.fullmatch(sample) is not None
    if path.endswith("/*"):
        return sample == path[:-2] or sample.startswith(path[:-1])
    return sample == path


def _attack_policy(policy: Policy, answers: SourceAnswers) -> AttackResults:
    """Try every attack on a policy. An origin that the policy names is not an attack."""
    subject = describe_origins(policy)
    if policy.allow_origins == "*":
        return AttackResults(subject, policy.allow_credentials, 0, ())
    targets = list(targets_of(policy))[:_MAX_TARGETS] or ["https://app.example.com"]
    hostile = dict.fromkeys(pair for target in targets for pair in attacks_on(target))
    allowed: list[Attack] = []
    for kind, origin in hostile:
        step = explain_with(answers.get, policy, "GET", origin).steps[0]
        if step.passed and not step.rule.removeprefix("allowed by ").startswith("'"):
            allowed.append(Attack(kind, origin, step.rule, is_sent_by_browsers(origin)))
    return AttackResults(subject, policy.allow_credentials, len(hostile), tuple(allowed))
