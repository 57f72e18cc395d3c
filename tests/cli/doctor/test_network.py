"""A request without a usable response: the doctor names the cause that a further request confirms."""

import contextlib
import socket
import ssl
import threading

import pytest

from tests.cli.corpus.raw import ACAO, PAGE, allowing, moved, sends
from tests.cli.corpus.serving import Response, serving
from tests.cli.corpus.sockets import answering, certificate, http2_only, listening, speaking
from tests.support.command_line import Ran, run

GRANT = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def doctor(url: str, *arguments: str) -> Ran:
    return run("doctor", url, "-o", PAGE, "--timeout", "2", *arguments, "--json")


def blocked(url: str, *arguments: str) -> dict[str, str]:
    """Return the cause of a request that must be blocked."""
    ran = doctor(url, *arguments)
    assert ran.code == 1, ran.err
    assert not any(browser["allowed"] for browser in ran.json["browsers"])
    cause: dict[str, str] = ran.json["cause"]
    return cause


def test_http_to_a_port_of_tls_is_named(tls):
    with serving(sends(200, (ACAO, "*")), tls=tls) as server:
        cause = blocked(server.url)
    assert cause["name"] == "http-on-tls-port"
    assert cause["remedy"] == f"Request {server.url.replace('http', 'https')}/."


@pytest.mark.parametrize(
    "text",
    [
        "<title>400 The plain HTTP request was sent to HTTPS port</title>",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
        "Client sent an HTTP request to an HTTPS server.\n",
    ],
    ids=["nginx", "Apache", "Go"],
)
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_400_of_a_tls_port_is_named(tls, text, scheme):
    """A server that recognises http on its TLS port: nginx, Apache, Go."""
    bad = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(text), text.encode())

    def speak(connection: socket.socket, received: bytes) -> None:
        connection.sendall(bad if received[:3] == b"GET" else b"")

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain, contextlib.suppress(OSError):
                if plain.recv(1, socket.MSG_PEEK) != b"\x16":
                    speak(plain, plain.recv(65536))
                else:
                    with tls.wrap_socket(plain, server_side=True) as secure:
                        secure.recv(65536)
                        secure.sendall(GRANT)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    cause = blocked(f"{scheme}://127.0.0.1:{port}/")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    assert (cause["name"], cause["remedy"]) == ("http-on-tls-port", f"Request {scheme}s://127.0.0.1:{port}/.")


@pytest.mark.parametrize("headers", [[], [("Content-Encoding", "gzip")]], ids=["text", "broken gzip"])
def test_a_400_of_an_app_is_not_a_wrong_protocol(headers):
    with serving(sends(400, *headers)) as server:
        assert blocked(server.url)["name"] != "http-on-tls-port"


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_tls_to_a_port_of_plain_http_is_named(scheme):
    with serving(sends()) as server:
        ran = doctor(server.url.replace("http", scheme))
    assert (ran.code, ran.json["cause"]["name"]) == (1, "tls-on-http-port")
    assert ran.json["browsers"][0]["code"] == "TLSFailed"
    check = ran.json["exchanges"][-1]
    assert (check["kind"], check["check"], check["status"]) == ("check", "over http", 200)
    assert (
        server.url.replace("http", scheme.replace("https", "http").replace("wss", "ws")) in ran.json["cause"]["remedy"]
    )


def test_a_server_that_speaks_only_http2_without_tls_is_named():
    pytest.importorskip("h2")
    with listening(http2_only) as url:
        assert blocked(url)["name"] == "http2-only"


def test_a_port_that_speaks_both_versions_is_not_for_http2_only():
    """HAProxy accepts HTTP/2 by prior knowledge next to HTTP/1.1. A rule in it drops OPTIONS."""
    pytest.importorskip("h2")

    def speak(connection: socket.socket, received: bytes) -> None:
        (answering({"GET": GRANT}) if received.startswith((b"GET", b"OPTIONS")) else http2_only)(connection, received)

    with listening(speak) as url:
        assert blocked(url, "-X", "PUT")["name"] == "preflight-dropped"


