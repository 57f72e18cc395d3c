"""The form of the CORS headers, and headers related to CORS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, case
from asgi_cors.cli.check.expectation import OTHER_SITE
from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, EXPOSE_HEADERS

from .blocks import PREFLIGHT_CASES, REQUEST_CASES
from .preflights import preflight_response
from .requests import get_as_declared

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TIMING: Final = "timing-allow-origin"
_PRIVATE_NETWORK: Final = "access-control-allow-private-network"


@case(
    "header-credentials-undeclared",
    ADVICE,
    clauses.CREDENTIALS,
    "Credentials are not allowed if they are not declared.",
    "Leave Access-Control-Allow-Credentials out, or declare --credentials.",
    REQUEST_CASES,
)
def credentials_undeclared(session: Session) -> Iterator[str]:
    """Search for the header."""
    if session.expectation.credentials:
        session.skip("--credentials is declared.")
    for step in get_as_declared(session):
        if step.response.get(ALLOW_CREDENTIALS) == "true":
            yield f"{step.label}: the response has Access-Control-Allow-Credentials: true."


@case(
    "header-credentials-value",
    ADVICE,
    clauses.SYNTAX,
    "Access-Control-Allow-Credentials is true, in lower case and once, or absent.",
    "Write true, or leave the header out: there is no other value.",
    REQUEST_CASES,
)
def credentials_value(session: Session) -> Iterator[str]:
    """Check the value of the header."""
    for step in get_as_declared(session):
        value = step.response.get(ALLOW_CREDENTIALS)
        if value not in {None, "true"}:
            yield f"{step.label}: Access-Control-Allow-Credentials is {value!r}."


@case(
    "header-expose-form",
    ADVICE,
    clauses.HEADER_LISTS,
    "Access-Control-Expose-Headers is a list of names separated by commas.",
    "Write 'x-total, x-page'. One malformed name hides all of them.",
    REQUEST_CASES,
)
def expose_form(session: Session) -> Iterator[str]:
    """Check each name."""
    for step in get_as_declared(session):
        malformed = [name for name in step.response.elements(EXPOSE_HEADERS) if not _TOKEN.fullmatch(name)]
        if malformed:
            yield f"{step.label}: Access-Control-Expose-Headers has {malformed[0]!r}."


@case(
    "header-expose-wildcard",
    ADVICE,
    clauses.CREDENTIALS,
    "With credentials, Access-Control-Expose-Headers has names instead of *.",
    "Name the headers: with credentials, * exposes a header of that name only.",
    REQUEST_CASES,
)
def expose_wildcard(session: Session) -> Iterator[str]:
    """Search for the wildcard."""
    if not session.expectation.credentials:
        session.skip("--credentials is not declared.")
    for step in get_as_declared(session):
        if "*" in step.response.elements(EXPOSE_HEADERS):
            yield f"{step.label}: Access-Control-Expose-Headers has *."


@case(
    "header-timing",
    ADVICE,
    clauses.TIMING,
    "Timing-Allow-Origin shows the timing of the response to declared origins only.",
    "Name the origins. The timing of a user's response can tell a site who the user is.",
    ("origin-other-site",),
)
def timing(session: Session) -> Iterator[str]:
    """Check the header on the response to another site."""
    if session.expectation.allows_every_origin:
        session.skip("every origin is declared.")
    response = session.send("GET", ("origin", OTHER_SITE))
    allowed = {"*", OTHER_SITE}.intersection(response.elements(_TIMING))
    if allowed:
        yield f"To {OTHER_SITE}, the response has Timing-Allow-Origin: {response.get(_TIMING)}."


@case(
    "header-private-network",
    ADVICE,
    clauses.LOCAL_NETWORK,
    "Access-Control-Allow-Private-Network is not sent to a site that is not declared.",
    "Send the header to allowed origins only, or not at all: browsers have withdrawn it.",
    (*PREFLIGHT_CASES, "origin-other-site"),
)
def private_network(session: Session) -> Iterator[str]:
    """Send a preflight of another site to a private network."""
    if session.expectation.allows_every_origin:
        session.skip("every origin is declared.")
    request = (("origin", OTHER_SITE), ("access-control-request-private-network", "true"))
    if preflight_response(session, *request).get(_PRIVATE_NETWORK) == "true":
        yield f"The preflight of {OTHER_SITE} gets Access-Control-Allow-Private-Network: true."


CASES: Final = (credentials_undeclared, credentials_value, expose_form, expose_wildcard, timing, private_network)
