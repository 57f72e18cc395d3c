"""Options of a policy, as a user writes them. Only options that `Policy` accepts without a warning are shown."""

from __future__ import annotations

import warnings
from typing import Any, Final

from asgi_cors import ConfigError, ConfigWarning, Policy

_EXAMPLE: Final = {"allow_origins": ["https://app.example.com"]}


def policy_line(**options: Any) -> str:
    """Return options of a policy in one line, or "" if `Policy` refuses them or warns about them.

    Args:
        **options: The options, by name. If `allow_origins` is missing, an example is used for the check.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConfigWarning)
        try:
            Policy(**(_EXAMPLE | options))
        except (ConfigError, ConfigWarning):
            return ""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())
