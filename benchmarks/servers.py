"""Measure CORS behind real servers: requests per second, and the server's CPU time per request.

    python benchmarks/servers.py [--rounds 5] [--seconds 1]

Needs wrk (`apt-get install wrk`). The servers listen on 127.0.0.1 and share one core. wrk loads one at a time, from
another core.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import report
from served import KINDS
from traffic import scopes

SERVERS: Final = {
    "uvicorn": "uvicorn --host 127.0.0.1 --port {port} --no-access-log --log-level error --lifespan off served:{app}",
    "granian": "granian --interface asginl --host 127.0.0.1 --port {port} --no-log served:{app}",
}
VERSIONS: Final = (
    *("asgi-cors-bridge", "asgiref", "flask-cors", "quart-cors", "starlette"),
    *("granian", "httptools", "uvicorn", "uvloop"),
)
ROWS: Final[dict[str, dict[str, Any]]] = {"no Origin": {"origin": None}, "actual": {}, "preflight": {"preflight": True}}
HEAD: Final = (
    "server, app: CORS by",
    *("no Origin/s", "of bare", "added, µs"),
    *("actual/s", "of bare", "CPU, µs", "added, µs"),
    *("preflights/s", "CPU, µs"),
)
START: Final = 30  # seconds, at most


class Load(NamedTuple):
    """The result of a server under load: requests per second, and microseconds of its CPU time per request."""

    rate: float
    cost: float


@contextlib.contextmanager
def running(server: str, app: str) -> Iterator[tuple[int, int]]:
    """Run a server on the first core. Yield its process id and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *SERVERS[server].format(port=port, app=app).split()]
    process = subprocess.Popen(_on_core(0, command), cwd=Path(__file__).parent)  # noqa: S603 - listed above
    try:
        _wait(port, process)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(START)


def _on_core(core: int, command: list[str]) -> list[str]:
    return ["taskset", "--cpu-list", str(core), *command]


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(process.args)


def load(pid: int, port: int, script: Path, seconds: float) -> Load:
    """Load a server from the second core.

    Raises:
        RuntimeError: A request failed.
    """
    before = _spent(pid)
    command = ["wrk", "--threads=1", "--connections=8", f"--duration={seconds}s", f"--script={script}"]
    said = subprocess.check_output(_on_core(1, [*command, f"http://127.0.0.1:{port}/items"]), text=True)  # noqa: S603 - above
    found = re.search(r"(\d+) requests in ([\d.]+)s", said)
    if not found or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    count = int(found[1])
    return Load(count / float(found[2]), (_spent(pid) - before) / 1000 / count)


def _spent(pid: int) -> int:
    """Return the CPU time of a process and its children, in nanoseconds: the sum over all threads."""
    tasks = [*Path(f"/proc/{pid}/task").iterdir()]
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) + sum(map(_spent, children))


@contextlib.contextmanager
def scripts() -> Iterator[dict[str, Path]]:
    """Write one wrk script for each kind of request. Yield their paths."""
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for row, kind in ROWS.items():
            (scope,) = scopes(1, **kind)
            headers = "".join(
                f"wrk.headers[{name.decode()!r}] = {value.decode()!r}\n" for name, value in scope["headers"]
            )
            made[row] = Path(folder, f"{row}.lua")
            made[row].write_text(f'wrk.method = "{scope["method"]}"\n{headers}')
        yield made


def compare(server: str, kind: str, rounds: int, seconds: float) -> list[list[str]]:
    """Load the bare app, ours and the peer's in turns. Return the rows of the table."""
    title, peer, _ = KINDS[kind]
    by_hand = {"limit": "by hand"} if kind == "raw" else {}
    names = {"bare": "bare", "headers": "headers alone", **by_hand, "ours": "asgi_cors", "peer": peer}
    loads: dict[tuple[str, str], list[Load]] = {}
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(scripts())
        apps = {name: stack.enter_context(running(server, f"{kind}_{name}")) for name in names}
        for _ in range(rounds + 1):
            for row, script in made.items():
                for name, (pid, port) in apps.items():
                    if row != "preflight" or name not in {"bare", "headers"}:
                        loads.setdefault((name, row), []).append(load(pid, port, script, seconds))
    return [[f"{server}, {title}: {names[name]}", *_row(loads, name)] for name in names]


def _row(loads: dict[tuple[str, str], list[Load]], name: str) -> list[str]:
    rate, of_bare, added = _cells(loads, name, "actual")
    cost = f"{statistics.median(one.cost for one in loads[name, 'actual'][1:]):,.1f}"
    row = [*_cells(loads, name, "no Origin"), rate, of_bare, cost, added]
    preflights = loads.get((name, "preflight"), [])[1:]
    if not preflights:
        return [*row, "", ""]
    rate = f"{statistics.median(one.rate for one in preflights):,.0f}"
    return [*row, rate, f"{statistics.median(one.cost for one in preflights):,.1f}"]


def _cells(loads: dict[tuple[str, str], list[Load]], name: str, row: str) -> tuple[str, str, str]:
    """Return requests per second, their ratio to the bare app's, and the CPU time added. The first round warms up."""
    pairs = list(zip(loads[name, row][1:], loads["bare", row][1:], strict=True))
    return (
        f"{statistics.median(one.rate for one, _ in pairs):,.0f}",
        f"{statistics.median(one.rate / alone.rate for one, alone in pairs):.2f}",
        f"{statistics.median(one.cost - alone.cost for one, alone in pairs):,.1f}" if name != "bare" else "",
    )


def main() -> None:
    """Compare behind every server, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("No wrk found: `apt-get install wrk`.")
    rows: list[Any] = [
        row for server in SERVERS for kind in KINDS for row in compare(server, kind, options.rounds, options.seconds)
    ]
    part = report.table("", [*HEAD], rows)
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    report.save("servers", versions=versions, parts=[part])
    print(report.text(part))


if __name__ == "__main__":
    main()
