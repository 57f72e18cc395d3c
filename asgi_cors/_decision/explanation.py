"""A decision told in words to the developer who asks.

Knows how to say things; what is so is decided by `decide` alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asgi_cors import _http
from asgi_cors._origins.origin_set import OriginSet, closest_origin
from asgi_cors._origins.pattern import Pattern, parse_pattern

from . import reasons as _reasons
from .decision import Decision, Outcome, decide
from .remedies import credentials_remedy, remedy
from .request import Request
from .safelist import unsafe_names

if TYPE_CHECKING:
    import re

    from asgi_cors._policy.policy import Policy

ASKED_AT_RUN_TIME: Final = "asked at run time"
_MARKS: Final = {True: "ok", False: "no", None: "??"}


@dataclass(frozen=True, slots=True)
class Step:
    """One check of a request.

    Args:
        check: What is checked: `origin`, `credentials`, `method`, `headers` or `expose`.
        rule: The rule that decided.
        value: What the request holds.
        passed: How it came out; None where only a call at run time can tell.
    """

    check: str
    rule: str
    value: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a browser will do with a request, and why; `str()` is for a person.

    Args:
        request: The request as text.
        allowed: Whether the page may read the response, as far as this middleware decides: an outer one may respond
            first. None if it depends on a callable.
        code: Why not: the name that Chromium's DevTools protocol gives its CorsError, or one of ours.
        steps: Each check, up to the one that failed.
        remedy: The correction to write; empty if the request passes.
    """

    request: str
    allowed: bool | None
    code: str | None
    steps: tuple[Step, ...]
    remedy: str

    def __str__(self) -> str:
        """Say what the browser will do, why, and the line to change."""
        verdicts = {
            True: "as far as this middleware decides, the browser lets the page read the response",
            False: f"the browser blocks it ({self.code})",
            None: "it depends",
        }
        lines = [f"{self.request}: {verdicts[self.allowed]}."]
        lines += (f"  {_MARKS[step.passed]}  {step.check:<11} {step.value}: {step.rule}" for step in self.steps)
        return "\n".join(map(_printable, [*lines, self.remedy] if self.remedy else lines))


def explain(
    policy: Policy,
    method: str,
    origin: str,
    headers: Iterable[str | tuple[str, str]] = (),
    credentials: bool = False,  # noqa: FBT001, FBT002 - reads as the option that it is
) -> Explanation:
    """Tell what a browser will do with a request of a page under `policy`, and why.

    Args:
        policy: The policy that serves it.
        method: The method, as the script writes it.
        origin: The page's origin; `null` for a sandboxed page.
        headers: The request headers that the script sets: names, or pairs of name and value.
        credentials: Whether the script sends credentials (`credentials: "include"`).
    """
    question = _Question(policy, method, origin, headers, credentials=credentials)
    steps: list[Step] = []
    for check in (question.origin_step, question.credentials_step, question.method_step, question.headers_step):
        step = check()
        steps += [step] if step else []
        if step and step.passed is False:
            return Explanation(question.words, False, question.code(step), tuple(steps), question.remedy(step))
    steps.append(question.expose_step())
    return Explanation(question.words, None if None in {s.passed for s in steps} else True, None, tuple(steps), "")


