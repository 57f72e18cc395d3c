"""The logger's records: refusals, failures of users' callables, overridden headers and nested middlewares.

- Each pair of origin and cause is logged once a minute, at most 100 pairs a minute. A summary line counts the others.
- A refusal that looks like a mistake in the configuration is a WARNING, which is printed even if logging is not set up.
  Other refusals are INFO.
- Refusals that any site can cause take at most 50 of the 100 pairs, so that they cannot hide a mistake.
- Values of a request are quoted and truncated, so that they cannot forge a line.
- If a level is off, nothing is formatted or remembered for it. A cached refusal is logged within a minute after its
  level is switched on.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Final

from asgi_cors._decision.callables import call_name
from asgi_cors._decision.decision import (
    CROSS_SITE_REQUEST,
    HOST_NOT_ALLOWED,
    LOOKUP_FAILED,
    POLICY_FAILED,
)
from asgi_cors._routing.paths import mount_pattern

from .refusal_records import (
    ATTRIBUTES,
    HANDSHAKE,
    MAX_LENGTH,
    level_of,
    log_refusal,
    log_report,
    logger,
    may_read,
    printable,
    quote,
    suggestion_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgi_cors._decision.decision import Decision
    from asgi_cors._decision.host import HostSet
    from asgi_cors._decision.request import Request
    from asgi_cors._http import Scope
    from asgi_cors._policy.policy import Policy
    from asgi_cors._routing.rules import InvalidViewError

WINDOW: Final = 60.0  # seconds, in which each pair of origin and cause is logged once
MAX_PAIRS: Final = 100  # per window
MAX_OTHERS: Final = 50  # pairs per window that any site can cause
_MAX_OVERRIDES: Final = 1000  # header names and policies that are remembered
_MAX_ANSWERS: Final = 1000  # callables with a value that is not a bool, which are remembered
_MAX_MOUNTS: Final = 10  # root paths of an inner middleware that are remembered
_MAX_CAUSES: Final = 10  # exceptions that led to another one


# The option of the policy that sets each header.
_OPTIONS: Final = {
    b"access-control-allow-origin": "allow_origins",
    b"access-control-allow-credentials": "allow_credentials",
    b"access-control-expose-headers": "expose_headers",
    b"access-control-allow-methods": "allow_methods",
    b"access-control-allow-headers": "allow_headers",
    b"access-control-max-age": "max_age",
    b"access-control-allow-private-network": "allow_private_network",
}

_FAILURES: Final = (LOOKUP_FAILED, POLICY_FAILED)

Pair = tuple[bytes, str]


class RememberedError(LookupError):
    """A failure that is remembered without its traceback, which would hold the variables of the call.

    Args:
        text: The text.
        error: The failure. The log counts it as the same one.
    """

    def __init__(self, text: str, error: Exception) -> None:
        """Store the text, and the name of the cause's type."""
        super().__init__(text)
        self.cause = _cause_of(error)


def _add_attributes(record: logging.LogRecord) -> bool:
    """Set missing attributes to "", so that a formatter can name them for each record."""
    for name in ATTRIBUTES:
        record.__dict__.setdefault(name, "")
    return True


logger.addFilter(_add_attributes)


