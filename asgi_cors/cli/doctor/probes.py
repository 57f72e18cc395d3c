"""Probes: more requests to the same URL, as other origins, as a sandboxed page, and without Origin.

A probe changes nothing on the server. It is a GET if the question's method is GET or HEAD, and a preflight otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors._origins.origin import registrable_domain

from .evidence import ALLOW_ORIGIN

if TYPE_CHECKING:
    from .evidence import Evidence
    from .question import Question

ATTACKER: Final = "asgi-cors-doctor.example"

# The names of the probes, as the progress shows them.
ANOTHER_SITE: Final = "as another site"
NULL: Final = "as a sandboxed page"
SUFFIX: Final = "as an origin that begins with the page's"
PREFIX: Final = "as an origin that ends with the page's domain"
DOT: Final = "as an origin with a letter instead of a dot"
SUBDOMAIN: Final = "as a subdomain of the page's host"
SIBLING: Final = "as another subdomain of the page's site"
DOWNGRADED: Final = "as the same host over http"
NO_ORIGIN: Final = "without Origin"
OWN_ORIGIN: Final = "as the API's own page"
PLAIN_GET: Final = "with a plain GET"
UNCACHED: Final = "past the caches"
UNKNOWN_PATH: Final = "at an unknown path"

_COMMON_HEADERS: Final = {"accept": "*/*", "user-agent": "asgi-cors doctor"}


def hostile_origins(origin: str) -> dict[str, str]:
    """Return origins that a careless check mistakes for `origin`, by the name of their probe."""
    hostile = {ANOTHER_SITE: f"https://{ATTACKER}"}
    if origin == "null":
        return hostile
    hostile[NULL] = "null"
    scheme, _, authority = origin.partition("://")
    host = httpx.URL(origin).host
    hostile[SUFFIX] = f"{scheme}://{host}.{ATTACKER}"
    if scheme == "https":
        hostile[DOWNGRADED] = f"http://{authority}"
    if host.replace(".", "").isdigit() or "." not in host:
        return hostile
    domain = registrable_domain(host) or host
    hostile[PREFIX] = f"{scheme}://attacker{domain}"
    hostile[DOT] = f"{scheme}://{host.replace('.', 'x', 1)}"
    hostile[SUBDOMAIN] = f"{scheme}://attacker.{authority}"
    hostile[SIBLING] = f"{scheme}://attacker.{domain}"
    return {name: value for name, value in hostile.items() if value != origin}


def build_probes(evidence: Evidence) -> Iterator[tuple[str, httpx.Request]]:
    """Yield the probes that help to explain this evidence, each with its name."""
    question = evidence.question
    if question.is_handshake:
        yield ANOTHER_SITE, _handshake(evidence, f"https://{ATTACKER}")
        if not evidence.is_allowed:
            url = evidence.exchanges[0].request.url
            yield OWN_ORIGIN, _handshake(evidence, f"{url.scheme}://{url.netloc.decode('ascii')}")
            yield NO_ORIGIN, _handshake(evidence, "")
        return
    for name, origin in hostile_origins(question.origin).items():
        yield name, _get(question.url, origin) if question.is_safe else _preflight(question, origin)
    if question.is_safe:
        yield NO_ORIGIN, httpx.Request("GET", question.url, headers=_COMMON_HEADERS)
    if evidence.is_preflight:
        yield PLAIN_GET, _get(question.url, question.origin)
    blocked = evidence.blocked
    if blocked is None:
        return
    if question.is_safe and blocked.is_ok and not evidence.is_preflight:
        uncached = httpx.URL(question.url).copy_merge_params({"asgi-cors-doctor": "1"})
        yield UNCACHED, _get(str(uncached), question.origin)
    if len(blocked.values(ALLOW_ORIGIN)) > 1:
        unknown = httpx.URL(question.url).copy_with(path=f"/{ATTACKER}", query=None)
        yield UNKNOWN_PATH, _get(str(unknown), question.origin)


def _get(url: str, origin: str) -> httpx.Request:
    return httpx.Request("GET", url, headers=_COMMON_HEADERS | {"origin": origin})


def _preflight(question: Question, origin: str) -> httpx.Request:
    headers = _COMMON_HEADERS | {"origin": origin, "access-control-request-method": question.method}
    return httpx.Request("OPTIONS", question.url, headers=headers)


def _handshake(evidence: Evidence, origin: str) -> httpx.Request:
    """Return the handshake with another origin, or without one."""
    first = evidence.exchanges[0].request
    headers = [(name, value) for name, value in first.headers.raw if name.lower() != b"origin"]
    added = [(b"origin", origin.encode())] if origin else []
    return httpx.Request("GET", first.url, headers=[*headers, *added])
