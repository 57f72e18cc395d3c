"""`Cached` and `Loaded`: in any order of requests, answers, failures, revocations and times, each response is right."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asgi_cors import Cached, CORSMiddleware, Loaded, Policy
from tests.support.apps import App
from tests.support.clients import http_scope
from tests.support.expected import APP, EVIL
from tests.support.lists import ended
from tests.support.logs import Clock

HTTP = "http://plain.example.com"  # unsafe with credentials
ORIGINS = [APP, EVIL, HTTP]


def ignore_decision(*_: object) -> None:
    """Ignore a decision."""


OPTIONS: list[dict[str, Any]] = [
    {},
    {"allow_credentials": True},
    {"allow_credentials": True, "dangerously_allow": ["credentials-over-http"]},
    {"enforce": True},
    {"on_decision": ignore_decision},
]
REQUESTS = st.tuples(st.sampled_from(ORIGINS), st.sampled_from(["GET", "OPTIONS"]), st.integers(0, len(OPTIONS) - 1))


@dataclass
class Call:
    """A call of the look-up. Numbers count all events.

    Args:
        origin: The origin.
        began: When it began.
        value: Its result; None if it fails.
    """

    origin: str
    began: int
    value: bool | None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    ended: int | None = None
    ended_at: float = 0.0


@dataclass
class Asked:
    """A request.

    Args:
        origin: Its origin.
        index: The middleware.
        began: When it began.
        at: The same, on the clock.
        task: Its task, which returns the headers of the response.
        floor: A number which the calls that may answer it exceed.
    """

    origin: str
    index: int
    began: int
    at: float
    task: asyncio.Task[dict[str, str]]
    floor: int = 0


async def headers_of(middleware: CORSMiddleware, origin: str, method: str) -> dict[str, str]:
    """Send a request, and return the headers of the response."""
    messages: list[Any] = []
    headers = [("host", "api.example.com"), ("origin", origin)]
    headers += [("access-control-request-method", "GET")] if method == "OPTIONS" else []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    await middleware(http_scope(method, "/", headers), receive, send)
    start = messages[0]
    assert start["status"] in {200, 204, 403}
    return {name.decode().lower(): value.decode() for name, value in start["headers"]}


class Machine(RuleBasedStateMachine):
    """An event loop, a clock, and middlewares that share a source."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.number = 0
        self.fails = False
        self.middlewares: list[CORSMiddleware] = []

    def serve(self, source: Any) -> None:
        """Make the middlewares."""
        self.middlewares = [CORSMiddleware(App().asgi, allow_origins=[source], **options) for options in OPTIONS]

    def count(self) -> int:
        """Return the number of the next event."""
        self.number += 1
        return self.number

    def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        """Run the event loop until a function ends."""

        async def main() -> Any:
            return await function()

        return self.loop.run_until_complete(main())

    @rule(seconds=st.sampled_from([0, 1, 4, 9, 10, 40, 400]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def the_source_fails_or_works_again(self) -> None:
        self.fails = not self.fails

    @rule(index=st.integers(0, len(OPTIONS) - 1))
    def a_middleware_is_configured_again(self, index: int) -> None:
        middleware = self.middlewares[index]
        middleware.reconfigure(middleware.policy.replace(max_age=self.count()))

    def teardown(self) -> None:
        """Close the event loop."""
        self.loop.close()


class CachedMachine(Machine):
    """A request is allowed only by a call that may still answer it."""

    @initialize(
        stale_while_revalidate=st.sampled_from([0, 20]),
        stale_if_error=st.sampled_from([0, 100]),
        negative_ttl=st.sampled_from([0, 5]),
        max_entries=st.sampled_from([1, 10]),
    )
    def start(self, **options: Any) -> None:
        self.allowed: set[str] = {APP}
        self.is_held = False
        self.calls: list[Call] = []
        self.waiting: list[Asked] = []
        self.revoked = dict.fromkeys(ORIGINS, 0)
        self.options = options
        self.cached = Cached(self.look_up, ttl=10, timeout=1000, max_in_flight=1000, clock=self.clock, **options)
        self.serve(self.cached)

    async def look_up(self, origin: str) -> bool:
        """Return what holds when the call begins, as soon as the test allows it."""
        call = Call(origin, self.count(), None if self.fails else origin in self.allowed)
        self.calls.append(call)
        if self.is_held:
            await call.opened.wait()
        call.ended, call.ended_at = self.count(), self.clock.now
        if call.value is None:
            raise OSError("no database")
        return call.value

    @rule(origin=st.sampled_from(ORIGINS))
    def the_source_changes(self, origin: str) -> None:
        self.allowed ^= {origin}

    @rule()
    def calls_are_held_from_now_on_or_no_more(self) -> None:
        self.is_held = not self.is_held

    @rule(requests=st.lists(REQUESTS, min_size=1, max_size=3))
    def requests_arrive(self, requests: list[tuple[str, str, int]]) -> None:
        async def send() -> None:
            for origin, method, index in requests:
                task = asyncio.ensure_future(headers_of(self.middlewares[index], origin, method))
                asked = Asked(origin, index, self.count(), self.clock.now, task, self.revoked[origin])
                self.waiting.append(asked)

        self.run(send)

    @rule(methods=st.sampled_from([["GET"], ["OPTIONS"], ["GET", "OPTIONS"]]))
    def every_middleware_is_asked(self, methods: list[str]) -> None:
        self.requests_arrive(
            [(origin, method, index) for origin in ORIGINS for method in methods for index in range(len(OPTIONS))]
        )

    @precondition(lambda self: any(call.ended is None for call in self.calls))
    @rule(data=st.data())
    def a_call_ends(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from([call for call in self.calls if call.ended is None])).opened.set()

    @rule(origin=st.sampled_from([*ORIGINS, None]), changes=st.booleans())
    def an_origin_is_invalidated(self, origin: str | None, changes: bool) -> None:
        self.allowed ^= {origin or APP} if changes else set()
        if origin is None:
            self.cached.clear()
        else:
            self.cached.invalidate(origin)
        self.revoked.update(dict.fromkeys([origin] if origin else ORIGINS, self.count()))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def a_client_goes_away(self, data: st.DataObject) -> None:
        asked = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(asked)
        asked.task.cancel()

    @invariant()
    def each_response_is_right(self) -> None:
        async def settle() -> None:
            for _ in range(25):
                await asyncio.sleep(0)

        if not self.middlewares:
            return
        self.run(settle)
        answered = [asked for asked in self.waiting if asked.task.done()]
        self.waiting = [asked for asked in self.waiting if not asked.task.done()]
        for asked in answered:
            self.check(asked, asked.task.result())
        for asked in self.waiting:  # only a call that is held lets a request wait
            assert any(call.origin == asked.origin and call.ended is None for call in self.calls)

    def check(self, asked: Asked, headers: dict[str, str]) -> None:
        """Compare a response with the calls that may have led to it."""
        calls = [call for call in self.calls if call.origin == asked.origin and call.began > asked.floor]
        answers = {call.value for call in calls if call.ended is None or call.ended > asked.began} | self.known(
            asked, calls
        )
        if headers.get("access-control-allow-origin") is not None:
            assert headers["access-control-allow-origin"] == asked.origin
            assert True in answers
        elif headers.get("cache-control") == "no-store" and not OPTIONS[asked.index].get("enforce"):
            assert any(call.value is None for call in self.calls if call.origin == asked.origin)
        else:
            assert answers & {False, None}

    def known(self, asked: Asked, calls: list[Call]) -> set[bool | None]:
        """Return the answers that may have been stored when a request began."""
        earlier = [call for call in calls if call.ended is not None and call.ended < asked.began]
        answered = [call for call in earlier if call.value is not None]
        known: set[bool | None] = {call.value for call in earlier if call.value is None}
        if answered:
            last = max(answered, key=lambda call: call.began)
            stale = self.options["stale_while_revalidate"]
            has_failed = any(call.value is None for call in calls)  # before the request, or for it
            stale = max(stale, self.options["stale_if_error"]) if has_failed else stale
            lifetime = 10 + stale if last.value else self.options["negative_ttl"]
            if asked.at < last.ended_at + lifetime:
                known.add(last.value)
        return known

    def teardown(self) -> None:
        """End all calls, and check the last responses."""
        for call in getattr(self, "calls", []):
            call.opened.set()
        self.each_response_is_right()
        assert not getattr(self, "waiting", [])
        super().teardown()


class LoadedMachine(Machine):
    """A request is decided by the last list that was loaded, or by the one that is loaded while it waits."""

    @initialize(every=st.sampled_from([10, 3]))
    def start(self, every: float) -> None:
        self.rows: list[Any] = [APP]
        self.is_open = threading.Event()
        self.is_open.set()
        self.results: list[frozenset[str]] = []
        self.every = every
        self.loaded = Loaded(self.load, every=every, allow_empty=True, clock=self.clock)
        self.serve(self.loaded)
        self.tried_at = -1e9

    def load(self) -> list[Any]:
        """Return the list that holds when the call begins, as soon as the test allows it."""
        rows, fails, self.tried_at = [*self.rows], self.fails, self.clock.now
        self.is_open.wait(5)
        if fails:
            raise OSError("no database")
        self.results.append(frozenset(row for row in rows if row in ORIGINS))
        return rows

    @rule(
        rows=st.lists(st.sampled_from([*ORIGINS, "*", "null", "https://*", "nonsense", "https://EVIL.example", None]))
    )
    def the_source_changes(self, rows: list[Any]) -> None:
        self.rows = [*rows, APP] if EVIL not in rows else rows

    @rule(request=REQUESTS, is_held=st.booleans())
    def a_request_arrives(self, request: tuple[str, str, int], is_held: bool) -> None:
        origin, method, index = request
        known = len(self.results)
        is_late = self.clock.now - self.tried_at > 10 * self.every
        if is_held and not is_late:
            self.is_open.clear()

        async def ask() -> dict[str, str]:
            task = asyncio.create_task(headers_of(self.middlewares[index], origin, method))
            if known and not is_late:
                await asyncio.wait_for(task, 1)  # it does not wait for the load
            self.is_open.set()
            await task
            await ended(self.loaded)
            return task.result()

        headers = self.run(ask)
        lists = self.results[max(known - 1, 0) :] if not is_late else self.results[-1:]
        assert_decided(headers, origin, lists, self.middlewares[index].policy)

    @rule()
    def the_list_is_loaded_anew(self) -> None:
        async def refresh() -> bool:
            try:
                await self.loaded.refresh()
            except LookupError:
                return False
            return True

        is_loaded = self.run(refresh)
        assert is_loaded != self.fails
        if is_loaded:
            for index, middleware in enumerate(self.middlewares):
                for origin in ORIGINS:
                    headers = self.run(
                        lambda middleware=middleware, origin=origin: headers_of(middleware, origin, "GET")
                    )
                    assert_decided(headers, origin, self.results[-1:], self.middlewares[index].policy)


def assert_decided(headers: dict[str, str], origin: str, lists: list[frozenset[str]], policy: Policy) -> None:
    """Check that one of some lists led to a response."""
    is_safe = origin != HTTP or not policy.allow_credentials or bool(policy.dangerously_allow)
    expected = {is_safe and origin in each for each in lists} or {False}
    assert (headers.get("access-control-allow-origin") == origin) in expected


TestCached = CachedMachine.TestCase
TestCached.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLoaded = LoadedMachine.TestCase
TestLoaded.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
