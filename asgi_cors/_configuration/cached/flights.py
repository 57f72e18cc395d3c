"""Calls in flight: users' look-ups that requests share.

- One key has at most one call per event loop. Requests from threads without an event loop use the background loop. All
  of these requests share it, so functions that are not async are called in a thread then, as with `thread=True`.
- A request that is cancelled leaves the call running. The call ends at its timeout.
- A coroutine that has timed out is cancelled. A thread can't be cancelled, so it counts as in flight until it ends. Its
  late result is dropped.
- A call whose event loop was closed is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asgi_cors._configuration import calls
from asgi_cors._configuration.source_options import is_async

if TYPE_CHECKING:
    import threading
    from concurrent.futures import Future

    from asgi_cors._configuration.calls import AppContext

    from .records import Limits

_ASYNC_IN_THREAD: Final = "it returned an awaitable in a thread; leave out thread=True"
_ASYNC_IN_TRIO: Final = (
    "it returned an awaitable, which needs the event loop of asyncio, but trio runs; use a function made with def, with"
    " thread=True if it blocks"
)
_CANCELLED: Final = "the event loop ended before the call"


class Outcome(NamedTuple):
    """The result of a call, or its failure.

    Args:
        value: The result.
        error: The failure.
        is_failure: Whether the call failed by itself. False if it was cancelled from outside.
    """

    value: Any = None
    error: Exception | None = None
    is_failure: bool = True


class Flight:
    """One call in flight.

    Args:
        key: The key that is looked up.
        number: A number that is lower than those of later calls.
        loop: The event loop in which requests wait for it.
        allows_awaitables: Whether the function may return an awaitable.
        is_in_thread: Whether the function is called in a thread.
    """

    timer: asyncio.TimerHandle  # set when it begins

    __slots__ = ("allows_awaitables", "future", "is_in_thread", "is_void", "key", "loop", "number", "task", "timer")

    def __init__(
        self, key: str, number: int, loop: asyncio.AbstractEventLoop, *, allows_awaitables: bool, is_in_thread: bool
    ) -> None:
        """Prepare the call."""
        self.key = key
        self.number = number
        self.loop = loop
        self.allows_awaitables = allows_awaitables
        self.is_in_thread = is_in_thread
        self.future: asyncio.Future[Any] = loop.create_future()  # of the result that requests get
        self.task: asyncio.Task[Outcome] | None = None  # None while a thread makes the call
        self.is_void = False  # if so, the result must not be stored


class Flights:
    """The calls in flight of one function.

    Args:
        function: The user's function.
        app_context: Returns the context in which it runs; None for an empty one.
        lock: The lock of the cache that stores the results. It guards this object, too.
        on_end: Receives each call with its outcome, and returns the result for the requests that wait. It must not
            raise.
        limits: The timeout and the number of calls that may run.
        thread: Whether the function always runs in a thread.
    """

    def __init__(  # noqa: PLR0913 - the function, its surroundings and its limits
        self,
        function: Callable[[str], object],
        app_context: Callable[[], AppContext | None],
        lock: threading.Lock,
        on_end: Callable[[Flight, Outcome], Any],
        *,
        limits: Limits,
        thread: bool,
    ) -> None:
        """Start without a call."""
        self._function = function
        self._app_context = app_context
        self._on_end = on_end
        self._timeout = limits.timeout
        self._max_in_flight = limits.max_in_flight
        self._thread = thread
        self._is_async = is_async(function)
        self._pool = calls.ThreadPool("asgi_cors-lookup")
        self._numbers = itertools.count(1)
        self.reset(lock)

    def reset(self, lock: threading.Lock) -> None:
        """Drop all calls: in a forked child, none of them runs."""
        self._lock = lock
        self._by_loop: dict[asyncio.AbstractEventLoop, dict[str, Flight]] = {}
        self._running: set[Flight] = set()  # also calls that have timed out, but have not ended

    def __len__(self) -> int:
        """Return the number of calls that run."""
        return sum(flight.is_in_thread or not flight.loop.is_closed() for flight in [*self._running])

    def join(self, key: str, *, is_renewal: bool, allows_awaitables: bool = True) -> Flight | None:
        """Return the call of a key in the running event loop. Begin it if there is none.

        Args:
            key: The key.
            is_renewal: Whether the key is allowed. A quarter of the calls is reserved for such keys.
            allows_awaitables: Whether the function may return an awaitable.

        Returns:
            None if too many calls run.
        """
        loop = asyncio.get_running_loop()
        is_in_thread = self._thread or (not self._is_async and calls.is_background_loop(loop))
        with self._lock:
            flights = self._flights_of(loop)
            flight = flights.get(key)
            if flight is not None or not self._has_place(is_renewal=is_renewal):
                return flight
            number = next(self._numbers)
            flight = Flight(key, number, loop, allows_awaitables=allows_awaitables, is_in_thread=is_in_thread)
            flights[key] = flight
            self._running.add(flight)
        self._begin(flight)
        return flight

    def is_full(self, key: str, *, is_renewal: bool) -> bool:
        """Return whether no call of a key is in flight in any event loop, and none can begin now."""
        with self._lock:
            has_flight = any(key in flights for flights in self._by_loop.values())
            return not has_flight and not self._has_place(is_renewal=is_renewal)

    def has_flight(self, key: str, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether a key is looked up in an event loop."""
        return key in self._by_loop.get(loop, ())

    def void(self, key: str | None = None) -> None:
        """Drop the results of the calls of a key, or of all keys. The caller holds the lock."""
        for flights in self._by_loop.values():
            for each in [*flights] if key is None else [key]:
                if flight := flights.pop(each, None):
                    flight.is_void = True

    def cancel(self) -> None:
        """Cancel the calls in the running event loop, if one runs."""
        loop = calls.running_loop()
        for flight in [*self._running]:
            if flight.task is not None and flight.loop is loop:
                flight.task.cancel()

    def _flights_of(self, loop: asyncio.AbstractEventLoop) -> dict[str, Flight]:
        """Return the calls of an event loop. The caller holds the lock."""
        flights = self._by_loop.get(loop)
        if flights is None:
            self._drop_ended_loops()
            flights = self._by_loop[loop] = {}
        return flights

    def _has_place(self, *, is_renewal: bool) -> bool:
        """Return whether another call may begin. The caller holds the lock."""
        limit = self._max_in_flight if is_renewal else self._max_in_flight - self._max_in_flight // 4
        if len(self._running) >= limit:
            self._drop_ended_loops()
        return len(self._running) < limit

    def _drop_ended_loops(self) -> None:
        """Drop the calls of closed event loops. Threads run on without their event loop."""
        for loop in [loop for loop in self._by_loop if loop.is_closed()]:
            for flight in self._by_loop.pop(loop).values():
                flight.is_void = True
        self._running = {flight for flight in self._running if flight.is_in_thread or not flight.loop.is_closed()}

    def _begin(self, flight: Flight) -> None:
        """Call the function in a task or thread."""
        flight.timer = flight.loop.call_later(self._timeout, self._time_out, flight)
        if not flight.is_in_thread:
            self._start_task(flight)
            return
        try:
            future = self._pool.submit(self._call_in_thread, flight)
            future.add_done_callback(functools.partial(self._thread_ended, flight))
        except RuntimeError as error:  # no thread can be started
            self._release(flight)
            self._land(flight, Outcome(error=error))

    def _start_task(self, flight: Flight, awaitable: object = None) -> None:
        """Call the function in a task, or await the result of a call in a thread."""
        if flight.future.done():  # the thread was too late
            _close(awaitable)
            self._release(flight)
            return
        flight.task = calls.start_task(self._call, flight, awaitable, app_context=self._app_context())
        flight.task.add_done_callback(functools.partial(self._task_ended, flight))

    async def _call(self, flight: Flight, awaitable: object) -> Outcome:
        """Call the function unless its result is given, and await the result if it is an awaitable."""
        try:
            value = self._function(flight.key) if awaitable is None else awaitable
            if inspect.isawaitable(value):
                if not flight.allows_awaitables:
                    return Outcome(error=_unused(value, _ASYNC_IN_TRIO))
                value = await value
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return Outcome(error=LookupError("it cancelled itself"))
        except BaseException as error:  # noqa: BLE001 - it must not end the event loop
            return Outcome(error=_as_exception(error))
        return Outcome(value)

    def _call_in_thread(self, flight: Flight) -> Outcome:
        """Call the function in a thread. An awaitable result remains to be awaited."""
        try:
            value = calls.call(self._function, flight.key, app_context=self._app_context())
        except BaseException as error:  # noqa: BLE001 - it must not end the thread
            return Outcome(error=_as_exception(error))
        if self._thread and inspect.isawaitable(value):
            return Outcome(error=_unused(value, _ASYNC_IN_THREAD))
        return Outcome(value)

    def _task_ended(self, flight: Flight, task: asyncio.Task[Outcome]) -> None:
        """Receive the result of a task."""
        self._release(flight)
        if task.cancelled():
            outcome = Outcome(error=LookupError(_CANCELLED), is_failure=False)
        else:
            error = task.exception()  # of the app context
            outcome = Outcome(error=_as_exception(error)) if error else task.result()
        self._land(flight, outcome)

    def _thread_ended(self, flight: Flight, future: Future[Outcome]) -> None:
        """Receive the result of a thread, in that thread."""
        outcome = future.result()
        if inspect.isawaitable(outcome.value):
            flight.loop.call_soon_threadsafe(self._start_task, flight, outcome.value)
            return
        self._release(flight)
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            flight.loop.call_soon_threadsafe(self._land, flight, outcome)

    def _release(self, flight: Flight) -> None:
        """Release the place of a call that has ended."""
        with self._lock:
            self._running.discard(flight)

    def _time_out(self, flight: Flight) -> None:
        """End a call that has no result in time."""
        if flight.task is not None:
            flight.task.cancel()
        self._land(flight, Outcome(error=TimeoutError(f"no result within {self._timeout:g} seconds")))

    def _land(self, flight: Flight, outcome: Outcome) -> None:
        """Return the result to the requests that wait. A late result is dropped."""
        if flight.future.done():
            return
        flight.timer.cancel()
        with self._lock:
            flights = self._by_loop.get(flight.loop, {})
            if flights.get(flight.key) is flight:
                del flights[flight.key]
        flight.future.set_result(self._on_end(flight, outcome))


def _as_exception(error: BaseException) -> Exception:
    """Return an exception that ends neither an event loop nor a thread."""
    if isinstance(error, Exception):
        return error
    wrapped = RuntimeError(f"{error!r} in a look-up")
    wrapped.__cause__ = error
    return wrapped


def _unused(awaitable: object, message: str) -> TypeError:
    """Close a coroutine that is not awaited, and return the error that says why."""
    _close(awaitable)
    return TypeError(message)


def _close(awaitable: object) -> None:
    """Close a coroutine that is not awaited."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()
