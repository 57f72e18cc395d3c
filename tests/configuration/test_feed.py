"""`feed=`: notifications that an event loop reads, and starts to read again when they end."""

import asyncio
import contextvars
import gc
import logging
import os
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from asgi_cors import Cached
from asgi_cors._configuration import feed as module
from asgi_cors._configuration.feed import FeedReader
from tests.support.logs import Clock

Items = list[str | None]


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_DELAY", 0.01)
    monkeypatch.setattr(module, "_MAX_DELAY", 0.02)


class Received(list[str | None]):
    """The items of a reader, and an event loop's way to wait for them."""

    def __init__(self) -> None:
        self.changed = threading.Event()

    def append(self, item: str | None) -> None:
        super().append(item)
        self.changed.set()

    async def until(self, count: int) -> Items:
        async with asyncio.timeout(5):
            while len(self) < count:  # noqa: ASYNC110 - some items come from another thread
                await asyncio.sleep(0.001)
        return list(self)


def reader_of(feed: Callable[[], Any]) -> tuple[FeedReader, Received]:
    received = Received()
    return FeedReader(feed, received.append, "customers()"), received


def feed_of(*batches: list[Any]) -> Callable[[], AsyncIterator[Any]]:
    """Return a feed that ends after each batch, and waits after the last one."""
    left = [*batches]

    async def feed() -> AsyncIterator[Any]:
        for item in left.pop(0):
            if isinstance(item, Exception):
                raise item
            yield item
        if not left:
            await asyncio.Event().wait()

    return feed


def stop_in_background(reader: FeedReader) -> None:
    assert reader._loop is not None
    reader._loop.call_soon_threadsafe(reader.stop)


async def test_each_item_is_passed_on() -> None:
    reader, received = reader_of(feed_of(["https://a.com", b"https://b.com", None]))
    reader.ensure_running()
    reader.ensure_running()
    assert await received.until(3) == ["https://a.com", "https://b.com", None]
    reader.stop()


