"""The keys of WSGI requests in the response cache, and the parts of a request that some responses depend on.

Servers join the lines of one header, so a repeated header has another value than a single one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgi_cors._configuration.cache import Part, Reader
from asgi_cors._decision.fetch_metadata import referer_origin
from asgi_cors._decision.request import is_bearer

from .environ import scope_of, to_bytes

if TYPE_CHECKING:
    from collections.abc import Hashable

    from asgi_cors._http import Environ


def host_of(environ: Environ) -> bytes | None:
    """Return the value of Host; None if there is none."""
    host = environ.get("HTTP_HOST")
    return None if host is None else to_bytes(host)


def actual_key(environ: Environ) -> str | None:
    """Return the header on which the response to an actual request depends."""
    return environ.get("HTTP_ORIGIN")


def preflight_key(environ: Environ) -> tuple[str | None, ...]:
    """Return the headers on which a preflight's response depends."""
    get = environ.get
    return (
        get("HTTP_ORIGIN"),
        get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"),
        get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS"),
        get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK"),
    )


def write_key(environ: Environ) -> tuple[Any, ...]:
    """Return the values that tell the sender of a request."""
    get = environ.get
    origin, referer = get("HTTP_ORIGIN"), get("HTTP_REFERER")
    # A Referer with the same origin as Origin adds nothing, and its path must not become a part of the key.
    if referer is not None:
        is_same = origin is not None and referer.startswith(f"{origin}/") and not origin.endswith("null")
        referer = None if is_same else referer_origin(to_bytes(referer))
    page = get("HTTP_HOST"), get("HTTP_SEC_FETCH_SITE"), get("wsgi.url_scheme")
    return origin, referer, _has_credentials(environ), *page


def _has_credentials(environ: Environ) -> bool:
    """Return whether there are credentials that a browser may have added by itself."""
    authorization = environ.get("HTTP_AUTHORIZATION")
    return "HTTP_COOKIE" in environ or (authorization is not None and not is_bearer(to_bytes(authorization)))


def _part(environ: Environ, part: Part) -> Hashable | None:
    """Return the value of a part of a request."""
    if part is Part.CREDENTIALS:
        return _has_credentials(environ)
    return environ.get("HTTP_HOST"), environ.get("HTTP_SEC_FETCH_SITE"), environ.get("wsgi.url_scheme")


READER: Final = Reader(actual_key, preflight_key, write_key, _part, scope_of)
