"""Which requests are preflights, and the response to each, under ASGI and WSGI."""

from typing import Any

import pytest

from asgi_cors import CORSMiddleware
from tests.support.apps import App
from tests.support.browser_checks import passes_preflight
from tests.support.clients import call_asgi, http_scope
from tests.support.expected import (
    APP,
    CREDENTIALS,
    EVIL,
    FREE,
    KNOWN,
    OWN,
    PREFLIGHT_VARY,
    SAFE,
    VARY,
    granted,
    lists,
    origin_line,
    refused,
)

ONE = {"allow_origins": APP}
WIDE = {"allow_origins": APP, "allow_methods": ["PUT", "DELETE"], "allow_headers": ["X-Id", "authorization"]}
ALL = {"allow_methods": "*", "allow_headers": "*"}
DANGEROUS = {"allow_credentials": True, "dangerously_allow": "credentials-from-any-origin"}

# behaviour, options, requested method, requested headers, the lines of the response
ALLOWED: list[tuple[str, dict[str, Any], str, str | None, list[str]]] = [
    ("GET needs no entry in allow_methods", ONE, "GET", None, granted()),
    ("HEAD needs no entry in allow_methods", ONE, "HEAD", None, granted()),
    ("POST needs no entry in allow_methods", ONE, "POST", None, granted()),
    ("the four safelisted headers need no entry in allow_headers", ONE, "POST", FREE.replace(", ", ","), granted()),
    (
        "the response lists all allowed methods and headers, not only the requested ones",
        WIDE,
        "PUT",
        "x-id",
        granted(APP, f"{SAFE}, PUT, DELETE", f"{FREE}, x-id, authorization"),
    ),
    (
        "methods are listed in the order given",
        {**ONE, "allow_methods": ["PUT", "DELETE", "LOCK"]},
        "LOCK",
        None,
        granted(APP, f"{SAFE}, PUT, DELETE, LOCK"),
    ),
    (
        "a safelisted method in allow_methods is listed once",
        {**ONE, "allow_methods": ["PUT", "GET", "POST"]},
        "PUT",
        None,
        granted(APP, f"{SAFE}, PUT"),
    ),
    (
        "a safelisted header in allow_headers is listed once",
        {**ONE, "allow_headers": ["Content-Type", "x-id"]},
        "GET",
        "x-id",
        granted(APP, SAFE, f"{FREE}, x-id"),
    ),
    ("a policy for any origin sends the wildcard", {"allow_origins": "*"}, "GET", None, granted("*")),
    (
        "all methods and headers without credentials are wildcards, and authorization is named",
        {"allow_origins": "*", **ALL},
        "PURGE",
        "authorization,x-anything",
        granted("*", "*", "*, authorization"),
    ),
    (
        "all methods and headers for one origin without credentials are wildcards",
        {**ONE, **ALL},
        "PURGE",
        "x-anything",
        granted(APP, "*", "*, authorization"),
    ),
    (
        "credentials are allowed by the value true",
        {**ONE, "allow_credentials": True},
        "GET",
        None,
        granted(APP, SAFE, FREE, 600, CREDENTIALS),
    ),
    (
        "all methods with credentials are the known methods",
        {**ONE, "allow_methods": "*", "allow_credentials": True},
        "QUERY",
        None,
        granted(APP, KNOWN, FREE, 600, CREDENTIALS),
    ),
    (
        "all methods with credentials are the known methods and the requested one",
        {**ONE, "allow_methods": "*", "allow_credentials": True},
        "PURGE",
        None,
        granted(APP, f"{KNOWN}, PURGE", FREE, 600, CREDENTIALS),
    ),
    (
        "any origin with credentials, dangerously allowed, is echoed",
        {"allow_origins": "*", **DANGEROUS},
        "GET",
        None,
        granted(APP, SAFE, FREE, 600, CREDENTIALS),
    ),
    ("max_age None sends no header", {**ONE, "max_age": None}, "GET", None, granted(max_age=None)),
    ("max_age 0 sends 0", {**ONE, "max_age": 0}, "GET", None, granted(max_age=0)),
    ("max_age 3600 sends 3600", {**ONE, "max_age": 3600}, "GET", None, granted(max_age=3600)),
    ("expose_headers are not sent on a preflight", {**ONE, "expose_headers": ["x-total"]}, "GET", None, granted()),
    (
        "a prefix adds the requested names that it matches, never itself",
        {**ONE, "allow_headers": ["x-app-*", "x-id"]},
        "GET",
        "x-app-a,x-id",
        granted(APP, SAFE, f"{FREE}, x-id, x-app-a"),
    ),
    (
        "a prefix that matches no requested name adds nothing",
        {**ONE, "allow_headers": ["x-app-*"]},
        "GET",
        None,
        granted(),
    ),
]


