"""Type guards for values that come from outside: JSON, source code, an app's attributes."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a value is a list, of any entries."""
    return isinstance(value, list)


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is a dict, such as a JSON object."""
    return isinstance(value, dict)
