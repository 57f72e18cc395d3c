"""Callables in `origins` run in the context of the app, and never in that of a request."""

import contextvars
import logging

import pytest
from flask import Flask, current_app, g, has_request_context

from asgi_cors import Answer, LimitedAwaitable, OriginSource
from asgi_cors._configuration import calls
from asgi_cors_flask import CORS, cross_origin

PAGE = "https://app.example.com"
EVIL = "https://evil.example.net"
variable = contextvars.ContextVar("variable", default="unset")


def is_customer(origin):
    """Look an origin up in the app's config."""
    assert not has_request_context()
    assert variable.get() == "unset"
    assert "user" not in g
    g.user = "of a look-up"
    return origin in current_app.config["CUSTOMERS"]


async def is_customer_async(origin):
    return is_customer(origin)


class Threaded(OriginSource):
    """A source that calls a function in a thread."""

    def __init__(self):
        self.pool = calls.ThreadPool("test-pool")

    def look_up(self, origin, policy=None):
        del policy
        return LimitedAwaitable(self._look_up(origin), 10)

    async def _look_up(self, origin):
        called = self.pool.submit(lambda: calls.call(is_customer, origin, app_context=self.app_context))
        return Answer(await calls.wait_for(called), ())

    def describe(self, origin, policy=None):
        raise NotImplementedError


CALLABLES = {"sync": is_customer, "async": is_customer_async, "in a thread": Threaded()}


@pytest.fixture
def app() -> Flask:
    """An app with customers in its config, and a user for each request."""
    app = Flask("app")
    app.config["CUSTOMERS"] = [PAGE]

    @app.before_request
    def log_in():
        g.user = "of a request"
        variable.set("of a request")

    return app


@pytest.fixture(params=CALLABLES.values(), ids=CALLABLES)
def look_up(request):
    """Return each kind of callable. A source is a new one, since the first app sets its context."""
    return Threaded() if isinstance(request.param, Threaded) else request.param


def allowed(client, path="/"):
    """Return which of two origins may read a response, twice each."""
    responses = [client.get(path, origin) for origin in (PAGE, EVIL, PAGE, EVIL)]
    return ["access-control-allow-origin" in dict(response.headers) for response in responses]


def test_a_look_up_uses_the_config_of_the_app(app, serve, look_up, caplog):
    app.get("/")(lambda: "hello")
    CORS(app, origins=[look_up])
    assert allowed(serve(app)) == [True, False] * 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("has_middleware", [True, False], ids=["with CORS(app)", "alone"])
def test_a_look_up_of_a_decorated_view_uses_the_config_of_the_app(app, serve, look_up, has_middleware, caplog):
    """Alone, the view applies its policy inside of its request."""
    app.get("/")(cross_origin(origins=[look_up])(lambda: "hello"))
    if has_middleware:
        CORS(app, origins=EVIL)
    assert allowed(serve(app)) == [True, False] * 2
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
