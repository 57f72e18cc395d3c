"""The CORS headers of actual responses, under ASGI and WSGI."""

import re
from typing import Any

import pytest

from tests.support.apps import App
from tests.support.expected import APP, CREDENTIALS, EVIL, OWN, VARY, origin_line

ONE = {"allow_origins": APP}
ANY = {"allow_origins": "*"}
CREDENTIALED = {**ONE, "allow_credentials": True}
EXPOSE = {**ONE, "expose_headers": ["X-Total", "x-page"]}
REFLECT = {**ANY, "allow_credentials": True, "dangerously_allow": ["credentials-from-any-origin"]}
GRANT = [origin_line(APP), VARY]
LONG = "https://" + "a" * 400

# behaviour, options, Origin or None, the lines besides the app's own
GRANTED: list[tuple[str, dict[str, Any], str | None, list[str]]] = [
    ("an allowed origin is named", ONE, APP, GRANT),
    ("credentials are allowed by the value true", CREDENTIALED, APP, [*GRANT, CREDENTIALS]),
    (
        "exposed headers are listed in the order given",
        EXPOSE,
        APP,
        [*GRANT, "access-control-expose-headers: X-Total, x-page"],
    ),
    (
        "all exposed headers are a wildcard",
        {**ONE, "expose_headers": "*"},
        APP,
        [*GRANT, "access-control-expose-headers: *"],
    ),
    (
        "methods, headers and max-age are not sent",
        {**ONE, "allow_methods": "*", "allow_headers": "*", "max_age": 5},
        APP,
        GRANT,
    ),
    ("a refused origin gets only Vary", {**EXPOSE, **CREDENTIALED}, EVIL, [VARY]),
    ("no Origin gets only Vary", {**EXPOSE, **CREDENTIALED}, None, [VARY]),
    ("any origin gets the wildcard and no Vary", ANY, EVIL, [origin_line("*")]),
    ("no Origin gets the wildcard too, so that caches store one response", ANY, None, [origin_line("*")]),
    ("an anonymous * ignores Origin: null", ANY, "null", [origin_line("*")]),
    ("an anonymous * ignores Origin: an invalid value", ANY, "no origin at all", [origin_line("*")]),
    (
        "an anonymous * exposes headers without Origin too",
        {**ANY, "expose_headers": "x-a"},
        None,
        [origin_line("*"), "access-control-expose-headers: x-a"],
    ),
    (
        "any origin with credentials, dangerously allowed, is echoed with Vary",
        REFLECT,
        EVIL,
        [origin_line(EVIL), CREDENTIALS, VARY],
    ),
    ("no origin is echoed if none was sent", REFLECT, None, [VARY]),
    ("an invalid origin is never echoed", REFLECT, "https://a b", [VARY]),
    ("null is refused under any origin with credentials", REFLECT, "null", [VARY]),
    ("spaces and tabs around Origin are trimmed", ONE, f" \t{APP}\t ", GRANT),
    ("the trimmed origin is echoed", REFLECT, f"{EVIL}\t", [origin_line(EVIL), CREDENTIALS, VARY]),
    ("upper case is another origin", ONE, APP.upper(), [VARY]),
    ("another scheme is another origin", ONE, APP.replace("https", "http"), [VARY]),
    ("another port is another origin", ONE, f"{APP}:8443", [VARY]),
    ("an explicit default port is another origin", ONE, f"{APP}:443", [VARY]),
    ("an origin with a final slash is refused", ONE, f"{APP}/", [VARY]),
    ("a final dot is another origin", ONE, f"{APP}.", [VARY]),
    ("a longer host is another origin", ONE, f"{APP}.evil.example.net", [VARY]),
    ("a truncated host is another origin", ONE, APP[:-1], [VARY]),
    ("an empty Origin is refused", ONE, "", [VARY]),
    ("two origins in one value are refused", ONE, f"{APP}, {APP}", [VARY]),
    ("a value over 326 bytes is refused", REFLECT, LONG, [VARY]),
]


@pytest.mark.parametrize(("options", "origin", "cors"), [row[1:] for row in GRANTED], ids=[row[0] for row in GRANTED])
def test_the_apps_response_gets_exactly_these_headers(
    serve: Any, options: dict[str, Any], origin: str | None, cors: list[str]
) -> None:
    client = serve(**options)
    response = client.request(origin=origin)
    assert (response.status, response.body, client.reached) == (200, b"the app", 1)
    assert response.lines == sorted([OWN, *cors])


def test_an_origin_of_326_bytes_is_allowed_and_one_of_327_is_refused(serve: Any) -> None:
    """326 bytes: scheme, host and port at their longest."""
    rest = f"://{'.'.join(['a' * 63] * 3 + ['a' * 61])}:65535"
    longest = "x" * 64 + rest
    assert len(longest) == 326
    client = serve(**REFLECT)
    assert [bool(client.request(origin=origin).cors) for origin in (longest, f"x{longest}")] == [True, False]


