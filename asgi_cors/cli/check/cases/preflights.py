"""Preflights of the declared methods and headers, and OPTIONS requests that are not preflights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, REQUIRED, Case, case
from asgi_cors.cli.check.expectation import SAFELISTED_METHODS
from asgi_cors.cli.check.guard import REQUEST_HEADERS
from asgi_cors.cli.check.session import NoResponseError
from asgi_cors.cli.doctor.evidence import ALLOW_HEADERS, ALLOW_METHODS, MAX_AGE, ServerResponse

from .blocks import PREFLIGHT_CASES, report_blocks
from .errors import SERVER_ERROR

if TYPE_CHECKING:
    from asgi_cors.cli.check.clauses import Clause
    from asgi_cors.cli.check.expectation import Headers
    from asgi_cors.cli.check.session import Session, Step

_PREFLIGHT_HEADERS: Final = (ALLOW_METHODS, ALLOW_HEADERS, MAX_AGE)


def declared_preflight(session: Session) -> tuple[str, Headers]:
    """Return the first declared method that needs a preflight, with its headers. Skip the case without one."""
    preflights = session.expectation.preflights
    if not preflights:
        session.skip("no --method or --header is declared that needs a preflight.")
    return preflights[0]


def preflight(session: Session, origin: str, lines: tuple[bytes, ...] | None = None) -> Step:
    """Send the first declared preflight."""
    method, headers = declared_preflight(session)
    return session.fetch(origin, method, headers, preflight_only=True, lines=lines)


def preflight_passes(session: Session, origin: str) -> bool:
    """Return whether the first declared preflight of an origin passes in a browser. No response is a refusal."""
    try:
        return preflight(session, origin).is_allowed_anywhere
    except NoResponseError as error:
        if not error.is_confirmed:
            raise
        return False


def preflight_response(session: Session, *headers: tuple[str, str | bytes]) -> ServerResponse:
    """Send the first declared preflight of the first origin with other headers, which no browser sends."""
    method, _ = declared_preflight(session)
    given = {name for name, _ in headers}
    defaults = (("origin", session.expectation.origins[0]), ("access-control-request-method", method))
    return session.send("OPTIONS", *(header for header in defaults if header[0] not in given), *headers)


def _as_declared(session: Session) -> Iterator[Step]:
    """Send the preflight of each declared method as each allowed origin."""
    declared_preflight(session)
    for origin in session.expectation.origins:
        for method, headers in session.expectation.preflights:
            yield session.fetch(origin, method, headers, preflight_only=True)


def _cause(name: str, clause: Clause, title: str, write: str) -> Case:
    """Return the case that reports one cause of a block of the declared preflights."""
    return Case(name, REQUIRED, clause, title, write, partial(_report_cause, name))


def _report_cause(name: str, session: Session) -> Iterator[str]:
    return report_blocks(name, _as_declared(session), session, "preflight-status")


@case(
    "preflight-each-header",
    REQUIRED,
    clauses.PREFLIGHT,
    "Each declared header is also allowed without the others.",
    "Compare each requested name with the list, not the whole of Access-Control-Request-Headers.",
    PREFLIGHT_CASES,
)
def each_header(session: Session) -> Iterator[str]:
    """Check each header alone."""
    method, headers = declared_preflight(session)
    subsets: list[Headers] = [(header,) for header in headers] if len(headers) > 1 else []
    if headers and method not in SAFELISTED_METHODS:
        subsets.append(())
    if not subsets:
        session.skip("one header is declared, which is checked by preflight-headers.")
    for subset in subsets:
        step = session.fetch(session.expectation.origins[0], method, subset, preflight_only=True)
        if not step.is_allowed:
            yield f"With {', '.join(name for name, _ in subset) or 'no header'}, {step.verdict}"


@case(
    "preflight-refused",
    REQUIRED,
    clauses.PREFLIGHT,
    "The preflight of an origin of --refuse is refused, so that its method is not sent.",
    "Respond to such a preflight without Access-Control-Allow-Origin.",
)
def refused(session: Session) -> Iterator[str]:
    """Check the origins that are declared as refused."""
    declared_preflight(session)
    if not session.expectation.refuse:
        session.skip("no origin is declared with --refuse.")
    for origin in session.expectation.refuse:
        if preflight_passes(session, origin):
            yield f"{origin} passes. {preflight(session, origin).verdict}"


@case(
    "preflight-standard",
    ADVICE,
    clauses.NON_WILDCARD,
    "The preflight is allowed by the Fetch standard, too, where browsers are more lenient.",
    "List authorization in Access-Control-Allow-Headers: by the standard, * does not cover it.",
    PREFLIGHT_CASES,
)
def standard(session: Session) -> Iterator[str]:
    """Decide by the standard."""
    method, headers = declared_preflight(session)
    origin = session.expectation.origins[0]
    step = session.fetch(origin, method, headers, preflight_only=True, standard=True)
    if step.blocked:
        yield f"{step.label}: the standard blocks it: {step.blocked.code}."


@case(
    "preflight-safelisted-methods",
    ADVICE,
    clauses.METHODS,
    "A preflight of GET and HEAD is allowed, listed or not: browsers never look for them in the list.",
    "Allow GET and HEAD in preflights. A declared header causes them.",
    PREFLIGHT_CASES,
)
def safelisted_methods(session: Session) -> Iterator[str]:
    """Check the preflights that only a header causes."""
    headers = session.expectation.script_headers
    if not headers:
        session.skip("no --header is declared, so these methods need no preflight.")
    for method in ("GET", "HEAD"):
        step = session.fetch(session.expectation.origins[0], method, headers, preflight_only=True)
        if not step.is_allowed:
            yield step.verdict


@case(
    "preflight-lower-case-method",
    ADVICE,
    clauses.METHODS,
    "patch is another method than PATCH, and the preflight for it is refused.",
    "Compare methods by letter case. Browsers change the case of DELETE, GET, HEAD, OPTIONS, POST and PUT only.",
    PREFLIGHT_CASES,
)
def lower_case_method(session: Session) -> Iterator[str]:
    """Check a script that writes a method in lower case."""
    declared = session.expectation.methods
    methods = [method for method in declared if method not in {*SAFELISTED_METHODS, "PUT", "DELETE", "OPTIONS"}]
    methods = [method for method in methods if method.lower() not in declared]
    if not methods:
        session.skip("no method is declared whose case browsers preserve, such as PATCH.")
    origin, headers = session.expectation.origins[0], session.expectation.script_headers
    for method in methods:
        step = session.fetch(origin, method.lower(), headers, preflight_only=True)
        if step.is_allowed and "*" not in step.response.elements(ALLOW_METHODS):
            yield f"The preflight of {method.lower()} is allowed. Browsers send it so, and routers do not know it."


@case(
    "preflight-invalid-method",
    ADVICE,
    clauses.SERVER_ERROR,
    "A preflight with a malformed Access-Control-Request-Method is not an error of the server.",
    "Refuse the preflight without an exception.",
    PREFLIGHT_CASES,
)
def invalid_method(session: Session) -> Iterator[str]:
    """Send a method that is not a token."""
    response = preflight_response(session, ("access-control-request-method", "P U/T"))
    if response.status >= SERVER_ERROR:
        yield f"The status is {response.status}."


@case(
    "preflight-private-network",
    ADVICE,
    clauses.LOCAL_NETWORK,
    "A preflight with Access-Control-Request-Private-Network is allowed as without it.",
    "Ignore the header: browsers have withdrawn Private Network Access, and some old ones still send the header.",
    PREFLIGHT_CASES,
)
def private_network(session: Session) -> Iterator[str]:
    """Compare the preflight with and without the header."""
    usual = preflight(session, session.expectation.origins[0]).response
    names = usual.request.headers.get(REQUEST_HEADERS)
    listed = ((REQUEST_HEADERS, names),) if names else ()
    response = preflight_response(session, *listed, ("access-control-request-private-network", "true"))
    if not response.is_ok or response.allowed_origin != usual.allowed_origin:
        yield f"The status is {response.status}, and without the header {usual.status}."


@case(
    "preflight-max-age",
    ADVICE,
    clauses.PREFLIGHT,
    "Browsers can cache the preflight.",
    "Send Access-Control-Max-Age: 7200. Without it, browsers cache for 5 seconds.",
    PREFLIGHT_CASES,
)
def max_age(session: Session) -> Iterator[str]:
    """Check that the header is there."""
    response = preflight(session, session.expectation.origins[0]).response
    if response.get(MAX_AGE) is None:
        yield "The preflight's response has no Access-Control-Max-Age."


@case(
    "preflight-max-age-form",
    ADVICE,
    clauses.SYNTAX,
    "Access-Control-Max-Age is one number of seconds.",
    "Send digits only, in one line.",
    PREFLIGHT_CASES,
)
def max_age_form(session: Session) -> Iterator[str]:
    """Check the form of the header."""
    response = preflight(session, session.expectation.origins[0]).response
    value = response.get(MAX_AGE)
    if value is None:
        session.skip("the preflight's response has no Access-Control-Max-Age.")
    if not re.fullmatch("[0-9]+", value):
        yield f"Access-Control-Max-Age is {value!r}. Firefox does not cache it, other browsers for 5 seconds."


@case(
    "options-without-request-method",
    ADVICE,
    clauses.PREFLIGHT_REQUEST,
    "An OPTIONS without Access-Control-Request-Method is not a preflight, and reaches the app.",
    "Respond only to OPTIONS with Origin and Access-Control-Request-Method. Pass every other one on.",
    PREFLIGHT_CASES,
)
def options_without_request_method(session: Session) -> Iterator[str]:
    """Search the response for the headers of a preflight's response."""
    origin = ("origin", session.expectation.origins[0])
    yield from _preflight_headers(session, session.send("OPTIONS", origin), session.send("GET", origin))


