"""The view that Django will find: redirects, languages, converters, URLconfs, prefixes and long paths."""

import logging
from types import CellType, FunctionType
from typing import ClassVar

import django
import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path, re_path, register_converter
from django.utils import translation
from django.utils.functional import lazy
from django.views.decorators.common import no_append_slash

from asgi_cors_django import _checks, _resolution, _routes, cors_exempt, cross_origin, installation

from .site import COMMON, OTHER, PAGE, urlconf

LOCALE = "django.middleware.locale.LocaleMiddleware"
LANGUAGES = {"LANGUAGES": [("en", "English"), ("de", "Deutsch")], "LANGUAGE_CODE": "en"}


def view(_request, **_keywords):
    return HttpResponse("view")


own = cross_origin(allow_origins=[OTHER])(view)


class Converter:
    """The converter `own`, whose function is that of a test."""

    regex = "[^/]+"
    functions: ClassVar = []

    def to_python(self, value):
        return self.functions[-1](value)


register_converter(Converter, "own")


@pytest.fixture
def convert(monkeypatch):
    """Return a function that sets the function of the converter."""
    monkeypatch.setattr(Converter, "functions", functions := [])
    return functions.append


# -- redirects


def test_a_redirect_that_adds_a_slash_has_the_policy_of_its_target(serve):
    site = serve(path("own/", own), path("both/", own), path("both", view), below=[COMMON])
    redirect = site.send("/own", OTHER)
    assert (redirect.status, redirect.header("location")) == (301, "/own/")
    assert site.readers("/own") == [OTHER]
    assert site.readers("/both") == site.readers("/none") == [PAGE]


@pytest.mark.parametrize(
    "options", [{"APPEND_SLASH": False, "below": [COMMON]}, {}], ids=["APPEND_SLASH", "CommonMiddleware"]
)
def test_no_slash_is_added_if_django_adds_none(serve, options):
    assert serve(path("own/", own), **options).readers("/own") == [PAGE]


def test_a_view_without_redirects_is_not_predicted_for_them(serve):
    assert serve(path("own/", no_append_slash(own)), below=[COMMON]).readers("/own") == [PAGE]


def test_a_redirect_to_a_language_has_the_policy_of_its_target(serve):
    patterns = i18n_patterns(path("own/", own), path("plain/", view))
    site = serve(*patterns, below=[LOCALE, COMMON], **LANGUAGES)
    redirect = site.send("/own/", OTHER, accept_language="de")
    assert (redirect.status, redirect.header("location")) == (302, "/de/own/")
    assert site.readers("/own/") == site.readers("/own") == [OTHER]
    assert site.readers("/plain/") == site.readers("/none/") == [PAGE]


# -- languages


def test_translated_paths_have_the_policy_of_the_language_in_the_path(serve):
    words = {"en": "shop/", "de": "laden/"}
    translated = lazy(lambda: words.get(translation.get_language(), ""), str)()
    patterns = i18n_patterns(path(translated, own), path("shop/", view))
    site = serve(*patterns, below=[LOCALE, COMMON], **LANGUAGES)
    assert site.readers("/de/laden/") == site.readers("/en/shop/") == [OTHER]
    assert site.readers("/de/shop/") == [PAGE]


def test_the_language_of_the_thread_remains_as_it_was(serve):
    site = serve(*i18n_patterns(path("own/", own)), below=[LOCALE], **LANGUAGES)
    with translation.override("de"):
        assert site.preflight("/en/own/", OTHER).allowed_origin == OTHER
        assert translation.get_language() == "de"


# -- converters


def test_a_converter_selects_the_view(serve, convert):
    def accept(value):
        if value != "yes":
            raise ValueError

    convert(accept)
    site = serve(path("<own:value>", own), path("<str:value>", view))
    assert site.readers("/yes") == [OTHER]
    assert site.readers("/no") == [PAGE]


def test_a_converter_that_raises_grants_nothing_and_fails_no_other_url(serve, convert, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("django"), "handlers", [])  # Django 4.2 resolves the path for a mail, too

    def fail(_value):
        raise RuntimeError("the converter failed")

    convert(fail)
    site = serve(path("plain/a", own), path("<own:value>/b", own))
    assert site.readers("/plain/a") == [OTHER]
    preflight = site.preflight("/x/b", OTHER)
    assert (preflight.status, preflight.allowed_origin) == (200, None)
    response = site.send("/x/b", OTHER)
    assert (response.status, response.allowed_origin) == (500, None)
    assert "RuntimeError" in caplog.text


def test_a_converter_that_fails_only_in_the_prediction_does_not_fail_the_request(serve, convert):
    calls = []

    def fail_at_first(value):
        calls.append(value)
        if len(calls) < 3:  # the core predicts the view once more after an exception
            raise RuntimeError("the database was not reached")
        return value

    convert(fail_at_first)
    response = serve(path("<own:value>", own)).send("/x", OTHER)
    assert (response.status, response.body, response.allowed_origin) == (200, b"view", None)


