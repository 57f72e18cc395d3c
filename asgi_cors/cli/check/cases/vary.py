"""Vary: whether caches can tell the responses to different origins apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, Case, case
from asgi_cors.cli.check.expectation import OTHER_SITE

from .blocks import PREFLIGHT_CASES, REQUEST_CASES
from .errors import missing_url
from .preflights import preflight

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session
    from asgi_cors.cli.doctor.evidence import ServerResponse

_WRITE: Final = (
    "Send Vary: Origin on every response of the URL, with and without Origin. If one fixed Access-Control-Allow-Origin"
    " is sent to all, no Vary is needed."
)
_CACHES: Final = ("cache-without-origin", "cache-other-origin")
_TOKEN: Final = re.compile(r"\*|[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def _responses(session: Session, url: str = "") -> list[ServerResponse]:
    """Return the responses to allowed origins, to another site and without Origin."""
    allowed = [session.fetch(origin, url=url).response for origin in session.expectation.origins]
    return [*allowed, session.fetch(OTHER_SITE, url=url).response, session.send("GET", url=url)]


def _skip_if_fixed(session: Session, responses: list[ServerResponse]) -> None:
    """Skip the case if the server sends the same Access-Control-Allow-Origin to all."""
    values = {response.allowed_origin for response in responses}
    if len(values) == 1:
        session.skip("the response has the same Access-Control-Allow-Origin for every origin.")


def _missing(subject: str, response: ServerResponse) -> Iterator[str]:
    if not response.varies_by_origin:
        yield f"{subject}: Vary is {response.get('vary')!r}, and Access-Control-Allow-Origin depends on Origin."


def _compared(name: str, title: str, index: int, subject: str) -> Case:
    """Return the case of one response, by its position in `_responses`."""

    @case(name, ADVICE, clauses.CACHES, title, _WRITE, (*REQUEST_CASES, *_CACHES))
    def check(session: Session) -> Iterator[str]:
        responses = _responses(session)
        _skip_if_fixed(session, responses)
        yield from _missing(subject, responses[index])

    return check


@case(
    "vary-error",
    ADVICE,
    clauses.CACHES,
    "The 404 of an unknown path has Vary: Origin. Caches store it without further headers.",
    _WRITE,
    (*REQUEST_CASES, "error-not-found"),
)
def error(session: Session) -> Iterator[str]:
    """Compare the responses at an unknown path."""
    responses = _responses(session, missing_url(session.expectation.http_url))
    _skip_if_fixed(session, responses)
    yield from _missing("The response to an unknown path", responses[0])


@case(
    "vary-preflight",
    ADVICE,
    clauses.CACHES,
    "The response to a preflight has Vary: Origin. Some CDNs cache OPTIONS if configured to.",
    _WRITE,
    PREFLIGHT_CASES,
)
def of_preflight(session: Session) -> Iterator[str]:
    """Compare the responses to preflights."""
    steps = [preflight(session, origin) for origin in (*session.expectation.origins, OTHER_SITE)]
    _skip_if_fixed(session, [step.response for step in steps])
    yield from _missing("The response to the preflight", steps[0].response)


@case(
    "vary-form",
    ADVICE,
    clauses.VARY,
    "Vary is a list of names separated by commas.",
    "Write 'Origin, Accept-Encoding'.",
    REQUEST_CASES,
)
def form(session: Session) -> Iterator[str]:
    """Check each name."""
    response = session.fetch(session.expectation.origins[0]).response
    malformed = [name for name in response.elements("vary") if not _TOKEN.fullmatch(name)]
    if malformed:
        yield f"Vary has {malformed[0]!r}."


@case(
    "vary-names",
    ADVICE,
    clauses.VARY,
    "CORS adds Origin to Vary, and removes no name of the app.",
    "Append Origin to the names that are there.",
    REQUEST_CASES,
)
def names(session: Session) -> Iterator[str]:
    """Compare the names with and without Origin."""
    without = {name.lower() for name in session.send("GET").elements("vary")} - {"origin"}
    response = session.fetch(session.expectation.origins[0]).response
    lost = without - {name.lower() for name in response.elements("vary")}
    if lost and "*" not in response.elements("vary"):
        yield f"Without Origin, Vary also has {', '.join(sorted(lost))}."


CASES: Final = (
    _compared(
        "vary-allowed", "The response to an allowed origin has Vary: Origin.", 0, "The response to an allowed origin"
    ),
    _compared("vary-refused", "The response to another origin has Vary: Origin.", -2, f"The response to {OTHER_SITE}"),
    _compared("vary-no-origin", "The response without Origin has Vary: Origin.", -1, "The response without Origin"),
    error,
    of_preflight,
    form,
    names,
)
