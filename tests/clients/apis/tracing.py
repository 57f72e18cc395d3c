"""An API that returns the tracing headers that it received. Sentry's own server is here, too."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

NAMES = ("traceparent", "tracestate", "baggage", "sentry-trace")


async def headers(request: Request) -> Response:
    return JSONResponse({name: request.headers[name] for name in NAMES if name in request.headers})


async def envelope(request: Request) -> Response:
    return JSONResponse({})


app = Starlette(routes=[Route("/headers", headers), Route("/api/1/envelope/", envelope, methods=["POST"])])
