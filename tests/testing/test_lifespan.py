"""The application's lifespan runs while the page is entered."""

from __future__ import annotations

import anyio
import pytest

from asgi_cors.testing import LifespanError
from tests.support.page_apps import API, ORIGIN, allowed, raw


class App:
    """Goes through a lifespan of scripted messages, and records the events."""

    def __init__(self, *, up=None, down=None, hang=""):
        self.up = up or {"type": "lifespan.startup.complete"}
        self.down = down or {"type": "lifespan.shutdown.complete"}
        self.hang = hang
        self.events = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan":
            self.events.append(scope["state"])
            await send({"type": "http.response.start", "status": 200, "headers": raw(allowed())})
            await send({"type": "http.response.body"})
            return
        scope["state"]["pool"] = "open"
        for message in (self.up, self.down):
            received = await receive()
            self.events.append(received["type"])
            if received["type"] == self.hang:
                await anyio.sleep_forever()
            if isinstance(message, Exception):
                raise message
            await send(message)


def test_the_lifespan_starts_and_stops_the_app_and_shares_its_state(interface):
    """On both event loops."""
    app = App()

    async def once():
        async with interface.page(ORIGIN, app=app) as page:
            await page.fetch(API)

    interface.run(once)
    assert app.events == ["lifespan.startup", {"pool": "open"}, "lifespan.shutdown"]


async def test_a_failed_startup_raises_on_entry(new_page):
    """The error has the application's message."""
    app = App(up={"type": "lifespan.startup.failed", "message": "no database"})
    with pytest.raises(LifespanError, match="no database"):
        async with new_page(ORIGIN, app=app):
            pytest.fail("it was entered")


@pytest.mark.parametrize("refusal", [NotImplementedError(), {"type": "unknown"}], ids=["raises", "nonsense"])
async def test_an_app_that_raises_on_the_lifespan_runs_without_it(new_page, refusal):
    """Servers do the same."""
    app = App(up=refusal)
    async with new_page(ORIGIN, app=app) as page:
        assert (await page.fetch(API)).status == 200
    assert "lifespan.shutdown" not in app.events


async def test_an_app_that_returns_from_the_lifespan_at_once_runs_without_it(new_page):
    """Servers do the same."""

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": raw(allowed())})
            await send({"type": "http.response.body"})

    async with new_page(ORIGIN, app=app) as page:
        assert (await page.fetch(API)).status == 200


@pytest.mark.parametrize(
    ("down", "message"),
    [({"type": "lifespan.shutdown.failed", "message": "stuck"}, "stuck"), (LookupError("bad"), "bad")],
    ids=["failed", "raises"],
)
async def test_a_failed_shutdown_raises_on_exit(new_page, down, message):
    """The error has the application's message, or its exception."""
    with pytest.raises(LifespanError, match=message):
        async with new_page(ORIGIN, app=App(down=down)):
            pass


async def test_a_failed_shutdown_does_not_hide_the_error_of_the_test(new_page):
    """It is a note on that error."""
    app = App(down={"type": "lifespan.shutdown.failed", "message": "stuck"})
    with pytest.raises(LookupError) as caught:
        async with new_page(ORIGIN, app=app):
            raise LookupError
    assert caught.value.__notes__ == ["the application's shutdown failed: stuck"]


async def test_an_app_that_does_not_start_in_time_raises(new_page):
    """It is cancelled."""
    with pytest.raises(LifespanError, match=r"did not start within 0\.05 s"):
        async with new_page(ORIGIN, app=App(hang="lifespan.startup"), timeout=0.05):
            pytest.fail("it was entered")


async def test_an_app_that_does_not_stop_in_time_raises(new_page):
    """It is cancelled."""
    with pytest.raises(LifespanError, match=r"did not shut down within 0\.05 s"):
        async with new_page(ORIGIN, app=App(hang="lifespan.shutdown"), timeout=0.05):
            pass


async def test_a_page_without_an_app_has_no_lifespan(new_page):
    """It connects when it fetches."""
    async with new_page(ORIGIN) as page:
        assert page.exchanges == []


async def test_a_page_may_be_entered_again_once_it_is_left(new_page):
    """The application starts again, with a new state, and runs until the page is left again."""
    app = App()
    page = new_page(ORIGIN, app=app)
    for _ in range(2):
        async with page:
            await page.fetch(API)
    assert app.events == ["lifespan.startup", {"pool": "open"}, "lifespan.shutdown"] * 2


async def test_a_page_that_failed_to_start_may_be_entered_again(new_page):
    """For example, after the database has started."""
    app = App(up={"type": "lifespan.startup.failed"})
    page = new_page(ORIGIN, app=app)
    with pytest.raises(LifespanError):
        await page.__aenter__()
    app.up = {"type": "lifespan.startup.complete"}
    async with page:
        await page.fetch(API)


async def test_a_page_cannot_be_entered_twice_at_once(new_page):
    """The application runs until the page is left."""
    app = App()
    async with new_page(ORIGIN, app=app) as page:
        with pytest.raises(RuntimeError, match="the page is already entered"):
            await page.__aenter__()
        await page.fetch(API)
        assert app.events == ["lifespan.startup", {"pool": "open"}]
