"""Short ways to ask a policy."""

import warnings
from typing import Any

import pytest

from asgi_cors import ConfigError, ConfigWarning, Issue, Outcome, Policy, Request, decide


def allows(policy: Policy, origin: str) -> bool:
    """Whether an actual request from the origin is allowed."""
    return decide(policy, Request("GET", origin=origin.encode("latin-1"))).outcome is Outcome.ALLOWED


def quiet(**options: Any) -> Policy:
    """A policy whose warnings do not matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        return Policy(**options)


def issues(**options: Any) -> tuple[Issue, ...]:
    """The issues that the options are refused with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        with pytest.raises(ConfigError) as caught:
            Policy(**options)
    return caught.value.issues


def issue(**options: Any) -> Issue:
    """The one issue that the options are refused with."""
    (one,) = issues(**options)
    return one


def warned(**options: Any) -> list[Issue]:
    """The issues that the options are warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Policy(**options)
    assert all(isinstance(each.message, ConfigWarning) for each in caught)
    return [each.message.issue for each in caught if isinstance(each.message, ConfigWarning)]
