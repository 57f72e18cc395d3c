"""Servers whose mistake only a comparison shows: the same request without Origin, as the API's own page, or repeated."""
# ruff: noqa: E501 - a table: one row, one line

from .raw import (
    ACAC,
    ACAH,
    ACAM,
    ACAO,
    ACEH,
    COOKIES,
    PAGE,
    PAGE_ALLOWED,
    PREFLIGHT_ALLOWED,
    PUT,
    Row,
    allowing,
    sends,
    splits,
)
from .serving import Behaviour, Request, Response

VARY = ("Vary", "Origin")
EXPRESS = ("X-Powered-By", "Express")
ID = {"headers": ["x-id: 7"]}
POST = {"method": "POST", "data": "x"}
FLASK_TRACEBACK = b"<!doctype html>\n<html><head><title>KeyError: &#39;colour&#39;\n // Werkzeug Debugger</title></head><body>flask_cors/extension.py: cors</body></html>"
PYTHON_TRACEBACK = b'Traceback (most recent call last):\n  File "starlette/middleware/cors.py", line 91, in __call__\nRuntimeError: no cors here\n'
DJANGO_TRACEBACK = b"<!doctype html><html><head><title>ValueError at /items</title></head><body><pre>origin: not allowed to be None</pre><pre>Traceback (most recent call last):</pre></body></html>"
NODE_TRACEBACK = b"<html><head><title>Error</title></head><body><pre>TypeError: cors.check is not a function<br> &nbsp; &nbsp;at cors (/app/node_modules/cors/lib/index.js:5:12)</pre></body></html>"
NODE_REFUSAL = b"<html><head><title>Error</title></head><body><pre>Error: Not allowed by CORS<br> &nbsp; &nbsp;at origin (/app/server.js:5:12)</pre></body></html>"
NODE_OWN_REFUSAL = b"<html><head><title>Error</title></head><body><pre>Error: go away<br> &nbsp; &nbsp;at origin (/app/server.js:5:12)</pre></body></html>"
XML = b"<?xml version='1.0'?><Error><Code>AccessForbidden</Code><Message>CORSResponse: This CORS request is not allowed.</Message></Error>"
CHALLENGE = Response(403, (("Server", "cloudflare"), ("cf-mitigated", "challenge")), b"<title>Just a moment...</title>")


def refusing(status: int, body: bytes = b"", *, without_origin: int = 200, own: int = 0) -> Behaviour:
    """Respond with an error to every origin, with another status to requests without Origin or of the API's own page."""

    def respond(request: Request) -> Response:
        if not request.origin:
            return Response(without_origin)
        if own and request.origin.endswith(f":{request.port}"):
            return Response(own)
        return Response(status, (), body)

    return respond


def refused_with(status: int, *, vary: bool = True) -> Behaviour:
    """Respond with an error to everybody, as an app whose policy allows the shop only."""

    def respond(request: Request) -> Response:
        allowed = ((ACAO, request.origin),) if request.origin == "https://asgi-cors-doctor.example" and not vary else ()
        return Response(status, (*((VARY,) if vary else ()), *allowed))

    return respond


def only_get(request: Request) -> Response:
    """Refuse the method of a preflight by a response without CORS headers, as Go's rs/cors does."""
    granted = request.headers.get("access-control-request-method") in {None, "GET"}
    return allowing((ACAM, "GET"), (ACAH, "x-id")) if granted else Response(204, (VARY,))


def only_get_by_status(request: Request) -> Response:
    """Refuse the method of a preflight by a 403, as Go's jub0bs/cors does."""
    granted = request.headers.get("access-control-request-method") in {None, "GET"}
    return allowing((ACAM, "GET"), (ACAH, "x-id")) if granted else Response(403, (VARY,))


def no_headers(request: Request) -> Response:
    """Refuse the headers of a preflight by a response without CORS headers."""
    return Response(204) if "access-control-request-headers" in request.headers else allowing((ACAM, "PUT"))


def hapi(message: bytes) -> Behaviour:
    """Refuse a preflight with status 200 and a message."""
    return splits(Response(200, (("Content-Type", "application/json"),), b'{"message":"%s"}' % message), PAGE_ALLOWED)


