"""The preflight cache: the preflights it makes unnecessary, their expiry, and the differences of the engines."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from asgi_cors.testing import CHROMIUM, CORSError, NetworkError, Page, RedirectError
from tests.support.page_apps import API, ORIGIN

PUT = {"method": "PUT"}


class CountingPage:
    """A page, a server that sends these preflight responses in turn, and the number of preflights that reached it."""

    def __init__(
        self,
        *responses: dict[str, str],
        engine: Any = "standard",
        main: dict[str, str] | None = None,
        status: int = 200,
    ) -> None:
        self.responses = [*responses]
        self.status = status
        self.main = {"access-control-allow-origin": ORIGIN} if main is None else main
        self.preflights = 0
        self.now = 0.0
        transport = httpx.MockTransport(self._respond)
        self.page = Page(ORIGIN, transport=transport, engine=engine, clock=lambda: self.now)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        common = {"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}
        if "access-control-request-method" not in request.headers:
            if "fail" in request.url.path:
                raise httpx.ConnectError("refused")
            return httpx.Response(self.status, headers=self.main)
        self.preflights += 1
        response = self.responses.pop(0) if self.responses[1:] else self.responses[0]
        return httpx.Response(204, headers={**common, **response})

    def is_preflighted(self, url: str = API, **init: Any) -> bool:
        """Fetch, and return whether a preflight was sent."""
        before = self.preflights
        self.page.fetch(url, **init)
        return self.preflights > before


def allowing(methods: str = "PUT", headers: str = "x-a", age: str | None = "60") -> dict[str, str]:
    """Return the headers of a preflight's response."""
    lists = {"access-control-allow-methods": methods, "access-control-allow-headers": headers}
    return lists if age is None else {**lists, "access-control-max-age": age}


def test_a_preflight_that_the_cache_makes_unnecessary_is_listed_as_cached():
    """It was not sent, and has no response."""
    counting = CountingPage(allowing())
    assert [counting.is_preflighted(**PUT), counting.is_preflighted(**PUT)] == [True, False]
    first, _, cached, main = counting.page.exchanges
    assert (first.cached, cached.cached, cached.response, main.cached) == (False, True, None, False)
    assert cached.kind == "preflight"
    assert cached.request.headers["access-control-request-method"] == "PUT"
    assert "not sent (in the preflight cache)" in counting.page.table()


@pytest.mark.parametrize("engine", ["browsers", "standard", "chromium", "firefox", "webkit"])
def test_a_preflight_without_max_age_is_cached_for_five_seconds(engine):
    """In every engine."""
    counting = CountingPage(allowing(age=None), engine=engine)
    counting.is_preflighted(**PUT)
    counting.now = 4.9
    assert not counting.is_preflighted(**PUT)
    counting.now = 5
    assert counting.is_preflighted(**PUT)


@pytest.mark.parametrize(
    ("engine", "cap"),
    [("standard", 999_999), ("browsers", 86400), ("chromium", 7200), ("firefox", 86400), ("webkit", 600)],
)
def test_each_engine_has_its_limit_of_max_age(engine, cap):
    """The standard has no limit."""
    counting = CountingPage(allowing(age="999999"), engine=engine)
    counting.is_preflighted(**PUT)
    counting.now = cap - 1
    assert not counting.is_preflighted(**PUT)
    counting.now = cap
    assert counting.is_preflighted(**PUT)


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
def test_each_engine_has_its_syntax_of_max_age(age, seconds, number):
    """A malformed one counts for five seconds, except in Firefox."""
    engine = ("standard", "chromium", "firefox", "webkit", "browsers")[number]
    counting = CountingPage(allowing(age=age), engine=engine)
    counting.is_preflighted(**PUT)
    lifetime = seconds[number]
    counting.now = lifetime * 0.99
    assert counting.is_preflighted(**PUT) is (lifetime == 0)
    counting.now = lifetime + 100_000
    assert counting.is_preflighted(**PUT)


