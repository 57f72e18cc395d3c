"""What the logger says, how often, at which level."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from support import logs
from support.apps import App
from support.expected import APP, EVIL
from support.shells import Served, call_asgi, http_scope

INFO, WARNING = logging.INFO, logging.WARNING


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[logs.Clock]:
    """A clock that stands still until it is moved."""
    with logs.held(monkeypatch) as held:
        yield held


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="asgi_cors")


WWW = "https://www.example.com"

# behaviour, allow_origins, Origin, level, words
ORIGINS: list[tuple[str, Any, str, int, list[str]]] = [
    ("an origin of no kin", APP, EVIL, INFO, [EVIL, "/path"]),
    ("http in place of https", APP, APP.replace("https", "http"), WARNING, [APP, "http, not https"]),
    ("a port where none is allowed", APP, f"{APP}:8443", WARNING, [APP, "port"]),
    ("no port where one is allowed by any", "http://localhost:*", "https://localhost:3000", WARNING, ["https"]),
    ("www in front", "https://example.com", WWW, WARNING, ["https://example.com", "www"]),
    ("www missing", WWW, "https://example.com", WARNING, [WWW, "www"]),
    (
        "a subdomain of an allowed host",
        "https://example.com",
        "https://shop.example.com",
        WARNING,
        ["https://example.com"],
    ),
    ("upper case", APP, APP.replace("app", "App"), WARNING, [APP, "case"]),
    ("null", APP, "null", INFO, ["null"]),
    ("what is no origin", APP, "garbage", INFO, ["garbage"]),
]


@pytest.mark.parametrize(
    ("allowed", "origin", "level", "words"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS]
)
@pytest.mark.usefixtures("clock")
def test_refused_origins(
    serve: Any, caplog: pytest.LogCaptureFixture, allowed: Any, origin: str, level: int, words: list[str]
) -> None:
    """A refused origin is told in one line: a near miss at WARNING with the entry and the difference, else at INFO."""
    serve(allow_origins=[allowed, "https://other.example.org"]).request(path="/path", origin=origin)
    (line,) = logs.lines(caplog)
    assert logs.lines(caplog, level) == [line]
    assert [word for word in [*words, repr(origin)] if word not in line] == []


MISTAKES: list[tuple[str, str, str | None, list[str]]] = [
    (
        "a method refused to an allowed origin",
        "PUT",
        None,
        ["PUT", "MethodDisallowedByPreflightResponse"],
    ),
    (
        "a header refused to an allowed origin",
        "GET",
        "x-id",
        ["x-id", "HeaderDisallowedByPreflightResponse"],
    ),
]


@pytest.mark.parametrize(
    ("method", "headers", "words"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
@pytest.mark.usefixtures("clock")
def test_mistakes_of_set_up(
    serve: Any, caplog: pytest.LogCaptureFixture, method: str, headers: str | None, words: list[str]
) -> None:
    """A refusal that looks like a mistake of set-up is a WARNING that names the cause."""
    serve(allow_origins=APP).preflight(method, headers, origin=APP, path="/path")
    (line,) = logs.lines(caplog, WARNING)
    assert [word for word in [*words, repr(APP), "/path"] if word not in line] == []


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("method", "headers"), [("A B", None), ("GET", "x y")], ids=["method", "header"])
def test_what_no_browser_sends(serve: Any, caplog: pytest.LogCaptureFixture, method: str, headers: str | None) -> None:
    """A malformed preflight of an allowed origin is no mistake of set-up: INFO, and no other origin is named."""
    serve(allow_origins=["https://*.example.com"]).preflight(method, headers, origin=APP)
    (line,) = logs.lines(caplog, INFO)
    assert "nearest" not in line


@pytest.mark.usefixtures("clock")
def test_nothing_to_tell(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Allowed requests, preflights and requests without Origin are not logged."""
    served = serve(allow_origins=APP)
    served.request(origin=APP)
    served.preflight(origin=APP)
    served.request()
    assert logs.lines(caplog) == []
    served.request(origin=EVIL)
    assert len(logs.lines(caplog)) == 1


