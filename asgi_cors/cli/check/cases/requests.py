"""The request itself, from each allowed origin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, REQUIRED, Case, case
from asgi_cors.cli.check.expectation import OTHER_SITE
from asgi_cors.cli.check.guard import SAFE_METHODS
from asgi_cors.cli.check.session import NoResponseError
from asgi_cors.cli.doctor.evidence import ALLOW_ORIGIN

from .blocks import PREFLIGHT_CASES, REQUEST_CASES, report_blocks

if TYPE_CHECKING:
    from asgi_cors.cli.check.clauses import Clause
    from asgi_cors.cli.check.session import Session, Step

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]", "::1")
_ERROR: Final = 400


def get_as_declared(session: Session) -> Iterator[Step]:
    """Send a GET as each allowed origin."""
    for origin in session.expectation.origins:
        yield session.fetch(origin)


def _cause(name: str, clause: Clause, title: str, write: str) -> Case:
    """Return the case that reports one cause of a block of the declared GET."""
    return Case(name, REQUIRED, clause, title, write, partial(_report_cause, name))


def _report_cause(name: str, session: Session) -> Iterator[str]:
    return report_blocks(name, get_as_declared(session), session, "request-accepted")


@case(
    "request-head",
    REQUIRED,
    clauses.METHODS,
    "An allowed origin can read the response to HEAD.",
    "Send the CORS headers on HEAD as on GET.",
    REQUEST_CASES,
)
def head(session: Session) -> Iterator[str]:
    """Check HEAD, which needs no preflight. A server may lack the method, unless it is declared."""
    for origin in session.expectation.origins:
        try:
            step = session.fetch(origin, "HEAD")
        except NoResponseError as error:
            if "HEAD" in session.expectation.methods or not error.is_confirmed:
                raise
            session.skip("HEAD is not declared, and gets no response.")
        if step.is_allowed:
            continue
        if "HEAD" not in session.expectation.methods and step.response.status >= _ERROR:
            session.skip(f"HEAD is not declared, and gets {step.response.status}.")
        yield step.verdict


@case(
    "request-repeated",
    REQUIRED,
    clauses.CORS_CHECK,
    "The server decides by the request alone, not by the requests before it.",
    "Read the options and the origin anew for each request. Store neither in a variable that requests share.",
    REQUEST_CASES,
)
def repeated(session: Session) -> Iterator[str]:
    """Check an allowed origin again after requests of other origins."""
    declared = session.expectation.origins
    for origin in (OTHER_SITE, *reversed(declared), "null", declared[0]):
        session.forget()
        if origin not in declared:
            session.passes(origin)
        elif not (step := session.fetch(origin)).is_allowed:
            yield f"After requests of other origins, {step.verdict}"
            return


@case(
    "request-unsafe",
    REQUIRED,
    clauses.CORS_CHECK,
    "An allowed origin can read the response to each declared method.",
    "Send the CORS headers on the response to every method, errors included.",
    (*REQUEST_CASES, *PREFLIGHT_CASES),
)
def unsafe(session: Session) -> Iterator[str]:
    """Check the declared methods that change something."""
    methods = [method for method in session.expectation.methods if method not in SAFE_METHODS]
    if not methods:
        session.skip("no method is declared besides safe ones.")
    if not session.expectation.send_unsafe:
        session.skip(f"{', '.join(methods)} is not sent without --send-unsafe.")
    for origin in session.expectation.origins:
        for method in methods:
            step = session.fetch(origin, method, session.expectation.script_headers)
            if not step.is_allowed:
                yield step.verdict


@case(
    "request-exposed",
    REQUIRED,
    clauses.EXPOSED,
    "A script can read the response headers of --expose.",
    "List the names in Access-Control-Expose-Headers. With credentials, * is not a wildcard.",
    REQUEST_CASES,
)
def exposed(session: Session) -> Iterator[str]:
    """Check the response headers that scripts read."""
    expectation = session.expectation
    if not expectation.expose:
        session.skip("no response header is declared with --expose.")
    for step in get_as_declared(session):
        present = [name for name in expectation.expose if step.response.get(name) is not None]
        if not present:
            session.skip(f"the response does not have {', '.join(expectation.expose)}.")
        for name in present:
            if any(name not in result.visible for result in step.results):
                yield f"{step.label}: the script cannot read {name}."


@case(
    "request-refused",
    REQUIRED,
    clauses.CORS_CHECK,
    "No origin of --refuse can read the response.",
    "Send Access-Control-Allow-Origin only to the origins of a list, and compare the whole origin.",
)
def refused(session: Session) -> Iterator[str]:
    """Check the origins that are declared as refused."""
    if not session.expectation.refuse:
        session.skip("no origin is declared with --refuse.")
    for origin in session.expectation.refuse:
        if any(session.passes(origin, credentials=mode) for mode in {session.expectation.credentials, False}):
            yield f"{origin} can read the response."


@case(
    "request-slash",
    ADVICE,
    clauses.REDIRECT,
    "A redirect between the URL with and without a final slash has CORS headers.",
    "Let the CORS middleware add its headers to redirects of the router, too.",
    REQUEST_CASES,
)
def slash(session: Session) -> Iterator[str]:
    """Check the redirect of a router, if there is one."""
    base, mark, query = session.expectation.http_url.partition("?")
    url = (base.removesuffix("/") if base.endswith("/") else f"{base}/") + mark + query
    if url.partition("://")[2].count("/") == 0:
        session.skip("the URL has no path.")
    response = session.send("GET", ("origin", session.expectation.origins[0]), url=url)
    if not response.raw.has_redirect_location:
        session.skip(f"{url} does not redirect.")
    step = session.fetch(session.expectation.origins[0], url=url)
    if not step.is_allowed:
        yield f"{url}: {step.verdict}"


@case(
    "request-no-origin",
    ADVICE,
    clauses.REQUESTS,
    "A request without Origin is not refused: CORS does not concern clients other than browsers.",
    "Don't require Origin. Use authentication to protect the API from other clients.",
    REQUEST_CASES,
)
def no_origin(session: Session) -> Iterator[str]:
    """Compare the status with and without Origin."""
    yield from _compare_status(session, "A request without Origin", ())


@case(
    "request-own-origin",
    ADVICE,
    clauses.REQUESTS,
    "A request of the API's own pages is not refused. Browsers send Origin with their POST and PUT.",
    "Allow same-origin requests, or leave the status of refused origins unchanged.",
    REQUEST_CASES,
)
def own_origin(session: Session) -> Iterator[str]:
    """Compare the status with the API's own origin."""
    url = session.expectation.http_url
    own = "/".join(url.split("/", 3)[:3])
    yield from _compare_status(session, f"A request of {own}", (("origin", own),))


