"""Path patterns: their literal prefix, their order, and ambiguous paths."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, Configuration, ConfigWarning, Policy, Rules
from asgi_cors._routing.paths import literal_prefix
from asgi_cors._routing.route_path import alternative_paths

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
def test_a_pattern_has_its_literal_prefix(pattern, prefix):
    """Every path that it matches begins with the prefix."""
    assert literal_prefix(re.compile(pattern)) == prefix


@given(st.from_regex(r"(/[a-c.+*?|()\[\]\\^$]{0,3}){1,3}", fullmatch=True), st.data())
def test_every_path_that_a_regex_matches_begins_with_its_literal_prefix(text, data):
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
        pytest.param("/a/b\nc", OPEN, id="a regex whose dot matches a newline"),
        pytest.param("/admin/z", ONE, id="a regex with a longer literal prefix"),
        pytest.param("/admin/z/1", OPEN, id="a regex that matches the whole path"),
        pytest.param("/admin/x", TWO, id="an exact path before every pattern"),
        pytest.param("/admin/y/1", TWO, id="a prefix with more literal text"),
        pytest.param("/1/b", None, id="every path"),
        pytest.param("a/b", OPEN, id="a path without its leading slash"),
    ],
)
@pytest.mark.parametrize("order", [list, reversed], ids=["as given", "reversed"])
def test_the_pattern_with_the_longest_literal_prefix_applies(path, policy, order):
    """The order in which the patterns are given does not matter."""
    rules = Rules(BASE, dict(order(list(TABLE.items()))))
    assert rules.at(path) == ((policy,), False, False, ())


@pytest.mark.parametrize("order", [list, reversed], ids=["as given", "reversed"])
@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        pytest.param(re.compile("/[a-z]+"), re.compile("/[b-z]+"), "/b", id="two regexes"),
        pytest.param(re.compile("/api.*"), "/api/*", "/api/x", id="a regex and a prefix"),
        pytest.param(
            re.compile(r"/\w+/v1/.*"), re.compile(r"/\w+/v1/admin/.*"), "/x/v1/admin/y", id="one inside the other"
        ),
        pytest.param(re.compile("/.*"), re.compile("/.*/private/.*"), "/a/private/b", id="every path and some paths"),
    ],
)
def test_both_of_two_patterns_with_the_same_rank_apply(order, first, second, path):
    """Their order does not matter, and a warning names both as given."""
    given = dict(order([(first, ONE), (second, TWO)]))
    with pytest.warns(ConfigWarning, match="has the same rank as") as caught:
        rules = Rules(BASE, given)
    assert set(rules.at(path).policies) == {ONE, TWO}
    assert not rules.at(path).is_ambiguous
    assert all(f"paths[{each!r}]" in str(caught[0].message) for each in (first, second))


def test_patterns_with_the_same_rank_and_policy_raise_no_warning():
    rules = Rules(BASE, {re.compile("/[a-z]+"): ONE, re.compile("/[b-z]+"): ONE})
    assert rules.at("/b").policies == (ONE,)


def test_nothing_is_granted_if_one_of_two_patterns_with_the_same_rank_passes_through():
    with pytest.warns(ConfigWarning, match="same rank"):
        rules = Rules(BASE, {re.compile("/[a-z]+"): None, re.compile("/[b-z]+"): ONE})
    assert rules.at("/b").is_ambiguous
    assert rules.at("/a").policies == (None,)


def test_the_warning_names_a_path_as_the_adapter_describes_it():
    with pytest.warns(ConfigWarning, match=r"^resources\[/b\.\*\]: it has the same rank as resources\[/a\?\.\*\],"):
        Rules(
            BASE,
            {re.compile("/a?.*"): ONE, re.compile("/b.*".replace("b", "[b]")): TWO},
            describe_path=lambda path: f"resources[{path.pattern.replace('[b]', 'b')}]",
        )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (re.compile("api/.*"), r"'api/\.\*' matches no path: a path begins with a slash\. Write re\.compile\('/api"),
        (re.compile(b"/x"), "is not a string or a regular expression of str"),
        (7, "is not a string or a regular expression of str"),
    ],
)
def test_a_pattern_that_can_match_no_path_is_refused(path, message):
    with pytest.raises(ConfigError, match=message):
        Rules(BASE, {path: ONE})


class Counted(str):
    """A path that counts how often a part of it is read."""

    __slots__ = ("reads",)

    def __getitem__(self, key):
        self.reads = getattr(self, "reads", 0) + 1
        return str.__getitem__(self, key)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_thousand_patterns_cost_no_more_than_one(count):
    """There is one look-up for each length of literal prefix."""
    rules = Rules(BASE, {re.compile(rf"/rule{number:04}/\d+"): ONE for number in range(count)})
    path = Counted(f"/rule{count - 1:04}/1")
    assert rules.at(path).policies == (ONE,)
    assert path.reads <= 6  # most of them look for a slash


def test_a_path_whose_dot_segments_lead_to_another_regex_is_ambiguous():
    rules = Rules(BASE, {re.compile("/public/.*"): OPEN, "/admin/*": ONE})
    assert rules.at("/public/a/../b").policies == (OPEN,)
    assert rules.at("/public/../admin") == ((OPEN, ONE), True, False, ())


STRICT = {"/admin": ONE}


@pytest.mark.parametrize(
    ("paths", "path", "expected"),
    [
        pytest.param(STRICT, "/admin/", (ONE,), id="an exact path, requested with a final slash"),
        pytest.param({"/admin/": ONE}, "/admin", (ONE,), id="an exact path, requested without its final slash"),
        pytest.param({"/admin/": ONE, "/admin": TWO}, "/admin/", (ONE,), id="the path with the slash has its own rule"),
        pytest.param(
            {"/admin/": ONE, "/admin": TWO}, "/admin", (TWO,), id="the path without the slash has its own rule"
        ),
        pytest.param({"/a": ONE, "/a/*": TWO}, "/a/", (ONE,), id="an exact path before the prefix of the same name"),
        pytest.param({"/": ONE}, "/", (ONE,), id="the root"),
        pytest.param({re.compile("/a"): ONE}, "/a/", None, id="a regex without the slash that a router ignores"),
        pytest.param({re.compile("/a/"): ONE, "/a": ONE}, "/a/", (ONE,), id="both readings have one policy"),
        pytest.param(STRICT, "/ADMIN", None, id="a path in upper case"),
        pytest.param({"/Admin": ONE}, "/admin", None, id="a rule in upper case"),
        pytest.param({"/userProfile/*": ONE}, "/userProfile/Me", (ONE,), id="a rule in mixed case"),
        pytest.param({"/A": ONE, "/a": TWO}, "/a", (TWO,), id="a rule in the same letter case"),
        pytest.param({"/a": TWO, "/A": ONE}, "/A", None, id="a rule in the same letter case, and one in lower case"),
        pytest.param({"/A/*": ONE, "/a/*": TWO}, "/a/b", (TWO,), id="a prefix in the same letter case"),
        pytest.param(
            {"/Admin": ONE, re.compile("/.*"): TWO}, "/admin", None, id="a rule in upper case, and a wide regex"
        ),
        pytest.param(
            {"/Admin": ONE, "/a/Admin": TWO, "/a/*": ONE}, "/a/admin", None, id="a rule in upper case below a prefix"
        ),
        pytest.param({"/a/*": TWO, re.compile("/A/.*"): ONE}, "/a/b", (TWO,), id="a prefix, and a regex in upper case"),
        pytest.param({"/Admin": ONE, "/ADMIN": BASE}, "/admin", None, id="two rules in other letter cases"),
        pytest.param({"/Admin": ONE, "/admin": BASE}, "/ADMIN", None, id="two rules, one in lower case"),
        pytest.param({re.compile("/a"): ONE}, "/a/.", None, id="a final slash after removing a dot segment"),
        pytest.param({re.compile("/a"): ONE}, "/a/\x7f", None, id="a final slash before a control character"),
        pytest.param(STRICT, "/adm\u0131n", None, id="a dotless i"),
        pytest.param(STRICT, "/ADM\u0130N", None, id="a dotted capital I"),
        pytest.param({"/keys": ONE}, "/\u212aey\u017f", None, id="a Kelvin sign and a long s"),
        pytest.param({re.compile("/a/[A-Z]+"): ONE}, "/a/B", (ONE,), id="a regex in upper case"),
        pytest.param(
            {re.compile("/a/[A-Z]+"): ONE}, "/a/b", None, id="a regex that does not match in this letter case"
        ),
        pytest.param(STRICT, "//ADMIN/.", None, id="all changes together"),
        pytest.param(STRICT, "/\x00.\x01/admin", None, id="dot segments after removing control characters"),
        pytest.param(STRICT, "/other/", (BASE,), id="a path that no rule matches in any reading"),
    ],
)
def test_a_path_is_ambiguous_if_another_reading_leads_to_another_policy(paths, path, expected):
    """None means ambiguous."""
    match = Rules(BASE, paths).at(path)
    assert (None if match.is_ambiguous else match.policies) == expected


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        pytest.param("/api/x", "/api", (ONE,), id="below the root path"),
        pytest.param("/api/x", "/api/", (ONE,), id="a root path with a final slash"),
        pytest.param("/api//x", "/api/", (ONE,), id="a root path whose final slash a server repeats"),
        pytest.param("/api//x", "/api", None, id="a doubled slash below a root path"),
        pytest.param("/apix", "/api", None, id="a root path that a router removes without its slash"),
        pytest.param("/y/api/x", "/api", None, id="a root path that a router looks for anywhere"),
        pytest.param("/api/apix", "/api", (BASE,), id="a root path is removed once"),
        pytest.param("//api/x", "/api", None, id="a doubled slash before the root path"),
        pytest.param("/x", "/api", (ONE,), id="not below the root path"),
    ],
)
def test_a_path_is_matched_without_its_root_path(path, root, expected):
    """None means ambiguous."""
    match = Rules(BASE, {"/x": ONE}).at(path, root)
    assert (None if match.is_ambiguous else match.policies) == expected


def test_a_path_of_over_2048_characters_is_ambiguous_if_there_are_regexes():
    """All policies may serve it."""
    paths = {re.compile("/a/.*"): ONE, "/b": TWO}
    assert Rules(BASE, paths).at("/a/" + "x" * 2045).policies == (ONE,)
    assert Rules(BASE, paths).at("/a/" + "x" * 2046) == ((ONE, TWO, BASE), True, False, ())


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/a/" + "x" * 9999, "", (ONE,)),
        ("/a" + "x" * 9999, "", (BASE,)),
        ("/A/" + "x" * 9999, "", None),
        ("/a/" + "x" * 9999 + "/../y", "", None),
        ("/a/" + "x" * 9999 + "/", "", (ONE,)),
        ("/root/a/" + "x" * 9999, "/root", (ONE,)),
        ("/roota/" + "x" * 9999, "/root", None),
        ("/x" + "x" * 9999 + "/root/a/x", "/root/", None),
        ("/x" + "x" * 9999 + "/root/a/x", "/", (BASE,)),
        ("/" * 3 + "b" * 9999, "", None),
    ],
    ids=[
        "below a prefix",
        "not below a prefix",
        "another letter case",
        "dot segments",
        "a final slash",
        "a root path",
        "a root path without slash",
        "a root path later",
        "/ as root path",
        "doubled slashes",
    ],
)
def test_a_long_path_is_matched_if_there_are_no_regexes(path, root, expected):
    """None means ambiguous."""
    match = Rules(BASE, {"/a/*": ONE, "/b": TWO}).at(path, root)
    assert (None if match.is_ambiguous else match.policies) == expected


@given(st.text("/.aA\x00\u0131", max_size=12), st.sampled_from(["", "/", "/a", "/a/", "//", "a"]))
def test_every_path_has_at_most_seven_alternatives(path, root):
    alternatives = alternative_paths("/" + path, root)
    assert len(alternatives) <= 7
    assert all(alternative.startswith("/") for alternative in alternatives)


def test_a_repeated_root_path_is_removed_once():
    """The alternatives of a long path are computed in linear time."""
    assert alternative_paths("/aa" + "a" * 50_000, "/a") == {"/a" + "a" * 50_000}


@pytest.mark.parametrize("path", ["/.well-known/*", "/.well-known/openid-configuration", "/a/.b", "/..."])
def test_a_segment_that_begins_with_a_dot_is_valid(path: str) -> None:
    """It is not a dot segment."""
    Configuration(allow_origins="*", paths={path: None})
