"""asgi_app: requests that wait for a thread, and requests that are refused at once."""

import asyncio
import threading

import pytest
from flask import Flask, request

from asgi_cors_flask import CORS, asgi_app, cross_origin

PAGE = "https://app.example.com"
LIMIT = 10  # seconds, after which a test that hangs fails


class Client:
    """One connection, whose client can disconnect."""

    def __init__(self, serving, scope):
        self.messages, self.sent, self.left = [{"type": "http.request", "body": b""}], [], asyncio.Event()
        self.waits = asyncio.Event()  # set when the request is complete, and the bridge watches for its disconnect
        self.task = asyncio.create_task(serving(scope, self.receive, self.send))

    async def receive(self):
        if self.messages:
            return self.messages.pop()
        self.waits.set()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)


@pytest.fixture
def busy(app):
    """An app whose only thread is busy until `release` is set; `ran` lists the paths of the views that ran."""

    class Busy:
        held, release, ran = threading.Event(), threading.Event(), []

    def view(path):
        Busy.ran.append(path)
        Busy.held.set()
        assert Busy.release.wait(LIMIT)
        return path

    app.add_url_rule("/<path:path>", "view", view)
    CORS(app, origins=PAGE)
    return Busy


async def hold(busy, serving, asgi):
    """Send a request that occupies the only thread."""
    first = Client(serving, asgi.scope("GET", "/first", {}))
    assert await asyncio.to_thread(busy.held.wait, LIMIT)
    return first


async def test_a_waiting_request_whose_client_disconnects_uses_no_thread(app, asgi, busy):
    """None of forty waiting requests runs, and the next request does not wait for them."""
    serving = asgi_app(app, threads=1)
    first = await hold(busy, serving, asgi)
    waiting = [Client(serving, asgi.scope("GET", f"/gone/{number}", {"origin": PAGE})) for number in range(40)]
    for client in waiting:
        await client.waits.wait()
        client.left.set()
    await asyncio.wait_for(asyncio.gather(*(client.task for client in waiting)), LIMIT)  # while the thread is held
    following = Client(serving, asgi.scope("GET", "/next", {}))
    await following.waits.wait()
    busy.release.set()
    await asyncio.gather(first.task, following.task)
    assert busy.ran == ["first", "next"]
    assert [client.sent for client in waiting] == [[]] * 40
    assert following.sent[0]["type"] == "http.response.start"


async def test_a_waiting_request_that_is_cancelled_uses_no_thread(app, asgi, busy):
    """The cancellation reaches the server."""
    serving = asgi_app(app, threads=1)
    first = await hold(busy, serving, asgi)
    client = Client(serving, asgi.scope("GET", "/cancelled", {}))
    await client.waits.wait()
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.task
    busy.release.set()
    await first.task
    await asgi.drive(serving, asgi.scope("GET", "/next", {}))
    assert (busy.ran, client.sent) == (["first", "next"], [])


async def test_a_client_that_disconnects_while_its_view_runs_gets_no_response(app, asgi, busy):
    """The view is not interrupted."""
    serving = asgi_app(app, threads=1)
    first = await hold(busy, serving, asgi)
    first.left.set()
    for _ in range(3):  # until the bridge has seen it
        await asyncio.sleep(0)
    busy.release.set()
    await asyncio.wait_for(first.task, LIMIT)
    assert (busy.ran, first.sent) == (["first"], [])


# -- too many headers

