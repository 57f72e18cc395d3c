"""CORS(app, …), and the installation of one Flask app: its config, the policies of its views, and the middleware.

The view of a request is predicted, since a preflight is answered before Flask routes it. Flask's signal
`request_started` then reports the view that really runs. If it is another one, both policies must allow.
"""

from __future__ import annotations

import contextlib
import contextvars
import warnings
from collections.abc import Generator, Hashable
from dataclasses import replace
from typing import Any, Never, Unpack, cast

from flask import Blueprint, Flask, Request, current_app, has_app_context, request, request_started
from flask.blueprints import BlueprintSetupState
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter
from werkzeug.wrappers import Response

from asgi_cors import (
    EXEMPT,
    AttachedPolicy,
    ConfigError,
    Configuration,
    ConfigWarning,
    Issue,
    MiddlewareOptions,
    Policy,
    Rules,
    WSGIMiddleware,
)
from asgi_cors_werkzeug import (
    EVERY_PATH,
    EXTENSION_KEY,
    BaseExtension,
    BaseInstallation,
    Predict,
    Resources,
    build_environ,
    check_app,
    through_proxy_fixes,
)

from ._options import (
    APP_OPTIONS,
    EMPTY,
    FLASK_NAMES,
    MIDDLEWARE_OPTIONS,
    REPORT_ONLY,
    RESOURCES,
    AppOptions,
    ParsedOptions,
    Path,
    Scope,
    parse_options,
)


class Installation(BaseInstallation):
    """The policy of one Flask app, with `policy`, `explain` and `reconfigure`: `app.extensions["asgi_cors"]`.

    Args:
        app: The app, whose `wsgi_app` is wrapped.
    """

    def __init__(self, app: Flask) -> None:
        """Wrap the app. Until `configure` is called, only views have policies."""
        self._app: Flask
        self._keywords: ParsedOptions | None = None
        self._resources = Resources()
        super().__init__(app, describe_path=self._describe_path, app_context=app.app_context)
        self.middleware = WSGIMiddleware(app.wsgi_app, self.configuration)
        app.wsgi_app = self.middleware  # type: ignore[method-assign]
        app.extensions[EXTENSION_KEY] = self
        self._install()

    @property
    def has_policy(self) -> bool:
        """Whether the app itself has a policy, not only its views and blueprints."""
        return self._keywords is not None

    def configure(self, keywords: ParsedOptions) -> None:
        """Apply the app's config and these keywords.

        Raises:
            ConfigError: With every mistake found. The previous policy stays in force.
        """
        with self._lock:
            options = keywords.merged_over_config(self._app.config, warns=True)
            policy, paths = build_policies(options)
            own = {name: options.others[name] for name in MIDDLEWARE_OPTIONS if name in options.others}
            if own.get(REPORT_ONLY) is not None:
                own[REPORT_ONLY] = build_report_only(own[REPORT_ONLY], options, policy)
            views = self.views.policies()
            previous, self._resources = self._resources, options.others.get(RESOURCES, Resources())
            try:
                with user_names(options):
                    self.configuration.reconfigure(policy, paths=paths, **own)
            except ConfigError:
                self._resources = previous
                raise
            if views:
                self.configuration.set_views(views)
            self._keywords = keywords

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[AppOptions]) -> None:
        """Replace the policy, or the named options, at once. Other options stay.

        Raises:
            ConfigError: As `CORS` does. The previous policy stays in force.
        """
        parsed = parse_options(options, APP_OPTIONS)
        if policy is not None:
            if parsed.policy:
                given = ", ".join(parsed.names[name] for name in parsed.policy)
                message = f"a policy and options of a policy ({given}) are given"
                raise ConfigError([Issue("policy-and-options", "policy", policy, message, "Write policy.replace(…).")])
            parsed = ParsedOptions.of_policy(policy)._replace(others=parsed.others, names=parsed.names)
        with self._lock:
            self.configure(parsed.merged_over(self._keywords or EMPTY))

    def applies(self, policy: AttachedPolicy) -> bool:
        """Return whether the middleware applies the policy of a decorated view.

        It does not if a decorator above hides the policy, because that decorator does not use `functools.wraps`.
        """
        rule = request.url_rule
        key = self.views.key_of_endpoint(rule.endpoint, request.method) if rule else None
        return key is policy or key is EXEMPT or policy in self.views.registered()

    def _policy_of(self, key: Any) -> Policy | Rules:
        return cast("Policy | Rules", key.policy(self._app))

    def _view_configuration(self, key: Any, checks: MiddlewareOptions) -> Configuration:
        return cast("Configuration", key.configuration(self._app, **checks))

    def _describe_path(self, path: Path) -> str:
        return self._resources.describe(path)

    # -- routes

    def _bind(self, scope: Scope) -> MapAdapter | None:
        return self._app.create_url_adapter(self._app.request_class(build_environ(scope), populate_request=False))

    def _uses_default_binding(self) -> bool:
        app = self._app
        binds_as_flask = type(app).create_url_adapter is Flask.create_url_adapter and type(app.url_map) is Map
        return binds_as_flask and "create_url_adapter" not in vars(app) and app.request_class is Request

    def _through_proxies(self, scope: Scope) -> Scope:
        # Under WSGI, the middlewares outside of ours have changed the environ already.
        inner = self.middleware.app if "wsgi.environ" in scope else self._app.wsgi_app
        return through_proxy_fixes(inner, scope)

    def _in_request_context(self, scope: Scope, run: Predict) -> Hashable | None:
        """Run a function inside of the contexts of the app and of a request for a scope.

        The app's teardown functions run as always, since they may close the resources that a converter opens. Those of
        the request do not: its context is pushed in a copy of the current context, which is dropped.
        """

        def run_inside() -> Hashable | None:
            self._app.request_context(dict(build_environ(scope))).push()
            return run()

        inside = has_app_context() and cast("Any", current_app)._get_current_object() is self._app  # noqa: SLF001 - the documented way
        with contextlib.nullcontext() if inside else self._app.app_context():
            return contextvars.copy_context().run(run_inside)

    # -- the view that runs

    def _connect_signals(self) -> None:
        request_started.connect(self._verify, self._app)

    def _verify(self, _app: object, **_: object) -> None:
        """Compare the view that is about to run with the predicted one.

        Raises:
            HTTPException: The refusal, if the policy of the view that runs requires one. It has no code, so the app's
                error handlers ignore it.
        """
        current: Request = cast("Any", request)._get_current_object()  # noqa: SLF001 - the documented way
        rule, environ = current.url_rule, current.environ
        if rule is None:
            return  # no view runs: a 404, a 405 or a redirect
        keys = self.views.misprediction(rule.endpoint, current.method, environ)
        refusal = self.middleware.verify_view(environ, *keys) if keys else None
        if refusal is not None:
            status, headers, body = refusal
            raise HTTPException(response=Response(body, status, Headers(headers)))


