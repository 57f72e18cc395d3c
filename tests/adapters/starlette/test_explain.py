"""`explain` of an installation: the policy of the route that has the path."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router, WebSocketRoute

from asgi_cors_starlette import cross_origin, install

PAGE, PARTNER = "https://app.example.com", "https://partner.example.com"


async def view(_request):
    return PlainTextResponse("")


async def echo(websocket):
    await websocket.accept()


@pytest.fixture
def explain():
    partners = cross_origin(allow_origins=[PARTNER], allow_credentials=True)
    both = Router([Route("/", view), WebSocketRoute("/", partners(echo))])
    routes = [Route("/a", partners(view)), Route("/b", view), WebSocketRoute("/ws", partners(echo)), *both.routes]
    installation = install(Starlette(routes=routes), allow_origins=[PAGE])
    return installation.explain


@pytest.mark.parametrize(
    ("path", "origin"), [("/a", PARTNER), ("/b", PAGE), ("/ws", PARTNER), ("/", PAGE), ("/missing", PAGE)]
)
def test_the_policy_of_the_route_decides_or_that_of_a_websocket_without_a_route(explain, path, origin):
    other = PAGE if origin == PARTNER else PARTNER
    assert explain("GET", origin, path).allowed is True
    assert explain("GET", other, path).allowed is False
