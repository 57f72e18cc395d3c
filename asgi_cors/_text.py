"""A value as text, for messages."""

from __future__ import annotations

from typing import Final

MAX_SHOWN: Final = 200  # characters


def show(value: object) -> str:
    """Return `value` as one line of a message: its repr, cut at 200 characters, or its type if repr raises."""
    try:
        text = " ".join(repr(value).splitlines())
    except Exception:  # noqa: BLE001 - a value nested too deeply, or an object whose repr is broken
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
