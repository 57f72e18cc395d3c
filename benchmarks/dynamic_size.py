"""A million origins in each store: import, load, memory, one change, and the stalls of the event loop."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import report
from dynamic_requests import allows, megabytes, wait_until_allowed
from dynamic_stores import command, stores
from traffic import app, scopes

from asgi_cors import CORSMiddleware, OriginTable
from asgi_cors.registry import open_registry

CHANGES: Final = 20
TICK: Final = 0.001  # seconds
HEAD: Final = (
    "store",
    "import by the command line, s",
    "load in a worker, s",
    "memory of a worker, MB",
    "longest stall while it loads, ms",
    "longest stall in changes, ms",
    "a change until the worker follows, ms",
)


def million(fast: bool) -> dict[str, Any]:  # noqa: FBT001 - the command line's flag
    """Measure each store with a million origins."""
    count = 20_000 if fast else 1_000_000
    rows = []
    with stores() as urls, tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "origins.jsonl")
        with lines.open("w") as file:
            file.writelines(f"{json.dumps({'origin': _origin(number)})}\n" for number in range(count))
        for name, url in urls.items():
            began = time.perf_counter()
            subprocess.run(command("import", str(lines), store=url), check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            spent = time.perf_counter() - began
            figures = json.loads(subprocess.check_output([sys.executable, __file__, url, str(count)]))  # noqa: S603
            rows.append([name, f"{spent:.1f}", *figures])
    title = f"{count:,} origins; a change of the table in memory takes {_change_of_table(count)} µs"
    return report.table(title, HEAD, rows)


def _origin(number: int) -> str:
    return f"https://site{number}.example.org"


def _change_of_table(count: int) -> str:
    """Return the median microseconds to add an origin to a table of so many, or to remove it."""
    table = OriginTable()
    for number in range(count):
        table.add(_origin(number))
    times = []
    for number in range(200):
        began = time.perf_counter()
        table.add(f"https://new{number}.example.org")
        table.discard(_origin(number * 97))
        times.append((time.perf_counter() - began) / 2 * 1e6)
    return f"{statistics.median(times):.0f}"


class Stalls:
    """The longest time that the event loop did not run."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._task = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self._longest = max(self._longest, time.perf_counter() - began - TICK)

    def milliseconds(self) -> str:
        """Return the longest one since the last call."""
        longest, self._longest = self._longest, 0.0
        return f"{longest * 1000:.0f}"


async def worker(store: str, count: int) -> list[str]:
    """Load the list as a worker does, change it, and return the figures."""
    registry = open_registry(store)
    middleware = CORSMiddleware(app, allow_origins=[registry])
    stalls = Stalls()
    before, began = megabytes(), time.perf_counter()
    await asyncio.sleep(0.1)
    stalls.milliseconds()
    await wait_until_allowed(middleware, _origin(count - 1), seconds=300)
    loaded, stall = time.perf_counter() - began, stalls.milliseconds()
    memory = megabytes() - before
    await asyncio.sleep(0.1)
    stalls.milliseconds()
    writer = open_registry(store)  # another one, as another process has
    times = [await _change(writer, middleware, number) for number in range(CHANGES)]
    await writer.close()
    figures = [f"{loaded:.1f}", f"{memory:.0f}", stall, stalls.milliseconds(), f"{statistics.median(times):.0f}"]
    await registry.close()
    return figures


async def _change(writer: Any, middleware: Any, number: int) -> float:
    """Add an origin, and return the milliseconds from the acknowledgement until the worker allows it."""
    origin = f"https://new{number}.example.org"
    await writer.add(origin)
    began = time.perf_counter()
    while not await allows(middleware, scopes(1, origin=origin)[0]):  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(TICK)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    print(json.dumps(asyncio.run(worker(sys.argv[1], int(sys.argv[2])))))
