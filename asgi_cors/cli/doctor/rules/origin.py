"""Causes in the value of Access-Control-Allow-Origin, on a preflight or on the response itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import httpx

from asgi_cors.cli.doctor.evidence import ALLOW_ORIGIN
from asgi_cors.cli.doctor.probes import ANOTHER_SITE, NO_ORIGIN, hostile_origins
from asgi_cors.cli.doctor.recipes import ORIGIN, recipe
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import policy_remedy

from .rule import ORIGIN_CODES, allow_origins

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence

_PROGRAM_VALUES: Final = {
    *("none", "null", "(null)", "true", "false", "undefined", "nil", "[object object]", "origin", "$http_origin"),
    *("all", "any", "self", "nan", "req.http.origin"),
}
# A variable that nothing has replaced: ${ORIGIN}, {{ origin }}, <origin>, %ORIGIN%, process.env.ORIGIN and others.
_PLACEHOLDER: Final = re.compile(
    r"\$\{.*\}|\$\w+|\$\(.*\)|\{\{.*\}\}|\{[\w.]+\}|<\w+>|%\w+%|%\{.*\}\w?|%\[.*\]|#\{.*\}|<%.*%>|@\w+@"
    r"|%\(\w+\)s|^%[sv]$|(?:process\.env|import\.meta\.env|os\.environ)\b.*"
)
_AROUND: Final = "\"'`[](){}<>,; "
_MACHINE: Final = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - an origin, not an address to bind
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_HEADER: Final = "Access-Control-Allow-Origin"
_SEND_MATCHING: Final = (
    "Compare the request's Origin with a list, and send the matching origin back, with Vary: Origin."
)


def _wrong_value(evidence: Evidence) -> str | None:
    """Return the Access-Control-Allow-Origin for which the browser blocks, if the response has one."""
    values = evidence.blocked.values(ALLOW_ORIGIN) if evidence.blocked and evidence.code in ORIGIN_CODES else []
    return values[0] if len(values) == 1 else None


def _finding(evidence: Evidence, name: str, sentence: str, remedy: str) -> Finding:
    """Return a finding that is solved by sending the page's origin."""
    line = recipe(ORIGIN, evidence.blocked, origin=evidence.question.origin)
    return Finding(name, sentence, remedy, line, allow_origins(evidence))


def list_of_origins(evidence: Evidence) -> Iterator[Finding]:
    """The header holds the whole list, perhaps only in the response to a request without Origin."""
    value, other = _wrong_value(evidence), evidence.probes.get(NO_ORIGIN)
    always = other.allowed_origin if other and evidence.code == "MissingAllowOriginHeader" else None
    if value is not None and (re.search(r"[, \t]", value) or value.count("://") > 1):
        sentence = f"{_HEADER} is a list, {value!r}. It must be one origin."
        yield _finding(evidence, "list-of-origins", sentence, _SEND_MATCHING)
    elif always and always != evidence.question.origin in re.split(r"[,;\s]+", always):
        sentence = f"The server compares the origin with the whole text {always!r}. It must be a list of origins."
        yield _finding(evidence, "list-of-origins", sentence, _SEND_MATCHING)


def origin_with_slash(evidence: Evidence) -> Iterator[Finding]:
    """The origin ends in a slash or a path."""
    origin = evidence.question.origin
    responses = [evidence.blocked, evidence.probes.get(NO_ORIGIN)] if evidence.code in ORIGIN_CODES else []
    values = [response.allowed_origin or "" for response in responses if response]
    value = next((value for value in values if value.startswith(f"{origin}/")), None)
    if value is not None:
        sentence = f"The server allows {value!r}, which ends in a slash or a path. An origin has neither."
        yield _finding(evidence, "origin-with-slash", sentence, f"Write {origin!r}.")


def origin_in_quotes(evidence: Evidence) -> Iterator[Finding]:
    """The value has quotes, brackets or a semicolon around it, such as a printed list."""
    value = _wrong_value(evidence)
    is_whole = value is not None and value.strip(_AROUND) in {evidence.question.origin, "*"}
    if value and (value[0] in "\"'`[(<{" or is_whole):
        sentence = f"{_HEADER} is {value!r}, with quotes, brackets or other characters around it."
        yield _finding(evidence, "origin-in-quotes", sentence, f"Send only the origin, {evidence.question.origin!r}.")


def origin_empty(evidence: Evidence) -> Iterator[Finding]:
    """The header is empty, because a variable is not set."""
    if _wrong_value(evidence) == "":
        sentence = f"{_HEADER} is empty. The variable for the origin is not set, or no origin matched."
        remedy = f"Send {evidence.question.origin!r}, or omit the header."
        yield _finding(evidence, "origin-empty", sentence, remedy)


