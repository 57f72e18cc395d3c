"""Values of Origin that no browser sends. To send one back shows that the server compares text carelessly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors._origins.origin import WEB_PORTS
from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, Case, case
from asgi_cors.cli.check.expectation import OTHER_SITE
from asgi_cors.cli.doctor.evidence import ServerResponse

from .errors import SERVER_ERROR

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

Forge = Callable[[str], tuple[str | bytes, ...]]
_WRITE: Final = "Compare Origin byte for byte with each allowed origin, and send back the entry of the list."


def _forged(name: str, title: str, forge: Forge) -> Case:
    """Return the case of a malformed Origin."""

    @case(name, ADVICE, clauses.ORIGIN, title, _WRITE, ("origin-other-site",))
    def check(session: Session) -> Iterator[str]:
        if session.expectation.allows_every_origin:
            session.skip("every origin is declared.")
        origin = session.expectation.origins[0]
        lines = forge(origin)
        if not lines:
            session.skip(f"{origin} has no such form.")
        response = session.send("GET", *(("origin", line) for line in lines))
        yield from _problems(session, response, ", ".join(map(_text, lines)))

    return check


def _problems(session: Session, response: ServerResponse, value: str) -> Iterator[str]:
    """Yield a problem if the server sends the value back, or crashes. A refused origin may get a fixed value."""
    allowed = response.allowed_origin
    fixed = session.send("GET", ("origin", OTHER_SITE)).allowed_origin
    if allowed is not None and allowed not in {"*", fixed, *session.expectation.origins}:
        yield f"To Origin: {value[:100]!r}, the response has Access-Control-Allow-Origin: {allowed[:100]!r}."
    if response.status >= SERVER_ERROR > session.send("GET").status:
        yield f"To Origin: {value[:100]!r}, the status is {response.status}."


def _text(line: str | bytes) -> str:
    return line.decode("latin-1") if isinstance(line, bytes) else line


def _with_default_port(origin: str) -> tuple[str, ...]:
    scheme, _, rest = origin.partition("://")
    return (f"{origin}:{WEB_PORTS[scheme]}",) if scheme in WEB_PORTS and ":" not in rest else ()


def _upper(origin: str) -> tuple[str, ...]:
    return (origin.upper(),) if "://" in origin else ("NULL",)


def _userinfo(origin: str) -> tuple[str, ...]:
    return (origin.replace("://", "://user:password@"),) if "://" in origin else ()


CASES: Final = (
    _forged("forged-upper-case", "An origin in upper case is not sent back.", _upper),
    _forged("forged-slash", "An origin with a final slash is not sent back.", lambda origin: (f"{origin}/",)),
    _forged("forged-default-port", "An origin with its default port is not sent back.", _with_default_port),
    _forged("forged-userinfo", "An origin with a password is not sent back.", _userinfo),
    _forged("forged-empty", "An empty Origin is not sent back.", lambda _: ("",)),
    _forged(
        "forged-several", "Several origins in one line are not sent back.", lambda origin: (f"{origin} {OTHER_SITE}",)
    ),
    _forged("forged-list", "A list of origins is not sent back.", lambda origin: (f"{origin}, {OTHER_SITE}",)),
    _forged("forged-two-lines", "Two lines of Origin are not sent back.", lambda origin: (OTHER_SITE, origin)),
    _forged("forged-bytes", "Bytes beyond ASCII are not sent back.", lambda origin: (origin.encode() + b"\xff\xe9",)),
    _forged("forged-long", "An Origin of 4 KiB is not sent back.", lambda origin: (f"{origin}.{'a' * 4096}.example",)),
)
