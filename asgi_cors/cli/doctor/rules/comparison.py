"""Facts that a comparison of the blocked response with the probes shows. The rules decide on them.

| comparison | fact |
| --- | --- |
| the same request succeeds without Origin, or as the API's own page | the server refuses this origin |
| both fail, and a preflight allows this origin | the server allows the origin, and its errors lack the headers |
| both fail, and CORS runs (Vary, another origin is allowed, the preflight is refused) | the origin is not in the list |
| both fail, and nothing shows CORS | two causes are open |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.probes import (
    NO_ORIGIN,
    NO_ORIGIN_OPTIONS,
    OWN_ORIGIN,
    PLAIN_GET,
    PREFLIGHT,
    PREFLIGHT_FOR_GET,
    PREFLIGHT_WITHOUT_HEADERS,
    TARGET,
    UNKNOWN_PATH,
    hostile_origins,
)

from .gateways import is_gateway_error
from .refusals import is_crash, raises_builtin, refusal_reason, refused_part
from .rule import SERVER_ERROR

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_ERROR: Final = 400


@dataclass(frozen=True)
class Difference:
    """A response that fails for the page's origin, and one that succeeds for another, or without Origin."""

    failed: ServerResponse
    other: ServerResponse

    @property
    def sentence(self) -> str:
        """The two responses."""
        origin = self.other.request.headers.get("origin")
        who = f"for {origin}" if origin else "without Origin"
        return (
            f"The response to {self.failed.request.method} is {self.failed.status} for this origin, and"
            f" {self.other.status} {who}."
        )

    @property
    def is_certain(self) -> bool:
        """Whether another origin succeeds. A check that fails for every origin may be a crash."""
        return "origin" in self.other.request.headers


def difference_by_origin(evidence: Evidence) -> Difference | None:
    """Return the difference that only Origin makes, or None."""
    pairs = [(failed, other) for failed in _failures(evidence) for other in _others(evidence, failed)]
    found = [Difference(failed, other) for failed, other in pairs if _is_recovered(failed, other)]
    return next(iter(sorted(found, key=lambda difference: not difference.is_certain)), None)


def _failures(evidence: Evidence) -> Iterator[ServerResponse]:
    """Yield the failed responses to the page's origin that can be compared."""
    blocked, probes = evidence.blocked, evidence.probes
    for response in (blocked, probes.get(PREFLIGHT), probes.get(PLAIN_GET)):
        if response and response.status >= _ERROR and not is_gateway_error(response):
            yield response


def _others(evidence: Evidence, failed: ServerResponse) -> Iterator[ServerResponse]:
    """Yield the responses to requests that differ only in Origin."""
    for name in (OWN_ORIGIN, NO_ORIGIN, NO_ORIGIN_OPTIONS):
        other = evidence.probes.get(name)
        if other and other.request.method == failed.request.method and other.request.url == failed.request.url:
            yield other


def _is_recovered(failed: ServerResponse, other: ServerResponse) -> bool:
    """Return whether the other request succeeds. A 404 counts as a success where the first one crashes."""
    if is_gateway_error(other) or is_crash(failed):
        return False
    return other.status < (SERVER_ERROR if failed.status >= SERVER_ERROR else _ERROR)


def names_origin_in_vary(response: ServerResponse | None) -> bool:
    """Return whether Vary lists Origin. `*` says nothing about CORS."""
    return response is not None and "origin" in {name.lower() for name in response.elements("vary")}


def preflight_of_origin(evidence: Evidence) -> ServerResponse | None:
    """Return the response to a preflight of the page: the browser's, or the doctor's."""
    return evidence.preflight or evidence.probes.get(PREFLIGHT)


def allows_page(evidence: Evidence, response: ServerResponse | None) -> bool:
    """Return whether a response allows the page's origin, whatever its status."""
    return response is not None and response.allowed_origin in {evidence.question.origin, "*"}


def is_granted(evidence: Evidence, response: ServerResponse | None) -> bool:
    """Return whether a response is successful, and allows the page's origin."""
    return response is not None and response.is_ok and allows_page(evidence, response)


def allows_origin_on_preflight(evidence: Evidence) -> bool:
    """Return whether the response to a preflight allows the page's origin. It may refuse the method."""
    return allows_page(evidence, preflight_of_origin(evidence))


def grants_preflight(evidence: Evidence) -> bool:
    """Return whether the server grants a preflight to the page's origin."""
    return is_granted(evidence, preflight_of_origin(evidence))


def grants_simpler_preflight(evidence: Evidence) -> str:
    """Return the part of the preflight that the server refuses, "method" or "headers", or ""."""
    if is_granted(evidence, evidence.probes.get(PREFLIGHT_WITHOUT_HEADERS)):
        return "headers"
    return "method" if is_granted(evidence, evidence.probes.get(PREFLIGHT_FOR_GET)) else ""


def another_allowed_origin(evidence: Evidence, method: str = "") -> str:
    """Return an origin of a probe that the server allows, or "".

    Args:
        evidence: The evidence.
        method: The method of the probe, or "" for any.
    """
    names = [OWN_ORIGIN, *hostile_origins(evidence.question.origin)]
    allowed = [evidence.probes[name] for name in names if evidence.allows_probe(name)]
    return next((probe.allowed_origin or "" for probe in allowed if method in {"", probe.request.method}), "")


def sign_of_cors(evidence: Evidence) -> str:
    """Return the fact that shows that CORS runs at this URL and does not allow the page's origin, or ""."""
    blocked, preflight = evidence.blocked, preflight_of_origin(evidence)
    if allows_page(evidence, preflight):
        return ""
    another = another_allowed_origin(evidence)
    reason = "" if preflight and raises_builtin(preflight) else refusal_reason(preflight)
    if another:
        return f"it allows {another}"
    if blocked and blocked.has_cors:
        return "the response has other CORS headers"
    if refused_part(reason) == "origin":
        return f"it refuses a preflight with the reason {reason!r}"
    if names_origin_in_vary(blocked):
        return "the response has 'Vary: Origin'"
    without = evidence.probes.get(NO_ORIGIN)
    if without and without.allowed_origin is not None:
        return f"without Origin, it allows {without.allowed_origin!r}"
    if names_origin_in_vary(without):
        return "the response without Origin has 'Vary: Origin'"
    if preflight and (preflight.has_cors or names_origin_in_vary(preflight)):
        return "the response to a preflight has headers of CORS"
    plain = evidence.probes.get(NO_ORIGIN_OPTIONS)
    if preflight and preflight.is_ok and plain and plain.status >= _ERROR and not is_gateway_error(plain):
        return f"it responds to a preflight ({preflight.status}), but not to OPTIONS without Origin ({plain.status})"
    return ""


def refuses_page_at_target(evidence: Evidence) -> bool:
    """Return whether CORS runs and refuses the page, at a redirect as well as at its target."""
    return bool(sign_of_cors(evidence)) and not allows_page(evidence, evidence.probes.get(TARGET))


def fails_everywhere(evidence: Evidence) -> bool:
    """Return whether the server responds with 5xx to every path and every method, and never says why."""
    names = (OWN_ORIGIN, NO_ORIGIN_OPTIONS, UNKNOWN_PATH)
    responses = [evidence.blocked, *(evidence.probes.get(name) for name in names)]
    return all(
        response and response.status >= SERVER_ERROR and not is_gateway_error(response) and not is_crash(response)
        for response in responses
    )
