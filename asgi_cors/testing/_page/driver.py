"""The commands that a driver executes: send, drain, read.

- send: pass the exchange's request to the transport, and set the response with its body unread.
- drain: read the part of a body that comes at once, and close it. The page does not get this body.
- read: read the body that the script gets, and close it.
A driver throws the transport's errors into the generator. The generator returns the outcome, or raises a FetchError.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import httpx

from asgi_cors.testing._errors.errors import FetchError, FetchTimeout, NetworkError
from asgi_cors.testing._exchange import Exchange
from asgi_cors.testing._fetch.network import Steps
from asgi_cors.testing._fetch.state import Outcome

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ConnectionError)
OPAQUE = frozenset({"opaque", "opaqueredirect"})
SOCKET_LIMIT = 2_000_000
"""The upper bound of a socket's timeout in seconds: it counts milliseconds in 31 bits."""


@dataclass(frozen=True)
class Command:
    """The next action, and its exchange."""

    action: Literal["send", "drain", "read"]
    exchange: Exchange


Commands = Generator[Command, None, Outcome]


def commands(steps: Steps[Outcome], timeout: float, *, stream: bool) -> Commands:
    """Turn the steps of a fetch into commands. With `stream`, the caller reads the last body."""
    outcome = yield from _execute(steps, timeout)
    if outcome.kind in OPAQUE:
        yield Command("drain", outcome.exchange)
    elif not stream:
        yield from _read(outcome.exchange)
    return outcome


def _execute(steps: Steps[Outcome], timeout: float) -> Commands:
    exchange = next(steps)
    while True:
        yield from _send(exchange, steps, timeout)
        try:
            following = steps.send(response_of(exchange))
        except FetchError as error:
            yield Command("drain", exchange)
            _note_exception(error, exchange)
            raise
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
        yield Command("drain", exchange)
        exchange = following


def _send(exchange: Exchange, steps: Steps[Outcome], timeout: float) -> Generator[Command, None, None]:
    attach_options(exchange, timeout)
    try:
        yield Command("send", exchange)
    except TRANSPORT_ERRORS as error:
        # The steps clear the preflight cache and raise it again.
        steps.throw(transport_error(error, exchange))
    response_of(exchange).request = exchange.request


def _read(exchange: Exchange) -> Generator[Command, None, None]:
    try:
        yield Command("read", exchange)
    except TRANSPORT_ERRORS as error:
        raise transport_error(error, exchange) from error


def attach_options(exchange: Exchange, timeout: float) -> None:
    """Attach the exchange and httpx's own timeouts (seconds) to the request, for the transport."""
    phases = ("connect", "read", "write", "pool")
    seconds = timeout if timeout < SOCKET_LIMIT else None
    exchange.request.extensions = {"exchange": exchange, "timeout": dict.fromkeys(phases, seconds)}


def response_of(exchange: Exchange) -> httpx.Response:
    """Return the response of an exchange that was sent."""
    assert exchange.response is not None, "the driver sets it"  # noqa: S101
    return exchange.response


def with_body(exchange: Exchange, response: httpx.Response, body: bytes) -> httpx.Response:
    """Return a copy of the response with this body, which stays unread if it cannot be decoded."""
    copy = httpx.Response(
        response.status_code,
        headers=response.headers.raw,
        stream=httpx.ByteStream(body),
        request=exchange.request,
        extensions=response.extensions,
    )
    with contextlib.suppress(httpx.DecodingError):
        copy.read()
    return copy


def transport_error(error: Exception, exchange: Exchange) -> FetchError:
    """Return the FetchError for an error of the transport."""
    exchange.problem = f"{type(error).__name__}: {error}"
    kind = FetchTimeout if isinstance(error, httpx.TimeoutException) else NetworkError
    failure = kind(f"{exchange.request.method} {exchange.request.url} failed: {exchange.problem}", exchange)
    failure.__cause__ = error
    _note_exception(failure, exchange)
    return failure


def _note_exception(error: FetchError, exchange: Exchange) -> None:
    """Add the application's exception. A response without CORS headers may be the 500 for it."""
    if exchange.exception is not None:
        error.add_note(f"  the application raised {exchange.exception!r:.500}")


@contextlib.contextmanager
def as_fetch_errors(exchange: Exchange, timeout: float) -> Generator[None]:
    """Raise the errors of the transport, and a timeout (seconds), as FetchErrors."""
    try:
        yield
    except TimeoutError as error:
        raise timeout_error(timeout, exchange) from error
    except TRANSPORT_ERRORS as error:
        raise transport_error(error, exchange) from error


def timeout_error(seconds: float, exchange: Exchange | None) -> FetchTimeout:
    """Return the error for a fetch that took too long. `exchange` is the last one, or None if nothing was sent."""
    if exchange is None:
        return FetchTimeout(
            f"nothing was sent within {seconds} s: the application blocks its event loop."
            " Await the blocking call, or run it in a thread.",
            None,
        )
    exchange.problem = f"nothing more came within {seconds} s"
    request = exchange.request
    stream = ", or stream=True" if exchange.kind == "main" else ""  # an option of fetch() only
    message = f"{request.method} {request.url}: {exchange.problem}. Write a larger timeout={stream}."
    return FetchTimeout(message, exchange)
