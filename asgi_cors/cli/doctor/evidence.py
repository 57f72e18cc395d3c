"""What came back: the answers, each engine's visit, and the probes with other origins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from asgi_cors.testing import CORSError, Exchange

    from .question import Question

ALLOW_ORIGIN: Final = "access-control-allow-origin"
ALLOW_CREDENTIALS: Final = "access-control-allow-credentials"
ALLOW_METHODS: Final = "access-control-allow-methods"
ALLOW_HEADERS: Final = "access-control-allow-headers"
EXPOSE_HEADERS: Final = "access-control-expose-headers"
MAX_AGE: Final = "access-control-max-age"
# What blocks beside CORS; the first is what Chromium calls it, the others are ours.
MIXED_CONTENT: Final = "MixedContent"
HANDSHAKE_REFUSED: Final = "HandshakeRefused"
HEADER_NOT_EXPOSED: Final = "HeaderNotExposed"
ENGINES: Final = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "Safari"}


@dataclass(frozen=True)
class Answer:
    """One response, its fields read as browsers read them."""

    request: httpx.Request
    response: httpx.Response

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status_code

    @property
    def is_ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - Fetch, ok status

    def lines(self, name: str) -> list[str]:
        """Give a field's values, one for each line."""
        return [
            value.decode("latin-1").strip(" \t")
            for key, value in self.response.headers.raw
            if key.decode("latin-1").lower() == name
        ]

    def get(self, name: str) -> str | None:
        """Give a field's lines joined; None where there is none."""
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def says(self, name: str) -> str:
        """Give a field's value in lower case, empty where there is none: to look for a word in it."""
        return (self.get(name) or "").lower()

    def listed(self, name: str) -> list[str]:
        """Give the elements of a list-valued field as they are written."""
        return [part.strip() for line in self.lines(name) for part in line.split(",") if part.strip()]

    @property
    def allowed_origin(self) -> str | None:
        """The value of Access-Control-Allow-Origin."""
        return self.get(ALLOW_ORIGIN)

    @property
    def varies_by_origin(self) -> bool:
        """Whether a cache is told that the answer depends on Origin."""
        names = {name.lower() for name in self.listed("vary")}
        return not names.isdisjoint({"origin", "*"})

    @property
    def has_cors(self) -> bool:
        """Whether any field of the CORS protocol is there."""
        return any(key.lower().startswith(b"access-control-") for key, _ in self.response.headers.raw)

    @property
    def text(self) -> str:
        """The beginning of the body; empty where it was not read."""
        try:
            return self.response.text
        except httpx.ResponseNotRead:
            return ""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What one engine did.

    Args:
        engine: "chromium", "firefox" or "webkit".
        error: Why CORS blocks it; None where it doesn't.
        problem: What else keeps the script from what it wants, by one of the names above; empty where nothing does.
        exchanges: What went over the wire.
        visible: The response headers that the script may read, in lower case.
        stored: The names of the cookies that are kept.
    """

    engine: str
    exchanges: tuple[Exchange, ...]
    error: CORSError | None = None
    problem: str = ""
    visible: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()

    @property
    def code(self) -> str:
        """Why the script doesn't get what it wants; empty where it does."""
        return self.error.code if self.error else self.problem

    @property
    def console(self) -> str:
        """What the browser's console says; empty where that isn't known."""
        return "" if self.error is None else str(getattr(self.error, self.engine))

    @property
    def step(self) -> str:
        """Where it stopped: "preflight", "request" or "redirect 1", "handshake"; empty where it didn't."""
        if not self.code:
            return ""
        last = self.exchanges[-1].kind if self.exchanges else "main"
        redirects = sum(exchange.kind == "main" for exchange in self.exchanges) - (last == "main")
        after = f" after redirect {redirects}" if redirects > 0 else ""
        return {"main": "request", "websocket": "handshake"}.get(last, last) + after

    def hidden(self, names: tuple[str, ...]) -> list[str]:
        """Name those that the script can't read."""
        return [name for name in names if name not in self.visible]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known when the doctor thinks.

    Args:
        question: What was asked.
        visits: What each engine did.
        probes: Answers to the same URL asked otherwise, by the probe's name.
        spaces: The address spaces of page and URL: "public", "local", "loopback", or "unknown".
    """

    question: Question
    visits: tuple[Visit, ...]
    probes: Mapping[str, Answer] = field(default_factory=dict[str, Answer])
    spaces: tuple[str, str] = ("unknown", "unknown")

    @property
    def error(self) -> CORSError | None:
        """Why the first engine that blocks does so."""
        return next((visit.error for visit in self.visits if visit.error), None)

    @property
    def is_allowed(self) -> bool:
        """Whether the script gets what it wants in every browser."""
        return not any(visit.code for visit in self.visits)

    @property
    def code(self) -> str:
        """The cause in Chromium's words, without the mark of the preflight; empty where CORS blocks nothing."""
        return self.error.code.removeprefix("Preflight") if self.error else ""

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What went over the wire for the first engine that blocks, or for the first."""
        return next((visit.exchanges for visit in self.visits if visit.error), self.visits[0].exchanges)

    @property
    def failed(self) -> Answer | None:
        """The answer that blocks."""
        return None if self.error is None or self.error.exchange is None else _answer(self.error.exchange)

    @property
    def is_preflight(self) -> bool:
        """Whether it is a preflight that blocks."""
        return self.error is not None and self.error.exchange is not None and self.error.exchange.kind == "preflight"

    @property
    def is_redirected(self) -> bool:
        """Whether a redirect was followed before."""
        return len({str(exchange.request.url) for exchange in self.exchanges}) > 1

    @property
    def preflight(self) -> Answer | None:
        """The answer to the first preflight."""
        return next((_answer(exchange) for exchange in self.exchanges if exchange.kind == "preflight"), None)

    @property
    def mains(self) -> tuple[Answer, ...]:
        """The answers to the request itself, redirects first."""
        answers = (_answer(exchange) for exchange in self.exchanges if exchange.kind == "main")
        return tuple(answer for answer in answers if answer is not None)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer, in order."""
        answers = (_answer(exchange) for exchange in self.exchanges)
        return tuple(answer for answer in answers if answer is not None)

    def grants(self, name: str) -> bool:
        """Tell whether a probe's own origin may read the answer."""
        answer = self.probes.get(name)
        return answer is not None and answer.allowed_origin == answer.request.headers.get("origin")


def _answer(exchange: Exchange) -> Answer | None:
    return None if exchange.response is None else Answer(exchange.request, exchange.response)
