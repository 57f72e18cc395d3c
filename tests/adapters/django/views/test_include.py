"""cross_origin and cors_exempt on include(), on patterns, and on lists and tuples of them."""

import copy
from types import ModuleType

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.test import modify_settings
from django.urls import get_resolver, include, path, re_path, resolve, reverse

from asgi_cors_django import cors_exempt, cross_origin

from .site import OTHER, PAGE, urlconf

LOCALE = "django.middleware.locale.LocaleMiddleware"
EVERY = "https://every.example"


def view(_request, **_keywords):
    return HttpResponse("view")


def for_other(target):
    return cross_origin(allow_origins=[OTHER])(target)


def shop():
    """Return the name of a new module with URLs."""
    return urlconf([path("a", view, name="a"), path("<int:number>/b", view, name="b")], "tests_shop").__name__


@pytest.mark.parametrize("by_name", [True, False], ids=["name", "module"])
def test_all_views_of_an_include_have_its_policy(serve, by_name):
    included = shop() if by_name else __import__(shop())
    site = serve(path("own/", for_other(include(included))), path("a", view))
    assert site.readers("/own/a") == site.readers("/own/3/b") == [OTHER]
    assert site.readers("/a") == site.readers("/own/none") == [PAGE]


def test_the_same_urls_may_be_included_with_several_policies(serve):
    name = shop()
    both = path("both/", cross_origin(allow_origins=[PAGE, OTHER])(include(name)))
    own, none = path("own/", for_other(include(name))), path("none/", cors_exempt(include(name)))
    site = serve(both, own, none, path("plain/", include(name)))
    found = [site.readers(f"/{prefix}/a") for prefix in ("both", "own", "none", "plain")]
    assert found == [[PAGE, OTHER], [OTHER], [], [PAGE]]


def test_the_innermost_include_counts_and_a_view_counts_more(serve):
    views = [
        path("own", cross_origin(allow_origins=[PAGE, OTHER])(view)),
        path("none", cors_exempt(view)),
        path("plain", view),
    ]
    inner = path("inner/", for_other(include(views)))
    site = serve(path("outer/", cors_exempt(include([inner, path("view", view)]))))
    assert site.readers("/outer/inner/own") == [PAGE, OTHER]
    assert site.readers("/outer/inner/none") == site.readers("/outer/view") == []
    assert site.readers("/outer/inner/plain") == [OTHER]


def test_the_last_policy_of_one_include_counts(serve):
    site = serve(path("own/", for_other(cors_exempt(include(shop())))))
    assert site.readers("/own/a") == [OTHER]


def test_urls_of_a_policy_are_reversed_as_before(serve):
    patterns = [path("a", view, name="a"), path("<int:number>/b", view, name="b")]
    nested = path("<slug:shop>/", for_other(include((patterns, "shop"), namespace="inner")))
    serve(
        path("first/", for_other(include((patterns, "shop"), namespace="first"))),
        path("second/", for_other(include((patterns, "shop")))),
        path("outer/", for_other(include(([nested], "outer")))),
        path("plain/", for_other(include(patterns))),
    )
    assert reverse("first:a") == "/first/a"
    assert reverse("shop:b", args=[3]) == "/second/3/b"
    assert reverse("outer:inner:b", kwargs={"shop": "x", "number": 3}) == "/outer/x/3/b"
    assert reverse("a") == reverse(view) == "/plain/a"
    match = resolve("/outer/x/3/b")
    assert match.func is view
    assert match.view_name == "outer:inner:b"


def test_the_argument_of_include_may_have_a_policy(serve):
    patterns = [path("a", view, name="a")]
    site = serve(
        path("two/", include(for_other((patterns, "two")))),
        path("name/", include(for_other((shop(), "name")), namespace="other")),
        path("list/", include(for_other(patterns))),
    )
    assert site.readers("/two/a") == site.readers("/name/a") == site.readers("/list/a") == [OTHER]
    assert reverse("two:a") == "/two/a"
    assert reverse("other:a") == "/name/a"


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_patterns_may_have_a_policy(serve, kind):
    inner = path("inner/", include([path("b", view)]))
    patterns = kind([path("a", view), re_path("^c$", view), inner])
    own = for_other(patterns)
    assert type(own) is kind
    assert own is not patterns
    site = serve(*own, path("plain/", include([*patterns])))
    assert [site.readers(each) for each in ("/a", "/c", "/inner/b")] == [[OTHER]] * 3
    assert [site.readers(f"/plain{each}") for each in ("/a", "/c", "/inner/b")] == [[PAGE]] * 3


def test_one_pattern_may_have_a_policy(serve):
    plain = path("own", view)
    site = serve(for_other(plain), cors_exempt(path("in/", include([path("a", view), for_other(path("b", view))]))))
    assert site.readers("/own") == site.readers("/in/b") == [OTHER]
    assert site.readers("/in/a") == []


def test_views_that_are_registered_later_have_the_policy(serve):
    patterns = []
    site = serve(path("own/", for_other(include(patterns))))
    patterns.append(path("late", view))
    assert site.readers("/own/late") == [OTHER]


def test_a_view_that_is_replaced_later_has_the_policy_that_it_has_now(serve):
    pattern = path("a", view)
    site = serve(path("in/", include([pattern])))
    assert site.readers("/in/a") == [PAGE]
    pattern.callback = for_other(view)
    assert site.readers("/in/a") == [OTHER]


def test_an_included_module_has_its_own_attributes():
    module = ModuleType("tests_attributes", "The text")
    vars(module).update(urlpatterns=[path("a", view)], app_name="shop", own=3)
    included, app_name, namespace = for_other(include(module))
    assert (app_name, namespace) == ("shop", "shop")
    assert (included.own, included.__name__, repr(included)) == (3, "tests_attributes", repr(module))
    assert copy.copy(included).urlpatterns is module.urlpatterns
    assert not hasattr(included, "missing")


def test_the_admin_may_have_a_policy(serve):
    apps = ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes"]
    with modify_settings(INSTALLED_APPS={"append": apps}):
        from django.contrib.admin.sites import AdminSite  # noqa: PLC0415 - its models need the setting

        site = serve(path("admin/", for_other(AdminSite().urls)), SILENCED_SYSTEM_CHECKS=["admin"])
        assert site.preflight("/admin/login/", OTHER).allowed_origin == OTHER
        assert site.preflight("/admin/logout/", PAGE, "POST").allowed_origin is None
        assert reverse("admin:login") == "/admin/login/"


@pytest.mark.parametrize("prefixed", [True, False])
def test_i18n_patterns_may_have_a_policy(serve, prefixed):
    languages = {"LANGUAGES": [("en", "English"), ("de", "Deutsch")], "LANGUAGE_CODE": "en"}
    own = for_other(i18n_patterns(path("own/", view), prefix_default_language=prefixed))
    plain = path("plain/", view)
    site = serve(*own, plain, below=[LOCALE, "django.middleware.common.CommonMiddleware"], **languages)
    english = "/en/own/" if prefixed else "/own/"
    assert (
        site.readers("/de/own/") == site.readers(english) == site.readers("/de/own/", accept_language="en") == [OTHER]
    )
    assert site.readers("/plain/") == site.readers("/fr/own/") == [PAGE]
    assert site.send("/de/own/").header("content-language") == "de"


def test_resolvers_are_those_of_django(serve):
    serve(for_other(path("a/", include([path("b", view)]))), path("c/", for_other(include([path("d", view)]))))
    assert {type(each).__module__ for each in get_resolver().url_patterns} == {"django.urls.resolvers"}
    assert get_resolver().check() == []
