"""WebSocket handshakes, which CORS does not protect: the server must compare Origin itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, REQUIRED, SECURITY, Case, case
from asgi_cors.cli.check.expectation import ATTACKER, OTHER_SITE
from asgi_cors.cli.check.session import NoResponseError

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

_ACCEPTED: Final = 101
_FORBIDDEN: Final = {401, 403}
_WRITE: Final = (
    "Compare Origin with the list of allowed origins before the handshake is accepted, and refuse it with 403."
)
_NEEDS: Final = ("websocket-allowed",)
_GUARDED: Final = ("websocket-allowed", "websocket-other-site")


@case(
    "websocket-allowed",
    REQUIRED,
    clauses.HANDSHAKE,
    "An allowed origin can open the WebSocket.",
    "Accept the handshake of the allowed origins with 101.",
)
def allowed(session: Session) -> Iterator[str]:
    """Open the WebSocket as each allowed origin."""
    for origin in session.expectation.origins:
        found = _answer(session, origin)
        if found != _ACCEPTED:
            if not session.expectation.is_websocket:
                session.skip(f"the URL is not a WebSocket: a handshake gets {found}.")
            yield f"The handshake of {origin} gets {found}."


def _answer(session: Session, origin: str | None) -> int | str:
    """Return the status of a handshake, or "no response"."""
    try:
        return session.handshake(origin).status
    except NoResponseError as error:
        if not error.is_confirmed:
            raise
        return "no response"


def _refuses(name: str, origin: str, title: str, needs: tuple[str, ...] = _NEEDS) -> Case:
    """Return the case of an origin that must be refused."""

    @case(name, SECURITY, clauses.HANDSHAKE_ORIGIN, title, _WRITE, needs)
    def check(session: Session) -> Iterator[str]:
        _skip_unless_guarded(session)
        refused = origin.format(host=session.expectation.origins[0].partition("://")[2].partition(":")[0])
        if session.expectation.allows(refused):
            session.skip(f"{refused} is declared.")
        if _answer(session, refused) == _ACCEPTED:
            yield f"{refused} can open the WebSocket with the user's cookies."

    return check


def _skip_unless_guarded(session: Session) -> None:
    """Skip the case if the URL is not a WebSocket, or every origin is declared."""
    if session.expectation.allows_every_origin:
        session.skip("every origin is declared.")
    found = _answer(session, session.expectation.origins[0])
    if found != _ACCEPTED:
        session.skip(f"the URL is not a WebSocket: a handshake gets {found}.")


@case(
    "websocket-refused",
    REQUIRED,
    clauses.HANDSHAKE_ORIGIN,
    "No origin of --refuse can open the WebSocket.",
    _WRITE,
    _NEEDS,
)
def refused(session: Session) -> Iterator[str]:
    """Open the WebSocket as each refused origin."""
    _skip_unless_guarded(session)
    if not session.expectation.refuse:
        session.skip("no origin is declared with --refuse.")
    for origin in session.expectation.refuse:
        if _answer(session, origin) == _ACCEPTED:
            yield f"{origin} can open the WebSocket."


@case(
    "websocket-status",
    ADVICE,
    clauses.HANDSHAKE,
    "A refused handshake gets 403.",
    "Refuse the handshake with 403, before it is accepted.",
    _GUARDED,
)
def status(session: Session) -> Iterator[str]:
    """Check the status of a refusal."""
    _skip_unless_guarded(session)
    found = _answer(session, OTHER_SITE)
    if found not in _FORBIDDEN:
        yield f"The handshake of {OTHER_SITE} gets {found}."


@case(
    "websocket-no-origin",
    ADVICE,
    clauses.HANDSHAKE_ORIGIN,
    "A client without Origin is not a browser, and can open the WebSocket as an allowed origin does.",
    "Don't require Origin. Use authentication to protect the WebSocket from other clients.",
    _NEEDS,
)
def no_origin(session: Session) -> Iterator[str]:
    """Open the WebSocket without Origin."""
    _skip_unless_guarded(session)
    found = _answer(session, None)
    if found != _ACCEPTED:
        yield f"The handshake without Origin gets {found}."


CASES: Final = (
    allowed,
    _refuses("websocket-other-site", OTHER_SITE, "A site that is not declared cannot open the WebSocket."),
    _refuses("websocket-null", "null", "A sandboxed page cannot open the WebSocket.", _GUARDED),
    _refuses(
        "websocket-suffix",
        f"https://{{host}}.{ATTACKER}",
        "An origin that begins with a declared one cannot open the WebSocket.",
        _GUARDED,
    ),
    refused,
    status,
    no_origin,
)
