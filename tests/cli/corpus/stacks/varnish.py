"""Varnish, a cache, before an app."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .behind import configure, find_program, prime, running, upstreams
from .case import COOKIES, ID, PUT, Case


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve every set-up with Varnish, before an app. Some responses are in its cache already."""
    with upstreams() as ports:
        config = configure("varnish.vcl", folder, ports)
        command = [find_program("varnishd"), "-F", "-j", "none", "-n", str(folder / "varnish"), "-T", "none"]
        command += ["-s", "malloc,16m", "-a", f"127.0.0.1:{ports.proxy}", "-f", str(config)]
        with running(command, ports.proxy):
            url = f"http://127.0.0.1:{ports.proxy}"
            prime(f"{url}/primed/unvaried/items", "https://admin.example.com")
            prime(f"{url}/bare-first/unvaried/items")
            yield url


# fmt: off
BROKEN = (
    Case("/primed/unvaried/items", {}, "cached-for-another-origin"),
    Case("/bare-first/unvaried/items", {}, "cached-for-another-origin"),
    Case("/origin-removed/own/items", {}, "origin-not-allowed"),
    Case("/all-hashed/own/items", PUT, "method-not-allowed"),
    Case("/deny/own/items", PUT, "preflight-needs-login"),
    Case("/methods/own/items", PUT, "preflight-not-routed"),
    Case("/empty-204/items", PUT, "preflight-not-answered"),
    Case("/https/items", PUT, "preflight-redirected-to-https"),
    Case("/down/items", {}, "gateway-error"),
    Case("/slow/items", {}, "gateway-error"),
    Case("/end/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
    Case("/only-200/missing", {}, "error-without-cors"),
    Case("/list/items", {}, "list-of-origins"),
    Case("/unprimed/unvaried/items", {}, None, risks=("cache-mixes-origins",)),
    Case("/vary-removed/own/items", COOKIES, None, risks=("cache-mixes-origins",)),
    Case("/typo/items", {}, "misspelled-header"),
)
HEALTHY = (
    Case("/well/items", COOKIES),
    Case("/well/items", COOKIES | PUT | ID),
    Case("/plain/own/items", COOKIES),
    Case("/plain/star/items", {}),
)
# fmt: on
