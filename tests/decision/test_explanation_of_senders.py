"""`explain`: who may send a request, besides who may read its response."""

from typing import Any

import pytest

from asgi_cors import Explanation, Policy, explain
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.expected import APP, EVIL
from tests.support.policies import policy_without_warnings

BANK = "https://bank.example.net"
CSRF = Policy(allow_origins=APP, csrf_protection=True, csrf_trusted_origins=BANK, allow_methods=["PUT"])
WITH_COOKIES = CSRF.replace(allow_credentials=True)
JSON = [("content-type", "application/json")]


async def later(origin: str) -> bool:
    """Decide at run time."""
    return bool(origin)


def step(explanation: Explanation, check: str) -> Any:
    """Return the step of a check, or None."""
    return next((step for step in explanation.steps if step.check == check), None)


# behaviour, policy, method, origin, headers, credentials; may it be read, does the app run it, code, text of the rule
ROWS: list[tuple[str, Policy, str, str, Any, bool, bool | None, bool | None, str | None, str]] = [
    ("a forged form", CSRF, "POST", EVIL, (), False, False, False, "CrossSiteRequest", "may have forged"),
    ("the same with cookies", CSRF, "POST", EVIL, (), True, False, False, "CrossSiteRequest", "may have forged"),
    ("a trusted origin", CSRF, "POST", BANK, (), True, False, True, "MissingAllowOriginHeader", "csrf_trusted_origins"),
    ("an allowed origin", CSRF, "POST", APP, (), False, True, True, None, "neither cookies nor an Authorization"),
    ("an allowed origin with cookies", CSRF, "POST", APP, (), True, False, False, "CrossSiteRequest", "act as the us"),
    ("allow_credentials", WITH_COOKIES, "POST", APP, (), True, True, True, None, "with allow_credentials"),
    ("a token", CSRF.replace(allow_headers="authorization"), "POST", APP, [("Authorization", "Bearer x")], False,
     True, True, None, "neither cookies"),
    ("a password", CSRF.replace(allow_headers="authorization"), "POST", APP, [("Authorization", "Basic x")], False,
     False, False, "CrossSiteRequest", "act as the user"),
    ("a preflighted method", CSRF, "PUT", APP, (), False, True, True, None, "neither cookies"),
    ("null", CSRF, "POST", "null", (), False, False, False, "CrossSiteRequest", "every site can send"),
    ("null that is listed", policy_without_warnings(allow_origins="null", csrf_protection=True), "POST", "null", (),
     False, False, False, "CrossSiteRequest", "every site can send"),
    ("'*'", Policy(allow_origins="*", csrf_protection=True), "POST", APP, (), False,
     False, False, "CrossSiteRequest", "'*' in allow_origins trusts no origin"),
    ("a callable", Policy(allow_origins=[later], csrf_protection=True), "POST", APP, (), False,
     None, None, None, "asked at run time (later())"),
    ("a trusted callable", Policy(allow_origins=APP, csrf_protection=True, csrf_trusted_origins=[later]), "POST", BANK,
     (), False, False, None, "MissingAllowOriginHeader", "asked at run time (later())"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "allowed", "reaches_app", "code", "rule"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_the_sender_of_a_request_is_explained(
    policy: Policy,
    method: str,
    origin: str,
    headers: Any,
    credentials: bool,
    allowed: bool | None,
    reaches_app: bool | None,
    code: str | None,
    rule: str,
) -> None:
    found = explain(policy, method, origin, headers, credentials)
    assert (found.allowed, found.reaches_app, found.code) == (allowed, reaches_app, code)
    assert rule in step(found, "sender").rule
    assert bool(found.remedy) is (allowed is False)


@pytest.mark.parametrize("row", [row for row in ROWS if row[7] is not None], ids=lambda row: row[0])
def test_the_app_runs_a_request_exactly_if_the_explanation_says_so(row: Any) -> None:
    _, policy, method, origin, headers, credentials, _, reaches_app, _, _ = row
    app = App()
    client = Client("asgi", app, policy)
    sent = [("sec-fetch-site", "cross-site"), *(headers or ())]
    client.request(method, origin=origin, headers=[*sent, *([("cookie", "sid=1")] if credentials else [])])
    assert bool(app.seen) is reaches_app


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_method_that_only_reads_has_no_check_of_the_sender(method: str) -> None:
    assert step(explain(CSRF, method, EVIL), "sender") is None


def test_a_request_that_its_preflight_stops_is_never_sent() -> None:
    found = explain(CSRF, "PUT", EVIL)
    assert (found.code, found.reaches_app, step(found, "sender")) == ("PreflightMissingAllowOriginHeader", False, None)
    assert found.verdict == "the browser blocks it"


@pytest.mark.parametrize("headers", [(), JSON])
def test_a_request_without_protection_may_be_sent_and_not_read(headers: Any) -> None:
    found = explain(Policy(allow_origins=APP), "POST", EVIL, headers)
    assert found.reaches_app is not bool(headers)
    assert ("but the app runs the request" in found.verdict) is found.reaches_app


def test_the_verdict_of_a_forged_request_says_that_the_app_never_runs_it() -> None:
    text = str(explain(CSRF, "POST", EVIL))
    assert text.startswith(f"POST from {EVIL!r}: the middleware refuses it, and the app never runs it (CrossSiteReq")


def test_a_page_of_the_servers_own_origin_may_send_and_read() -> None:
    found = explain(CSRF, "POST", EVIL, credentials=True, host=EVIL.removeprefix("https://"))
    assert (found.allowed, found.reaches_app) == (True, True)
    assert step(found, "sender").rule == "the server's own origin may send it"
    assert "own origin" in step(found, "origin").rule
    assert explain(CSRF, "POST", EVIL, host="api.example.com").code == "CrossSiteRequest"


def test_a_protection_that_only_reports_refuses_nothing_and_says_what_it_would_refuse() -> None:
    reporting = CSRF.replace(csrf_protection="report")
    found = explain(reporting, "POST", APP, credentials=True)
    assert (step(found, "sender").is_note, found.reaches_app) == (True, True)
    assert step(found, "sender").rule.startswith("'report': would refuse it, because another site may")
    assert explain(reporting.replace(allow_origins="*"), "POST", EVIL).allowed is True
    assert "\n  --  sender      POST: 'report': would refuse it" in str(found)


# -- remedies


@pytest.mark.parametrize("credentials", [False, True])
@pytest.mark.parametrize("origin", [EVIL, APP, "http://localhost:3000", "https://shop.example.org:8443"])
@pytest.mark.parametrize("options", [{}, {"allow_credentials": True}, {"allow_origins": "*"}])
def test_a_trusted_origin_as_the_remedy_proposes_passes(options: Any, origin: str, credentials: bool) -> None:
    allow_origins = "*" if options.get("allow_origins") else APP
    policy = policy_without_warnings(**({"allow_origins": allow_origins, "csrf_protection": True} | options))
    found = explain(policy, "POST", origin, credentials=credentials)
    if found.code != "CrossSiteRequest":
        assert origin == APP
        return
    assert f"If that page may send this, add {origin!r} to csrf_trusted_origins." in found.remedy
    corrected = explain(policy.replace(csrf_trusted_origins=[origin]), "POST", origin, credentials=credentials)
    assert corrected.reaches_app is True
    if "To let it read the response as well" in found.remedy:
        assert corrected.code == "MissingAllowOriginHeader"
        both = policy.replace(csrf_trusted_origins=[origin], allow_origins=[origin], allow_credentials=credentials)
        assert explain(both, "POST", origin, credentials=credentials).allowed


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ("http://bank.example.net", "serve it over https, and add 'https://bank.example.net' to csrf_trusted_origins."),
        ("null", "write csrf_protection=False in the policy of the path."),
        ("https://a b", "No browser sends this origin. Correct the client."),
        (f"https://{'a' * 60}.{'b' * 60}.net", "add its origin to csrf_trusted_origins."),
        ("moz-extension://3b1f0d5e-0000-4000-8000-000000000000*", "csrf_trusted_origins."),
    ],
)
def test_an_origin_that_no_policy_should_trust_has_another_remedy(origin: str, text: str) -> None:
    remedy = explain(CSRF, "POST", origin).remedy
    assert text in remedy
    if "csrf_trusted_origins" not in text:
        assert "allow_origins" not in remedy


