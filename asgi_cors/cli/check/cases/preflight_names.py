"""Preflights with unusual lists of header names. Proxies, old browsers and other clients send them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, REQUIRED, Case, case
from asgi_cors.cli.check.expectation import SAFELISTED_METHODS
from asgi_cors.cli.check.session import NoResponseError

from .blocks import PREFLIGHT_CASES
from .errors import SERVER_ERROR
from .preflights import declared_preflight, preflight, preflight_response

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

Lines = Callable[[list[str]], tuple[str, ...]]
_SECOND: Final = 2
_MANY: Final = 1000
_WRITE: Final = (
    "Split every line of Access-Control-Request-Headers at commas, remove spaces and empty parts, and compare the names"
    " without regard to letter case or order."
)


@case(
    "preflight-names-repeated",
    REQUIRED,
    clauses.PREFLIGHT,
    "A name may occur twice in the preflight: Firefox lists it for each of its lines.",
    _WRITE,
    PREFLIGHT_CASES,
)
def repeated(session: Session) -> Iterator[str]:
    """Check a script that sets a header twice."""
    method, headers = declared_preflight(session)
    if not headers:
        session.skip("no --header is declared.")
    step = session.fetch(session.expectation.origins[0], method, (*headers, headers[0]), preflight_only=True)
    if not step.is_allowed:
        yield step.verdict


@case(
    "preflight-names-empty",
    ADVICE,
    clauses.REQUESTS,
    "The list may be empty, if the script sets no header.",
    _WRITE,
    PREFLIGHT_CASES,
)
def empty(session: Session) -> Iterator[str]:
    """Check an empty Access-Control-Request-Headers."""
    method, _ = declared_preflight(session)
    if method in SAFELISTED_METHODS:
        session.skip(f"{method} without headers needs no preflight.")
    step = session.fetch(session.expectation.origins[0], method, preflight_only=True, lines=(b"",))
    if not step.is_allowed:
        yield f"Access-Control-Request-Headers is empty. {step.verdict}"


def _form(name: str, title: str, lines: Lines, *, least: int = 1) -> Case:
    """Return the case of another form of the declared names, which must be allowed as well."""

    @case(name, ADVICE, clauses.REQUESTS, title, _WRITE, PREFLIGHT_CASES)
    def check(session: Session) -> Iterator[str]:
        declared_preflight(session)
        names = sorted(session.expectation.headers)
        if len(names) < least:
            session.skip("no --header is declared." if least == 1 else "fewer than two --header are declared.")
        edited = tuple(line.encode() for line in lines(names))
        step = preflight(session, session.expectation.origins[0], edited)
        if not step.is_allowed:
            yield f"Access-Control-Request-Headers: {', '.join(map(repr, lines(names)))}. {step.verdict}"

    return check


def _hostile(name: str, title: str, line: bytes) -> Case:
    """Return the case of a list that may be refused, but must not be an error of the server."""

    @case(name, ADVICE, clauses.SERVER_ERROR, title, "Refuse the preflight without an exception.", PREFLIGHT_CASES)
    def check(session: Session) -> Iterator[str]:
        try:
            response = preflight_response(session, ("access-control-request-headers", line))
        except NoResponseError as error:
            yield f"The server does not respond. {error}"
            return
        if response.status >= SERVER_ERROR:
            yield f"The status is {response.status}."

    return check


CASES: Final = (
    repeated,
    _form(
        "preflight-names-spaced",
        "The names may have spaces between them.",
        lambda names: (", ".join(names),),
        least=_SECOND,
    ),
    _form("preflight-names-upper-case", "The names may be in upper case.", lambda names: (",".join(names).upper(),)),
    _form(
        "preflight-names-reordered",
        "The names may be in any order.",
        lambda names: (",".join(reversed(names)),),
        least=_SECOND,
    ),
    _form("preflight-names-split", "The names may be in several lines.", tuple, least=_SECOND),
    _form("preflight-names-gaps", "The list may have empty elements.", lambda names: (f",{',,'.join(names)},",)),
    empty,
    _form(
        "preflight-names-safelisted",
        "The list may have safelisted names, such as accept.",
        lambda names: (",".join(["accept", *names]),),
        least=0,
    ),
    _hostile(
        "preflight-names-thousand",
        "A preflight with a thousand names is not an error of the server.",
        ",".join(f"x-{number}" for number in range(_MANY)).encode(),
    ),
    _hostile("preflight-names-wildcard", "A preflight with the name * is not an error of the server.", b"*"),
    _hostile(
        "preflight-names-bytes",
        "A preflight with bytes beyond ASCII is not an error of the server.",
        b"x-\xff\xe9,\x80",
    ),
)
