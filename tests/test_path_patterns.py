"""paths= by regular expressions: what a pattern spells out, and which of many applies."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, ConfigWarning, Policy, Rules
from asgi_cors._paths import literal_prefix, path_issue

BASE, OPEN, ONE, TWO = (
    Policy(allow_origins=origins) for origins in ("https://base.example", "*", "https://1.example", "https://2.example")
)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("/api/.*", "/api/"),
        (r"/v1\.0/x", "/v1.0/x"),
        (r"^/api/\d+", "/api/"),
        (r"\A/api$", "/api"),
        ("/fo*", "/f"),
        ("/fo+", "/fo"),
        ("/fo?o", "/f"),
        ("/fo{2}", "/f"),
        ("/[a-z]+", "/"),
        ("/(a|b)/c", "/"),
        ("/a|/b", ""),
        ("/a[|]b", "/a"),
        (r"/a\|b", "/a|b"),
        ("/a((b|c)|d)", "/a"),
        ("(?i)/123/Abc", "/123/"),
        ("(?x) / a", ""),
        (".*", ""),
        ("/a\nb", "/a\nb"),
    ],
)
def test_a_pattern_spells_out(pattern, prefix):
    """As much as every path that it matches must begin with, and no more."""
    assert literal_prefix(re.compile(pattern)) == prefix


@given(st.from_regex(r"(/[a-c.+*?|()\[\]\\^$]{0,3}){1,3}", fullmatch=True), st.data())
def test_every_match_begins_with_what_is_spelled_out(text, data):
    """For any pattern that compiles."""
    try:
        regex = re.compile(text)
    except (re.error, FutureWarning):
        return
    path = data.draw(st.from_regex(regex, fullmatch=True))
    assert path.startswith(literal_prefix(regex))


TABLE = {
    re.compile("/[a-z]+/.*"): OPEN,
    re.compile(r"/admin/\w+"): ONE,
    "/admin/x": TWO,
    "/admin/y/*": TWO,
    "/*": None,
}


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        pytest.param("/a/b", OPEN, id="a regex"),
        pytest.param("/a/b\nc", OPEN, id="whose dot is a newline, too"),
        pytest.param("/admin/z", ONE, id="the one that spells out more"),
        pytest.param("/admin/z/1", OPEN, id="if it matches the whole path"),
        pytest.param("/admin/x", TWO, id="an exact path before all"),
        pytest.param("/admin/y/1", TWO, id="a prefix that spells out more"),
        pytest.param("/A/b", None, id="none, case counts: every path"),
        pytest.param("x/a/b", None, id="none, it must match from the first"),
    ],
)
@pytest.mark.parametrize("turn", [list, reversed], ids=["as written", "the other way round"])
def test_the_policy_of_a_path(path, policy, turn):
    """The order in which they are written doesn't count."""
    rules = Rules(BASE, dict(turn(list(TABLE.items()))))
    assert rules.at(path) == policy


def test_of_two_that_spell_out_the_same_the_first_applies():
    with pytest.warns(ConfigWarning, match=r"paths: '/\[b-z\]\+' and '/\[a-z\]\+' both begin with '/'"):
        rules = Rules(BASE, {re.compile("/[a-z]+"): ONE, re.compile("/[b-z]+"): TWO})
    assert (rules.at("/b"), rules.at("/1")) == (ONE, BASE)


def test_a_regex_and_a_prefix_may_tie():
    with pytest.warns(ConfigWarning, match=r"'/api/\*' and '/api\.\*' both begin with '/api'"):
        rules = Rules(BASE, {re.compile("/api.*"): ONE, "/api/*": TWO})
    assert rules.at("/api/x") == ONE


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (re.compile("api/.*"), r"'api/\.\*' matches no path: a path begins with a slash\. Write re\.compile\('/api"),
        (re.compile(b"/x"), "is no string, and no regular expression of one"),
        (7, "is no string, and no regular expression of one"),
    ],
)
def test_a_pattern_that_can_match_no_path_is_refused(path, words):
    with pytest.raises(ConfigError, match=words):
        Rules(BASE, {path: ONE})


class Counted(str):
    """A path that counts how often it is looked at."""

    __slots__ = ("looks",)

    def __getitem__(self, key):
        self.looks = getattr(self, "looks", 0) + 1
        return str.__getitem__(self, key)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_thousand_rules_cost_what_one_costs(count):
    """One look for each length of what is spelled out, however many rules there are."""
    rules = Rules(BASE, {re.compile(rf"/rule{number:04}/\d+"): ONE for number in range(count)})
    path = Counted(f"/rule{count - 1:04}/1")
    assert rules.at(path) == ONE
    assert path.looks == 1


def test_dot_segments_are_looked_through_for_regexes_too():
    """Where they would lead to another policy, no policy is found, so that the request is refused."""
    rules = Rules(BASE, {re.compile("/public/.*"): OPEN, "/admin/*": ONE})
    assert rules.at("/public/a/../b") == OPEN
    with pytest.raises(Exception, match=r"/public/\.\./admin"):
        rules.at("/public/../admin")


@pytest.mark.parametrize("path", ["/.well-known/*", "/.well-known/openid-configuration", "/a/.b", "/..."])
def test_a_name_that_begins_with_a_dot_is_a_path(path: str) -> None:
    """It is no dot segment, and only a path that routers read in another way is refused."""
    assert path_issue(path) is None
