"""A server that passes every case, and for each case a server that fails this case only.

Each is a function from a request to a response, so that a whole check takes no connection.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from asgi_cors.cli.check.expectation import parse_expectation

PAGE, ADMIN = "https://app.example.com", "https://admin.example.com:8443"
ALLOWED = (PAGE, ADMIN)
REFUSED = "https://partner.example.net"
URL = "http://127.0.0.1:9/items"
METHODS = ("PUT", "PATCH")
HEADERS = ("authorization", "x-id")
OTHER = "https://asgi-cors-check.example"
ACAO, ACAC = "access-control-allow-origin", "access-control-allow-credentials"
ACAM, ACAH = "access-control-allow-methods", "access-control-allow-headers"
ACEH, ACMA = "access-control-expose-headers", "access-control-max-age"
EXPECTATION = parse_expectation(
    URL,
    allow=ALLOWED,
    refuse=[REFUSED],
    methods=METHODS,
    headers=HEADERS,
    credentials=True,
    expose=["x-total"],
    error_url="http://127.0.0.1:9/crash",
    send_unsafe=True,
)

Pairs = list[tuple[str, str]]
Server = Callable[[httpx.Request], httpx.Response]


def origin_of(request: httpx.Request) -> str | None:
    lines = [value.decode("latin-1") for name, value in request.headers.raw if name.lower() == b"origin"]
    return lines[0] if len(lines) == 1 else None


def is_preflight(request: httpx.Request) -> bool:
    return (
        request.method == "OPTIONS"
        and "origin" in request.headers
        and "access-control-request-method" in request.headers
    )


def requested(request: httpx.Request) -> list[str]:
    value = request.headers.get("access-control-request-headers", "")
    return [name.strip().lower() for name in value.split(",") if name.strip()]


def respond(status: int, headers: Sequence[tuple[str, str]], body: str = "") -> httpx.Response:
    return httpx.Response(status, headers=list(headers), stream=httpx.ByteStream(body.encode()))


def cors(origin: str | None) -> Pairs:
    """Return the headers of every response."""
    allowed = [(ACAO, origin), (ACAC, "true"), (ACEH, "x-total")] if origin in ALLOWED and origin else []
    return [*allowed, ("vary", "Origin")]


def right(request: httpx.Request) -> httpx.Response:
    """Respond as EXPECTATION declares."""
    origin = origin_of(request)
    if is_preflight(request):
        lists = (
            [(ACAM, "PUT, PATCH"), (ACAH, "x-id, authorization, accept"), (ACMA, "600")] if origin in ALLOWED else []
        )
        return respond(204, [*cors(origin), *lists])
    if "upgrade" in request.headers:
        return respond(101 if origin in {*ALLOWED, None} else 403, [("vary", "Origin")])
    if request.url.path == "/items/":
        return respond(307, [*cors(origin), ("location", "/items")])
    if request.url.path == "/crash":
        return respond(500, cors(origin))
    if request.url.path != "/items":
        return respond(404, cors(origin))
    if request.method not in {"GET", "HEAD", "OPTIONS", *METHODS}:
        return respond(405, cors(origin))
    return respond(200, [*cors(origin), ("vary", "Accept-Encoding"), ("x-total", "2")], "items")


# Mutations: each changes the right response for some requests.

When = Callable[[httpx.Request], bool]


def is_main(request: httpx.Request) -> bool:
    return request.method in {"GET", "HEAD"} and request.url.path == "/items" and "upgrade" not in request.headers


def is_allowed(request: httpx.Request) -> bool:
    return origin_of(request) in ALLOWED


def both(*conditions: When) -> When:
    return lambda request: all(condition(request) for condition in conditions)


def changed(when: When, change: Callable[[Pairs], Pairs], status: int | None = None, body: str = "") -> Server:
    """Change the headers of the right response if the request meets a condition."""

    def server(request: httpx.Request) -> httpx.Response:
        response = right(request)
        if not when(request):
            return response
        return respond(status or response.status_code, change(response.headers.multi_items()), body)

    return server


def without(*names: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


def plus(*more: tuple[str, str]) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [*pairs, *more]


def having(name: str, value: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [*((key, old) for key, old in pairs if key != name), (name, value)]


def same(pairs: Pairs) -> Pairs:
    return pairs


def mute(pairs: Pairs) -> Pairs:
    """Remove all CORS headers but Vary."""
    return [pair for pair in pairs if not pair[0].startswith("access-control-")]


def allows_too(accepts: Callable[[str], bool], when: When | None = None, *, preflights: bool = False) -> Server:
    """Allow more origins than declared."""

    def server(request: httpx.Request) -> httpx.Response:
        origin = request.headers.get("origin", "")
        is_meant = when(request) if when is not None else "upgrade" not in request.headers
        if origin in ALLOWED or not origin or not accepts(origin) or not is_meant:
            return right(request)
        request = httpx.Request(
            request.method, request.url, headers=[*without("origin")(request.headers.multi_items()), ("origin", PAGE)]
        )
        response = right(request)
        if is_preflight(request) and not preflights:
            return respond(204, [("vary", "Origin")])
        if "upgrade" in request.headers:
            return response
        return respond(response.status_code, having(ACAO, origin)(response.headers.multi_items()))

    return server


def names_must_be(accepts: Callable[[httpx.Request], bool]) -> Server:
    """Refuse a preflight by the names that it requests."""
    return changed(lambda request: is_preflight(request) and is_allowed(request) and not accepts(request), mute, 204)


def raw_names(request: httpx.Request) -> list[bytes]:
    return [value for name, value in request.headers.raw if name.lower() == b"access-control-request-headers"]


class Forgetful:
    """Refuse the page once, after a request of a sandboxed page."""

    def __init__(self) -> None:
        self.refused = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        origin = origin_of(request)
        if is_main(request) and origin == "null":
            self.refused += 1
        elif is_main(request) and origin == PAGE and self.refused == 1:
            self.refused += 1
            return respond(200, [("vary", "Origin, Accept-Encoding")])
        return right(request)


class SharedCache:
    """Store the first response to each new query, whatever its Vary."""

    def __init__(self) -> None:
        self.stored: dict[str, httpx.Response] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" or b"asgi-cors-check=" not in request.url.query or b"%ff" in request.url.query:
            return right(request)
        found = self.stored.setdefault(str(request.url), right(request))
        return respond(found.status_code, found.headers.multi_items())


def cacheable(when: When) -> Server:
    """Let browsers store the response, and leave Origin out of Vary."""
    lines = plus(("cache-control", "max-age=60"), ("vary", "Accept-Encoding"))
    return changed(both(is_main, when), lambda pairs: lines(without("vary")(pairs)))


def at(path: str, change: Callable[[Pairs], Pairs], status: int | None = None) -> Server:
    return changed(lambda request: request.url.path == path, change, status)


def preflight_of(origins: tuple[str, ...]) -> When:
    return lambda request: is_preflight(request) and origin_of(request) in origins


def has(name: str, value: str = "") -> When:
    return lambda request: name in request.headers and (not value or request.headers[name] == value)


GET = both(is_main, is_allowed)
PREFLIGHT = preflight_of(ALLOWED)
SCRIPT_GET = both(
    GET,
    lambda request: (
        request.method == "GET"
        and not request.url.query
        and "range" not in request.headers
        and request.headers["accept"] == "*/*"
    ),
)


def origins_like(text: str) -> Server:
    return allows_too(lambda origin: text in origin)


FAILING: dict[str, Server] = {
    "request-accepted": changed(SCRIPT_GET, plus(("content-disposition", "a"), ("content-disposition", "b"))),
    "request-redirect": changed(SCRIPT_GET, lambda pairs: [*mute(pairs), ("location", "/other")], 302),
    "request-origin": changed(GET, mute),
    "request-one-origin": changed(GET, plus((ACAO, PAGE))),
    "request-credentials": changed(GET, without(ACAC)),
}
FAILING |= {
    "request-head": changed(both(is_main, lambda request: request.method == "HEAD"), mute),
    "request-repeated": Forgetful(),
    "request-exposed": changed(SCRIPT_GET, without(ACEH)),
    "request-refused": allows_too(lambda origin: origin == REFUSED),
    "request-slash": at("/items/", mute),
    "request-no-origin": changed(both(is_main, lambda request: "origin" not in request.headers), same, 403),
    "request-own-origin": changed(lambda request: origin_of(request) == "http://127.0.0.1:9", same, 403),
    "request-unsafe": changed(lambda request: request.method == "PATCH", mute),
    "error-declared": at("/crash", mute),
    "error-not-found": changed(lambda request: "/items/asgi" in request.url.path, mute),
    "error-method": changed(lambda request: request.method == "PROPFIND", mute),
    "error-range": changed(has("range"), mute, 416),
    "error-accept": changed(has("accept", "application/x-asgi-cors-check"), mute, 406),
    "error-query": changed(lambda request: b"%ff" in request.url.query, mute, 400),
    "refused-status": changed(
        lambda request: is_main(request) and origin_of(request) == OTHER, same, 500, "Not allowed by CORS"
    ),
    "refused-body": changed(
        lambda request: is_main(request) and origin_of(request) == OTHER, same, 403, f"Allowed: {PAGE}"
    ),
    "preflight-redirect": changed(PREFLIGHT, lambda pairs: [*pairs, ("location", "/items/")], 307),
    "preflight-authentication": changed(PREFLIGHT, mute, 401),
    "preflight-status": changed(PREFLIGHT, same, 404),
    "preflight-origin": changed(PREFLIGHT, mute),
    "preflight-one-origin": changed(PREFLIGHT, plus((ACAO, "*"))),
    "preflight-credentials": changed(PREFLIGHT, having(ACAO, "*")),
    "preflight-lists": changed(PREFLIGHT, having(ACAM, "PUT; PATCH")),
    "preflight-methods": changed(PREFLIGHT, having(ACAM, "PUT")),
    "preflight-method-case": changed(PREFLIGHT, having(ACAM, "put, PATCH")),
    "preflight-headers": changed(PREFLIGHT, having(ACAH, "x-id, accept")),
    "preflight-wildcards": changed(PREFLIGHT, having(ACAH, "*")),
    "preflight-each-header": names_must_be(lambda request: requested(request) != ["x-id"]),
    "preflight-refused": allows_too(lambda origin: origin == REFUSED, is_preflight, preflights=True),
    "preflight-safelisted-methods": changed(
        lambda request: PREFLIGHT(request) and request.headers["access-control-request-method"] == "HEAD", mute, 400
    ),
    "preflight-lower-case-method": changed(
        lambda request: PREFLIGHT(request) and request.headers["access-control-request-method"] == "patch",
        having(ACAM, "patch"),
    ),
    "preflight-invalid-method": changed(
        lambda request: PREFLIGHT(request) and " " in request.headers["access-control-request-method"], mute, 500
    ),
    "preflight-private-network": changed(
        lambda request: PREFLIGHT(request) and "access-control-request-private-network" in request.headers, mute, 400
    ),
    "preflight-max-age": changed(PREFLIGHT, without(ACMA)),
    "preflight-max-age-form": changed(PREFLIGHT, having(ACMA, "10 minutes")),
    "options-without-request-method": changed(
        lambda request: request.method == "OPTIONS" and "origin" in request.headers and not is_preflight(request),
        plus((ACAM, "PUT")),
    ),
    "options-without-origin": changed(
        lambda request: request.method == "OPTIONS" and "origin" not in request.headers, plus((ACAM, "PUT"))
    ),
    "preflight-names-repeated": names_must_be(lambda request: len(set(requested(request))) == len(requested(request))),
    "preflight-names-spaced": names_must_be(lambda request: b", " not in b"".join(raw_names(request))),
    "preflight-names-upper-case": names_must_be(
        lambda request: (
            b"".join(raw_names(request)).islower()
            or not raw_names(request)
            or raw_names(request) == [b""]
            or b"x-\xff" in raw_names(request)[0]
        )
    ),
    "preflight-names-reordered": names_must_be(lambda request: raw_names(request) != [b"x-id,authorization"]),
    "preflight-names-split": names_must_be(lambda request: len(raw_names(request)) < 2),
    "preflight-names-gaps": names_must_be(lambda request: b",," not in b"".join(raw_names(request))),
    "preflight-names-empty": names_must_be(lambda request: raw_names(request) != [b""]),
    "preflight-names-safelisted": names_must_be(lambda request: "accept" not in requested(request)),
    "preflight-names-thousand": changed(
        lambda request: PREFLIGHT(request) and len(requested(request)) > 100, mute, 500
    ),
    "preflight-names-wildcard": changed(lambda request: PREFLIGHT(request) and requested(request) == ["*"], mute, 500),
    "preflight-names-bytes": changed(
        lambda request: PREFLIGHT(request) and b"\xff" in b"".join(raw_names(request)), mute, 502
    ),
    "origin-other-site": allows_too(lambda origin: origin == OTHER),
    "origin-null": allows_too(lambda origin: origin == "null"),
    "origin-suffix": allows_too(lambda origin: origin == f"https://app.example.com.{OTHER[8:]}"),
    "origin-prefix": allows_too(
        lambda origin: "//evil" in origin and "%" not in origin and origin.endswith("evilexample.com")
    ),
    "origin-substring": origins_like("//x-"),
    "origin-dot": origins_like("appxexample"),
    "origin-truncated": allows_too(lambda origin: origin.endswith("example.co")),
    "origin-port": allows_too(lambda origin: origin == f"{PAGE}:8443"),
    "origin-scheme": allows_too(lambda origin: origin == "http://app.example.com"),
    "origin-subdomain": allows_too(lambda origin: origin == "https://attacker.app.example.com"),
    "origin-sibling": allows_too(lambda origin: origin == "https://attacker.example.com"),
    "origin-parent": allows_too(lambda origin: origin == "https://example.com"),
    "origin-homoglyph": origins_like("xn--"),
    "origin-localhost": origins_like("localhost:5173"),
    "origin-hosting": allows_too(lambda origin: origin.endswith(".vercel.app")),
    "origin-special-characters": allows_too(lambda origin: "_.evil" in origin),
    "origin-app": origins_like("capacitor:"),
    "origin-trailing-dot": allows_too(lambda origin: origin == f"{PAGE}."),
    "origin-preflight": allows_too(lambda origin: origin == OTHER, is_preflight, preflights=True),
    "origin-preflight-null": allows_too(lambda origin: origin == "null", is_preflight, preflights=True),
    "forged-upper-case": allows_too(lambda origin: origin == PAGE.upper()),
    "forged-slash": allows_too(lambda origin: origin == f"{PAGE}/"),
    "forged-default-port": allows_too(lambda origin: origin == f"{PAGE}:443"),
    "forged-userinfo": origins_like("user:password"),
    "forged-empty": changed(lambda request: origin_of(request) == "", plus((ACAO, ""))),
    "forged-several": allows_too(lambda origin: origin == f"{PAGE} {OTHER}"),
    "forged-list": changed(lambda request: origin_of(request) == f"{PAGE}, {OTHER}", plus((ACAO, f"{PAGE}, {OTHER}"))),
    "forged-two-lines": changed(
        lambda request: request.headers.get("origin") == f"{OTHER}, {PAGE}" and origin_of(request) is None,
        plus((ACAO, OTHER)),
    ),
    "forged-bytes": changed(lambda request: "\xff" in request.headers.get("origin", ""), same, 500),
    "forged-long": changed(lambda request: len(request.headers.get("origin", "")) > 4096, same, 500),
    "header-expose-wildcard": changed(GET, having(ACEH, "x-total, *")),
    "header-timing": changed(is_main, plus(("timing-allow-origin", "*"))),
    "header-private-network": changed(preflight_of((OTHER,)), plus(("access-control-allow-private-network", "true"))),
    "vary-allowed": changed(GET, having("vary", "Accept-Encoding")),
    "vary-refused": changed(both(is_main, has("origin", OTHER)), having("vary", "Accept-Encoding")),
    "vary-no-origin": changed(
        both(is_main, lambda request: "origin" not in request.headers), having("vary", "Accept-Encoding")
    ),
    "vary-error": changed(lambda request: "/items/asgi" in request.url.path, without("vary")),
    "vary-preflight": changed(is_preflight, without("vary")),
    "vary-form": changed(GET, having("vary", "Origin; Accept-Encoding, Origin, Accept-Encoding")),
    "vary-names": changed(GET, having("vary", "Origin")),
    "cache-shared": SharedCache(),
    "websocket-other-site": allows_too(lambda origin: origin == OTHER, has("upgrade")),
    "websocket-null": allows_too(lambda origin: origin == "null", has("upgrade")),
    "websocket-suffix": allows_too(lambda origin: origin == f"https://app.example.com.{OTHER[8:]}", has("upgrade")),
    "websocket-refused": allows_too(lambda origin: origin == REFUSED, has("upgrade")),
    "websocket-status": changed(
        both(has("upgrade"), lambda request: origin_of(request) not in {*ALLOWED, None}), same, 200
    ),
    "websocket-no-origin": changed(both(has("upgrade"), lambda request: "origin" not in request.headers), same, 403),
}


@dataclass(frozen=True)
class Other:
    """A server that needs another expectation than EXPECTATION."""

    server: Server
    changes: dict[str, object]


def public(request: httpx.Request) -> httpx.Response:
    """Allow every origin, without credentials."""
    if is_preflight(request):
        return respond(204, [(ACAO, "*"), (ACAM, "*"), (ACAH, "*"), (ACMA, "600")])
    return respond(200 if request.url.path == "/items" else 404, [(ACAO, "*")])


PUBLIC = {"allow": ("*",), "refuse": (), "credentials": False, "expose": (), "error_url": "", "send_unsafe": False}
SOCKET = {"url": URL.replace("http", "ws")}
NO_CREDENTIALS = {"credentials": False}
OTHERS = {
    "request-secure": Other(right, {"url": "http://api.example.test/items"}),
    "preflight-standard": Other(public, PUBLIC),
    "header-credentials-undeclared": Other(right, NO_CREDENTIALS),
    "header-credentials-value": Other(changed(lambda _: True, having(ACAC, "false")), NO_CREDENTIALS),
    "header-expose-form": Other(changed(GET, having(ACEH, "x-total, x page")), {"expose": ()}),
    "cache-without-origin": Other(cacheable(lambda request: "origin" not in request.headers), {}),
    "cache-other-origin": Other(cacheable(has("origin", PAGE)), {}),
    "websocket-allowed": Other(changed(has("upgrade"), same, 403), SOCKET),
}
OTHERS |= {name: Other(server, {}) for name, server in FAILING.items()}
