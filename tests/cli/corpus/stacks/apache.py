"""Apache before an app."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.cli.corpus.certificate import create_certificate

from .behind import Ports, configure, find_program, running, upstreams
from .case import COOKIES, ID, PUT, Case

MODULES = "/usr/lib/apache2/modules"


def command(folder: Path, ports: Ports) -> list[str]:
    """Write Apache's configuration, and return the command that serves it."""
    config = configure("apache.conf", folder, ports, MODULES=MODULES)
    return [find_program("apache2"), "-f", str(config), "-D", "FOREGROUND"]


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve the locations with Apache, before an app."""
    with upstreams() as ports, running(command(folder, ports), ports.proxy):
        yield f"http://127.0.0.1:{ports.proxy}"


@contextlib.contextmanager
def start_tls(folder: Path) -> Iterator[str]:
    """Serve the same with TLS. The URL has http, as users write it by mistake."""
    certificate = create_certificate(folder)
    with upstreams() as ports:
        lines = ["-c", "SSLEngine On", "-c", f"SSLCertificateFile {certificate}"]
        with running([*command(folder, ports), *lines], ports.proxy):
            yield f"http://127.0.0.1:{ports.proxy}"


# fmt: off
BROKEN = (
    Case("/basic/items", {}, "error-without-cors"),
    Case("/basic/items", PUT, "preflight-needs-login"),
    Case("/set-and-always/items", {}, "two-origin-fields"),
    Case("/add/own/items", {}, "two-origin-fields"),
    Case("/append/star/items", {}, "two-origin-fields"),
    Case("/limit/own/items", PUT, "preflight-needs-login"),
    Case("/rewrite/items", PUT, "preflight-not-answered"),
    Case("/dots/items", COOKIES, None, risks=("unescaped-dot",)),
    Case("/end/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
    Case("/quoted/items", {}, "origin-in-quotes"),
    Case("/brackets/items", ID, "list-malformed"),
    Case("/lower-case/items", {"method": "PATCH"}, "method-in-another-case"),
    Case("/network/items", {}, "error-without-cors"),
    Case("/down/items", {}, "gateway-error"),
    Case("/https/items", {}, "redirect-without-cors"),
    Case("/moved/things", PUT, "preflight-redirected-for-slash"),
    Case("/wildcard/items", COOKIES, "wildcard-with-credentials"),
    Case("/unset-variable/items", {}, "origin-is-a-word"),
    Case("/typo/items", ID, "misspelled-header"),
    Case("/firewall/own/items", PUT, "blocked-by-firewall"),
)
HEALTHY = (
    Case("/well/items", COOKIES | PUT | ID),
    Case("/well/missing", COOKIES),
    Case("/well/own/items", COOKIES),
    Case("/members/own/items", COOKIES | PUT),
    Case("/plain/own/crash", COOKIES),
)
BROKEN_TLS = (
    Case("/plain/own/items", {}, "http-on-tls-port"),
)
HEALTHY_TLS = (
    Case("/plain/own/items", COOKIES | PUT | {"scheme": "https", "insecure": True}),
)
# fmt: on
