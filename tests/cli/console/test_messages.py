"""Every message that browsers print is recognised, and is in docs/console.md."""
# ruff: noqa: E501 - messages are long

import ast
import html
import io
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from asgi_cors import Policy
from asgi_cors.cli import main
from asgi_cors.cli.console.causes import CAUSES
from asgi_cors.cli.console.closest import find_closest
from asgi_cors.cli.console.messages import recognise
from asgi_cors.cli.console.report import page
from tests.cli.console.pasted import NOT_MESSAGES, PASTED
from tests.cli.corpus.raw import PAGE
from tests.support.command_line import run

ROOT = Path(__file__).parents[3]
CASES = json.loads((ROOT / "tests" / "data" / "console-messages.json").read_text("utf-8"))["cases"]
PREFIX = "Access to fetch at 'https://a.test/' from origin 'https://b.test' has been blocked by CORS policy: "
FIREFOX = "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://a.test/. (Reason: "
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
    "XMLHttpRequest cannot load https://api.test/ due to access control checks.": "AccessControlChecks",
    "TypeError: Load failed": "FailedToFetch",
}  # fmt: skip


def base(code: str) -> str:
    return code if code in PREFLIGHT_CODES else code.removeprefix("Preflight")


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_every_recorded_message_is_recognised_with_its_browser(browser):
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


def test_the_page_shows_every_asterisk():
    text = MarkdownIt().render((ROOT / "docs" / "console.md").read_text("utf-8"))
    assert "<em>" not in text
    assert "headers with '*'. By the standard" in html.unescape(text)


def test_the_page_has_every_message_with_its_remedy():
    text = page().replace(r"\*", "*")
    for cause in CAUSES:
        section = text.partition(f"`{cause.code}`")[2].partition("\n## ")[0]
        assert cause.means in section
        assert f"**Write:** {cause.write}" in section
        for message in (*cause.chromium, *cause.older, *cause.firefox, *cause.safari, *cause.edge):
            assert re.split(r"{\w+}", message.removeprefix("!"))[0] in section


def test_code_spans_of_the_policy_lines_are_options_that_a_policy_accepts():
    lines = [line for line in page().splitlines() if line.startswith("**In a policy:**")]
    for span in re.findall(r"`([^`]*)`", "\n".join(lines)):
        options = {
            word.arg: ast.literal_eval(word.value) for word in ast.parse(f"f({span})", mode="eval").body.keywords
        }
        assert Policy(**({"allow_origins": ["https://a.test"]} | options)), span


def test_every_recorded_code_is_on_the_page():
    known = {cause.code for cause in CAUSES}
    assert {base(code) for case in CASES for code in case["chromium"]["cors_error"]} <= known


@pytest.mark.parametrize(("text", "code"), PASTED)
def test_a_pasted_message_has_its_cause(text, code):
    assert [reading.cause.code for reading in recognise(text)] == [code]


@pytest.mark.parametrize("text", NOT_MESSAGES)
def test_another_text_has_no_cause(text):
    assert recognise(text) == []


def test_two_shared_words_are_not_a_resemblance():
    assert find_closest("HTTP/1.1 200 OK\nAccess-Control-Allow-Credentials: true") is None


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda text: text.replace(" ", "\n"), lambda text: f"> {text}", html.escape],
    ids=["upper", "lines", "quoted", "html"],
)
def test_a_message_is_recognised_in_any_spelling(change):
    text = change('Refused to get unsafe header "x-id", as Method PUT is not allowed by Access-Control-Allow-Methods')
    assert [reading.cause.code for reading in recognise(text)] == [
        "HeaderNotExposed",
        "MethodDisallowedByPreflightResponse",
    ]


def test_two_messages_at_once_are_both_explained():
    both = f"{PREFIX}No 'Access-Control-Allow-Origin' header is present on the requested resource. {PREFIX}Method PUT is not allowed by Access-Control-Allow-Methods in preflight response."
    assert [reading.cause.code for reading in recognise(both)] == [
        "MissingAllowOriginHeader",
        "MethodDisallowedByPreflightResponse",
    ]


