"""explain(): the same decision told in words."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import Policy, explain
from tests.support.apps import App
from tests.support.browser_checks import SAFELISTED_METHODS, passes_cors_check, passes_preflight
from tests.support.clients import Served
from tests.support.expected import APP, EVIL
from tests.support.policies import policy_without_warnings
from tests.support.strategies import policies

ONE = Policy(allow_origins=APP)
ANY = Policy(allow_origins="*")
WIDE = Policy(allow_origins=APP, allow_methods="PUT", allow_headers=["x-id"], allow_credentials=True)

# behaviour, policy, method, origin, headers, credentials, code (None = allowed), a word of the remedy
ROWS: list[tuple[str, Policy, str, str | None, Any, bool, str | None, str]] = [
    ("a simple request of an allowed origin", ONE, "GET", APP, (), False, None, ""),
    ("a request of any origin", ANY, "POST", EVIL, (), False, None, ""),
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
    ("what is no origin", ONE, "GET", "https://a b", (), False, "InvalidOrigin", ""),
]


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "code", "word"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_explain(
    policy: Policy, method: str, origin: str | None, headers: Any, credentials: bool, code: str | None, word: str
) -> None:
    """The explanation says whether the page gets the response, the code where not, and the line to change."""
    told = explain(policy, method, origin, headers=headers, credentials=credentials)
    assert (told.allowed, told.code) == (code is None, code)
    assert word in (told.remedy or "")
    assert bool(told.remedy) is (code is not None)


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials"), [row[1:6] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_steps(policy: Policy, method: str, origin: str | None, headers: Any, credentials: bool) -> None:
    """Each step names its check and the rule that decided; all passed where allowed, the last one failed where not."""
    told = explain(policy, method, origin, headers=headers, credentials=credentials)
    assert told.steps
    assert all(step.check and step.rule for step in told.steps)
    passed = [step.passed for step in told.steps]
    assert all(passed) if told.allowed else not passed[-1] or not all(passed)


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "code"),
    [row[1:7] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_words(
    policy: Policy, method: str, origin: str | None, headers: Any, credentials: bool, code: str | None
) -> None:
    """str() is for a person: request, verdict, code and remedy are in it."""
    told = explain(policy, method, origin, headers=headers, credentials=credentials)
    text = str(told)
    assert method in text
    assert origin is None or origin in text
    if code:
        assert code in text
        assert told.remedy in text


def lowered(headers: Any) -> list[str]:
    """Names of the headers of a row that a browser would ask for."""
    return [h.lower() for h in headers if isinstance(h, str)]


@pytest.mark.parametrize(
    ("policy", "method", "origin", "headers", "credentials", "code"),
    [row[1:7] for row in ROWS if row[3] and " " not in row[3]],
    ids=[row[0] for row in ROWS if row[3] and " " not in row[3]],
)
def test_as_the_browser(
    serve: Any, policy: Policy, method: str, origin: str, headers: Any, credentials: bool, code: str | None
) -> None:
    """The verdict is the one that the standard's checks give on the middleware's answers."""
    served = serve(policy)
    names = lowered(headers)
    answers = [passes_cors_check(served.request(origin=origin), origin, credentials=credentials)]
    if names or method not in {"GET", "HEAD", "POST"}:
        asked = served.preflight(method, ",".join(names) or None, origin=origin)
        answers.append(passes_preflight(asked, origin, method, names, credentials=credentials))
    assert all(answers) is (code is None)


# behaviour, policy, the origin asked for, words of the explanation
NEAR: list[tuple[str, Policy, str, list[str]]] = [
    ("http in place of https", ONE, APP.replace("https", "http"), [APP, "https"]),
    ("a port too many", ONE, f"{APP}:8443", [APP, "port"]),
    ("www", Policy(allow_origins="https://www.example.com"), "https://example.com", ["https://www.example.com", "www"]),
    ("no www", Policy(allow_origins="https://example.com"), "https://www.example.com", ["https://example.com", "www"]),
    ("a subdomain", Policy(allow_origins="https://example.com"), "https://shop.example.com", ["https://example.com"]),
]


@pytest.mark.parametrize(("policy", "origin", "words"), [row[1:] for row in NEAR], ids=[row[0] for row in NEAR])
def test_near_misses(policy: Policy, origin: str, words: list[str]) -> None:
    """An origin that is nearly allowed is told of the nearest entry and how it differs."""
    text = str(explain(policy, "GET", origin))
    assert [word for word in words if word not in text] == []


def test_callables() -> None:
    """A sync entry is asked; of an async one it says that it is asked at run time."""

    async def later(origin: str) -> bool:
        return bool(origin)

    assert explain(Policy(allow_origins=[lambda origin: origin == APP]), "GET", APP).allowed
    assert not explain(Policy(allow_origins=[lambda origin: origin == APP]), "GET", EVIL).allowed
    assert "asked at run time" in str(explain(Policy(allow_origins=[later]), "GET", APP))


def test_a_failing_callable() -> None:
    """A sync entry that raises is told of, not raised."""
    told = explain(Policy(allow_origins=[lambda _: 1 / 0]), "GET", APP)
    assert (told.allowed, told.code) == (False, "OriginLookupFailed")


def test_the_rule_that_decided_is_named() -> None:
    """The step of the origin names the entry that allowed it."""
    policy = Policy(allow_origins=["https://a.com", "https://*.example.com"])
    assert any(
        "https://*.example.com" in str(step.rule) + str(step.value)
        for step in explain(policy, "GET", "https://x.example.com").steps
    )


def test_a_regex_that_decided_is_named() -> None:
    """The step of the origin names the regex that allowed it."""
    policy = Policy(allow_origins=[re.compile(r"https://x\d\.com")])
    assert repr(r"https://x\d\.com") in str(explain(policy, "GET", "https://x1.com"))


def test_no_line_can_be_forged() -> None:
    """A value with control characters stands escaped."""
    text = str(explain(ONE, "GET", "https://a\r\nforged line"))
    assert "\r" not in text
    assert not any(line.startswith("forged") for line in text.splitlines())


@pytest.mark.parametrize(("path", "allowed"), [("/items", False), ("/public/a", True)])
def test_the_middleware_explains_by_path(serve: Any, path: str, allowed: bool) -> None:
    """middleware.explain() answers for the policy of the path."""
    served = serve(ONE, paths={"/public/*": ANY, "/raw": None})
    assert served.middleware.explain("GET", EVIL, path=path).allowed is allowed


def test_the_middleware_explains_a_path_without_policy(serve: Any) -> None:
    """Where no policy serves the path, the explanation says so."""
    served = serve(ONE, paths={"/raw": None})
    text = str(served.middleware.explain("GET", EVIL, path="/raw"))
    assert "no policy" in text
    assert "/raw" in text
    assert "run time" not in text


def test_the_middleware_explains_an_ambiguous_path(serve: Any) -> None:
    """An ambiguous path has its own code."""
    told = serve(ONE, paths={"/public/*": ANY}).middleware.explain("GET", EVIL, path="/public/../x")
    assert (told.allowed, told.code) == (False, "AmbiguousPath")


def test_the_middleware_explains_its_base(serve: Any) -> None:
    """Method, headers and credentials are taken as by explain()."""
    served = serve(WIDE)
    assert served.middleware.explain("PUT", APP, headers=["x-id"], credentials=True).allowed
    assert served.middleware.explain("PUT", APP, headers=["x-b"]).code == "HeaderDisallowedByPreflightResponse"


def test_refusing_all() -> None:
    """A policy of nothing tells to write the origin into allow_origins."""
    told = explain(policy_without_warnings(), "GET", APP)
    assert "allow_origins" in told.remedy
    assert APP in told.remedy


@given(
    policies(),
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "LOCK", "OPTIONS"]),
    st.sampled_from(["https://a.com", "https://x.c.com", "http://localhost:99", "null", "https://evil.net", "app://x"]),
    st.lists(st.sampled_from(["x-a", "X-B", "authorization", "x-p-1", "x-q"]), max_size=3),
    st.booleans(),
)
def test_the_verdict_is_the_browsers(
    policy: Policy, method: str, origin: str, headers: list[str], credentials: bool
) -> None:
    """For any policy and request the verdict is that of a browser on the answers of the middleware."""
    served = Served("asgi", App(), policy)
    names = [name.lower() for name in headers]
    passed = passes_cors_check(served.request(origin=origin), origin, credentials=credentials)
    if names or method not in SAFELISTED_METHODS:
        asked = served.preflight(method, ",".join(names), origin=origin)
        passed = passed and passes_preflight(asked, origin, method, names, credentials=credentials)
    assert explain(policy, method, origin, headers, credentials).allowed is passed
