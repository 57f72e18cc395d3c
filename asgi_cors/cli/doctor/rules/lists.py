"""Causes in the lists of a preflight: Access-Control-Allow-Methods and Access-Control-Allow-Headers.

A remedy has the whole list: the names that the server allows already, and the refused ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors.cli.doctor.evidence import ALLOW_HEADERS, ALLOW_METHODS
from asgi_cors.cli.doctor.recipes import HEADERS, METHODS, Recipe, recipe
from asgi_cors.cli.findings import Finding
from asgi_cors.cli.policy_lines import PolicyRemedy, accepted_names, policy_line

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import Evidence, ServerResponse

_MALFORMED: Final = {
    "InvalidAllowMethodsPreflightResponse": ALLOW_METHODS,
    "InvalidAllowHeadersPreflightResponse": ALLOW_HEADERS,
}
_OPTIONS: Final = {ALLOW_METHODS: "allow_methods", ALLOW_HEADERS: "allow_headers"}
_RESPONSE_HEADERS: Final = frozenset(name.decode() for name in _http.CORS_RESPONSE_HEADERS)


def list_recipe(response: ServerResponse | None, header: str, names: Iterable[str]) -> Recipe:
    """Return the lines that allow these methods or headers, and no others."""
    joined = ", ".join(names)
    if header == ALLOW_METHODS:
        return recipe(METHODS, response, methods=joined)
    return recipe(HEADERS, response, headers=joined)


def list_remedy(header: str, names: Iterable[str]) -> PolicyRemedy:
    """Return the option of a policy that allows these methods or headers. Names that no policy needs are omitted."""
    option = _OPTIONS[header]
    accepted = [name for name in accepted_names(option, names) if name.lower() != "content-type"]
    return PolicyRemedy(policy_line(**{option: accepted}) if accepted else "")


def with_names(allowed: Iterable[str], added: Iterable[str], *, credentials: bool) -> list[str]:
    """Return a whole list, the old names and the new ones. With credentials, `*` is not a wildcard and is omitted."""
    names = dict.fromkeys([*allowed, *added])
    return [name for name in names if name != "*" or not credentials]


@dataclass(frozen=True)
class _Refusal:
    """The method, or the headers, that a list does not allow."""

    response: ServerResponse
    header: str
    refused: list[str]
    allowed: list[str]
    credentials: bool

    @property
    def sentence(self) -> str:
        """The content of the list."""
        return f"allows {', '.join(self.allowed)}" if self.allowed else f"has no {self.header.title()}"

    def finding(self, name: str, sentence: str, *, added: list[str], before: str = "", advice: str = "") -> Finding:
        """Return the finding that is solved by the old list with more names.

        Args:
            name: The name of the finding.
            sentence: The problem.
            added: The names to add.
            before: A sentence of the remedy, before the list.
            advice: A sentence about the policy.
        """
        names = with_names(self.allowed, added, credentials=self.credentials)
        remedy = f"{before}Send '{self.header.title()}: {', '.join(names)}' in the response to OPTIONS."
        policy = PolicyRemedy(list_remedy(self.header, names).options, advice)
        return Finding(name, sentence, remedy, list_recipe(self.response, self.header, names), policy)


def _refused_method(evidence: Evidence) -> _Refusal | None:
    response = evidence.blocked
    if response is None or evidence.code != "MethodDisallowedByPreflightResponse":
        return None
    method = response.request.headers["access-control-request-method"]
    allowed = response.elements(ALLOW_METHODS)
    return _Refusal(response, ALLOW_METHODS, [method], allowed, evidence.question.credentials)


def _refused_headers(evidence: Evidence) -> _Refusal | None:
    response = evidence.blocked
    if response is None or evidence.code != "HeaderDisallowedByPreflightResponse":
        return None
    listed = response.elements(ALLOW_HEADERS)
    allowed = {name.lower() for name in listed}
    requested = response.request.headers.get("access-control-request-headers", "").split(",")
    refused = [name for name in requested if name not in allowed]
    return _Refusal(response, ALLOW_HEADERS, refused, listed, evidence.question.credentials)


def list_malformed(evidence: Evidence) -> Iterator[Finding]:
    """A list has quotes, brackets, or another separator than a comma."""
    header, response = _MALFORMED.get(evidence.code), evidence.blocked
    if header is None or response is None:
        return
    value = response.get(header) or ""
    bare = value.strip("[]()\"': ").replace("'", "").replace('"', "")
    names = bare.replace(";", ",").replace(",", " ").replace("|", " ").split()
    yield Finding(
        "list-malformed",
        f"{header.title()} is {value!r}. It must be names separated by commas, without quotes and brackets. Browsers"
        " ignore the whole header.",
        f"Send '{header.title()}: {', '.join(names)}'.",
        list_recipe(response, header, names),
        list_remedy(header, names),
    )


def response_header_in_request(evidence: Evidence) -> Iterator[Finding]:
    """The script sends a header of CORS responses, such as Access-Control-Allow-Origin."""
    refusal = _refused_headers(evidence)
    wrong = [name for name in refusal.refused if name in _RESPONSE_HEADERS] if refusal else []
    if refusal is None or not wrong:
        return
    sentence, remedy = _wrong_request_headers(wrong)
    others = [name for name in refusal.refused if name not in wrong]
    if others:
        yield refusal.finding("response-header-in-request", sentence, added=others, before=f"{remedy} ")
    else:
        yield Finding("response-header-in-request", sentence, remedy)


def response_header_sent(evidence: Evidence) -> Iterator[Finding]:
    """The script sends a header of CORS responses, and that is not why the request is blocked."""
    wrong = sorted({name.lower() for name, _ in evidence.question.headers} & _RESPONSE_HEADERS)
    if wrong and not list(response_header_in_request(evidence)):
        yield Finding("response-header-in-request", *_wrong_request_headers(wrong))


def _wrong_request_headers(names: list[str]) -> tuple[str, str]:
    """Return the problem and the remedy of response headers in a request."""
    listed = " and ".join(names)
    kind = "They are response headers" if len(names) > 1 else "It is a response header"
    sentence = (
        f"The script sends {listed} with its request. {kind}: only the server can allow a page. In a request it"
        " allows nothing, and the browser must send a preflight for it."
    )
    return sentence, f"Remove {listed} from the headers in the script. Do not allow it on the server."


def wildcard_list_with_credentials(evidence: Evidence) -> Iterator[Finding]:
    """With credentials, `*` in a list is not a wildcard (Fetch, CORS-preflight fetch)."""
    refusal = _refused_method(evidence) or _refused_headers(evidence)
    if refusal and "*" in refusal.allowed and refusal.credentials:
        yield refusal.finding(
            "wildcard-list-with-credentials",
            f"{refusal.header.title()} is '{', '.join(refusal.allowed)}'. With credentials, '*' is not a wildcard.",
            added=refusal.refused,
            before="Name the allowed ones. ",
        )


def method_in_another_case(evidence: Evidence) -> Iterator[Finding]:
    """The script or the server spells a method in another letter case."""
    refusal = _refused_method(evidence)
    if refusal is None:
        return
    (method,) = refusal.refused
    upper = method.upper()
    match = next((name for name in refusal.allowed if name.upper() == upper), None)
    if match is None:
        return
    sentence = (
        f"The request's method is {method!r}, and the response allows {match!r}. Letter case counts. Browsers convert"
        " only DELETE, GET, HEAD, OPTIONS, POST and PUT to upper case."
    )
    in_script = "" if method == upper else f"In the script write method: '{upper}'."
    if upper in refusal.allowed:
        yield Finding("method-in-another-case", sentence, in_script)
    else:
        allowed = [name for name in refusal.allowed if name.upper() != upper]
        corrected = _Refusal(refusal.response, refusal.header, refusal.refused, allowed, refusal.credentials)
        yield corrected.finding("method-in-another-case", sentence, added=[upper], before=in_script and f"{in_script} ")


def method_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The list does not have the method."""
    refusal = _refused_method(evidence)
    if refusal is None:
        return
    (method,) = refusal.refused
    is_lower = not accepted_names("allow_methods", [method]) and method != method.upper()
    added = method.upper() if is_lower else method
    yield refusal.finding(
        "method-not-allowed",
        f"The preflight requests {method}. Its response {refusal.sentence}.",
        added=[added],
        before=f"In the script write method: '{added}'. " if is_lower else "",
    )


def content_type_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The script sends JSON, and the list does not have content-type."""
    refusal = _refused_headers(evidence)
    if refusal is None or "content-type" not in refusal.refused:
        return
    headers = {name.lower(): value for name, value in reversed(evidence.question.headers)}
    yield refusal.finding(
        "content-type-not-allowed",
        f"The script sends {headers.get('content-type', 'its content type')!r}, which needs permission. content-type"
        f" is not among the allowed headers ({', '.join(refusal.allowed) or 'none'}).",
        added=refusal.refused,
        advice="A policy always allows content-type.",
    )


def header_not_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The list does not have a request header."""
    if refusal := _refused_headers(evidence):
        yield refusal.finding(
            "header-not-allowed",
            f"The script sends {', '.join(refusal.refused)}. The preflight's response {refusal.sentence}.",
            added=refusal.refused,
        )


RULES: Final = (
    list_malformed,
    response_header_in_request,
    wildcard_list_with_credentials,
    method_in_another_case,
    method_not_allowed,
    content_type_not_allowed,
    header_not_allowed,
)
