"""Real Redis servers and Sentinels on free loopback ports, in temporary folders.

REDIS_SERVER may name another program, such as the path of a valkey-server.
"""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.support.programs import ProcessEndedError, find_program, free_port, stop, wait_until

ATTEMPTS = 5  # another program may take the free port first


class RedisServer:
    """A Redis server that a test may kill and start again.

    Args:
        folder: An existing folder for its data and log.
        options: Its options, such as `{"appendonly": "yes"}`. Nothing is persisted by default.
        sentinel: Start a Sentinel, whose configuration is `options["config"]`.
    """

    def __init__(self, folder: Path, options: dict[str, str] | None = None, *, sentinel: bool = False) -> None:
        self.program = find_program(os.environ.get("REDIS_SERVER", "redis-server"))
        self.folder = folder
        self.sentinel = sentinel
        self.options = {"save": "", "appendonly": "no", "repl-diskless-sync-delay": "0", **(options or {})}
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for redis-py."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        """The text of its log."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, or start it again on the same port, and wait until it serves."""
        for attempt in range(ATTEMPTS):
            port = self.port or free_port()
            try:
                self._start(port)
            except ProcessEndedError:
                self.process = None
                if self.port or attempt == ATTEMPTS - 1:
                    raise
            else:
                self.port = port
                return

    def _start(self, port: int) -> None:
        common = {"bind": "127.0.0.1", "port": str(port), "dir": str(self.folder), "logfile": str(self.folder / "log")}
        command = [self.program]
        options = common | self.options
        if self.sentinel:
            config = self.folder / "sentinel.conf"
            config.write_text(options["config"])
            options = common
            command += [str(config), "--sentinel"]
        for name, value in options.items():
            command += [f"--{name}", *(value.split() or [""])]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_until(lambda: serves(port), f"{self.program} on port {port}", self.process)

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        if self.process is not None:
            self.pause(to_go_on=True)
            stop(self.process)
            self.process = None

    def pause(self, *, to_go_on: bool = False) -> None:
        """Stop it from responding, while its connections remain open; or let it go on."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT if to_go_on else signal.SIGSTOP)

    def execute(self, *words: str) -> str:
        """Send one command on a connection of its own, and return the raw reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            return execute(connection, *words)


def execute(connection: socket.socket, *words: str) -> str:
    """Send one command, and return the first part of its reply."""
    encoded = [word.encode() for word in words]
    connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
    return connection.recv(65536).decode(errors="replace")


def serves(port: int) -> bool:
    """Return whether a Redis server has loaded its data and responds."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        return execute(connection, "PING").startswith(("+PONG", "-NOAUTH"))
    return False


@contextlib.contextmanager
def running_redis(**options: str) -> Iterator[RedisServer]:
    """Run a Redis server in a folder of its own. In the names of options, `_` means `-`."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder), {name.replace("_", "-"): value for name, value in options.items()})
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def running_sentinel(master: RedisServer, *, name: str = "registry", quorum: int = 1) -> Iterator[RedisServer]:
    """Run a Sentinel that promotes a replica half a second after its master is gone."""
    config = (
        f"sentinel monitor {name} 127.0.0.1 {master.port} {quorum}\n"
        f"sentinel down-after-milliseconds {name} 500\n"
        f"sentinel failover-timeout {name} 3000\n"
    )
    with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
        sentinel = RedisServer(Path(folder), {"config": config}, sentinel=True)
        try:
            sentinel.start()
            yield sentinel
        finally:
            sentinel.kill()


@contextlib.asynccontextmanager
async def replying(reply: bytes | None) -> AsyncIterator[int]:
    """Send one reply to each command on a port, or none: for faults that a real server can't be brought to."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(OSError):
            while received := await reader.read(65536):
                commands = re.findall(rb"(?:\A|\n)\*[0-9]+\r\n", received)  # each is an array (RESP)
                writer.write((reply or b"") * len(commands))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()
