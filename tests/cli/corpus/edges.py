"""Errors of layers before the app, redirects whose words resemble a login, limits that the probes reach, odd values."""
# ruff: noqa: E501 - a table: one row, one line

from .raw import (
    ACAC,
    ACAH,
    ACAM,
    ACAO,
    COOKIES,
    PAGE,
    PAGE_ALLOWED,
    PREFLIGHT_ALLOWED,
    PUT,
    Row,
    allowing,
    origin,
    sends,
    splits,
)
from .serving import Behaviour, Request, Response

CLOUDFLARE = (("Server", "cloudflare"), ("CF-RAY", "8a1b-FRA"))
CHALLENGE = Response(403, (*CLOUDFLARE, ("cf-mitigated", "challenge")))
VARY = ("Vary", "Origin")
ID = {"headers": ["x-id: 7"]}
SOCKET = {"scheme": "ws"}
NGINX_LONG = b"<html><head><title>400 Request Header Or Cookie Too Large</title></head><center>nginx</center></html>"


def limited(count: int, status: int) -> Behaviour:
    """Respond to the first requests, then as a rate limit."""
    left = iter(range(count))

    def respond(request: Request) -> Response:
        if next(left, None) is None:
            return Response(status)
        return Response(200, ((ACAO, PAGE), VARY) if request.origin == PAGE else (VARY,))

    return respond


def browsers_only(request: Request) -> Response:
    """Respond as a firewall that refuses clients that are not browsers."""
    if "Mozilla" not in request.headers.get("user-agent", ""):
        return Response(403)
    return Response(200, ((ACAO, PAGE), VARY) if request.origin == PAGE else (VARY,))


def ngrok(request: Request) -> Response:
    """Respond as a tunnel of ngrok's free plan."""
    if request.method == "OPTIONS" or "Mozilla" not in request.headers.get("user-agent", ""):
        return Response(200, ((ACAO, "*"),))
    return Response(200, (("ngrok-error-code", "ERR_NGROK_6024"),), b"<title>You are about to visit a site</title>")


def to_a_login(request: Request) -> Response:
    """Redirect with the CORS headers to a login page on another origin."""
    if request.path == "/items":
        location = f"http://localhost:{request.port}/realms/tea/protocol/openid-connect/auth?client_id=1"
        return Response(302, ((ACAO, PAGE), (ACAC, "true"), ("Location", location)))
    return Response()


def cached_without_cookies(request: Request) -> Response:
    """Respond as a cache with a response to a request without credentials, for which the app sends `*`."""
    if "?" in request.target:
        return Response(200, ((ACAO, PAGE), (ACAC, "true"), VARY))
    return Response(200, ((ACAO, "*"), ("Age", "31")))


def handshake_response(status: int, *headers: tuple[str, str]) -> Behaviour:
    """Respond to handshakes, whatever their origin."""
    return lambda request: Response(status, headers, b"") if "upgrade" in request.headers else Response()


# fmt: off
ROWS = (
    Row("Cloudflare: no TLS with the origin", sends(525, *CLOUDFLARE, body=b"error code: 525"), "gateway-error"),
    Row("Cloudflare: the tunnel is down, at the preflight", sends(530, *CLOUDFLARE, body=b"error code: 1033"), "gateway-error", call=PUT),
    Row("ALB: the target speaks another protocol", sends(464, ("Server", "awselb/2.0")), "gateway-error"),
    Row("ALB: the client closes the connection, at the preflight", splits(Response(460, (("Server", "awselb/2.0"),)), PAGE_ALLOWED), "gateway-error", call=PUT),
    Row("Fastly: the domain is not known", sends(500, body=b"\nFastly error: unknown domain: api.example.com."), "gateway-error"),
    Row("Envoy: a fault that is injected", sends(555, ("server", "envoy"), body=b"fault filter abort"), "gateway-error"),
    Row("ngrok: the tunnel is closed", sends(404, ("ngrok-error-code", "ERR_NGROK_3200")), "gateway-error"),
    Row("ngrok: the warning for browsers", ngrok, "bot-challenge"),
    Row("headers too large for nginx", splits(PREFLIGHT_ALLOWED, Response(400, (), NGINX_LONG)), "gateway-error", call=PUT),
    Row("nginx demands a client certificate", sends(400, ("Server", "nginx"), body=b"<head><title>400 No required SSL certificate was sent</title></head>"), "client-certificate-needed"),
    Row("nginx demands a client certificate, at the preflight", splits(Response(400, (), b"<head><title>400 No required SSL certificate was sent</title></head>"), PAGE_ALLOWED), "client-certificate-needed", call=PUT),
    Row("headers too large", sends(431), "gateway-error"),
    Row("a request that does not arrive in whole", sends(408), "gateway-error"),
    Row("a redirect to /authors", sends(308, ("Location", "/authors")), "preflight-redirected", call=PUT),
    Row("a redirect to a processor", sends(308, ("Location", "/processors")), "redirect-without-cors"),
    Row("a redirect with CORS headers to a login on another origin", to_a_login, "redirected-to-login", call=COOKIES),
    Row("a cached * for a request with credentials", cached_without_cookies, "cached-for-another-origin", call=COOKIES),
    Row("a colon after the name of the header", origin(": *"), "misspelled-header"),
    Row("the name of the header in its value", origin(f"Access-Control-Allow-Origin: {PAGE}"), "misspelled-header"),
    Row("origins separated by a semicolon", origin(f"{PAGE};https://b.example.com"), "list-of-origins"),
    Row("a semicolon after the origin", origin(f"{PAGE};"), "origin-in-quotes"),
    Row("a semicolon after *", origin("*;"), "origin-in-quotes"),
    Row("a regular expression as an origin", origin(r"^https://(app|admin)\.example\.com$"), "origin-is-a-pattern"),
    Row("a variable that nothing has replaced", origin("${ALLOWED_ORIGIN}"), "origin-is-a-word"),
    Row("a placeholder of a template", origin("{{ cors_origin }}"), "origin-is-a-word"),
    Row("'all' as an origin", origin("all"), "origin-is-a-word"),
    Row("a colon before the methods", splits(allowing((ACAM, ": PUT"), (ACAH, "x-id")), PAGE_ALLOWED), "list-malformed", call=PUT),
    Row("a handshake with a challenge of Cloudflare", lambda _: CHALLENGE, "bot-challenge", call=SOCKET),
    Row("a malformed handshake", handshake_response(400), "handshake-not-upgraded", call=SOCKET),
    Row("a handshake without Upgrade in its response", handshake_response(101), "handshake-not-upgraded", call=SOCKET),
    Row("a handshake with another Upgrade in its response", handshake_response(101, ("Upgrade", "h2c")), "handshake-not-upgraded", call=SOCKET),
)
HEALTHY = (
    Row("a rate limit that only the probes reach", limited(1, 429)),
    Row("a rate limit with 503 that only the probes reach", limited(1, 503)),
    Row("a firewall that refuses the probes", browsers_only),
)
# fmt: on
