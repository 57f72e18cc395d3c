"""A policy is a value: equality, hash, repr, replace, copies, mappings, environment."""

import copy
import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, ConfigWarning, Issue, Policy
from tests.support.expected import APP
from tests.support.policies import issue, policy_without_warnings
from tests.support.strategies import policies

REGEX = re.compile(r"https://a\.com")

# behaviour, a policy's options, the options of an equal policy
EQUAL: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a string is a list of one", {"allow_origins": APP}, {"allow_origins": [APP]}),
    (
        "the order of origins does not count",
        {"allow_origins": ["https://a.com", APP]},
        {"allow_origins": [APP, "https://a.com"]},
    ),
    ("duplicates do not count", {"allow_origins": [APP, APP]}, {"allow_origins": [APP]}),
    ("a list of * is *", {"allow_origins": ["*"]}, {"allow_origins": "*"}),
    (
        "the letter case of request headers does not count",
        {"allow_origins": APP, "allow_headers": "X-Id"},
        {"allow_origins": APP, "allow_headers": "x-id"},
    ),
    (
        "the letter case of exposed headers does not count",
        {"allow_origins": APP, "expose_headers": "X-Id"},
        {"allow_origins": APP, "expose_headers": "x-id"},
    ),
    (
        "the letter case of a normalized method does not count",
        {"allow_origins": APP, "allow_methods": "put"},
        {"allow_origins": APP, "allow_methods": "PUT"},
    ),
    (
        "the order of methods does not count",
        {"allow_origins": APP, "allow_methods": ["PUT", "LOCK"]},
        {"allow_origins": APP, "allow_methods": ["LOCK", "PUT"]},
    ),
    (
        "an option with its default does not count",
        {"allow_origins": APP, "max_age": 600, "allow_credentials": False},
        {"allow_origins": APP},
    ),
    (
        "methods and headers that are always allowed do not count",
        {"allow_origins": APP, "allow_methods": ["GET", "POST"], "allow_headers": "Content-Type"},
        {"allow_origins": APP},
    ),
    (
        "a preset equals its names",
        {"allow_origins": APP, "presets": ["opentelemetry"]},
        {"allow_origins": APP, "allow_headers": ["traceparent", "tracestate", "baggage"]},
    ),
    (
        "a preset that adds nothing does not count",
        {"allow_origins": APP, "allow_headers": "*", "presets": "sentry"},
        {"allow_origins": APP, "allow_headers": "*"},
    ),
    ("the name does not count", {"allow_origins": APP, "name": "public"}, {"allow_origins": APP}),
    (
        "the order of trusted origins does not count",
        {"csrf_trusted_origins": ["https://a.com", APP]},
        {"csrf_trusted_origins": [APP, "https://a.com"]},
    ),
    ("equal regexes are equal", {"allow_origins": [REGEX]}, {"allow_origins": [re.compile(REGEX.pattern)]}),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in EQUAL], ids=[row[0] for row in EQUAL])
def test_policies_with_the_same_meaning_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Policy(**one) == Policy(**other)
    assert hash(Policy(**one)) == hash(Policy(**other))


DIFFERENT: list[dict[str, Any]] = [
    {"allow_origins": "*"},
    {"allow_origins": "https://a.com"},
    {"allow_origins": [APP, "https://a.com"]},
    {"allow_methods": "PUT"},
    {"allow_headers": "x-id"},
    {"expose_headers": "x-id"},
    {"allow_credentials": True},
    {"max_age": 5},
    {"max_age": None},
    {"allow_origin_regex": r"https://a\.com"},
    {"dangerously_allow": "credentials-over-http"},
    {"allow_methods": "*"},
    {"csrf_protection": True},
    {"csrf_protection": "report"},
    {"csrf_trusted_origins": "https://a.com"},
    {"timing_allow_origin": True},
    {"resource_policy": "same-site"},
    {"presets": "mcp"},
]


@pytest.mark.parametrize("options", DIFFERENT, ids=str)
def test_policies_that_differ_in_one_option_are_not_equal(options: dict[str, Any]) -> None:
    assert Policy(**{"allow_origins": APP, **options}) != Policy(allow_origins=APP)


