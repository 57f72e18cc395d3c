"""Causes in a protection: the server refuses a request as forged, or because of its Host.

CORS decides who may read a response. These protections decide who may send a request. Their refusals often have no CORS
headers, so that browsers report a CORS error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors._decision.remedies import host_remedy
from asgi_cors.cli.doctor.evidence import KINDS
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy

from .rule import allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

OURS: Final = "asgi_cors"
_MAX_BODY: Final = 16_384  # characters
_SAFE_METHODS: Final = {"GET", "HEAD", "OPTIONS", "TRACE"}
_MISDIRECTED: Final = 421


@dataclass(frozen=True)
class _Protection:
    """A protection of one library, and how a request gets past it.

    Args:
        library: The library.
        body: A regular expression that only bodies of its refusals match.
        statuses: The statuses of its refusals.
        remedy: The change. `{origin}` is that of the page, `{host}` the Host of the request.
    """

    library: str
    body: str
    statuses: frozenset[int]
    remedy: str

    def matches(self, response: ServerResponse) -> bool:
        """Return whether a response is a refusal of this library."""
        return response.status in self.statuses and bool(re.search(self.body, response.text[:_MAX_BODY], re.IGNORECASE))


def _protection(library: str, body: str, statuses: tuple[int, ...], remedy: str) -> _Protection:
    return _Protection(library, body, frozenset(statuses), remedy)


_TOKEN: Final = "Send the token that the library expects. A request without cookies needs none: exempt its route."  # noqa: S105
# Texts of the libraries' own sources. The first match counts.
_FORGED: Final = (
    _protection(
        OURS,
        r"\(CrossSiteRequest\)",
        (403,),
        "Add {origin!r} to allow_origins if the page may read the response, or to csrf_trusted_origins if it may only"
        " send the request.",
    ),
    _protection(
        "Django",
        r"CSRF verification failed\. Request aborted|CSRF Failed: ",
        (403,),
        "Add {origin!r} to CSRF_TRUSTED_ORIGINS, and send the token of the cookie csrftoken in the header X-CSRFToken."
        " A view that reads no cookies can be exempt: csrf_exempt.",
    ),
    _protection(
        "Flask-WTF",
        r"The CSRF (?:session )?tokens? (?:is missing|do not match|is invalid|has expired)|The referrer (?:header is"
        r" missing|does not match the host)",
        (400,),
        "Send the token of generate_csrf() in the header X-CSRFToken. A view that reads no cookies can be exempt:"
        " csrf.exempt.",
    ),
    _protection(
        "Rails",
        r"InvalidAuthenticityToken|InvalidCrossOriginRequest|Can(?:'|&#39;)t verify CSRF token authenticity",
        (422, 500),
        "Send the token of the page's csrf_meta_tags in the header X-CSRF-Token, or trust {origin!r} in"
        " protect_from_forgery. An API without cookies needs neither.",
    ),
    _protection(
        "Go's net/http",
        r"cross-origin request detected",
        (403,),
        "Write AddTrustedOrigin({origin!r}) on its CrossOriginProtection.",
    ),
    _protection(
        "ASP.NET",
        r"antiforgery",
        (400, 500),
        "Send the token of IAntiforgery in the header RequestVerificationToken. An endpoint that reads no cookies can"
        " be exempt: DisableAntiforgery().",
    ),
    _protection("SvelteKit or Astro", r"Cross-site (?:POST|\w+) form submissions are forbidden", (403,), _TOKEN),
    _protection("the server", r"\b(?:csrf|xsrf)\b[^<\n]{0,60}\b(?:token|cookie|check|verif)", (400, 403, 419), _TOKEN),
    _protection(
        "the server",
        r"\b(?:invalid|missing|mismatched|could not verify)\b[^<\n]{0,40}\b(?:csrf|xsrf)\b",
        (400, 403, 419),
        _TOKEN,
    ),
)
_HOSTS: Final = (
    _protection(OURS, r"\(HostNotAllowed\)", (421,), "Add the Host to allowed_hosts."),
    _protection(
        "Django",
        r"DisallowedHost|Invalid HTTP_HOST header",
        (400,),
        "Add {host!r} to ALLOWED_HOSTS, without the port.",
    ),
    _protection(
        "Django",
        r"<title>Bad Request \(400\)</title>\s*</head>\s*<body>\s*<h1>Bad Request \(400\)</h1><p></p>",
        (400,),
        "If the log has DisallowedHost, add {host!r} to ALLOWED_HOSTS, without the port.",
    ),
    _protection(
        "Starlette's TrustedHostMiddleware",
        r"^Invalid host header\s*$",
        (400,),
        "Add {host!r} to its allowed_hosts, without the port. A development server of webpack says the same.",
    ),
    _protection("the MCP server", r"Invalid Host header", (421,), "Add {host!r} to the allowed hosts of its settings."),
    _protection("Rails", r"Blocked hosts?: ", (403,), "Add {host!r} to config.hosts, without the port."),
    _protection(
        "Vite", r"Blocked request\. This host \(", (403,), "Add {host!r} to server.allowedHosts, without the port."
    ),
    _protection(
        "Werkzeug", r"Host '?[^<\n]{1,200}'? is not trusted", (400,), "Add {host!r} to TRUSTED_HOSTS, without the port."
    ),
    _protection(
        "the server",
        r"",
        (_MISDIRECTED,),
        "Check that the server has a site for {host!r}. If a proxy connects to it by TLS, the server name of TLS must"
        " be the Host.",
    ),
)


def find_forged(response: ServerResponse | None) -> _Protection | None:
    """Return the protection against forged requests that sent a response, or None."""
    if response is None or response.request.method in _SAFE_METHODS:
        return None
    return next((each for each in _FORGED if each.matches(response)), None)


def find_host_check(response: ServerResponse | None) -> _Protection | None:
    """Return the check of Host that sent a response, or None."""
    return next((each for each in _HOSTS if response and each.matches(response)), None)


def host_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The server refuses the Host of the request, whatever its origin."""
    response = evidence.blocked
    if evidence.question.is_handshake and evidence.responses and not evidence.is_allowed:
        response = evidence.responses[-1]
    check = find_host_check(response)
    if response and check:
        yield Finding(
            "host-not-allowed",
            f"{_subject(check)} refuses the {_kind(evidence)} with {response.status} because of its Host,"
            f" {_received_host(response)!r}. The origin is not the cause.",
            check.remedy.format(host=_received_host(response)),
            policy=_host_policy(response) if check.library == OURS else PolicyRemedy(),
        )


