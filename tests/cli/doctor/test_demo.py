"""The doctor tests the demo: its verdict on every row is the one that Chromium reached (see tests/browser)."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.command_line import run

pytestmark = pytest.mark.slow

pytest.importorskip("uvicorn", reason="the demo is served by uvicorn")
pytest.importorskip("websockets", reason="and by websockets")
pytest.importorskip("fastapi", reason="one of its APIs is an app of FastAPI")
pytest.importorskip("django", reason="and one a project of Django")

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "examples" / "demo"


# Chromium's verdicts for the allowed and the refused page: the table of tests/browser/test_demo.py.
ROWS = eval(  # noqa: S307 - a literal of this repository's
    re.search(
        r"^ROWS = ({.*?^})", (ROOT / "tests" / "browser" / "test_demo.py").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )[1],
    {
        "FORGED": None,
        "NOT_EXPOSED": "HeaderNotExposed",
        "NO_ORIGIN": "MissingAllowOriginHeader",
        "NO_ORIGIN_PREFLIGHT": "PreflightMissingAllowOriginHeader",
    },
)
FORMS = {"form", "form-read"}  # the doctor sends requests of scripts
# Browsers do not apply CORS to a WebSocket: the server refuses it, and DevTools have no code for that.
OTHER_CODES = {("websocket", "refused"): "HandshakeRefused"}


@pytest.fixture(scope="module")
def plans():
    """Run the demo, and yield the plans of its page that is allowed and of the one that is refused."""
    command = [sys.executable, str(DEMO), "--ports", "0", "0", "0", "0"]
    env = os.environ | {"PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        try:
            printed = ""
            while "Ctrl-C ends the demo" not in printed:
                line = process.stdout.readline()
                assert line, printed
                printed += line
            pages = dict(re.findall(r"^ +a page it (\w+) +(http\S+)", printed, re.MULTILINE))
            yield {"allowed": plan_of(pages["allows"]), "refused": plan_of(pages["refuses"])}
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)


def plan_of(page: str) -> dict[str, object]:
    """Read the requests that a page makes."""
    with urllib.request.urlopen(f"{page}/plan.json", timeout=20) as response:
        return json.load(response)


def arguments_for(url: str, origin: str, case: dict[str, object]) -> list[str]:
    """Return the arguments for the request of one row."""
    url += case["path"]
    arguments = [url.replace("http", "ws", 1) if case["how"] == "websocket" else url]
    arguments += ["-o", origin, "-X", case["method"], "--json"]
    for header in case["headers"].items():
        arguments += ["-H", ": ".join(header)]
    arguments += ["--credentials"] if case["credentials"] else []
    return arguments + (["--reads", case["reads"]] if case["reads"] else [])


@pytest.mark.parametrize("side", ["allowed", "refused"])
@pytest.mark.parametrize("name", [name for name in ROWS if name not in FORMS])
def test_the_verdict_in_every_browser_is_that_of_chromium(plans, name, side):
    code = OTHER_CODES.get((name, side), ROWS[name][side == "refused"])
    rows = [(api["url"], row) for api in plans[side]["apis"] for row in api["rows"] if row["id"] == name]
    assert rows
    for url, row in rows:
        ran = run("doctor", *arguments_for(url, plans[side]["origin"], row))
        assert {browser["code"] for browser in ran.json["browsers"]} == {code}
        assert ran.code == (1 if code else 0)
        assert (ran.json["cause"] is None) == (code is None)
        assert ran.json["risks"] == []
