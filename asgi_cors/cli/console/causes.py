"""All causes that the console reports, in the order of docs/console.md."""

from __future__ import annotations

from typing import Final

from .cause import Cause
from .cors_causes import CORS_CAUSES
from .other_causes import OTHER_CAUSES

CAUSES: Final[tuple[Cause, ...]] = (*CORS_CAUSES, *OTHER_CAUSES)
