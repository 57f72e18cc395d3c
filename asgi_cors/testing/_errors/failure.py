"""The cause of a CORS error, and the request that it blocked.

Codes are the names in Chromium's DevTools protocol (`Network.CorsError`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The mistake of a response.

    Attributes:
        code: the name of the mistake.
        header: the response header at fault; empty if there is none.
        value: that header's value; None if it is absent.
        lines: the number of its lines.
        refused: the method or header names of the request that the response does not allow.
    """

    code: str
    header: str = ""
    value: str | None = None
    lines: int = 0
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BlockedRequest:
    """A failure with the request that it blocked.

    Attributes:
        page: the page's origin.
        origin: the request's origin; `null` after some redirects.
        status: the response's status; None without a response.
    """

    failure: Failure
    method: str
    url: str
    first_url: str
    page: str
    origin: str
    status: int | None = None

    @property
    def is_preflight(self) -> bool:
        """Whether the response to the preflight failed."""
        return "Preflight" in self.failure.code

    @property
    def cause(self) -> str:
        """The code without the prefix of preflights."""
        return self.failure.code.removeprefix("Preflight")
