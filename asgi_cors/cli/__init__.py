"""The command line: why is it blocked? `python -m asgi_cors`, or the script `asgi-cors`.

    asgi-cors doctor https://api.example.com/items --origin https://app.example.com -X PUT --credentials
    asgi-cors explain main:app /items --origin https://app.example.com -X PUT
    asgi-cors audit main:app
    asgi-cors console "<what the browser's console says>"

To read the code: `_commands` is what people type. The doctor's way is `_question` (what is asked), `_recorder` and
`_visit` (asking it as three browsers would), `_evidence` (what came back), `_diagnosis` with the `_causes_…` and
`_risks_…` modules (one small function for each thing that goes wrong), `_report` (in words). `_apps`, `_routes` and
`_audit` look at an app without starting it; `_messages` knows what browsers print.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; without the libraries that it needs, say how to get them."""
    try:
        from .commands import run  # noqa: PLC0415 - what it needs is an extra
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"click", "httpx", "rich"}:
            raise
        sys.stderr.write(f"asgi-cors needs {missing}. Install it by `pip install 'asgi-cors-bridge[cli]'`.\n")
        raise SystemExit(2) from None
    run()