def test_http2_over_tls_is_spoken_as_browsers_do(tls):
    """A server that speaks only HTTP/2 over TLS serves browsers."""
    pytest.importorskip("h2")
    from h2.config import H2Configuration  # noqa: PLC0415
    from h2.connection import H2Connection  # noqa: PLC0415
    from h2.events import RequestReceived  # noqa: PLC0415

    protocols = []

    def speak(connection: ssl.SSLSocket, received: bytes) -> None:
        protocols.append(connection.selected_alpn_protocol())
        state = H2Connection(H2Configuration(client_side=False))
        state.initiate_connection()
        while received:
            for event in state.receive_data(received):
                if isinstance(event, RequestReceived):
                    headers = [(":status", "200"), ("access-control-allow-origin", "*")]
                    headers.append(("access-control-allow-methods", "PUT"))
                    state.send_headers(event.stream_id, headers, end_stream=True)
            connection.sendall(state.data_to_send())
            received = connection.recv(65536)

    tls.set_alpn_protocols(["h2"])
    try:
        with listening(speak, tls=tls) as url:  # type: ignore[arg-type]
            ran = doctor(url, "--insecure", "-X", "PUT", "-d", "x")
    finally:
        tls.set_alpn_protocols(["http/1.1"])
    assert (ran.code, set(protocols)) == (0, {"h2"})


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "closes"])
def test_an_options_that_gets_no_response_is_dropped_by_a_layer(hangs):
    ended = threading.Event()
    speak = answering({"GET": GRANT, "PUT": GRANT}, hangs=ended if hangs else None)
    with listening(speak) as url:
        ran = run("doctor", url, "-o", PAGE, "-X", "PUT", "--timeout", "0.4", "--json")
        ended.set()
    assert (ran.code, ran.json["cause"]["name"]) == (1, "preflight-dropped")
    assert "GET of the same URL gets 200" in ran.json["cause"]["sentence"]
    assert [exchange["method"] for exchange in ran.json["exchanges"]][-2:] == ["OPTIONS", "GET"]


def test_an_unsafe_request_is_never_sent_again_to_confirm_a_failure():
    received = []

    def respond(request):
        received.append(request.method)
        if not request.is_preflight and request.method == "PUT":
            raise ConnectionResetError
        return allowing(("Access-Control-Allow-Methods", "PUT"))

    with serving(respond) as server:
        cause = blocked(server.url, "-X", "PUT")
    assert cause["name"] == "empty-reply"
    assert f"PUT {server.url}/" in cause["sentence"]
    assert "GET of the same URL gets 200" in cause["sentence"]
    assert received.count("PUT") == 1


def test_an_unsafe_request_that_gets_no_response_in_time_is_sent_once():
    received = []
    ended = threading.Event()
    allows = b"HTTP/1.1 204 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: PUT\r\n\r\n"

    def speak(connection: socket.socket, head: bytes) -> None:
        received.append(head.partition(b" ")[0])
        answering({"OPTIONS": allows, "GET": GRANT}, hangs=ended)(connection, head)

    with listening(speak) as url:
        ran = run("doctor", url, "-o", PAGE, "-X", "PUT", "--timeout", "0.4", "--json")
        ended.set()
    assert (ran.code, received.count(b"PUT")) == (2, 1)
    assert f"PUT {url}: no response within 0.4 s. Set --timeout to wait longer." in ran.err


def test_an_audit_of_a_server_that_closes_every_connection_sends_no_attacks():
    with speaking() as url:
        ran = run("audit", "--url", url, "-o", PAGE, "--json")
    assert (ran.code, [found["name"] for found in ran.json["findings"]]) == (1, ["empty-reply"])


def test_a_connection_that_closes_once_is_reported_with_the_second_status():
    attempts = []

    def speak(connection: socket.socket, _: bytes) -> None:
        attempts.append(1)
        if len(attempts) > 3:
            connection.sendall(GRANT)

    with listening(speak) as url:
        ran = doctor(url)
    assert ran.code == 2
    assert "A second one got 200. Run the command again." in ran.err


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        pytest.param([b"\x00\xff\xfe rubbish\r\n\r\n"], "response-not-http", id="no status line"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nB\x00d: \x01\r\n\r\nhi"],
            "response-not-http",
            id="rubbish in a name",
        ),
        pytest.param([b"HTTP/1.1 200 OK\r\nX: \x00\x01\r\n\r\n"], "response-not-http", id="rubbish in a value"),
        pytest.param([b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200_000], "response-not-http", id="an endless head"),
        pytest.param([b"HTTP/1.1 200 OK\r\nX: 1\r\n"], "empty-reply", id="half of a head"),
        pytest.param([], "empty-reply", id="nothing at all"),
    ],
)
def test_a_response_that_browsers_do_not_accept_is_named(parts, name):
    with speaking(*parts) as url:
        assert blocked(url)["name"] == name


@pytest.mark.parametrize("status", [200, 404])
def test_a_body_that_is_cut_off_is_named(status):
    head = b"HTTP/1.1 %d OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 99\r\n\r\nfirst" % status
    with speaking(head) as url:
        ran = doctor(url)
        report = run("doctor", url, "-o", PAGE).out
    assert (ran.code, ran.json["cause"]["name"]) == (1, "response-cut-off")
    assert "allows it, but the body is cut off" in report


