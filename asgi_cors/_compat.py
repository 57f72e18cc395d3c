"""The names of PyPI's `asgi-cors`, another distribution. If both are installed, Python imports this package.

The keywords are the same. These are the differences:

- The middleware sends the response to a preflight, never the app. A refusal states its reason.
- `Vary: Origin` is sent if the response depends on the origin.
- The callback gets a str, not bytes. Only `True`, or an awaitable of it, allows.
- A wildcard matches within the host only, and a mistyped origin is refused at start-up.
- `max_age=0` is sent. Access-Control-Max-Age is sent on preflights only.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from ._http import ASGIApp
from ._middleware.asgi import CORSMiddleware
from ._origins.pattern import Problem, parse_pattern
from ._policy.policy import Policy

if TYPE_CHECKING:
    from ._policy.options import OriginCallable, OriginEntry

# The problems of an entry that was meant as a shell wildcard.
_SHELL_WILDCARDS: Final = ("origin-wildcard", "origin-no-scheme", "origin-bad-scheme", "origin-port", "origin-regex")

Texts = str | bytes | Iterable[str | bytes]


def asgi_cors(  # noqa: PLR0913, PLR0917 - the keywords of the original
    app: ASGIApp,
    allow_all: bool = False,  # noqa: FBT001, FBT002
    hosts: Texts | None = None,
    host_wildcards: Texts | None = None,
    callback: OriginCallable | None = None,
    headers: Texts | None = None,
    methods: Texts | None = None,
    max_age: int | None = None,
) -> CORSMiddleware:
    """Wrap an ASGI app, as the `asgi_cors` of PyPI's `asgi-cors` does.

    Args:
        app: The app.
        allow_all: Allow every origin.
        hosts: Origins to allow.
        host_wildcards: Origin patterns to allow. An invalid pattern is used as a shell wildcard.
        callback: Called with an origin that no other keyword allows.
        headers: Request headers to allow.
        methods: Methods to allow besides GET, HEAD and POST.
        max_age: Seconds for which a browser may cache a preflight's response. None leaves it to the browser.

    Raises:
        ConfigError: If an origin, header or method is invalid.
    """
    entries: list[OriginEntry] = [*_texts(hosts), *map(_wildcard, _texts(host_wildcards))]
    policy = Policy(
        allow_origins="*" if allow_all else [*entries, *([callback] if callback else [])],
        allow_headers=_texts(headers),
        allow_methods=_texts(methods),
        max_age=max_age,
    )
    return CORSMiddleware(app, policy)


def asgi_cors_decorator(  # noqa: PLR0913, PLR0917 - the keywords of the original
    allow_all: bool = False,  # noqa: FBT001, FBT002
    hosts: Texts | None = None,
    host_wildcards: Texts | None = None,
    callback: OriginCallable | None = None,
    headers: Texts | None = None,
    methods: Texts | None = None,
    max_age: int | None = None,
) -> Callable[[ASGIApp], CORSMiddleware]:
    """Return a decorator that applies `asgi_cors` with the same keywords."""
    return lambda app: asgi_cors(app, allow_all, hosts, host_wildcards, callback, headers, methods, max_age)


def _texts(values: Texts | None) -> list[str]:
    values = (values,) if isinstance(values, str | bytes) else values
    return [value.decode("latin-1") if isinstance(value, bytes) else value for value in values or ()]


def _wildcard(text: str) -> OriginEntry:
    """Return an origin pattern unchanged, and a shell wildcard as a regular expression."""
    parsed = parse_pattern(text)
    if isinstance(parsed, Problem) and parsed.code in _SHELL_WILDCARDS:
        return re.compile(fnmatch.translate(text))
    return text