class _Question:
    """One request put to one policy: what `decide` says of it, and the words for each part."""

    def __init__(
        self, policy: Policy, method: str, origin: str, headers: Iterable[str | tuple[str, str]], *, credentials: bool
    ) -> None:
        pairs = [(header, "") if isinstance(header, str) else header for header in headers]
        self.policy, self.rules = policy, policy.compiled
        self.origin, self.credentials = origin, credentials
        self.method = _http.normalize_method(method)
        self.names = unsafe_names(pairs)
        self.preflighted = self.method not in _http.SAFELISTED_METHODS or bool(self.names)
        self.granted: bool | None = True
        self.decision = self._decide()
        with_names = f", headers {', '.join(self.names)}" if self.names else ""
        self.words = f"{self.method} from {origin!r}{', with credentials' if credentials else ''}{with_names}"

    def _decide(self) -> Decision:
        origin = self.origin.encode("utf-8", "surrogatepass")
        request = Request(self.method, origin)
        if self.preflighted:
            names = ",".join(self.names).encode("utf-8", "surrogatepass")
            request = Request("OPTIONS", origin, self.method.encode("utf-8", "surrogatepass"), names)
        decision = decide(self.policy, request)
        if decision.outcome is not Outcome.LOOKUP:
            return decision
        try:
            self.granted = _ask_sync(self.policy, self.origin)
        except Exception:  # noqa: BLE001 - whatever is wrong, a request would be refused
            return decide(self.policy, request, granted=False)._replace(reason=_reasons.LOOKUP_FAILED)
        return decide(self.policy, request, granted=self.granted is not False)

    def origin_step(self) -> Step:
        """Check the origin, and name the entry that decides."""
        value = repr(self.origin)
        if self.decision.reason in _reasons.ORIGIN_REASONS:
            near = closest_origin(self.policy.compiled.origins, self.origin)
            rule = _reasons.REASON_TEXTS[self.decision.reason]
            rule += f". {near}" if near else ""
            return Step("origin", rule, value, False)
        if self.granted is None:
            return Step("origin", ASKED_AT_RUN_TIME, value, None)
        return Step("origin", f"allowed by {_deciding_entry(self.policy, self.origin)}", value, True)

    def credentials_step(self) -> Step | None:
        """Check whether credentials may be sent, where they are."""
        if not self.credentials:
            return None
        allowed = self.rules.credentials
        return Step("credentials", f"allow_credentials is {allowed}", "sent", allowed)

    def method_step(self) -> Step:
        """Check the method, which a preflight asks for where it is not GET, HEAD or POST."""
        if self.method in _http.SAFELISTED_METHODS:
            return Step("method", "every page may send it", self.method, True)
        passed = self.decision.reason not in {_reasons.METHOD_DISALLOWED, _reasons.INVALID_METHOD}
        return Step(
            "method",
            f"allowed are {_listed(self.rules.allows_any_method, self.rules.method_names)}",
            self.method,
            passed,
        )

    def headers_step(self) -> Step | None:
        """Check the headers, where a preflight asks for any."""
        if not self.names:
            return None
        prefixes = (f"{prefix}*" for prefix in self.rules.header_prefixes)
        allowed = _listed(self.rules.allows_any_header, (*self.rules.header_names, *prefixes))
        if self.decision.reason in {_reasons.HEADER_DISALLOWED, _reasons.INVALID_HEADERS}:
            return Step(
                "headers",
                f"allowed are {allowed}",
                self.decision.subject or _reasons.REASON_TEXTS[_reasons.INVALID_HEADERS],
                False,
            )
        return Step("headers", f"allowed are {allowed}", ", ".join(self.names), True)

    def expose_step(self) -> Step:
        """Tell which response headers the script may read beside the safelisted."""
        exposed = self.policy.expose_headers
        rule = (
            "all but Set-Cookie" if exposed == "*" else ", ".join(exposed) or "only the seven that every page may read"
        )
        return Step("expose", rule, "response headers that scripts read", True)

    def code(self, step: Step) -> str:
        """Name the reason as the browser does."""
        preflight = "Preflight" if self.preflighted else ""
        if step.check == "credentials":
            return preflight + ("WildcardOriginNotAllowed" if self.rules.ignores_origin else "InvalidAllowCredentials")
        return self.decision.reason or f"{preflight}MissingAllowOriginHeader"

    def remedy(self, step: Step) -> str:
        """Say what to write so that the step passes."""
        if step.check == "credentials":
            return credentials_remedy(self.policy)
        return remedy(self.policy, self.decision.reason, self.decision.subject, self.origin)


def _printable(text: str) -> str:
    """Escape control characters, so that a value cannot begin a new line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _ask_sync(policy: Policy, origin: str) -> bool | None:
    """Ask the callables that answer at once; None where one has to be awaited and none has allowed."""
    answer: bool | None = False
    for entry in policy.compiled.callables:
        said = entry(origin)
        if inspect.isawaitable(said):
            getattr(said, "close", lambda: None)()  # a coroutine that nobody awaits
            answer = None
        elif said is True:
            return True
    return answer


def _deciding_entry(policy: Policy, origin: str) -> str:
    """Find the entry that allows `origin`."""
    if policy.allow_origins == "*":
        return "'*'"
    if origin in policy.allow_origins:
        return repr(origin)
    for entry in policy.allow_origins:
        parsed = parse_pattern(entry) if isinstance(entry, str) and "*" in entry else None
        if isinstance(parsed, Pattern) and origin in OriginSet((), (parsed,), ()):
            return repr(entry)
    regexes: tuple[re.Pattern[str], ...] = policy.compiled.origins.regexes
    return next((f"the regex {regex.pattern!r}" for regex in regexes if regex.fullmatch(origin)), "a callable")


def _listed(anything: bool, names: Iterable[str]) -> str:  # noqa: FBT001 - internal
    return "all" if anything else ", ".join(sorted(names))
