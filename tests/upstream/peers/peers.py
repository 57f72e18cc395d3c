"""Check each peer with `asgi-cors check`: `python peers.py PYTHON NODE_FOLDER [NAME…]`.

PYTHON has the peers and uvicorn, in an environment without this project, because a peer has the same import name.
NODE_FOLDER has express and cors. The table shows the failed cases of each peer.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATIENCE = 20.0  # seconds, for a server to start
COMMON = [
    *("--allow", "https://app.example.com", "--allow", "https://admin.example.com:8443"),
    *("--refuse", "https://partner.example.net", "--method", "PUT", "--method", "PATCH", "--header", "x-id"),
    *("--header", "authorization", "--send-unsafe"),
]
CREDENTIALS = ["--credentials", "--expose", "x-total"]
PYTHON_PEERS = {
    "starlette": ("starlette", "starlette", [*COMMON, *CREDENTIALS], []),
    "flask-cors": ("flask-cors", "flask_cors", [*COMMON, *CREDENTIALS], ["--interface", "wsgi"]),
    "quart-cors": ("quart-cors", "quart_cors", [*COMMON, *CREDENTIALS], []),
    "asgi-cors": ("asgi-cors", "asgi_cors", COMMON, []),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """Run a server until the block ends."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            threading.Event().wait(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def check(port: int, options: list[str]) -> list[dict[str, Any]]:
    """Return the cases of a check."""
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "asgi_cors",
        "check",
        f"{url}/items",
        "--error",
        f"{url}/crash",
        "--json",
        *options,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode not in {0, 1}:
        sys.exit(ran.stderr)
    cases: list[dict[str, Any]] = json.loads(ran.stdout)["cases"]
    return cases


def show(name: str, version: str, cases: list[dict[str, Any]]) -> None:
    """Print the failed cases."""
    failed = [case for case in cases if case["status"] == "failed"]
    print(f"{name} {version}: {len(failed)} of {len(cases)} fail")
    for case in failed:
        print(f"  {case['kind']:8}  {case['name']:32}  {case['problems'][0]}")


def main() -> None:
    """Check the peers."""
    python, node, *names = sys.argv[1:]
    for name, (package, factory, options, flags) in PYTHON_PEERS.items():
        if names and name not in names:
            continue
        port = free_port()
        command = [python, "-m", "uvicorn", f"apps:{factory}", "--factory", "--port", str(port), *flags]
        query = f"from importlib.metadata import version; print(version({package!r}))"
        version = subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip()
        with serving(command, HERE, port):
            show(name, version, check(port, options))
    if names and "cors" not in names:
        return
    port, folder = free_port(), Path(node)
    shutil.copy(HERE / "express.js", folder)
    version = json.loads((folder / "node_modules/cors/package.json").read_text("utf-8"))["version"]
    with serving(["node", "express.js", str(port)], folder, port):
        show("cors (npm)", version, check(port, [*COMMON, *CREDENTIALS]))


if __name__ == "__main__":
    main()
