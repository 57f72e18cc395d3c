"""Positional arguments, which Starlette's middleware takes and ours do not. Imported only for a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from ._errors import issue, show

if TYPE_CHECKING:
    from ._issue import Issue

# The order of Starlette's parameters. Before version 0.51, `allow_private_network` was not among them.
_ORDER: Final = (
    *("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex"),
    *("allow_private_network", "expose_headers", "max_age"),
)
_NAMES: Final = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
_PRIVATE_NETWORK: Final = 5


def positional_issue(place: str, values: Sequence[object], names: Mapping[str, str] | None = None) -> Issue:
    """Describe options that are given as positional arguments, in Starlette's order.

    Args:
        place: The class or function that is called.
        values: The positional arguments.
        names: The option names of another library, by those of a policy.
    """
    keywords = _keywords(values)
    written = ", ".join(f"{(names or {}).get(name, name)}={show(value)}" for name, value in keywords.items())
    message = f"{place} takes options as keywords, not as positional arguments"
    value = values[0] if len(values) == 1 else tuple(values)
    hint = f"Write {written}." if written else "Use keywords."
    return issue("positional-options", "options", value, message, hint)


def _keywords(values: Sequence[object]) -> dict[str, Any]:
    """Name the values by Starlette's order; a lone mapping names them by itself."""
    if len(values) == 1 and isinstance(values[0], Mapping):
        return {str(name): value for name, value in cast("Mapping[object, object]", values[0]).items()}
    order: Sequence[str] = _ORDER
    if len(values) > _PRIVATE_NETWORK and not isinstance(values[_PRIVATE_NETWORK], bool):
        order = [name for name in _ORDER if name != "allow_private_network"]
    keywords = {name: value for name, value in zip(order, values, strict=False) if value is not None}
    return {name: _spelled(name, value) for name, value in keywords.items()}


def _spelled(name: str, value: object) -> object:
    """Show collections as lists, which are easier to read."""
    is_collection = name in _NAMES and isinstance(value, tuple | set | frozenset)
    return list(cast("Sequence[object]", value)) if is_collection else cast("Any", value)
