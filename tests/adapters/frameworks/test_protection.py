"""One suite over every interface: `csrf_protection`, `enforce`, `allowed_hosts` and their order."""

import logging
from typing import Any

import pytest

from asgi_cors import Decision, Outcome, Policy, Tenants
from tests.adapters.frameworks.sites.protected import INTERFACES, WITH_VIEWS, WITH_WEBSOCKETS, Response, make

PAGE, TRUSTED, EVIL = "https://app.example.com", "https://pay.example.net", "https://evil.example.org"
API = "https://api.test"
VARY = {"vary": "Origin"}
GRANTED = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true", **VARY}
READABLE = {"access-control-allow-origin": PAGE, **VARY}
ANYONE = {"access-control-allow-origin": "*"}
NO_STORE = {"cache-control": "no-store"}
PREFLIGHT_VARY = {"vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
LISTS = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": "accept, accept-language, content-language, content-type",
    **PREFLIGHT_VARY,
}

# Flask, Quart and Django have other defaults.
BASE: dict[str, Any] = {"allow_methods": (), "allow_headers": (), "max_age": None}
PROTECTED: dict[str, Any] = {
    **BASE,
    "allow_origins": [PAGE],
    "allow_credentials": True,
    "csrf_protection": True,
    "csrf_trusted_origins": [TRUSTED],
}
READ_ONLY: dict[str, Any] = {**BASE, "allow_origins": [PAGE], "csrf_protection": True}
OPEN: dict[str, Any] = {**BASE, "allow_origins": "*", "csrf_protection": True}
ENFORCED: dict[str, Any] = {
    **BASE,
    "allow_origins": [PAGE],
    "allow_credentials": True,
    "enforce": True,
    "csrf_trusted_origins": [TRUSTED],
}
ENFORCED_VIEW = {name: value for name, value in ENFORCED.items() if name != "enforce"}
HOSTS: dict[str, Any] = {**PROTECTED, "allowed_hosts": ["api.test", "*.api.test", "localhost:8443"], "enforce": True}


@pytest.fixture(params=INTERFACES)
def interface(request: pytest.FixtureRequest) -> str:
    """Return the name of each interface in turn."""
    name: str = request.param
    return name


def sent(site: str | None = None, origin: str = "", **more: str) -> dict[str, str]:
    """Return the headers of a request by which a browser describes its sender."""
    return {**({} if site is None else {"sec_fetch_site": site}), "origin": origin, **more}


OWN = sent("same-origin", API)
FORGED = sent("cross-site", EVIL)
FROM_PAGE = sent("cross-site", PAGE)
PREFLIGHT = {"access_control_request_method": "POST"}

# -- csrf_protection


PASSED = [
    pytest.param({}, VARY, id="a client that is not a browser"),
    pytest.param(OWN, VARY, id="a page of the own origin"),
    pytest.param(sent("same-origin"), VARY, id="the own origin, without Origin"),
    pytest.param(sent("same-origin", "null"), VARY, id="the own form under Referrer-Policy no-referrer"),
    pytest.param(sent("same-origin", API, referer=f"{API}/form?a=1"), VARY, id="a Referer of the own origin"),
    pytest.param(sent("none"), VARY, id="the user's own navigation"),
    pytest.param(sent(None, API), VARY, id="an old browser's own page"),
    pytest.param(sent(None, "http://api.test"), VARY, id="the own page over http"),
    pytest.param(sent("cross-site", PAGE), GRANTED, id="an origin that may act as the user"),
    pytest.param(sent(None, PAGE), GRANTED, id="the same in an old browser"),
    pytest.param(sent("cross-site", TRUSTED), VARY, id="a trusted origin, which cannot read"),
    pytest.param(sent(None, TRUSTED), VARY, id="the same in an old browser, which cannot read"),
    pytest.param(
        sent("same-origin", "https://shop.example", host="upstream:8000"), VARY, id="a proxy that replaces Host"
    ),
]
REFUSED = [
    pytest.param(FORGED, id="another site"),
    pytest.param(sent("cross-site"), id="another site, without Origin"),
    pytest.param(sent("cross-site", "null"), id="a sandboxed page of another site"),
    pytest.param(sent("same-site", "https://blog.api.test"), id="a sibling of the own site"),
    pytest.param(sent("same-site", "https://api.test:8443"), id="another port of the own host"),
    pytest.param(sent("same-origin", EVIL), id="another site's form, forwarded by the own service worker"),
    pytest.param(sent("same-origin", "", referer=f"{EVIL}/form"), id="the same, without Origin"),
    pytest.param(sent("Same-Origin"), id="a value that no browser sends"),
    pytest.param(sent(""), id="an empty value"),
    pytest.param(sent(None, EVIL), id="another site in an old browser"),
    pytest.param(sent(None, "null"), id="a sandboxed page in an old browser"),
    pytest.param(sent(None, "https://api.test:8443"), id="another port in an old browser"),
    pytest.param(sent(None, API, host=""), id="no Host to compare with"),
    pytest.param(sent("cross-site", "https://shop.example", host="upstream:8000"), id="another site behind a proxy"),
]


