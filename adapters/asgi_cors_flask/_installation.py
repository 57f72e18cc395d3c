"""What stands around one Flask app: its configuration, the policies of its views, and the layers that apply them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Any, Final, Unpack, cast

from flask import Blueprint, Flask, Request
from werkzeug.routing import Map, MapAdapter

from asgi_cors import (
    ConfigError,
    Configuration,
    ConfigWarning,
    CORSMiddleware,
    Explanation,
    Issue,
    Policy,
    WSGIMiddleware,
)
from asgi_cors_werkzeug import EXEMPT, Binder, Path, Views, environ_of

from ._options import (
    NOTHING,
    OF_APPS,
    OF_MIDDLEWARE,
    OF_POLICY,
    RESOURCES,
    Options,
    place_of,
    read_config,
    read_options,
    refuse_unknown,
)
from ._typing import AppOptions, Scope

NAME: Final = "asgi_cors"
EVERY_PATH: Final = "/*"


class Installation:
    """What `app.extensions["asgi_cors"]` is: the policy of one app, to be asked for, explained and replaced.

    Args:
        app: The app, whose `wsgi_app` is wrapped.
    """

    def __init__(self, app: Flask) -> None:
        """Pass everything through untouched, but for the views with a policy of their own."""
        self._app = app
        self._keywords: Options | None = None
        self._views = Views(app, _binder(app), lambda mark: mark.policy(app))
        self.configuration = Configuration(_closed(NOTHING), view_of=self._views.of, paths={EVERY_PATH: None})
        app.wsgi_app = WSGILayer(app.wsgi_app, self.configuration, self._views)  # type: ignore[method-assign]
        app.extensions[NAME] = self

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
        config, unknown = read_config(self._app.config)
        options = keywords.over(config)
        refuse_unknown(unknown, options)
        policy, paths = policies_of(options)
        own: dict[str, Any] = {name: options.others[name] for name in OF_MIDDLEWARE if name in options.others}
        with saying_resources():
            self.configuration.reconfigure(policy, paths=paths, **own)
        self._views.refresh(self.configuration)
        self._keywords = keywords

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
        self._views.refresh(self.configuration)
        host, _, port = cast("str", self._app.config["SERVER_NAME"] or "localhost").partition(":")
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": (),
            "server": (host, int(port or 80)),
        }
        mark: Any = self._views.of(scope)
        configuration = self.configuration
        if mark is not None:
            configuration = _exempt() if mark == EXEMPT else mark.configuration(self._app)
        return configuration.explain(method, origin, path, headers, credentials=credentials)


class _Layer:
    """What asks for its configuration gets one with the policies of all views that there are by now.

    The shells ask once for each request. A `__call__` that looks first and then calls theirs would cost 60 ns more by
    WSGI, and 180 by ASGI, where it is a coroutine of its own.
    """

    _views: Views
    _shared: Configuration

    @property
    def configuration(self) -> Configuration:
        self._views.refresh(self._shared)
        return self._shared

    @configuration.setter
    def configuration(self, configuration: Configuration) -> None:
        self._shared = configuration


class WSGILayer(_Layer, WSGIMiddleware):
    """The app's policy around its `wsgi_app`."""

    def __init__(self, app: Callable[..., Iterable[bytes]], configuration: Configuration, views: Views) -> None:
        """Share the configuration; see `WSGIMiddleware`."""
        self._views = views
        super().__init__(app, configuration)


class ASGILayer(_Layer, CORSMiddleware):
    """The same policy around what serves the app by ASGI."""

    def __init__(self, app: Any, configuration: Configuration, views: Views) -> None:
        """Share the configuration; see `CORSMiddleware`."""
        self._views = views
        super().__init__(app, configuration)


def policies_of(options: Options) -> tuple[Policy, dict[Any, Policy | None]]:
    """Give the base and the policies of paths; where there is a table of paths, all others are passed through.

    Raises:
        ConfigError: With every mistake found.
    """
    table: dict[Path, Options | Policy | None] | None = options.others.get(RESOURCES)
    if table is None:
        return options.build(), {}
    issues: list[Issue] = []
    paths: dict[Any, Policy | None] = {}
    for path, own in table.items():
        try:
            paths[path] = own.over(options).build(place_of(path)) if isinstance(own, Options) else own
        except ConfigError as error:
            issues += error.issues
    if issues:
        raise ConfigError(issues)
    base = paths.get(EVERY_PATH) or (options.build() if options.names_origins else _closed(options))
    return base, {**paths, EVERY_PATH: paths.get(EVERY_PATH)}


def refuse_other_apps(app: Any, line: str) -> None:
    """Refuse what is not a Flask app or blueprint; `line` is what to write with one.

    Raises:
        ConfigError: Which names the middleware or adapter for such an app.
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
    """Return whether something is a Flask app or blueprint, or can be wrapped as one."""
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


def _exempt() -> Configuration:
    return Configuration(_closed(NOTHING), paths={EVERY_PATH: None})


def _binder(app: Flask) -> Binder:
    """Match a scope's path as the app does, its settings of hosts and subdomains included."""

    def bind(scope: Scope) -> MapAdapter | None:
        request = app.request_class(environ_of(scope), populate_request=False)
        return app.create_url_adapter(request)

    def is_usual() -> bool:
        binds_as_flask = type(app).create_url_adapter is Flask.create_url_adapter and type(app.url_map) is Map
        return binds_as_flask and "create_url_adapter" not in vars(app) and app.request_class is Request

    return Binder(app, bind, is_usual)