def test_a_certificate_that_browsers_refuse_is_named(tls):
    with serving(sends(200, (ACAO, "*")), tls=tls) as server:
        url = server.url.replace("http:", "https:")
        cause = blocked(url)
        received = [request.origin for request in server.requests]
        assert run("doctor", url, "-o", PAGE, "--insecure").code == 0
    assert cause["name"] == "certificate-refused"
    assert "self-signed" in cause["sentence"]
    assert "--insecure" in cause["remedy"]
    assert received == [""]


def test_a_certificate_of_a_port_that_serves_nothing_is_reported_in_one_line(tls):
    with listening(lambda *_: None, tls=tls) as url:
        ran = doctor(url)
    assert (ran.code, "TLS failed: " in ran.err) == (2, True)


def test_a_client_certificate_that_a_server_requires_is_named(tmp_path):
    context = certificate(tmp_path, client=True)
    with serving(sends(200, (ACAO, "*")), tls=context) as server:
        cause = blocked(server.url.replace("http:", "https:"), "--insecure")
    assert cause["name"] == "client-certificate-needed"


def test_tls_that_fails_for_another_reason_is_reported_in_one_line():
    with speaking(b"\x15\x03\x03\x00\x02\x02\x50") as url:  # an alert: internal error
        ran = doctor(url.replace("http", "https"))
    assert (ran.code, "TLS failed" in ran.err) == (2, True)


def test_a_slow_tls_port_that_redirects_plain_http_is_no_wrong_protocol():
    moved_to_tls = b"HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    ended = threading.Event()
    with listening(answering({"GET": moved_to_tls}, hangs=ended)) as url:
        ran = run("doctor", url.replace("http", "https"), "-o", PAGE, "--timeout", "0.4")
        ended.set()
    assert (ran.code, "no response within 0.4 s" in ran.err) == (2, True)


def test_an_endless_redirect_is_named_with_the_limit():
    behaviour = lambda request: Response(302, (("Location", request.path), (ACAO, "*")))  # noqa: E731 - a row
    with serving(behaviour) as server:
        cause = blocked(f"{server.url}/")
    assert cause["name"] == "redirect-failed"
    assert "the page follows 20" in cause["sentence"]
    assert len(server.requests) == 1


def test_a_redirect_to_an_invalid_url_is_named():
    with serving(sends(302, ("Location", "http://["))) as server:
        ran = run("doctor", f"{server.url}/", "-o", server.url, "--json")
    assert ran.json["cause"]["name"] == "redirect-failed"
    assert "not a URL" in ran.json["cause"]["sentence"]


def test_a_redirect_loop_shows_preflights_that_the_cache_makes_unnecessary():
    allowed = allowing(("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Max-Age", "600"))
    behaviour = lambda request: allowed if request.is_preflight else allowing(("Location", "/"), status=307)  # noqa: E731
    with serving(behaviour) as server:
        ran = doctor(f"{server.url}/", "-X", "PUT")
    assert ran.json["cause"]["name"] == "redirect-failed"
    assert [request.method for request in server.requests] == ["OPTIONS", "PUT"]
    problems = {(exchange["sent"], exchange["problem"]) for exchange in ran.json["exchanges"][:-1]}
    assert (False, "in the preflight cache") in problems


def test_a_redirect_to_an_internal_host_is_named():
    with serving(sends(302, ("Location", "https://backend.invalid/v2"), (ACAO, PAGE))) as server:
        cause = blocked(server.url)
    assert cause["name"] == "redirect-unreachable"
    assert "backend.invalid" in cause["sentence"]


def test_a_redirect_from_https_to_http_is_the_cause_even_without_a_response(tls):
    downgraded = moved("http://127.0.0.1:{port}/items/", (ACAO, PAGE))
    with serving(downgraded, tls=tls) as server:
        cause = blocked(server.url.replace("http:", "https:") + "/items", "--insecure")
    assert cause["name"] == "redirected-to-http"
    assert "X-Forwarded-Proto" in cause["remedy"]


def test_a_response_that_only_one_browser_refuses_is_named():
    """Chromium fails on the status 407."""
    with serving(sends(407, (ACAO, "*"))) as server:
        ran = doctor(server.url)
    assert [browser["allowed"] for browser in ran.json["browsers"]] == [False, True, True]
    assert ran.json["cause"]["name"] == "response-unusable"
    assert "407" in ran.json["cause"]["sentence"]


def test_the_report_shows_the_further_requests():
    with speaking() as url:
        text = " ".join(run("doctor", url, "-o", PAGE).out.split())
    assert "✗ Chromium gets no usable response to the request NoResponse" in text
    assert "check over TLS: GET https://127.0.0.1" in text
    assert "check a second time: GET http://127.0.0.1" in text
    assert "-> no response (" in text
    assert "_ssl.c" not in text
    assert "[SSL" not in text
