"""Requests to one worker whose origins are known at run time: overhead, bursts, hostile origins."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import report
from traffic import ALLOWED, LAYOUT, STRANGER, App, Message, Scope, app, build_environ, receive, scopes, send

from asgi_cors import Cached, CORSMiddleware, Loaded, Policy, Tenants, WSGIMiddleware
from asgi_cors.registry import SQLiteRegistry

OPTIONS: Final[dict[str, Any]] = {"allow_methods": ["PUT"], "allow_headers": ["x-request-id"]}
REQUESTS: Final = 150  # in a turn
WARM: Final = 2
GOAL: Final = 1.3  # times the overhead of a static origin, for Cached and Loaded

BARE: Final = "bare app"
STATIC: Final = "static origin"
ROWS: Final[dict[str, dict[str, Any]]] = {
    "actual, allowed": {},
    "actual, refused": {"origin": STRANGER},
    "preflight, allowed": {"preflight": True},
    "preflight, refused": {"origin": STRANGER, "preflight": True},
}

Times = dict[tuple[str, str], list[float]]  # nanoseconds per request in each round, by contender and row


async def is_customer(origin: str) -> bool:
    """Look an origin up, without waiting for anything."""
    return origin == ALLOWED


def is_customer_sync(origin: str) -> bool:
    """Do the same without a coroutine."""
    return origin == ALLOWED


async def customers() -> list[str]:
    """Return the whole list."""
    return [ALLOWED]


def policy_of_tenant(_key: str) -> Policy:
    """Return the policy of every tenant."""
    return Policy(allow_origins=ALLOWED, **OPTIONS)


async def contenders(folder: Path) -> dict[str, App]:
    """Build the middlewares. Each allows the same origin."""
    registry = SQLiteRegistry(folder / "origins.db")
    await registry.add(ALLOWED)
    entries: dict[str, Any] = {
        STATIC: ALLOWED,
        "`Cached`, a hit": Cached(is_customer),
        "`Loaded`": Loaded(customers),
        "registry": registry,
        "sync callable": is_customer_sync,
        "async callable": is_customer,
    }
    made: dict[str, App] = {
        title: CORSMiddleware(app, allow_origins=[entry], **OPTIONS) for title, entry in entries.items()
    }
    made["`Tenants`, a hit"] = CORSMiddleware(
        app, allow_origins="https://base.example.org", policy_for=Tenants.by_host(policy_of_tenant)
    )
    return {BARE: app, **made}


async def allows(middleware: App, scope: Scope) -> bool:
    """Send a request, and return whether its origin is allowed."""
    sent: list[Message] = []

    async def record(message: Message) -> None:
        sent.append(message)

    await middleware(scope, receive, record)
    return b"access-control-allow-origin" in dict(sent[0]["headers"])


async def wait_until_allowed(middleware: App, origin: str, seconds: float = 120) -> None:
    """Send requests until the origin is allowed.

    Raises:
        TimeoutError: It was not allowed in time.
    """
    async with asyncio.timeout(seconds):
        while not await allows(middleware, scopes(1, origin=origin)[0]):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.005)


# -- overhead


def overhead(fast: bool) -> dict[str, Any]:  # noqa: FBT001 - the command line's flag
    """Compare the overhead of each kind of entry with a static origin's, in several processes."""
    processes, rounds = (1, 5) if fast else (3, 25)
    times: Times = {}
    for layout in range(processes):
        command = [sys.executable, __file__, str(rounds)]
        for title, row, values in json.loads(
            subprocess.check_output(command, env=os.environ | {LAYOUT: str(layout)})  # noqa: S603 - this very file
        ):
            times.setdefault((title, row), []).extend(values)
    titles = [title for title in dict.fromkeys(title for title, _ in times) if title not in {BARE, STATIC}]
    head = ["a request whose decision is cached", f"{STATIC}, ns", *titles]
    return report.table(f"Overhead as a multiple of a static origin's (goal: {GOAL})", head, _ratios(times, titles))


def _ratios(times: Times, titles: list[str]) -> Iterable[list[str]]:
    for row in ROWS:
        static = _added(times, STATIC, row)
        yield [
            row,
            f"{statistics.median(static):,.0f}",
            *(f"{statistics.median(map(_divide, _added(times, title, row), static)):.2f}" for title in titles),
        ]


def _divide(value: float, other: float) -> float:
    return value / other


def _added(times: Times, title: str, row: str) -> list[float]:
    """Return the time that an entry adds in each round. A preflight never reaches the app."""
    if "preflight" in row:
        return times[title, row]
    return [spent - alone for spent, alone in zip(times[title, row], times[BARE, row], strict=True)]


async def measure(rounds: int) -> Times:
    """Let every contender serve every kind of request in turns, in one event loop."""
    times: Times = {}
    with tempfile.TemporaryDirectory() as folder:
        served = await contenders(Path(folder))
        for title, middleware in served.items():
            if title != BARE:
                await wait_until_allowed(middleware, ALLOWED)
        for turn in range(-WARM, rounds):
            await asyncio.sleep(0.02)  # for the registry's own task
            for (title, middleware), row in product(served.items(), ROWS):
                if title == BARE and "preflight" in row:
                    continue
                spent = await _turn(middleware, scopes(REQUESTS, **ROWS[row]))
                if turn >= 0:
                    times.setdefault((title, row), []).append(spent)
    return times


