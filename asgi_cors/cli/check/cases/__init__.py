"""The cases, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import caches, errors, forged, headers, origins, preflight_names, preflights, requests, vary, websockets

if TYPE_CHECKING:
    from asgi_cors.cli.check.case import Case

WEBSOCKETS: Final[tuple[Case, ...]] = websockets.CASES
ALL: Final[tuple[Case, ...]] = (
    *requests.CASES,
    *errors.CASES,
    *preflights.CASES,
    *preflight_names.CASES,
    requests.unsafe,
    *origins.CASES,
    *forged.CASES,
    *headers.CASES,
    *caches.CASES,
    *vary.CASES,
    *WEBSOCKETS,
)
