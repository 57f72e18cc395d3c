"""A decision as text, and the correction of a refusal, for developers.

The verdict is that of `decide`. `Policy` accepts every proposed correction, and a correction allows no more than the
refused request needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors._errors import OptionIssues
from asgi_cors._origins.origin import FROM_NULL, OVER_HTTP, is_loopback, parse_origin
from asgi_cors._origins.origin_set import OriginSet
from asgi_cors._origins.pattern import Pattern, parse_pattern
from asgi_cors._policy.options import parse_origins
from asgi_cors._policy.risks import check_credentials

from . import decision as _decision
from .callables import GetAnswer, OriginAnswer, closest_allowed, combined_answer, get_answer, source_remedy
from .decision import Decision, Outcome, decide
from .request import Request
from .safelist import unsafe_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgi_cors._policy.policy import Policy

_SYMBOLS: Final = {True: "ok", False: "no", None: "??"}

_MAX_ENTRIES: Final = 3  # of a policy, in a correction
_MAX_NAMES: Final = 8  # in a list that a correction repeats
_MAX_LENGTH: Final = 100  # characters of a name or origin that a correction repeats

_CORRECT_CAUSE: Final = "Correct the cause of that error."
_SEE_LOG: Final = "Correct the error that the logger asgi_cors reports for it."
_REMEDIES: Final[Mapping[str | None, str]] = {
    _decision.INVALID_METHOD: "No browser sends this. Correct the client.",
    _decision.INVALID_HEADERS: "Send fewer request headers, each with a valid name.",
    _decision.AMBIGUOUS_PATH: "Request the path exactly as its rule spells it.",
    _decision.LOOKUP_FAILED: _SEE_LOG,
    _decision.POLICY_FAILED: _SEE_LOG,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One check of a request.

    Args:
        check: The part that is checked: `origin`, `credentials`, `method`, `headers` or `expose`.
        rule: The rule that decided.
        value: The value in the request.
        passed: Whether the check passed; None if it depends on a callable.
    """

    check: str
    rule: str
    value: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict of a browser on a request, and its reasons. `str()` describes both.

    Args:
        request: The request as text.
        allowed: Whether the page may read the response, as far as this middleware decides: an outer one may respond
            first. None if it depends on a callable.
        code: The code of the refusal: the name of a CorsError in Chromium's DevTools protocol, or one of ours. None if
            the request passes.
        steps: Each check, up to the one that failed.
        remedy: The correction to write; empty if the request passes.
    """

    request: str
    allowed: bool | None
    code: str | None
    steps: tuple[Step, ...]
    remedy: str

    def __str__(self) -> str:
        """Return the verdict, the checks and the line to change."""
        verdicts = {
            True: "as far as this middleware decides, the browser lets the page read the response",
            False: f"the browser blocks it ({self.code})",
            None: "it depends",
        }
        lines = [f"{self.request}: {verdicts[self.allowed]}."]
        lines += (f"  {_SYMBOLS[step.passed]}  {step.check:<11} {step.value}: {step.rule}" for step in self.steps)
        return "\n".join(map(_printable, [*lines, self.remedy] if self.remedy else lines))


def explain(
    policy: Policy,
    method: str,
    origin: str,
    headers: Iterable[str | tuple[str, str]] = (),
    credentials: bool = False,  # noqa: FBT001, FBT002 - reads as the option that it is
) -> Explanation:
    """Explain whether a browser lets a page read the response to a request, and why.

    Args:
        policy: The policy that serves the request.
        method: The method, as the script spells it.
        origin: The page's origin; `null` for a sandboxed page.
        headers: The request headers that the script sets: names, or pairs of name and value.
        credentials: Whether the script sends credentials (`credentials: "include"`).
    """
    return explain_with(get_answer, policy, method, origin, headers, credentials=credentials)


def explain_with(  # noqa: PLR0913 - the parts of a request
    get: GetAnswer,
    policy: Policy,
    method: str,
    origin: str,
    headers: Iterable[str | tuple[str, str]] = (),
    *,
    credentials: bool = False,
) -> Explanation:
    """Explain a request as `explain` does; `get` returns the answer of each callable of the policy."""
    explainer = _Explainer(get, policy, method, origin, headers, credentials=credentials)
    steps: list[Step] = []
    for check in (explainer.origin_step, explainer.credentials_step, explainer.method_step, explainer.headers_step):
        step = check()
        steps += [step] if step else []
        if step and step.passed is False:
            code, correction = explainer.code_and_remedy(step)
            return Explanation(explainer.request, False, code, tuple(steps), correction)
    steps.append(explainer.expose_step())
    allowed = None if None in {step.passed for step in steps} else True
    return Explanation(explainer.request, allowed, None, tuple(steps), "")


class _Explainer:
    """The decision on one request, and the text of each check."""

    def __init__(  # noqa: PLR0913 - the parts of a request
        self,
        get: GetAnswer,
        policy: Policy,
        method: str,
        origin: str,
        headers: Iterable[str | tuple[str, str]],
        *,
        credentials: bool,
    ) -> None:
        self._get_answer = get
        self.policy, self.compiled = policy, policy.compiled
        self.origin, self.credentials = origin, credentials
        self.method = _http.normalize_method(method)
        self.names = unsafe_names((header, "") if isinstance(header, str) else header for header in headers)
        self.preflighted = self.method not in _http.SAFELISTED_METHODS or bool(self.names)
        self.answer: OriginAnswer | None = None  # of the policy's callables; None if they need not be called
        self.decision = self._decide()
        with_names = f", headers {', '.join(self.names)}" if self.names else ""
        self.request = f"{self.method} from {origin!r}{', with credentials' if credentials else ''}{with_names}"

    def _decide(self) -> Decision:
        method, names, origin = (
            text.encode("utf-8", "surrogatepass") for text in (self.method, ",".join(self.names), self.origin)
        )
        request = Request("OPTIONS", origin, method, names) if self.preflighted else Request(self.method, origin)
        decision = decide(self.policy, request)
        if decision.outcome is not Outcome.LOOKUP:
            return decision
        self.answer = combined_answer(self.policy, self._serialized_origin, self._get_answer)
        decision = decide(self.policy, request, granted=self.answer.allowed is not False)
        return decision._replace(reason=_decision.LOOKUP_FAILED) if self.answer.failed else decision

    @property
    def _serialized_origin(self) -> str:
        return self.origin.strip(" \t")

    def origin_step(self) -> Step:
        """Check the origin, and name the entry that decides."""
        value = repr(self.origin)
        if self.decision.reason in _decision.ORIGIN_REASONS:
            how = f": {self.answer.text}" if self.answer else ""
            closest = closest_allowed(self.policy, self.origin)
            suggestion = f". {closest}" if closest else ""
            return Step("origin", f"{_decision.REASON_TEXTS[self.decision.reason]}{how}{suggestion}", value, False)
        if self.answer:
            return Step("origin", self.answer.text, value, self.answer.allowed)
        return Step("origin", f"allowed by {_deciding_entry(self.policy, self._serialized_origin)}", value, True)

    def credentials_step(self) -> Step | None:
        """Check whether credentials may be sent; None if the request has none."""
        allowed = self.compiled.credentials
        return Step("credentials", f"allow_credentials is {allowed}", "sent", allowed) if self.credentials else None

    def method_step(self) -> Step:
        """Check the method. A preflight requests every method except GET, HEAD and POST."""
        if self.method in _http.SAFELISTED_METHODS:
            return Step("method", "every page may send it", self.method, True)
        passed = self.decision.reason not in {_decision.METHOD_DISALLOWED, _decision.INVALID_METHOD}
        rule = _list_allowed(self.compiled.method_names, everything=self.compiled.allows_any_method)
        return Step("method", rule, self.method, passed)

    def headers_step(self) -> Step | None:
        """Check the headers that a preflight requests; None if it requests none."""
        if not self.names:
            return None
        prefixes = (f"{prefix}*" for prefix in self.compiled.header_prefixes)
        names = (*self.compiled.header_names, *prefixes)
        rule = _list_allowed(names, everything=self.compiled.allows_any_header)
        if self.decision.reason in {_decision.HEADER_DISALLOWED, _decision.INVALID_HEADERS}:
            value = self.decision.subject or _decision.REASON_TEXTS[_decision.INVALID_HEADERS]
            return Step("headers", rule, value, False)
        return Step("headers", rule, ", ".join(self.names), True)

    def expose_step(self) -> Step:
        """List the response headers that the script may read, besides the safelisted ones."""
        exposed = self.policy.expose_headers
        rule = ", ".join(exposed) or "only the seven that every page may read"
        rule = "all but Set-Cookie" if exposed == "*" else rule
        return Step("expose", rule, "response headers that scripts read", True)

    def code_and_remedy(self, step: Step) -> tuple[str, str]:
        """Return the browser's code for a check that failed, and the correction to write."""
        preflight = "Preflight" if self.preflighted else ""
        if step.check == "credentials":
            code = "WildcardOriginNotAllowed" if self.compiled.ignores_origin else "InvalidAllowCredentials"
            return f"{preflight}{code}", _credentials_remedy(self.policy)
        if self.answer and self.answer.failed:
            return _decision.LOOKUP_FAILED, _CORRECT_CAUSE
        reason = self.decision.reason or f"{preflight}{_decision.MISSING_ALLOW_ORIGIN}"
        return reason, remedy(self.policy, self.decision.reason, self.decision.subject, self.origin)


