"""One part of a page, for every method. Response headers choose its target and trigger events."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route


async def part(request: Request) -> Response:
    assert request.headers["hx-request"] == "true"
    headers = {
        "HX-Trigger": "served",
        "HX-Trigger-After-Swap": "swapped",
        "HX-Trigger-After-Settle": "settled",
        "HX-Retarget": "#right",
        "HX-Reswap": "beforeend",
        "HX-Reselect": "b",
    }
    return HTMLResponse(f"<b>{request.method} </b><i>not selected</i>", headers=headers)


app = Starlette(routes=[Route("/part", part, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
