"""What is logged: refusals, each once a minute and few in all, and fields that the app sets itself.

A refusal that looks like a mistake of set-up is a WARNING, so that it is seen without any logging set-up; the others
are INFO. Everything of the request is written by `repr`, cut, so that it can't forge a line. Where a level is off,
nothing is formatted or remembered for it.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

from . import _reasons
from ._reasons import host_hint
from ._scope import is_same_origin, looks_upstream, read_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._decision import Decision, Request
    from ._policy import Policy
    from ._types import Scope

logger: Final = logging.getLogger("asgi_cors")
root: Final = logging.getLogger()  # whose level holds where `logger` has none of its own

WINDOW: Final = 60.0  # seconds in which a pair of origin and cause is logged once
MOST: Final = 100  # pairs in a window
_CUT: Final = 200  # characters of a value of the request's

# The option of the policy that sends the field.
_OPTIONS: Final = {
    b"access-control-allow-origin": "allow_origins",
    b"access-control-allow-credentials": "allow_credentials",
    b"access-control-expose-headers": "expose_headers",
    b"access-control-allow-methods": "allow_methods",
    b"access-control-allow-headers": "allow_headers",
    b"access-control-max-age": "max_age",
    b"access-control-allow-private-network": "allow_private_network",
}

_OF_SET_UP: Final = (_reasons.LOOKUP_FAILED, _reasons.POLICY_FAILED, _reasons.CREDENTIALS_NOT_ALLOWED)


# How long a refusal needs no new look: while a level is off, and where it is on until a time by the log's clock.
Quiet = tuple[int, float]

_ON: Final = sys.maxsize  # a level that is always on, as long as anything is logged at all
SAME_ORIGIN: Final[Quiet] = (_ON, -1.0)  # as long as the request is same-origin


class Log:
    """What one configuration has logged within the minute.

    Args:
        clock: Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing seen."""
        self.clock = clock
        self._began = clock()
        self._seen: set[tuple[bytes, str]] = set()
        self._left_out = 0

    def refusal(self, policy: Policy, request: Request, decision: Decision, scope: Scope) -> Quiet | None:
        """Log a refused request; tell how long its like need not be looked at again, if at all."""
        if not logger.isEnabledFor(logging.WARNING):
            return logging.WARNING, 0.0
        pair = ((request.origin or b"")[:_CUT], f"{decision.reason} {decision.subject}"[:_CUT])
        if self._is_new(pair):
            level, why = _weigh(policy, request, decision, scope)
            if not logger.isEnabledFor(level):
                return level, 0.0
            self._seen.add(pair)
            shown = _what(request), _shown(request.origin), _shown(scope["path"]), why
            logger.log(level, "refused %s from origin %s at %s: %s", *shown)
        return (_ON, self._began + WINDOW) if pair in self._seen else None

    def is_due(self, level: int, until: float, scope: Scope) -> bool:
        """Tell whether a refusal whose level is on needs a new look."""
        if not logger.isEnabledFor(level):
            return False
        if until == SAME_ORIGIN[1]:
            return not is_same_origin(scope, read_request(scope))
        return self.clock() >= until

    def failure(self, what: str, error: Exception) -> None:
        """Log what a function of the user's has raised; without its traceback, whose text a request can shape."""
        pair = (b"", f"{what}: {type(error).__name__}")
        if logger.isEnabledFor(logging.ERROR) and self._is_new(pair):
            self._seen.add(pair)
            last = [*traceback.walk_tb(error.__traceback__)][-1:]
            place = "".join(f" (at {frame.f_code.co_filename}:{line})" for frame, line in last)
            logger.error("%s: %s: %s%s", what, type(error).__name__, _said(error), place)

    def _is_new(self, pair: tuple[bytes, str]) -> bool:
        """Tell whether there is room for a pair that the minute has not seen; count it where there isn't."""
        if self.clock() - self._began >= WINDOW:
            self._begin()
        if pair in self._seen:
            return False
        if len(self._seen) < MOST:
            return True
        self._left_out += 1
        return False

    def _begin(self) -> None:
        """Begin a new minute, and say how much the last one left out."""
        left_out, self._left_out = self._left_out, 0
        self._began = self.clock()
        self._seen.clear()
        if left_out:
            level = logging.INFO if logger.isEnabledFor(logging.INFO) else logging.WARNING
            logger.log(level, "%d more refusals were not logged: over %d kinds within a minute", left_out, MOST)


def warn_replaced(name: bytes, policy: Policy, path: str) -> None:
    """Say that the app sets a field that the policy sends; once per field and policy."""
    if name not in policy.compiled.warned:
        policy.compiled.warned.add(name)
        option = _OPTIONS[name]
        message = (
            "the app itself sets %s (first seen at %s); the policy decides: write it as %s, and take it out of the app"
        )
        logger.warning(message, name.decode(), _shown(path), option)


def warn_stacked(policy: Policy, path: str) -> None:
    """Say that two middlewares with policies of their own serve one request; once per inner policy."""
    if b"" not in policy.compiled.warned:
        policy.compiled.warned.add(b"")
        prefix = "/" + path.lstrip("/").partition("/")[0]
        message = "two CORS middlewares serve %s, so both must allow: paths={%s: None} outside leaves it to the inner"
        logger.warning(message, _shown(path), _shown(f"{prefix}/*"))


def _weigh(policy: Policy, request: Request, decision: Decision, scope: Scope) -> tuple[int, str]:
    """Tell a mistake of set-up from a stranger: how loud, and what to say."""
    why = f"{_reasons.SENTENCES[decision.reason or _reasons.MISSING_ALLOW_ORIGIN]} ({decision.reason})"
    if decision.subject:
        return logging.WARNING, f"{why}: {_shown(decision.subject)}"
    if decision.reason in _OF_SET_UP:
        return logging.WARNING, why
    if decision.reason not in _reasons.OF_ORIGIN:
        return logging.INFO, why
    host = ""
    if scope["type"] == "websocket":  # where the server may have no way to send the reason
        upstream = looks_upstream(request)
        host = f". {host_hint(request.host or b'', upstream=upstream)}"
        if upstream:
            return logging.WARNING, why + host
    from ._near import nearest  # noqa: PLC0415 - only of a refusal that is logged

    near = nearest(policy, (request.origin or b"")[:_CUT].strip(b" \t").decode("latin-1"))
    if near is None:
        return logging.INFO, why + host
    return logging.WARNING, f"{why}; the nearest allowed is {near.origin!r} (differs: {near.difference}){host}"


def _said(error: Exception) -> str:
    try:
        return _shown(str(error))
    except Exception:  # noqa: BLE001 - an exception whose text can't be had
        return "(it can't be written)"


def _what(request: Request) -> str:
    return f"a preflight for {_shown(request.requested_method)}" if request.is_preflight else _shown(request.method)


def _shown(value: bytes | str | None) -> str:
    part = (value or "")[: _CUT + 1]
    return _cut(ascii(part.decode("latin-1") if isinstance(part, bytes) else part))


def _cut(text: str) -> str:
    return text if len(text) <= _CUT else f"{text[:_CUT]}…"
