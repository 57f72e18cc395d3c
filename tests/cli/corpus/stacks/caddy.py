"""Caddy before an app."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .behind import configure, find_program, running, upstreams
from .case import COOKIES, ID, PUT, Case


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve every set-up with Caddy, before an app."""
    with upstreams() as ports:
        config = configure("Caddyfile", folder, ports)
        command = [find_program("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
        with running(command, ports.proxy):
            yield f"http://127.0.0.1:{ports.proxy}"


# fmt: off
BROKEN = (
    Case("/both/own/items", {}, "two-origin-fields"),
    Case("/plus/own/items", {}, "two-origin-fields"),
    Case("/deferred/items", {}, "gateway-error"),
    Case("/slow/own/items", {}, "gateway-error"),
    Case("/auth/own/items", {}, "error-without-cors"),
    Case("/auth/own/items", PUT, "preflight-needs-login"),
    Case("/handled/items", PUT, "preflight-not-answered"),
    Case("/admin/items", {}, "origin-not-allowed"),
    Case("/dots/items", COOKIES, None, risks=("compares-by-prefix", "unescaped-dot")),
    Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
    Case("/unset-variable/items", {}, "origin-empty"),
    Case("/pattern/items", {}, "origin-is-a-pattern"),
    Case("/slash/items", {}, "origin-with-slash"),
    Case("/any-header/items", COOKIES | ID, "wildcard-list-with-credentials"),
    Case("/files/Caddyfile", PUT, "preflight-not-routed"),
    Case("/moved/things", PUT, "preflight-redirected-for-slash"),
    Case("/https/items", {}, "redirect-without-cors"),
    Case("/v1/items", {}, "no-cors"),
    Case("/plain/own/items", {"reads": ["X-Total-Count"]}, "header-not-exposed"),
    Case("/abort/own/items", PUT, "preflight-dropped"),
)
HEALTHY = (
    Case("/well/items", COOKIES),
    Case("/well/items", COOKIES | PUT | ID),
    Case("/well/missing", COOKIES),
    Case("/down/items", {}),
    Case("/plain/own/crash", COOKIES),
)
# fmt: on
