"""Frameworks of Node, with the CORS package of each. `node/` has their servers, one program for each framework."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.cli.corpus.raw import PAGE

from .case import COOKIES, ID, PUT, Case, require

SERVERS = Path(__file__).parents[1] / "node"
INSTALLED = Path(os.environ.get("CORPUS_NODE", SERVERS))


@contextlib.contextmanager
def start(framework: str, folder: Path) -> Iterator[str]:
    """Serve every set-up of a framework with Node."""
    require(is_installed=bool(shutil.which("node")) and (INSTALLED / "node_modules").is_dir(), name="Node's packages")
    env = os.environ | {"NODE_PATH": str(INSTALLED / "node_modules")}
    command = ["node", str(SERVERS / "server.js"), framework]
    with (
        (folder / "errors.txt").open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env) as process,
    ):
        try:
            assert process.stdout
            port = process.stdout.readline()
            assert port, (folder / "errors.txt").read_text("utf-8")
            yield f"http://127.0.0.1:{int(port)}"
        finally:
            process.kill()


LOGIN = {"headers": ["authorization: Bearer 1"]}
LONG = '{"name": "tea", "price": 3}'
JSON = {"method": "POST", "headers": ["content-type: application/json"], "data": LONG}
WS = {"scheme": "ws"}

# fmt: off
BROKEN = {
    "express": (
        Case("/slash/items", {}, "origin-with-slash"),
        Case("/slashes/items", {}, "origin-not-allowed"),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/regex/items", COOKIES, None, risks=("compares-by-prefix", "compares-by-suffix", "trusts-http")),
        Case("/suffix/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
        Case("/dot/items", COOKIES, None, risks=("unescaped-dot",)),
        Case("/methods/items", PUT, "method-not-allowed"),
        Case("/methods-star/items", COOKIES | PUT, "wildcard-list-with-credentials"),
        Case("/methods-lower/items", PUT, "method-in-another-case"),
        Case("/headers/items", ID, "header-not-allowed"),
        Case("/headers-semicolon/items", ID, "list-malformed"),
        Case("/authorization-only/items", JSON, "content-type-not-allowed"),
        Case("/one-origin/items", {}, "another-origin-allowed"),
        Case("/localhost/items", {"origin": "http://localhost:5173"}, "origin-differs-in-a-part"),
        Case("/http/items", {}, "origin-differs-in-a-part"),
        Case("/pattern/items", {}, "origin-is-a-pattern"),
        Case("/patterns/items", {}, "origin-not-allowed"),
        Case("/host/items", {}, "origin-without-scheme"),
        Case("/null/items", COOKIES, None, risks=("allows-null",)),
        Case("/spaces/items", {}, "origin-not-allowed"),
        Case("/joined-variable/items", {}, "list-of-origins"),
        Case("/unset/items", {}, "no-cors"),
        Case("/unset/items", PUT, "no-cors"),
        Case("/unset-in-template/items", {}, "origin-is-a-word"),
        Case("/no-credentials/items", COOKIES, "credentials-not-allowed"),
        Case("/credentials-text/items", COOKIES, "credentials-not-allowed"),
        Case("/begins/items", COOKIES, None, risks=("compares-by-prefix", "vary-missing")),
        Case("/throwing/items", {}, "refused-by-status"),
        Case("/throwing-in-development/items", {}, "refused-by-status"),
        Case("/throwing-in-development/items", PUT, "refused-by-status"),
        Case("/late/items", PUT, "only-preflight-answered"),
        Case("/late-catch-all/items", PUT, "no-cors"),
        Case("/one-route/items", ID, "preflight-not-answered"),
        Case("/auth-first/items", PUT, "preflight-needs-login"),
        Case("/auth-first/items", {}, "error-without-cors"),
        Case("/login-page/items", {}, "redirected-to-login"),
        Case("/limit-first/items", {}, "gateway-error"),
        Case("/limit-first/items", PUT, "gateway-error"),
        Case("/json-first/items", JSON, "gateway-error"),
        Case("/json-first/items", JSON | {"data": "{"}, "error-without-cors"),
        Case("/crash-first/items", {}, "response-crashed"),
        Case("/crash-cleared/items", {}, "response-crashed"),
        Case("/continue-404/items", PUT, "preflight-not-routed"),
        Case("/two-instances/items", PUT, "another-origin-allowed"),
        Case("/overwritten/items", COOKIES, "wildcard-with-credentials"),
        Case("/appended/items", {}, "two-origin-fields"),
        Case("/https-only/items", PUT, "preflight-redirected-to-https"),
        Case("/static-first/stacks", {}, "redirect-without-cors"),
        Case("/to-the-cdn/items", {}, "redirected-to-another-origin"),
        Case("/cookie/items", COOKIES, None, risks=("cookie-not-kept",)),
        Case("/total/items", {"reads": ["X-Total-Count"]}, "header-not-exposed"),
        Case("/by-hand/items", PUT, "method-not-allowed"),
        Case("/by-hand/items", ID, "header-not-allowed"),
        Case("/by-hand-array/items", {}, "two-origin-fields"),
        Case("/by-hand-true/items", COOKIES, "credentials-not-true"),
        Case("/by-hand-without-end/items", PUT, "preflight-not-routed"),
    ),
    "fastify": (
        Case("/default-methods/items", PUT, "method-not-allowed"),
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/regex/items", COOKIES, None, risks=("compares-by-prefix", "trusts-http")),
        Case("/string/items", {}, "another-origin-allowed"),
        Case("/string/items", {"origin": "https://example.com"}, "origin-differs-in-a-part"),
        Case("/undefined/items", {}, "origin-is-a-word"),
        Case("/unset/items", {}, "refused-by-status"),
        Case("/disabled/items", {}, "no-cors"),
        Case("/disabled/items", PUT, "preflight-not-routed"),
        Case("/headers/items", ID, "header-not-allowed"),
        Case("/encapsulated/items", {}, "no-cors"),
        Case("/encapsulated/items", PUT, "preflight-not-routed"),
        Case("/auth-first/items", PUT, "preflight-needs-login"),
        Case("/overwritten/items", COOKIES | PUT, "wildcard-with-credentials"),
        Case("/by-hook/items", PUT, "preflight-not-routed"),
        Case("/to-slash/items", {}, "redirect-without-cors"),
        Case("/to-slash/items", PUT, "preflight-redirected-for-slash"),
    ),
    "koa": (
        Case("/credentials/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/array/items", {}, "two-origin-fields"),
        Case("/joined/items", {}, "list-of-origins"),
        Case("/host/items", {}, "origin-without-scheme"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/first/items", {}, "origin-not-allowed"),
        Case("/fallback/items", {}, "another-origin-allowed"),
        Case("/methods/items", PUT, "method-not-allowed"),
        Case("/methods-spaces/items", PUT, "list-malformed"),
        Case("/not-exposed/items", {"reads": ["X-Total"]}, "header-not-exposed"),
        Case("/not-on-errors/items", {}, "error-without-cors"),
        Case("/hand-crash/items", {}, "response-crashed"),
        Case("/hand-options/items", PUT, "method-not-allowed"),
        Case("/late/items", PUT, "only-preflight-answered"),
        Case("/auth-first/items", {}, "error-without-cors"),
        Case("/auth-first/items", PUT, "preflight-needs-login"),
    ),
    "hono": (
        Case("/star/items", COOKIES, "wildcard-with-credentials"),
        Case("/echo/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/string/items", {}, "origin-not-allowed"),
        Case("/ends/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
        Case("/methods/items", PUT, "method-not-allowed"),
        Case("/methods-lower/items", {"method": "PATCH"}, "method-in-another-case"),
        Case("/headers/items", ID, "header-not-allowed"),
        Case("/no-credentials/items", COOKIES, "credentials-not-allowed"),
        Case("/other-path/items", {}, "no-cors"),
        Case("/other-path/items", PUT, "preflight-not-routed"),
        Case("/late/items", PUT, "only-preflight-answered"),
        Case("/auth-first/items", {}, "error-without-cors"),
        Case("/auth-first/items", PUT, "preflight-needs-login"),
        Case("/csrf-first/items", {"method": "POST", "data": "name=tea"}, "error-without-cors"),
        Case("/crash-outside/items", {}, "response-crashed"),
        Case("/slash/items", {}, "redirect-without-cors"),
        Case("/slash/items", ID, "preflight-not-routed"),
    ),
    "hapi": (
        Case("/off/items", {}, "no-cors"),
        Case("/off/items", PUT, "preflight-not-routed"),
        Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
        Case("/elsewhere/items", {}, "origin-not-allowed"),
        Case("/host/items", {}, "origin-not-allowed"),
        Case("/loose-wildcard/items", COOKIES, None, risks=("compares-by-suffix",)),
        Case("/no-credentials/items", COOKIES, "credentials-not-allowed"),
        Case("/open/items", COOKIES, "credentials-not-allowed"),
        Case("/ignore/items", COOKIES, "wildcard-with-credentials"),
        Case("/get-only/items", PUT, "preflight-not-routed"),
        Case("/one-route-off/items", {}, "no-cors"),
        Case("/one-route-off/items", PUT, "no-cors"),
        Case("/on-request/items", PUT, "preflight-needs-login"),
        Case("/by-hand/items", PUT, "preflight-not-routed"),
        Case("/options-route/items", PUT, "preflight-not-answered"),
        Case("/total/items", {"reads": ["X-Total"]}, "header-not-exposed"),
        Case("/state/items", COOKIES, None, risks=("cookie-not-kept",)),
    ),
    "nest": (
        Case("/off/items", {}, "no-cors"),
        Case("/off/items", PUT, "preflight-not-routed"),
        Case("/option/items", COOKIES, "wildcard-with-credentials"),
        Case("/late/items", {}, "no-cors"),
        Case("/joined/items", COOKIES, "list-of-origins"),
        Case("/localhost/items", {}, "origin-not-allowed"),
        Case("/localhost-string/items", {"origin": "http://localhost:5173"}, "origin-differs-in-a-part"),
        Case("/suffix/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
        Case("/headers/items", LOGIN, "header-not-allowed"),
        Case("/auth-first/items", PUT, "preflight-needs-login"),
        Case("/well/open", COOKIES, "wildcard-with-credentials"),
    ),
    "polka": (
        Case("/throwing/items", {}, "refused-by-status"),
        Case("/by-hand/items", PUT, "preflight-not-routed"),
        Case("/or-star/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/old-host/items", {}, "redirected-to-another-origin"),
        Case("/below/items", {}, "no-cors"),
    ),
    "plain": (
        Case("/joined/items", {}, "list-of-origins"),
        Case("/printed/items", {}, "list-of-origins"),
        Case("/empty/items", {}, "origin-empty"),
        Case("/false/items", {}, "origin-is-a-word"),
        Case("/own-host/items", {}, "another-origin-allowed"),
        Case("/with-path/items", {}, "origin-with-slash"),
        Case("/upper/items", {}, "origin-in-another-spelling"),
        Case("/with-port/items", {}, "origin-in-another-spelling"),
        Case("/cookies/items", COOKIES, None, risks=("cookie-not-kept",)),
        Case("/credentials-1/items", COOKIES, "credentials-not-true"),
        Case("/no-vary/items", {}, None, risks=("vary-missing",)),
        Case("/options-only/items", PUT, "only-preflight-answered"),
        Case("/get-only/items", PUT, "preflight-not-answered"),
        Case("/not-on-404/missing", {}, "error-without-cors"),
        Case("/405/items", PUT | {"method": "PATCH"}, "preflight-not-routed"),
        Case("/to-password/items", {}, "redirected-with-password"),
    ),
    "sockets": (
        Case("/open", WS, None, risks=("handshake-unguarded",)),
        Case("/refused", WS, "handshake-refused"),
        Case("/refused-403", WS, "handshake-refused"),
        Case("/login", WS, "handshake-refused"),
        Case("/polling/socket.io/?EIO=4&transport=polling", {}, "no-cors"),
        Case("/polling-elsewhere/socket.io/?EIO=4&transport=polling", {}, "another-origin-allowed"),
        Case("/polling-star/socket.io/?EIO=4&transport=polling", COOKIES, "wildcard-with-credentials"),
        Case("/polling-well/socket.io/?EIO=4&transport=websocket", WS, None, risks=("handshake-unguarded",)),
        Case("/io-refused/socket.io/?EIO=4&transport=websocket", WS, "handshake-refused"),
    ),
    "further": (
        Case("/gateway/items", {}, "two-origin-fields"),
        Case("/unset-list/items", {}, "origin-not-allowed"),
        Case("/origin-of-the-callback/items", COOKIES, None, risks=("reflects-any-origin", "vary-missing")),
        Case("/cache-before/items", {}, "cached-for-another-origin"),
        Case("/another-port/items", {"origin": f"{PAGE}:8443"}, "origin-differs-in-a-part"),
        Case("/identity-provider/items", {}, "redirected-to-login"),
        Case("/slashes-in-a-list/items", PUT, "list-malformed"),
        Case("/authorisation/items", LOGIN, "header-not-allowed"),
        Case("/validated-first/items", {}, "error-without-cors"),
        Case("/opened-from-a-file/items", {"origin": "null"}, "origin-not-allowed"),
        Case("/api-key/items", PUT, "preflight-bad-status"),
        Case("/busy/items", {}, "gateway-error"),
        Case("/meta/items", {}, "no-cors"),
    ),
}
# The doctor is wrong about these today.
WRONG_TODAY = {
    "express": (
        Case("/late/items", {}, "only-preflight-answered"),
        Case("/false/items", {}, "origin-not-allowed"),
        Case("/throwing-in-production/items", {}, "refused-by-status"),
        Case("/throwing-in-production/items", PUT, "refused-by-status"),
        Case("/throwing-403/items", {}, "refused-by-status"),
        Case("/throwing-403/items", PUT, "refused-by-status"),
        Case("/crash-in-callback/items", {}, "response-crashed"),
        Case("/crash-in-callback/items", PUT, "preflight-crashed"),
        Case("/by-hand-typo/items", {}, "misspelled-header"),
    ),
    "fastify": (
        Case("/stream/items", {}, "only-preflight-answered"),
        Case("/throwing/items", {}, "refused-by-status"),
        Case("/throwing/items", PUT, "refused-by-status"),
    ),
    "koa": (
        Case("/late/items", {}, "only-preflight-answered"),
        Case("/asserting/items", {}, "refused-by-status"),
    ),
    "hono": (
        Case("/late/items", {}, "only-preflight-answered"),
        Case("/appended/items", {}, "two-origin-fields"),
    ),
    "hapi": (
        Case("/elsewhere/items", PUT, "origin-not-allowed"),
        Case("/slash/items", PUT, "origin-not-allowed"),
        Case("/headers/items", JSON, "content-type-not-allowed"),
        Case("/default-headers/items", ID, "header-not-allowed"),
    ),
    "nest": (
        Case("/throwing/items", {}, "refused-by-status"),
        Case("/throwing/items", PUT, "refused-by-status"),
    ),
    "plain": (
        Case("/object/items", {}, "origin-is-a-word"),
        Case("/typo-methods/items", PUT, "misspelled-header"),
        Case("/typo-header/items", {}, "misspelled-header"),
        Case("/allow-header/items", ID, "misspelled-header"),
        Case("/closes-on-options/items", PUT, "preflight-dropped"),
        Case("/hangs-on-options/items", PUT, "preflight-dropped"),
    ),
    "sockets": (
        Case("/other-path", WS, "handshake-not-routed"),
        Case("/prefix", WS, None, risks=("compares-by-prefix",)),
        Case("/no-upgrade", WS, "handshake-not-upgraded"),
        Case("/not-routed", WS, "handshake-not-routed"),
        Case("/dropped", WS, "handshake-refused"),
        Case("/io-refused/socket.io/?EIO=4&transport=polling", {}, "refused-by-status"),
    ),
    "further": (
        Case("/substring/items", COOKIES, None, risks=("compares-by-substring",)),
        Case("/cache-before-unused/items", {}, None, risks=("cache-mixes-origins",)),
        Case("/expose-header/items", {"reads": ["X-Total"]}, "misspelled-header"),
        Case("/line-break/items", {}, "response-crashed"),
        Case("/other-list-on-a-route/items", PUT, "origin-not-allowed"),
    ),
}
HEALTHY = {
    "express": (
        Case("/well/items", COOKIES),
        Case("/well/items", COOKIES | PUT),
        Case("/defaults/items", {}),
        Case("/defaults/items", PUT | ID),
        Case("/anchored/items", COOKIES),
        Case("/headers-star/items", LOGIN),
        Case("/success-200/items", PUT),
        Case("/well-by-callback/items", COOKIES | PUT),
        Case("/well-in-development/items", {}),
        Case("/json-limit/items", JSON),
        Case("/crash/items", {}),
        Case("/to-v2/items", {}),
        Case("/total-exposed/items", {"reads": ["X-Total-Count"]}),
        Case("/helmet/items", COOKIES | PUT),
        Case("/by-hand-well/items", PUT | ID),
    ),
    "fastify": (
        Case("/well/items", COOKIES | PUT),
        Case("/defaults/items", {}),
        Case("/by-promise/items", COOKIES | PUT),
        Case("/auth-after/items", PUT),
        Case("/routes-first/items", PUT),
        Case("/encapsulated/api/items", PUT),
        Case("/limit/items", JSON),
        Case("/crash/items", {}),
    ),
    "koa": (
        Case("/well/items", COOKIES | PUT),
        Case("/defaults/items", PUT | ID),
        Case("/missing/items", {}),
        Case("/auth-after/items", PUT),
    ),
    "hono": (
        Case("/well/items", COOKIES | PUT),
        Case("/defaults/items", PUT | ID),
        Case("/subdomains/items", COOKIES),
        Case("/auth-after/items", PUT),
        Case("/secure-headers/items", PUT),
        Case("/raw-response/items", {}),
    ),
    "hapi": (
        Case("/well/items", COOKIES | PUT | ID),
        Case("/open/items", PUT),
        Case("/ignore/items", {}),
        Case("/wildcard/items", COOKIES),
        Case("/strategy/items", PUT),
        Case("/crash/items", {}),
    ),
    "nest": (
        Case("/well/items", COOKIES | PUT),
        Case("/well/crash", {}),
        Case("/well/missing", {}),
        Case("/option/items", PUT | ID),
    ),
    "polka": (
        Case("/well/items", COOKIES | PUT),
        Case("/below/api/items", {}),
    ),
    "plain": (
        Case("/well/items", PUT),
        Case("/star/items", PUT),
    ),
    "sockets": (
        Case("/well", WS),
        Case("/io-checked/socket.io/?EIO=4&transport=websocket", WS),
        Case("/polling-well/socket.io/?EIO=4&transport=polling", COOKIES),
    ),
    "further": (Case("/not-awaited/items", PUT),),
}
# fmt: on
