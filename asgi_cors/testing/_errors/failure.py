"""Why a fetch is blocked: the response's fault, and the request that it cost.

Codes are the names that Chromium's DevTools protocol gives (`Network.CorsError`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The field at fault with its value (None: absent) and number of lines, and what was refused of the request."""

    code: str
    field: str = ""
    value: str | None = None
    lines: int = 0
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A failure with the request that it blocked.

    `page` is the page's origin, `origin` what a redirect
    may have made of it, `status` the response's, None where none came.
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
        """Whether it was the preflight's response that failed."""
        return "Preflight" in self.failure.code

    @property
    def cause(self) -> str:
        """The code without the mark of the preflight."""
        return self.failure.code.removeprefix("Preflight")
