"""A policy that allows no origin is a warning, unless it has another purpose. Warnings are errors here."""

from typing import Any

import pytest

from asgi_cors import Configuration, ConfigWarning, Policy


@pytest.mark.parametrize("options", [{}, {"allow_methods": "PUT"}, {"enforce": True}])
def test_a_policy_without_origins_is_a_warning(options: dict[str, Any]) -> None:
    with pytest.warns(ConfigWarning, match="nothing is allowed"):
        Configuration(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"csrf_protection": True},
        {"csrf_protection": "report"},
        {"allowed_hosts": "api.example.com"},
        {"paths": {"/public": {"allow_origins": "*"}}},
        {"csrf_protection": True, "paths": {"/hook": {"csrf_protection": False}}},
    ],
)
def test_an_app_may_use_only_the_other_protections(options: dict[str, Any]) -> None:
    configuration = Configuration(**options)
    assert configuration.explain("GET", "https://app.example.com").allowed is False


def test_a_changed_policy_does_not_warn_again() -> None:
    with pytest.warns(ConfigWarning, match="nothing is allowed"):
        policy = Policy()
    assert policy.replace(max_age=5) == policy.replace(max_age=5)
