"""Options by Flask-CORS's names: a value of a wrong type is a ConfigError with a hint, never another error."""

import pytest
from flask import Flask

from asgi_cors_flask import CORS, asgi_app, cross_origin
from tests.support.hints import found_in
from tests.support.junk import JUNK, KINDS

pytestmark = pytest.mark.slow

OPTIONS = [
    *("origins", "methods", "allow_headers", "expose_headers", "supports_credentials", "max_age", "send_wildcard"),
    *("automatic_options", "allow_origin_regex", "resources", "enforce", "policy_for", "on_decision"),
    *("csrf_protection", "csrf_trusted_origins", "timing_allow_origin", "resource_policy", "presets", "name"),
    *("allowed_hosts", "report_only"),
]


def configured(key, value):
    app = Flask("app")
    app.config[key] = value
    return CORS(app)


@pytest.mark.parametrize("value", JUNK, ids=KINDS)
def test_an_option_of_any_type_is_accepted_or_a_config_error(value):
    """It may be a keyword, or in the config, in a resource or in a decorator."""
    for option in OPTIONS:
        found = [*found_in(lambda option=option: CORS(Flask("app"), **{option: value}))]
        found += found_in(lambda option=option: configured(f"CORS_{option.upper()}", value))
        found += found_in(lambda option=option: CORS(Flask("app"), resources={"/a": {option: value}}))
        found += found_in(lambda option=option: cross_origin(**{option: value}))
        assert all(issue.hint for issue in found), found


@pytest.mark.parametrize("value", JUNK, ids=KINDS)
def test_an_argument_of_any_type_is_accepted_or_a_config_error(value):
    """This holds for a resource's options and for the number of threads."""
    found = [*found_in(lambda: CORS(Flask("app"), resources={"/a": value}))]
    found += found_in(lambda: asgi_app(Flask("app"), value))
    found += found_in(lambda: CORS(Flask("app"), value))
    assert all(issue.hint for issue in found), found
