"""Express with its cors package."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .case import COOKIES, ID, PUT, Case, require

EXPRESS = Path(os.environ.get("CORPUS_EXPRESS", Path(__file__).parents[1] / "express"))


@contextlib.contextmanager
def start(_folder: Path) -> Iterator[str]:
    """Serve every configuration of `cors` with Node."""
    require(is_installed=bool(shutil.which("node")) and (EXPRESS / "node_modules").is_dir(), name="Express")
    here = Path(__file__).parents[1] / "express" / "server.js"
    env = os.environ | {"NODE_PATH": str(EXPRESS / "node_modules")}
    with subprocess.Popen(["node", str(here)], stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


# fmt: off
BROKEN = (
    Case("/slash/items", {}, "origin-with-slash"),
    Case("/star/items", COOKIES, "wildcard-with-credentials"),
    Case("/reflecting/items", COOKIES, None, risks=("reflects-any-origin",)),
    Case("/regex/items", COOKIES, None, risks=("compares-by-prefix", "compares-by-suffix", "trusts-http")),
    Case("/suffix/items", COOKIES, None, risks=("compares-by-suffix", "trusts-http")),
    Case("/methods/items", PUT, "method-not-allowed"),
    Case("/headers/items", ID, "header-not-allowed"),
    Case("/one-origin/items", {}, "another-origin-allowed"),
    Case("/late/items", {}, "no-cors"),
    Case("/throwing/items", {}, "refused-by-status"),
    Case("/auth-first/items", PUT, "preflight-needs-login"),
)
HEALTHY = (
    Case("/well/items", COOKIES),
    Case("/well/items", COOKIES | PUT),
)
# fmt: on