def test_a_policy_does_not_equal_its_mapping() -> None:
    assert Policy(allow_origins=APP) != {"allow_origins": [APP]}


def test_replace_returns_a_changed_policy_and_leaves_the_old_one() -> None:
    policy = Policy(allow_origins=APP, allow_methods="PUT")
    other = policy.replace(allow_origins="https://a.com", max_age=5)
    assert other == Policy(allow_origins="https://a.com", allow_methods="PUT", max_age=5)
    assert policy == Policy(allow_origins=APP, allow_methods="PUT")


def test_replace_refuses_an_invalid_unsafe_or_unknown_option() -> None:
    with pytest.raises(ConfigError, match=r"'https://a\.com'"):
        Policy(allow_origins=APP).replace(allow_origins="https://a.com/")
    with pytest.raises(ConfigError, match="credentials-from-any-origin"):
        Policy(allow_origins="*").replace(allow_credentials=True)
    with pytest.raises(ConfigError, match="allow_origins"):
        Policy(allow_origins=APP).replace(allow_origin="https://a.com")


def test_replace_leaves_callables_and_regexes_unchanged() -> None:
    def is_allowed(origin: str) -> bool:
        return bool(origin)

    policy = Policy(allow_origins=[APP, REGEX, is_allowed], allow_origin_regex=REGEX).replace(max_age=1)
    assert (policy.allow_origins, policy.allow_origin_regex) == ((APP, REGEX, is_allowed), REGEX)


@given(policies(every_option=True))
def test_a_short_repr_is_a_call_that_builds_an_equal_policy(policy: Policy) -> None:
    assert eval(repr(policy), {"Policy": Policy}) == policy  # noqa: S307 - our own text


@given(policies(every_option=True))
def test_a_policy_of_strings_survives_a_round_trip_through_json(policy: Policy) -> None:
    assert Policy.from_mapping(json.loads(json.dumps(policy.to_mapping()))) == policy


@given(policies(every_option=True), policies(every_option=True))
def test_equal_policies_have_equal_hashes(one: Policy, other: Policy) -> None:
    assert one == one.replace()
    assert (one == other) is (hash(one) == hash(other) and one == other)


def test_a_repr_has_only_the_options_that_differ_from_the_default() -> None:
    assert repr(Policy(allow_origins=APP)) == f"Policy(allow_origins=['{APP}'])"


def test_a_repr_of_many_entries_shows_20_and_their_number() -> None:
    text = repr(Policy(allow_origins=[f"https://t{n:04}.example.com" for n in range(1000)]))
    assert text.count("https://") == 20
    assert "1000 in all" in text


def test_to_mapping_has_only_the_options_that_differ_from_the_default() -> None:
    policy = Policy(allow_origins=[APP, "https://a.com"], max_age=5, allow_credentials=True)
    assert policy.to_mapping() == {"allow_origins": [APP, "https://a.com"], "max_age": 5, "allow_credentials": True}
    assert Policy(allow_origins="*").to_mapping() == {"allow_origins": "*"}
    assert Policy(allow_origins=APP, max_age=None).to_mapping() == {"allow_origins": [APP], "max_age": None}


def test_to_mapping_has_the_options_besides_cors() -> None:
    options = {
        "allow_origins": [APP],
        "csrf_protection": "report",
        "csrf_trusted_origins": ["https://bank.example"],
        "timing_allow_origin": True,
        "resource_policy": "same-site",
        "presets": ["mcp", "tus"],
        "name": "public-api",
    }
    policy = Policy(**options)
    assert policy.to_mapping() == options
    assert json.loads(json.dumps(policy.to_mapping())) == options
    assert policy.replace(name=None).to_mapping() == {key: value for key, value in options.items() if key != "name"}


