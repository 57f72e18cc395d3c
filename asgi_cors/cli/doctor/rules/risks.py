"""What is wrong though the call may go through: who else is let in, and what caches and cookies make of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, DOT, DOWNGRADED, NOBODY, NULL, PREFIX, SUFFIX
from asgi_cors.cli.doctor.recipes import VARY, recipe
from asgi_cors.cli.findings import Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Answer, Evidence

_NAMED: Final = "name the origins in full: allow_origins=['https://app.example.com', …]"
_SWITCHING: Final = 101


def _trusting(evidence: Evidence, name: str) -> Answer | None:
    """Give the answer to a probe whose origin is granted credentials."""
    answer = evidence.probes.get(name)
    if answer is None or not evidence.grants(name) or answer.get(ALLOW_CREDENTIALS) != "true":
        return None
    return answer


def lets_in(evidence: Evidence, name: str) -> str:
    """Give the hostile origin that is let in with credentials, and would not be if only any origin were; or empty."""
    answer = _trusting(evidence, name)
    if answer is None or _trusting(evidence, ANOTHER_SITE) is not None:
        return ""
    return answer.request.headers["origin"]


def reflects_any_origin(evidence: Evidence) -> Finding | None:
    """Every origin is echoed, with credentials."""
    answer = _trusting(evidence, ANOTHER_SITE)
    if answer is None:
        return None
    return Finding(
        "reflects-any-origin",
        f"Every origin is let in with credentials ({answer.allowed_origin} was): any site that a user opens reads what"
        " the user may read here.",
        "Send back only origins that are in a list.",
        "",
        _NAMED,
    )


def allows_null(evidence: Evidence) -> Finding | None:
    """`null` is let in with credentials, which every site can be."""
    if evidence.question.origin == "null" or not lets_in(evidence, NULL):
        return None
    return Finding(
        "allows-null",
        "The origin 'null' is let in with credentials: any page gets it by a sandboxed frame.",
        "Take 'null' out of the list.",
        "",
        _NAMED,
    )


def checks_the_beginning(evidence: Evidence) -> Finding | None:
    """The origin is compared by its beginning."""
    hostile = lets_in(evidence, SUFFIX)
    if not hostile:
        return None
    return Finding(
        "compares-by-prefix",
        f"{hostile} is let in with credentials: the check looks only at how an origin begins.",
        "Compare whole origins; a regular expression must match to the end ($, fullmatch).",
        "",
        _NAMED,
    )


def checks_the_end(evidence: Evidence) -> Finding | None:
    """The origin is compared by its end."""
    hostile = lets_in(evidence, PREFIX)
    if not hostile:
        return None
    return Finding(
        "compares-by-suffix",
        f"{hostile} is let in with credentials: the check looks only at how an origin ends.",
        "Compare whole origins; for subdomains the dot belongs to the end that is compared.",
        "",
        _NAMED,
    )


def unescaped_dot(evidence: Evidence) -> Finding | None:
    """A regular expression's dot stands for any character."""
    hostile = lets_in(evidence, DOT)
    if not hostile or lets_in(evidence, PREFIX):
        return None
    return Finding(
        "unescaped-dot",
        f"{hostile} is let in with credentials: a dot in a regular expression stands for any character.",
        r"Write \. for each dot.",
        "",
        _NAMED,
    )


def trusts_http(evidence: Evidence) -> Finding | None:
    """The same host over http is let in with credentials."""
    hostile = lets_in(evidence, DOWNGRADED)
    if not hostile:
        return None
    return Finding(
        "trusts-http",
        f"{hostile} is let in with credentials: whoever is on the user's network can write a page of that origin.",
        "Allow the https origin alone.",
        "",
        _NAMED,
    )