async def _turn(middleware: App, requests: list[Scope]) -> float:
    """Serve requests one after the other, and return nanoseconds of this thread's CPU time per request."""
    gc.collect(0)
    gc.disable()
    try:
        began = time.thread_time_ns()
        for scope in requests:
            await middleware(scope, receive, send)
        return (time.thread_time_ns() - began) / len(requests)
    finally:
        gc.enable()


# -- a hundred requests at once


class Customers:
    """A look-up that takes some time, and counts its calls.

    Args:
        seconds: The time that a call takes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, origin: str) -> bool:
        """Return whether the origin is a customer's."""
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.in_flight -= 1
        return origin.endswith(".example.com")


def burst(fast: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001 - the command line's flag
    """Count the calls of a hundred requests at once from one origin that is not known yet."""
    rows = [["ASGI, one event loop", "100", str(asyncio.run(_burst_asgi(100)))]]
    rows.append(["WSGI, a hundred threads", "100", str(_burst_wsgi(100))])
    return report.table("A hundred requests at once from a new origin", ["interface", "requests", "calls"], rows)


async def _burst_asgi(count: int) -> int:
    look_up = Customers(0.05)
    middleware = CORSMiddleware(app, allow_origins=[Cached(look_up)])
    allowed = await asyncio.gather(*(allows(middleware, scope) for scope in scopes(count)))
    if not all(allowed):
        raise RuntimeError(allowed)
    return look_up.calls


def _burst_wsgi(count: int) -> int:
    look_up = Customers(0.05)

    def respond(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    middleware = WSGIMiddleware(respond, allow_origins=[Cached(look_up)])
    together = threading.Barrier(count)

    def request(scope: Scope) -> None:
        together.wait()
        list(middleware(build_environ(scope), lambda *_: print))

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(request, scopes(count)))
    return look_up.calls


# -- hostile origins

LOOK_UP: Final = 0.01  # seconds
CUSTOMERS: Final = 1000
BATCH: Final = 100  # hostile requests between two of customers


class Flood(NamedTuple):
    """The results of a flood: good requests in microseconds, and the number of those that were refused."""

    seconds: float
    good: list[float]
    refused: int


def hostile(fast: bool) -> dict[str, Any]:  # noqa: FBT001 - the command line's flag
    """Send distinct origins that no one allows to one worker with `Cached`, and requests of customers in between."""
    return asyncio.run(_hostile(50_000 if fast else 1_000_000))


async def _hostile(count: int) -> dict[str, Any]:
    look_up = Customers(LOOK_UP)
    cached = Cached(look_up)
    middleware = CORSMiddleware(app, allow_origins=[cached])
    good = [f"https://customer{number}.example.com" for number in range(CUSTOMERS)]
    for start in range(0, CUSTOMERS, 50):
        await asyncio.gather(*(wait_until_allowed(middleware, origin) for origin in good[start : start + 50]))
    fresh = megabytes()
    warm_up = await _flood(middleware, range(count // 10), good)  # fills the caches
    full, calls = megabytes(), look_up.calls
    flood = await _flood(middleware, range(count // 10, count), good)
    percentiles = statistics.quantiles(flood.good, n=100)
    rows = [
        ["hostile origins, all distinct", f"{count:,}"],
        ["hostile requests per second", f"{count * 0.9 / flood.seconds:,.0f}"],
        ["memory before, MB", f"{fresh:.1f}"],
        ["memory after a tenth, which fills the caches, MB", f"{full:.1f}"],
        ["memory at the end, MB", f"{megabytes():.1f}"],
        ["look-ups at once, at most (`max_in_flight` is 100)", str(look_up.most_in_flight)],
        [
            f"look-ups per second (at most {100 / LOOK_UP:,.0f})",
            f"{(look_up.calls - calls) / flood.seconds:,.0f}",
        ],
        [
            "requests of customers that were refused",
            f"{warm_up.refused + flood.refused} of {len(warm_up.good + flood.good):,}",
        ],
        ["a customer's request, median, µs", f"{percentiles[49]:.1f}"],
        ["a customer's request, p99, µs", f"{percentiles[98]:.1f}"],
    ]
    return report.table(f"Hostile origins against `Cached`; a look-up takes {LOOK_UP * 1000:.0f} ms", ["", ""], rows)


async def _flood(middleware: App, numbers: range, good: list[str]) -> Flood:
    pending: set[asyncio.Task[None]] = set()
    times: list[float] = []
    refused = 0
    began = time.perf_counter()
    for number in numbers:
        (scope,) = scopes(1, origin=f"https://n{number}.example.net")
        task = asyncio.ensure_future(middleware(scope, receive, send))
        pending.add(task)
        task.add_done_callback(pending.discard)
        if number % BATCH:
            continue
        await asyncio.sleep(0)
        (scope,) = scopes(1, origin=random.choice(good))  # noqa: S311 - not a secret
        sent = time.perf_counter()
        await middleware(scope, receive, send)
        times.append((time.perf_counter() - sent) * 1e6)
        refused += not await allows(middleware, scope)
    await asyncio.gather(*pending)
    return Flood(time.perf_counter() - began, times, refused)


def megabytes() -> float:
    """Return the resident memory of this process, after a collection of garbage."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps([[*key, values] for key, values in asyncio.run(measure(int(sys.argv[1]))).items()]))
