"""The preflight cache: what it spares, for how long, and how the engines differ."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from asgi_cors.testing import CHROMIUM, CORSError, NetworkError, Page, RedirectError
from tests.support.page_apps import API, ORIGIN

PUT = {"method": "PUT"}


class Opened:
    """A page before a server that answers preflights in turn, and what of them reached it."""

    def __init__(
        self,
        *answers: dict[str, str],
        engine: Any = "standard",
        main: dict[str, str] | None = None,
        status: int = 200,
    ) -> None:
        self.answers = [*answers]
        self.status = status
        self.main = {"access-control-allow-origin": ORIGIN} if main is None else main
        self.preflights = 0
        self.now = 0.0
        transport = httpx.MockTransport(self._answer)
        self.page = Page(ORIGIN, transport=transport, engine=engine, clock=lambda: self.now)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        common = {"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}
        if "access-control-request-method" not in request.headers:
            if "fail" in request.url.path:
                raise httpx.ConnectError("refused")
            return httpx.Response(self.status, headers=self.main)
        self.preflights += 1
        return httpx.Response(204, headers={**common, **(self.answers.pop(0) if self.answers[1:] else self.answers[0])})

    def asks(self, url: str = API, **init: Any) -> bool:
        """Fetch, and tell whether a preflight was sent for it."""
        before = self.preflights
        self.page.fetch(url, **init)
        return self.preflights > before


def answer(methods: str = "PUT", headers: str = "x-a", age: str | None = "60") -> dict[str, str]:
    """Return the fields of a preflight's answer."""
    fields = {"access-control-allow-methods": methods, "access-control-allow-headers": headers}
    return fields if age is None else {**fields, "access-control-max-age": age}


def test_a_spared_preflight_is_listed_as_cached():
    """It did not go over the wire, and has no response."""
    opened = Opened(answer())
    assert [opened.asks(**PUT), opened.asks(**PUT)] == [True, False]
    first, _, spared, main = opened.page.exchanges
    assert (first.cached, spared.cached, spared.response, main.cached) == (False, True, None, False)
    assert spared.kind == "preflight"
    assert spared.request.headers["access-control-request-method"] == "PUT"
    assert "not sent (in the preflight cache)" in opened.page.table()


@pytest.mark.parametrize("engine", ["browsers", "standard", "chromium", "firefox", "webkit"])
def test_an_answer_without_an_age_is_kept_for_five_seconds(engine):
    """In every engine."""
    opened = Opened(answer(age=None), engine=engine)
    opened.asks(**PUT)
    opened.now = 4.9
    assert not opened.asks(**PUT)
    opened.now = 5
    assert opened.asks(**PUT)


@pytest.mark.parametrize(
    ("engine", "cap"),
    [("standard", 999_999), ("browsers", 86400), ("chromium", 7200), ("firefox", 86400), ("webkit", 600)],
)
def test_each_engine_has_its_cap(engine, cap):
    """The standard has none."""
    opened = Opened(answer(age="999999"), engine=engine)
    opened.asks(**PUT)
    opened.now = cap - 1
    assert not opened.asks(**PUT)
    opened.now = cap
    assert opened.asks(**PUT)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        ("60", (60, 60, 60, 60, 60)),
        ("0", (0, 0, 0, 0, 0)),
        ("00060", (60, 60, 60, 60, 60)),
        ("", (5, 5, 5, 5, 5)),
        ("-1", (5, 0, 0, 0, 0)),
        ("+0", (5, 0, 0, 0, 0)),
        ("+1", (5, 1, 0, 1, 1)),
        ("+60", (5, 60, 0, 60, 60)),
        ("-", (5, 5, 0, 5, 5)),
        ("60s", (5, 5, 0, 5, 5)),
        ("60, 60", (5, 5, 0, 5, 5)),
        ("9223372036854775808", (2**63, 5, 86400, 5, 5)),
        ("-9223372036854775808", (5, 0, 0, 0, 0)),
        ("-9223372036854775809", (5, 5, 0, 5, 5)),
    ],
)
@pytest.mark.parametrize("number", range(5))
def test_each_engine_reads_the_age_in_its_way(age, seconds, number):
    """A malformed one counts for five seconds, but in Firefox."""
    engine = ("standard", "chromium", "firefox", "webkit", "browsers")[number]
    opened = Opened(answer(age=age), engine=engine)
    opened.asks(**PUT)
    lifetime = seconds[number]
    opened.now = lifetime * 0.99
    assert opened.asks(**PUT) is (lifetime == 0)
    opened.now = lifetime + 100_000
    assert opened.asks(**PUT)