def forged_request_refused(evidence: Evidence) -> Iterator[Finding]:
    """The server refuses the request as one that another site has forged, and the refusal has no CORS headers."""
    response = evidence.blocked
    protection = find_forged(response)
    if response and protection and evidence.code == "MissingAllowOriginHeader":
        yield Finding(
            "forged-request-refused",
            f"{_subject(protection)} refuses the {response.request.method} with {response.status}, because another site"
            " may have forged it. The refusal has no CORS headers, so the page can't even read it.",
            _remedy(protection, evidence),
            policy=_policy(evidence),
        )


def forged_request_readable(evidence: Evidence) -> Iterator[Finding]:
    """The page may read the response, but that is a refusal: the server takes the request for a forged one."""
    response = evidence.main_responses[-1] if evidence.main_responses and evidence.is_allowed else None
    protection = find_forged(response)
    if response and protection:
        yield Finding(
            "forged-request-refused",
            f"The page may read the response, but it is a refusal: {_subject(protection, at_start=False)} refuses the"
            f" {response.request.method} with {response.status}, because another site may have forged it.",
            _remedy(protection, evidence),
            policy=_policy(evidence, csrf_trusted_origins=[evidence.question.origin]),
        )


def _policy(evidence: Evidence, **options: list[str]) -> PolicyRemedy:
    """Return the options that let the page send the request and read the response; none for the origin `null`."""
    is_opaque = evidence.question.origin == "null"
    return PolicyRemedy() if is_opaque else allow_origins(evidence, csrf_protection=True, **options)


def _remedy(protection: _Protection, evidence: Evidence) -> str:
    origin = evidence.question.origin
    if origin == "null":
        return "Serve the page from an origin of its own: it has the origin 'null' now, which no server should trust."
    return protection.remedy.format(origin=origin)


def _subject(protection: _Protection, *, at_start: bool = True) -> str:
    name = f"the csrf_protection of {OURS}" if protection in _FORGED and protection.library == OURS else ""
    name = name or (f"the option allowed_hosts of {OURS}" if protection.library == OURS else protection.library)
    return name[0].upper() + name[1:] if at_start and name.startswith("the ") else name


def _kind(evidence: Evidence) -> str:
    return "preflight" if evidence.is_preflight else KINDS[evidence.exchanges[-1].kind]


def _received_host(response: ServerResponse) -> str:
    """Return the Host that the server received, if its response says so, or else that of the URL."""
    found = re.search(r"The Host received is '([^'\n]*)'", response.text)
    return found[1] if found else response.request.url.netloc.decode("ascii")


def _host_policy(response: ServerResponse) -> PolicyRemedy:
    """Return the change of `allowed_hosts`, and of the proxy if that seems to change Host."""
    received, requested = _received_host(response), response.request.url.netloc.decode("ascii")
    if received != requested:
        return PolicyRemedy(
            advice=f"A proxy changes Host from {requested!r}. Write 'proxy_set_header Host $host' there."
        )
    return PolicyRemedy(advice=host_remedy(received))


RULES: Final = (host_not_allowed, forged_request_refused)
