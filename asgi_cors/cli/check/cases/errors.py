"""Errors of the server, which a script must be able to read. Most of them are caused by unusual requests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, REQUIRED, Case, case
from asgi_cors.cli.check.expectation import OTHER_SITE
from asgi_cors.cli.doctor.recorder import Recorder

from .blocks import REQUEST_CASES

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session, Step

ERROR: Final = 400
SERVER_ERROR: Final = 500
_WRITE: Final = "Make the CORS middleware the outermost one, so that it adds its headers to errors, too."
_NAME: Final = f"asgi-cors-check-{secrets.token_hex(4)}"
_STACK_TRACES: Final = (
    "Traceback (most recent call last)",
    "\n    at ",
    "<br> &nbsp; &nbsp;at ",
    "&nbsp;at ",
    "Stack trace:",
)


def missing_url(url: str) -> str:
    """Return a URL below the declared one that no server has."""
    base = httpx.URL(url)
    return str(base.copy_with(path=f"{base.path.rstrip('/')}/{_NAME}", query=None))


def _readable(step: Step) -> Iterator[str]:
    """Yield a problem if a script cannot read an error response."""
    if not step.is_allowed:
        yield f"The status is {step.response.status}. {step.verdict}"


def _script(name: str, title: str, headers: tuple[tuple[str, str], ...] = (), query: bytes = b"") -> Case:
    """Return the case of an unusual GET that needs no preflight.

    It is advice, as is that of the 404 and the 405: such a request is not declared, and a server may respond to it
    before any configured header is added. nginx does so to a Range, `always` or not.
    """

    @case(name, ADVICE, clauses.CORS_CHECK, title, _WRITE, REQUEST_CASES)
    def check(session: Session) -> Iterator[str]:
        url = httpx.URL(session.expectation.http_url)
        url = url.copy_with(query=url.query + (b"&" if url.query else b"") + query) if query else url
        yield from _readable(session.fetch(session.expectation.origins[0], headers=headers, url=str(url)))

    return check


@case(
    "error-declared",
    REQUIRED,
    clauses.CORS_CHECK,
    "An allowed origin can read the error of --error.",
    _WRITE,
    REQUEST_CASES,
)
def declared(session: Session) -> Iterator[str]:
    """Check the URL of an error."""
    url = session.expectation.error_url
    if not url:
        session.skip("no URL of an error is declared with --error.")
    step = session.fetch(session.expectation.origins[0], url=url)
    if step.response.status < ERROR:
        session.skip(f"{url} has the status {step.response.status}, which is not an error.")
    yield from _readable(step)


@case(
    "error-not-found",
    ADVICE,
    clauses.CORS_CHECK,
    "An allowed origin can read the 404 of an unknown path below the URL.",
    _WRITE,
    REQUEST_CASES,
)
def not_found(session: Session) -> Iterator[str]:
    """Check a path that does not exist."""
    step = session.fetch(session.expectation.origins[0], url=missing_url(session.expectation.http_url))
    yield from _readable(step)


@case(
    "error-method",
    ADVICE,
    clauses.CORS_CHECK,
    "An allowed origin can read the 405 of a method that the URL does not have.",
    _WRITE,
    REQUEST_CASES,
)
def method(session: Session) -> Iterator[str]:
    """Check PROPFIND, a safe method that few servers have. Its preflight is left out."""
    origin = session.expectation.origins[0]
    recorder = Recorder(session.guard)

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method != "OPTIONS":
            return recorder.handle_request(request)
        mode = {"access-control-allow-credentials": "true"} if session.expectation.credentials else {}
        allowed = {"access-control-allow-methods": "PROPFIND", "access-control-allow-headers": "depth"}
        return httpx.Response(204, headers={"access-control-allow-origin": origin, **mode, **allowed})

    step = session.run_script(
        origin, "PROPFIND", (("depth", "0"),), httpx.MockTransport(respond), credentials=session.expectation.credentials
    )
    session.steps.append(step)
    yield from _readable(step)


@case(
    "refused-status",
    ADVICE,
    clauses.SERVER_ERROR,
    "A refused origin is not an error of the server.",
    "Leave the status unchanged, or respond with 403. In Express: callback(null, false), not callback(new Error(…)).",
)
def refused_status(session: Session) -> Iterator[str]:
    """Check the status for a refused origin."""
    _skip_if_open(session)
    step = session.fetch(OTHER_SITE)
    without = session.send("GET")
    if step.response.status >= SERVER_ERROR > without.status:
        yield f"A GET from {OTHER_SITE} gets {step.response.status}, without Origin {without.status}."


@case(
    "refused-body",
    ADVICE,
    clauses.DISCLOSURE,
    "The error for a refused origin has no stack trace and no allowed origin.",
    "Send a short text. Turn the framework's debug mode off.",
)
def refused_body(session: Session) -> Iterator[str]:
    """Search the error for internals."""
    _skip_if_open(session)
    response = session.fetch(OTHER_SITE).response
    if response.is_ok:
        session.skip(f"a refused origin gets the status {response.status}, which is not an error.")
    response = session.send("GET", ("origin", OTHER_SITE))
    for text in _STACK_TRACES:
        if text in response.text:
            yield f"The body of the {response.status} has a stack trace."
            return
    for origin in session.expectation.origins:
        if origin in response.text:
            yield f"The body of the {response.status} names {origin}."
            return


def _skip_if_open(session: Session) -> None:
    if session.expectation.allows_every_origin:
        session.skip("every origin is declared.")


CASES: Final = (
    declared,
    not_found,
    method,
    _script(
        "error-range",
        "An allowed origin can read the response to a Range that the server cannot satisfy.",
        (("range", "bytes=99999999999-"),),
    ),
    _script(
        "error-accept",
        "An allowed origin can read the response to an Accept that the server does not have.",
        (("accept", "application/x-asgi-cors-check"),),
    ),
    _script(
        "error-query", "An allowed origin can read the response to a malformed query.", query=b"asgi-cors-check=%ff%"
    ),
    refused_status,
    refused_body,
)
