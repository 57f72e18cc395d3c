"""Servers written by hand: what each sends, what is asked of it, and the cause that the doctor must name."""
# ruff: noqa: E501 - a table: one row, one line

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .serving import Asked, Behaviour, Fields, Told

PAGE = "https://app.example.com"
ACAO, ACAC = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
ACAM, ACAH = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
ACEH, ACMA = "Access-Control-Expose-Headers", "Access-Control-Max-Age"
PUT = {"method": "PUT"}
COOKIES = {"credentials": True}
NGINX_PAGE = b"<html><center><h1>Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></html>"


@dataclass(frozen=True)
class Row:
    """A server, a call, and what the doctor must say of it: the cause, or where there is none the risks."""

    id: str
    server: Behaviour
    cause: str | None = None
    risks: tuple[str, ...] = ()
    asks: Mapping[str, Any] = field(default_factory=dict[str, Any])


def sends(status: int = 200, *fields: tuple[str, str], body: bytes = b"tea") -> Behaviour:
    """Always answer the same."""
    return lambda _: Told(status, fields, body)


def splits(preflight: Told, main: Told) -> Behaviour:
    """Answer preflights and requests each in their way."""
    return lambda asked: preflight if asked.is_preflight else main


def allowing(*more: tuple[str, str], origin: str = PAGE, status: int = 200) -> Told:
    """Answer as for the page, with more fields."""
    return Told(status, ((ACAO, origin), ("Vary", "Origin"), *more))


GRANTED = allowing((ACAM, "PUT"), (ACAH, "x-id"), (ACMA, "600"), status=204)
ANSWERED = allowing()


def echoing(lets_in: Callable[[str], bool], *, credentials: bool = True, vary: bool = True) -> Behaviour:
    """Echo the origins that a check lets in."""

    def answer(asked: Asked) -> Told:
        fields: list[tuple[str, str]] = [("Vary", "Origin")] if vary else []
        if asked.origin and lets_in(asked.origin):
            fields += [(ACAO, asked.origin), (ACAM, "PUT"), *([(ACAC, "true")] if credentials else [])]
        return Told(200, fields)

    return answer


def moved(location: str, *fields: tuple[str, str], status: int = 307) -> Behaviour:
    """Redirect /items, to a place that answers well; `{port}` is this server's."""

    def answer(asked: Asked) -> Told:
        if asked.path == "/items":
            return Told(status, (("Location", location.format(port=asked.port)), *fields))
        return Told(200, ((ACAO, PAGE), (ACAC, "true"), (ACAM, "PUT"), ("Vary", "Origin")))

    return answer


def redirected_to_bare(asked: Asked) -> Told:
    """Send the fields on the redirect alone."""
    return Told(307, ((ACAO, PAGE), ("Location", "/bare"))) if asked.path == "/items" else Told()


def cached(asked: Asked) -> Told:
    """Stand for a cache that doesn't know Vary."""
    if "?" in asked.target:
        return Told(200, ((ACAO, asked.origin),))
    return Told(200, ((ACAO, "https://other.example.com"), ("Age", "31"), ("X-Cache", "HIT")))


def two_layers(asked: Asked) -> Told:
    """Stand for an app that echoes, behind a proxy that adds a `*`."""
    app: Fields = ((ACAO, asked.origin),) if asked.origin == PAGE and asked.path == "/items" else ()
    return Told(200 if asked.path == "/items" else 404, (("Server", "nginx/1.22.1"), *app, (ACAO, "*")))


def uncached(asked: Asked) -> Told:
    """Answer the page alone, and let nobody keep it."""
    return Told(200, ((ACAO, PAGE), ("Cache-Control", "no-store")) if asked.origin == PAGE else ())


def sends_two(asked: Asked) -> Told:
    """Stand for an app that allows all, behind a proxy that echoes."""
    return Told(200, ((ACAO, "*"), (ACAO, asked.origin)))


def handshake(lets_in: Callable[[str], bool]) -> Behaviour:
    """Accept the WebSockets of some origins."""

    def answer(asked: Asked) -> Told:
        if lets_in(asked.origin):
            return Told(101, (("Upgrade", "websocket"),))
        return Told(403, (), b"this origin is not allowed\n")

    return answer