class _Throttle:
    """The pairs that were logged within the last minute, and the number of those that were suppressed.

    Args:
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._logged: dict[Pair, tuple[float, bool]] = {}
        self._suppressed = 0
        self._suppressed_at = 0.0
        self._suppressed_level = 0

    def __len__(self) -> int:
        return len(self._logged)

    def log_after(self, pair: Pair) -> float | None:
        """Return the time after which a pair is logged again, or None if it may be logged now."""
        logged = self._logged.get(pair)
        return logged[0] + WINDOW if logged and self._clock() < logged[0] + WINDOW else None

    def admit(self, pair: Pair, level: int, *, is_reserved: bool) -> bool:
        """Return whether a pair may be logged. If so, remember it, otherwise count it as suppressed.

        Args:
            pair: The origin and the cause.
            level: The level of the record.
            is_reserved: Whether the pair may use the room that other sites cannot take.
        """
        now = self._clock()
        for old, (at, _) in [*self._logged.items()]:  # a copy, because threads share the dict
            if now >= at + WINDOW:
                self._logged.pop(old, None)
        others = sum(not reserved for _, reserved in [*self._logged.values()])
        if len(self._logged) < MAX_PAIRS and (is_reserved or others < MAX_OTHERS):
            logged = now, is_reserved
            return self._logged.setdefault(pair, logged) is logged  # else another thread logs it at this moment
        if not self._suppressed:
            self._suppressed_at = now
        self._suppressed += 1
        self._suppressed_level = max(self._suppressed_level, level)
        return False

    def take_suppressed(self) -> tuple[int, int] | None:
        """Return and reset the number of suppressed pairs and their highest level; None in the minute of the first."""
        if not self._suppressed or self._clock() < self._suppressed_at + WINDOW:
            return None
        taken = self._suppressed, self._suppressed_level
        self._suppressed = self._suppressed_level = 0
        return taken


class Log:
    """The records of one configuration.

    Args:
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing logged."""
        self.clock = clock
        self._next_unpredicted = clock()
        self._refusals = _Throttle(clock)
        self._failures = _Throttle(clock)
        self._overridden: set[tuple[Policy, bytes]] = set()
        self._answers: set[tuple[str, str]] = set()
        self._mounts: set[str] = set()

    def refusal(
        self, policy: Policy, request: Request, decision: Decision, scope: Scope, hosts: HostSet | None = None
    ) -> float | None:
        """Log a refused request. A same-origin one is not logged: browsers let the page read its response.

        Args:
            policy: The policy that serves the request.
            request: The request.
            decision: The refusal.
            scope: The request's scope.
            hosts: The hosts of `allowed_hosts`.

        Returns:
            The time, on the log's clock, after which an identical request is logged again: 0 if it never is, None if
            the response must not be cached.
        """
        if request.same_origin and decision.status is None:
            return 0.0
        if not logger.isEnabledFor(logging.WARNING):
            return self.clock() + WINDOW
        self._log_suppressed()
        kind = HANDSHAKE if scope["type"] == "websocket" else ""
        origin = b"" if decision.reason in _FAILURES else request.origin or b""  # else an outage fills the log
        if decision.reason == HOST_NOT_ALLOWED:
            origin = request.host or b""
        pair = origin[:MAX_LENGTH], f"{kind} {decision.reason} {decision.subject}"[:MAX_LENGTH]
        log_after = self._refusals.log_after(pair)
        if log_after is not None:
            return log_after
        suggestion = suggestion_for(policy, request, decision, hosts)
        level = level_of(policy, request, decision, scope, suggestion)
        if not logger.isEnabledFor(level):
            return self.clock() + WINDOW
        is_reserved = level == logging.WARNING and not policy.compiled.allows_any_origin  # other sites can't cause it
        is_reserved &= decision.reason != HOST_NOT_ALLOWED
        is_reserved &= decision.reason != CROSS_SITE_REQUEST or may_read(policy, request, decision)
        if not self._refusals.admit(pair, level, is_reserved=is_reserved):
            return None
        log_refusal(level, policy, request, decision, scope, suggestion)
        return self.clock() + WINDOW

    def report_only(self, policy: Policy, request: Request, decision: Decision, scope: Scope) -> float | None:
        """Log that the decision of `report_only` differs; see `refusal` for the result.

        Args:
            policy: The policy of `report_only`, or the one whose option has the value `"report"`.
            request: The request.
            decision: The decision that is applied. Its `report_only` is logged.
            scope: The request's scope.
        """
        if not logger.isEnabledFor(logging.WARNING):
            return self.clock() + WINDOW
        self._log_suppressed()
        found = decision.report_only or decision
        pair = (request.origin or b"")[:MAX_LENGTH], f"{decision.report} {found.reason} {found.subject}"[:MAX_LENGTH]
        log_after = self._refusals.log_after(pair)
        if log_after is not None:
            return log_after
        if not self._refusals.admit(pair, logging.WARNING, is_reserved=False):
            return None
        log_report(policy, request, decision, scope)
        return self.clock() + WINDOW

    def replaced(self, previous: Policy, policy: Policy) -> None:
        """Log what another base policy allows or refuses, compared with the previous one."""
        if policy is previous or not logger.isEnabledFor(logging.INFO):
            return
        if difference := previous.diff(policy):
            extra = {"cors_policy": policy.name or ""}
            logger.info("the base policy was replaced: %s", "; ".join(str(difference).splitlines()), extra=extra)

    def failure(self, message: str, error: Exception) -> None:
        """Log an exception of a user's callable, without its traceback, because a request can influence that text."""
        if not logger.isEnabledFor(logging.ERROR):
            return
        self._log_suppressed()
        pair = b"", f"{message}: {_cause_of(error)}"
        if self._failures.log_after(pair) is None and self._failures.admit(pair, logging.ERROR, is_reserved=True):
            last = [*traceback.walk_tb(error.__traceback__)][-1:]
            place = "".join(f" (at {frame.f_code.co_filename}:{line})" for frame, line in last)
            logger.error("%s: %s%s", message, _text_of(error), place)

    def warn_truthy(self, function: Callable[..., object], value: object) -> None:
        """Log, once per callable and type, that a callable returned a truthy value other than True."""
        answer = call_name(function), type(value).__qualname__
        is_known = answer in self._answers or len(self._answers) >= _MAX_ANSWERS
        if is_known or not logger.isEnabledFor(logging.WARNING) or not _is_truthy(value):
            return
        self._answers.add(answer)
        correction = "Return bool(…)."
        message = "%s returned a value of type %s, so the origin is refused: only True allows. %s"
        logger.warning(message, *answer, correction, extra={"cors_remedy": correction})

    def invalid_view(self, error: InvalidViewError) -> None:
        """Log, once per error, that the policy of a view cannot be built."""
        if not error.is_logged:
            error.is_logged = True
            logger.error("%s", " ".join(str(error).splitlines()))  # not quoted: a request cannot influence it

    def unpredicted_view(self, scope: Scope, predicted: object, key: object) -> None:
        """Log, at most once a minute, that the request was served by another view than the predicted one."""
        if logger.isEnabledFor(logging.WARNING) and self.clock() >= self._next_unpredicted:
            self._next_unpredicted = self.clock() + WINDOW
            logger.warning(
                "another view than predicted served %s, so both policies must allow: predicted was %s, %s runs."
                " Does an inner middleware change the path or Host?",
                quote(scope["path"]),
                *(quote(f"{view or 'no view'}") for view in (predicted, key)),
            )

    def warn_overridden(self, name: bytes, policy: Policy, path: str) -> None:
        """Log, once per header name and policy, that the app sets a header that the policy sends.

        Args:
            name: The header's name, in lower case.
            policy: The policy. Policies with equal options count as one, even if `policy_for` builds them per request.
            path: The path of the request.
        """
        is_known = (policy, name) in self._overridden or len(self._overridden) >= _MAX_OVERRIDES
        if is_known or not logger.isEnabledFor(logging.WARNING):
            return
        self._overridden.add((policy, name))
        correction = f"Set it with {_OPTIONS[name]} and remove it from the app."
        message = "the app sets %s itself (first at %s); the policy's value was sent instead. %s"
        extra = {"cors_path": printable(path), "cors_policy": policy.name or "", "cors_remedy": correction}
        logger.warning(message, name.decode(), quote(path), correction, extra=extra)

    def warn_nested(self, scope: Scope, outer_path: str, outer_root_path: str) -> None:
        """Log, once per root path of the inner middleware, that two middlewares serve one request.

        Args:
            scope: The scope that the inner middleware received.
            outer_path: The path that the outer middleware received.
            outer_root_path: The root path of the app that the outer middleware wraps.
        """
        root_path: str = scope.get("root_path", "")
        is_known = root_path in self._mounts or len(self._mounts) >= _MAX_MOUNTS
        if is_known or not logger.isEnabledFor(logging.WARNING):
            return
        self._mounts.add(root_path)
        pattern = mount_pattern({**scope, "path": outer_path}, outer_root_path)
        correction = f"Write paths={{{pattern}: None}} for the outer one, to leave it to the inner one."
        message = "two CORS middlewares serve %s, so both must allow. %s"
        extra = {"cors_path": printable(scope["path"]), "cors_remedy": correction}
        logger.warning(message, quote(scope["path"]), correction, extra=extra)

    def _log_suppressed(self) -> None:
        """Log the number of suppressed refusals, a minute after the first of them."""
        if suppressed := self._refusals.take_suppressed():
            count, level = suppressed
            logger.log(level, "%d more refusals were not logged, because the limit is %d a minute", count, MAX_PAIRS)


def _is_truthy(value: object) -> bool:
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 - such as an array of NumPy
        return True


def _cause_of(error: BaseException) -> str:
    """Return the name of the type of the exception that led to another one, also if it is remembered."""
    for _ in range(_MAX_CAUSES):
        if isinstance(error, RememberedError):
            return error.cause
        if error.__cause__ is None:
            break
        error = error.__cause__
    return type(error).__name__


def _text_of(error: Exception) -> str:
    """Return the type and the text of an exception."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a user's exception may fail in any way
        return f"{name}: (its text can't be shown)"
    if isinstance(error, RememberedError):
        return quote(text)
    return f"{name}: {quote(text)}" if text else name
