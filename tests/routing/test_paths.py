"""paths= by regular expressions: what a pattern spells out, and which of many applies."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, ConfigWarning, Policy, Rules
from asgi_cors._routing.paths import literal_prefix, path_issue
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
        pytest.param("/1/b", None, id="none: every path"),
        pytest.param("a/b", OPEN, id="with the slash that a server left out"),
    ],
)
@pytest.mark.parametrize("turn", [list, reversed], ids=["as written", "the other way round"])
def test_the_policy_of_a_path(path, policy, turn):
    """The order in which they are written doesn't count."""
    rules = Rules(BASE, dict(turn(list(TABLE.items()))))
    assert rules.at(path) == ((policy,), False, False, ())


@pytest.mark.parametrize("turn", [list, reversed], ids=["as given", "the other way round"])
@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        pytest.param(re.compile("/[a-z]+"), re.compile("/[b-z]+"), "/b", id="two regexes"),
        pytest.param(re.compile("/api.*"), "/api/*", "/api/x", id="a regex and a prefix"),
        pytest.param(
            re.compile(r"/\w+/v1/.*"), re.compile(r"/\w+/v1/admin/.*"), "/x/v1/admin/y", id="one inside the other"
        ),
        pytest.param(re.compile("/.*"), re.compile("/.*/private/.*"), "/a/private/b", id="every path and some"),
    ],
)
def test_both_patterns_of_one_rank_apply(turn, first, second, path):
    """The order in which they are given never decides, and a warning names both as they were given."""
    given = dict(turn([(first, ONE), (second, TWO)]))
    with pytest.warns(ConfigWarning, match="has the same rank as") as caught:
        rules = Rules(BASE, given)
    assert set(rules.at(path).policies) == {ONE, TWO}
    assert not rules.at(path).is_ambiguous
    assert all(f"paths[{each!r}]" in str(caught[0].message) for each in (first, second))


def test_patterns_of_one_rank_with_one_policy_raise_no_warning():
    rules = Rules(BASE, {re.compile("/[a-z]+"): ONE, re.compile("/[b-z]+"): ONE})
    assert rules.at("/b").policies == (ONE,)


