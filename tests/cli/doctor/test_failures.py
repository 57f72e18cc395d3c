"""A request that can't be sent, or gets no response: one line on standard error, exit code 2, no traceback."""

import socket
import threading
import time

import pytest

from tests.cli.corpus.raw import PAGE, sends
from tests.cli.corpus.serving import serving
from tests.cli.corpus.sockets import speaking
from tests.support.command_line import run

COULD_NOT_RUN = 2


def failure(*arguments: str) -> str:
    """Run the doctor, which must fail, and return its one line."""
    ran = run("doctor", *arguments)
    assert (ran.code, ran.out) == (COULD_NOT_RUN, "")
    assert ran.err.startswith("asgi-cors: ")
    assert ran.err.count("\n") == 1
    return ran.err


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
    assert "the host name can't be resolved" in failure("https://no-such-host.invalid/", "-o", PAGE)


def test_a_refused_connection_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "the connection failed" in failure(f"http://127.0.0.1:{port}/", "-o", PAGE)


def test_a_timeout_is_reported_with_the_option_to_wait_longer():
    with speaking(wait=60) as url:
        assert "no response within 0.3 s. Set --timeout to wait longer" in failure(url, "-o", PAGE, "--timeout", "0.3")


def test_bytes_in_a_header_value_never_reach_the_terminal_unescaped():
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: \xff\xfe\x9b31m\r\nContent-Length: 0\r\n\r\n"
    with speaking(head) as url:
        ran = run("doctor", url, "-o", PAGE)
    assert ran.code == 1
    assert "\\x9b31m" in ran.out
    assert "\x9b" not in ran.out


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


def test_a_url_with_a_password_is_refused():
    assert "user name or a password" in failure("http://u:p@127.0.0.1/", "-o", PAGE)


def test_a_handshake_without_a_server_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "the connection failed" in failure(f"ws://127.0.0.1:{port}/", "-o", PAGE)
