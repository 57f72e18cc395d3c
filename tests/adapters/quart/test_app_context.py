"""Callables in `allow_origins` run in the context of the app, and never in that of a request."""

import logging

import pytest
from quart import Quart, current_app, g, has_request_context

from asgi_cors import Answer, LimitedAwaitable, OriginSource
from asgi_cors._configuration import calls
from asgi_cors_quart import CORS, cors_exempt, route_cors

PAGE = "https://app.example.com"
EVIL = "https://evil.example.net"


def is_customer(origin):
    """Look an origin up in the app's config."""
    assert not has_request_context()
    assert "user" not in g
    g.user = "of a look-up"
    return origin in current_app.config["CUSTOMERS"]


async def is_customer_async(origin):
    return is_customer(origin)


class Threaded(OriginSource):
    """A source that calls a function in a thread, or a coroutine function in a task."""

    def __init__(self, *, uses_task):
        self.pool, self.uses_task = calls.ThreadPool("test-pool"), uses_task

    def look_up(self, origin, policy=None):
        del policy
        return LimitedAwaitable(self._look_up(origin), 10)

    async def _look_up(self, origin):
        if self.uses_task:
            return Answer(await calls.start_task(is_customer_async, origin, app_context=self.app_context), ())
        called = self.pool.submit(lambda: calls.call(is_customer, origin, app_context=self.app_context))
        return Answer(await calls.wait_for(called), ())

    def describe(self, origin, policy=None):
        raise NotImplementedError


@pytest.fixture(params=["sync", "async", "in a thread", "in a task"])
def look_up(request):
    """Return each kind of callable."""
    functions = {"sync": is_customer, "async": is_customer_async}
    return functions.get(request.param) or Threaded(uses_task=request.param == "in a task")


@pytest.fixture
def app() -> Quart:
    """An app with customers in its config, and a user for each request."""
    app = Quart(__name__)
    app.config["CUSTOMERS"] = [PAGE]

    @app.before_request
    async def log_in():
        g.user = "of a request"

    return app


async def allowed(app, cors_headers):
    """Return which of two origins may read a response, twice each."""
    found = [await cors_headers(app, origin=origin) for origin in (PAGE, EVIL, PAGE, EVIL)]
    return ["access-control-allow-origin" in headers for headers in found]


async def test_a_look_up_uses_the_config_of_the_app(app, look_up, cors_headers, caplog):
    app.get("/")(lambda: "hello")
    CORS(app, allow_origins=[look_up])
    assert await allowed(app, cors_headers) == [True, False] * 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_look_up_of_a_view_that_applies_its_policy_itself_uses_the_config_of_the_app(
    app, look_up, cors_headers, caplog
):
    app.get("/")(route_cors(allow_origin=[look_up])(lambda: "hello"))
    assert await allowed(app, cors_headers) == [True, False] * 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_the_sources_of_an_app_start_and_stop_with_it(app):
    events = []

    class Records(Threaded):
        def start(self):
            events.append("start")

        def stop(self):
            events.append("stop")

    CORS(app, allow_origins=[Records(uses_task=True)])
    app.get("/")(cors_exempt(lambda: "hello"))
    async with app.test_app():
        assert events == ["start"]
    assert events == ["start", "stop"]
