"""A real PostgreSQL server on a free loopback port, in a temporary folder."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.programs import ProcessEndedError, find_program, free_port, stop, wait_until

ATTEMPTS = 5  # another program may take the free port first
USER = "postgres"


class PostgresServer:
    """A PostgreSQL server that a test may kill and start again.

    Args:
        folder: An empty folder for its data.
    """

    def __init__(self, folder: Path) -> None:
        # Debian leaves these programs off the PATH.
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        self.program, initdb = find_program("postgres", *folders), find_program("initdb", *folders)
        self.folder = folder
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        # It refuses to run as root. The user comes with the package.
        self.account: dict[str, Any] = {"user": USER, "group": USER} if os.geteuid() == 0 else {}
        if self.account:
            shutil.chown(folder, **self.account)
        options = ["--auth=trust", f"--username={USER}", "--no-sync", "--encoding=UTF8", "--locale=C"]
        command = [initdb, *options, str(folder / "data")]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **self.account)

    @property
    def url(self) -> str:
        """The address for psycopg, of the database postgres, with all rights and without a password."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

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
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        command = [self.program, "-D", str(self.folder / "data"), "-p", str(port), *options]
        # In a session of its own: its children end with it, not with Ctrl-C.
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,
            **self.account,
        )
        wait_until(lambda: serves(port), f"{self.program} on port {port}", self.process)

    def kill(self) -> None:
        """End it and its connections at once."""
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: the server ends its children, too, and recovers at the next start
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            stop(self.process)
            self.process = None


def serves(port: int) -> bool:
    """Return whether a PostgreSQL server has started up: it responds to a password-less login with R."""
    parameters = f"user\0{USER}\0database\0postgres\0\0".encode()
    message = (196608).to_bytes(4, "big") + parameters  # version 3.0 of the protocol
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall((len(message) + 4).to_bytes(4, "big") + message)
        return connection.recv(1) == b"R"
    return False


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server in a folder of its own."""
    # Not pytest's folder, which only its own user can read.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()
