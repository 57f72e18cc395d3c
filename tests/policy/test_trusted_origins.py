"""csrf_trusted_origins: entries as in allow_origins, with the risks of credentials, in the option's own name."""

import re
from typing import Any

import pytest

from asgi_cors import Cached, ConfigError, Loaded, Policy, Tenants
from asgi_cors.registry import SQLiteRegistry
from tests.policy.test_risks import RISKY, SAFE, label
from tests.support.expected import APP
from tests.support.policies import allows, issue, issues, policy_without_warnings, warned

BANK = "https://bank.example"


def trusts(policy: Policy, origin: str) -> bool:
    """Return whether the trusted origins have an origin."""
    return policy.compiled.trusted is not None and allows(policy.compiled.trusted, origin)


def test_a_trusted_origin_may_send_but_is_not_allowed_to_read() -> None:
    policy = Policy(allow_origins=APP, csrf_trusted_origins=[BANK, "https://*.bank.example"])
    assert [origin for origin in (BANK, "https://a.bank.example", APP) if trusts(policy, origin)] == [
        BANK,
        "https://a.bank.example",
    ]
    assert [origin for origin in (BANK, "https://a.bank.example", APP) if allows(policy, origin)] == [APP]


def test_without_the_option_there_is_no_policy_for_trusted_origins() -> None:
    assert Policy(allow_origins=APP).compiled.trusted is None


@pytest.mark.parametrize(("entry", "risk"), [row[:2] for row in RISKY], ids=label)
def test_a_risky_entry_is_refused_without_allow_credentials_and_the_text_is_about_sending(
    entry: Any, risk: str
) -> None:
    found = issues(csrf_trusted_origins=[entry])
    assert {each.option for each in found} == {"csrf_trusted_origins"}
    assert risk in {each.code for each in found}
    for each in found:
        assert "as a trusted origin" in each.message
        assert each.message.endswith("could send requests in a logged-in user's name")
        assert "allow_credentials" not in str(each)
        assert "allow_origin" not in str(each)


@pytest.mark.parametrize(("entry", "origin"), [(row[0], row[2]) for row in RISKY if row[2] != "null"], ids=label)
def test_a_risky_entry_is_trusted_if_its_risks_are_accepted(entry: Any, origin: str) -> None:
    risks = {each.code for each in issues(csrf_trusted_origins=[entry])}
    assert trusts(policy_without_warnings(csrf_trusted_origins=[entry], dangerously_allow=risks), origin)


def test_the_hint_for_null_does_not_propose_to_accept_the_risk() -> None:
    """A request from null is refused, listed or not."""
    assert issue(csrf_trusted_origins=["null", BANK]).hint == "Leave 'null' out."


def test_null_is_dropped_with_a_warning_if_its_risk_is_accepted() -> None:
    options: dict[str, Any] = {"csrf_trusted_origins": ["null", BANK], "dangerously_allow": "credentials-from-null"}
    (found,) = warned(**options)
    assert (found.code, found.option) == ("null-not-trusted", "csrf_trusted_origins")
    policy = policy_without_warnings(**options)
    assert policy.csrf_trusted_origins == (BANK,)
    assert trusts(policy, BANK)
    assert not trusts(policy, "null")
    alone = policy_without_warnings(**{**options, "csrf_trusted_origins": "null"})
    assert (alone.csrf_trusted_origins, alone.compiled.trusted) == ((), None)


@pytest.mark.parametrize("entry", SAFE)
def test_a_safe_entry_has_no_warning(entry: str) -> None:
    assert warned(csrf_trusted_origins=[entry]) == []


def test_any_origin_does_not_trust_null_and_excludes_other_entries() -> None:
    policy = Policy(csrf_trusted_origins="*", dangerously_allow="credentials-from-any-origin")
    assert policy.csrf_trusted_origins == ("*",)
    assert trusts(policy, BANK)
    assert not trusts(policy, "null")
    found = issue(csrf_trusted_origins=["*", BANK], dangerously_allow="credentials-from-any-origin")
    assert (found.code, found.hint) == ("redundant-entry", "Leave '*' out.")


def test_a_trusted_origin_of_a_regex_is_matched_as_a_whole() -> None:
    policy = Policy(csrf_trusted_origins=[re.compile(r"https://[a-z]+\.bank\.example")])
    assert trusts(policy, "https://a.bank.example")
    assert not trusts(policy, "https://a.bank.example.evil.net")


@pytest.mark.parametrize(
    ("regex", "code"),
    [("(a+)+$", "regex-backtracking"), (r"(a)\1", "regex-unsupported"), (b"x", "wrong-type")],
)
def test_the_issue_of_a_regex_names_the_option(regex: Any, code: str) -> None:
    found = issues(csrf_trusted_origins=[re.compile(regex)])
    assert (found[0].option, found[0].code) == ("csrf_trusted_origins", code)
    assert "allow_origins" not in found[0].hint


def test_a_regex_with_a_risk_has_a_correction_as_an_entry() -> None:
    found = issue(csrf_trusted_origins=[re.compile(r"https?://app\.example\.com")])
    assert found.hint.startswith(r"Write re.compile('https://app\\.example\\.com').")


async def load() -> list[str]:
    return [BANK]


def test_a_registry_a_cached_function_and_a_loaded_list_are_entries(tmp_path: Any) -> None:
    sources = [SQLiteRegistry(tmp_path / "origins.db"), Cached(lambda _: True), Loaded(load), lambda _: True]
    trusted = Policy(csrf_trusted_origins=[BANK, *sources]).compiled.trusted
    assert trusted is not None
    assert trusted.compiled.callables == tuple(sources)
    assert trusted.allow_credentials


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (Tenants.by_host(lambda _: None), "wrong-place"),
        (lambda: True, "wrong-parameters"),
        (Cached, "class-not-object"),
        (Policy.replace, "wrong-function"),
    ],
    ids=["a policy_for", "no parameter", "a class", "a method of a policy"],
)
def test_a_wrong_callable_is_refused_in_the_name_of_the_option(entry: Any, code: str) -> None:
    found = issue(csrf_trusted_origins=[entry])
    assert (found.option, found.code) == ("csrf_trusted_origins", code)
    assert "allow_origins" not in str(found)


def test_mistakes_of_both_lists_are_reported_at_once() -> None:
    found = issues(allow_origins="https://a.com/", csrf_trusted_origins="https://b.com/")
    assert [(each.option, each.hint) for each in found] == [
        ("allow_origins", "Write 'https://a.com'."),
        ("csrf_trusted_origins", "Write 'https://b.com'."),
    ]


def test_the_trusted_origins_have_the_accepted_risks_and_the_name_of_their_policy() -> None:
    policy = Policy(csrf_trusted_origins="http://a.com", dangerously_allow="credentials-over-http", name="shop")
    trusted = policy.compiled.trusted
    assert trusted is not None
    assert (trusted.dangerously_allow, trusted.name) == (("credentials-over-http",), "shop")


def test_replace_checks_the_trusted_origins_again() -> None:
    policy = Policy(csrf_trusted_origins="http://a.com", dangerously_allow="credentials-over-http")
    assert trusts(policy.replace(name="x"), "http://a.com")
    with pytest.raises(ConfigError, match="csrf_trusted_origins"):
        policy.replace(dangerously_allow=())
