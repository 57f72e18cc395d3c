"""Causes that lie in the value of Access-Control-Allow-Origin, of a preflight or a response."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.doctor.evidence import ALLOW_ORIGIN
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, NOBODY, hostile_origins
from asgi_cors.cli.doctor.recipes import ORIGIN, recipe
from asgi_cors.cli.findings import OF_ORIGIN, Finding

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Answer, Evidence

_WORDS_OF_CODE: Final = {
    "none",
    "null",
    "true",
    "false",
    "undefined",
    "nil",
    "[object object]",
    "origin",
    "$http_origin",
}
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def _value(evidence: Evidence) -> tuple[Answer, str] | None:
    """Give the answer and its wrong Access-Control-Allow-Origin, one line, where that blocks."""
    answer = evidence.failed
    if answer is None or evidence.code not in OF_ORIGIN or len(answer.lines(ALLOW_ORIGIN)) != 1:
        return None
    return answer, answer.lines(ALLOW_ORIGIN)[0]


def _origin_line(evidence: Evidence) -> str:
    return f"allow_origins=[{evidence.question.origin!r}]"


def _finding(evidence: Evidence, name: str, sentence: str, remedy: str) -> Finding:
    """Give a finding whose way out is to send the page's origin."""
    origin = evidence.question.origin
    return Finding(name, sentence, remedy, recipe(ORIGIN, evidence.failed, origin=origin), _origin_line(evidence))


def list_of_origins(evidence: Evidence) -> Finding | None:
    """The whole list is sent in one field."""
    found = _value(evidence)
    if found is None or not re.search(r"[,\s]", found[1]):
        return None
    return _finding(
        evidence,
        "list-of-origins",
        f"Access-Control-Allow-Origin holds a list, {found[1]!r}; it takes one origin.",
        "Compare the request's Origin with the list, and send back that one, with Vary: Origin.",
    )


def origin_with_slash(evidence: Evidence) -> Finding | None:
    """The origin is sent with a slash, or a path, at its end."""
    origin, nobody = evidence.question.origin, evidence.probes.get(NOBODY)
    answers = [evidence.failed, nobody] if evidence.failed and evidence.code in OF_ORIGIN else []
    sent = [answer.allowed_origin or "" for answer in answers if answer is not None]
    written = next((value for value in sent if value.startswith(f"{origin}/")), None)
    if written is None:
        return None
    return _finding(
        evidence,
        "origin-with-slash",
        f"The server allows {written!r}: an origin has no slash and no path at its end.",
        f"Write {origin!r}.",
    )


def origin_in_quotes(evidence: Evidence) -> Finding | None:
    """The value is wrapped in quotes or brackets, as a list printed into the field is."""
    found = _value(evidence)
    if found is None or not found[1] or found[1][0] not in "\"'[(<{":
        return None
    return _finding(
        evidence,
        "origin-in-quotes",
        f"Access-Control-Allow-Origin is {found[1]!r}, quotes or brackets included.",
        f"Send the bare origin, {evidence.question.origin!r}.",
    )


def origin_empty(evidence: Evidence) -> Finding | None:
    """The field is there and empty: a variable that isn't set."""
    found = _value(evidence)
    if found is None or found[1]:
        return None
    return _finding(
        evidence,
        "origin-empty",
        "Access-Control-Allow-Origin is empty: a variable that holds the origin isn't set, or the check found none.",
        f"Send {evidence.question.origin!r}, or leave the field out.",
    )


def origin_is_a_word(evidence: Evidence) -> Finding | None:
    """A value of a program's has been printed into the field."""
    found = _value(evidence)
    if found is None or found[1].lower() not in _WORDS_OF_CODE:
        return None
    return _finding(
        evidence,
        "origin-is-a-word",
        f"Access-Control-Allow-Origin is {found[1]!r}: a value of the program's, not an origin.",
        f"Send {evidence.question.origin!r} where the origin is allowed, and no field where it isn't.",
    )


