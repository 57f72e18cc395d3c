"""From the steps of a fetch to the three things that a driver does: send, drain, read.

- send: pass the exchange's request to the transport and set the response, its body unread.
- drain: read the body of a response that the page does not get, as far as it comes at once, and close it.
- read: read the body that the script gets, and close it.
A driver throws the transport's errors in; what comes out is an error of this module, or the outcome.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import httpx

from asgi_cors.testing._errors.errors import FetchError, FetchTimeout, NetworkError
from asgi_cors.testing._exchange import Exchange
from asgi_cors.testing._fetch.fetch import Steps
from asgi_cors.testing._fetch.state import Outcome

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ConnectionError)
OPAQUE = frozenset({"opaque", "opaqueredirect"})
SOCKET_LIMIT = 2_000_000
"""Seconds that a socket's timeout must stay below: it counts milliseconds in 31 bits. The page has its own."""


@dataclass(frozen=True)
class Command:
    """What to do next, and with which exchange."""

    action: Literal["send", "drain", "read"]
    exchange: Exchange


Commands = Generator[Command, None, Outcome]


def commands(steps: Steps[Outcome], timeout: float, *, stream: bool) -> Commands:
    """Turn the steps into commands; with `stream` the last body is left to the caller."""
    outcome = yield from _carry_out(steps, timeout)
    if outcome.kind in OPAQUE:
        yield Command("drain", outcome.exchange)
    elif not stream:
        yield from _read(outcome.exchange)
    return outcome


def _carry_out(steps: Steps[Outcome], timeout: float) -> Commands:
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
    prepare(exchange, timeout)
    try:
        yield Command("send", exchange)
    except TRANSPORT_ERRORS as error:
        # The steps clear the preflight cache and let it through.
        steps.throw(transport_error(error, exchange))
    response_of(exchange).request = exchange.request


def _read(exchange: Exchange) -> Generator[Command, None, None]:
    try:
        yield Command("read", exchange)
    except TRANSPORT_ERRORS as error:
        raise transport_error(error, exchange) from error


def prepare(exchange: Exchange, timeout: float) -> None:
    """Give the transport what it needs beside the request: the exchange, and httpx's own timeouts (seconds)."""
    kinds = ("connect", "read", "write", "pool")
    of_socket = timeout if timeout < SOCKET_LIMIT else None
    exchange.request.extensions = {"exchange": exchange, "timeout": dict.fromkeys(kinds, of_socket)}


def response_of(exchange: Exchange) -> httpx.Response:
    """Return the response of an exchange that was sent."""
    assert exchange.response is not None, "the driver sets it"  # noqa: S101
    return exchange.response


def recorded(exchange: Exchange, response: httpx.Response, body: bytes) -> httpx.Response:
    """Return the exchange's response with the body that came; one that cannot be decoded stays unread."""
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
    """Return the transport's error as one of this module's."""
    exchange.problem = f"{type(error).__name__}: {error}"
    kind = FetchTimeout if isinstance(error, httpx.TimeoutException) else NetworkError
    failure = kind(f"{exchange.request.method} {exchange.request.url} failed: {exchange.problem}", exchange)
    failure.__cause__ = error
    _note_exception(failure, exchange)
    return failure


def _note_exception(error: FetchError, exchange: Exchange) -> None:
    """Tell what the application raised: a response that lacks the headers may be the server's 500 for it."""
    if exchange.exception is not None:
        error.add_note(f"  the application raised {exchange.exception!r:.500}")


def timeout_error(seconds: float, exchange: Exchange | None) -> FetchTimeout:
    """Return the error for a fetch that took too long. `exchange` is the last one, None if nothing was sent."""
    if exchange is None:
        return FetchTimeout(
            f"nothing was sent within {seconds} s: the application blocks its event loop."
            " Await the blocking call, or run it in a thread.",
            None,
        )
    exchange.problem = f"nothing more came within {seconds} s"
    request = exchange.request
    message = f"{request.method} {request.url}: {exchange.problem}. Write a larger timeout=, or stream=True."
    return FetchTimeout(message, exchange)
