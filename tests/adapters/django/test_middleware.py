"""CORSMiddleware of Django: the responses that it changes, those that it makes, and the requests that it reads."""

import asyncio
import gc
import io
from contextlib import closing

import pytest
from django.http import FileResponse, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path

from asgi_cors import CORSMiddleware, Policy, WSGIMiddleware
from asgi_cors_django import cross_origin, installation
from asgi_cors_django import middleware as django_middleware
from tests.adapters.exchange import by_asgi, by_wsgi

from . import middlewares
from .conftest import CHAINS
from .views.site import OTHER, OURS, PAGE, Site

# Django reads a blocking iterator as a whole under ASGI.
BLOCKING = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
FOLDER = "tests.adapters.django.middlewares"


def hello(_):
    return HttpResponse("hello")


async def hello_async(_):
    return HttpResponse("hello")


def crash(_):
    raise ZeroDivisionError


@pytest.fixture(params=[hello, hello_async], ids=["sync view", "async view"])
def view(request):
    return request.param


def test_an_allowed_origin_may_read_a_response(serve, view):
    response = serve(path("x", view)).send("/x", PAGE)
    assert response.cors == {"access-control-allow-origin": PAGE, "vary": "Origin"}
    assert (response.status, response.body) == (200, b"hello")


def test_another_origin_may_not_read_a_response(serve, view):
    assert serve(path("x", view)).send("/x", OTHER).cors == {"vary": "Origin"}


def test_a_request_without_an_origin_gets_vary(serve):
    assert serve(path("x", hello)).send("/x").cors == {"vary": "Origin"}


def test_a_preflight_reaches_neither_a_middleware_nor_the_view(serve):
    middlewares.seen.clear()
    site = serve(path("x", crash), below=[f"{FOLDER}.recording"])
    response = site.preflight("/x", PAGE, "DELETE")
    assert response.status == 204
    assert "DELETE" in response.cors["access-control-allow-methods"]
    assert not response.body
    assert "content-type" not in dict(response.headers)
    assert not middlewares.seen


def test_a_refused_preflight_names_the_reason(serve):
    response = serve(path("x", hello)).preflight("/x", OTHER)
    assert response.allowed_origin is None
    assert response.header("content-type") == "text/plain; charset=utf-8"
    assert b"no entry allows the origin" in response.body


def test_another_options_request_reaches_the_view(serve):
    assert serve(path("x", hello)).send("/x", PAGE, "OPTIONS").body == b"hello"


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_can_read_the_500_of_a_view_that_raises(serve, debug):
    response = serve(path("x", crash), DEBUG=debug).send("/x", PAGE)
    assert (response.status, response.allowed_origin) == (500, PAGE)


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_can_read_the_404_of_a_path_without_a_view(serve, debug):
    response = serve(path("y", hello), DEBUG=debug).send("/x", PAGE)
    assert (response.status, response.allowed_origin) == (404, PAGE)


def test_a_page_can_read_the_500_of_a_middleware_below(serve):
    response = serve(path("x", hello), below=[f"{FOLDER}.raising"]).send("/x", PAGE)
    assert (response.status, response.allowed_origin) == (500, PAGE)


def test_a_page_can_read_the_response_of_a_middleware_below(serve):
    response = serve(path("x", hello), below=[f"{FOLDER}.responding"]).send("/x", PAGE)
    assert (response.status, response.allowed_origin) == (418, PAGE)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exception_that_django_passes_on_is_raised(serve):
    site = serve(path("x", crash), DEBUG_PROPAGATE_EXCEPTIONS=True)
    with pytest.raises(ZeroDivisionError):
        site.send("/x", PAGE)
    gc.collect()  # Django leaves the temporary file of the request's body to it


@BLOCKING
def test_a_streaming_response_is_still_streamed(serve):
    closed = []

    class Pieces(io.BytesIO):
        def close(self):
            closed.append(True)

    response = serve(path("x", lambda _: StreamingHttpResponse(Pieces(b"a\nb\n")))).send("/x", PAGE)
    assert (response.body, response.allowed_origin) == (b"a\nb\n", PAGE)
    assert closed