@pytest.mark.parametrize("entry", [REGEX, len], ids=["a regex", "a callable"])
def test_to_mapping_names_the_option_of_an_entry_that_is_not_text(entry: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy(csrf_trusted_origins=[entry]).to_mapping()
    assert [(each.option, each.code) for each in caught.value.issues] == [("csrf_trusted_origins", "not-text")]


def test_to_mapping_refuses_a_callable() -> None:
    with pytest.raises(ConfigError, match=r"function .* cannot be represented as text"):
        Policy(allow_origins=[lambda _: True]).to_mapping()


@pytest.mark.parametrize(
    ("wrong", "right"), [("origins", "allow_origins"), ("allow-origins", "allow_origins"), ("maxage", "max_age")]
)
def test_from_mapping_refuses_an_unknown_key_and_names_the_closest(wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=right) as caught:
        Policy.from_mapping({"allow_origins": [APP], wrong: 1})
    assert [each.option for each in caught.value.issues] == [wrong]


@pytest.mark.parametrize("mapping", [None, [], "allow_origins", 5, {1: 2}], ids=repr)
def test_from_mapping_refuses_a_value_that_is_not_a_mapping_from_strings(mapping: Any) -> None:
    with pytest.raises(ConfigError):
        Policy.from_mapping(mapping)


def test_from_mapping_reports_all_mistakes_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.from_mapping({"allow_origins": ["a.com"], "max_age": -1, "x": 1})
    assert len(caught.value.issues) == 3


# behaviour, environment, the policy's options
ENVIRONMENTS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("one origin", {"CORS_ALLOW_ORIGINS": APP}, {"allow_origins": APP}),
    ("a list with commas", {"CORS_ALLOW_ORIGINS": f"{APP}, https://a.com,"}, {"allow_origins": [APP, "https://a.com"]}),
    (
        "a list as JSON",
        {"CORS_ALLOW_ORIGINS": f'["{APP}", "https://a.com"]'},
        {"allow_origins": [APP, "https://a.com"]},
    ),
    ("any origin", {"CORS_ALLOW_ORIGINS": "*"}, {"allow_origins": "*"}),
    (
        "methods and headers",
        {
            "CORS_ALLOW_ORIGINS": APP,
            "CORS_ALLOW_METHODS": "PUT,DELETE",
            "CORS_ALLOW_HEADERS": '["x-a"]',
            "CORS_EXPOSE_HEADERS": "x-b",
        },
        {"allow_origins": APP, "allow_methods": ["PUT", "DELETE"], "allow_headers": ["x-a"], "expose_headers": ["x-b"]},
    ),
    (
        "true is True",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "true"},
        {"allow_origins": APP, "allow_credentials": True},
    ),
    (
        "1 is True",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "1"},
        {"allow_origins": APP, "allow_credentials": True},
    ),
    ("false is False", {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "false"}, {"allow_origins": APP}),
    ("0 is False", {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "0"}, {"allow_origins": APP}),
    ("seconds", {"CORS_ALLOW_ORIGINS": APP, "CORS_MAX_AGE": "5"}, {"allow_origins": APP, "max_age": 5}),
    (
        "a regex with a comma is one regex",
        {"CORS_ALLOW_ORIGIN_REGEX": r"https://a{1,3}\.com"},
        {"allow_origin_regex": r"https://a{1,3}\.com"},
    ),
    (
        "a risk",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_DANGEROUSLY_ALLOW": "credentials-over-http"},
        {"allow_origins": APP, "dangerously_allow": "credentials-over-http"},
    ),
    ("true turns csrf_protection on", {"CORS_CSRF_PROTECTION": "true"}, {"csrf_protection": True}),
    ("1 turns csrf_protection on", {"CORS_CSRF_PROTECTION": "1"}, {"csrf_protection": True}),
    ("report", {"CORS_CSRF_PROTECTION": "Report"}, {"csrf_protection": "report"}),
    (
        "false turns csrf_protection off",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_CSRF_PROTECTION": "FALSE"},
        {"allow_origins": APP},
    ),
    (
        "trusted origins",
        {"CORS_CSRF_TRUSTED_ORIGINS": "https://a.com, https://*.b.com"},
        {"csrf_trusted_origins": ["https://a.com", "https://*.b.com"]},
    ),
    (
        "timing and presets",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_TIMING_ALLOW_ORIGIN": "true", "CORS_PRESETS": "mcp,tus"},
        {"allow_origins": APP, "timing_allow_origin": True, "presets": ["mcp", "tus"]},
    ),
    ("a resource policy", {"CORS_RESOURCE_POLICY": "same-site"}, {"resource_policy": "same-site"}),
    (
        "no resource policy",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_RESOURCE_POLICY": "none"},
        {"allow_origins": APP},
    ),
    (
        "other variables are ignored",
        {"CORS_ALLOW_ORIGINS": APP, "ALLOW_METHODS": "PUT", "PATH": "/"},
        {"allow_origins": APP},
    ),
]


