"""One suite over every framework: the same verdicts in a browser, and the same CORS headers."""

import pytest

pytest.importorskip("httpx", reason="httpx is an extra")

from tests.adapters.frameworks.sites import ALL_METHODS, ETAG, EVIL, PAGE, PARTNER

SAFELISTED = "accept, accept-language, content-language, content-type"
PREFLIGHT_VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
VARY = {"vary": "Origin"}
GRANTED = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "x-total",
    "vary": "Origin",
}
LISTS = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, HEAD, POST, PUT",
    "access-control-allow-headers": f"{SAFELISTED}, x-id, authorization, if-none-match",
    "vary": PREFLIGHT_VARY,
}
PREFLIGHT = ("preflight", 204, {**LISTS, "access-control-max-age": "600"})
ANYONE = {"access-control-allow-origin": "*"}
ANYTHING = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": ", ".join(ALL_METHODS),
    "access-control-allow-headers": "*, authorization",
    "vary": PREFLIGHT_VARY,
}
PARTNERS = {"access-control-allow-origin": PARTNER, "access-control-allow-credentials": "true", "vary": "Origin"}
PARTNERS_LISTS = {
    "access-control-allow-origin": PARTNER,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, HEAD, POST, DELETE",
    "access-control-allow-headers": f"{SAFELISTED}, x-id",
    "access-control-max-age": "60",
    "vary": PREFLIGHT_VARY,
}
COOKIES = {"credentials": "include"}
NO_ORIGIN = "MissingAllowOriginHeader"
NO_ORIGIN_PREFLIGHT = "PreflightMissingAllowOriginHeader"


def case(name, request, verdict, *sent):
    """Return a row: the fetch of a page, the result for its script, and the exchanges."""
    return pytest.param(*request, verdict, sent, id=name)


def fetch(origin, path, method="GET", /, **init):
    """Return the arguments of a page's fetch."""
    return origin, path, {"method": method, **init}


