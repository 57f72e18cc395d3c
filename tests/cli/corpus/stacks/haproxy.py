"""HAProxy before an app."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .behind import configure, find_program, running, upstreams
from .case import COOKIES, ID, PUT, Case


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve every set-up with HAProxy, before an app."""
    with upstreams() as ports:
        config = configure("haproxy.cfg", folder, ports)
        with running([find_program("haproxy"), "-q", "-db", "-f", str(config)], ports.proxy):
            yield f"http://127.0.0.1:{ports.proxy}"


# fmt: off
BROKEN = (
    Case("/deny/own/items", PUT, "preflight-needs-login"),
    Case("/methods/own/items", PUT, "preflight-not-routed"),
    Case("/rate/own/items", {}, "gateway-error"),
    Case("/auth/own/items", PUT, "preflight-needs-login"),
    Case("/auth/own/items", COOKIES, "error-without-cors"),
    Case("/empty-200/items", PUT, "preflight-not-answered"),
    Case("/posts/items", PUT, "method-not-allowed"),
    Case("/semicolons/items", PUT, "list-malformed"),
    Case("/https/own/items", PUT, "preflight-redirected-to-https"),
    Case("/login-first/own/items", COOKIES, "redirected-to-login"),
    Case("/login-first/own/items", COOKIES | PUT, "preflight-redirected-to-login"),
    Case("/down/items", {}, "gateway-error"),
    Case("/slow/own/items", {}, "gateway-error"),
    Case("/backend/items", {}, "error-without-cors"),
    Case("/end/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
    Case("/sub/items", COOKIES, None, risks=("compares-by-prefix", "trusts-http")),
    Case("/compared/items", {}, None, risks=("vary-missing",)),
    Case("/add/own/items", {}, "two-origin-fields"),
    Case("/http-origin/items", {}, "origin-differs-in-a-part"),
    Case("/unset-variable/items", {}, "origin-empty"),
    Case("/true/own/items", COOKIES, "credentials-not-true"),
    Case("/firewall/own/items", PUT, "blocked-by-firewall"),
    Case("/reject/own/items", PUT, "preflight-dropped"),
)
HEALTHY = (
    Case("/well/items", COOKIES),
    Case("/well/items", COOKIES | PUT | ID),
    Case("/after/items", {}),
    Case("/plain/own/missing", COOKIES | PUT),
)
# fmt: on