async def test_a_feed_that_fails_soon_waits_longer_each_time_and_one_that_ran_for_a_minute_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that is cut at once must not renew a list every second, even if each one yields an item."""
    delays: list[float] = []
    clock, sleep = Clock(), asyncio.sleep

    async def skip(delay: float) -> None:
        delays.extend([delay] if delay else [])
        await sleep(0)

    async def feed() -> AsyncIterator[None]:
        yield None
        if len(delays) == 8:
            clock.now += 60
        elif len(delays) == 9:
            await asyncio.Event().wait()

    monkeypatch.setattr(module, "_FIRST_DELAY", 1.0)
    monkeypatch.setattr(module, "_MAX_DELAY", 60.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(asyncio, "sleep", skip)
    reader, received = reader_of(feed)
    reader.ensure_running()
    while len(delays) < 9:
        await sleep(0)
    reader.stop()
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 1]
    assert {*received} == {None}


async def test_a_feed_that_never_waits_does_not_block_the_event_loop() -> None:
    async def feed() -> AsyncIterator[str]:
        for _ in range(10_000):
            yield "https://a.com"

    reader, received = reader_of(feed)
    reader.ensure_running()
    await received.until(1)
    await asyncio.sleep(0)
    reader.stop()
    assert len(received) < 1000


@pytest.mark.parametrize("end", [[], [OSError("lost")]], ids=["ends", "raises"])
async def test_a_feed_that_ends_is_started_again_and_everything_counts_as_changed(
    end: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    reader, received = reader_of(feed_of(["https://a.com", *end], ["https://b.com"]))
    reader.ensure_running()
    assert await received.until(3) == ["https://a.com", None, "https://b.com"]
    reader.stop()
    assert "the feed of customers() is started again" in caplog.text
    assert ("OSError: 'lost'" in caplog.text) == bool(end)


async def test_a_feed_that_fails_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    reader, received = reader_of(feed_of(*([OSError("lost")] for _ in range(4)), []))
    reader.ensure_running()
    assert await received.until(4) == [None] * 4
    reader.stop()
    assert caplog.text.count("is started again") == 1


@pytest.mark.parametrize("value", [7, {"data": "x"}, b"\xff"], ids=repr)
async def test_an_item_of_another_type_means_everything_and_is_warned_of_once(
    value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    reader, received = reader_of(feed_of([value, value]))
    reader.ensure_running()
    assert await received.until(2) == [None, None]
    reader.stop()
    assert caplog.text.count("Yield a string, bytes or None.") == 1


async def _not_an_iterator() -> None:
    """Is a common mistake: there is no `yield`."""


@pytest.mark.parametrize("feed", [_not_an_iterator, lambda: None, lambda: ["https://a.com"]])
async def test_a_feed_that_is_not_an_async_iterator_is_logged_with_a_hint(
    feed: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    reader, received = reader_of(feed)
    reader.ensure_running()
    await received.until(2)
    reader.stop()
    assert "it must return an async iterator" in caplog.text
    assert "`async def` with `yield`" in caplog.text


async def test_a_reader_that_is_stopped_closes_its_generator_and_starts_again() -> None:
    events: list[str] = []

    async def feed() -> AsyncIterator[str]:
        events.append("open")
        try:
            yield "https://a.com"
            await asyncio.Event().wait()
        finally:
            events.append("closed")

    reader, received = reader_of(feed)
    reader.stop()
    reader.ensure_running()
    await received.until(1)
    reader.stop()
    async with asyncio.timeout(5):
        while events != ["open", "closed"]:  # noqa: ASYNC110 - the generator is the user's
            await asyncio.sleep(0)
    reader.ensure_running()
    assert await received.until(3) == ["https://a.com", None, "https://a.com"]
    reader.stop()


@pytest.mark.parametrize("closes", [True, False])
async def test_a_generator_is_closed_if_an_item_cannot_be_passed_on(closes: bool) -> None:
    closed = asyncio.Event()

    class Items:
        """An async iterator that is not a generator."""

        def __aiter__(self) -> "Items":
            return self

        async def __anext__(self) -> str:
            return "https://a.com"

        if closes:

            async def aclose(self) -> None:
                closed.set()
                raise OSError

    called = asyncio.Event()

    class Source:
        def on_item(self, _: str | None) -> None:
            called.set()
            raise ValueError

    source = Source()
    reader = FeedReader(Items, source.on_item, "customers()")
    reader.ensure_running()
    async with asyncio.timeout(5):
        await called.wait()
        if closes:
            await closed.wait()
    reader.stop()


def test_a_reader_moves_to_the_next_event_loop_if_its_own_is_closed() -> None:
    batches = [["https://a.com", None], []]

    async def feed() -> AsyncIterator[Any]:
        for item in batches.pop(0):
            yield item
        await asyncio.Event().wait()  # until the event loop ends

    reader, received = reader_of(feed)

    async def read(count: int) -> None:
        reader.ensure_running()
        await received.until(count)

    asyncio.run(read(2))
    asyncio.run(read(3))
    assert received == ["https://a.com", None, None]


def test_an_event_loop_that_is_closed_with_a_running_reader_reports_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Not every program cancels its tasks before it closes its loop."""

    async def feed() -> AsyncIterator[str]:
        yield "https://a.com"
        await asyncio.Event().wait()

    reader, received = reader_of(feed)
    loop = asyncio.new_event_loop()

    async def read() -> None:
        reader.ensure_running()
        await received.until(1)

    loop.run_until_complete(read())
    loop.close()
    received.changed.clear()
    reader._start()
    assert received.changed.wait(5)
    gc.collect()
    assert "destroyed" not in caplog.text
    assert [record for record in caplog.records if record.name == "asgi_cors"] == []
    stop_in_background(reader)


@pytest.mark.parametrize("is_in_background", [False, True])
async def test_a_reader_ends_when_its_source_is_freed(is_in_background: bool) -> None:
    """Otherwise each policy that is replaced leaves a connection behind."""
    ended, received = threading.Event(), Received()

    async def feed() -> AsyncIterator[str]:
        try:
            received.append("began")
            yield "https://a.com"
            await asyncio.Event().wait()
        finally:
            ended.set()

    def source() -> Cached:
        return Cached(lambda _: True, feed=feed)

    one = source()
    await asyncio.to_thread(one.start) if is_in_background else one.start()
    await received.until(1)
    del one
    for _ in range(100):  # the thread may refer to it for a moment
        gc.collect()
        if await asyncio.to_thread(ended.wait, 0.05):
            break
    assert ended.is_set()


