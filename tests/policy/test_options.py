"""Each option of a policy: its default, the values that it accepts and refuses, and its warnings."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from asgi_cors import ConfigWarning, Policy
from tests.support.expected import APP
from tests.support.policies import issue, policy_without_warnings, warned

ONE = {"allow_origins": APP}

# behaviour, options, attribute, value
ACCEPTED: list[tuple[str, dict[str, Any], str, Any]] = [
    ("a single origin is a list of one", {"allow_origins": APP}, "allow_origins", (APP,)),
    (
        "origins are in the given order, without duplicates",
        {"allow_origins": [APP, "https://a.com", APP]},
        "allow_origins",
        (APP, "https://a.com"),
    ),
    ("a set of origins is accepted", {"allow_origins": {APP}}, "allow_origins", (APP,)),
    ("a generator of origins is accepted", {"allow_origins": (each for each in [APP])}, "allow_origins", (APP,)),
    ("allow_origin_regex defaults to None", ONE, "allow_origin_regex", None),
    (
        "allow_origin_regex is the given value",
        {"allow_origin_regex": r"https://a\.com"},
        "allow_origin_regex",
        r"https://a\.com",
    ),
    ("allow_methods defaults to an empty list", ONE, "allow_methods", ()),
    ("a single method is a list of one", {**ONE, "allow_methods": "PUT"}, "allow_methods", ("PUT",)),
    (
        "the six method names that browsers normalize are upper-cased",
        {**ONE, "allow_methods": ["get", "head", "Post", "put", "delete", "options"]},
        "allow_methods",
        ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"),
    ),
    (
        "the letter case of other methods is unchanged",
        {**ONE, "allow_methods": ["Lock", "lock"]},
        "allow_methods",
        ("Lock", "lock"),
    ),
    ("a duplicate method is dropped", {**ONE, "allow_methods": ["PUT", "put"]}, "allow_methods", ("PUT",)),
    ("a list with * is any method", {**ONE, "allow_methods": ["*"]}, "allow_methods", "*"),
    ("allow_headers defaults to an empty list", ONE, "allow_headers", ()),
    ("a single header is a list of one", {**ONE, "allow_headers": "X-Id"}, "allow_headers", ("x-id",)),
    (
        "request headers are in lower case, without duplicates",
        {**ONE, "allow_headers": ["X-Id", "x-ID", "Authorization"]},
        "allow_headers",
        ("x-id", "authorization"),
    ),
    ("a prefix is in lower case", {**ONE, "allow_headers": ["X-App-*"]}, "allow_headers", ("x-app-*",)),
    ("a list with * is any request header", {**ONE, "allow_headers": ["*"]}, "allow_headers", "*"),
    (
        "User-Agent is not a forbidden header",
        {**ONE, "allow_headers": ["User-Agent"]},
        "allow_headers",
        ("user-agent",),
    ),
    ("expose_headers defaults to an empty list", ONE, "expose_headers", ()),
    (
        "exposed headers have the letter case of the first spelling",
        {**ONE, "expose_headers": ["X-Total", "x-total", "X-Page"]},
        "expose_headers",
        ("X-Total", "X-Page"),
    ),
    (
        "* with Authorization is any request header",
        {**ONE, "allow_headers": ["*", "Authorization"]},
        "allow_headers",
        "*",
    ),
    ("a list with * is any response header", {**ONE, "expose_headers": ["*"]}, "expose_headers", "*"),
    ("allow_credentials defaults to False", ONE, "allow_credentials", False),
    ("max_age defaults to 600", ONE, "max_age", 600),
    ("max_age accepts seconds", {**ONE, "max_age": 5}, "max_age", 5),
    ("max_age accepts 0", {**ONE, "max_age": 0}, "max_age", 0),
    ("max_age accepts None", {**ONE, "max_age": None}, "max_age", None),
    ("max_age accepts a timedelta", {**ONE, "max_age": timedelta(hours=1)}, "max_age", 3600),
    ("max_age accepts a day", {**ONE, "max_age": 86400}, "max_age", 86400),
    ("allow_private_network defaults to False", ONE, "allow_private_network", False),
    ("csrf_protection defaults to False", ONE, "csrf_protection", False),
    ("csrf_protection accepts True", {**ONE, "csrf_protection": True}, "csrf_protection", True),
    ("csrf_protection accepts report", {**ONE, "csrf_protection": "report"}, "csrf_protection", "report"),
    ("csrf_trusted_origins defaults to an empty list", ONE, "csrf_trusted_origins", ()),
    ("a single trusted origin is a list of one", {"csrf_trusted_origins": APP}, "csrf_trusted_origins", (APP,)),
    ("timing_allow_origin defaults to False", ONE, "timing_allow_origin", False),
    ("timing_allow_origin accepts True", {**ONE, "timing_allow_origin": True}, "timing_allow_origin", True),
    ("resource_policy defaults to None", ONE, "resource_policy", None),
    ("resource_policy accepts a value", {"resource_policy": "same-site"}, "resource_policy", "same-site"),
    ("presets default to an empty list", ONE, "presets", ()),
    ("a single preset is a list of one", {**ONE, "presets": "mcp"}, "presets", ("mcp",)),
    ("a duplicate preset is dropped", {**ONE, "presets": ["tus", "mcp", "tus"]}, "presets", ("tus", "mcp")),
    ("the names of a preset are not in the lists", {**ONE, "presets": "mcp"}, "allow_headers", ()),
    ("name defaults to None", ONE, "name", None),
    ("name is the given text", {**ONE, "name": "öffentlich 1"}, "name", "öffentlich 1"),
    ("dangerously_allow defaults to an empty list", ONE, "dangerously_allow", ()),
    (
        "a single risk is a list of one",
        {**ONE, "dangerously_allow": "credentials-over-http"},
        "dangerously_allow",
        ("credentials-over-http",),
    ),
]


@pytest.mark.parametrize(("options", "name", "value"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_an_attribute_of_a_policy_is_the_normalised_option(options: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(Policy(**options), name) == value


def refusing(option: str, *values: Any, **others: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return a row for each value that an option refuses."""
    return [(option, value, others) for value in values]


