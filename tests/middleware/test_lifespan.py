"""The sources of a middleware's policies start when the app has started, and stop before it stops."""

from typing import Any

import pytest

from asgi_cors import Configuration, CORSMiddleware, Policy
from tests.support.event_loops import RUNNERS, run_asyncio
from tests.support.expected import APP
from tests.support.logs import lines
from tests.support.sources import Known

MESSAGES = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class LifespanApp:
    """An app that serves the lifespan, and records the events of a source at each step."""

    def __init__(self, source: Known | None = None, raises: Exception | None = None) -> None:
        """Start with nothing seen."""
        self.source, self.raises = source or Known(), raises
        self.seen: list[list[str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the lifespan."""
        assert scope["type"] == "lifespan"
        if self.raises:
            raise self.raises
        for message in MESSAGES:
            await receive()
            self.seen.append([*self.source.events])  # it opens the connections of the source, or closes them
            await send({"type": message})


def live(app: Any, run: Any = run_asyncio) -> list[str]:
    """Run the lifespan of an app, and return the messages that it sends."""
    sent: list[str] = []
    messages = ["lifespan.startup", "lifespan.shutdown"]

    async def receive() -> Any:
        return {"type": messages.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    run(lambda: app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    return sent


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_a_source_starts_when_the_app_has_started_and_stops_before_the_app(run: Any) -> None:
    source = Known(APP)
    app = LifespanApp(source)
    assert live(CORSMiddleware(app, allow_origins=source), run) == MESSAGES
    assert (app.seen, source.events) == ([[], ["start", "stop"]], ["start", "stop"])


def test_the_sources_of_all_rules_start_and_stop_once() -> None:
    base, path, view, viewed_path, both = (Known(APP) for _ in range(5))
    rules = Configuration(allow_origins=APP, paths={"/v": {"allow_origins": [viewed_path, both]}}).evaluator.rules
    configuration = Configuration(
        allow_origins=[base, both],
        paths={"/a": {"allow_origins": [path, both]}, "/b": None},
        view_of=lambda _: None,
    )
    configuration.set_views({"view": Policy(allow_origins=view), "rules": rules, "exempt": None})
    assert live(CORSMiddleware(LifespanApp(), configuration)) == MESSAGES
    assert [source.events for source in (base, path, view, viewed_path, both)] == [["start", "stop"]] * 5


class FindsPolicy:
    """A `policy_for` with tasks of its own, such as `Tenants`."""

    def __init__(self) -> None:
        """Start without an event."""
        self.app_context: Any = None
        self.events: list[str] = []

    def __call__(self, scope: Any) -> Any:
        """Find no policy."""
        del scope
        return NotImplemented

    def start(self) -> None:
        """Record the start."""
        self.events.append("start")

    def stop(self) -> None:
        """Record the end."""
        self.events.append("stop")


def test_a_policy_for_with_tasks_starts_and_stops_and_gets_the_app_context() -> None:
    find = FindsPolicy()
    configuration = Configuration(allow_origins=APP, policy_for=find, app_context=find.__class__)
    assert find.app_context is FindsPolicy
    live(CORSMiddleware(LifespanApp(), configuration))
    assert find.events == ["start", "stop"]


def test_a_source_does_not_start_with_an_app_that_serves_no_lifespan() -> None:
    source = Known(APP)
    with pytest.raises(LookupError):
        live(CORSMiddleware(LifespanApp(raises=LookupError("x")), allow_origins=source))
    assert source.events == []


def test_a_source_stops_if_the_app_fails_while_it_serves() -> None:
    source = Known(APP)

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})
        raise LookupError("x")

    with pytest.raises(LookupError):
        live(CORSMiddleware(app, allow_origins=source))
    assert source.events == ["start", "stop"]


def test_sources_before_and_after_a_change_of_the_policy_stop() -> None:
    first, second = Known(APP), Known(APP)

    class Changes(LifespanApp):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def change(message: Any) -> None:
                await send(message)
                middleware.reconfigure(allow_origins=second)

            await super().__call__(scope, receive, change)

    middleware = CORSMiddleware(Changes(), allow_origins=first)
    live(middleware)
    assert (first.events, second.events) == (["start", "stop"], ["stop"])


def test_a_source_that_fails_to_start_is_logged_and_the_app_starts(caplog: pytest.LogCaptureFixture) -> None:
    class Fails(Known):
        def start(self) -> None:
            raise OSError("no database")

        def stop(self) -> None:
            raise LookupError("not started")

    source = Known(APP)
    assert live(CORSMiddleware(LifespanApp(), allow_origins=[Fails(), source])) == MESSAGES
    assert [line.partition(" (at")[0] for line in lines(caplog)] == [
        "Fails.start() raised: OSError: 'no database'",
        "Fails.stop() raised: LookupError: 'not started'",
    ]
    assert source.events == ["start", "stop"]
