"""Snapshots: a file with the last good list of a `Loaded`, for a start while the source of the list is unavailable.

A snapshot is text: a first line, an entry per line, and a last line with the number and checksum of the entries. It is
stored in a temporary file, which replaces the snapshot in one step. So a reader finds a whole file or none.
"""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from .loading import OriginList, collect, compile_entries

if TYPE_CHECKING:
    from asgi_cors._configuration.log import Log
    from asgi_cors._policy.origin_table import OriginTable

_FIRST_LINE: Final = b"# asgi_cors origins 1\n"
_MAX_LINE: Final = 400  # bytes, above those of any entry


class Snapshot:
    """The snapshot of a `Loaded`. Its failures are logged.

    Args:
        path: The file; None if there is no snapshot.
        name: The name of the entry, for messages.
        log: The log.
    """

    def __init__(self, path: str | None, name: str, log: Log) -> None:
        """Read nothing yet."""
        self._path = path
        self._name = name
        self._log = log
        self.reset()

    def reset(self) -> None:
        """Replace the lock in a forked child."""
        self._lock = threading.Lock()  # held while the file is replaced, so that an old list never replaces a new one

    def read(self, max_entries: int) -> OriginList | None:
        """Return the list of the snapshot; None if there is none that can be used."""
        if self._path is None:
            return None
        try:
            return compile_entries(collect(read_snapshot(self._path), max_entries))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._log.failure(f"the snapshot of {self._name} is not used", error)
            return None

    def write(self, table: OriginTable, is_current: Callable[[], bool]) -> None:
        """Store a list, unless another one has replaced it by then."""
        if self._path is None:
            return
        with self._lock:
            try:
                if is_current():
                    write_snapshot(self._path, table)
            except OSError as error:
                self._log.failure(f"the snapshot of {self._name} is not stored", error)


def write_snapshot(path: str, entries: Iterable[str]) -> None:
    """Replace a snapshot.

    Args:
        path: The file.
        entries: Valid origins and patterns.

    Raises:
        OSError: If the file cannot be stored. The old one is unchanged then.
    """
    import tempfile  # noqa: PLC0415 - expensive, and rarely needed

    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - nothing else needs pathlib
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(_FIRST_LINE)
            count = checksum = 0
            for entry in entries:
                line = f"{entry}\n".encode("ascii")
                count, checksum = count + 1, zlib.crc32(line, checksum)
                file.write(line)
            file.write(_last_line(count, checksum))
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 - nothing else needs pathlib
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 - nothing else needs pathlib
        raise


def read_snapshot(path: str) -> Iterator[str]:
    """Yield the entries of a snapshot. Use none of them if this raises.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not a whole snapshot.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - nothing else needs pathlib
        if file.readline(_MAX_LINE) != _FIRST_LINE:
            raise ValueError(f"{path!r} is not a snapshot of origins")
        count = checksum = 0
        while (line := file.readline(_MAX_LINE)) and not line.startswith(b"#"):
            count, checksum = count + 1, zlib.crc32(line, checksum)
            yield line.removesuffix(b"\n").decode("ascii")
        if line != _last_line(count, checksum):
            raise ValueError(f"{path!r} is truncated or damaged")


def _last_line(count: int, checksum: int) -> bytes:
    return f"# {count} {checksum:08x}\n".encode()
