"""The types of the public interface, checked by mypy and pyright. Nothing runs this file.

An `ignore` is a test, too: both checkers report it if the line has no error.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import timedelta
from typing import Any, Literal, assert_type
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from asgi_cors import (
    ConfigError,
    ConfigWarning,
    CORSMiddleware,
    Decision,
    Explanation,
    Issue,
    Outcome,
    Policy,
    PolicyDiff,
    PolicyOptions,
    Request,
    Rules,
    WSGIMiddleware,
    decide,
    explain,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]


async def asgi(
    scope: Scope, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Have the types of a framework's ASGI app."""


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Have the types of the standard library's WSGI app."""
    start_response("204 No Content", [])
    return []


async def looked_up(origin: str) -> bool:
    """Have the types of an asynchronous look-up."""
    return origin == ""


def tenant(scope: Scope) -> Policy | None:
    """Have the types of a `policy_for`."""
    return scope.get("policy")


async def awaited_tenant(scope: Scope) -> Policy | None:
    """Have the types of an asynchronous `policy_for`."""
    return scope.get("policy")


def count(decision: Decision, scope: Scope) -> None:
    """Have the types of an `on_decision`."""
    assert_type(decision.outcome, Outcome)
    assert_type(decision.reason, str | None)
    scope["outcome"] = decision.outcome


# Every option accepts one value or several, in each of its types.
policy = Policy(
    allow_origins=["https://a.example", re.compile(r"https://b\.example"), str.isascii, looked_up],
    allow_origin_regex=r"https://c\.example",
    allow_methods="PUT",
    allow_headers={"x-id", "x-acme-*"},
    expose_headers=("x-total",),
    allow_credentials=True,
    max_age=timedelta(hours=1),
    allow_private_network=False,
    csrf_protection="report",
    csrf_trusted_origins=[re.compile(r"https://b\.example"), looked_up],
    timing_allow_origin=True,
    resource_policy="same-site",
    presets={"mcp", "tus"},
    name="api",
    dangerously_allow="credentials-over-http",
)
Policy(allow_origins="*", max_age=None)
Policy(allow_origins=re.compile("."), max_age=60)
options: PolicyOptions = {"allow_origins": "*", "max_age": 60}
Policy(**options)

assert_type(policy.allow_credentials, bool)
assert_type(policy.max_age, int | None)
assert_type(policy.dangerously_allow, tuple[str, ...])
assert_type(policy.csrf_protection, bool | Literal["report"])
assert_type(policy.timing_allow_origin, bool)
assert_type(policy.resource_policy, Literal["same-origin", "same-site", "cross-origin"] | None)
assert_type(policy.presets, tuple[str, ...])
assert_type(policy.name, str | None)
Policy(csrf_protection=True, csrf_trusted_origins="https://a.example", resource_policy=None, presets="mcp", name=None)
difference = policy.diff(policy.replace(csrf_protection=True))
assert_type(difference, PolicyDiff)
assert_type(difference.allowed, tuple[tuple[str, object], ...])
assert_type(difference.refused, tuple[tuple[str, object], ...])
assert_type(str(difference), str)
assert_type(policy.replace(max_age=0), Policy)
assert_type(Policy.from_mapping({"allow_origins": ["https://a.example"]}), Policy)
assert_type(policy.to_mapping(), dict[str, Any])
assert_type(Policy.from_env(prefix="CORS_", environ={"CORS_MAX_AGE": "1"}), Policy)

# The middleware accepts a policy or its options, and is an app itself.
app = CORSMiddleware(
    asgi,
    policy,
    paths={"/public/*": Policy(allow_origins="*"), "/admin": {"allow_credentials": True}, "/internal/*": None},
    policy_for=tenant,
    enforce=True,
    check_websockets=False,
    on_decision=count,
)
CORSMiddleware(asgi, allow_origins="*", policy_for=awaited_tenant)
CORSMiddleware(app, **options)
assert_type(app.policy, Policy)
assert_type(app.explain("PUT", "https://a.example", path="/", headers=["x-id", ("accept", "*/*")]), Explanation)
app.reconfigure(policy=policy.replace(allow_origins="https://a.example"))
app.reconfigure(allow_origins="*", enforce=False)

wsgi_app: WSGIApplication = WSGIMiddleware(wsgi, allow_origins="*", enforce=True, on_decision=count)
WSGIMiddleware(WSGIMiddleware(wsgi), policy, paths={"/public/*": None})

# The functions that adapters use.
decision = decide(policy, Request("GET", origin=b"https://a.example"))
assert_type(decision, Decision)
explanation = explain(policy, "GET", "https://a.example", headers=["x-id"], credentials=True)
assert_type(explanation.allowed, bool | None)
assert_type(explanation.code, str | None)
rules: type[Rules] = Rules

error = ConfigError([])
assert_type(error.issues, tuple[Issue, ...])
refusal: ValueError = error
warning: type[UserWarning] = ConfigWarning

# A misspelt option or a value of the wrong type is an error for type checkers.
Policy(allow_origin="*")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Policy(allow_credentials="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Policy(csrf_protection="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Policy(resource_policy="none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
policy.diff({"allow_origins": "*"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
CORSMiddleware(asgi, allow_origin="*")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
