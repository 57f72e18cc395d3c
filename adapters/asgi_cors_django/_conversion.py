"""From Django's requests to the scopes and environs of the core, and from the core's headers to Django's responses.

Scheme, host, method and path are those that Django uses, so `SECURE_PROXY_SSL_HEADER`, `USE_X_FORWARDED_HOST` and
`FORCE_SCRIPT_NAME` count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpResponse

from ._routes import REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

Environ = dict[str, Any]
Scope = dict[str, Any]
TextHeaders = list[tuple[str, str]]

_FORWARDED_HOST: Final = "HTTP_X_FORWARDED_HOST"
_STATES: Final = ("asgi_cors", "asgi_cors.passed_through")  # the core's keys of an outer middleware


def environ_of(request: HttpRequest) -> Environ:
    """Return the environ of a request, for the core. It is a copy, because Django has decoded its paths (PEP 3333)."""
    environ: Environ = request.META.copy()
    environ["REQUEST_METHOD"] = request.method or "GET"
    environ["wsgi.url_scheme"] = request.scheme
    environ["PATH_INFO"] = _encode_path(request.path_info)
    environ["SCRIPT_NAME"] = _encode_path(environ.get("SCRIPT_NAME", ""))
    environ[REQUEST] = request
    scope: Mapping[str, Any] = getattr(request, "scope", {})
    for key in _STATES:
        if key in scope:
            environ[key] = scope[key]
    if settings.USE_X_FORWARDED_HOST and _FORWARDED_HOST in environ:
        environ["HTTP_HOST"] = environ[_FORWARDED_HOST]
    return environ


def scope_of(request: HttpRequest) -> Scope:
    """Return the scope of a request, for the core: a copy of the server's, if there is one."""
    meta, root = request.META, request.META.get("SCRIPT_NAME", "").rstrip("/")
    scope: Scope = {**(getattr(request, "scope", None) or _scope_of_meta(meta))}
    scope["method"] = request.method or "GET"
    scope["scheme"] = request.scheme
    scope["root_path"] = root
    scope["path"] = root + request.path_info
    scope[REQUEST] = request
    if settings.USE_X_FORWARDED_HOST and _FORWARDED_HOST in meta:
        others = [header for header in scope["headers"] if header[0].lower() != b"host"]
        scope["headers"] = [*others, (b"host", _to_bytes(meta[_FORWARDED_HOST]))]
    return scope


def _scope_of_meta(meta: Mapping[str, Any]) -> Scope:
    """Return a scope for a request that a WSGI server has received."""
    headers = [(_name(key[5:]), _to_bytes(value)) for key, value in meta.items() if key[:5] == "HTTP_"]
    headers += [(_name(key), _to_bytes(meta[key])) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if meta.get(key)]
    states = {key: meta[key] for key in _STATES if key in meta}
    port = str(meta.get("SERVER_PORT") or "")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": meta.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "query_string": _to_bytes(meta.get("QUERY_STRING", "")),
        "headers": headers,
        "server": (meta.get("SERVER_NAME", ""), int(port) if port.isdecimal() else None),
        "client": (meta.get("REMOTE_ADDR", ""), 0),
        **states,
    }


def _encode_path(path: str) -> str:
    """Encode a path as PEP 3333 has it: one character for each byte of UTF-8."""
    return path if path.isascii() else path.encode("utf-8", "replace").decode("latin-1")


def _name(key: str) -> bytes:
    return _to_bytes(key.replace("_", "-").lower())


def _to_bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def to_bytes(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as those of an ASGI message."""
    return [(name.encode(), _to_bytes(value)) for name, value in headers]


def to_text(headers: Iterable[Sequence[bytes]]) -> TextHeaders:
    """Return the headers of an ASGI message as those of a WSGI response."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def set_headers(response: HttpResponseBase, own: TextHeaders, headers: TextHeaders) -> None:
    """Set the headers of a response. Its cookies stay.

    Args:
        response: The response.
        own: Its headers.
        headers: The headers to send. Usually, they are its own and some more.
    """
    stored = response.headers
    if headers[: len(own)] == own:
        for name, value in headers[len(own) :]:
            stored[name] = value
        return
    names = {name.lower() for name, _ in headers}
    for name in [*stored]:
        if name.lower() not in names:
            del stored[name]
    for name, value in headers:
        if stored.get(name) != value:
            stored[name] = value


def build_response(status: int, headers: TextHeaders, body: bytes) -> HttpResponse:
    """Return Django's response for one that the core sends in place of the app's."""
    response = HttpResponse(body, status=status, headers=dict(headers))
    if not any(name.lower() == "content-type" for name, _ in headers):
        del response["Content-Type"]  # Django adds one
    return response
