"""The two checks of a browser, from the Fetch standard."""

from collections.abc import Iterable

from tests.support.clients import Response

SAFELISTED_METHODS = {"GET", "HEAD", "POST"}
NOT_COVERED_BY_WILDCARD = "authorization"
OK = range(200, 300)


def passes_cors_check(response: Response, origin: str, *, credentials: bool = False) -> bool:
    """Return whether a response passes the CORS check (Fetch 4.9)."""
    allowed = ", ".join(response.values("access-control-allow-origin"))
    if allowed == "*" and not credentials:
        return True
    if not allowed or allowed != origin:
        return False
    return not credentials or response.values("access-control-allow-credentials") == ["true"]


def passes_preflight(
    response: Response, origin: str, method: str, headers: Iterable[str] = (), *, credentials: bool = False
) -> bool:
    """Return whether a preflight's response passes (Fetch 4.8, step 7), for unsafe `headers` in lower case."""
    if response.status not in OK or not passes_cors_check(response, origin, credentials=credentials):
        return False
    methods = response.elements("access-control-allow-methods")
    if method not in SAFELISTED_METHODS | set(methods) and (credentials or "*" not in methods):
        return False
    names = {name.lower() for name in response.elements("access-control-allow-headers")}
    wild = "*" in names and not credentials
    return all(name in names or (wild and name != NOT_COVERED_BY_WILDCARD) for name in headers)
