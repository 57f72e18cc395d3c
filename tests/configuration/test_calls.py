"""Calls of users' functions: contexts, threads, the background event loop, forks."""

import asyncio
import contextlib
import contextvars
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import anyio
import pytest

from asgi_cors import Configuration, CORSMiddleware, LimitedAwaitable
from asgi_cors._configuration import calls
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope
from tests.support.event_loops import RUNNERS, run_asyncio, run_trio
from tests.support.expected import APP, FAILED, OWN, VARY, origin_line
from tests.support.sources import Known

GRANT = sorted([OWN, VARY, origin_line(APP)])
LOOPS = {name: RUNNERS[name] for name in ("asyncio", "trio")}
TENANT = contextvars.ContextVar("TENANT", default="")


@pytest.fixture(autouse=True)
def no_tenant() -> None:
    """Remove the value that an earlier test has set in the context of all tests."""
    TENANT.set("")


# -- contexts


def reads_tenant(seen: list[str]) -> Callable[[str], bool]:
    """Return a callable that notes the context variable of the request."""

    def look_up(_: str) -> bool:
        seen.append(TENANT.get())
        return True

    return look_up


def reads_tenant_async(seen: list[str]) -> Callable[[str], Awaitable[bool]]:
    """Return an async callable that notes the context variable of the request."""

    async def look_up(_: str) -> bool:
        await anyio.lowlevel.checkpoint()
        seen.append(TENANT.get())
        return True

    return look_up


@pytest.mark.parametrize("make", [reads_tenant, reads_tenant_async], ids=["sync", "async"])
@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_a_look_up_does_not_see_the_context_variables_of_the_request(make: Any, run: Any) -> None:
    seen: list[str] = []
    middleware = CORSMiddleware(App().asgi, allow_origins=make(seen))

    async def exchange() -> None:
        TENANT.set("of the request")
        await middleware(http_scope("GET", "/", [("origin", APP)]), None, ignore)  # type: ignore[arg-type]

    contextvars.copy_context().run(run, exchange)  # not every event loop has a context of its own
    assert seen == [""]


async def ignore(message: Any) -> None:
    """Drop a message."""


@pytest.mark.parametrize("make", [reads_tenant, reads_tenant_async], ids=["sync", "async"])
def test_under_wsgi_a_look_up_does_not_see_the_context_variables_of_the_request(make: Any) -> None:
    seen: list[str] = []
    client = Client("wsgi", App(), allow_origins=make(seen))

    def exchange() -> None:
        TENANT.set("of the request")
        client.request(origin=APP)

    contextvars.copy_context().run(exchange)
    assert seen == [""]


def test_a_look_up_does_not_change_the_context_of_the_request(serve: Any) -> None:
    serve(allow_origins=lambda _: bool(TENANT.set("of the look-up"))).request(origin=APP)
    assert not TENANT.get()


@contextlib.contextmanager
def tenant_of_the_app() -> Generator[None]:
    """Set the context variable, as the app context of a framework does."""
    token = TENANT.set("of the app")
    try:
        yield
    finally:
        TENANT.reset(token)


@pytest.mark.parametrize("make", [reads_tenant, reads_tenant_async], ids=["sync", "async"])
def test_a_look_up_runs_in_the_app_context(interface: str, make: Any) -> None:
    seen: list[str] = []
    configuration = Configuration(allow_origins=make(seen), app_context=tenant_of_the_app)
    assert Client(interface, App(), configuration, run=run_asyncio).request(origin=APP).lines == GRANT
    assert seen == ["of the app"]
    assert not TENANT.get()


def test_an_app_context_that_fails_refuses(interface: str) -> None:
    configuration = Configuration(allow_origins=lambda _: True, app_context=lambda: contextlib.nullcontext(1 / 0))
    assert Client(interface, App(), configuration).request(origin=APP).lines == FAILED


def test_the_first_middleware_sets_the_app_context_of_a_source(interface: str) -> None:
    source = Known(APP)
    Configuration(allow_origins=source, app_context=tenant_of_the_app)
    other = Configuration(allow_origins=source, app_context=contextlib.nullcontext)
    Client(interface, App(), other).request(origin=APP)
    assert source.app_context is tenant_of_the_app


def test_a_source_of_a_policy_that_policy_for_returns_gets_the_app_context(interface: str) -> None:
    source = Known(APP)
    found = Configuration(allow_origins=source).policy
    configuration = Configuration(policy_for=lambda _: found, app_context=tenant_of_the_app, allow_origins=APP)
    Client(interface, App(), configuration).request(origin=APP)
    assert source.app_context is tenant_of_the_app


