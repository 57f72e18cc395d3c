"""A policy is a value: equality, hash, repr, replace, mappings, environment."""

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
from tests.support.policies import issue, quiet
from tests.support.strategies import policies

REGEX = re.compile(r"https://a\.com")

# behaviour, one policy's options, another's that is the same
EQUAL: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a string is a list of one", {"allow_origins": APP}, {"allow_origins": [APP]}),
    ("order does not count", {"allow_origins": ["https://a.com", APP]}, {"allow_origins": [APP, "https://a.com"]}),
    ("repeats do not count", {"allow_origins": [APP, APP]}, {"allow_origins": [APP]}),
    ("a list of the star is the star", {"allow_origins": ["*"]}, {"allow_origins": "*"}),
    (
        "letter case of header names does not count",
        {"allow_origins": APP, "allow_headers": "X-Id"},
        {"allow_origins": APP, "allow_headers": "x-id"},
    ),
    (
        "letter case of exposed names does not count",
        {"allow_origins": APP, "expose_headers": "X-Id"},
        {"allow_origins": APP, "expose_headers": "x-id"},
    ),
    (
        "letter case of the six methods does not count",
        {"allow_origins": APP, "allow_methods": "put"},
        {"allow_origins": APP, "allow_methods": "PUT"},
    ),
    (
        "order of methods does not count",
        {"allow_origins": APP, "allow_methods": ["PUT", "LOCK"]},
        {"allow_origins": APP, "allow_methods": ["LOCK", "PUT"]},
    ),
    (
        "a default written out does not count",
        {"allow_origins": APP, "max_age": 600, "allow_credentials": False},
        {"allow_origins": APP},
    ),
    ("the same regex is the same", {"allow_origins": [REGEX]}, {"allow_origins": [re.compile(REGEX.pattern)]}),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in EQUAL], ids=[row[0] for row in EQUAL])
def test_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Policies that say the same are equal and hash alike."""
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
]


@pytest.mark.parametrize("options", DIFFERENT, ids=str)
def test_different(options: dict[str, Any]) -> None:
    """Policies that differ in one option are different."""
    assert Policy(**{"allow_origins": APP, **options}) != Policy(allow_origins=APP)


def test_other_types_are_different() -> None:
    """A policy equals no mapping."""
    assert Policy(allow_origins=APP) != {"allow_origins": [APP]}


def test_replace() -> None:
    """replace() gives a new policy with some options changed, and leaves the old one."""
    policy = Policy(allow_origins=APP, allow_methods="PUT")
    other = policy.replace(allow_origins="https://a.com", max_age=5)
    assert other == Policy(allow_origins="https://a.com", allow_methods="PUT", max_age=5)
    assert policy == Policy(allow_origins=APP, allow_methods="PUT")


def test_replace_is_checked() -> None:
    """What replace() makes is checked like any policy."""
    with pytest.raises(ConfigError, match=r"'https://a\.com'"):
        Policy(allow_origins=APP).replace(allow_origins="https://a.com/")
    with pytest.raises(ConfigError, match="credentials-from-any-origin"):
        Policy(allow_origins="*").replace(allow_credentials=True)
    with pytest.raises(ConfigError, match="allow_origins"):
        Policy(allow_origins=APP).replace(allow_origin="https://a.com")


def test_replace_keeps_callables_and_regexes() -> None:
    """Entries that are no strings survive replace()."""

    def ask(origin: str) -> bool:
        return bool(origin)

    policy = Policy(allow_origins=[APP, REGEX, ask], allow_origin_regex=REGEX).replace(max_age=1)
    assert (policy.allow_origins, policy.allow_origin_regex) == ((APP, REGEX, ask), REGEX)


@given(policies())
def test_repr_round_trip(policy: Policy) -> None:
    """A repr of few entries is the call that builds an equal policy."""
    assert eval(repr(policy), {"Policy": Policy}) == policy  # noqa: S307 - of our own making


@given(policies())
def test_mapping_round_trip(policy: Policy) -> None:
    """A policy of strings goes through JSON and comes back equal."""
    assert Policy.from_mapping(json.loads(json.dumps(policy.to_mapping()))) == policy


@given(policies(), policies())
def test_equality_is_that_of_mappings(one: Policy, other: Policy) -> None:
    """Equal policies hash alike and every policy equals its own copy by replace()."""
    assert one == one.replace()
    assert (one == other) is (hash(one) == hash(other) and one == other)


def test_repr_of_defaults() -> None:
    """The repr names only what differs from the default."""
    assert (
        repr(Policy(allow_origins=APP)) == f"Policy(allow_origins=['{APP}'])"
        or repr(Policy(allow_origins=APP)) == f"Policy(allow_origins=('{APP}',))"
    )


def test_repr_of_many() -> None:
    """A repr of many entries shows 20 of them and a count."""
    text = repr(Policy(allow_origins=[f"https://t{n:04}.example.com" for n in range(1000)]))
    assert text.count("https://") == 20
    assert "1000" in text or "980" in text


def test_to_mapping_is_what_differs() -> None:
    """to_mapping() holds only what differs from the default."""
    policy = Policy(allow_origins=[APP, "https://a.com"], max_age=5, allow_credentials=True)
    assert policy.to_mapping() == {"allow_origins": [APP, "https://a.com"], "max_age": 5, "allow_credentials": True}
    assert Policy(allow_origins="*").to_mapping() == {"allow_origins": "*"}
    assert Policy(allow_origins=APP, max_age=None).to_mapping() == {"allow_origins": [APP], "max_age": None}


def test_to_mapping_refuses_callables_in_words() -> None:
    """A callable can't be put in a mapping, and the error says so."""
    with pytest.raises((TypeError, ValueError), match=r"callable|function"):
        Policy(allow_origins=[lambda _: True]).to_mapping()