def test_several_lines_of_max_age_count_as_malformed():
    """The header may have one line only."""
    counting = CountingPage(allowing(age="60"))
    counting.page._driver._transport = httpx.MockTransport(  # type: ignore[misc]
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
    counting.page.fetch(API, **PUT)
    counting.now = 6
    counting.page.fetch(API, **PUT)
    assert [exchange.kind for exchange in counting.page.exchanges if not exchange.cached].count("preflight") == 2


@pytest.mark.parametrize(
    ("first", "second", "is_preflighted"),
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
def test_a_cache_entry_serves_only_its_url_method_headers_and_credentials(first, second, is_preflighted):
    """An entry with credentials also serves requests without. All browsers compare fragments, too."""
    counting = CountingPage(
        allowing(), main={"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}
    )
    counting.is_preflighted(**{**PUT, **first})
    assert counting.is_preflighted(**{**PUT, **second}) is is_preflighted


@pytest.mark.parametrize(
    ("engine", "is_preflighted"),
    [("standard", False), ("browsers", True), ("chromium", True), ("firefox", True), ("webkit", True)],
)
def test_a_star_from_a_credentialed_preflight_is_a_wildcard_in_the_standard_only(engine, is_preflighted):
    """It is not a wildcard for the preflight itself."""
    main = {"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}
    counting = CountingPage(allowing(methods="PUT, *"), allowing(methods="PUT, DELETE"), engine=engine, main=main)
    counting.is_preflighted(method="PUT", credentials="include")
    assert counting.is_preflighted(method="DELETE", credentials="include") is is_preflighted


@pytest.mark.parametrize(
    ("engine", "is_preflighted"), [("standard", True), ("chromium", True), ("firefox", True), ("webkit", False)]
)
def test_a_cached_star_covers_authorization_in_webkit_only(engine, is_preflighted):
    """In Chromium and Firefox it does so in the preflight's own response only."""
    counting = CountingPage(
        allowing(headers="*, authorization"), allowing(headers="*"), allowing(headers="authorization"), engine=engine
    )
    counting.is_preflighted(headers={"x-a": "1"}, url=f"{API}/b")
    assert counting.is_preflighted(headers={"x-a": "1"})
    assert counting.is_preflighted(headers={"authorization": "a"}) is is_preflighted


def test_chromium_removes_a_cached_response_that_does_not_suffice():
    """Even if the new preflight fails."""
    counting = CountingPage(allowing("PUT"), allowing(""), allowing("PUT"), engine="chromium")
    counting.is_preflighted(**PUT)
    with pytest.raises(CORSError):
        counting.is_preflighted(method="DELETE")
    assert counting.is_preflighted(**PUT)


def test_webkit_caches_the_response_of_a_preflight_that_failed():
    """The next request that it allows needs no preflight."""
    counting = CountingPage(allowing("PUT"), engine="webkit")
    with pytest.raises(CORSError):
        counting.is_preflighted(method="DELETE")
    assert not counting.is_preflighted(**PUT)


@pytest.mark.parametrize(
    ("engine", "is_preflighted"),
    [("browsers", True), ("standard", True), ("chromium", False), ("firefox", True), ("webkit", False)],
)
@pytest.mark.parametrize("failure", ["check", "connection"])
def test_a_failure_clears_the_urls_entries_in_the_standard_and_firefox(engine, is_preflighted, failure):
    """Chromium and WebKit clear nothing."""
    main = {"access-control-allow-origin": ORIGIN}
    counting = CountingPage(allowing(), engine=engine, main={} if failure == "check" else main)
    url = f"{API}/fail" if failure == "connection" else API
    for _ in range(2):
        with pytest.raises((CORSError, NetworkError)):
            counting.is_preflighted(url, **PUT)
    assert (counting.preflights == 2) is is_preflighted


@pytest.mark.parametrize(
    ("engine", "is_preflighted"),
    [("browsers", False), ("standard", True), ("chromium", False), ("firefox", False), ("webkit", False)],
)
def test_a_refused_redirect_clears_the_urls_entries_in_the_standard_only(engine, is_preflighted):
    """Measured: no browser removes the preflight because of `redirect="error"`."""
    counting = CountingPage(
        allowing(), engine=engine, main={"access-control-allow-origin": ORIGIN, "location": "/x"}, status=302
    )
    for _ in range(2):
        with pytest.raises(RedirectError):
            counting.is_preflighted(redirect="error", **PUT)
    assert (counting.preflights == 2) is is_preflighted


def test_a_failure_after_a_redirect_clears_the_last_url_only():
    """The standard clears the entries of the request's current URL, which a redirect changes."""

    def handler(request):
        if "access-control-request-method" in request.headers:
            return httpx.Response(204, headers={"access-control-allow-origin": ORIGIN, **allowing()})
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
    ("requested", "location", "cached"),
    [("#a", "/second", "/second#a"), ("#a", "/second#b", "/second#b"), ("", "/second#b", "/second#b")],
)
def test_a_redirect_inherits_the_fragment_unless_it_has_its_own(requested, location, cached):
    """Fetch, HTTP-redirect fetch. The entries of the target have its fragment."""

    def handler(request):
        headers = {"access-control-allow-origin": ORIGIN, **allowing()}
        if request.url.path == "/second" or "access-control-request-method" in request.headers:
            return httpx.Response(200, headers=headers)
        return httpx.Response(307, headers={**headers, "location": location})

    with Page(ORIGIN, transport=httpx.MockTransport(handler)) as page:
        assert page.fetch(f"{API}/first{requested}", **PUT).url == f"{API}/second"
        page.fetch(f"{API}{cached}", **PUT)
        page.fetch(f"{API}/second#other", **PUT)
    preflights = [exchange.cached for exchange in page.exchanges if exchange.kind == "preflight"]
    assert preflights == [False, False, True, False]


def test_an_engine_may_store_one_response_per_url_and_clear_it():
    """Flags can be combined freely."""
    engine = dataclasses.replace(CHROMIUM, failure_clears="always")
    counting = CountingPage(allowing(), engine=engine, main={})
    for _ in range(2):
        with pytest.raises(CORSError):
            counting.is_preflighted(**PUT)
    assert counting.preflights == 2


@pytest.mark.parametrize(
    ("engine", "bypassing"),
    [
        ("standard", set()),
        ("chromium", {"no-store", "reload", "no-cache"}),
        ("firefox", {"no-store", "reload"}),
        ("webkit", set()),
    ],
)
def test_some_cache_modes_skip_the_preflight_cache(engine, bypassing):
    """In the standard and in WebKit, none does."""
    modes = ["default", "no-store", "reload", "no-cache", "force-cache"]
    counting = CountingPage(allowing(), engine=engine)
    counting.is_preflighted(**PUT)
    assert {mode for mode in modes if counting.is_preflighted(cache=mode, **PUT)} == bypassing


@pytest.mark.parametrize(("length", "is_preflighted"), [(1023, False), (1024, True)])
def test_chromium_does_not_cache_for_long_urls(length, is_preflighted):
    """A long URL has 1024 characters or more."""
    url = f"{API}/".ljust(length, "x")
    counting = CountingPage(allowing(), engine="chromium")
    counting.is_preflighted(url, **PUT)
    assert counting.is_preflighted(url, **PUT) is is_preflighted


@pytest.mark.parametrize(("engine", "size"), [("chromium", 1024), ("firefox", 100)])
def test_the_cache_is_bounded(engine, size):
    """The oldest entry is evicted first."""
    counting = CountingPage(allowing(age="600"), engine=engine)
    for number in range(size + 1):
        counting.is_preflighted(f"{API}/{number}", **PUT)
    assert not counting.is_preflighted(f"{API}/{size}", **PUT)
    assert not counting.is_preflighted(f"{API}/1", **PUT)
    assert counting.is_preflighted(f"{API}/0", **PUT)


def test_an_upload_listener_causes_a_preflight_of_any_request():
    """Without a list, the method is allowed and cached."""
    counting = CountingPage({"access-control-max-age": "60"})
    assert counting.is_preflighted(upload_listener=True)
    assert not counting.is_preflighted(upload_listener=True)
    assert not counting.is_preflighted()
    assert counting.is_preflighted(upload_listener=True, method="POST", content="x")


def test_a_request_with_the_response_421_is_repeated_once():
    """The status 421 means that a connection was reused for the wrong host."""
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
            return httpx.Response(204, headers={"access-control-allow-origin": origin, **allowing()})
        headers = {"access-control-allow-origin": ORIGIN if first else "null"}
        return httpx.Response(307 if first else 200, headers={**headers, "location": "https://third.test/"})

    return httpx.MockTransport(handler)


@pytest.mark.parametrize(
    ("engine", "preflight_origin"),
    [("standard", "null"), ("chromium", "null"), ("webkit", "null"), ("firefox", ORIGIN)],
)
def test_firefox_preflights_a_redirects_target_with_the_pages_origin(engine, preflight_origin):
    """The others use `null`. The request itself has `null` in all engines."""
    transport = redirecting(preflight_origin=preflight_origin)
    with Page(ORIGIN, transport=transport, engine=engine) as page:
        assert page.fetch(API, **PUT).redirected
    assert [exchange.request.headers["origin"] for exchange in page.exchanges] == [
        ORIGIN,
        ORIGIN,
        preflight_origin,
        "null",
    ]


def test_any_entry_of_the_url_makes_a_sticky_preflight_unnecessary():
    """Firefox preflights again after 303, although GET alone needs no preflight. Any entry of the URL suffices."""

    def handler(request):
        first = request.url.host == "api.test"
        headers = {"access-control-allow-origin": "*", **allowing()}
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
