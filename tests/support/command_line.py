"""The command line as a user runs it, in this process."""

import contextlib
import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from asgi_cors.cli import main
from tests.cli.corpus.raw import PAGE


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, stdin: str = "") -> Ran:
    """Run `asgi-cors` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["asgi-cors", *arguments])
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
                code: Any = 0
            except SystemExit as stop:
                code = stop.code
    return Ran(code or 0, out.getvalue(), err.getvalue())


def arguments(asks: Mapping[str, Any], url: str) -> list[str]:
    """Write a call as a user does."""
    if "scheme" in asks:
        url = url.replace("http", asks["scheme"], 1)
    written = [url, "--origin", asks.get("origin", PAGE), "--method", asks.get("method", "GET")]
    for header in asks.get("headers", ()):
        written += ["-H", header]
    for name in asks.get("reads", ()):
        written += ["--reads", name]
    written += ["--credentials"] if asks.get("credentials") else []
    written += ["--insecure"] if asks.get("insecure") else []
    return written + (["--data", asks["data"]] if "data" in asks else [])


def doctor(asks: Mapping[str, Any], url: str) -> Ran:
    """Run the doctor on a call, for JSON."""
    return run("doctor", *arguments(asks, url), "--json")