def test_several_ages_count_as_none():
    """Of a single-valued field there may be one."""
    opened = Opened(answer(age="60"))
    opened.page._driver._transport = httpx.MockTransport(  # type: ignore[misc]
        lambda request: httpx.Response(
            204,
            headers=[
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "PUT"),
                ("access-control-max-age", "60"),
                ("access-control-max-age", "60"),
            ],
        )
    )
    opened.page.fetch(API, **PUT)
    opened.now = 6
    opened.page.fetch(API, **PUT)
    assert [exchange.kind for exchange in opened.page.exchanges if not exchange.cached].count("preflight") == 2


@pytest.mark.parametrize(
    ("first", "second", "asks"),
    [
        ({"url": f"{API}/a"}, {"url": f"{API}/b"}, True),
        ({"url": f"{API}/a?x"}, {"url": f"{API}/a?y"}, True),
        ({"url": f"{API}/a#x"}, {"url": f"{API}/a#x"}, False),
        ({"url": f"{API}/a#x"}, {"url": f"{API}/a#y"}, True),
        ({"url": f"{API}/a#x"}, {"url": f"{API}/a"}, True),
        ({"url": f"{API}/a"}, {"url": f"{API}/a#"}, True),
        ({}, {"headers": {"x-a": "1"}}, False),
        ({}, {"headers": {"X-A": "1"}, "method": "GET"}, False),
        ({"credentials": "include"}, {"credentials": "omit"}, False),
        ({"credentials": "omit"}, {"credentials": "include"}, True),
        ({"credentials": "omit"}, {"credentials": "same-origin"}, False),
    ],
)
def test_an_entry_serves_its_url_method_headers_and_credentials(first, second, asks):
    """And, made with credentials, also those without. All browsers were seen to compare fragments, too."""
    opened = Opened(answer(), main={"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"})
    opened.asks(**{**PUT, **first})
    assert opened.asks(**{**PUT, **second}) is asks


