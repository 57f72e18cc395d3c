"""A failing test shows the user's line first, and no frame of this package, of httpx or of anyio."""

from __future__ import annotations

import re
import traceback

import httpx
import pytest

from asgi_cors.testing import CORSError, NetworkError, Page
from tests.support.page_apps import API, ORIGIN, ASGIEcho

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

# The start of a file of failing tests.
FILE = """
import pytest
from asgi_cors.testing import AsyncPage, Page

ORIGIN, API, CLOSED = "https://app.example.com", "https://api.test", "http://127.0.0.1:1/"

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    allow = [(b"access-control-allow-origin", b"*")] if scope["path"] == "/half" else []
    await send({"type": "http.response.start", "status": 200, "headers": allow})
    await send({"type": "http.response.body", "body": b"ok", "more_body": scope["path"] == "/half"})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]

async def failing(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    the_pool_is_gone()

def the_pool_is_gone():
    raise LookupError("gone")

@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param

"""
# The line that raises each error, for tests that are not async.
SYNC = {
    "CORSError": "with Page(ORIGIN, app=asgi) as page: page.fetch(API)  # reader",
    "CORSError of WSGI": "with Page(ORIGIN, app=wsgi) as page: page.fetch(API)  # reader",
    "ScriptError": "Page(ORIGIN, app=wsgi).fetch(API, credential='include')  # reader",
    "ScriptError of a URL": "Page(ORIGIN, app=wsgi).fetch('https://a:port')  # reader",
    "ScriptError of a WebSocket": "Page(ORIGIN, app=wsgi).websocket('ftp://a')  # reader",
    "NetworkError": "with Page(ORIGIN) as page: page.fetch(CLOSED)  # reader",
    "NetworkError of a WebSocket": "with Page(ORIGIN) as page: page.websocket(CLOSED)  # reader",
    "NetworkError of a stream": "Page(ORIGIN, app=asgi).fetch(API + '/half', stream=True).read()  # reader",
    "FetchTimeout": "with Page(ORIGIN, app=asgi, timeout=0) as page: page.fetch(API)  # reader",
    "LifespanError": "with Page(ORIGIN, app=failing): pass  # reader",
    "ValueError": "Page('localhost:a')  # reader",
    "ValueError of the fixture": "cors_page('localhost:a')  # reader",
    "TypeError": "Page(ORIGIN, enginge='firefox')  # reader",
    "TypeError of the fixture": "cors_page()  # reader",
    "TypeError of with": "with cors_page(ORIGIN, app=asgi): pass  # reader",
}
# The same for async tests.
ASYNC = {
    "CORSError": "async with cors_page(ORIGIN, app=asgi) as page: await page.fetch(API)  # reader",
    "ScriptError": "await AsyncPage(ORIGIN, app=asgi).fetch(API, credential='include')  # reader",
    "NetworkError": "async with AsyncPage(ORIGIN) as page: await page.fetch(CLOSED)  # reader",
    "NetworkError of a stream": (
        "await (await AsyncPage(ORIGIN, app=asgi).fetch(API + '/half', stream=True)).aread()  # reader"
    ),
    "FetchTimeout": "async with AsyncPage(ORIGIN, app=asgi, timeout=0) as page: await page.fetch(API)  # reader",
    "LifespanError": "async with AsyncPage(ORIGIN, app=failing): pass  # reader",
    "ValueError": "AsyncPage('localhost:a')  # reader",
    "TypeError of async with": "async with Page(ORIGIN, app=asgi): pass  # reader",
    "RuntimeError of a missing await": "async with AsyncPage(ORIGIN, app=asgi) as page: page.fetch(API)  # reader",
}
TESTS = [
    *(f"def test_{number}(cors_page):\n    {line}\n" for number, line in enumerate(SYNC.values())),
    *(
        f"@pytest.mark.anyio\nasync def test_a{number}(cors_page):\n    {line}\n"
        for number, line in enumerate(ASYNC.values())
    ),
]
RUNS = len(SYNC) + 2 * len(ASYNC)  # asyncio and trio


