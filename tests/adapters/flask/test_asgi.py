"""asgi_app: the bridge to ASGI. Threads, contexts, streams, and all that isn't http."""

import asyncio
import contextvars
import threading

import pytest
from flask import Flask, Response, copy_current_request_context, request

from asgi_cors import ConfigError
from asgi_cors_flask import CORS, asgi_app, cross_origin

PAGE = "https://app.example.com"
LIMIT = 10  # seconds, after which a test that hangs fails
variable = contextvars.ContextVar("variable", default="unset")


def view(app, path="/"):
    """Register a view that is called with nothing."""
    return app.route(path, methods=["GET", "POST"])


async def test_requests_run_at_once(app, asgi):
    """Four views meet at a barrier, which would break if any waited for another."""
    barrier = threading.Barrier(4)
    view(app)(lambda: f"{barrier.wait(LIMIT) >= 0}")
    serving = asgi_app(app, threads=4)
    answers = await asyncio.gather(*(asgi.drive(serving, asgi.scope("GET", "/", {})) for _ in range(4)))
    assert [answer.body for answer in answers] == [b"True"] * 4


async def test_a_preflight_takes_no_thread(app, asgi):
    """It is answered while every thread is held."""
    held, release = threading.Event(), threading.Event()
    view(app)(lambda: held.set() or f"{release.wait(LIMIT)}")
    CORS(app, origins=PAGE)
    serving = asgi_app(app, threads=1)
    waiting = asyncio.create_task(asgi.drive(serving, asgi.scope("GET", "/", {})))
    await asyncio.to_thread(held.wait, LIMIT)
    headers = {"origin": PAGE, "access-control-request-method": "PUT"}
    answer = await asgi.drive(serving, asgi.scope("OPTIONS", "/", headers))
    assert (answer.status, waiting.done()) == (204, False)
    release.set()
    assert (await waiting).body == b"True"


async def test_the_decision_is_made_once(app, asgi):
    """What stands outside marks the request, so that the WSGI layer inside passes it on."""
    seen = []
    view(app)(lambda: "")
    CORS(app, origins=PAGE, on_decision=lambda _decision, scope: seen.append(scope["type"]))
    answer = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {"origin": PAGE}))
    assert (len(seen), answer.cors["access-control-allow-origin"]) == (1, PAGE)


async def test_cors_called_after_it_still_works(app, asgi):
    """By the WSGI layer, at the price of a thread."""
    view(app)(lambda: "")
    serving = asgi_app(app)
    CORS(app, origins=PAGE)
    headers = {"origin": PAGE, "access-control-request-method": "PUT"}
    assert (await asgi.drive(serving, asgi.scope("OPTIONS", "/", headers))).status == 204


async def test_without_cors_it_is_a_bridge(app, asgi):
    view(app)(lambda: "plain")
    answer = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {"origin": PAGE}))
    assert (answer.body, answer.cors) == (b"plain", {})


async def test_context_variables_do_not_leak(app, asgi):
    """Each request has a copy of the context that it arrives in: neither the next one nor the server sees its own."""
    view(app)(lambda: f"{variable.get()} {variable.set('mine').var.get()}")
    serving = asgi_app(app, threads=1)
    variable.set("server")
    for _ in range(2):
        assert (await asgi.drive(serving, asgi.scope("GET", "/", {}))).body == b"server mine"
    assert variable.get() == "server"


async def test_the_request_is_there_in_streams_and_copies(app, asgi):
    """Flask's own context lives as long as the response."""

    @view(app, "/x")
    def stream():
        path = copy_current_request_context(lambda: request.path)
        return Response(piece for piece in (path(), "!"))

    assert (await asgi.drive(asgi_app(app), asgi.scope("GET", "/x", {}))).body == b"/x!"


# -- what goes in


async def test_the_environ_is_what_came(app, asgi):
    """Paths and queries byte for byte, mount and client included."""
    fields = ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR"]
    view(app, "/<path:_>")(lambda _: [request.environ.get(field) for field in fields])
    scope = asgi.scope("GET", "/mount/caf%C3%A9", {}, root_path="/mount", query_string=b"a=%C3\xa9")
    answer = await asgi.drive(asgi_app(app), scope)
    expected = ["/mount", "/caf\xc3\xa9", "a=%C3\xa9", "localhost", "80", "127.0.0.1"]
    assert app.json.loads(answer.body) == expected


