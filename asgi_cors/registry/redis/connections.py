"""The connections of a Redis store: one client per event loop, and the tasks that use it.

Every command runs in a task of its own, which is not cancelled with its caller. If the task were cancelled, the next
command on its connection would read the reply to this one. Clients are `Any` here, because the types of redis-py differ
between its releases.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, TypeVar

from redis.exceptions import ConnectionError, NoPermissionError, RedisError  # noqa: A004 - not that of Python

Result = TypeVar("Result")

LIMIT: Final = 10.0  # seconds of one command
SILENCE: Final = 10.0  # seconds without a message after which a ping is sent
NEXT_SUBSCRIPTION: Final = 60.0  # seconds between two attempts if the right to subscribe is missing


class Connections:
    """The clients of a store, by event loop. A forked process has other event loops, and therefore other connections.

    Args:
        make: Returns a client for the running event loop.
        channel: The channel on which writers publish the version.
        is_owner: Whether the store closes its clients.
    """

    def __init__(self, make: Callable[[], Any], channel: bytes, *, is_owner: bool) -> None:
        """Connect to nothing yet."""
        self._make, self._channel, self._is_owner = make, channel, is_owner
        self._by_loop: dict[asyncio.AbstractEventLoop, LoopClient] = {}

    async def current(self) -> LoopClient:
        """Return the client of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._by_loop:
            for other in [*self._by_loop]:
                if other.is_closed():
                    del self._by_loop[other]
            client = LoopClient(self._make(), self._channel, is_owner=self._is_owner)
            self._by_loop[loop] = client
            await client.close_with_loop()
        return self._by_loop[loop]

    async def close(self) -> None:
        """Close the client of the running event loop."""
        client = self._by_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()


class LoopClient:
    """A client of redis-py, in one event loop.

    Args:
        redis: The client.
        channel: The channel to listen on.
        is_owner: Whether `close` closes the client.
    """

    def __init__(self, redis: Any, channel: bytes, *, is_owner: bool) -> None:
        """Start without a connection."""
        self.redis = redis
        self._channel = channel
        self._tasks: set[asyncio.Task[Any]] = set()
        self._notified = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._listens_from = 0.0
        self._end = _disconnect_at_the_end(redis) if is_owner else None

    async def run(self, command: Callable[[], Awaitable[Result]]) -> Result:
        """Run a command to its end, or to its limit, even if the caller is cancelled.

        Raises:
            redis.RedisError, OSError: If the command fails.
            TimeoutError: After `LIMIT` seconds.
        """
        return await self._result(self._start(command))

    @staticmethod
    async def _result(task: asyncio.Task[Result]) -> Result:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if task.cancelled() and not (caller and caller.cancelling()):  # by `close`
                raise ConnectionError("the registry was closed") from None
            raise

    def _start(self, command: Callable[[], Awaitable[Result]]) -> asyncio.Task[Result]:
        async def limited() -> Result:
            async with asyncio.timeout(LIMIT):
                return await command()

        task = asyncio.get_running_loop().create_task(limited())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def scan(self, key: bytes, match: bytes | None, count: int) -> AsyncGenerator[dict[Any, Any], None]:
        """Yield a hash in pages.

        One connection serves all pages. After a restart, or on another server, a cursor is not valid, and no reply says
        so.
        """
        single: Any = self.redis.client()
        page = self._start(functools.partial(single.hscan, key, 0, match, count))
        try:
            while True:
                cursor, values = await self._result(page)
                yield values
                if not cursor:
                    return
                page = self._start(functools.partial(single.hscan, key, cursor, match, count))
        finally:
            await asyncio.wait([page])  # the connection must not be used again before its reply was read
            await _close(single)

    # -- notifications

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - of the notification
        """Return after a message, a new subscription, or `timeout` seconds. Messages may be lost."""
        loop = asyncio.get_running_loop()
        if (self._listener is None or self._listener.done()) and loop.time() >= self._listens_from:
            self._listener = loop.create_task(self._listen())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._notified.wait()
        self._notified.clear()

    async def _listen(self) -> None:
        """Listen until the connection ends. The next call of `wait` begins again."""
        pubsub = self.redis.pubsub()
        try:
            await pubsub.subscribe(self._channel)
            silent, task = 0, asyncio.current_task()
            while silent <= 1 and not (task and task.cancelling()):  # neither a message nor a response to a ping
                message = await pubsub.get_message(timeout=SILENCE)
                silent = silent + 1 if message is None else 0
                if silent:  # pragma: no branch - Python 3.11 does not trace the line after a cancelled read
                    await pubsub.ping()
                else:  # also after the confirmation of the subscription: changes before it were missed
                    self._notified.set()
        except NoPermissionError:
            self._listens_from = asyncio.get_running_loop().time() + NEXT_SUBSCRIPTION
        except (RedisError, OSError):
            pass  # the poll reports it
        finally:
            with contextlib.suppress(RedisError, OSError):
                await _close(pubsub)

    # -- the end

    async def close(self) -> None:
        """End all tasks, and close the connections."""
        tasks = [*self._tasks, *([self._listener] if self._listener else [])]
        while tasks:
            for task in tasks:
                task.cancel()
            _, pending = await asyncio.wait(tasks, timeout=0.1)
            tasks = [*pending]  # redis-py uses asyncio.wait_for, which may lose a cancellation in Python 3.11
        if self._end is not None:
            await self._end.aclose()

    async def close_with_loop(self) -> None:
        """Have the connections closed when the running event loop shuts down, as `asyncio.run` does."""
        if self._end is not None:
            await anext(self._end)


async def _disconnect_at_the_end(redis: Any) -> AsyncGenerator[None, None]:
    """Close the connections when this generator is closed: by its owner, or by asyncio when the loop shuts down."""
    try:
        yield
    finally:
        pool = redis.connection_pool
        await pool.disconnect()
        for sentinel in getattr(getattr(pool, "sentinel_manager", None), "sentinels", ()):
            await sentinel.connection_pool.disconnect()


async def _close(closable: Any) -> None:
    await (closable.aclose() if hasattr(closable, "aclose") else closable.close())  # new in redis-py 5.0.1
