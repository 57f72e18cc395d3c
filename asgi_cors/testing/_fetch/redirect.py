"""Redirects (Fetch, HTTP-redirect fetch and location URL).

- 301, 302, 303, 307 and 308 redirect if they have exactly one Location. It must be an HTTP(S) URL.
- 301 and 302 turn POST into GET, 303 all methods but GET and HEAD. The body and its headers are removed then.
- A user name or password in Location fails if the request is, or becomes, cross-origin.
- A redirect to another origin removes Authorization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import httpx

from asgi_cors.testing._errors.errors import ScriptError

from .cors_check import is_redirect
from .engines import Engine
from .headers import HeaderList
from .safelist import Header
from .script import Stream
from .url import HTTP_SCHEMES, parse, serialize_origin

_BODY_HEADERS = frozenset({"content-encoding", "content-language", "content-location", "content-type"})
_SEE_OTHER = 303


@dataclass(frozen=True, kw_only=True)
class Hop:
    """The request of one hop; each redirect makes the next.

    Attributes:
        url: the URL, without its fragment.
        fragment: the URL's fragment, with its `#`.
        headers: the headers that are sent.
        preflighted: the headers that a preflight checks; by the standard, the same.
    """

    url: httpx.URL
    fragment: str
    method: str
    headers: Sequence[Header]
    preflighted: Sequence[Header]
    body: bytes | None
    stream: Stream | None


class BadLocationError(ValueError):
    """The Location is not valid; the message says why."""


def location_of(headers: HeaderList, status: int | None, engine: Engine) -> str | None:
    """Return the Location, or None if the response does not redirect. Raises BadLocationError."""
    if not is_redirect(headers, status, engine):
        return None
    lines = headers.lines("location")
    if len(lines) > 1 and "location" not in engine.single_line_headers:
        raise BadLocationError(f"it has {len(lines)} Location headers: {', '.join(map(repr, lines))}")
    if not lines[0] and engine.empty_location == "failure":
        raise BadLocationError("its Location is empty")
    return None if not lines[0] and engine.empty_location == "no-redirect" else lines[0]


def resolve(location: str, base: httpx.URL) -> httpx.URL:
    """Resolve the Location against the URL that sent it. Raises BadLocationError."""
    try:
        text = location.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        text = location
    try:
        url = parse(text, base)
    except ScriptError as error:
        raise BadLocationError(str(error)) from error
    if url.scheme not in HTTP_SCHEMES:
        raise BadLocationError(f"its Location {location!r} is not an http or https URL")
    return url


def next_hop(hop: Hop, url: httpx.URL, status: int | None, first: Hop, engine: Engine) -> Hop:
    """Return the request after the redirect. `first` is the script's own request.

    Raises:
        BadLocationError: a stream would be sent twice.
    """
    if status != _SEE_OTHER and hop.stream is not None:
        raise BadLocationError(f"status {status} repeats the body, but a stream can be read only once")
    crosses_origins = serialize_origin(url) != serialize_origin(hop.url)
    becomes_get = _becomes_get(hop.method, status)
    preflighted: Sequence[Header]
    headers = preflighted = _without(hop.headers, body=becomes_get, authorization=crosses_origins)
    if engine.redirected_headers == "first":
        preflighted = first.headers
    elif engine.redirected_headers == "removed-anew":
        preflighted = _without(first.headers, body=becomes_get, authorization=crosses_origins)
        headers = _without(first.headers, body=_becomes_get(first.method, status), authorization=crosses_origins)
    redirected = replace(hop, url=url, headers=headers, preflighted=preflighted)
    if becomes_get or (engine.redirects_delete_as_get and crosses_origins and hop.method == "DELETE"):
        return replace(redirected, method="GET", body=None, stream=None)
    return redirected


def _becomes_get(method: str, status: int | None) -> bool:
    return (status in {301, 302} and method == "POST") or (status == _SEE_OTHER and method not in {"GET", "HEAD"})


def _without(headers: Sequence[Header], *, body: bool, authorization: bool) -> list[Header]:
    """Remove the headers of a body if `body`, and Authorization if `authorization`."""
    removed = _BODY_HEADERS if body else frozenset[str]()
    if authorization:
        removed |= {"authorization"}
    return [(name, value) for name, value in headers if name not in removed]
