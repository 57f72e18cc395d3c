"""What the logger says, how often, at which level."""

import ast
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy, Request, decide
from asgi_cors._configuration.log import ATTRIBUTES
from asgi_cors._origins.origin_set import closest_origin
from tests.support import logs
from tests.support.apps import App
from tests.support.clients import Served, call_asgi, websocket_scope
from tests.support.expected import APP, EVIL
from tests.support.policies import policy_without_warnings

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
LOCAL, LOOPBACK = "http://localhost:5173", "http://127.0.0.1:5173"

# behaviour, allow_origins, Origin, level, words
ORIGINS: list[tuple[str, Any, str, int, list[str]]] = [
    ("an origin of no kin", APP, EVIL, INFO, [EVIL, "/path"]),
    ("http in place of https", APP, APP.replace("https", "http"), WARNING, [APP, "http, not https"]),
    ("https in place of http", LOCAL, "https://localhost:5173", WARNING, [LOCAL, "https, not http"]),
    ("a port where none is allowed", APP, f"{APP}:8443", WARNING, [APP, "port 8443, not the default port"]),
    ("no port where one is allowed", f"{APP}:8443", APP, WARNING, [f"{APP}:8443", "the default port, not 8443"]),
    ("another port", f"{APP}:4201", f"{APP}:4202", WARNING, [f"{APP}:4201", "port 4202, not 4201"]),
    ("another port of localhost", "http://localhost:4200", LOCAL, WARNING, ["port 5173, not 4200"]),
    (
        "another scheme and port",
        f"{APP}:8443",
        "http://app.example.com:8080",
        WARNING,
        ["not https; port 8080, not 8443"],
    ),
    (
        "another scheme and no port",
        APP,
        "http://app.example.com:8080",
        WARNING,
        ["not https; port 8080, not the default"],
    ),
    ("http where any port of https is allowed", "https://localhost:*", LOCAL, WARNING, ["http, not https"]),
    ("no port where one is allowed by any", "http://localhost:*", "https://localhost:3000", WARNING, ["https"]),
    ("localhost for 127.0.0.1", LOOPBACK, LOCAL, WARNING, [LOOPBACK, "localhost, not 127.0.0.1"]),
    ("127.0.0.1 for localhost", LOCAL, LOOPBACK, WARNING, [LOCAL, "127.0.0.1, not localhost"]),
    ("[::1] for localhost", LOCAL, "http://[::1]:5173", WARNING, [LOCAL, "[::1], not localhost"]),
    ("127.0.0.1 for [::1]", "http://[::1]:5173", LOOPBACK, WARNING, ["127.0.0.1, not [::1]"]),
    ("www in front", "https://example.com", WWW, WARNING, ["https://example.com", "with 'www.'."]),
    ("www missing", WWW, "https://example.com", WARNING, [WWW, "without 'www.'."]),
    (
        "a subdomain of an allowed host",
        "https://example.com",
        "https://shop.example.com",
        WARNING,
        ["https://example.com", "a subdomain of it"],
    ),
    ("a deeper subdomain", "https://example.com", "https://a.b.example.com", WARNING, ["a subdomain of it"]),
    (
        "the base of a pattern",
        "https://*.example.com",
        "https://example.com",
        WARNING,
        ["https://*.example.com", "the domain itself, not a subdomain"],
    ),
    ("upper case", APP, APP.replace("app", "App"), WARNING, [APP, "letter case"]),
    ("a final slash", APP, f"{APP}/", WARNING, [APP, "a final slash"]),
    ("white space", APP, f"\x0b{APP}", WARNING, [APP, "white space"]),
    ("null", APP, "null", INFO, ["null"]),
    ("what is not an origin", APP, "garbage", INFO, ["garbage"]),
    ("another scheme than a page's", APP, "app://app.example.com", INFO, ["app://app.example.com"]),
    ("a single label", APP, "https://intranet", INFO, ["https://intranet"]),
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
    assert "Did you mean" not in line


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


@pytest.mark.parametrize("start", [0, 1, 30, 59, 61], ids=lambda start: f"after {start} s")
def test_a_minute_begins_with_the_line(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock, start: int
) -> None:
    """The minute of a refusal runs from its own line, not from a minute that something else began."""
    served = serve(allow_origins=APP)
    served.request(origin="https://first.evil.net")
    clock.now += start
    served.request(origin=EVIL)
    clock.now += 59
    served.request(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 1
    clock.now += 1
    served.request(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 2


def of_strangers(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in logs.lines(caplog) if "evil.net" in line]


def test_a_hundred_pairs_a_minute(serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """At most 50 other sites are logged in a minute, then one summary line has the count of the rest."""
    served = serve(allow_origins=APP)
    for number in range(250):
        served.request(origin=f"https://n{number}.evil.net")
    assert of_strangers(caplog) == logs.lines(caplog, INFO)
    assert len(of_strangers(caplog)) == 50
    clock.now += 61
    served.request(origin="https://later.evil.net")
    *_, last, summary, later = logs.lines(caplog)
    assert "https://n49.evil.net" in last
    assert "200 more refusals" in summary
    assert "https://later.evil.net" in later
    assert summary in logs.lines(caplog, INFO)
    clock.now += 61
    served.request(origin="https://later.evil.net")
    assert len([line for line in logs.lines(caplog) if "more refusals" in line]) == 1


def test_other_sites_cannot_hide_a_mistake_of_set_up(serve: Any, caplog: pytest.LogCaptureFixture, clock: Any) -> None:
    """However many other sites are refused first, 50 mistakes of set-up are logged."""
    del clock
    served = serve(allow_origins=APP)
    for number in range(1000):
        served.request(origin=f"https://n{number}.evil.net")
    for number in range(60):
        served.preflight("GET", f"x-{number}", origin=APP)
    assert [len(logs.lines(caplog, level)) for level in (INFO, WARNING)] == [50, 50]


def test_other_sites_cannot_hide_it_by_headers_either(serve: Any, caplog: pytest.LogCaptureFixture, clock: Any) -> None:
    """Under `*` every site may cause a WARNING: these take no more room than other refusals of any site."""
    del clock
    served = serve(allow_origins=APP, paths={"/open": Policy(allow_origins="*")})
    for number in range(200):
        served.preflight("GET", f"x-{number}", origin=EVIL, path="/open")
    served.preflight("PUT", origin=APP)
    lines = logs.lines(caplog, WARNING)
    assert len(lines) == 51
    assert "allow_methods" in lines[-1]


def test_mistakes_of_set_up_may_take_all_of_it(serve: Any, caplog: pytest.LogCaptureFixture, clock: Any) -> None:
    """Without other sites, 100 mistakes of set-up are logged; the summary has the level of what it counts."""
    served = serve(allow_origins=APP)
    for number in range(130):
        served.preflight("GET", f"x-{number}", origin=APP)
    served.request(origin=EVIL)
    assert [len(logs.lines(caplog, level)) for level in (INFO, WARNING)] == [0, 100]
    clock.now += 60
    served.request(origin=EVIL)
    assert "31 more refusals" in logs.lines(caplog, WARNING)[-1]


def test_what_is_off_takes_no_room(serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """With INFO off, other sites are neither remembered nor counted."""
    caplog.set_level(WARNING, logger="asgi_cors")
    served = serve(allow_origins=APP, on_decision=lambda *_: None)  # nothing is cached
    for number in range(200):
        served.request(origin=f"https://n{number}.evil.net")
    for number in range(100):
        served.preflight("GET", f"x-{number}", origin=APP)
    clock.now += 60
    served.preflight("PUT", origin=APP)
    assert len(logs.lines(caplog)) == 101


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


@pytest.mark.parametrize(
    "origin",
    [row[2] for row in ORIGINS] + ["https://www.a.b.c.d.e.f.example.org:81", "HTTPS://www.a.b.c.d.example.org:81"],
)
def test_a_dozen_look_ups(origin: str) -> None:
    """The closest origin is found by a dozen look-ups at most."""
    policy = Policy(allow_origins=[f"https://h{number}.example.net:{number + 1}" for number in range(100)])
    looked_up: list[str] = []

    class Counting:
        ports = policy.compiled.origins.ports

        def __contains__(self, value: str) -> bool:
            looked_up.append(value)
            return False

    policy.compiled.origins = Counting()  # type: ignore[assignment]
    assert closest_origin(policy.compiled.origins, origin) is None
    assert len(looked_up) == len(set(looked_up)) <= 12


def call_websocket(app: Any, path: str, *fields: tuple[str, str], **more: Any) -> None:
    call_asgi(app, websocket_scope(path, fields, **more))


def test_handshakes_are_logged(caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """A refused handshake is called one, and is logged besides a GET of the same origin."""
    del clock
    served = Served("asgi", App(), allow_origins=APP)
    for _ in range(2):
        served.request(path="/chat", origin=EVIL)
        call_websocket(served.middleware, "/chat", ("origin", EVIL))
    get, handshake = logs.lines(caplog)
    assert get.startswith(f"refused 'GET' from origin {EVIL!r} at '/chat': ")
    assert handshake.startswith(f"refused a WebSocket handshake from origin {EVIL!r} at '/chat': ")


def test_a_handshake_behind_a_proxy(caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """A handshake whose Host is a proxy's upstream is a mistake of set-up; the line ends in what to write there."""
    del clock
    served = Served("asgi", App(), allow_origins=APP)
    call_websocket(served.middleware, "/chat", ("origin", "https://own.example.org"), ("host", "upstream:8000"))
    (line,) = logs.lines(caplog, WARNING)
    assert line.endswith("Write 'proxy_set_header Host $host' there.")


def test_a_handshake_with_cookies(caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """A handshake that is refused for its cookies is a mistake of set-up, corrected by allow_credentials."""
    del clock
    served = Served("asgi", App(), allow_origins="*")
    call_websocket(served.middleware, "/chat", ("origin", EVIL), ("cookie", "sid=1"), ("host", "a.net"))
    (line,) = logs.lines(caplog, WARNING)
    assert line.endswith("Write allow_credentials=True and name the origins, because '*' is refused with it.")


@pytest.mark.usefixtures("clock")
def test_memory_is_bounded(serve: Any) -> None:
    """However many origins are refused, a hundred are remembered."""
    served = serve(allow_origins=APP)
    for number in range(1000):
        served.request(origin=f"https://n{number}.evil.net")
        served.request(origin=f"{APP}:{number + 1}")
    assert len(served.middleware.configuration.log._refusals) == 100


# -- the correction

WITH = {"allow_credentials": True}
# behaviour, options, requested method, requested headers, origin, the end of the line
CORRECTIONS: list[tuple[str, dict[str, Any], str, str | None, str, str]] = [
    ("a method", {}, "PUT", None, APP, "Write allow_methods=['PUT']."),
    ("one more method", {"allow_methods": ["PUT"]}, "LOCK", None, APP, "Write allow_methods=['PUT', 'LOCK']."),
    ("a method of a long list", {"allow_methods": list("ABCDEFGHI")}, "PUT", None, APP, "Add 'PUT' to allow_methods."),
    (
        "a method in lower case",
        {"allow_methods": "PATCH"},
        "patch",
        None,
        APP,
        "Write 'PATCH' in the page's script. Methods are case-sensitive.",
    ),
    ("a method in lower case, not allowed", {}, "patch", None, APP, "Write allow_methods=['patch']."),
    (
        "a forbidden method",
        {"allow_methods": "*"},
        "TRACE",
        None,
        APP,
        "No browser sends this method. Correct the client.",
    ),
    ("a method with a wildcard", {}, "*", None, APP, "Use a method without '*' in its name."),
    ("a method without end", {}, "X" * 3000, None, APP, "Add it to allow_methods."),
    ("a header", {}, "GET", "x-id", APP, "Write allow_headers=['x-id']."),
    ("one more header", {"allow_headers": ["x-a"]}, "GET", "x-a,x-b", APP, "Write allow_headers=['x-a', 'x-b']."),
    ("a header without end", {}, "GET", "x" * 3000, APP, "Add it to allow_headers."),
    ("a header with a wildcard", {}, "GET", "*", APP, "Use a header without '*' in its name."),
    ("a header with a wildcard at its end", {}, "GET", "x-*", APP, "Use a header without '*' in its name."),
    (
        "a response header",
        {},
        "GET",
        "access-control-allow-origin",
        APP,
        "Remove it from the page's request. It is a response header.",
    ),
    ("a forbidden header", {}, "GET", "cookie", APP, "No browser lets a script set this header. Correct the client."),
    ("a malformed method", {}, "A B", None, APP, "No browser sends this. Correct the client."),
    ("malformed headers", {}, "GET", "a b", APP, "Send fewer request headers, each with a valid name."),
    ("an origin", {}, "GET", None, EVIL, f"If that page is yours, add {EVIL!r} to allow_origins."),
    ("an origin with credentials", WITH, "GET", None, EVIL, f"If that page is yours, add {EVIL!r} to allow_origins."),
    (
        "http with credentials",
        WITH,
        "GET",
        None,
        "http://a.example.net:81",
        "If that page is yours, serve it over https, and add 'https://a.example.net' to allow_origins.",
    ),
    (
        "http of an allowed host, with credentials",
        WITH,
        "GET",
        None,
        APP.replace("https", "http"),
        "If that page is yours, serve it over https.",
    ),
    (
        "http, allowed by its risk",
        {**WITH, "dangerously_allow": ["credentials-over-http"]},
        "GET",
        None,
        "http://a.example.net",
        "add 'http://a.example.net' to allow_origins.",
    ),
    ("http of localhost, with credentials", WITH, "GET", None, LOCAL, f"add {LOCAL!r} to allow_origins."),
    ("null", {}, "GET", None, "null", "If sandboxed and local pages may read this, add 'null' to allow_origins."),
    ("null with credentials", WITH, "GET", None, "null", "Serve the page from an origin of its own."),
    ("a wildcard as an origin", {}, "GET", None, "https://*.example.net", "allow it by a callable in allow_origins."),
    (
        "an origin that is not a pattern",
        {},
        "GET",
        None,
        "https://a{b.example.net",
        "allow it by a callable in allow_origins.",
    ),
    (
        "an origin without end",
        {},
        "GET",
        None,
        f"https://{'x' * 150}.net",
        "If that page is yours, add its origin to allow_origins.",
    ),
    ("not an origin", {}, "GET", None, "garbage", "No browser sends this origin. Correct the client."),
]


@pytest.mark.parametrize(
    ("options", "method", "headers", "origin", "end"),
    [row[1:] for row in CORRECTIONS],
    ids=[row[0] for row in CORRECTIONS],
)
@pytest.mark.usefixtures("clock")
def test_the_line_ends_in_the_correction(
    serve: Any,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    method: str,
    headers: str | None,
    origin: str,
    end: str,
) -> None:
    """Each line ends in what to write; a list that it writes is accepted, and allows the request."""
    options = {"allow_origins": APP, **options}
    serve(**options).preflight(method, headers, origin=origin)
    (record,) = caplog.records
    assert record.getMessage().endswith(end)
    assert record.cors_remedy.endswith(end)  # type: ignore[attr-defined]
    corrected = dict(options)
    if match := re.search(r"Write (allow_\w+)=(\[.*\])\.", end):
        corrected[match[1]] = ast.literal_eval(match[2])
    elif match := re.search(r"dd ('.*') to (allow_\w+)\.", end):
        given = corrected.get(match[2], [])
        origin = ast.literal_eval(match[1]) if match[2] == "allow_origins" else origin
        corrected[match[2]] = [*([given] if isinstance(given, str) else given), ast.literal_eval(match[1])]
    else:
        return
    asked = Request("OPTIONS", origin.encode(), method.encode(), headers.encode() if headers else None)
    assert decide(policy_without_warnings(**corrected), asked).allowed


@pytest.mark.usefixtures("clock")
def test_the_correction_of_an_ambiguous_path(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A path that is refused for another reading of it."""
    serve(allow_origins=APP, paths={"/a/*": None}).request(path="/a/../b", origin=APP)
    (line,) = logs.lines(caplog)
    assert "(AmbiguousPath)" in line
    assert line.endswith("Request the path exactly as its rule spells it.")


def fails(_: Any) -> Any:
    """Fail."""
    raise RuntimeError("no database")


@pytest.mark.parametrize(
    "options", [{"allow_origins": [fails]}, {"allow_origins": APP, "policy_for": fails}], ids=["origin", "policy"]
)
@pytest.mark.usefixtures("clock")
def test_a_look_up_that_fails(serve: Any, caplog: pytest.LogCaptureFixture, options: dict[str, Any]) -> None:
    """A refusal for a failed look-up is INFO, because any site can cause it. The failure is an ERROR, once a minute."""
    served = serve(**options)
    for _ in range(2):
        served.request(origin=EVIL)
    error, refusal = caplog.records
    assert (error.levelname, refusal.levelname) == ("ERROR", "INFO")
    assert "no database" in error.getMessage()
    assert refusal.getMessage().endswith("Correct the error that the logger asgi_cors reports for it.")


# -- records


@pytest.mark.usefixtures("clock")
def test_the_attributes_of_a_refusal(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A record carries what it says as attributes."""
    served = serve(allow_origins=APP)
    served.preflight("PUT", origin=APP, path="/items")
    served.request("DELETE", origin=EVIL, path="/items")
    assert [[getattr(record, name) for name in ATTRIBUTES] for record in caplog.records] == [
        [APP, "PUT", "/items", "MethodDisallowedByPreflightResponse", "Write allow_methods=['PUT']."],
        [
            EVIL,
            "DELETE",
            "/items",
            "MissingAllowOriginHeader",
            f"If that page is yours, add {EVIL!r} to allow_origins.",
        ],
    ]


def test_the_attributes_of_a_handshake(caplog: pytest.LogCaptureFixture) -> None:
    """The method of a handshake is not GET."""
    call_websocket(Served("asgi", App(), allow_origins=APP).middleware, "/chat", ("origin", EVIL))
    (record,) = caplog.records
    assert (record.cors_method, record.cors_path) == ("WebSocket handshake", "/chat")  # type: ignore[attr-defined]


def test_each_record_has_every_attribute(serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock) -> None:
    """Whatever is logged: a formatter that names the attributes works."""
    app = App(headers=[("access-control-allow-origin", "*")])
    served = Served("asgi", app, allow_origins=[APP, fails])
    served.request(path="/set", origin=APP)
    served.middleware = CORSMiddleware(served.middleware, allow_origins=[APP])
    served.request(path="/stacked", origin=APP)
    other = serve(allow_origins=[fails])
    for number in range(150):
        other.request(origin=f"https://n{number}.evil.net")
    clock.now += 61
    other.request(origin=EVIL)
    logging.getLogger("asgi_cors").debug("from elsewhere")
    formatter = logging.Formatter(" ".join(f"%({name})s" for name in ATTRIBUTES))
    assert all(formatter.format(record) is not None for record in caplog.records)
    words = ("sets", "two CORS", "looked up", "more refusals", "elsewhere")
    assert [word for word in words if not any(word in line for line in logs.lines(caplog))] == []
    by_path = {record.cors_path: record.cors_remedy for record in reversed(caplog.records)}  # type: ignore[attr-defined]
    assert by_path["/set"] == "Set it with allow_origins and remove it from the app."
    assert by_path["/stacked"] == "Write paths={'/*': None} for the outer one, to leave it to the inner one."


@pytest.mark.parametrize("value", FORGED, ids=ascii)
@pytest.mark.usefixtures("clock")
def test_no_attribute_forges_a_line(serve: Any, caplog: pytest.LogCaptureFixture, value: str) -> None:
    """No control character of a request is in an attribute."""
    served = serve(app=App(headers=[("access-control-allow-origin", "*")]), allow_origins=APP)
    served.request(path="/" + value, origin=value)
    served.request("DELETE", path="/" + value, origin=EVIL)
    served.request(path="/" + value, origin=APP)
    served.preflight(value, value, origin=APP, path="/" + value)
    shown = [str(getattr(record, name)) for record in caplog.records for name in ATTRIBUTES]
    assert len(caplog.records) >= 3
    assert [text for text in shown if not text.isprintable() or not text.isascii() or len(text) > 300] == []


def test_the_origin_is_a_repr(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Quotes within an origin stay within its quotes."""
    serve(allow_origins=APP).request(origin="https://a'b.net")
    assert """from origin "https://a'b.net" at""" in caplog.text


# -- headers that the app sets itself


def sets_own(**options: Any) -> Served:
    """An app that sets a header of the policy's."""
    return Served(
        "asgi", App(headers=[("access-control-allow-origin", "*"), ("access-control-max-age", "1")]), **options
    )


def test_overridden_headers(caplog: pytest.LogCaptureFixture) -> None:
    """Once per header name and policy a WARNING names the header, the first path and the option."""
    served = sets_own(allow_origins=APP)
    for path in ("/first", "/second"):
        served.request(path=path, origin=APP)
    assert logs.lines(caplog, WARNING) == [
        f"the app sets {name} itself (first at '/first'); the policy's value was sent instead."
        f" Set it with {option} and remove it from the app."
        for name, option in (("access-control-allow-origin", "allow_origins"), ("access-control-max-age", "max_age"))
    ]


def test_the_first_path_is_decoded(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Under WSGI, too, where a path comes as bytes in characters."""
    serve(app=App(headers=[("access-control-max-age", "1")]), allow_origins=APP).request(path="/caf\xe9", origin=APP)
    assert r"first at '/caf\xe9'" in caplog.text


def test_overridden_headers_of_policies_made_per_request(caplog: pytest.LogCaptureFixture) -> None:
    """A policy that `policy_for` makes anew for each request is the same policy: it warns once."""
    served = sets_own(allow_origins=EVIL, policy_for=lambda _: Policy(allow_origins=APP))
    for _ in range(3):
        served.request(origin=APP)
    assert len(logs.lines(caplog, WARNING)) == 2


def test_overridden_headers_are_remembered_within_bounds(caplog: pytest.LogCaptureFixture) -> None:
    """However many policies there are, a thousand are remembered and warned of."""
    ages = iter(range(2000))
    served = sets_own(allow_origins=EVIL, policy_for=lambda _: Policy(allow_origins=APP, max_age=next(ages)))
    for _ in range(700):
        served.request(origin=APP)
    assert len(logs.lines(caplog, WARNING)) == len(served.middleware.configuration.log._once) == 1000


def test_overridden_headers_while_the_level_is_off(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is remembered while WARNING is off."""
    served = sets_own(allow_origins=APP)
    caplog.set_level(logging.ERROR, logger="asgi_cors")
    served.request(path="/first", origin=APP)
    caplog.set_level(WARNING, logger="asgi_cors")
    served.request(path="/second", origin=APP)
    assert [("'/second'" in line) for line in logs.lines(caplog)] == [True, True]


def test_failures_while_the_level_is_off(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nor is a failure, while ERROR is."""
    served = serve(allow_origins=[fails])
    caplog.set_level(logging.CRITICAL, logger="asgi_cors")
    served.request(origin=EVIL)
    caplog.set_level(logging.ERROR, logger="asgi_cors")
    served.request(origin=EVIL)
    assert len(logs.lines(caplog, logging.ERROR)) == 1


def test_seen_without_any_set_up() -> None:
    """A mistake of set-up is printed to standard error by a program that does not set up logging; INFO is not."""
    program = (
        "from asgi_cors import WSGIMiddleware\n"
        f"app = WSGIMiddleware(lambda environ, start: start('200 OK', []) and [], allow_origins={APP!r})\n"
        "for origin in ('http://app.example.com', 'https://evil.example.net'):\n"
        "    app({'REQUEST_METHOD': 'GET', 'PATH_INFO': '/', 'HTTP_ORIGIN': origin}, lambda *_: list)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith("refused 'GET' from origin 'http://app.example.com' at '/'")