@pytest.mark.parametrize("headers", REFUSED)
def test_a_forged_request_is_refused_before_the_app_runs(interface: str, headers: dict[str, str]) -> None:
    site = make(interface, **PROTECTED)
    empty = {"sec_fetch_site": " "} if headers.get("sec_fetch_site") == "" else {}  # `send` leaves out empty ones
    # Methods are compared byte for byte. Django runs the view of GET for `get`, so it counts as GET there.
    for method in ("POST", "PUT", "PATCH", "DELETE", *([] if interface.startswith("Django") else ["get"])):
        response = site.send(method, **{**headers, **empty})
        assert (response.status, response.headers) == (403, {**VARY, **NO_STORE})
        assert response.body.startswith(b"Refused by the CORS policy: another site may have forged the request")
    assert site.ran == []


@pytest.mark.parametrize(("headers", "expected"), PASSED)
def test_a_request_of_a_trusted_sender_reaches_the_app(
    interface: str, headers: dict[str, str], expected: dict[str, str]
) -> None:
    site = make(interface, **PROTECTED)
    for _ in range(2):  # the second one may be cached
        assert site.send("POST", "/form", **headers) == (200, expected, b"done")
    assert site.ran == [("POST", "/form")] * 2


@pytest.mark.parametrize("headers", REFUSED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_request_that_only_reads_is_not_checked(interface: str, method: str, headers: dict[str, str]) -> None:
    site = make(interface, **PROTECTED)
    assert site.send(method, **headers)[:2] == (200, VARY)
    assert site.ran == [(method, "/")]


@pytest.mark.parametrize(
    ("options", "headers", "status", "expected"),
    [
        pytest.param(READ_ONLY, {}, 200, READABLE, id="no credentials"),
        pytest.param(READ_ONLY, {"authorization": "Bearer t"}, 200, READABLE, id="a token that a script has added"),
        pytest.param(READ_ONLY, {"cookie": "sid=1"}, 403, READABLE, id="a cookie"),
        pytest.param(READ_ONLY, {"authorization": "Basic dTpw"}, 403, READABLE, id="a password that a browser adds"),
        pytest.param(OPEN, {}, 403, ANYONE, id="every origin is allowed"),
        pytest.param(OPEN, {"authorization": "Bearer t"}, 403, ANYONE, id="every origin is allowed, with a token"),
    ],
)
def test_an_origin_that_may_read_cannot_act_as_the_user(
    interface: str, options: dict[str, Any], headers: dict[str, str], status: int, expected: dict[str, str]
) -> None:
    """The refusal has the headers that the origin gets anyway."""
    site = make(interface, **options)
    response = site.send("POST", **FROM_PAGE, **headers)
    assert (response.status, response.headers) == (status, {**expected, **(NO_STORE if status == 403 else {})})
    assert len(site.ran) == (status == 200)


def test_each_request_is_decided_by_its_own_headers(interface: str) -> None:
    """No order of requests lets one get the cached response of another."""
    site = make(interface, **PROTECTED)
    requests = [(OWN, 200), (FORGED, 403), (FROM_PAGE, 200), (sent("cross-site"), 403), ({}, 200)]
    for headers, status in [*requests, *reversed(requests)]:
        assert site.send("POST", **headers).status == status
        assert site.send("GET", **headers).status == 200


def test_csrf_protection_by_path(interface: str) -> None:
    """`/acs` gets the posts of banks that can't be listed."""
    site = make(interface, **PROTECTED, paths={"/acs": {"csrf_protection": False}, "/none": None})
    assert [site.send("POST", path, **FORGED).status for path in ("/", "/acs", "/none")] == [403, 200, 200]
    site = make(interface, **{**PROTECTED, "csrf_protection": False}, paths={"/form": {"csrf_protection": True}})
    assert [site.send("POST", path, **FORGED).status for path in ("/", "/form")] == [200, 403]
    assert site.ran == [("POST", "/")]


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_csrf_protection_by_view(interface: str) -> None:
    own = {"/acs": {**PROTECTED, "csrf_protection": False}, "/none": None, "/form": PROTECTED}
    site = make(interface, **PROTECTED, own=own)
    assert [site.send("POST", path, **FORGED).status for path in ("/", *own)] == [403, 200, 200, 403]
    site = make(interface, **{**PROTECTED, "csrf_protection": False}, own=own)
    assert [site.send("POST", path, **FORGED).status for path in ("/", *own)] == [200, 200, 200, 403]
    assert site.ran == [("POST", "/"), ("POST", "/acs"), ("POST", "/none")]


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_enforce_applies_the_policy_of_the_view(interface: str) -> None:
    """A preflight of an origin that the view's policy refuses never reaches the app."""
    own = {"/pay": {**ENFORCED_VIEW, "allow_origins": [TRUSTED]}, "/none": None}
    site = make(interface, **ENFORCED, own=own)
    for _ in range(2):
        assert [site.send("GET", path, **FROM_PAGE).status for path in ("/", *own)] == [200, 403, 200]
        assert [site.send("GET", path, **sent("cross-site", TRUSTED)).status for path in ("/", *own)] == [403, 200, 200]
        assert site.send("OPTIONS", "/pay", **FROM_PAGE, **PREFLIGHT)[:2] == (200, PREFLIGHT_VARY)
    assert site.ran == [("GET", "/"), ("GET", "/none"), ("GET", "/pay"), ("GET", "/none")] * 2


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_a_trusted_origin_of_a_view(interface: str) -> None:
    own = {"/paid": {**PROTECTED, "csrf_trusted_origins": [EVIL]}}
    site = make(interface, **PROTECTED, own=own)
    assert [site.send("POST", path, **FORGED).status for path in ("/", "/paid")] == [403, 200]
    assert [site.send("POST", path, **sent("cross-site", TRUSTED)).status for path in ("/", "/paid")] == [200, 403]


def test_csrf_protection_by_function(interface: str) -> None:
    """If the function raises, the base policy protects."""
    policies = {"/open": Policy(allow_origins=PAGE), "/none": None, "/base": NotImplemented}
    site = make(interface, **PROTECTED, policy_for=lambda scope: policies[scope["path"]])
    paths = ("/open", "/none", "/base", "/raises")
    assert [site.send("POST", path, **FORGED).status for path in paths] == [200, 200, 403, 403]


def test_csrf_protection_by_tenant(interface: str) -> None:
    policies = {"a.test": Policy(allow_origins=PAGE, csrf_protection=True), "b.test": Policy(allow_origins=PAGE)}
    site = make(interface, **BASE, allow_origins=PAGE, policy_for=Tenants.by_host(policies.get))
    for _ in range(2):
        found = [site.send("POST", host=host, **FORGED).status for host in policies]
        assert found == [403, 200]


def test_a_trusted_origin_may_be_a_callable(interface: str) -> None:
    trusted = [lambda origin: origin == TRUSTED]
    site = make(interface, **{**PROTECTED, "csrf_trusted_origins": trusted})
    for _ in range(2):
        assert site.send("POST", **sent("cross-site", TRUSTED))[:2] == (200, VARY)
        assert site.send("POST", **FORGED).status == 403


def test_a_trusted_origin_gets_no_preflight(interface: str) -> None:
    """Trust counts for sending only."""
    site = make(interface, **PROTECTED)
    response = site.send("OPTIONS", **sent("cross-site", TRUSTED), **PREFLIGHT)
    assert (response.status, response.headers) == (200, PREFLIGHT_VARY)


# -- enforce


@pytest.mark.parametrize(
    ("method", "headers", "status", "expected"),
    [
        pytest.param("GET", FORGED, 403, VARY, id="another origin reads"),
        pytest.param("POST", FORGED, 403, VARY, id="another origin writes"),
        pytest.param("GET", sent("cross-site"), 200, VARY, id="an image has no Origin"),
        pytest.param("GET", OWN, 200, VARY, id="the own origin"),
        pytest.param("POST", sent(None, API), 200, VARY, id="the own origin in an old browser"),
        pytest.param("GET", FROM_PAGE, 200, GRANTED, id="an allowed origin"),
        pytest.param("POST", sent("cross-site", TRUSTED), 200, VARY, id="a trusted origin writes"),
        pytest.param("GET", sent("cross-site", TRUSTED), 403, VARY, id="a trusted origin cannot read"),
    ],
)
def test_enforce_refuses_an_origin_before_the_app_runs(
    interface: str, method: str, headers: dict[str, str], status: int, expected: dict[str, str]
) -> None:
    site = make(interface, **ENFORCED)
    for _ in range(2):
        response = site.send(method, **headers)
        assert (response.status, response.headers) == (status, {**expected, **(NO_STORE if status == 403 else {})})
    assert len(site.ran) == (2 if status == 200 else 0)


# -- allowed_hosts


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("api.test", True),
        ("API.test", True),
        ("api.test:8000", True),
        ("v2.api.test", True),
        ("localhost:8443", True),
        ("localhost:8444", False),
        ("localhost", False),
        ("127.0.0.1:8000", False),
        ("api.test.evil.example.org", False),
        ("evil.example.org", False),
        ("", False),
    ],
)
@pytest.mark.parametrize(
    "method_and_headers",
    [
        pytest.param(("GET", {}), id="GET"),
        pytest.param(("POST", sent("same-origin")), id="POST"),
        pytest.param(("OPTIONS", {"origin": PAGE, **PREFLIGHT}), id="preflight"),
    ],
)
def test_a_request_for_another_host_is_refused_first(
    interface: str, method_and_headers: tuple[str, dict[str, str]], host: str, *, allowed: bool
) -> None:
    """Its response tells nothing of the policy. X-Forwarded-Host does not count."""
    method, headers = method_and_headers
    site = make(interface, **HOSTS)
    for _ in range(2):
        response = site.send(method, host=host, x_forwarded_host="api.test", **headers)
        if allowed:
            assert response.status in {200, 204}
        else:
            assert (response.status, response.headers) == (421, NO_STORE)
            assert b"no entry of allowed_hosts matches the Host header" in response.body
            assert b"(HostNotAllowed)" in response.body
    assert len(site.ran) == (2 if allowed and method != "OPTIONS" else 0)


