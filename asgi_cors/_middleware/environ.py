"""From an environ to an ASGI-shaped scope (PEP 3333)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgi_cors._http import Environ, Scope


def scope_of(environ: Environ) -> Scope:
    """Return an ASGI-shaped scope for an environ. Its `wsgi.environ` is the environ itself."""
    headers = [(_name(key), value.encode("latin-1", "replace")) for key, value in environ.items() if key[:5] == "HTTP_"]
    headers += [(_name(key), to_bytes(environ[key])) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    port = str(environ.get("SERVER_PORT") or "")
    root = decode_path(environ.get("SCRIPT_NAME", "")).rstrip("/")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "root_path": root,
        "path": root + route_path(environ),
        "query_string": to_bytes(environ.get("QUERY_STRING") or ""),
        "headers": headers,
        "server": (environ.get("SERVER_NAME", ""), int(port) if port.isdecimal() else None),
        "client": (environ.get("REMOTE_ADDR", ""), 0),
        "wsgi.environ": environ,
    }


@functools.lru_cache(maxsize=256)
def _name(key: str) -> bytes:
    return to_bytes(key.removeprefix("HTTP_").replace("_", "-").lower())


def to_bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def route_path(environ: Environ) -> str:
    """Return the path that the app's router sees: with its slash, which servers leave out after a SCRIPT_NAME."""
    path = decode_path(environ.get("PATH_INFO", ""))
    return path if path[:1] == "/" else f"/{path}"


def decode_path(path: str) -> str:
    """Decode a path of PEP 3333, which has one character for each byte of UTF-8."""
    if path.isascii():
        return path
    return path.encode("latin-1", "replace").decode("utf-8", "replace")
