"""The rules of the audit: each yields the findings of one mistake in an app."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors._decision.explanation import explain_with
from asgi_cors.cli.apps.django import CSRF
from asgi_cors.cli.apps.settings import in_settings, settings_remedy
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, accepted_names, origin_remedy, policy_line, policy_remedy

if TYPE_CHECKING:
    from asgi_cors import PolicyOptions

    from .results import AuditContext, RouteResult

# Middlewares that never respond themselves, so that they may run before CORS.
_TRANSPARENT: Final = (
    *("gzip", "brotli", "proxyfix", "proxyheaders", "sentry", "opentelemetry", "prometheus", "profiler", "requestid"),
    *("correlationid", "sessionmiddleware", "mangum", "wsgimiddleware", "asgimiddleware", "wsgitoasgi", "asgitowsgi"),
    *("dispatchermiddleware", "lifespan"),
)
_BY_PATH: Final = "If its routes need another policy, name them in paths."
_OTHER_POLICIES: Final = {"Django": "If its views need another policy, decorate them with cross_origin."}
_MAX_SHOWN: Final = 6
_MAX_ENTRIES: Final = 20  # of a list that a remedy repeats
_EXAMPLE: Final = "https://app.example.com"


def _paths(results: list[RouteResult]) -> str:
    shown = ", ".join(result.route.path for result in results[:_MAX_SHOWN])
    return shown + (f" and {len(results) - _MAX_SHOWN} more" if len(results) > _MAX_SHOWN else "")


def no_policy(context: AuditContext) -> Iterator[Finding]:
    """The app has no asgi_cors middleware."""
    if context.app.has_policy:
        return
    sends = "Pages of other origins can read a response only if the app itself sends CORS headers."
    found = "The app has no CORS policy of asgi_cors."
    if not context.app.framework:
        found = (
            "No CORS policy of asgi_cors is found. One that is added when the app starts, or inside of a middleware"
            " that hides its app, is not found."
        )
    yield Finding(
        "no-policy",
        f"{found} {sends}",
        "If pages of other origins may use the app, add a policy.",
        policy=context.line.remedy,
    )


def method_refused(context: AuditContext) -> Iterator[Finding]:
    """A route serves a method that its policy does not allow."""
    grouped: dict[tuple[object, ...], list[tuple[RouteResult, Policy]]] = {}
    for result in context.routes:
        if result.refused and isinstance(result.policy, Policy):
            grouped.setdefault((result.refused, result.policy.allow_methods), []).append((result, result.policy))
    for found in grouped.values():
        results, policy = [result for result, _ in found], found[0][1]
        methods = results[0].refused
        yield Finding(
            "method-refused",
            f"{_paths(results)}: the routes serve {', '.join(methods)}, but the policy allows no page of another origin"
            " to send it.",
            "Allow the method if pages use it.",
            policy=_change(
                context,
                policy,
                f"Add {', '.join(map(repr, methods))} to allow_methods.",
                allow_methods=accepted_names("allow_methods", [*policy.allow_methods, *methods]),
            ),
        )


def _change(context: AuditContext, policy: Policy, otherwise: str, **options: Any) -> PolicyRemedy:
    """Return options to write in a policy. If Django's settings have the policy, return lines of the settings.

    Args:
        context: The app.
        policy: The policy as it is.
        otherwise: The advice if the policy refuses the options, or would warn about them.
        **options: The whole values, by name.
    """
    is_accepted = True
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConfigWarning)
        try:
            policy.replace(**cast("PolicyOptions", options))
        except (ConfigError, ConfigWarning):
            is_accepted = False
    if context.is_in_settings(policy):
        return settings_remedy(**options) if is_accepted else PolicyRemedy(advice=in_settings(otherwise))
    return policy_remedy(otherwise, **options) if is_accepted else PolicyRemedy(advice=otherwise)


def preflight_refused_by_router(context: AuditContext) -> Iterator[Finding]:
    """The middleware of a single route gets no preflight, because the router refuses OPTIONS before."""
    results = [
        result
        for result in context.routes
        if result.served.is_inside_route and result.route.methods and "OPTIONS" not in result.route.methods
    ]
    if results:
        yield Finding(
            "preflight-not-routed",
            f"{_paths(results)}: the middleware belongs to the route, and the router responds to a preflight with 405"
            " before it runs.",
            "Move the middleware to the app or to the Mount.",
            policy=PolicyRemedy(advice="Name the routes that need a policy of their own in paths."),
        )


def nothing_allowed(context: AuditContext) -> Iterator[Finding]:
    """The policy of a route allows no origin, and has no option that is useful without one."""
    results = [
        (result, policy)
        for result in context.routes
        if isinstance(policy := result.policy, Policy)
        and policy.allow_origins == ()
        and not (policy.csrf_protection or policy.csrf_trusted_origins or policy.resource_policy)
    ]
    if results:
        paths = _paths([result for result, _ in results])
        yield Finding(
            "nothing-allowed",
            f"{paths}: the policy allows no origin. No page of another origin can read a response there.",
            "Name the origins. If that is intended, pass the path through with None.",
            policy=_change(context, results[0][1], "Name the origins in allow_origins.", allow_origins=[_EXAMPLE]),
        )


def origin_refused(context: AuditContext) -> Iterator[Finding]:
    """A route refuses an origin that must be allowed."""
    for origin in context.origins:
        refused = [
            (result, policy, next(step.rule for step in explanation.steps if step.passed is False))
            for result in context.routes
            for policy in result.served.policies
            if (explanation := explain_with(context.get_answer, policy, "GET", origin)).allowed is False
        ]
        for policy in dict.fromkeys(policy for _, policy, _ in refused):
            results = [result for result, other, _ in refused if other == policy]
            rule = next(rule for _, other, rule in refused if other == policy)
            yield Finding(
                "origin-refused",
                f"{origin} may not read {_paths(results)}: {rule}.",
                "Add the origin to the policy of these routes.",
                policy=_with_origin(context, policy, origin),
            )


def _with_origin(context: AuditContext, policy: Policy, origin: str) -> PolicyRemedy:
    """Return the whole list of origins with one more. A list of callables or of many origins is not repeated."""
    entries = policy.allow_origins if isinstance(policy.allow_origins, tuple) else ()
    if len(entries) > _MAX_ENTRIES or not all(isinstance(entry, str) for entry in entries):
        advice = f"Add {origin!r} to allow_origins."
        return PolicyRemedy(advice=in_settings(advice) if context.is_in_settings(policy) else advice)
    refused = origin_remedy(origin, allow_credentials=policy.allow_credentials).advice
    otherwise = refused or f"Add {origin!r} to allow_origins."
    return _change(context, policy, otherwise, allow_origins=[*entries, origin])


def policy_unused(context: AuditContext) -> Iterator[Finding]:
    """A key of `paths` matches no route, and nothing else can serve it."""
    if not _other_servers(context):
        yield from _unused(context, "Spell the path as the router does, upper and lower case included, or remove it.")


def policy_perhaps_unused(context: AuditContext) -> Iterator[Finding]:
    """A key of `paths` matches no route, but a middleware may serve it."""
    others = _other_servers(context)
    if others:
        yield from _unused(context, f"If {' or '.join(others)} does not serve the path, correct its spelling.")


def _unused(context: AuditContext, remedy: str) -> Iterator[Finding]:
    for path in context.unused_paths:
        yield Finding(
            "policy-unused",
            f"paths[{path}] matches no route. If the path is mistyped, the base policy serves its routes.",
            remedy,
        )


def _other_servers(context: AuditContext) -> list[str]:
    """Return the middlewares inside of a policy that may serve paths of their own."""
    names = [name for part in (context.app, *context.app.parts) for name in part.others]
    return [
        name for name in dict.fromkeys(names) if not (_is_transparent(name) or name.startswith("starlette.middleware."))
    ]


def cors_inside(context: AuditContext) -> Iterator[Finding]:
    """Another library sends CORS headers, too."""
    effect = (
        "asgi_cors replaces its headers, and warns each time"
        if context.app.has_policy
        else "it decides by its own rules"
    )
    for part in (context.app, *context.app.parts):
        below = f" at {part.mount}" if part.mount else ""
        for name in dict.fromkeys(part.inner):
            yield Finding(
                "cors-inside",
                f"{name} sets CORS headers inside of the app{below}: {effect}.",
                "Remove it, or disable it in the library that adds it. Move the origins that it allows to the policy.",
                policy=PolicyRemedy(advice=_OTHER_POLICIES.get(part.framework, _BY_PATH)),
            )
    nested = [result for result in context.routes if result.served.is_nested]
    if nested:
        yield Finding(
            "cors-inside",
            f"{_paths(nested)}: two middlewares of asgi_cors decide, so a page needs the permission of both.",
            "Pass these paths through in the outer policy (None in its option paths), or remove the inner middleware.",
        )


def runs_before(context: AuditContext) -> Iterator[Finding]:
    """A middleware runs before CORS, and its own responses have no CORS headers."""
    app = context.app
    names = list(app.outer) if app.configuration else []
    if not app.configuration:
        names += [name for part in app.parts if part.configuration for name in (*app.outer, *part.outer)]
    for name in dict.fromkeys(names):
        if not _is_transparent(name):
            yield Finding(
                "runs-before",
                f"{name} runs before the policy. It sees preflights first, and its own responses (401, 429, a redirect)"
                " have no CORS headers.",
                "Make the policy's middleware the outermost.",
                policy=context.line.remedy,
            )


def _is_transparent(name: str) -> bool:
    return any(part in name.lower() for part in _TRANSPARENT)


def websocket_unguarded(context: AuditContext) -> Iterator[Finding]:
    """Any site may open a WebSocket."""
    results = [
        result
        for result in context.routes
        if result.route.is_websocket and not result.served.is_checked and not result.served.at_run_time
    ]
    if not results:
        return
    if any(result.served.policies for result in results):
        policy = PolicyRemedy(advice="Write check_websockets=True.")
    elif any(result.route.installed for result in results):
        policy = PolicyRemedy(advice="Write a policy for that path instead of None.")
    else:
        policy = context.line.remedy
    yield Finding(
        "websocket-unguarded",
        f"{_paths(results)}: any site can open this WebSocket with the cookies of the user, unless the app itself"
        " checks Origin.",
        "Let the policy check the handshake's Origin.",
        policy=policy,
    )


def attack_gets_in(context: AuditContext) -> Iterator[Finding]:
    """A policy allows hostile origins with credentials."""
    for attacks in context.attacks:
        dangerous = attacks.dangerous
        if dangerous and attacks.credentials:
            rules = dict.fromkeys(attack.rule.removeprefix("allowed by ") for attack in dangerous)
            yield Finding(
                "attack-gets-in",
                f"The policy allows {len(dangerous)} of {attacks.tried} hostile origins with credentials, such as"
                f" {dangerous[0].origin!r} ({dangerous[0].kind}), by {', '.join(rules)}.",
                "Name the origins, or compare the whole origin in the function or regular expression.",
                policy=_named_origin(context, attacks.policy),
            )


def _named_origin(context: AuditContext, policy: Policy | None) -> PolicyRemedy:
    """Return the options that name an origin, and allow it credentials."""
    if policy is not None and context.is_in_settings(policy):
        return settings_remedy(allow_origins=[_EXAMPLE], allow_credentials=True)
    return PolicyRemedy(policy_line(allow_origins=[_EXAMPLE], allow_credentials=True))


def trusts_subdomains(context: AuditContext) -> Iterator[Finding]:
    """A policy allows every subdomain with credentials."""
    policies = [policy for result in context.routes for policy in result.served.policies]
    entries = [entry for policy in policies if policy.allow_credentials for entry in policy.allow_origins]
    for entry in dict.fromkeys(entry for entry in entries if isinstance(entry, str) and "://*." in entry):
        yield Finding(
            "trusts-subdomains",
            f"{entry!r} allows every subdomain with credentials. A subdomain that shows users' uploads, or whose DNS"
            " record points to an abandoned host, can read users' data.",
            "Name the subdomains that need it, if they are few.",
        )


def forged_with_cookies(context: AuditContext) -> Iterator[Finding]:
    """Another site can send requests with the cookies that the policy allows."""
    results = [result for result in _forged(context) if _takes_cookies(result)]
    if results:
        yield Finding(
            "forged-requests-accepted",
            f"{_paths(results)}: the policy allows cookies, and a form of any site can send {_methods(results)} with"
            " them. The site can't read the response, but the app runs the request.",
            "Refuse requests that other sites forge. If another layer does, such as one with tokens, or if all cookies"
            " have SameSite=Lax or Strict, this is the second line of defence.",
            policy=_protecting(context, results),
        )


def forged_without_cookies(context: AuditContext) -> Iterator[Finding]:
    """Another site can send requests. That matters only if the app reads cookies, which the policy does not allow."""
    results = [result for result in _forged(context) if not _takes_cookies(result)]
    if results:
        yield Finding(
            "forged-requests-accepted",
            f"{_paths(results)}: a form of any site can send {_methods(results)}. That harms no user of an API that"
            " reads only tokens from Authorization. If the app reads cookies, the site can act as the user.",
            "No change is needed without cookies.",
            policy=_protecting(context, results),
        )


def forged_only_reported(context: AuditContext) -> Iterator[Finding]:
    """The protection against forged requests only reports."""
    results = [
        result
        for result in context.routes
        if result.forged and any(policy.csrf_protection == "report" for policy in result.served.policies)
    ]
    if results:
        yield Finding(
            "forged-requests-reported",
            f"{_paths(results)}: csrf_protection is 'report', so forged requests are logged, and the app runs them.",
            "When the log has no more reports of your own pages, refuse them.",
            policy=_protecting(context, results),
        )


def _forged(context: AuditContext) -> list[RouteResult]:
    """Return the routes with forged requests, unless a policy reports them or another library seems to check them."""
    names = [name for part in (context.app, *context.app.parts) for name in (*part.outer, *part.others)]
    extensions = cast("dict[str, object]", getattr(context.app.app, "extensions", None) or {})
    is_checked = any("csrf" in name.lower() and name != CSRF for name in [*names, *extensions])
    return [
        result
        for result in context.routes
        if result.forged and not is_checked and not any(policy.csrf_protection for policy in result.served.policies)
    ]


def _takes_cookies(result: RouteResult) -> bool:
    return any(policy.allow_credentials for policy in result.served.policies)


def _methods(results: list[RouteResult]) -> str:
    return ", ".join(dict.fromkeys(method for result in results for method in result.forged))


def _protecting(context: AuditContext, results: list[RouteResult]) -> PolicyRemedy:
    """Return the option that refuses forged requests, if the policies accept it."""
    policy = next((policy for result in results for policy in result.served.policies), None)
    advice = "Write csrf_protection=True in the policy of these paths."
    return PolicyRemedy(advice=advice) if policy is None else _change(context, policy, advice, csrf_protection=True)


NOTES: Final = (trusts_subdomains, policy_perhaps_unused, forged_without_cookies, forged_only_reported)
RULES: Final = (
    no_policy,
    attack_gets_in,
    forged_with_cookies,
    websocket_unguarded,
    runs_before,
    cors_inside,
    method_refused,
    preflight_refused_by_router,
    nothing_allowed,
    origin_refused,
    policy_unused,
)
