"""The tests of Starlette's CORSMiddleware that fail with ours in its place."""

from collections.abc import Callable
from typing import Any

from named import Difference, Fetch
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

PAGE, OTHER = "https://example.org", "https://other.org"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "CUSTOM"]


def middleware(**options: Any) -> Callable[[Any], Starlette]:
    """Make an app with the middleware."""

    async def home(_: Request) -> PlainTextResponse:
        return PlainTextResponse("home")

    routes = [Route("/", home, methods=METHODS)]
    return lambda kind: Starlette(routes=routes, middleware=[Middleware(kind, **options)])


def fetch_with(**options: Any) -> Fetch:
    """Return a fetch of the allowed page."""
    return Fetch(page=PAGE, options=options)


COOKIES = {"credentials": "include"}

DIFFERENCES = (
    Difference(
        tests=("test_cors.test_cors_allow_specific_origin",),
        reason="an allowed preflight gets a 204 without a body",
        row="An allowed preflight",
        build=middleware(allow_origins=[PAGE], allow_headers=["X-Example", "Content-Type"]),
        fetches=(
            fetch_with(),
            fetch_with(headers={"x-example": "1"}),
            fetch_with(headers={"x-other": "1"}),
            Fetch(page=OTHER, options={"headers": {"x-example": "1"}}),
        ),
    ),
    Difference(
        tests=("test_cors.test_cors_preflight_allow_all_methods",),
        reason="as above; every method is sent as `*`, without credentials",
        row="An allowed preflight",
        build=middleware(allow_origins=["*"], allow_methods=["*"]),
        fetches=tuple(fetch_with(method=method) for method in METHODS[:-1]),
    ),
    Difference(
        tests=("test_cors.test_cors_allow_all_except_credentials",),
        reason="as above; every header is sent as `*, authorization`",
        row="An allowed preflight",
        build=middleware(allow_origins=["*"], allow_headers=["*"], allow_methods=["*"]),
        fetches=(
            fetch_with(headers={"x-example": "1"}),
            fetch_with(headers={"authorization": "1"}),
            fetch_with(**COOKIES),
        ),
    ),
    Difference(
        tests=(
            "test_cors.test_cors_private_network_access_allowed",
            "test_cors.test_cors_private_network_access_disallowed",
        ),
        reason="as above; the header is missing if it is not allowed, as browsers expect",
        row="`allow_private_network`",
        build=middleware(allow_origins=["*"], allow_methods=["*"], allow_private_network=True),
        fetches=(fetch_with(), fetch_with(method="PUT")),
    ),
    Difference(
        tests=("test_cors.test_cors_disallowed_preflight",),
        reason="after a refusal by 4xx every console reports only the status; ours shows the cause",
        row="A refused preflight",
        build=middleware(allow_origins=[PAGE], allow_headers=["X-Example"]),
        fetches=(
            fetch_with(headers={"x-example": "1"}),
            fetch_with(headers={"x-nope-1": "1", "x-nope-2": "1"}),
            Fetch(page=OTHER, options={"headers": {"x-nope": "1"}}),
        ),
    ),
    Difference(
        tests=(
            "test_cors.test_cors_allow_all",
            "test_cors.test_preflight_allows_request_origin_if_origins_wildcard_and_credentials_allowed",
            "test_cors.test_cors_vary_header_is_properly_set_for_credentialed_request",
        ),
        reason="credentials for every origin are refused when the policy is built",
        row='`allow_origins="*"` with `allow_credentials=True`',
        build=middleware(allow_origins=["*"], allow_methods=["POST"], allow_credentials=True),
        fetches=(fetch_with(**COOKIES), Fetch(page=OTHER, options=COOKIES), fetch_with()),
        safer=True,
    ),
    Difference(
        tests=("test_cors.test_cors_allow_origin_regex",),
        reason="a regex that any site matches is refused with credentials like `*`",
        row="A regex that any site matches, with credentials",
        build=middleware(allow_origin_regex="https://.*", allow_credentials=True),
        fetches=(fetch_with(**COOKIES), Fetch(page="http://example.org", options=COOKIES)),
        safer=True,
    ),
    Difference(
        tests=("test_cors.test_cors_preflight_rejects_custom_method_with_wildcard",),
        reason="`*` is every method, as in the standard",
        row='`allow_methods="*"`',
        build=middleware(allow_origins=["*"], allow_methods=["*"]),
        fetches=(fetch_with(), fetch_with(method="CUSTOM")),
        wider=True,
    ),
    Difference(
        tests=(
            "test_cors.test_cors_allow_all_methods",
            "test_cors.test_cors_vary_header_is_set_for_non_credentialed_request",
        ),
        reason="a response with `*` doesn't vary, so that caches work",
        row="`Vary` under `*`",
        build=middleware(allow_origins=["*"], allow_methods=["*"]),
        fetches=(fetch_with(), Fetch(page=OTHER), fetch_with(method="DELETE")),
    ),
)