@pytest.fixture
def sections(pytester: pytest.Pytester):
    """Return a function that runs the failing tests with a style of traceback, and returns the output of each test."""

    def call(style: str) -> list[str]:
        path = pytester.makepyfile(FILE + "\n".join(TESTS))
        options = ("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore::RuntimeWarning")
        result = pytester.runpytest_subprocess(f"--tb={style}", *options, str(path))
        result.assert_outcomes(failed=RUNS)
        text = result.stdout.str().partition("= FAILURES =")[2].partition("= short test summary")[0]
        return re.split(r"(?m)^_+ test_\w+(?:\[\w+\])? _+$", text)[1:] if style != "line" else [text]

    return call


@pytest.mark.parametrize("style", ["auto", "short"])
def test_pytest_shows_the_users_line_and_no_frame_of_this_package(sections, style):
    """For a cause it shows one line; for an application's exception also the application's own frames."""
    shown = sections(style)
    assert len(shown) == RUNS
    for section in shown:
        assert set(re.findall(r"(?m)^(\S+\.py):\d+:", section)) == {
            "test_pytest_shows_the_users_line_and_no_frame_of_this_package.py"
        }
        assert section.count("# reader") == 1
        above = section.partition("# reader")[0]
        assert ("the_pool_is_gone()" in above) or len(above.splitlines()) < 16


def test_the_one_line_of_tb_line_is_the_users_line(sections):
    """`--tb=line` shows one line for each failure."""
    (text,) = sections("line")
    places = re.findall(r"(?m)^(/\S+\.py):\d+: ", text)
    assert len(places) == RUNS
    assert {place.rpartition("/")[2] for place in places} == {"test_the_one_line_of_tb_line_is_the_users_line.py"}


def test_a_native_traceback_ends_with_the_users_line_and_one_frame_of_this_package(sections):
    """Python always shows the frame that raises."""
    for section in sections("native"):
        frames = re.findall(r'(?m)^  File "([^"]+)", line \d+, in', section.rpartition("Traceback (most recent")[2])
        while "/asgi_cors/testing/" in frames[-1]:
            assert frames.pop().endswith(("tracebacks.py", "_pytest.py"))
        assert frames[-1].endswith("test_a_native_traceback_ends_with_the_users_line_and_one_frame_of_this_package.py")
        assert not [frame for frame in frames if "/httpx/" in frame or "/asgi_cors/testing/" in frame]


def test_the_cause_is_chained_without_its_frames():
    """The cause is httpx's error. Its own cause, of httpcore, is not printed."""
    with pytest.raises(NetworkError) as caught:
        Page(ORIGIN).fetch("http://127.0.0.1:1/")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert caught.value.__cause__.__context__ is not None
    assert "httpcore" not in "".join(traceback.format_exception(caught.value))


def test_an_error_in_a_handler_has_the_handlers_error_as_context():
    context = LookupError()

    def fail() -> None:
        try:
            raise context
        except LookupError:
            Page(ORIGIN, app=ASGIEcho()).fetch(API)

    with pytest.raises(CORSError) as caught:
        fail()
    assert caught.value.__context__ is context


def test_an_error_of_the_tests_own_code_shows_its_frames():
    """For instance, the error of a test's own clock."""

    def clock():
        raise ValueError("no time")

    with pytest.raises(ValueError, match="no time") as caught:
        Page(ORIGIN, app=ASGIEcho(), clock=clock).fetch(API)
    assert caught.traceback[-1].name == "clock"


def test_a_bug_of_this_package_shows_its_frames(monkeypatch):
    """Users need them to report the bug."""
    monkeypatch.setattr("asgi_cors.testing._page.base.check_fetch_options", None)
    with pytest.raises(TypeError, match="not callable") as caught:
        Page(ORIGIN, app=ASGIEcho()).fetch(API)
    assert caught.traceback[-1].name == "_new_fetch"
