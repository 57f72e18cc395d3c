"""The public interface of the Flask adapter as type checkers see it. Nothing runs this file."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from flask import Blueprint, Flask

from asgi_cors import Explanation, Policy
from asgi_cors_flask import CORS, Installation, asgi_app, cors_exempt, cross_origin

app = Flask(__name__)
cors = CORS(app, origins=["https://app.example.com", re.compile(r"https://[a-z]+\.example\.com")], max_age="600")
assert_type(cors, CORS)
assert_type(cors.policy, Policy)
assert_type(cors.explain("GET", "https://app.example.com", "/items", credentials=True), Explanation)
cors.reconfigure(allow_origins="https://app.example.com")
cors.reconfigure(Policy(allow_origins="*"))

CORS(Blueprint("bp", __name__), resources={"/api/*": {"origins": "*"}, re.compile("/x"): Policy(), "/none": None})
CORS(resources=["/api/*"]).init_app(app, supports_credentials=True, enforce=True)
CORS(
    app,
    csrf_protection="report",
    csrf_trusted_origins=["https://pay.example.net", re.compile("https://[a-z]+\\.example\\.net"), str.isascii],
    timing_allow_origin=True,
    resource_policy="same-site",
    presets=["mcp"],
    name="api",
    enforce="report",
    allowed_hosts=["api.example.com"],
    report_only={"origins": [], "csrf_protection": True},
)
cors.reconfigure(allowed_hosts=None, report_only=Policy(), resource_policy=None, name=None)
CORS(app, csrf_protection="log")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
CORS(app, resource_policy="none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cross_origin(csrf_protection=True, csrf_trusted_origins="https://pay.example.net", presets="htmx", name="view")
cross_origin(allowed_hosts="*")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
CORS(app, origin="*")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # `origins`
CORS(app, supports_credentials="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a bool

installation: Installation = app.extensions["asgi_cors"]
assert_type(installation.policy, Policy)


@app.get("/bare")
@cross_origin
def bare() -> str:
    """Have the same type under the decorator."""
    return ""


@app.get("/own")
@cross_origin(origins="*", automatic_options=False)
def own(number: int) -> str:
    """Have the same type under the decorator with options."""
    return str(number)


@cors_exempt
def exempt() -> str:
    """Have the same type, too."""
    return ""


assert_type(bare(), str)
assert_type(own(1), str)
assert_type(exempt(), str)

served: Callable[[dict[str, Any], Any, Any], Awaitable[None]] = asgi_app(app, threads=4)
