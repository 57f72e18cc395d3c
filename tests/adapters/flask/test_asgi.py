"""asgi_app: the bridge to ASGI, with its threads, contexts and streams, and connections that are not HTTP."""

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
    """Register a view without arguments."""
    return app.route(path, methods=["GET", "POST"])


async def test_requests_run_concurrently(app, asgi):
    """Four views wait at a barrier, which would break if they ran one by one."""
    barrier = threading.Barrier(4)
    view(app)(lambda: f"{barrier.wait(LIMIT) >= 0}")
    serving = asgi_app(app, threads=4)
    responses = await asyncio.gather(*(asgi.drive(serving, asgi.scope("GET", "/", {})) for _ in range(4)))
    assert [response.body for response in responses] == [b"True"] * 4


async def test_a_preflight_needs_no_thread(app, asgi):
    """It is answered while every thread is busy."""
    held, release = threading.Event(), threading.Event()
    view(app)(lambda: held.set() or f"{release.wait(LIMIT)}")
    CORS(app, origins=PAGE)
    serving = asgi_app(app, threads=1)
    waiting = asyncio.create_task(asgi.drive(serving, asgi.scope("GET", "/", {})))
    await asyncio.to_thread(held.wait, LIMIT)
    headers = {"origin": PAGE, "access-control-request-method": "PUT"}
    response = await asgi.drive(serving, asgi.scope("OPTIONS", "/", headers))
    assert (response.status, waiting.done()) == (204, False)
    release.set()
    assert (await waiting).body == b"True"


async def test_the_decision_is_made_once(app, asgi):
    """The outer middleware stores its state in the scope, so that the inner one passes the request on."""
    seen = []
    view(app)(lambda: "")
    CORS(app, origins=PAGE, on_decision=lambda _decision, scope: seen.append(scope["type"]))
    response = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {"origin": PAGE}))
    assert (len(seen), response.cors["access-control-allow-origin"]) == (1, PAGE)


async def test_cors_applied_after_asgi_app_still_works(app, asgi):
    """The WSGI middleware applies the policy, so a preflight needs a thread."""
    view(app)(lambda: "")
    serving = asgi_app(app)
    CORS(app, origins=PAGE)
    headers = {"origin": PAGE, "access-control-request-method": "PUT"}
    assert (await asgi.drive(serving, asgi.scope("OPTIONS", "/", headers))).status == 204


async def test_asgi_app_serves_an_app_without_cors(app, asgi):
    view(app)(lambda: "plain")
    response = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {"origin": PAGE}))
    assert (response.body, response.cors) == (b"plain", {})


async def test_context_variables_do_not_leak_between_requests(app, asgi):
    """Each request has a copy of its context, so neither the next request nor the server sees its changes."""
    view(app)(lambda: f"{variable.get()} {variable.set('mine').var.get()}")
    serving = asgi_app(app, threads=1)
    variable.set("server")
    for _ in range(2):
        assert (await asgi.drive(serving, asgi.scope("GET", "/", {}))).body == b"server mine"
    assert variable.get() == "server"


async def test_the_request_context_is_available_in_streams_and_copies(app, asgi):
    """Flask's own context lasts as long as the response."""

    @view(app, "/x")
    def stream():
        path = copy_current_request_context(lambda: request.path)
        return Response(piece for piece in (path(), "!"))

    assert (await asgi.drive(asgi_app(app), asgi.scope("GET", "/x", {}))).body == b"/x!"


# -- the request


async def test_the_environ_has_the_request_byte_for_byte(app, asgi):
    """This includes the path, the query, the root path and the client."""
    headers = ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR"]
    view(app, "/<path:_>")(lambda _: [request.environ.get(header) for header in headers])
    scope = asgi.scope("GET", "/mount/caf%C3%A9", {}, root_path="/mount", query_string=b"a=%C3\xa9")
    response = await asgi.drive(asgi_app(app), scope)
    expected = ["/mount", "/caf\xc3\xa9", "a=%C3\xa9", "localhost", "80", "127.0.0.1"]
    assert app.json.loads(response.body) == expected


@pytest.mark.parametrize(("root", "path"), [("/mo", "/mount/x"), ("/other", "/mount/x")])
async def test_a_root_path_is_removed_between_segments_only(app, asgi, root, path):
    view(app, "/mount/x")(lambda: request.environ["SCRIPT_NAME"])
    response = await asgi.drive(asgi_app(app), asgi.scope("GET", path, {}, root_path=root))
    assert (response.status, response.body) == (200, root.encode())


