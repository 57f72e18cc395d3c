"""The rules of the audit: each yields the findings of one mistake in an app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors import Policy
from asgi_cors._decision.explanation import explain_with
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, accepted_names, policy_line

if TYPE_CHECKING:
    from .results import AuditContext, RouteResult

# Middlewares that never respond themselves, so that they may run before CORS.
_TRANSPARENT: Final = (
    *("gzip", "proxyfix", "proxyheaders", "sentry", "opentelemetry", "prometheus", "profiler", "requestid"),
)
_MAX_SHOWN: Final = 6
_EXAMPLE_LINE: Final = policy_line(allow_origins=["https://app.example.com"])


def _paths(results: list[RouteResult]) -> str:
    shown = ", ".join(result.route.path for result in results[:_MAX_SHOWN])
    return shown + (f" and {len(results) - _MAX_SHOWN} more" if len(results) > _MAX_SHOWN else "")


def no_policy(context: AuditContext) -> Iterator[Finding]:
    """The app has no asgi_cors middleware."""
    if context.app.configuration is None:
        yield Finding(
            "no-policy",
            "The app has no CORS policy of asgi_cors. Pages of other origins can read a response only if the app itself"
            " sends CORS headers.",
            "If pages of other origins may use the app, add a policy.",
            policy=PolicyRemedy(_EXAMPLE_LINE, "Write app = CORSMiddleware(app, …) with it."),
        )


def method_refused(context: AuditContext) -> Iterator[Finding]:
    """A route serves a method that its policy does not allow."""
    by_methods: dict[tuple[str, ...], list[RouteResult]] = {}
    for result in context.routes:
        if result.refused:
            by_methods.setdefault(result.refused, []).append(result)
    for methods, results in by_methods.items():
        yield Finding(
            "method-refused",
            f"{_paths(results)}: the routes serve {', '.join(methods)}, but the policy allows no page of another origin"
            " to send it.",
            "Allow the method if pages use it.",
            policy=_whole_methods(results, methods),
        )


def _whole_methods(results: list[RouteResult], methods: tuple[str, ...]) -> PolicyRemedy:
    """Return the option with the methods that the policies allow, and the refused ones."""
    policies = [result.policy for result in results if isinstance(result.policy, Policy)]
    allowed = dict.fromkeys(method for policy in policies for method in policy.allow_methods)
    names = accepted_names("allow_methods", [*allowed, *methods])
    return PolicyRemedy(policy_line(allow_methods=names))


def nothing_allowed(context: AuditContext) -> Iterator[Finding]:
    """The policy of a route allows no origin."""
    results = [
        result for result in context.routes if isinstance(result.policy, Policy) and result.policy.allow_origins == ()
    ]
    if results:
        yield Finding(
            "nothing-allowed",
            f"{_paths(results)}: the policy allows no origin. No page of another origin can read a response there.",
            "Name the origins. If that is intended, pass the path through with None.",
            policy=PolicyRemedy(_EXAMPLE_LINE),
        )


def origin_refused(context: AuditContext) -> Iterator[Finding]:
    """A route refuses an origin that must be allowed."""
    for origin in context.origins:
        refused = [
            (result, explanation.steps[0].rule)
            for result in context.routes
            if isinstance(result.policy, Policy)
            and (explanation := explain_with(context.get_answer, result.policy, "GET", origin)).allowed is False
        ]
        if refused:
            yield Finding(
                "origin-refused",
                f"{origin} may not read {_paths([result for result, _ in refused])}: {refused[0][1]}.",
                "Add the origin to the policy of these routes.",
                policy=PolicyRemedy(advice=f"Add {origin!r} to allow_origins."),
            )


def policy_unused(context: AuditContext) -> Iterator[Finding]:
    """A key of `paths` matches no route."""
    for path in context.unused_paths:
        yield Finding(
            "policy-unused",
            f"paths[{path!r}] matches no route. If the path is mistyped, the base policy serves its routes.",
            "Spell the path as the router does, upper and lower case included, or remove it.",
        )


def cors_inside(context: AuditContext) -> Iterator[Finding]:
    """Another library sends CORS headers, too."""
    for name in dict.fromkeys(context.app.inner):
        has_policy = context.app.configuration is not None
        effect = "asgi_cors replaces its headers, and warns each time" if has_policy else "it decides by its own rules"
        yield Finding(
            "cors-inside",
            f"{name} sets CORS headers inside of the app: {effect}.",
            "Remove it, and move the origins that it allows to the policy.",
            policy=PolicyRemedy(advice="If its routes need another policy, name them in paths."),
        )


def runs_before(context: AuditContext) -> Iterator[Finding]:
    """A middleware runs before CORS, and its own responses have no CORS headers."""
    for name in context.app.outer:
        if not any(part in name.lower() for part in _TRANSPARENT):
            yield Finding(
                "runs-before",
                f"{name} runs before the policy. It sees preflights first, and its own responses (401, 429, a redirect)"
                " have no CORS headers.",
                "Make the policy's middleware the outermost.",
                policy=PolicyRemedy(
                    advice="Wrap the whole app: CORSMiddleware(app, …). For Starlette and FastAPI: install(app, …)."
                ),
            )


def websocket_unguarded(context: AuditContext) -> Iterator[Finding]:
    """Any site may open a WebSocket."""
    configuration = context.app.configuration
    unchecked = configuration is None or not configuration.evaluator.check_websockets
    results = [
        result for result in context.routes if result.route.is_websocket and (unchecked or result.policy is None)
    ]
    if results:
        yield Finding(
            "websocket-unguarded",
            f"{_paths(results)}: any site can open this WebSocket with the cookies of the user.",
            "Let the policy check the handshake's Origin.",
            policy=PolicyRemedy(advice="Set check_websockets=True, and have a policy at that path."),
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
                policy=PolicyRemedy(policy_line(allow_origins=["https://app.example.com"], allow_credentials=True)),
            )


def trusts_subdomains(context: AuditContext) -> Iterator[Finding]:
    """A policy allows every subdomain with credentials."""
    policies = [result.policy for result in context.routes if isinstance(result.policy, Policy)]
    entries = [entry for policy in policies if policy.allow_credentials for entry in policy.allow_origins]
    for entry in dict.fromkeys(entry for entry in entries if isinstance(entry, str) and "://*." in entry):
        yield Finding(
            "trusts-subdomains",
            f"{entry!r} allows every subdomain with credentials. A subdomain that shows users' uploads, or whose DNS"
            " record points to an abandoned host, can read users' data.",
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
