"""`report_only`, and the value `"report"` of an option: nothing is applied, and each difference is reported."""

from typing import Any

import pytest

from asgi_cors import ConfigError, CORSMiddleware, Policy
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope, websocket_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL
from tests.support.logs import Clock

HOST = ("host", "api.example.com")
SITE = [HOST, ("sec-fetch-site", "cross-site")]
BOTH = [APP, EVIL]


class Reports(list[Any]):
    """The decisions of `on_decision`."""

    def __call__(self, decision: Any, _scope: Any) -> None:
        self.append(decision)

    @property
    def texts(self) -> list[str | None]:
        return [each.report for each in self]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("as_mapping", [True, False], ids=["merged over the base", "a policy"])
def test_a_stricter_policy_is_reported_and_not_applied(
    serve: Any, as_mapping: bool, caplog: pytest.LogCaptureFixture
) -> None:
    reports = Reports()
    base = Policy(allow_origins=BOTH, allow_methods="PUT")
    stricter: Any = {"allow_origins": APP} if as_mapping else base.replace(allow_origins=APP, name="next")
    client, plain = serve(base, report_only=stricter, on_decision=reports), serve(base)
    for _ in range(3):
        for origin in BOTH:
            assert client.request(origin=origin).lines == plain.request(origin=origin).lines
            assert client.preflight("PUT", origin=origin).lines == plain.preflight("PUT", origin=origin).lines
    assert reports.texts == [None, None, "would refuse", "would refuse"] * 3
    assert reports[2].report_only.reason == "MissingAllowOriginHeader"
    assert reports[3].report_only.reason == "PreflightMissingAllowOriginHeader"
    name = "" if as_mapping else " by policy 'next'"
    assert warnings_of(caplog) == [
        f"report-only: would refuse {what} from origin {EVIL!r} at '/'{name}: no entry allows the origin"
        f" ({reason})."
        f" If that page is yours, add {EVIL!r} to allow_origins."
        for what, reason in (
            ("'GET'", "MissingAllowOriginHeader"),
            ("a preflight for 'PUT'", "PreflightMissingAllowOriginHeader"),
        )
    ]


