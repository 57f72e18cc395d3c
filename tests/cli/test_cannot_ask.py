"""What can't be asked: one clear line on standard error, exit code 2, and never a traceback."""

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
from tests.cli.corpus.serving import Told, serving
from tests.support.command_line import run

COULD_NOT_ASK = 2


def told(*arguments: str) -> str:
    """Run the doctor on what can't be asked, and give its one line."""
    ran = run("doctor", *arguments)
    assert (ran.code, ran.out) == (COULD_NOT_ASK, "")
    assert ran.err.startswith("asgi-cors: ")
    assert ran.err.count("\n") == 1
    return ran.err


@contextmanager
def speaking(*parts: bytes, wait: float = 0) -> Iterator[str]:
    """Serve bytes that need not be HTTP, then close."""

    def answer() -> None:
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
    thread = threading.Thread(target=answer, daemon=True)
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
        ("https://", "names no host"),
        ("http://[::1", "not a URL"),
        ("http://a:99999/", "not a URL"),
        ("http://api.example.com:port/", "not a URL"),
        ("http://a b/", "not a URL"),
        ("http://a..b/", "not a URL"),
        ("http://xn--a/", "not a URL"),
        (f"http://{'a' * 64}.test/", "not a URL"),
    ],
)
def test_what_is_no_url(url, hint):
    """Not a URL: the line says what to write."""
    assert hint in told(url, "-o", PAGE)


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        ("app.example.com", "Write the page's, such as 'https://app.example.com'"),
        ("capacitor://localhost", "'null' for a sandboxed or local page"),
        ("http://[::1", "not an origin"),
        ("http://xn--a", "not an origin"),
    ],
)
def test_what_is_no_origin(origin, hint):
    """Not a page's origin: the line says what to write."""
    assert hint in told("https://api.test/", "-o", origin)


def test_a_header_without_a_name():
    """-H ': 7' names the mistake."""
    assert "has no name" in told("https://api.test/", "-o", PAGE, "-H", ": 7")


@pytest.mark.parametrize(
    "arguments",
    [["-X", "POST", "--data", "\udcff"], ["--cookie", "a=\u2603", "-c"], ["-H", "a: \u2603"], ["-H", "a: b\nc"]],
    ids=["a body", "a cookie", "a header", "a header of two lines"],
)
def test_what_cannot_be_sent(arguments):
    """A value that no request can contain is reported in one line."""
    with serving(sends()) as server:
        told(f"{server.url}/", "-o", PAGE, *arguments)


def test_a_forbidden_method():
    """A method that no script can send is refused before anything is sent."""
    assert "TRACE" in told("https://api.test/", "-o", PAGE, "-X", "TRACE")


def test_an_origin_that_the_page_refuses():
    """An origin that httpx takes and no browser writes."""
    assert "--origin" in told("https://api.test/", "-o", "https://1.2.3")


def test_a_host_that_nobody_knows():
    """The name doesn't resolve."""
    assert "no such host is known here" in told("http://no-such-host.invalid/", "-o", PAGE)


def test_a_port_where_nobody_listens():
    """The connection is refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "nothing answers there" in told(f"http://127.0.0.1:{port}/", "-o", PAGE)


def test_no_answer_in_time():
    """A server that accepts and says nothing: the line names the wait and the option."""
    with speaking(wait=60) as url:
        assert "no answer within 0.3 s. A longer wait: --timeout" in told(url, "-o", PAGE, "--timeout", "0.3")


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
def test_no_http(parts):
    """What comes is no HTTP."""
    with speaking(*parts) as url:
        assert "no HTTP answer that a browser takes" in told(url, "-o", PAGE)


def test_binary_in_a_value_that_http_allows():
    """Bytes above 127 in a value are shown escaped, and a control character never reaches the terminal."""
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: \xff\xfe\x9b31m\r\nContent-Length: 0\r\n\r\n"
    with speaking(head) as url:
        ran = run("doctor", url, "-o", PAGE)
    assert ran.code == 1
    assert "\\x9b31m" in ran.out
    assert "\x9b" not in ran.out


def test_an_endless_redirect():
    """The limit of redirects is named."""
    behaviour = lambda asked: Told(302, (("Location", asked.path), (ACAO, "*")))  # noqa: E731 - a row
    with serving(behaviour) as server:
        line = told(f"{server.url}/", "-o", PAGE)
    assert "the page follows 20" in line
    assert len(server.asked) == 1


def test_a_location_that_leads_nowhere():
    """A redirect to what is no URL."""
    with serving(
        sends(302, ("Location", "http://[")),
    ) as server:
        assert "not a URL" in told(f"{server.url}/", "-o", f"{server.url}")


def test_a_body_of_two_gigabytes_is_not_read():
    """The doctor reads the beginning of an error's body, and hangs up."""
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


def test_an_endless_stream_is_not_waited_for():
    """Of a response that passes the body isn't read at all."""
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: text/event-stream\r\n\r\n"
    with speaking(head, b"data: 1\n\n", wait=60) as url:
        begun = time.monotonic()
        assert run("doctor", url, "-o", PAGE).code == 0
    assert time.monotonic() - begun < 30


def test_an_error_that_drips_is_left():
    """The body of an error is read for a second at most."""
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\nfirst"
    with speaking(head, wait=60) as url:
        assert run("doctor", url, "-o", PAGE, "--no-probes", "--json").json["cause"]["name"] == "response-crashed"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that nobody has signed."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_certificate_that_nobody_signed(certificate):
    """TLS fails as in a browser; the line names the option that looks behind it."""
    with serving(sends(200, (ACAO, "*")), tls=certificate) as server:
        url = server.url.replace("http:", "https:")
        line = told(url, "-o", PAGE)
        assert run("doctor", url, "-o", PAGE, "--insecure").code == 0
    assert "TLS failed: CERTIFICATE_VERIFY_FAILED. Browsers refuse it, too; to look behind it: --insecure." in line


def test_http_asked_by_tls():
    """TLS to a port that speaks plain HTTP."""
    with serving(sends()) as server:
        assert "TLS failed" in told(server.url.replace("http:", "https:"), "-o", PAGE)


def test_a_redirect_from_https_to_http(certificate):
    """Location: http:// behind TLS: that is the cause, though nothing answers at its end."""
    downgraded = moved("http://127.0.0.1:{port}/items/", (ACAO, PAGE))
    with serving(downgraded, tls=certificate) as server:
        url = server.url.replace("http:", "https:") + "/items"
        ran = run("doctor", url, "-o", PAGE, "--insecure", "--json")
    assert (ran.code, ran.json["cause"]["name"]) == (1, "redirected-to-http")
    assert "X-Forwarded-Proto" in ran.json["cause"]["remedy"]


def test_a_password_in_the_url():
    """fetch() takes no URL with a password."""
    assert "user name or a password" in told("http://u:p@127.0.0.1/", "-o", PAGE)


def test_a_connection_that_breaks_after_the_preflight():
    """The preflight was answered, the request wasn't: both are named."""

    def answer(asked):
        if not asked.is_preflight:
            raise ConnectionResetError
        return allowing(("Access-Control-Allow-Methods", "PUT"))

    with serving(answer) as server:
        assert f"PUT {server.url}/" in told(server.url, "-o", PAGE, "-X", "PUT")


def test_a_websocket_that_is_not_there():
    """A handshake without an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "nothing answers there" in told(f"ws://127.0.0.1:{port}/", "-o", PAGE)
