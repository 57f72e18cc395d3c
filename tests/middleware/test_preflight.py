"""What is a preflight, and what it is answered, over every shell."""

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

# behaviour, options, requested method, requested headers, the whole answer
ALLOWED: list[tuple[str, dict[str, Any], str, str | None, list[str]]] = [
    ("GET needs no entry in allow_methods", ONE, "GET", None, granted()),
    ("HEAD needs no entry in allow_methods", ONE, "HEAD", None, granted()),
    ("POST needs no entry in allow_methods", ONE, "POST", None, granted()),
    ("the four free headers need no entry in allow_headers", ONE, "POST", FREE.replace(", ", ","), granted()),
    (
        "the answer lists all allowed methods and headers, not only the ones asked for",
        WIDE,
        "PUT",
        "x-id",
        granted(APP, f"{SAFE}, PUT, DELETE", f"{FREE}, x-id, authorization"),
    ),
    (
        "methods are listed in the order written",
        {**ONE, "allow_methods": ["PUT", "DELETE", "LOCK"]},
        "LOCK",
        None,
        granted(APP, f"{SAFE}, PUT, DELETE, LOCK"),
    ),
    (
        "a safelisted method written again is listed once",
        {**ONE, "allow_methods": ["PUT", "GET", "POST"]},
        "PUT",
        None,
        granted(APP, f"{SAFE}, PUT"),
    ),
    (
        "a free header written again is listed once",
        {**ONE, "allow_headers": ["Content-Type", "x-id"]},
        "GET",
        "x-id",
        granted(APP, SAFE, f"{FREE}, x-id"),
    ),
    ("any origin is answered with the wildcard", {"allow_origins": "*"}, "GET", None, granted("*")),
    (
        "all methods and headers, anonymous, are wildcards that name authorization",
        {"allow_origins": "*", **ALL},
        "PURGE",
        "authorization,x-anything",
        granted("*", "*", "*, authorization"),
    ),
    (
        "all methods and headers of one anonymous origin are wildcards",
        {**ONE, **ALL},
        "PURGE",
        "x-anything",
        granted(APP, "*", "*, authorization"),
    ),
    (
        "credentials are granted by the word true",
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
        "all methods with credentials are the known methods and the one asked for",
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
    ("max_age None sends no field", {**ONE, "max_age": None}, "GET", None, granted(max_age=None)),
    ("max_age 0 sends 0", {**ONE, "max_age": 0}, "GET", None, granted(max_age=0)),
    ("max_age 3600 sends 3600", {**ONE, "max_age": 3600}, "GET", None, granted(max_age=3600)),
    ("expose_headers have no place on a preflight", {**ONE, "expose_headers": ["x-total"]}, "GET", None, granted()),
    (
        "a prefix contributes the requested names that it matches, never itself",
        {**ONE, "allow_headers": ["x-app-*", "x-id"]},
        "GET",
        "x-app-a,x-id",
        granted(APP, SAFE, f"{FREE}, x-id, x-app-a"),
    ),
    (
        "a prefix that matches nothing requested contributes nothing",
        {**ONE, "allow_headers": ["x-app-*"]},
        "GET",
        None,
        granted(),
    ),
]


@pytest.mark.parametrize(
    ("options", "method", "headers", "expected"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED]
)
def test_allowed(serve: Any, options: dict[str, Any], method: str, headers: str | None, expected: list[str]) -> None:
    """An allowed preflight is answered 204 without a body, with exactly these fields, and never reaches the app."""
    served = serve(**options)
    answer = served.preflight(method, headers, origin=APP)
    assert (answer.status, answer.body, served.reached) == (204, b"", 0)
    assert answer.lines == expected


def test_header_order(serve: Any) -> None:
    """The fields come in one order, the free header names before the allowed ones as written."""
    answer = serve(**WIDE, allow_credentials=True).preflight("PUT", "x-id", origin=APP)
    assert answer.headers == [
        ("access-control-allow-origin", APP),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", f"{SAFE}, PUT, DELETE"),
        ("access-control-allow-headers", f"{FREE}, x-id, authorization"),
        ("access-control-max-age", "600"),
        ("vary", PREFLIGHT_VARY.removeprefix("vary: ")),
    ]


def test_all_headers_with_credentials(serve: Any) -> None:
    """All headers with credentials are the names asked for; a wildcard would be a literal there."""
    served = serve(allow_origins=APP, allow_headers="*", allow_credentials=True)
    listed = served.preflight("GET", "X-One,authorization", origin=APP).elements("access-control-allow-headers")
    assert {name.lower() for name in listed} - set(FREE.split(", ")) == {"x-one", "authorization"}


CREDENTIALED = {**ONE, "allow_credentials": True}
WIDE_LISTS = [origin_line(APP), *lists(f"{SAFE}, PUT, DELETE", f"{FREE}, x-id, authorization")]

# behaviour, options, origin, requested method, requested headers, the CORS fields of the answer, a word of the body
REFUSED: list[tuple[str, dict[str, Any], str, str, str | None, list[str], str]] = [
    ("a refused origin gets no CORS field at all", WIDE, EVIL, "GET", None, [], "origin"),
    ("a refused origin gets none either with credentials", CREDENTIALED, EVIL, "GET", None, [], "origin"),
    (
        "null is refused though every other origin may pass",
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
        "a refused method under credentials is told with credentials",
        CREDENTIALED,
        APP,
        "PUT",
        None,
        [origin_line(APP), CREDENTIALS, *lists()],
        "PUT",
    ),
    (
        "a refused method under any origin is told with the wildcard",
        {"allow_origins": "*"},
        EVIL,
        "PUT",
        None,
        [origin_line("*"), *lists()],
        "PUT",
    ),
    (
        "OPTIONS is no method that pages may send unasked",
        ONE,
        APP,
        "OPTIONS",
        None,
        [origin_line(APP), *lists()],
        "OPTIONS",
    ),
    (
        "a name that only begins like a prefix's stem is refused",
        {**ONE, "allow_headers": ["x-app-*"]},
        APP,
        "GET",
        "x-apple",
        [origin_line(APP), *lists()],
        "x-apple",
    ),
    ("an empty requested method gets no CORS field", WIDE, APP, "", None, [], ""),
    ("a blank requested method gets no CORS field", WIDE, APP, " ", None, [], ""),
    ("a requested method that is no token gets no CORS field", {**ONE, **ALL}, APP, "PU T", None, [], ""),
    ("a list of requested methods is no token", {**ONE, **ALL}, APP, "PUT, DELETE", None, [], ""),
    ("a requested header that is no token gets no CORS field", {**ONE, **ALL}, APP, "GET", "x-a,x b", [], ""),
    (
        "a requested header that is no token gets none under any origin",
        {"allow_origins": "*", **ALL},
        APP,
        "GET",
        "x-a,<script>",
        [],
        "",
    ),
    ("8193 bytes of requested headers get no CORS field", {**ONE, **ALL}, APP, "GET", "x" * 8193, [], ""),
    (
        "129 requested headers get no CORS field",
        {**ONE, **ALL},
        APP,
        "GET",
        ",".join(f"x-{n}" for n in range(129)),
        [],
        "",
    ),
]


@pytest.mark.parametrize(
    ("options", "origin", "method", "headers", "cors", "word"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_refused(
    serve: Any, options: dict[str, Any], origin: str, method: str, headers: str | None, cors: list[str], word: str
) -> None:
    """A refused preflight is answered 200 with the reason and exactly these fields, no max-age; a browser blocks it."""
    served = serve(**options)
    answer = served.preflight(method, headers, origin=origin)
    assert (answer.status, served.reached) == (200, 0)
    assert answer.lines == refused(answer.body, *cors)
    assert answer.body
    assert word in answer.body.decode()
    names = [name.strip().lower() for name in (headers or "").split(",") if name.strip()]
    assert not passes_preflight(answer, origin, method, names, credentials=bool(options.get("allow_credentials")))


# behaviour, requested headers
TOLERATED = [
    ("no ACRH asks for no header", None),
    ("an empty ACRH asks for no header", ""),
    ("an ACRH of commas and blanks asks for no header", " , ,\t,"),
    ("names are compared without case", "X-ID,Authorization"),
    ("names may come in any order", "x-id,authorization"),
    ("white space around names is ignored", "\tx-id ,  authorization "),
    ("empty elements are ignored", ",x-id,,authorization,"),
    ("a name may come twice", "x-id,x-id"),
]


@pytest.mark.parametrize("headers", [row[1] for row in TOLERATED], ids=[row[0] for row in TOLERATED])
def test_requested_headers_are_read_tolerantly(serve: Any, headers: str | None) -> None:
    """The value is a list: any case, any order, white space and empty elements accepted."""
    assert serve(**WIDE).preflight("PUT", headers, origin=APP).lines == granted(
        APP, f"{SAFE}, PUT, DELETE", f"{FREE}, x-id, authorization"
    )


def test_several_lines_of_requested_headers_are_joined(serve: Any) -> None:
    """A name on a second field line counts."""
    served = serve(allow_origins=APP, allow_headers=["x-a"])
    lines = [("access-control-request-headers", "x-b")]
    assert served.preflight("GET", "x-a", origin=APP, fields=lines).status == 200
    lines = [("access-control-request-headers", "x-a")]
    assert served.preflight("GET", "accept", origin=APP, fields=lines).status == 204


@pytest.mark.parametrize("headers", ["x" * 8192, ",".join(f"x-{n}" for n in range(128))], ids=["8 KiB", "128 names"])
def test_the_bound_itself_passes(serve: Any, headers: str) -> None:
    """A requested-headers value at the bound is answered, not refused."""
    assert serve(allow_origins=APP, allow_headers="*").preflight("GET", headers, origin=APP).status == 204


# behaviour, method, Origin, ACRM or None, the CORS lines and Vary of the answer
PASSED: list[tuple[str, str, str | None, str | None, list[str]]] = [
    ("OPTIONS without a requested method is an ordinary request", "OPTIONS", APP, None, [origin_line(APP), VARY]),
    ("OPTIONS without Origin is an ordinary request", "OPTIONS", None, "PUT", [VARY]),
    ("OPTIONS with neither is an ordinary request", "OPTIONS", None, None, [VARY]),
    ("another method with the preflight's fields is an ordinary request", "GET", APP, "PUT", [origin_line(APP), VARY]),
    ("options in lower case is no preflight", "options", APP, "PUT", [origin_line(APP), VARY]),
]


@pytest.mark.parametrize(
    ("method", "origin", "asked", "cors"), [row[1:] for row in PASSED], ids=[row[0] for row in PASSED]
)
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_no_preflight(serve: Any, method: str, origin: str | None, asked: str | None, cors: list[str]) -> None:
    """What is no preflight goes to the app."""
    served = serve(allow_origins=APP)
    fields = [] if asked is None else [("access-control-request-method", asked)]
    answer = served.request(method, origin=origin, fields=fields)
    assert (answer.lines, answer.body, served.reached) == (sorted([OWN, *cors]), b"the app", 1)


def test_asterisk_form() -> None:
    """``OPTIONS *`` reaches the app as any OPTIONS does, and is answered where it is a preflight."""
    app = App()
    middleware = CORSMiddleware(app.asgi, allow_origins=APP)
    assert call_asgi(middleware, http_scope("OPTIONS", "*", [])).lines == [OWN, VARY]
    fields = [("origin", APP), ("access-control-request-method", "GET")]
    assert call_asgi(middleware, http_scope("OPTIONS", "*", fields)).lines == granted()
    assert len(app.seen) == 1


@pytest.mark.parametrize("origin", ["null", "garbage", "", "https://a b", "x" * 400, APP])
def test_any_origin_policy_ignores_origin(serve: Any, origin: str) -> None:
    """An anonymous ``*`` policy answers every preflight alike, whatever Origin is."""
    assert serve(allow_origins="*").preflight("GET", origin=origin).lines == granted("*")


# behaviour, allow_private_network, the request's field, whether it is answered
PRIVATE = [
    ("an allowed question is answered", True, "true", True),
    ("what is not asked is not answered", True, None, False),
    ("any other value is no question", True, "false", False),
    ("a question is not answered unless allowed", False, "true", False),
]


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize(("allow", "asked", "sent"), [row[1:] for row in PRIVATE], ids=[row[0] for row in PRIVATE])
def test_private_network(serve: Any, allow: bool, asked: str | None, sent: bool) -> None:
    """Access-Control-Allow-Private-Network is sent only on a preflight that asks for it."""
    fields = [] if asked is None else [("access-control-request-private-network", asked)]
    answer = serve(allow_origins=APP, allow_private_network=allow).preflight("GET", origin=APP, fields=fields)
    more = ["access-control-allow-private-network: true"] if sent else []
    assert answer.lines == granted(APP, SAFE, FREE, 600, *more)


def test_forbidden_methods_are_never_allowed(serve: Any) -> None:
    """CONNECT, TRACE and TRACK are refused even where all methods are allowed."""
    served = serve(allow_origins=APP, allow_methods="*", allow_credentials=True)
    for method in ("CONNECT", "TRACE", "TRACK"):
        answer = served.preflight(method, origin=APP)
        assert not passes_preflight(answer, APP, method, credentials=True), method
        assert (answer.status, served.reached) == (200, 0)


def test_neighbours_of_the_fields_are_not_read(serve: Any) -> None:
    """Fields whose names only look like those of a preflight change nothing."""
    near = [("accept", "*/*"), ("access-control-request-methods", "PUT"), ("access-control-request-headerz", "x-a")]
    served = serve(allow_origins=APP)
    for _ in range(2):
        assert served.preflight(origin=APP, fields=near).lines == granted()
    assert served.request("OPTIONS", origin=APP, fields=near).lines == sorted([OWN, VARY, origin_line(APP)])
