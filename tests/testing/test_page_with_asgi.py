"""A Page over an ASGI application runs an event loop in a thread, and never hangs."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import subprocess
import sys
import threading
import weakref

import anyio
import anyio.to_thread
import pytest

from asgi_cors.testing import FetchTimeout, LifespanError, Page
from tests.support.page_apps import API, ORIGIN, ASGIEcho, allowed, http_only, raw

START = {"type": "http.response.start", "status": 200, "headers": raw(allowed())}


@pytest.fixture
def short_margin(monkeypatch):
    """Wait only 0.1 seconds for an event loop that is blocked."""
    monkeypatch.setattr("asgi_cors.testing._transports.loop_thread.MARGIN", 0.1)


@pytest.fixture
def release():
    """Return an event that a blocking application waits for. It is set when the test ends."""
    event = threading.Event()
    yield event
    event.set()


def app_that(action):
    """Return an application that awaits the action, and responds if it returns True."""

    async def app(scope, receive, send):
        if await action(scope, receive):
            await send(START)
            await send({"type": "http.response.body", "body": b"ok"})

    return http_only(app)


def loop_threads():
    """Return the running threads of pages."""
    return [thread for thread in threading.enumerate() if thread.name == "asgi_cors.testing"]


def test_the_thread_ends_with_the_page():
    before = set(loop_threads())
    with Page(ORIGIN, app=ASGIEcho(allowed())) as page:
        assert page.fetch(API).content == b"ok"
        (thread,) = set(loop_threads()) - before
    thread.join(10)
    assert not thread.is_alive()


def test_a_page_that_is_not_entered_ends_its_thread_when_it_is_collected():
    """Like an AsyncPage, it works without the lifespan if it is not entered."""
    before = set(loop_threads())
    page = Page(ORIGIN, app=ASGIEcho(allowed()))
    assert page.fetch(API).content == b"ok"
    (thread,) = set(loop_threads()) - before
    collected = weakref.ref(page)
    del page
    gc.collect()
    assert collected() is None
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("entered", [True, False], ids=["entered", "not entered"])
def test_the_interpreter_exits_with_a_page_that_was_never_left(entered):
    """It exits although the application has started threads, and prints nothing on stderr."""
    code = f"""
import asyncio, logging, sys
import anyio.to_thread
logging.getLogger("asyncio").setLevel("ERROR")  # -X dev warns of a callback that a busy machine makes slow
from asgi_cors.testing import Page

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
    await asyncio.to_thread(int)
    await anyio.to_thread.run_sync(int)
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"access-control-allow-origin", b"*")]}})
    await send({{"type": "http.response.body", "body": b"ok"}})
    await asyncio.sleep(1e9)

page = Page({ORIGIN!r}, app=app)
{"page.__enter__()" if entered else ""}
print(page.fetch({API!r}).text)
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


def test_the_app_runs_in_one_event_loop_with_the_callers_context():
    """Requests can share objects of the event loop, and see the test's context variables."""
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    async def act(scope, receive):
        seen.append((variable.get(), asyncio.get_running_loop()))
        return True

    with Page(ORIGIN, app=app_that(act)) as page:
        for value in ("one", "two"):
            variable.set(value)
            page.fetch(API)
    assert [value for value, _ in seen] == ["one", "two"]
    assert len({id(loop) for _, loop in seen}) == 1


