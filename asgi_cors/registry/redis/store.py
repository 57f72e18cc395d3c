"""The store in Redis: entries in a hash, the history in a stream."""

from __future__ import annotations

import contextlib
import functools
import heapq
import itertools
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import DataError, RedisError

from asgi_cors.registry.store import Action, Change, Entry, RegistryError, Status, Store, Write

from .connections import Connections
from .errors import registry_error
from .options import client_maker
from .script import SCHEMA, SCRIPT, arguments, as_bytes, as_datetime, as_text, entry_key, name_pattern

Result = TypeVar("Result")

_PAGE: Final = 1000  # entries or changes of one command

# As Redis encodes it. In a text of JSON, a quotation mark would have a backslash.
_NEVER_ENDS: Final = b'"expires_at":""'

_logger = logging.getLogger("asgi_cors")


class RedisStore(Store):
    """A store in Redis.

    Args:
        url: `redis://user:password@host:port/db`, `rediss://` for TLS, or `unix:///path`, with redis-py's options as
            a query. None if `client` is given.
        prefix: The beginning of all keys. Braces place them in one slot of a Redis Cluster.
        client: A client of `redis.asyncio` that nothing else uses, or a function that returns one. The function is
            called once per event loop, because a client can serve one event loop only.

    Raises:
        ConfigError: If an argument is invalid.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str = "{cors}:",
        client: Redis | Callable[[], Redis] | None = None,
    ) -> None:
        """Connect to nothing yet. The first call connects."""
        self.name, make = client_maker(url, prefix, client)
        keys = ("entries", "changes", "version", "schema", "id", "changed")
        self._keys = [as_bytes(prefix + key) for key in keys]
        self._entries, self._changes, self._version, self._schema, self._id, self._channel = self._keys
        self._connections = Connections(make, self._channel, is_owner=not isinstance(client, Redis))
        self._is_policy_checked = False

    async def _run(self, command: Callable[[Any], Awaitable[Result]], *, writes: bool = False) -> Result:
        client = await self._connections.current()
        try:
            return await client.run(lambda: command(client.redis))
        except (RedisError, OSError) as error:
            raise registry_error(self.name, error, writes=writes) from error

    # -- reading

    async def status(self) -> Status:
        """Return the id and the versions."""

        async def read(redis: Any) -> Status:
            pipeline = redis.pipeline(transaction=False)
            pipeline.mget(self._id, self._version, self._schema)
            pipeline.xrange(self._changes, count=1)
            # The second command can only see a later state: a purged history, or the first change.
            values, oldest = await pipeline.execute()
            return _status(values, oldest)

        status = await self._run(read)
        await self._check_policy()
        return status

    async def entries(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return entries in the order of their ids.

        The history has the order of the ids. If the changes after `after` were purged, each page reads all entries. For
        1,000,000 entries, that takes seconds.
        """
        found = await self._entries_of_history(tenant, after, limit)
        if found is None:
            candidates = [e async for page in self.scan(tenant=tenant) for e in page if e.id > after]
            found = heapq.nsmallest(limit, {entry.id: entry for entry in candidates}.values(), key=lambda e: e.id)
        return found

    async def _entries_of_history(self, tenant: str | None, after: int, limit: int) -> list[Entry] | None:
        """Return entries by the changes that added them; None if the changes were purged."""
        found: list[Entry] = []
        while len(found) < limit:
            changes = await self.changes(after=after, limit=_PAGE)
            if not changes:
                return found if after >= (await self.status()).version else None
            if changes[0].version != after + 1:  # versions have no gaps
                return None
            found += await self._still_there([c for c in changes if c.action == "add" and tenant in {None, c.tenant}])
            after = changes[-1].version
        return found[:limit]

    async def _still_there(self, additions: list[Change]) -> list[Entry]:
        """Return the entries that have not been removed since these additions."""
        names = [entry_key(change.origin, change.tenant) for change in additions]
        if not names:
            return []
        values: list[Any] = await self._run(lambda redis: redis.hmget(self._entries, names))
        replies = zip(names, values, additions, strict=True)
        pairs = [(_entry(name, value), change) for name, value, change in replies if value is not None]
        return [entry for entry, change in pairs if entry.id == change.version]

    async def find(self, origins: Sequence[str], *, tenant: str = "") -> list[Entry]:
        """Return the entries of a tenant with these texts."""
        names = [entry_key(origin, tenant) for origin in dict.fromkeys(origins)]
        found: list[Entry] = []
        for some in (names[start : start + _PAGE] for start in range(0, len(names), _PAGE)):
            values: list[Any] = await self._run(functools.partial(_hmget, key=self._entries, names=some))
            found += [_entry(name, value) for name, value in zip(some, values, strict=True) if value is not None]
        return found

    def scan(self, *, tenant: str | None = None, only_patterns: bool = False) -> AsyncIterator[list[Entry]]:
        """Yield all entries in pages, without blocking Redis."""
        return self._scan(name_pattern(tenant, only_patterns=only_patterns), _patterns if only_patterns else _entries)

    def scan_origins(self) -> AsyncIterator[list[tuple[str, str, float | None]]]:
        """Yield tenant, origin and end of all entries, as `scan` does."""
        return self._scan(None, _origins)

    async def _scan(self, match: bytes | None, parse: Callable[[dict[Any, Any]], Result]) -> AsyncIterator[Result]:
        client = await self._connections.current()
        try:
            async with contextlib.aclosing(client.scan(self._entries, match, _PAGE)) as pages:
                async for page in pages:
                    yield parse(page)
        except (RedisError, OSError) as error:
            raise registry_error(self.name, error) from error

    async def changes(self, *, tenant: str | None = None, after: int = 0, limit: int = 1000) -> list[Change]:
        """Return changes with a version above `after`."""
        found: list[Change] = []
        while len(found) < limit:
            page = await self._changes_after(after, _PAGE if tenant is not None else limit - len(found))
            if not page:
                break
            found += [change for change in page if tenant in {None, change.tenant}]
            after = page[-1].version
        return found[:limit]

    async def _changes_after(self, after: int, count: int) -> list[Change]:
        async def read(redis: Any) -> list[Change]:
            return [_change(*item) for item in await redis.xrange(self._changes, min=f"{after + 1}-0", count=count)]

        return await self._run(read)

    # -- writing

    async def write(self, writes: Sequence[Write]) -> list[Action | None]:
        """Make changes with one script."""
        values = arguments(writes, channel=self._channel, new_id=secrets.token_hex(16), now=datetime.now(UTC))
        keys = self._keys[:5]
        actions = await self._run(lambda redis: redis.eval(SCRIPT, len(keys), *keys, *values), writes=True)
        await self._check_policy()
        return [cast("Action", as_text(action)) if action else None for action in actions]

    async def purge_history(self, before: datetime) -> int:
        """Remove the oldest changes, a thousand at a time."""
        purged = 0
        while page := await self._changes_after(0, _PAGE):
            old = [*itertools.takewhile(lambda change: change.at < before, page)]
            if old:
                purged += await self._trim(old[-1].version + 1)
            if len(old) < len(page):
                break
        return purged

    async def _trim(self, oldest: int) -> int:
        minid = f"{oldest}-0"
        return await self._run(lambda redis: redis.xtrim(self._changes, minid=minid, approximate=False), writes=True)

    # -- notifications, and the end

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - of the notification
        """Return after a message of a writer, or after `timeout` seconds."""
        await (await self._connections.current()).wait(timeout)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self._connections.close()

    async def _check_policy(self) -> None:
        """Log a warning if Redis may delete keys. Log nothing if the user may not read the setting."""
        if self._is_policy_checked:
            return
        self._is_policy_checked = True
        with contextlib.suppress(RegistryError):
            memory: dict[str, Any] = await self._run(lambda redis: redis.info("memory"))
            policy = str(memory.get("maxmemory_policy"))
            if policy.startswith("allkeys-"):  # other policies do not delete keys without an expiry time
                _logger.warning(
                    "%s: its maxmemory-policy is %s, so it may delete origins. Set it to noeviction.", self.name, policy
                )


