"""`audit`: every route of an app, its policies, and the attacks on each policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from asgi_cors import Configuration, Policy
from asgi_cors._decision.explanation import explain_with
from asgi_cors.cli.apps import (
    AppRequest,
    InspectedApp,
    Route,
    Served,
    django,
    find_served,
    inspect_app,
    load_app,
    one_line_errors,
)
from asgi_cors.cli.apps.installing import install_line
from asgi_cors.cli.apps.templates import PathTemplate
from asgi_cors.cli.sources import SourceAnswers, answers_of

from .attacks import attacks_on, is_sent_by_browsers, targets_of
from .requests import CHANGING, REBOUND_HOST, forged_methods, request_attacks
from .results import Attack, AttackResults, Audit, AuditContext, RouteResult, describe_origins
from .rules import NOTES, RULES

if TYPE_CHECKING:
    from asgi_cors.cli.apps.routes import Installed
    from asgi_cors.cli.apps.templates import PathKey

_MAX_TARGETS: Final = 20
_SAFELISTED: Final = {"GET", "HEAD", "POST"}


def audit_app(name: str, origins: tuple[str, ...] = (), *, app_dir: str = ".", factory: bool = False) -> Audit:
    """Audit MODULE:APP without starting it.

    Raises:
        CannotRunError: The app can't be imported or inspected.
    """
    with one_line_errors(name):
        loaded = load_app(name, app_dir=app_dir, factory=factory)
        app = inspect_app(loaded)
        listed = chain.from_iterable(map(_with_keys, app.routes))
        routes = tuple(result for route in listed for result in _route_results(app, route))
        policies, unused_paths = _policies(app, routes), tuple(_unused_paths(app))
    with answers_of(app) as answers:
        routes = tuple(_with_forged(app, result, answers) for result in routes)
        attacks = tuple(dict.fromkeys(_attack_policy(policy, answers) for policy in policies))
        line = install_line(loaded, name)
        context = AuditContext(app, routes, attacks, origins, unused_paths, answers.get, line)
        findings = tuple(chain.from_iterable(rule(context) for rule in RULES))
        notes = tuple(chain.from_iterable(rule(context) for rule in NOTES))
        checks_host = app.framework == "Django" and django.refuses_host(REBOUND_HOST)
        requests = tuple(request_attacks(routes, _configurations(app), checks_host=checks_host))
        return Audit(name, app.kind, routes, attacks, findings, notes, requests)


def _with_keys(route: Route) -> Iterator[Route]:
    """Yield a route. If it is an app whose routes are not listed, also yield the paths below it that have policies."""
    yield route
    for installed in route.installed if route.unlisted else ():
        for key in _keys(installed.configuration):
            if isinstance(key, str) and key != "/*" and _template(route, installed).may_match(key):
                stem = key.removesuffix("/*")
                text = f"{installed.root}{stem}"
                template = PathTemplate(text, (text,), key.endswith("/*"))
                if template.text != route.template.text:
                    yield replace(route, template=template, is_key=True)


def _route_results(app: InspectedApp, route: Route) -> Iterator[RouteResult]:
    """Yield the policies of a route: one result for its methods, or one for all methods with the same policies."""
    found: dict[Served, list[str]] = {}
    for served, method in _served(app, route, route.methods or ("GET",)):
        found.setdefault(served, []).append(method)
    for served, methods in found.items():
        refused = tuple(method for method in methods if route.methods and _refuses(served, method))
        yield RouteResult(replace(route, methods=tuple(methods)) if len(found) > 1 else route, served, refused)


def _served(app: InspectedApp, route: Route, methods: Iterable[str]) -> list[tuple[Served, str]]:
    """Return the policies of a route, by method."""
    host = re.sub(r"{.*?}", "x", route.host)
    return [
        (find_served(app, route.installed, AppRequest(route.sample, method, host, route.is_websocket)), method)
        for method in methods
    ]


def _with_forged(app: InspectedApp, result: RouteResult, answers: SourceAnswers) -> RouteResult:
    """Return a route with the methods that change things. A route without a list of methods has POST."""
    route = result.route
    changing = tuple(method for method in route.methods or ("POST",) if method in CHANGING)
    if route.unlisted or route.is_websocket or not changing:
        return result
    forged = () if route.is_csrf_checked else forged_methods(answers.get, _served(app, route, changing))
    return replace(result, changing=changing, forged=forged)


def _refuses(served: Served, method: str) -> bool:
    policy = served.policy  # the outermost one responds to a preflight
    if not isinstance(policy, Policy) or method in _SAFELISTED:
        return False
    return policy.allow_methods != "*" and method not in policy.allow_methods


def _policies(app: InspectedApp, routes: Iterable[RouteResult]) -> list[Policy]:
    """Return each policy once: those of the routes, then those of paths that no route uses."""
    found: list[Policy | None] = [policy for result in routes for policy in result.served.policies]
    for configuration in _configurations(app):
        rules = configuration.evaluator.rules
        paths = [key for key in _keys(configuration) if isinstance(key, str)]
        found += [rules.at(f"{path.removesuffix('*')}x" if path.endswith("*") else path).policy for path in paths]
        found += [] if app.routes else [configuration.policy]
    return list(dict.fromkeys(policy for policy in found if policy is not None))


def _configurations(app: InspectedApp) -> list[Configuration]:
    """Return the configurations of an app and of its parts, each once."""
    found = [part.configuration for part in (app, *app.parts) if part.configuration]
    found += [installed.configuration for route in app.routes for installed in route.installed]
    return list({id(configuration): configuration for configuration in found}.values())


def _keys(configuration: Configuration) -> Iterable[PathKey]:
    return configuration.evaluator.options["paths"] or ()


def _template(route: Route, installed: Installed) -> PathTemplate:
    """Return the path of a route as a policy around it sees the path."""
    return route.template.after(installed.depth)


def _unused_paths(app: InspectedApp) -> Iterator[str]:
    """Yield the keys of `paths` that match no route. Below an app whose routes are not listed, each may match."""
    for configuration in _configurations(app):
        templates = [
            _template(route, installed)
            for route in app.routes
            for installed in route.installed
            if installed.configuration is configuration
        ]
        for key in _keys(configuration):
            if not any(template.may_match(key) for template in templates):
                yield repr(key) if isinstance(key, str) else f"re.compile({key.pattern!r})"


def _attack_policy(policy: Policy, answers: SourceAnswers) -> AttackResults:
    """Try every attack on a policy. An origin that the policy names is not an attack."""
    subject = describe_origins(policy)
    if policy.allow_origins == "*":
        return AttackResults(subject, policy.allow_credentials, 0, (), policy)
    targets = list(targets_of(policy))[:_MAX_TARGETS] or ["https://app.example.com"]
    hostile = dict.fromkeys(pair for target in targets for pair in attacks_on(target))
    allowed: list[Attack] = []
    for kind, origin in hostile:
        steps = explain_with(answers.get, policy, "GET", origin).steps
        step = next(step for step in steps if step.check == "origin")
        if step.passed and not step.rule.removeprefix("allowed by ").startswith("'"):
            allowed.append(Attack(kind, origin, step.rule, is_sent_by_browsers(origin)))
    return AttackResults(subject, policy.allow_credentials, len(hostile), tuple(allowed), policy)
