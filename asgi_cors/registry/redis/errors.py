"""The messages of a Redis store: the cause and the remedy of each failure."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

from asgi_cors.registry.store import RegistryError

WORKER_RIGHTS: Final = "+@read +@connection +subscribe"
WRITER_RIGHTS: Final = f"{WORKER_RIGHTS} +eval +@write +publish"

# Redis begins an error with a code. redis-py has removed it from the text of these exceptions.
_CODES: Final[dict[type[Exception], str]] = {
    exceptions.AuthenticationError: "WRONGPASS",
    exceptions.NoPermissionError: "NOPERM",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
    exceptions.BusyLoadingError: "LOADING",
    exceptions.MovedError: "MOVED",
    exceptions.AskError: "ASK",
    exceptions.ClusterCrossSlotError: "CROSSSLOT",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.InvalidResponse: "INVALID",
    MasterNotFoundError: "NOMASTER",
}

_CAUSES: Final[dict[str, tuple[str, str]]] = {
    "WRONGPASS": (
        "Redis refuses the user or the password",
        "Correct them in the URL: redis://user:password@host:port. Percent-encode letters such as @ and /.",
    ),
    "NOAUTH": ("Redis needs a password", "Add it to the URL: redis://user:password@host:port."),
    "NOPERM": (
        "the user has too few rights",
        f"A worker needs {WORKER_RIGHTS}, a writer {WRITER_RIGHTS}; both on the keys and channels of the prefix.",
    ),
    "OOM": (
        "Redis has reached its memory limit, and nothing was changed",
        "Raise maxmemory, or purge the history.",
    ),
    "READONLY": (
        "this Redis is a replica, which accepts no writes",
        "Use the address of the primary, or client= with a client of Sentinel.",
    ),
    "LOADING": ("Redis is loading its data", "Wait until it has started."),
    "MASTERDOWN": ("this Redis is a replica that has lost its primary", "Start the primary, or use its address."),
    "NOREPLICAS": ("Redis has too few replicas to accept writes", "Start them; see min-replicas-to-write."),
    "MISCONF": ("Redis can't write to its disk, and so accepts no writes", "See its log; free space on the disk."),
    "BUSY": ("Redis runs the script of another client", "Wait, or end it with SCRIPT KILL."),
    "DENIED": ("Redis accepts connections of its own machine only", "Set a password for Redis; see protected-mode."),
    "MOVED": (
        "another node of this Redis Cluster stores the registry",
        "Use the address of that node, or a Redis that is not a cluster.",
    ),
    "ASK": ("the registry is moved to another node of this Redis Cluster", "Use the address of that node."),
    "CROSSSLOT": ("the keys of the registry are in several slots", "Write a prefix with braces, such as '{cors}:'."),
    "CLUSTERDOWN": ("the Redis Cluster is down", "See CLUSTER INFO."),
    "WRONGTYPE": ("other data is stored under the keys of the prefix", "Choose another prefix, or delete these keys."),
    "SCHEMA": ("a newer release of asgi-cors-bridge made this registry", "Upgrade asgi-cors-bridge."),
    "INCOMPLETE": (
        "the registry has lost its id or its version",
        "Restore Redis from a backup, or delete the keys of the prefix and import the origins again.",
    ),
    "UNREADABLE": (
        "other data is stored under the keys of the prefix",
        "Choose another prefix, or delete these keys.",
    ),
    "INVALID": ("it is not a Redis server", "Check host and port."),
    "TIMEOUT": (
        "no response in time",
        "Check host and port, the network, the load of Redis, and whether its port expects TLS (rediss://) or not.",
    ),
    "MAXCLIENTS": ("Redis has too many clients", "Raise maxclients, or end idle clients."),
    "POOL": ("all connections of the client are in use", "Raise its max_connections; a worker needs 3."),
    "NOMASTER": ("Sentinel names no primary", "Wait until the failover has ended, or check the name of the service."),
    "CLOSED": (
        "the connection was closed",
        "Check that Redis runs, and whether its port expects TLS (rediss://) or not.",
    ),
    "TLS": ("no TLS connection", "Check that the port expects TLS, and ssl_ca_certs=/path/to/ca.pem in the URL."),
    "DNS": ("the host name is not known", "Correct the host in the URL, or check the name server."),
    "UNREACHABLE": ("no connection", "Start Redis, or correct host and port."),
}
_CODE = re.compile(rf"(?<![A-Z])({'|'.join(_CAUSES)})(?![A-Z])")
_UNCERTAIN: Final = frozenset({"TIMEOUT", "CLOSED"})


def registry_error(name: str, error: BaseException, *, writes: bool = False) -> RegistryError:
    """Return the error of a store, with cause and remedy.

    Args:
        name: The name of the store, without a password.
        error: The exception of redis-py, asyncio or the system.
        writes: Whether a write failed.
    """
    code = _code(error)
    cause, remedy = _CAUSES.get(code, (f"Redis reports: {error}", "See the log of Redis."))
    detail = _detail(code, error)
    if writes and code in _UNCERTAIN:
        remedy += " The change may have been made. It is safe to repeat it."
    return RegistryError(f"{name}: {cause}{detail}. {remedy}")


def _code(error: BaseException) -> str:
    if "unauthenticated" in str(error):  # of a command with many arguments
        return "NOAUTH"
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return "NOAUTH" if code == "WRONGPASS" and "required" in str(error) else code
    if isinstance(error, exceptions.ResponseError | exceptions.DataError):
        found = _CODE.search(str(error))  # a script's error has the code inside of the text
        return found[1] if found else ""
    return _network_code(error)


def _network_code(error: BaseException) -> str:
    if "max number of clients" in str(error):  # a ConnectionError of redis-py, whose text has no code
        return "MAXCLIENTS"
    if "Too many connections" in str(error):
        return "POOL"
    causes = [*_chain(error)]
    for kinds, code in (
        ((ssl.SSLError,), "TLS"),
        ((socket.gaierror,), "DNS"),
        ((exceptions.AuthenticationError,), "WRONGPASS"),
        ((exceptions.TimeoutError, TimeoutError), "TIMEOUT"),
        ((ConnectionResetError, BrokenPipeError, EOFError), "CLOSED"),
        ((OSError,), "UNREACHABLE"),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return code
    return "CLOSED" if isinstance(error, exceptions.ConnectionError) else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _detail(code: str, error: BaseException) -> str:
    """Return a detail of the cause, in parentheses: the system's reason, or the command that is not allowed."""
    if code in {"TLS", "DNS", "UNREACHABLE"}:
        reasons = [cause.strerror for cause in _chain(error) if isinstance(cause, OSError) and cause.strerror]
        return f" ({reasons[-1]})" if reasons else ""
    command = re.search(r"'([a-z|]+)'", str(error), re.IGNORECASE) if code == "NOPERM" else None
    return f" (for {command[1].upper()})" if command else ""