@pytest.mark.parametrize(
    ("options", "method", "headers", "expected"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED]
)
def test_an_allowed_preflight_gets_204_with_exactly_these_headers(
    serve: Any, options: dict[str, Any], method: str, headers: str | None, expected: list[str]
) -> None:
    """The response has no body, and the app is not called."""
    client = serve(**options)
    answer = client.preflight(method, headers, origin=APP)
    assert (answer.status, answer.body, client.reached) == (204, b"", 0)
    assert answer.lines == expected


def test_the_headers_of_a_preflight_have_a_fixed_order(serve: Any) -> None:
    """Safelisted header names come before the names of allow_headers, whose order is unchanged."""
    answer = serve(**WIDE, allow_credentials=True).preflight("PUT", "x-id", origin=APP)
    assert answer.headers == [
        ("access-control-allow-origin", APP),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", f"{SAFE}, PUT, DELETE"),
        ("access-control-allow-headers", f"{FREE}, x-id, authorization"),
        ("access-control-max-age", "600"),
        ("vary", PREFLIGHT_VARY.removeprefix("vary: ")),
    ]


def test_all_headers_with_credentials_are_the_requested_names(serve: Any) -> None:
    """With credentials, browsers take a wildcard literally."""
    client = serve(allow_origins=APP, allow_headers="*", allow_credentials=True)
    listed = client.preflight("GET", "X-One,authorization", origin=APP).elements("access-control-allow-headers")
    assert {name.lower() for name in listed} - set(FREE.split(", ")) == {"x-one", "authorization"}


CREDENTIALED = {**ONE, "allow_credentials": True}
WIDE_LISTS = [origin_line(APP), *lists(f"{SAFE}, PUT, DELETE", f"{FREE}, x-id, authorization")]

# behaviour, options, origin, requested method, requested headers, the CORS lines of the response, a text in its body
REFUSED: list[tuple[str, dict[str, Any], str, str, str | None, list[str], str]] = [
    ("a refused origin gets no CORS header", WIDE, EVIL, "GET", None, [], "origin"),
    ("a refused origin gets no CORS header with credentials either", CREDENTIALED, EVIL, "GET", None, [], "origin"),
    (
        "null is refused although every other origin is allowed",
        {"allow_origins": "*", **DANGEROUS},
        "null",
        "GET",
        None,
        [],
        "origin",
    ),
    ("an origin in upper case is another origin", ONE, "https://APP.example.com", "GET", None, [], "origin"),
    ("a refused method gets the origin and the true lists", WIDE, APP, "PATCH", None, WIDE_LISTS, "PATCH"),
    ("a method is case-sensitive: put is not PUT", WIDE, APP, "put", None, WIDE_LISTS, "put"),
    ("a refused header gets the origin and the true lists", WIDE, APP, "PUT", "x-id,x-other", WIDE_LISTS, "x-other"),
    (
        "a refused method with credentials gets the credentials header",
        CREDENTIALED,
        APP,
        "PUT",
        None,
        [origin_line(APP), CREDENTIALS, *lists()],
        "PUT",
    ),
    (
        "a refused method under a policy for any origin gets the wildcard",
        {"allow_origins": "*"},
        EVIL,
        "PUT",
        None,
        [origin_line("*"), *lists()],
        "PUT",
    ),
    (
        "OPTIONS is not a safelisted method",
        ONE,
        APP,
        "OPTIONS",
        None,
        [origin_line(APP), *lists()],
        "OPTIONS",
    ),
    (
        "a name that only begins like a prefix is refused",
        {**ONE, "allow_headers": ["x-app-*"]},
        APP,
        "GET",
        "x-apple",
        [origin_line(APP), *lists()],
        "x-apple",
    ),
    ("an empty requested method gets no CORS header", WIDE, APP, "", None, [], ""),
    ("a blank requested method gets no CORS header", WIDE, APP, " ", None, [], ""),
    ("a requested method that is not a token gets no CORS header", {**ONE, **ALL}, APP, "PU T", None, [], ""),
    ("a list of requested methods is not a token", {**ONE, **ALL}, APP, "PUT, DELETE", None, [], ""),
    ("a requested header that is not a token gets no CORS header", {**ONE, **ALL}, APP, "GET", "x-a,x b", [], ""),
    (
        "a requested header that is not a token gets no CORS header under a policy for any origin",
        {"allow_origins": "*", **ALL},
        APP,
        "GET",
        "x-a,<script>",
        [],
        "",
    ),
    ("8193 bytes of requested headers get no CORS header", {**ONE, **ALL}, APP, "GET", "x" * 8193, [], ""),
    (
        "129 requested headers get no CORS header",
        {**ONE, **ALL},
        APP,
        "GET",
        ",".join(f"x-{n}" for n in range(129)),
        [],
        "",
    ),
]


