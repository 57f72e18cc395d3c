"""A request that can't be sent, or gets no response: one line on standard error, exit code 2, no traceback."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.corpus.raw import ACAO, PAGE, allowing, moved, sends
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run

COULD_NOT_RUN = 2


def failure(*arguments: str) -> str:
    """Run the doctor, which must fail, and return its one line."""
    ran = run("doctor", *arguments)
    assert (ran.code, ran.out) == (COULD_NOT_RUN, "")
    assert ran.err.startswith("asgi-cors: ")
    assert ran.err.count("\n") == 1
    return ran.err


@contextmanager
def speaking(*parts: bytes, wait: float = 0) -> Iterator[str]:
    """Serve bytes that need not be HTTP, then close the connection."""

    def respond() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=speak, args=(connection,), daemon=True).start()

    def speak(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            for part in parts:
                connection.sendall(part)
            ended.wait(wait)

    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=respond, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("api.example.com/items", "Write 'https://api.example.com/items'."),
        ("localhost:8000/items", "Write 'http://localhost:8000/items'."),
        ("ftp://api.example.com", "not an http, https, ws or wss URL. Write 'https://api.example.com'"),
        ("", "not an http"),
        ("https://", "has no host"),
        ("http://[::1", "not a URL"),
        ("http://a:99999/", "not a URL"),
        ("http://api.example.com:port/", "not a URL"),
        ("http://a b/", "not a URL"),
        ("http://a..b/", "not a URL"),
        ("http://xn--a/", "not a URL"),
        (f"http://{'a' * 64}.test/", "not a URL"),
    ],
)
def test_an_invalid_url_is_refused_with_a_hint(url, hint):
    assert hint in failure(url, "-o", PAGE)


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        ("app.example.com", "Write the page's origin, such as 'https://app.example.com'"),
        ("capacitor://localhost", "'null' for a sandboxed or local page"),
        ("http://[::1", "not an origin"),
        ("http://xn--a", "not an origin"),
    ],
)
def test_an_invalid_origin_is_refused_with_a_hint(origin, hint):
    assert hint in failure("https://api.test/", "-o", origin)


def test_a_header_without_a_name_is_refused():
    assert "has no name" in failure("https://api.test/", "-o", PAGE, "-H", ": 7")


@pytest.mark.parametrize(
    "arguments",
    [["-X", "POST", "--data", "\udcff"], ["--cookie", "a=\u2603", "-c"], ["-H", "a: \u2603"], ["-H", "a: b\nc"]],
    ids=["a body", "a cookie", "a header", "a header of two lines"],
)
def test_a_value_that_no_request_can_contain_is_refused(arguments):
    with serving(sends()) as server:
        failure(f"{server.url}/", "-o", PAGE, *arguments)


def test_a_method_that_no_script_can_send_is_refused():
    assert "TRACE" in failure("https://api.test/", "-o", PAGE, "-X", "TRACE")


def test_an_origin_that_no_browser_sends_is_refused():
    """Unlike browsers, httpx accepts this host."""
    assert "--origin" in failure("https://api.test/", "-o", "https://1.2.3")


def test_an_unknown_host_is_reported():
    assert "the host name can't be resolved" in failure("http://no-such-host.invalid/", "-o", PAGE)


def test_a_refused_connection_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "the connection failed" in failure(f"http://127.0.0.1:{port}/", "-o", PAGE)


def test_a_timeout_is_reported_with_the_option_to_wait_longer():
    with speaking(wait=60) as url:
        assert "no response within 0.3 s. Set --timeout to wait longer" in failure(url, "-o", PAGE, "--timeout", "0.3")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"\x00\xff\xfe rubbish\r\n\r\n"], id="no status line"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nB\x00d: \x01\r\n\r\nhi"], id="rubbish in a name"),
        pytest.param([b"HTTP/1.1 200 OK\r\nX: \x00\x01\r\n\r\n"], id="rubbish in a value"),
        pytest.param([b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200_000], id="a head without end"),
        pytest.param([], id="nothing at all"),
    ],
)
def test_a_response_that_is_not_http_is_reported(parts):
    with speaking(*parts) as url:
        assert "the response is not HTTP that a browser accepts" in failure(url, "-o", PAGE)


def test_bytes_in_a_header_value_never_reach_the_terminal_unescaped():
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: \xff\xfe\x9b31m\r\nContent-Length: 0\r\n\r\n"
    with speaking(head) as url:
        ran = run("doctor", url, "-o", PAGE)
    assert ran.code == 1
    assert "\\x9b31m" in ran.out
    assert "\x9b" not in ran.out


def test_an_endless_redirect_is_reported_with_the_limit():
    behaviour = lambda request: Response(302, (("Location", request.path), (ACAO, "*")))  # noqa: E731 - a row
    with serving(behaviour) as server:
        line = failure(f"{server.url}/", "-o", PAGE)
    assert "the page follows 20" in line
    assert len(server.requests) == 1


def test_a_redirect_to_an_invalid_url_is_reported():
    with serving(
        sends(302, ("Location", "http://[")),
    ) as server:
        assert "not a URL" in failure(f"{server.url}/", "-o", f"{server.url}")


def test_a_body_of_two_gigabytes_is_not_read():
    sent = []

    def flood() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 2147483648\r\n\r\n")
            chunk = b"x" * 65536
            try:
                while sum(sent) < 2**31:
                    sent.append(connection.send(chunk))
            except OSError:
                return

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    ran = run("doctor", f"http://127.0.0.1:{listener.getsockname()[1]}/", "-o", PAGE, "--no-probes", "--json")
    thread.join()
    listener.close()
    assert ran.json["cause"]["name"] == "response-crashed"
    assert sum(sent) < 16 * 2**20


def test_the_body_of_an_allowed_response_is_not_read():
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: text/event-stream\r\n\r\n"
    with speaking(head, b"data: 1\n\n", wait=60) as url:
        begun = time.monotonic()
        assert run("doctor", url, "-o", PAGE).code == 0
    assert time.monotonic() - begun < 30


def test_the_body_of_an_error_is_read_for_a_second_at_most():
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\nfirst"
    with speaking(head, wait=60) as url:
        assert run("doctor", url, "-o", PAGE, "--no-probes", "--json").json["cause"]["name"] == "response-crashed"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a TLS context with a self-signed certificate."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_self_signed_certificate_is_reported_with_the_option_to_accept_it(certificate):
    with serving(sends(200, (ACAO, "*")), tls=certificate) as server:
        url = server.url.replace("http:", "https:")
        line = failure(url, "-o", PAGE)
        assert run("doctor", url, "-o", PAGE, "--insecure").code == 0
    assert "TLS failed: CERTIFICATE_VERIFY_FAILED. Browsers refuse it, too. Set --insecure to test anyway." in line


def test_tls_to_a_port_of_plain_http_is_reported():
    with serving(sends()) as server:
        assert "TLS failed" in failure(server.url.replace("http:", "https:"), "-o", PAGE)


def test_a_redirect_from_https_to_http_is_the_cause_even_without_a_response(certificate):
    downgraded = moved("http://127.0.0.1:{port}/items/", (ACAO, PAGE))
    with serving(downgraded, tls=certificate) as server:
        url = server.url.replace("http:", "https:") + "/items"
        ran = run("doctor", url, "-o", PAGE, "--insecure", "--json")
    assert (ran.code, ran.json["cause"]["name"]) == (1, "redirected-to-http")
    assert "X-Forwarded-Proto" in ran.json["cause"]["remedy"]


def test_a_url_with_a_password_is_refused():
    assert "user name or a password" in failure("http://u:p@127.0.0.1/", "-o", PAGE)


def test_a_connection_that_breaks_after_the_preflight_is_reported_for_the_request():

    def respond(request):
        if not request.is_preflight:
            raise ConnectionResetError
        return allowing(("Access-Control-Allow-Methods", "PUT"))

    with serving(respond) as server:
        assert f"PUT {server.url}/" in failure(server.url, "-o", PAGE, "-X", "PUT")


def test_a_handshake_without_a_server_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "the connection failed" in failure(f"ws://127.0.0.1:{port}/", "-o", PAGE)