def test_allowed_hosts_applies_to_every_path(interface: str) -> None:
    """This includes paths that are passed through, and missing ones."""
    site = make(interface, **HOSTS, paths={"/none": None})
    assert [site.send("GET", path, host="evil.test").status for path in ("/", "/none", "/missing")] == [421] * 3
    assert site.send("GET", "/none").status == 200


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_allowed_hosts_applies_to_every_view(interface: str) -> None:
    """This includes exempt views."""
    site = make(interface, **HOSTS, own={"/own": PROTECTED, "/none": None})
    assert [site.send("GET", path, host="evil.test").status for path in ("/own", "/none")] == [421] * 2
    assert [site.send("GET", path).status for path in ("/own", "/none")] == [200] * 2


def test_a_star_allows_every_host(interface: str) -> None:
    site = make(interface, **{**HOSTS, "allowed_hosts": "*"})
    assert site.send("GET", host="evil.test").status == 200


# -- the order, and refusals


@pytest.mark.parametrize(
    ("method", "headers", "reason"),
    [
        pytest.param("POST", {**FORGED, "host": "evil.test"}, "HostNotAllowed", id="a host before all"),
        pytest.param("OPTIONS", {**FORGED, **PREFLIGHT, "host": "evil.test"}, "HostNotAllowed", id="and preflights"),
        pytest.param("OPTIONS", {**FORGED, **PREFLIGHT}, "PreflightMissingAllowOriginHeader", id="then preflights"),
        pytest.param("POST", FORGED, "MissingAllowOriginHeader", id="then enforce"),
        pytest.param("POST", sent("cross-site"), "CrossSiteRequest", id="then csrf_protection"),
        pytest.param("POST", sent("same-origin", EVIL), "CrossSiteRequest", id="enforce believes Sec-Fetch-Site"),
    ],
)
def test_the_checks_have_a_fixed_order(
    interface: str, caplog: pytest.LogCaptureFixture, method: str, headers: dict[str, str], reason: str
) -> None:
    """The body, the log and `on_decision` name the check that refused."""
    caplog.set_level(logging.INFO, "asgi_cors")
    decisions: list[Decision] = []
    site = make(interface, **HOSTS, name="public-api", on_decision=lambda decision, _: decisions.append(decision))
    response = site.send(method, **headers)
    assert f"({reason})".encode() in response.body
    assert response.status == {"HostNotAllowed": 421}.get(reason, 200 if method == "OPTIONS" else 403)
    (decision,) = decisions
    assert (decision.reason, decision.refused, decision.policy_name) == (reason, True, "public-api")
    found = [getattr(record, "cors_reason", "") for record in caplog.records if record.name == "asgi_cors"]
    assert [*filter(None, found)] == [reason]  # a replaced policy is logged, too
    assert site.ran == []


