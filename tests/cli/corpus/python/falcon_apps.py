"""Falcon with its CORSMiddleware, and with headers by hand."""

from typing import Any

import falcon
from falcon import CORSMiddleware, Request, Response

from tests.cli.corpus.raw import ACAC, ACAM, ACAO, PAGE


class Items:
    """The resource."""

    def on_get(self, _request: Request, response: Response) -> None:
        response.media = {"name": "Ann"}

    def on_put(self, _request: Request, response: Response) -> None:
        response.media = {"name": "Ann"}


class ByHand(Items):
    """Headers in the responders only."""

    def on_get(self, request: Request, response: Response) -> None:
        response.set_header(ACAO, PAGE)
        super().on_get(request, response)


class Private:
    """A responder that raises before it sets the header."""

    def on_get(self, _request: Request, response: Response) -> None:
        raise falcon.HTTPForbidden
        response.set_header(ACAO, PAGE)


class Token:
    """A check of tokens, also of OPTIONS."""

    def process_request(self, request: Request, _response: Response) -> None:
        if not request.auth:
            raise falcon.HTTPUnauthorized


class Echo:
    """Every origin is sent back."""

    def process_response(self, request: Request, response: Response, *_: Any) -> None:
        response.set_header(ACAO, request.get_header("Origin") or "*")
        response.set_header(ACAC, "true")
        response.set_header(ACAM, "GET, PUT")


def api(*middleware: Any, resource: Any = None, **options: Any) -> Any:
    app = falcon.App(middleware=list(middleware), **options)
    app.add_route("/items", resource or Items())
    return app


APPS = {
    "enabled": api(cors_enable=True),
    "elsewhere": api(CORSMiddleware(allow_origins="http://localhost:3000", allow_credentials="*")),
    "all": api(CORSMiddleware(allow_origins="*", allow_credentials="*")),
    "guarded": api(Token(), cors_enable=True),
    "by-hand": api(resource=ByHand()),
    "private": api(resource=Private()),
    "echo": api(Echo()),
    "well": api(CORSMiddleware(allow_origins=[PAGE, "https://admin.example.com"], allow_credentials="*")),
}
