"""Pages over live servers on this machine, correct and broken ones."""

from __future__ import annotations

import contextlib
import math
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from asgi_cors.testing import AsyncPage, FetchTimeout, NetworkError, Page
from tests.support.page_apps import ORIGIN

GOOD = (
    b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: https://app.example.com\r\n"
    b"content-length: 2\r\nconnection: close\r\n\r\nok"
)


@contextlib.contextmanager
def serving(respond: Callable[[bytes], bytes], *, hold: bool = False) -> Iterator[str]:
    """Serve each connection with the bytes that `respond` returns for a request. `hold` leaves it open then."""
    released = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                connection.sendall(respond(head))
                if hold:
                    released.wait(30)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            released.set()
            listener.shutdown(socket.SHUT_RDWR)


def sync_fetch(url, **options):
    """Fetch once with a Page."""
    with Page(ORIGIN) as page:
        return page.fetch(url, **options)


@pytest.mark.parametrize("seconds", [math.inf, 1e10, sys.float_info.max])
async def test_a_timeout_may_exceed_the_limit_of_sockets(seconds):
    """A user who debugs a test needs no timeout."""
    with serving(lambda _: GOOD) as url:
        assert sync_fetch(url, timeout=seconds).content == b"ok"
        async with AsyncPage(ORIGIN, timeout=seconds) as page:
            assert (await page.fetch(url)).content == b"ok"


async def test_both_pages_fetch_over_a_socket():
    """The request line and the headers are a browser's."""
    heads = []

    def respond(head: bytes) -> bytes:
        heads.append(head)
        return GOOD

    with serving(respond) as url:
        assert sync_fetch(f"{url}/a?b").content == b"ok"
        async with AsyncPage(ORIGIN) as page:
            assert (await page.fetch(f"{url}/a?b")).content == b"ok"
    for head in heads:
        lines = head.split(b"\r\n")
        assert lines[0] == b"GET /a?b HTTP/1.1"
        assert lines[1] == b"host: " + url.removeprefix("http://").encode()
        assert b"origin: https://app.example.com" in lines


async def test_a_method_is_sent_in_its_own_letter_case():
    """`patch` is not `PATCH`."""
    heads = []

    def respond(head: bytes) -> bytes:
        heads.append(head.split(b"\r\n")[0])
        return GOOD.replace(b"content-length", b"access-control-allow-methods: patch\r\ncontent-length")

    with serving(respond) as url:
        sync_fetch(url, method="patch")
    assert heads == [b"OPTIONS / HTTP/1.1", b"patch / HTTP/1.1"]


BAD = {
    "no status line": b"nonsense\r\n\r\n",
    "a status that is not a number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "a header name with a blank": b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    "huge headers": b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 2_000_000 + b"\r\n\r\n",
    "nothing": b"",
    "half a body": GOOD.replace(b": 2", b": 20"),
    "another encoding than it says": GOOD.replace(b"connection", b"content-encoding: gzip\r\nconnection"),
}


@pytest.mark.parametrize("response", BAD.values(), ids=BAD)
async def test_a_broken_response_is_a_network_error(response):
    """It never raises an error of httpx, and never hangs."""
    with serving(lambda _: response) as url:
        with pytest.raises(NetworkError) as caught:
            sync_fetch(url, timeout=10)
        assert isinstance(caught.value.__cause__, httpx.HTTPError)
        async with AsyncPage(ORIGIN) as page:
            with pytest.raises(NetworkError):
                await page.fetch(url, timeout=10)


async def test_a_closed_port_is_a_network_error():
    """The exchange has no response."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(NetworkError) as caught:
        sync_fetch(url)
    assert caught.value.exchange.response is None
    async with AsyncPage(ORIGIN) as page:
        with pytest.raises(NetworkError):
            await page.fetch(url)


@pytest.mark.parametrize("response", [b"", GOOD.replace(b": 2", b": 20")], ids=["before its head", "within its body"])
async def test_a_server_that_stops_sending_times_out(response):
    with serving(lambda _: response, hold=True) as url:
        with pytest.raises(FetchTimeout):
            sync_fetch(url, timeout=0.1)
        async with AsyncPage(ORIGIN) as page:
            with pytest.raises(FetchTimeout):
                await page.fetch(url, timeout=0.1)


async def test_an_undecodable_body_of_a_blocked_response_is_ignored():
    """Only the head of a no-cors response counts."""
    with serving(lambda _: BAD["another encoding than it says"]) as url:
        assert (await AsyncPage(ORIGIN).fetch(url, mode="no-cors")).type == "opaque"
        assert Page(ORIGIN).fetch(url, mode="no-cors").type == "opaque"
    with serving(lambda _: BAD["half a body"]) as url:
        async with AsyncPage(ORIGIN) as page:
            assert (await page.fetch(url, mode="no-cors")).type == "opaque"
        with Page(ORIGIN) as page:
            assert page.fetch(url, mode="no-cors").type == "opaque"


@pytest.mark.parametrize("error", [TimeoutError(), httpx.ReadTimeout("late"), httpx.ConnectTimeout("late")], ids=repr)
async def test_a_timeout_of_the_transport_is_a_fetch_timeout(error):
    """The page can still be used."""

    def handler(request):
        if request.url.path == "/late":
            raise error
        return httpx.Response(200, headers={"access-control-allow-origin": "*"})

    with Page(ORIGIN, transport=httpx.MockTransport(handler)) as page:
        with pytest.raises(FetchTimeout):
            page.fetch("https://api.test/late")
        assert page.fetch("https://api.test/").ok
    async with AsyncPage(ORIGIN, transport=httpx.MockTransport(handler)) as page:
        with pytest.raises(FetchTimeout):
            await page.fetch("https://api.test/late")