def only_without_cookies(request: Request) -> Response:
    """Send the CORS headers to requests without cookies only."""
    return Response() if "cookie" in request.headers else allowing((ACAC, "true"))


def refused_preflight(request: Request) -> Response:
    """Respond to preflights for the CORS library, and to OPTIONS without Origin for the router."""
    if request.method == "OPTIONS":
        return Response(204 if request.origin else 405)
    return Response()


def fixed_without_origin(request: Request) -> Response:
    """Send the one allowed origin to requests without Origin, as Flask-CORS does."""
    return Response() if request.origin else Response(200, ((ACAO, "http://localhost:3000"),))


def cache_by_url() -> Behaviour:
    """Respond as a cache that ignores Vary, before an app that sends every origin back."""
    stored: dict[str, Response] = {}
    return lambda request: stored.setdefault(
        request.target, Response(200, ((ACAO, request.origin), VARY, ("Age", "3")))
    )


def cache_by_origin() -> Behaviour:
    """Respond as a cache that respects Vary, before an app that allows the page."""
    stored: dict[tuple[str, str], Response] = {}
    allowed = {PAGE: PAGE_ALLOWED}
    return lambda request: stored.setdefault(
        (request.target, request.origin), allowed.get(request.origin, Response(200, (VARY,)))
    )


def to_a_cdn(*headers: tuple[str, str]) -> Behaviour:
    """Redirect with the CORS headers to another origin, which sends these headers."""

    def respond(request: Request) -> Response:
        if request.path == "/items":
            return Response(302, ((ACAO, PAGE), ("Location", f"http://localhost:{request.port}/file")))
        return Response(200, headers)

    return respond


def joined(request: Request) -> Response:
    """Send the origin twice in one line."""
    return Response(200, ((ACAO, f"{request.origin}, {request.origin}"),))