def test_once_a_minute(serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """A refusal is logged once per origin and cause and minute."""
    served = serve(allow_origins=APP)
    for _ in range(5):
        served.request(origin=EVIL)
    assert len(logs.lines(caplog)) == 1
    served.preflight(origin=EVIL)
    assert len(logs.lines(caplog)) == 2
    served.request(origin="https://other.evil.net")
    assert len(logs.lines(caplog)) == 3
    clock.now += 61
    served.request(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 3
    served.preflight(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 4


def test_a_hundred_pairs_a_minute(serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """At most 100 pairs a minute are logged, then one summary line with the count of the rest."""
    served = serve(allow_origins=APP)
    for number in range(250):
        served.request(origin=f"https://n{number}.evil.net")
    told = [line for line in logs.lines(caplog) if "evil.net" in line]
    assert len(told) <= 101
    clock.now += 61
    served.request(origin="https://later.evil.net")
    text = "\n".join(logs.lines(caplog))
    assert len(logs.lines(caplog)) <= 102
    assert "https://n99.evil.net" in text
    assert "https://n100.evil.net" not in text
    assert "https://later.evil.net" in text
    assert "150" in text


@pytest.mark.usefixtures("clock")
def test_long_origins_are_cut(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The origin's repr is cut at 200 characters."""
    serve(allow_origins=APP).request(origin="https://" + "x" * 60_000)
    (line,) = logs.lines(caplog)
    assert len(line) < 1000
    assert "x" * 150 in line
    assert "x" * 201 not in line


FORGED = [
    "https://evil\r\nERROR forged",
    "\x1b[31mred",
    "https://a\x00b",
    "https://a b",
    "https://\x85next",
    "a\x0bb\x0cc",
    "\x7f",
]


@pytest.mark.parametrize("value", FORGED, ids=ascii)
@pytest.mark.usefixtures("clock")
def test_no_line_is_forged_by_an_origin(serve: Any, caplog: pytest.LogCaptureFixture, value: str) -> None:
    """No control character of a request reaches the log."""
    serve(allow_origins=APP).request(path="/a", origin=value)
    assert [line for line in logs.lines(caplog) if not line.isprintable()] == []
    assert logs.lines(caplog)


@pytest.mark.parametrize("value", FORGED, ids=ascii)
@pytest.mark.usefixtures("clock")
def test_no_line_is_forged_by_a_path(serve: Any, caplog: pytest.LogCaptureFixture, value: str) -> None:
    """Nor by the path, the requested method or the requested headers."""
    served = serve(allow_origins=APP)
    served.request(path="/" + value, origin=EVIL)
    served.preflight(value, value, origin=APP, path="/" + value)
    assert logs.lines(caplog)
    assert [line for line in logs.lines(caplog) if not line.isprintable()] == []


def own_level(caplog: pytest.LogCaptureFixture, *, on: bool) -> None:
    """Set the logger's level."""
    caplog.set_level(INFO if on else logging.ERROR, logger="asgi_cors")


def level_of_root(caplog: pytest.LogCaptureFixture, *, on: bool) -> None:
    """Leave it to the root's."""
    caplog.set_level(logging.NOTSET, logger="asgi_cors")
    caplog.set_level(INFO if on else WARNING)


def logging_disabled(caplog: pytest.LogCaptureFixture, *, on: bool) -> None:
    """Switch all logging off, up to a level."""
    caplog.set_level(INFO, logger="asgi_cors")
    logging.disable(logging.NOTSET if on else WARNING)


@pytest.mark.parametrize("switch", [own_level, level_of_root, logging_disabled])
def test_levels_that_are_off(serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock, switch: Any) -> None:
    """Where a level is off nothing is remembered for it: the first refusal after switching it on is told."""
    del clock
    served = serve(allow_origins=APP)
    switch(caplog, on=False)
    for number in range(200):
        served.request(origin=f"https://n{number}.evil.net")
    for _ in range(2):
        served.request(origin=EVIL)
        served.preflight(origin=EVIL)
    assert logs.lines(caplog) == []
    switch(caplog, on=True)
    served.request(origin=EVIL)
    served.preflight(origin=EVIL)
    assert [EVIL in line for line in logs.lines(caplog)] == [True, True]


@pytest.mark.usefixtures("clock")
def test_near_misses_are_look_ups(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The nearest entry is found by look-ups: neither a regex nor a callable is asked about a variant."""
    asked: list[str] = []
    served = serve(allow_origins=[APP, lambda origin: bool(asked.append(origin))])
    served.request(origin=APP.replace("https", "http"))
    assert asked == [APP.replace("https", "http")]
    assert logs.lines(caplog, WARNING)


def test_handshakes_are_logged(caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """A refused handshake is a refusal as any."""
    del clock
    served = Served("asgi", App(), allow_origins=APP)
    scope = {**http_scope("GET", "/chat", [("origin", EVIL)]), "type": "websocket"}
    call_asgi(served.middleware, scope)
    (line,) = logs.lines(caplog)
    assert re.search(rf"{re.escape(repr(EVIL))}.*/chat", line)


@pytest.mark.usefixtures("clock")
def test_memory_is_bounded(serve: Any) -> None:
    """However many origins are refused, a hundred are remembered."""
    served = serve(allow_origins=APP)
    for number in range(1000):
        served.request(origin=f"https://n{number}.evil.net")
    assert len(served.middleware.configuration.log._seen) == 100