def test_an_item_that_comes_while_its_source_is_freed_is_dropped() -> None:
    class Source:
        def receive(self, item: str | None) -> None:
            raise AssertionError(item)

    source = Source()
    reader = FeedReader(feed_of([]), source.receive, "customers()")
    del source
    gc.collect()
    reader._pass_on("https://a.com")


@pytest.mark.parametrize("is_running", [False, True])
def test_a_source_may_be_freed_before_its_reader_begins_and_after_the_event_loop_is_closed(is_running: bool) -> None:
    reader, received = reader_of(feed_of(["https://a.com"]))
    loop = asyncio.new_event_loop()

    async def start() -> None:
        reader.ensure_running()

    if is_running:
        loop.run_until_complete(start())
    loop.close()
    del received
    gc.collect()
    reader._create_task(loop)  # as a request without an event loop schedules it
    assert is_running == (reader._task is not None)


@pytest.mark.parametrize("is_in_background", [False, True])
def test_a_reader_that_nothing_refers_to_reads_on(is_in_background: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def feed() -> AsyncIterator[str]:
        yield "https://a.com"
        await asyncio.Event().wait()

    async def read() -> None:
        reader, received = reader_of(feed)
        await asyncio.to_thread(reader.ensure_running) if is_in_background else reader.ensure_running()
        await received.until(1)
        reference = weakref.ref(reader)
        del reader
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0.01)
        gc.collect()
        reader = reference()
        assert reader is not None
        stop_in_background(reader)

    asyncio.run(read())
    assert "Task exception" not in caplog.text


def test_a_reader_without_an_event_loop_runs_in_the_background() -> None:
    reader, received = reader_of(feed_of(["https://a.com"]))
    reader.ensure_running()
    reader.stop()
    assert received.changed.wait(5)
    assert received == ["https://a.com"]
    stop_in_background(reader)


def test_threads_start_one_reader() -> None:
    started: list[int] = []

    async def feed() -> AsyncIterator[str]:
        started.append(1)
        yield "https://a.com"
        await asyncio.Event().wait()

    reader, received = reader_of(feed)
    barrier = threading.Barrier(8)

    def run() -> None:
        barrier.wait()
        reader.ensure_running()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert received.changed.wait(5)
    assert started == [1]
    stop_in_background(reader)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_starts_the_feed_again() -> None:
    async def feed() -> AsyncIterator[str]:
        yield str(os.getpid())
        await asyncio.Event().wait()

    reader, received = reader_of(feed)
    reader.ensure_running()
    assert received.changed.wait(5)
    received.changed.clear()
    child = os.fork()
    if child == 0:  # pragma: no cover - in another process
        reader.ensure_running()
        received.changed.wait(5)
        deadline = threading.Event()
        while received[-1] != str(os.getpid()) and not deadline.wait(0.01):
            pass
        os._exit(received[1:] != [None, str(os.getpid())])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    stop_in_background(reader)


async def test_a_reader_starts_again_after_a_fork() -> None:
    """The same in this process, with the function that a fork calls."""
    reader, received = reader_of(feed_of(["https://a.com"], ["https://b.com"]))
    reader.ensure_running()
    await received.until(1)
    before = reader._task
    assert before is not None
    reader._after_fork()
    reader.ensure_running()
    reader._start()
    assert reader._task is not before
    await received.until(4)
    reader.stop()
    before.cancel()
    await asyncio.wait({before})
    await asyncio.sleep(0)


def test_a_feed_has_no_part_of_the_context_of_the_request_that_starts_it() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="empty")

    async def feed() -> AsyncIterator[str]:
        yield variable.get()
        await asyncio.Event().wait()

    async def read() -> None:
        variable.set("request")
        reader.ensure_running()
        await received.until(1)

    reader, received = reader_of(feed)
    asyncio.run(read())
    assert received == ["empty"]


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