@pytest.mark.parametrize(
    ("options", "origin", "method", "headers", "cors", "text"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_a_refused_preflight_gets_200_with_the_reason_and_exactly_these_headers(
    serve: Any, options: dict[str, Any], origin: str, method: str, headers: str | None, cors: list[str], text: str
) -> None:
    """No Access-Control-Max-Age is among them, and a browser blocks the request."""
    client = serve(**options)
    answer = client.preflight(method, headers, origin=origin)
    assert (answer.status, client.reached) == (200, 0)
    assert answer.lines == refused(answer.body, *cors)
    assert answer.body
    assert text in answer.body.decode()
    names = [name.strip().lower() for name in (headers or "").split(",") if name.strip()]
    assert not passes_preflight(answer, origin, method, names, credentials=bool(options.get("allow_credentials")))


# behaviour, requested headers
TOLERATED = [
    ("no ACRH requests no header", None),
    ("an empty ACRH requests no header", ""),
    ("an ACRH of commas and blanks requests no header", " , ,\t,"),
    ("the letter case of names does not matter", "X-ID,Authorization"),
    ("names may come in any order", "x-id,authorization"),
    ("white space around names is ignored", "\tx-id ,  authorization "),
    ("empty elements are ignored", ",x-id,,authorization,"),
    ("a name may come twice", "x-id,x-id"),
]


@pytest.mark.parametrize("headers", [row[1] for row in TOLERATED], ids=[row[0] for row in TOLERATED])
def test_requested_headers_may_have_any_case_order_and_white_space(serve: Any, headers: str | None) -> None:
    assert serve(**WIDE).preflight("PUT", headers, origin=APP).lines == granted(
        APP, f"{SAFE}, PUT, DELETE", f"{FREE}, x-id, authorization"
    )


def test_several_lines_of_requested_headers_are_joined(serve: Any) -> None:
    """A name on a second line of the header counts."""
    client = serve(allow_origins=APP, allow_headers=["x-a"])
    lines = [("access-control-request-headers", "x-b")]
    assert client.preflight("GET", "x-a", origin=APP, headers=lines).status == 200
    lines = [("access-control-request-headers", "x-a")]
    assert client.preflight("GET", "accept", origin=APP, headers=lines).status == 204


@pytest.mark.parametrize("headers", ["x" * 8192, ",".join(f"x-{n}" for n in range(128))], ids=["8 KiB", "128 names"])
def test_requested_headers_at_the_limit_are_allowed(serve: Any, headers: str) -> None:
    assert serve(allow_origins=APP, allow_headers="*").preflight("GET", headers, origin=APP).status == 204


# behaviour, method, Origin, ACRM or None, the CORS lines and Vary of the response
PASSED: list[tuple[str, str, str | None, str | None, list[str]]] = [
    ("OPTIONS without a requested method is an ordinary request", "OPTIONS", APP, None, [origin_line(APP), VARY]),
    ("OPTIONS without Origin is an ordinary request", "OPTIONS", None, "PUT", [VARY]),
    ("OPTIONS with neither is an ordinary request", "OPTIONS", None, None, [VARY]),
    ("another method with a preflight's headers is an ordinary request", "GET", APP, "PUT", [origin_line(APP), VARY]),
    ("options in lower case is an ordinary request", "options", APP, "PUT", [origin_line(APP), VARY]),
]


@pytest.mark.parametrize(
    ("method", "origin", "requested", "cors"), [row[1:] for row in PASSED], ids=[row[0] for row in PASSED]
)
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_a_request_that_is_not_a_preflight_goes_to_the_app(
    serve: Any, method: str, origin: str | None, requested: str | None, cors: list[str]
) -> None:
    client = serve(allow_origins=APP)
    fields = [] if requested is None else [("access-control-request-method", requested)]
    answer = client.request(method, origin=origin, headers=fields)
    assert (answer.lines, answer.body, client.reached) == (sorted([OWN, *cors]), b"the app", 1)


def test_options_asterisk_reaches_the_app_unless_it_is_a_preflight() -> None:
    """Asterisk-form: RFC 9112, 3.2.4."""
    app = App()
    middleware = CORSMiddleware(app.asgi, allow_origins=APP)
    assert call_asgi(middleware, http_scope("OPTIONS", "*", [])).lines == [OWN, VARY]
    fields = [("origin", APP), ("access-control-request-method", "GET")]
    assert call_asgi(middleware, http_scope("OPTIONS", "*", fields)).lines == granted()
    assert len(app.seen) == 1


@pytest.mark.parametrize("origin", ["null", "garbage", "", "https://a b", "x" * 400, APP])
def test_an_anonymous_wildcard_sends_one_preflight_response_for_every_origin(serve: Any, origin: str) -> None:
    assert serve(allow_origins="*").preflight("GET", origin=origin).lines == granted("*")


# behaviour, allow_private_network, the request header, whether the response has the header
PRIVATE = [
    ("sent if requested and allowed", True, "true", True),
    ("not sent if not requested", True, None, False),
    ("not sent for any other value", True, "false", False),
    ("not sent if not allowed", False, "true", False),
]


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize(("allow", "requested", "sent"), [row[1:] for row in PRIVATE], ids=[row[0] for row in PRIVATE])
def test_the_private_network_header_is_sent_only_if_requested_and_allowed(
    serve: Any, allow: bool, requested: str | None, sent: bool
) -> None:
    fields = [] if requested is None else [("access-control-request-private-network", requested)]
    answer = serve(allow_origins=APP, allow_private_network=allow).preflight("GET", origin=APP, headers=fields)
    more = ["access-control-allow-private-network: true"] if sent else []
    assert answer.lines == granted(APP, SAFE, FREE, 600, *more)


def test_forbidden_methods_are_refused_even_if_all_methods_are_allowed(serve: Any) -> None:
    client = serve(allow_origins=APP, allow_methods="*", allow_credentials=True)
    for method in ("CONNECT", "TRACE", "TRACK"):
        answer = client.preflight(method, origin=APP)
        assert not passes_preflight(answer, APP, method, credentials=True), method
        assert (answer.status, client.reached) == (200, 0)


def test_headers_with_similar_names_do_not_change_a_preflight(serve: Any) -> None:
    similar = [("accept", "*/*"), ("access-control-request-methods", "PUT"), ("access-control-request-headerz", "x-a")]
    client = serve(allow_origins=APP)
    for _ in range(2):
        assert client.preflight(origin=APP, headers=similar).lines == granted()
    assert client.request("OPTIONS", origin=APP, headers=similar).lines == sorted([OWN, VARY, origin_line(APP)])
