"""What the doctor finds: a cause, a risk or a note, each by a rule with a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .doctor.evidence import Evidence

OUTERMOST: Final = "CORSMiddleware outermost: it answers preflights before anything else of the app runs"
LOGIN_WORDS: Final = ("login", "signin", "sign-in", "sso", "oauth", "authorize", "/auth", "saml", "accounts.")
OF_ORIGIN: Final = {
    "MissingAllowOriginHeader",
    "MultipleAllowOriginValues",
    "AllowOriginMismatch",
    "InvalidAllowOriginValue",
}
GATEWAY_STATUSES: Final = {413, 429, 502, 503, 504, 520, 521, 522, 523, 524}


@dataclass(frozen=True)
class Finding:
    """One thing that is so.

    Args:
        name: Its stable name, in kebab case.
        sentence: What is so.
        remedy: What to write on the server, or where to look.
        recipe: The line for the software that gave itself away; empty where none is known.
        policy: The line of an asgi_cors policy that does it; empty where it is nothing of the policy's.
    """

    name: str
    sentence: str
    remedy: str
    recipe: str = ""
    policy: str = ""


Rule = Callable[["Evidence"], Finding | None]
