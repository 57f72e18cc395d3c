"""Frameworks of Node, with the CORS package of each. `node/` has their servers, one program for each framework."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .case import require

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