def test_messages_of_one_cause_are_explained_once_with_all_their_names():
    text = "".join(
        f"{PREFIX}Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response.\n"
        for name in ("x-a", "x-b", "x-a")
    )
    (message,) = run("console", text, "--json").json["messages"]
    assert message["policy"].startswith("allow_headers=['x-a', 'x-b'].")
    assert message["ask"].endswith("-H x-a -H x-b --preflight-only")


def test_a_pasted_message_has_the_values_of_the_browser():
    pasted = """
        app.js:17 Access to fetch at ‘https://api.test/items’ from origin
        ‘https://app.example.com’ has been blocked by CORS policy: Method patch is not allowed
        by Access-Control-Allow-Methods in preflight response.
    """
    (message,) = run("console", pasted, "--json").json["messages"]
    assert message["filled"] == {
        "kind": "fetch",
        "url": "https://api.test/items",
        "origin": "https://app.example.com",
        "name": "patch",
    }
    assert message["policy"].startswith("allow_methods=['PATCH']. ")


AT = "https://a.test/ --origin https://b.test"


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (
            f"{PREFIX}Request header field x-id is not allowed by Access-Control-Allow-Headers in preflight response.",
            f"{AT} -H x-id --preflight-only",
        ),
        (
            f"{PREFIX}Request header field content-type is not allowed by Access-Control-Allow-Headers in preflight response.",
            f"{AT} -H 'content-type: application/json' --preflight-only",
        ),
        (
            f"{PREFIX}Method PUT is not allowed by Access-Control-Allow-Methods in preflight response.",
            f"{AT} -X PUT --preflight-only",
        ),
        (
            f"{PREFIX}Response to preflight request doesn't pass access control check: It does not have HTTP ok status.",
            f"{AT} -X PUT --preflight-only",
        ),
        (
            f"{PREFIX}Response to preflight request doesn't pass access control check: It does not have HTTP ok status.\nDELETE https://a.test/ net::ERR_FAILED",
            f"{AT} -X DELETE --preflight-only",
        ),
        (f"{PREFIX}No 'Access-Control-Allow-Origin' header is present on the requested resource.", AT),
        (
            f"{FIREFOX}expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’).",
            "https://a.test/ --origin ORIGIN --credentials",
        ),
        (
            "WebSocket connection to 'wss://a.test/ws' failed: Unexpected response code: 403",
            "wss://a.test/ws --origin ORIGIN",
        ),
        (
            f"{PREFIX.replace('a.test/', 'a.test/;rm')}Method PUT is not allowed by Access-Control-Allow-Methods",
            "'https://a.test/;rm' --origin https://b.test -X PUT --preflight-only",
        ),
    ],
)
def test_the_command_to_run_next_replays_the_request(message, command):
    assert run("console", message, "--json").json["messages"][0]["ask"] == f"asgi-cors doctor {command}"


def test_without_a_url_the_command_to_run_next_has_placeholders():
    ran = run("console", "Method PUT is not allowed by Access-Control-Allow-Methods.")
    assert "asgi-cors doctor URL --origin ORIGIN" in ran.out
    assert (
        run("console", "Method PUT is not allowed by Access-Control-Allow-Methods.", "--json").json["messages"][0][
            "ask"
        ]
        == ""
    )


@pytest.mark.parametrize(
    ("origin", "policy"),
    [
        ("null", "Don't allow 'null'"),
        ("http://shop.test", "Serve the page over https"),
        ("http://localhost:3000", "allow_origins=['http://localhost:3000'], allow_credentials=True"),
        ("https://", "A policy refuses"),
        ("file://", "Don't allow 'file://'"),
    ],
)
def test_no_option_is_shown_that_a_policy_refuses(origin, policy):
    message = f"Access to fetch at 'https://a.test/' from origin '{origin}' has been blocked by CORS policy: The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'."
    assert run("console", message, "--json").json["messages"][0]["policy"].startswith(policy)


def test_the_command_to_run_next_is_one_line_with_the_origin_of_the_message():
    path = "/items" * 20
    text = f"Access to fetch at 'https://api.example.com{path}' from origin '{PAGE}' has been blocked by CORS policy: "
    ran = run(
        "console",
        f"{text}Response to preflight request doesn't pass access control check: It does not have HTTP ok status.",
    )
    assert f"asgi-cors doctor https://api.example.com{path} --origin {PAGE} -X PUT --preflight-only" in ran.out
    ran = run("console", f"Origin {PAGE} is not allowed by Access-Control-Allow-Origin.")
    assert f"    asgi-cors doctor URL --origin {PAGE}\n" in ran.out
    ran = run("console", f"CORS is foobar: https://api.example.com{path} from {PAGE}")
    assert f"    asgi-cors doctor https://api.example.com{path} --origin {PAGE}\n" in ran.err


