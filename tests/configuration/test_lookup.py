"""Origins that callables allow at run time."""

import asyncio
import dataclasses
import functools
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from asgi_cors import CORSMiddleware, Outcome, Policy, Request, decide
from asgi_cors._configuration import calls, lookup
from tests.support.apps import App
from tests.support.clients import Client, Response, call_asgi, http_scope
from tests.support.event_loops import JUMPING, RUNNERS, run_asyncio
from tests.support.expected import APP, CREDENTIALS, EVIL, FAILED, OWN, VARY, granted, origin_line, refused

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
LOOPS = {name: RUNNERS[name] for name in ("asyncio", "trio")}


def is_app(origin: str) -> bool:
    """Look an origin up synchronously."""
    return origin == APP


async def is_app_async(origin: str) -> bool:
    """Look an origin up in a coroutine that never waits."""
    return origin == APP


class IsApp:
    """A callable object."""

    def __call__(self, origin: str) -> bool:
        """Look an origin up synchronously."""
        return origin == APP

    async def method(self, origin: str) -> bool:
        """Look an origin up in an async method."""
        return origin == APP


CALLABLES: dict[str, Callable[[str], bool | Awaitable[bool]]] = {
    "a function": is_app,
    "an async function": is_app_async,
    "an object": IsApp(),
    "an async method": IsApp().method,
    "a partial": functools.partial(lambda wanted, origin: origin == wanted, APP),
    "a partial of an async function": functools.partial(is_app_async),
    "a lambda that returns an awaitable": lambda origin: is_app_async(origin),  # noqa: PLW0108 - a plain function is what is tested
}


@pytest.mark.parametrize("entry", CALLABLES.values(), ids=CALLABLES)
def test_a_callable_allows_an_origin_by_returning_true(serve: Any, entry: Any) -> None:
    """For actual requests and for preflights."""
    client = serve(allow_origins=[entry], run=run_asyncio)
    assert client.request(origin=APP).lines == GRANT
    assert client.request(origin=EVIL).lines == STRICT
    assert client.request().lines == STRICT
    assert client.preflight(origin=APP).lines == granted()
    response = client.preflight(origin=EVIL)
    assert (response.status, response.lines) == (200, refused(response.body))


@pytest.mark.parametrize(
    ("run", "entry"),
    [(run, is_app) for run in RUNNERS.values()] + [(run, is_app_async) for run in LOOPS.values()],
    ids=[f"sync, {name}" for name in RUNNERS] + [f"async, {name}" for name in LOOPS],
)
def test_a_callable_works_in_every_event_loop(run: Any, entry: Any) -> None:
    """A sync callable also works without an event loop."""
    middleware = CORSMiddleware(App().asgi, allow_origins=[entry])
    lines = [call_asgi(middleware, http_scope("GET", "/", [("origin", origin)]), run).lines for origin in (APP, EVIL)]
    assert lines == [GRANT, STRICT]


def test_a_callable_may_allow_credentials(serve: Any) -> None:
    assert serve(allow_origins=[is_app], allow_credentials=True).request(origin=APP).lines == sorted(
        [*GRANT, CREDENTIALS]
    )


@pytest.mark.parametrize("value", [1, "yes", 1.0, [True], None, 0, "", NotImplemented], ids=repr)
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.filterwarnings("ignore:NotImplemented should not be used in a boolean context")
def test_a_value_other_than_true_does_not_allow(serve: Any, value: Any, kind: str) -> None:
    """A truthy value refuses, too."""

    async def later(origin: str) -> Any:
        del origin
        return value

    entry = (lambda _: value) if kind == "sync" else later
    assert serve(allow_origins=[entry], run=run_asyncio).request(origin=APP).lines == STRICT


class Ambiguous:
    """A value without a truth value, such as an array of NumPy."""

    def __bool__(self) -> bool:
        raise ValueError


