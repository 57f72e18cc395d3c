"""Apps for the servers, by name, such as `served:raw_ours`. Each is built when a server imports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from limit import Limit, Policy
from policies import METHODS, NAMES
from traffic import ALLOWED, app, with_headers

_OPTIONS: Final[dict[str, Any]] = {"allow_origins": [ALLOWED], "allow_methods": METHODS, "allow_headers": NAMES}
_HEADERS: Final = {"access-control-allow-origin": ALLOWED, "vary": "Origin"}


def _raw(contender: str) -> Any:
    from starlette.middleware.cors import CORSMiddleware as Peer

    from asgi_cors import CORSMiddleware as Ours

    served: Any = with_headers if contender == "headers" else app
    if contender == "ours":
        return Ours(served, **_OPTIONS)
    if contender == "limit":
        methods, names = [method.encode() for method in METHODS], [name.encode() for name in NAMES]
        return Limit(served, Policy([ALLOWED.encode()], methods=methods, names=names))
    return Peer(served, **_OPTIONS) if contender == "peer" else served


def _starlette(contender: str) -> Any:
    from starlette.applications import Starlette
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import Response
    from starlette.routing import Route

    import asgi_cors_starlette

    headers = _HEADERS if contender == "headers" else None

    async def items(_request: object) -> Response:
        return Response("{}", media_type="application/json", headers=headers)

    built = Starlette(routes=[Route("/items", items)])
    if contender == "ours":
        asgi_cors_starlette.install(built, **_OPTIONS)
    elif contender == "peer":
        built.add_middleware(CORSMiddleware, **_OPTIONS)
    return built


def _quart(contender: str) -> Any:
    import quart_cors
    from quart import Quart

    import asgi_cors_quart

    built = Quart("bench")

    @built.get("/items")
    async def items() -> Any:
        return ({}, _HEADERS) if contender == "headers" else {}

    options: Any = {"allow_origin": [ALLOWED], "allow_methods": METHODS, "allow_headers": NAMES}
    if contender == "ours":
        asgi_cors_quart.cors(built, **options)
    elif contender == "peer":
        quart_cors.cors(built, **options)
    return built


def _flask(contender: str) -> Any:
    import flask_cors
    from flask import Flask

    import asgi_cors_flask

    built = Flask("bench")
    built.get("/items")(lambda: ({}, _HEADERS) if contender == "headers" else {})
    options: Any = {"origins": [ALLOWED], "methods": METHODS, "allow_headers": NAMES}
    if contender == "ours":
        asgi_cors_flask.CORS(built, **options)
    elif contender == "peer":
        flask_cors.CORS(built, **options)
    return asgi_cors_flask.asgi_app(built)  # asgiref's own bridge fails under concurrent requests


KINDS: Final[
    dict[str, tuple[str, str, Callable[[str], Any]]]
] = {  # by name: title, the peer, the function that builds it
    "raw": ("raw ASGI", "Starlette's", _raw),
    "starlette": ("Starlette", "Starlette's", _starlette),
    "quart": ("Quart", "Quart-CORS", _quart),
    "flask": ("Flask by ASGI", "Flask-CORS", _flask),
}


def __getattr__(name: str) -> Any:
    kind, _, contender = name.partition("_")
    if kind not in KINDS or contender not in {"bare", "headers", "limit", "ours", "peer"}:
        raise AttributeError(name)
    return KINDS[kind][2](contender)