def test_an_async_stream_is_still_streamed(chain):
    async def pieces():
        yield b"a"
        yield b"b"

    interface, end = CHAINS[chain]
    if interface == "WSGI":
        pytest.skip("Django warns of async streams under WSGI")
    site = Site(interface, [path("x", lambda _: StreamingHttpResponse(pieces()))], below=end)
    response = site.send("/x", PAGE)
    site.close()
    assert (response.body, response.allowed_origin) == (b"ab", PAGE)


@BLOCKING
def test_a_file_is_sent_with_the_headers(serve):
    file = lambda _: FileResponse(io.BytesIO(b"data"), filename="x.txt", as_attachment=True)  # noqa: E731
    response = serve(path("x", file)).send("/x", PAGE)
    assert (response.body, response.allowed_origin) == (b"data", PAGE)
    assert response.header("content-disposition") == 'attachment; filename="x.txt"'


def test_a_304_has_the_headers(serve):
    response = serve(path("x", lambda _: HttpResponseNotModified())).send("/x", PAGE)
    assert (response.status, response.allowed_origin) == (304, PAGE)


def test_cookies_are_sent(serve):
    def view(_):
        response = HttpResponse()
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    response = serve(path("x", view)).send("/x", PAGE)
    assert sum(name == "set-cookie" for name, _ in response.headers) == 2
    assert response.allowed_origin == PAGE


def test_head_has_the_headers_of_get(serve, view):
    site = serve(path("x", view))
    assert site.send("/x", PAGE, "HEAD").cors == site.send("/x", PAGE).cors


def test_vary_of_the_session_stays(serve):
    def view(request):
        request.session["key"] = 1
        return HttpResponse()

    session = "django.contrib.sessions.middleware.SessionMiddleware"
    engine = "django.contrib.sessions.backends.signed_cookies"
    response = serve(path("x", view), below=[session], SESSION_ENGINE=engine).send("/x", PAGE)
    assert {name.strip() for name in response.cors["vary"].split(",")} == {"Cookie", "Origin"}


def test_vary_of_every_header_stays(serve):
    response = serve(path("x", lambda _: HttpResponse(headers={"Vary": "*"}))).send("/x", PAGE)
    assert response.cors["vary"] == "*"


def test_a_view_cannot_allow_another_origin_by_itself(serve):
    view = lambda _: HttpResponse(headers={"Access-Control-Allow-Origin": "*"})  # noqa: E731
    assert serve(path("x", view)).send("/x", OTHER).allowed_origin is None


def test_headers_that_a_view_exposes_stay(serve):
    view = lambda _: HttpResponse(headers={"Access-Control-Expose-Headers": "X-View"})  # noqa: E731
    response = serve(path("x", view), CORS_EXPOSE_HEADERS=["X-Settings"]).send("/x", PAGE)
    assert response.cors["access-control-expose-headers"] == "X-Settings, X-View"


def test_a_repeated_request_is_served_in_the_same_way(serve):
    site = serve(path("x", hello))
    assert site.send("/x", PAGE).cors == site.send("/x", PAGE).cors
    assert site.preflight("/x", PAGE).cors == site.preflight("/x", PAGE).cors


def test_a_path_that_is_not_ascii_has_its_own_policy(serve):
    site = serve(path("café", hello), CORS_PATHS={"/café": {"allow_origins": [OTHER]}})
    assert site.send("/caf%C3%A9", OTHER).allowed_origin == OTHER


def test_a_bad_host_is_refused_by_django_and_the_page_can_read_it(serve):
    common = "django.middleware.common.CommonMiddleware"
    site = serve(path("x", hello), below=[common], ALLOWED_HOSTS=["api.example.com"])
    response = site.send("/x", PAGE, host="other host")
    assert (response.status, response.allowed_origin) == (400, PAGE)


# -- refusals before the view


