"""The registry in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from asgi_cors.registry.registry import Registry

from .store import RedisStore

_PREFIX: Final = "{cors}:"
_POLL: Final = 0.5


class RedisRegistry(Registry):
    """A registry in Redis or Valkey, for workers on several machines.

    A writer publishes a message to all workers. They also poll the version, so a lost message does no harm.

    Args:
        url: `redis://user:password@host:port/db`, `rediss://` for TLS, or `unix:///path`. redis-py's options follow as
            a query, such as `?socket_timeout=2&ssl_ca_certs=/path/to/ca.pem`. None if `client` is used.
        prefix: The beginning of all keys, and of the channel. Braces place the keys in one slot of a Redis Cluster.
        poll: The seconds between two checks for changes whose message was lost.
        client: A `redis.asyncio.Redis` that nothing else uses, or a function that returns one, such as
            `lambda: sentinel.master_for("registry")`. A client serves one event loop of one process. So a function is
            called once for each.
        clock: A monotonic clock for ages, in seconds.

    Raises:
        ConfigError: If an argument is invalid.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str = _PREFIX,
        poll: float = _POLL,
        client: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to nothing yet. The first call connects."""
        super().__init__(RedisStore(url, prefix=prefix, client=client), poll=poll, clock=clock)
        self.has_url = client is None
        self._arguments = [repr(self.store.name)]
        if prefix != _PREFIX:
            self.command_options = ("--prefix", prefix)
            self._arguments.append(f"prefix={prefix!r}")
        self._arguments += [f"poll={poll:g}"] if poll != _POLL else []

    def __repr__(self) -> str:
        """Return the arguments of the registry, without a password."""
        return f"RedisRegistry({', '.join(self._arguments)})"
