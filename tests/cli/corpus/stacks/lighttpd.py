"""lighttpd before an app."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .behind import configure, find_program, running, upstreams
from .case import COOKIES, ID, PUT, Case

JSON = {"method": "POST", "headers": ["content-type: application/json"], "data": "{}"}


@contextlib.contextmanager
def start(folder: Path) -> Iterator[str]:
    """Serve every set-up with lighttpd, before an app."""
    with upstreams() as ports:
        config = configure("lighttpd.conf", folder, ports)
        folder.joinpath("users").write_text("ada:lovelace\n", "utf-8")
        folder.joinpath("files").mkdir()
        folder.joinpath("files", "list.txt").write_text("tea\n", "utf-8")
        with running([find_program("lighttpd"), "-D", "-f", str(config)], ports.proxy):
            yield f"http://127.0.0.1:{ports.proxy}"


# fmt: off
BROKEN = (
    Case("/add/own/items", {}, "two-origin-fields"),
    Case("/deny/own/items", PUT, "preflight-needs-login"),
    Case("/auth/own/items", {}, "error-without-cors"),
    Case("/auth/decorated/own/items", PUT, "preflight-needs-login"),
    Case("/small/own/items", {"method": "PUT", "data": "x" * 2000}, "gateway-error"),
    Case("/down/items", {}, "gateway-error"),
    Case("/https/own/items", {}, "redirect-without-cors"),
    Case("/moved/things", PUT, "preflight-redirected-for-slash"),
    Case("/compared/items", {}, None, risks=("vary-missing",)),
    Case("/referer/items", {}, "no-cors"),
    Case("/two-in-one/items", {}, "list-of-origins"),
    Case("/no-scheme/items", {}, "origin-without-scheme"),
    Case("/other-port/items", {}, "origin-differs-in-a-part"),
    Case("/quoted-credentials/items", COOKIES, "credentials-not-true"),
    Case("/headers/items", JSON, "content-type-not-allowed"),
    Case("/files/list.txt", PUT, "method-not-allowed"),
    Case("/sockets/socket", {"scheme": "ws"}, "handshake-not-upgraded"),
)
HEALTHY = (
    Case("/well/items", COOKIES),
    Case("/well/items", COOKIES | PUT | ID),
    Case("/well/missing", COOKIES),
    Case("/sockets-well/socket", {"scheme": "ws"}),
    Case("/files/list.txt", {}),
)
# fmt: on