async def test_ambiguous_names_are_dropped_and_cookies_are_joined(app, asgi):
    """A name with an underscore would be the same as one with a hyphen. Cookies are joined by semicolons."""
    view(app)(lambda: [request.headers.get("X-User"), request.headers.get("X-Two"), request.cookies])
    headers = [(b"x-user", b"ada"), (b"x_user", b"eve"), (b"x-two", b"1"), (b"x-two", b"2")]
    cookies = [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
    scope = asgi.scope("GET", "/", {}) | {"headers": headers + cookies}
    response = await asgi.drive(asgi_app(app), scope)
    assert app.json.loads(response.body) == ["ada", "1,2", {"a": "1", "b": "2"}]


async def test_too_many_repetitions_of_one_header_are_refused(app, asgi):
    scope = asgi.scope("GET", "/", {}) | {"headers": [(b"x-many", b"1")] * 101}
    response = await asgi.drive(asgi_app(app), scope)
    assert (response.status, response.body) == (400, b"Bad Request: too many header lines")


@pytest.mark.parametrize("size", [3, 100_000], ids=["in memory", "on disk"])
async def test_a_chunked_body_without_a_length_is_read(app, size):
    """As with `Transfer-Encoding: chunked`."""
    view(app)(lambda: f"{len(request.get_data())}")
    sent, messages = [], [{"type": "http.request", "body": b"x" * size, "more_body": True}, {"type": "http.request"}]

    async def receive():
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b"", "http_version": "2"}
    await asgi_app(app)(scope, receive, send)
    assert sent[1]["body"] == str(size).encode()


async def test_a_client_that_disconnects_while_it_sends_raises_nothing(app):
    view(app)(lambda: pytest.fail("called"))

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await asgi_app(app)(scope, receive, None)


# -- the response


async def test_non_ascii_values_and_repeated_headers_are_sent_unchanged(app, asgi):
    headers = [("X-Name", "caf\xe9"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    view(app)(lambda: Response("", headers=headers))
    response = await asgi.drive(asgi_app(app), asgi.scope("GET", "/", {}))
    assert [pair for pair in response.headers if pair[0] in {"x-name", "set-cookie"}] == [
        (name.lower(), value) for name, value in headers
    ]


async def test_a_response_is_closed(app, asgi):
    """Even if the client disconnects, functions that were registered for its close are called."""
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


async def test_an_endless_stream_ends_when_its_client_disconnects(app, asgi):
    """The generator is closed, and its thread is free again. No other message counts as a disconnect."""
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


async def test_a_cancelled_request_releases_its_thread(app, asgi):
    """A server may cancel it, for example at shutdown, while the thread waits until a chunk is accepted."""
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


async def test_a_request_cancelled_before_its_response_sends_nothing(app, asgi):
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


# -- other WSGI apps


def plain(app):
    """Return an ASGI app for a plain WSGI app, because Flask never does what these tests need."""
    flask = Flask("plain")
    flask.wsgi_app = app
    return asgi_app(flask)


async def test_the_write_callable_sends_the_body(asgi):
    """PEP 3333 allows `write` before an iterable."""

    def app(_environ, start_response):
        write = start_response("200 OK", [])
        write(b"a")
        write(b"")
        return [b"b"]

    response = await asgi.drive(plain(app), asgi.scope("GET", "/", {}))
    assert response.body == b"ab"


@pytest.mark.parametrize("begun", [False, True], ids=["before the body", "after it has begun"])
async def test_a_second_start_response_with_exc_info_replaces_a_first_that_was_not_sent(asgi, begun):
    """If the response has begun, the exception is raised."""

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
        response = await asgi.drive(serving, asgi.scope("GET", "/", {}))
        assert (response.status, response.headers, response.body) == (500, [("x-b", "2")], b"b")


async def test_a_second_start_response_without_exc_info_raises(asgi):
    def app(_environ, start_response):
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with pytest.raises(RuntimeError, match="second time without exc_info"):
        await asgi.drive(plain(app), asgi.scope("GET", "/", {}))


# -- connections that are not HTTP


async def test_the_lifespan_protocol_is_completed(app):
    """Servers learn that the app has started and stopped."""
    sent, messages = [], [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

    async def receive():
        return messages.pop()

    async def send(message):
        sent.append(message["type"])

    CORS(app)
    await asgi_app(app)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("install", [CORS, lambda app: app], ids=["with CORS(app)", "without CORS(app)"])
async def test_a_websocket_handshake_is_refused(app, asgi, install):
    """Flask has no WebSockets. Servers answer 403 if a handshake is closed before it is accepted."""
    sent = []

    async def send(message):
        sent.append(message["type"])

    install(app)
    await asgi_app(app)(asgi.scope("GET", "/", {}, type="websocket"), None, send)
    assert sent == ["websocket.close"]


@pytest.mark.parametrize("threads", [0, -1, True, 1.5, "4"])
def test_an_invalid_number_of_threads_is_refused(app, threads):
    with pytest.raises(ConfigError, match=r"is not a number of threads\. Write a whole number from 1 up\."):
        asgi_app(app, threads=threads)


async def test_a_views_own_policy_applies_under_asgi(app, asgi):
    """Routes are matched by the scope, including its root path, host and server."""
    app.add_url_rule("/view", "view", cross_origin(origins=PAGE)(lambda: "own"))
    CORS(app)
    headers = {"origin": PAGE, "access-control-request-method": "PUT"}
    for more in ({"root_path": "/mount", "path": "/mount/view"}, {"server": None}, {"server": ("/socket", None)}):
        response = await asgi.drive(asgi_app(app), asgi.scope("OPTIONS", "/view", headers) | more)
        assert response.cors["access-control-allow-origin"] == PAGE
