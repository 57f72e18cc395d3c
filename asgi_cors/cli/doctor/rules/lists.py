"""Causes in the lists of a preflight: Access-Control-Allow-Methods and Access-Control-Allow-Headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_HEADERS, ALLOW_METHODS
from asgi_cors.cli.doctor.recipes import HEADERS, METHODS, recipe
from asgi_cors.cli.findings import Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_MALFORMED: Final = {
    "InvalidAllowMethodsPreflightResponse": ALLOW_METHODS,
    "InvalidAllowHeadersPreflightResponse": ALLOW_HEADERS,
}


@dataclass(frozen=True)
class _Refusal:
    """The method, or the headers, that a list does not allow."""

    response: ServerResponse
    header: str
    refused: str
    allowed: list[str]

    @property
    def sentence(self) -> str:
        """The content of the list."""
        return f"allows {', '.join(self.allowed)}" if self.allowed else f"has no {self.header}"

    @property
    def remedy(self) -> str:
        """The list with the refused names added."""
        return f"Send '{self.header}: {', '.join([*self.allowed, self.refused])}'."


def _refused_method(evidence: Evidence) -> _Refusal | None:
    response = evidence.blocked
    if response is None or evidence.code != "MethodDisallowedByPreflightResponse":
        return None
    method = response.request.headers["access-control-request-method"]
    return _Refusal(response, ALLOW_METHODS, method, response.elements(ALLOW_METHODS))


def _refused_headers(evidence: Evidence) -> _Refusal | None:
    response = evidence.blocked
    if response is None or evidence.code != "HeaderDisallowedByPreflightResponse":
        return None
    listed = response.elements(ALLOW_HEADERS)
    allowed = {name.lower() for name in listed}
    requested = response.request.headers.get("access-control-request-headers", "").split(",")
    refused = ", ".join(name for name in requested if name not in allowed)
    return _Refusal(response, ALLOW_HEADERS, refused, listed)


def _recipe(response: ServerResponse, header: str, names: str) -> str:
    return recipe(METHODS if header == ALLOW_METHODS else HEADERS, response, methods=names, headers=names)


def _option(header: str, names: str) -> str:
    return f"{'allow_methods' if header == ALLOW_METHODS else 'allow_headers'}={names.split(', ')!r}"


def list_malformed(evidence: Evidence) -> Iterator[Finding]:
    """A list has quotes, brackets, or another separator than a comma."""
    header, response = _MALFORMED.get(evidence.code), evidence.blocked
    if header is None or response is None:
        return
    value = response.get(header) or ""
    bare = value.strip("[]()\"' ").replace("'", "").replace('"', "")
    names = ", ".join(bare.replace(";", ",").replace(",", " ").replace("|", " ").split())
    yield Finding(
        "list-malformed",
        f"{header} is {value!r}. It must be names separated by commas, without quotes and brackets. Browsers ignore the"
        " whole header.",
        f"Send '{header}: {names}'.",
        _recipe(response, header, names),
        _option(header, names),
    )


def wildcard_list_with_credentials(evidence: Evidence) -> Iterator[Finding]:
    """With credentials, `*` in a list is not a wildcard (Fetch, CORS-preflight fetch)."""
    refusal = _refused_method(evidence) or _refused_headers(evidence)
    if refusal and "*" in refusal.allowed and evidence.question.credentials:
        yield Finding(
            "wildcard-list-with-credentials",
            f"{refusal.header} is '*', which is not a wildcard for a request with credentials.",
            f"Name the allowed ones: '{refusal.header}: {refusal.refused}'.",
            _recipe(refusal.response, refusal.header, refusal.refused),
            _option(refusal.header, refusal.refused),
        )


def method_in_another_case(evidence: Evidence) -> Iterator[Finding]:
    """The script or the server spells a method in another letter case."""
    refusal = _refused_method(evidence)
    if refusal is None:
        return
    upper = refusal.refused.upper()
    match = next((name for name in refusal.allowed if name.upper() == upper), None)
    if match is not None:
        yield Finding(
            "method-in-another-case",
            f"The request's method is {refusal.refused!r}, and the response allows {match!r}. Letter case counts."
            " Browsers convert only DELETE, GET, HEAD, OPTIONS, POST and PUT to upper case.",
            f"In the script write method: '{upper}'. On the server send '{ALLOW_METHODS}: {upper}'.",
            recipe(METHODS, refusal.response, methods=upper),
            f"allow_methods=[{upper!r}]",
        )


def method_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The list does not have the method."""
    if refusal := _refused_method(evidence):
        yield Finding(
            "method-not-allowed",
            f"The preflight requests {refusal.refused}. Its response {refusal.sentence}.",
            refusal.remedy,
            recipe(METHODS, refusal.response, methods=refusal.refused),
            f"allow_methods=[{refusal.refused!r}]",
        )


def content_type_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The script sends JSON, and the list does not have content-type."""
    refusal = _refused_headers(evidence)
    names = refusal.refused.split(", ") if refusal else []
    if refusal is None or "content-type" not in names:
        return
    headers = {name.lower(): value for name, value in reversed(evidence.question.headers)}
    others = [name for name in names if name != "content-type"]
    option = f"allow_headers={others!r}" if others else "any policy that allows the origin suffices"
    yield Finding(
        "content-type-not-allowed",
        f"The script sends {headers.get('content-type', 'its content type')!r}, which needs permission. content-type"
        f" is not among the allowed headers ({', '.join(refusal.allowed) or 'none'}).",
        refusal.remedy,
        recipe(HEADERS, refusal.response, headers=refusal.refused),
        f"content-type is always allowed; {option}",
    )


def header_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The list does not have a request header."""
    if refusal := _refused_headers(evidence):
        yield Finding(
            "header-not-allowed",
            f"The script sends {refusal.refused}. The preflight's response {refusal.sentence}.",
            refusal.remedy,
            recipe(HEADERS, refusal.response, headers=refusal.refused),
            _option(ALLOW_HEADERS, refusal.refused),
        )


RULES: Final = (
    list_malformed,
    wildcard_list_with_credentials,
    method_in_another_case,
    method_not_allowed,
    content_type_not_allowed,
    header_not_allowed,
)
