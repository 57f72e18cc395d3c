"""Servers with their responses, the call, and the cause that the doctor must find."""
# ruff: noqa: E501 - a table: one row, one line

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .serving import Behaviour, Headers, Request, Response

PAGE = "https://app.example.com"
ACAO, ACAC = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
ACAM, ACAH = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
ACEH, ACMA = "Access-Control-Expose-Headers", "Access-Control-Max-Age"
PUT = {"method": "PUT"}
COOKIES = {"credentials": True}
NGINX_PAGE = b"<html><center><h1>Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></html>"


@dataclass(frozen=True)
class Row:
    """A server, a call, and the expected findings: the cause, or else the risks."""

    id: str
    server: Behaviour
    cause: str | None = None
    risks: tuple[str, ...] = ()
    call: Mapping[str, Any] = field(default_factory=dict[str, Any])


def sends(status: int = 200, *headers: tuple[str, str], body: bytes = b"tea") -> Behaviour:
    """Always send the same response."""
    return lambda _: Response(status, headers, body)


def splits(preflight: Response, main: Response) -> Behaviour:
    """Send one response to preflights and another to other requests."""
    return lambda request: preflight if request.is_preflight else main


def allowing(*more: tuple[str, str], origin: str = PAGE, status: int = 200) -> Response:
    """Allow the page, with more headers."""
    return Response(status, ((ACAO, origin), ("Vary", "Origin"), *more))


PREFLIGHT_ALLOWED = allowing((ACAM, "PUT"), (ACAH, "x-id"), (ACMA, "600"), status=204)
PAGE_ALLOWED = allowing()


def echoing(allows: Callable[[str], bool], *, credentials: bool = True, vary: bool = True) -> Behaviour:
    """Send back the origins that a check allows."""

    def respond(request: Request) -> Response:
        headers: list[tuple[str, str]] = [("Vary", "Origin")] if vary else []
        if request.origin and allows(request.origin):
            headers += [(ACAO, request.origin), (ACAM, "PUT"), *([(ACAC, "true")] if credentials else [])]
        return Response(200, headers)

    return respond


def moved(location: str, *headers: tuple[str, str], status: int = 307) -> Behaviour:
    """Redirect /items to a healthy path. `{port}` is the port of this server."""

    def respond(request: Request) -> Response:
        if request.path == "/items":
            return Response(status, (("Location", location.format(port=request.port)), *headers))
        return Response(200, ((ACAO, PAGE), (ACAC, "true"), (ACAM, "PUT"), ("Vary", "Origin")))

    return respond


def redirected_to_bare(request: Request) -> Response:
    """Send the headers on the redirect only."""
    return Response(307, ((ACAO, PAGE), ("Location", "/bare"))) if request.path == "/items" else Response()


def cached(request: Request) -> Response:
    """Respond as a cache that ignores Vary."""
    if "?" in request.target:
        return Response(200, ((ACAO, request.origin),))
    return Response(200, ((ACAO, "https://other.example.com"), ("Age", "31"), ("X-Cache", "HIT")))


def two_layers(request: Request) -> Response:
    """Respond as an app that sends the origin back, behind a proxy that adds `*`."""
    app: Headers = ((ACAO, request.origin),) if request.origin == PAGE and request.path == "/items" else ()
    return Response(200 if request.path == "/items" else 404, (("Server", "nginx/1.22.1"), *app, (ACAO, "*")))


def uncached(request: Request) -> Response:
    """Allow the page only, and forbid caching."""
    return Response(200, ((ACAO, PAGE), ("Cache-Control", "no-store")) if request.origin == PAGE else ())


def sends_two(request: Request) -> Response:
    """Respond as an app that allows all, behind a proxy that sends the origin back."""
    return Response(200, ((ACAO, "*"), (ACAO, request.origin)))


def handshake(allows: Callable[[str], bool]) -> Behaviour:
    """Accept WebSockets from the origins that a check allows."""

    def respond(request: Request) -> Response:
        if allows(request.origin):
            return Response(101, (("Upgrade", "websocket"),))
        return Response(403, (), b"this origin is not allowed\n")

    return respond


def origin(value: str) -> Behaviour:
    """Send one Access-Control-Allow-Origin."""
    return sends(200, (ACAO, value))