def test_a_task_runs_in_an_empty_context_and_the_app_context() -> None:
    async def read(value: int) -> tuple[int, str]:
        return value, TENANT.get()

    async def exchange() -> list[Any]:
        TENANT.set("of the request")
        return [await calls.start_task(read, 1), await calls.start_task(read, 2, app_context=tenant_of_the_app)]

    assert run_asyncio(exchange) == [(1, ""), (2, "of the app")]


# -- the pool of threads


def finish(future: Any) -> Any:
    """Return the exception or the result of a future."""
    return future.exception(10) or future.result(10)


def test_a_pool_calls_a_function_in_a_daemon_thread_in_an_empty_context() -> None:
    pool = calls.ThreadPool("test-pool")

    def read(value: int) -> Any:
        thread = threading.current_thread()
        seen, _ = TENANT.get(), TENANT.set("of an earlier call")
        return value, thread.name, thread.daemon, seen

    TENANT.set("of the request")
    assert [finish(pool.submit(read, number)) for number in range(2)] == [
        (number, "test-pool", True, "") for number in range(2)
    ]


def test_a_pool_uses_an_idle_thread_again() -> None:
    pool = calls.ThreadPool("test-pool")
    first = finish(pool.submit(threading.get_ident))
    deadline = time.monotonic() + 10
    while not pool._idle and time.monotonic() < deadline:
        time.sleep(0.001)
    assert finish(pool.submit(threading.get_ident)) == first


def test_a_pool_calls_functions_at_the_same_time() -> None:
    pool = calls.ThreadPool("test-pool")
    barrier = threading.Barrier(5)
    assert sorted(map(finish, [pool.submit(barrier.wait, 10) for _ in range(5)])) == [*range(5)]


def test_a_call_whose_thread_cannot_be_started_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the next thread would make it, and a later call would wait for a thread that is not there."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool, made = calls.ThreadPool("test"), list[int]()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError):
            pool.submit(made.append, 1)
    for number in (2, 3):
        pool.submit(made.append, number).result(5)
    assert made == [2, 3]


def test_an_idle_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "IDLE", 0.01)
    pool = calls.ThreadPool("test-pool")
    thread = finish(pool.submit(threading.current_thread))
    thread.join(10)
    assert not thread.is_alive()
    assert finish(pool.submit(threading.current_thread)) is not thread


