"""Servers that refuse a request as forged, or because of its Host. The texts are those of the libraries' sources."""
# ruff: noqa: E501 - a table: one row, one line

from .raw import ACAC, ACAO, PAGE, PAGE_ALLOWED, PREFLIGHT_ALLOWED, PUT, Row, sends, splits
from .serving import Behaviour, Request, Response

POST = {"method": "POST", "data": "name=tea"}
OURS_FORGED = b"Refused by the CORS policy: another site may have forged the request (CrossSiteRequest).\n"
OURS_HOST = b"Refused by the CORS policy: no entry of allowed_hosts matches the Host header (HostNotAllowed).\nThe Host received is 'app:8000'.\n"
DJANGO_400 = b'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Bad Request (400)</title>\n</head>\n<body>\n  <h1>Bad Request (400)</h1><p></p>\n</body>\n</html>\n'


def to_posts(status: int, body: bytes) -> Behaviour:
    """Refuse requests that change things, and allow the page to read others."""
    return lambda request: Response(status, (), body) if request.method == "POST" else PAGE_ALLOWED


def handshake(request: Request) -> Response:
    """Refuse every handshake because of its Host."""
    return Response(421, (), OURS_HOST)


# fmt: off
ROWS = (
    Row("asgi_cors refuses a forged form", to_posts(403, OURS_FORGED), "forged-request-refused", call=POST),
    Row("Django refuses a form without a token", to_posts(403, b"<h1>Forbidden <span>(403)</span></h1>\n  <p>CSRF verification failed. Request aborted.</p>"), "forged-request-refused", call=POST),
    Row("Django REST framework", to_posts(403, b'{"detail":"CSRF Failed: CSRF token missing."}'), "forged-request-refused", call=POST),
    Row("Flask-WTF", to_posts(400, b"<!doctype html>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n<p>The CSRF token is missing.</p>"), "forged-request-refused", call=POST),
    Row("Flask-WTF, by Referer", to_posts(400, b"<p>The referrer does not match the host.</p>"), "forged-request-refused", call=POST),
    Row("Rails in development", to_posts(422, b"ActionController::InvalidAuthenticityToken in ItemsController#create"), "forged-request-refused", call=POST),
    Row("Go", to_posts(403, b"cross-origin request detected from Sec-Fetch-Site header\n"), "forged-request-refused", call=POST),
    Row("ASP.NET", to_posts(400, b"Microsoft.AspNetCore.Antiforgery.AntiforgeryValidationException: The required antiforgery cookie is not present."), "forged-request-refused", call=POST),
    Row("SvelteKit", to_posts(403, b"Cross-site POST form submissions are forbidden"), "forged-request-refused", call=POST),
    Row("Laravel", to_posts(419, b'{"message": "CSRF token mismatch."}'), "forged-request-refused", call=POST),
    Row("csurf", to_posts(403, b"ForbiddenError: invalid csrf token"), "forged-request-refused", call=POST),
    Row("a forged form of a sandboxed page", to_posts(403, OURS_FORGED), "forged-request-refused", call=POST | {"origin": "null"}),
    Row("asgi_cors refuses the Host", sends(421, body=OURS_HOST), "host-not-allowed"),
    Row("asgi_cors refuses the Host of a preflight", splits(Response(421, (), OURS_HOST), Response()), "host-not-allowed", call=PUT),
    Row("Starlette's TrustedHostMiddleware", sends(400, body=b"Invalid host header"), "host-not-allowed"),
    Row("Django in development", sends(400, body=b"<title>DisallowedHost at /items</title><pre>Invalid HTTP_HOST header: &#x27;127.0.0.1&#x27;.</pre>"), "host-not-allowed"),
    Row("Django in production", sends(400, body=DJANGO_400), "host-not-allowed", call=PUT),
    Row("the reference server of MCP", sends(421, body=b"Invalid Host header"), "host-not-allowed"),
    Row("Rails", sends(403, body=b"<h1>Blocked hosts: 127.0.0.1:3000</h1>"), "host-not-allowed"),
    Row("Vite", sends(403, body=b'Blocked request. This host ("api.example.net") is not allowed.'), "host-not-allowed"),
    Row("Werkzeug", sends(400, body=b"<p>Host 'api.example.net' is not trusted.</p>"), "host-not-allowed"),
    Row("421 of another server", sends(421, body=b"<title>421 Misdirected Request</title>"), "host-not-allowed"),
    Row("the Host of a handshake", handshake, "host-not-allowed", call={"scheme": "ws"}),
    Row("403 for another reason", to_posts(403, b'{"detail":"Not found in your team"}'), "error-without-cors", call=POST),
)
HEALTHY = (
    Row("a refusal that the page may read", lambda request: Response(403, ((ACAO, PAGE), (ACAC, "true"), ("Vary", "Origin")), OURS_FORGED) if request.method == "POST" else PAGE_ALLOWED, call=POST),
    Row("a page about forged requests", sends(200, (ACAO, "*"), body=OURS_FORGED)),
    Row("the same, behind a preflight", splits(PREFLIGHT_ALLOWED, PAGE_ALLOWED), call=PUT),
)
# fmt: on