def origin_is_a_pattern(evidence: Evidence) -> Finding | None:
    """A pattern of the configuration is sent as it is written."""
    found = _value(evidence)
    if found is None or "*" not in found[1]:
        return None
    return Finding(
        "origin-is-a-pattern",
        f"Access-Control-Allow-Origin is the pattern {found[1]!r}; browsers know no patterns but a lone '*'.",
        "Match the request's Origin with the pattern on the server, and send back that origin, with Vary: Origin.",
        recipe(ORIGIN, found[0], origin=evidence.question.origin),
        f"allow_origins=[{found[1]!r}]",
    )


def origin_without_scheme(evidence: Evidence) -> Finding | None:
    """The host stands alone."""
    found = _value(evidence)
    if found is None or "://" in found[1]:
        return None
    return _finding(
        evidence,
        "origin-without-scheme",
        f"Access-Control-Allow-Origin is {found[1]!r}: an origin begins with its scheme.",
        f"Write {evidence.question.origin!r}.",
    )


def origin_in_another_spelling(evidence: Evidence) -> Finding | None:
    """The same origin in upper case, or with the port that its scheme implies."""
    found = _value(evidence)
    if found is None or _spelled(found[1]) != _spelled(evidence.question.origin):
        return None
    return _finding(
        evidence,
        "origin-in-another-spelling",
        f"Access-Control-Allow-Origin is {found[1]!r}, the origin is {evidence.question.origin!r}: browsers compare"
        " byte for byte, in lower case and without the default port.",
        f"Write {evidence.question.origin!r}; best, send back the Origin that was received.",
    )


def _spelled(origin: str) -> str:
    lower = origin.lower()
    return lower.removesuffix(_DEFAULT_PORTS.get(lower.partition(":")[0], "/"))


def origin_differs_in_a_part(evidence: Evidence) -> Finding | None:
    """The allowed origin differs from the page's in scheme, port or `www.`."""
    found = _value(evidence)
    if found is None or evidence.question.origin == "null":
        return None
    try:
        mine, theirs = httpx.URL(evidence.question.origin), httpx.URL(found[1])
    except httpx.InvalidURL:
        return None
    parts = [("scheme", mine.scheme, theirs.scheme), ("port", str(mine.port), str(theirs.port))]
    parts.append(("host", mine.host, theirs.host))
    differing = [(part, a, b) for part, a, b in parts if a != b]
    www = mine.host.removeprefix("www.") == theirs.host.removeprefix("www.")
    if len(differing) != 1 or (differing[0][0] == "host" and not www) or evidence.grants(ANOTHER_SITE):
        return None
    part, a, b = differing[0]
    return _finding(
        evidence,
        "origin-differs-in-a-part",
        f"Access-Control-Allow-Origin is {found[1]!r}, the page is {evidence.question.origin!r}: they differ in the"
        f" {part} ({b.replace('None', 'none')}, not {a.replace('None', 'none')}).",
        f"Allow {evidence.question.origin!r} as well, or open the page at {found[1]!r}.",
    )


def origin_fixed(evidence: Evidence) -> Finding | None:
    """One origin is always sent, and it is another one."""
    found = _value(evidence)
    if found is None:
        return None
    hostile = hostile_origins(evidence.question.origin).get(ANOTHER_SITE)
    other = evidence.probes.get(ANOTHER_SITE)
    fixed = other is not None and other.allowed_origin == found[1] != hostile
    always = ", whatever the request's Origin is" if fixed else ""
    return _finding(
        evidence,
        "another-origin-allowed",
        f"Access-Control-Allow-Origin is {found[1]!r}{always}; the page is {evidence.question.origin!r}.",
        "Compare the request's Origin with the list of those allowed, and send back that one, with Vary: Origin.",
    )


RULES: Final = (
    list_of_origins,
    origin_with_slash,
    origin_in_quotes,
    origin_empty,
    origin_is_a_word,
    origin_is_a_pattern,
    origin_without_scheme,
    origin_in_another_spelling,
    origin_differs_in_a_part,
    origin_fixed,
)
