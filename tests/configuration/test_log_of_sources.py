"""The log line of an origin that an origin source refused."""

import logging

import pytest

from asgi_cors import Policy
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.expected import APP, EVIL
from tests.support.sources import Customers


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "asgi_cors")
    return caplog


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_the_line_says_how_a_source_refused_the_origin_and_how_to_allow_it(
    interface: str, log: pytest.LogCaptureFixture
) -> None:
    source = Customers(APP, age="known for 8 s more")
    Client(interface, App(), Policy(allow_origins=[source])).request(origin=EVIL)
    (record,) = log.records
    assert record.getMessage() == (
        f"refused 'GET' from origin {EVIL!r} at '/': no entry allows the origin (MissingAllowOriginHeader):"
        " refused by customers(), known for 8 s more."
        f" If that page is yours, let Customers() allow {EVIL!r}."
    )
    assert record.levelno == logging.INFO


def test_a_preflight_says_how_it_was_refused_too(log: pytest.LogCaptureFixture) -> None:
    Client("asgi", App(), Policy(allow_origins=[Customers(APP)])).preflight("PUT", origin=EVIL)
    assert (
        "(PreflightMissingAllowOriginHeader): refused by customers(), loaded 12 s ago." in log.records[0].getMessage()
    )


def test_an_origin_close_to_one_of_a_source_is_a_warning(log: pytest.LogCaptureFixture) -> None:
    Client("asgi", App(), Policy(allow_origins=[Customers(APP)])).request(origin=APP.replace("https", "http"))
    assert log.records[0].levelno == logging.WARNING
    assert f"Did you mean {APP!r}? The origin differs: http, not https." in log.records[0].getMessage()


def test_a_source_that_cannot_describe_the_answer_is_left_out(log: pytest.LogCaptureFixture) -> None:
    Client("asgi", App(), Policy(allow_origins=[Customers(APP, known=False)])).request(origin=EVIL)
    assert "(MissingAllowOriginHeader). If that page" in log.records[0].getMessage()


def test_a_refused_method_does_not_mention_the_source(log: pytest.LogCaptureFixture) -> None:
    Client("asgi", App(), Policy(allow_origins=[Customers(APP)])).preflight("PUT", origin=APP)
    assert "customers()" not in log.records[0].getMessage()
