"""The installation of one Flask app: its configuration, the policies of its views, and the middleware.

The view of a request is predicted, since a preflight is answered before Flask routes it. Flask's signal
`request_started` then reports the view that really runs. If it is another one, both policies must allow.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import warnings
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Any, Final, TypeVar, Unpack, cast

from flask import Blueprint, Flask, Request, current_app, has_app_context, request, request_started
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter
from werkzeug.wrappers import Response

from asgi_cors import ConfigError, Configuration, ConfigWarning, Explanation, Issue, Policy, WSGIMiddleware
from asgi_cors_werkzeug import (
    DENY_ALL,
    EVERY_PATH,
    EXEMPT,
    PREDICTED,
    TOO_LONG,
    AttachedPolicy,
    Binder,
    Resources,
    Views,
    environ_of,
    standalone_configuration,
    through_proxy_fixes,
)

from ._options import (
    NOTHING,
    OF_APPS,
    OF_MIDDLEWARE,
    OF_POLICY,
    RESOURCES,
    Options,
    read_config,
    read_options,
    refuse_unknown,
)
from ._typing import AppOptions, Scope

T = TypeVar("T")

NAME: Final = "asgi_cors"


class Installation:
    """What `app.extensions["asgi_cors"]` is: the policy of one app, to be asked for, explained and replaced.

    Args:
        app: The app, whose `wsgi_app` is wrapped.
    """

    def __init__(self, app: Flask) -> None:
        """Pass everything through untouched, but for the views with a policy of their own."""
        self._app = app
        self._keywords: Options | None = None
        self._resources = Resources()
        self._lock = threading.RLock()
        self._views = Views(
            app,
            _binder(app, self),
            lambda key: key.policy(app),
            in_request_context=lambda scope, run: _run_in_request_context(app, scope, run),
        )
        self.configuration = Configuration(
            DENY_ALL,
            view_of=self._views.of,
            view_policy=self._views.policy_of,
            describe_path=lambda path: self._resources.describe(path),  # noqa: PLW0108 - `_resources` is replaced
            paths={EVERY_PATH: None},
        )
        self.middleware = WSGIMiddleware(app.wsgi_app, self.configuration)
        app.wsgi_app = self.middleware  # type: ignore[method-assign]
        app.extensions[NAME] = self
        self._views.install(self.configuration, lambda: request_started.connect(self._verify, app))

    @property
    def has_policy(self) -> bool:
        """Whether the app itself has a policy, not only views and blueprints of it."""
        return self._keywords is not None

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.configuration.policy

    @property
    def views(self) -> Views:
        """The views with a policy of their own."""
        return self._views

    def configure(self, keywords: Options) -> None:
        """Put in force what the app's config and these keywords say.

        Raises:
            ConfigError: With every mistake found; what was in force stays so.
        """
        with self._lock:
            config, unknown = read_config(self._app.config)
            options = keywords.over(config)
            refuse_unknown(unknown, options)
            policy, paths = policies_of(options)
            own: dict[str, Any] = {name: options.others[name] for name in OF_MIDDLEWARE if name in options.others}
            views = self._views.policies()
            before, self._resources = self._resources, options.others.get(RESOURCES, Resources())
            try:
                with saying_resources():
                    self.configuration.reconfigure(policy, paths=paths, **own)
            except ConfigError:
                self._resources = before
                raise
            if views:
                self.configuration.set_views(views)
            self._keywords = keywords

    def refresh(self) -> None:
        """Check the policies of all views that are registered by now, as at start-up.

        Raises:
            ConfigError: With every mistake found; no policy is changed then.
        """
        with self._lock:
            self._views.refresh(self.configuration)

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[AppOptions]) -> None:
        """Replace the policy, or the options that are named, at once; the others stay.

        Raises:
            ConfigError: As `CORS` does; what was in force stays so.
        """
        read = read_options(options, OF_APPS)
        if policy is not None:
            if read.policy:
                message = f"a policy and options of a policy ({', '.join(read.names.values())}) are given"
                raise ConfigError([Issue("policy-and-options", "policy", policy, message, "Write policy.replace(…).")])
            read = Options({name: getattr(policy, name) for name in OF_POLICY}, read.others, {})
        with self._lock:
            self.configure(read.over(self._keywords or NOTHING))

    def explain(
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
    ) -> Explanation:
        """Tell what a browser will do with a request, and why; a view's own policy counts. See `asgi_cors.explain`."""
        host, _, port = cast("str", self._app.config["SERVER_NAME"] or "localhost").partition(":")
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": (),
            "server": (host, int(port or 80)),
        }
        key: Any = self._views.of(scope)
        configuration = self.configuration
        if key is TOO_LONG:
            configuration = Configuration(DENY_ALL)
        elif key is not None:
            configuration = _exempt() if key is EXEMPT else key.configuration(self._app)
        return configuration.explain(method, origin, path, headers, credentials=credentials)

    def serves(self, policy: AttachedPolicy) -> bool:
        """Return whether this installation serves a decorated view, so that the view need not apply its policy itself.

        It does not if a decorator above it hides the policy, because that does not use `functools.wraps`.
        """
        rule = request.url_rule
        key = self._views.key_of(rule.endpoint, request.method) if rule else None
        return key is policy or key is EXEMPT or policy in self._views.registered()

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
        key = self._views.key_of(rule.endpoint, current.method)
        if key is None:
            with contextlib.suppress(ConfigWarning):  # warnings may be errors
                self._views.warn_if_misplaced(rule.endpoint)
        predicted = environ.get(PREDICTED, key)
        if predicted is key:
            return
        refusal = self.middleware.verify_view(environ, predicted, key)
        if refusal is not None:
            status, headers, body = refusal
            raise HTTPException(response=Response(body, status, Headers(headers)))


