"""What stands around an app: the object on which people ask for its policy, have it explained, and replace it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ._configuration import Configuration
from ._errors import ConfigError, issue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._explain import Explanation
    from ._policy import Policy
    from ._settings import MiddlewareOptions


class Installed:
    """What installs a policy: the object on which people ask for it, have it explained, and replace it.

    Args:
        app: What is wrapped.
        policy: A base policy, or a configuration to share with another middleware.
        options: Those of the middleware and of its base policy.
    """

    def __init__(self, app: object, policy: Policy | Configuration | None, options: MiddlewareOptions) -> None:
        """Take the configuration over, or make it."""
        if not callable(app):
            raise ConfigError(
                [issue("wrong-type", "app", app, f"{app!r} is no app", "Write the app before the options.")]
            )
        if isinstance(policy, Configuration) and options:
            message = f"a configuration and options ({', '.join(options)}) are given"
            raise ConfigError(
                [issue("configuration-and-options", "policy", policy, message, "Write configuration.reconfigure(…).")]
            )
        self.configuration = policy if isinstance(policy, Configuration) else Configuration(policy, **options)

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