def test_a_preflight_of_an_allowed_origin_passes_all_checks(interface: str) -> None:
    site = make(interface, **HOSTS)
    assert site.send("OPTIONS", **FROM_PAGE, **PREFLIGHT) == (204, LISTS, b"")


@pytest.mark.parametrize(
    ("options", "headers", "status"),
    [
        pytest.param(HOSTS, {"host": "evil.test"}, 421, id="allowed_hosts"),
        pytest.param(ENFORCED, FORGED, 403, id="enforce"),
    ],
)
def test_a_refusal_of_head_has_no_body(
    interface: str, options: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    site = make(interface, **options)
    for _ in range(2):
        response = site.send("HEAD", **headers)
        assert (response.status, response.body) == (status, b"")
        assert response.headers == site.send("GET", **headers).headers


def test_options_that_are_off_change_nothing(interface: str) -> None:
    site = make(interface, **BASE, allow_origins=[PAGE])
    for host in ("api.test", "evil.test"):
        assert site.send("POST", **{**FORGED, "host": host}) == Response(200, VARY, b"done")


def test_an_allowed_decision_has_no_status(interface: str) -> None:
    decisions: list[Decision] = []
    site = make(interface, **HOSTS, on_decision=lambda decision, _: decisions.append(decision))
    for _ in range(2):
        site.send("POST", **FROM_PAGE)
    assert [(each.outcome, each.status, each.reason) for each in decisions] == [(Outcome.ALLOWED, None, None)] * 2


# -- handshakes


@pytest.mark.parametrize("interface", WITH_WEBSOCKETS)
@pytest.mark.parametrize(
    ("headers", "found"),
    [
        pytest.param({"origin": PAGE, "cookie": "sid=1"}, "accepted", id="an allowed origin"),
        pytest.param({"origin": API}, "accepted", id="the own origin"),
        pytest.param({}, "accepted", id="a client that is not a browser"),
        pytest.param({"origin": EVIL}, 403, id="another origin"),
        pytest.param({"origin": TRUSTED}, 403, id="a trusted origin, which may only send"),
        pytest.param({"origin": PAGE, "host": "evil.test"}, 421, id="another host"),
        pytest.param({"origin": "https://evil.test", "host": "evil.test"}, 421, id="a rebound host"),
        pytest.param({"host": "evil.test"}, 421, id="another host without Origin"),
        pytest.param({"host": ""}, 421, id="no host"),
    ],
)
def test_a_handshake_is_checked(interface: str, headers: dict[str, str], found: int | str) -> None:
    site = make(interface, **HOSTS)
    assert site.shake(**headers) == found
    assert site.shake(extension=False, **headers) == (found if found == "accepted" else "closed")
    assert len(site.ran) == (2 if found == "accepted" else 0)


@pytest.mark.parametrize("interface", WITH_WEBSOCKETS)
def test_allowed_hosts_applies_to_handshakes_that_are_not_checked(interface: str) -> None:
    site = make(interface, **PROTECTED, allowed_hosts="api.test", check_websockets=False)
    assert (site.shake(origin=EVIL), site.shake(origin=EVIL, host="evil.test")) == ("accepted", 421)
    site = make(interface, **PROTECTED, allowed_hosts="api.test", paths={"/echo": None})
    assert (site.shake(origin=EVIL), site.shake(origin=EVIL, host="evil.test")) == ("accepted", 421)
