"""Policies from environment variables: the spelling of values, and mistakes that name their variable."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, ConfigWarning, Issue, Policy
from tests.support.hints import found_in

PAGE = "https://app.example.com"
ONE = {"CORS_ALLOW_ORIGINS": PAGE}


def issues(environ: Any, **options: Any) -> tuple[Issue, ...]:
    """Return the issues that the variables are refused with."""
    with pytest.raises(ConfigError) as caught:
        Policy.from_env(environ=environ, **options)
    return caught.value.issues


ALL_WRONG = {
    "CORS_ALLOW_ORIGINS": "https://a.com/,b.com",
    "CORS_ALLOW_ORIGIN_REGEX": "(",
    "CORS_ALLOW_METHODS": "TRACE",
    "CORS_ALLOW_HEADERS": '["x y"]',
    "CORS_EXPOSE_HEADERS": "[",
    "CORS_ALLOW_CREDENTIALS": "maybe",
    "CORS_MAX_AGE": "soon",
    "CORS_ALLOW_PRIVATE_NETWORK": "2",
    "CORS_CSRF_PROTECTION": "maybe",
    "CORS_CSRF_TRUSTED_ORIGINS": "*",
    "CORS_TIMING_ALLOW_ORIGIN": "*",
    "CORS_RESOURCE_POLICY": "off",
    "CORS_PRESETS": "mcpp",
    "CORS_NAME": "a\nb",
    "CORS_DANGEROUSLY_ALLOW": "everything",
}


def test_all_mistakes_are_reported_at_once_under_their_variables() -> None:
    found = issues(ALL_WRONG)
    assert {each.option for each in found} == set(ALL_WRONG)
    assert len(found) == len(ALL_WRONG) + 1  # two origins
    assert all(each.hint for each in found)


@pytest.mark.parametrize("prefix", ["CORS_", "MY_APP_CORS_", ""])
def test_messages_name_variables_with_their_prefix_instead_of_keywords(prefix: str) -> None:
    environ = {prefix + name.removeprefix("CORS_"): value for name, value in ALL_WRONG.items()}
    environ |= {f"{prefix}ALLOW_ORIGINS": "*,https://a.com", f"{prefix}ALLOW_CREDENTIALS": "true"}
    text = "\n".join(map(str, issues(environ, prefix=prefix)))
    assert f"{prefix}ALLOW_CREDENTIALS" in text
    assert not re.search(r"\b(allow|expose|max|dangerously|csrf|timing|resource)_[a-z]+", text)


NAME_EACH = "Name each origin, or use a pattern such as 'https://*.example.com'."
# variable, value, hint
HINTS = [
    ("ALLOW_ORIGINS", "https://a.com/", "Write 'https://a.com'."),
    ("ALLOW_ORIGINS", "https://a.com https://b.com", "Write 'https://a.com,https://b.com'."),
    ("ALLOW_ORIGINS", '"https://a.com"', "Write 'https://a.com'."),
    ("ALLOW_ORIGINS", "https?://a.com", r"Write CORS_ALLOW_ORIGIN_REGEX='https?://a\\.com'."),
    ("ALLOW_ORIGINS", "http://192.168.1.*", r"Write CORS_ALLOW_ORIGIN_REGEX='http://192\\.168\\.1\\.[0-9]{1,3}'."),
    ("ALLOW_ORIGINS", '["https://a.com"', 'Write ["https://a.com"], or https://a.com.'),
    ("ALLOW_ORIGINS", "[", 'Write ["a", "b"], or a,b.'),
    ("ALLOW_METHODS", "PUT DELETE", "Write 'PUT,DELETE'."),
    ("ALLOW_ORIGINS", "http://[::1]:1 http://[::1]:2", "Write 'http://[::1]:1,http://[::1]:2'."),
    ("ALLOW_ORIGINS", "[null]", "Write '' for none, or set the variable."),
    ("ALLOW_CREDENTIALS", "yes", "Write true or false."),
    ("CSRF_PROTECTION", "yes", "Write true, false or report."),
    ("TIMING_ALLOW_ORIGIN", "*", "Write true or false."),
    ("RESOURCE_POLICY", "samesite", "Write 'same-site'."),
    ("RESOURCE_POLICY", "off", "Write CORS_RESOURCE_POLICY=none."),
    ("PRESETS", "MCP tus", "Write 'mcp,tus'."),
    ("NAME", "public\napi", "Write CORS_NAME='public api'."),
    ("CSRF_TRUSTED_ORIGINS", "https://a.com https://b.com", "Write 'https://a.com,https://b.com'."),
    ("CSRF_TRUSTED_ORIGINS", "https://(a|b).com", NAME_EACH),
    ("CSRF_TRUSTED_ORIGINS", "https://192.168.1.*", NAME_EACH),
    ("CSRF_TRUSTED_ORIGINS", "(", NAME_EACH),
    ("ALLOW_ORIGINS", "https://192.168.1.* https://a.com", "Write 'https://a.com'."),
    ("MAX_AGE", "1h", "Write 600, or none to send no header."),
    ("MAX_AGE", "-1", "Write CORS_MAX_AGE=0 to disable caching."),
]


@pytest.mark.parametrize(("name", "value", "hint"), HINTS, ids=[f"{name}={value}" for name, value, _ in HINTS])
def test_a_hint_spells_its_correction_as_the_text_of_a_variable(name: str, value: str, hint: str) -> None:
    (found,) = issues({**ONE, f"CORS_{name}": value})
    assert (found.option, found.hint) == (f"CORS_{name}", hint)


def test_the_word_name_in_a_message_is_not_taken_for_the_variable() -> None:
    (found,) = issues({**ONE, "CORS_ALLOW_HEADERS": "x y"})
    assert "is not a header name" in found.message


def test_a_variable_of_a_regex_for_trusted_origins_is_not_proposed() -> None:
    """A regular expression cannot be a trusted origin in a variable, so its hint is about names."""
    (found,) = issues({**ONE, "CORS_CSRF_TRUSTED_ORIGINS": r"https://[a-z]+\.example\.com"})
    assert found.hint == NAME_EACH


DEEP = {"opened": "[" * 5000, "closed": "[" * 5000 + "]" * 5000, "much deeper": "[" * 200_000}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("name", ["ALLOW_ORIGINS", "ALLOW_METHODS", "ALLOW_HEADERS", "EXPOSE_HEADERS"])
def test_a_deeply_nested_list_is_a_config_error_with_a_short_message(name: str, text: str) -> None:
    (found,) = issues({**ONE, f"CORS_{name}": text})
    assert found.option == f"CORS_{name}"
    assert len(str(found)) < 600


@pytest.mark.parametrize("text", ['["a", 1]', "[null]", '[["x"]]', '[{"a": 1}]', "[NaN]", "[1e999]", f"[{'1' * 5000}]"])
def test_a_json_list_of_other_values_than_strings_is_refused(text: str) -> None:
    found = issues({**ONE, "CORS_ALLOW_METHODS": text})
    assert {each.option for each in found} == {"CORS_ALLOW_METHODS"}
    assert all(each.hint for each in found)


EMPTY = ["CORS_ALLOW_ORIGIN_REGEX", "CORS_ALLOW_METHODS", "CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS"]


@pytest.mark.parametrize("text", ["", "  ", ","])
def test_an_empty_variable_is_an_empty_list_false_or_none(text: str) -> None:
    """`${NAME:-}` expands to an empty text."""
    environ = {**ONE, **dict.fromkeys(EMPTY[1:], text), "CORS_ALLOW_ORIGIN_REGEX": "", "CORS_ALLOW_CREDENTIALS": ""}
    assert Policy.from_env(environ=environ) == Policy(allow_origins=PAGE)


@pytest.mark.parametrize("environ", [{}, {"CORS_ALLOW_ORIGINS": ""}, {"CORS_ALLOW_ORIGINS": " , "}], ids=str)
def test_a_missing_or_empty_variable_of_origins_allows_nothing_with_a_warning(environ: dict[str, str]) -> None:
    with pytest.warns(ConfigWarning, match="^CORS_ALLOW_ORIGINS: nothing is allowed") as caught:
        assert Policy.from_env(environ=environ).allow_origins == ()
    assert caught[0].filename == __file__


def test_a_warning_names_the_variable() -> None:
    with pytest.warns(ConfigWarning, match="^CORS_ALLOW_HEADERS: 'Origin' is ignored"):
        Policy.from_env(environ={**ONE, "CORS_ALLOW_HEADERS": "Origin,x-a"})


def test_a_warning_of_python_about_a_regex_is_not_lost() -> None:
    with pytest.warns(FutureWarning, match="set"):
        Policy.from_env(environ={"CORS_ALLOW_ORIGIN_REGEX": r"https://[[a-z]\.example\.com"})


def test_an_unknown_variable_without_origins_is_refused_and_the_closest_one_named() -> None:
    found = issues({"CORS_ALLOW_ORIGIN": PAGE, "CORS_MAX_AGE": "soon"})
    assert [(each.option, each.code) for each in found] == [
        ("CORS_MAX_AGE", "not-number"),
        ("CORS_ALLOW_ORIGIN", "unknown-variable"),
    ]
    assert found[1].hint in {"Did you mean 'CORS_ALLOW_ORIGINS'?", "Did you mean 'CORS_ALLOW_ORIGIN_REGEX'?"}


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ({"environ": 5}, "environ"),
        ({"environ": [("CORS_ALLOW_ORIGINS", PAGE)]}, "environ"),
        ({"prefix": None}, "prefix"),
        ({"environ": {"CORS_ALLOW_ORIGINS": 5}}, "CORS_ALLOW_ORIGINS"),
        ({"environ": {"CORS_ALLOW_ORIGINS": [PAGE]}}, "CORS_ALLOW_ORIGINS"),
    ],
    ids=["a number", "pairs", "no prefix", "a number as value", "a list as value"],
)
@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_an_argument_or_variable_of_the_wrong_type_is_a_config_error(arguments: Any, option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.from_env(**arguments)
    assert [each.option for each in caught.value.issues] == [option]
    assert caught.value.issues[0].hint


def test_keys_of_another_type_are_ignored() -> None:
    assert Policy.from_env(environ={**ONE, 5: "x"}) == Policy(allow_origins=PAGE)  # type: ignore[dict-item]


@given(
    st.dictionaries(
        st.sampled_from([*ALL_WRONG, "CORS_X"]), st.text(st.sampled_from('[]{}",a*:/. 1-')) | st.text(max_size=9)
    )
)
def test_any_environment_is_a_policy_or_a_config_error_with_hints(environ: dict[str, str]) -> None:
    assert all(each.hint and each.option.startswith("CORS_") for each in found_in(Policy.from_env, environ=environ))


@given(
    st.lists(st.sampled_from([PAGE, "https://*.example.com", "http://localhost:*", "app://x"]), min_size=1, unique=True)
)
def test_a_list_with_commas_and_a_json_list_are_the_same(origins: list[str]) -> None:
    policy = Policy(allow_origins=origins)
    assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": ",".join(origins)}) == policy
    assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": json.dumps(origins)}) == policy