GRAMMAR = [
    "https://a/",
    "https://a?b",
    "https://a#b",
    "https://a@b",
    "https://a\\b",
    "https://a<b",
    "https://a>b",
    "https://a^b",
    "https://a|b",
    "https://a b",
    "https://a\tb",
    "https://a\x7f",
    "https://\xe9",
    "https://",
    "https:",
    "://a",
    "HTTPS://a",
    "https:a",
    "//a",
    "a",
    "Null",
    "NULL",
    "nul",
    "https://a:b:c",
    "https://a:",
    "https://a:x",
]


@pytest.mark.parametrize("origin", GRAMMAR, ids=ascii)
def test_an_invalid_origin_is_refused_and_never_passed_to_a_regex_or_callable(serve: Any, origin: str) -> None:
    called: list[str] = []
    for entry in (re.compile(r"(?s).*"), lambda value: called.append(value) or True):
        client = serve(allow_origins=[entry])
        response = client.request(origin=origin)
        assert (response.lines, called, client.reached) == (sorted([OWN, VARY]), [], 1)


def test_null_is_never_passed_to_a_callable(serve: Any) -> None:
    """`null` matches only an entry `null`."""
    called: list[str] = []
    client = serve(allow_origins=[lambda value: called.append(value) or True])
    assert (client.request(origin="null").lines, called) == (sorted([OWN, VARY]), [])


def test_a_null_entry_allows_null_byte_for_byte(serve: Any) -> None:
    with pytest.warns(UserWarning, match="null"):
        client = serve(allow_origins=["null"])
    assert client.request(origin="null").lines == sorted([OWN, origin_line("null"), VARY])
    assert client.request(origin="Null").lines == sorted([OWN, VARY])


@pytest.mark.parametrize("second", [APP, EVIL, "null", "x", ""], ids=["equal", "other", "null", "text", "empty"])
@pytest.mark.parametrize("options", [ONE, REFLECT], ids=["one", "any"])
def test_two_origin_headers_are_refused(serve: Any, options: dict[str, Any], second: str) -> None:
    """Equal ones are refused, too, and those that a WSGI server has joined."""
    client = serve(**options)
    assert client.request(origin=APP, headers=[("origin", second)]).lines == sorted([OWN, VARY])
    assert client.request(origin=second, headers=[("origin", APP)]).lines == sorted([OWN, VARY])


# behaviour, the app's headers, the Vary lines of the response
MERGED: list[tuple[str, list[tuple[str, str]], list[str]]] = [
    ("an app's Vary is extended", [("Vary", "Accept-Encoding")], ["vary: Accept-Encoding, Origin"]),
    ("an app's Vary: Origin is not repeated", [("vary", "Origin")], ["vary: Origin"]),
    (
        "an app's vary: origin is not repeated, whatever its case",
        [("vary", "accept, oRiGiN")],
        ["vary: accept, oRiGiN"],
    ),
    ("an app's Vary: * is left alone", [("Vary", "*")], ["vary: *"]),
    ("a star among other names of Vary is left alone", [("vary", "accept, *")], ["vary: accept, *"]),
]


@pytest.mark.parametrize(("fields", "vary"), [row[1:] for row in MERGED], ids=[row[0] for row in MERGED])
def test_origin_is_merged_into_the_apps_vary(serve: Any, fields: list[tuple[str, str]], vary: list[str]) -> None:
    client = serve(app=App(headers=[("content-type", "text/plain"), *fields]), **ONE)
    assert client.request(origin=APP).lines == sorted([OWN, origin_line(APP), *vary])
    assert client.request().lines == sorted([OWN, *vary])


@pytest.mark.parametrize(
    "lines", [["Accept", "Accept-Language"], ["Accept", "Origin"], ["", "Accept"], ["Accept", "*"]], ids=str
)
def test_several_vary_lines_are_merged_with_one_origin(serve: Any, lines: list[str]) -> None:
    client = serve(app=App(headers=[("content-type", "text/plain"), *(("Vary", line) for line in lines)]), **ONE)
    response = client.request(origin=APP)
    names = response.elements("vary")
    assert response.cors == [origin_line(APP)]
    wanted = {line for line in lines if line}
    assert sorted(names) == sorted(wanted if "*" in wanted else wanted | {"Origin"})


def test_an_anonymous_wildcard_leaves_the_apps_vary_unchanged(serve: Any) -> None:
    client = serve(app=App(headers=[("content-type", "text/plain"), ("Vary", "Accept")]), **ANY)
    assert client.request(origin=APP).lines == sorted([OWN, origin_line("*"), "vary: Accept"])


