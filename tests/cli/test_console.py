"""Reading the console: every message that browsers were seen to print is recognised, and stands in docs/console.md."""

import io
import json
import sys
from pathlib import Path

import pytest

from asgi_cors.cli import main
from asgi_cors.cli.console.causes import MEANINGS
from asgi_cors.cli.console.messages import recognise, shown, templates_of
from asgi_cors.cli.console.report import page
from tests.support.command_line import run

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests" / "data" / "console-messages.json").read_text("utf-8"))["cases"]
PREFLIGHT_CODES = {"PreflightInvalidStatus", "PreflightDisallowedRedirect"}  # there is no such code without it

# What Firefox says otherwise than Chromium of the same answer.
FIREFOX_SAYS = {
    "pf_redirect_301_noacao": "MissingAllowOriginHeader",
    "redirect_userinfo": "DidNotSucceed",
    "redirect_pf_request_cross": "HeaderDisallowedByPreflightResponse",
}
WEBKIT = {
    "Origin https://a.test is not allowed by Access-Control-Allow-Origin. Status code: 200": "MissingAllowOriginHeader",
    "Preflight response is not successful. Status code: 401": "PreflightInvalidStatus",
    "Preflight response is not successful. Status code: 307": "PreflightDisallowedRedirect",
    "Method PUT is not allowed by Access-Control-Allow-Methods.": "MethodDisallowedByPreflightResponse",
    "Request header field X-Id is not allowed by Access-Control-Allow-Headers.": "HeaderDisallowedByPreflightResponse",
    'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".': "InvalidAllowCredentials",
    "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.": "WildcardOriginNotAllowed",
    "Access-Control-Allow-Origin cannot contain more than one origin.": "MultipleAllowOriginValues",
    "XMLHttpRequest cannot load https://api.test/ due to access control checks.": "DidNotSucceed",
    "TypeError: Load failed": "FailedToFetch",
}  # fmt: skip


def base(code: str) -> str:
    return code if code in PREFLIGHT_CODES else code.removeprefix("Preflight")


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_every_message_is_recognised(browser):
    """No message of the recorded ones is unknown, and each is known as its browser's."""
    for message in dict.fromkeys(line for case in CASES for line in case[browser]["console"]):
        assert {reading.browser.lower() for reading in recognise(message)} == {browser}, message


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_every_error_of_a_script_is_recognised(browser):
    """What the script itself is told is no riddle either."""
    for error in {case[browser]["js"] for case in CASES if "Error: " in case[browser]["js"]}:
        assert recognise(error), error


@pytest.mark.parametrize("case", [c for c in CASES if c["chromium"]["cors_error"]], ids=lambda case: case["case"])
def test_chromium_s_code(case):
    """What Chromium prints is read as the code that its DevTools give."""
    codes = [reading.meaning.code for reading in recognise("\n".join(case["chromium"]["console"]))]
    assert codes == [base(code) for code in case["chromium"]["cors_error"]]


@pytest.mark.parametrize("case", [c for c in CASES if c["chromium"]["cors_error"]], ids=lambda case: case["case"])
def test_firefox_s_cause(case):
    """What Firefox prints first is read as the same cause, but where it gives another."""
    codes = [reading.meaning.code for reading in recognise("\n".join(case["firefox"]["console"]))]
    assert codes[0] == FIREFOX_SAYS.get(case["case"], base(case["chromium"]["cors_error"][0]))


@pytest.mark.parametrize(("message", "code"), WEBKIT.items())
def test_safari_s_cause(message, code):
    """What Safari prints is read, too."""
    (reading,) = recognise(message)
    assert (reading.browser, reading.meaning.code) == ("Safari", code)


def test_the_page_is_what_the_table_makes():
    """docs/console.md is up to date: `nox -s pages` writes it."""
    assert (ROOT / "docs" / "console.md").read_text("utf-8") == page()


def test_the_page_is_complete():
    """Every template of every browser stands on the page, under its code, with what to do."""
    text = page()
    for meaning in MEANINGS:
        section = text.partition(f"`{meaning.code}`")[2].partition("\n## ")[0]
        assert meaning.means in section
        assert f"**Write:** {meaning.write}" in section
        for browser, template in templates_of(meaning):
            assert f"- {browser}: " in section
            assert shown(template) in section


def test_every_code_of_the_data_is_on_the_page():
    """No code that Chromium gave is missing."""
    known = {meaning.code for meaning in MEANINGS}
    assert {base(code) for case in CASES for code in case["chromium"]["cors_error"]} <= known


def test_a_message_as_pasted():
    """Other quotes, line breaks and the browser's line number don't matter; what it filled in comes back."""
    pasted = """
        app.js:17 Access to fetch at ‘https://api.test/items’ from origin
        ‘https://app.example.com’ has been blocked by CORS policy: Method PUT is not allowed
        by Access-Control-Allow-Methods in preflight response.
    """
    (message,) = run("console", pasted, "--json").json["messages"]
    assert message["code"] == "MethodDisallowedByPreflightResponse"
    assert message["filled"]["name"] == "PUT"
    assert message["policy"] == "allow_methods=['PUT']"
    assert message["ask"] == "asgi-cors doctor https://api.test/items --origin https://app.example.com -X PUT"


@pytest.mark.parametrize(
    ("message", "ask"),
    [
        (
            (
                "Access to fetch at 'https://a.test/' from origin 'https://b.test' has been blocked by CORS policy:"
                " Request header field x-id is not allowed by Access-Control-Allow-Headers in preflight response."
            ),
            "asgi-cors doctor https://a.test/ --origin https://b.test -H x-id",
        ),
        (
            (
                "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at"
                " https://a.test/. (Reason: expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’)."
            ),
            "asgi-cors doctor https://a.test/ --origin ORIGIN --credentials",
        ),
        ("Method PUT is not allowed by Access-Control-Allow-Methods.", ""),
    ],
)
def test_what_to_ask_next(message, ask):
    """The command that asks the server itself has all that the message tells; none where it tells no URL."""
    assert run("console", message, "--json").json["messages"][0]["ask"] == ask


def test_several_messages_for_people():
    """A whole console is read from standard input, each message with its meaning, echoes left out."""
    console = "\n".join(next(case for case in CASES if case["case"] == "pf_redirect_307")["firefox"]["console"])
    ran = run("console", stdin=console)
    assert ran.code == 0
    assert "The preflight is redirected" in ran.out
    assert "The preflight's status is not ok" in ran.out
    assert "There was no answer" not in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_an_echo_alone():
    """Where nothing else stands there, what says only that it failed is told."""
    assert run("console", "TypeError: Failed to fetch", "--json").json["messages"][0]["code"] == "FailedToFetch"


def test_what_is_no_message():
    """Anything else: one line, exit code 2."""
    ran = run("console", "it doesn't work")
    assert (ran.code, ran.out) == (2, "")
    assert "Paste it whole" in ran.err


@pytest.mark.parametrize("stdin", [None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8")], ids=["closed", "binary"])
def test_standard_input_that_is_not_text(monkeypatch, capsys, stdin):
    """Standard input that is not text is reported in one line, and the exit code is 2."""
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "console"])
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