# fmt: off
ROWS = (
    Row("nothing about CORS", sends(), "no-cors"),
    Row("nothing about CORS, with a preflight", sends(), "no-cors", call=PUT),
    Row("401 to OPTIONS", splits(Response(401), PAGE_ALLOWED), "preflight-needs-login", call=PUT),
    Row("401 to OPTIONS with CORS headers", splits(allowing(status=401), PAGE_ALLOWED), "preflight-needs-login", call=PUT),
    Row(
        "403 to OPTIONS from a firewall",
        splits(Response(403, (("Server", "cloudflare"), ("cf-ray", "8a-FRA"))), PAGE_ALLOWED),
        "preflight-needs-login",
        call=PUT,
    ),
    Row("404 to OPTIONS", splits(Response(404), PAGE_ALLOWED), "preflight-not-routed", call=PUT),
    Row("405 to OPTIONS", splits(Response(405, (("Allow", "GET, PUT"),)), Response()), "preflight-not-routed", call=PUT),
    Row("OPTIONS redirected to a login", moved("https://id.test/login?next=/items", status=302), "preflight-redirected-to-login", call=PUT),
    Row("OPTIONS redirected to https", moved("https://127.0.0.1/items", status=301), "preflight-redirected-to-https", call=PUT),
    Row("OPTIONS redirected for a slash", moved("/items/", (ACAO, PAGE), status=308), "preflight-redirected-for-slash", call=PUT),
    Row("OPTIONS redirected to another path", moved("/v2/things"), "preflight-redirected", call=PUT),
    Row("OPTIONS redirected to an invalid URL", sends(307, ("Location", "//[::1")), "preflight-redirected", call=PUT),
    Row("500 to OPTIONS", splits(Response(500), PAGE_ALLOWED), "preflight-crashed", call=PUT),
    Row("502 to OPTIONS", splits(Response(502, (("Server", "nginx"),), NGINX_PAGE), PAGE_ALLOWED), "gateway-error", call=PUT),
    Row("429 to OPTIONS", splits(Response(429), PAGE_ALLOWED), "gateway-error", call=PUT),
    Row("418 to OPTIONS", splits(allowing(status=418), PAGE_ALLOWED), "preflight-bad-status", call=PUT),
    Row("OPTIONS handled by the router", splits(Response(200, (("Allow", "GET, PUT, OPTIONS"),)), PAGE_ALLOWED), "preflight-not-answered", call=PUT),
    Row("Spring refuses the origin", splits(Response(403, (), b"Invalid CORS request"), Response()), "refused-by-status", call=PUT),
    Row("a crash", sends(500, body=b"Internal Server Error"), "response-crashed"),
    Row("a crash behind a good preflight", splits(PREFLIGHT_ALLOWED, Response(500)), "response-crashed", call=PUT),
    Row("too large for nginx", splits(PREFLIGHT_ALLOWED, Response(413, (("Server", "nginx/1.22.1"),))), "gateway-error", call={"method": "PUT", "data": "x"}),
    Row("too slow for API Gateway", sends(504, ("x-amzn-ErrorType", "InternalServerErrorException")), "gateway-error"),
    Row("upstream down behind Envoy", sends(503, ("Server", "envoy"), ("Via", "1.1 google")), "gateway-error"),
    Row("401 without CORS headers", sends(401, ("WWW-Authenticate", "Bearer")), "error-without-cors"),
    Row("404 without CORS headers", sends(404), "error-without-cors"),
    Row("CORS on OPTIONS only", splits(PREFLIGHT_ALLOWED, Response()), "only-preflight-answered", call=PUT),
    Row("another layer adds *", two_layers, "two-origin-fields"),
    Row("a proxy sends back an origin that the app allows to all", sends_two, "two-origin-fields"),
    Row("two layers send the same", sends(200, (ACAO, PAGE), (ACAO, PAGE)), "two-origin-fields"),
    Row("a list of origins", origin(f"{PAGE}, https://b.example.com"), "list-of-origins"),
    Row("* with credentials", sends(200, (ACAO, "*"), (ACAC, "true")), "wildcard-with-credentials", call=COOKIES),
    Row("* with credentials, at the preflight", splits(Response(204, ((ACAO, "*"), (ACAM, "PUT"))), Response()), "wildcard-with-credentials", call=PUT | COOKIES),
    Row("credentials allowed by True", sends(200, (ACAO, PAGE), (ACAC, "True"), ("Vary", "Origin")), "credentials-not-true", call=COOKIES),
    Row("credentials allowed twice", sends(200, (ACAO, PAGE), (ACAC, "true"), (ACAC, "true")), "credentials-not-true", call=COOKIES),
    Row("credentials not allowed", sends(200, (ACAO, PAGE)), "credentials-not-allowed", call=COOKIES),
    Row("an origin with a slash", origin(f"{PAGE}/"), "origin-with-slash"),
    Row("an origin in brackets", origin(f"['{PAGE}']"), "origin-in-quotes"),
    Row("an empty origin", origin(""), "origin-empty"),
    Row("None as an origin", origin("None"), "origin-is-a-word"),
    Row("a pattern as an origin", origin("https://*.example.com"), "origin-is-a-pattern"),
    Row("an origin without scheme", origin("app.example.com"), "origin-without-scheme"),
    Row("an origin in upper case", origin(PAGE.upper()), "origin-in-another-spelling"),
    Row("an origin with its default port", origin(f"{PAGE}:443"), "origin-in-another-spelling"),
    Row("the origin over http", origin("http://app.example.com"), "origin-differs-in-a-part"),
    Row("the origin with www", origin("https://www.example.com"), "origin-differs-in-a-part", call={"origin": "https://example.com"}),
    Row("the origin on another port", origin("http://localhost:3000"), "origin-differs-in-a-part", call={"origin": "http://localhost:5173"}),
    Row("the name of a variable", origin("$FRONTEND_URL"), "origin-is-a-word"),
    Row("localhost by its address", origin("http://127.0.0.1:3000"), "origin-differs-in-a-part", call={"origin": "http://localhost:3000"}),
    Row("an origin that is not a URL", origin("https://app.example.com:port"), "another-origin-allowed"),
    Row("another origin, always", origin("https://shop.example.net"), "another-origin-allowed"),
    Row("a cache returns the response of another origin", cached, "cached-for-another-origin"),
    Row("a redirect to a path without CORS headers", redirected_to_bare, "no-cors"),
    Row("a redirect without CORS headers", moved("/items/"), "redirect-without-cors"),
    Row("a redirect to another origin", moved("http://localhost:{port}/v2", (ACAO, PAGE)), "redirected-to-another-origin"),
    Row("a redirect with a password", moved("http://user:secret@127.0.0.1:{port}/v2", (ACAO, PAGE)), "redirected-with-password"),
    Row("a redirect to a login", moved("http://127.0.0.1:{port}/login", status=302), "redirected-to-login"),
    Row("methods separated by semicolons", splits(allowing((ACAM, "GET; PUT")), PAGE_ALLOWED), "list-malformed", call=PUT),
    Row("headers as a printed list", splits(allowing((ACAM, "PUT"), (ACAH, "['x-id', 'x-b']")), PAGE_ALLOWED), "list-malformed", call=PUT | {"headers": ["x-id: 7"]}),
    Row("all methods with credentials", splits(allowing((ACAM, "*"), (ACAC, "true")), PAGE_ALLOWED), "wildcard-list-with-credentials", call=PUT | COOKIES),
    Row("all headers with credentials", splits(allowing((ACAM, "PUT"), (ACAH, "*"), (ACAC, "true")), PAGE_ALLOWED), "wildcard-list-with-credentials", call=COOKIES | {"headers": ["x-id: 7"]}),
    Row("patch in lower case", splits(allowing((ACAM, "PATCH")), PAGE_ALLOWED), "method-in-another-case", call={"method": "patch"}),
    Row("a method that isn't listed", splits(allowing((ACAM, "GET, POST")), PAGE_ALLOWED), "method-not-allowed", call=PUT),
    Row("no list of methods", splits(allowing(), PAGE_ALLOWED), "method-not-allowed", call=PUT),
    Row("JSON not allowed", splits(allowing((ACAH, "x-id")), PAGE_ALLOWED), "content-type-not-allowed", call={"method": "POST", "headers": ["content-type: application/json", "x-b: 1"]}),
    Row("a header that isn't listed", splits(allowing((ACAH, "x-other")), PAGE_ALLOWED), "header-not-allowed", call={"headers": ["x-id: 7", "x-request: 1"]}),
    Row("an origin that isn't listed", echoing(lambda origin: origin == "https://other.example"), "origin-not-allowed"),
    Row("only a subdomain is listed", echoing(lambda origin: origin == "https://attacker.app.example.com"), "origin-not-allowed"),
    Row("a header that isn't exposed", sends(200, (ACAO, "*"), ("X-Total-Count", "2")), "header-not-exposed", call={"reads": ["X-Total-Count"]}),
    Row("* exposed with credentials", sends(200, (ACAO, PAGE), (ACAC, "true"), (ACEH, "*"), ("X-Id", "2")), "header-not-exposed", call=COOKIES | {"reads": ["x-id"]}),
    Row("a header that isn't sent", sends(200, (ACAO, "*"), (ACEH, "x-id")), "header-not-sent", call={"reads": ["x-id"]}),
    Row("a handshake refused", handshake(lambda _: False), "handshake-refused", call={"scheme": "ws"}),
    Row("any handshake accepted", handshake(lambda _: True), risks=("handshake-unguarded",), call={"scheme": "ws"}),
    Row("every origin sent back", echoing(lambda _: True), risks=("reflects-any-origin",), call=COOKIES),
    Row("every origin sent back, at the preflight", echoing(lambda _: True), risks=("reflects-any-origin",), call=COOKIES | PUT),
    Row("null allowed", echoing(lambda origin: origin in {PAGE, "null"}), risks=("allows-null",)),
    Row("compared by prefix", echoing(lambda origin: origin.startswith(PAGE)), risks=("compares-by-prefix",)),
    Row("compared by suffix", echoing(lambda origin: origin.endswith("example.com") and origin[:5] == "https"), risks=("compares-by-suffix",)),
    Row("a dot for any character", echoing(lambda origin: origin in {PAGE, "https://appxexample.com"}), risks=("unescaped-dot",)),
    Row("http allowed", echoing(lambda origin: origin in {PAGE, "http://app.example.com"}), risks=("trusts-http",)),
    Row("no Vary", echoing(lambda origin: origin == PAGE, vary=False), risks=("vary-missing",)),
    Row("no Vary without Origin", lambda request: PAGE_ALLOWED if request.origin else Response(), risks=("vary-missing",)),
    Row("a cookie that is not stored", sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "sid=1; Path=/; SameSite=Lax")), risks=("cookie-not-kept",), call=COOKIES),
    Row("a cookie for all sites without Secure", sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "sid=1; Path=/; SameSite=None")), risks=("cookie-not-kept",), call=COOKIES),
)

