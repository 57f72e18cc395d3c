"""One suite over every interface: resource headers, presets, names, and the options that only report."""

import logging
from typing import Any

import pytest

from asgi_cors import Decision, Policy
from tests.adapters.frameworks.sites.protected import INTERFACES, WITH_VIEWS, make

PAGE, OTHER, EVIL = "https://app.example.com", "https://other.example.net", "https://evil.example.org"
CRASHED = 500
VARY = {"vary": "Origin"}
PREFLIGHT_VARY = {"vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
CORP = {"cross-origin-resource-policy": "same-site"}
TAO = {"timing-allow-origin": PAGE}
READABLE = {"access-control-allow-origin": PAGE, **VARY}
NO_STORE = {"cache-control": "no-store"}
BASE: dict[str, Any] = {"allow_methods": (), "allow_headers": (), "max_age": None}
RESOURCES: dict[str, Any] = {
    **BASE,
    "allow_origins": [PAGE],
    "timing_allow_origin": True,
    "resource_policy": "same-site",
}


@pytest.fixture(params=INTERFACES)
def interface(request: pytest.FixtureRequest) -> str:
    """Return the name of each interface in turn."""
    name: str = request.param
    return name


# -- timing_allow_origin and resource_policy


@pytest.mark.parametrize("path", ["/", "/stream", "/crash"])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        pytest.param(PAGE, {**READABLE, **TAO, **CORP}, id="an allowed origin"),
        pytest.param(EVIL, {**VARY, **CORP}, id="another origin"),
        pytest.param("", {**VARY, **CORP}, id="no origin"),
    ],
)
def test_every_response_has_the_resource_headers(
    interface: str, path: str, origin: str, expected: dict[str, str]
) -> None:
    """The timing of a response is for those who may read it."""
    site = make(interface, **RESOURCES)
    for _ in range(2):
        response = site.send("GET", path, origin=origin)
        assert (response.status, response.headers) == (CRASHED if path == "/crash" else 200, expected)


def test_a_policy_for_every_origin_allows_each_the_timing(interface: str) -> None:
    site = make(interface, **{**RESOURCES, "allow_origins": "*"})
    headers = {"access-control-allow-origin": "*", "timing-allow-origin": "*", **CORP}
    assert [site.send("GET", origin=origin).headers for origin in (EVIL, "")] == [headers] * 2


def test_a_preflight_has_no_resource_headers(interface: str) -> None:
    site = make(interface, **RESOURCES)
    for origin in (PAGE, EVIL):
        names = site.send("OPTIONS", origin=origin, access_control_request_method="GET").headers.keys()
        assert names.isdisjoint({*TAO, *CORP})


@pytest.mark.parametrize("origin", [PAGE, EVIL, ""])
def test_resource_headers_of_the_app_stay(interface: str, origin: str) -> None:
    site = make(interface, **{**RESOURCES, "resource_policy": "same-origin"})
    found = site.send("GET", "/own-headers", origin=origin).headers
    assert {name: found[name] for name in (*TAO, *CORP)} == {
        "timing-allow-origin": "https://own.example",
        "cross-origin-resource-policy": "same-site",
    }


@pytest.mark.parametrize(
    ("options", "headers", "status", "expected"),
    [
        pytest.param({"csrf_protection": True}, {"origin": EVIL}, 403, {**VARY, **CORP}, id="another site"),
        pytest.param(
            {"csrf_protection": True},
            {"origin": PAGE, "cookie": "sid=1"},
            403,
            {**READABLE, **TAO, **CORP},
            id="an origin that may read",
        ),
        pytest.param({"enforce": True}, {"origin": EVIL}, 403, {**VARY, **CORP}, id="enforce"),
        pytest.param({"allowed_hosts": "api.test"}, {"host": "evil.test"}, 421, CORP, id="allowed_hosts"),
    ],
)
def test_a_refusal_has_the_resource_headers(
    interface: str, options: dict[str, Any], headers: dict[str, str], status: int, expected: dict[str, str]
) -> None:
    site = make(interface, **RESOURCES, **options)
    response = site.send("POST", **headers)
    assert (response.status, response.headers) == (status, {**expected, **NO_STORE})