def origin_is_a_word(evidence: Evidence) -> Iterator[Finding]:
    """The header holds a printed value of the program."""
    value = _wrong_value(evidence)
    if value is not None and value.lower() in _PROGRAM_VALUES:
        sentence = f"{_HEADER} is {value!r}, a value of the program and not an origin."
    elif value is not None and _PLACEHOLDER.search(value):
        sentence = f"{_HEADER} is {value!r}. It has the name of a variable, which was not replaced by its value."
    else:
        return
    remedy = f"Send {evidence.question.origin!r} if the origin is allowed, and omit the header otherwise."
    yield _finding(evidence, "origin-is-a-word", sentence, remedy)


def origin_is_a_pattern(evidence: Evidence) -> Iterator[Finding]:
    """The header holds a pattern of the configuration."""
    value = _wrong_value(evidence)
    if value is not None and re.search(r"[*^$\\|]|\(.*\)", value):
        yield Finding(
            "origin-is-a-pattern",
            f"{_HEADER} is the pattern {value!r}. Browsers accept no pattern except a single '*'.",
            "Match the request's Origin with the pattern on the server, and send that origin back, with Vary: Origin.",
            recipe(ORIGIN, evidence.blocked, origin=evidence.question.origin),
            policy_remedy(
                f"A policy refuses {value!r}. Name the origins in full.",
                allow_origins=[value],
                **({"allow_credentials": True} if evidence.question.credentials else {}),
            ),
        )


def origin_without_scheme(evidence: Evidence) -> Iterator[Finding]:
    """The header holds a host only."""
    value = _wrong_value(evidence)
    if value is not None and "://" not in value:
        sentence = f"{_HEADER} is {value!r}. An origin begins with its scheme."
        yield _finding(evidence, "origin-without-scheme", sentence, f"Write {evidence.question.origin!r}.")


def origin_in_another_spelling(evidence: Evidence) -> Iterator[Finding]:
    """The header holds the page's origin in upper case, or with the default port."""
    value, origin = _wrong_value(evidence), evidence.question.origin
    if value is not None and _normalised(value) == _normalised(origin):
        yield _finding(
            evidence,
            "origin-in-another-spelling",
            f"{_HEADER} is {value!r}, and the origin is {origin!r}. Browsers compare byte for byte, in lower case and"
            " without the default port.",
            f"Write {origin!r}, or better send the received Origin back.",
        )


def _normalised(origin: str) -> str:
    lower = origin.lower()
    return lower.removesuffix(_DEFAULT_PORTS.get(lower.partition(":")[0], "/"))


def origin_differs_in_a_part(evidence: Evidence) -> Iterator[Finding]:
    """The allowed origin differs from the page's only in scheme, port, `www.` or the name of this machine."""
    value, origin = _wrong_value(evidence), evidence.question.origin
    if value is None or origin == "null":
        return
    try:
        page, allowed = httpx.URL(origin), httpx.URL(value)
    except httpx.InvalidURL:
        return
    parts = {
        "scheme": (page.scheme, allowed.scheme),
        "port": (str(page.port).lower(), str(allowed.port).lower()),
        "host": (page.host, allowed.host),
    }
    differing = [part for part, (mine, theirs) in parts.items() if mine != theirs]
    is_www = page.host.removeprefix("www.") == allowed.host.removeprefix("www.")
    is_alias = is_www or {page.host, allowed.host} <= _MACHINE
    if len(differing) != 1 or (differing == ["host"] and not is_alias) or evidence.allows_probe(ANOTHER_SITE):
        return
    part = differing[0]
    yield _finding(
        evidence,
        "origin-differs-in-a-part",
        f"{_HEADER} is {value!r}, and the page is {origin!r}. They differ in the {part}: {parts[part][1]}, not"
        f" {parts[part][0]}.",
        f"Allow {origin!r} as well, or open the page at {value!r}.",
    )


def another_origin_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The header holds another origin."""
    value = _wrong_value(evidence)
    if value is None:
        return
    hostile = hostile_origins(evidence.question.origin).get(ANOTHER_SITE)
    other = evidence.probes.get(ANOTHER_SITE)
    is_fixed = other is not None and other.allowed_origin == value != hostile
    always = " for every Origin" if is_fixed else ""
    sentence = f"{_HEADER} is {value!r}{always}, and the page is {evidence.question.origin!r}."
    yield _finding(evidence, "another-origin-allowed", sentence, _SEND_MATCHING)


RULES: Final = (
    origin_is_a_word,
    list_of_origins,
    origin_with_slash,
    origin_in_quotes,
    origin_empty,
    origin_is_a_pattern,
    origin_without_scheme,
    origin_in_another_spelling,
    origin_differs_in_a_part,
    another_origin_allowed,
)
