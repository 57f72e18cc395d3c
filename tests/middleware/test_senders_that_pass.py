"""Requests that `csrf_protection` lets pass or refuses: caches, log and `on_decision` say the same of each of them."""

from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Decision, Outcome
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope
from tests.support.expected import APP, EVIL

HOST = ("host", "api.example.com")
BANK = "https://pay.example.org"
SITE = [HOST, ("sec-fetch-site", "cross-site")]
FORM = [*SITE, ("sec-fetch-mode", "navigate")]
OWN = [HOST, ("sec-fetch-site", "same-origin")]
ON: dict[str, Any] = {"allow_origins": APP, "csrf_protection": True}


def test_a_cached_refusal_is_not_sent_for_a_method_that_is_not_checked(serve: Any) -> None:
    client = serve(**ON)
    for method, status in (("POST", 403), ("TRACE", 200), ("POST", 403), ("TRACE", 200)):
        assert client.request(method, origin=EVIL, headers=SITE).status == status


@pytest.mark.parametrize("first", [[], [("referer", "null/x")]])
def test_a_referer_that_begins_with_null_is_not_the_page_of_null(serve: Any, first: list[tuple[str, str]]) -> None:
    client = serve(**ON)
    for headers, status in (([], 200), ([("referer", "null/x")], 403)) * 2:
        client.request("POST", origin="null", headers=[*OWN, *first])
        assert client.request("POST", origin="null", headers=[*OWN, *headers]).status == status


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        (SITE, {**ON, "csrf_trusted_origins": BANK}),
        (FORM, {**ON, "csrf_trusted_origins": BANK, "enforce": True}),
        (SITE, {"allow_origins": APP, "csrf_trusted_origins": BANK, "enforce": True}),
        (FORM, {**ON, "paths": {"/acs": {"csrf_protection": False}}}),
        (FORM, {"allow_origins": APP}),
        (FORM, {"allow_origins": APP, "report_only": {"allow_origins": BANK}}),
        (FORM, {"allow_origins": [APP, BANK], "report_only": {"allow_origins": APP}}),
    ],
    ids=["trusted", "and enforce", "enforce alone", "exempt path", "no option", "would allow", "would refuse"],
)
def test_a_request_that_passes_and_is_not_read_is_not_called_refused(
    serve: Any, headers: list[tuple[str, str]], options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="asgi_cors")
    decisions: list[Decision] = []
    client = serve(**options, on_decision=lambda decision, _scope: decisions.append(decision))
    responses = [client.request("POST", "/acs", origin=BANK, headers=headers) for _ in range(3)]
    assert [response.status for response in responses] == [200] * 3
    assert len({tuple(response.lines) for response in responses}) == 1
    assert [(each.refused, each.reason, each.report) for each in decisions] == [(False, None, None)] * 3
    assert caplog.records == []


