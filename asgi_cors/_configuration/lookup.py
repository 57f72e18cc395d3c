"""Calls users' callables with a timeout, in order, until one allows the origin. A callable that fails allows nothing.

Two functions drive the same generator. `drive` awaits its awaitables under asyncio or trio. `drive_blocking`, for WSGI,
runs them on the background event loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from asgi_cors._decision.callables import call_name
from asgi_cors._errors import show

from .calls import (
    AppContext,
    IsolatedAwaitable,
    LimitedAwaitable,
    call,
    contain,
    is_in_trio,
    run_in_background,
)
from .source import Answer, Lease, OriginSource

if TYPE_CHECKING:
    import asyncio

    from asgi_cors._policy.policy import Policy

    from .log import Log


Result = TypeVar("Result")
AwaitableGenerator = Generator[Awaitable[Any], Any, Result]
Awaiter = Callable[[Awaitable[Any]], Awaitable[Any]]

TIMEOUT: Final = 2.0  # seconds for one awaitable


# -- the order of the calls


def call_origin_callables(
    policy: Policy, origin: str, log: Log, app_context: AppContext | None = None
) -> Answer | AwaitableGenerator[Answer]:
    """Call the callables of a policy one after another until one allows `origin`.

    A callable that raises counts as False, and is logged. Only `True`, or an awaitable of it, allows.

    Args:
        policy: The policy.
        origin: A serialized origin, which is not `null`.
        log: The log.
        app_context: The context in which the callables run; None for an empty one.

    Returns:
        The answer, with the leases of all sources that were called. If something has to be awaited: a generator of
        awaitables, which returns the answer. The generator does not raise either.
    """
    generator = _call_each(policy, origin, log, app_context)
    try:
        awaitable = next(generator)
    except StopIteration as stop:
        return cast("Answer", stop.value)
    return _resume(awaitable, generator)


def _resume(awaitable: Awaitable[Any], generator: AwaitableGenerator[Result]) -> AwaitableGenerator[Result]:
    """Yield an awaitable that a generator has yielded, and all later ones."""
    try:
        while True:
            try:
                result = yield awaitable
            except Exception as error:  # noqa: BLE001 - the generator decides what a failure means
                awaitable = generator.throw(error)
            else:
                awaitable = generator.send(result)
    except StopIteration as stop:
        return cast("Result", stop.value)


def _call_each(policy: Policy, origin: str, log: Log, app_context: AppContext | None) -> AwaitableGenerator[Answer]:
    """Call the callables until one allows the origin, and combine their answers."""
    leases: tuple[Lease, ...] | None = ()
    failure: Exception | None = None
    for entry in policy.compiled.callables:
        try:
            if isinstance(entry, OriginSource):
                answer = yield from _call_source(entry, origin, policy, app_context)
            else:
                answer = Answer((yield from _call_function(entry, origin, log, app_context)))
        except Exception as error:  # noqa: BLE001 - an error in a user's callable must not fail the request
            answer = Answer(allowed=False, error=error)
        if answer.error is not None:
            name = show(entry) if isinstance(entry, OriginSource) else call_name(entry)
            log.failure(f"{name} could not look an origin up, so it allows nothing", answer.error)
            failure = failure or answer.error
        if answer.error is None or not isinstance(entry, OriginSource):
            leases = None if leases is None or answer.leases is None else (*leases, *answer.leases)
        if answer.allowed is True:
            return Answer(allowed=True, leases=leases)  # an entry that failed could not have changed that
    return Answer(allowed=False, leases=leases if failure is None else None, error=failure)


def _call_source(
    entry: OriginSource, origin: str, policy: Policy, app_context: AppContext | None
) -> AwaitableGenerator[Answer]:
    """Look an origin up in a source."""
    if entry.app_context is None:
        entry.app_context = app_context
    answer: object = entry.look_up(origin, policy)
    if inspect.isawaitable(answer):
        answer = yield answer
    return check_answer(answer)


def check_answer(value: object) -> Answer:
    """Return the result of a source.

    Raises:
        TypeError: If it is not an `Answer`.
    """
    if not isinstance(value, Answer):
        raise TypeError(f"look_up returned a value of type {type(value).__qualname__}, which is not an Answer")
    return value


def _call_function(
    function: Callable[[str], object], origin: str, log: Log, app_context: AppContext | None
) -> AwaitableGenerator[bool]:
    """Call a function. Any value but True refuses; a truthy one is logged."""
    found = call(function, origin, app_context=app_context)
    if found is True or found is False:
        return found
    if inspect.isawaitable(found):
        found = yield IsolatedAwaitable(found, app_context)
    if found is not True:
        log.warn_truthy(function, found)
    return found is True


# -- awaiting


async def drive(generator: AwaitableGenerator[Result], awaiter: Awaiter | None = None) -> Result:
    """Drive a generator of awaitables in the running event loop, asyncio's or trio's.

    Args:
        generator: The generator.
        awaiter: Awaits with a timeout.
    """
    awaiter = awaiter or _await_with_timeout
    try:
        awaitable = next(generator)
        while True:
            try:
                result = await awaiter(awaitable)
            except Exception as error:  # noqa: BLE001 - the generator decides what a failure means
                awaitable = generator.throw(error)
            else:
                awaitable = generator.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def drive_blocking(generator: AwaitableGenerator[Result]) -> Result:
    """Drive a generator of awaitables from a thread without an event loop."""
    coroutine = drive(generator, _await_in_background)
    try:
        coroutine.send(None)  # never suspends: `_await_in_background` blocks
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError  # pragma: no cover


async def _await_with_timeout(awaitable: Awaitable[Any]) -> Any:
    """Await in the running event loop. An awaitable that ends by itself has no timeout."""
    if not is_in_trio():
        return await _await_in_asyncio(awaitable)
    if isinstance(awaitable, LimitedAwaitable):
        return await awaitable
    import trio  # noqa: PLC0415 - an event loop that is optional

    with trio.fail_after(TIMEOUT):
        return await (_await_isolated_in_trio(awaitable) if isinstance(awaitable, IsolatedAwaitable) else awaitable)


async def _await_isolated_in_trio(awaitable: IsolatedAwaitable) -> Any:
    """Await in a task with an empty context."""
    import trio  # noqa: PLC0415 - an event loop that is optional

    results: list[Any] = []
    errors: list[Exception] = []

    async def run() -> None:
        try:
            results.append(await awaitable)
        except Exception as error:  # noqa: BLE001 - it is raised again, outside of an ExceptionGroup
            errors.append(error)

    async with trio.open_nursery() as nursery:
        Context().run(nursery.start_soon, run)
    if errors:
        raise errors[0]
    return results[0]


async def _await_in_asyncio(awaitable: Awaitable[Any]) -> Any:
    """Await in a separate task, so that a coroutine that ignores its cancellation does not delay the request."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    is_limited = isinstance(awaitable, LimitedAwaitable)
    task = _start(awaitable)
    try:
        await asyncio.wait({task}, timeout=None if is_limited else TIMEOUT)
        if not task.done():
            raise TimeoutError(f"no result within {TIMEOUT:g} seconds")
    finally:
        if not task.done():
            if not is_limited:  # other requests may wait for the same call
                task.cancel()
            task.add_done_callback(lambda task: task.cancelled() or task.exception())  # otherwise asyncio logs it
    if task.cancelled():
        raise LookupError("the look-up cancelled itself")
    return task.result()


def _start(awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
    """Return the task that awaits an awaitable, in the context that the awaitable requires."""
    import asyncio  # noqa: PLC0415 - expensive, and rarely needed

    if isinstance(awaitable, LimitedAwaitable):
        return asyncio.ensure_future(awaitable.awaitable)
    context = Context() if isinstance(awaitable, IsolatedAwaitable) else None
    return asyncio.get_running_loop().create_task(contain(awaitable), context=context)


async def _await_in_background(awaitable: Awaitable[Any]) -> Any:
    """Await in the background event loop, and block this thread until there is a result."""
    is_users = not isinstance(awaitable, LimitedAwaitable | IsolatedAwaitable)
    future = run_in_background(_await_in_asyncio(awaitable), copy_context() if is_users else None)
    limit = 1 + (awaitable.limit if isinstance(awaitable, LimitedAwaitable) else TIMEOUT)
    try:
        return future.result(limit)
    except TimeoutError:
        if future.done():
            return future.result()
        raise TimeoutError(f"no result within {limit:g} seconds, because a function blocks the event loop") from None
