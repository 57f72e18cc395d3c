"""Causes that lie between layers, or in credentials: two that send one field, a cache, a redirect to a third origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, ALLOW_ORIGIN
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, FRESH, NOWHERE
from asgi_cors.cli.doctor.recipes import CREDENTIALS, ONCE, VARY, recipe
from asgi_cors.cli.doctor.servers import clue, makers
from asgi_cors.cli.findings import OF_ORIGIN, Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Answer, Evidence

_CACHE_FIELDS: Final = ("age", "x-cache", "cf-cache-status", "x-cache-hits", "x-proxy-cache", "x-cache-status")


def redirected_to_null(evidence: Evidence) -> Finding | None:
    """After a redirect to a third origin the page's origin is `null`."""
    failed = evidence.failed
    if failed is None or evidence.code not in OF_ORIGIN or not evidence.is_redirected:
        return None
    if failed.request.headers.get("origin") != "null" or evidence.question.origin == "null":
        return None
    return Finding(
        "redirected-to-another-origin",
        f"The call is redirected to another origin, {failed.request.url}. From there on browsers send 'Origin: null',"
        " so that no list of origins helps.",
        f"Let the page call {failed.request.url} itself, or pass the request on inside of the server.",
    )


def two_origin_fields(evidence: Evidence) -> Finding | None:
    """Two layers each send the field."""
    answer = evidence.failed
    lines = answer.lines(ALLOW_ORIGIN) if answer else []
    if answer is None or evidence.code not in {"MultipleAllowOriginValues", "AllowOriginMismatch"} or len(lines) < 2:  # noqa: PLR2004 - two
        return None
    return Finding(
        "two-origin-fields",
        f"{len(lines)} layers each send Access-Control-Allow-Origin: {', '.join(map(repr, lines))}. Browsers take one,"
        f" even where both are equal. {_who_sent_which(evidence, answer, lines)}",
        "Let one layer send it: the app, or the proxy before it.",
        recipe(ONCE, answer),
        "leave CORS to the middleware, which replaces what the app set; take it out of the proxy",
    )


def _who_sent_which(evidence: Evidence, answer: Answer, lines: list[str]) -> str:
    """Tell the layers apart: by their order, by what changes with Origin, and by what an unknown path still gets."""
    outer = next((who for who in makers(answer)), "the outer layer")
    told = f"Proxies add theirs last: {lines[-1]!r} comes from {outer}{_quoted(answer)}, {lines[0]!r} from behind it."
    other = evidence.probes.get(ANOTHER_SITE)
    if other is not None and lines[-1] not in other.lines(ALLOW_ORIGIN) and lines[0] in other.lines(ALLOW_ORIGIN):
        told += f" {lines[0]!r} stays the same for every origin, {lines[-1]!r} follows it."
    elif other is not None and lines[-1] in other.lines(ALLOW_ORIGIN) and lines[0] not in other.lines(ALLOW_ORIGIN):
        told += f" {lines[-1]!r} stays the same for every origin, {lines[0]!r} follows it."
    nowhere = evidence.probes.get(NOWHERE)
    if nowhere is not None and len(nowhere.lines(ALLOW_ORIGIN)) == 1:
        told += f" A path that isn't there ({nowhere.status}) gets {nowhere.lines(ALLOW_ORIGIN)[0]!r} alone."
    return told


def _quoted(answer: Answer) -> str:
    return f" ({clue(answer)})" if clue(answer) else ""


def cached_for_another(evidence: Evidence) -> Finding | None:
    """A cache gives out what another origin, or none, was answered."""
    fresh, failed = evidence.probes.get(FRESH), evidence.failed
    if fresh is None or failed is None or evidence.code not in OF_ORIGIN or evidence.is_redirected:
        return None
    if fresh.allowed_origin not in {evidence.question.origin, "*"} or failed.allowed_origin == fresh.allowed_origin:
        return None
    seen = ", ".join(f"{name}: {failed.get(name)}" for name in _CACHE_FIELDS if failed.get(name) is not None)
    was = f"what {failed.allowed_origin!r} was answered" if failed.allowed_origin else "what another was answered"
    return Finding(
        "cached-for-another-origin",
        f"A cache answers with {was}{f' ({seen})' if seen else ''}: asked past it, the server allows this origin."
        + ("" if failed.varies_by_origin else " The answer has no 'Vary: Origin', so the cache can't know."),
        "Send 'Vary: Origin' on every response of this URL, also on those without CORS fields; then empty the cache.",
        recipe(VARY, failed),
        "any policy that names its origins sends it",
    )


def wildcard_with_credentials(evidence: Evidence) -> Finding | None:
    """`*` doesn't serve a call with credentials."""
    if evidence.code != "WildcardOriginNotAllowed":
        return None
    return Finding(
        "wildcard-with-credentials",
        "The answer allows '*', and the call sends credentials: browsers then want the origin itself.",
        f"Send 'Access-Control-Allow-Origin: {evidence.question.origin}' with 'Access-Control-Allow-Credentials: true';"
        " or call without credentials (credentials: 'omit', withCredentials = false).",
        recipe(CREDENTIALS, evidence.failed, origin=evidence.question.origin),
        f"allow_origins=[{evidence.question.origin!r}], allow_credentials=True",
    )


def credentials_not_true(evidence: Evidence) -> Finding | None:
    """Access-Control-Allow-Credentials is there, but isn't `true`."""
    lines = evidence.failed.lines(ALLOW_CREDENTIALS) if evidence.failed else []
    if evidence.code != "InvalidAllowCredentials" or not lines:
        return None
    value, twice = ", ".join(lines), " Two layers send it." if len(lines) > 1 else ""
    return Finding(
        "credentials-not-true",
        f"Access-Control-Allow-Credentials is {value!r}; only 'true', in lower case and once, counts.{twice}",
        "Send 'Access-Control-Allow-Credentials: true'.",
        recipe(CREDENTIALS, evidence.failed, origin=evidence.question.origin),
        "allow_credentials=True",
    )


def credentials_not_allowed(evidence: Evidence) -> Finding | None:
    """The call sends credentials, and the answer doesn't allow them."""
    if evidence.code != "InvalidAllowCredentials":
        return None
    where = "preflight's answer" if evidence.is_preflight else "response"
    return Finding(
        "credentials-not-allowed",
        f"The call sends credentials, and the {where} has no Access-Control-Allow-Credentials.",
        "Send 'Access-Control-Allow-Credentials: true'; or call without credentials.",
        recipe(CREDENTIALS, evidence.failed, origin=evidence.question.origin),
        "allow_credentials=True",
    )


BETWEEN: Final = (redirected_to_null, two_origin_fields, cached_for_another)
OF_CREDENTIALS: Final = (wildcard_with_credentials, credentials_not_true, credentials_not_allowed)