def origin(value: str) -> Behaviour:
    """Send one Access-Control-Allow-Origin."""
    return sends(200, (ACAO, value))


# fmt: off
ROWS = (
    Row("nothing about CORS", sends(), "no-cors"),
    Row("nothing about CORS, asked by a preflight", sends(), "no-cors", asks=PUT),
    Row("401 to OPTIONS", splits(Told(401), ANSWERED), "preflight-needs-login", asks=PUT),
    Row("401 to OPTIONS with CORS fields", splits(allowing(status=401), ANSWERED), "preflight-needs-login", asks=PUT),
    Row(
        "403 to OPTIONS from a firewall",
        splits(Told(403, (("Server", "cloudflare"), ("cf-ray", "8a-FRA"))), ANSWERED),
        "preflight-needs-login",
        asks=PUT,
    ),
    Row("404 to OPTIONS", splits(Told(404), ANSWERED), "preflight-not-routed", asks=PUT),
    Row("405 to OPTIONS", splits(Told(405, (("Allow", "GET, PUT"),)), Told()), "preflight-not-routed", asks=PUT),
    Row("OPTIONS redirected to a login", moved("https://id.test/login?next=/items", status=302), "preflight-redirected-to-login", asks=PUT),
    Row("OPTIONS redirected to https", moved("https://127.0.0.1/items", status=301), "preflight-redirected-to-https", asks=PUT),
    Row("OPTIONS redirected for a slash", moved("/items/", (ACAO, PAGE), status=308), "preflight-redirected-for-slash", asks=PUT),
    Row("OPTIONS redirected elsewhere", moved("/v2/things"), "preflight-redirected", asks=PUT),
    Row("OPTIONS redirected to nowhere", sends(307, ("Location", "//[::1")), "preflight-redirected", asks=PUT),
    Row("500 to OPTIONS", splits(Told(500), ANSWERED), "preflight-crashed", asks=PUT),
    Row("502 to OPTIONS", splits(Told(502, (("Server", "nginx"),), NGINX_PAGE), ANSWERED), "gateway-error", asks=PUT),
    Row("429 to OPTIONS", splits(Told(429), ANSWERED), "gateway-error", asks=PUT),
    Row("418 to OPTIONS", splits(allowing(status=418), ANSWERED), "preflight-bad-status", asks=PUT),
    Row("OPTIONS answered by the router", splits(Told(200, (("Allow", "GET, PUT, OPTIONS"),)), ANSWERED), "preflight-not-answered", asks=PUT),
    Row("Spring refuses the origin", splits(Told(403, (), b"Invalid CORS request"), Told()), "refused-by-status", asks=PUT),
    Row("a crash", sends(500, body=b"Internal Server Error"), "response-crashed"),
    Row("a crash behind a good preflight", splits(GRANTED, Told(500)), "response-crashed", asks=PUT),
    Row("too large for nginx", splits(GRANTED, Told(413, (("Server", "nginx/1.22.1"),))), "gateway-error", asks={"method": "PUT", "data": "x"}),
    Row("too slow for API Gateway", sends(504, ("x-amzn-ErrorType", "InternalServerErrorException")), "gateway-error"),
    Row("upstream down behind Envoy", sends(503, ("Server", "envoy"), ("Via", "1.1 google")), "gateway-error"),
    Row("401 without CORS fields", sends(401, ("WWW-Authenticate", "Bearer")), "error-without-cors"),
    Row("404 without CORS fields", sends(404), "error-without-cors"),
    Row("CORS on OPTIONS only", splits(GRANTED, Told()), "only-preflight-answered", asks=PUT),
    Row("another layer adds *", two_layers, "two-origin-fields"),
    Row("a proxy echoes what the app allows to all", sends_two, "two-origin-fields"),
    Row("two layers send the same", sends(200, (ACAO, PAGE), (ACAO, PAGE)), "two-origin-fields"),
    Row("a list of origins", origin(f"{PAGE}, https://b.example.com"), "list-of-origins"),
    Row("* with credentials", sends(200, (ACAO, "*"), (ACAC, "true")), "wildcard-with-credentials", asks=COOKIES),
    Row("* with credentials, at the preflight", splits(Told(204, ((ACAO, "*"), (ACAM, "PUT"))), Told()), "wildcard-with-credentials", asks=PUT | COOKIES),
    Row("credentials allowed by True", sends(200, (ACAO, PAGE), (ACAC, "True"), ("Vary", "Origin")), "credentials-not-true", asks=COOKIES),
    Row("credentials allowed twice", sends(200, (ACAO, PAGE), (ACAC, "true"), (ACAC, "true")), "credentials-not-true", asks=COOKIES),
    Row("credentials not allowed", sends(200, (ACAO, PAGE)), "credentials-not-allowed", asks=COOKIES),
    Row("an origin with a slash", origin(f"{PAGE}/"), "origin-with-slash"),
    Row("an origin in brackets", origin(f"['{PAGE}']"), "origin-in-quotes"),
    Row("an empty origin", origin(""), "origin-empty"),
    Row("None as an origin", origin("None"), "origin-is-a-word"),
    Row("a pattern as an origin", origin("https://*.example.com"), "origin-is-a-pattern"),
    Row("an origin without scheme", origin("app.example.com"), "origin-without-scheme"),
    Row("an origin in upper case", origin(PAGE.upper()), "origin-in-another-spelling"),
    Row("an origin with its default port", origin(f"{PAGE}:443"), "origin-in-another-spelling"),
    Row("the origin over http", origin("http://app.example.com"), "origin-differs-in-a-part"),
    Row("the origin with www", origin("https://www.example.com"), "origin-differs-in-a-part", asks={"origin": "https://example.com"}),
    Row("the origin on another port", origin("http://localhost:3000"), "origin-differs-in-a-part", asks={"origin": "http://localhost:5173"}),
    Row("an origin that is no URL", origin("https://app.example.com:port"), "another-origin-allowed"),
    Row("another origin, always", origin("https://shop.example.net"), "another-origin-allowed"),
    Row("a cache gives out another's answer", cached, "cached-for-another-origin"),
    Row("a redirect to what has no CORS fields", redirected_to_bare, "no-cors"),
    Row("a redirect without CORS fields", moved("/items/"), "redirect-without-cors"),
    Row("a redirect to another origin", moved("http://localhost:{port}/v2", (ACAO, PAGE)), "redirected-to-another-origin"),
    Row("a redirect with a password", moved("http://user:secret@127.0.0.1:{port}/v2", (ACAO, PAGE)), "redirected-with-password"),
    Row("a redirect to a login", moved("http://127.0.0.1:{port}/login", status=302), "redirected-to-login"),
    Row("methods separated by semicolons", splits(allowing((ACAM, "GET; PUT")), ANSWERED), "list-malformed", asks=PUT),
    Row("headers as a printed list", splits(allowing((ACAM, "PUT"), (ACAH, "['x-id', 'x-b']")), ANSWERED), "list-malformed", asks=PUT | {"headers": ["x-id: 7"]}),
    Row("all methods with credentials", splits(allowing((ACAM, "*"), (ACAC, "true")), ANSWERED), "wildcard-list-with-credentials", asks=PUT | COOKIES),
    Row("all headers with credentials", splits(allowing((ACAM, "PUT"), (ACAH, "*"), (ACAC, "true")), ANSWERED), "wildcard-list-with-credentials", asks=COOKIES | {"headers": ["x-id: 7"]}),
    Row("patch in lower case", splits(allowing((ACAM, "PATCH")), ANSWERED), "method-in-another-case", asks={"method": "patch"}),
    Row("a method that isn't listed", splits(allowing((ACAM, "GET, POST")), ANSWERED), "method-not-allowed", asks=PUT),
    Row("no list of methods", splits(allowing(), ANSWERED), "method-not-allowed", asks=PUT),
    Row("JSON not allowed", splits(allowing((ACAH, "x-id")), ANSWERED), "content-type-not-allowed", asks={"method": "POST", "headers": ["content-type: application/json", "x-b: 1"]}),
    Row("a header that isn't listed", splits(allowing((ACAH, "x-other")), ANSWERED), "header-not-allowed", asks={"headers": ["x-id: 7", "x-request: 1"]}),
    Row("an origin that isn't listed", echoing(lambda origin: origin == "https://other.example"), "origin-not-allowed"),
    Row("a subdomain that is listed alone", echoing(lambda origin: origin == "https://attacker.app.example.com"), "origin-not-allowed"),
    Row("a header that isn't exposed", sends(200, (ACAO, "*"), ("X-Total-Count", "2")), "header-not-exposed", asks={"reads": ["X-Total-Count"]}),
    Row("* exposed with credentials", sends(200, (ACAO, PAGE), (ACAC, "true"), (ACEH, "*"), ("X-Id", "2")), "header-not-exposed", asks=COOKIES | {"reads": ["x-id"]}),
    Row("a header that isn't sent", sends(200, (ACAO, "*"), (ACEH, "x-id")), "header-not-sent", asks={"reads": ["x-id"]}),
    Row("a handshake refused", handshake(lambda _: False), "handshake-refused", asks={"scheme": "ws"}),
    Row("any handshake accepted", handshake(lambda _: True), risks=("handshake-unguarded",), asks={"scheme": "ws"}),
    Row("every origin echoed", echoing(lambda _: True), risks=("reflects-any-origin",), asks=COOKIES),
    Row("every origin echoed, at the preflight", echoing(lambda _: True), risks=("reflects-any-origin",), asks=COOKIES | PUT),
    Row("null allowed", echoing(lambda origin: origin in {PAGE, "null"}), risks=("allows-null",)),
    Row("compared by prefix", echoing(lambda origin: origin.startswith(PAGE)), risks=("compares-by-prefix",)),
    Row("compared by suffix", echoing(lambda origin: origin.endswith("example.com") and origin[:5] == "https"), risks=("compares-by-suffix",)),
    Row("a dot for any character", echoing(lambda origin: origin in {PAGE, "https://appxexample.com"}), risks=("unescaped-dot",)),
    Row("http let in", echoing(lambda origin: origin in {PAGE, "http://app.example.com"}), risks=("trusts-http",)),
    Row("no Vary", echoing(lambda origin: origin == PAGE, vary=False), risks=("vary-missing",)),
    Row("no Vary where there is no Origin", lambda asked: ANSWERED if asked.origin else Told(), risks=("vary-missing",)),
    Row("a cookie that is not kept", sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "sid=1; Path=/; SameSite=Lax")), risks=("cookie-not-kept",), asks=COOKIES),
)

