"""The closest known name to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return the question after the closest name, or the list of all."""
    plain = {option.replace("_", ""): option for option in known}
    # Without letter case, hyphens and underscores: uploadListener, base-url.
    wanted = name.lower().replace("_", "").replace("-", "")
    closest = difflib.get_close_matches(wanted, plain, n=1)
    return f"Did you mean {plain[closest[0]]!r}?" if closest else f"Write one of {', '.join(known)}."
