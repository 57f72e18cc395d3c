"""The tests of Starlette's CORSMiddleware that fail with ours in its place."""

from collections.abc import Callable
from typing import Any

from named import Difference, Fetch
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route

PAGE, OTHER = "https://example.org", "https://other.org"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "CUSTOM"]


async def home(_: Request) -> PlainTextResponse:
    return PlainTextResponse("home")


async def own(_: Request) -> PlainTextResponse:
    return PlainTextResponse("own", headers={"Access-Control-Allow-Origin": OTHER})


async def crash(_: Request) -> PlainTextResponse:
    raise ValueError("as a program may")


def with_routes(*middlewares: Middleware, mounted: Starlette | None = None) -> Starlette:
    """Make an app with middlewares."""
    routes: list[BaseRoute] = [Route("/", home, methods=METHODS), Route("/own", own), Route("/crash", crash)]
    return Starlette(routes=routes + ([Mount("/mounted", mounted)] if mounted else []), middleware=middlewares)


def with_a_mounted_app(kind: Any) -> Starlette:
    """Make an app and a mounted app that have different policies."""
    inner = with_routes(Middleware(kind, allow_origins=[OTHER]))
    return with_routes(Middleware(kind, allow_origins=[PAGE]), mounted=inner)


def middleware(**options: Any) -> Callable[[Any], Starlette]:
    """Make an app with the middleware."""
    return lambda kind: with_routes(Middleware(kind, **options))


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
    Difference(
        reason="credentials for a page over http are refused",
        row="Credentials for `http://` origins",
        build=middleware(allow_origins=["http://example.org"], allow_credentials=True),
        fetches=(Fetch(page="http://example.org", options=COOKIES),),
        safer=True,
    ),
    Difference(
        reason="credentials for pages that anyone can publish are refused",
        row="Credentials below a shared suffix",
        build=middleware(allow_origin_regex=r"https://.*\.github\.io", allow_credentials=True),
        fetches=(Fetch(page="https://a.github.io", options=COOKIES),),
        safer=True,
    ),
    Difference(
        reason="`null` with credentials is refused",
        row="`null` with credentials",
        build=middleware(allow_origins=["null"], allow_credentials=True),
        fetches=(Fetch(page="null", options=COOKIES),),
        safer=True,
    ),
    Difference(
        reason="no regular expression matches `null`",
        row="`null` and regular expressions",
        build=middleware(allow_origin_regex=".*"),
        fetches=(fetch_with(), Fetch(page="null")),
        safer=True,
    ),
    Difference(
        reason="names that no script can set are dropped",
        row="Useless names in `allow_headers`",
        build=middleware(allow_origins=["*"], allow_headers=["Origin", "Set-Cookie", "X-Example"]),
        fetches=(fetch_with(headers={"x-example": "1"}), fetch_with(headers={"x-other": "1"})),
    ),
    Difference(
        reason="a string is one origin",
        row='`allow_origins="https://example.com"`, a string',
        build=middleware(allow_origins="https://example.org"),
        fetches=(fetch_with(), Fetch(page="https://example.or")),
        safer=True,
    ),
    Difference(
        reason="`*` next to other origins is refused",
        row="`*` next to other origins",
        build=middleware(allow_origins=["*", PAGE]),
        fetches=(fetch_with(), Fetch(page=OTHER)),
        safer=True,
    ),
    Difference(
        reason="`*` with names is every header, the form that the standard requires",
        row='`*` with names: `allow_headers=["*", "Authorization"]`',
        build=middleware(allow_origins=["*"], allow_headers=["*", "Authorization"]),
        fetches=(fetch_with(headers={"authorization": "1"}), fetch_with(headers={"x-other": "1"})),
    ),
    Difference(
        reason="every header is sent as `*, authorization` without credentials",
        row='`allow_headers="*"`',
        build=middleware(allow_origins=[PAGE], allow_headers=["*"], allow_credentials=True),
        fetches=(fetch_with(headers={"x-other": "1"}, **COOKIES), Fetch(page=OTHER, options=COOKIES)),
    ),
    Difference(
        reason="every page may send these methods",
        row='POST with a preflight, under `allow_methods=["GET"]`',
        build=middleware(allow_origins=[PAGE], allow_methods=["GET"], allow_headers=["X-Example"]),
        fetches=tuple(fetch_with(method=method, headers={"x-example": "1"}) for method in METHODS[:4]),
        wider=True,
    ),
    Difference(
        reason="browsers write the methods that they know in upper case",
        row='Lower case: `allow_methods=["put"]`',
        build=middleware(allow_origins=[PAGE], allow_methods=["put"]),
        fetches=(fetch_with(), fetch_with(method="put"), fetch_with(method="DELETE")),
        wider=True,
    ),
    Difference(
        reason="the order of positional options differs between versions of Starlette",
        row="Positional options",
        build=lambda kind: with_routes(Middleware(kind, [PAGE])),
        fetches=(fetch_with(), Fetch(page=OTHER)),
        safer=True,
    ),
    Difference(
        reason="two policies must both allow",
        row="A mounted app with a `CORSMiddleware` of its own",
        build=with_a_mounted_app,
        fetches=(fetch_with(), Fetch(page=PAGE, path="/mounted/"), Fetch(page=OTHER, path="/mounted/")),
        safer=True,
    ),
    Difference(
        reason="the policy replaces CORS headers of the app",
        row="CORS headers that the app sets itself",
        build=lambda kind: with_routes(Middleware(kind, allow_origins=[PAGE])),
        fetches=(Fetch(page=PAGE, path="/own"), Fetch(page=OTHER, path="/own")),
        safer=True,
    ),
    Difference(
        reason="a page can read the response to a crash",
        row="A crash",
        build=lambda kind: with_routes(Middleware(kind, allow_origins=[PAGE])),
        fetches=(fetch_with(), Fetch(page=PAGE, path="/crash"), Fetch(page=OTHER, path="/crash")),
        wider=True,
    ),
    Difference(
        reason="only an origin as browsers send it is accepted",
        row="An origin with a slash, upper case or `:443`",
        build=middleware(allow_origins=[PAGE, f"{OTHER}/"]),
        fetches=(fetch_with(), Fetch(page=OTHER)),
        safer=True,
    ),
    Difference(
        reason="a refused origin gets no permission at all",
        row="`Access-Control-Allow-Credentials`, `-Expose-Headers` for a refused origin",
        build=middleware(allow_origins=[PAGE], allow_credentials=True, expose_headers=["X-Example"]),
        fetches=(fetch_with(**COOKIES), Fetch(page=OTHER, options=COOKIES), Fetch(page=OTHER)),
    ),
)
# The rows of differences that no fetch of a page can see.
INVISIBLE = (
    "A subclass that overrides a method of Starlette's",
    "Headers without Origin, under `*`",
    "WebSockets",
    "The app's own message",
)
