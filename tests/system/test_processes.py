"""Workers forked after construction and after use, other servers, and two event loops in one process."""

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import CORSMiddleware
from asgi_cors.registry import open_registry
from tests.support.apps import App
from tests.support.clients import collect, http_scope
from tests.support.programs import wait_until

from .servers import PROGRAMS, SECONDS, STATIC, STRANGER, UVICORN, Fleet, environment, run_command, running

pytestmark = [pytest.mark.slow, pytest.mark.system]

CUSTOMER = "https://customer.example.com"
GUNICORN = "gunicorn --bind 127.0.0.1:{port} --workers {workers} --keep-alive 60 --preload --no-control-socket "
SERVERS = {
    "gunicorn-wsgi": f"{GUNICORN} --worker-class gthread --threads 4 served:wsgi_app",
    "gunicorn-asgi": f"{GUNICORN} --worker-class asgi served:app",
    "gunicorn-uvicorn": f"{GUNICORN} --worker-class uvicorn_worker.UvicornWorker served:app",
    "hypercorn": "hypercorn --bind 127.0.0.1:{port} --workers {workers} served:app",
    "granian": "granian --interface asgi --host 127.0.0.1 --port {port} --workers {workers} served:app",
    "uvicorn": UVICORN,
}


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a store with one origin."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'origins.db'}" if is_sqlite else str(request.getfixturevalue("redis").url)
    run_command(url, "add", CUSTOMER)
    return url


@pytest.mark.parametrize("name", SERVERS)
def test_the_workers_of_a_server_follow_a_registry_that_was_used_before_the_fork(name, store, tmp_path):
    for module in SERVERS[name].split()[0], "uvicorn_worker" if name == "gunicorn-uvicorn" else "uvicorn":
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with (
        running(SERVERS[name], tmp_path / "log", STORE=store, USE_BEFORE_FORK="1") as port,
        contextlib.closing(Fleet([port]).connect(2)) as fleet,
    ):
        fleet.wait_until_allowed(CUSTOMER)
        run_command(store, "remove", CUSTOMER)
        fleet.wait_until_refused(CUSTOMER)
        assert fleet.allow(STATIC)
        assert fleet.refuse(STRANGER)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_forked_processes_follow_a_registry_that_their_parent_used(store):
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(PROGRAMS / "forking.py"), store, CUSTOMER],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline() for _ in range(3)] == ["allowed\n"] * 3
        run_command(store, "remove", CUSTOMER)
        assert [parent.stdout.readline() for _ in range(3)] == ["refused\n"] * 3
        assert parent.wait(SECONDS) == 0


async def allows(app: CORSMiddleware, origin: str) -> bool:
    """Send a request in the running event loop."""
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await app(http_scope("GET", "/", [("origin", origin)]), receive, send)
    return dict(collect(messages).headers).get("access-control-allow-origin") == origin


async def receive() -> dict[str, Any]:
    return {"type": "http.request"}


class Loop:
    """An event loop in a thread, in which requests are sent to an app until it is closed."""

    def __init__(self, app: CORSMiddleware) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            self._ended = asyncio.Event()
            runner.run(self._ended.wait())

    def allows(self, origin: str) -> bool:
        return asyncio.run_coroutine_threadsafe(allows(self._app, origin), self._loop).result(SECONDS)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(SECONDS)


def test_two_event_loops_share_a_registry_and_one_goes_on_after_the_other_has_ended(store):
    app = CORSMiddleware(App().asgi, allow_origins=[STATIC, open_registry(store)])
    with contextlib.closing(Loop(app)) as second:
        with contextlib.closing(Loop(app)) as first:
            for loop in (first, second):
                wait_until(lambda: loop.allows(CUSTOMER), "the origin is allowed")  # noqa: B023 - called at once
        run_command(store, "remove", CUSTOMER)
        wait_until(lambda: not second.allows(CUSTOMER), "the origin is refused")
        assert second.allows(STATIC)
