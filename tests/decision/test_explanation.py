"""`explain`: a decision as text."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, Policy, explain
from tests.support.apps import App
from tests.support.browser_checks import SAFELISTED_METHODS, passes_cors_check, passes_preflight
from tests.support.clients import Client
from tests.support.expected import APP, EVIL
from tests.support.policies import policy_without_warnings
from tests.support.strategies import policies

ONE = Policy(allow_origins=APP)
ANY = Policy(allow_origins="*")
WIDE = Policy(allow_origins=APP, allow_methods="PUT", allow_headers=["x-id"], allow_credentials=True)

# behaviour, policy, method, origin, headers, credentials, code (None = allowed), a text in the remedy
ROWS: list[tuple[str, Policy, str, str | None, Any, bool, str | None, str]] = [
    ("a simple request from an allowed origin", ONE, "GET", APP, (), False, None, ""),
    ("a request under a policy for any origin", ANY, "POST", EVIL, (), False, None, ""),
    ("a credentialed request", WIDE, "PUT", APP, ["X-Id"], True, None, ""),
    ("headers as pairs", WIDE, "GET", APP, [("x-id", "1")], False, None, ""),
    ("a safelisted header by its value", ONE, "POST", APP, [("content-type", "text/plain")], False, None, ""),
    ("a JSON body", ONE, "POST", APP, [("content-type", "application/json")], False, None, ""),
    ("a refused origin, unpreflighted", ONE, "GET", EVIL, (), False, "MissingAllowOriginHeader", EVIL),
    ("a refused origin, preflighted", ONE, "PUT", EVIL, (), False, "PreflightMissingAllowOriginHeader", EVIL),
    (
        "a refused origin, preflighted for its header",
        ONE,
        "GET",
        EVIL,
        ["x-id"],
        False,
        "PreflightMissingAllowOriginHeader",
        EVIL,
    ),
    ("a refused method", ONE, "PUT", APP, (), False, "MethodDisallowedByPreflightResponse", "allow_methods"),
    (
        "a method in another letter case",
        WIDE,
        "Patch",
        APP,
        (),
        False,
        "MethodDisallowedByPreflightResponse",
        "allow_methods",
    ),
    ("a refused header", WIDE, "PUT", APP, ["x-other"], False, "HeaderDisallowedByPreflightResponse", "allow_headers"),
    ("credentials not allowed", ONE, "GET", APP, (), True, "InvalidAllowCredentials", "allow_credentials"),
    (
        "credentials not allowed, preflighted",
        ONE,
        "GET",
        APP,
        ["accept-x"],
        True,
        "PreflightInvalidAllowCredentials",
        "allow_credentials",
    ),
    ("credentials under an anonymous *", ANY, "GET", APP, (), True, "WildcardOriginNotAllowed", "allow_credentials"),
    (
        "credentials under an anonymous *, preflighted",
        ANY,
        "PUT",
        APP,
        (),
        True,
        "PreflightWildcardOriginNotAllowed",
        "allow_credentials",
    ),
    ("an invalid origin", ONE, "GET", "https://a b", (), False, "InvalidOrigin", ""),
]


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "code", "text"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_an_explanation_has_a_verdict_a_code_and_a_remedy(
    policy: Policy, method: str, origin: str | None, headers: Any, credentials: bool, code: str | None, text: str
) -> None:
    """Code and remedy only if the request is blocked."""
    explanation = explain(policy, method, origin, headers=headers, credentials=credentials)
    assert (explanation.allowed, explanation.code) == (code is None, code)
    assert text in (explanation.remedy or "")
    assert bool(explanation.remedy) is (code is not None)


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials"), [row[1:6] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_each_step_names_its_check_and_its_rule(
    policy: Policy, method: str, origin: str | None, headers: Any, credentials: bool
) -> None:
    """All steps passed if the request is allowed; otherwise one failed."""
    explanation = explain(policy, method, origin, headers=headers, credentials=credentials)
    assert explanation.steps
    assert all(step.check and step.rule for step in explanation.steps)
    passed = [step.passed for step in explanation.steps]
    assert all(passed) if explanation.allowed else not passed[-1] or not all(passed)


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "code"),
    [row[1:7] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_the_text_of_an_explanation_has_the_request_the_code_and_the_remedy(
    policy: Policy, method: str, origin: str | None, headers: Any, credentials: bool, code: str | None
) -> None:
    explanation = explain(policy, method, origin, headers=headers, credentials=credentials)
    text = str(explanation)
    assert method in text
    assert origin is None or origin in text
    if code:
        assert code in text
        assert explanation.remedy in text


def lowered(headers: Any) -> list[str]:
    """Return the header names that a browser would request."""
    return [h.lower() for h in headers if isinstance(h, str)]


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "code"),
    [row[1:7] for row in ROWS if row[3] and " " not in row[3]],
    ids=[row[0] for row in ROWS if row[3] and " " not in row[3]],
)
def test_the_verdict_is_that_of_the_standards_checks_on_the_middlewares_responses(
    serve: Any, policy: Policy, method: str, origin: str, headers: Any, credentials: bool, code: str | None
) -> None:
    client = serve(policy)
    names = lowered(headers)
    answers = [passes_cors_check(client.request(origin=origin), origin, credentials=credentials)]
    if names or method not in {"GET", "HEAD", "POST"}:
        preflight = client.preflight(method, ",".join(names) or None, origin=origin)
        answers.append(passes_preflight(preflight, origin, method, names, credentials=credentials))
    assert all(answers) is (code is None)


# behaviour, policy, the page's origin, texts in the explanation
CLOSEST: list[tuple[str, Policy, str, list[str]]] = [
    ("http instead of https", ONE, APP.replace("https", "http"), [APP, "https"]),
    ("an additional port", ONE, f"{APP}:8443", [APP, "port"]),
    ("www", Policy(allow_origins="https://www.example.com"), "https://example.com", ["https://www.example.com", "www"]),
    ("no www", Policy(allow_origins="https://example.com"), "https://www.example.com", ["https://example.com", "www"]),
    ("a subdomain", Policy(allow_origins="https://example.com"), "https://shop.example.com", ["https://example.com"]),
]


@pytest.mark.parametrize(("policy", "origin", "texts"), [row[1:] for row in CLOSEST], ids=[row[0] for row in CLOSEST])
def test_the_explanation_of_a_refused_origin_names_the_closest_allowed_one(
    policy: Policy, origin: str, texts: list[str]
) -> None:
    """It names the difference, too."""
    explanation = str(explain(policy, "GET", origin))
    assert [text for text in texts if text not in explanation] == []


def test_explain_calls_sync_callables_and_leaves_the_verdict_open_for_async_ones() -> None:

    async def later(origin: str) -> bool:
        return bool(origin)

    assert explain(Policy(allow_origins=[lambda origin: origin == APP]), "GET", APP).allowed
    assert not explain(Policy(allow_origins=[lambda origin: origin == APP]), "GET", EVIL).allowed
    assert "asked at run time" in str(explain(Policy(allow_origins=[later]), "GET", APP))


def test_a_callable_that_raises_is_explained_as_a_failed_look_up() -> None:
    explanation = explain(Policy(allow_origins=[lambda _: 1 / 0]), "GET", APP)
    assert (explanation.allowed, explanation.code) == (False, "OriginLookupFailed")


def test_the_origin_step_names_the_pattern_that_allows_the_origin() -> None:
    policy = Policy(allow_origins=["https://a.com", "https://*.example.com"])
    assert any(
        "https://*.example.com" in str(step.rule) + str(step.value)
        for step in explain(policy, "GET", "https://x.example.com").steps
    )


def test_the_origin_step_names_the_regex_that_allows_the_origin() -> None:
    policy = Policy(allow_origins=[re.compile(r"https://x\d\.com")])
    assert repr(r"https://x\d\.com") in str(explain(policy, "GET", "https://x1.com"))


def test_control_characters_are_escaped_so_that_no_line_can_be_forged() -> None:
    text = str(explain(ONE, "GET", "https://a\r\nforged line"))
    assert "\r" not in text
    assert not any(line.startswith("forged") for line in text.splitlines())


@pytest.mark.parametrize(("path", "allowed"), [("/items", False), ("/public/a", True)])
def test_the_middleware_explains_by_the_policy_of_the_path(serve: Any, path: str, allowed: bool) -> None:
    client = serve(ONE, paths={"/public/*": ANY, "/raw": None})
    assert client.middleware.explain("GET", EVIL, path=path).allowed is allowed


def test_the_middleware_explains_that_no_policy_serves_a_path(serve: Any) -> None:
    client = serve(ONE, paths={"/raw": None})
    text = str(client.middleware.explain("GET", EVIL, path="/raw"))
    assert "no policy" in text
    assert "/raw" in text
    assert "run time" not in text


def test_the_middleware_explains_an_ambiguous_path_with_its_own_code(serve: Any) -> None:
    explanation = serve(ONE, paths={"/public/*": ANY}).middleware.explain("GET", EVIL, path="/public/../x")
    assert (explanation.allowed, explanation.code) == (False, "AmbiguousPath")


def test_the_middlewares_explain_has_the_arguments_of_explain(serve: Any) -> None:
    """Method, headers and credentials."""
    client = serve(WIDE)
    assert client.middleware.explain("PUT", APP, headers=["x-id"], credentials=True).allowed
    assert client.middleware.explain("PUT", APP, headers=["x-b"]).code == "HeaderDisallowedByPreflightResponse"


def test_the_remedy_for_a_policy_without_origins_is_to_add_the_origin() -> None:
    remedy = explain(policy_without_warnings(), "GET", APP).remedy
    assert "allow_origins" in remedy
    assert APP in remedy


@given(
    policies(),
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "LOCK", "OPTIONS"]),
    st.sampled_from(["https://a.com", "https://x.c.com", "http://localhost:99", "null", "https://evil.net", "app://x"]),
    st.lists(st.sampled_from(["x-a", "X-B", "authorization", "x-p-1", "x-q"]), max_size=3),
    st.booleans(),
)
def test_the_verdict_for_any_policy_and_request_is_that_of_a_browser(
    policy: Policy, method: str, origin: str, headers: list[str], credentials: bool
) -> None:
    client = Client("asgi", App(), policy)
    names = [name.lower() for name in headers]
    passed = passes_cors_check(client.request(origin=origin), origin, credentials=credentials)
    if names or method not in SAFELISTED_METHODS:
        preflight = client.preflight(method, ",".join(names), origin=origin)
        passed = passed and passes_preflight(preflight, origin, method, names, credentials=credentials)
    assert explain(policy, method, origin, headers, credentials).allowed is passed


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"allow_origins": ["http://app.example.com", APP]}, "replace 'http://app.example.com' in allow_origins"),
        ({"allow_origins": ["null", APP]}, "replace 'null' in allow_origins"),
        ({"allow_origins": [f"http://{n}.example.com" for n in "abcde"]}, "'http://c.example.com' and 2 more in"),
        ({"allow_origins": [APP], "expose_headers": "*"}, "Name the headers in expose_headers"),
    ],
)
def test_the_remedy_for_credentials_names_the_options_that_a_policy_then_refuses(
    options: dict[str, Any], text: str
) -> None:
    policy = policy_without_warnings(**options)
    with pytest.raises(ConfigError):
        policy.replace(allow_credentials=True)
    assert text in explain(policy, "GET", options["allow_origins"][-1], credentials=True).remedy


def test_the_remedy_for_credentials_is_the_option_alone_if_a_policy_accepts_it() -> None:
    assert explain(ONE, "GET", APP, credentials=True).remedy == "Write allow_credentials=True."
    assert ONE.replace(allow_credentials=True).allow_credentials