@pytest.mark.parametrize(
    ("wrong", "right"), [("origins", "allow_origins"), ("allow-origins", "allow_origins"), ("maxage", "max_age")]
)
def test_from_mapping_names_the_nearest_key(wrong: str, right: str) -> None:
    """An unknown key is refused and the nearest known one named."""
    with pytest.raises(ConfigError, match=right) as caught:
        Policy.from_mapping({"allow_origins": [APP], wrong: 1})
    assert [each.option for each in caught.value.issues] == [wrong]


@pytest.mark.parametrize("mapping", [None, [], "allow_origins", 5, {1: 2}], ids=repr)
def test_from_mapping_takes_a_mapping(mapping: Any) -> None:
    """What is no mapping of strings is refused in words."""
    with pytest.raises(ConfigError):
        Policy.from_mapping(mapping)


def test_from_mapping_checks_all() -> None:
    """All mistakes of a mapping are reported at once."""
    with pytest.raises(ConfigError) as caught:
        Policy.from_mapping({"allow_origins": ["a.com"], "max_age": -1, "x": 1})
    assert len(caught.value.issues) == 3


# behaviour, environment, the policy's options
ENVIRONMENTS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("one origin", {"CORS_ALLOW_ORIGINS": APP}, {"allow_origins": APP}),
    ("a list by comma", {"CORS_ALLOW_ORIGINS": f"{APP}, https://a.com,"}, {"allow_origins": [APP, "https://a.com"]}),
    (
        "a list by JSON",
        {"CORS_ALLOW_ORIGINS": f'["{APP}", "https://a.com"]'},
        {"allow_origins": [APP, "https://a.com"]},
    ),
    ("the star", {"CORS_ALLOW_ORIGINS": "*"}, {"allow_origins": "*"}),
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
        "true",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "true"},
        {"allow_origins": APP, "allow_credentials": True},
    ),
    (
        "1",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "1"},
        {"allow_origins": APP, "allow_credentials": True},
    ),
    ("false", {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "false"}, {"allow_origins": APP}),
    ("0", {"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_CREDENTIALS": "0"}, {"allow_origins": APP}),
    ("a number", {"CORS_ALLOW_ORIGINS": APP, "CORS_MAX_AGE": "5"}, {"allow_origins": APP, "max_age": 5}),
    (
        "a regex keeps its commas",
        {"CORS_ALLOW_ORIGIN_REGEX": r"https://a{1,3}\.com"},
        {"allow_origin_regex": r"https://a{1,3}\.com"},
    ),
    (
        "dangerous words",
        {"CORS_ALLOW_ORIGINS": APP, "CORS_DANGEROUSLY_ALLOW": "credentials-over-http"},
        {"allow_origins": APP, "dangerously_allow": "credentials-over-http"},
    ),
    ("other variables", {"CORS_ALLOW_ORIGINS": APP, "ALLOW_METHODS": "PUT", "PATH": "/"}, {"allow_origins": APP}),
]


