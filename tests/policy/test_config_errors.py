"""ConfigError: all issues at once, each with its code, option, value, message and hint."""

import enum
from typing import Any

import pytest

from asgi_cors import ConfigError, CORSMiddleware, Issue, Policy, WSGIMiddleware
from tests.support.expected import APP
from tests.support.policies import issue, issues

ONE = {"allow_origins": APP}

BAD: dict[str, Any] = {
    "allow_origins": ["https://a.com/", "b.com"],
    "allow_methods": ["TRACE"],
    "allow_headers": ["x*y", "x y"],
    "expose_headers": ["set-cookie"],
    "max_age": -1,
    "allow_credentials": "yes",
    "dangerously_allow": ["x"],
    "colour": 1,
}


def test_all_mistakes_are_reported_at_once_under_their_options() -> None:
    assert [each.option for each in issues(**BAD)] == [
        *("colour", "allow_origins", "allow_origins", "allow_methods", "allow_headers", "allow_headers"),
        *("expose_headers", "allow_credentials", "max_age", "dangerously_allow"),
    ]


def test_different_mistakes_have_different_codes() -> None:
    found = issues(**BAD)
    assert len({each.code for each in found}) == len(found)


def test_the_error_is_a_value_error_with_one_line_for_each_issue() -> None:
    with pytest.raises(ValueError, match=r"allow_origins: 'https://a\.com/'") as caught:
        Policy(**BAD)
    assert isinstance(caught.value, ConfigError)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.issues)
    for line, each in zip(lines, caught.value.issues, strict=True):
        assert line.startswith(f"{each.option}: ")
        assert each.message in line
        assert each.hint in line


def test_a_line_has_the_option_then_the_mistake_then_the_correction() -> None:
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origins="https://example.com/")
    assert str(caught.value) == (
        "allow_origins: 'https://example.com/' ends in a slash; an origin has no path. Write 'https://example.com'."
    )


def test_an_issue_is_an_immutable_value() -> None:
    one = Issue(code="a-b", option="x", value=1, message="m", hint="h")
    assert one == Issue("a-b", "x", 1, "m", "h")
    with pytest.raises(AttributeError):
        one.code = "c"


KEYWORDS = [
    ("origins", "allow_origins"),
    ("allow_origin", "allow_origins"),
    ("allowed_methods", "allow_methods"),
    ("max_ag", "max_age"),
    ("expose_header", "expose_headers"),
    ("allow_credential", "allow_credentials"),
]


@pytest.mark.parametrize(("wrong", "right"), KEYWORDS)
def test_an_unknown_keyword_is_refused_and_the_closest_one_named(wrong: str, right: str) -> None:
    found = issue(**ONE, **{wrong: []})
    assert found.option == wrong
    assert right in found.hint
    for middleware in (CORSMiddleware, WSGIMiddleware):
        with pytest.raises(ConfigError, match=right):
            middleware(lambda *_: None, allow_origins=APP, **{wrong: []})


def test_the_closest_keyword_may_be_one_of_the_middleware() -> None:
    with pytest.raises(ConfigError, match="on_decision"):
        CORSMiddleware(lambda *_: None, allow_origins=APP, on_decisions=None)


def test_a_list_in_a_list_is_refused() -> None:
    assert issue(allow_origins=[["https://a.com"], APP]).option == "allow_origins"


@pytest.mark.parametrize(
    ("option", "value", "entry"),
    [
        ("allow_headers", ["x-a", "X/Y"], "X/Y"),
        ("allow_methods", ["PUT", "Trace"], "Trace"),
        ("expose_headers", ["Set-Cookie"], "Set-Cookie"),
    ],
)
def test_the_value_of_an_issue_is_the_given_entry_in_its_letter_case(option: str, value: list[str], entry: str) -> None:
    assert issue(**ONE, **{option: value}).value == entry


def test_a_positional_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        Policy("*")


class Array:
    """Compares element by element, as an array: the result has no truth value."""

    def __eq__(self, other: object) -> Any:
        return Array()

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    __hash__ = object.__hash__


class Broken:
    """Cannot be shown or compared."""

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = object.__hash__


class BrokenString(str):
    """A string that cannot be shown, compared or hashed."""

    __slots__ = ()

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(self) -> int:
        raise RuntimeError("hash")


class Proxy:
    """Claims to be a string, as a proxy of a framework's configuration."""

    def __init__(self, value: object) -> None:
        self.value = value

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.value)

    def __str__(self) -> str:
        return str(self.value)


ODD = {
    "an array": Array(),
    "a broken object": Broken(),
    "a broken string": BrokenString("x ("),
    "a proxy": Proxy("x ("),
    "a number of many digits": 10**5000,
}
NAMED = ("allow_origins", "allow_methods", "allow_headers", "expose_headers", "dangerously_allow", "vary")


async def _app(_scope: Any, _receive: Any, _send: Any) -> None: ...


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("option", [*NAMED, "allow_credentials", "allow_private_network", "allow_origin_regex"])
def test_a_value_that_cannot_be_compared_shown_or_hashed_is_a_config_error(option: str, value: Any) -> None:
    for given in (value, [value]) if option in NAMED else (value,):
        with pytest.raises(ConfigError) as caught:
            CORSMiddleware(_app, **{"allow_origins": APP, option: given})
        assert {each.option for each in caught.value.issues} == {option}


def test_a_string_enum_a_string_subclass_and_a_proxy_are_parsed_as_their_text() -> None:
    member = enum.Enum("Origins", {"APP": APP}, type=str).APP  # type: ignore[attr-defined]
    for text in (member, BrokenString(APP), Proxy(APP)):
        assert Policy(allow_origins=text) == Policy(allow_origins=[text]) == Policy(allow_origins=APP)
        assert repr(Policy(allow_origins=text)) == repr(Policy(allow_origins=APP))
    for text in (BrokenString("https://a"), Proxy("https://a")):
        assert Policy(allow_origin_regex=text).to_mapping() == {"allow_origin_regex": "https://a"}


@pytest.mark.parametrize("text", ["[" * 50_000, "https://" + "[" * 50_000, "{" * 50_000, "*" * 50_000, "a, " * 50_000])
def test_a_huge_entry_is_refused_without_a_correction(text: str) -> None:
    found = issue(allow_origins=[text])
    assert found.code in {"origin-too-long", "origin-list"}
    assert found.hint == "Use a list of strings, one for each entry."
