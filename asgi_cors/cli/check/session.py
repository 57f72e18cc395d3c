"""Send the requests of cases: scripts in three browsers, requests that no script makes, and WebSocket handshakes.

Identical requests are sent once, and their responses are replayed to every case that needs them.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import httpx

from asgi_cors.cli.doctor.evidence import ENGINES, EngineResult, ServerResponse
from asgi_cors.cli.doctor.failures import one_line
from asgi_cors.cli.doctor.recorder import NETWORK_ERRORS, Recorder
from asgi_cors.testing import CORSError, Exchange, FetchError, FetchTimeout, NetworkError, Page, RedirectError

from .case import SkipCase
from .guard import Guard, PreflightEditor

if TYPE_CHECKING:
    from .expectation import Expectation, Headers

Value = TypeVar("Value")
REDIRECT_FAILED: Final = "RedirectFailed"
RESPONSE_FAILED: Final = "ResponseFailed"
_COMMON_HEADERS: Final = (("accept", "*/*"), ("user-agent", "asgi-cors check"))


class NoResponseError(Exception):
    """The server did not respond to a request. The message has the request and the reason.

    Args:
        request: The request.
        cause: The network's error.
    """

    def __init__(self, request: httpx.Request, cause: BaseException) -> None:
        """Describe the request."""
        is_late = isinstance(cause, httpx.TimeoutException | FetchTimeout)
        text = "no response in time" if is_late else one_line(cause)
        super().__init__(f"{request.method} {request.url}: {text}.")
        self.origin = request.headers.get("origin")
        self.is_confirmed = False  # whether the request was sent once more, and the server responds to others


@dataclass(frozen=True)
class Step:
    """A request of a case.

    Args:
        label: The request in a few words.
        exchanges: The requests that were sent, with their responses.
        results: The verdict of each engine; empty for a request that no script makes.
        is_preflight_only: Whether the request itself is not sent after its preflight.
    """

    label: str
    exchanges: tuple[Exchange, ...]
    results: tuple[EngineResult, ...] = ()
    is_preflight_only: bool = False

    @property
    def blocked(self) -> EngineResult | None:
        """The result of the first engine that blocks, or None."""
        return next((result for result in self.results if result.code), None)

    @property
    def is_allowed(self) -> bool:
        """Whether the script succeeds in every browser."""
        return self.blocked is None

    @property
    def is_allowed_anywhere(self) -> bool:
        """Whether the script succeeds in a browser."""
        return any(not result.code for result in self.results)

    @property
    def response(self) -> ServerResponse:
        """The response to the last request that was really sent."""
        kind = "preflight" if self.is_preflight_only else ""
        last = [each for each in self.exchanges if each.response and kind in {"", each.kind}][-1]
        assert last.response is not None  # noqa: S101 - selected above
        return ServerResponse(last.request, last.response)

    @property
    def verdict(self) -> str:
        """The browsers that block or allow the script, in a sentence."""
        blocking = [ENGINES[result.engine] for result in self.results if result.code]
        if self.blocked is None:
            return f"{self.label}: {_join(list(ENGINES.values()))} allow it."
        verb = "blocks" if len(blocking) == 1 else "block"
        return f"{self.label}: {_join(blocking)} {verb} it at the {self.blocked.step}: {self.blocked.code}."


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class Session:
    """Send the requests of all cases.

    Args:
        expectation: The declared expectation.
        transport: The transport that sends the requests. The caller closes it.
        seconds: The time limit of all requests.
    """

    def __init__(self, expectation: Expectation, transport: httpx.BaseTransport, seconds: float) -> None:
        """Send nothing yet."""
        self.expectation = expectation
        self.guard = Guard(transport, expectation, seconds)
        self.steps: list[Step] = []
        self.fresh_queries = 0
        self._known: dict[Hashable, Step | NoResponseError] = {}
        self._recorders: dict[Hashable, Recorder] = {}

    @staticmethod
    def skip(reason: str) -> NoReturn:
        """Skip the case. Raises SkipCase."""
        raise SkipCase(reason)

    def forget(self) -> None:
        """Remove all recorded responses, so that every request is sent again."""
        self._known.clear()
        self._recorders.clear()

    def ping(self) -> None:
        """Send a GET, whether one was sent before or not.

        Raises:
            NoResponseError: The server did not respond.
        """
        timeout = {"timeout": self._timeout()}
        self._respond(httpx.Request("GET", self.expectation.http_url, headers=_COMMON_HEADERS, extensions=timeout))

    def fetch(  # noqa: PLR0913 - the parts of a script's request
        self,
        origin: str,
        method: str = "GET",
        headers: Headers = (),
        *,
        credentials: bool | None = None,
        url: str = "",
        preflight_only: bool = False,
        lines: tuple[bytes, ...] | None = None,
        standard: bool = False,
    ) -> Step:
        """Send the request of a script, as each browser does.

        Args:
            origin: The page's origin.
            method: The method.
            headers: The headers that the script sets.
            credentials: Whether the script sets `credentials: "include"`. Default: as declared.
            url: The URL. Default: the declared one.
            preflight_only: Whether to send the preflight only.
            lines: The lines of Access-Control-Request-Headers, in place of the browser's.
            standard: Whether to decide by the Fetch standard instead of the browsers.

        Raises:
            NoResponseError: The server did not respond.
        """
        mode = self.expectation.credentials if credentials is None else credentials
        request = (origin, method, headers, url, preflight_only, lines)

        def send() -> Step:
            recorder = self._recorders.setdefault(request, Recorder(self.guard, preflight_only=preflight_only))
            transport = recorder if lines is None else PreflightEditor(recorder, lines)
            return self.run_script(
                origin, method, headers, transport, credentials=mode, url=url, is_preflight_only=preflight_only,
                engines=("standard",) if standard else tuple(ENGINES),
            )  # fmt: skip

        return self._step((*request, mode, standard), send)

    def run_script(  # noqa: PLR0913 - the parts of a script's request
        self,
        origin: str,
        method: str,
        headers: Headers,
        transport: httpx.BaseTransport,
        *,
        credentials: bool,
        url: str = "",
        is_preflight_only: bool = False,
        engines: Sequence[str] = tuple(ENGINES),
    ) -> Step:
        """Send the request of a script by a transport."""
        results = [
            self._run_engine(engine, origin, method, headers, transport, credentials=credentials, url=url)
            for engine in engines
        ]
        label = f"{'preflight of ' if is_preflight_only else ''}{method} from {origin}"
        blocked = next((result for result in results if result.code), results[0])
        return Step(label, blocked.exchanges, tuple(results), is_preflight_only)

    def _run_engine(  # noqa: PLR0913 - the parts of a script's request
        self,
        engine: str,
        origin: str,
        method: str,
        headers: Headers,
        transport: httpx.BaseTransport,
        *,
        credentials: bool,
        url: str,
    ) -> EngineResult:
        """Send the request of a script as one engine does."""
        page = Page(origin, transport=transport, engine=engine, timeout=self.expectation.timeout)
        result = EngineResult(engine=engine, exchanges=())
        with page:
            try:
                response = page.fetch(
                    url or self.expectation.http_url,
                    method=method,
                    headers=list(headers),
                    credentials="include" if credentials else "omit",
                    stream=True,
                )
            except CORSError as error:
                return replace(result, exchanges=tuple(page.exchanges), error=error)
            except FetchError as error:
                _raise_if_unanswered(error)
                problem = REDIRECT_FAILED if isinstance(error, RedirectError) else RESPONSE_FAILED
                return replace(result, exchanges=tuple(page.exchanges), problem=problem)
        visible = frozenset(name.lower() for name in response.headers)
        return replace(result, exchanges=tuple(page.exchanges), visible=visible)

    def passes(self, origin: str, *, credentials: bool | None = None) -> bool:
        """Return whether a page of an origin that is not declared can read the response in a browser.

        A server that closes the connection refuses the origin.
        """
        try:
            return self.fetch(origin, credentials=credentials).is_allowed_anywhere
        except NoResponseError as error:
            if not error.is_confirmed:
                raise
            return False

    def send(self, method: str, *headers: tuple[str, str | bytes], url: str = "") -> ServerResponse:
        """Send a request that no script makes.

        Raises:
            NoResponseError: The server did not respond.
        """
        target = url or self.expectation.http_url

        def send() -> Step:
            raw = [(name.encode(), _as_bytes(value)) for name, value in (*_COMMON_HEADERS, *headers)]
            request = httpx.Request(method, target, headers=raw, extensions={"timeout": self._timeout()})
            exchange = Exchange(kind="main", request=request)
            exchange.response = self._respond(request)
            origins = [_as_text(value) for name, value in headers if name == "origin"]
            return Step(f"{method} {f'with Origin {origins}' if origins else 'without Origin'}", (exchange,))

        return self._step((method, headers, target), send).response

    def handshake(self, origin: str | None) -> ServerResponse:
        """Send the handshake of a WebSocket, and close the connection.

        Raises:
            NoResponseError: The server did not respond.
        """
        key = base64.b64encode(os.urandom(16)).decode("ascii")
        version = (("sec-websocket-version", "13"), ("sec-websocket-key", key))
        headers = (("connection", "Upgrade"), ("upgrade", "websocket"), *version)

        def send() -> Step:
            own = (*headers, ("origin", origin)) if origin is not None else headers
            request = httpx.Request("GET", self.expectation.http_url, headers=[*_COMMON_HEADERS, *own])
            request.extensions = {"timeout": self._timeout()}
            exchange = Exchange(kind="websocket", request=request)
            exchange.response = self._respond(request)
            accepted = exchange.response.status_code == 101  # noqa: PLR2004 - Switching Protocols
            problem = "" if accepted else "HandshakeRefused"
            results = tuple(EngineResult(engine=engine, exchanges=(exchange,), problem=problem) for engine in ENGINES)
            label = f"WebSocket {'without Origin' if origin is None else f'from {origin}'}"
            return Step(label, (exchange,), () if origin is None else results)

        return self._step(("websocket", origin), send).response

    def _step(self, key: Hashable, send: Callable[[], Step]) -> Step:
        """Return the step of a request, which is sent if it is not known."""
        if key not in self._known:
            self._known[key] = self._send_twice(send)
        known = self._known[key]
        if isinstance(known, NoResponseError):
            raise known
        self.steps.append(known)
        return known

    def _send_twice(self, send: Callable[[], Step]) -> Step | NoResponseError:
        """Send a request, and once more if the server does not respond to it, but to others."""
        try:
            return send()
        except NoResponseError:
            self.ping()
            self._recorders.clear()
        try:
            return send()
        except NoResponseError as error:
            self.ping()
            error.is_confirmed = True
            return error

    def _timeout(self) -> dict[str, float]:
        return dict.fromkeys(("connect", "read", "write", "pool"), self.expectation.timeout)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        try:
            response = Recorder(self.guard).handle_request(request)
            response.read()
        except NETWORK_ERRORS as error:
            raise NoResponseError(request, error) from error
        return response


def _raise_if_unanswered(error: FetchError) -> None:
    """Raise NoResponseError if the server is the reason, and not a rule of the browser."""
    cause = error.__cause__
    if error.exchange is None or isinstance(error, RedirectError):
        return
    if isinstance(error, FetchTimeout) or (isinstance(error, NetworkError) and isinstance(cause, NETWORK_ERRORS)):
        raise NoResponseError(error.exchange.request, cause or error) from error


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


def _as_text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
