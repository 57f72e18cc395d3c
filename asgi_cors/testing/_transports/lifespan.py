"""The application's start and stop (ASGI 3.0, lifespan protocol).

An application that raises or returns before `startup.complete` runs without a lifespan. `startup.failed` and
`shutdown.failed` raise LifespanError.
"""

from __future__ import annotations

import anyio

from asgi_cors.testing._errors.errors import LifespanError

from .asgi import ASGIApp, Message
from .tasks import Signal, Task


class Lifespan:
    """One run of the application's lifespan. `state` is shared with every request."""

    def __init__(self, app: ASGIApp, state: Message) -> None:
        self._app = app
        self._state = state
        self._task: Task | None = None
        self._error: Exception | None = None
        self._failure: str | None = None
        self._received_startup = False
        self._has_returned = False
        self._has_started = False
        self._is_stopping = False
        self._signal = Signal()
        self._has_stopped = False

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - the error has the number
        """Start the application. Raises LifespanError, also after `timeout` seconds."""
        self._task = task = Task(self._run)
        with anyio.move_on_after(timeout):
            await self._signal.until(lambda: self._has_started or self._failure is not None or self._has_returned)
        if self._has_started:
            return
        is_late = not self._has_returned and self._failure is None
        await task.stop()
        if is_late:
            raise LifespanError(f"the application did not start within {timeout} s")
        if self._failure is not None:
            raise LifespanError(f"the application's startup failed: {self._reason}") from self._error

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109 - the same
        """Stop the application if it has started. Raises LifespanError, also after `timeout` seconds."""
        if self._task is None or not self._has_started:
            return
        self._is_stopping = True
        self._signal.send()
        await self._task.wait(timeout)
        if not self._task.has_ended:  # pragma: no branch - CPython 3.11 traces no line after a cancelled await
            await self._task.stop()
            raise LifespanError(f"the application did not shut down within {timeout} s")
        if self._failure is not None or (self._error is not None and not self._has_stopped):
            raise LifespanError(f"the application's shutdown failed: {self._reason}") from self._error

    @property
    def _reason(self) -> str:
        return self._failure or repr(self._error)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - there is no lifespan, or stop() reports it
            self._error = error
        self._has_returned = True
        self._signal.send()

    async def _receive(self) -> Message:
        if not self._received_startup:
            self._received_startup = True
            return {"type": "lifespan.startup"}
        await self._signal.until(lambda: self._is_stopping)
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            self._has_started = True
        elif kind == "lifespan.shutdown.complete":
            self._has_stopped = True
        elif kind in {"lifespan.startup.failed", "lifespan.shutdown.failed"}:
            self._failure = message.get("message", "")
        else:
            raise RuntimeError(f"{kind} is not expected here.")
        self._signal.send()
