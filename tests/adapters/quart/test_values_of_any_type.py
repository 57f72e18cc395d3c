"""Options by Quart-CORS's names: a value of a wrong type is a ConfigError with a hint, never another error."""

import pytest
from quart import Quart

from asgi_cors_quart import CORS, cors, route_cors
from tests.support.hints import found_in
from tests.support.junk import JUNK, KINDS

OPTIONS = [
    *("allow_origin", "allow_methods", "allow_headers", "expose_headers", "allow_credentials", "max_age"),
    *("csrf_protection", "csrf_trusted_origins", "timing_allow_origin", "resource_policy", "presets", "name"),
    *("dangerously_allow", "enforce", "allowed_hosts", "report_only"),
]


def configured(key, value):
    app = Quart("app")
    app.config[key] = value
    return cors(app)


async def view(): ...


@pytest.mark.parametrize("value", JUNK, ids=KINDS)
def test_an_option_of_any_type_is_accepted_or_a_config_error(value):
    """It may be a keyword, or in the config or in a decorator."""
    found = [*found_in(lambda: CORS(Quart("app"), value))]
    for option in OPTIONS:
        found += found_in(lambda option=option: cors(Quart("app"), **{option: value}))
        found += found_in(lambda option=option: configured(f"QUART_CORS_{option.upper()}", value))
        found += found_in(lambda option=option: route_cors(**{option: value})(view))
    assert all(issue.hint for issue in found), found