def test_the_same_page_is_refused_if_a_script_of_it_reads_the_response(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A navigation leaves no cached decision for a script, and has the same headers."""
    caplog.set_level("INFO", logger="asgi_cors")
    outcomes: list[Outcome] = []
    client = serve(allow_origins=APP, on_decision=lambda decision, _scope: outcomes.append(decision.outcome))
    form, script = (client.request("POST", origin=BANK, headers=each) for each in (FORM, SITE))
    assert form.lines == script.lines
    assert outcomes == [Outcome.NOT_CORS, Outcome.REFUSED]
    (record,) = caplog.records
    assert "no entry allows the origin" in record.getMessage()


def test_enforce_refuses_a_form_of_another_site(serve: Any) -> None:
    client = serve(allow_origins=APP, enforce=True)
    assert [client.request("POST", origin=EVIL, headers=FORM).status for _ in range(2)] == [403, 403]


def test_a_report_that_changes_only_reading_ignores_forms_and_counts_scripts(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(allow_origins=[APP, BANK], report_only={"allow_origins": APP})
    for headers in (FORM, SITE, FORM):
        client.request("POST", origin=BANK, headers=headers)
    (record,) = caplog.records
    assert record.getMessage().startswith("report-only: would refuse 'POST' from origin 'https://pay.example.org'")


# -- what a refusal proposes

PROXY = "If the page is your own, a proxy changes Host. Write 'proxy_set_header Host $host'"


@pytest.mark.parametrize(
    ("origin", "host", "site"),
    [
        (EVIL, "api.example.com", "same-origin"),
        ("https://evil.co.uk", "shop.co.uk", "same-origin"),
        ("https://evil.github.io", "shop.github.io", "same-origin"),
        ("https://9.9.0.1", "8.8.0.1", "same-origin"),
        ("http://www.example.com", "web:8000", None),
    ],
    ids=["other site", "public suffix", "shared suffix", "address", "http, which can't be trusted"],
)
def test_an_origin_that_may_be_an_attackers_is_not_proposed(
    serve: Any, origin: str, host: str, site: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    headers = [("host", host), *([("sec-fetch-site", site)] if site else [])]
    response = serve(**ON).request("POST", origin=origin, headers=headers)
    hint = f"The Host received is {host!r}. {PROXY}."
    assert response.body.decode().splitlines()[1:] == [hint]
    (record,) = caplog.records
    assert record.cors_remedy == hint


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://www.example.co.uk", "api.example.co.uk"),
        ("https://api.example.com:8443", "api.example.com:9000"),
    ],
)
def test_an_origin_of_the_same_owner_is_proposed(serve: Any, origin: str, host: str) -> None:
    headers = [("host", host), ("sec-fetch-site", "same-origin")]
    body = serve(**ON).request("POST", origin=origin, headers=headers).body.decode()
    assert f"{PROXY}, or csrf_trusted_origins=[{origin!r}]." in body
    assert serve(**ON, csrf_trusted_origins=origin).request("POST", origin=origin, headers=headers).status == 200


FORWARDED = "Origin or Referer is that of another site, whose form a service worker of yours may have forwarded."


@pytest.mark.parametrize(
    ("origin", "headers", "remedy"),
    [
        ("https://api.example.com", [*OWN, ("referer", f"{EVIL}/")], FORWARDED),
        ("null", [*OWN, ("referer", f"{EVIL}/")], FORWARDED),
        (" null", SITE, "exempt the path: paths={'/path': {'csrf_protection': False}}."),
        ("http://evil.example", SITE, "serve it over https, and add 'https://evil.example' to csrf_trusted_origins."),
        ("junk", SITE, "No browser sends this origin. Correct the client."),
    ],
)
def test_a_remedy_is_one_that_a_policy_accepts_and_that_helps(
    serve: Any, origin: str, headers: list[tuple[str, str]], remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="asgi_cors")
    assert serve(**ON).request("POST", origin=origin, headers=headers).status == 403
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert record.getMessage().endswith(remedy)


def test_other_sites_leave_room_for_mistakes_of_the_set_up(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(**ON)
    for number in range(150):
        client.request("POST", origin=f"https://evil{number}.example", headers=OWN)
    assert len(caplog.records) == 50
    client.request("POST", origin=APP, headers=[*SITE, ("cookie", "a=b")])
    assert "Write allow_credentials=True" in caplog.records[-1].getMessage()


# -- names of headers in upper case, which ASGI forbids

ALLOWED = [HOST, ("origin", APP), ("sec-fetch-site", "cross-site"), ("referer", f"{APP}/")]
SENT_BY_OWN = [("origin", "https://api.example.com"), *OWN, ("referer", "https://api.example.com/")]


def status_of(middleware: CORSMiddleware, method: str, headers: list[tuple[str, str]]) -> int | None:
    """Return the status of a request with header names in this letter case."""
    lines = [(name.encode(), value.encode()) for name, value in headers]
    return call_asgi(middleware, {**http_scope(method, "/", []), "headers": lines}).status


@pytest.mark.parametrize(
    ("headers", "line", "options", "status"),
    [
        (ALLOWED, ("Cookie", "a=b"), ON, 403),
        (ALLOWED, ("Authorization", "Basic YQ=="), ON, 403),
        (ALLOWED, ("Origin", EVIL), ON, 403),
        (SENT_BY_OWN, ("Sec-Fetch-Site", "cross-site"), ON, 403),
        (SENT_BY_OWN, ("HOST", "evil.example"), ON, 403),
    ],
)
def test_a_line_in_upper_case_is_not_missed_by_the_caches(
    headers: list[tuple[str, str]], line: tuple[str, str], options: dict[str, Any], status: int
) -> None:
    middleware = CORSMiddleware(App().asgi, **options)
    for _ in range(3):
        assert status_of(middleware, "POST", headers) == 200
        assert status_of(middleware, "POST", [*headers, line]) == status


def test_credentials_in_upper_case_are_not_missed_by_the_cached_reports() -> None:
    reports: list[str | None] = []
    middleware = CORSMiddleware(
        App().asgi,
        allow_origins=APP,
        allow_credentials=True,
        report_only={"allow_credentials": False},
        on_decision=lambda decision, _: reports.append(decision.report),
    )
    for _ in range(3):
        status_of(middleware, "GET", [("origin", APP)])
        status_of(middleware, "GET", [("origin", APP), ("Cookie", "a=b")])
        status_of(middleware, "GET", [("origin", APP), ("Authorization", "Basic YQ==")])
    assert reports == [None, "would refuse", "would refuse"] * 3


def test_a_host_in_upper_case_is_not_missed_by_the_cached_refusals_of_enforce() -> None:
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, enforce=True)
    for _ in range(3):
        assert status_of(middleware, "GET", [HOST, ("origin", EVIL)]) == 403
        assert status_of(middleware, "GET", [("Host", EVIL.partition("//")[2]), ("origin", EVIL)]) == 200


def test_a_second_host_is_refused_where_a_path_is_passed_through() -> None:
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, paths={"/*": None}, allowed_hosts="api.example.com")
    for _ in range(3):
        assert status_of(middleware, "GET", [HOST]) == 200
        assert status_of(middleware, "GET", [HOST, HOST]) == 421


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_the_cached_reports_tell_credentials_of_the_browser_from_a_token(interface: str) -> None:
    reports: list[str | None] = []
    client = Client(
        interface,
        App(),
        allow_origins=APP,
        allow_credentials=True,
        report_only={"allow_credentials": False},
        on_decision=lambda decision, _: reports.append(decision.report),
    )
    for _ in range(3):
        client.request(origin=APP)
        client.request(origin=APP, headers=[("cookie", "a=b")])
        client.request(origin=APP, headers=[("authorization", "Basic YQ==")])
        client.request(origin=APP, headers=[("authorization", "Bearer token")])
    assert reports == [None, "would refuse", "would refuse", None] * 3
