"""The headers that responses must have."""

APP = "https://app.example.com"
EVIL = "https://evil.example.net"
FREE = "accept, accept-language, content-language, content-type"
SAFE = "GET, HEAD, POST"
KNOWN = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY"
OWN = "content-type: text/plain"
VARY = "vary: Origin"
PREFLIGHT_VARY = "vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
NO_STORE = "cache-control: no-store"
FAILED = sorted([OWN, NO_STORE, VARY])  # a refusal that is due to a failed call
CREDENTIALS = "access-control-allow-credentials: true"


def origin_line(origin: str) -> str:
    """Return the Access-Control-Allow-Origin of one origin."""
    return f"access-control-allow-origin: {origin}"


def lists(methods: str = SAFE, headers: str = FREE) -> list[str]:
    """Return the two lists of a preflight's response."""
    return [f"access-control-allow-headers: {headers}", f"access-control-allow-methods: {methods}"]


def granted(
    origin: str = APP, methods: str = SAFE, headers: str = FREE, max_age: int | None = 600, *more: str
) -> list[str]:
    """Return every line of an allowed preflight's response, sorted."""
    age = [] if max_age is None else [f"access-control-max-age: {max_age}"]
    return sorted([origin_line(origin), *lists(methods, headers), *age, PREFLIGHT_VARY, *more])


def refused(body: bytes, *cors: str) -> list[str]:
    """Return every line of a refused preflight's response, sorted."""
    return sorted([f"content-length: {len(body)}", "content-type: text/plain; charset=utf-8", PREFLIGHT_VARY, *cors])