def test_a_converter_that_raises_404_leads_to_no_view(serve, convert):
    def fail(_value):
        raise Http404

    convert(fail)
    site = serve(path("<own:value>", own))
    assert site.readers("/x") == [PAGE]
    assert site.send("/x").status == 404


# -- paths


def test_the_first_pattern_that_matches_counts(serve):
    site = serve(re_path("^a/b", view), path("a/", include([path("b", own), path("c", own)])), path("a/c", view))
    assert site.readers("/a/b") == [PAGE]
    assert site.readers("/a/c") == [OTHER]


def test_the_decoded_path_counts(serve):
    site = serve(path("ä b", own))
    assert site.readers("/%C3%A4%20b") == [OTHER]


def test_a_path_that_is_too_long_is_not_resolved(serve, convert):
    calls = []
    convert(calls.append)
    site = serve(path("<own:value>", own))
    preflight = site.preflight("/" + "a" * 2048, OTHER)
    assert (preflight.allowed_origin, calls) == (None, [])
    assert site.send("/" + "a" * 2048, OTHER).allowed_origin is None
    assert site.preflight("/" + "a" * 2047, OTHER).allowed_origin == OTHER


def test_a_script_name_is_not_part_of_the_path(serve):
    site = serve(path("own", own), FORCE_SCRIPT_NAME="/prefix")
    is_cut = site.interface == "ASGI" and django.VERSION >= (5, 0)
    assert site.readers("/prefix/own" if is_cut else "/own") == [OTHER]


def test_the_urlconf_of_an_outer_middleware_counts(serve):
    module = urlconf([path("own", own)], "tests_tenant")

    class Tenants:
        def __init__(self, get_response):
            self._get_response = get_response

        def __call__(self, request):
            request.urlconf = module.__name__
            return self._get_response(request)

    urlconf([], "tests_middleware", Tenants=Tenants)
    site = serve(path("own", view), above=["tests_middleware.Tenants"])
    assert site.readers("/own") == [OTHER]


def test_settings_of_middlewares_may_be_functions(serve):
    urlconf([], "tests_middleware", plain=lambda get_response: get_response)
    assert serve(path("own/", own), below=["tests_middleware.plain", COMMON]).readers("/own/") == [OTHER]


def test_a_project_without_urls_has_no_views(serve):
    site = serve(path("own", own))
    request = HttpRequest()
    request.path_info = "/own"
    assert _resolution.find_match(request).func is own
    del settings.ROOT_URLCONF  # as in a unit test of a middleware
    assert _resolution.find_match(request) is None
    site.close()


# -- without a request


def test_explain_uses_the_policy_of_the_view(serve):
    serve(path("own", own), path("none", cors_exempt(view)), path("in/", include([path("own", own)])))
    assert installation.explain("GET", OTHER, "/own").allowed
    assert not installation.explain("GET", PAGE, "/in/own").allowed
    assert installation.explain("GET", PAGE, "/plain").allowed
    assert installation.explain("GET", PAGE, "/none").allowed is None


def test_the_root_path_of_a_scope_is_not_part_of_the_path(serve):
    serve(path("own", own), path("", cors_exempt(view)))
    scope = {"type": "http", "headers": [], "method": "GET"}
    assert _routes.view_of({**scope, "path": "/prefix/own", "root_path": "/prefix/"}).policy
    assert _routes.view_of({**scope, "path": "/prefix", "root_path": "/prefix"}).place == "cors_exempt"


# -- for checks


def test_all_registered_policies_are_found(serve):
    first, second = cross_origin(allow_origins=[OTHER]), cross_origin(allow_origins=[PAGE])
    patterns = [path("a", first(view)), path("b", view)]
    patterns.append(path("c/", include(patterns)))  # includes itself
    serve(path("in/", second(include(patterns))), cors_exempt(path("d", view)))
    places = [str(key) for key in _checks.registered_policies()]
    assert places == ["cross_origin of view 'urlpatterns'", "cross_origin of view 'view'", "cors_exempt"]


def test_decorators_that_hide_a_policy_are_found(serve):
    class Hiding:
        def __init__(self, inner):
            self._inner = inner

        def __call__(self, request):
            return self._inner(request)

    def hide(inner):
        def called(request):
            return inner(request)

        return called

    unset = FunctionType(hide(own).__code__, {}, closure=(CellType(),))  # it refers to a variable without a value
    serve(path("a", hide(own)), path("b", own), path("in/", include([path("c", Hiding(own))])), path("d", unset))
    first, second = _checks.hidden_views()
    assert first.code == second.code == "hidden-policy"
    assert "called' hides the policy of the view that it calls (cross_origin of view 'view')" in first.message
    assert "Hiding' hides the policy" in second.message
