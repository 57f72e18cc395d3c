"""A source whose methods raise: its entry allows nothing, and neither a request, the log nor the lifespan fails."""

import logging
from typing import Any

import pytest

from asgi_cors import Configuration, CORSMiddleware, OriginSource, Policy, explain
from tests.middleware.test_lifespan import MESSAGES, LifespanApp, live
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, websocket_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL
from tests.support.logs import lines
from tests.support.sources import Known


class Broken(OriginSource):
    """A source whose methods raise.

    Args:
        look_up: Whether `look_up` raises, too. Otherwise it allows APP.
    """

    def __init__(self, look_up: bool = True) -> None:
        self._known = None if look_up else Known(APP)

    def look_up(self, origin: str, policy: Any = None) -> Any:
        """Raise, or answer."""
        if self._known is None:
            raise ValueError("no look_up")
        return self._known.look_up(origin, policy)

    def describe(self, origin: str, policy: Any = None) -> Any:
        """Raise."""
        raise ValueError("no describe")

    def origin_sets(self, policy: Any) -> Any:
        """Raise."""
        raise ValueError("no origin_sets")

    def remedy(self, origin: str) -> str:
        """Raise."""
        raise ValueError("no remedy")

    def start(self) -> None:
        """Raise."""
        raise ValueError("no start")

    def stop(self) -> None:
        """Raise."""
        raise ValueError("no stop")

    def __repr__(self) -> str:
        """Raise."""
        raise ValueError("no repr")


class Wrong(Broken):
    """A source whose `look_up` returns another value than an `Answer`."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def look_up(self, origin: str, policy: Any = None) -> Any:
        """Return the value."""
        return self._answer


class Later(Broken):
    """A source whose `look_up` is a coroutine function."""

    async def look_up(self, origin: str, policy: Any = None) -> Any:
        """Return True, which is not an `Answer`."""
        return True


SOURCES = [Broken(), Broken(look_up=False), Wrong(None), Wrong(True), Later()]


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_requests_are_refused(interface: str, source: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "asgi_cors")
    client = Client(interface, App(), allow_origins=[source, "https://www.example.com"], run=run_asyncio)
    for _ in range(2):
        actual = client.request(origin=EVIL)
        assert (actual.status, actual.cors, actual.raised) == (200, [], None)
        preflight = client.preflight("PUT", origin=EVIL)
        assert (preflight.cors, preflight.raised) == ([], None)
    assert client.preflight("GET", origin="https://www.example.com").cors
    assert any(line.startswith("refused ") for line in lines(caplog))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_a_handshake_is_refused(source: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "asgi_cors")
    middleware = CORSMiddleware(App().asgi, allow_origins=[source])
    response = call_asgi(middleware, websocket_scope("/", [("origin", EVIL), ("host", "api.example")]), run_asyncio)
    assert response.raised is None
    assert any(line.startswith("refused a WebSocket handshake") for line in lines(caplog))


def test_the_origins_that_it_allows_are_allowed(caplog: Any) -> None:
    client = Client("asgi", App(), allow_origins=[Broken(look_up=False)])
    assert client.request(origin=APP).cors == [f"access-control-allow-origin: {APP}"]
    assert not lines(caplog)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_the_lifespan_of_the_app_goes_on(source: Any, caplog: Any) -> None:
    assert live(CORSMiddleware(LifespanApp(), allow_origins=[source])) == MESSAGES
    events = [line.partition(" (at ")[0] for line in lines(caplog)]
    name = type(source).__name__
    assert events == [f"{name}.{event}() raised: ValueError: 'no {event}'" for event in ("start", "stop")]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_an_explanation_says_that_describe_raised(source: Any) -> None:
    policy = Policy(allow_origins=[source])
    explanation = explain(policy, "GET", APP)
    assert explanation.allowed is None
    expected = f"asked at run time (<{type(source).__name__}>, whose describe() raised ValueError: no describe)"
    assert explanation.steps[0].rule == expected
    assert Configuration(policy).explain("GET", APP).steps[0].rule == expected


def test_the_remedy_of_another_source_is_used() -> None:
    policy = Policy(allow_origins=[Broken(), Known()], allow_methods=["PUT"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Broken, "describe", lambda *_: (False, "refused"))
        assert "let <" in explain(policy, "GET", APP).remedy
        assert "add 'https://" in explain(policy.replace(allow_origins=Broken()), "GET", APP).remedy