OWN_CORS = [
    ("Access-Control-Allow-Origin", EVIL),
    ("access-control-allow-credentials", "true"),
    ("ACCESS-CONTROL-ALLOW-METHODS", "PATCH"),
    ("Access-Control-Allow-HEADERS", "x-evil"),
    ("Access-control-max-age", "99999"),
    ("access-control-Allow-Private-Network", "true"),
    ("Access-Control-Allow-Origin", "*"),
]


@pytest.mark.parametrize(
    ("options", "origin", "cors"),
    [
        (ONE, APP, GRANT),
        (ONE, EVIL, [VARY]),
        (ONE, None, [VARY]),
        (ANY, EVIL, [origin_line("*")]),
        (ANY, None, [origin_line("*")]),
    ],
    ids=[
        "allowed: replaced",
        "refused: removed",
        "no Origin: removed",
        "any origin: replaced",
        "any origin, no Origin: replaced",
    ],
)
def test_the_policy_overrides_the_apps_own_cors_headers(
    serve: Any, options: dict[str, Any], origin: str | None, cors: list[str]
) -> None:
    """Their letter case does not matter."""
    client = serve(app=App(headers=[*OWN_CORS, ("content-type", "text/plain")]), **options)
    assert client.request(origin=origin).lines == sorted([OWN, *cors])


def test_the_apps_headers_with_similar_names_stay(serve: Any) -> None:
    own = [("access-control-allow-originx", "a"), ("x-access-control-allow-origin", "b"), ("timing-allow-origin", "*")]
    client = serve(app=App(headers=[("content-type", "text/plain"), *own]), **ONE)
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY, *(f"{name}: {value}" for name, value in own)])


# behaviour, policy's names, the app's lines, the names exposed
EXPOSED = [
    ("the app's names join the policy's", ["x-total"], ["x-page"], {"x-total", "x-page"}),
    ("a name of both is sent once, whatever its letter case", ["X-Total"], ["x-total, x-page"], {"x-total", "x-page"}),
    ("several lines of the app are joined", [], ["x-a", "x-b"], {"x-a", "x-b"}),
    ("the app alone may expose", [], ["x-page"], {"x-page"}),
]


@pytest.mark.parametrize(("names", "lines", "exposed"), [row[1:] for row in EXPOSED], ids=[row[0] for row in EXPOSED])
def test_the_apps_and_the_policys_exposed_headers_are_united(
    serve: Any, names: list[str], lines: list[str], exposed: set[str]
) -> None:
    """A refused origin gets none."""
    app = App(headers=[("content-type", "text/plain"), *(("Access-Control-Expose-Headers", line) for line in lines)])
    client = serve(app=app, **ONE, expose_headers=names)
    response = client.request(origin=APP)
    found = response.elements("access-control-expose-headers")
    assert ({name.lower() for name in found}, len(found)) == (exposed, len(exposed))
    assert len(response.values("access-control-expose-headers")) == 1
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY])


def test_a_policy_that_exposes_all_does_so_despite_an_apps_list(serve: Any) -> None:
    app = App(headers=[("content-type", "text/plain"), ("access-control-expose-headers", "x-page")])
    assert "*" in serve(app=app, **ONE, expose_headers="*").request(origin=APP).elements(
        "access-control-expose-headers"
    )


def test_the_apps_headers_come_first_in_their_own_spelling(serve: Any) -> None:
    client = serve(
        app=App(headers=[("Content-Type", "text/plain"), ("X-B", "1"), ("x-a", "2")]),
        **CREDENTIALED,
        expose_headers="x-b",
    )
    assert client.request(origin=APP).headers == [
        ("Content-Type", "text/plain"),
        ("X-B", "1"),
        ("x-a", "2"),
        ("access-control-allow-origin", APP),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x-b"),
        ("vary", "Origin"),
    ]


@pytest.mark.parametrize("status", [200, 201, 301, 307, 401, 403, 404, 405, 413, 422, 429, 500, 503])
def test_a_response_of_any_status_gets_the_headers(serve: Any, status: int) -> None:
    response = serve(app=App(status=status), **ONE).request(origin=APP)
    assert (response.status, response.lines) == (status, sorted([OWN, *GRANT]))


@pytest.mark.parametrize(("method", "status"), [("GET", 304), ("GET", 204), ("HEAD", 200)])
def test_a_response_without_a_body_gets_the_headers(serve: Any, method: str, status: int) -> None:
    headers = [] if status != 200 else [("content-type", "text/plain")]
    response = serve(app=App(status=status, headers=headers, body=b""), **ONE).request(method, origin=APP)
    assert response.cors == [origin_line(APP)]
    assert response.values("vary") == ["Origin"]
