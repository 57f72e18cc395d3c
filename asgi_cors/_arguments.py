"""Positional arguments, which only Starlette's middleware takes. Imported only if there is a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from ._text import show

# The order of Starlette's parameters. Before version 0.51, `allow_private_network` was not among them.
_ORDER: Final = (
    *("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex"),
    *("allow_private_network", "expose_headers", "max_age"),
)
_NAMES: Final = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
_PRIVATE_NETWORK: Final = 5


def as_keywords(values: Sequence[object], names: Mapping[str, str]) -> str:
    """Return the keywords to write for positional arguments.

    Args:
        values: The positional arguments.
        names: The names to write instead of a policy's option names, for the names of another library.
    """
    keywords = {names.get(name, name): value for name, value in _keywords(values).items()}
    return ", ".join(f"{name}={show(value)}" for name, value in keywords.items()) or "the options as keywords"


def _keywords(values: Sequence[object]) -> dict[str, Any]:
    """Name the values in Starlette's order. The keys of a single mapping are the names."""
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
