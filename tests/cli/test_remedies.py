"""Every remedy of the command line, `explain` and the simulator is one that `Policy` accepts without a warning."""

import re
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import Policy, explain
from tests.support.command_line import run
from tests.support.policies import policy_without_warnings
from tests.support.remedies import EXAMPLE, build_every_policy, build_policy, parse_options
from tests.testing.test_cors_error import SCENARIOS, blocked

PAGE = "https://app.example.com"
ROOT = Path(__file__).parents[2]
OPTION = re.compile(r"\b(?:allow_\w+|expose_headers|max_age)=(?:\[[^\]]*\]|'[^']*'|\w+)")


def options_in(text: str) -> dict[str, Any]:
    """Return the options that a sentence proposes."""
    return parse_options(", ".join(OPTION.findall(text)))


# -- the audit

WRONG_APP = """
from asgi_cors import CORSMiddleware
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

async def serve(request): ...

app = CORSMiddleware(
    Starlette(routes=[
        Route("/items", serve, methods=["GET", "PATCH", "DELETE"]),
        Route("/closed", serve),
        WebSocketRoute("/open", serve),
    ]),
    allow_origins=[lambda origin: origin.endswith("example.org"), "https://*.example.org"],
    allow_methods=["PUT"],
    allow_credentials=True,
    paths={"/closed": {"allow_origins": []}, "/open": None, "/missing": None},
)
"""


@pytest.fixture
def audited(tmp_path):
    """Audit an app with many mistakes."""
    pytest.importorskip("starlette")
    (tmp_path / "wrong_app_to_audit.py").write_text(WRONG_APP)
    return run("audit", "wrong_app_to_audit:app", "--app-dir", str(tmp_path), "-o", "https://other.net", "--json").json


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_the_policies_of_the_audit_can_be_built(audited):
    build_every_policy(audited)
    names = {finding["name"] for finding in audited["findings"]}
    assert {"attack-gets-in", "method-refused", "nothing-allowed", "origin-refused", "websocket-unguarded"} <= names


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_the_audit_proposes_the_allowed_methods_and_the_refused_ones(audited):
    (finding,) = [finding for finding in audited["findings"] if finding["name"] == "method-refused"]
    assert set(parse_options(finding["policy"])["allow_methods"]) == {"PUT", "PATCH", "DELETE"}


def test_the_policy_for_an_app_without_one_can_be_built():
    report = run("audit", "cli_apps:raw", "--app-dir", str(ROOT / "tests" / "support"), "--json").json
    assert [finding["name"] for finding in report["findings"]] == ["no-policy"]
    build_every_policy(report)


# -- explain


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        ({}, {"method": "PATCH"}),
        ({"allow_methods": ["PUT", "DELETE"]}, {"method": "PATCH"}),
        ({"allow_methods": ["PUT"]}, {"method": "patch"}),
        ({"allow_headers": ["x-a"]}, {"headers": ["x-b"]}),
        ({}, {"headers": ["Access-Control-Allow-Origin"]}),
        ({}, {"credentials": True}),
        ({"allow_origins": "*"}, {"credentials": True}),
        ({"allow_origins": [PAGE, "http://app.example.com"]}, {"credentials": True}),
        ({"allow_origins": [PAGE, "null"]}, {"credentials": True}),
        ({"expose_headers": "*"}, {"credentials": True}),
        ({"allow_credentials": True}, {"origin": "http://app.example.com"}),
        ({"allow_credentials": True}, {"origin": "null"}),
        ({}, {"origin": "https://other.example.com"}),
    ],
)
def test_the_options_that_explain_proposes_can_be_built(options, request_):
    policy = policy_without_warnings(**(EXAMPLE | options))
    call = {"method": "GET", "origin": PAGE} | request_
    remedy = explain(policy, **call).remedy
    assert remedy
    proposed = options_in(remedy)
    named_too = {"allow_origins": [PAGE]} if " and name the origins" in remedy or " and replace " in remedy else {}
    named_too |= {"expose_headers": ["x-a"]} if "Name the headers in expose_headers" in remedy else {}
    corrected = policy.replace(**(proposed | named_too))
    assert isinstance(corrected, Policy)
    if proposed and "page's script" not in remedy:
        assert explain(corrected, **call).allowed


# -- the simulator


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_options_that_the_simulator_proposes_can_be_built(name):
    error = blocked(SCENARIOS[name], "standard")
    if error is not None:
        options = options_in(error.remedy)
        build_policy(", ".join(f"{option}={value!r}" for option, value in options.items()))


# -- the console


def test_the_options_of_every_console_message_can_be_built():
    spans = re.findall(
        r"^\*\*In a policy:\*\* `([^`]+)`", (ROOT / "docs" / "console.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(spans) >= 10
    for span in spans:
        build_policy(span)


@pytest.mark.parametrize(
    "origin", ["https://app.example.com", "http://app.example.com", "null", "https://app.example.com:8443"]
)
@pytest.mark.parametrize(
    "reason",
    [
        "No 'Access-Control-Allow-Origin' header is present on the requested resource.",
        (
            "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when"
            " the request's credentials mode is 'include'."
        ),
        (
            "Request header field access-control-allow-origin is not allowed by Access-Control-Allow-Headers in"
            " preflight response."
        ),
        "Request header field cookie is not allowed by Access-Control-Allow-Headers in preflight response.",
        "Method patch is not allowed by Access-Control-Allow-Methods in preflight response.",
    ],
)
def test_the_options_for_a_console_message_with_any_value_can_be_built(origin, reason):
    message = f"Access to fetch at 'https://api.test/' from origin '{origin}' has been blocked by CORS policy: {reason}"
    for found in run("console", message, "--json").json["messages"]:
        options = options_in(found["policy"])
        build_policy(", ".join(f"{option}={value!r}" for option, value in options.items()))
