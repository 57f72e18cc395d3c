"""The command line: why does the browser block this request?

    asgi-cors doctor https://api.example.com/items --origin https://app.example.com -X PUT --credentials
    asgi-cors explain main:app /items --origin https://app.example.com -X PUT
    asgi-cors audit main:app
    asgi-cors check https://api.example.com/items --allow https://app.example.com -X PUT
    asgi-cors lint src
    asgi-cors console "<the message in the browser's console>"

Each command has a package, with its options in `command`. `commands` has the group and the exit codes. `doctor` tests
a live server. `apps` loads and inspects an app without starting it, for `explain` and `audit`. `check` compares any
server with a declared expectation. `lint` reads source code, `console` the messages of browsers.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. If a library of the extra is missing, print how to install it."""
    try:
        from .commands import run  # noqa: PLC0415 - its imports belong to an extra
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"click", "h2", "httpx", "rich"}:
            raise
        sys.stderr.write(f"asgi-cors needs {missing}. Install it with pip install 'asgi-cors-bridge[cli]'.\n")
        raise SystemExit(2) from None
    run()