def test_resource_headers_by_path(interface: str) -> None:
    site = make(interface, **RESOURCES, paths={"/public": {"resource_policy": "cross-origin"}, "/none": None})
    values = [site.send("GET", path).headers.get("cross-origin-resource-policy") for path in ("/", "/public", "/none")]
    assert values == ["same-site", "cross-origin", None]


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_resource_headers_by_view(interface: str) -> None:
    own = {"/public": {**RESOURCES, "resource_policy": "cross-origin", "timing_allow_origin": False}, "/none": None}
    site = make(interface, **RESOURCES, own=own)
    found = [site.send("GET", path, origin=PAGE).headers for path in ("/", "/public", "/none")]
    public = {**READABLE, "cross-origin-resource-policy": "cross-origin"}
    assert found == [{**READABLE, **TAO, **CORP}, public, {}]


# -- presets


def test_a_preset_adds_names_but_no_origin(interface: str) -> None:
    site = make(interface, **{**BASE, "allow_headers": ["x-id"]}, allow_origins=[PAGE], presets=["opentelemetry"])
    preflight = {"access_control_request_method": "GET", "access_control_request_headers": "traceparent,x-id"}
    allowed = site.send("OPTIONS", origin=PAGE, **preflight)
    names = "accept, accept-language, content-language, content-type, x-id, traceparent, tracestate, baggage"
    assert (allowed.status, allowed.headers) == (
        204,
        {
            "access-control-allow-origin": PAGE,
            "access-control-allow-methods": "GET, HEAD, POST",
            "access-control-allow-headers": names,
            **PREFLIGHT_VARY,
        },
    )
    assert site.send("OPTIONS", origin=EVIL, **preflight).headers == PREFLIGHT_VARY


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_a_preset_by_view(interface: str) -> None:
    base = {**BASE, "allow_origins": [PAGE]}
    site = make(interface, **base, own={"/traced": {**base, "presets": ["opentelemetry"]}})
    preflight = {"access_control_request_method": "GET", "access_control_request_headers": "traceparent"}
    assert [site.send("OPTIONS", path, origin=PAGE, **preflight).status for path in ("/", "/traced")] == [200, 204]


def test_a_preset_exposes_the_headers_of_its_protocol(interface: str) -> None:
    site = make(interface, **BASE, allow_origins=[PAGE], presets="grpc-web")
    exposed = {"access-control-expose-headers": "grpc-status, grpc-message, grpc-status-details-bin"}
    assert site.send("POST", origin=PAGE).headers == {**READABLE, **exposed}


# -- name


def test_a_decision_has_the_name_of_its_policy(interface: str) -> None:
    decisions: list[Decision] = []
    options = {**BASE, "allow_origins": [PAGE], "name": "base"}
    site = make(
        interface,
        **options,
        paths={"/public": {"name": "public"}, "/none": None},
        on_decision=lambda decision, _: decisions.append(decision),
    )
    for path in ("/", "/public", "/none", "/public"):
        site.send("GET", path, origin=PAGE)
    assert [decision.policy_name for decision in decisions] == ["base", "public", "public"]


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_a_decision_has_the_name_of_the_views_policy(interface: str) -> None:
    """So have the metrics, which count decisions. Nothing is decided for an exempt view."""
    decisions: list[Decision] = []
    base = {**BASE, "allow_origins": [PAGE]}
    site = make(
        interface,
        **base,
        name="base",
        own={"/public": {**base, "name": "public"}, "/unnamed": base, "/none": None},
        on_decision=lambda decision, _: decisions.append(decision),
    )
    for path in ("/", "/public", "/unnamed", "/none", "/public"):
        site.send("GET", path, origin=PAGE)
        site.send("OPTIONS", path, origin=PAGE, access_control_request_method="GET")
    names = [decision.policy_name for decision in decisions]
    assert names == ["base", "base", "public", "public", None, None, "public", "public"]


