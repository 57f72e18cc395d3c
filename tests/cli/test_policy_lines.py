"""Options of a policy that a remedy shows."""

import pytest

from asgi_cors.cli.policy_lines import policy_line


def test_options_are_shown_as_a_user_writes_them():
    line = policy_line(allow_origins=["https://app.example.com"], allow_methods=["PUT", "DELETE"])
    assert line == "allow_origins=['https://app.example.com'], allow_methods=['PUT', 'DELETE']"


@pytest.mark.parametrize(
    "options",
    [
        {"allow_origins": ["http://app.example.com"], "allow_credentials": True},
        {"allow_origins": ["null"], "allow_credentials": True},
        {"expose_headers": ["set-cookie"]},
    ],
)
def test_options_that_a_policy_refuses_or_warns_about_are_not_shown(options):
    assert policy_line(**options) == ""