LINES = {
    "101 of one header": [(b"x-many", b"1")] * 101,
    "101 of one header, in two letter cases": [(b"x-many", b"1"), (b"X-Many", b"1")] * 50 + [(b"x-many", b"1")],
    "1,001 of different headers": [(b"x-%d" % number, b"1") for number in range(1001)],
    "100,000 of one header": [(b"x-many", b"1")] * 100_000,
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
async def test_too_many_headers_are_refused_before_the_body_is_read(app, method, lines):
    """No thread is used, and the page can read the refusal. On HEAD it has no body."""
    CORS(app, origins=PAGE)
    sent = []

    async def receive():
        raise AssertionError

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": [*lines, (b"origin", PAGE.encode())]}
    await asgi_app(app)(scope, receive, send)
    start, body = sent
    headers = dict(start["headers"])
    assert (start["status"], headers[b"access-control-allow-origin"]) == (400, PAGE.encode())
    text = b"Bad Request: too many header lines"
    assert (headers[b"content-length"], body["body"]) == (b"%d" % len(text), text if method == "GET" else b"")


async def test_a_hundred_repetitions_of_several_headers_are_served(app, asgi):
    app.add_url_rule("/", "view", lambda: f"{len(request.headers['X-A'])}")
    lines = [(b"x-a", b"1"), (b"x-b", b"1")] * 100
    response = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {}) | {"headers": lines})
    assert (response.status, response.body) == (200, b"199")


async def test_a_path_beyond_utf8_is_served(app, asgi):
    """A server may pass such a path with a surrogate."""
    app.add_url_rule("/<path:_>", "view", lambda _: "served")
    assert (await asgi.drive(asgi_app(app), asgi.scope("GET", "/x", {}) | {"path": "/\udcff"})).status == 200


# -- which headers count for a route


HOSTS = {
    "one": ([(b"host", b"a.test")], 204),
    "one, and a name that an environ can't tell from it": ([(b"host", b"a.test"), (b"x_any", b"1")], 204),
    "two": ([(b"host", b"a.test"), (b"host", b"a.test")], 200),
    "one behind many other lines": ([*[(b"x-any", b"1")] * 5000, (b"host", b"a.test")], 204),
    "one of many letters behind many other lines": ([*[(b"x-any", b"1")] * 5000, (b"HOST", b"a.test")], 204),
    "two behind many other lines": ([*[(b"x-any", b"1")] * 5000, *[(b"host", b"a.test")] * 2], 200),
}


@pytest.mark.parametrize(("lines", "status"), HOSTS.values(), ids=HOSTS)
async def test_the_host_is_found_after_any_other_headers(asgi, lines, status):
    """Host selects the view, and so the policy of a preflight. Several Host headers match no view."""
    app = Flask("app", host_matching=True, static_host="static.test")
    app.add_url_rule("/", "a", cross_origin(origins=PAGE)(lambda: ""), host="a.test")
    app.add_url_rule("/", "b", cross_origin(origins="https://b.example.com")(lambda: ""), host="b.test")
    CORS(app, origins="https://other.example.com")
    requested = [(b"origin", PAGE.encode()), (b"access-control-request-method", b"PUT")]
    scope = asgi.scope("OPTIONS", "/", {}) | {"headers": [*lines, *requested]}
    serving = asgi_app(app)
    for _ in range(2):
        assert (await asgi.drive(serving, scope)).status == status


VALUES = {
    "a Host of a megabyte": [(b"host", b"a." * 500_000)],
    "another header of a megabyte": [(b"host", b"a.test"), (b"host", b"a.test"), (b"x-any", b"a" * 1_000_000)],
    "100,000 lines without Host": [(b"x-any", b"1")] * 100_000,
}


@pytest.mark.parametrize("lines", VALUES.values(), ids=VALUES)
async def test_a_route_is_matched_by_the_first_headers_only(asgi, monkeypatch, lines):
    """Werkzeug processes each value several times."""
    app = Flask("app")
    app.add_url_rule("/", "a", cross_origin(origins=PAGE)(lambda: ""))
    CORS(app, origins="https://other.example.com")
    seen = []

    def create_url_adapter(made):
        seen.extend(len(value) for value in made.environ.values() if isinstance(value, str))
        return app.url_map.bind("a.test", path_info="/")

    monkeypatch.setattr(app, "create_url_adapter", create_url_adapter)
    requested = [(b"origin", PAGE.encode()), (b"access-control-request-method", b"PUT")]
    scope = asgi.scope("OPTIONS", "/", {}) | {"headers": [*requested, *lines]}
    assert (await asgi.drive(asgi_app(app), scope)).status == 204
    assert 0 < max(seen) <= 8192
