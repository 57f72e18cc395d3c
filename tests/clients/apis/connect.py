"""The service of pages/shared/greeter.js by the Connect protocol, with messages in JSON."""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .envelopes import END, count_to, frame, read_frame


async def say(request: Request) -> Response:
    assert request.headers["connect-protocol-version"] == "1"
    assert 0 < int(request.headers["connect-timeout-ms"]) <= 20_000
    return JSONResponse(f"Hello, {await request.json()}")


async def look(request: Request) -> Response:
    return JSONResponse(f"Seen: {json.loads(request.query_params['message'])}")


async def fail(request: Request) -> Response:
    return JSONResponse({"code": "not_found", "message": "no such visitor"}, status_code=404)


async def count(request: Request) -> Response:
    text = json.loads(read_frame(await request.body()))
    frames = [frame(json.dumps(number).encode()) for number in count_to(text)]
    return Response(b"".join([*frames, frame(b"{}", END)]), media_type="application/connect+json")


app = Starlette(
    routes=[
        Route("/test.Greeter/Say", say, methods=["POST"]),
        Route("/test.Greeter/Look", look, methods=["GET"]),
        Route("/test.Greeter/Fail", fail, methods=["POST"]),
        Route("/test.Greeter/Count", count, methods=["POST"]),
    ]
)
