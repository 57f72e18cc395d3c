"""The checks of a response, before the page gets it.

- Fetch, CORS check: Access-Control-Allow-Origin is `*` (without credentials) or the request's origin, byte for
  byte. With credentials, Access-Control-Allow-Credentials is `true`, in lower case.
- Fetch, CORS-preflight fetch, on its response: no redirect, the CORS check, a status of 200 to 299, then the lists must
  have the method and every unsafe header name. With credentials, `*` is a name like any other.
- Access-Control-Max-Age: seconds, 5 if the header is absent or malformed.
- Fetch, cross-origin resource policy check: for opaque responses only. `same-origin` and `same-site` restrict the
  response. Other values, in other letter case too, are ignored.
A failure's code is its name in Chromium's DevTools protocol (`Network.CorsError`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import httpx

from asgi_cors.testing._errors.failure import Failure

from .engines import INT64, Engine
from .headers import HeaderList, MalformedListError
from .preflight_cache import AUTHORIZATION, SAFELISTED_METHODS, AllowLists, Query
from .url import is_absolute, is_ip_address, is_schemelessly_same_site, serialize_origin

ALLOW_ORIGIN = "access-control-allow-origin"
ALLOW_CREDENTIALS = "access-control-allow-credentials"
ALLOW_METHODS = "access-control-allow-methods"
ALLOW_HEADERS = "access-control-allow-headers"
MAX_AGE = "access-control-max-age"
DEFAULT_MAX_AGE = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNASSIGNED = range(309, 400)


def has_redirect_status(headers: HeaderList, status: int | None, engine: Engine) -> bool:
    """Return whether the status redirects, with or without a Location (Fetch, redirect status)."""
    if engine.follows_unassigned_statuses and status in _UNASSIGNED:
        return headers.get("location") is not None
    return status in _REDIRECTS


def is_redirect(headers: HeaderList, status: int | None, engine: Engine) -> bool:
    """Return whether the response redirects (Fetch, redirect status, and location URL)."""
    return has_redirect_status(headers, status, engine) and headers.get("location") is not None


def cors_check(headers: HeaderList, origin: str, *, credentials: bool) -> Failure | None:
    """Check a response (Fetch, CORS check). Return None if it passes."""
    value = headers.get(ALLOW_ORIGIN)
    if value == "*" and not credentials:
        return None
    if value != origin:
        lines = len(headers.lines(ALLOW_ORIGIN))
        return Failure(code=_origin_code(value), header=ALLOW_ORIGIN, value=value, lines=lines)
    allowed = headers.get(ALLOW_CREDENTIALS)
    if credentials and allowed != "true":
        return Failure(code="InvalidAllowCredentials", header=ALLOW_CREDENTIALS, value=allowed)
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
    headers: HeaderList, status: int, origin: str | None, engine: Engine, *, credentials: bool
) -> Failure | None:
    """Check a preflight's redirect, origin and status. The origin is not checked if it is None."""
    if is_redirect(headers, status, engine):
        return Failure(code="PreflightDisallowedRedirect", header="location", value=headers.get("location"))
    if origin is not None:
        failure = cors_check(headers, origin, credentials=credentials)
        if failure is not None:
            return replace(failure, code=f"Preflight{failure.code}")
    if not 200 <= status <= 299:  # noqa: PLR2004 - Fetch, ok status
        return Failure(code="PreflightInvalidStatus", value=str(status))
    return None


_LISTS = (
    (ALLOW_METHODS, "InvalidAllowMethodsPreflightResponse"),
    (ALLOW_HEADERS, "InvalidAllowHeadersPreflightResponse"),
)


def parse_allow_lists(headers: HeaderList, query: Query, *, allows_method: bool) -> AllowLists | Failure:
    """Parse the two lists. With `allows_method`, the request's method is allowed if the header is absent."""
    lists: list[list[str] | None] = []
    for name, code in _LISTS:
        try:
            lists.append(headers.tokens(name))
        except MalformedListError as error:
            return Failure(code=code, header=name, value=headers.get(name), refused=(error.token,))
    methods, names = lists
    if methods is None and allows_method:
        methods = [query.method]
    return AllowLists(methods=frozenset(methods or ()), names=frozenset(name.lower() for name in names or ()))


def allow_lists_check(headers: HeaderList, query: Query, allowed: AllowLists, engine: Engine) -> Failure | None:
    """Check the request's method and unsafe header names. Return None if the lists allow all of them."""
    wildcard, method = not query.credentials, query.method
    if method not in allowed.methods | SAFELISTED_METHODS and not (wildcard and "*" in allowed.methods):
        code = "MethodDisallowedByPreflightResponse"
        return Failure(code=code, header=ALLOW_METHODS, value=headers.get(ALLOW_METHODS), refused=(method,))
    star = wildcard and "*" in allowed.names
    refused = tuple(
        name for name in query.names if name not in allowed.names and not (star and _wildcard_covers(name, engine))
    )
    if refused:
        code = "HeaderDisallowedByPreflightResponse"
        return Failure(code=code, header=ALLOW_HEADERS, value=headers.get(ALLOW_HEADERS), refused=refused)
    return None


def _wildcard_covers(name: str, engine: Engine) -> bool:
    return name != AUTHORIZATION or engine.wildcard_covers_authorization


def max_age(headers: HeaderList, engine: Engine) -> float | None:
    """Return for how many seconds the preflight may be cached, None if it may not."""
    age = _AGE[engine.max_age_syntax](headers.lines(MAX_AGE))
    return age if age is None or engine.max_age_cap is None else min(age, engine.max_age_cap)


# float(), because int() raises for more than 4300 digits.
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


def is_blocked_by_policy(headers: HeaderList, page: httpx.URL | None, url: httpx.URL, engine: Engine) -> bool:
    """Return whether the page may not use an opaque response (Fetch, cross-origin resource policy check)."""
    policy = headers.get("cross-origin-resource-policy")
    if policy not in {"same-origin", "same-site"}:
        return False
    if page is None:
        return True
    if serialize_origin(page) == serialize_origin(url):
        return False
    if policy == "same-origin" or (page.scheme == "http" and url.scheme == "https"):
        return True
    if engine.localhost_is_a_site and page.host == "localhost" and url.host.endswith(".localhost"):
        return False
    if not engine.ip_address_is_a_site and is_ip_address(url.host):
        return True
    return not is_schemelessly_same_site(page, url)