def test_enforce_refuses_before_a_middleware_runs(serve):
    middlewares.seen.clear()
    site = serve(path("x", hello), below=[f"{FOLDER}.recording"], CORS_ENFORCE=True)
    response = site.send("/x", OTHER, "POST")
    assert response.status == 403
    assert response.header("cache-control") == "no-store"
    assert not middlewares.seen


def test_a_forged_request_is_refused(serve):
    site = serve(path("x", hello), CORS_CSRF_PROTECTION=True)
    assert site.send("/x", OTHER, "POST", sec_fetch_site="cross-site", cookie="a=1").status == 403
    assert site.send("/x", None, "POST", sec_fetch_site="same-origin", cookie="a=1").status == 200


def test_origins_that_django_trusts_may_send_requests(serve):
    trusted = ["https://pay.example", "https://*.shop.example"]
    site = serve(path("x", hello), CORS_CSRF_PROTECTION=True, CSRF_TRUSTED_ORIGINS=trusted)
    for origin in ("https://pay.example", "https://eu.shop.example", "https://shop.example"):
        assert site.send("/x", origin, "POST", sec_fetch_site="cross-site").status == 200
    assert site.send("/x", OTHER, "POST", sec_fetch_site="cross-site").status == 403


def test_trusted_origins_of_our_own_setting_count_instead(serve):
    options = {"CORS_CSRF_TRUSTED_ORIGINS": ["https://own.example"], "CSRF_TRUSTED_ORIGINS": ["https://pay.example"]}
    site = serve(path("x", hello), CORS_CSRF_PROTECTION=True, **options)
    assert site.send("/x", "https://own.example", "POST", sec_fetch_site="cross-site").status == 200
    assert site.send("/x", "https://pay.example", "POST", sec_fetch_site="cross-site").status == 403


def test_another_host_is_refused(serve):
    site = serve(path("x", hello), CORS_ALLOWED_HOSTS=["api.example.com"])
    assert site.send("/x", PAGE, host="evil.example").status == 421
    assert site.send("/x", PAGE, host="api.example.com").status == 200


def test_a_refusal_of_head_has_no_body(serve):
    response = serve(path("x", hello), CORS_ALLOWED_HOSTS=["api.example.com"]).send("/x", PAGE, "HEAD")
    assert (response.status, response.body) == (421, b"")


# -- the request as Django sees it


