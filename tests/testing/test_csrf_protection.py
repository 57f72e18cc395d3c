"""The middleware's `csrf_protection` against the pages of every engine: forged forms, own forms, payment returns."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, WSGIMiddleware
from asgi_cors.testing import CORSError, Page
from tests.support.page_apps import ASGIEcho, WSGIEcho

SHOP = "https://shop.example.com"
APP = "https://app.example.com"
READER = "https://reader.example.org"
PROVIDER = "https://pay.example.net"
ATTACKER = "https://evil.example.net"
ENGINES = ["browsers", "standard", "chromium", "firefox", "webkit"]
POLICY: dict[str, Any] = {
    "allow_origins": [APP],
    "allow_credentials": True,
    "csrf_protection": True,
    "csrf_trusted_origins": [PROVIDER],
}
COOKIES = {SHOP: "sid=1; SameSite=None; Secure"}


class Shop:
    """The shop's application under one interface, behind the middleware."""

    def __init__(self, interface: str, **options: Any) -> None:
        self._echo = ASGIEcho() if interface == "asgi" else WSGIEcho()
        middleware = CORSMiddleware if interface == "asgi" else WSGIMiddleware
        self.app: Any = middleware(self._echo, **{**POLICY, **options})  # type: ignore[arg-type]

    @property
    def calls(self) -> int:
        """The number of requests that reached the application."""
        return len(self._echo.scopes if isinstance(self._echo, ASGIEcho) else self._echo.environs)


@pytest.fixture(params=["asgi", "wsgi"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """Run the test with an ASGI and a WSGI application."""
    return Shop(request.param)


@pytest.mark.parametrize("enctype", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
@pytest.mark.parametrize("policy", ["strict-origin-when-cross-origin", "no-referrer", "unsafe-url"])
@pytest.mark.parametrize("origin", [ATTACKER, "null"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_forged_form_is_refused_before_the_app_runs(
    shop: Shop, engine: str, origin: str, policy: Any, enctype: Any
) -> None:
    """The browser would have sent the session's cookie."""
    with Page(origin, app=shop.app, engine=engine, referrer_policy=policy, cookies=COOKIES) as page:
        result = page.submit(f"{SHOP}/orders", data={"item": "5"}, enctype=enctype)
        assert (result.status, shop.calls) == (403, 0)
        assert page.exchanges[0].request.headers["cookie"] == "sid=1"


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_forged_form_is_refused_after_a_redirect_of_the_shop_itself(engine: str, status: int) -> None:
    """An open redirect repeats the form at the same origin. Sec-Fetch-Site remembers the attacker."""
    shop = Shop("asgi", paths={"/login": {"csrf_protection": False}})

    async def redirecting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/login":
            await send({"type": "http.response.start", "status": status, "headers": [(b"location", b"/orders")]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await shop.app(scope, receive, send)

    with Page(ATTACKER, app=redirecting, engine=engine) as page:
        result = page.submit(f"{SHOP}/login", data={"item": "5"})
        assert (str(result.url), result.status, shop.calls) == (f"{SHOP}/orders", 403, 0)


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_forged_fetch_is_refused(shop: Shop, engine: str, mode: Any) -> None:
    """Such as sendBeacon(). It needs no preflight."""
    with Page(ATTACKER, app=shop.app, engine=engine, cookies=COOKIES) as page:
        with contextlib.suppress(CORSError):
            page.fetch(f"{SHOP}/orders", method="POST", mode=mode, credentials="include", content="item=5")
        response = page.exchanges[-1].response
        assert response is not None
        assert (response.status_code, shop.calls) == (403, 0)


@pytest.mark.parametrize("policy", ["strict-origin-when-cross-origin", "no-referrer", "same-origin", "unsafe-url"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_shops_own_form_passes(shop: Shop, engine: str, policy: Any) -> None:
    """Under a strict referrer policy, too, with which its Origin is `null`."""
    with Page(SHOP, app=shop.app, engine=engine, referrer_policy=policy, cookies=COOKIES) as page:
        assert page.submit("/orders", data={"item": "5"}).status == 200
    assert shop.calls == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_shops_own_form_passes_over_plain_http(shop: Shop, engine: str) -> None:
    """Browsers send no Fetch Metadata there. Origin and Host decide."""
    with Page("http://shop.test", app=shop.app, engine=engine) as page:
        assert page.submit("/orders", data={"item": "5"}).status == 200
    with Page("http://evil.test", app=shop.app, engine=engine) as page:
        assert page.submit("http://shop.test/orders", data={"item": "5"}).status == 403
    assert shop.calls == 1


@pytest.mark.parametrize("origin", [APP, PROVIDER])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_form_of_an_allowed_or_trusted_origin_passes(shop: Shop, engine: str, origin: str) -> None:
    with Page(origin, app=shop.app, engine=engine, cookies=COOKIES) as page:
        assert page.submit(f"{SHOP}/paid", data={"state": "paid"}).status == 200
        assert page.origin == SHOP


@pytest.mark.parametrize("engine", ENGINES)
def test_the_payment_provider_may_send_but_not_read(shop: Shop, engine: str) -> None:
    """Trust is for sending: the provider's script gets no CORS headers, and no preflight passes."""
    with Page(PROVIDER, app=shop.app, engine=engine, cookies=COOKIES) as page:
        with pytest.raises(CORSError):
            page.fetch(f"{SHOP}/orders", credentials="include")
        with pytest.raises(CORSError):
            page.fetch(f"{SHOP}/orders", method="PUT", credentials="include")
        assert page.submit(f"{SHOP}/paid", data={"state": "paid"}).status == 200


@pytest.mark.parametrize(
    ("engine", "status"), [("standard", 200), ("firefox", 200), ("browsers", 403), ("chromium", 403), ("webkit", 403)]
)
def test_a_redirect_at_the_provider_hides_its_origin_in_chromium_and_webkit(engine: str, status: int) -> None:
    """The provider's form must lead to the shop at once: after its own 307 the Origin is `null`."""
    shop = Shop("asgi")

    async def network(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/leave":
            location = (b"location", f"{SHOP}/paid".encode())
            await send({"type": "http.response.start", "status": 307, "headers": [location]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await shop.app(scope, receive, send)

    with Page(PROVIDER, app=network, engine=engine) as page:
        assert page.submit("/leave", data={"state": "paid"}).status == status


@pytest.mark.parametrize("engine", ENGINES)
def test_an_origin_that_may_only_read_cannot_act_as_the_user(engine: str) -> None:
    """Without `allow_credentials`, a request with the session's cookie is refused."""
    shop = Shop("asgi", allow_credentials=False, allow_origins=[READER])
    with Page(READER, app=shop.app, engine=engine, cookies=COOKIES) as page:
        assert page.submit(f"{SHOP}/orders").status == 403
    with Page(READER, app=shop.app, engine=engine) as page:
        assert page.submit(f"{SHOP}/orders").status == 200
    assert shop.calls == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_get_form_is_not_protected(shop: Shop, engine: str) -> None:
    """GET must not change anything."""
    with Page(ATTACKER, app=shop.app, engine=engine) as page:
        assert page.submit(f"{SHOP}/search", method="GET", data={"q": "tea"}).status == 200


def test_without_the_option_the_forged_form_reaches_the_app() -> None:
    """This shows that the tests above test the option."""
    shop = Shop("asgi", csrf_protection=False, csrf_trusted_origins=())
    with Page(ATTACKER, app=shop.app, cookies=COOKIES) as page:
        assert (page.submit(f"{SHOP}/orders").status, shop.calls) == (200, 1)
