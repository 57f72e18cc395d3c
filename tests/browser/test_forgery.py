"""Forged forms, a payment provider's return, and DNS rebinding, each in Chromium and in Firefox."""

import json
import re

import pytest

from .drivers import SECOND_NAME, Browser, Tab

APIS = ["asgi", "flask", "quart", "fastapi", "django"]
DONE = "document.documentElement.dataset.state === 'done'"
RESULTS = "[...document.querySelectorAll('tr[data-case]')].map((row) => [row.dataset.case, row.dataset.browser])"
# Every way of a page to send a form's request by script. The result is the response's status, if the page may read it.
BY_SCRIPT = """fetch({url}, {{
    method: "POST", body: new URLSearchParams({{id: {id}}}), credentials: "include", mode: {mode}
}}).then((response) => response.type + " " + response.status, () => "blocked")"""


def under_second_name(url: str) -> str:
    """Return a URL under another host name that leads to the same address."""
    return re.sub(r"//[^:]+:", f"//{SECOND_NAME}:", url)


def send_by_hand(tab: Tab, url: str, api: str) -> str:
    """Press the button of the form, and return the text of the page that the API responds with."""
    button = f"document.querySelectorAll('[data-case=form] .send')[{APIS.index(api)}]"
    tab.open(url)
    tab.wait_until(f"{button} !== undefined")
    tab.evaluate(f"void setTimeout(() => {button}.click())")  # the result arrives before the page is left
    tab.wait_until("location.pathname.endsWith('/orders') && document.readyState === 'complete'")
    return tab.evaluate("document.body.innerText")


def send_by_script(tab: Tab, url: str, order: str, mode: str = "cors") -> str:
    """Send the form's request by fetch, and return the script's result."""
    return tab.evaluate(BY_SCRIPT.format(url=json.dumps(f"{url}/orders"), id=json.dumps(order), mode=json.dumps(mode)))


@pytest.mark.parametrize("api", APIS)
def test_a_forged_form_orders_nothing(demo, browser: Browser, api):
    """It is the page of the tab that the form sends, and the visitor's cookie goes with it."""
    before = demo.orders()
    with browser.tab() as tab:
        shown = send_by_hand(tab, demo.origins["refused"], api)
    assert "CrossSiteRequest" in shown
    assert demo.orders() == before


@pytest.mark.parametrize("api", APIS)
def test_a_form_of_another_site_orders_nothing(demo, browser: Browser, api):
    """Not of another port only: browsers call this request cross-site."""
    before = demo.orders()
    with browser.tab() as tab:
        shown = send_by_hand(tab, under_second_name(demo.origins["refused"]), api)
    assert "CrossSiteRequest" in shown
    assert demo.orders() == before


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
@pytest.mark.parametrize("api", APIS)
def test_a_forged_request_of_a_script_orders_nothing(demo, browser: Browser, api, mode):
    before = demo.orders()
    with browser.tab() as tab:
        tab.open(demo.origins["refused"])
        assert send_by_script(tab, demo.apis[api], "forged", mode) == ("blocked" if mode == "cors" else "opaque 0")
    assert demo.orders() == before


@pytest.mark.parametrize("side", ["allowed", "trusted"])
@pytest.mark.parametrize("api", APIS)
def test_a_form_of_an_allowed_or_trusted_origin_orders_with_the_cookie(demo, browser: Browser, api, side):
    """The payment provider's return passes."""
    with browser.tab() as tab:
        assert "visitor=ada" in send_by_hand(tab, demo.origins[side], api)


@pytest.mark.parametrize("api", APIS)
def test_the_payment_providers_script_may_send_but_not_read(demo, browser: Browser, api):
    order = f"provider-{browser.name}-{api}"
    with browser.tab() as tab:
        tab.open(demo.origins["trusted"])
        assert send_by_script(tab, demo.apis[api], order) == "blocked"
        me = json.dumps(f"{demo.apis[api]}/me")
        assert tab.evaluate(f"fetch({me}, {{credentials: 'include'}}).then(() => 'read', () => 'blocked')") == "blocked"
    assert demo.orders()[order] == "visitor=ada"


@pytest.mark.parametrize("api", APIS)
def test_a_trusted_origin_under_another_name_is_not_trusted(demo, browser: Browser, api):
    before = demo.orders()
    with browser.tab() as tab:
        tab.open(under_second_name(demo.origins["trusted"]))
        send_by_script(tab, demo.apis[api], "untrusted")
    assert demo.orders() == before


def test_a_page_that_rebinds_its_name_gets_nothing(demo, browser: Browser):
    """Also under a name that browsers don't trust, so that they send no Sec-Fetch-Site."""
    before = demo.orders()
    with browser.tab() as tab:
        tab.open(under_second_name(demo.origins["rebound"]))
        tab.wait_until(DONE)
        results = tab.evaluate(RESULTS)
    assert {result for _, result in results} == {"refused"}
    assert demo.orders() == before


@pytest.mark.parametrize(
    "path", ["/items", "/public/news", "/flask/items", "/quart/items", "/fastapi/items", "/django/items"]
)
@pytest.mark.parametrize("name", ["rebound.localhost", SECOND_NAME])
def test_a_rebound_name_gets_421_and_the_servers_own_name_200(demo, browser: Browser, name, path):
    rebound = re.sub(r"//[^:]+:", f"//{name}:", demo.origins["rebound"])
    status = f"fetch({json.dumps(path)}).then((response) => response.status)"
    with browser.tab() as tab:
        tab.open(rebound)
        assert tab.evaluate(status) == 421
        tab.open(rebound.replace(name, "127.0.0.1"))
        assert tab.evaluate(status) == 200
