"""cross_origin and cors_exempt: on functions, classes and methods, sync and async."""

import functools
import inspect

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse
from django.urls import include, path, reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from asgi_cors import ConfigError, Policy
from asgi_cors_django import cors_exempt, cross_origin

from .site import OTHER, PAGE, ours

FOR_OTHER = {"allow_origins": [OTHER]}
DELETE_FOR_PAGE = {"allow_origins": [PAGE], "allow_methods": ["GET", "DELETE"]}


def plain(_request, **_keywords):
    return HttpResponse("plain")


async def plain_async(_request):
    return HttpResponse("async")


class Plain(View):
    def get(self, _request):
        return HttpResponse("get")

    def delete(self, _request):
        return HttpResponse("delete")


class PlainAsync(View):
    async def get(self, _request):
        return HttpResponse("get")


VIEWS = {
    "function": plain,
    "async function": plain_async,
    "class": Plain.as_view(),
    "async class": PlainAsync.as_view(),
    "partial": functools.partial(plain, kept=1),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_policy_replaces_that_of_the_settings_at_one_url_only(serve, view):
    site = serve(path("own", cross_origin(**FOR_OTHER)(view)), path("other", view))
    assert site.readers("/own") == [OTHER]
    assert site.readers("/other") == [PAGE]
    assert site.send("/own", OTHER).body


def test_a_policy_object_is_used_as_it_is(serve):
    policy = Policy(allow_origins=[OTHER], max_age=7)
    site = serve(path("own", cross_origin(policy)(plain)))
    assert site.preflight("/own", OTHER).cors["access-control-max-age"] == "7"


def test_two_policies_of_one_view_apply_at_their_own_urls(serve):
    every = path("every", cross_origin(allow_origins="*")(plain))
    site = serve(every, path("own", cross_origin(**FOR_OTHER)(plain)), path("none", cors_exempt(plain)))
    assert [site.readers(f"/{name}") for name in ("every", "own", "none")] == [[PAGE, OTHER], [OTHER], []]


def test_the_outermost_of_two_decorators_counts(serve, caplog):
    site = serve(path("a", cross_origin(**FOR_OTHER)(csrf_exempt(cross_origin(allow_origins=[PAGE])(plain)))))
    assert site.readers("/a") == [OTHER]
    assert ours(caplog) == []


def test_an_exempt_view_sends_its_own_headers(serve):
    @cors_exempt
    def own(_request):
        return HttpResponse(headers={"Access-Control-Allow-Origin": "https://own.example"})

    site = serve(path("own", own), path("options", cors_exempt(Plain.as_view())))
    assert site.send("/own", PAGE).allowed_origin == "https://own.example"
    assert site.preflight("/options", PAGE, "DELETE").cors == {}
    assert site.preflight("/options", PAGE, "DELETE").header("allow") == "GET, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize("view", [plain, plain_async, PlainAsync.as_view()], ids=["sync", "async", "class"])
def test_a_view_remains_sync_or_async(view):
    decorated = cross_origin(**FOR_OTHER)(view)
    assert iscoroutinefunction(decorated) == iscoroutinefunction(view)
    assert inspect.unwrap(decorated) is view


def test_decorators_above_and_below_have_their_effect(serve):
    above = require_GET(csrf_exempt(cross_origin(**FOR_OTHER)(plain)))
    below = cross_origin(**FOR_OTHER)(require_GET(csrf_exempt(plain)))
    site = serve(path("above", above), path("below", below))
    for name, view in {"above": above, "below": below}.items():
        assert view.csrf_exempt
        assert view.__name__ == "plain"
        assert site.readers(f"/{name}") == [OTHER]
        assert (refused := site.send(f"/{name}", OTHER, "POST")).status == 405
        assert refused.allowed_origin == OTHER


def test_a_view_without_a_name_may_be_decorated(serve):
    class Callable:
        def __call__(self, _request):
            return HttpResponse("called")

    site = serve(path("own", cross_origin(**FOR_OTHER)(Callable())))
    assert site.readers("/own") == [OTHER]


def test_a_partial_of_a_decorated_view_has_its_policy(serve):
    site = serve(path("own", functools.partial(cross_origin(**FOR_OTHER)(plain), kept=1)))
    assert site.readers("/own") == [OTHER]


def test_a_partial_with_the_attributes_of_a_decorated_view_has_its_policy(serve):
    decorated = cross_origin(**FOR_OTHER)(plain)
    site = serve(path("own", functools.update_wrapper(functools.partial(plain, kept=1), decorated)))
    assert site.readers("/own") == [OTHER]


def test_a_decorated_view_may_be_called_outside_of_a_request():
    assert cross_origin(**FOR_OTHER)(plain)(None).content == b"plain"


def test_a_decorated_view_is_reversed_as_before(serve):
    decorated = cross_origin(**FOR_OTHER)(plain)
    serve(path("own/<int:number>", decorated, name="own"))
    assert reverse("own", args=[1]) == reverse(decorated, args=[1]) == "/own/1"


# -- classes


def test_a_decorated_class_and_its_subclasses_have_its_policy(serve):
    @cross_origin(**FOR_OTHER)
    class Own(View):
        def get(self, _request):
            return HttpResponse("get")

    class Sub(Own): ...

    @cross_origin(allow_origins=[PAGE, OTHER])
    class Replaced(Own): ...

    site = serve(path("own", Own.as_view()), path("sub", Sub.as_view()), path("replaced", Replaced.as_view()))
    assert site.readers("/own") == site.readers("/sub") == site.readers("/own", "HEAD") == [OTHER]
    assert site.readers("/replaced") == [PAGE, OTHER]


def test_a_class_decorated_after_as_view_has_its_policy(serve):
    class Late(View):
        def get(self, _request):
            return HttpResponse("get")

    site = serve(path("late", Late.as_view()))
    assert site.readers("/late") == [PAGE]
    cross_origin(**FOR_OTHER)(Late)
    assert site.readers("/late") == [OTHER]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_each_method_of_a_class_may_have_a_policy(serve, is_async):
    class Sync(View):
        @cross_origin(**FOR_OTHER)
        def get(self, _request):
            return HttpResponse("get")

        def delete(self, _request):
            return HttpResponse("delete")

    class Async(View):
        @cross_origin(**FOR_OTHER)
        async def get(self, _request):
            return HttpResponse("get")

        async def delete(self, _request):
            return HttpResponse("delete")

    site = serve(path("a", (Async if is_async else Sync).as_view()), CORS_ALLOW_METHODS=["GET", "DELETE"])
    assert site.readers("/a", "GET") == site.readers("/a", "HEAD") == [OTHER]
    assert site.readers("/a", "DELETE") == [PAGE]
    for method, origin in {"GET": OTHER, "DELETE": PAGE}.items():
        assert site.preflight("/a", origin, method).cors["access-control-max-age"] == "0"
    assert site.send("/a", OTHER, "PUT").allowed_origin == OTHER  # 405: the policy of a method that is served


def test_preflights_are_cached_if_all_methods_have_one_policy(serve):
    class Own(View):
        @cross_origin(**DELETE_FOR_PAGE, max_age=7)
        def get(self, _request):
            return HttpResponse("get")

    site = serve(path("a", Own.as_view()))
    assert site.preflight("/a", PAGE).cors["access-control-max-age"] == "7"
    assert site.preflight("/a", PAGE, "DELETE").cors["access-control-max-age"] == "7"


def test_options_may_have_a_policy_of_its_own(serve):
    class Own(View):
        @cross_origin(**FOR_OTHER)
        def options(self, _request):
            return HttpResponse("options")

    site = serve(path("a", Own.as_view()))
    assert site.send("/a", OTHER, "OPTIONS").allowed_origin == OTHER


def test_dispatch_may_have_a_policy(serve):
    class Own(View):
        @cross_origin(**FOR_OTHER)
        def dispatch(self, request):
            return super().dispatch(request)

        def get(self, _request):
            return HttpResponse("get")

    site = serve(path("a", Own.as_view()))
    assert site.readers("/a") == [OTHER]


def test_method_decorator_applies_a_policy(serve, caplog):
    @method_decorator(cross_origin(**FOR_OTHER), name="dispatch")
    class ByName(View):
        def get(self, _request):
            return HttpResponse("get")

    class OnMethod(View):
        @method_decorator([csrf_exempt, cross_origin(**FOR_OTHER)])
        def get(self, _request):
            return HttpResponse("get")

        @method_decorator(cors_exempt)
        def delete(self, request):
            return self.get(request)

    site = serve(path("name", ByName.as_view()), path("method", OnMethod.as_view()))
    assert site.readers("/name") == site.readers("/method") == [OTHER]
    assert site.send("/method", PAGE, "DELETE").allowed_origin is None
    assert ours(caplog) == []


def test_a_method_that_calls_another_one_has_its_own_policy(serve, caplog):
    class Own(View):
        @cross_origin(**FOR_OTHER)
        def get(self, _request):
            return HttpResponse("get")

        @cross_origin(**DELETE_FOR_PAGE)
        def delete(self, request):
            return self.get(request)

    site = serve(path("a", Own.as_view()))
    assert site.readers("/a", "DELETE") == [PAGE]
    assert ours(caplog) == []


def test_the_innermost_policy_of_a_class_counts(serve):
    @cross_origin(**FOR_OTHER)
    class Own(View):
        def get(self, _request):
            return HttpResponse("get")

        @cross_origin(**DELETE_FOR_PAGE)
        def delete(self, _request):
            return HttpResponse("delete")

    site = serve(path("a", cors_exempt(Own.as_view())))
    assert site.readers("/a") == [OTHER]
    assert site.readers("/a", "DELETE") == [PAGE]


# -- options of a policy


def test_csrf_protection_of_one_view_refuses_forged_requests(serve):
    calls = []

    @csrf_exempt
    @cross_origin(**FOR_OTHER, csrf_protection=True)
    def own(request):
        calls.append(request.method)
        return HttpResponse("own")

    site = serve(path("own", own), path("other", csrf_exempt(plain)))
    assert site.send("/own", method="POST", sec_fetch_site="cross-site").status == 403
    assert site.send("/other", method="POST", sec_fetch_site="cross-site").status == 200
    assert site.send("/own", method="POST", sec_fetch_site="same-origin").status == 200
    assert calls == ["POST"]


def test_all_headers_of_a_policy_are_those_of_the_view(serve):
    own = cross_origin(**FOR_OTHER, resource_policy="same-site", expose_headers=["x-a"], timing_allow_origin=True)
    response = serve(path("own", own(plain))).send("/own", OTHER)
    assert response.header("cross-origin-resource-policy") == "same-site"
    assert response.header("timing-allow-origin") == OTHER
    assert response.cors["access-control-expose-headers"] == "x-a"


def test_a_function_may_decide_on_the_origins_of_a_view(serve):
    async def allows(origin):
        return origin == OTHER

    assert serve(path("own", cross_origin(allow_origins=[allows])(plain))).readers("/own") == [OTHER]


# -- mistakes


@pytest.mark.parametrize("origins", ["app.example.com", ["https://app.example.com/path"], [3]])
def test_a_wrong_option_raises_at_the_decorator(origins):
    with pytest.raises(ConfigError, match="allow_origins"):
        cross_origin(allow_origins=origins)


def test_an_unknown_option_is_named():
    with pytest.raises(ConfigError, match="Did you mean 'allow_origins'"):
        cross_origin(allow_origin="*")


@pytest.mark.parametrize(
    "target",
    [plain, Plain, path("x", plain), [path("x", plain)], include([path("x", plain)]), include("django.conf.urls.i18n")],
    ids=["a function", "a class", "a pattern", "patterns", "an include", "an include of a module"],
)
def test_cross_origin_without_options_raises(target):
    with pytest.raises(ConfigError, match="cross_origin is used without options") as raised:
        cross_origin(target)
    assert raised.value.issues[0].code == "decorator-without-options"


def test_an_option_of_the_middleware_is_a_setting():
    with pytest.raises(ConfigError, match=r"enforce: .* Write CORS_ENFORCE = … in the settings\."):
        cross_origin(allow_origins=[PAGE], enforce=True)


def test_positional_options_raise():
    with pytest.raises(ConfigError, match="as keywords") as raised:
        cross_origin([PAGE], ["GET"])
    assert raised.value.issues[0].code == "positional-options"


def test_a_policy_and_options_together_raise():
    with pytest.raises(ConfigError, match=r"Write policy\.replace") as raised:
        cross_origin(Policy(allow_origins=[PAGE]), max_age=3)
    assert raised.value.issues[0].code == "policy-and-options"


@pytest.mark.parametrize("decorate", [cross_origin(**FOR_OTHER), cors_exempt], ids=["cross_origin", "cors_exempt"])
@pytest.mark.parametrize("target", [3, None, [plain], (3, "name"), (plain, "name"), ("a", "b", "c", "d"), {}])
def test_anything_that_is_not_a_view_or_pattern_raises(decorate, target):
    with pytest.raises(ConfigError, match="is not a view") as raised:
        decorate(target)
    assert raised.value.issues[0].code == "wrong-target"


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("shop.urls", r'include\("shop.urls"\)'),
        (type("Module", (), {"urlpatterns": []})(), r'include\("…"\)'),
        (type("Router", (), {"urls": []})(), r"include\(router.urls\)"),
        (type("AdminSite", (), {"urls": ([], "admin", "admin")})(), r"cors_exempt\(site.urls\)"),
    ],
)
def test_the_hint_names_the_include_to_write(target, line):
    with pytest.raises(ConfigError, match=line):
        cors_exempt(target)
