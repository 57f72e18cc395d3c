"""Every message that browsers print is recognised, and is in docs/console.md."""

import io
import json
import sys
from pathlib import Path

import pytest

from asgi_cors.cli import main
from asgi_cors.cli.console.causes import CAUSES
from asgi_cors.cli.console.messages import readable, recognise, templates_of
from asgi_cors.cli.console.report import page
from tests.support.command_line import run

ROOT = Path(__file__).parents[3]
CASES = json.loads((ROOT / "tests" / "data" / "console-messages.json").read_text("utf-8"))["cases"]
PREFLIGHT_CODES = {
    "PreflightInvalidStatus",
    "PreflightDisallowedRedirect",
}  # these codes do not exist without the prefix

# The causes that Firefox reports differently from Chromium.
FIREFOX_CODES = {
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
def test_every_recorded_message_is_recognised_as_its_browser_s(browser):
    for message in dict.fromkeys(line for case in CASES for line in case[browser]["console"]):
        assert {reading.browser.lower() for reading in recognise(message)} == {browser}, message


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_every_recorded_error_of_a_script_is_recognised(browser):
    for error in {case[browser]["js"] for case in CASES if "Error: " in case[browser]["js"]}:
        assert recognise(error), error


@pytest.mark.parametrize("case", [c for c in CASES if c["chromium"]["cors_error"]], ids=lambda case: case["case"])
def test_a_chromium_message_has_the_code_of_its_devtools(case):
    codes = [reading.cause.code for reading in recognise("\n".join(case["chromium"]["console"]))]
    assert codes == [base(code) for code in case["chromium"]["cors_error"]]


@pytest.mark.parametrize("case", [c for c in CASES if c["chromium"]["cors_error"]], ids=lambda case: case["case"])
def test_the_first_firefox_message_has_the_same_cause_as_in_chromium(case):
    codes = [reading.cause.code for reading in recognise("\n".join(case["firefox"]["console"]))]
    assert codes[0] == FIREFOX_CODES.get(case["case"], base(case["chromium"]["cors_error"][0]))


@pytest.mark.parametrize(("message", "code"), WEBKIT.items())
def test_a_safari_message_has_its_cause(message, code):
    (reading,) = recognise(message)
    assert (reading.browser, reading.cause.code) == ("Safari", code)


def test_the_page_is_generated_from_the_table():
    assert (ROOT / "docs" / "console.md").read_text("utf-8") == page()


def test_the_page_has_every_message_with_its_remedy():
    text = page()
    for cause in CAUSES:
        section = text.partition(f"`{cause.code}`")[2].partition("\n## ")[0]
        assert cause.means in section
        assert f"**Write:** {cause.write}" in section
        for browser, template in templates_of(cause):
            assert f"- {browser}: " in section
            assert readable(template) in section


def test_every_recorded_code_is_on_the_page():
    known = {cause.code for cause in CAUSES}
    assert {base(code) for case in CASES for code in case["chromium"]["cors_error"]} <= known


def test_a_pasted_message_is_recognised_despite_quotes_and_line_breaks():
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
    ("message", "next_command"),
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
def test_the_command_to_run_next_has_every_value_of_the_message(message, next_command):
    assert run("console", message, "--json").json["messages"][0]["ask"] == next_command


def test_a_whole_console_is_explained_without_echoes():
    console = "\n".join(next(case for case in CASES if case["case"] == "pf_redirect_307")["firefox"]["console"])
    ran = run("console", stdin=console)
    assert ran.code == 0
    assert "The preflight is redirected" in ran.out
    assert "The preflight's status is not ok" in ran.out
    assert "There was no response" not in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_an_echo_without_another_message_is_explained():
    assert run("console", "TypeError: Failed to fetch", "--json").json["messages"][0]["code"] == "FailedToFetch"


def test_a_text_without_a_message_exits_with_2():
    ran = run("console", "it doesn't work")
    assert (ran.code, ran.out) == (2, "")
    assert "Paste the whole message" in ran.err


@pytest.mark.parametrize("stdin", [None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8")], ids=["closed", "binary"])
def test_standard_input_that_is_not_text_exits_with_2(monkeypatch, capsys, stdin):
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "console"])
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
