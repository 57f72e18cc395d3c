"""The checks of one request by one policy, each as a step of an explanation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from asgi_cors import _http
from asgi_cors._origins.origin_set import OriginSet
from asgi_cors._origins.pattern import Pattern, parse_pattern
from asgi_cors._policy.presets import PRESETS

from . import decision as _decision
from .callables import GetAnswer, OriginAnswer, closest_allowed, combined_answer
from .decision import Decision, Outcome, decide
from .fetch_metadata import SAFE_METHODS, check_sender, check_trusted
from .remedies import credentials_remedy, remedy
from .request import Request
from .safelist import unsafe_names

if TYPE_CHECKING:
    from asgi_cors._policy.policy import Policy

_CORRECT_CAUSE: Final = "Correct the cause of that error."
_CROSS_SITE: Final = b"cross-site"
_READERS: Final = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Step:
    """One check of a request.

    Args:
        check: The part that is checked: `host`, `policy`, `sender`, `origin`, `enforce`, `credentials`, `method`,
            `headers`, `expose`, `timing`, `embedding` or `report_only`.
        rule: The rule that decided.
        value: The value in the request.
        passed: Whether the check passed; None if it depends on a callable, and for a note.
        is_note: Whether the verdict does not depend on the step, such as that of an option that only reports.
    """

    check: str
    rule: str
    value: str
    passed: bool | None
    is_note: bool = False


class Explainer:
    """The decision on one request, and the text of each check; see `explain_with` for the arguments."""

    def __init__(  # noqa: PLR0913 - the parts of a request
        self,
        get: GetAnswer,
        policy: Policy,
        method: str,
        origin: str,
        headers: Iterable[str | tuple[str, str]],
        *,
        credentials: bool,
        own_origin: bool = False,
        enforce: bool | Literal["report"] = False,
        applies_reports: bool = False,
    ) -> None:
        self._get_answer = get
        self.policy, self.compiled = policy, policy.compiled
        self.origin, self.credentials, self.own_origin = origin, credentials, own_origin
        self._enforce, self._applies_reports = enforce, applies_reports
        self.method = _http.normalize_method(method)
        pairs = [(header, "") if isinstance(header, str) else header for header in headers]
        self.names = unsafe_names(pairs)
        self.preflighted = not own_origin and (self.method not in _http.SAFELISTED_METHODS or bool(self.names))
        self.answer: OriginAnswer | None = None  # of the policy's callables; None if they need not be called
        self.actual = Request(
            self.method,
            self._encoded(origin),
            fetch_site=_CROSS_SITE,
            has_ambient_credentials=credentials or any(map(_is_ambient, pairs)),
        )
        self.decision = self._decide()
        with_names = f", headers {', '.join(self.names)}" if self.names else ""
        self.request = f"{self.method} from {origin!r}{', with credentials' if credentials else ''}{with_names}"

    @staticmethod
    def _encoded(text: str) -> bytes:
        return text.encode("utf-8", "surrogatepass")

    def _decide(self) -> Decision:
        request = self.actual
        if self.preflighted:
            names = self._encoded(",".join(self.names))
            request = Request("OPTIONS", request.origin, self._encoded(self.method), names)
        decision = decide(self.policy, request)
        if decision.outcome is not Outcome.LOOKUP:
            return decision
        self.answer = combined_answer(self.policy, self._serialized_origin, self._get_answer)
        decision = decide(self.policy, request, granted=self.answer.allowed is not False)
        return decision._replace(reason=_decision.LOOKUP_FAILED) if self.answer.failed else decision

    @property
    def _serialized_origin(self) -> str:
        return self.origin.strip(" \t")

    def checks(self) -> Iterable[Callable[[], Step | None]]:
        """Return the checks in their order. A preflight is checked before the request is sent."""
        if self.own_origin:
            return (self.sender_step, self.own_origin_step)
        allowed = (self.origin_step, self.credentials_step, self.method_step, self.headers_step)
        if self.preflighted:
            return (*allowed, self.sender_step)
        return (self.enforce_step, self.sender_step, *allowed)

    def policy_steps(self) -> list[Step]:
        """Return the name of the policy, if it has one."""
        name = self.policy.name
        return [] if name is None else [Step("policy", "it serves the request", repr(name), passed=True)]

    def own_origin_step(self) -> Step:
        """Return that CORS does not apply."""
        return Step("origin", "the page's own origin: browsers apply no CORS", repr(self.origin), passed=True)

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
        presets = self._presets_with([self.method], "methods", self.policy.allow_methods)
        return Step("method", f"{rule}{presets if passed else ''}", self.method, passed)

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
        presets = self._presets_with(self.names, "headers", self.policy.allow_headers)
        return Step("headers", f"{rule}{presets}", ", ".join(self.names), True)

    def _presets_with(self, used: Iterable[str], attribute: str, own: str | tuple[str, ...]) -> str:
        """Return the presets of the policy that allow names which its own list does not have, as text."""
        others = [] if own == "*" else [name for name in used if not _is_listed(name, own)]
        found = [
            repr(preset)
            for preset in self.policy.presets
            if any(_is_listed(name, getattr(PRESETS[preset], attribute)) for name in others)
        ]
        return f", with {'preset' if len(found) == 1 else 'presets'} {', '.join(found)}" if found else ""

    def response_steps(self) -> list[Step]:
        """List the parts of the response that scripts may read, and the resource policy."""
        if self.own_origin:
            return []
        names = b", ".join(value for _, value in self.compiled.expose_headers).decode()
        rule = names or "only the seven that every page may read"
        rule = "all but Set-Cookie" if self.policy.expose_headers == "*" else rule
        steps = [Step("expose", rule, "response headers that scripts read", True)]
        if self.compiled.sends_timing:
            steps.append(Step("timing", "timing_allow_origin is True", "timings that scripts read", True))
        if self.policy.resource_policy:
            rule = _EMBEDDING[self.policy.resource_policy]
            steps.append(Step("embedding", rule, f"resource_policy={self.policy.resource_policy!r}", True))
        return steps

    # -- whether the app runs the request

    def enforce_step(self) -> Step | None:
        """Check whether `enforce` refuses the request before the app runs; None if it does not apply."""
        if not self._enforce or self.decision.reason not in _decision.ORIGIN_REASONS:
            return None
        if self.method not in _READERS and self._is_trusted() is not False:
            return Step("enforce", "csrf_trusted_origins pass", self.method, self._is_trusted())
        refusal = _decision.REASON_TEXTS[self.decision.reason]
        if self._enforce == "report" and not self._applies_reports:
            return Step("enforce", f"'report': would refuse it, because {refusal}", self.method, None, is_note=True)
        return Step("enforce", f"a 403 before the app runs, because {refusal}", self.method, passed=False)

    def sender_step(self) -> Step | None:
        """Check whether the page may send the request; None if `csrf_protection` does not apply."""
        protection = self.compiled.csrf_protection
        if not protection or self.method in SAFE_METHODS:
            return None
        if self.own_origin:
            return Step("sender", "the server's own origin may send it", self.method, passed=True)
        passed = self._may_send()
        if passed is not False:
            return Step("sender", self._sending_rule(), self.method, passed)
        rule = f"{_decision.REASON_TEXTS[_decision.CROSS_SITE_REQUEST]}{self._why_refused()}"
        if protection == "report" and not self._applies_reports:
            return Step("sender", f"'report': would refuse it, because {rule}", self.method, None, is_note=True)
        return Step("sender", rule, self.method, passed=False)

    def _may_send(self) -> bool | None:
        """Return whether `csrf_protection` lets the request pass; None if that depends on a callable."""
        trusted = self._trusted_answer()
        results = {
            check_sender(self.policy, self.actual, decide(self.policy, self.actual, granted=granted), trusted=known)
            is None
            for granted in _possible(self.answer)
            for known in _possible(trusted)
        }
        return results.pop() if len(results) == 1 else None

    def _is_trusted(self) -> bool | None:
        """Return whether `csrf_trusted_origins` trusts the origin; None if that depends on a callable."""
        results = {
            check_trusted(self.policy, self.actual, trusted=known) is None
            for known in _possible(self._trusted_answer())
        }
        return results.pop() if len(results) == 1 else None

    def _trusted_answer(self) -> OriginAnswer | None:
        """Return the answer of the callables among the trusted origins; None if they need not be called."""
        trusting = self.compiled.trusted
        found = check_trusted(self.policy, self.actual)
        if trusting is None or found is None or found.outcome is not Outcome.LOOKUP:
            return None
        return combined_answer(trusting, self._serialized_origin, self._get_answer)

    def _sending_rule(self) -> str:
        """Return why a request passes `csrf_protection`, or the callables on which that depends."""
        if self._is_trusted():
            return "csrf_trusted_origins has the origin"
        if self._may_send() is None:
            answers = [answer.text for answer in (self.answer, self._trusted_answer()) if answer and not answer.allowed]
            return f"depends on the origin: {'; '.join(dict.fromkeys(answers))}"
        if self.compiled.credentials:
            return "allow_origins has the origin, with allow_credentials"
        return "allow_origins has the origin, and the request has neither cookies nor an Authorization except Bearer"

    def _why_refused(self) -> str:
        """Return why an origin of `allow_origins` may not send the request; empty for another origin."""
        if self.origin == "null":
            return ": every site can send the origin 'null'"
        if self.compiled.allows_any_origin:
            return ": '*' in allow_origins trusts no origin"
        if not self.decision.refused and self.actual.has_ambient_credentials:
            return ": the origin may read responses, but not act as the user without allow_credentials"
        return ""

    def reaches_app(self, steps: Iterable[Step], failed: Step | None) -> bool | None:
        """Return whether the app runs the request; None if that depends on a callable.

        Args:
            steps: The checks.
            failed: The check that failed; None if all passed.
        """
        if failed and (self.preflighted or failed.check in {"enforce", "sender"}):
            return False
        deciding = {"origin", "credentials", "method", "headers"} if self.preflighted else set[str]()
        unknown = [step for step in steps if step.passed is None and not step.is_note]
        if any(step.check in deciding | {"enforce", "sender"} for step in unknown):
            return None
        is_enforced = self._enforce is True or (bool(self._enforce) and self._applies_reports)
        return None if is_enforced and unknown else True

    def code_and_remedy(self, step: Step) -> tuple[str, str]:
        """Return the browser's code for a check that failed, and the correction to write."""
        preflight = "Preflight" if self.preflighted else ""
        if step.check == "credentials":
            code = "WildcardOriginNotAllowed" if self.compiled.ignores_origin else "InvalidAllowCredentials"
            return f"{preflight}{code}", credentials_remedy(self.policy)
        if step.check == "sender":
            code = _decision.CROSS_SITE_REQUEST
            sending = remedy(self.policy, code, "", self.origin)
            may_read = self.decision.refused and sending.endswith("to csrf_trusted_origins.")
            reading = " To let it read the response as well, add it to allow_origins." if may_read else ""
            return code, f"{sending}{reading}"
        if self.answer and self.answer.failed:
            return _decision.LOOKUP_FAILED, _CORRECT_CAUSE
        reason = self.decision.reason or f"{preflight}{_decision.MISSING_ALLOW_ORIGIN}"
        return reason, remedy(self.policy, self.decision.reason, self.decision.subject, self.origin)


_EMBEDDING: Final = {
    "same-origin": "other origins can't embed the response without CORS",
    "same-site": "other sites can't embed the response without CORS",
    "cross-origin": "every page can embed the response",
}


def _possible(answer: OriginAnswer | None) -> tuple[bool | None, ...]:
    """Return the possible results of callables: None if they are not called."""
    if answer is None:
        return (None,)
    return (True, False) if answer.allowed is None else (answer.allowed,)


def _is_ambient(header: tuple[str, str]) -> bool:
    """Return whether a script's header is an Authorization that browsers may also add by themselves."""
    name, value = header
    return name.lower() == "authorization" and value != "" and not value.lower().startswith("bearer ")


def _is_listed(name: str, names: str | Iterable[str]) -> bool:
    """Return whether a list has a name, or a prefix of it that ends in `*`; letter case does not count."""
    lowered = name.lower()
    return any(lowered == each.lower() or (each[-1] == "*" and lowered.startswith(each[:-1].lower())) for each in names)


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
