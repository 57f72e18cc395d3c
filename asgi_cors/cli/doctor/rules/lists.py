"""Causes that lie in the lists of a preflight: Access-Control-Allow-Methods and -Headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgi_cors.cli.doctor.evidence import ALLOW_HEADERS, ALLOW_METHODS
from asgi_cors.cli.doctor.recipes import HEADERS, METHODS, recipe
from asgi_cors.cli.findings import Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Answer, Evidence

_MALFORMED: Final = {
    "InvalidAllowMethodsPreflightResponse": ALLOW_METHODS,
    "InvalidAllowHeadersPreflightResponse": ALLOW_HEADERS,
}


def _refused(evidence: Evidence, code: str, name: str) -> tuple[Answer, str, list[str]] | None:
    """Give answer, what it refuses, and the list, where that blocks."""
    error, answer = evidence.error, evidence.failed
    if error is None or answer is None or evidence.code != code:
        return None
    if name == ALLOW_METHODS:
        return answer, answer.request.headers["access-control-request-method"], answer.listed(name)
    allowed = {element.lower() for element in answer.listed(name)}
    asked = answer.request.headers.get("access-control-request-headers", "").split(",")
    return answer, ", ".join(header for header in asked if header not in allowed), answer.listed(name)


def _method(evidence: Evidence) -> tuple[Answer, str, list[str]] | None:
    return _refused(evidence, "MethodDisallowedByPreflightResponse", ALLOW_METHODS)


def _header(evidence: Evidence) -> tuple[Answer, str, list[str]] | None:
    return _refused(evidence, "HeaderDisallowedByPreflightResponse", ALLOW_HEADERS)


def list_malformed(evidence: Evidence) -> Finding | None:
    """A list is separated by something else than commas, or quoted."""
    name, answer = _MALFORMED.get(evidence.code), evidence.failed
    if name is None or answer is None:
        return None
    value = answer.get(name) or ""
    bare = value.strip("[]()\"' ").replace("'", "").replace('"', "")
    written = ", ".join(part for part in bare.replace(";", ",").replace(",", " ").replace("|", " ").split())
    return Finding(
        "list-malformed",
        f"{name} is {value!r}: its elements are names separated by commas, without quotes and brackets. Browsers drop"
        " the whole field.",
        f"Send '{name}: {written}'.",
        recipe(METHODS if name == ALLOW_METHODS else HEADERS, answer, methods=written, headers=written),
        f"{'allow_methods' if name == ALLOW_METHODS else 'allow_headers'}={written.split(', ')!r}",
    )


def wildcard_list_with_credentials(evidence: Evidence) -> Finding | None:
    """With credentials `*` in a list is a name like any other."""
    found = _method(evidence) or _header(evidence)
    if found is None or "*" not in found[2] or not evidence.question.credentials:
        return None
    answer, refused, _ = found
    is_method = evidence.code.startswith("Method")
    name = ALLOW_METHODS if is_method else ALLOW_HEADERS
    option = "allow_methods" if is_method else "allow_headers"
    return Finding(
        "wildcard-list-with-credentials",
        f"{name} is '*', which doesn't count for a call with credentials.",
        f"Name what is allowed: '{name}: {refused}'.",
        recipe(METHODS if is_method else HEADERS, answer, methods=refused, headers=refused),
        f"{option}={refused.split(', ')!r}",
    )


def method_in_lower_case(evidence: Evidence) -> Finding | None:
    """The script, or the server, writes a method in another case."""
    found = _method(evidence)
    match = next((name for name in found[2] if name.lower() == found[1].lower()), None) if found else None
    if found is None or match is None:
        return None
    return Finding(
        "method-in-another-case",
        f"The call's method is {found[1]!r}, the answer allows {match!r}. Case counts, and browsers upper-case"
        " no others than DELETE, GET, HEAD, OPTIONS, POST and PUT.",
        f"In the script write method: '{found[1].upper()}'; on the server, '{ALLOW_METHODS}: {found[1].upper()}'.",
        recipe(METHODS, found[0], methods=found[1].upper()),
        f"allow_methods=[{found[1].upper()!r}]",
    )


def method_not_allowed(evidence: Evidence) -> Finding | None:
    """The method isn't in the list."""
    found = _method(evidence)
    if found is None:
        return None
    answer, method, listed = found
    told = f"allows {', '.join(listed)}" if listed else f"has no {ALLOW_METHODS}"
    return Finding(
        "method-not-allowed",
        f"The preflight asks for {method}; its answer {told}.",
        f"Send '{ALLOW_METHODS}: {', '.join([*listed, method])}'.",
        recipe(METHODS, answer, methods=method),
        f"allow_methods=[{method!r}]",
    )


def content_type_not_allowed(evidence: Evidence) -> Finding | None:
    """JSON is sent, and content-type isn't in the list."""
    found = _header(evidence)
    if found is None or "content-type" not in found[1].split(", "):
        return None
    answer, refused, listed = found
    sent = next((value for name, value in evidence.question.headers if name.lower() == "content-type"), "its type")
    return Finding(
        "content-type-not-allowed",
        f"The call sends {sent!r}, which pages may not send unasked; content-type isn't among the allowed headers"
        f" ({', '.join(listed) or 'none'}).",
        f"Send '{ALLOW_HEADERS}: {', '.join([*listed, refused])}'.",
        recipe(HEADERS, answer, headers=refused),
        "content-type is always allowed"
        + (
            f"; allow_headers={_others(refused)!r}"
            if _others(refused)
            else "; any policy that allows the origin serves"
        ),
    )


def _others(refused: str) -> list[str]:
    return [name for name in refused.split(", ") if name != "content-type"]


def header_not_allowed(evidence: Evidence) -> Finding | None:
    """A request header isn't in the list."""
    found = _header(evidence)
    if found is None:
        return None
    answer, refused, listed = found
    told = f"allows {', '.join(listed)}" if listed else f"has no {ALLOW_HEADERS}"
    return Finding(
        "header-not-allowed",
        f"The script sends {refused}; the preflight's answer {told}.",
        f"Send '{ALLOW_HEADERS}: {', '.join([*listed, refused])}'.",
        recipe(HEADERS, answer, headers=refused),
        f"allow_headers={refused.split(', ')!r}",
    )


RULES: Final = (
    list_malformed,
    wildcard_list_with_credentials,
    method_in_lower_case,
    method_not_allowed,
    content_type_not_allowed,
    header_not_allowed,
)