def test_a_thread_that_is_promised_a_call_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its wait may end between the promise and the call."""
    monkeypatch.setattr(calls, "IDLE", 0.01)
    pool = calls.ThreadPool("test-pool")
    thread = finish(pool.submit(threading.current_thread))
    with pool._lock:
        pool._idle = 0  # as `submit` does first
    thread.join(0.05)
    assert thread.is_alive()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ValueError("x"), ValueError),
        (SystemExit(1), RuntimeError),
        (KeyboardInterrupt(), RuntimeError),
        (StopIteration(1), RuntimeError),
        (CancelledError(), RuntimeError),
        (asyncio.CancelledError(), RuntimeError),
    ],
    ids=repr,
)
def test_an_exception_in_a_thread_reaches_the_caller_without_ending_its_event_loop(
    raised: BaseException, expected: type[Exception]
) -> None:
    pool = calls.ThreadPool("test-pool")

    def fail() -> None:
        raise raised

    assert type(finish(pool.submit(fail))) is expected
    assert finish(pool.submit(lambda: "alive")) == "alive"


def test_a_call_that_is_cancelled_before_it_begins_is_not_made() -> None:
    pool = calls.ThreadPool("test-pool")
    made: list[int] = []
    blocked, release = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        release.wait(10)

    first = pool.submit(block)
    assert blocked.wait(10)
    assert not first.cancel()
    with pool._lock:
        pool._idle = 1  # so that the next call waits for the busy thread
    second = pool.submit(made.append, 1)
    assert second.cancel()
    release.set()
    finish(pool.submit(str))
    assert made == []


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_the_result_of_a_thread_is_awaited_in_every_event_loop(run: Any) -> None:
    pool = calls.ThreadPool("test-pool")

    async def exchange() -> Any:
        with pytest.raises(ZeroDivisionError):
            await calls.wait_for(pool.submit(lambda: 1 / 0))
        return await calls.wait_for(pool.submit(lambda: 5))

    assert run(exchange) == 5


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_a_cancelled_caller_leaves_the_call_in_the_thread_running(run: Any) -> None:
    """It ends after the event loop."""
    pool, release = calls.ThreadPool("test-pool"), threading.Event()

    async def exchange() -> Any:
        future = pool.submit(release.wait, 10)
        with anyio.move_on_after(0.01):
            await calls.wait_for(future)
        return future

    future = run(exchange)
    release.set()
    assert future.result(10) is True


# -- the background event loop


def test_a_coroutine_in_the_background_runs_in_an_empty_context() -> None:
    async def read() -> str:
        return TENANT.get()

    TENANT.set("of the request")
    assert calls.run_in_background(read()).result(10) == ""
    assert calls.run_in_background(read(), contextvars.copy_context()).result(10) == "of the request"


def test_system_exit_in_a_task_does_not_end_the_background_loop() -> None:
    async def leave() -> None:
        raise SystemExit

    async def start() -> Any:
        return await calls.start_task(leave)

    assert type(calls.run_in_background(start()).exception(10)) is RuntimeError
    assert calls.run_in_background(asyncio.sleep(0, "alive")).result(10) == "alive"


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_in_the_main_thread_an_exception_that_ends_the_program_does_so(error: type[BaseException]) -> None:
    async def leave() -> None:
        raise error

    with pytest.raises(error):
        run_asyncio(lambda: calls.contain(leave()))


def test_the_running_loop_is_that_of_asyncio() -> None:
    async def find() -> Any:
        return calls.running_loop()

    assert calls.running_loop() is None
    assert run_trio(find) is None
    assert isinstance(run_asyncio(find), asyncio.AbstractEventLoop)


def test_without_asyncio_there_is_no_running_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncio")
    assert calls.running_loop() is None


def test_whether_trio_runs() -> None:
    async def find() -> bool:
        return calls.is_in_trio()

    assert (calls.is_in_trio(), run_asyncio(find), run_trio(find)) == (False, False, True)


def test_an_answer_that_ends_by_itself_has_no_other_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asgi_cors._configuration.lookup.TIMEOUT", 0.001)

    class Slow(Known):
        async def _later(self, origin: str) -> Any:
            await anyio.sleep(0.05)
            return self._answer(origin)

    for run in (run_asyncio, run_trio):
        middleware = CORSMiddleware(App().asgi, allow_origins=Slow(APP, is_async=True))
        assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run).lines == GRANT
    assert Client("wsgi", App(), allow_origins=Slow(APP, is_async=True)).request(origin=APP).lines == GRANT


def test_under_wsgi_a_blocked_background_loop_refuses_after_the_limit() -> None:
    class Blocking(Known):
        def look_up(self, origin: str, policy: Any = None) -> LimitedAwaitable:
            del policy
            return LimitedAwaitable(self._later(origin), -0.99)

        async def _later(self, origin: str) -> Any:
            release.wait(10)
            return self._answer(origin)

    release = threading.Event()
    response = Client("wsgi", App(), allow_origins=Blocking(APP)).request(origin=APP)
    release.set()
    assert response.lines == FAILED


# -- forks


def test_an_owner_is_not_held_for_its_function_after_a_fork() -> None:
    pool = calls.ThreadPool("test-pool")
    reference = weakref.ref(pool)
    del pool
    gc.collect()
    assert reference() is None


def test_the_functions_of_all_owners_are_called_after_a_fork() -> None:
    called: list[calls.ThreadPool] = []
    pool = calls.ThreadPool("test-pool")
    calls.call_after_fork(pool, called.append)
    calls._after_fork()  # as in the child, where coverage is not measured
    assert called == [pool]


FORKED = """
import asyncio, os, sys, threading, time
from asgi_cors import Answer, CORSMiddleware, LimitedAwaitable
from asgi_cors._configuration import calls
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.sources import Known

pool = calls.ThreadPool("test")
class Threaded(Known):
    def look_up(self, origin, policy=None):
        return LimitedAwaitable(self.later(origin), 10)
    async def later(self, origin):
        return await calls.wait_for(pool.submit(self._answer, origin))

PAGE = "https://a.com"
source = Threaded(PAGE)
served = Client("wsgi", App(), allow_origins=source)
def works():
    source.void()
    return bool(served.request(origin=PAGE).cors) and not served.request(origin="https://b.com").cors
assert works()
while not pool._idle: time.sleep(0.001)

blocked, release = threading.Event(), threading.Event()
def hold():
    with served.middleware.configuration._lock, pool._lock:
        blocked.set()
        release.wait(10)
threading.Thread(target=hold).start()
blocked.wait(10)
child = os.fork()
if child == 0:
    served.middleware.reconfigure(allow_origins=source)
    os._exit(0 if works() else 1)
release.set()
assert works()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no forks")
def test_a_forked_child_has_locks_threads_and_a_background_loop_of_its_own() -> None:
    """Although a thread of the parent held the locks at the fork."""
    program = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n{FORKED}"
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program], check=True, timeout=60)


def test_a_thread_of_the_pool_that_forks_ends_in_the_child() -> None:
    """It is the only thread there, and its calls are those of the parent."""
    pool = calls.ThreadPool("test-pool")

    def fork() -> threading.Thread:
        pool._reset()  # as in the child
        return threading.current_thread()

    thread = finish(pool.submit(fork))
    thread.join(10)
    assert not thread.is_alive()
    assert finish(pool.submit(threading.current_thread)) is not thread
