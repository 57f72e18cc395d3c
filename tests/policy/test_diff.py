"""policy.diff: what another policy allows and refuses, by effect."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, Outcome, Policy, PolicyDiff, Request, decide
from asgi_cors.registry import SQLiteRegistry
from tests.support.expected import APP
from tests.support.policies import policy_without_warnings
from tests.support.strategies import policies, requests

A, B = "https://a.com", "https://b.com"
REGEX = re.compile(r"https://[a-z]+\.c\.com")


def customers(origin: str) -> bool:
    return origin == A


def diff(old: dict[str, Any], new: dict[str, Any]) -> PolicyDiff:
    return policy_without_warnings(**old).diff(policy_without_warnings(**new))


# behaviour, the old options, the new options, what the new policy allows, what it refuses
ROWS: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, object]], list[tuple[str, object]]]] = [
    (
        "origins that only one policy has",
        {"allow_origins": [A, B]},
        {"allow_origins": [A, APP]},
        [("allow_origins", APP)],
        [("allow_origins", B)],
    ),
    ("any origin", {"allow_origins": [A]}, {"allow_origins": "*"}, [("allow_origins", "*")], []),
    (
        "a pattern in place of one of its origins",
        {"allow_origins": "https://x.c.com"},
        {"allow_origins": "https://*.c.com"},
        [("allow_origins", "https://*.c.com")],
        [],
    ),
    (
        "a pattern in place of another domain",
        {"allow_origins": "https://*.c.com"},
        {"allow_origins": "https://*.d.com"},
        [("allow_origins", "https://*.d.com")],
        [("allow_origins", "https://*.c.com")],
    ),
    (
        "a regex in place of one of its origins",
        {"allow_origins": "https://x.c.com"},
        {"allow_origins": [REGEX]},
        [("allow_origins", REGEX)],
        [],
    ),
    (
        "allow_origin_regex",
        {"allow_origins": A},
        {"allow_origins": A, "allow_origin_regex": REGEX.pattern},
        [("allow_origin_regex", REGEX.pattern)],
        [],
    ),
    ("null", {"allow_origins": [A]}, {"allow_origins": [A, "null"]}, [("allow_origins", "null")], []),
    (
        "a callable",
        {"allow_origins": [A]},
        {"allow_origins": [A, customers]},
        [("allow_origins", customers)],
        [],
    ),
    (
        "any origin with credentials, which excludes null",
        {"allow_origins": "*"},
        {
            "allow_origins": "*",
            "allow_credentials": True,
            "dangerously_allow": "credentials-from-any-origin",
        },
        [("allow_credentials", True)],
        [("allow_origins", "null")],
    ),
    (
        "methods",
        {"allow_origins": A, "allow_methods": ["PUT", "LOCK"]},
        {"allow_origins": A, "allow_methods": ["put", "DELETE"]},
        [("allow_methods", "DELETE")],
        [("allow_methods", "LOCK")],
    ),
    (
        "any method",
        {"allow_origins": A, "allow_methods": "PUT"},
        {"allow_origins": A, "allow_methods": "*"},
        [("allow_methods", "*")],
        [],
    ),
    (
        "request headers",
        {"allow_origins": A, "allow_headers": ["X-A", "x-b"]},
        {"allow_origins": A, "allow_headers": ["x-a", "X-C"]},
        [("allow_headers", "x-c")],
        [("allow_headers", "x-b")],
    ),
    (
        "a prefix in place of one of its names",
        {"allow_origins": A, "allow_headers": "x-app-id"},
        {"allow_origins": A, "allow_headers": "x-app-*"},
        [("allow_headers", "x-app-*")],
        [],
    ),
    (
        "a shorter prefix",
        {"allow_origins": A, "allow_headers": ["x-app-*", "x-b"]},
        {"allow_origins": A, "allow_headers": "x-*"},
        [("allow_headers", "x-*")],
        [],
    ),
    (
        "a prefix in place of the name before its asterisk",
        {"allow_origins": A, "allow_headers": "x-app"},
        {"allow_origins": A, "allow_headers": "x-app*"},
        [("allow_headers", "x-app*")],
        [],
    ),
    (
        "named origins in place of any origin, which may send requests because they are named",
        {"allow_origins": "*", "csrf_protection": True, "csrf_trusted_origins": B},
        {
            "allow_origins": [A, B, "null"],
            "allow_origin_regex": REGEX.pattern,
            "csrf_protection": True,
            "csrf_trusted_origins": B,
        },
        [("allow_origins", A), ("allow_origin_regex", REGEX.pattern)],
        [("allow_origins", "*")],
    ),
    (
        "any request header",
        {"allow_origins": A, "allow_headers": ["x-app-*", "authorization"]},
        {"allow_origins": A, "allow_headers": "*"},
        [("allow_headers", "*")],
        [],
    ),
    (
        "exposed headers",
        {"allow_origins": A, "expose_headers": ["X-Total", "x-page"]},
        {"allow_origins": A, "expose_headers": ["x-total", "ETag"]},
        [("expose_headers", "ETag")],
        [("expose_headers", "x-page")],
    ),
    (
        "any exposed header",
        {"allow_origins": A, "expose_headers": "x-total"},
        {"allow_origins": A, "expose_headers": "*"},
        [("expose_headers", "*")],
        [],
    ),
    (
        "a preset",
        {"allow_origins": A, "allow_headers": "baggage"},
        {"allow_origins": A, "presets": "opentelemetry"},
        [("allow_headers", "traceparent"), ("allow_headers", "tracestate")],
        [],
    ),
    (
        "credentials",
        {"allow_origins": A},
        {"allow_origins": A, "allow_credentials": True},
        [("allow_credentials", True)],
        [],
    ),
    (
        "a longer time in the cache",
        {"allow_origins": A, "max_age": 60},
        {"allow_origins": A, "max_age": 600},
        [("max_age", 600)],
        [],
    ),
    (
        "the time that browsers cache without the header",
        {"allow_origins": A, "max_age": 0},
        {"allow_origins": A, "max_age": None},
        [("max_age", None)],
        [],
    ),
    (
        "the private network",
        {"allow_origins": A},
        {"allow_origins": A, "allow_private_network": True},
        [("allow_private_network", True)],
        [],
    ),
    (
        "timing",
        {"allow_origins": A},
        {"allow_origins": A, "timing_allow_origin": True},
        [("timing_allow_origin", True)],
        [],
    ),
    (
        "csrf_protection that is turned on",
        {"allow_origins": A},
        {"allow_origins": A, "csrf_protection": True},
        [],
        [("csrf_protection", True)],
    ),
    (
        "csrf_protection that only reports",
        {"allow_origins": A},
        {"allow_origins": A, "csrf_protection": "report"},
        [],
        [("csrf_protection", "report")],
    ),
    (
        "csrf_protection that only reports from now on",
        {"allow_origins": A, "csrf_protection": True},
        {"allow_origins": A, "csrf_protection": "report"},
        [("csrf_protection", True)],
        [],
    ),
    (
        "a resource policy that is turned on",
        {"allow_origins": A},
        {"allow_origins": A, "resource_policy": "same-site"},
        [],
        [("resource_policy", "same-site")],
    ),
    (
        "a stronger resource policy",
        {"allow_origins": A, "resource_policy": "same-site"},
        {"allow_origins": A, "resource_policy": "same-origin"},
        [],
        [("resource_policy", "same-origin")],
    ),
    (
        "a weaker resource policy",
        {"allow_origins": A, "resource_policy": "same-origin"},
        {"allow_origins": A, "resource_policy": "cross-origin"},
        [("resource_policy", "same-origin")],
        [],
    ),
    (
        "a resource policy for pages under COEP",
        {"allow_origins": A},
        {"allow_origins": A, "resource_policy": "cross-origin"},
        [("resource_policy", "cross-origin")],
        [],
    ),
    (
        "trusted origins",
        {"allow_origins": A, "csrf_trusted_origins": [B, "https://x.c.com"]},
        {"allow_origins": A, "csrf_trusted_origins": ["https://*.c.com"]},
        [("csrf_trusted_origins", "https://*.c.com")],
        [("csrf_trusted_origins", B)],
    ),
    (
        "any trusted origin",
        {"csrf_trusted_origins": B, "dangerously_allow": "credentials-from-any-origin"},
        {"csrf_trusted_origins": "*", "dangerously_allow": "credentials-from-any-origin"},
        [("csrf_trusted_origins", "*")],
        [],
    ),
    (
        "a method, if both policies trust any origin",
        {"csrf_trusted_origins": "*", "dangerously_allow": "credentials-from-any-origin"},
        {"csrf_trusted_origins": "*", "dangerously_allow": "credentials-from-any-origin", "allow_methods": "PUT"},
        [("allow_methods", "PUT")],
        [],
    ),
    (
        "a trusted origin that may also read",
        {"csrf_trusted_origins": A},
        {"allow_origins": A, "allow_credentials": True},
        [("allow_origins", A), ("allow_credentials", True)],
        [],
    ),
    (
        "an accepted risk, for the entries of a callable",
        {"allow_origins": [customers], "allow_credentials": True},
        {"allow_origins": [customers], "allow_credentials": True, "dangerously_allow": "credentials-over-http"},
        [("dangerously_allow", "credentials-over-http")],
        [],
    ),
]


@pytest.mark.parametrize(("old", "new", "allowed", "refused"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_differences_are_what_only_one_policy_allows(
    old: dict[str, Any], new: dict[str, Any], allowed: list[Any], refused: list[Any]
) -> None:
    assert diff(old, new) == PolicyDiff(tuple(allowed), tuple(refused))
    assert diff(new, old) == PolicyDiff(tuple(refused), tuple(allowed))


# behaviour, options, options with the same effect
SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("the order of origins", {"allow_origins": [A, B]}, {"allow_origins": [B, A]}),
    (
        "an origin that a pattern matches",
        {"allow_origins": ["https://*.c.com", "https://x.c.com"]},
        {"allow_origins": "https://*.c.com"},
    ),
    (
        "a pattern that a pattern covers",
        {"allow_origins": ["https://*.c.com:*", "https://pr-*.c.com", "https://*.x.c.com:8443"]},
        {"allow_origins": "https://*.c.com:*"},
    ),
    (
        "a regex in another option",
        {"allow_origins": [A, REGEX]},
        {"allow_origins": A, "allow_origin_regex": REGEX.pattern},
    ),
    (
        "a name that a prefix covers",
        {"allow_origins": A, "allow_headers": ["x-app-*", "x-app-id", "x-app-a-*"]},
        {"allow_origins": A, "allow_headers": "x-app-*"},
    ),
    (
        "names that are always allowed",
        {"allow_origins": A, "allow_methods": ["GET", "HEAD"], "allow_headers": "Content-Type"},
        {"allow_origins": A},
    ),
    (
        "the names of a preset",
        {"allow_origins": A, "presets": "sentry"},
        {"allow_origins": A, "allow_headers": ["baggage", "Sentry-Trace", "traceparent"]},
    ),
    ("the name", {"allow_origins": A, "name": "old"}, {"allow_origins": A, "name": "new"}),
    (
        "an accepted risk that no entry has",
        {"allow_origins": A, "allow_credentials": True},
        {"allow_origins": A, "allow_credentials": True, "dangerously_allow": "credentials-over-http"},
    ),
    (
        "a trusted origin that may read with credentials",
        {"allow_origins": A, "allow_credentials": True, "csrf_trusted_origins": A},
        {"allow_origins": A, "allow_credentials": True},
    ),
    ("the same callable", {"allow_origins": [customers, A]}, {"allow_origins": [A, customers]}),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_policies_with_the_same_effect_have_no_difference(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = diff(old, new)
    assert found == diff(new, old) == PolicyDiff()
    assert not found
    assert str(found) == ""
    assert len(found) == 0


def test_two_callables_with_the_same_code_are_different() -> None:
    one, other = (lambda _: True), (lambda _: True)
    assert diff({"allow_origins": [one]}, {"allow_origins": [other]}) == PolicyDiff(
        (("allow_origins", other),), (("allow_origins", one),)
    )


def test_a_registry_equals_itself_and_no_other(tmp_path: Any) -> None:
    one, other = SQLiteRegistry(tmp_path / "a.db"), SQLiteRegistry(tmp_path / "b.db")
    assert not diff({"allow_origins": [one]}, {"allow_origins": [one]})
    assert diff({"csrf_trusted_origins": [one]}, {"csrf_trusted_origins": [other]}).allowed == (
        ("csrf_trusted_origins", other),
    )


def test_the_text_has_a_line_for_each_difference() -> None:
    old = {"allow_origins": A, "resource_policy": "same-origin", "allow_methods": "PUT"}
    new = {"allow_origins": [A, B], "csrf_protection": True}
    assert str(diff(old, new)).splitlines() == [
        "allowed: allow_origins='https://b.com'",
        "allowed: resource_policy='same-origin' is off",
        "refused: allow_methods='PUT'",
        "refused: csrf_protection=True",
    ]


def test_the_text_of_a_grant_of_the_resource_policy_does_not_say_off() -> None:
    found = diff({"allow_origins": A}, {"allow_origins": A, "resource_policy": "cross-origin"})
    assert str(found) == "allowed: resource_policy='cross-origin'"


def test_the_text_has_20_values_of_an_option_and_the_number_of_the_others() -> None:
    many = [f"https://t{n}.example.com" for n in range(1022)]
    lines = str(diff({"allow_origins": A}, {"allow_origins": [A, *many], "allow_methods": "PUT"})).splitlines()
    assert lines[:1] == ["allowed: allow_origins='https://t0.example.com'"]
    assert lines[19:] == [
        "allowed: allow_origins='https://t19.example.com'",
        "allowed: allow_origins, 1,002 more",
        "allowed: allow_methods='PUT'",
    ]


@pytest.mark.parametrize("other", [None, {"allow_origins": A}, "*", 5], ids=repr)
def test_a_value_that_is_not_a_policy_is_refused_with_a_hint(other: Any) -> None:
    with pytest.raises(ConfigError, match="is not a policy") as caught:
        Policy(allow_origins=A).diff(other)
    assert caught.value.issues[0].hint


def test_a_policy_of_100_000_origins_is_compared_by_look_ups() -> None:
    """A walk over all pairs would take hours."""
    many = [f"https://t{n}.example.com" for n in range(100_000)]
    old = Policy(allow_origins=many)
    assert old.diff(Policy(allow_origins=[*many[1:], B, "https://pr-*.example.net"])) == PolicyDiff(
        (("allow_origins", B), ("allow_origins", "https://pr-*.example.net")), (("allow_origins", many[0]),)
    )
    assert old.diff(Policy(allow_origins="https://*.example.com")).refused == ()


# -- properties


@given(policies(every_option=True))
def test_a_policy_has_no_difference_to_itself_or_its_copy(policy: Policy) -> None:
    assert not policy.diff(policy)
    assert not policy.diff(Policy.from_mapping(policy.to_mapping()))


@given(policies(every_option=True), policies(every_option=True))
def test_the_reverse_difference_has_both_sides_exchanged(one: Policy, other: Policy) -> None:
    found, reverse = one.diff(other), other.diff(one)
    assert (found.allowed, found.refused) == (reverse.refused, reverse.allowed)
    assert one != other or not found
    assert bool(found) is bool(str(found))


def rights(policy: Policy, request: Request) -> tuple[bool, bool, bytes]:
    """Return whether a request is allowed, with credentials, and how long the answer may be cached."""
    decision = decide(policy, request)
    headers = dict(decision.headers)
    credentials = b"access-control-allow-credentials" in headers
    return decision.allowed, decision.allowed and credentials, headers.get(b"access-control-max-age", b"")


@given(policies(every_option=True), policies(every_option=True), requests(), st.booleans())
def test_policies_that_decide_differently_have_a_difference(
    one: Policy, other: Policy, request: Any, plain: bool
) -> None:
    method, lines = request
    headers = dict(lines)
    origin = headers.get(b"origin")
    requested = headers.get(b"access-control-request-method", b"PUT")
    names = headers.get(b"access-control-request-headers", b"x-a")
    sent = (
        Request(method, origin=origin)
        if plain
        else Request("OPTIONS", origin=origin, requested_method=requested, requested_headers=names)
    )
    if rights(one, sent) != rights(other, sent):
        assert one.diff(other)


WILD = ["https://*.c.com", "https://*.x.c.com", "https://a-*.c.com", "https://a-b-*.c.com", "https://*.a-*.c.com"]
WILD += ["https://a-*.x-*.c.com", "https://a-*-z.c.com", "https://*.*.c.com", "https://q.*.c.com", "https://*.c.com:*"]
WILD += [
    "https://a-*.c.com:8443",
    "http://localhost:*",
    "http://*.localhost:*",
    "app://*",
    "app://x:*",
    "http://[::1]:*",
]
LABELS = ["a-b", "a-b-z", "x", "x-1", "q", "a-1", "z"]


@given(
    st.lists(st.sampled_from(WILD), min_size=1, max_size=3),
    st.lists(st.sampled_from(WILD), min_size=1, max_size=3),
    st.lists(st.sampled_from(LABELS), max_size=3),
    st.sampled_from(["c.com", "x.c.com", "localhost"]),
    st.sampled_from(["", ":8443", ":5"]),
)
def test_an_origin_that_only_one_list_of_patterns_matches_is_a_difference(
    old: list[str], new: list[str], labels: list[str], end: str, port: str
) -> None:
    origin = f"http{'' if end == 'localhost' else 's'}://{'.'.join([*labels, end])}{port}".encode()
    one, other = Policy(allow_origins=old), Policy(allow_origins=new)
    found = one.diff(other)
    request = Request("GET", origin=origin)
    if decide(other, request).outcome is Outcome.ALLOWED and not decide(one, request).allowed:
        assert found.allowed
    if not found.allowed:
        assert not other.diff(one).refused


# a pattern, a pattern that covers it, and whether that is the case
COVERED = [
    ("https://a-*.c.com", "https://*.c.com", True),
    ("https://*.x.c.com", "https://*.c.com", True),
    ("https://a-b-*.c.com", "https://a-*.c.com", True),
    ("https://a-*-z.c.com", "https://a-*.c.com", True),
    ("https://a-*-y-z.c.com", "https://a-*-z.c.com", True),
    ("https://*.c.com", "https://*.c.com:*", True),
    ("https://a.*.c.com", "https://*.c.com", True),
    ("https://*.a-*.c.com", "https://*.*.c.com", True),
    ("https://*.c.com", "https://a-*.c.com", False),
    ("https://*.c.com:*", "https://*.c.com", False),
    ("https://*.c.com", "https://*.x.c.com", False),
    ("https://*.c.com", "https://*.*.c.com", False),
    ("https://*.*.c.com", "https://q.*.c.com", False),
    ("https://a-*.c.com", "https://a-b-*.c.com", False),
    ("https://a-*.c.com", "https://a-*-z.c.com", False),
    ("http://a-*.c.com", "https://a-*.c.com", False),
    ("http://localhost:*", "http://*.localhost:*", False),
    ("app://*", "app2://*", False),
]


@pytest.mark.parametrize(("narrow", "wide", "is_covered"), COVERED, ids=[" in ".join(row[:2]) for row in COVERED])
def test_a_pattern_is_covered_if_each_of_its_origins_is_matched(narrow: str, wide: str, is_covered: bool) -> None:
    found = diff({"allow_origins": wide}, {"allow_origins": [wide, narrow]})
    assert found.allowed == (() if is_covered else (("allow_origins", narrow),))
