"""Origins asked for at run time."""

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
from asgi_cors._configuration import lookup
from tests.support.apps import App
from tests.support.clients import Answer, Served, call_asgi, http_scope
from tests.support.event_loops import JUMPING, RUNNERS, run_asyncio
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, granted, origin_line, refused

GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
LOOPS = {name: RUNNERS[name] for name in ("asyncio", "trio")}


def is_app(origin: str) -> bool:
    """A sync look-up."""
    return origin == APP


async def is_app_async(origin: str) -> bool:
    """An async look-up that waits for nothing."""
    return origin == APP


class IsApp:
    """An object that can be called."""

    def __call__(self, origin: str) -> bool:
        """A sync look-up."""
        return origin == APP

    async def ask(self, origin: str) -> bool:
        """An async look-up as a method."""
        return origin == APP


CALLABLES: dict[str, Callable[[str], bool | Awaitable[bool]]] = {
    "a function": is_app,
    "an async function": is_app_async,
    "an object": IsApp(),
    "an async method": IsApp().ask,
    "a partial": functools.partial(lambda wanted, origin: origin == wanted, APP),
    "a partial of an async function": functools.partial(is_app_async),
    "a lambda that returns an awaitable": lambda origin: is_app_async(origin),  # noqa: PLW0108 - a plain function is what is tested
}


@pytest.mark.parametrize("ask", CALLABLES.values(), ids=CALLABLES)
def test_callables(serve: Any, ask: Any) -> None:
    """A callable that answers True allows, one that answers False refuses, on actual requests and preflights alike."""
    served = serve(allow_origins=[ask], run=run_asyncio)
    assert served.request(origin=APP).lines == GRANT
    assert served.request(origin=EVIL).lines == STRICT
    assert served.request().lines == STRICT
    assert served.preflight(origin=APP).lines == granted()
    answer = served.preflight(origin=EVIL)
    assert (answer.status, answer.lines) == (200, refused(answer.body))


@pytest.mark.parametrize(
    ("run", "ask"),
    [(run, is_app) for run in RUNNERS.values()] + [(run, is_app_async) for run in LOOPS.values()],
    ids=[f"sync, {name}" for name in RUNNERS] + [f"async, {name}" for name in LOOPS],
)
def test_every_runner(run: Any, ask: Any) -> None:
    """Sync callables are asked on any event loop or none, async ones on any."""
    middleware = CORSMiddleware(App().asgi, allow_origins=[ask])
    lines = [call_asgi(middleware, http_scope("GET", "/", [("origin", origin)]), run).lines for origin in (APP, EVIL)]
    assert lines == [GRANT, STRICT]


def test_credentials(serve: Any) -> None:
    """A callable is the author's word for the origin, with credentials too."""
    assert serve(allow_origins=[is_app], allow_credentials=True).request(origin=APP).lines == sorted(
        [*GRANT, CREDENTIALS]
    )


@pytest.mark.parametrize("value", [1, "yes", 1.0, [True], None, 0, "", NotImplemented], ids=repr)
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.filterwarnings("ignore:NotImplemented should not be used in a boolean context")
def test_only_true_allows(serve: Any, value: Any, kind: str) -> None:
    """Only ``True`` itself, or an awaitable of it, allows; a truthy value does not."""

    async def later(origin: str) -> Any:
        del origin
        return value

    ask = (lambda _: value) if kind == "sync" else later
    assert serve(allow_origins=[ask], run=run_asyncio).request(origin=APP).lines == STRICT