def test_a_trusted_origin_over_http_is_proposed_if_the_policy_accepts_the_risk() -> None:
    policy = policy_without_warnings(
        allow_origins=APP, csrf_protection=True, dangerously_allow=["credentials-over-http"]
    )
    remedy = explain(policy, "POST", "http://bank.example.net").remedy
    assert "add 'http://bank.example.net' to csrf_trusted_origins" in remedy


# -- names, presets, headers of the response


def test_the_name_of_the_policy_and_the_presets_are_named() -> None:
    policy = Policy(allow_origins=APP, presets=["mcp"], allow_headers=["x-id"], name="public")
    found = explain(policy, "DELETE", APP, ["mcp-session-id", "Mcp-Param-X", "x-id"])
    assert found.allowed
    assert str(step(found, "policy")).count("'public'")
    assert step(found, "method").rule.endswith(", with preset 'mcp'")
    assert step(found, "headers").rule.endswith(", with preset 'mcp'")
    assert "mcp-session-id" in step(found, "expose").rule
    both = explain(policy.replace(presets=["mcp", "tus"]), "DELETE", APP, ["authorization"])
    assert step(both, "headers").rule.endswith(", with presets 'mcp', 'tus'")
    assert "preset" not in step(explain(policy, "GET", APP, ["x-id"]), "headers").rule
    assert "preset" not in step(explain(policy.replace(allow_headers="*"), "GET", APP, ["mcp-name"]), "headers").rule


@pytest.mark.parametrize(("name", "preset"), [("mcp-session-id", "mcp"), ("mcp-param-x", "mcp"), ("hx-target", "htmx")])
def test_the_remedy_of_a_header_names_the_one_preset_that_has_it(name: str, preset: str) -> None:
    policy = Policy(allow_origins=APP, presets=["tus"])
    remedy = explain(policy, "GET", APP, [name]).remedy
    assert remedy.endswith(f"To allow all names of that protocol, write presets={['tus', preset]!r}.")
    assert explain(policy.replace(presets=["tus", preset]), "GET", APP, [name]).allowed
    assert explain(policy.replace(allow_headers=[name]), "GET", APP, [name]).allowed


@pytest.mark.parametrize("name", ["x-id", "baggage", f"mcp-param-{'x' * 100}"])
def test_the_remedy_of_another_header_names_no_preset(name: str) -> None:
    assert "presets" not in explain(Policy(allow_origins=APP), "GET", APP, [name]).remedy


@pytest.mark.parametrize(
    ("value", "text"),
    [("same-origin", "other origins can't"), ("same-site", "other sites can't"), ("cross-origin", "every page can")],
)
def test_the_headers_besides_cors_are_listed(value: Any, text: str) -> None:
    found = explain(Policy(allow_origins=APP, resource_policy=value, timing_allow_origin=True), "GET", APP)
    assert step(found, "timing").rule == "timing_allow_origin is True"
    assert text in step(found, "embedding").rule
    assert {"timing", "embedding"}.isdisjoint(each.check for each in explain(CSRF, "GET", APP).steps)
