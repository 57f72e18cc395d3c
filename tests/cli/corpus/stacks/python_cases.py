"""The set-ups of Python frameworks in `tests/cli/corpus/python`, with the mistake of each."""

from .case import COOKIES, ID, PUT, Case


def refusals(*interfaces: str) -> tuple[Case, ...]:
    """Return a case for each error that an interface of ours responds with to an origin that it refuses."""
    return tuple(
        Case(f"/{name}/{status}", {}, "origin-not-allowed") for name in interfaces for status in (401, 404, 500)
    )


def healthy(*interfaces: str) -> tuple[Case, ...]:
    """Return a case for a response and one for an error of each interface of ours."""
    return tuple(Case(f"/{name}-well/{path}", COOKIES) for name in interfaces for path in ("items", "500"))


PROTECTIONS = (
    Case("/protected/items", {"method": "POST", "data": "name=tea"}, "forged-request-refused"),
    Case("/protected/items", {}, "origin-not-allowed"),
    Case("/hosts/items", {}, "host-not-allowed"),
    Case("/hosts/items", PUT, "host-not-allowed"),
)
BROKEN: dict[str, tuple[Case, ...]] = {
    "flask": (
        Case("/debug/items", {}, "response-crashed"),
        Case("/development/items", {}, "origin-not-allowed"),
        Case("/twice/items", {}, "two-origin-fields"),
        Case("/resources/v1/items", {}, "no-cors"),
        Case("/by-hand/items", PUT, "method-not-allowed"),
        Case("/login/items", PUT, "preflight-redirected-to-login"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/view-only/items", PUT, "only-preflight-answered"),
        Case("/decorated-error/items", {}, "error-without-cors"),
        Case("/printed/items", {}, "list-of-origins"),
    ),
    "django": (
        Case("/late/things", {}, "redirect-without-cors"),
        Case("/late-debug/things", PUT, "response-crashed"),
        Case("/tenant/items", PUT, "preflight-crashed"),
        Case("/tenant/items", {}, "response-crashed"),
        Case("/tenant-in-production/items", PUT, "preflight-crashed"),
        Case("/https/items", PUT, "preflight-redirected-to-https"),
        Case("/login/items", {}, "redirected-to-login"),
        Case("/login/items", PUT, "preflight-redirected-to-login"),
        Case("/another/items", {}, "origin-not-allowed"),
        Case("/another/items", PUT, "origin-not-allowed"),
        Case("/pattern/items", COOKIES, None, risks=("compares-by-prefix", "compares-by-suffix")),
        Case("/all/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/open/items", COOKIES, "wildcard-with-credentials"),
        Case("/methods/items", PUT, "method-not-allowed"),
        Case("/well/items", ID, "header-not-allowed"),
        Case("/host/items", PUT, "host-not-allowed"),
        Case("/host/items", {}, "host-not-allowed"),
        Case("/host-debug/items", {}, "host-not-allowed"),
        Case("/not-installed/items", {}, "no-cors"),
        Case("/not-installed/items", {"method": "POST"}, "forged-request-refused"),
        Case("/forged-debug/items", {"method": "POST"}, "forged-request-refused"),
    ),
    "fastapi": (
        Case("/debug/crash", {}, "response-crashed"),
        Case("/elsewhere/me", COOKIES, "origin-not-allowed"),
        Case("/production/crash", {}, "response-crashed"),
        Case("/methods/items", PUT, "refused-by-status"),
        Case("/headers/items", ID, "refused-by-status"),
        Case("/slash/items", {}, "origin-not-allowed"),
        Case("/slash/items", PUT, "refused-by-status"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/guarded/items", {}, "error-without-cors"),
        Case("/tenant/items", PUT, "preflight-crashed"),
        Case("/tenant/items", {}, "response-crashed"),
        Case("/mounted/items", PUT, "preflight-not-routed"),
        Case("/star/items", COOKIES | PUT, None, risks=("reflects-any-origin",)),
        Case("/trusted_hosts/items", {}, "host-not-allowed"),
        Case("/trusted_hosts/items", PUT, "host-not-allowed"),
    ),
    "quart": (
        Case("/development/items", {}, "origin-not-allowed"),
        Case("/pattern/items", COOKIES, None, risks=("compares-by-prefix", "compares-by-suffix")),
        Case("/methods/items", PUT, "method-not-allowed"),
        Case("/headers/items", ID, "header-not-allowed"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/one-view/items", PUT, "no-cors"),
    ),
    "aiohttp": (
        Case("/elsewhere/items", {}, "origin-not-allowed"),
        Case("/elsewhere/items", PUT, "refused-by-status"),
        Case("/get-only/items", PUT, "refused-by-status"),
        Case("/headers/items", ID, "refused-by-status"),
        Case("/not-exposed/items", {"reads": ["X-Total"]}, "header-not-exposed", risks=("vary-missing",)),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/all/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/no-credentials/items", COOKIES, "credentials-not-allowed", risks=("vary-missing",)),
        Case("/by-hand/items", PUT, "preflight-not-routed"),
        Case("/by-hand/missing", {}, "error-without-cors"),
        Case("/well/items", COOKIES, None, risks=("vary-missing",)),
    ),
    "sanic": (
        Case("/elsewhere/items", {}, "origin-not-allowed"),
        Case("/methods/items", PUT, "method-not-allowed"),
        Case("/headers/items", ID, "header-not-allowed"),
        Case("/no-credentials/items", COOKIES | PUT, "credentials-not-allowed"),
        Case("/not-configured/items", PUT, "preflight-not-routed"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/by-hand/items", PUT, "preflight-not-routed"),
        Case("/twice/items", {}, "two-origin-fields"),
    ),
    "tornado": (
        Case("/private/items", COOKIES, "redirected-to-login"),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/star/items", PUT, "method-not-allowed"),
        Case("/star/items", ID, "header-not-allowed"),
        Case("/star/missing", {}, "error-without-cors"),
        Case("/no-options/items", PUT, "preflight-not-routed"),
        Case("/twice/items", {}, "two-origin-fields"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/in-get/items", {}, "response-crashed"),
    ),
    "falcon": (
        Case("/enabled/items", COOKIES, "wildcard-with-credentials"),
        Case("/elsewhere/items", {}, "no-cors"),
        Case("/all/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/by-hand/items", PUT, "preflight-not-answered"),
        Case("/private/items", {}, "error-without-cors"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
    ),
    "litestar": (
        Case("/elsewhere/items", {}, "origin-not-allowed"),
        Case("/methods/items", PUT, "refused-by-status"),
        Case("/headers/items", ID, "refused-by-status"),
        Case("/pattern/items", COOKIES, None, risks=("compares-by-suffix", "vary-missing")),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/not-configured/items", PUT, "no-cors"),
        Case("/debug/crash", {}, "response-crashed"),
    ),
    "blacksheep": (
        Case("/elsewhere/items", {}, "refused-by-status"),
        Case("/elsewhere/items", PUT, "refused-by-status"),
        Case("/methods/items", PUT, "refused-by-status"),
        Case("/headers/items", ID, "refused-by-status"),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/not-configured/items", PUT, "preflight-not-routed"),
    ),
    "bottle": (
        Case("/hook/items", PUT, "preflight-not-routed"),
        Case("/hook/crash", {}, "response-crashed"),
        Case("/options-route/items", PUT, "method-not-allowed"),
        Case("/decorator/items", PUT, "only-preflight-answered"),
        Case("/in-view/items", {}, "error-without-cors"),
        Case("/twice/items", {}, "two-origin-fields"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/none/items", {}, "no-cors"),
    ),
    "pyramid": (
        Case("/subscriber/items", PUT, "preflight-not-routed"),
        Case("/elsewhere/items", {}, "another-origin-allowed"),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/forbidden/private", {}, "redirected-to-login"),
        Case("/guarded/items", PUT, "preflight-needs-login"),
        Case("/none/items", {}, "no-cors"),
        Case("/none/crash", {}, "response-crashed"),
    ),
    "ours": (
        Case("/asgi/items", PUT, "origin-not-allowed"),
        *PROTECTIONS,
        *refusals("asgi", "flask-over-asgi", "quart", "starlette"),
    ),
    "ours over WSGI": (
        Case("/flask/items", PUT, "origin-not-allowed"),
        *PROTECTIONS,
        *refusals("wsgi", "flask"),
    ),
}
HEALTHY: dict[str, tuple[Case, ...]] = {
    "flask": (
        Case("/well/api/items", COOKIES | PUT),
        Case("/well/api/items", COOKIES | {"reads": ["X-Total"]}),
        Case("/well/api/private", COOKIES),
    ),
    "django": (
        Case("/well/items", COOKIES),
        Case("/well/items", COOKIES | PUT),  # Django refuses it for CSRF, with the headers
        Case("/late/crash", {}),
    ),
    "fastapi": (
        Case("/well/items", COOKIES | PUT | ID),
        Case("/well/me", COOKIES),
    ),
    "quart": (
        Case("/well/items", COOKIES | PUT),
        Case("/guarded/items", {}),
    ),
    "aiohttp": (
        Case("/well/items", COOKIES | PUT),
        Case("/by-hand/items", {}),
    ),
    "sanic": (Case("/well/items", COOKIES | PUT),),
    "tornado": (
        Case("/well/items", COOKIES | PUT),
        Case("/well/items", COOKIES),
        Case("/guarded/items", {}),
    ),
    "falcon": (
        Case("/enabled/items", PUT | ID),
        Case("/enabled/missing", {}),
        Case("/well/items", COOKIES | PUT),
    ),
    "litestar": (
        Case("/well/items", COOKIES | PUT),
        Case("/well/private", COOKIES),
    ),
    "blacksheep": (Case("/well/items", COOKIES | PUT | ID),),
    "bottle": (
        Case("/well/items", COOKIES | PUT),
        Case("/hook/private", {}),
        Case("/well/items", COOKIES),
    ),
    "pyramid": (
        Case("/well/items", COOKIES | PUT),
        Case("/well/items", COOKIES),
    ),
    "ours": healthy("asgi", "flask-over-asgi", "quart", "starlette"),
    "ours over WSGI": healthy("wsgi", "flask"),
}
