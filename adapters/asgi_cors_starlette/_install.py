"""install: the middleware around Starlette's middleware stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never, Unpack

from asgi_cors import ConfigError, Configuration, CORSMiddleware, Issue, Policy

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from asgi_cors import MiddlewareOptions


def install(
    app: Starlette, policy: Policy | None = None, *arguments: Never, **options: Unpack[MiddlewareOptions]
) -> Configuration:
    """Apply one policy to all responses of `app`, including 404, 405 and 500.

    Args:
        app: A Starlette or FastAPI app that has not served yet.
        policy: The base policy; else its options are given as keywords.
        arguments: None: options are keywords.
        options: Those of `CORSMiddleware`.

    Returns:
        The configuration, with `policy`, `explain` and `reconfigure`. It is also stored as `app.state.asgi_cors`.

    Raises:
        ConfigError: With every mistake found, or if the app has a policy already or has begun to serve.
    """
    _check(app)
    is_policy = policy is None or isinstance(policy, Policy)  # pyright: ignore[reportUnnecessaryIsInstance]
    if arguments or not is_policy:
        raise ConfigError([Issue.positional("install", arguments if is_policy else (policy, *arguments))])
    configuration = Configuration(policy, **options)
    app.state.asgi_cors = configuration
    build = app.build_middleware_stack
    # Starlette builds the stack when it begins to serve. This is its only public name outside of the error handling:
    # `add_middleware` and `user_middleware` are inside.
    app.build_middleware_stack = lambda: CORSMiddleware(build(), configuration)  # type: ignore[method-assign]
    return configuration


def _check(app: Starlette) -> None:
    """Refuse an object that is not a Starlette app, and an app that has a policy or serves already."""
    if not hasattr(app, "build_middleware_stack") or not hasattr(app, "state"):
        raise ConfigError([Issue.wrong_app(app, "a Starlette app", "install(app, …)")])
    if hasattr(app.state, "asgi_cors"):
        message = "the app has a CORS policy already"
        hint = "Call install once. To change the policy, write app.state.asgi_cors.reconfigure(…)."
        raise ConfigError([Issue("installed-twice", "app", app, message, hint)])
    if app.middleware_stack is not None:
        message = "the app has begun to serve, so its middleware is built"
        hint = "Call install where the app is created, not at start-up: app = Starlette(…); install(app, …)."
        raise ConfigError([Issue("installed-late", "app", app, message, hint)])
