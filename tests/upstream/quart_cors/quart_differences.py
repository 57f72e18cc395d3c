"""The tests of Quart-CORS 0.8.0 that fail with our module in its place."""

from collections.abc import Callable
from typing import Any

from named import Difference, Fetch
from quart import Quart

PAGE, OTHER = "http://quart.com", "http://notquart.com"
SECURE_PAGE = "https://quart.com"


def decorated(**config: Any) -> Callable[[Any], Quart]:
    """Make an app with one decorated view."""

    def build(module: Any) -> Quart:
        app = Quart("app")
        app.config.update({f"QUART_CORS_{name.upper()}": value for name, value in config.items()})

        @app.route("/", methods=["GET", "POST", "PUT", "DELETE"])
        @module.route_cors()
        async def view() -> str:
            return "view"

        return app

    return build


def with_a_late_mistake(module: Any) -> Quart:
    """Make an app whose configuration is wrong for one of two decorated views."""
    app = Quart("app")
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = True

    @app.get("/")
    @module.route_cors()
    async def every_origin() -> str:
        return "not sent with credentials"

    @app.get("/named")
    @module.route_cors(allow_origin=[SECURE_PAGE])
    async def named() -> str:
        return "named"

    return app


def fetch_with(**options: Any) -> Fetch:
    """Return a fetch of the allowed page."""
    return Fetch(page=PAGE, options=options)


DIFFERENCES = (
    Difference(
        tests=("test_simple_request.test_credentials_and_wildcard",),
        reason="a view whose policy is invalid sends no CORS header, rather than failing every request with 500",
        row="`*` with credentials",
        build=with_a_late_mistake,
        fetches=(Fetch(page=SECURE_PAGE), Fetch(page=SECURE_PAGE, path="/named")),
    ),
    Difference(
        tests=("test_basic.test_bad_preflight_request[empty-header]",),
        reason="an empty Access-Control-Request-Method, which no browser sends, is a refused preflight",
        row="An empty `Access-Control-Request-Method`",
        build=decorated(),
        fetches=(fetch_with(), fetch_with(method="PUT")),
    ),
    Difference(
        tests=("test_overrides.test_match", "test_preflight_request.test_request_method_match"),
        reason="Access-Control-Allow-Methods also lists GET, HEAD and POST, which every page may send",
        row="GET, HEAD and POST in `Access-Control-Allow-Methods`",
        build=decorated(allow_methods=["GET", "POST"]),
        fetches=(fetch_with(), fetch_with(method="HEAD"), fetch_with(method="POST", json=1), fetch_with(method="PUT")),
    ),
    Difference(
        tests=("test_preflight_request.test_no_origin", "test_simple_request.test_no_origin"),
        reason="every origin is sent as `*` on every response, with or without Origin, so that caches work",
        row="`Access-Control-Allow-Origin` for a policy of every origin",
        build=decorated(),
        fetches=(fetch_with(), Fetch(page=OTHER), fetch_with(credentials="include")),
    ),
    Difference(
        tests=("test_preflight_request.test_request_method_doesnt_match",),
        reason="a refused preflight lists the allowed headers, too, so that the console names the cause",
        row="A refused preflight",
        build=decorated(allow_methods=["GET", "POST"]),
        fetches=(fetch_with(), fetch_with(method="DELETE")),
    ),
    Difference(
        tests=("test_preflight_request.test_request_headers",),
        reason="a preflight's response lists all allowed headers, not the requested ones: browsers cache it",
        row="The list in `Access-Control-Allow-Headers`",
        build=decorated(allow_headers=["X-Match", "X-Other"]),
        fetches=(
            fetch_with(headers={"x-match": "1"}),
            fetch_with(headers={"x-match": "1", "x-other": "1"}),
            fetch_with(headers={"x-match": "1", "x-no-match": "1"}),
        ),
    ),
    Difference(
        tests=("test_simple_request.test_credentials",),
        reason="credentials for a page over http are refused when the app starts",
        row="Credentials for `http://` origins",
        build=decorated(allow_origin=[PAGE], allow_credentials=True),
        fetches=(fetch_with(credentials="include"), fetch_with(), Fetch(page=OTHER)),
        safer=True,
    ),
)