@case(
    "options-without-origin",
    ADVICE,
    clauses.OPTIONS,
    "An OPTIONS without Origin is not a preflight, and reaches the app.",
    "Respond only to OPTIONS with Origin and Access-Control-Request-Method. Pass every other one on.",
    PREFLIGHT_CASES,
)
def options_without_origin(session: Session) -> Iterator[str]:
    """Search the response for the headers of a preflight's response."""
    yield from _preflight_headers(session, session.send("OPTIONS"), session.send("GET"))


def _preflight_headers(session: Session, response: ServerResponse, other: ServerResponse) -> Iterator[str]:
    """Yield a problem if the response has headers of a preflight's response, which the one to GET does not have."""
    declared_preflight(session)
    present = [name for name in _PREFLIGHT_HEADERS if response.get(name) is not None and other.get(name) is None]
    if present:
        yield f"The response has {', '.join(present)}, as to a preflight."


CASES: Final = (
    _cause(
        "preflight-redirect",
        clauses.PREFLIGHT,
        "The preflight is not redirected: browsers do not follow.",
        "Respond to OPTIONS before redirects to https, to a login or for a slash, or request the final URL.",
    ),
    _cause(
        "preflight-authentication",
        clauses.PREFLIGHT,
        "The preflight needs no authentication: it has neither cookies nor Authorization.",
        "Let CORS run before authentication.",
    ),
    _cause(
        "preflight-status",
        clauses.PREFLIGHT,
        "The preflight's status is 200 to 299.",
        "Respond to OPTIONS with 204, before routing.",
    ),
    _cause(
        "preflight-origin",
        clauses.CORS_CHECK,
        "The preflight's response allows the origin.",
        "Send Access-Control-Allow-Origin with the request's origin on the response to OPTIONS, too.",
    ),
    _cause(
        "preflight-one-origin",
        clauses.SYNTAX,
        "The preflight's response has one Access-Control-Allow-Origin with one value.",
        "Let one layer only, the proxy or the app, send the header.",
    ),
    _cause(
        "preflight-credentials",
        clauses.CREDENTIALS,
        "The preflight's response allows credentials, if declared.",
        "Name the origin, never *, and send Access-Control-Allow-Credentials: true, once, on OPTIONS, too.",
    ),
    _cause(
        "preflight-lists",
        clauses.HEADER_LISTS,
        "The two lists of the preflight's response are names separated by commas.",
        "Write 'GET, PUT': no semicolons, quotes or brackets.",
    ),
    _cause(
        "preflight-methods",
        clauses.PREFLIGHT,
        "Access-Control-Allow-Methods has the declared methods.",
        "Add the method to the list.",
    ),
    _cause(
        "preflight-method-case",
        clauses.METHODS,
        "Access-Control-Allow-Methods has the methods in the letter case of scripts.",
        "Write methods in upper case, as PUT and PATCH.",
    ),
    _cause(
        "preflight-headers",
        clauses.PREFLIGHT,
        "Access-Control-Allow-Headers has the declared headers.",
        "Add the name to the list.",
    ),
    _cause(
        "preflight-wildcards",
        clauses.CREDENTIALS,
        "The lists have names instead of * if the script sends credentials.",
        "Name the methods and headers: with credentials, * is a name like any other.",
    ),
    each_header,
    refused,
    standard,
    safelisted_methods,
    lower_case_method,
    invalid_method,
    private_network,
    max_age,
    max_age_form,
    options_without_request_method,
    options_without_origin,
)