def policies_of(options: Options) -> tuple[Policy, dict[Any, Policy | None]]:
    """Give the base and the policies of paths; where there is a table of paths, all others are passed through.

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
            paths[path] = own.over(options).build(f"{table.describe(path)}.") if isinstance(own, Options) else own
        except ConfigError as error:
            issues += error.issues
    if issues:
        raise ConfigError(issues)
    base = paths.get(EVERY_PATH) or (options.build() if options.names_origins else _closed(options))
    return base, {**paths, EVERY_PATH: paths.get(EVERY_PATH)}


def refuse_other_apps(app: Any, line: str) -> None:
    """Refuse anything but a Flask app or blueprint; `line` is the code to write with one.

    Raises:
        ConfigError: If `app` is something else. The hint names the middleware or adapter for it.
    """
    inner = next(
        (each for each in (getattr(app, "__self__", None), getattr(app, "app", None)) if _is_flask(each)), None
    )
    if inner is not None and not _is_flask(app):
        message = f"{Issue.show(app)} is not a Flask app, but belongs to {inner!r}"
        raise ConfigError([Issue("wrong-app", "app", app, message, f"Write {line} with that app.")])
    if not _is_flask(app):
        raise ConfigError([Issue.wrong_app(app, "a Flask app", line)])


def _is_flask(app: Any) -> bool:
    """Return whether `app` is a Flask app or blueprint, or has the attributes of an app."""
    return isinstance(app, Flask | Blueprint) or (hasattr(app, "wsgi_app") and hasattr(app, "extensions"))


@contextlib.contextmanager
def saying_resources() -> Generator[None]:
    """Have mistakes in paths told of by the name of the option that they are written in."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            replace(issue, option=RESOURCES) if issue.option == "paths" else issue for issue in error.issues
        ) from None


def _closed(options: Options) -> Policy:
    """Build a base that nothing is served by, and that allows nothing, without a warning of that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        return Options({**options.policy, "allow_origins": ()}, options.others, options.names).build()


def configuration_of(app: Flask, key: Any) -> Configuration:
    """Return a configuration with the policy of one view. If that is invalid, it refuses every origin and logs it."""
    return standalone_configuration(key, lambda key: key.policy(app))


def _exempt() -> Configuration:
    return Configuration(DENY_ALL, paths={EVERY_PATH: None})


def _binder(app: Flask, installation: Installation) -> Binder:
    """Match a scope's path as the app does, its settings of hosts and subdomains included."""

    def bind(scope: Scope) -> MapAdapter | None:
        made = app.request_class(environ_of(scope), populate_request=False)
        return app.create_url_adapter(made)

    def is_usual() -> bool:
        binds_as_flask = type(app).create_url_adapter is Flask.create_url_adapter and type(app.url_map) is Map
        return binds_as_flask and "create_url_adapter" not in vars(app) and app.request_class is Request

    def through_proxies(scope: Scope) -> Scope:
        # Under WSGI, the middlewares outside of ours have changed the environ already.
        inner = installation.middleware.app if "wsgi.environ" in scope else app.wsgi_app
        return through_proxy_fixes(inner, scope)

    return Binder(app, bind, is_usual, through_proxies=through_proxies)


def _run_in_request_context(app: Flask, scope: Scope, run: Callable[[], T]) -> T:
    """Run a function inside of the contexts of the app and of a request for a scope.

    The app's teardown functions run as always, since they may close the resources that a converter opens. Those of the
    request do not: its context is pushed in a copy of the current context, which is dropped.
    """

    def run_inside() -> T:
        app.request_context(dict(environ_of(scope))).push()
        return run()

    inside = has_app_context() and cast("Any", current_app)._get_current_object() is app  # noqa: SLF001 - as above
    with contextlib.nullcontext() if inside else app.app_context():
        return contextvars.copy_context().run(run_inside)
