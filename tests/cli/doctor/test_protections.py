"""A protection of the server refuses a request: the doctor says which one, and what to write."""

import contextlib
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from asgi_cors import WSGIMiddleware, explain
from tests.cli.corpus.protections import POST, ROWS
from tests.cli.corpus.raw import PAGE, sends
from tests.cli.corpus.serving import serving
from tests.support.command_line import doctor
from tests.support.remedies import build_policy

BY_ID = {row.id: row for row in ROWS}


def diagnosis(row, **call):
    """Return the doctor's JSON for a row, and the requests that the server received."""
    with serving(BY_ID[row].server) as server:
        ran = doctor(BY_ID[row].call | call, f"{server.url}/items")
    return ran.json, server.requests


def test_the_options_for_a_forged_request_let_the_page_send_it_and_read_the_response():
    found, _ = diagnosis("asgi_cors refuses a forged form", credentials=True)
    policy = build_policy(found["cause"]["policy"])
    assert (policy.csrf_protection, policy.allow_credentials) == (True, True)
    assert explain(policy, "POST", PAGE, credentials=True).allowed


@pytest.mark.parametrize("row", [row for row in ROWS if row.cause == "forged-request-refused"], ids=lambda row: row.id)
def test_a_forged_request_is_sent_once(row):
    found, requests = diagnosis(row.id)
    assert [request.method for request in requests].count("POST") == 1
    assert "may have forged it" in found["cause"]["sentence"]


def test_a_sandboxed_page_is_not_proposed():
    found, _ = diagnosis("a forged form of a sandboxed page")
    assert (found["cause"]["policy"], found["cause"]["remedy"][:27]) == ("", "Serve the page from an orig")


def test_a_refusal_that_the_page_may_read_is_a_note():
    headers = [("Access-Control-Allow-Origin", "*")]
    body = b"Refused by the CORS policy: another site may have forged the request (CrossSiteRequest)."
    with serving(sends(403, *headers, body=body)) as server:
        ran = doctor(POST, f"{server.url}/items")
    notes = {note["name"]: note for note in ran.json["notes"]}
    assert (ran.code, ran.json["cause"]) == (0, None)
    assert notes["forged-request-refused"]["sentence"].startswith("The page may read the response, but it is a refusal")
    assert build_policy(notes["forged-request-refused"]["policy"]).csrf_trusted_origins == (PAGE,)


def test_the_host_that_the_server_received_is_named():
    found, _ = diagnosis("asgi_cors refuses the Host")
    assert "because of its Host, 'app:8000'" in found["cause"]["sentence"]
    assert "Write 'proxy_set_header Host $host' there." in found["cause"]["advice"]


def test_the_host_of_the_url_is_proposed_if_no_proxy_changes_it():
    def respond(request):
        return sends(421, body=f"(HostNotAllowed)\nThe Host received is '{request.headers['host']}'.".encode())(request)

    with serving(respond) as server:
        found = doctor({}, f"{server.url}/items").json
        host = server.url.removeprefix("http://")
    assert found["cause"]["advice"] == f"If that is a name of this server, add {host!r} to allowed_hosts."
    assert found["browsers"][0]["step"] == "request"  # a browser repeats it once, without a redirect


# -- our own middlewares


@contextlib.contextmanager
def running(app):
    """Serve a WSGI app on loopback."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            """Log nothing."""

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def tea(_environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"tea"]


@pytest.mark.parametrize(
    ("options", "call", "cause"),
    [
        ({"csrf_protection": True}, POST | {"origin": "https://other.example.com"}, "forged-request-refused"),
        ({"csrf_protection": True}, POST, None),
        ({"csrf_protection": True}, {"origin": "https://other.example.com"}, "origin-not-allowed"),
        ({"allowed_hosts": ["api.example.com"]}, {}, "host-not-allowed"),
        ({"allowed_hosts": ["api.example.com"]}, {"method": "PUT"}, "host-not-allowed"),
        ({"allowed_hosts": ["127.0.0.1"]}, {}, None),
    ],
)
def test_the_refusals_of_the_real_middleware_are_recognised(options, call, cause):
    policy = {"allow_origins": PAGE, "allow_methods": ["PUT"]}
    with running(WSGIMiddleware(tea, **policy, **options)) as url:
        found = doctor(call, url).json
    assert (found["cause"] or {}).get("name") == cause


def metadata_of(requests):
    """Return the values of Sec-Fetch-Site by method and origin."""
    return {(request.method, request.origin): request.headers.get("sec-fetch-site") for request in requests}


def test_requests_and_comparisons_carry_the_fetch_metadata_of_a_browser():
    with serving(sends(403)) as server:
        doctor({}, f"{server.url}/items")
        found = metadata_of(server.requests)
    assert found["GET", PAGE] == found["OPTIONS", PAGE] == "cross-site"
    assert found["GET", server.url] == "same-origin"
    assert found["GET", "https://asgi-cors-doctor.example"] == "cross-site"
    assert found["GET", ""] is None
    assert found["OPTIONS", ""] is None


def test_the_handshakes_of_comparisons_carry_the_fetch_metadata_of_a_browser():
    with serving(sends(403)) as server:
        doctor({"scheme": "ws"}, f"{server.url}/feed")
        found = metadata_of(server.requests)
    first = found["GET", PAGE]
    assert found["GET", server.url] == (first and "same-origin")


def test_a_server_that_decides_by_fetch_metadata_is_not_mistaken_for_one_that_checks_origins():
    def respond(request):
        allowed = request.headers.get("sec-fetch-site") in {"same-origin", "none", None}
        return sends(200 if allowed else 403)(request)

    with serving(respond) as server:
        found = doctor({}, f"{server.url}/items").json
    assert found["cause"]["name"] == "refused-by-status"
