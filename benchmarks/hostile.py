"""Measure hostile requests: milliseconds per megabyte of one header, repeated as often as it fits.

    python benchmarks/hostile.py [--megabytes 0.25 0.5 1 2 4]

A megabyte is counted as a server reads it: `name:value` and the line break. The value is the shortest one that uvicorn
with httptools accepts, such as `Origin:a`. Each request has another origin, so that none is served from a cache. The
app does nothing, so the figures are those of the middleware; for `asgi_app`, of the event loop and the thread together.
Under WSGI, the lines are joined before the measurement, as a server does.

The figures of a row are about equal, because the work is linear in the size of a request; small sizes show the fixed
cost of a request. No figure may exceed 10. The run takes two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import time
import warnings
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import flask
import quart
from frameworks import connect
from starlette.applications import Starlette
from starlette.routing import Mount
from traffic import Headers, build_environ, build_scope

import asgi_cors_flask
import asgi_cors_quart
import asgi_cors_starlette
from asgi_cors import CORSMiddleware, WSGIMiddleware

PAGE: Final = "https://app.example.com"
LIMIT: Final = 10.0  # milliseconds per megabyte
REPEATS: Final = 5
OPTIONS: Final[dict[str, Any]] = {"allow_origins": [PAGE, "https://*.example.com"], "allow_methods": ["PUT"]}

HEADERS: Final = {
    "Origin": "GET",
    "Origin, preflight": "OPTIONS",
    "Access-Control-Request-Method": "OPTIONS",
    "Access-Control-Request-Headers": "OPTIONS",
    "Access-Control-Request-Private-Network": "OPTIONS",
    "Host": "GET",
    "Sec-Fetch-Site": "GET",
    "Cookie": "GET",
    "X-Any": "GET",
}

Measure = Callable[[str, Headers], Awaitable[float]]

_numbers = itertools.count()


def flood(header: str, size: int) -> Headers:
    """Build the headers of a request, with about `size` bytes of one header."""
    name = header.partition(",")[0].lower().encode()
    count = size // len(b"%b:a\r\n" % name)
    block = b"%b:a\n" % name * count
    lines = [(line[:-2], line[-1:]) for line in block.splitlines()]
    origin = f"https://n{next(_numbers)}.example.net".encode()
    preflight = [(b"access-control-request-method", b"PUT")] if HEADERS[header] == "OPTIONS" else []
    return [(b"host", b"api.example.com"), (b"origin", origin), *preflight, *lines]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Respond, or accept, and do nothing else."""
    del receive
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def wsgi_nothing(environ: Any, start_response: Any) -> Iterable[bytes]:
    """Respond, and do nothing else."""
    del environ
    start_response("204 No Content", [])
    return []


def by_asgi(app: Any, **changes: str) -> Measure:
    """Measure an ASGI app: from the call to its end. `changes` are those of the scope."""

    async def measure(method: str, headers: Headers) -> float:
        scope = build_scope(method, "/view", headers) | changes
        receive, send = connect()
        began = time.perf_counter()
        await app(scope, receive, send)
        return time.perf_counter() - began

    return measure


def by_wsgi(app: Any) -> Measure:
    """Measure a WSGI app. The lines are joined before the measurement."""

    async def measure(method: str, headers: Headers) -> float:
        environ = build_environ(build_scope(method, "/view", headers))
        began = time.perf_counter()
        list(app(environ, lambda *_: None))
        return time.perf_counter() - began

    return measure


def make_flask() -> flask.Flask:
    """Build a Flask app that does nothing. One view has its own policy, so routes are matched."""
    app = flask.Flask("app")
    app.wsgi_app = wsgi_nothing  # type: ignore[method-assign]  # as Flask's documentation has it
    asgi_cors_flask.CORS(app, origins=PAGE)
    view = asgi_cors_flask.cross_origin(origins=PAGE, methods=["PUT"])(lambda: "")
    app.add_url_rule("/view", "view", view, methods=["GET", "PUT"])
    return app


def make_quart() -> quart.Quart:
    """Build the same in Quart."""
    app = quart.Quart("app")
    app.asgi_app = nothing  # type: ignore[method-assign]  # as Quart's documentation has it
    asgi_cors_quart.CORS(app, allow_origins=PAGE)

    async def view() -> str:
        return ""

    own = asgi_cors_quart.route_cors(allow_origin=PAGE, allow_methods=["PUT"])(view)
    app.add_url_rule("/view", "view", own, methods=["GET", "PUT"])
    return app


def make_starlette() -> Starlette:
    """Build a Starlette app that does nothing."""
    app = Starlette(routes=[Mount("/", nothing)])
    asgi_cors_starlette.install(app, **OPTIONS)
    return app


def interfaces() -> dict[str, Measure]:
    """Build one app for each interface."""
    return {
        "ASGI": by_asgi(CORSMiddleware(nothing, **OPTIONS)),
        "ASGI, enforce": by_asgi(CORSMiddleware(nothing, enforce=True, **OPTIONS)),
        "WebSocket": by_asgi(CORSMiddleware(nothing, **OPTIONS), type="websocket", scheme="ws"),
        "WSGI": by_wsgi(WSGIMiddleware(wsgi_nothing, **OPTIONS)),
        "Flask by WSGI": by_wsgi(make_flask().wsgi_app),
        "Flask by asgi_app": by_asgi(asgi_cors_flask.asgi_app(make_flask(), threads=1)),
        "Quart": by_asgi(make_quart().asgi_app),
        "Starlette, install": by_asgi(make_starlette()),
    }


async def row(measure: Measure, header: str, sizes: list[float]) -> list[float]:
    """Measure one header at each size, and return milliseconds per megabyte: the minimum of a few requests."""
    found = []
    for size in sizes:
        seconds = []
        for _ in range(REPEATS):
            headers = flood(header, int(size * 1e6))
            gc.collect()
            seconds.append(await measure(HEADERS[header], headers))
        found.append(min(seconds) * 1000 / size)
    return found


async def measure_all(sizes: list[float]) -> float:
    """Print a table for each interface; return the highest figure at the largest size."""
    worst = 0.0
    for name, measure in interfaces().items():
        await measure("GET", flood("Host", 100))  # the first request builds the caches
        print(f"\n{name:40}" + "".join(f"{f'{size:g} MB':>9}" for size in sizes))
        for header in HEADERS:
            figures = await row(measure, header, sizes)
            worst = max(worst, figures[-1])
            print(f"{header:40}" + "".join(f"{figure:9.2f}" for figure in figures), flush=True)
    return worst


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[0.25, 0.5, 1, 2, 4])
    sizes = sorted(parser.parse_args().megabytes)
    warnings.simplefilter("ignore")
    print("Milliseconds per megabyte.")
    worst = asyncio.run(measure_all(sizes))
    print(f"\nAt {sizes[-1]:g} MB, the highest figure is {worst:.2f}; the limit is {LIMIT:g}.")


if __name__ == "__main__":
    main()
