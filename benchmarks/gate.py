"""The gate: instructions that a request costs, counted, as a ratio to the limit written by hand.

    python benchmarks/gate.py [--write] [--slow]

Time on a shared machine tells no change of 3 %; a count of instructions (valgrind's callgrind, PYTHONHASHSEED=0)
does. Processes that differ only in the app that they call are counted, and the difference is the apps'. Fails where a
ratio has grown by over 3 % against gate.json, which `--write` writes anew; `--slow` counts a middleware with one more
coroutine, to see the gate fail. What looks grown is counted in other memory layouts, too, and the least is taken.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from limit import Limit, Policy
from traffic import ALLOWED, LAYOUT, STRANGER, App, app, scopes, spend

from asgi_cors import CORSMiddleware

BASELINES: Final = Path(__file__).with_name("gate.json")
TOLERANCE: Final = 1.03
REQUESTS: Final = 2000  # so many that what differs between two starts of Python does not count
LAYOUTS: Final = 2
WARM: Final = 60  # before the interpreter has specialised the code, and the tables are filled

ROWS: Final[dict[str, dict[str, Any]]] = {
    "no Origin": {"origin": None},
    "actual": {},
    "refused": {"origin": STRANGER},
    "preflight": {"preflight": True},
    "preflight, refused": {"origin": STRANGER, "preflight": True},
}


class Slow(CORSMiddleware):
    """A deliberate slowdown."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Put one more coroutine between server and app."""
        await super().__call__(scope, receive, send)


def _ours(kind: type[CORSMiddleware]) -> App:
    return kind(app, allow_origins=[ALLOWED], allow_methods=["PUT"], allow_headers=["x-request-id"])


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Cost nothing, so that what it takes to make requests is counted alone."""


def contenders() -> dict[str, App]:
    """Make those that are counted."""
    return {
        "nothing": nothing,
        "bare": app,
        "limit": Limit(app, Policy([ALLOWED.encode()], methods=[b"PUT"], names=[b"x-request-id"])),
        "ours": _ours(CORSMiddleware),
        "slow": _ours(Slow),
    }


def serve(name: str, row: str) -> None:
    """Serve some requests, each made and dropped in its turn, as a server does, and leave without cleaning up."""
    warnings.simplefilter("ignore")
    gc.disable()
    served = contenders()
    for warmed in served.values():
        _serve(warmed, row, WARM)
    _serve(served[name], row, REQUESTS)
    os._exit(0)


def _serve(served: App, row: str, count: int) -> None:
    for _ in range(count):
        spend(served, scopes(1, **ROWS[row]))


def counted(name: str, row: str, layout: int) -> int:
    """Count the instructions of a process that serves requests of a kind.

    Raises:
        RuntimeError: With the output of valgrind.
    """
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, __file__]
    result = subprocess.run(  # noqa: S603 - this very file
        [*command, f"--serve={name}/{row}"],
        env=os.environ | {"PYTHONHASHSEED": "0", LAYOUT: str(layout)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode or not found:
        raise RuntimeError(result.stderr)
    return int(found[1])


def ratios(ours: str, layouts: int) -> dict[str, float]:
    """Count what `ours` and the limit add to the app, at the least, and return the ratio by kind of request."""
    jobs = [
        (name, row, layout) for row in ROWS for name in (_below(row), "limit", ours) for layout in range(1, layouts + 1)
    ]
    counts: dict[tuple[str, str], int] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (name, row, _), count in zip(jobs, pool.map(lambda job: counted(*job), jobs), strict=True):
            counts[name, row] = min(count, counts.get((name, row), count))
    found = {}
    for row in ROWS:
        added, least = (counts[name, row] - counts[_below(row), row] for name in (ours, "limit"))
        found[row] = round(added / least, 4)
        print(f"{row:18} {added // REQUESTS:6} instructions, by hand {least // REQUESTS:6}")
    return found


def _below(row: str) -> str:
    """Name what a middleware adds to: a preflight never reaches the app."""
    return "nothing" if ROWS[row].get("preflight") else "bare"


def verdict(found: dict[str, float], known: dict[str, float]) -> bool:
    """Print each ratio with its baseline. Return whether none has grown."""
    grown = [row for row in ROWS if found[row] > known.get(row, 0) * TOLERANCE]
    for row, ratio in found.items():
        shrunk = "has shrunk: write it down by --write" if ratio * TOLERANCE < known.get(row, 0) else "holds"
        word = "has grown by over 3 %" if row in grown else shrunk
        print(f"{row:18} {ratio:.3f} x the limit, baseline {known.get(row, 0):.3f}: {word}")
    return not grown


def main() -> None:
    """Count, and compare or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the baselines of this Python")
    parser.add_argument("--slow", action="store_true", help="count a deliberate slowdown")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve.split("/"))
    if not shutil.which("valgrind"):
        sys.exit("No valgrind found: `apt-get install valgrind`.")
    python = ".".join(platform.python_version_tuple()[:2])
    baselines = json.loads(BASELINES.read_text()) if BASELINES.exists() else {}
    ours, known = "slow" if options.slow else "ours", baselines.get(python, {})
    if options.write:
        found = ratios(ours, LAYOUTS)
        BASELINES.write_text(json.dumps(baselines | {python: found}, indent=2, sort_keys=True) + "\n")
    elif not (verdict(ratios(ours, 1), known) or verdict(ratios(ours, LAYOUTS), known)):
        sys.exit(1)


if __name__ == "__main__":
    main()
