"""Builds policies, and collects their issues and warnings."""

import warnings
from typing import Any

import pytest

from asgi_cors import ConfigError, ConfigWarning, Issue, Outcome, Policy, Request, decide


def allows(policy: Policy, origin: str) -> bool:
    """Return whether an actual request from an origin is allowed."""
    return decide(policy, Request("GET", origin=origin.encode("latin-1"))).outcome is Outcome.ALLOWED


def policy_without_warnings(**options: Any) -> Policy:
    """Build a policy and ignore its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        return Policy(**options)


def issues(**options: Any) -> tuple[Issue, ...]:
    """Return the issues that the options are refused with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        with pytest.raises(ConfigError) as caught:
            Policy(**options)
    return caught.value.issues


def issue(**options: Any) -> Issue:
    """Return the one issue that the options are refused with."""
    (one,) = issues(**options)
    return one


def warned(**options: Any) -> list[Issue]:
    """Return the issues that the options are warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Policy(**options)
    assert all(isinstance(each.message, ConfigWarning) for each in caught)
    return [each.message.issue for each in caught if isinstance(each.message, ConfigWarning)]
