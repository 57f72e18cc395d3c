"""`Cached` and `Tenants` under WSGI: a function that is not async runs in a thread, where it blocks nothing else."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asgi_cors import Cached, Policy, Tenants, WSGIMiddleware
from asgi_cors._configuration.calls import running_loop
from tests.support.apps import App
from tests.support.clients import call_wsgi, wsgi_environ
from tests.support.expected import APP, EVIL
from tests.support.look_ups import AsyncCallable

SLOW = "https://slow.example"


class Slow:
    """A function that blocks for one key until a test ends it."""

    def __init__(self, key: str, result: Any = True) -> None:
        self.entered, self.end = threading.Event(), threading.Event()
        self.threads: list[tuple[str, bool]] = []  # and whether it runs an event loop
        self._key, self._result = key, result

    def __call__(self, key: str) -> Any:
        """Look a key up."""
        self.threads.append((threading.current_thread().name, running_loop() is not None))
        if key == self._key:
            self.entered.set()
            self.end.wait(60)
        return self._result


@pytest.fixture
def run() -> Iterator[Callable[..., threading.Thread]]:
    """Return a function that runs another one in a thread, which has ended when the test has."""
    threads: list[threading.Thread] = []

    def start(function: Callable[..., object], *arguments: object) -> threading.Thread:
        threads.append(threading.Thread(target=function, args=arguments))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(30)


def is_allowed(middleware: WSGIMiddleware, origin: str = APP, host: str = "api.example") -> bool:
    headers = [("origin", origin), ("host", host)]
    return ("access-control-allow-origin", origin) in call_wsgi(middleware, wsgi_environ("GET", "/", headers)).headers


def test_a_function_that_blocks_does_not_block_other_look_ups(run: Callable[..., threading.Thread]) -> None:
    look_up = Slow(SLOW)
    middleware = WSGIMiddleware(App().wsgi, allow_origins=[Cached(look_up)])
    other = WSGIMiddleware(App().wsgi, allow_origins=[Cached(AsyncCallable())])
    run(is_allowed, middleware, SLOW)
    assert look_up.entered.wait(30)
    try:
        assert is_allowed(middleware)
        assert is_allowed(other)
    finally:
        look_up.end.set()


def test_a_tenant_whose_function_blocks_does_not_block_other_tenants(run: Callable[..., threading.Thread]) -> None:
    policy = Slow("slow.example", Policy(allow_origins=APP))
    middleware = WSGIMiddleware(App().wsgi, policy_for=Tenants.by_host(policy))
    run(is_allowed, middleware, APP, "slow.example")
    assert policy.entered.wait(30)
    try:
        assert is_allowed(middleware, APP, "other.example")
    finally:
        policy.end.set()


def test_an_old_answer_is_renewed_in_a_thread() -> None:
    look_up, now = Slow(SLOW), [0.0]
    cached = Cached(look_up, ttl=100, stale_while_revalidate=50, clock=lambda: now[0])
    middleware = WSGIMiddleware(App().wsgi, allow_origins=[cached])
    assert is_allowed(middleware)
    now[0] = 100
    assert is_allowed(middleware)
    deadline = time.monotonic() + 30
    while len(look_up.threads) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert look_up.threads == [("asgi_cors-lookup", False)] * 2


@pytest.mark.parametrize("thread", [False, True])
def test_a_plain_function_runs_in_the_thread_of_the_request(thread: bool) -> None:
    threads = []
    look_up = Cached(lambda _: True, thread=thread)
    middleware = WSGIMiddleware(
        App().wsgi, allow_origins=[lambda _: bool(threads.append(threading.current_thread())), look_up]
    )
    assert is_allowed(middleware)
    assert threads == [threading.current_thread()]


def test_an_awaitable_that_a_sync_function_returns_is_awaited_in_the_background_event_loop() -> None:
    loops, threads = [], []

    async def answer(origin: str) -> bool:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return origin == APP

    def look_up(origin: str) -> Any:
        threads.append((threading.current_thread().name, running_loop() is not None))
        return answer(origin)

    middleware = WSGIMiddleware(App().wsgi, allow_origins=[Cached(look_up)])
    assert is_allowed(middleware)
    assert not is_allowed(middleware, EVIL)
    assert threads == [("asgi_cors-lookup", False)] * 2
    assert len(loops) == 2
    assert loops[0] is loops[1]


def test_an_awaitable_that_comes_too_late_is_closed(recwarn: pytest.WarningsRecorder) -> None:
    end = threading.Event()
    coroutines: list[Any] = []

    def look_up(_: str) -> Any:
        end.wait(60)
        coroutines.append(AsyncCallable()(APP))
        return coroutines[0]

    cached = Cached(look_up, timeout=0.05, max_in_flight=1)
    middleware = WSGIMiddleware(App().wsgi, allow_origins=[cached])
    assert not is_allowed(middleware)
    assert cached.stats().in_flight == 1
    end.set()
    deadline = time.monotonic() + 30
    while cached.stats().in_flight and time.monotonic() < deadline:
        time.sleep(0.001)
    assert cached.stats().in_flight == 0
    assert coroutines[0].cr_frame is None
    assert not recwarn.list


def test_a_function_of_an_event_loop_runs_in_that_event_loop() -> None:
    look_up = Slow(SLOW)
    assert asyncio.run(Cached(look_up).get(APP))
    assert look_up.threads == [("MainThread", True)]