async def _hmget(redis: Any, key: bytes, names: list[bytes]) -> list[Any]:
    values: list[Any] = await redis.hmget(key, names)
    return values


# -- replies, of clients that decode them or not


def _status(values: list[Any], oldest: list[Any]) -> Status:
    """Return the status.

    Raises:
        DataError: If the schema is newer, or the values are those of another program.
    """
    identity, version, schema = ("" if value is None else as_text(value) for value in values)
    if schema not in {"", str(SCHEMA)}:
        raise DataError(f"SCHEMA {schema}")
    if not (version or "0").isdecimal():
        raise DataError("UNREADABLE")
    number = int(version or 0)
    return Status(identity, number, _version(oldest[0][0]) if oldest else number + 1)


def _entry(name: bytes | str, value: bytes | str) -> Entry:
    try:
        tenant, origin = json.loads(as_text(name))
        fields = json.loads(as_text(value))
        return Entry(
            id=int(fields["id"]),
            origin=origin,
            tenant=tenant,
            note=fields["note"],
            by=fields["by"],
            added_at=as_datetime(fields["added_at"]),
            expires_at=as_datetime(fields["expires_at"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DataError("UNREADABLE") from error


def _entries(page: dict[Any, Any]) -> list[Entry]:
    return [_entry(name, value) for name, value in page.items()]


def _patterns(page: dict[Any, Any]) -> list[Entry]:
    return [entry for entry in _entries(page) if "*" in entry.origin]  # else it is in the tenant


def _origins(page: dict[Any, Any]) -> list[tuple[str, str, float | None]]:
    """Return tenant, origin and end of entries. All names are parsed at once, which takes a third of the time."""
    pairs = [(as_bytes(name), as_bytes(value)) for name, value in page.items()]
    ends = [None if _NEVER_ENDS in value else _entry(name, value).expires_at for name, value in pairs]
    try:
        names = json.loads(b"[%b]" % b",".join(name for name, _ in pairs))
        return [
            (tenant, origin, None if end is None else end.timestamp())
            for (tenant, origin), end in zip(names, ends, strict=True)
        ]
    except (ValueError, TypeError) as error:
        raise DataError("UNREADABLE") from error


def _change(identity: bytes | str, fields: dict[Any, Any]) -> Change:
    try:
        texts = {as_text(name): as_text(value) for name, value in fields.items()}
        return Change(
            version=_version(identity),
            at=cast("datetime", as_datetime(texts["at"])),
            action=cast("Action", texts["action"]),
            origin=texts["origin"],
            tenant=texts["tenant"],
            by=texts["by"],
            note=texts["note"],
            expires_at=as_datetime(texts["expires_at"]),
        )
    except (ValueError, KeyError, OverflowError) as error:
        raise DataError("UNREADABLE") from error


def _version(identity: bytes | str) -> int:
    """Return the version of the id of a change, such as `812-0`."""
    return int(as_text(identity).partition("-")[0])
