"""The upstream is a real server, which a test makes slow or broken."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.project.examples.dynamic.serving import require

require("fastapi", "uvicorn")
pytestmark = pytest.mark.slow
SHOP, OTHER = "https://shop.example.com", "https://other.example.com"
ANSWERS = {SHOP: {"active": True}, OTHER: {"active": True}, "https://old.example.com": {"active": False}}


class Upstream(ThreadingHTTPServer):
    """The other service. It responds with `status` if that is set, and not before `may_respond` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: Counter[str] = Counter()
        self.connections: set[tuple[str, int]] = set()
        self.status = 0
        self.may_respond = threading.Event()
        self.may_respond.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        (origin,) = parse_qs(urlsplit(self.path).query)["origin"]
        assert self.headers["authorization"] == "Bearer secret"
        self.server.calls[origin] += 1
        self.server.connections.add(self.client_address)
        self.server.may_respond.wait(60)
        body = json.dumps(ANSWERS.get(origin, {})).encode()
        with contextlib.suppress(OSError):  # the client may have gone
            self.send_response(self.server.status or (200 if origin in ANSWERS else 404))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.may_respond.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def server(serve, upstream):
    with serve("rest_api", CUSTOMERS_API=upstream.url, CUSTOMERS_TOKEN="secret") as server:  # noqa: S106 - of this test
        yield server


def test_each_origin_is_called_once_and_all_calls_share_a_connection(server, upstream):
    origins = [SHOP, OTHER, "https://old.example.com", "https://unknown.example.com"]
    for _ in range(3):
        assert [server.allows(origin) for origin in origins] == [True, True, False, False]
    assert upstream.calls == dict.fromkeys(origins, 1)
    assert len(upstream.connections) == 1


@pytest.mark.parametrize("fault", ["a time-out", "a 500"])
def test_an_outage_is_never_stored_as_a_refusal(server, upstream, fault):
    assert server.allows(SHOP)
    if fault == "a time-out":
        upstream.may_respond.clear()
    else:
        upstream.status = 500
    response = server.client.get("/items", headers={"origin": OTHER})
    assert response.json() == ["tea", "cake"]
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["cache-control"] == "no-store"
    assert server.allows(SHOP)
    upstream.status = 0
    upstream.may_respond.set()
    server.wait_until_allowed(OTHER)