REFUSED = [
    *refusing("allow_origins", 5, None, True),
    *refusing(
        "allow_methods",
        5,
        None,
        [5],
        [None],
        "PU T",
        "PUT,DELETE",
        "PUT DELETE",
        '["PUT"]',
        "",
        "PÜT",
        b"PUT",
    ),
    *refusing("allow_methods", "CONNECT", "TRACE", "TRACK", "trace", ["PUT", "Track"]),
    *refusing(
        "allow_headers",
        5,
        None,
        [5],
        "x id",
        "x-a,x-b",
        '["x-a"]',
        "",
        "x-ü",
        "x:",
        "x-*-a",
        "*-a",
        "**",
        b"x-a",
    ),
    *refusing("expose_headers", 5, None, [5], "x id", "x-a,x-b", "", "x-*", b"x-a"),
    *refusing(
        "expose_headers",
        "Set-Cookie",
        "set-cookie2",
        "Origin",
        "Access-Control-Request-Method",
        "access-control-request-headers",
    ),
    *refusing("expose_headers", "*", ["*"], allow_credentials=True),
    *refusing("allow_credentials", "true", "false", 1, 0, None, "yes"),
    *refusing("max_age", -1, True, False, "600", 1.5, timedelta(seconds=-1), Fraction(1, 2)),
    *refusing("allow_private_network", "true", 1, None),
    *refusing("dangerously_allow", "credentials-from-everywhere", ["credentials-over-http", "http"], True, 5, None),
    *refusing("allow_origin_regex", 5, "(", ["https://a"]),
]


@pytest.mark.parametrize(
    ("option", "value", "others"), REFUSED, ids=[f"{option}={value!r}" for option, value, _ in REFUSED]
)
def test_an_invalid_value_is_one_issue_with_a_hint(option: str, value: Any, others: dict[str, Any]) -> None:
    found = issue(**{**ONE, **others, option: value})
    assert found.option == option
    assert found.message
    assert found.hint
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found.code)


@pytest.mark.parametrize(
    ("option", "value", "parts"),
    [
        ("allow_methods", "PUT,DELETE", ["'PUT'", "'DELETE'"]),
        ("allow_methods", "PUT DELETE", ["'PUT'", "'DELETE'"]),
        ("allow_headers", "x-a, x-b", ["'x-a'", "'x-b'"]),
        ("allow_headers", '["x-a","x-b"]', ["'x-a'", "'x-b'"]),
        ("expose_headers", "x-a, x-b", ["'x-a'", "'x-b'"]),
        ("allow_origins", "https://a.com https://b.com", ["'https://a.com'", "'https://b.com'"]),
    ],
)
def test_a_list_in_one_string_is_split_in_the_hint(option: str, value: str, parts: list[str]) -> None:
    assert f"[{', '.join(parts)}]" in issue(**{**ONE, option: value}).hint


WARNED: list[tuple[str, dict[str, Any], str]] = [
    ("no option at all", {}, "allow_origins"),
    ("an empty list of origins", {"allow_origins": []}, "allow_origins"),
    ("null", {"allow_origins": ["null"]}, "allow_origins"),
    ("max_age above a day", {**ONE, "max_age": 86401}, "max_age"),
    ("patch in lower case", {**ONE, "allow_methods": ["patch"]}, "allow_methods"),
    (
        "an unescaped dot between word characters",
        {"allow_origin_regex": r"https://www.example\.com"},
        "allow_origin_regex",
    ),
    (
        "an unescaped dot in a compiled entry",
        {"allow_origins": [re.compile(r"https://www\.example.com")]},
        "allow_origins",
    ),
    ("allow_private_network", {**ONE, "allow_private_network": True}, "allow_private_network"),
    ("timing without origins", {"csrf_protection": True, "timing_allow_origin": True}, "timing_allow_origin"),
    (
        "null as a trusted origin, with its risk accepted",
        {"csrf_trusted_origins": ["null", APP], "dangerously_allow": "credentials-from-null"},
        "csrf_trusted_origins",
    ),
    (
        "an unescaped dot in a trusted origin",
        {"csrf_trusted_origins": [re.compile(r"https://www\.example.com")]},
        "csrf_trusted_origins",
    ),
]