def vary_missing(evidence: Evidence) -> Finding | None:
    """The answer depends on Origin, and doesn't tell caches so."""
    answers = [answer for answer in evidence.mains if answer.allowed_origin not in {None, "*"}]
    nobody = evidence.probes.get(NOBODY)
    other = evidence.probes.get(ANOTHER_SITE)
    if not answers or not _is_cacheable(evidence, answers[-1]) or not _depends(answers[-1], nobody, other):
        return None
    wrong = [(answer, "with this origin") for answer in answers if not answer.varies_by_origin]
    serves_all = nobody is not None and nobody.allowed_origin == "*" and not evidence.question.credentials
    if nobody is not None and nobody.is_ok and not nobody.varies_by_origin and not serves_all:
        wrong.append((nobody, "to a request without Origin"))
    if not wrong:
        return None
    answer, whose = wrong[0]
    return Finding(
        "vary-missing",
        f"Access-Control-Allow-Origin depends on the request's Origin, but the response {whose} has no 'Vary:"
        " Origin': a cache gives one origin's answer to another, which then is blocked.",
        "Send 'Vary: Origin' on every response, also where no CORS field is sent.",
        recipe(VARY, answer),
        "any policy that names its origins sends it",
    )


def _is_cacheable(evidence: Evidence, answer: Answer) -> bool:
    return evidence.question.is_safe and "no-store" not in answer.says("cache-control")


def _depends(answer: Answer, *others: Answer | None) -> bool:
    return any(other is not None and other.allowed_origin != answer.allowed_origin for other in others)


def cookies_not_kept(evidence: Evidence) -> Finding | None:
    """A cookie of the response isn't stored, since it lacks SameSite=None or Secure."""
    if not evidence.question.credentials:
        return None
    for visit in evidence.visits:
        if visit.engine == "webkit":  # it stores no cookies of other sites, whatever their attributes
            continue
        for exchange in visit.exchanges:
            lines = exchange.response.headers.get_list("set-cookie") if exchange.response else []
            for line in lines:
                name = line.partition("=")[0].strip()
                if (
                    name not in visit.stored
                    and "max-age=0" not in line.lower()
                    and "expires=thu, 01 jan 1970" not in line.lower()
                ):
                    return _cookie_lost(name, line)
    return None


def _cookie_lost(name: str, line: str) -> Finding:
    attributes = {part.strip().lower() for part in line.split(";")[1:]}
    missing = [written for written in ("SameSite=None", "Secure") if written.lower() not in attributes]
    return Finding(
        "cookie-not-kept",
        f"The cookie {name!r} isn't kept: the page is on another site, and the cookie lacks"
        f" {' and '.join(missing) or 'what that takes'}.",
        f"Set-Cookie: {name}=…; SameSite=None; Secure (over https); or put page and API on one site.",
    )


def handshake_unguarded(evidence: Evidence) -> Finding | None:
    """A WebSocket is accepted from any site."""
    answer = evidence.probes.get(ANOTHER_SITE)
    if not evidence.question.is_handshake or answer is None or answer.status != _SWITCHING:
        return None
    return Finding(
        "handshake-unguarded",
        "The WebSocket is accepted from any site, and browsers send cookies with every handshake: any page that a user"
        " opens can speak in the user's name.",
        "Look at Origin before the handshake is accepted.",
        "",
        "CORSMiddleware(app, allow_origins=[…]) does it: check_websockets is on",
    )


def needs_local_network_access(evidence: Evidence) -> Finding | None:
    """A public page calls this machine or the local network: Chromium asks the user first."""
    page, target = evidence.spaces
    if page != "public" or target not in {"local", "loopback"}:
        return None
    insecure = evidence.question.origin.startswith("http:")
    blocked = " This page is over http, and is refused without a question." if insecure else ""
    return Finding(
        "needs-local-network-access",
        f"The page is public, the URL is {'this machine' if target == 'loopback' else 'in the local network'}: Chromium"
        f" asks the user for permission first (Local Network Access), and no header changes that.{blocked}",
        "Serve the page over https, and let the user allow it; or serve the page from the same network.",
    )


RISKS: Final = (
    reflects_any_origin,
    allows_null,
    checks_the_beginning,
    checks_the_end,
    unescaped_dot,
    trusts_http,
    vary_missing,
    cookies_not_kept,
    handshake_unguarded,
    needs_local_network_access,
)
