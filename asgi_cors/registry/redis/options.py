"""The options of a Redis store: its URL, its prefix, and the client of a user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from asgi_cors import ConfigError, Issue
from asgi_cors.registry.store import RegistryError

_ASYNC_REDIS: Any = redis.asyncio.Redis  # its types differ between the releases of redis-py

MakeClient = Callable[[], Any]

EXAMPLE: Final = "redis://:password@redis.example.com:6379/0"
TIMEOUT: Final = 5.0  # seconds to connect, and to wait for a reply
OPTIONS: Final = {
    "socket_timeout": TIMEOUT,
    "socket_connect_timeout": TIMEOUT,
    "protocol": 2,
}


def client_maker(url: Any, prefix: Any, client: Any) -> tuple[str, MakeClient]:
    """Check the options, and return the store's name and a function that returns a client.

    Raises:
        ConfigError: If an option is invalid.
    """
    issues = [*_prefix_issues(prefix)]
    if client is not None:
        issues += _client_issues(client, url)
    else:
        issues += _url_issues(url)
    if issues:
        raise ConfigError(issues)
    if client is None:
        return url_name(url), lambda: _from_url(url)
    if isinstance(client, redis.asyncio.Redis):
        return client_name(client), lambda: client
    name = f"redis (client={getattr(client, '__qualname__', 'a function')})"
    return name, lambda: _called(client, name)


def url_name(url: str) -> str:
    """Return a URL without user, password and options."""
    parts = urlsplit(url)
    db = (parse_qs(parts.query).get("db") or [parts.path.strip("/") if parts.scheme != "unix" else ""])[0] or "0"
    if parts.scheme == "unix":
        return f"unix://{quote(unquote(parts.path))}?db={db}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "localhost"
    return f"{parts.scheme}://{host}:{parts.port or 6379}/{db}"


def client_name(client: Any) -> str:
    """Return the address of a client, or the service of a client of Sentinel."""
    pool: Any = client.connection_pool
    options: dict[str, Any] = pool.connection_kwargs
    db = pool.connection_kwargs.get("db", 0)
    if service := getattr(pool, "service_name", None):
        return f"redis (the service {service!r} of Sentinel)/{db}"
    if path := options.get("path"):
        return f"unix://{path}?db={db}"
    return f"redis://{options.get('host', 'localhost')}:{options.get('port', 6379)}/{db}"


def _from_url(url: str) -> Any:
    # A write must not be sent twice, so redis-py repeats nothing. The caller does.
    options: dict[str, Any] = {**OPTIONS, "retry": Retry(NoBackoff(), 0)}
    if url.startswith("rediss:") and "ssl_cert_reqs=" not in url:
        options["ssl_check_hostname"] = True  # the default of redis-py since 6.0
    return _ASYNC_REDIS.from_url(url, **options)


def _called(function: MakeClient, name: str) -> Any:
    try:
        client = function()
    except Exception as error:
        raise RegistryError(f"{name}: the function raised {type(error).__name__}. It must return a client.") from error
    if not isinstance(client, redis.asyncio.Redis):
        message = f"{name}: the function returned {Issue.show(client)}. It must return a redis.asyncio.Redis."
        raise RegistryError(message)
    return client


def _prefix_issues(prefix: Any) -> list[Issue]:
    if isinstance(prefix, str) and prefix:
        return []
    return [Issue("registry-prefix", "prefix", prefix, "must be a text that is not empty", "Write '{cors}:'.")]


def _client_issues(client: Any, url: Any) -> list[Issue]:
    issues: list[Issue] = []
    if url is not None:
        issues.append(Issue("registry-client", "client", client, "url and client exclude each other", "Remove url."))
    if isinstance(client, redis.Redis):
        message = "this is a blocking client"
        issues.append(Issue("registry-client", "client", client, message, "Use redis.asyncio.Redis."))
    elif not callable(client) and not isinstance(client, redis.asyncio.Redis):
        message = "must be a redis.asyncio.Redis, or a function that returns one"
        issues.append(Issue("registry-client", "client", client, message, "Write client=lambda: Redis(...)."))
    return issues


def _url_issues(url: Any) -> list[Issue]:
    """Check a URL. No message has a part of it, because each part may be a piece of the password."""
    if not isinstance(url, str):
        return [Issue("registry-url", "url", None, "must be a URL", f"Write {EXAMPLE!r}.")]
    problem = _url_problem(url)
    return [Issue("registry-url", "url", None, *problem)] if problem else []


def _url_problem(url: str) -> tuple[str, str] | None:
    scheme, _, rest = url.partition("://")
    if scheme not in {"redis", "rediss", "unix"}:
        return "must begin with redis://, rediss:// or unix://", f"Write {EXAMPLE!r}."
    authority, *path = rest.partition("/")
    if "@" in "".join(path).partition("?")[0] or "#" in rest or "@" in authority.partition("?")[2]:
        return (
            "a letter of the password is not encoded",
            "Percent-encode it: %40 for @, %2F for /, %23 for #, %3F for ?.",
        )
    try:
        parts = urlsplit(url)
        pool = _ASYNC_REDIS.from_url(url).connection_pool
        pool.make_connection()
    except ValueError:
        return "the port or an option is invalid", f"Write {EXAMPLE!r}."
    except RedisError:
        return "an option is invalid", "See the options of redis.asyncio.Redis."
    except TypeError:
        return "an option is not known", "See the options of redis.asyncio.Redis."
    if scheme == "unix":
        return None if parts.path else ("the path of the socket is missing", "Write 'unix:///run/redis.sock'.")
    db = parts.path.strip("/")
    if not isinstance(pool.connection_kwargs.get("db", 0), int) or not (db == "" or db.isdecimal()):
        return "the database must be a number", f"Write {EXAMPLE!r}."
    return None