def test_several_commands_to_run_next_are_introduced_as_such():
    line = "Access to fetch at 'https://{}.example.com/' from origin '{}' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.\n"
    out = run("console", line.format("a", PAGE) + line.format("b", PAGE)).out
    assert "one of these commands" in " ".join(out.split())


def test_the_urls_of_safari_are_those_of_its_other_message():
    text = "Origin https://b.test is not allowed by Access-Control-Allow-Origin. Status code: 200\nFetch API cannot load https://a.test/x due to access control checks."
    (message,) = run("console", text, "--json").json["messages"]
    assert (message["code"], message["ask"]) == (
        "MissingAllowOriginHeader",
        "asgi-cors doctor https://a.test/x --origin https://b.test",
    )


def test_a_whole_console_is_explained_without_echoes():
    console = "\n".join(next(case for case in CASES if case["case"] == "pf_redirect_307")["firefox"]["console"])
    ran = run("console", stdin=console)
    assert ran.code == 0
    assert "The preflight is redirected" in ran.out
    assert "The preflight's status is not ok" in ran.out
    assert "There was no response" not in ran.out
    assert all(len(line) <= 80 or line.startswith("    asgi-cors ") for line in ran.out.splitlines())


def test_an_echo_without_another_message_is_explained():
    assert run("console", "TypeError: Failed to fetch", "--json").json["messages"][0]["code"] == "FailedToFetch"


def test_a_text_without_a_message_exits_with_2():
    ran = run("console", "it doesn't work")
    assert (ran.code, ran.out) == (2, "")
    assert "Paste the whole message" in ran.err
    assert "asgi-cors doctor URL --origin ORIGIN" in ran.err
    assert "Closest" not in ran.err


def test_an_unknown_message_is_shown_with_the_closest_known_one_and_the_command_to_run():
    text = (
        f"{PREFIX}The requested method PUT is forbidden by the Access-Control-Allow-Methods of the preflight response."
    )
    ran = run("console", text)
    assert (ran.code, ran.out) == (2, "")
    assert "no known message" in ran.err
    assert "Method {name} is not allowed by Access-Control-Allow-Methods" in " ".join(ran.err.split())
    assert "asgi-cors doctor https://a.test/ --origin https://b.test" in " ".join(ran.err.split())
    found = run("console", text, "--json").json
    assert (found["messages"], found["closest"]["code"]) == ([], "MethodDisallowedByPreflightResponse")
    assert found["ask"] == "asgi-cors doctor https://a.test/ --origin https://b.test"
    assert run("console", "?", "--json").json["closest"] is None


def test_a_message_that_is_repeated_very_often_is_explained_once():
    (message,) = run("console", "--json", stdin="TypeError: Failed to fetch\n" * 1000).json["messages"]
    assert message["code"] == "FailedToFetch"


def test_a_long_paste_is_explained():
    word = "a" * 200_000
    ran = run("console", stdin=f"{word} {PREFIX}Method PUT is not allowed by Access-Control-Allow-Methods {word}")
    assert "The method is not allowed" in ran.out
    assert run("console", stdin=word).code == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_command_says_that_it_waits_for_a_message(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "console"])
    monkeypatch.setattr(sys, "stdin", Terminal("TypeError: Failed to fetch"))
    main()
    printed = capsys.readouterr()
    assert printed.err.startswith("Paste the message of the browser's console, then press")
    assert "The error that the script sees" in printed.out


@given(st.text() | st.lists(st.sampled_from([text for text, _ in PASTED])).map("\n".join))
def test_any_text_is_read_without_an_error(text):
    recognise(text)
    find_closest(text)


@pytest.mark.parametrize("stdin", [None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8")], ids=["closed", "binary"])
def test_standard_input_that_is_not_text_exits_with_2(monkeypatch, capsys, stdin):
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "console"])
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
