"""Paths of routes, compared with the paths of policies."""

import re

from hypothesis import given
from hypothesis import strategies as st

from asgi_cors.cli.apps.templates import PathTemplate, Variable

SEGMENTS = st.sampled_from(["a", "b", "ab", "7", ""])
PARTS = st.one_of(
    st.sampled_from(["/a", "/b", "/a/", "/"]),
    st.just(Variable()),
    st.just(Variable(r"\d+", "7")),
    st.just(Variable(".*", "a/b", has_slashes=True)),
)
TEMPLATES = st.builds(
    lambda parts, is_subtree: PathTemplate("", ("/", *parts), is_subtree),
    st.lists(PARTS, max_size=4).map(tuple),
    st.booleans(),
)


@given(TEMPLATES, st.lists(SEGMENTS, max_size=4), st.lists(SEGMENTS, max_size=3))
def test_a_path_that_the_route_serves_is_never_called_unused(template, stem, rest):
    prefix = "".join(f"/{segment}" for segment in stem)
    path = prefix + "".join(f"/{segment}" for segment in rest)
    if template.matches(path):
        assert template.may_match(path)
        assert template.may_match(f"{prefix}/*")
        assert template.may_match(re.compile(re.escape(prefix) + ".*"))


@given(TEMPLATES)
def test_a_template_matches_its_sample(template):
    assert template.matches(template.sample)


def test_variables_with_groups_of_one_name_may_match_anything():
    template = PathTemplate("/x", ("/", Variable("(?P<a>a)"), "/", Variable("(?P<a>a)")))
    assert template.matches("/anything")
