"""Origins that are not declared, and that a careless comparison mistakes for a declared one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors._origins.origin import parse_origin, registrable_domain
from asgi_cors.cli.audit.attacks import attacks_on, is_sent_by_browsers
from asgi_cors.cli.check import clauses
from asgi_cors.cli.check.case import ADVICE, SECURITY, Case, Kind, case
from asgi_cors.cli.check.expectation import ATTACKER, OTHER_SITE

from .preflights import declared_preflight, preflight_passes

if TYPE_CHECKING:
    from asgi_cors.cli.check.session import Session

Twin = Callable[["Parts"], str]
_COMPARE: Final = "Compare the whole origin with each entry of a list, as text: no prefix, suffix or substring."
_REFLECTION: Final = ("origin-other-site",)
_LOCALHOST: Final = (
    *("http://localhost:3000", "http://localhost:5173", "http://localhost:8080", "http://localhost:4200"),
    *("http://localhost", "http://127.0.0.1:3000"),
)
_PLATFORMS: Final = (
    "vercel.app",
    "netlify.app",
    "github.io",
    "pages.dev",
    "herokuapp.com",
    "web.app",
    "ngrok-free.app",
)
_SPECIAL: Final = ("special-character-host", "special-character-label", "subdomain-wildcard-deny")


class Parts:
    """The parts of a declared origin from which twins are made."""

    def __init__(self, origin: str) -> None:
        """Parse an origin of the web. The port has its colon."""
        self.origin = origin
        parsed = parse_origin(origin)
        assert parsed is not None  # noqa: S101 - `_twins` has checked it
        self.scheme, self.host = parsed.scheme, parsed.host
        self.port = f":{parsed.port}" if parsed.port else ""
        self.is_name = "." in self.host and not self.host.replace(".", "").isdigit() and self.host[:1] != "["
        self.domain = (registrable_domain(self.host) or self.host) if self.is_name else self.host


def can_read(session: Session, origin: str) -> bool:
    """Return whether a page of this origin can read the response in a browser, in any mode of credentials."""
    modes = {session.expectation.credentials, False}
    try:
        return any(session.passes(origin, credentials=mode) for mode in modes)
    except ValueError:  # of `Page`: no page of the web has this origin
        return False


def _twins(session: Session, make: Callable[[Parts], Iterable[str]]) -> Iterator[str]:
    """Yield the twins of every declared origin that are not declared themselves."""
    _skip_if_open(session)
    origins = [origin for origin in session.expectation.origins if origin.startswith("http") and parse_origin(origin)]
    twins = dict.fromkeys(twin for origin in origins for twin in make(Parts(origin)))
    hostile = [twin for twin in twins if twin and not session.expectation.allows(twin)]
    if not hostile:
        session.skip("no such origin differs from the declared ones.")
    yield from hostile


def _skip_if_open(session: Session) -> None:
    if session.expectation.allows_every_origin:
        session.skip("every origin is declared.")


def _twin(name: str, title: str, make: Twin, *, kind: Kind = SECURITY, write: str = _COMPARE) -> Case:
    """Return the case of one twin."""

    @case(name, kind, clauses.ORIGIN_COMPARISON, title, write, _REFLECTION)
    def check(session: Session) -> Iterator[str]:
        for twin in _twins(session, lambda parts: (make(parts),)):
            if can_read(session, twin):
                yield f"{twin} can read the response."

    return check


def _if_name(make: Twin) -> Twin:
    """Return a twin for hosts with a name only."""
    return lambda parts: make(parts) if parts.is_name else ""


@case(
    "origin-other-site",
    SECURITY,
    clauses.CORS_CHECK,
    "A site that is not declared cannot read the response: the server does not send every Origin back.",
    "Compare Origin with a list of allowed origins. If the API is public, send * and declare --allow '*'.",
)
def other_site(session: Session) -> Iterator[str]:
    """Check reflection and the wildcard."""
    _skip_if_open(session)
    if session.expectation.allows(OTHER_SITE):
        session.skip(f"{OTHER_SITE} is declared.")
    if can_read(session, OTHER_SITE):
        yield f"{OTHER_SITE} can read the response."


@case(
    "origin-null",
    SECURITY,
    clauses.SECURITY,
    "A sandboxed page cannot read the response: every site can make one, with the origin null.",
    "Remove null from the allowed origins.",
    _REFLECTION,
)
def null(session: Session) -> Iterator[str]:
    """Check the opaque origin."""
    _skip_if_open(session)
    if session.expectation.allows("null"):
        session.skip("null is declared.")
    if can_read(session, "null"):
        yield "null can read the response."


@case(
    "origin-special-characters",
    SECURITY,
    clauses.ORIGIN_COMPARISON,
    "A host with characters that a regular expression overlooks cannot read the response.",
    _COMPARE,
    _REFLECTION,
)
def special_characters(session: Session) -> Iterator[str]:
    """Check hosts with characters such as _, ! and }, which browsers accept."""
    first = session.expectation.origins[0]

    def make(parts: Parts) -> Iterator[str]:
        for kind, origin in attacks_on(parts.origin):
            if kind in _SPECIAL and parts.origin == first and is_sent_by_browsers(origin):
                yield origin

    for twin in _twins(session, make):
        is_possible = session.send("GET", ("origin", twin)).allowed_origin in {"*", twin}
        if is_possible and can_read(session, twin):
            yield f"{twin} can read the response."
            return


def _one_of(session: Session, origins: Iterable[str]) -> Iterator[str]:
    """Yield a problem for the first of these origins that can read the response, and is not declared."""
    _skip_if_open(session)
    for origin in origins:
        if not session.expectation.allows(origin) and can_read(session, origin):
            yield f"{origin} can read the response."
            return


@case(
    "origin-localhost",
    SECURITY,
    clauses.ORIGIN_COMPARISON,
    "A program on the user's machine cannot read the response.",
    "Remove localhost from the allowed origins of the production server.",
    _REFLECTION,
)
def localhost(session: Session) -> Iterator[str]:
    """Check the origins of development servers."""
    yield from _one_of(session, _LOCALHOST)


@case(
    "origin-hosting",
    SECURITY,
    clauses.ORIGIN_COMPARISON,
    "A site of anyone else on a hosting platform cannot read the response.",
    "Name the hosts of your deployments. Anyone can have a host below the platform's domain.",
    _REFLECTION,
)
def hosting(session: Session) -> Iterator[str]:
    """Check the domains below which anyone can have a host."""
    yield from _one_of(session, (f"https://{ATTACKER.partition('.')[0]}.{domain}" for domain in _PLATFORMS))


@case(
    "origin-app",
    SECURITY,
    clauses.ORIGIN_COMPARISON,
    "An app or an extension with an origin of its own cannot read the response.",
    _COMPARE,
    _REFLECTION,
)
def app(session: Session) -> Iterator[str]:
    """Check origins with a scheme of their own."""
    _skip_if_open(session)
    for origin in ("capacitor://localhost", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"):
        if not session.expectation.allows(origin) and can_read(session, origin):
            yield f"{origin} can read the response."


def _preflight_of(name: str, origin: str, title: str) -> Case:
    """Return the case of a preflight that must be refused."""

    @case(name, SECURITY, clauses.PREFLIGHT, title, "Respond to it without Access-Control-Allow-Origin.", _REFLECTION)
    def check(session: Session) -> Iterator[str]:
        _skip_if_open(session)
        method, _ = declared_preflight(session)
        if session.expectation.allows(origin):
            session.skip(f"{origin} is declared.")
        if preflight_passes(session, origin):
            yield f"The preflight of {origin} passes, so {method} is sent, whether its response can be read or not."

    return check


def _homoglyph(parts: Parts) -> str:
    """Return the host with a Cyrillic letter, as browsers send it: in punycode."""
    for latin, cyrillic in zip("aeopcx", "\u0430\u0435\u043e\u0440\u0441\u0445", strict=True):
        if latin in parts.host:
            labels = parts.host.replace(latin, cyrillic, 1).split(".")
            ascii_labels = [each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in labels]
            return f"{parts.scheme}://{'.'.join(ascii_labels)}{parts.port}"
    return ""


def _parent(parts: Parts) -> str:
    parent = parts.host.partition(".")[2]
    return f"{parts.scheme}://{parent}{parts.port}" if "." in parent else ""


CASES: Final = (
    other_site,
    null,
    _twin(
        "origin-suffix",
        "An origin that begins with a declared one cannot read the response.",
        lambda parts: f"{parts.scheme}://{parts.host}.{ATTACKER}",
    ),
    _twin(
        "origin-prefix",
        "An origin that ends with a declared domain cannot read the response.",
        _if_name(lambda parts: f"{parts.scheme}://evil{parts.domain}{parts.port}"),
    ),
    _twin(
        "origin-substring",
        "An origin that contains a declared one cannot read the response.",
        lambda parts: f"{parts.scheme}://x-{parts.host}.{ATTACKER}",
    ),
    _twin(
        "origin-dot",
        "A dot of a declared origin is a dot, not any character.",
        _if_name(lambda parts: f"{parts.scheme}://{parts.host.replace('.', 'x', 1)}{parts.port}"),
        write="Escape the dots of a regular expression, or compare text.",
    ),
    _twin(
        "origin-truncated",
        "The beginning of a declared origin cannot read the response.",
        _if_name(lambda parts: f"{parts.scheme}://{parts.host[:-1]}"),
        write="Compare the whole origin: 'in' with a string is a search for a substring.",
    ),
    _twin(
        "origin-port",
        "A declared host with another port cannot read the response.",
        lambda parts: f"{parts.scheme}://{parts.host}:{'8443' if parts.port != ':8443' else '8444'}",
    ),
    _twin(
        "origin-scheme",
        "A declared host with the other scheme cannot read the response: over http, anyone in the network can be it.",
        lambda parts: f"{'http' if parts.scheme == 'https' else 'https'}://{parts.host}{parts.port}",
    ),
    _twin(
        "origin-subdomain",
        "A subdomain of a declared host cannot read the response.",
        _if_name(lambda parts: f"{parts.scheme}://attacker.{parts.host}{parts.port}"),
        write="Name the subdomains. If all are meant, declare --allow 'https://*.example.com'.",
    ),
    _twin(
        "origin-sibling",
        "Another subdomain of the same site cannot read the response.",
        _if_name(lambda parts: f"{parts.scheme}://attacker.{parts.domain}{parts.port}"),
        write="Name the subdomains. If all are meant, declare --allow 'https://*.example.com'.",
    ),
    _twin(
        "origin-parent",
        "The parent domain of a declared host cannot read the response.",
        _if_name(_parent),
    ),
    _twin(
        "origin-homoglyph",
        "A host with a letter of another alphabet cannot read the response.",
        _if_name(_homoglyph),
        write="Compare hosts in their ASCII form, as Origin has them.",
    ),
    localhost,
    hosting,
    special_characters,
    app,
    _twin(
        "origin-trailing-dot",
        "A declared host with a final dot cannot read the response.",
        _if_name(lambda parts: f"{parts.scheme}://{parts.host}.{parts.port}"),
        kind=ADVICE,
    ),
    _preflight_of("origin-preflight", OTHER_SITE, "The preflight of a site that is not declared is refused."),
    _preflight_of("origin-preflight-null", "null", "The preflight of a sandboxed page is refused."),
)
