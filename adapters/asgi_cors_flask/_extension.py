"""CORS(app, …): the extension, as Flask's extensions are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Never, Unpack, cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

from asgi_cors import ConfigError, Configuration, Explanation, Issue, Policy, Rules
from asgi_cors_werkzeug import AttachedPolicy, Resources

from ._installation import NAME, Installation, policies_of, refuse_other_apps, saying_resources
from ._options import FLASK_NAMES, OF_APPS, OF_MIDDLEWARE, RESOURCES, Options, read_config, read_options, refuse_unknown
from ._typing import AppOptions


class CORS:
    """Apply a policy to a Flask app, or to the views of a blueprint.

    Args:
        app: The app or blueprint; else `init_app` is to be called with it.
        options: By Flask-CORS's names or the policy's own. Default: every origin may read, without credentials. The
            app's config gives the same as `CORS_*` keys; `resources` gives policies by path.

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    def __init__(self, app: Flask | Blueprint | None = None, *arguments: Never, **options: Unpack[AppOptions]) -> None:
        """Read the options; see the class."""
        if arguments:
            raise ConfigError([Issue.positional("CORS", arguments, FLASK_NAMES)])
        self._options = read_options(options, OF_APPS)
        self._installations: list[Installation] = []
        if app is None:
            self._options.check()
        else:
            self.init_app(app)

    def init_app(self, app: Flask | Blueprint, **options: Unpack[AppOptions]) -> None:
        """Bind an app or blueprint; options given here count before those of the constructor.

        Raises:
            ConfigError: As the constructor does, and where the app has been bound before.
        """
        read = read_options(options, OF_APPS).over(self._options)
        refuse_other_apps(app, "CORS(app, …)")
        if isinstance(app, Blueprint):
            _bind_blueprint(app, read)
            return
        installation = app.extensions.get(NAME)
        if installation is not None and installation.has_policy:
            raise ConfigError([_bound_twice(app)])
        installation = installation or Installation(app)
        installation.configure(read)
        self._installations.append(installation)

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self._installation.policy

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[AppOptions]) -> None:
        """Replace the policy, or the options that are named, at once; see `Installation.reconfigure`."""
        self._installation.reconfigure(policy, **options)

    def explain(
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
    ) -> Explanation:
        """Tell what a browser will do with a request, and why; see `Installation.explain`."""
        return self._installation.explain(method, origin, path, headers, credentials=credentials)

    @property
    def _installation(self) -> Installation:
        if len(self._installations) != 1:
            count = len(self._installations)
            message = f"this CORS() is bound to {count} apps; ask app.extensions['{NAME}'] of the one that is meant"
            raise RuntimeError(message)
        return self._installations[0]


class BlueprintMark(AttachedPolicy):
    """What is left on a blueprint: the options for its views."""

    def __init__(self, name: str, options: Options) -> None:
        """Keep the options."""
        super().__init__(f"CORS of blueprint {name!r}")
        self._options = options

    def policy(self, app: Flask) -> Rules:
        """Give the rules for the views of the blueprint in an app, whose config counts."""
        options = self._options_in(app)
        policy, paths = policies_of(options)
        with saying_resources():
            return Rules(policy, paths, describe_path=options.others.get(RESOURCES, Resources()).describe)

    def configuration(self, app: Flask) -> Configuration:
        """Give the same, to be explained."""
        policy, paths = policies_of(self._options_in(app))
        return Configuration(policy, paths=paths)

    def _options_in(self, app: Flask) -> Options:
        config, unknown = read_config(app.config, warns=False)
        options = self._options.over(config)
        refuse_unknown(unknown, options)
        return options


def _bind_blueprint(blueprint: Blueprint, options: Options) -> None:
    misplaced = [name for name in OF_MIDDLEWARE if name in options.others]
    if misplaced:
        message, hint = "a blueprint has none of its own", "Give it to CORS(app)."
        raise ConfigError([Issue("not-of-blueprints", name, options.others[name], message, hint) for name in misplaced])
    mark = BlueprintMark(blueprint.name, options)

    def bind(state: BlueprintSetupState) -> None:
        app = cast("Flask", state.app)
        installation: Installation = app.extensions.get(NAME) or Installation(app)
        name = f"{state.name_prefix}.{state.name}".lstrip(".")
        policy = mark.policy(app)  # raised here, at registration, if the app's config does not fit
        installation.views.attach_to_blueprint(name, mark)
        installation.configuration.set_view(mark, policy)

    blueprint.record(bind)


def _bound_twice(app: Flask) -> Issue:
    message = f"the app {app.name!r} has a CORS() already"
    hint = f"Keep one of them, or write app.extensions['{NAME}'].reconfigure(…)."
    return Issue("bound-twice", "app", app.name, message, hint)