@pytest.mark.parametrize(("root", "path"), [("/mo", "/mount/x"), ("/other", "/mount/x")])
async def test_a_root_path_is_taken_off_between_segments_only(app, asgi, root, path):
    view(app, "/mount/x")(lambda: request.environ["SCRIPT_NAME"])
    answer = await asgi.drive(asgi_app(app), asgi.scope("GET", path, {}, root_path=root))
    assert (answer.status, answer.body) == (200, root.encode())


async def test_headers_are_read_unambiguously(app, asgi):
    """Cookies are joined as cookies are; a name with an underscore can't pass for another."""
    view(app)(lambda: [request.headers.get("X-User"), request.headers.get("X-Two"), request.cookies])
    headers = [(b"x-user", b"ada"), (b"x_user", b"eve"), (b"x-two", b"1"), (b"x-two", b"2")]
    cookies = [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
    scope = asgi.scope("GET", "/", {}) | {"headers": headers + cookies}
    answer = await asgi.drive(asgi_app(app), scope)
    assert app.json.loads(answer.body) == ["ada", "1,2", {"a": "1", "b": "2"}]


async def test_too_many_lines_of_one_header_are_refused(app, asgi):
    scope = asgi.scope("GET", "/", {}) | {"headers": [(b"x-many", b"1")] * 101}
    answer = await asgi.drive(asgi_app(app), scope)
    assert (answer.status, answer.body) == (400, b"Bad Request: too many header lines")


@pytest.mark.parametrize("size", [3, 100_000], ids=["in memory", "on disk"])
async def test_a_body_comes_in_pieces_without_its_length(app, size):
    """As `Transfer-Encoding: chunked` has it."""
    view(app)(lambda: f"{len(request.get_data())}")
    sent, messages = [], [{"type": "http.request", "body": b"x" * size, "more_body": True}, {"type": "http.request"}]

    async def receive():
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b"", "http_version": "2"}
    await asgi_app(app)(scope, receive, send)
    assert sent[1]["body"] == str(size).encode()


async def test_a_client_that_leaves_while_it_sends_is_no_error(app):
    view(app)(lambda: pytest.fail("called"))

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await asgi_app(app)(scope, receive, None)


# -- what comes out


async def test_values_beyond_ascii_and_repeated_headers_pass(app, asgi):
    headers = [("X-Name", "caf\xe9"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    view(app)(lambda: Response("", headers=headers))
    answer = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {}))
    assert [pair for pair in answer.headers if pair[0] in {"x-name", "set-cookie"}] == [
        (name.lower(), value) for name, value in headers
    ]


async def test_a_response_is_closed(app, asgi):
    """Also one that breaks off: what is to be called on close is called."""
    closed = []

    def broken():
        yield "a"
        raise LookupError

    @view(app, "/<kind>")
    def stream(kind):
        response = Response(broken() if kind == "broken" else "whole")
        response.call_on_close(lambda: closed.append(kind))
        return response

    serving = asgi_app(app)
    await asgi.drive(serving, asgi.scope("GET", "/whole", {}))
    with pytest.raises(LookupError):
        await asgi.drive(serving, asgi.scope("GET", "/broken", {}))
    assert closed == ["whole", "broken"]


async def test_a_stream_without_end_ends_when_its_client_leaves(app, asgi):
    """The generator is closed, and its thread is free again; no other message counts as leaving."""
    closed, arrived, gone = threading.Event(), asyncio.Event(), asyncio.Event()

    @view(app)
    def endless():
        def pieces():
            try:
                while True:
                    yield "x"
            finally:
                closed.set()

        return Response(pieces())

    requests = [{"type": "http.request"}, {"type": "http.request"}]

    async def receive():
        if requests:
            return requests.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(_message):
        arrived.set()

    serving = asgi_app(app, threads=1)
    task = asyncio.create_task(serving(asgi.scope("GET", "/", {}), receive, send))
    await arrived.wait()
    gone.set()
    await asyncio.wait_for(task, LIMIT)
    assert closed.is_set()