class CORS(BaseExtension[Installation]):
    """Apply a policy to a Flask app, or to the views of a blueprint.

    Args:
        app: The app or blueprint; without it, call `init_app` later.
        options: By Flask-CORS's names or the policy's own. By default, every origin may read, without credentials. The
            `CORS_*` keys of the app's config set the same options. `resources` sets policies by path.

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    def __init__(self, app: Flask | Blueprint | None = None, *arguments: Never, **options: Unpack[AppOptions]) -> None:
        """Parse the options; see the class."""
        super().__init__()
        if arguments:
            raise ConfigError([Issue.positional("CORS", arguments, FLASK_NAMES)])
        self._options = parse_options(options, APP_OPTIONS)
        if app is None:
            self._options.check()
        else:
            self.init_app(app)

    def init_app(self, app: Flask | Blueprint, **options: Unpack[AppOptions]) -> None:
        """Apply the policy to an app or blueprint. Options given here are merged over those of the constructor.

        Raises:
            ConfigError: As the constructor does, and if the app has a policy already.
        """
        parsed = parse_options(options, APP_OPTIONS).merged_over(self._options)
        refuse_other_apps(app, "CORS(app, …)")
        if isinstance(app, Blueprint):
            _bind_blueprint(app, parsed)
            return
        installation: Installation | None = app.extensions.get(EXTENSION_KEY)
        if installation is not None and installation.has_policy:
            message = f"the app {app.name!r} has a CORS policy already"
            hint = f"Call CORS(app) once. To change the policy, write app.extensions['{EXTENSION_KEY}'].reconfigure(…)."
            raise ConfigError([Issue("bound-twice", "app", app.name, message, hint)])
        installation = installation or Installation(app)
        installation.configure(parsed)
        self._installations.append(installation)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[AppOptions]) -> None:
        """Replace the policy, or the named options, at once; see `Installation.reconfigure`."""
        self._installation.reconfigure(policy, **options)


class BlueprintPolicy(AttachedPolicy):
    """The policy of a blueprint's views.

    Args:
        name: The name of the blueprint.
        options: The options of `CORS(blueprint, …)`.
    """

    def __init__(self, name: str, options: ParsedOptions) -> None:
        """Store the options, since the policy depends on the app's config."""
        super().__init__(f"CORS of blueprint {name!r}")
        self._options = options

    def policy(self, app: Flask) -> Rules:
        """Return the rules for the views of the blueprint in an app, merged over the app's config.

        Raises:
            ConfigError: With every mistake found in the merged options.
        """
        options = self._options.merged_over_config(app.config)
        policy, paths = build_policies(options)
        with user_names(options):
            return Rules(policy, paths, describe_path=options.others.get(RESOURCES, Resources()).describe)

    def configuration(self, app: Flask, **checks: Unpack[MiddlewareOptions]) -> Configuration:
        """Return a configuration with the same rules, and the app's own checks."""
        policy, paths = build_policies(self._options.merged_over_config(app.config))
        own: MiddlewareOptions = {**checks, "paths": paths}
        return Configuration(policy, app_context=app.app_context, **own)


