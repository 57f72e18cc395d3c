"""The evidence of the doctor: the responses, the result of each engine, and the probes with other origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

from .bodies import text_of
from .failures import CODES
from .unsent import REASONS

if TYPE_CHECKING:
    from asgi_cors.testing import CORSError, Exchange

    from .failures import Check, Failure
    from .question import Question

ALLOW_ORIGIN: Final = "access-control-allow-origin"
ALLOW_CREDENTIALS: Final = "access-control-allow-credentials"
ALLOW_METHODS: Final = "access-control-allow-methods"
ALLOW_HEADERS: Final = "access-control-allow-headers"
EXPOSE_HEADERS: Final = "access-control-expose-headers"
MAX_AGE: Final = "access-control-max-age"
# Problems other than CORS errors, besides those of `unsent`.
HANDSHAKE_REFUSED: Final = "HandshakeRefused"
HEADER_NOT_EXPOSED: Final = "HeaderNotExposed"
RESPONSE_CUT_OFF: Final = "ResponseCutOff"
_REDIRECTS: Final = {301, 302, 303, 307, 308}
ENGINES: Final = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "Safari"}
KINDS: Final = {"main": "request", "websocket": "handshake"}


@dataclass(frozen=True)
class ServerResponse:
    """A response with its request. Headers are parsed as browsers parse them."""

    request: httpx.Request
    raw: httpx.Response

    @property
    def status(self) -> int:
        """The status code."""
        return self.raw.status_code

    @property
    def is_ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - Fetch, ok status

    def values(self, name: str) -> list[str]:
        """Return the values of a header, one for each line."""
        return [
            value.decode("latin-1").strip(" \t")
            for key, value in self.raw.headers.raw
            if key.decode("latin-1").lower() == name
        ]

    def get(self, name: str) -> str | None:
        """Return the lines of a header, joined with commas, or None if it is missing."""
        values = self.values(name)
        return ", ".join(values) if values else None

    def lower(self, name: str) -> str:
        """Return the value of a header in lower case, or "" if it is missing."""
        return (self.get(name) or "").lower()

    def elements(self, name: str) -> list[str]:
        """Return the elements of a header that holds a list."""
        return [part.strip() for value in self.values(name) for part in value.split(",") if part.strip()]

    @property
    def allowed_origin(self) -> str | None:
        """The value of Access-Control-Allow-Origin."""
        return self.get(ALLOW_ORIGIN)

    @property
    def varies_by_origin(self) -> bool:
        """Whether Vary says that the response depends on Origin."""
        names = {name.lower() for name in self.elements("vary")}
        return not names.isdisjoint({"origin", "*"})

    @property
    def has_cors(self) -> bool:
        """Whether the response has a header of the CORS protocol."""
        return any(key.lower().startswith(b"access-control-") for key, _ in self.raw.headers.raw)

    @property
    def redirect_target(self) -> httpx.URL | None:
        """The URL that the response redirects to, or None if it does not redirect or the URL is invalid."""
        location = self.get("location")
        if location is None or self.status not in _REDIRECTS:
            return None
        try:
            return self.request.url.join(location)
        except httpx.InvalidURL:
            return None

    @property
    def text(self) -> str:
        """The beginning of the body, or "" if it was not read."""
        return text_of(self.raw)


@dataclass(frozen=True, kw_only=True)
class EngineResult:
    """The result of the request in one engine.

    Args:
        engine: "chromium", "firefox" or "webkit".
        exchanges: The requests that the engine sent, with their responses.
        error: The CORS error, or None.
        problem: Another problem, by one of the names above or of `unsent`, or "".
        failure: The reason why there is no usable response, or None.
        needs_https: Whether the engine sends the request only if the URL has https. The result then is that of a
            server that is deployed over https.
        visible: The response headers that the script may read, in lower case.
        stored: The names of the cookies that the engine stored.
    """

    engine: str
    exchanges: tuple[Exchange, ...]
    error: CORSError | None = None
    problem: str = ""
    failure: Failure | None = None
    needs_https: bool = False
    visible: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()

    @property
    def code(self) -> str:
        """The code of the CORS error, failure or problem, or ""."""
        if self.failure:
            return CODES[self.failure.kind]
        return self.error.code if self.error else self.problem

    @property
    def is_unsent(self) -> bool:
        """Whether the engine does not send the last of its exchanges."""
        return self.problem in REASONS

    @property
    def console(self) -> str:
        """The message in the browser's console, or "" if it is not known."""
        return "" if self.error is None else str(getattr(self.error, self.engine))

    @property
    def step(self) -> str:
        """The step that failed, or "": "preflight", "request" or "handshake", with the number of redirects before."""
        if not self.code:
            return ""
        last = self.exchanges[-1].kind if self.exchanges else "main"
        earlier = (exchange.response for exchange in self.exchanges[:-1] if exchange.kind == "main")
        redirects = sum(response is not None and response.is_redirect for response in earlier)
        after = f" after redirect {redirects}" if redirects > 0 else ""
        return KINDS.get(last, last) + after

    def hidden(self, names: tuple[str, ...]) -> list[str]:
        """Return the names of response headers that the script cannot read."""
        return [name for name in names if name not in self.visible]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All facts on which the rules decide.

    Args:
        question: The request.
        results: The result of each engine.
        probes: The responses to probes, by the name of the probe.
        address_spaces: Those of the page and of the URL: "public", "local", "loopback" or "unknown".
        failure_cause: The name of the finding for a missing or unusable response, or "".
        checks: The further requests that confirm it.
    """

    question: Question
    results: tuple[EngineResult, ...]
    probes: Mapping[str, ServerResponse] = field(default_factory=dict[str, ServerResponse])
    address_spaces: tuple[str, str] = ("unknown", "unknown")
    failure_cause: str = ""
    checks: tuple[Check, ...] = ()

    @property
    def error(self) -> CORSError | None:
        """The CORS error of the first engine that blocks, or None."""
        return next((result.error for result in self.results if result.error), None)

    @property
    def failure(self) -> Failure | None:
        """The reason why the first engine gets no usable response, or None."""
        return next((result.failure for result in self.results if result.failure), None)

    @property
    def is_allowed(self) -> bool:
        """Whether the script succeeds in every browser."""
        return not any(result.code for result in self.results)

    @property
    def code(self) -> str:
        """The code of `error` without the prefix "Preflight", or ""."""
        return self.error.code.removeprefix("Preflight") if self.error else ""

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The exchanges of the first engine that blocks the response or gets none, or else of the first engine."""
        blocking = (result.exchanges for result in self.results if result.error or result.failure)
        return next(blocking, self.results[0].exchanges)

    @property
    def blocked(self) -> ServerResponse | None:
        """The response that the browser blocks, or None."""
        return None if self.error is None or self.error.exchange is None else _response_of(self.error.exchange)

    @property
    def is_preflight(self) -> bool:
        """Whether `blocked` is the response to a preflight."""
        return self.error is not None and self.error.exchange is not None and self.error.exchange.kind == "preflight"

    @property
    def is_redirected(self) -> bool:
        """Whether the engine followed a redirect."""
        return len({str(exchange.request.url) for exchange in self.exchanges}) > 1

    @property
    def preflight(self) -> ServerResponse | None:
        """The response to the first preflight, or None."""
        return next((_response_of(exchange) for exchange in self.exchanges if exchange.kind == "preflight"), None)

    @property
    def main_responses(self) -> tuple[ServerResponse, ...]:
        """The responses to the request itself, redirects first."""
        return tuple(self._responses("main"))

    @property
    def responses(self) -> tuple[ServerResponse, ...]:
        """All responses, in order."""
        return tuple(self._responses())

    def _responses(self, kind: str = "") -> Iterator[ServerResponse]:
        for exchange in self.exchanges:
            response = _response_of(exchange)
            if response is not None and kind in {"", exchange.kind}:
                yield response

    def checked(self, name: str) -> ServerResponse | None:
        """Return the response to a further request, or None."""
        check = next((check for check in self.checks if check.name == name), None)
        return ServerResponse(check.request, check.response) if check and check.response else None

    def allows_probe(self, name: str) -> bool:
        """Return whether the response to a probe allows the probe's origin."""
        response = self.probes.get(name)
        return response is not None and response.allowed_origin == response.request.headers.get("origin")


def _response_of(exchange: Exchange) -> ServerResponse | None:
    return None if exchange.response is None else ServerResponse(exchange.request, exchange.response)