def test_an_awaitable_of_an_awaitable(serve: Any) -> None:
    """An awaitable is awaited once."""

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
def test_a_failing_callable(serve: Any, kind: str, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """A callable that raises refuses, is logged, and never breaks the response."""

    def fail(origin: str) -> bool:
        del origin
        raise error

    async def fail_later(origin: str) -> bool:
        return fail(origin)

    served = serve(allow_origins=[fail if kind == "sync" else fail_later], run=run_asyncio)
    answer = served.request(origin=APP)
    assert (answer.status, answer.lines, answer.raised, served.reached) == (200, STRICT, None, 1)
    assert any(record.levelname in {"WARNING", "ERROR"} and record.name == "asgi_cors" for record in caplog.records)


def test_a_failing_callable_has_a_reason(serve: Any) -> None:
    """The decision's reason is OriginLookupFailed."""
    seen: list[Any] = []
    serve(allow_origins=[lambda _: 1 / 0], on_decision=lambda decision, _: seen.append(decision.reason)).request(
        origin=APP
    )
    assert seen == ["OriginLookupFailed"]


def test_a_failing_callable_hides_no_other_entry(serve: Any) -> None:
    """An entry that is known allows beside a callable that fails."""
    served = serve(allow_origins=[lambda _: 1 / 0, EVIL])
    assert served.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])


def test_known_entries_come_first(serve: Any) -> None:
    """A callable is not asked for an origin that another entry allows."""
    asked: list[str] = []
    served = serve(allow_origins=[lambda origin: bool(asked.append(origin)), APP, "https://*.example.org"])
    served.request(origin=APP)
    served.request(origin="https://a.example.org")
    assert asked == []
    served.request(origin=EVIL)
    assert asked == [EVIL]


def test_the_first_true_is_enough(serve: Any) -> None:
    """Callables are asked in order, until one allows."""
    asked: list[int] = []

    def numbered(number: int, answer: object) -> Callable[[str], Any]:
        return lambda _: (asked.append(number), answer)[1]

    serve(allow_origins=[numbered(1, False), numbered(2, True), numbered(3, True)]).request(origin=APP)
    assert asked == [1, 2]


def test_asked_each_time(serve: Any) -> None:
    """A plain callable is asked at each request: a revoked origin is refused at once."""
    answers = [True, False, True]
    served = serve(allow_origins=[lambda _: answers.pop(0)])
    assert [served.request(origin=APP).lines for _ in range(3)] == [GRANT, STRICT, GRANT]


def test_a_callable_gets_a_str(serve: Any) -> None:
    """The callable gets the origin as a str, without the white space around it."""
    asked: list[str] = []
    serve(allow_origins=[lambda origin: bool(asked.append(origin))]).request(origin=f" {APP}\t")
    assert asked == [APP]


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_a_callable_may_wait(run: Any) -> None:
    """An async callable may wait for its event loop."""

    async def ask(origin: str) -> bool:
        await anyio.lowlevel.checkpoint()
        return origin == APP

    middleware = CORSMiddleware(App().asgi, allow_origins=[ask])
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run).lines == GRANT


