"""What each option accepts, defaults to, refuses and warns of."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from asgi_cors import ConfigWarning, Policy
from tests.support.expected import APP
from tests.support.policies import issue, quiet, warned

ONE = {"allow_origins": APP}

# behaviour, options, attribute, value
READ: list[tuple[str, dict[str, Any], str, Any]] = [
    ("a lone origin is one entry", {"allow_origins": APP}, "allow_origins", (APP,)),
    (
        "origins keep the order written, repeats dropped",
        {"allow_origins": [APP, "https://a.com", APP]},
        "allow_origins",
        (APP, "https://a.com"),
    ),
    ("a set of origins is an iterable", {"allow_origins": {APP}}, "allow_origins", (APP,)),
    ("a generator of origins is an iterable", {"allow_origins": (each for each in [APP])}, "allow_origins", (APP,)),
    ("allow_origin_regex defaults to None", ONE, "allow_origin_regex", None),
    (
        "allow_origin_regex is kept as given",
        {"allow_origin_regex": r"https://a\.com"},
        "allow_origin_regex",
        r"https://a\.com",
    ),
    ("allow_methods defaults to nothing beyond the free ones", ONE, "allow_methods", ()),
    ("a lone method is one entry", {**ONE, "allow_methods": "PUT"}, "allow_methods", ("PUT",)),
    (
        "the six names that browsers normalise are upper-cased",
        {**ONE, "allow_methods": ["get", "head", "Post", "put", "delete", "options"]},
        "allow_methods",
        ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"),
    ),
    (
        "other methods keep their letter case",
        {**ONE, "allow_methods": ["Lock", "lock"]},
        "allow_methods",
        ("Lock", "lock"),
    ),
    ("a method written twice stands once", {**ONE, "allow_methods": ["PUT", "put"]}, "allow_methods", ("PUT",)),
    ("a list of the star of methods is the star", {**ONE, "allow_methods": ["*"]}, "allow_methods", "*"),
    ("allow_headers defaults to nothing beyond the free ones", ONE, "allow_headers", ()),
    ("a lone header is one entry", {**ONE, "allow_headers": "X-Id"}, "allow_headers", ("x-id",)),
    (
        "headers compare without case",
        {**ONE, "allow_headers": ["X-Id", "x-ID", "Authorization"]},
        "allow_headers",
        ("x-id", "authorization"),
    ),
    ("a prefix is kept", {**ONE, "allow_headers": ["X-App-*"]}, "allow_headers", ("x-app-*",)),
    ("a list of the star of headers is the star", {**ONE, "allow_headers": ["*"]}, "allow_headers", "*"),
    ("User-Agent is no forbidden header", {**ONE, "allow_headers": ["User-Agent"]}, "allow_headers", ("user-agent",)),
    ("expose_headers defaults to nothing", ONE, "expose_headers", ()),
    (
        "exposed headers keep their spelling",
        {**ONE, "expose_headers": ["X-Total", "x-total", "X-Page"]},
        "expose_headers",
        ("X-Total", "X-Page"),
    ),
    (
        "the standard's form of any header",
        {**ONE, "allow_headers": ["*", "Authorization"]},
        "allow_headers",
        "*",
    ),
    ("a list of the star of exposed headers is the star", {**ONE, "expose_headers": ["*"]}, "expose_headers", "*"),
    ("allow_credentials defaults to False", ONE, "allow_credentials", False),
    ("max_age defaults to 600", ONE, "max_age", 600),
    ("max_age takes seconds", {**ONE, "max_age": 5}, "max_age", 5),
    ("max_age takes 0", {**ONE, "max_age": 0}, "max_age", 0),
    ("max_age takes None", {**ONE, "max_age": None}, "max_age", None),
    ("max_age takes a timedelta", {**ONE, "max_age": timedelta(hours=1)}, "max_age", 3600),
    ("max_age takes a day", {**ONE, "max_age": 86400}, "max_age", 86400),
    ("allow_private_network defaults to False", ONE, "allow_private_network", False),
    ("dangerously_allow defaults to nothing", ONE, "dangerously_allow", ()),
    (
        "a lone dangerous word is one entry",
        {**ONE, "dangerously_allow": "credentials-over-http"},
        "dangerously_allow",
        ("credentials-over-http",),
    ),
]


@pytest.mark.parametrize(("options", "name", "value"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_options(options: dict[str, Any], name: str, value: Any) -> None:
    """An option reads as what it was normalised to."""
    assert getattr(Policy(**options), name) == value


def refusing(option: str, *values: Any, **others: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """Rows of values refused for one option."""
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
def test_refused(option: str, value: Any, others: dict[str, Any]) -> None:
    """A value that the option does not take is one issue under its name, in words."""
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
    """A string with a comma, a blank or a JSON bracket gets the split list as its hint."""
    assert f"[{', '.join(parts)}]" in issue(**{**ONE, option: value}).hint


WARNED: list[tuple[str, dict[str, Any], str]] = [
    ("nothing allowed at all", {}, "allow_origins"),
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
]


@pytest.mark.parametrize(("options", "option"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED])
def test_warned(options: dict[str, Any], option: str) -> None:
    """The policy is built; a ConfigWarning with an issue names the option and what to write."""
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
    ],
    ids=str,
)
def test_not_warned(options: dict[str, Any]) -> None:
    """A policy without a doubt about it is silent."""
    assert warned(**options) == []


USELESS = [
    *("Cookie", "host", "Origin", "content-length", "Sec-Fetch-Site", "proxy-x", "Accept-Encoding", "Referer", "DNT"),
    *("Access-Control-Request-Method", "access-control-request-headers", "Set-Cookie", "Connection", "TE", "Via"),
    *("Expect", "Date", "sec-*"),
]
RESPONSE = ["Access-Control-Allow-Origin", "access-control-max-age", "Access-Control-Allow-Credentials"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [*((name, "no script can set it") for name in USELESS), *((name, "is a header of responses") for name in RESPONSE)],
)
def test_a_useless_request_header_is_dropped(name: str, reason: str) -> None:
    """A useless name is dropped from `allow_headers`, and a warning states the reason."""
    options = {**ONE, "allow_headers": ["x-a", name]}
    (found,) = warned(**options)
    assert (found.option, found.value) == ("allow_headers", name)
    assert reason in found.message
    assert quiet(**options) == Policy(**ONE, allow_headers="x-a")


@pytest.mark.parametrize(
    ("option", "names", "listed"),
    [
        ("allow_headers", ["*", "x-a", "Authorization", "Origin"], "'x-a', 'Origin'"),
        ("allow_methods", ["PUT", "*", "Authorization"], "'PUT', 'Authorization'"),
        ("expose_headers", ["*", "x-a"], "'x-a'"),
    ],
)
def test_names_next_to_a_star_are_listed(option: str, names: list[str], listed: str) -> None:
    """`*` with names means `*`; one warning lists the names, except the Authorization that the standard asks for."""
    options = {**ONE, option: names}
    (found,) = warned(**options)
    assert found.message.endswith(f": {listed}")
    assert getattr(quiet(**options), option) == "*"


@pytest.mark.parametrize("names", [["*", "Authorization"], ["authorization", "*"], ["*"], ["*", "*"]], ids=str)
def test_the_form_of_the_standard_is_not_warned_of(names: list[str]) -> None:
    """`["*", "Authorization"]` raises no warning."""
    assert warned(**ONE, allow_headers=names) == []


def test_warnings_point_at_the_caller() -> None:
    """The warning's place is the line that built the policy."""
    with pytest.warns(ConfigWarning) as caught:
        Policy()
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["allow_origins", "max_age", "anything"])
def test_a_policy_is_immutable(name: str) -> None:
    """Setting or deleting an attribute raises AttributeError."""
    policy = Policy(**ONE)
    with pytest.raises(AttributeError):
        setattr(policy, name, "*")
    with pytest.raises(AttributeError):
        delattr(policy, name)
    assert policy == Policy(**ONE)


def test_a_callers_list_is_copied() -> None:
    """A list edited after the policy was built changes nothing."""
    origins = [APP]
    policy = Policy(allow_origins=origins)
    origins.append("https://evil.example.net")
    assert policy.allow_origins == (APP,)


def test_the_dangerous_words_are_known_by_name() -> None:
    """The hint for a wrong dangerous word names the four."""
    hint = issue(**ONE, dangerously_allow="x").hint + issue(**ONE, dangerously_allow="x").message
    for word in (
        "credentials-from-any-origin",
        "credentials-from-null",
        "credentials-from-shared-suffix",
        "credentials-over-http",
    ):
        assert word in hint


def test_a_quiet_policy_of_everything() -> None:
    """All options together make a policy."""
    policy = quiet(
        allow_origins=[APP, "null"],
        allow_origin_regex=r"https://x\.com",
        allow_methods="*",
        allow_headers="*",
        expose_headers="*",
        max_age=timedelta(days=2),
        allow_private_network=True,
    )
    assert policy.max_age == 172800
