"""The type of a rule, and the constants and helpers that rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.findings import Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence

Rule = Callable[["Evidence"], Iterator[Finding]]

OUTERMOST: Final = "CORSMiddleware outermost: it answers preflights before the rest of the app runs"
LOGIN_PATHS: Final = ("login", "signin", "sign-in", "sso", "oauth", "authorize", "/auth", "saml", "accounts.")
ORIGIN_CODES: Final = {
    "MissingAllowOriginHeader",
    "MultipleAllowOriginValues",
    "AllowOriginMismatch",
    "InvalidAllowOriginValue",
}
GATEWAY_STATUSES: Final = {413, 429, 502, 503, 504, 520, 521, 522, 523, 524}
SERVER_ERROR: Final = 500


def allow_origins(evidence: Evidence) -> str:
    """Return the option of a policy that allows the page's origin."""
    return f"allow_origins=[{evidence.question.origin!r}]"
