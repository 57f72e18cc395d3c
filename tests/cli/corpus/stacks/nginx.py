"""nginx before an app."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.cli.corpus.certificate import create_certificate

from .behind import configure, find_program, prime, running, upstreams
from .case import COOKIES, ID, PUT, Case


def command(config: Path) -> list[str]:
    """Return the command that serves a configuration with nginx."""
    folder = config.parent
    return [find_program("nginx"), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve the locations with nginx, before an app. One response is in its cache already."""
    with upstreams() as ports:
        configure("nginx-locations.conf", folder, ports)
        with running(command(configure("nginx.conf", folder, ports)), ports.proxy):
            url = f"http://127.0.0.1:{ports.proxy}"
            prime(f"{url}/cached/primed/unvaried/items", "https://admin.example.com")
            yield url


@contextlib.contextmanager
def start_tls(folder: Path) -> Iterator[str]:
    """Serve an app over TLS. The URL has http, as users write it by mistake."""
    create_certificate(folder)
    with upstreams() as ports, running(command(configure("nginx-tls.conf", folder, ports)), ports.proxy):
        yield f"http://127.0.0.1:{ports.proxy}"


@contextlib.contextmanager
def start_http2(folder: Path) -> Iterator[str]:
    """Serve an app over HTTP/2 without TLS."""
    with upstreams() as ports, running(command(configure("nginx-http2.conf", folder, ports)), ports.proxy):
        yield f"http://127.0.0.1:{ports.proxy}"


# fmt: off
BROKEN = (
    Case("/star-added/own/items", {}, "two-origin-fields"),
    Case("/same-added/own/items", COOKIES, "two-origin-fields"),
    Case("/not-always/missing", {}, "error-without-cors"),
    Case("/not-always/crash", {}, "response-crashed"),
    Case("/small/items", {"method": "PUT", "data": "too long"}, "gateway-error"),
    Case("/down/items", {}, "gateway-error"),
    Case("/slow/own/items", {}, "gateway-error"),
    Case("/empty-204/items", PUT, "preflight-not-answered"),
    Case("/guarded/items", PUT, "preflight-needs-login"),
    Case("/basic/items", PUT, "preflight-needs-login"),
    Case("/get-only/own/items", PUT, "preflight-needs-login"),
    Case("/prefix/items", COOKIES, None, risks=("compares-by-prefix", "unescaped-dot")),
    Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
    Case("/https/items", PUT, "preflight-redirected-to-https"),
    Case("/not-always/items", PUT, "method-not-allowed"),
    Case("/inherited/inner/items", {}, "no-cors"),
    Case("/by-method/items", PUT, "only-preflight-answered"),
    Case("/quoted/items", {}, "origin-in-quotes"),
    Case("/list/items", {}, "list-of-origins"),
    Case("/another-site/items", {}, "origin-not-allowed"),
    Case("/slashed/own/items", PUT, "preflight-redirected-for-slash"),
    Case("/slashed/own/items", {}, "redirect-without-cors"),
    Case("/true/items", COOKIES, "credentials-not-true"),
    Case("/wildcard/items", COOKIES, "wildcard-with-credentials"),
    Case("/login-first/own/items", {}, "redirected-to-login"),
    Case("/cached/primed/unvaried/items", {}, "cached-for-another-origin"),
    Case("/plain/strict/items", PUT, "preflight-not-routed"),
    Case("/plain/own/items", COOKIES | {"reads": ["X-Total-Count"]}, "header-not-exposed"),
    Case("/dropped/own/items", PUT, "preflight-dropped"),
    Case("/typo/items", {}, "misspelled-header"),
    Case("/sockets/socket", {"scheme": "ws"}, "handshake-not-upgraded"),
    Case("/cached/unvaried/items", {}, None, risks=("cache-mixes-origins",)),
)
HEALTHY = (
    Case("/well/items", PUT | ID),
    Case("/well/missing", {}),
    Case("/well-listed/items", COOKIES),
    Case("/well-listed/crash", COOKIES),
    Case("/plain/own/items", COOKIES | PUT | ID),
    Case("/cached/own/items", COOKIES),
    Case("/sockets-well/socket", {"scheme": "ws"}),
)
BROKEN_TLS = (
    Case("/moved/own/items", {"scheme": "https", "insecure": True}, "redirected-to-http"),
    Case("/plain/own/items", {}, "http-on-tls-port"),
)
HEALTHY_TLS = (
    Case("/plain/own/items", COOKIES | PUT | {"scheme": "https", "insecure": True}),
)
BROKEN_HTTP2 = (
    Case("/own/items", {}, "http2-only"),
)
# fmt: on
