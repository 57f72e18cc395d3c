"""The logger's lines: their text, level, rate and attributes."""

import ast
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy, Request, decide
from asgi_cors._configuration.log import WINDOW
from asgi_cors._configuration.refusal_records import ATTRIBUTES
from asgi_cors._origins.origin_set import closest_origin
from tests.support import logs
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, websocket_scope
from tests.support.expected import APP, EVIL
from tests.support.policies import policy_without_warnings

INFO, WARNING = logging.INFO, logging.WARNING


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[logs.Clock]:
    """Freeze the clock of every middleware that the test builds, until the test moves it."""
    with logs.held(monkeypatch) as held:
        yield held


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="asgi_cors")


WWW = "https://www.example.com"
LOCAL, LOOPBACK = "http://localhost:5173", "http://127.0.0.1:5173"

# id, allow_origins, Origin, level, words of the line
ORIGINS: list[tuple[str, Any, str, int, list[str]]] = [
    ("an unrelated origin", APP, EVIL, INFO, [EVIL, "/path"]),
    ("http instead of https", APP, APP.replace("https", "http"), WARNING, [APP, "http, not https"]),
    ("https instead of http", LOCAL, "https://localhost:5173", WARNING, [LOCAL, "https, not http"]),
    ("a port instead of the default one", APP, f"{APP}:8443", WARNING, [APP, "port 8443, not the default port"]),
    ("the default port instead of another", f"{APP}:8443", APP, WARNING, [f"{APP}:8443", "the default port, not 8443"]),
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
    ("http if any port of https is allowed", "https://localhost:*", LOCAL, WARNING, ["http, not https"]),
    ("https if any port of http is allowed", "http://localhost:*", "https://localhost:3000", WARNING, ["https"]),
    ("localhost instead of 127.0.0.1", LOOPBACK, LOCAL, WARNING, [LOOPBACK, "localhost, not 127.0.0.1"]),
    ("127.0.0.1 instead of localhost", LOCAL, LOOPBACK, WARNING, [LOCAL, "127.0.0.1, not localhost"]),
    ("[::1] instead of localhost", LOCAL, "http://[::1]:5173", WARNING, [LOCAL, "[::1], not localhost"]),
    ("127.0.0.1 instead of [::1]", "http://[::1]:5173", LOOPBACK, WARNING, ["127.0.0.1, not [::1]"]),
    ("www. added", "https://example.com", WWW, WARNING, ["https://example.com", "with 'www.'."]),
    ("www. missing", WWW, "https://example.com", WARNING, [WWW, "without 'www.'."]),
    (
        "a subdomain of an allowed host",
        "https://example.com",
        "https://shop.example.com",
        WARNING,
        ["https://example.com", "a subdomain of it"],
    ),
    ("a deeper subdomain", "https://example.com", "https://a.b.example.com", WARNING, ["a subdomain of it"]),
    (
        "the parent domain of a pattern",
        "https://*.example.com",
        "https://example.com",
        WARNING,
        ["https://*.example.com", "the domain itself, not a subdomain"],
    ),
    ("upper case", APP, APP.replace("app", "App"), WARNING, [APP, "letter case"]),
    ("a final slash", APP, f"{APP}/", WARNING, [APP, "a final slash"]),
    ("white space", APP, f"\x0b{APP}", WARNING, [APP, "white space"]),
    ("null", APP, "null", INFO, ["null"]),
    ("an invalid origin", APP, "garbage", INFO, ["garbage"]),
    ("a scheme other than http and https", APP, "app://app.example.com", INFO, ["app://app.example.com"]),
    ("an unrelated host of one label", APP, "https://intranet", INFO, ["https://intranet"]),
]


@pytest.mark.parametrize(
    ("allowed", "origin", "level", "words"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS]
)
@pytest.mark.usefixtures("clock")
def test_a_refused_origin_is_a_warning_if_an_entry_is_close_and_info_otherwise(
    serve: Any, caplog: pytest.LogCaptureFixture, allowed: Any, origin: str, level: int, words: list[str]
) -> None:
    serve(allow_origins=[allowed, "https://other.example.org"]).request(path="/path", origin=origin)
    (line,) = logs.lines(caplog)
    assert logs.lines(caplog, level) == [line]
    assert [word for word in [*words, repr(origin)] if word not in line] == []