def _printable(text: str) -> str:
    """Escape control characters, so that a value cannot begin a new line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _deciding_entry(policy: Policy, origin: str) -> str:
    """Return the string or regular expression that allows `origin`, as text."""
    if policy.allow_origins == "*":
        return "'*'"
    if origin in policy.allow_origins:
        return repr(origin)
    for entry in policy.allow_origins:
        parsed = parse_pattern(entry) if isinstance(entry, str) and "*" in entry else None
        if isinstance(parsed, Pattern) and origin in OriginSet((), (parsed,), ()):
            return repr(entry)
    regexes = policy.compiled.origins.regexes
    return next(f"the regex {regex.pattern!r}" for regex in regexes if regex.fullmatch(origin))


def _list_allowed(names: Iterable[str], *, everything: bool) -> str:
    return f"the policy allows {'all' if everything else ', '.join(sorted(names))}"


# -- corrections


def remedy(policy: Policy, reason: str | None, subject: str, origin: str) -> str:
    """Return the correction of a refusal, as one or two sentences.

    Args:
        policy: The policy that refused the request.
        reason: The code of the refusal.
        subject: The refused method or header; empty if the refusal has another reason.
        origin: The origin of the request.
    """
    if reason == _decision.METHOD_DISALLOWED:
        return _method_remedy(policy, subject)
    if reason == _decision.HEADER_DISALLOWED:
        return _header_remedy(policy, subject)
    if reason == _decision.CREDENTIALS_NOT_ALLOWED:
        return _credentials_remedy(policy)
    return _REMEDIES.get(reason) or _origin_remedy(policy, origin)


def _credentials_remedy(policy: Policy) -> str:
    named = " and name the origins, because '*' is refused with it" if policy.compiled.allows_any_origin else ""
    unsafe = "" if named else _unsafe_with_credentials(policy)
    exposed = "" if policy.expose_headers != "*" else " Name the headers in expose_headers, too, instead of '*'."
    return f"Write allow_credentials=True{named or unsafe}.{exposed}"


def _unsafe_with_credentials(policy: Policy) -> str:
    """Return the entries to replace, because `Policy` refuses them with `allow_credentials`; "" if there are none."""
    issues = OptionIssues("allow_origins")
    origins = parse_origins(policy.allow_origins, policy.allow_origin_regex, issues)
    check_credentials(origins, policy.dangerously_allow, issues)
    values = list(dict.fromkeys(repr(issue.value) for issue in issues.errors))
    more = f" and {len(values) - _MAX_ENTRIES} more" if len(values) > _MAX_ENTRIES else ""
    listed = f"{', '.join(values[:_MAX_ENTRIES])}{more}"
    return f" and replace {listed} in allow_origins, because it is unsafe with credentials" if values else ""


def _method_remedy(policy: Policy, method: str) -> str:
    upper = method.upper()
    if upper in _http.FORBIDDEN_METHODS:
        return "No browser sends this method. Correct the client."
    if "*" in method:
        return "Use a method without '*' in its name."
    if upper != method and (policy.compiled.allows_method(upper) or upper in _http.KNOWN_METHODS):
        is_allowed = policy.compiled.allows_method(upper)
        addition = "" if is_allowed else f" {_with_name('allow_methods', policy.allow_methods, upper)}"
        return f"Write {upper!r} in the page's script. Methods are case-sensitive.{addition}"
    return _with_name("allow_methods", policy.allow_methods, method)


def _header_remedy(policy: Policy, name: str) -> str:
    if name.encode() in _http.CORS_RESPONSE_HEADERS:
        return "Remove it from the page's request. It is a response header."
    if _http.is_forbidden_header(name):
        return "No browser lets a script set this header. Correct the client."
    if "*" in name:
        return "Use a header without '*' in its name."
    return _with_name("allow_headers", policy.allow_headers, name)


def _with_name(option: str, names: str | tuple[str, ...], name: str) -> str:
    """Return the option's value with one more name, or only the name if the list is long."""
    if len(name) > _MAX_LENGTH:
        return f"Add it to {option}."
    if len(names) > _MAX_NAMES:
        return f"Add {name!r} to {option}."
    return f"Write {option}={[*names, name]!r}."