@pytest.mark.parametrize(
    ("origin", "path", "init", "verdict", "sent"),
    [
        case(
            "an allowed page reads, with cookies",
            fetch(PAGE, "/items", **COOKIES),
            (None, 200),
            ("main", 200, GRANTED),
        ),
        case(
            "an allowed page puts, with cookies and its own header",
            fetch(PAGE, "/items", "PUT", headers={"x-id": "1"}, **COOKIES),
            (None, 200),
            PREFLIGHT,
            ("main", 200, GRANTED),
        ),
        case("a refused page reads nothing", fetch(EVIL, "/items"), (NO_ORIGIN, None), ("main", 200, VARY)),
        case(
            "a refused page's PUT never reaches the app",
            fetch(EVIL, "/items", "PUT"),
            (NO_ORIGIN_PREFLIGHT, None),
            ("preflight", 200, {"vary": PREFLIGHT_VARY}),
        ),
        case(
            "a method that is not allowed is named by the browser",
            fetch(PAGE, "/items", "DELETE", **COOKIES),
            ("MethodDisallowedByPreflightResponse", None),
            ("preflight", 200, LISTS),
        ),
        case(
            "a header that is not allowed is named by the browser",
            fetch(PAGE, "/items", headers={"x-other": "1"}, **COOKIES),
            ("HeaderDisallowedByPreflightResponse", None),
            ("preflight", 200, LISTS),
        ),
        case("an exempt view is passed through", fetch(PAGE, "/exempt"), (NO_ORIGIN, None), ("main", 200, {})),
        case("a view with its own policy is open to all", fetch(EVIL, "/open"), (None, 200), ("main", 200, ANYONE)),
        case(
            "a preflight is answered by the view's own policy",
            fetch(EVIL, "/open", headers={"x-any": "1"}),
            (None, 200),
            ("preflight", 204, ANYTHING),
            ("main", 200, ANYONE),
        ),
        case(
            "an open view accepts no cookies",
            fetch(PAGE, "/open", **COOKIES),
            ("WildcardOriginNotAllowed", None),
            ("main", 200, ANYONE),
        ),
        case(
            "a view's own policy replaces the app's",
            fetch(PAGE, "/partner", **COOKIES),
            (NO_ORIGIN, None),
            ("main", 200, VARY),
        ),
        case(
            "a view's own policy has methods of its own",
            fetch(PARTNER, "/partner", "DELETE", **COOKIES),
            (None, 200),
            ("preflight", 204, PARTNERS_LISTS),
            ("main", 200, PARTNERS),
        ),
        case(
            "a view that is decorated late has its own policy",
            fetch(PARTNER, "/late", "DELETE", **COOKIES),
            (None, 200),
            ("preflight", 204, PARTNERS_LISTS),
            ("main", 200, PARTNERS),
        ),
        case(
            "a view that is decorated late no longer has the app's policy",
            fetch(PAGE, "/late", **COOKIES),
            (NO_ORIGIN, None),
            ("main", 200, VARY),
        ),
        case(
            "a preflight passes authentication, and the page can read the 401",
            fetch(PAGE, "/private", headers={"x-id": "1"}, **COOKIES),
            (None, 401),
            PREFLIGHT,
            ("main", 401, GRANTED),
        ),
        case(
            "a page that authenticates reads",
            fetch(PAGE, "/private", headers={"authorization": "Bearer t"}, **COOKIES),
            (None, 200),
            PREFLIGHT,
            ("main", 200, GRANTED),
        ),
        case(
            "a preflight to a missing path is answered, and the page can read the 404",
            fetch(PAGE, "/missing", "PUT", **COOKIES),
            (None, 404),
            PREFLIGHT,
            ("main", 404, GRANTED),
        ),
        case(
            "a preflight to a redirecting path is answered, and the redirect followed",
            fetch(PAGE, "/slash", headers={"x-id": "1"}, **COOKIES),
            (None, 200),
            PREFLIGHT,
            ("main", "redirect", GRANTED),
            PREFLIGHT,
            ("main", 200, GRANTED),
        ),
        case(
            "the page can read that a method is missing",
            fetch(PAGE, "/items", "POST", **COOKIES),
            (None, 405),
            ("main", 405, GRANTED),
        ),
        case("the page can read a crash", fetch(PAGE, "/crash", **COOKIES), (None, 500), ("main", 500, GRANTED)),
        case("a refused page can't read a crash", fetch(EVIL, "/crash"), (NO_ORIGIN, None), ("main", 500, VARY)),
        case("the page reads a stream", fetch(PAGE, "/stream", **COOKIES), (None, 200), ("main", 200, GRANTED)),
        case(
            "HEAD has the CORS headers", fetch(PAGE, "/items", "HEAD", **COOKIES), (None, 200), ("main", 200, GRANTED)
        ),
        case(
            "a 304 has the CORS headers",
            fetch(PAGE, "/cached", headers={"if-none-match": ETAG}, **COOKIES),
            (None, 304),
            PREFLIGHT,
            ("main", 304, GRANTED),
        ),
    ],
)
def test_a_pages_fetch_has_the_same_verdict_and_headers_on_every_framework(
    site, exchange, origin, path, init, verdict, sent
):
    """The exchanges are the same, too."""
    seen = site.fetch(origin, path, **init)
    assert (seen.code, seen.status) == verdict
    assert [plain(each) for each in seen.sent] == [exchange(*each) for each in sent]


def plain(sent):
    """Frameworks redirect by different statuses."""
    return type(sent)(sent.kind, "redirect" if sent.status in {301, 307, 308} else sent.status, sent.headers)


@pytest.mark.parametrize(
    ("path", "method", "text"),
    [("/items", "GET", "done"), ("/items", "HEAD", ""), ("/stream", "GET", "one two three")],
)
def test_bodies_are_sent_unchanged(site, path, method, text):
    """The script gets the body that the app sent."""
    assert site.fetch(PAGE, path, method=method, credentials="include").text == text


def test_a_script_can_read_only_exposed_headers(site):
    """The app's policy exposes `x-total`. That of the open view does not."""
    assert "x-total" in site.fetch(PAGE, "/items", credentials="include").readable
    assert "x-total" not in site.fetch(PAGE, "/open").readable


@pytest.mark.parametrize(
    ("origin", "path", "accepted"),
    [
        pytest.param(PAGE, "/echo", True, id="the policy's origin is accepted, cookies and all"),
        pytest.param(EVIL, "/echo", False, id="another is refused"),
        pytest.param("https://api.test", "/echo", True, id="the same host is accepted"),
        pytest.param(EVIL, "/exempt-echo", True, id="an exempt handler is passed through"),
    ],
)
def test_a_websocket_handshake_has_the_same_verdict_on_every_framework(websocket_site, origin, path, accepted):
    """This holds for each framework that has WebSockets."""
    assert websocket_site.handshake(origin, path) is accepted
