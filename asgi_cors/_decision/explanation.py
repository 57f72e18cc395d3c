"""A decision as text, for developers: each check of a request, the verdict, and the correction.

The verdict is that of `decide` and `check_sender`. Two questions are answered: whether the page may read the response,
and whether the app runs the request. A page may send some requests whose response it may not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from . import decision as _decision
from .callables import GetAnswer, get_answer
from .explainer import Explainer, Step
from .host import HostSet
from .remedies import host_remedy
from .request import Request, is_server_origin

if TYPE_CHECKING:
    from asgi_cors._policy.policy import Policy

_SYMBOLS: Final = {True: "ok", False: "no", None: "??"}
_REFUSED_BY_MIDDLEWARE: Final = {"host", "sender", "enforce"}  # checks


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict of a browser on a request, and its reasons. `str()` describes both.

    Args:
        request: The request as text.
        allowed: Whether the page may read the response, as far as this middleware decides: an outer one may respond
            first. None if it depends on a callable, or on a Host that is not given.
        code: The code of the refusal: the name of a CorsError in Chromium's DevTools protocol, or one of ours. None if
            the request passes.
        steps: Each check, up to the one that failed, and notes on options that only report.
        remedy: The correction to write; empty if the request passes.
        reaches_app: Whether the app runs the request, even if the page may not read the response; None if it depends.
    """

    request: str
    allowed: bool | None
    code: str | None
    steps: tuple[Step, ...]
    remedy: str
    reaches_app: bool | None = None

    @property
    def verdict(self) -> str:
        """The verdict as text, without the code."""
        if self.allowed is None:
            return "it depends"
        if self.allowed:
            return "as far as this middleware decides, the browser lets the page read the response"
        if any(step.check in _REFUSED_BY_MIDDLEWARE and step.passed is False for step in self.steps):
            return "the middleware refuses it, and the app never runs it"
        if self.reaches_app:
            return "the browser blocks the response, but the app runs the request"
        return "the browser blocks it"

    def __str__(self) -> str:
        """Return the verdict, the checks and the line to change."""
        code = f" ({self.code})" if self.code else ""
        lines = [f"{self.request}: {self.verdict}{code}."]
        lines += (f"  {_symbol(step)}  {step.check:<11} {step.value}: {step.rule}" for step in self.steps)
        return "\n".join(map(_printable, [*lines, self.remedy] if self.remedy else lines))


def explain(  # noqa: PLR0913 - the parts of a request
    policy: Policy,
    method: str,
    origin: str,
    headers: Iterable[str | tuple[str, str]] = (),
    credentials: bool = False,  # noqa: FBT001, FBT002 - reads as the option that it is
    *,
    host: str | None = None,
) -> Explanation:
    """Explain whether a browser lets a page read the response to a request, and why.

    Args:
        policy: The policy that serves the request.
        method: The method, as the script spells it.
        origin: The page's origin; `null` for a sandboxed page.
        headers: The request headers that the script sets: names, or pairs of name and value.
        credentials: Whether the script sends credentials (`credentials: "include"`).
        host: The value of Host; None for another host than the page's.
    """
    own_origin = is_own_origin(origin, host)
    return explain_with(get_answer, policy, method, origin, headers, credentials=credentials, own_origin=own_origin)


def is_own_origin(origin: str, host: str | None) -> bool:
    """Return whether a page's origin is the server's own, by Host."""
    value = None if host is None else host.encode("utf-8", "surrogatepass")
    return is_server_origin(Request("GET", host=value), origin.encode("utf-8", "surrogatepass"))


