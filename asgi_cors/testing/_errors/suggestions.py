"""Suggests a known name for an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return "Did you mean …?" with the closest name, or a list of all names if none is close."""
    plain = {option.replace("_", ""): option for option in known}
    # Letter case, hyphens and underscores do not count: uploadListener, base-url.
    wanted = name.lower().replace("_", "").replace("-", "")
    closest = difflib.get_close_matches(wanted, plain, n=1)
    return f"Did you mean {plain[closest[0]]!r}?" if closest else f"Write one of {', '.join(known)}."