REFUSED_PARTS: list[tuple[str, str, str | None, list[str]]] = [
    ("method", "PUT", None, ["PUT", "MethodDisallowedByPreflightResponse"]),
    ("header", "GET", "x-id", ["x-id", "HeaderDisallowedByPreflightResponse"]),
]


@pytest.mark.parametrize(
    ("method", "headers", "words"), [row[1:] for row in REFUSED_PARTS], ids=[row[0] for row in REFUSED_PARTS]
)
@pytest.mark.usefixtures("clock")
def test_a_method_or_header_refused_to_an_allowed_origin_is_a_warning_with_the_reason(
    serve: Any, caplog: pytest.LogCaptureFixture, method: str, headers: str | None, words: list[str]
) -> None:
    serve(allow_origins=APP).preflight(method, headers, origin=APP, path="/path")
    (line,) = logs.lines(caplog, WARNING)
    assert [word for word in [*words, repr(APP), "/path"] if word not in line] == []


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("method", "headers"), [("A B", None), ("GET", "x y")], ids=["method", "header"])
def test_a_malformed_preflight_of_an_allowed_origin_is_info_without_a_suggestion(
    serve: Any, caplog: pytest.LogCaptureFixture, method: str, headers: str | None
) -> None:
    serve(allow_origins=["https://*.example.com"]).preflight(method, headers, origin=APP)
    (line,) = logs.lines(caplog, INFO)
    assert "Did you mean" not in line