def _origin_remedy(policy: Policy, origin: str) -> str:
    if origin == "null":
        if policy.allow_credentials and FROM_NULL not in policy.dangerously_allow:
            return "Sandboxed and local pages send 'null'. Serve the page from an origin of its own."
        return "If sandboxed and local pages may read this, add 'null' to allow_origins."
    if parse_origin(origin) is None:
        return "No browser sends this origin. Correct the client."
    if len(origin) > _MAX_LENGTH:
        return "If that page is yours, add its origin to allow_origins."
    pattern = parse_pattern(origin)
    if not isinstance(pattern, Pattern) or not pattern.is_exact:
        return "If that page is yours, allow it by a callable in allow_origins."
    if _is_refused_over_http(policy, pattern):
        secure = f"https://{pattern.host}"
        add = "" if secure in policy.compiled.origins else f", and {_addition(policy, secure)}"
        return f"If that page is yours, serve it over https{add}."
    return f"If that page is yours, {_addition(policy, origin)}."


def _addition(policy: Policy, origin: str) -> str:
    """Return where to add an origin: the list of a source if the policy has one, or else its own."""
    return source_remedy(policy, origin) or f"add {origin!r} to allow_origins"


def _is_refused_over_http(policy: Policy, pattern: Pattern) -> bool:
    """Return whether `Policy` would refuse this origin as a risk with credentials."""
    allowed = not policy.allow_credentials or OVER_HTTP in policy.dangerously_allow
    return not allowed and pattern.scheme == "http" and not is_loopback(pattern.literal_suffix)