def test_threads_may_share_a_page():
    """Each thread gets its own response."""
    texts = []
    with Page(ORIGIN, app=ASGIEcho(allowed())) as page:
        threads = [threading.Thread(target=lambda: texts.append(page.fetch(API).text)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (texts, len(page.exchanges)) == (["ok"] * 20, 20)


@pytest.mark.usefixtures("short_margin")
def test_an_app_that_blocks_its_event_loop_times_out_and_the_page_still_works(release):
    """An async view that calls `time.sleep()` blocks it. Later fetches wait for the same event loop."""

    async def act(scope, receive):
        if scope["path"] == "/blocks":
            release.wait(60)
        return True

    with Page(ORIGIN, app=app_that(act)) as page:
        with pytest.raises(FetchTimeout) as caught:
            page.fetch(f"{API}/blocks", timeout=0.05)
        assert caught.value.exchange is page.exchanges[0]
        with pytest.raises(FetchTimeout, match="the application blocks its event loop") as caught:
            page.fetch(API, timeout=0.05)
        assert caught.value.exchange is None
        release.set()
        assert page.fetch(API).content == b"ok"


@pytest.mark.usefixtures("short_margin")
def test_a_page_can_be_left_while_its_event_loop_is_blocked(release):
    """The test's own error is raised, and the failed shutdown is a note on it."""

    async def act(scope, receive):
        release.wait(60)

    with pytest.raises(FetchTimeout) as caught, Page(ORIGIN, app=app_that(act)) as page:
        page.fetch(API, timeout=0.05)
    assert caught.value.__notes__ == [
        "the application did not shut down: it blocks its event loop, or ignores its cancellation"
    ]
    with pytest.raises(LifespanError, match="did not shut down"), Page(ORIGIN, app=app_that(act)) as page:  # noqa: SIM117
        with pytest.raises(FetchTimeout):
            page.fetch(API, timeout=0.05)


@pytest.mark.usefixtures("short_margin")
def test_a_stream_can_be_closed_while_the_event_loop_is_blocked(release, monkeypatch):
    """`close()` returns although the application does not."""
    monkeypatch.setattr("asgi_cors.testing._page.sync_driver.DRAIN_LIMIT", 0.05)

    async def app(scope, receive, send):
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await receive()
        blocks.set()
        release.wait(60)

    blocks = threading.Event()
    response = Page(ORIGIN, app=http_only(app)).fetch(API, stream=True)
    response.close()
    assert blocks.is_set()


@pytest.mark.usefixtures("short_margin")
@pytest.mark.parametrize("phase", ["start", "shut down"])
def test_a_lifespan_that_blocks_the_event_loop_is_a_lifespan_error(release, phase):
    """It is raised soon after the page's timeout."""

    async def app(scope, receive, send):
        await receive()
        if phase == "start":
            release.wait(60)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        release.wait(60)

    with (
        pytest.raises(LifespanError, match=f"did not {phase}.*blocks its event loop"),
        Page(ORIGIN, app=app, timeout=0.05),
    ):
        assert phase == "shut down"


def test_an_app_that_exits_ends_the_fetch():
    """As with a WSGI application. The page can still be used."""

    async def act(scope, receive):
        if scope["path"] == "/exit":
            sys.exit(3)
        return True

    with Page(ORIGIN, app=app_that(act)) as page:
        with pytest.raises(SystemExit) as caught:
            page.fetch(f"{API}/exit")
        assert caught.value.code == 3
        assert page.fetch(API).content == b"ok"


@pytest.fixture
def default_sigint():
    """Raise KeyboardInterrupt on SIGINT, which background jobs ignore."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("default_sigint")
def test_ctrl_c_ends_the_fetch_and_cancels_the_request():
    """The page can then be left."""
    cancelled = threading.Event()

    async def act(scope, receive):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt), Page(ORIGIN, app=app_that(act)) as page:
        page.fetch(API)
    assert cancelled.wait(10)


def test_a_page_that_another_thread_leaves_ends_the_call():
    """The call does not wait for an event loop that has ended."""
    began = threading.Event()

    async def app(scope, receive, send):
        began.set()
        await anyio.sleep_forever()

    page = Page(ORIGIN, app=app)
    leave = threading.Thread(target=lambda: began.wait(10) and page.__exit__(None, None, None))
    leave.start()
    with pytest.raises(RuntimeError, match="the page was left while it was in use"):
        page.__enter__()
    leave.join()


def test_an_event_loop_that_cannot_start_is_an_error(monkeypatch):
    """The system may refuse, for instance because of too many open files."""

    def refuse(main):
        main.close()
        raise OSError("too many open files")

    monkeypatch.setattr(asyncio, "run", refuse)
    with pytest.raises(OSError, match="too many open files"):
        Page(ORIGIN, app=ASGIEcho()).fetch(API)


def test_an_app_that_calls_its_own_page_gets_an_error():
    """The call would never end."""
    errors = []

    async def act(scope, receive):
        try:
            page.fetch(API)
        except RuntimeError as error:
            errors.append(str(error))
        return True

    with Page(ORIGIN, app=app_that(act)) as page:
        assert page.fetch(API).content == b"ok"
    assert errors == ["the application called the page that tests it. This call would never end."]


def test_a_stream_that_is_open_when_the_page_is_left_is_closed():
    """The application receives the disconnect."""
    received = []

    async def app(scope, receive, send):
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        received.append((await receive())["type"])

    with Page(ORIGIN, app=http_only(app)) as page:
        assert next(page.fetch(API, stream=True).iter_bytes()) == b"1"
    assert received == ["http.disconnect"]


def test_an_iterator_that_waits_for_the_app_does_not_block_it():
    """The iterator runs in a thread of its own."""
    received = threading.Event()
    bodies = []

    async def act(scope, receive):
        more = scope["method"] == "POST"
        while more:
            message = await receive()
            bodies.append(message["body"])
            received.set()
            more = message["more_body"]
        return True

    def parts():
        yield b"a"
        assert received.wait(10)
        yield b"b"

    with Page(ORIGIN, app=app_that(act)) as page:
        assert page.fetch(API, method="POST", content=parts()).content == b"ok"
    assert bodies == [b"a", b"b", b""]
