"""`csrf_protection` and `csrf_trusted_origins` over ASGI and WSGI: which requests reach the app, and the responses."""

import re
from typing import Any

import pytest

from asgi_cors import Cached, CORSMiddleware, Policy, Tenants, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, http_scope, websocket_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, VARY, origin_line

HOST = ("host", "api.example.com")
SELF = "https://api.example.com"
BANK = "https://pay.example.org"
SITE = [HOST, ("sec-fetch-site", "cross-site")]
OWN = [HOST, ("sec-fetch-site", "same-origin")]
ON: dict[str, Any] = {"allow_origins": APP, "csrf_protection": True}


def test_a_forged_request_gets_403_and_does_not_reach_the_app(serve: Any) -> None:
    client = serve(**ON)
    for _ in range(3):
        response = client.request("POST", origin=EVIL, headers=SITE)
        assert response.status == 403
        assert response.lines == sorted(
            [
                "cache-control: no-store",
                f"content-length: {len(response.body)}",
                "content-type: text/plain; charset=utf-8",
                VARY,
            ]
        )
        assert response.body == (
            b"Refused by the CORS policy: another site may have forged the request (CrossSiteRequest).\n"
        )
    assert client.reached == 0


def test_the_requests_of_the_servers_own_pages_and_of_other_clients_reach_the_app(serve: Any) -> None:
    client = serve(**ON)
    sent: list[tuple[Any, list[tuple[str, str]]]] = [
        (None, [HOST]),
        (SELF, [HOST]),
        (SELF, [*OWN, ("referer", f"{SELF}/form")]),
        ("null", OWN),
        (None, [HOST, ("sec-fetch-site", "none")]),
    ]
    for _ in range(3):
        assert [client.request("POST", origin=origin, headers=headers).status for origin, headers in sent] == [200] * 5
    assert client.reached == 15


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_methods_that_read_reach_the_app(serve: Any, method: str) -> None:
    client = serve(**ON)
    assert [client.request(method, origin=EVIL, headers=SITE).status for _ in range(2)] == [200, 200]


def test_a_post_is_refused_after_the_get_of_the_same_page_is_cached(serve: Any) -> None:
    client = serve(**ON)
    methods = ["GET", "GET", "POST", "HEAD", "POST", "PUT", "GET", "DELETE"]
    statuses = [client.request(method, origin=EVIL, headers=SITE).status for method in methods]
    assert statuses == [200, 200, 403, 200, 403, 403, 200, 403]


def test_a_refusal_has_the_cors_headers_that_the_origin_gets_anyway(serve: Any) -> None:
    """The page may read why its request was refused."""
    client = serve(**ON)
    for _ in range(2):
        response = client.request("POST", origin=APP, headers=[*SITE, ("cookie", "session=1")])
        assert (response.status, response.cors) == (403, [origin_line(APP)])
        assert client.request("POST", origin=APP, headers=SITE).status == 200


def test_the_refusal_of_a_head_like_request_has_no_body() -> None:
    """HEAD itself is never refused by this option, but by `enforce` and `allowed_hosts`."""
    client = Client("asgi", App(), allow_origins=APP, enforce=True)
    response = client.request("HEAD", origin=EVIL, headers=[HOST])
    assert (response.status, response.body) == (403, b"")


@pytest.mark.parametrize(
    ("credentials", "passes"),
    [
        ([], True),
        ([("authorization", "Bearer abc.def")], True),
        ([("authorization", "bearer abc")], True),
        ([("authorization", "Basic dXNlcjpwYXNz")], False),
        ([("authorization", "Bearer")], False),
        ([("authorization", "Bearer a, Basic b")], False),
        ([("authorization", "Bearer a"), ("authorization", "Basic b")], False),
        ([("authorization", "")], False),
        ([("cookie", "session=1")], False),
        ([("cookie", "")], False),
        ([("cookie", "a=1"), ("authorization", "Bearer abc")], False),
    ],
)
def test_an_allowed_origin_may_not_act_as_the_user_without_allow_credentials(
    serve: Any, credentials: list[tuple[str, str]], passes: bool
) -> None:
    client = serve(**ON)
    for _ in range(3):
        assert client.request("POST", origin=APP, headers=SITE).status == 200
        assert client.request("POST", origin=APP, headers=[*SITE, *credentials]).status == (200 if passes else 403)
    with_credentials = serve(**ON, allow_credentials=True)
    for _ in range(2):
        assert with_credentials.request("POST", origin=APP, headers=[*SITE, *credentials]).status == 200


