"""What a response must say for the browser to let the page have it.

- Fetch, CORS check: Access-Control-Allow-Origin is `*` (without credentials) or the request's origin, byte for
  byte; with credentials Access-Control-Allow-Credentials is `true`, in lower case.
- Fetch, CORS-preflight fetch, on its response: no redirect, the CORS check, a status of 200 to 299, then the
  method and every unsafe header name must be listed. With credentials `*` is a name like any other.
- Max-Age: seconds, 5 where the field is absent or malformed.
A failure carries the name that Chromium's DevTools protocol gives it (`Network.CorsError`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from asgi_cors.testing._errors.failure import Failure

from .engines import INT64, Engine
from .headers import Fields, MalformedListError
from .preflight_cache import AUTHORIZATION, SAFELISTED_METHODS, Answer, Query
from .url import is_absolute

ALLOW_ORIGIN = "access-control-allow-origin"
ALLOW_CREDENTIALS = "access-control-allow-credentials"
ALLOW_METHODS = "access-control-allow-methods"
ALLOW_HEADERS = "access-control-allow-headers"
MAX_AGE = "access-control-max-age"
DEFAULT_MAX_AGE = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNASSIGNED = range(309, 400)


def has_redirect_status(fields: Fields, status: int | None, engine: Engine) -> bool:
    """Return whether the status redirects, with or without a Location (Fetch, redirect status)."""
    if engine.follows_unassigned_statuses and status in _UNASSIGNED:
        return fields.get("location") is not None
    return status in _REDIRECTS


def is_redirect(fields: Fields, status: int | None, engine: Engine) -> bool:
    """Return whether the response redirects (Fetch, redirect status, and location URL)."""
    return has_redirect_status(fields, status, engine) and fields.get("location") is not None


def cors_check(fields: Fields, origin: str, *, credentials: bool) -> Failure | None:
    """Check a response (Fetch, CORS check); None is a pass."""
    value = fields.get(ALLOW_ORIGIN)
    if value == "*" and not credentials:
        return None
    if value != origin:
        lines = len(fields.lines(ALLOW_ORIGIN))
        return Failure(code=_origin_code(value), field=ALLOW_ORIGIN, value=value, lines=lines)
    allowed = fields.get(ALLOW_CREDENTIALS)
    if credentials and allowed != "true":
        return Failure(code="InvalidAllowCredentials", field=ALLOW_CREDENTIALS, value=allowed)
    return None


def _origin_code(value: str | None) -> str:
    if value is None:
        return "MissingAllowOriginHeader"
    if value == "*":
        return "WildcardOriginNotAllowed"
    if " " in value or "," in value:
        return "MultipleAllowOriginValues"
    return "AllowOriginMismatch" if value == "null" or is_absolute(value) else "InvalidAllowOriginValue"


def preflight_access_check(
    fields: Fields, status: int, origin: str | None, engine: Engine, *, credentials: bool
) -> Failure | None:
    """Check a preflight's redirect, origin and status; no origin: it is not checked."""
    if is_redirect(fields, status, engine):
        return Failure(code="PreflightDisallowedRedirect", field="location", value=fields.get("location"))
    if origin is not None:
        failure = cors_check(fields, origin, credentials=credentials)
        if failure is not None:
            return replace(failure, code=f"Preflight{failure.code}")
    if not 200 <= status <= 299:  # noqa: PLR2004 - Fetch, ok status
        return Failure(code="PreflightInvalidStatus", value=str(status))
    return None


_LISTS = (
    (ALLOW_METHODS, "InvalidAllowMethodsPreflightResponse"),
    (ALLOW_HEADERS, "InvalidAllowHeadersPreflightResponse"),
)


def read_answer(fields: Fields, query: Query, *, allows_method: bool) -> Answer | Failure:
    """Parse the two lists. With `allows_method`, the request's method is allowed if the header is absent."""
    lists: list[list[str] | None] = []
    for name, code in _LISTS:
        try:
            lists.append(fields.tokens(name))
        except MalformedListError as error:
            return Failure(code=code, field=name, value=fields.get(name), refused=(error.token,))
    methods, names = lists
    if methods is None and allows_method:
        methods = [query.method]
    return Answer(methods=frozenset(methods or ()), names=frozenset(name.lower() for name in names or ()))


def denial(fields: Fields, query: Query, answer: Answer, engine: Engine) -> Failure | None:
    """Return what the answer does not grant; None where it grants all."""
    wildcard = not query.credentials
    method = query.method
    if method not in answer.methods | SAFELISTED_METHODS and not (wildcard and "*" in answer.methods):
        code = "MethodDisallowedByPreflightResponse"
        return Failure(code=code, field=ALLOW_METHODS, value=fields.get(ALLOW_METHODS), refused=(method,))
    star = wildcard and "*" in answer.names
    refused = tuple(
        name for name in query.names if name not in answer.names and not (star and _coverable(name, engine))
    )
    if refused:
        code = "HeaderDisallowedByPreflightResponse"
        return Failure(code=code, field=ALLOW_HEADERS, value=fields.get(ALLOW_HEADERS), refused=refused)
    return None


def _coverable(name: str, engine: Engine) -> bool:
    return name != AUTHORIZATION or engine.wildcard_covers_authorization


def max_age(fields: Fields, engine: Engine) -> float | None:
    """Return for how many seconds the answer may be kept; None for not at all."""
    age = _AGE[engine.max_age_syntax](fields.lines(MAX_AGE))
    return age if age is None or engine.max_age_cap is None else min(age, engine.max_age_cap)


# float() in place of int(), which refuses more than 4300 digits; a time is a float in the end.
def _digits(lines: Sequence[str]) -> float:
    if len(lines) == 1 and re.fullmatch("[0-9]+", lines[0]):
        return float(lines[0])
    return DEFAULT_MAX_AGE


def _int64(lines: Sequence[str]) -> float:
    value = ", ".join(lines)
    number = re.fullmatch("([+-]?)0*([0-9]*)", value)
    if number is None or not value.strip("+-") or len(number[2]) > _INT64_DIGITS:
        return DEFAULT_MAX_AGE
    seconds = int(f"{number[1]}{number[2] or 0}")
    return float(max(seconds, 0)) if -INT64 - 1 <= seconds <= INT64 else DEFAULT_MAX_AGE


def _digits_or_uncached(lines: Sequence[str]) -> float | None:
    value = ", ".join(lines)
    if not value:
        return DEFAULT_MAX_AGE
    return float(value) if re.fullmatch("[0-9]+", value) else None


_INT64_DIGITS = len(str(INT64))
_AGE: dict[str, Callable[[Sequence[str]], float | None]] = {
    "digits": _digits,
    "int64": _int64,
    "digits-or-uncached": _digits_or_uncached,
}
