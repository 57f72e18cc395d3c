"""Options of a policy as the settings of a Django project that uses `asgi_cors_django`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import MiddlewareOptions, Policy
from asgi_cors.cli.policy_lines import PolicyRemedy, setting_names

from . import django

if TYPE_CHECKING:
    from asgi_cors._decision.host import HostSet

# Option names that are also words of a sentence are replaced only before a value.
_OPTION: Final = re.compile(
    "|".join(rf"\b{name}(?:=|\b)" if "_" in name else rf"\b{name}=" for name in MiddlewareOptions.__annotations__)
)


def setting_of(option: str) -> str:
    """Return the setting of an option: the one that the project has, since two of one option are an error."""
    names = setting_names(option)
    return next((name for name in names if hasattr(django.settings(), name)), names[0])


def is_in_settings(value: Policy | HostSet) -> bool:
    """Return whether a policy is the base policy of the settings, or hosts are those of CORS_ALLOWED_HOSTS."""
    installation = django.installation()
    if installation is None:
        return False
    configuration = installation.configuration
    return configuration.policy == value or configuration.evaluator.hosts is value


def in_settings(text: str) -> str:
    """Return a sentence with settings in place of a policy's options."""

    def replace(match: re.Match[str]) -> str:
        option, equals = match[0].removesuffix("="), match[0].endswith("=")
        return f"{setting_of(option)}{' = ' if equals else ''}"

    return _OPTION.sub(replace, text)


def settings_remedy(**options: Any) -> PolicyRemedy:
    """Return the lines of the settings for options of a policy."""
    lines = "\n".join(f"{setting_of(name)} = {value!r}" for name, value in options.items())
    return PolicyRemedy(advice=f"Write this in {django.settings_place()}:", code=lines)
