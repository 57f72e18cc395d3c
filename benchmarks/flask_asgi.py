"""What `asgi_app` is for: slow views side by side, preflights that wait for none, and no request lost.

Run it as `python benchmarks/flask_asgi.py`. It serves a Flask app by uvicorn on a loopback port, by `asgi_app` and then
by asgiref's bridge alone, and prints for each: how long four views of half a second take at once, how long a preflight
takes meanwhile, and how many of many requests over kept connections were answered by a 500. About a minute in all.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from asgiref.wsgi import WsgiToAsgi
from flask import Flask, Response, request, stream_with_context

from asgi_cors_flask import CORS, asgi_app

PAGE = "https://app.example.com"
PREFLIGHT = f"Origin: {PAGE}\r\nAccess-Control-Request-Method: PUT\r\n"
SLOW = 0.5  # seconds
CONNECTIONS = 16


def create() -> Flask:
    """Make an app with a slow view, and a fast one that needs its request to the end."""
    app = Flask("app")
    CORS(app, origins=PAGE)

    @app.get("/slow")
    def slow() -> str:
        time.sleep(SLOW)
        return "slow"

    @app.get("/fast")
    def fast() -> Response:
        return Response(stream_with_context(iter((request.path,))))

    return app


@contextmanager
def served(app: Any) -> Iterator[int]:
    """Serve an ASGI app in a thread; give the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


class Connection:
    """A kept connection."""

    async def open(self, port: int) -> Connection:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def ask(self, method: str, path: str, fields: str = "") -> int:
        """Send a request, read its answer to the end, and give the status."""
        self.writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in head:
            while await self.reader.readuntil(b"\r\n") != b"0\r\n":
                await self.reader.readuntil(b"\r\n")
            await self.reader.readuntil(b"\r\n")
        elif b"content-length: " in head:
            await self.reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        return int(head.split()[1])


async def side_by_side(port: int) -> tuple[float, list[float]]:
    """Ask for four slow views at once, and for preflights meanwhile; give the seconds of all, and of each preflight."""
    connections = [await Connection().open(port) for _ in range(5)]
    began = time.perf_counter()
    views = [asyncio.create_task(connection.ask("GET", "/slow")) for connection in connections[1:]]
    preflights: list[float] = []
    while not all(view.done() for view in views):
        await asyncio.sleep(0.02)
        asked = time.perf_counter()
        await connections[0].ask("OPTIONS", "/slow", PREFLIGHT)
        preflights.append(time.perf_counter() - asked)
    return time.perf_counter() - began, preflights


async def many(port: int, count: int) -> tuple[float, Counter[int]]:
    """Send many requests over a few kept connections; give the seconds, and how often which status came."""
    statuses: Counter[int] = Counter()

    async def some() -> None:
        connection = await Connection().open(port)
        for _ in range(count // CONNECTIONS):
            try:
                statuses[await connection.ask("GET", "/fast", f"Origin: {PAGE}\r\n")] += 1
            except (asyncio.IncompleteReadError, ConnectionError):  # broken off by the server
                statuses[0] += 1
                connection = await Connection().open(port)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(CONNECTIONS)))
    return time.perf_counter() - began, statuses


async def measure(name: str, port: int, count: int) -> None:
    """Print the figures of one bridge."""
    await (await Connection().open(port)).ask("GET", "/fast")
    seconds, preflights = await side_by_side(port)
    print(f"{name}\n  four views of {SLOW} s at once     {seconds:.2f} s")
    median, worst = statistics.median(preflights) * 1000, max(preflights) * 1000
    print(f"  a preflight meanwhile          {median:.1f} ms, at worst {worst:.1f} ms ({len(preflights)})")
    seconds, statuses = await many(port, count)
    told = ", ".join(f"{number} x {status or 'broken off'}" for status, number in sorted(statuses.items()))
    print(f"  {count} requests, kept alive    {told}; {count / seconds:.0f} a second", flush=True)


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    count = parser.parse_args().requests
    bridges = {"asgi_app": asgi_app(create()), "asgiref's WsgiToAsgi alone": WsgiToAsgi(create())}  # type: ignore[no-untyped-call]
    for name, app in bridges.items():
        with served(app) as port:
            asyncio.run(measure(name, port, count))


if __name__ == "__main__":
    main()