def _bind_blueprint(blueprint: Blueprint, options: ParsedOptions) -> None:
    misplaced = [name for name in MIDDLEWARE_OPTIONS if name in options.others]
    if misplaced:
        message, hint = "a blueprint does not have this option", "Write it in CORS(app)."
        raise ConfigError([Issue("option-of-app", name, options.others[name], message, hint) for name in misplaced])
    key = BlueprintPolicy(blueprint.name, options)

    def bind(state: BlueprintSetupState) -> None:
        app = cast("Flask", state.app)
        installation: Installation = app.extensions.get(EXTENSION_KEY) or Installation(app)
        policy = key.policy(app)  # raises here, at registration, if the app's config does not fit
        installation.views.attach_to_blueprint(state, key)
        installation.configuration.set_view(key, policy)

    blueprint.record(bind)


def build_policies(options: ParsedOptions) -> tuple[Policy, dict[Any, Policy | None]]:
    """Return the base policy and the policies of paths. If there are any, other paths are passed through.

    Raises:
        ConfigError: With every mistake found.
    """
    table: Resources | None = options.others.get(RESOURCES)
    if table is None:
        return options.build(), {}
    issues: list[Issue] = []
    paths: dict[Any, Policy | None] = {}
    for path, own in table.items():
        try:
            is_parsed = isinstance(own, ParsedOptions)
            paths[path] = own.merged_over(options).build(f"{table.describe(path)}.") if is_parsed else own
        except ConfigError as error:
            issues += error.issues
    if issues:
        raise ConfigError(issues)
    base = paths.get(EVERY_PATH) or (options.build() if options.sets_origins else _build_without_origins(options))
    return base, {**paths, EVERY_PATH: paths.get(EVERY_PATH)}


def _build_without_origins(options: ParsedOptions) -> Policy:
    """Return a policy that refuses every origin, without the `nothing-allowed` warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        return options._replace(policy={**options.policy, "allow_origins": ()}).build()


def build_report_only(value: Any, options: ParsedOptions, base: Policy) -> Any:
    """Return the policy of `report_only`. Options are merged over the base policy.

    Args:
        value: The value of `report_only`.
        options: All options.
        base: The base policy.

    Raises:
        ConfigError: With every mistake found.
    """
    name = options.names[REPORT_ONLY]
    table: Resources | None = options.others.get(RESOURCES)
    if table is not None and table.get(EVERY_PATH) is None:
        message = "it has no effect: it is compared with the policy of the whole app, and resources names only paths"
        Issue("without-effect", name, value, message, "Add '/*' to resources.").warn()
    if not isinstance(value, ParsedOptions):
        return value
    return value.merged_over(ParsedOptions.of_policy(base)).build(f"{name}.")


@contextlib.contextmanager
def user_names(options: ParsedOptions) -> Generator[None]:
    """Report mistakes by the names that the user wrote: those in `paths` as mistakes in `resources`."""
    names = {"paths": RESOURCES, **options.names}
    try:
        yield
    except ConfigError as error:
        issues = [replace(issue, option=names.get(issue.option, issue.option)) for issue in error.issues]
        raise ConfigError(issues) from None


def refuse_other_apps(app: Any, line: str) -> None:
    """Refuse anything but a Flask app or blueprint; `line` is the code to write with one.

    Raises:
        ConfigError: If `app` is something else. The hint names the middleware or adapter for it.
    """
    check_app(app, _is_flask, "a Flask app", line)


def _is_flask(app: Any) -> bool:
    """Return whether `app` is a Flask app or blueprint, or has the attributes of an app."""
    return isinstance(app, Flask | Blueprint) or (hasattr(app, "wsgi_app") and hasattr(app, "extensions"))
