"""The settings of Django, which has one object for all settings of a process. A test may have settings of its own."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.conf import empty, settings
from django.core.signals import setting_changed
from django.urls import clear_url_caches

_OURS = "CORS_ALLOW_ORIGINS"  # any setting of ours: one that is reported has all of them read again


@contextlib.contextmanager
def unconfigured() -> Iterator[None]:
    """Have Django without settings, as a program has at its start. Restore the settings of before at the end."""
    before = vars(settings).copy()
    settings._wrapped = empty
    _report([_OURS])
    # Django REST framework reads its settings when it is imported.
    loaded = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == "rest_framework"}
    try:
        yield
    finally:
        restore(before)
        sys.modules.update(loaded)


def replace(own: dict[str, Any], previous: Iterable[str] = ()) -> dict[str, Any]:
    """Put settings in force, and return those of before, for `restore`.

    Args:
        own: The settings.
        previous: The names of the settings that were in force. Their changes are reported, too.
    """
    before = vars(settings).copy()
    settings._wrapped = empty  # `override_settings` would need settings that are configured
    settings.configure(**own)
    if not apps.ready:
        apps.populate([])
    _report({*previous, *own, _OURS})
    return before


def restore(before: dict[str, Any], previous: Iterable[str] = ()) -> None:
    """Put the settings of before in force again."""
    vars(settings).clear()
    vars(settings).update(before)
    _report({*previous, _OURS})


def _report(names: Iterable[str]) -> None:
    """Report changed settings, as `override_settings` does."""
    clear_url_caches()
    for name in sorted(names):
        value = getattr(settings, name, None) if settings.configured else None
        setting_changed.send(None, setting=name, value=value, enter=True)
