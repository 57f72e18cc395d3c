"""What stands around an app: the object on which people ask for its policy, have it explained, and replace it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar, Unpack

from asgi_cors._configuration.configuration import Configuration
from asgi_cors._errors import ConfigError, Issue, PositionalOptionsError
from asgi_cors._interfaces import interface_of, is_factory
from asgi_cors._policy.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgi_cors._configuration.evaluation import MiddlewareOptions
    from asgi_cors._decision.explanation import Explanation


class Installed:
    """Base class of both middlewares: `policy`, `explain` and `reconfigure`.

    Args:
        app: The app to wrap.
        policy: A base policy, or a configuration to share with another middleware.
        arguments: Other positional arguments, which are a mistake.
        options: Those of the middleware and of its base policy.
    """

    interface: ClassVar[str]

    def __init__(
        self,
        app: object,
        policy: Policy | Configuration | None,
        arguments: Sequence[object],
        options: MiddlewareOptions,
    ) -> None:
        """Take the configuration over, or make it."""
        issues = self._app_issues(app)
        misplaced = _argument_issues(type(self).__name__, policy, arguments, options)
        if issues or misplaced:
            error = PositionalOptionsError if arguments else ConfigError
            raise error([*issues, *misplaced, *_option_issues(policy, options)])
        self.configuration = policy if isinstance(policy, Configuration) else Configuration(policy, **options)

    @classmethod
    def _app_issues(cls, app: object) -> list[Issue]:
        interface = interface_of(app) if callable(app) else ""
        if interface == cls.interface or (callable(app) and interface is None and not is_factory(app)):
            return []
        article = "an" if cls.interface == "ASGI" else "a"
        return [Issue.wrong_app(app, f"{article} {cls.interface} app", f"{cls.__name__}(app, …)")]

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.configuration.policy

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy whole, and the options that are named, at once; see `Configuration.reconfigure`."""
        self.configuration.reconfigure(policy, **options)

    def explain(
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
    ) -> Explanation:
        """Tell what a browser will do with a request, and why; see `Configuration.explain`."""
        return self.configuration.explain(method, origin, path, headers, credentials=credentials)


def _argument_issues(
    place: str, policy: object, arguments: Sequence[object], options: MiddlewareOptions
) -> list[Issue]:
    """Return the mistakes of options that are positional arguments, or are given with a configuration."""
    if isinstance(policy, Configuration) and options:
        message = f"a configuration and options ({', '.join(options)}) are given"
        return [Issue("configuration-and-options", "policy", policy, message, "Write configuration.reconfigure(…).")]
    is_policy = policy is None or isinstance(policy, Policy | Configuration)
    if is_policy and not arguments:
        return []
    return [Issue.positional(place, arguments if is_policy else (policy, *arguments))]


def _option_issues(policy: object, options: MiddlewareOptions) -> Iterable[Issue]:
    """Return the mistakes in the options, so that all mistakes are reported at once."""
    if isinstance(policy, Configuration) or not options:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Configuration(policy if isinstance(policy, Policy) else None, **options)
        except ConfigError as error:
            return error.issues
    return ()