def test_the_scheme_is_that_of_the_proxy_header(serve):
    site = serve(path("x", hello), CORS_ENFORCE=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    own = "http://localhost"
    assert site.send("/x", own, "POST").status == 200
    assert site.send("/x", own, "POST", x_forwarded_proto="https").status == 403


def test_the_host_is_that_of_the_proxy_header_if_django_uses_it(serve):
    own = "http://api.example.com"
    site = serve(path("x", hello), CORS_ENFORCE=True, USE_X_FORWARDED_HOST=True)
    assert site.send("/x", own, "POST", x_forwarded_host="api.example.com").status == 200
    assert site.send("/x", own, "POST").status == 403


def test_the_proxy_header_is_ignored_otherwise(serve):
    site = serve(path("x", hello), CORS_ENFORCE=True)
    assert site.send("/x", "http://api.example.com", "POST", x_forwarded_host="api.example.com").status == 403


def test_paths_are_below_the_script_name(serve):
    site = serve(path("x", hello), FORCE_SCRIPT_NAME="/app", CORS_PATHS={"/x": {"allow_origins": [OTHER]}})
    found = {site.send(sent, OTHER).allowed_origin for sent in ("/app/x", "/x")}  # as the versions of Django route it
    assert OTHER in found


def test_a_request_of_a_unit_test_is_served():
    with closing(Site("WSGI", [])):
        request = RequestFactory().get("/x", headers={"origin": PAGE})
        response = django_middleware.CORSMiddleware(hello)(request)
    assert response["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", [PAGE, OTHER])
def test_djangos_test_clients_see_the_same(origin):
    with closing(Site("ASGI", [path("x", hello)])):
        sync = Client().get("/x", headers={"origin": origin})
        by_loop = asyncio.run(AsyncClient().get("/x", headers={"origin": origin}))
    assert dict(sync.headers) == dict(by_loop.headers)


# -- several layers


def test_two_middlewares_of_one_project_decide_once(serve, caplog):
    site = serve(path("x", hello), below=[OURS])
    assert site.send("/x", PAGE).cors == {"access-control-allow-origin": PAGE, "vary": "Origin"}
    assert site.send("/x", OTHER).cors == {"vary": "Origin"}
    assert not caplog.records or "nested" not in caplog.text


@pytest.mark.parametrize(("inner", "outer"), [([PAGE], [PAGE, OTHER]), ([PAGE, OTHER], [PAGE])])
def test_an_outer_middleware_and_ours_must_both_allow(chain, inner, outer):
    interface, end = CHAINS[chain]
    site = Site(interface, [path("x", hello)], below=end, CORS_ALLOWED_ORIGINS=inner)
    wrap, send = (WSGIMiddleware, by_wsgi) if interface == "WSGI" else (CORSMiddleware, by_asgi)
    app = wrap(site._app, allow_origins=outer)
    found = [origin for origin in (PAGE, OTHER) if send(app, "GET", "/x", {"origin": origin}).allowed_origin]
    site.close()
    assert found == [PAGE]


def test_a_subclass_serves_as_well(chain):
    interface, end = CHAINS[chain]
    site = Site(interface, [path("x", hello)], MIDDLEWARE=[f"{FOLDER}.OurSubclass", *end])
    response = site.send("/x", PAGE)
    site.close()
    assert response.allowed_origin == PAGE


# -- views inside of views

INNER = []  # views that a view finds at run time, so that the URL does not lead to their policies


@pytest.mark.parametrize("is_async", [False, True])
def test_the_policy_of_an_inner_view_must_allow_too(serve, is_async):
    @cross_origin(allow_origins=[OTHER], csrf_protection=True)
    def inner(_):
        return HttpResponse("inner")

    @cross_origin(allow_origins=[OTHER], csrf_protection=True)
    async def inner_async(_):
        return HttpResponse("inner")

    def outer(request):
        return INNER[0](request)

    async def outer_async(request):
        return await INNER[0](request)

    INNER[:] = [inner_async if is_async else inner]
    site = serve(path("x", outer_async if is_async else outer))
    assert [site.send("/x", origin).allowed_origin for origin in (PAGE, OTHER)] == [None, None]
    assert site.send("/x", PAGE, "POST", sec_fetch_site="cross-site").status == 403
    assert site.send("/x", None, "POST", sec_fetch_site="same-origin").body == b"inner"


def test_no_view_is_checked_until_a_view_has_a_policy(serve, monkeypatch):
    site = serve(path("x", hello))
    installation.load()
    monkeypatch.setattr(installation.configuration.evaluator.rules, "view_of", None)
    assert site.send("/x", PAGE).allowed_origin == PAGE


# -- reports


def test_decisions_are_reported(serve):
    found = []
    report = lambda decision, scope: found.append((decision.outcome.value, scope["path"]))  # noqa: E731
    serve(path("x", hello), CORS_ON_DECISION=report).send("/x", OTHER)
    assert found == [("refused", "/x")]


def test_report_only_changes_no_response(serve, caplog):
    site = serve(path("x", hello), CORS_REPORT_ONLY={"allow_origins": [OTHER]})
    assert site.send("/x", PAGE).allowed_origin == PAGE
    assert "report-only: would refuse" in caplog.text


def test_the_installation_explains_and_changes_the_policy(serve):
    site = serve(path("x", hello))
    assert installation.policy.allow_origins == (PAGE,)
    assert installation.explain("GET", PAGE).allowed
    assert not installation.explain("GET", OTHER, "/x").allowed
    installation.reconfigure(allow_origins=[OTHER])
    assert site.send("/x", OTHER).allowed_origin == OTHER
    installation.reconfigure(Policy(allow_origins=[PAGE]))
    assert site.send("/x", OTHER).allowed_origin is None
