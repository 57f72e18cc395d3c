"""Measure how a policy's size affects the time to build it, memory and requests; measure imports, too.

python benchmarks/scaling.py [--rounds 25]
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import os
import statistics
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterable
from time import process_time, process_time_ns
from typing import Any, Final, NamedTuple

import report
from traffic import ALLOWED, app, scopes, spend

from asgi_cors import CORSMiddleware, Policy, Request, decide

REQUESTS: Final = 200  # in a turn
STREAM: Final = 50_000  # new origins
IMPORTS: Final = 15
# The import may load modules later: build a middleware, too.
BUILD: Final = "from asgi_cors import CORSMiddleware; CORSMiddleware(print, allow_origins='https://example.com')"
VERSIONS: Final = ("asgi-cors-bridge", "starlette")

Options = dict[str, Any]


class Size(NamedTuple):
    """A policy of some size.

    Args:
        title: The number of entries.
        options: The options of the middleware.
        origin: Returns an allowed origin, by number.
        path: The path of its requests.
    """

    title: str
    options: Options
    origin: Callable[[int], str]
    path: str = "/items"


def sizes() -> Iterable[Size]:
    """Return policies of few entries and of many."""
    return [
        *(_exact(count) for count in (1, 10, 1_000, 100_000, 1_000_000)),
        *(_patterns(count) for count in (1, 10, 1_000, 10_000)),
        *(_paths(count) for count in (1, 10, 1_000)),
    ]


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count > 1 else ''}"


def _exact(count: int) -> Size:
    origins = [*(f"https://site{n}.example.org" for n in range(count - 1)), ALLOWED]
    return Size(_many(count, "origin"), {"allow_origins": origins}, lambda n: origins[n * 7919 % count])


def _patterns(count: int) -> Size:
    origins = [*(f"https://*.site{n}.example.org" for n in range(count)), ALLOWED]
    return Size(
        _many(count, "pattern"), {"allow_origins": origins}, lambda n: f"https://a{n}.site{n % count}.example.org"
    )


def _paths(count: int) -> Size:
    rules = {f"/area{n}/*": {"allow_origins": ALLOWED} for n in range(count)}
    options = {"allow_origins": ALLOWED, "paths": rules}
    return Size(_many(count, "path rule"), options, lambda _: ALLOWED, f"/area{count - 1}/items")


def growth(rounds: int) -> dict[str, Any]:
    """Measure policies of several sizes."""
    measured = list(sizes())
    built = [_built(size.options) for size in measured]
    requests: list[list[float]] = [[] for _ in measured]
    decisions: list[list[float]] = [[] for _ in measured]
    for _ in range(rounds):
        alone = spend(app, scopes(REQUESTS))
        for place, (middleware, *_rest) in enumerate(built):
            size = measured[place]
            requests[place].append(spend(middleware, scopes(REQUESTS, path=size.path)) - alone)
            decisions[place].append(_decision(middleware.policy, size))
    rows = [
        [
            size.title,
            f"{made[1]:,.1f}",
            f"{made[2]:,.1f}",
            f"{statistics.median(each):,.0f}",
            f"{statistics.median(new):,.0f}",
        ]
        for size, made, each, new in zip(measured, built, requests, decisions, strict=True)
    ]
    return report.table("", ["policy", "build, ms", "memory, MB", "request, ns", "decision, ns"], rows)


def _built(options: Options) -> tuple[CORSMiddleware, float, float]:
    """Build a middleware. Return it, the milliseconds that this took, and its megabytes."""
    gc.collect()
    began = process_time()
    made = CORSMiddleware(app, **options)
    spent = process_time() - began
    del made
    tracemalloc.start()
    made = CORSMiddleware(app, **options)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made, spent * 1e3, taken / 1e6


def _decision(policy: Policy, size: Size) -> float:
    requests = [Request("GET", size.origin(n).encode()) for n in range(REQUESTS)]
    began = process_time_ns()
    for request in requests:
        decide(policy, request)
    return (process_time_ns() - began) / REQUESTS


def stream() -> dict[str, Any]:
    """Measure the memory after streams of new origins: the first fills the caches, the others must add nothing."""
    middleware = CORSMiddleware(app, allow_origins=[ALLOWED, "https://*.example.com"])
    tracemalloc.start()
    left = []
    for turn in range(3):
        for n in range(STREAM):
            spend(middleware, scopes(1, origin=f"https://n{turn}-{n}.example.com"))
            spend(middleware, scopes(1, origin=f"https://n{turn}-{n}.example.net", preflight=n % 2 == 0))
        gc.collect()
        left.append(tracemalloc.get_traced_memory()[0] / 1e6)
    tracemalloc.stop()
    rows = [[f"{(turn + 1) * STREAM * 2:,} requests", f"{taken:,.2f}"] for turn, taken in enumerate(left)]
    return report.table("", ["new origins, half of them allowed", "memory left, MB"], rows)


def imports() -> dict[str, Any]:
    """Measure imports, each in a new interpreter."""
    rows = []
    for title, before in (
        ("a bare interpreter", ""),
        ("after `import starlette.applications`", "import starlette.applications"),
    ):
        rows.append([title, *(_taken(before, code) for code in ("import asgi_cors", BUILD))])
    return report.table("", ["`import asgi_cors`", "ms", "with a middleware built, ms"], rows)


def _taken(before: str, code: str) -> str:
    program = f"{before}\nimport time; t = time.process_time()\n{code}\nprint(time.process_time() - t)"
    taken = [_seconds([sys.executable, "-c", program]) * 1e3 for _ in range(IMPORTS + 1)][1:]  # the first one compiles
    return f"{statistics.median(taken):.1f}"


def _seconds(command: list[str]) -> float:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return float(subprocess.check_output(command, env=env))  # noqa: S603 - built above


def main() -> None:
    """Measure everything, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    parts = [imports(), growth(rounds), stream()]
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    report.save("scaling", versions=versions, parts=parts)
    print(*map(report.text, parts), sep="\n")


if __name__ == "__main__":
    main()