@pytest.mark.parametrize(
    ("engine", "asks"),
    [("standard", False), ("browsers", True), ("chromium", True), ("firefox", True), ("webkit", True)],
)
def test_a_star_from_a_credentialed_preflight_is_a_wildcard_in_the_standard_only(engine, asks):
    """It is not a wildcard for the preflight itself."""
    main = {"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}
    opened = Opened(answer(methods="PUT, *"), answer(methods="PUT, DELETE"), engine=engine, main=main)
    opened.asks(method="PUT", credentials="include")
    assert opened.asks(method="DELETE", credentials="include") is asks


@pytest.mark.parametrize(
    ("engine", "asks"), [("standard", True), ("chromium", True), ("firefox", True), ("webkit", False)]
)
def test_a_cached_star_covers_authorization_in_webkit_only(engine, asks):
    """Chromium and Firefox let it pass in the preflight's answer itself."""
    opened = Opened(
        answer(headers="*, authorization"), answer(headers="*"), answer(headers="authorization"), engine=engine
    )
    opened.asks(headers={"x-a": "1"}, url=f"{API}/b")
    assert opened.asks(headers={"x-a": "1"})
    assert opened.asks(headers={"authorization": "a"}) is asks


def test_chromium_drops_an_answer_that_does_not_suffice():
    """Even where the new preflight is refused."""
    opened = Opened(answer("PUT"), answer(""), answer("PUT"), engine="chromium")
    opened.asks(**PUT)
    with pytest.raises(CORSError):
        opened.asks(method="DELETE")
    assert opened.asks(**PUT)


def test_webkit_keeps_the_answer_of_a_preflight_that_it_denies():
    """The next request that it allows goes without."""
    opened = Opened(answer("PUT"), engine="webkit")
    with pytest.raises(CORSError):
        opened.asks(method="DELETE")
    assert not opened.asks(**PUT)


@pytest.mark.parametrize(
    ("engine", "asks"),
    [("browsers", True), ("standard", True), ("chromium", False), ("firefox", True), ("webkit", False)],
)
@pytest.mark.parametrize("failure", ["check", "connection"])
def test_a_failure_clears_the_urls_entries_in_the_standard_and_firefox(engine, asks, failure):
    """Chromium and WebKit keep them."""
    main = {"access-control-allow-origin": ORIGIN}
    opened = Opened(answer(), engine=engine, main={} if failure == "check" else main)
    url = f"{API}/fail" if failure == "connection" else API
    for _ in range(2):
        with pytest.raises((CORSError, NetworkError)):
            opened.asks(url, **PUT)
    assert (opened.preflights == 2) is asks


@pytest.mark.parametrize(
    ("engine", "asks"),
    [("browsers", False), ("standard", True), ("chromium", False), ("firefox", False), ("webkit", False)],
)
def test_a_refused_redirect_clears_the_urls_entries_in_the_standard_only(engine, asks):
    """Measured: no browser forgets the preflight because of `redirect="error"`."""
    opened = Opened(answer(), engine=engine, main={"access-control-allow-origin": ORIGIN, "location": "/x"}, status=302)
    for _ in range(2):
        with pytest.raises(RedirectError):
            opened.asks(redirect="error", **PUT)
    assert (opened.preflights == 2) is asks


def test_a_failure_after_a_redirect_clears_the_last_url_only():
    """The standard clears the entries of the request's current URL, which a redirect changes."""

    def handler(request):
        if "access-control-request-method" in request.headers:
            return httpx.Response(204, headers={"access-control-allow-origin": ORIGIN, **answer()})
        headers = {"access-control-allow-origin": ORIGIN, "location": "/second"}
        return httpx.Response(307, headers=headers) if request.url.path == "/" else httpx.Response(200)

    with Page(ORIGIN, transport=httpx.MockTransport(handler), engine="standard") as page:
        for _ in range(2):
            with pytest.raises(CORSError):
                page.fetch(API, **PUT)
    preflights = [exchange for exchange in page.exchanges if exchange.kind == "preflight"]
    assert [(exchange.request.url.path, exchange.cached) for exchange in preflights] == [
        ("/", False),
        ("/second", False),
        ("/", True),
        ("/second", False),
    ]


@pytest.mark.parametrize(
    ("asked", "location", "spared"),
    [("#a", "/second", "/second#a"), ("#a", "/second#b", "/second#b"), ("", "/second#b", "/second#b")],
)
def test_a_redirect_keeps_the_fragment_unless_it_has_its_own(asked, location, spared):
    """Fetch, HTTP-redirect fetch: what the cache knows of the target has its fragment."""

    def handler(request):
        headers = {"access-control-allow-origin": ORIGIN, **answer()}
        if request.url.path == "/second" or "access-control-request-method" in request.headers:
            return httpx.Response(200, headers=headers)
        return httpx.Response(307, headers={**headers, "location": location})

    with Page(ORIGIN, transport=httpx.MockTransport(handler)) as page:
        assert page.fetch(f"{API}/first{asked}", **PUT).url == f"{API}/second"
        page.fetch(f"{API}{spared}", **PUT)
        page.fetch(f"{API}/second#other", **PUT)
    preflights = [exchange.cached for exchange in page.exchanges if exchange.kind == "preflight"]
    assert preflights == [False, False, True, False]


def test_an_engine_may_keep_one_response_per_url_and_clear_it():
    """Flags combine freely."""
    engine = dataclasses.replace(CHROMIUM, failure_clears="always")
    opened = Opened(answer(), engine=engine, main={})
    for _ in range(2):
        with pytest.raises(CORSError):
            opened.asks(**PUT)
    assert opened.preflights == 2


@pytest.mark.parametrize(
    ("engine", "bypassing"),
    [
        ("standard", set()),
        ("chromium", {"no-store", "reload", "no-cache"}),
        ("firefox", {"no-store", "reload"}),
        ("webkit", set()),
    ],
)
def test_some_cache_modes_pass_the_preflight_cache_by(engine, bypassing):
    """The standard has none, and WebKit."""
    modes = ["default", "no-store", "reload", "no-cache", "force-cache"]
    opened = Opened(answer(), engine=engine)
    opened.asks(**PUT)
    assert {mode for mode in modes if opened.asks(cache=mode, **PUT)} == bypassing


@pytest.mark.parametrize(("length", "asks"), [(1023, False), (1024, True)])
def test_chromium_does_not_cache_for_long_urls(length, asks):
    """Of 1024 characters and more."""
    url = f"{API}/".ljust(length, "x")
    opened = Opened(answer(), engine="chromium")
    opened.asks(url, **PUT)
    assert opened.asks(url, **PUT) is asks


@pytest.mark.parametrize(("engine", "size"), [("chromium", 1024), ("firefox", 100)])
def test_the_cache_is_bounded(engine, size):
    """The oldest entry goes first."""
    opened = Opened(answer(age="600"), engine=engine)
    for number in range(size + 1):
        opened.asks(f"{API}/{number}", **PUT)
    assert not opened.asks(f"{API}/{size}", **PUT)
    assert not opened.asks(f"{API}/1", **PUT)
    assert opened.asks(f"{API}/0", **PUT)


def test_an_upload_listener_asks_for_a_preflight_of_any_request():
    """Then the method is allowed where no list is sent, and kept."""
    opened = Opened({"access-control-max-age": "60"})
    assert opened.asks(upload_listener=True)
    assert not opened.asks(upload_listener=True)
    assert not opened.asks()
    assert opened.asks(upload_listener=True, method="POST", content="x")


def test_a_misdirected_request_is_tried_once_more():
    """Status 421, of a reused connection."""
    statuses = [421, 200, 421, 421]

    def handler(request):
        return httpx.Response(statuses.pop(0), headers={"access-control-allow-origin": "*"})

    with Page(ORIGIN, transport=httpx.MockTransport(handler)) as page:
        assert page.fetch(API).status == 200
        assert page.fetch(API).status == 421
    assert len(page.exchanges) == 4


def redirecting(*, preflight_origin: str):
    """Return a transport that redirects to another origin, whose preflight allows that origin."""

    def handler(request):
        first = request.url.host == "api.test"
        if "access-control-request-method" in request.headers:
            origin = ORIGIN if first else preflight_origin
            return httpx.Response(204, headers={"access-control-allow-origin": origin, **answer()})
        headers = {"access-control-allow-origin": ORIGIN if first else "null"}
        return httpx.Response(307 if first else 200, headers={**headers, "location": "https://third.test/"})

    return httpx.MockTransport(handler)


@pytest.mark.parametrize(
    ("engine", "preflight_origin"),
    [("standard", "null"), ("chromium", "null"), ("webkit", "null"), ("firefox", ORIGIN)],
)
def test_firefox_preflights_a_redirects_target_with_the_pages_origin(engine, preflight_origin):
    """The others with `null`; the request itself carries `null` in all."""
    transport = redirecting(preflight_origin=preflight_origin)
    with Page(ORIGIN, transport=transport, engine=engine) as page:
        assert page.fetch(API, **PUT).redirected
    assert [exchange.request.headers["origin"] for exchange in page.exchanges] == [
        ORIGIN,
        ORIGIN,
        preflight_origin,
        "null",
    ]


def test_a_sticky_preflight_is_spared_by_any_entry_of_the_url():
    """Firefox asks again after 303, though GET alone would not; what it knows of the URL serves."""

    def handler(request):
        first = request.url.host == "api.test"
        headers = {"access-control-allow-origin": "*", **answer()}
        if "access-control-request-method" in request.headers or not first:
            return httpx.Response(200, headers=headers)
        return httpx.Response(303, headers={**headers, "location": "https://third.test/"})

    with Page(ORIGIN, transport=httpx.MockTransport(handler), engine="firefox") as page:
        for _ in range(2):
            page.fetch(API, **PUT)
    assert [
        (exchange.request.url.host, exchange.cached) for exchange in page.exchanges if exchange.kind == "preflight"
    ] == [
        ("api.test", False),
        ("third.test", False),
        ("api.test", True),
        ("third.test", True),
    ]
