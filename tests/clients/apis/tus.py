"""Resumable uploads: tus 1.0 with its extensions, and the drafts of the IETF that tus-js-client speaks."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Upload:
    """An upload. Its length is None until the client sends it."""

    length: int | None
    data: bytes = b""


UPLOADS: dict[str, Upload] = {}
NUMBERS = itertools.count(1)


def protocol(request: Request) -> Mapping[str, str]:
    """Return the header that names the version, from the request."""
    name = "upload-draft-interop-version" if "upload-draft-interop-version" in request.headers else "tus-resumable"
    return {name: request.headers[name]}


def length_of(request: Request) -> int | None:
    return int(request.headers["upload-length"]) if "upload-length" in request.headers else None


async def create(request: Request) -> Response:
    assert request.headers["authorization"] == "Bearer secret"
    upload = Upload(length_of(request))
    kind, _, parts = request.headers.get("upload-concat", "").partition(";")
    assert upload.length or kind == "final" or request.headers["upload-defer-length"] == "1"
    if kind == "final":
        upload.data = b"".join(UPLOADS[part.rpartition("/")[2]].data for part in parts.split())
    number = str(next(NUMBERS))
    UPLOADS[number] = upload
    return Response(status_code=201, headers={**protocol(request), "Location": f"/files/{number}"})


async def head(request: Request) -> Response:
    upload = UPLOADS[request.path_params["number"]]
    headers = {"Upload-Offset": str(len(upload.data)), "Upload-Length": str(upload.length)}
    return Response(headers={**protocol(request), **headers, "Cache-Control": "no-store"})


async def patch(request: Request) -> Response:
    upload = UPLOADS[request.path_params["number"]]
    assert int(request.headers["upload-offset"]) == len(upload.data)
    upload.length = length_of(request) or upload.length
    upload.data += await request.body()
    return Response(status_code=204, headers={**protocol(request), "Upload-Offset": str(len(upload.data))})


async def delete(request: Request) -> Response:
    del UPLOADS[request.path_params["number"]]
    return Response(status_code=204, headers=protocol(request))


async def download(request: Request) -> Response:
    upload = UPLOADS.get(request.path_params["number"])
    return Response(upload.data) if upload else Response(status_code=404)


async def upload(request: Request) -> Response:
    respond = {"HEAD": head, "PATCH": patch, "DELETE": delete, "GET": download}[request.method]
    return await respond(request)


app = Starlette(
    routes=[
        Route("/files", create, methods=["POST"]),
        Route("/files/{number}", upload, methods=["HEAD", "PATCH", "DELETE", "GET"]),
    ]
)
