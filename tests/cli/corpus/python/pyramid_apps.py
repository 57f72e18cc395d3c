"""Pyramid with subscribers and tweens, because it has no support for CORS of its own."""

from typing import Any

from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.httpexceptions import HTTPForbidden, HTTPFound, HTTPUnauthorized
from pyramid.response import Response

from tests.cli.corpus.raw import ACAC, ACAM, ACAO, PAGE


def items(_request: Any) -> Any:
    return {"name": "Ann"}


def crash(_request: Any) -> Any:
    return {"name": {}["Ann"]}


def private(_request: Any) -> Any:
    raise HTTPForbidden


def sending(**headers: str) -> Any:
    """Return a subscriber that adds headers to each response."""

    def add_headers(event: NewResponse) -> None:
        event.response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    return add_headers


def echo(event: NewResponse) -> None:
    """Send every origin back."""
    event.response.headers[ACAO] = event.request.headers.get("Origin", "*")
    event.response.headers[ACAC] = "true"


def token_tween(handler: Any, _registry: Any) -> Any:
    """Check a token outside of the views, also of OPTIONS."""

    def tween(request: Any) -> Any:
        return handler(request) if request.authorization else HTTPUnauthorized()

    return tween


def cors_tween(handler: Any, _registry: Any) -> Any:
    """Respond to OPTIONS, and add the headers to each response."""

    def tween(request: Any) -> Any:
        response = Response(status=204) if request.method == "OPTIONS" else handler(request)
        response.headers.update({ACAO: PAGE, ACAC: "true", ACAM: "GET, PUT"})
        return response

    return tween


def to_login(request: Any) -> Any:
    return HTTPFound(location=f"{request.script_name}/login?came_from={request.path}")


def api(*, subscriber: Any = None, tweens: tuple[Any, ...] = (), forbidden: Any = None) -> Any:
    config = Configurator()
    for view in (items, crash, private):
        config.add_route(view.__name__, f"/{view.__name__}")
        config.add_view(view, route_name=view.__name__, renderer="json", request_method=("GET", "PUT"))
    if subscriber:
        config.add_subscriber(subscriber, NewResponse)
    for tween in tweens:
        config.add_tween(f"{__name__}.{tween.__name__}")
    if forbidden:
        config.add_forbidden_view(forbidden)
    return config.make_wsgi_app()


APPS = {
    "subscriber": api(subscriber=sending(**{ACAO: PAGE, ACAM: "GET, PUT"})),
    "elsewhere": api(subscriber=sending(**{ACAO: "http://localhost:3000"})),
    "star": api(subscriber=sending(**{ACAO: "*", ACAC: "true"})),
    "echo": api(subscriber=echo),
    "forbidden": api(forbidden=to_login),
    "guarded": api(tweens=(cors_tween, token_tween)),
    "none": api(),
    "well": api(tweens=(cors_tween,)),
}