# fmt: off
ROWS = (
    Row("500 to this origin only", refusing(500, b"Internal Server Error"), "refused-by-status"),
    Row("500 to this origin only, at the preflight", refusing(500), "refused-by-status", call=PUT),
    Row("500 to this origin only, for a simple POST", refusing(500, without_origin=404), "refused-by-status", call=POST),
    Row("403 to all origins but the API's own", refusing(403, own=200, without_origin=403), "refused-by-status"),
    Row("Express refuses every origin by an error", sends(500, EXPRESS, body=b"Internal Server Error"), "refused-by-status"),
    Row("Express refuses in development", lambda _: Response(500, (EXPRESS,), NODE_REFUSAL), "refused-by-status"),
    Row("Express refuses in development, in its own words", refusing(500, NODE_OWN_REFUSAL), "refused-by-status"),
    Row("Fastify's documented refusal", sends(500, VARY, body=b'{"statusCode":500,"error":"Internal Server Error","message":"Not allowed"}'), "refused-by-status"),
    Row("an error in JSON", sends(403, body=b'{"errors":[{"detail":"Origin is not whitelisted"}]}'), "refused-by-status"),
    Row("S3 refuses", splits(Response(403, (), XML), Response()), "refused-by-status", call=PUT),
    Row("BlackSheep refuses", sends(400, ("CORS-Error", "The origin of the request is not enabled by CORS rules.")), "refused-by-status"),
    Row("aiohttp-cors refuses the method", splits(Response(403, (), b"CORS preflight request failed: request method 'PUT' is not allowed for 'https://app.example.com' origin"), PAGE_ALLOWED), "refused-by-status", call=PUT),
    Row("Starlette refuses a header", splits(Response(400, ((ACAO, PAGE), VARY), b"Disallowed CORS headers"), PAGE_ALLOWED), "refused-by-status", call=ID),
    Row("a method is refused by a 403", only_get_by_status, "refused-by-status", call=PUT),
    Row("a crash in debug mode: Flask", sends(500, body=FLASK_TRACEBACK), "response-crashed"),
    Row("a crash in debug mode: Starlette", sends(500, body=PYTHON_TRACEBACK), "response-crashed"),
    Row("a crash in debug mode: Express", refusing(500, NODE_TRACEBACK), "response-crashed"),
    Row("a crash in debug mode at the preflight", splits(Response(500, (), PYTHON_TRACEBACK), PAGE_ALLOWED), "preflight-crashed", call=PUT),
    Row("a crash with a message in JSON", refusing(500, b'{"message":"Cannot read properties of undefined (reading \'includes\')"}'), "response-crashed"),
    Row("a list in JSON", sends(500, body=b'["broken"]'), "response-crashed"),
    Row("a message that is not JSON", sends(500, body=b"{oops"), "response-crashed"),
    Row("an error of the language whose text reads like a refusal", sends(500, body=DJANGO_TRACEBACK), "response-crashed"),
    Row("the same, behind a preflight that is granted", splits(PREFLIGHT_ALLOWED, Response(500, (), b"Error: the origin of the order is not allowed")), "response-crashed", call=PUT),
    Row("403 for another reason than CORS", sends(403, body=b'{"detail":"Not allowed"}'), "error-without-cors"),
    Row("the same, at the preflight", sends(403, body=b'{"detail":"Not allowed"}'), "preflight-needs-login", call=PUT),
    Row("403 for a country", sends(403, EXPRESS, body=b'{"error":"Requests from your country of origin are blocked"}'), "error-without-cors"),
    Row("403 of a server behind", sends(403, body=b"The origin server denied access"), "error-without-cors"),
    Row("a redirect, and CORS refuses the origin", lambda request: Response(307, (("Location", "/items/"), VARY)) if request.path == "/items" else Response(200, (VARY,)), "origin-not-allowed"),
    Row("a redirect that skips CORS, to a path that allows the page", lambda request: Response(307, (("Location", "/items/"), VARY)) if request.path == "/items" else PAGE_ALLOWED, "redirect-without-cors"),
    Row("a list as one text, sent without Origin only", lambda request: Response(200, () if request.origin else ((ACAO, f"{PAGE}, https://b.example.com"),)), "list-of-origins"),
    Row("null for each origin that is not in the list", sends(200, (ACAO, "null"), VARY), "origin-is-a-word"),
    Row("401, and the policy allows another origin", refused_with(401), "origin-not-allowed"),
    Row("500, and the policy allows another origin", refused_with(500), "origin-not-allowed"),
    Row("404, and the policy allows an attacker", refused_with(404, vary=False), "origin-not-allowed"),
    Row("404, and a preflight is refused", splits(Response(400, (), b"Disallowed CORS origin"), Response(404)), "origin-not-allowed"),
    Row("a preflight of another origin is allowed", splits(Response(204, (VARY,)), Response()), "origin-not-allowed"),
    Row("CORS responds to preflights only", refused_preflight, "origin-not-allowed"),
    Row("one origin, sent without Origin only", fixed_without_origin, "origin-not-allowed"),
    Row("Vary without Origin only", lambda request: Response(200, () if request.origin else (VARY,)), "origin-not-allowed"),
    Row("other CORS headers", sends(200, (ACAC, "true")), "origin-not-allowed"),
    Row("a redirect to an invalid URL", sends(302, ("Location", "//[::1")), "redirect-without-cors"),
    Row("hapi refuses the origin", hapi(b"CORS error: Origin not allowed"), "origin-not-allowed", call=PUT),
    Row("hapi refuses a header", hapi(b"CORS error: Some headers are not allowed"), "header-not-allowed", call=ID),
    Row("hapi refuses JSON", hapi(b"CORS error: Some headers are not allowed"), "content-type-not-allowed", call={"method": "POST", "headers": ["content-type: application/json"]}),
    Row("hapi: CORS is not on", hapi(b"CORS is disabled for this route"), "no-cors", call=PUT),
    Row("a method is refused silently", only_get, "method-not-allowed", call=PUT),
    Row("a header is refused silently", no_headers, "header-not-allowed", call=PUT | ID),
    Row("403, and the preflight is granted", splits(PREFLIGHT_ALLOWED, Response(403)), "error-without-cors"),
    Row("CORS on OPTIONS only, for a request without preflight", splits(PREFLIGHT_ALLOWED, Response(200, (VARY,))), "only-preflight-answered"),
    Row("CORS without cookies only", only_without_cookies, "credentials-not-allowed", call=COOKIES | {"cookies": ["sid=1"]}),
    Row("a Cloudflare challenge", lambda _: CHALLENGE, "bot-challenge"),
    Row("a Cloudflare challenge at the preflight", splits(CHALLENGE, PAGE_ALLOWED), "bot-challenge", call=PUT),
    Row("an AWS WAF captcha", sends(405, ("x-amzn-waf-action", "captcha")), "bot-challenge"),
    Row("Cloudflare's rule 1020", sends(403, ("Server", "cloudflare"), body=b"error code: 1020"), "blocked-by-firewall"),
    Row("Akamai", sends(403, ("Server", "AkamaiGHost"), body=b"<H1>Access Denied</H1> Reference&#32;&#35;18.1"), "blocked-by-firewall"),
    Row("Imperva", splits(Response(403, (), b"Request unsuccessful. Incapsula incident ID: 1-2"), PAGE_ALLOWED), "blocked-by-firewall", call=PUT),
    Row("ModSecurity", sends(406, body=b"This error was generated by Mod_Security."), "blocked-by-firewall"),
    Row("Allow-Origins", sends(200, ("Access-Control-Allow-Origins", PAGE)), "misspelled-header"),
    Row("Acess", sends(200, ("Acess-Control-Allow-Origin", PAGE)), "misspelled-header"),
    Row("underscores", sends(200, ("Access_Control_Allow_Origin", PAGE)), "misspelled-header"),
    Row("Allow-Method", splits(allowing(("Access-Control-Allow-Method", "PUT")), PAGE_ALLOWED), "misspelled-header", call=PUT),
    Row("Request-Headers in a response", splits(allowing((ACAM, "GET"), ("Access-Control-Request-Headers", "x-id")), PAGE_ALLOWED), "misspelled-header", call=ID),
    Row("Allow-Credential", sends(200, (ACAO, PAGE), ("Access-Control-Allow-Credential", "true")), "misspelled-header", call=COOKIES),
    Row("Expose-Header", sends(200, (ACAO, "*"), ("Access-Control-Expose-Header", "x-id"), ("x-id", "7")), "misspelled-header", call={"reads": ["x-id"]}),
    Row("one origin twice in one line", joined, "two-origin-fields"),
    Row("a redirect to a CDN without CORS", to_a_cdn(), "redirected-to-another-origin"),
    Row("a redirect to a CDN with CORS for the page", to_a_cdn((ACAO, PAGE)), "redirected-to-another-origin"),
    Row("a cache by URL", cache_by_url(), risks=("cache-mixes-origins",)),
    Row("origins searched in a text", lambda request: Response(200, ((ACAO, request.origin), (ACAC, "true"), VARY) if request.origin in f"{PAGE},https://b.example" else (VARY,)), risks=("compares-by-substring",)),
)
VALUES = ("${ORIGIN}", "$ORIGIN", "{{ cors_origin }}", "{origin}", "%ORIGIN%", "process.env.ORIGIN", "(null)", "[object Object]")
ROWS += tuple(Row(f"{value} as an origin", sends(200, (ACAO, value)), "origin-is-a-word") for value in VALUES)
ROWS += (
    Row("127.0.0.1 for localhost", sends(200, (ACAO, "http://127.0.0.1:3000")), "origin-differs-in-a-part", call={"origin": "http://localhost:3000"}),
)
HEALTHY = (
    Row("a cache that respects Vary", cache_by_origin()),
    Row("a response with an unknown header of a similar name", sends(200, (ACAO, "*"), ("Access-Control-Allow-Origins", "x"))),
    Row("a page about CORS", sends(403, (ACAO, "*"), body=b"Not allowed by CORS")),
    Row("a challenge that the page may read", sends(403, (ACAO, "*"), ("cf-mitigated", "challenge"))),
    Row("exposed headers next to a similar name", sends(200, (ACAO, "*"), (ACEH, "x-id"), ("Access-Control-Expose-Header", "y"), ("x-id", "7")), call={"reads": ["x-id"]}),
)
# fmt: on