# -- report_only, and protections that only report


REPORTS = [
    pytest.param({"report_only": {"allow_origins": [OTHER]}}, PAGE, "would refuse", id="report_only refuses"),
    pytest.param({"report_only": {"allow_origins": [PAGE, EVIL]}}, EVIL, "would allow", id="report_only allows"),
    pytest.param({"report_only": {"csrf_protection": True}}, EVIL, "would refuse", id="report_only protects"),
    pytest.param({"report_only": Policy(allow_origins=OTHER)}, PAGE, "would refuse", id="report_only is a policy"),
    pytest.param({"csrf_protection": "report"}, EVIL, "would refuse", id="csrf_protection"),
    pytest.param({"enforce": "report"}, EVIL, "would refuse", id="enforce"),
]


@pytest.mark.parametrize(("options", "origin", "direction"), REPORTS)
def test_a_report_changes_no_response(
    interface: str, caplog: pytest.LogCaptureFixture, options: dict[str, Any], origin: str, direction: str
) -> None:
    """The log states the direction once, and each decision has the other one."""
    caplog.set_level(logging.WARNING, "asgi_cors")
    decisions: list[Decision] = []
    reporting = make(
        interface, **BASE, allow_origins=[PAGE], **options, on_decision=lambda decision, _: decisions.append(decision)
    )
    plain = make(interface, **BASE, allow_origins=[PAGE])
    for _ in range(2):
        assert reporting.send("POST", "/form", origin=origin) == plain.send("POST", "/form", origin=origin)
    assert reporting.ran == [("POST", "/form")] * 2
    assert [decision.report for decision in decisions] == [direction] * 2
    assert [record.levelno for record in caplog.records if direction in record.getMessage()] == [logging.WARNING]


@pytest.mark.parametrize(("options", "origin", "direction"), REPORTS)
def test_a_request_that_both_decide_alike_is_not_reported(
    interface: str, caplog: pytest.LogCaptureFixture, options: dict[str, Any], origin: str, direction: str
) -> None:
    caplog.set_level(logging.WARNING, "asgi_cors")
    decisions: list[Decision] = []
    site = make(
        interface, **BASE, allow_origins=[PAGE], **options, on_decision=lambda decision, _: decisions.append(decision)
    )
    for _ in range(2):
        assert site.send("POST").status == 200
    assert [decision.report for decision in decisions] == [None] * 2
    assert not [record for record in caplog.records if direction in record.getMessage()]


@pytest.mark.parametrize("interface", WITH_VIEWS)
def test_a_protection_of_a_view_that_only_reports(interface: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "asgi_cors")
    base = {**BASE, "allow_origins": [PAGE]}
    decisions: list[Decision] = []
    site = make(
        interface,
        **base,
        own={"/form": {**base, "csrf_protection": "report"}},
        on_decision=lambda decision, _: decisions.append(decision),
    )
    assert site.send("POST", "/form", origin=EVIL)[:2] == (200, VARY)
    assert [decision.report for decision in decisions] == ["would refuse"]
    assert "would refuse" in caplog.text


def test_a_report_of_a_preflight(interface: str) -> None:
    """The preflight is answered by the policy in force."""
    decisions: list[Decision] = []
    site = make(
        interface,
        **BASE,
        allow_origins=[PAGE],
        report_only={"allow_methods": ["PUT"]},
        on_decision=lambda decision, _: decisions.append(decision),
    )
    response = site.send("OPTIONS", origin=PAGE, access_control_request_method="PUT")
    assert (response.status, response.headers["access-control-allow-methods"]) == (200, "GET, HEAD, POST")
    assert [decision.report for decision in decisions] == ["would allow"]
