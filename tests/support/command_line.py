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
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, stdin: str | bytes = "") -> Ran:
    """Run `asgi-cors` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["asgi-cors", *arguments])
        content = stdin.encode() if isinstance(stdin, str) else stdin
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
                code: Any = 0
            except SystemExit as stop:
                code = stop.code
    return Ran(code or 0, out.getvalue(), err.getvalue())


def arguments(call: Mapping[str, Any], url: str) -> list[str]:
    """Return a call as the arguments of the doctor."""
    if "scheme" in call:
        url = url.replace("http", call["scheme"], 1)
    words = [url, "--origin", call.get("origin", PAGE), "--method", call.get("method", "GET")]
    for header in call.get("headers", ()):
        words += ["-H", header]
    for name in call.get("reads", ()):
        words += ["--reads", name]
    for cookie in call.get("cookies", ()):
        words += ["--cookie", cookie]
    words += ["--credentials"] if call.get("credentials") else []
    words += ["--insecure"] if call.get("insecure") else []
    words += ["--timeout", call["timeout"]] if "timeout" in call else []
    return words + (["--data", call["data"]] if "data" in call else [])


def doctor(call: Mapping[str, Any], url: str) -> Ran:
    """Run the doctor on a call, with --json."""
    return run("doctor", *arguments(call, url), "--json")
