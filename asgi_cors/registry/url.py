"""Makes a registry from a URL."""

from __future__ import annotations

import re
from typing import Any, Final, cast
from urllib.parse import unquote

from asgi_cors import ConfigError, Issue

from .registry import Registry
from .sqlite import SQLiteRegistry

_REDIS: Final = ("redis", "rediss", "unix")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_HINT: Final = "Write 'sqlite:///origins.db', 'sqlite:////srv/origins.db' (absolute) or 'redis://127.0.0.1:6379/0'."


def open_registry(url: str, **options: Any) -> Registry:
    """Return the registry of a URL. Nothing is opened yet.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, or `redis://…`, `rediss://…` (TLS) or `unix://…` as
            redis-py parses them. The rule for slashes is SQLAlchemy's.
        options: Keywords of `SQLiteRegistry` or `RedisRegistry`.

    Raises:
        ConfigError: If the URL or an option is invalid.
        ImportError: If the redis package is missing. The message says how to install it.
    """
    if not isinstance(cast("object", url), str):
        raise ConfigError([Issue("wrong-type", "url", None, f"must be a text, not {type(url).__name__}", _HINT)])
    if url != url.strip():
        raise ConfigError([Issue("registry-url", "url", None, "the URL has white space around it", "Remove it.")])
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ConfigError([Issue("registry-url", "url", None, "the URL has no scheme", _HINT)])
    if scheme.lower() == "sqlite":
        if not rest.startswith("/") or rest == "/":
            has_host = bool(rest.strip("/"))
            message = "an SQLite URL has three slashes, and no host" if has_host else "the path is missing"
            raise ConfigError([Issue("registry-url", "url", None, message, _HINT)])
        if "?" in rest:
            hint = "Give options as keywords, and write %3F for a '?' in the path."
            raise ConfigError([Issue("registry-url", "url", None, "a URL of SQLite has no options", hint)])
        return SQLiteRegistry(unquote(rest[1:]), **options)
    if scheme.lower() in _REDIS:
        from . import redis  # noqa: PLC0415 - an optional dependency

        return redis.RedisRegistry(url, **options)
    shown = f" for {scheme}://…" if _SCHEME.fullmatch(scheme) else " for this URL"  # the rest may have a password
    raise ConfigError([Issue("registry-url", "url", None, f"there is no store{shown}", _HINT)])
