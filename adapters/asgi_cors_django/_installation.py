"""The policies of the settings and of views: one configuration for all middlewares of the process."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final, Unpack

from django.core.signals import setting_changed
from django.urls import get_resolver

from asgi_cors import DENY_ALL, EXEMPT, Configuration, Explanation, Policy, activate_when_used

from . import _options, _routes
from ._database import database_context, with_database
from ._signal_policy import SignalPolicy
from .signals import check_request_enabled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgi_cors import MiddlewareOptions

logger: Final = logging.getLogger("asgi_cors")


class Installation:
    """The policy of this process's Django app, with `policy`, `explain` and `reconfigure`.

    The settings are read when the first middleware is loaded, and again once Django reports that one has changed.
    """

    def __init__(self) -> None:
        """Begin without the settings, which may not be configured yet; see the class."""
        self.reset_lock()
        self._is_current = False
        self._has_imported_urls = False
        self.configuration: Final = Configuration(
            DENY_ALL,
            view_of=_routes.view_of,
            view_policy=self._policy_of,
            describe_path=_options.describe_path,
            app_context=database_context,
            paths=_options.PASS_THROUGH,
            is_placeholder=True,
        )
        activate_when_used(self)

    def reset_lock(self) -> None:
        """Replace the lock by a new one, as in a forked child."""
        self._lock = threading.RLock()

    def activate(self) -> None:
        """Match URLs from now on, because a view has a policy."""
        self.configuration.set_views({EXEMPT: None})

    def load(self) -> None:
        """Apply the settings, if they have changed.

        Raises:
            ConfigError: With every mistake found. The previous policy stays in force.
        """
        with self._lock:
            if self._is_current:
                return
            parsed = _options.parse_settings()
            self._add_signal(parsed.options)
            parsed.apply(self.configuration)
            self._is_current = True
        for issue in parsed.warnings:
            issue.warn()

    def _add_signal(self, options: dict[str, Any]) -> None:
        """Call the receivers of `check_request_enabled` at each request, if there are any."""
        policy_for = options["policy_for"]
        if check_request_enabled.has_listeners() and (policy_for is None or callable(policy_for)):
            options["policy_for"] = SignalPolicy(self.configuration, policy_for)

    def invalidate(self) -> None:
        """Read the settings again, at the next request."""
        self._is_current = False

    def forget_urls(self) -> None:
        """Import the URLconf at the next request, because it is another one."""
        self._has_imported_urls = False

    def import_urls(self) -> None:
        """Import the URLconf, unless it is imported: its decorators attach the policies of views.

        Django imports it at the first request, which would be decided before a view had a policy.
        """
        if not self._has_imported_urls:
            with contextlib.suppress(Exception):  # Django imports it again, and reports the exception
                self._has_imported_urls = bool(get_resolver().url_patterns)

    def sync(self) -> None:
        """Apply the settings if they have changed. If they are not valid, the last valid policy stays in force."""
        self.import_urls()
        if self._is_current:
            return
        with self._lock:
            try:
                self.load()
            except Exception as error:  # noqa: BLE001 - a request must not fail; and warnings may be errors
                self._is_current = True  # so that the mistake is not reported again at each request
                logger.error("the settings are not valid, so the last valid policy stays in force: %s", error)  # noqa: TRY400 - the traceback says nothing

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        self.load()
        return self.configuration.policy

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the named options, at once. They apply until a setting changes.

        Raises:
            ConfigError: With every mistake found. Nothing is replaced then.
        """
        with self._lock:
            self.load()
            self.configuration.reconfigure(policy, **options)

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
        """Explain how a browser will handle a request; a view's own policy counts. See `asgi_cors.explain`."""
        self.import_urls()
        self.load()
        scope = {"type": "http", "method": method, "path": path, "headers": ()}
        view_of = self.configuration.evaluator.rules.view_of
        key = view_of(scope) if view_of else None
        configuration = self.configuration if key is None else self.configuration.with_policy(self._policy_of(key))
        return configuration.explain(method, origin, path, headers, credentials=credentials, host=host)

    @staticmethod
    def _policy_of(key: Any) -> Policy | None:
        """Return the policy of a view."""
        policy: Policy | None = key.policy
        return None if policy is None else _options.with_trusted_origins(with_database(policy))


installation: Final = Installation()


def _follow_settings(*, setting: str, **_: object) -> None:
    if setting == "ROOT_URLCONF":
        installation.forget_urls()
    if setting.startswith(_options.PREFIX) or setting == _options.TRUSTED_SETTING:
        installation.invalidate()


setting_changed.connect(_follow_settings)
check_request_enabled.on_change = installation.invalidate

if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=installation.reset_lock)