def _compare_status(session: Session, subject: str, headers: tuple[tuple[str, str], ...]) -> Iterator[str]:
    allowed = session.fetch(session.expectation.origins[0]).response
    try:
        response = session.send("GET", *headers)
    except NoResponseError as error:
        if not error.is_confirmed:
            raise
        yield f"{subject} gets no response."
        return
    if allowed.status < _ERROR <= response.status:
        yield f"{subject} gets {response.status}, one of an allowed origin {allowed.status}."


@case(
    "request-secure",
    ADVICE,
    clauses.MIXED_CONTENT,
    "The URL is https if a page is.",
    "Serve the API over https in production. A page over https cannot request http.",
)
def secure(session: Session) -> Iterator[str]:
    """Compare the schemes. No request is sent."""
    url = session.expectation.http_url
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    is_local = host.rpartition(":")[0] in _LOOPBACK or host in _LOOPBACK
    pages = [origin for origin in session.expectation.origins if origin.startswith("https:")]
    if url.startswith("http:") and pages and not is_local:
        yield f"{pages[0]} cannot request {url}: browsers block it as mixed content."


_ORIGIN_LINE: Final = f"Send {ALLOW_ORIGIN}: with the request's origin, if the list of allowed origins has it"
CASES: Final[tuple[Case, ...]] = (
    _cause(
        "request-accepted",
        clauses.HTTP_FETCH,
        "Browsers accept the response as HTTP.",
        "Send each of Location and Content-Disposition once, and no status 407.",
    ),
    _cause(
        "request-redirect",
        clauses.REDIRECT,
        "Each redirect, and its target, allows the origin.",
        "Send the CORS headers on redirects, too, or let scripts request the final URL.",
    ),
    _cause(
        "request-origin", clauses.CORS_CHECK, "The response allows the origin.", f"{_ORIGIN_LINE}, on every response."
    ),
    _cause(
        "request-one-origin",
        clauses.SYNTAX,
        "The response has one Access-Control-Allow-Origin with one value.",
        "Let one layer only, the proxy or the app, send the header.",
    ),
    _cause(
        "request-credentials",
        clauses.CREDENTIALS,
        "With credentials, the response names the origin and has Access-Control-Allow-Credentials: true.",
        f"{_ORIGIN_LINE}, never *, and Access-Control-Allow-Credentials: true, once.",
    ),
    head,
    repeated,
    exposed,
    refused,
    slash,
    no_origin,
    own_origin,
    secure,
)