@pytest.mark.parametrize(
    ("environ", "options"), [row[1:] for row in ENVIRONMENTS], ids=[row[0] for row in ENVIRONMENTS]
)
def test_from_env_parses_variables_as_options(environ: dict[str, str], options: dict[str, Any]) -> None:
    assert Policy.from_env(environ=environ) == Policy(**options)


def test_from_env_reads_the_environment_of_the_process_with_any_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ALLOW_ORIGINS", APP)
    assert Policy.from_env(prefix="MY_") == Policy(allow_origins=APP)


@pytest.mark.parametrize(
    ("environ", "option"),
    [
        ({"CORS_ALLOW_CREDENTIALS": "maybe"}, "allow_credentials"),
        ({"CORS_MAX_AGE": "ten"}, "max_age"),
        ({"CORS_MAX_AGE": "-1"}, "max_age"),
        ({"CORS_ALLOW_METHODS": "[1"}, "allow_methods"),
        ({"CORS_ALLOW_HEADERS": "x/y"}, "allow_headers"),
    ],
    ids=str,
)
def test_from_env_refuses_an_invalid_value_under_its_variable(environ: dict[str, str], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, **environ})
    assert option in {each.option.lower().removeprefix("cors_") for each in caught.value.issues}


def test_from_env_warns_of_an_unknown_variable_and_refuses_it_if_no_origins_are_set() -> None:
    with pytest.warns(ConfigWarning, match=r"ALLOW_ORIGINS|allow_origins"):
        assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_ORIGIN": "*"}) == Policy(
            allow_origins=APP
        )
    with pytest.raises(ConfigError, match=r"ALLOW_ORIGINS|allow_origins"):
        Policy.from_env(environ={"CORS_ALLOW_ORIGIN": "*"})


def test_from_env_without_a_variable_refuses_every_origin_with_a_warning() -> None:
    with pytest.warns(ConfigWarning):
        assert Policy.from_env(environ={}) == policy_without_warnings()


@given(st.text(max_size=40))
def test_any_string_is_one_entry_whether_it_is_accepted_or_refused(text: str) -> None:
    refused: tuple[Issue, ...] = ()
    try:
        assert policy_without_warnings(allow_origins=text).allow_origins in ("*", (text,))
    except ConfigError as error:
        refused = error.issues
    if refused:
        assert refused == (issue(allow_origins=[text]),)


@pytest.mark.parametrize(
    "clone",
    [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))],  # noqa: S301 - our own bytes
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_of_a_policy_or_an_error_is_equal(clone: Any) -> None:
    policy = Policy(allow_origins=[APP, REGEX], allow_methods="PUT", max_age=5, csrf_trusted_origins=[REGEX], name="x")
    assert clone(policy) == policy
    assert clone(policy).name == "x"
    assert repr(clone(policy)) == repr(policy)
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origins=["a.com"], max_age=-1)
    assert clone(caught.value).issues == caught.value.issues


def test_to_mapping_returns_a_regex_as_text_unless_it_has_flags_or_is_an_origin() -> None:
    assert Policy(allow_origin_regex=REGEX).to_mapping() == {"allow_origin_regex": REGEX.pattern}
    with pytest.raises(ConfigError, match="flags"):
        Policy(allow_origin_regex=re.compile("https://A", re.IGNORECASE)).to_mapping()
    with pytest.raises(ConfigError, match="allow_origins"):
        Policy(allow_origins=[REGEX]).to_mapping()


@pytest.mark.parametrize(("text", "name"), [("public-api", "public-api"), (" api ", "api"), ("", None)])
def test_from_env_parses_the_name(text: str, name: str | None) -> None:
    assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, "CORS_NAME": text}).name == name


@pytest.mark.parametrize("text", ["none", "None", ""])
def test_from_env_parses_none_or_an_empty_max_age_as_none(text: str) -> None:
    assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, "CORS_MAX_AGE": text}).max_age is None
