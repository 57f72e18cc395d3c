"""The same URL asked otherwise: as other sites, as a sandboxed page, as no page at all.

A probe changes nothing on the server: it is a GET where the question is one (or HEAD), else a preflight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors._origins.origin import registrable_domain

if TYPE_CHECKING:
    from .evidence import Evidence
    from .question import Question

ATTACKER: Final = "asgi-cors-doctor.example"

# The names by which the rules find the answers.
ANOTHER_SITE: Final = "as another site"
NULL: Final = "as a sandboxed page"
SUFFIX: Final = "as an origin that goes on after it"
PREFIX: Final = "as an origin that ends like it"
DOT: Final = "as an origin with a letter for a dot"
SUBDOMAIN: Final = "as a subdomain of it"
SIBLING: Final = "as another subdomain of its site"
DOWNGRADED: Final = "as the same host over http"
NOBODY: Final = "without Origin"
PLAIN: Final = "by a plain GET"
FRESH: Final = "past the caches"
NOWHERE: Final = "for a path that is not there"


def hostile_origins(origin: str) -> dict[str, str]:
    """Give the origins that a careless check takes for `origin`."""
    hostile = {ANOTHER_SITE: f"https://{ATTACKER}", NULL: "null"}
    if origin == "null":
        del hostile[NULL]
        return hostile
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


def probes_of(evidence: Evidence) -> Iterator[tuple[str, httpx.Request]]:
    """Give the probes that this evidence asks for."""
    question = evidence.question
    if question.is_handshake:
        yield ANOTHER_SITE, _handshake(evidence, f"https://{ATTACKER}")
        return
    for name, origin in hostile_origins(question.origin).items():
        yield name, _request(question, origin)
    if question.is_safe:
        yield NOBODY, httpx.Request("GET", question.url, headers=_common(None))
    if evidence.is_preflight:
        yield PLAIN, _get(question.url, question.origin)
    failed = evidence.failed
    if failed is None:
        return
    if question.is_safe and failed.is_ok and not evidence.is_preflight:
        fresh = httpx.URL(question.url).copy_merge_params({"asgi-cors-doctor": "1"})
        yield FRESH, _get(str(fresh), question.origin)
    if len(failed.lines("access-control-allow-origin")) > 1:
        yield NOWHERE, _get(str(httpx.URL(question.url).copy_with(path=f"/{ATTACKER}", query=None)), question.origin)


def _request(question: Question, origin: str) -> httpx.Request:
    """Ask as a page of `origin` would: by GET, or by a preflight where that could change something."""
    if question.is_safe:
        return _get(question.url, origin)
    asked = {"access-control-request-method": question.method}
    return httpx.Request("OPTIONS", question.url, headers=_common(origin) | asked)


def _get(url: str, origin: str) -> httpx.Request:
    return httpx.Request("GET", url, headers=_common(origin))


def _common(origin: str | None) -> dict[str, str]:
    return {"accept": "*/*", "user-agent": "asgi-cors doctor"} | ({"origin": origin} if origin is not None else {})


def _handshake(evidence: Evidence, origin: str) -> httpx.Request:
    """Repeat the handshake with another origin."""
    first = evidence.exchanges[0].request
    headers = [(name, value) for name, value in first.headers.raw if name.lower() != b"origin"]
    return httpx.Request("GET", first.url, headers=[*headers, (b"origin", origin.encode())])