@pytest.mark.parametrize("entry", [BANK, "https://*.example.org", re.compile(r"https://pay\.example\.org")], ids=str)
def test_a_trusted_origin_may_send_but_not_read(serve: Any, entry: Any) -> None:
    client = serve(**ON, csrf_trusted_origins=[entry])
    for _ in range(3):
        response = client.request("POST", origin=BANK, headers=[*SITE, ("cookie", "session=1")])
        assert (response.status, response.cors) == (200, [])
        assert client.preflight("PUT", origin=BANK, headers=[HOST]).status == 200
        assert client.preflight("PUT", origin=BANK, headers=[HOST]).cors == []
        assert client.request("GET", origin=BANK, headers=SITE).cors == []
    assert client.request("POST", origin="https://pay.example.net", headers=SITE).status == 403


def test_a_trusted_origin_may_not_open_a_websocket() -> None:
    middleware = CORSMiddleware(App().asgi, **ON, csrf_trusted_origins=BANK)
    response = call_asgi(middleware, websocket_scope("/", [HOST, ("origin", BANK)]))
    assert response.messages[0]["type"] == "websocket.close"


def test_a_callable_among_the_trusted_origins_is_called_for_other_sites_only(serve: Any) -> None:
    calls: list[str] = []

    def is_bank(origin: str) -> bool:
        calls.append(origin)
        return origin == BANK

    client = serve(**ON, csrf_trusted_origins=[is_bank])
    for _ in range(2):
        assert client.request("POST", origin=BANK, headers=SITE).status == 200
        assert client.request("POST", origin=EVIL, headers=SITE).status == 403
        assert client.request("POST", origin=SELF, headers=OWN).status == 200
        assert client.request("GET", origin=BANK, headers=SITE).status == 200
    assert calls == [BANK, EVIL] * 2


def test_the_answer_of_a_source_among_the_trusted_origins_is_cached(serve: Any) -> None:
    calls: list[str] = []

    async def is_bank(origin: str) -> bool:
        calls.append(origin)
        return origin == BANK

    client = serve(**ON, csrf_trusted_origins=[Cached(is_bank)], run=run_asyncio)
    for _ in range(3):
        assert client.request("POST", origin=BANK, headers=SITE).status == 200
    assert calls == [BANK]


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
def test_an_async_callable_among_the_trusted_origins_is_awaited_once(serve: Any, fails: bool) -> None:
    """If it fails, nothing is trusted. `enforce` uses the same answer."""
    calls: list[str] = []

    async def is_bank(origin: str) -> bool:
        calls.append(origin)
        if fails:
            raise RuntimeError("no database")
        return origin == BANK

    client = serve(**ON, csrf_trusted_origins=[is_bank], enforce=True, run=run_asyncio)
    assert client.request("POST", origin=BANK, headers=SITE).status == (403 if fails else 200)
    assert calls == [BANK]