@pytest.mark.parametrize(
    ("environ", "options"), [row[1:] for row in ENVIRONMENTS], ids=[row[0] for row in ENVIRONMENTS]
)
def test_from_env(environ: dict[str, str], options: dict[str, Any]) -> None:
    """Lists by comma or JSON, booleans true, false, 1, 0."""
    assert Policy.from_env(environ=environ) == Policy(**options)


def test_from_env_reads_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``environ`` the process's own is read, with another prefix where one is given."""
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
def test_from_env_refuses(environ: dict[str, str], option: str) -> None:
    """A value that is none of the option's is refused under its name."""
    with pytest.raises(ConfigError) as caught:
        Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, **environ})
    assert option in {each.option.lower().removeprefix("cors_") for each in caught.value.issues}


def test_from_env_warns_of_unknown_keys() -> None:
    """An unknown key is warned of where origins were given, and refused where none were."""
    with pytest.warns(ConfigWarning, match=r"ALLOW_ORIGINS|allow_origins"):
        assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, "CORS_ALLOW_ORIGIN": "*"}) == Policy(
            allow_origins=APP
        )
    with pytest.raises(ConfigError, match=r"ALLOW_ORIGINS|allow_origins"):
        Policy.from_env(environ={"CORS_ALLOW_ORIGIN": "*"})


def test_quiet_is_not_needed_for_from_env() -> None:
    """An environment without any key is a policy that refuses all, with its warning."""
    with pytest.warns(ConfigWarning):
        assert Policy.from_env(environ={}) == quiet()


@given(st.text(max_size=40))
def test_any_string_is_one_entry(text: str) -> None:
    """A string is accepted as one origin or refused as one; it is never read character by character."""
    refused: tuple[Issue, ...] = ()
    try:
        assert quiet(allow_origins=text).allow_origins in ("*", (text,))
    except ConfigError as error:
        refused = error.issues
    if refused:
        assert refused == (issue(allow_origins=[text]),)


@pytest.mark.parametrize(
    "clone",
    [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))],  # noqa: S301 - our own bytes
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies(clone: Any) -> None:
    """A policy, and the error of a bad one, survive copying and a trip to another process."""
    policy = Policy(allow_origins=[APP, REGEX], allow_methods="PUT", max_age=5)
    assert clone(policy) == policy
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origins=["a.com"], max_age=-1)
    assert clone(caught.value).issues == caught.value.issues


def test_to_mapping_of_a_regex() -> None:
    """allow_origin_regex goes as text; one with flags, or a regex among the origins, can't."""
    assert Policy(allow_origin_regex=REGEX).to_mapping() == {"allow_origin_regex": REGEX.pattern}
    with pytest.raises(ConfigError, match="flags"):
        Policy(allow_origin_regex=re.compile("https://A", re.IGNORECASE)).to_mapping()
    with pytest.raises(ConfigError, match="allow_origins"):
        Policy(allow_origins=[REGEX]).to_mapping()


@pytest.mark.parametrize("text", ["none", "None", ""])
def test_from_env_without_max_age(text: str) -> None:
    """none, or nothing, is no max_age."""
    assert Policy.from_env(environ={"CORS_ALLOW_ORIGINS": APP, "CORS_MAX_AGE": text}).max_age is None
