"""The store of a command: opened by its URL, and closed at the end. A failure becomes one line for the user."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from asgi_cors import ConfigError
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.registry import RegistryError, open_registry

if TYPE_CHECKING:
    from types import FrameType

    from asgi_cors.registry import SyncRegistry


class StoreAddress(NamedTuple):
    """The options that name a store.

    Args:
        url: The URL.
        prefix: The beginning of the keys in Redis; None for the default.
    """

    url: str
    prefix: str | None = None


def _options(address: StoreAddress) -> dict[str, str]:
    return {} if address.prefix is None else {"prefix": address.prefix}


@contextmanager
def opened_store(address: StoreAddress) -> Generator[SyncRegistry]:
    """Open the registry of an address, and close it after the block.

    Raises:
        CannotRunError: If the address or an argument is invalid, a package is missing, or the store is unavailable.
    """
    if address.prefix is not None and address.url.lower().startswith("sqlite:"):
        raise CannotRunError("--prefix: an SQLite file has no prefix. Leave it out, and unset ASGI_CORS_PREFIX.")
    try:
        registry = open_registry(address.url, **_options(address)).sync
    except ConfigError as error:
        names = {"prefix": "--prefix"}
        issues = (f"{names.get(issue.option, '--store')}: {issue.message}. {issue.hint}" for issue in error.issues)
        raise CannotRunError(" ".join(issues)) from None
    except ImportError as error:
        raise CannotRunError(str(error)) from None
    try:
        with _reported_errors():
            yield registry
    finally:
        with contextlib.suppress(RegistryError):
            registry.close()


@contextmanager
def _reported_errors() -> Generator[None]:
    """Turn an invalid argument and an unavailable store into one line for the user."""
    try:
        yield
    except ConfigError as error:
        raise CannotRunError(" ".join(map(str, error.issues))) from None
    except RegistryError as error:
        raise CannotRunError(str(error)) from None


def require_registry(address: StoreAddress) -> None:
    """Check that a store without entries or changes was made at all: otherwise its address may be mistyped.

    Raises:
        CannotRunError: If the store was never written to, or is unavailable.
    """

    async def read_id() -> str:
        store = open_registry(address.url, **_options(address)).store
        try:
            return (await store.status()).id
        finally:
            await store.close()

    with _reported_errors():
        is_made = bool(asyncio.run(read_id()))
    if not is_made:
        raise CannotRunError("--store: there is no registry yet. Correct the URL, or make it: asgi-cors origins add.")


def user_name() -> str:
    """Return the name of the user who runs the command; empty if the system has none."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # no variable such as USER, and no entry in the system's list
        return ""


@contextmanager
def delayed_interrupt() -> Generator[None]:
    """Delay the KeyboardInterrupt of Ctrl-C until the block has ended. A second Ctrl-C ends the block."""
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as of a process in the background
    if is_ignored or threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def receive(number: int, _frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    previous = signal.signal(signal.SIGINT, receive)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if received:
        raise KeyboardInterrupt
