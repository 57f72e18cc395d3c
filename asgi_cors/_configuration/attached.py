"""Policies that the decorators of adapters attach to views, blueprints and routes.

An adapter looks for the policy of a view at each request, because views may be replaced, decorated and exempted late.
It does so only in a process in which a policy has been attached. The first one activates every existing installation.
An installation that is made later is active at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from asgi_cors._errors import ConfigError, ConfigWarning, Issue
from asgi_cors._policy.policy import MIDDLEWARE_OPTIONS, Policy, PolicyOptions

from .calls import call_after_fork
from .middleware_options import both_given

_ATTACHED: Final = "_asgi_cors_policy"
_WRAPPED_BY: Final = "_asgi_cors_wrapped_by"


class AttachedPolicy:
    """The key of a view's policy. Its text names the view in logs.

    Args:
        place: The decorator that attaches it, such as `cross_origin`.
    """

    def __init__(self, place: str) -> None:
        """Begin without a view; see the class."""
        self.place = place
        self._views: dict[str, None] = {}

    def __str__(self) -> str:
        """Return the place and the names of the views."""
        views = ", ".join(map(repr, self._views))
        return f"{self.place} of view {views}" if views else self.place

    def add_view(self, view: object) -> None:
        """Note the name of a view that the policy is attached to."""
        self._views[getattr(view, "__name__", type(view).__name__)] = None


class FixedPolicy(AttachedPolicy):
    """The policy of a view that is the same in every app.

    Args:
        place: The decorator that attaches it, such as `cross_origin`.
        policy: The policy; None passes the requests through.
    """

    def __init__(self, place: str, policy: Policy | None) -> None:
        """Begin without a view; see the class."""
        super().__init__(place)
        self.policy = policy

    @classmethod
    def from_arguments(
        cls,
        policy: object,
        arguments: tuple[object, ...],
        options: PolicyOptions,
        is_view: Callable[[object], bool] = callable,
        option_line: Callable[[str], str] = "CORSMiddleware(app, {}=…)".format,
    ) -> FixedPolicy:
        """Return the policy that a call of `cross_origin` describes; for adapters.

        Args:
            policy: The first positional argument: a policy, or None for the options.
            arguments: The other positional arguments, which are a mistake.
            options: The options of a policy.
            is_view: Returns whether a positional argument is an object to decorate.
            option_line: Returns the line to write for an option of the middleware.

        Raises:
            ConfigError: With every mistake found.
        """
        is_policy = policy is None or isinstance(policy, Policy)
        if arguments or not is_policy:
            given = arguments if is_policy else (policy, *arguments)
            raise ConfigError([_positional_issue(given, is_view)])
        if policy is None:
            try:
                return cls("cross_origin", Policy(**options))
            except ConfigError as error:
                raise ConfigError(_with_line(issue, option_line) for issue in error.issues) from None
        if options:
            raise ConfigError([both_given(policy, options)])
        return cls("cross_origin", cast("Policy", policy))


def _with_line(issue: Issue, line: Callable[[str], str]) -> Issue:
    """Return an issue with the line to write, if its option is one of the middleware."""
    if issue.code != "unknown-option" or issue.option not in MIDDLEWARE_OPTIONS:
        return issue
    return dataclasses.replace(issue, hint=f"Write {line(issue.option)}.")


def _positional_issue(given: tuple[object, ...], is_view: Callable[[object], bool]) -> Issue:
    if not is_view(given[0]):
        return Issue.positional("cross_origin", given)
    message = "cross_origin is used without options"
    hint = "Write @cross_origin(allow_origins=['https://app.example.com']), or @cors_exempt for no policy."
    return Issue("decorator-without-options", "cross_origin", given[0], message, hint)


def _deny_all() -> Policy:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)  # it allows nothing on purpose
        return Policy()


DENY_ALL: Final = _deny_all()
EXEMPT: Final = FixedPolicy("cors_exempt", None)
TOO_LONG: Final = FixedPolicy("a path that is too long", DENY_ALL)

_MAX_PATH: Final = 2048  # characters


def is_too_long(path: str) -> bool:
    """Return whether a path is not matched with routes, since the time grows with its length; for adapters.

    The key of its policy is `TOO_LONG`, which allows nothing.
    """
    return len(path) > _MAX_PATH


class Activates(Protocol):
    """An installation, which looks for the policies of views once it is activated."""

    def activate(self) -> None:
        """Look for the policies of views from now on."""


class _Usage:
    """Whether a policy has been attached in this process, and the installations that wait for the first one."""

    def __init__(self) -> None:
        self._is_used = False
        self._waiting: weakref.WeakSet[Activates] = weakref.WeakSet()
        self._reset_lock()
        call_after_fork(self, _Usage._reset_lock)

    def _reset_lock(self) -> None:
        self._lock = threading.Lock()

    def note(self) -> None:
        """Activate all waiting installations, since a policy is attached."""
        if self._is_used:
            return
        with self._lock:
            self._is_used = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for installation in waiting:
            installation.activate()

    def activate_when_used(self, installation: Activates) -> None:
        """Activate an installation, now or with the first attached policy."""
        with self._lock:
            if not self._is_used:
                self._waiting.add(installation)
                return
        installation.activate()


_usage: Final = _Usage()


def activate_when_used(installation: Activates) -> None:
    """Activate an installation as soon as a policy is attached in this process; for adapters.

    Args:
        installation: Its method `activate` is called once, now or with the first attached policy. It is held weakly.
    """
    _usage.activate_when_used(installation)


def note_usage() -> None:
    """Activate every installation, because a policy is about to be used; for adapters."""
    _usage.note()


def attach_policy(view: Any, policy: AttachedPolicy, *, wrapped: object = None) -> None:
    """Attach a policy to a view; for adapters. Decorators above it pass the policy on if they use `functools.wraps`.

    Args:
        view: The view to register.
        policy: The policy.
        wrapped: The view that it replaces; see `wrapper_of`.
    """
    note_usage()  # first, so that each app looks for policies before a view has one
    setattr(view, _ATTACHED, policy)
    if wrapped is not None:
        if _WRAPPED_BY in vars(view):  # `vars` of a class is read-only
            delattr(view, _WRAPPED_BY)
        with contextlib.suppress(AttributeError, TypeError):  # a view may be any callable
            setattr(wrapped, _WRAPPED_BY, view)


def attached_policy(view: object) -> AttachedPolicy | None:
    """Return the policy attached to a view, or None; for adapters."""
    found: object = getattr(view, _ATTACHED, None)
    return found if isinstance(found, AttachedPolicy) else None  # a mock has every attribute


def wrapper_of(view: object) -> object:
    """Return the view that a decorator has made of this one, or None; for adapters.

    A decorator above the line that registers a view makes one that is not registered.
    """
    return getattr(view, _WRAPPED_BY, None)