def explain_with(  # noqa: PLR0913 - the parts of a request
    get: GetAnswer,
    policy: Policy,
    method: str,
    origin: str,
    headers: Iterable[str | tuple[str, str]] = (),
    *,
    credentials: bool = False,
    own_origin: bool = False,
    enforce: bool | Literal["report"] = False,
    applies_reports: bool = False,
) -> Explanation:
    """Explain a request as `explain` does.

    Args:
        get: Returns the answer of each callable of the policy.
        policy: The policy that serves the request.
        method: The method, as the script spells it.
        origin: The page's origin.
        headers: The request headers that the script sets.
        credentials: Whether the script sends credentials.
        own_origin: Whether the page's origin is the server's own.
        enforce: The middleware's option.
        applies_reports: Whether the value `"report"` of an option counts as True.
    """
    explainer = Explainer(
        get,
        policy,
        method,
        origin,
        headers,
        credentials=credentials,
        own_origin=own_origin,
        enforce=enforce,
        applies_reports=applies_reports,
    )
    steps = explainer.policy_steps()
    failed: Step | None = None
    for check in explainer.checks():
        step = check()
        steps += [step] if step else []
        if step and step.passed is False:
            failed = step
            break
    reaches_app = explainer.reaches_app(steps, failed)
    if failed is not None:
        code, correction = explainer.code_and_remedy(failed)
        return Explanation(explainer.request, False, code, tuple(steps), correction, reaches_app)
    steps += explainer.response_steps()
    is_certain = all(step.passed is not None or step.is_note for step in steps)
    return Explanation(explainer.request, True if is_certain else None, None, tuple(steps), "", reaches_app)


def explain_host(hosts: HostSet | None, host: str | None) -> tuple[Step, str] | None:
    """Return the check of `allowed_hosts`, and the correction if it fails; None if every host is allowed."""
    if hosts is None:
        return None
    if host is None:
        return Step("host", "depends on the Host header (allowed_hosts)", "not given", None), ""
    value = host.encode("utf-8", "surrogatepass")
    if hosts.allows(value):
        return Step("host", "allowed_hosts has it", repr(host), passed=True), ""
    closest = hosts.closest(value)
    suggestion = f". Did you mean {closest!r}?" if closest else ""
    rule = _decision.REASON_TEXTS[_decision.HOST_NOT_ALLOWED]
    return Step("host", f"{rule}{suggestion}", repr(host), passed=False), host_remedy(host)


def with_host(explanation: Explanation, checked: tuple[Step, str] | None) -> Explanation:
    """Return an explanation with the check of `allowed_hosts`, which comes before all others."""
    if checked is None:
        return explanation
    step, correction = checked
    if step.passed is False:
        code = _decision.HOST_NOT_ALLOWED
        return Explanation(explanation.request, False, code, (step,), correction, reaches_app=False)
    found = replace(explanation, steps=(step, *explanation.steps))
    if step.passed:
        return found
    return replace(found, allowed=found.allowed and None, reaches_app=found.reaches_app and None)


def strictest(explanations: Sequence[Explanation]) -> Explanation:
    """Return the explanation that counts if several policies serve a request: one refusal suffices."""
    order = {False: 0, None: 1, True: 2}
    return min(explanations, key=lambda one: (order[one.allowed], order[one.reaches_app]))


def with_report_only(found: Explanation, other: Explanation) -> Explanation:
    """Return an explanation with a note if the policy of `report_only` allows or refuses what this one does not.

    Args:
        found: The explanation by the policy in force.
        other: That by the policy of `report_only`.
    """
    if None in {found.allowed, other.allowed}:
        note = "depends on a callable"
    elif (found.allowed, found.reaches_app) == (other.allowed, other.reaches_app):
        return found
    elif other.allowed or (not found.allowed and other.reaches_app):
        note = "would allow it"
    else:
        note = f"would refuse it ({other.code})"
    step = Step("report_only", f"{note}, and only the log says so", "the other policy", None, is_note=True)
    return replace(found, steps=(*found.steps, step))


def _symbol(step: Step) -> str:
    return "--" if step.is_note else _SYMBOLS[step.passed]


def _printable(text: str) -> str:
    """Escape control characters, so that a value cannot begin a new line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