HEALTHY = (
    Row("open to all", sends(200, (ACAO, "*"))),
    Row("open to all, by a preflight", splits(Told(204, ((ACAO, "*"), (ACAM, "*"), (ACAH, "*"), (ACMA, "600"))), Told(200, ((ACAO, "*"),))), asks=PUT | {"headers": ["x-id: 7"]}),
    Row("one origin, fixed", sends(200, (ACAO, PAGE), (ACAC, "true")), asks=COOKIES),
    Row("a list, compared", echoing(lambda origin: origin == PAGE), asks=COOKIES),
    Row("all subdomains let in", echoing(lambda origin: origin.endswith(".example.com") and origin[:5] == "https")),
    Row("no Vary where nothing is cached", uncached),
    Row("a list, asked by a preflight", echoing(lambda origin: origin == PAGE), asks=COOKIES | PUT),
    Row("an error with CORS fields", sends(500, (ACAO, "*"))),
    Row("a redirect with CORS fields", moved("/items/", (ACAO, PAGE), ("Vary", "Origin"))),
    Row("an exposed header", sends(200, (ACAO, "*"), (ACEH, "X-Id"), ("X-Id", "2")), asks={"reads": ["x-id"]}),
    Row("a guarded WebSocket", handshake(lambda origin: origin == PAGE), asks={"scheme": "ws"}),
    Row("a third-party cookie", sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "sid=1; SameSite=None; Secure")), asks=COOKIES),
)  # fmt: skip
