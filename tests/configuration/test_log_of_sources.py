"""The log line of an origin that an origin source refused."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from asgi_cors import Cached, Policy, Tenants
from asgi_cors._configuration import lookup
from asgi_cors._configuration.calls import background_loop
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL
from tests.support.logs import Clock, held
from tests.support.sources import Customers


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "asgi_cors")
    return caplog


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    with held(monkeypatch) as clock:
        yield clock


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


# -- outages


def away(_: str) -> bool:
    raise OSError("no database")


async def hangs(_: str) -> bool:
    await asyncio.sleep(60)
    return True


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("entry", "name"), [(Cached(away), "Cached(away)"), (away, "away()"), (lambda _: 1 / 0, "a lambda")]
)
def test_an_outage_gives_one_line_a_minute_for_each_entry_and_cause(
    interface: str, entry: Any, name: str, log: pytest.LogCaptureFixture
) -> None:
    client = Client(interface, App(), Policy(allow_origins=[entry]), run=run_asyncio)
    for number in range(100):
        origin = f"https://n{number % 50}.example.com"  # a failed look-up is not repeated at once
        client.request(origin=origin)
        client.preflight("PUT", origin=origin)
    (error,) = (record.getMessage() for record in log.records if record.levelno == logging.ERROR)
    assert error.startswith(f"{name} could not look an origin up, so it allows nothing: ")
    (refusal,) = (record for record in log.records if record.levelno != logging.ERROR)
    assert "the look-up of the origin failed" in refusal.getMessage()


def test_a_failure_that_is_remembered_is_logged_without_the_name_of_a_type(
    log: pytest.LogCaptureFixture, clock: Clock
) -> None:
    client = Client(
        "asgi", App(), Policy(allow_origins=[Cached(away, error_ttl=3600, clock=time.time)]), run=run_asyncio
    )
    client.request(origin=EVIL)
    clock.now += 61
    client.request(origin=EVIL)
    errors = [record.getMessage() for record in log.records if record.levelno == logging.ERROR]
    assert len(errors) == 2
    assert errors[1] == (
        "Cached(away, error_ttl=3600, clock=time) could not look an origin up, so it allows nothing:"
        " 'it failed a moment ago: OSError: no database'"
    )


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_tenants_that_can_not_be_found_give_one_line_for_each_cause(
    interface: str, log: pytest.LogCaptureFixture
) -> None:
    tenants = Tenants.by_host(away)  # type: ignore[arg-type]
    client = Client(interface, App(), policy_for=tenants, run=run_asyncio)
    for number in range(20):
        client.request(origin=EVIL, headers=[("host", f"t{number % 10}.example")])
    (error,) = (record.getMessage() for record in log.records if record.levelno == logging.ERROR)
    assert "away() failed for 't0.example': OSError: no database" in error


def test_a_cause_is_told_from_another_one(log: pytest.LogCaptureFixture) -> None:
    def fails(origin: str) -> bool:
        cause = OSError("no database") if origin == EVIL else ValueError("no text")
        raise RuntimeError("no answer") from cause

    client = Client("asgi", App(), Policy(allow_origins=[fails]))
    for origin in (EVIL, APP, EVIL):
        client.request(origin=origin)
    assert [record.levelno for record in log.records].count(logging.ERROR) == 2


def test_an_exception_that_causes_itself_is_logged(log: pytest.LogCaptureFixture) -> None:
    error = RuntimeError()
    error.__cause__ = error

    def fails(_: str) -> bool:
        raise error

    Client("asgi", App(), Policy(allow_origins=[fails])).request(origin=EVIL)
    assert "so it allows nothing: RuntimeError (at " in log.text


def test_a_look_up_that_a_blocked_event_loop_delays_is_a_timeout_with_a_text(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "TIMEOUT", -0.9)
    end = threading.Event()
    background_loop().call_soon_threadsafe(end.wait, 60)
    try:
        Client("wsgi", App(), Policy(allow_origins=[hangs])).request(origin=EVIL)
    finally:
        end.set()
    assert "TimeoutError: 'no result within 0.1 seconds, because a function blocks the event loop'" in log.text


def test_a_look_up_that_raises_a_timeout_under_wsgi_is_logged_as_that(log: pytest.LogCaptureFixture) -> None:
    async def times_out(_: str) -> bool:
        raise TimeoutError("of the driver")

    Client("wsgi", App(), Policy(allow_origins=[times_out])).request(origin=EVIL)
    assert "TimeoutError: 'of the driver'" in log.text