@pytest.mark.usefixtures("clock")
def test_allowed_requests_and_requests_without_origin_are_not_logged(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(allow_origins=APP)
    client.request(origin=APP)
    client.preflight(origin=APP)
    client.request()
    assert logs.lines(caplog) == []
    client.request(origin=EVIL)
    assert len(logs.lines(caplog)) == 1


def test_a_refusal_is_logged_once_a_minute_per_origin_and_cause(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    client = serve(allow_origins=APP)
    for _ in range(5):
        client.request(origin=EVIL)
    assert len(logs.lines(caplog)) == 1
    client.preflight(origin=EVIL)
    assert len(logs.lines(caplog)) == 2
    client.request(origin="https://other.evil.net")
    assert len(logs.lines(caplog)) == 3
    clock.now += 61
    client.request(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 3
    client.preflight(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 4


@pytest.mark.parametrize("start", [0, 1, 30, 59, 61], ids=lambda start: f"after {start} s")
def test_the_minute_of_a_refusal_begins_with_its_own_line(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock, start: int
) -> None:
    client = serve(allow_origins=APP)
    client.request(origin="https://first.evil.net")
    clock.now += start
    client.request(origin=EVIL)
    clock.now += 59
    client.request(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 1
    clock.now += 1
    client.request(origin=EVIL)
    assert len([line for line in logs.lines(caplog) if EVIL in line]) == 2


def lines_of_other_sites(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in logs.lines(caplog) if "evil.net" in line]


def test_at_most_50_other_sites_are_logged_a_minute_and_one_line_counts_the_rest(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    client = serve(allow_origins=APP)
    for number in range(250):
        client.request(origin=f"https://n{number}.evil.net")
    assert lines_of_other_sites(caplog) == logs.lines(caplog, INFO)
    assert len(lines_of_other_sites(caplog)) == 50
    clock.now += 61
    client.request(origin="https://later.evil.net")
    *_, last, summary, later = logs.lines(caplog)
    assert "https://n49.evil.net" in last
    assert "200 more refusals" in summary
    assert "https://later.evil.net" in later
    assert summary in logs.lines(caplog, INFO)
    clock.now += 61
    client.request(origin="https://later.evil.net")
    assert len([line for line in logs.lines(caplog) if "more refusals" in line]) == 1


def test_50_warnings_are_logged_after_refusals_of_1000_other_sites(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: Any
) -> None:
    del clock
    client = serve(allow_origins=APP)
    for number in range(1000):
        client.request(origin=f"https://n{number}.evil.net")
    for number in range(60):
        client.preflight("GET", f"x-{number}", origin=APP)
    assert [len(logs.lines(caplog, level)) for level in (INFO, WARNING)] == [50, 50]


def test_warnings_that_any_site_can_cause_under_a_wildcard_take_at_most_50_lines(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: Any
) -> None:
    del clock
    client = serve(allow_origins=APP, paths={"/open": Policy(allow_origins="*")})
    for number in range(200):
        client.preflight("GET", f"x-{number}", origin=EVIL, path="/open")
    client.preflight("PUT", origin=APP)
    lines = logs.lines(caplog, WARNING)
    assert len(lines) == 51
    assert "allow_methods" in lines[-1]


def test_100_warnings_are_logged_a_minute_and_the_line_that_counts_the_rest_is_a_warning(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: Any
) -> None:
    client = serve(allow_origins=APP)
    for number in range(130):
        client.preflight("GET", f"x-{number}", origin=APP)
    client.request(origin=EVIL)
    assert [len(logs.lines(caplog, level)) for level in (INFO, WARNING)] == [0, 100]
    clock.now += 60
    client.request(origin=EVIL)
    assert "31 more refusals" in logs.lines(caplog, WARNING)[-1]


def test_other_sites_are_not_remembered_or_counted_if_info_is_off(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    caplog.set_level(WARNING, logger="asgi_cors")
    client = serve(allow_origins=APP, on_decision=lambda *_: None)  # nothing is cached
    for number in range(200):
        client.request(origin=f"https://n{number}.evil.net")
    for number in range(100):
        client.preflight("GET", f"x-{number}", origin=APP)
    clock.now += 60
    client.preflight("PUT", origin=APP)
    assert len(logs.lines(caplog)) == 101


@pytest.mark.usefixtures("clock")
def test_a_long_origin_is_truncated_to_200_characters(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
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
def test_control_characters_of_an_origin_are_escaped(serve: Any, caplog: pytest.LogCaptureFixture, value: str) -> None:
    serve(allow_origins=APP).request(path="/a", origin=value)
    assert [line for line in logs.lines(caplog) if not line.isprintable()] == []
    assert logs.lines(caplog)


@pytest.mark.parametrize("value", FORGED, ids=ascii)
@pytest.mark.usefixtures("clock")
def test_control_characters_of_a_path_requested_method_or_requested_header_are_escaped(
    serve: Any, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    client = serve(allow_origins=APP)
    client.request(path="/" + value, origin=EVIL)
    client.preflight(value, value, origin=APP, path="/" + value)
    assert logs.lines(caplog)
    assert [line for line in logs.lines(caplog) if not line.isprintable()] == []


def logger_level(caplog: pytest.LogCaptureFixture, *, on: bool) -> None:
    """Switch INFO by the level of the logger itself."""
    caplog.set_level(INFO if on else logging.ERROR, logger="asgi_cors")


def root_level(caplog: pytest.LogCaptureFixture, *, on: bool) -> None:
    """Switch INFO by the level of the root logger."""
    caplog.set_level(logging.NOTSET, logger="asgi_cors")
    caplog.set_level(INFO if on else WARNING)


def disable_logging(caplog: pytest.LogCaptureFixture, *, on: bool) -> None:
    """Switch INFO by `logging.disable`."""
    caplog.set_level(INFO, logger="asgi_cors")
    logging.disable(logging.NOTSET if on else WARNING)


@pytest.mark.parametrize("switch", [logger_level, root_level, disable_logging])
def test_a_refusal_is_logged_a_minute_after_its_level_is_switched_on(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock, switch: Any
) -> None:
    client = serve(allow_origins=APP)
    switch(caplog, on=False)
    for number in range(200):
        client.request(origin=f"https://n{number}.evil.net")
    for _ in range(2):
        client.request(origin=EVIL)
        client.preflight(origin=EVIL)
    assert logs.lines(caplog) == []
    switch(caplog, on=True)
    clock.now += WINDOW
    client.request(origin=EVIL)
    client.preflight(origin=EVIL)
    assert [EVIL in line for line in logs.lines(caplog)] == [True, True]


@pytest.mark.usefixtures("clock")
def test_an_origin_callable_is_not_called_with_variants_of_the_origin(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[str] = []
    client = serve(allow_origins=[APP, lambda origin: bool(received.append(origin))])
    client.request(origin=APP.replace("https", "http"))
    assert received == [APP.replace("https", "http")]
    assert logs.lines(caplog, WARNING)


@pytest.mark.parametrize(
    "origin",
    [row[2] for row in ORIGINS] + ["https://www.a.b.c.d.e.f.example.org:81", "HTTPS://www.a.b.c.d.example.org:81"],
)
def test_the_search_for_the_closest_entry_takes_at_most_12_set_look_ups(origin: str) -> None:
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


def call_websocket(app: Any, path: str, *headers: tuple[str, str], **more: Any) -> None:
    call_asgi(app, websocket_scope(path, headers, **more))


def test_a_refused_handshake_is_logged_besides_a_get_of_the_same_origin(
    caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    del clock
    client = Client("asgi", App(), allow_origins=APP)
    for _ in range(2):
        client.request(path="/chat", origin=EVIL)
        call_websocket(client.middleware, "/chat", ("origin", EVIL))
    get, handshake = logs.lines(caplog)
    assert get.startswith(f"refused 'GET' from origin {EVIL!r} at '/chat': ")
    assert handshake.startswith(f"refused a WebSocket handshake from origin {EVIL!r} at '/chat': ")


def test_a_handshake_with_a_proxy_upstream_as_host_is_a_warning_with_the_proxy_setting(
    caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    del clock
    client = Client("asgi", App(), allow_origins=APP)
    call_websocket(client.middleware, "/chat", ("origin", "https://own.example.org"), ("host", "upstream:8000"))
    (line,) = logs.lines(caplog, WARNING)
    assert line.endswith("Write 'proxy_set_header Host $host' there.")


def test_a_handshake_refused_for_its_cookies_is_a_warning_that_proposes_allow_credentials(
    caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    del clock
    client = Client("asgi", App(), allow_origins="*")
    call_websocket(client.middleware, "/chat", ("origin", EVIL), ("cookie", "sid=1"), ("host", "a.net"))
    (line,) = logs.lines(caplog, WARNING)
    assert line.endswith("Write allow_credentials=True and name the origins, because '*' is refused with it.")


@pytest.mark.usefixtures("clock")
def test_at_most_100_refusals_are_remembered(serve: Any) -> None:
    client = serve(allow_origins=APP)
    for number in range(1000):
        client.request(origin=f"https://n{number}.evil.net")
        client.request(origin=f"{APP}:{number + 1}")
    assert len(client.middleware.configuration.log._refusals) == 100


# -- corrections

WITH = {"allow_credentials": True}
# id, options, requested method, requested headers, origin, end of the line
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
    ("a method in lower case, not allowed", {}, "patch", None, APP, "Write allow_methods=['PATCH']."),
    (
        "a forbidden method",
        {"allow_methods": "*"},
        "TRACE",
        None,
        APP,
        "No browser sends this method. Correct the client.",
    ),
    ("a method with a wildcard", {}, "*", None, APP, "Use a method without '*' in its name."),
    ("a very long method", {}, "X" * 3000, None, APP, "Add it to allow_methods."),
    ("a header", {}, "GET", "x-id", APP, "Write allow_headers=['x-id']."),
    ("one more header", {"allow_headers": ["x-a"]}, "GET", "x-a,x-b", APP, "Write allow_headers=['x-a', 'x-b']."),
    ("a very long header", {}, "GET", "x" * 3000, APP, "Add it to allow_headers."),
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
        "http with credentials, allowed by dangerously_allow",
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
        "a very long origin",
        {},
        "GET",
        None,
        f"https://{'x' * 150}.net",
        "If that page is yours, add its origin to allow_origins.",
    ),
    ("an invalid origin", {}, "GET", None, "garbage", "No browser sends this origin. Correct the client."),
]


@pytest.mark.parametrize(
    ("options", "method", "headers", "origin", "end"),
    [row[1:] for row in CORRECTIONS],
    ids=[row[0] for row in CORRECTIONS],
)
@pytest.mark.usefixtures("clock")
def test_a_line_ends_with_a_correction_that_is_accepted_and_allows_the_request(
    serve: Any,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    method: str,
    headers: str | None,
    origin: str,
    end: str,
) -> None:
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
    if "in the page's script" in record.getMessage():
        method = method.upper()
    request = Request("OPTIONS", origin.encode(), method.encode(), headers.encode() if headers else None)
    assert decide(policy_without_warnings(**corrected), request).allowed


@pytest.mark.usefixtures("clock")
def test_an_ambiguous_path_is_logged_with_the_advice_to_use_the_spelling_of_its_rule(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    serve(allow_origins=APP, paths={"/a/*": None}).request(path="/a/../b", origin=APP)
    (line,) = logs.lines(caplog)
    assert "(AmbiguousPath)" in line
    assert line.endswith("Request the path exactly as its rule spells it.")


def fails(_: Any) -> Any:
    """Raise, as a callable whose database is down."""
    raise RuntimeError("no database")


@pytest.mark.parametrize(
    "options", [{"allow_origins": [fails]}, {"allow_origins": APP, "policy_for": fails}], ids=["origin", "policy"]
)
@pytest.mark.usefixtures("clock")
def test_a_failed_look_up_is_an_error_once_and_its_refusal_is_info(
    serve: Any, caplog: pytest.LogCaptureFixture, options: dict[str, Any]
) -> None:
    """The refusal is INFO because any site can cause it."""
    client = serve(**options)
    for _ in range(2):
        client.request(origin=EVIL)
    error, refusal = caplog.records
    assert (error.levelname, refusal.levelname) == ("ERROR", "INFO")
    assert "no database" in error.getMessage()
    assert refusal.getMessage().endswith("Correct the error that the logger asgi_cors reports for it.")


# -- attributes of the records


@pytest.mark.usefixtures("clock")
def test_a_refusal_has_origin_method_path_policy_reason_and_remedy_as_attributes(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(allow_origins=APP, paths={"/items": {"name": "public"}})
    client.preflight("PUT", origin=APP, path="/items")
    client.request("DELETE", origin=EVIL)
    assert [[getattr(record, name) for name in ATTRIBUTES] for record in caplog.records] == [
        [APP, "PUT", "/items", "public", "MethodDisallowedByPreflightResponse", "Write allow_methods=['PUT']."],
        [
            EVIL,
            "DELETE",
            "/",
            "",
            "MissingAllowOriginHeader",
            f"If that page is yours, add {EVIL!r} to allow_origins.",
        ],
    ]


def test_the_method_attribute_of_a_handshake_is_websocket_handshake(caplog: pytest.LogCaptureFixture) -> None:
    call_websocket(Client("asgi", App(), allow_origins=APP).middleware, "/chat", ("origin", EVIL))
    (record,) = caplog.records
    assert (record.cors_method, record.cors_path) == ("WebSocket handshake", "/chat")  # type: ignore[attr-defined]


def test_a_formatter_can_name_each_attribute_for_every_record(
    serve: Any, caplog: pytest.LogCaptureFixture, clock: logs.Clock
) -> None:
    app = App(headers=[("access-control-allow-origin", "*")])
    client = Client("asgi", app, allow_origins=[APP, fails])
    client.request(path="/set", origin=APP)
    client.middleware = CORSMiddleware(client.middleware, allow_origins=[APP])
    client.request(path="/stacked", origin=APP)
    serve(allow_origins=[fails]).request(origin=EVIL)
    other = serve(allow_origins=[APP])
    for number in range(150):
        other.request(origin=f"https://n{number}.evil.net")
    clock.now += 61
    other.request(origin=EVIL)
    logging.getLogger("asgi_cors").debug("from elsewhere")
    formatter = logging.Formatter(" ".join(f"%({name})s" for name in ATTRIBUTES))
    assert all(formatter.format(record) is not None for record in caplog.records)
    words = ("sets", "two CORS", "look an origin up", "more refusals", "elsewhere")
    assert [word for word in words if not any(word in line for line in logs.lines(caplog))] == []
    by_path = {record.cors_path: record.cors_remedy for record in reversed(caplog.records)}  # type: ignore[attr-defined]
    assert by_path["/set"] == "Set it with allow_origins and remove it from the app."
    assert by_path["/stacked"] == "Write paths={'/*': None} for the outer one, to leave it to the inner one."


@pytest.mark.parametrize("value", FORGED, ids=ascii)
@pytest.mark.usefixtures("clock")
def test_control_characters_of_a_request_are_escaped_in_attributes(
    serve: Any, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    client = serve(app=App(headers=[("access-control-allow-origin", "*")]), allow_origins=APP)
    client.request(path="/" + value, origin=value)
    client.request("DELETE", path="/" + value, origin=EVIL)
    client.request(path="/" + value, origin=APP)
    client.preflight(value, value, origin=APP, path="/" + value)
    shown = [str(getattr(record, name)) for record in caplog.records for name in ATTRIBUTES]
    assert len(caplog.records) >= 3
    assert [text for text in shown if not text.isprintable() or not text.isascii() or len(text) > 300] == []


def test_an_origin_with_a_quote_is_logged_as_its_repr(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve(allow_origins=APP).request(origin="https://a'b.net")
    assert """from origin "https://a'b.net" at""" in caplog.text


# -- headers that the app sets itself


def overriding_client(**options: Any) -> Client:
    """Serve an app that sets two headers of its policy itself."""
    return Client(
        "asgi", App(headers=[("access-control-allow-origin", "*"), ("access-control-max-age", "1")]), **options
    )


def test_an_overridden_header_is_a_warning_once_with_the_first_path_and_the_option(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = overriding_client(allow_origins=APP)
    for path in ("/first", "/second"):
        client.request(path=path, origin=APP)
    assert logs.lines(caplog, WARNING) == [
        f"the app sets {name} itself (first at '/first'); the policy's value was sent instead."
        f" Set it with {option} and remove it from the app."
        for name, option in (("access-control-allow-origin", "allow_origins"), ("access-control-max-age", "max_age"))
    ]


def test_the_first_path_of_an_overridden_header_is_decoded(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """WSGI passes the bytes of a path as Latin-1 characters."""
    serve(app=App(headers=[("access-control-max-age", "1")]), allow_origins=APP).request(path="/caf\xe9", origin=APP)
    assert r"first at '/caf\xe9'" in caplog.text


def test_equal_policies_of_policy_for_warn_once_of_an_overridden_header(caplog: pytest.LogCaptureFixture) -> None:
    client = overriding_client(allow_origins=EVIL, policy_for=lambda _: Policy(allow_origins=APP))
    for _ in range(3):
        client.request(origin=APP)
    assert len(logs.lines(caplog, WARNING)) == 2


def test_at_most_1000_overridden_headers_are_remembered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    ages = iter(range(2000))
    client = overriding_client(allow_origins=EVIL, policy_for=lambda _: Policy(allow_origins=APP, max_age=next(ages)))
    for _ in range(700):
        client.request(origin=APP)
    assert len(logs.lines(caplog, WARNING)) == len(client.middleware.configuration.log._overridden) == 1000


def test_an_overridden_header_is_logged_after_warning_is_switched_on(caplog: pytest.LogCaptureFixture) -> None:
    client = overriding_client(allow_origins=APP)
    caplog.set_level(logging.ERROR, logger="asgi_cors")
    client.request(path="/first", origin=APP)
    caplog.set_level(WARNING, logger="asgi_cors")
    client.request(path="/second", origin=APP)
    assert [("'/second'" in line) for line in logs.lines(caplog)] == [True, True]


def test_a_failure_is_logged_after_error_is_switched_on(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(allow_origins=[fails])
    caplog.set_level(logging.CRITICAL, logger="asgi_cors")
    client.request(origin=EVIL)
    caplog.set_level(logging.ERROR, logger="asgi_cors")
    client.request(origin=EVIL)
    assert len(logs.lines(caplog, logging.ERROR)) == 1


def test_a_program_without_logging_set_up_prints_warnings_but_not_info() -> None:
    program = (
        "from asgi_cors import WSGIMiddleware\n"
        f"app = WSGIMiddleware(lambda environ, start: start('200 OK', []) and [], allow_origins={APP!r})\n"
        "for origin in ('http://app.example.com', 'https://evil.example.net'):\n"
        "    app({'REQUEST_METHOD': 'GET', 'PATH_INFO': '/', 'HTTP_ORIGIN': origin}, lambda *_: list)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith("refused 'GET' from origin 'http://app.example.com' at '/'")
