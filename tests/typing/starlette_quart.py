"""The adapters for Starlette and Quart as type checkers see them. Nothing runs this file."""

import re
from datetime import timedelta
from typing import assert_type

from fastapi import APIRouter, FastAPI
from quart import Blueprint, Quart
from starlette.applications import Starlette

from asgi_cors import Configuration, CORSMiddleware, Explanation, Policy
from asgi_cors_quart import CORS, cors, cors_exempt, route_cors, websocket_cors
from asgi_cors_starlette import Installation, cross_origin, install
from asgi_cors_starlette import cors_exempt as starlette_exempt

PAGE = "https://app.example.com"

installed = install(Starlette(), allow_origins=[PAGE], paths={"/public/*": Policy(allow_origins="*"), "/raw": None})
assert_type(installed, Installation)
configuration: Configuration = installed
assert_type(installed.explain("PUT", PAGE), Explanation)
install(FastAPI(), Policy(allow_origins=PAGE), enforce=True)
install(Starlette(), allow_origin=PAGE)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

install(Starlette(), allow_origins=PAGE, csrf_protection="report", allowed_hosts="*", report_only={"max_age": 5})
install(FastAPI(), in_openapi=True)
router = APIRouter()
assert_type(cross_origin(allow_origins=PAGE, csrf_protection=True)(router), APIRouter)
assert_type(starlette_exempt(router), APIRouter)
cross_origin(allow_origin=PAGE)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cross_origin([PAGE])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@cross_origin(Policy(allow_origins=PAGE))
async def item(number: int) -> str:
    """A function whose signature stays."""
    return str(number)


async def use_item() -> None:
    """Use it."""
    assert_type(await item(1), str)
    await item("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


FastAPI().add_middleware(CORSMiddleware, allow_origins=PAGE, csrf_protection=True, allowed_hosts=["localhost"])

app = Quart(__name__)
assert_type(cors(app, allow_origin=[PAGE, re.compile("https://.*")], max_age=timedelta(hours=1)), Quart)
assert_type(cors(Blueprint("blue", __name__), expose_headers=("x-total",), allow_credentials=None), Blueprint)
extension = CORS(app, Policy(allow_origins=PAGE), check_websockets=False)
assert_type(extension.policy, Policy)
assert_type(extension.explain("PUT", PAGE), Explanation)
extension.reconfigure(allow_origins="*")
CORS().init_app(app)
cors(
    app,
    csrf_protection=True,
    csrf_trusted_origins=["https://pay.example.net", re.compile("https://x")],
    timing_allow_origin=True,
    resource_policy="cross-origin",
    presets=("mcp", "htmx"),
    name="api",
    enforce="report",
    allowed_hosts=["localhost:*"],
    report_only={"allow_origin": PAGE, "csrf_protection": True},
)
CORS(app, csrf_protection="report", allowed_hosts="*", report_only=Policy(), resource_policy=None)
websocket_cors(allow_origin=PAGE, name="chat")
route_cors(csrf_protection=None, csrf_trusted_origins=PAGE, presets="mcp", name="view", resource_policy="same-site")
route_cors(csrf_protection="log")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
route_cors(allowed_hosts="*")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
websocket_cors(csrf_protection=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@app.get("/<int:number>")
@route_cors(allow_origin=PAGE, allow_methods={"PUT"}, max_age="5", provide_automatic_options=False)
async def view(number: int) -> str:
    """An async view."""
    return str(number)


@app.get("/sync")
@route_cors()
def sync() -> str:
    """A view that is not async."""
    return ""


@app.websocket("/ws")
@websocket_cors(allow_origin=str.isascii, allow_credentials=False)
async def ws() -> None:
    """A WebSocket."""


@app.get("/exempt")
@cors_exempt
async def exempt() -> str:
    """A view that is passed through."""
    return ""


view("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cors(app, allow_origins=PAGE)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
route_cors(allow_credentials="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
websocket_cors(allow_methods="PUT")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
