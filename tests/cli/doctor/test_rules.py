"""The rules of the doctor, with hosts and address spaces that loopback does not have."""

import httpx
import pytest

from asgi_cors.cli.doctor import collect, unsent
from asgi_cors.cli.doctor.diagnosis import CAUSES, diagnose
from asgi_cors.cli.doctor.evidence import EngineResult, Evidence
from asgi_cors.cli.doctor.question import Question
from asgi_cors.cli.doctor.rules import notes, risks
from tests.cli.corpus.raw import PAGE


def diagnosed(behaviour, monkeypatch, spaces=("unknown", "unknown"), **question):
    """Diagnose a request to a host that does not exist."""
    monkeypatch.setattr(collect, "address_spaces", lambda _: spaces)
    transport = httpx.MockTransport(behaviour)
    parsed = Question(**({"url": "https://api.example.net/items", "origin": PAGE} | question))
    return diagnose(collect.collect_evidence(parsed, transport))


def grant(request):
    return httpx.Response(200, headers={"access-control-allow-origin": "*"})


@pytest.mark.parametrize(("scheme", "secure"), [("http", "https"), ("ws", "wss")])
def test_http_on_a_secure_page_is_mixed_content(monkeypatch, scheme, secure):

    def respond(request):
        return httpx.Response(101 if scheme == "ws" else 200, headers={"access-control-allow-origin": "*"})

    found = diagnosed(respond, monkeypatch, url=f"{scheme}://api.example.net/items")
    assert found.cause.name == "mixed-content"
    assert found.cause.remedy == f"Request {secure}://api.example.net/items."
    assert found.evidence.results[0].code == "MixedContent"


@pytest.mark.parametrize(
    ("spaces", "origin", "text"),
    [
        (("public", "loopback"), PAGE, "the URL is on this machine"),
        (("public", "local"), "http://app.localhost", "the URL is in the local network"),
        (("local", "loopback"), PAGE, None),
        (("unknown", "loopback"), PAGE, None),
        (("public", "public"), PAGE, None),
    ],
)
def test_a_public_page_needs_permission_for_the_local_network(monkeypatch, spaces, origin, text):
    found = diagnosed(grant, monkeypatch, spaces, origin=origin)
    sentences = {risk.name: risk.sentence for risk in found.risks}
    assert ("needs-local-network-access" in sentences) == bool(text)
    assert (text or "") in sentences.get("needs-local-network-access", "")


@pytest.mark.parametrize(
    ("address", "space"),
    [("127.0.0.1", "loopback"), ("10.1.2.3", "local"), ("169.254.1.1", "local"), ("93.184.216.34", "public")],
)
def test_the_address_space_depends_on_the_address_of_the_host(monkeypatch, address, space):
    monkeypatch.setattr(unsent.socket, "getaddrinfo", lambda *_: [(2, 1, 6, "", (address, 0))])
    assert unsent.address_spaces(Question(url="https://api.example.net", origin=PAGE)) == (space, space)
    assert unsent.address_spaces(Question(url="https://api.example.net", origin="null"))[0] == "unknown"


def test_probing_stops_after_two_probes_without_a_response(monkeypatch):
    origins = []

    def respond(request):
        origins.append(request.headers.get("origin"))
        if request.headers.get("origin") != PAGE:
            raise httpx.ReadTimeout("late")
        return grant(request)

    found = diagnosed(respond, monkeypatch)
    assert (found.cause, found.evidence.probes) == (None, {})
    assert len(origins) == 3


@pytest.mark.parametrize("host", ["localhost", "192.168.1.7", "com", "example.com"])
def test_an_origin_with_any_form_of_host_can_be_probed(monkeypatch, host):
    assert diagnosed(grant, monkeypatch, origin=f"https://{host}").cause is None


@pytest.mark.parametrize("rule", [*CAUSES, *risks.RULES, *notes.RULES], ids=lambda rule: rule.__name__)
def test_a_rule_finds_nothing_in_a_healthy_request(monkeypatch, rule):
    assert list(rule(diagnosed(grant, monkeypatch).evidence)) == []


def test_an_unknown_cause_is_reported_with_the_code_of_the_browser(monkeypatch):
    monkeypatch.setattr("asgi_cors.cli.doctor.diagnosis.CAUSES", ())
    found = diagnosed(lambda _: httpx.Response(200), monkeypatch)
    assert found.cause.name == "blocked"
    assert "MissingAllowOriginHeader" in found.cause.sentence
    assert "allow_origins" in found.cause.remedy
    evidence = Evidence(
        question=Question(url="wss://a.test", origin=PAGE),
        results=(EngineResult(engine="chromium", exchanges=(), problem="HandshakeRefused"),),
    )
    assert diagnose(evidence).cause.remedy.startswith("Look at")
    assert evidence.results[0].step == "request"


def test_a_deleted_cookie_is_not_a_risk(monkeypatch):

    def respond(request):
        cookies = ["a=; Max-Age=0", "b=; expires=Thu, 01 Jan 1970 00:00:00 GMT"]
        headers = [("access-control-allow-origin", PAGE), ("access-control-allow-credentials", "true")]
        return httpx.Response(200, headers=[*headers, *(("set-cookie", cookie) for cookie in cookies)])

    assert diagnosed(respond, monkeypatch, credentials=True).risks == ()


def test_a_lost_cookie_is_reported_with_its_missing_attributes(monkeypatch):

    def respond(cookie):
        headers = {"access-control-allow-origin": PAGE, "access-control-allow-credentials": "true"}
        return lambda _: httpx.Response(200, headers=headers | {"set-cookie": cookie})

    (risk,) = diagnosed(respond("a=1; Secure"), monkeypatch, credentials=True).risks
    assert "lacks SameSite=None." in risk.sentence
    (risk,) = diagnosed(respond("a=1; Secure; SameSite=None; Domain=net"), monkeypatch, credentials=True).risks
    assert "has an attribute that forbids it." in risk.sentence


@pytest.mark.parametrize(
    ("origin", "cookie", "reason"),
    [
        ("http://localhost:3000", "a=1; SameSite=None", "SameSite=None needs Secure"),
        ("http://localhost:3000", "a=1; Domain=net", "an attribute, or http instead of https, forbids it"),
        ("https://localhost", "a=1; SameSite=None", "the page is on another site, and the cookie lacks Secure"),
        ("null", "a=1; SameSite=None", "the page is on another site, and the cookie lacks Secure"),
    ],
)
def test_a_lost_cookie_of_the_pages_own_site_is_not_said_to_be_of_another_site(monkeypatch, origin, cookie, reason):
    headers = {"access-control-allow-origin": origin, "access-control-allow-credentials": "true", "set-cookie": cookie}
    question = {"url": "http://localhost:8000/items", "origin": origin, "credentials": True}
    risks = diagnosed(lambda _: httpx.Response(200, headers=headers), monkeypatch, **question).risks
    assert [reason in risk.sentence for risk in risks if risk.name == "cookie-not-kept"] == [True]
