"""The time from a write of the command line until all four workers of two uvicorn servers follow it."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import time
from typing import Any, Final, NamedTuple, Self

import report
from dynamic_stores import command, free_port, running, stores

from asgi_cors.registry import open_registry

SERVERS: Final = 2
WORKERS: Final = 2
POLL: Final = 0.002  # seconds between two requests to a worker
PATIENCE: Final = 60  # seconds
GOALS: Final = {"SQLite": 1000, "Redis": 100}  # milliseconds, p99
UVICORN: Final = "uvicorn --host 127.0.0.1 --port {port} --workers {workers} --no-access-log --log-level error"


class Worker(NamedTuple):
    """An open connection, and with it one worker of a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: bytes

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect to one worker of a server, whichever accepts."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        _, pid = await _request(reader, writer, "https://first.example.net")
        return cls(reader, writer, pid)

    async def wait_until(self, origin: str, *, allowed: bool) -> float:
        """Send requests until an origin is allowed, or refused. Return the wall time of that response."""
        while (await _request(self.reader, self.writer, origin))[0] != allowed:  # noqa: ASYNC110 - in another process
            await asyncio.sleep(POLL)
        return time.time()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, origin: str) -> tuple[bool, bytes]:
    """Return whether the origin is allowed, and the body."""
    writer.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {origin}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return b"access-control-allow-origin: " in head, await reader.readexactly(size)


async def _connect(ports: list[int]) -> list[Worker]:
    """Return a connection to each worker."""
    found: dict[bytes, Worker] = {}
    async with asyncio.timeout(PATIENCE):
        for place, port in enumerate(ports):
            while len(found) < WORKERS * (place + 1):
                worker = await Worker.connect(port)
                if found.setdefault(worker.pid, worker) is not worker:
                    worker.writer.close()
    return [*found.values()]


def propagation(fast: bool) -> dict[str, Any]:  # noqa: FBT001 - the command line's flag
    """Measure additions and removals in each store."""
    rows = []
    with stores() as urls:
        for name, url in urls.items():
            times = asyncio.run(_measure(url, 5 if fast else 50))
            percentiles = statistics.quantiles(times, n=100, method="inclusive")
            figures = (statistics.median(times), percentiles[98], max(times))
            rows.append([name, str(len(times)), *(f"{figure:,.0f}" for figure in figures), f"{GOALS[name]:,}"])
    title = "From a write of the command line until all four workers of two uvicorn servers follow it"
    return report.table(title, ["store", "changes", "p50, ms", "p99, ms", "longest, ms", "goal of p99, ms"], rows)


async def _measure(store: str, count: int) -> list[float]:
    """Start the servers, add and remove origins, and return the milliseconds of each change."""
    with contextlib.ExitStack() as stack:
        ports = [free_port() for _ in range(SERVERS)]
        for port in ports:
            server = [sys.executable, "-m", *UVICORN.format(port=port, workers=WORKERS).split(), "dynamic_app:app"]
            stack.enter_context(running(server, port, STORE=store))
        workers = await _connect(ports)
        await _change(workers, store, "https://first.example.com", allowed=True)  # all have loaded the list
        return [
            await _change(workers, store, f"https://site{number}.example.com", allowed=allowed)
            for number in range(count)
            for allowed in (True, False)
        ]


async def _change(workers: list[Worker], store: str, origin: str, *, allowed: bool) -> float:
    """Add or remove an origin by the command line. Return the milliseconds until the last worker follows.

    They begin at the time that the store recorded for the change, which is shortly before it was acknowledged.
    """
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        seen = [group.create_task(worker.wait_until(origin, allowed=allowed)) for worker in workers]
        words = command("add" if allowed else "remove", origin, store=store)
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL)
        if await process.wait():
            raise RuntimeError(words)
    registry = open_registry(store)
    changes = [change async for change in _history(registry) if change.origin == origin]
    await registry.close()
    return (max(task.result() for task in seen) - changes[-1].at.timestamp()) * 1000


async def _history(registry: Any) -> Any:
    after = 0
    while page := await registry.history(after=after):
        for change in page:
            yield change
        after = page[-1].version