HEALTHY = (
    Row("open to all", sends(200, (ACAO, "*"))),
    Row("open to all, by a preflight", splits(Response(204, ((ACAO, "*"), (ACAM, "*"), (ACAH, "*"), (ACMA, "600"))), Response(200, ((ACAO, "*"),))), call=PUT | {"headers": ["x-id: 7"]}),
    Row("one origin, fixed", sends(200, (ACAO, PAGE), (ACAC, "true")), call=COOKIES),
    Row("a list, compared", echoing(lambda origin: origin == PAGE), call=COOKIES),
    Row("all subdomains allowed", echoing(lambda origin: origin.endswith(".example.com") and origin[:5] == "https")),
    Row("no Vary without a cache", uncached),
    Row("a list, compared on a preflight", echoing(lambda origin: origin == PAGE), call=COOKIES | PUT),
    Row("an error with CORS headers", sends(500, (ACAO, "*"))),
    Row("a redirect with CORS headers", moved("/items/", (ACAO, PAGE), ("Vary", "Origin"))),
    Row("an exposed header", sends(200, (ACAO, "*"), (ACEH, "X-Id"), ("X-Id", "2")), call={"reads": ["x-id"]}),
    Row("a guarded WebSocket", handshake(lambda origin: origin == PAGE), call={"scheme": "ws"}),
    Row("a third-party cookie", sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "sid=1; SameSite=None; Secure")), call=COOKIES),
)  # fmt: skip