async def test_a_request_that_is_cancelled_lets_its_thread_go(app, asgi):
    """A server that gives up, at shutdown say, while the thread waits for it to take a piece."""
    closed, stuck = threading.Event(), asyncio.Event()

    @view(app)
    def endless():
        def pieces():
            try:
                while True:
                    yield "x"
            finally:
                closed.set()

        return Response(pieces())

    async def receive():
        return requests.pop() if requests else await asyncio.Event().wait()

    async def send(_message):
        stuck.set()
        await asyncio.Event().wait()

    requests = [{"type": "http.request"}]
    task = asyncio.create_task(asgi_app(app, threads=1)(asgi.scope("GET", "/", {}), receive, send))
    await stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(closed.wait, LIMIT)


async def test_a_request_that_is_cancelled_before_it_answers_sends_nothing(app, asgi):
    held, release, sent = threading.Event(), threading.Event(), []
    view(app)(lambda: held.set() or f"{release.wait(LIMIT)}")

    async def receive():
        return requests.pop() if requests else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    requests = [{"type": "http.request"}]
    serving = asgi_app(app, threads=1)
    task = asyncio.create_task(serving(asgi.scope("GET", "/", {}), receive, send))
    await asyncio.to_thread(held.wait, LIMIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert (await asgi.drive(serving, asgi.scope("GET", "/", {}))).status == 200  # the thread is free again
    assert sent == []


# -- any WSGI app inside


def plain(app):
    """Make an ASGI app of a bare WSGI app; Flask's own never does what these tests need."""
    flask = Flask("plain")
    flask.wsgi_app = app
    return asgi_app(flask)


async def test_write_is_served(asgi):
    """PEP 3333's old way to send a body, with an iterable after it."""

    def app(_environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        write(b"")
        return [b"b"]

    answer = await asgi.drive(plain(app), asgi.scope("GET", "/", {}))
    assert answer.body == b"ab"


@pytest.mark.parametrize("begun", [False, True], ids=["before the body", "after it has begun"])
async def test_a_second_start_with_exc_info(asgi, begun):
    """Replaces the first as long as nothing was sent; else the exception is raised."""

    def app(_environ, start_response):
        write = start_response("200 OK", [("x-a", "1")])
        if begun:
            write(b"a")
        error = LookupError("late")
        start_response("500 Oh", [("x-b", "2")], (LookupError, error, None))
        return [b"b"]

    serving = plain(app)
    if begun:
        with pytest.raises(LookupError, match="late"):
            await asgi.drive(serving, asgi.scope("GET", "/", {}))
    else:
        answer = await asgi.drive(serving, asgi.scope("GET", "/", {}))
        assert (answer.status, answer.headers, answer.body) == (500, [("x-b", "2")], b"b")


async def test_a_second_start_without_exc_info_is_an_error(asgi):
    def app(_environ, start_response):
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with pytest.raises(RuntimeError, match="second time without exc_info"):
        await asgi.drive(plain(app), asgi.scope("GET", "/", {}))


# -- what isn't http


async def test_lifespan_is_answered(app):
    """Servers that start and stop an app are told that it has."""
    sent, messages = [], [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

    async def receive():
        return messages.pop()

    async def send(message):
        sent.append(message["type"])

    CORS(app)
    await asgi_app(app)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("install", [CORS, lambda app: app], ids=["with CORS(app)", "alone"])
async def test_a_handshake_is_refused(app, asgi, install):
    """Closed before it is accepted, which servers answer with 403: Flask has no WebSockets."""
    sent = []

    async def send(message):
        sent.append(message["type"])

    install(app)
    await asgi_app(app)(asgi.scope("GET", "/", {}, type="websocket"), None, send)
    assert sent == ["websocket.close"]


@pytest.mark.parametrize("threads", [0, -1, True, 1.5, "4"])
def test_a_number_of_threads_that_is_none_is_refused(app, threads):
    with pytest.raises(ConfigError, match=r"is not a number of threads\. Write a whole number from 1 up\."):
        asgi_app(app, threads=threads)


async def test_a_views_own_policy_is_found_by_asgi(app, asgi):
    """Routes are matched on the scope: mount, host and server included."""
    app.add_url_rule("/view", "view", cross_origin(origins=PAGE)(lambda: "own"))
    CORS(app)
    headers = {"origin": PAGE, "access-control-request-method": "PUT"}
    for more in ({"root_path": "/mount", "path": "/mount/view"}, {"server": None}, {"server": ("/socket", None)}):
        answer = await asgi.drive(asgi_app(app), asgi.scope("OPTIONS", "/view", headers) | more)
        assert answer.cors["access-control-allow-origin"] == PAGE
