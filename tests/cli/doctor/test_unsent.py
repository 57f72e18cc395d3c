"""Requests that a browser does not send: mixed content and local network access, decided by URL as each engine does."""

import socket

import httpx
import pytest

from asgi_cors.cli.doctor import collect
from asgi_cors.cli.doctor.unsent import is_mixed_content
from tests.cli.corpus.raw import ACAM, ACAO, PAGE, allowing, handshake, sends
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import Ran, run

UNSPECIFIED = "0.0.0.0"  # noqa: S104 - requested, not bound


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Resolve example.test and its subdomains, and 0.0.0.0, to this machine."""
    real = socket.getaddrinfo

    def resolve(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        here = name in {UNSPECIFIED, "printer.local"} or name.endswith("example.test")
        return real("127.0.0.1" if here else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def doctor(url: str, *arguments: str, origin: str = PAGE) -> Ran:
    return run("doctor", url, "-o", origin, *arguments, "--json")


def grant(request):
    """Allow every page every method."""
    return Response(200, ((ACAO, request.origin or "*"), (ACAM, "DELETE, PUT"), ("Vary", "Origin")))


def codes(ran: Ran) -> list[str | None]:
    return [browser["code"] for browser in ran.json["browsers"]]


@pytest.mark.parametrize("arguments", [[], ["-X", "DELETE"], ["-X", "PUT", "--preflight-only"]], ids=str)
def test_nothing_is_sent_over_http_from_a_page_over_https_even_if_the_name_resolves_to_this_machine(arguments):
    with serving(grant) as server:
        ran = doctor(f"http://api.example.test:{server.port}/x", *arguments)
    assert server.requests == []
    assert (ran.code, codes(ran)) == (1, ["MixedContent"] * 3)
    assert ran.json["cause"]["name"] == "mixed-content"
    assert ran.json["cause"]["remedy"] == f"Request https://api.example.test:{server.port}/x."
    (exchange,) = ran.json["exchanges"]
    assert (exchange["sent"], exchange["problem"], exchange["status"]) == (False, "mixed content", None)


def test_no_handshake_is_sent_without_tls_from_a_page_over_https():
    with serving(handshake(lambda _: True)) as server:
        ran = doctor(f"ws://api.example.test:{server.port}/x")
    assert (server.requests, ran.code) == ([], 1)
    assert ran.json["cause"]["remedy"] == f"Request wss://api.example.test:{server.port}/x."


def test_the_report_shows_a_request_that_is_not_sent():
    out = run("doctor", "http://api.example.test/x", "-o", PAGE, "-X", "DELETE").out
    text = " ".join(out.split())
    assert "✗ Chromium does not send the preflight MixedContent" in text
    assert "1. preflight: OPTIONS http://api.example.test/x -> not sent (mixed content)" in text


@pytest.mark.parametrize("host", [UNSPECIFIED, "printer.local"])
def test_only_chromium_sends_to_a_host_of_the_local_network(host):
    with serving(grant) as server:
        ran = doctor(f"http://{host}:{server.port}/x", "-X", "DELETE", "--no-probes")
    assert [request.method for request in server.requests] == ["OPTIONS", "DELETE"]
    assert codes(ran) == [None, "MixedContent", "MixedContent"]
    assert ran.code == 1
    cause = ran.json["cause"]
    assert "Firefox and Safari do not send" in cause["sentence"]
    expected = {
        UNSPECIFIED: f"http://localhost:{server.port}/x",
        "printer.local": f"https://printer.local:{server.port}/x",
    }
    assert cause["remedy"] == f"Request {expected[host]}."
    assert [exchange["sent"] for exchange in ran.json["exchanges"]] == [True, True, False]


def test_the_report_names_the_browsers_that_do_not_send():
    with serving(grant) as server:
        out = run("doctor", f"http://0.0.0.0:{server.port}/x", "-o", PAGE, "--no-probes").out
    text = " ".join(out.split())
    assert "✓ Chromium allows it" in text
    assert "request of Firefox and Safari: GET http://0.0.0.0" in text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "api.localhost"])
def test_safari_is_tested_as_if_a_server_on_this_machine_had_https(host):
    """Chromium and Firefox send http to this machine. Safari does not, but will once the API is deployed."""
    with serving(grant) as server:
        ran = doctor(f"http://{host}:{server.port}/x", "-X", "DELETE")
        out = run("doctor", f"http://{host}:{server.port}/x", "-o", PAGE).out
    assert (ran.code, codes(ran)) == (0, [None] * 3)
    assert [browser["needs_https"] for browser in ran.json["browsers"]] == [False, False, True]
    assert "Safari allows it, but only over https on this machine" in " ".join(out.split())


def test_no_unsafe_request_is_sent_to_this_machine_as_safari_alone():
    """Safari allows a redirected request that Chromium and Firefox block, but would not send it to this machine."""

    def respond(request):
        if request.is_preflight:
            return allowing((ACAM, "DELETE, GET"), origin=request.origin)
        return Response(200, ((ACAO, request.origin),))

    with serving(respond) as server, pytest.MonkeyPatch.context() as patch:
        sent = collect.check_sent

        def refuse(engine, *arguments):
            if engine != "webkit":
                raise collect.NotSentError(collect.MIXED_CONTENT)
            sent(engine, *arguments)

        patch.setattr(collect, "check_sent", refuse)
        ran = doctor(f"{server.url}/x", "-X", "DELETE", "--no-probes")
    assert [request.method for request in server.requests] == ["OPTIONS"]
    assert codes(ran) == ["MixedContent"] * 3


def test_a_redirect_from_https_to_http_is_not_followed(tls):
    """The POST is not sent again over http."""
    with serving(grant) as plain:
        location = f"http://api.example.test:{plain.port}/items/"
        moved = sends(307, (ACAO, PAGE), ("Location", location))
        with serving(moved, tls=tls) as server:
            url = f"https://api.example.test:{server.port}/items"
            ran = doctor(url, "-X", "POST", "-d", "x", "--insecure", "--no-probes")
    assert plain.requests == []
    assert [request.method for request in server.requests] == ["POST"]
    assert (ran.code, ran.json["cause"]["name"]) == (1, "redirected-to-http")
    assert [exchange["sent"] for exchange in ran.json["exchanges"]] == [True, False]


def test_a_redirect_to_http_is_followed_for_a_page_over_http(tls):
    with serving(grant) as plain:
        location = f"http://api.example.test:{plain.port}/items/"
        with serving(sends(302, (ACAO, "http://localhost:3000"), ("Location", location)), tls=tls) as server:
            url = f"https://api.example.test:{server.port}/items"
            page = "http://localhost:3000"
            ran = doctor(url, "--insecure", "--no-probes", origin=page)
    assert plain.requests != []
    assert (ran.code, ran.json["cause"]) == (0, None)


def test_a_redirect_to_http_is_named_if_the_origin_becomes_null(tls):
    with serving(sends(200, (ACAO, "http://localhost:3000"))) as plain:
        location = f"http://api.example.test:{plain.port}/items/"
        with serving(sends(302, (ACAO, "http://localhost:3000"), ("Location", location)), tls=tls) as server:
            url = f"https://api.example.test:{server.port}/items"
            ran = doctor(url, "--insecure", origin="http://localhost:3000")
    assert (ran.code, ran.json["cause"]["name"]) == (1, "redirected-to-http")
    assert "X-Forwarded-Proto" in ran.json["cause"]["remedy"]


def test_a_redirect_to_http_on_another_host_is_named_by_its_other_origin(tls):
    """On a page over http, this is not mixed content."""
    with serving(sends(200, (ACAO, "http://localhost:3000"))) as plain:
        location = f"http://cdn.example.test:{plain.port}/items/"
        with serving(sends(302, (ACAO, "http://localhost:3000"), ("Location", location)), tls=tls) as server:
            url = f"https://api.example.test:{server.port}/items"
            ran = doctor(url, "--insecure", origin="http://localhost:3000")
    assert (ran.code, ran.json["cause"]["name"]) == (1, "redirected-to-another-origin")


@pytest.mark.parametrize("arguments", [[], ["-X", "DELETE"]])
def test_chromium_refuses_a_public_page_over_http_that_requests_this_machine(monkeypatch, arguments):
    monkeypatch.setattr(collect, "address_spaces", lambda _: ("public", "loopback"))
    with serving(grant) as server:
        ran = doctor(f"http://api.example.test:{server.port}/x", *arguments, origin="http://app.example.com")
    assert codes(ran) == ["InsecureLocalNetwork", None, None]
    assert ran.json["cause"]["name"] == "needs-local-network-access"
    assert "needs-local-network-access" not in [risk["name"] for risk in ran.json["risks"]]


def test_chromium_refuses_a_redirect_into_the_local_network(monkeypatch):
    monkeypatch.setattr(collect, "address_spaces", lambda _: ("public", "public"))
    with serving(grant) as server:
        location = f"http://127.0.0.1:{server.port}/private"
        with serving(sends(307, (ACAO, "*"), ("Location", location))) as first:
            ran = doctor(f"http://api.example.test:{first.port}/x", "--no-probes", origin="http://app.example.com")
    assert codes(ran) == ["InsecureLocalNetwork", None, None]


def test_an_unsafe_request_is_sent_once_even_if_the_browsers_send_different_cookies():
    """WebKit sends no Secure cookie to http."""
    respond = sends(
        200, (ACAO, "http://localhost:3000"), ("Access-Control-Allow-Credentials", "true"), (ACAM, "DELETE")
    )
    with serving(respond) as server:
        doctor(server.url, "-X", "DELETE", "-c", "--cookie", "sid=1", origin="http://localhost:3000")
    assert [request.method for request in server.requests].count("DELETE") == 1


def test_a_request_that_preflight_only_leaves_out_is_shown_as_not_sent():
    with serving(grant) as server:
        ran = doctor(server.url, "-X", "DELETE", "--preflight-only", "--no-probes")
    assert [(exchange["sent"], exchange["problem"]) for exchange in ran.json["exchanges"]] == [
        (True, None),
        (False, "--preflight-only"),
    ]


HOSTS = [
    # host, whether Chromium and Firefox send http to it from a page over https, as measured
    ("127.0.0.1", True, True),
    ("127.5.5.5", True, True),
    ("localhost", True, True),
    ("foo.localhost", True, True),
    ("localhost.", True, True),
    ("[::1]", True, True),
    (UNSPECIFIED, True, False),
    ("0.1.2.3", True, False),
    ("[::]", True, False),
    ("[::ffff:127.0.0.1]", True, False),
    ("[::ffff:10.1.2.3]", True, False),
    ("10.1.2.3", True, False),
    ("172.16.0.1", True, False),
    ("192.168.1.7", True, False),
    ("169.254.1.1", True, False),
    ("100.64.0.1", True, False),
    ("[fc00::1]", True, False),
    ("[fd12::3]", True, False),
    ("[fe80::1]", True, False),
    ("printer.local", True, False),
    ("local", True, False),
    ("a.local.", True, False),
    ("172.32.0.1", False, False),
    ("192.0.2.2", False, False),
    ("198.18.0.1", False, False),
    ("203.0.113.5", False, False),
    ("255.255.255.255", False, False),
    ("[::ffff:192.0.2.2]", False, False),
    ("nas", False, False),
    ("localhost.localdomain", False, False),
    ("api.example.test", False, False),
]


@pytest.mark.parametrize(("host", "chromium", "firefox"), HOSTS)
def test_mixed_content_is_decided_as_measured(host, chromium, firefox):
    url = httpx.URL(f"http://{host}:8000/x")
    blocked = [is_mixed_content(engine, PAGE, url) for engine in ("chromium", "firefox")]
    assert blocked == [not chromium, not firefox]
    assert not is_mixed_content("firefox", "http://localhost:3000", url)
    assert not is_mixed_content("firefox", PAGE, url.copy_with(scheme="https"))
