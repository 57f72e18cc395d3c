"""The parts of decorators and installations that all adapters share."""

import pytest

from asgi_cors import DENY_ALL, EXEMPT, TOO_LONG, ConfigError, Configuration, FixedPolicy, Policy, is_too_long
from tests.support.expected import APP

SHOP = "https://shop.example"
POLICY = Policy(allow_origins=[APP])


def view() -> None: ...


def parse(policy, arguments=(), options=None, **others):
    line = "install(app, {}=…)".format
    return FixedPolicy.from_arguments(policy, arguments, options or {}, option_line=line, **others)


@pytest.mark.parametrize(
    ("policy", "options", "expected"),
    [
        pytest.param(POLICY, {}, POLICY, id="a policy"),
        pytest.param(None, {"allow_origins": [APP]}, POLICY, id="options"),
    ],
)
def test_a_decorator_takes_a_policy_or_options(policy, options, expected):
    attached = parse(policy, options=options)
    assert (attached.policy, str(attached)) == (expected, "cross_origin")


@pytest.mark.parametrize(
    ("policy", "arguments", "options", "code", "hint"),
    [
        pytest.param(POLICY, (), {"max_age": 3}, "policy-and-options", "policy.replace", id="a policy and options"),
        pytest.param(
            None, (), {"enforce": True}, "unknown-option", "install(app, enforce=…)", id="an option of the app"
        ),
        pytest.param([APP], (), {}, "positional-options", "allow_origins=", id="a positional option"),
        pytest.param(POLICY, ([APP],), {}, "positional-options", f"Write allow_origins=['{APP}']", id="after a policy"),
        pytest.param(view, (), {}, "decorator-without-options", "cross_origin(allow_origins=", id="a function"),
        pytest.param(view, (["GET"],), {}, "decorator-without-options", "cors_exempt", id="a function and more"),
    ],
)
def test_other_arguments_of_a_decorator_are_a_mistake(policy, arguments, options, code, hint):
    with pytest.raises(ConfigError) as raised:
        parse(policy, arguments, options)
    (issue,) = raised.value.issues
    assert issue.code == code
    assert hint in issue.hint


def test_an_adapter_names_other_objects_that_can_be_decorated():
    with pytest.raises(ConfigError, match="without options"):
        parse("a route", is_view=lambda value: value == "a route")


def test_a_long_path_allows_nothing_and_an_exempt_view_has_no_policy():
    assert [is_too_long("/" * length) for length in (2048, 2049)] == [False, True]
    assert (TOO_LONG.policy, EXEMPT.policy) == (DENY_ALL, None)


def test_a_configuration_with_another_policy_has_the_same_hosts_and_enforce():
    """The rules of the first one do not count."""
    configuration = Configuration(POLICY, allowed_hosts=["a.test"], enforce=True, paths={"/*": None})
    other = configuration.with_policy(Policy(allow_origins=[SHOP]))
    assert other.explain("GET", SHOP, host="a.test").allowed
    assert not other.explain("GET", SHOP, host="b.test").allowed
    assert other.evaluator.enforce is True
    assert not other.explain("GET", APP, host="a.test").allowed


def test_a_configuration_without_a_policy_passes_requests_through():
    assert Configuration(POLICY).with_policy(None).explain("GET", APP).allowed is None