def test_the_trusted_origins_pass_enforce_on_methods_other_than_get_and_head(serve: Any) -> None:
    client = serve(allow_origins=APP, csrf_trusted_origins=BANK, enforce=True)
    for _ in range(2):
        found = {
            method: client.request(method, origin=BANK, headers=SITE).status
            for method in ("POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "get")
        }
        assert [method for method, status in found.items() if status == 403] == ["GET", "HEAD"]
        assert client.request("POST", origin=EVIL, headers=SITE).status == 403


# -- reasons


@pytest.mark.parametrize(
    ("origin", "headers", "hint"),
    [
        (EVIL, SITE, ""),
        ("null", [*SITE], ""),
        ("null", [HOST], "If the page is your own, send it with 'Referrer-Policy: same-origin'."),
        (
            "https://www.example.com",
            OWN,
            (
                "The Host received is 'api.example.com'. If the page is your own, a proxy changes Host."
                " Write 'proxy_set_header Host $host', or csrf_trusted_origins=['https://www.example.com']."
            ),
        ),
        (
            "https://www.example.com",
            [("host", "web:8000")],
            (
                "The Host received is 'web:8000'. If the page is your own, a proxy changes Host."
                " Write 'proxy_set_header Host $host', or csrf_trusted_origins=['https://www.example.com']."
            ),
        ),
        (
            "http://localhost:5173",
            [("host", "127.0.0.1:8000"), ("sec-fetch-site", "same-origin")],
            (
                "The Host received is '127.0.0.1:8000'. If the page is your own, a proxy changes Host."
                " Preserve Host in it (Vite: changeOrigin: false), or csrf_trusted_origins=['http://localhost:5173']."
            ),
        ),
        (EVIL, [("host", "web:8000"), ("sec-fetch-site", "cross-site")], ""),
    ],
    ids=["another site", "another site's null", "null", "Host", "upstream", "development server", "other, upstream"],
)
def test_the_reason_tells_a_proxy_an_own_page_and_another_site_apart(
    serve: Any, origin: str, headers: list[tuple[str, str]], hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The proposed correction is accepted, and corrects the refusal."""
    caplog.set_level("INFO", logger="asgi_cors")
    client = serve(**ON)
    response = client.request("POST", origin=origin, headers=headers)
    assert response.status == 403
    assert response.body.decode().splitlines()[1:] == ([hint] if hint else [])
    (record,) = caplog.records
    assert record.levelname == ("WARNING" if hint else "INFO")
    assert hint in record.getMessage()
    if match := re.search(r"csrf_trusted_origins=\['(.*)'\]", hint):
        client = serve(**ON, csrf_trusted_origins=[match[1]])
        assert client.request("POST", origin=origin, headers=headers).status == 200


@pytest.mark.parametrize(
    ("origin", "options", "level", "remedy"),
    [
        (EVIL, {}, "INFO", f"If that site may send such requests, add {EVIL!r} to csrf_trusted_origins."),
        ("https://pay.example.org:8443", {}, "WARNING", "Did you mean 'https://pay.example.org'?"),
        ("https://www.pay.example.org", {}, "WARNING", "Did you mean 'https://pay.example.org'?"),
        ("http://app.example.com", {}, "WARNING", "Did you mean 'https://app.example.com'?"),
        (APP, {}, "WARNING", "Write allow_credentials=True, or send no cookies from its pages."),
        (None, {}, "INFO", "exempt the path: paths={'/path': {'csrf_protection': False}}."),
        ("null", {}, "INFO", "exempt the path: paths={'/path': {'csrf_protection': False}}."),
        (EVIL, {"allow_origins": "*"}, "INFO", "csrf_trusted_origins"),
    ],
    ids=["another site", "port", "www", "scheme", "allowed", "no Origin", "null", "any"],
)
def test_a_refusal_is_logged_with_its_correction(
    serve: Any, origin: Any, options: dict[str, Any], level: str, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An origin close to a trusted or allowed one is probably a mistake in the configuration."""
    caplog.set_level("INFO", logger="asgi_cors")
    client = serve(**{**ON, "csrf_trusted_origins": BANK, "name": "public", **options})
    for _ in range(3):
        client.request("POST", "/pay", origin=origin, headers=[*SITE, ("cookie", "a=1")])
    (record,) = caplog.records
    assert record.levelname == level
    sender = f" from origin {origin!r}" if origin else ""
    assert record.getMessage().startswith(f"refused 'POST'{sender} at '/pay' by policy 'public': ")
    assert remedy in record.getMessage()
    attributes = {name: getattr(record, f"cors_{name}") for name in ("origin", "method", "path", "policy", "reason")}
    assert attributes == {
        "origin": origin or "",
        "method": "POST",
        "path": "/pay",
        "policy": "public",
        "reason": "CrossSiteRequest",
    }


# -- several policies


def test_the_option_applies_per_path(serve: Any) -> None:
    """Senders that cannot be listed get a path of their own."""
    client = serve(**ON, paths={"/acs": {"csrf_protection": False}, "/raw": None, "/x/*": Policy(allow_origins=APP)})
    found = {
        path: client.request("POST", path, origin=EVIL, headers=SITE).status for path in ("/", "/acs", "/raw", "/x/y")
    }
    assert found == {"/": 403, "/acs": 200, "/raw": 200, "/x/y": 200}


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_one_refusal_suffices_if_several_policies_may_serve_a_request(serve: Any) -> None:
    """Those of paths with the same rank, and of alternative paths. None exempts nothing."""
    strict, open_ = Policy(**ON), Policy(allow_origins=APP)
    paths: dict[Any, Any] = {
        re.compile("/[a-z]+"): open_,
        re.compile("/[b-z]+"): strict,
        re.compile("/[x-z]+"): None,
        "/deep/acs": open_,
        "/deep/*": strict,
    }
    client = serve(allow_origins=APP, paths=paths)
    sent = ["/a", "/b", "/x", "/deep/acs", "/deep/./acs", "/deep/../a", "/deep//acs"]
    found = {path: client.request("POST", path, origin=EVIL, headers=SITE).status for path in sent}
    assert [path for path, status in found.items() if status == 403] == [
        *("/b", "/x", "/deep/./acs", "/deep/../a", "/deep//acs"),
    ]
    own = {path: client.request("POST", path, origin=SELF, headers=OWN).status for path in sent}
    assert set(own.values()) == {200}


def test_the_base_policy_applies_if_policy_for_raises(serve: Any) -> None:
    def fails(_: Any) -> Policy:
        raise RuntimeError("no database")

    client = serve(**ON, policy_for=fails)
    assert client.request("POST", origin=EVIL, headers=SITE).status == 403
    assert client.request("POST", headers=[HOST, ("sec-fetch-site", "cross-site")]).status == 403
    assert client.request("POST", origin=SELF, headers=OWN).status == 200


def test_the_policy_that_policy_for_returns_applies(serve: Any) -> None:
    policies = {"/on": Policy(**ON), "/none": None}
    client = serve(allow_origins=APP, policy_for=lambda scope: policies.get(scope["path"], NotImplemented))
    found = {path: client.request("POST", path, origin=EVIL, headers=SITE).status for path in ("/on", "/none", "/base")}
    assert found == {"/on": 403, "/none": 200, "/base": 200}


def test_the_protection_of_the_base_policy_applies_to_unknown_tenants(serve: Any) -> None:
    """A known tenant has its own policy."""
    known = {"a.example.com": Policy(allow_origins=APP), "b.example.com": Policy(**ON)}
    client = serve(**ON, policy_for=Tenants.by_host(known.get), csrf_trusted_origins=BANK, run=run_asyncio)
    for _ in range(3):
        found = {
            (host, origin): client.request(
                "POST", origin=origin, headers=[("host", host), ("sec-fetch-site", "cross-site")]
            ).status
            for host in (*known, "unknown.example.com")
            for origin in (EVIL, BANK)
        }
        assert [request for request, status in found.items() if status == 403] == [
            ("b.example.com", EVIL),
            ("b.example.com", BANK),
            ("unknown.example.com", EVIL),
        ]


def test_both_of_two_nested_middlewares_check(interface: str) -> None:
    for outer, inner in (({}, {"csrf_protection": True}), ({"csrf_protection": True}, {})):
        app = App()
        wrap: Any = CORSMiddleware if interface == "asgi" else WSGIMiddleware
        nested = wrap(app.asgi if interface == "asgi" else app.wsgi, allow_origins=APP, **inner)
        client = Client(interface, App(), allow_origins=APP, **outer)
        client.middleware.app = nested
        statuses = [client.request("POST", origin=EVIL, headers=SITE).status for _ in range(2)]
        assert (statuses, app.seen) == ([403, 403], [])


def test_a_report_only_protection_refuses_nothing_and_logs_each_origin_once(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    reported: list[Any] = []
    client = serve(
        allow_origins=APP, csrf_protection="report", name="public", on_decision=lambda found, _: reported.append(found)
    )
    for _ in range(3):
        assert client.request("POST", "/pay", origin=EVIL, headers=SITE).status == 200
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        (
            f"report-only: would refuse 'POST' from origin {EVIL!r} at '/pay' by policy 'public': another site may have"
            f" forged the request (CrossSiteRequest). If that site may send such requests, add {EVIL!r} to"
            " csrf_trusted_origins."
        )
    ]
    assert [(found.outcome, found.report, found.report_only.reason) for found in reported] == [
        ("refused", "would refuse", "CrossSiteRequest")
    ] * 3


@pytest.mark.parametrize("name", ["Origin", "ORIGIN", "Sec-Fetch-Site", "Referer", "Host", "Cookie", "Authorization"])
def test_headers_in_upper_case_are_read_although_a_request_without_them_is_cached(name: str) -> None:
    """Some ASGI servers do not send names in lower case."""
    middleware = CORSMiddleware(App().asgi, **ON)
    values = {"host": "api.example.com", "origin": SELF, "sec-fetch-site": "same-origin", "referer": f"{SELF}/"}
    passing = dict(values)
    bad = {"origin": EVIL, "sec-fetch-site": "cross-site", "referer": f"{EVIL}/", "host": "other.example.com"}
    if name.lower() not in values:
        passing = {"host": "api.example.com", "origin": APP, "sec-fetch-site": "cross-site"}
        bad = {"cookie": "a=1", "authorization": "Basic x"}
    partial = {key: value for key, value in passing.items() if key != name.lower()}

    def status(headers: dict[str, str]) -> int | None:
        scope = http_scope("POST", "/", [])
        scope["headers"] = [(key.encode(), value.encode()) for key, value in headers.items()]
        return call_asgi(middleware, scope).status

    assert [status(passing) for _ in range(2)] == [200, 200]
    statuses = [status(partial) for _ in range(2)]
    assert [status({**partial, name: bad[name.lower()]}) for _ in range(2)] == [403, 403]
    assert [status(partial) for _ in range(2)] == statuses
