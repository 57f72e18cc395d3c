"""The service of pages/shared/greeter.js by gRPC-Web, as binary or as base64, whichever the client sends."""

import base64

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelopes import TRAILERS, count_to, decode_text, encode_text, frame, read_frame

TEXT = "application/grpc-web-text"
DETAILS = (  # google.rpc.Status: a code, a message, and one detail, a google.protobuf.Any of a string
    b"\x08\x05\x12\x0fno such visitor"
    b"\x1a\x3a\x0a\x2ftype.googleapis.com/google.protobuf.StringValue\x12\x07\x0a\x05Grace"
)


async def read(request: Request) -> str:
    assert request.headers["x-grpc-web"] == "1"
    assert request.headers["x-user-agent"]
    body = await request.body()
    is_text = request.headers["content-type"].startswith(TEXT)
    return decode_text(read_frame(base64.b64decode(body) if is_text else body))


def respond(request: Request, *texts: str) -> Response:
    frames = [frame(encode_text(text)) for text in texts]
    body = b"".join([*frames, frame(b"grpc-status:0\r\ngrpc-message:\r\n", TRAILERS)])
    if request.headers["content-type"].startswith(TEXT):
        return Response(base64.b64encode(body), media_type=TEXT)
    return Response(body, media_type="application/grpc-web+proto")


async def say(request: Request) -> Response:
    assert request.headers["grpc-timeout"].endswith("m")
    return respond(request, f"Hello, {await read(request)}")


async def fail(request: Request) -> Response:
    headers = {
        "grpc-status": "5",
        "grpc-message": "no such visitor",
        "grpc-status-details-bin": base64.b64encode(DETAILS).decode().rstrip("="),
    }
    return Response(headers=headers, media_type=request.headers["content-type"])


async def count(request: Request) -> Response:
    return respond(request, *count_to(await read(request)))


app = Starlette(
    routes=[
        Route("/test.Greeter/Say", say, methods=["POST"]),
        Route("/test.Greeter/Fail", fail, methods=["POST"]),
        Route("/test.Greeter/Count", count, methods=["POST"]),
    ]
)