@pytest.mark.parametrize("value", [1, "yes", [True], Ambiguous()], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_truthy_value_is_logged_once_with_its_type_and_the_correction(
    serve: Any, value: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def later(origin: str) -> Any:
        del origin
        return value

    entry = (lambda _: value) if kind == "sync" else later
    client = serve(allow_origins=[entry], run=run_asyncio)
    for origin in (APP, EVIL, APP):
        assert client.request(origin=origin).lines == STRICT
    name = "a lambda" if kind == "sync" else "later()"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        (
            f"{name} returned a value of type {type(value).__name__}, so the origin is refused: only True allows."
            " Return bool(…)."
        )
    ]


@pytest.mark.parametrize("value", [False, None, 0, "", [], ()], ids=repr)
def test_a_falsy_value_is_not_logged(serve: Any, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert serve(allow_origins=[lambda _: value]).request(origin=APP).lines == STRICT
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


def test_an_awaitable_of_an_awaitable_does_not_allow(serve: Any) -> None:
    """It is awaited once."""

    async def later(origin: str) -> Any:
        del origin
        return True

    async def twice(origin: str) -> Any:
        coroutine = later(origin)
        coroutine.close()
        return coroutine

    assert serve(allow_origins=[twice], run=run_asyncio).request(origin=APP).lines == STRICT


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("error", [RuntimeError("database down"), ValueError("a\nb"), TimeoutError()], ids=repr)
def test_a_callable_that_raises_refuses_and_is_logged(
    serve: Any, kind: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The app's response is sent."""

    def fail(origin: str) -> bool:
        del origin
        raise error

    async def fail_later(origin: str) -> bool:
        return fail(origin)

    client = serve(allow_origins=[fail if kind == "sync" else fail_later], run=run_asyncio)
    response = client.request(origin=APP)
    assert (response.status, response.lines, response.raised, client.reached) == (200, FAILED, None, 1)
    assert any(record.levelname in {"WARNING", "ERROR"} and record.name == "asgi_cors" for record in caplog.records)


def test_the_reason_of_a_callable_that_raises_is_origin_lookup_failed(serve: Any) -> None:
    seen: list[Any] = []
    serve(allow_origins=[lambda _: 1 / 0], on_decision=lambda decision, _: seen.append(decision.reason)).request(
        origin=APP
    )
    assert seen == ["OriginLookupFailed"]


def test_another_entry_allows_despite_a_callable_that_raises(serve: Any) -> None:
    client = serve(allow_origins=[lambda _: 1 / 0, EVIL])
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])


def test_a_callable_is_not_called_for_an_origin_that_another_entry_allows(serve: Any) -> None:
    called: list[str] = []
    client = serve(allow_origins=[lambda origin: bool(called.append(origin)), APP, "https://*.example.org"])
    client.request(origin=APP)
    client.request(origin="https://a.example.org")
    assert called == []
    client.request(origin=EVIL)
    assert called == [EVIL]


def test_callables_are_called_in_order_until_one_allows(serve: Any) -> None:
    called: list[int] = []

    def numbered(number: int, response: object) -> Callable[[str], Any]:
        return lambda _: (called.append(number), response)[1]

    serve(allow_origins=[numbered(1, False), numbered(2, True), numbered(3, True)]).request(origin=APP)
    assert called == [1, 2]


def test_a_callable_is_called_for_each_request(serve: Any) -> None:
    """A revoked origin is refused at once."""
    answers = [True, False, True]
    client = serve(allow_origins=[lambda _: answers.pop(0)])
    assert [client.request(origin=APP).lines for _ in range(3)] == [GRANT, STRICT, GRANT]


def test_a_callable_gets_the_origin_as_a_str_without_white_space(serve: Any) -> None:
    called: list[str] = []
    serve(allow_origins=[lambda origin: bool(called.append(origin))]).request(origin=f" {APP}\t")
    assert called == [APP]


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_an_async_callable_that_fails_refuses_in_every_event_loop(run: Any) -> None:
    async def fail(origin: str) -> bool:
        await anyio.lowlevel.checkpoint()
        raise LookupError(origin)

    middleware = CORSMiddleware(App().asgi, allow_origins=[fail])
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run).lines == FAILED


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_an_async_callable_may_wait_for_its_event_loop(run: Any) -> None:

    async def entry(origin: str) -> bool:
        await anyio.lowlevel.checkpoint()
        return origin == APP

    middleware = CORSMiddleware(App().asgi, allow_origins=[entry])
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run).lines == GRANT


@pytest.mark.parametrize("run", JUMPING.values(), ids=JUMPING)
@pytest.mark.parametrize(
    ("seconds", "lines"), [(1.9, GRANT), (2.1, FAILED), (86400, FAILED)], ids=["in time", "too late", "never"]
)
def test_an_async_callable_that_takes_over_two_seconds_is_cancelled_refuses_and_is_logged(
    run: Any, seconds: float, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[str] = []

    async def entry(origin: str) -> bool:
        try:
            await anyio.sleep(seconds)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise
        return origin == APP

    middleware = CORSMiddleware(App().asgi, allow_origins=[entry])
    response: Response = call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run)
    assert (response.lines, response.raised) == (lines, None)
    assert len(ended) == (lines == FAILED)
    assert any(record.levelname in {"WARNING", "ERROR"} for record in caplog.records) is (lines == FAILED)