@pytest.mark.parametrize("run", JUMPING.values(), ids=JUMPING)
@pytest.mark.parametrize(
    ("seconds", "lines"), [(1.9, GRANT), (2.1, STRICT), (86400, STRICT)], ids=["in time", "too late", "never"]
)
def test_an_async_callable_has_two_seconds(
    run: Any, seconds: float, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """An async callable that takes over 2 seconds is cancelled, refuses, and is logged."""
    ended: list[str] = []

    async def ask(origin: str) -> bool:
        try:
            await anyio.sleep(seconds)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise
        return origin == APP

    middleware = CORSMiddleware(App().asgi, allow_origins=[ask])
    answer: Answer = call_asgi(middleware, http_scope("GET", "/", [("origin", APP)]), run)
    assert (answer.lines, answer.raised) == (lines, None)
    assert len(ended) == (lines == STRICT)
    assert any(record.levelname in {"WARNING", "ERROR"} for record in caplog.records) is (lines == STRICT)


@pytest.mark.parametrize("run", JUMPING.values(), ids=JUMPING)
def test_a_cancelled_request_is_not_swallowed(run: Any) -> None:
    """Where the server cancels the request during a look-up, the cancellation goes on."""
    reached: list[str] = []

    async def ask(origin: str) -> bool:
        await anyio.sleep(1)
        return origin == APP

    async def exchange() -> bool:
        with anyio.move_on_after(0.5) as scope:
            await CORSMiddleware(App().asgi, allow_origins=[ask])(
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


def test_wsgi_look_ups_share_one_loop() -> None:
    """Under WSGI async look-ups run on one background thread, so that a client's kept connections work."""
    threads: list[str] = []

    async def ask(origin: str) -> bool:
        await anyio.lowlevel.checkpoint()
        threads.append(threading.current_thread().name)
        return origin == APP

    first, second = Served("wsgi", App(), allow_origins=[ask]), Served("wsgi", App(), allow_origins=[ask])
    assert [served.request(origin=APP).lines for served in (first, second, first)] == [GRANT] * 3
    assert len(set(threads)) == 1
    assert threads[0] != threading.current_thread().name


def test_decide_names_the_look_up() -> None:
    """decide() does not ask: it says that a callable must be asked."""
    policy = Policy(allow_origins=["https://a.com", is_app])
    assert decide(policy, Request("GET", origin=APP.encode())).outcome is Outcome.LOOKUP
    assert decide(policy, Request("GET", origin=b"https://a.com")).outcome is Outcome.ALLOWED
    assert decide(policy, Request("GET", origin=b"null")).outcome is Outcome.REFUSED
    assert decide(policy, Request("GET")).outcome is Outcome.NOT_CORS


def test_wsgi_look_ups_of_two_threads_share_one_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two first look-ups at the same time leave one background loop."""
    barrier = threading.Barrier(2)
    begin = asyncio.new_event_loop

    def begin_together() -> asyncio.AbstractEventLoop:
        barrier.wait(10)
        return begin()

    async def ask(origin: str) -> bool:
        loops.append(asyncio.get_running_loop())
        return origin == APP

    loops: list[Any] = []
    monkeypatch.setattr(lookup, "_loops", {})
    monkeypatch.setattr(asyncio, "new_event_loop", begin_together)
    served = Served("wsgi", App(), allow_origins=[ask])
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: served.request(origin=APP).lines, range(2)))
    assert (answers, len(set(loops))) == ([GRANT, GRANT], 1)


FORKED = """
import os, sys
from tests.support.apps import App
from tests.support.clients import Served
async def ask(origin): return True
served = Served("wsgi", App(), allow_origins=[ask])
assert served.request(origin="https://a.com").cors
child = os.fork()
if child == 0:
    os._exit(0 if served.request(origin="https://a.com").cors else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_wsgi_look_ups_after_a_fork() -> None:
    """A forked worker starts a background loop of its own."""
    program = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n{FORKED}"
    subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program], check=True, timeout=60)


@dataclasses.dataclass
class Tenants:
    """A callable that compares by its fields, and so has no hash."""

    known: list[str]

    def __call__(self, origin: str) -> bool:
        """A sync look-up."""
        return origin in self.known


@pytest.mark.parametrize(
    "entries", [Tenants([APP]), [Tenants([APP])], [EVIL, Tenants([APP])]], ids=["alone", "listed", "beside"]
)
def test_a_callable_without_a_hash(serve: Any, entries: Any) -> None:
    """A callable need not be hashable; the policy is, and knows its callables by identity."""
    policy = Policy(allow_origins=entries)
    assert policy == policy.replace()
    assert hash(policy) == hash(policy.replace())
    assert serve(policy).request(origin=APP).lines == GRANT


def test_wsgi_look_ups_have_a_limit(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Under WSGI, too, an async callable that does not come back refuses, and is logged."""
    monkeypatch.setattr(lookup, "TIMEOUT", 0.01)

    async def ask(origin: str) -> bool:
        await asyncio.Event().wait()
        return bool(origin)

    answer = Served("wsgi", App(), allow_origins=[ask]).request(origin=APP)
    assert (answer.status, answer.lines) == (200, STRICT)
    assert caplog.records


def test_the_limit_is_two_seconds() -> None:
    """The limit of an async callable is 2 seconds."""
    assert lookup.TIMEOUT == 2
