"""`install`: the middleware around Starlette's middleware stack, and the policies of the app's routes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Never, Unpack

from asgi_cors import (
    DENY_ALL,
    EXEMPT,
    ConfigError,
    Configuration,
    ConfigWarning,
    CORSMiddleware,
    Explanation,
    Issue,
    MiddlewareOptions,
    Policy,
    PolicyOptions,
    activate_when_used,
)

from ._openapi import document_policies
from ._routes import RoutePolicies

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from starlette.applications import Starlette

    from ._candidates import Candidate


class Installation(Configuration):
    """The policy of one app and those of its routes, with `policy`, `explain` and `reconfigure`.

    Args:
        app: The app.
        policy: The base policy; else its options are given as keywords.
        options: Those of `CORSMiddleware`.

    Raises:
        ConfigError: With every mistake found.
    """

    def __init__(self, app: Starlette, policy: Policy | None, **options: Unpack[MiddlewareOptions]) -> None:
        """Validate and compile; see the class."""
        self._app = app
        self.routes = RoutePolicies(app)
        self.is_active = False
        self._is_empty = policy is None and PolicyOptions.__annotations__.keys().isdisjoint(options)
        policy = DENY_ALL if self._is_empty else policy
        super().__init__(policy, view_of=self.routes.key_of, view_policy=self.routes.policy_of, **options)
        self.routes.middleware = CORSMiddleware(app, self)

    def activate(self) -> None:
        """Match routes from now on, because a policy is attached in this process."""
        self.is_active = True
        self.set_views({EXEMPT: None})

    def warn_if_unused(self) -> None:
        """Warn if no origin is allowed anywhere, because neither the app nor a route has a policy."""
        rules = self.evaluator.rules
        has_rules = self.is_active or rules.paths is not None or rules.policy_for is not None
        if self._is_empty and self.policy is DENY_ALL and not has_rules:
            with contextlib.suppress(ConfigWarning):  # warnings may be errors, and the app is about to serve
                Policy()

    def explain(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
        host: str | None = None,
    ) -> Explanation:
        """Explain what a browser does with a request, and why; a route's own policy counts.

        If only a WebSocket has the path, its policy counts.

        Raises:
            Exception: That of a converter, which the app would raise, too.
        """
        named = [(b"host", host.encode("idna" if not host.isascii() else "ascii"))] if host else []
        root_path = getattr(self._app, "root_path", "")  # FastAPI's own
        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": named}
        key = self._key_of({**scope, "root_path": root_path}) if self.is_active else None
        explain = super().explain if key is None else self.with_policy(self.routes.policy_of(key)).explain
        return explain(method, origin, path, headers, credentials=credentials, host=host)

    def _key_of(self, scope: dict[str, Any]) -> Hashable | None:
        """Return the key of the route that serves a path; that of a WebSocket if no other route has the path."""
        key = self.routes.key_of(dict(scope))
        is_unserved = key is None and self.routes.match(dict(scope)).endpoint is None
        return self.routes.key_of({**scope, "type": "websocket"}) if is_unserved else key

    def policy_of_route(self, candidate: Candidate, method: str) -> Policy | None:
        """Return the policy of a route for a method; None if its requests are passed through.

        Raises:
            LookupError: If the policy depends on the request, because the route has none of its own.
        """
        key = self.routes.key_of_route(candidate, method)
        if key is not None:
            return self.routes.policy_of(key)
        rules = self.evaluator.rules
        if rules.policy_for is not None or rules.paths is not None:
            raise LookupError("the policy depends on the request")
        return rules.policy


def install(
    app: Starlette,
    policy: Policy | None = None,
    *arguments: Never,
    in_openapi: bool = False,
    **options: Unpack[MiddlewareOptions],
) -> Installation:
    """Apply one policy to all responses of `app`, including 404, 405 and 500, except those of routes with their own.

    Args:
        app: A Starlette or FastAPI app that has not served yet.
        policy: The base policy; else its options are given as keywords. If neither is given, no origin may read, except
            from routes with a policy of their own.
        arguments: None: options are keywords.
        in_openapi: Whether FastAPI's OpenAPI document has the policy of each operation, as `x-cors`.
        options: Those of `CORSMiddleware`.

    Returns:
        The installation, with `policy`, `explain` and `reconfigure`. It is also stored as `app.state.asgi_cors`.

    Raises:
        ConfigError: With every mistake found, or if the app has a policy already or has begun to serve.
    """
    _check(app, in_openapi=in_openapi)
    is_policy = policy is None or isinstance(policy, Policy)  # pyright: ignore[reportUnnecessaryIsInstance]
    if arguments or not is_policy:
        raise ConfigError([Issue.positional("install", arguments if is_policy else (policy, *arguments))])
    installation = Installation(app, policy, **options)
    app.state.asgi_cors = installation
    build = app.build_middleware_stack

    def build_around() -> CORSMiddleware:
        installation.warn_if_unused()
        return CORSMiddleware(build(), installation)

    # Starlette builds the stack when it begins to serve. This is its only public name outside of the error handling:
    # `add_middleware` and `user_middleware` are inside.
    app.build_middleware_stack = build_around  # type: ignore[method-assign]
    if in_openapi:
        document_policies(app, installation.policy_of_route)
    activate_when_used(installation)
    return installation


def _check(app: Any, *, in_openapi: object) -> None:
    """Refuse an object that is not a Starlette app, an app that has a policy or serves already, and a wrong flag."""
    if not hasattr(app, "build_middleware_stack") or not hasattr(app, "state"):
        raise ConfigError([Issue.wrong_app(app, "a Starlette app", "install(app, …)")])
    if not isinstance(in_openapi, bool):
        raise ConfigError([Issue.wrong_type("in_openapi", in_openapi, "True or False", "Write in_openapi=True.")])
    if in_openapi and not hasattr(app, "openapi"):
        message = f"{Issue.show(app)} is not a FastAPI app, so it has no OpenAPI document"
        raise ConfigError([Issue("no-openapi", "in_openapi", in_openapi, message, "Leave in_openapi out.")])
    if hasattr(app.state, "asgi_cors"):
        message = "the app has a CORS policy already"
        hint = "Call install once. To change the policy, write app.state.asgi_cors.reconfigure(…)."
        raise ConfigError([Issue("installed-twice", "app", app, message, hint)])
    if app.middleware_stack is not None:
        message = "the app has begun to serve, so its middleware is built"
        hint = "Call install where the app is created, not at start-up: app = Starlette(…); install(app, …)."
        raise ConfigError([Issue("installed-late", "app", app, message, hint)])
