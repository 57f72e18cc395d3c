"""Causes in the response to a WebSocket's handshake (RFC 6455, 4; browsers accept only the status 101)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor import failures
from asgi_cors.cli.doctor.evidence import HANDSHAKE_REFUSED
from asgi_cors.cli.doctor.probes import NO_ORIGIN, OWN_ORIGIN
from asgi_cors.cli.doctor.recipes import UPGRADE, recipe
from asgi_cors.cli.doctor.servers import detect_proxy, detect_servers, proxy_headers
from asgi_cors.cli.findings import Finding

from .gateways import is_gateway_error
from .rule import SERVER_ERROR, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_SWITCHING_PROTOCOLS: Final = 101
_BAD_REQUEST, _UPGRADE_REQUIRED = 400, 426
_UNAUTHENTICATED: Final = {401, 407}
_NOT_FOUND: Final = {404, 405, 410}
_REDIRECTS: Final = range(300, 400)


def _refused(evidence: Evidence) -> ServerResponse | None:
    """Return the response to a handshake that is not accepted, or None."""
    is_refused = evidence.results[0].problem == HANDSHAKE_REFUSED
    return evidence.responses[-1] if is_refused and evidence.responses else None


def _is_refused_by_ws(response: ServerResponse) -> bool:
    """Return whether this is the response of the Node package ws to a path that it does not serve."""
    return response.status == _BAD_REQUEST and response.text == "Bad Request"


def _body(response: ServerResponse) -> str:
    text = " ".join(response.text.split())[:160]
    return f" and the text {text!r}" if text else ""


def handshake_redirected(evidence: Evidence) -> Iterator[Finding]:
    """The response is a redirect, which browsers do not follow."""
    response = _refused(evidence)
    if response and response.status in _REDIRECTS:
        target = str(response.redirect_target or "the target").replace("http", "ws", 1)
        yield Finding(
            "handshake-redirected",
            f"The server redirects the handshake ({response.status}) to {response.get('location')}. Browsers do not"
            " follow a redirect of a WebSocket.",
            f"Request {target} itself. If that is a login page, log in before the page opens the WebSocket.",
        )


def handshake_not_routed(evidence: Evidence) -> Iterator[Finding]:
    """No route of the server is a WebSocket with this path, or the server receives a plain GET."""
    response = _refused(evidence)
    if response and (response.status in _NOT_FOUND or _is_refused_by_ws(response)):
        yield Finding(
            "handshake-not-routed",
            f"The server responds to the handshake with {response.status}{_body(response)}: it has no WebSocket at this"
            f" path, or receives a plain GET{proxy_headers(response)}.",
            "Check the path. A proxy must forward Upgrade and Connection, and the server needs support of WebSockets"
            " (uvicorn: the package websockets).",
            recipe(UPGRADE, response),
        )


def handshake_not_upgraded(evidence: Evidence) -> Iterator[Finding]:
    """The response is that to a plain GET: a layer in front drops Upgrade, or the route is not a WebSocket."""
    response = _refused(evidence)
    if response is None:
        return
    says_upgrade = 400 <= response.status < SERVER_ERROR and "upgrade" in response.text.lower()  # noqa: PLR2004
    if response.is_ok or response.status == _UPGRADE_REQUIRED or says_upgrade:
        proxy = detect_proxy(response) or "A proxy"
        yield Finding(
            "handshake-not-upgraded",
            f"The server responds to the handshake with {response.status}{_body(response)}, as to a plain GET. {proxy}"
            " drops the headers Upgrade and Connection, or the path is not that of a WebSocket.",
            "Forward Upgrade and Connection in every proxy, with HTTP/1.1, and check the path.",
            recipe(UPGRADE, response),
        )


def handshake_incomplete(evidence: Evidence) -> Iterator[Finding]:
    """The status is right, and a layer in front removes a header that the browser requires."""
    response = _refused(evidence)
    if response and response.status == _SWITCHING_PROTOCOLS:
        needed = ("Upgrade", "Connection", "Sec-WebSocket-Accept")
        missing = [name for name in needed if response.get(name) is None]
        reason = f"without {' and '.join(missing)}" if missing else "with a wrong Upgrade or Connection"
        yield Finding(
            "handshake-not-upgraded",
            f"The server responds to the handshake with 101, but {reason}. Browsers then close the connection.",
            "Send 'Upgrade: websocket', 'Connection: Upgrade' and Sec-WebSocket-Accept. A proxy must not remove them.",
            recipe(UPGRADE, response),
        )


def handshake_malformed(evidence: Evidence) -> Iterator[Finding]:
    """The server finds the handshake malformed, whatever its origin: a layer in front has changed it."""
    response = _refused(evidence)
    if response and response.status == _BAD_REQUEST and not response.text.strip() and not _accepting(evidence):
        yield Finding(
            "handshake-not-upgraded",
            "The server responds to the handshake with 400 and no text, also without Origin. It most likely is no"
            " longer a handshake when it arrives: a proxy drops Upgrade and Connection, or the path is not that of a"
            " WebSocket. A server may refuse every tested origin in this way, too: its log shows it.",
            "Forward Upgrade and Connection in every proxy, with HTTP/1.1, and check the path.",
            recipe(UPGRADE, response),
        )


def handshake_stopped_by_gateway(evidence: Evidence) -> Iterator[Finding]:
    """A proxy responds itself: 502, 503, 504, or a limit."""
    response = _refused(evidence)
    if response and is_gateway_error(response):
        proxy = detect_proxy(response) or next(iter(detect_servers(response)), "a proxy or a limit before the app")
        yield Finding(
            "gateway-error",
            f"The app never received the handshake: {proxy} responds with {response.status} itself"
            f"{proxy_headers(response)}.",
            "Look at that layer. Is the app running, and does the proxy forward to its port?",
        )


def handshake_crashed(evidence: Evidence) -> Iterator[Finding]:
    """The server crashes, or does not implement WebSockets."""
    response = _refused(evidence)
    if response and response.status >= SERVER_ERROR:
        yield Finding(
            "handshake-crashed",
            f"The server crashes on the handshake ({response.status}){_body(response)}. The origin is not the cause.",
            "Read the server's log, and fix the code that runs before the WebSocket is accepted.",
        )


def handshake_needs_login(evidence: Evidence) -> Iterator[Finding]:
    """The server refuses the WebSocket of every origin, because the request is not logged in."""
    response = _refused(evidence)
    if response and response.status in _UNAUTHENTICATED and not _accepting(evidence):
        yield Finding(
            "handshake-refused",
            f"The server refuses the handshake with {response.status}{_body(response)}. The request is not logged in. A"
            " script can't set Authorization on a WebSocket.",
            "Log in with a cookie, or send a token in the URL or in the first message.",
        )


def handshake_refused(evidence: Evidence) -> Iterator[Finding]:
    """The server refuses the WebSocket of this origin."""
    if response := _refused(evidence):
        accepting = _accepting(evidence)
        reason = f" It accepts the same handshake {accepting}, so the origin is the cause." if accepting else ""
        login = "" if accepting else " If a login is missing, log in before: a script can't set headers on a WebSocket."
        yield Finding(
            "handshake-refused",
            f"The server refuses the handshake with {response.status}{_body(response)}.{reason}",
            f"Add {evidence.question.origin} to the origins that the server accepts WebSockets from.{login}",
            policy=allow_origins(evidence),
        )


def _accepting(evidence: Evidence) -> str:
    """Return the name of a probe with another origin whose handshake the server accepts, or ""."""
    return next((name for name in (OWN_ORIGIN, NO_ORIGIN) if _is_accepted(evidence, name)), "")


def _is_accepted(evidence: Evidence, probe: str) -> bool:
    response = evidence.probes.get(probe)
    return response is not None and response.status == _SWITCHING_PROTOCOLS


def handshake_closed_for_origin(evidence: Evidence) -> Iterator[Finding]:
    """The connection closes during the handshake, but not without Origin."""
    if evidence.failure_cause == failures.HANDSHAKE_REFUSED:
        yield Finding(
            "handshake-refused",
            "The server closes the connection instead of a response to the handshake. It accepts the same handshake"
            " without Origin, so the origin is the cause.",
            f"Add {evidence.question.origin} to the origins that the server accepts WebSockets from.",
            policy=allow_origins(evidence),
        )


def handshake_dropped(evidence: Evidence) -> Iterator[Finding]:
    """The connection closes or hangs during the handshake, while a plain GET gets a response."""
    if evidence.failure_cause == failures.HANDSHAKE_DROPPED:
        plain = evidence.checked(failures.GET)
        status = plain.status if plain else "one"
        yield Finding(
            "handshake-dropped",
            f"The handshake gets no response, while a plain GET of the same URL gets {status}. The server, or a layer"
            " before it, closes the connection or does not continue.",
            "Read the server's log. A proxy must forward Upgrade and Connection; a firewall must allow WebSockets.",
            recipe(UPGRADE, plain),
        )


RULES: Final = (
    handshake_redirected,
    handshake_not_upgraded,
    handshake_incomplete,
    handshake_malformed,
    handshake_not_routed,
    handshake_stopped_by_gateway,
    handshake_crashed,
    handshake_needs_login,
    handshake_refused,
    handshake_closed_for_origin,
    handshake_dropped,
)
