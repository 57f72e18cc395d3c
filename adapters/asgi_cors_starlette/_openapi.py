"""The policies of operations in the OpenAPI document of a FastAPI app, as `x-cors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from asgi_cors import DENY_ALL, ConfigError, Policy, PolicyOptions

from ._candidates import Candidate
from ._fastapi import list_candidates

Document = dict[str, Any]
PolicyOf = Callable[[Candidate, str], Policy | None]

_KEY: Final = "x-cors"


def document_policies(app: Any, policy_of: PolicyOf) -> None:
    """Add the policy of each operation to the OpenAPI document of an app, each time that the document is requested.

    FastAPI's own document, which it caches, stays as it is. Code that replaces `app.openapi` later replaces this, too.

    Args:
        app: A FastAPI app.
        policy_of: Returns the policy of a route for a method; None if its requests are passed through. The owners of
            the candidate include all routers. If it raises a LookupError, the operation has no policy in the document,
            because the policy depends on the request.
    """
    build = app.openapi

    def openapi() -> Document:
        document: Document = build()
        policies = _policies(app, policy_of)
        paths = {path: _with_policies(path, item, policies) for path, item in document.get("paths", {}).items()}
        return {**document, "paths": paths} if paths else document

    app.openapi = openapi


def _policies(app: Any, policy_of: PolicyOf) -> dict[tuple[str, str], Document | None]:
    """Return the policies by path and method. The first route of each serves the requests."""
    found: dict[tuple[str, str], Document | None] = {}
    for candidate in list_candidates(app.router):
        path = getattr(candidate.route, "path_format", "")
        for method in getattr(candidate.route, "methods", None) or ():
            if (path, method.lower()) not in found:
                try:
                    policy = policy_of(candidate, method)
                except LookupError:
                    continue
                found[path, method.lower()] = None if policy is None else _to_json(policy)
    return found


def _with_policies(path: str, item: Document, policies: Mapping[tuple[str, str], Document | None]) -> Document:
    """Return a path of the document with the policies of its operations."""
    known = {name: policies[path, name] for name in item if (path, name) in policies}
    return {**item, **{name: {**item[name], _KEY: policy} for name, policy in known.items()}}


def _to_json(policy: Policy) -> Document:
    """Return the options of a policy that JSON can hold: those that differ from their defaults, without callables."""
    try:
        return policy.to_mapping()
    except ConfigError:
        options = {name: getattr(policy, name) for name in PolicyOptions.__annotations__}
        changed = {name: value for name, value in options.items() if value != getattr(DENY_ALL, name)}
        return {name: _to_text(value) for name, value in changed.items()}


def _to_text(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_text(entry) for entry in cast("tuple[object, ...]", value) if not callable(entry)]
    return getattr(value, "pattern", value)  # of a regular expression