def test_a_wider_policy_is_reported_and_grants_nothing(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    reports = Reports()
    client = serve(allow_origins=APP, report_only={"allow_origins": BOTH}, on_decision=reports)
    for _ in range(2):
        assert client.request(origin=EVIL).cors == []
    assert reports.texts == ["would allow"] * 2
    assert [each.report_only.outcome for each in reports] == ["allowed"] * 2
    assert warnings_of(caplog) == [
        (
            f"report-only: would allow 'GET' from origin {EVIL!r} at '/': it is refused because no entry allows"
            " the origin (MissingAllowOriginHeader)."
        )
    ]


def test_a_method_and_a_header_that_would_be_refused_are_named(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(
        allow_origins=APP,
        allow_methods=["PUT", "PATCH"],
        allow_headers="x-a",
        report_only={"allow_methods": "PUT", "allow_headers": ()},
    )
    client.preflight("PUT", origin=APP)
    client.preflight("PATCH", origin=APP)
    client.preflight("PUT", "x-a", origin=APP)
    first, second = warnings_of(caplog)
    assert "(MethodDisallowedByPreflightResponse): 'PATCH'." in first
    assert "(HeaderDisallowedByPreflightResponse): 'x-a'." in second


def test_a_request_with_cookies_shows_that_credentials_would_be_refused(serve: Any) -> None:
    """Browsers block the response then. Without cookies, nothing differs."""
    reports = Reports()
    client = serve(
        allow_origins=APP, allow_credentials=True, report_only={"allow_credentials": False}, on_decision=reports
    )
    sent = [[HOST], [HOST, ("cookie", "a=1")], [("authorization", "Basic x")], [("authorization", "Bearer x")]]
    for _ in range(2):
        for headers in sent:
            client.request(origin=APP, headers=headers)
    assert reports.texts == [None, "would refuse", "would refuse", None] * 2
    assert reports[1].report_only.reason == "CredentialsNotAllowed"
    assert all(each.allowed for each in reports)


def test_a_cookie_header_in_upper_case_is_compared() -> None:
    """Some ASGI servers do not send names in lower case."""
    reports = Reports()
    middleware = CORSMiddleware(
        App().asgi,
        allow_origins=APP,
        allow_credentials=True,
        report_only={"allow_credentials": False},
        on_decision=reports,
    )
    for name in (b"accept", b"accept", b"Cookie"):
        call_asgi(middleware, {**http_scope("GET", "/", []), "headers": [(b"origin", APP.encode()), (name, b"a=1")]})
    assert reports.texts == [None, None, "would refuse"]


def test_reports_are_limited_and_none_is_made_if_their_level_is_off(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(allow_origins="*", report_only={"allow_origins": APP})
    caplog.set_level("ERROR", logger="asgi_cors")
    client.request(origin=EVIL, headers=SITE)
    caplog.set_level("WARNING", logger="asgi_cors")
    assert warnings_of(caplog) == []
    for number in range(80):
        client.request(origin=f"https://n{number}.evil.test", headers=SITE)
    assert len(warnings_of(caplog)) == 50


def test_a_request_of_the_same_origin_is_not_reported(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A page reads all responses of its own origin."""
    client = serve(allow_origins=[APP, "https://api.example.com"], report_only={"allow_origins": APP})
    for headers, count in (([HOST], 0), ([HOST, ("sec-fetch-site", "same-origin")], 0), (SITE, 1), ([HOST], 1)):
        client.request(origin="https://api.example.com", headers=headers)
        assert len(warnings_of(caplog)) == count


def test_a_protection_is_reported_before_it_is_turned_on(serve: Any) -> None:
    reports = Reports()
    client = serve(allow_origins=APP, report_only={"csrf_protection": True}, on_decision=reports)
    for _ in range(3):
        assert client.request("POST", origin=EVIL, headers=SITE).status == 200
        assert client.request("POST", origin=None, headers=[HOST]).status == 200
        assert client.request("GET", origin=EVIL, headers=SITE).status == 200
    assert reports.texts == ["would refuse", None, None] * 3
    assert client.reached == 9


def test_a_protection_that_is_turned_off_is_reported(serve: Any) -> None:
    reports = Reports()
    client = serve(allow_origins=APP, csrf_protection=True, report_only={"csrf_protection": False}, on_decision=reports)
    for _ in range(2):
        assert client.request("POST", origin=EVIL, headers=SITE).status == 403
    assert reports.texts == ["would allow"] * 2


def test_enforce_report_refuses_nothing(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    reports = Reports()
    client = serve(allow_origins=APP, enforce="report", on_decision=reports)
    same = ("sec-fetch-site", "same-origin")
    for _ in range(2):
        for headers in ([HOST], [HOST, same]):
            assert client.request("POST", origin=EVIL, headers=headers).status == 200
        assert client.request("GET", headers=[HOST]).status == 200
    assert reports.texts == ["would refuse", None, None] * 2
    assert len(warnings_of(caplog)) == 1


@pytest.mark.parametrize("check", [True, False])
def test_enforce_report_accepts_handshakes_that_are_not_checked(check: bool, caplog: pytest.LogCaptureFixture) -> None:
    reports = Reports()
    middleware = CORSMiddleware(
        App().asgi, allow_origins=APP, enforce="report", check_websockets=check, on_decision=reports
    )
    response = call_asgi(middleware, websocket_scope("/", [HOST, ("origin", EVIL)]))
    assert response.messages[0]["type"] == ("websocket.close" if check else "websocket.accept")
    assert reports.texts == ([None] if check else ["would refuse"])
    lines = [record.getMessage() for record in caplog.records]
    assert [line.startswith("refused") for line in lines] == ([] if check else [False])


def test_a_handshake_is_compared(caplog: pytest.LogCaptureFixture) -> None:
    middleware = CORSMiddleware(App().asgi, allow_origins=BOTH, report_only={"allow_origins": APP})
    for _ in range(2):
        response = call_asgi(middleware, websocket_scope("/", [HOST, ("origin", EVIL)]))
        assert response.messages[0]["type"] == "websocket.accept"
    (line,) = warnings_of(caplog)
    assert line.startswith(f"report-only: would refuse a WebSocket handshake from origin {EVIL!r}")


def test_only_requests_of_the_base_policy_are_compared(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(
        allow_origins=BOTH,
        report_only={"allow_origins": APP},
        paths={"/own": {"max_age": 5}, "/raw": None},
    )
    for path in ("/own", "/raw"):
        client.request(path=path, origin=EVIL)
    assert warnings_of(caplog) == []
    client.request(path="/base", origin=EVIL)
    assert len(warnings_of(caplog)) == 1


def test_any_origin_is_compared_for_each_origin(serve: Any) -> None:
    """The response of `*` is the same for every origin, but the comparison is not."""
    reports = Reports()
    client = serve(allow_origins="*", report_only={"allow_origins": APP}, on_decision=reports)
    for _ in range(2):
        for origin in (None, APP, EVIL):
            client.request(origin=origin, headers=SITE)
    assert reports.texts == [None, None, "would refuse"] * 2


def test_any_origin_is_compared_without_on_decision(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(allow_origins="*", report_only={"allow_origins": APP})
    for origin in (None, APP, APP, EVIL, EVIL):
        client.request(origin=origin, headers=SITE)
    assert len(warnings_of(caplog)) == 1


@pytest.mark.parametrize("kind", ["sync", "async", "raises"])
def test_callables_of_the_reported_policy_are_called_and_decide_nothing(serve: Any, kind: str) -> None:
    calls: list[str] = []

    def look_up(origin: str) -> bool:
        calls.append(origin)
        if kind == "raises":
            raise RuntimeError("no database")
        return origin == APP

    async def later(origin: str) -> bool:
        return look_up(origin)

    reports = Reports()
    entry = later if kind == "async" else look_up
    client = serve(allow_origins=BOTH, report_only={"allow_origins": [entry]}, on_decision=reports, run=run_asyncio)
    for _ in range(2):
        for origin in BOTH:
            assert client.request(origin=origin, headers=SITE).cors != []
    expected = "would refuse" if kind == "raises" else None
    assert reports.texts == [expected, "would refuse"] * 2
    assert calls == BOTH * 2


def test_a_difference_is_logged_again_after_a_minute_although_the_response_is_cached(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(allow_origins=BOTH, report_only={"allow_origins": APP})
    clock = Clock()
    log = client.middleware.configuration.log
    log.clock = log._refusals._clock = clock
    client.middleware.reconfigure(report_only={"allow_origins": APP})
    for now, count in ((0.0, 1), (30.0, 1), (61.0, 2), (62.0, 2)):
        clock.now = now
        client.request(origin=EVIL, headers=SITE)
        assert len(warnings_of(caplog)) == count


def test_a_mapping_is_merged_over_the_base_policy_of_reconfigure(serve: Any) -> None:
    reports = Reports()
    client = serve(allow_origins=APP, report_only={"allow_methods": ()}, on_decision=reports)
    client.middleware.reconfigure(allow_origins=EVIL, allow_methods="PUT")
    client.preflight("PUT", origin=EVIL)
    client.request(origin=EVIL)
    assert reports.texts == ["would refuse", None]
    client.middleware.reconfigure(report_only=None)
    client.preflight("PUT", origin=EVIL)
    assert reports.texts[2:] == [None]


def test_an_attribute_names_each_part_of_a_report(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    stricter = Policy(allow_origins=APP, name="next")
    serve(allow_origins=BOTH, report_only=stricter).request(path="/a", origin=EVIL, headers=SITE)
    (record,) = caplog.records
    names = ("origin", "method", "path", "policy", "reason", "remedy")
    assert {name: getattr(record, f"cors_{name}") for name in names} == {
        "origin": EVIL,
        "method": "GET",
        "path": "/a",
        "policy": "next",
        "reason": "MissingAllowOriginHeader",
        "remedy": f"If that page is yours, add {EVIL!r} to allow_origins.",
    }


def test_nothing_is_reported_if_the_policy_cannot_be_found(serve: Any) -> None:
    def fails(_: Any) -> Policy:
        raise RuntimeError("no database")

    reports = Reports()
    client = serve(allow_origins=APP, report_only={"allow_origins": EVIL}, policy_for=fails, on_decision=reports)
    client.request(origin=APP)
    assert reports.texts == [None]


def test_no_request_can_forge_a_line_of_a_report(caplog: pytest.LogCaptureFixture) -> None:
    client = Client("asgi", App(), allow_origins="*", report_only={"allow_origins": APP})
    client.request(path="/\nrefused", origin="https://a\nrefused.test", headers=[HOST])
    assert all(len(record.getMessage().splitlines()) == 1 for record in caplog.records)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (5, "wrong-type"),
        (True, "wrong-type"),
        ("report", "wrong-type"),
        ({"allow_orgins": APP}, "unknown-option"),
        ({"allow_origins": "https://a.com/"}, "origin-trailing-slash"),
    ],
)
def test_an_invalid_policy_to_report_is_refused(value: Any, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(App().asgi, allow_origins=APP, report_only=value)
    (issue,) = caught.value.issues
    assert (issue.code, issue.option.startswith("report_only")) == (code, True)
