"""The tests of Flask-CORS 6.0.5 that fail with our module in its place, each with its reason, and proof in a browser.

`build` makes an app with either module, and pages send `fetches` to it. With both modules, a page can read the same
responses, or fewer with ours if `safer`. Ours refuses to build an app if `raises`. Each `row` is in
docs/migrating.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

INTERNAL = "test_helpers."  # private functions of Flask-CORS
PAGE, OTHER = "http://foo.com", "http://www.example.com"


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """One fetch of a page."""

    page: str = PAGE
    path: str = "/"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference between the modules, and the tests that fail because of it."""

    tests: tuple[str, ...]
    reason: str
    row: str
    build: Callable[[Any], Flask]
    fetches: tuple[Fetch, ...]
    safer: bool = False
    raises: bool = False


def decorated(**options: Any) -> Callable[[Any], Flask]:
    """Make an app with one decorated view."""

    def build(module: Any) -> Flask:
        app = Flask("app")

        @app.route("/", methods=["GET", "POST", "PUT"])
        @module.cross_origin(**options)
        def view() -> str:
            return "view"

        return app

    return build


def extended(**options: Any) -> Callable[[Any], Flask]:
    """Make an app with CORS(app)."""

    def build(module: Any) -> Flask:
        app = Flask("app")
        module.CORS(app, **options)
        app.add_url_rule("/<path:_>", "view", lambda _: "view", methods=["GET", "POST", "PUT"])
        return app

    return build


def fetch_with(*names: str) -> Fetch:
    """Return a fetch with request headers."""
    return Fetch(options={"headers": dict.fromkeys(names, "1")})


CREDENTIALS = {"credentials": "include"}
HEADERS = ["X-Example-Header-B", "X-Example-Header-A"]

DIFFERENCES = (
    Difference(
        tests=(
            "test_allow_headers.AllowHeadersTestCaseIntegration.test_allow_headers_no_request_headers",
            "test_allow_headers.AllowHeadersTestCaseIntegration.test_allow_headers_with_request_headers",
            "test_allow_headers.AllowHeadersTestCaseIntegration.test_allow_headers_with_request_headers_case_insensitive",
            "test_allow_headers.AllowHeadersTestCaseIntegration.test_allow_headers_with_unmatched_request_headers",
        ),
        reason="a preflight's response lists all allowed headers, not the requested ones: browsers cache it",
        row="The list in `Access-Control-Allow-Headers`",
        build=decorated(allow_headers=HEADERS),
        fetches=(
            Fetch(),
            fetch_with("x-example-header-a"),
            fetch_with(*HEADERS),
            fetch_with("x-other"),
            fetch_with(*HEADERS, "x-other"),
        ),
    ),
    Difference(
        tests=("test_allow_headers.AllowHeadersTestCaseIntegration.test_allow_headers_regex",),
        reason="the response also lists the four safelisted headers; the regex is parsed as a prefix",
        row="The list in `Access-Control-Allow-Headers`",
        build=decorated(allow_headers=[r"X-COMPANY-.*"]),
        fetches=(fetch_with("x-company-foo"), fetch_with("x-other"), Fetch()),
    ),
    Difference(
        tests=("test_credentials.SupportsCredentialsCase.test_credentials_supported",),
        reason="credentials for every origin are refused by the view: until it runs, the config may set the origins",
        row="`supports_credentials=True` without `origins`",
        build=decorated(supports_credentials=True),
        fetches=(Fetch(options=CREDENTIALS), Fetch(page=OTHER, options=CREDENTIALS)),
        safer=True,
    ),
    Difference(
        tests=(
            "test_private_network_headers.SupportsCredentialsCase.test_credentials_supported",
            "test_private_network_headers.SupportsCredentialsCase.test_credentials_unsupported",
        ),
        reason="Access-Control-Allow-Private-Network is sent for preflights only, and is never `false`",
        row="`allow_private_network`",
        build=decorated(allow_private_network=True),
        fetches=(Fetch(), Fetch(options={"method": "PUT"})),
    ),
    Difference(
        tests=("test_methods.MethodsCase.test_methods_defined",),
        reason="a refused preflight names the allowed methods, so that the console names the cause",
        row="A refused preflight",
        build=decorated(methods=["POST"]),
        fetches=(Fetch(options={"method": "POST", "json": 1}), Fetch(options={"method": "PUT"})),
    ),
    Difference(
        tests=(
            "test_origins.OriginsTestCase.test_defaults_with_origin",
            "test_app_extension.AppExtensionRegexp.test_defaults_with_origin",
            "test_w3.OriginsW3TestCase.test_wildcard_default_origins",
            "test_w3.OriginsW3TestCase.test_wildcard_origin_header",
            "test_w3.OriginsW3TestCase.test_wildcard_no_origin_header",
        ),
        reason="every origin is sent as `*` on every response, with or without Origin, so that caches work",
        row="`Access-Control-Allow-Origin` for a policy of every origin",
        build=decorated(origins="*", always_send=False, send_wildcard=False),
        fetches=(Fetch(), Fetch(page=OTHER), Fetch(options=CREDENTIALS), Fetch(options={"method": "PUT"})),
    ),
    Difference(
        tests=("test_vary_header.VaryHeaderTestCase.test_default",),
        reason="a response with `*` doesn't vary",
        row="`Access-Control-Allow-Origin` for a policy of every origin",
        build=decorated(),
        fetches=(Fetch(), Fetch(page=OTHER)),
    ),
    Difference(
        tests=(
            "test_vary_header.VaryHeaderTestCase.test_consistent_origin",
            "test_vary_header.VaryHeaderTestCase.test_consistent_origin_concat",
        ),
        reason="a response for one origin differs from that for others, so it varies; Vary is sent as one header",
        row="`Vary: Origin` for a single origin",
        build=decorated(origins=PAGE),
        fetches=(Fetch(), Fetch(page=OTHER)),
    ),
    Difference(
        tests=("test_origins.OriginsTestCase.test_regex_list", "test_app_extension.AppExtensionRegexp.test_regex_list"),
        reason="a regex must match the whole origin: `http://a.example.com.com` is not below example.com",
        row="Regular expressions for origins and paths",
        build=decorated(origins=[r".*.example.com", r".*.otherexample.com"]),
        fetches=(
            Fetch(page="http://a.example.com"),
            Fetch(page="http://a.example.com.com"),
            Fetch(page="http://a.com"),
        ),
        safer=True,
    ),
    Difference(
        tests=("test_app_extension.AppExtensionBadRegexp.test_value_error",),
        reason="a path that can match nothing is refused when the app is bound",
        row="A path without a slash at its start",
        build=extended(resources=["}", "/x"]),
        fetches=(Fetch(path="/x"),),
        safer=True,
        raises=True,
    ),
)
