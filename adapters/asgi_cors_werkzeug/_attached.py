"""Policies that decorators attach to views. They are read each time that a request is matched.

Routes are matched only in a process in which a policy has been attached. The first one activates every existing
installation. An installation that is made later is active at once.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

View = Callable[..., Any]
F = TypeVar("F", bound=View)

_ATTACHED: Final = "_asgi_cors_mark"
_WRAPPED_BY: Final = "_asgi_cors_wrapped_by"


class Activates(Protocol):
    """An installation's views, which start to match routes when they are activated."""

    def activate(self) -> None:
        """Match routes from now on."""


class AttachedPolicy:
    """The key of a view's policy. Its text names the view in logs.

    Args:
        place: Who attached it, such as `cross_origin`.
    """

    def __init__(self, place: str) -> None:
        """Begin without a view; see the class."""
        self._place = place
        self._views: dict[str, None] = {}

    def __str__(self) -> str:
        """Return the place and the names of the views."""
        views = ", ".join(map(repr, self._views))
        return f"{self._place} of view {views}" if views else self._place

    def add_view(self, view: View) -> None:
        """Note the name of a view that it is attached to."""
        self._views[getattr(view, "__name__", type(view).__name__)] = None


EXEMPT: Final = AttachedPolicy("cors_exempt")


class _Usage:
    """Whether a policy has been attached in this process, and which views wait for the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_used = False
        self._waiting: weakref.WeakSet[Activates] = weakref.WeakSet()

    def note(self) -> None:
        """Activate all waiting views, since a policy is attached."""
        if self._is_used:
            return
        with self._lock:
            self._is_used = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for views in waiting:
            views.activate()

    def activate(self, views: Activates) -> None:
        """Activate views, now or with the first attached policy."""
        with self._lock:
            if not self._is_used:
                self._waiting.add(views)
                return
        views.activate()


usage: Final = _Usage()


def mark(view: View, policy: AttachedPolicy) -> None:
    """Attach a policy to a view. It is also on decorators above it, if these use `functools.wraps`."""
    usage.note()  # first, so that each app looks for policies before a view has one
    setattr(view, _ATTACHED, policy)


def mark_of(view: object) -> AttachedPolicy | None:
    """Return the policy attached to a view, or None."""
    found: object = getattr(view, _ATTACHED, None)
    return found if isinstance(found, AttachedPolicy) else None  # a mock has every attribute


def wraps_view(wrapper: View, view: View) -> None:
    """Note that `wrapper` is to be registered instead of `view`."""
    vars(wrapper).pop(_WRAPPED_BY, None)
    with contextlib.suppress(AttributeError, TypeError):  # a view may be any callable
        setattr(view, _WRAPPED_BY, wrapper)


def wrapper_of(view: object) -> object:
    """Return the wrapper that is to be registered instead of a view, or None."""
    return getattr(view, _WRAPPED_BY, None)


def cors_exempt(view: F) -> F:
    """Pass a view's requests through, preflights included: the view's own headers decide."""
    mark(view, EXEMPT)
    return view
