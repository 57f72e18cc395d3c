"""A WebSocket's handshake that is not accepted: the cause by its status, and by the handshakes with other origins."""

import pytest

from tests.cli.corpus.raw import PAGE
from tests.cli.corpus.serving import Response, serving
from tests.cli.corpus.sockets import answering, listening
from tests.support.command_line import run

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def cause(url: str) -> dict[str, str]:
    ran = run("doctor", url.replace("http", "ws", 1), "-o", PAGE, "--timeout", "1", "--json")
    assert ran.code == 1, ran.err
    found: dict[str, str] = ran.json["cause"]
    return found


@pytest.mark.parametrize(
    ("response", "name", "text"),
    [
        (Response(404), "handshake-not-routed", "no WebSocket at this path"),
        (Response(405), "handshake-not-routed", "plain GET"),
        (Response(400, (), b"Bad Request"), "handshake-not-routed", "no WebSocket at this path"),
        (Response(200), "handshake-not-upgraded", "with 200 and the text 'tea', as to a plain GET"),
        (Response(204), "handshake-not-upgraded", "with 204"),
        (Response(426), "handshake-not-upgraded", "with 426"),
        (Response(400, (), b'Can "Upgrade" only to "WebSocket".'), "handshake-not-upgraded", "Can"),
        (Response(401), "handshake-refused", "not logged in"),
        (Response(403), "handshake-refused", "with 403"),
        (Response(400), "handshake-refused", "with 400"),
        (Response(500), "handshake-crashed", "crashes on the handshake (500)"),
        (Response(502, (("Server", "nginx/1.22.1"),)), "gateway-error", "nginx responds with 502"),
        (Response(302, (("Location", "/login"),)), "handshake-redirected", "(302) to /login"),
        (Response(302, (("Location", "http://a:port"),)), "handshake-redirected", "a:port"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Response) else value,
)
def test_the_status_of_the_handshake_shows_the_cause(response, name, text):
    with serving(lambda _: response) as server:
        found = cause(f"{server.url}/socket")
    assert (found["name"], text in found["sentence"]) == (name, True), found
    assert found["remedy"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_handshake_of_the_apis_own_page_shows_that_the_origin_is_refused(status):
    """The same handshake is accepted with the API's own origin."""
    with serving(lambda request: Response(status if request.origin == PAGE else 101)) as server:
        found = cause(server.url)
    assert found["name"] == "handshake-refused"
    assert "It accepts the same handshake as the API's own page, so the origin is the cause." in found["sentence"]
    assert f"allow_origins=['{PAGE}']" in found["policy"]


@pytest.mark.parametrize(
    ("server", "line"),
    [
        ("nginx", "proxy_set_header Upgrade $http_upgrade;"),
        ("Apache", "upgrade=websocket"),
        ("uvicorn", "uvicorn[standard]"),
    ],
)
def test_the_lines_that_forward_a_handshake_are_those_of_the_server(server, line):
    with serving(lambda _: Response(404, (("Server", server),))) as running:
        assert line in cause(running.url)["recipe"]


def test_a_redirect_of_a_handshake_names_the_url_to_request():
    with serving(lambda _: Response(301, (("Location", "https://other.test/socket"),))) as server:
        assert "Request wss://other.test/socket itself." in cause(server.url)["remedy"]


def test_a_connection_that_closes_during_the_handshake_is_compared_with_a_get():
    def speak(connection, received):
        if b"websocket" not in received:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with listening(speak) as url:
        found = cause(url)
    assert found["name"] == "handshake-dropped"
    assert "a plain GET of the same URL gets 200" in found["sentence"]


def test_a_connection_that_closes_for_this_origin_only_is_a_refusal():
    def speak(connection, received):
        if b"\r\norigin:" not in received.lower():
            connection.sendall(ACCEPTED)

    with listening(speak) as url:
        found = cause(url)
    assert found["name"] == "handshake-refused"
    assert "without Origin, so the origin is the cause" in found["sentence"]


def test_a_server_that_closes_every_connection_is_no_matter_of_the_handshake():
    with listening(answering({})) as url:
        assert cause(url)["name"] == "empty-reply"