@pytest.mark.parametrize(("options", "option"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED])
def test_a_probable_mistake_is_one_warning_with_a_hint(options: dict[str, Any], option: str) -> None:
    (found,) = warned(**options)
    assert found.option == option
    assert found.message
    assert found.hint
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found.code)


@pytest.mark.parametrize(
    "options",
    [
        {**ONE, "max_age": 86400},
        {"allow_origin_regex": r"https://[a-z]+\.example\.com"},
        {"allow_origins": "*"},
        {"allow_origins": [re.compile(r"https://.+\.example\.com")]},
        {"csrf_protection": True},
        {"csrf_protection": "report"},
        {"csrf_trusted_origins": APP},
        {"resource_policy": "same-origin"},
        {**ONE, "timing_allow_origin": True, "presets": "mcp", "name": "api"},
        {"allow_origins": "*", "presets": ["opentelemetry"], "timing_allow_origin": True},
    ],
    ids=str,
)
def test_a_plausible_policy_has_no_warning(options: dict[str, Any]) -> None:
    assert warned(**options) == []


FORBIDDEN = [
    *("Cookie", "host", "Origin", "content-length", "Sec-Fetch-Site", "proxy-x", "Accept-Encoding", "Referer", "DNT"),
    *("Access-Control-Request-Method", "access-control-request-headers", "Set-Cookie", "Connection", "TE", "Via"),
    *("Expect", "Date", "sec-*"),
]
RESPONSE = ["Access-Control-Allow-Origin", "access-control-max-age", "Access-Control-Allow-Credentials"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [*((name, "no script can set it") for name in FORBIDDEN), *((name, "a header of responses") for name in RESPONSE)],
)
def test_a_request_header_that_has_no_effect_is_dropped_with_a_warning(name: str, reason: str) -> None:
    options = {**ONE, "allow_headers": ["x-a", name]}
    (found,) = warned(**options)
    assert (found.option, found.value) == ("allow_headers", name)
    assert reason in found.message
    assert policy_without_warnings(**options) == Policy(**ONE, allow_headers="x-a")


@pytest.mark.parametrize(
    ("option", "names", "listed"),
    [
        ("allow_headers", ["*", "x-a", "Authorization", "Origin"], "'x-a', 'Origin'"),
        ("allow_methods", ["PUT", "*", "Authorization"], "'PUT', 'Authorization'"),
        ("expose_headers", ["*", "x-a"], "'x-a'"),
    ],
)
def test_names_next_to_a_star_are_listed_in_one_warning(option: str, names: list[str], listed: str) -> None:
    """The list is any name. In allow_headers, Authorization is not redundant, because `*` does not cover it."""
    options = {**ONE, option: names}
    (found,) = warned(**options)
    assert found.message.endswith(f": {listed}")
    assert getattr(policy_without_warnings(**options), option) == "*"


@pytest.mark.parametrize("names", [["*", "Authorization"], ["authorization", "*"], ["*"], ["*", "*"]], ids=str)
def test_a_star_with_authorization_has_no_warning(names: list[str]) -> None:
    assert warned(**ONE, allow_headers=names) == []


def test_a_warning_points_at_the_line_that_builds_the_policy() -> None:
    with pytest.warns(ConfigWarning) as caught:
        Policy()
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["allow_origins", "max_age", "anything"])
def test_setting_or_deleting_an_attribute_raises_an_attribute_error(name: str) -> None:
    policy = Policy(**ONE)
    with pytest.raises(AttributeError):
        setattr(policy, name, "*")
    with pytest.raises(AttributeError):
        delattr(policy, name)
    assert policy == Policy(**ONE)


def test_editing_the_given_list_does_not_change_the_policy() -> None:
    origins = [APP]
    policy = Policy(allow_origins=origins)
    origins.append("https://evil.example.net")
    assert policy.allow_origins == (APP,)


def test_the_hint_for_an_unknown_risk_lists_the_four_risks() -> None:
    hint = issue(**ONE, dangerously_allow="x").hint
    for risk in (
        "credentials-from-any-origin",
        "credentials-from-null",
        "credentials-from-shared-suffix",
        "credentials-over-http",
    ):
        assert risk in hint


def test_all_options_together_are_accepted() -> None:
    policy = policy_without_warnings(
        allow_origins=[APP, "null"],
        allow_origin_regex=r"https://x\.com",
        allow_methods="*",
        allow_headers="*",
        expose_headers="*",
        max_age=timedelta(days=2),
        allow_private_network=True,
    )
    assert policy.max_age == 172800