def test_nothing_is_granted_if_one_of_two_patterns_of_one_rank_passes_through():
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
    ("path", "words"),
    [
        (re.compile("api/.*"), r"'api/\.\*' matches no path: a path begins with a slash\. Write re\.compile\('/api"),
        (re.compile(b"/x"), "is not a string or a regular expression of str"),
        (7, "is not a string or a regular expression of str"),
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
    """One look-up for each length of literal prefix, at any number of rules."""
    rules = Rules(BASE, {re.compile(rf"/rule{number:04}/\d+"): ONE for number in range(count)})
    path = Counted(f"/rule{count - 1:04}/1")
    assert rules.at(path).policies == (ONE,)
    assert path.looks <= 6  # of which most look for a slash


def test_dot_segments_are_removed_for_regexes_too():
    """If they lead to another policy, the path is ambiguous."""
    rules = Rules(BASE, {re.compile("/public/.*"): OPEN, "/admin/*": ONE})
    assert rules.at("/public/a/../b").policies == (OPEN,)
    assert rules.at("/public/../admin") == ((OPEN, ONE), True, False, ())


STRICT = {"/admin": ONE}


@pytest.mark.parametrize(
    ("paths", "path", "expected"),
    [
        pytest.param(STRICT, "/admin/", (ONE,), id="an exact path with a final slash"),
        pytest.param({"/admin/": ONE}, "/admin", (ONE,), id="an exact path without its final slash"),
        pytest.param({"/admin/": ONE, "/admin": TWO}, "/admin/", (ONE,), id="the one with the slash has its own rule"),
        pytest.param({"/admin/": ONE, "/admin": TWO}, "/admin", (TWO,), id="the one without has its own rule"),
        pytest.param({"/a": ONE, "/a/*": TWO}, "/a/", (ONE,), id="an exact path before the prefix of the same name"),
        pytest.param({"/": ONE}, "/", (ONE,), id="the root"),
        pytest.param({re.compile("/a"): ONE}, "/a/", None, id="a regex without the slash that a router ignores"),
        pytest.param({re.compile("/a/"): ONE, "/a": ONE}, "/a/", (ONE,), id="both readings have one policy"),
        pytest.param(STRICT, "/ADMIN", None, id="a path in upper case"),
        pytest.param({"/Admin": ONE}, "/admin", None, id="a rule in upper case"),
        pytest.param({"/userProfile/*": ONE}, "/userProfile/Me", (ONE,), id="a rule in mixed case"),
        pytest.param({"/A": ONE, "/a": TWO}, "/a", (TWO,), id="a rule in these very letters"),
        pytest.param({"/a": TWO, "/A": ONE}, "/A", None, id="a rule in these letters, and one in lower case"),
        pytest.param({"/A/*": ONE, "/a/*": TWO}, "/a/b", (TWO,), id="a prefix in these very letters"),
        pytest.param(
            {"/Admin": ONE, re.compile("/.*"): TWO}, "/admin", None, id="a rule in upper case beside a wide one"
        ),
        pytest.param(
            {"/Admin": ONE, "/a/Admin": TWO, "/a/*": ONE}, "/a/admin", None, id="a rule in upper case below a prefix"
        ),
        pytest.param({"/a/*": TWO, re.compile("/A/.*"): ONE}, "/a/b", (TWO,), id="beside a regex in upper case"),
        pytest.param({"/Admin": ONE, "/ADMIN": BASE}, "/admin", None, id="two rules in other letters"),
        pytest.param({"/Admin": ONE, "/admin": BASE}, "/ADMIN", None, id="two rules, one of them in lower case"),
        pytest.param({re.compile("/a"): ONE}, "/a/.", None, id="a final slash that appears without a dot segment"),
        pytest.param({re.compile("/a"): ONE}, "/a/\x7f", None, id="a final slash before a control character"),
        pytest.param(STRICT, "/adm\u0131n", None, id="a dotless i"),
        pytest.param(STRICT, "/ADM\u0130N", None, id="a dotted capital I"),
        pytest.param({"/keys": ONE}, "/\u212aey\u017f", None, id="a Kelvin sign and a long s"),
        pytest.param({re.compile("/a/[A-Z]+"): ONE}, "/a/B", (ONE,), id="a regex in upper case"),
        pytest.param({re.compile("/a/[A-Z]+"): ONE}, "/a/b", None, id="a regex that letter case keeps from matching"),
        pytest.param(STRICT, "//ADMIN/.", None, id="all together"),
        pytest.param(STRICT, "/\x00.\x01/admin", None, id="dot segments that appear without control characters"),
        pytest.param(STRICT, "/other/", (BASE,), id="a path far from every rule"),
    ],
)
def test_the_policy_of_a_path_that_routers_read_in_several_ways(paths, path, expected):
    """None: another reading leads to another policy, so nothing is granted."""
    match = Rules(BASE, paths).at(path)
    assert (None if match.is_ambiguous else match.policies) == expected


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        pytest.param("/api/x", "/api", (ONE,), id="below the root path"),
        pytest.param("/api/x", "/api/", (ONE,), id="a root path with a final slash"),
        pytest.param("/api//x", "/api/", (ONE,), id="which a server repeats"),
        pytest.param("/api//x", "/api", None, id="a doubled slash below a root path"),
        pytest.param("/apix", "/api", None, id="a root path that a router removes without its slash"),
        pytest.param("/y/api/x", "/api", None, id="a root path that a router looks for anywhere"),
        pytest.param("/api/apix", "/api", (BASE,), id="a root path is removed once"),
        pytest.param("//api/x", "/api", None, id="a doubled slash before the root path"),
        pytest.param("/x", "/api", (ONE,), id="not below the root path"),
    ],
)
def test_the_policy_of_a_path_below_a_root_path(path, root, expected):
    match = Rules(BASE, {"/x": ONE}).at(path, root)
    assert (None if match.is_ambiguous else match.policies) == expected


def test_a_long_path_is_not_matched_by_regexes():
    """It is ambiguous, and all policies may serve it."""
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
    ids=["below", "beside", "letter case", "dots", "slash", "root", "root without slash", "root later", "/", "slashes"],
)
def test_a_long_path_is_matched_as_far_as_patterns_look(path, root, expected):
    match = Rules(BASE, {"/a/*": ONE, "/b": TWO}).at(path, root)
    assert (None if match.is_ambiguous else match.policies) == expected


@given(st.text("/.aA\x00\u0131", max_size=12), st.sampled_from(["", "/", "/a", "/a/", "//", "a"]))
def test_every_path_has_few_readings(path, root):
    """No path takes more than some passes to be read, and none raises."""
    readings = alternative_paths("/" + path, root)
    assert len(readings) <= 7
    assert all(reading.startswith("/") for reading in readings)


def test_a_long_path_is_read_in_linear_time():
    """A root path is removed once, however often it is repeated."""
    assert alternative_paths("/aa" + "a" * 50_000, "/a") == {"/a" + "a" * 50_000}


@pytest.mark.parametrize("path", ["/.well-known/*", "/.well-known/openid-configuration", "/a/.b", "/..."])
def test_a_name_that_begins_with_a_dot_is_a_path(path: str) -> None:
    """It is no dot segment, and only a path that routers read in another way is refused."""
    assert path_issue(path) is None
