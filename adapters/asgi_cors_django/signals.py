"""check_request_enabled: a signal whose receivers may allow a request, as django-cors-headers has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.dispatch import Signal


class RequestSignal(Signal):
    """A signal that reports when its receivers change. It is sent only if it has one."""

    on_change: Callable[[], object] = staticmethod(lambda: None)

    def connect(self, *arguments: Any, **options: Any) -> None:
        """Connect a receiver, as `Signal.connect` does."""
        super().connect(*arguments, **options)
        self.on_change()

    def disconnect(self, *arguments: Any, **options: Any) -> bool:
        """Disconnect a receiver, as `Signal.disconnect` does."""
        found = super().disconnect(*arguments, **options)
        self.on_change()
        return found


check_request_enabled: Final = RequestSignal()
"""Sent with `request`, and with None as the sender, for each request with Origin.

If a receiver returns a true value, the origin is allowed, in addition to those of the policy. An exception of a
receiver is logged, and only the policy counts.
"""
