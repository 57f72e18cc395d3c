"""Servers of several processes, the connections to their workers, and load."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.programs import free_port, wait_until

PROGRAMS = Path(__file__).with_name("programs")
STATIC = "https://static.example.com"
STRANGER = "https://other-site.example.net"
SECONDS = 30  # for a request, a command or the end of a server

UVICORN = (
    "uvicorn --host 127.0.0.1 --port {port} --workers {workers} --timeout-keep-alive 60 --no-access-log served:app"
)


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a program: it finds the modules of `programs`, and what this process finds."""
    path = os.pathsep.join(filter(None, [str(PROGRAMS), os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"PYTHONPATH": path} | changes


@contextlib.contextmanager
def running(command: str, log: Path, *, workers: int = 2, **env: str) -> Iterator[int]:
    """Run a server until the end of the block, and yield its port.

    Args:
        command: A module of Python and its arguments, with `{port}` and `{workers}`.
        log: The file for its output.
        workers: The number of its processes.
        env: Changes of the environment.
    """
    port = free_port()
    words = command.format(port=port, workers=workers).split()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=log.parent,
            env=environment(**env),
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that its workers can be killed with it
        )
    try:
        wait_until(lambda: _responds(port), f"{words[0]} serves", process)
        yield port
        process.terminate()
        process.wait(SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)
    assert "Exception in ASGI application" not in log.read_text()


def _responds(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(Connection(port)) as connection:
        return bool(connection.pid)
    return False


class Connection:
    """An open connection, and with it one worker of a server.

    Attributes:
        pid: The id of the worker's process.
    """

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self._http.connect()
        self._http.auto_open = 0  # another connection may be to another worker
        self.pid = int(self._send("GET", {})[1])

    def _send(self, method: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        self._http.request(method, "/", headers=headers)
        response = self._http.getresponse()
        return response, response.read()

    def get(self, origin: str) -> http.client.HTTPResponse:
        """Send a GET request from an origin."""
        return self._send("GET", {"Origin": origin})[0]

    def preflight(self, origin: str) -> http.client.HTTPResponse:
        """Send a preflight from an origin."""
        return self._send("OPTIONS", {"Origin": origin, "Access-Control-Request-Method": "PUT"})[0]

    def allows(self, origin: str) -> bool:
        """Return whether the worker allows an origin: on a response and on a preflight's.

        Raises:
            AssertionError: A response has another status, or names another origin.
        """
        named = {_origin_named(response, origin) for response in (self.get(origin), self.preflight(origin))}
        return named == {True}

    def close(self) -> None:
        self._http.close()


def _origin_named(response: http.client.HTTPResponse, origin: str) -> bool:
    assert response.status in {200, 204}, f"{response.status} for {origin}"
    named = response.headers.get_all("access-control-allow-origin") or []
    assert named in ([], [origin]), f"{named} for {origin}"
    return bool(named)


def connect_to_workers(port: int, count: int) -> list[Connection]:
    """Return one connection to each worker of a server."""
    found: dict[int, Connection] = {}

    def connect() -> bool:
        connection = Connection(port)
        if found.setdefault(connection.pid, connection) is not connection:
            connection.close()
        return len(found) == count

    wait_until(connect, f"{count} workers accept connections")
    return [*found.values()]


@dataclass
class Fleet:
    """The workers of some servers, with a connection to each one."""

    ports: list[int]
    workers: list[Connection] = field(default_factory=list)

    def connect(self, each: int) -> Self:
        for port in self.ports:
            self.workers += connect_to_workers(port, each)
        assert len({worker.pid for worker in self.workers}) == each * len(self.ports)
        return self

    def allow(self, origin: str) -> bool:
        """Return whether all workers allow an origin."""
        return all(worker.allows(origin) for worker in self.workers)

    def refuse(self, origin: str) -> bool:
        """Return whether all workers refuse an origin."""
        return not any(worker.allows(origin) for worker in self.workers)

    def wait_until_allowed(self, origin: str) -> None:
        wait_until(lambda: self.allow(origin), f"all workers allow {origin}")

    def wait_until_refused(self, origin: str) -> None:
        wait_until(lambda: self.refuse(origin), f"all workers refuse {origin}")

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


@contextlib.contextmanager
def fleet_of(folder: Path, *, servers: int = 2, workers: int = 2, **env: str) -> Iterator[Fleet]:
    """Run uvicorn servers, and yield their workers."""
    with contextlib.ExitStack() as stack:
        logs = [folder / f"server-{number}.log" for number in range(servers)]
        ports = [stack.enter_context(running(UVICORN, log, workers=workers, **env)) for log in logs]
        with contextlib.closing(Fleet(ports).connect(workers)) as fleet:
            yield fleet


class Load:
    """Requests without a break from allowed and refused origins, one thread for each server.

    Args:
        fleet: The servers.
        allowed: Origins that must be allowed throughout.
        refused: Origins that must be refused throughout.
    """

    def __init__(self, fleet: Fleet, allowed: Iterable[str], refused: Iterable[str] = ()) -> None:
        self._expected = dict.fromkeys([STATIC, *allowed], True) | dict.fromkeys([STRANGER, *refused], False)
        self._threads = [threading.Thread(target=self._run, args=(port,)) for port in fleet.ports]
        self._ended = threading.Event()
        self.served = 0
        self.wrong: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(SECONDS)
        assert not self.wrong

    def _run(self, port: int) -> None:
        try:
            with contextlib.closing(Connection(port)) as connection:
                while not self._ended.is_set():
                    for origin, expected in self._expected.items():
                        if connection.allows(origin) != expected:
                            self.wrong.append(f"{origin}: allowed is {not expected}")
                        self.served += 1
        except Exception as error:  # noqa: BLE001 - the test fails with it
            self.wrong.append(repr(error))

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many more requests were served."""
        end = self.served + count
        wait_until(lambda: self.served >= end or bool(self.wrong), f"{count} requests were served")
        assert not self.wrong


def run_command(store: str, *arguments: str, stdin: str = "") -> str:
    """Run `asgi-cors origins` with a store, as an administrator does. Return its output."""
    ran = subprocess.run(
        [sys.executable, "-m", "asgi_cors", "origins", *arguments, "--store", store],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