@pytest.mark.parametrize("run", JUMPING.values(), ids=JUMPING)
def test_a_cancellation_of_the_request_during_a_look_up_is_raised_on(run: Any) -> None:
    reached: list[str] = []

    async def entry(origin: str) -> bool:
        await anyio.sleep(1)
        return origin == APP

    async def exchange() -> bool:
        with anyio.move_on_after(0.5) as scope:
            await CORSMiddleware(App().asgi, allow_origins=[entry])(
                http_scope("GET", "/", [("origin", APP)]), receive, send
            )
            reached.append("the end")
        return scope.cancelled_caught

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        reached.append(message["type"])

    assert run(exchange) is True
    assert reached == []


def test_look_ups_under_wsgi_share_one_background_loop() -> None:
    """A client's open connections belong to one event loop."""
    threads: list[str] = []

    async def entry(origin: str) -> bool:
        await anyio.lowlevel.checkpoint()
        threads.append(threading.current_thread().name)
        return origin == APP

    first, second = Client("wsgi", App(), allow_origins=[entry]), Client("wsgi", App(), allow_origins=[entry])
    assert [client.request(origin=APP).lines for client in (first, second, first)] == [GRANT] * 3
    assert len(set(threads)) == 1
    assert threads[0] != threading.current_thread().name


def test_decide_returns_the_outcome_lookup_if_a_callable_must_be_called() -> None:
    policy = Policy(allow_origins=["https://a.com", is_app])
    assert decide(policy, Request("GET", origin=APP.encode())).outcome is Outcome.LOOKUP
    assert decide(policy, Request("GET", origin=b"https://a.com")).outcome is Outcome.ALLOWED
    assert decide(policy, Request("GET", origin=b"null")).outcome is Outcome.REFUSED
    assert decide(policy, Request("GET")).outcome is Outcome.NOT_CORS


def test_first_look_ups_of_two_threads_share_one_background_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(2)
    begin = asyncio.new_event_loop

    def begin_together() -> asyncio.AbstractEventLoop:
        barrier.wait(10)
        return begin()

    async def entry(origin: str) -> bool:
        loops.append(asyncio.get_running_loop())
        return origin == APP

    loops: list[Any] = []
    monkeypatch.setattr(calls, "_loops", {})
    monkeypatch.setattr(asyncio, "new_event_loop", begin_together)
    client = Client("wsgi", App(), allow_origins=[entry])
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.request(origin=APP).lines, range(2)))
    assert (answers, len(set(loops))) == ([GRANT, GRANT], 1)


FORKED = """
import os, sys
from tests.support.apps import App
from tests.support.clients import Client
async def entry(origin): return True
served = Client("wsgi", App(), allow_origins=[entry])
assert served.request(origin="https://a.com").cors
child = os.fork()
if child == 0:
    os._exit(0 if served.request(origin="https://a.com").cors else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_worker_starts_its_own_background_loop() -> None:
    program = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n{FORKED}"
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program], check=True, timeout=60)


@dataclasses.dataclass
class Tenants:
    """A callable that compares by value, and is therefore not hashable."""

    known: list[str]

    def __call__(self, origin: str) -> bool:
        """Look an origin up synchronously."""
        return origin in self.known


@pytest.mark.parametrize(
    "entries", [Tenants([APP]), [Tenants([APP])], [EVIL, Tenants([APP])]], ids=["alone", "in a list", "after an origin"]
)
def test_a_policy_with_a_callable_that_is_not_hashable_is_hashable(serve: Any, entries: Any) -> None:
    """Callables are compared by identity."""
    policy = Policy(allow_origins=entries)
    assert policy == policy.replace()
    assert hash(policy) == hash(policy.replace())
    assert serve(policy).request(origin=APP).lines == GRANT


def test_an_async_callable_that_never_returns_refuses_and_is_logged_under_wsgi(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lookup, "TIMEOUT", 0.01)

    async def entry(origin: str) -> bool:
        await asyncio.Event().wait()
        return bool(origin)

    response = Client("wsgi", App(), allow_origins=[entry]).request(origin=APP)
    assert (response.status, response.lines) == (200, FAILED)
    assert caplog.records


def test_the_timeout_of_an_async_callable_is_two_seconds() -> None:
    assert lookup.TIMEOUT == 2
