"""The policy of the view that really runs counts, also if another view was predicted."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import include, path, resolve
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from asgi_cors_django import cors_exempt, cross_origin, installation

from .site import OTHER, PAGE, ours, urlconf

FORGED = {"sec_fetch_site": "cross-site"}


def view(request):
    return HttpResponse(request.path)


for_other = cross_origin(allow_origins=[OTHER])
for_both = cross_origin(allow_origins=[PAGE, OTHER])


def hide(inner):
    """Decorate a view without functools.wraps."""

    def called(*args, **keywords):
        return inner(*args, **keywords)

    return called


class HidingCallable:
    """A decorator that is a class, and that Django calls."""

    def __init__(self, inner):
        self._inner = inner

    def __call__(self, request):
        return self._inner(request)


@pytest.fixture(autouse=True)
def forget_warnings(monkeypatch):
    """Have the first warning of each test logged, although the process shares one log."""
    monkeypatch.setattr(installation.configuration.log, "_next_unpredicted", 0.0)


@pytest.fixture
def rewrite():
    """Return a function that makes a middleware of a function that changes the request."""

    def make(change):
        class Rewrite:
            def __init__(self, get_response):
                self._get_response = get_response

            def __call__(self, request):
                change(request)
                return self._get_response(request)

        urlconf([], "tests_middleware", Rewrite=Rewrite)
        return ["tests_middleware.Rewrite"]

    return make


# -- another view runs than the one that was predicted


def test_a_middleware_that_changes_the_path_leads_to_another_view(serve, rewrite, caplog):
    def change(request):
        request.path_info = "/b"

    site = serve(path("a", for_both(view)), path("b", for_other(view)), below=rewrite(change))
    assert site.send("/a", OTHER).allowed_origin == OTHER
    assert site.send("/a", PAGE).allowed_origin is None
    assert "cross_origin of view" in ours(caplog)[0]


def test_a_middleware_that_sets_the_urlconf_leads_to_another_view(serve, rewrite):
    module = urlconf([path("a", for_other(view))], "tests_other_urls")

    def change(request):
        request.urlconf = module.__name__

    site = serve(path("a", view), below=rewrite(change))
    assert site.send("/a", OTHER).allowed_origin is None
    assert site.send("/a", PAGE).allowed_origin is None


def test_a_middleware_that_changes_the_method_leads_to_another_policy(serve, rewrite):
    class Methods(View):
        @for_both
        def post(self, _request):
            return HttpResponse("post")

        @for_other
        def delete(self, _request):
            return HttpResponse("delete")

    def change(request):
        request.method = "DELETE"

    site = serve(path("a", Methods.as_view()), below=rewrite(change))
    assert site.send("/a", OTHER, "POST").allowed_origin == OTHER
    assert site.send("/a", PAGE, "POST").allowed_origin is None


def test_an_exempt_view_grants_nothing_if_another_one_was_predicted(serve, rewrite):
    def change(request):
        request.path_info = "/b"

    site = serve(path("a", for_both(view)), path("b", cors_exempt(view)), below=rewrite(change))
    assert site.send("/a", PAGE).allowed_origin is None


def test_csrf_protection_of_the_view_that_runs_refuses_before_it_runs(serve, rewrite):
    calls = []

    @cross_origin(allow_origins=[PAGE], csrf_protection=True)
    def protected(request):
        calls.append(request.path_info)
        return HttpResponse("protected")

    def change(request):
        request.path_info = "/b"

    site = serve(path("a", view), path("b", protected), below=rewrite(change))
    refused = site.send("/a", method="POST", **FORGED)
    assert (refused.status, calls) == (403, [])
    assert site.send("/a", method="POST", sec_fetch_site="same-origin").status == 200
    assert calls == ["/b"]


def test_enforce_holds_for_the_view_that_runs(serve, rewrite):
    calls = []

    @for_other
    def own(_request):
        calls.append("own")
        return HttpResponse("own")

    def change(request):
        request.path_info = "/b"

    site = serve(path("a", view), path("b", own), below=rewrite(change), CORS_ENFORCE=True)
    assert site.send("/a", PAGE).status == 403
    assert calls == []


def test_a_view_without_a_policy_has_that_of_the_settings(serve, rewrite):
    def change(request):
        request.path_info = "/b"

    site = serve(path("a", for_both(view)), path("b", view), below=rewrite(change))
    assert site.send("/a", PAGE).allowed_origin == PAGE
    assert site.send("/a", OTHER).allowed_origin is None


def test_a_middleware_that_replaces_the_match_leads_to_another_view(serve):
    other = for_other(view)

    class Replace:
        def __init__(self, get_response):
            self._get_response = get_response

        def __call__(self, request):
            return self._get_response(request)

        def process_view(self, request, _view, _arguments, _keywords):
            return other(request)

    urlconf([], "tests_middleware", Replace=Replace)
    site = serve(path("a", for_both(view)), below=["tests_middleware.Replace"])
    assert site.send("/a", OTHER).allowed_origin == OTHER
    assert site.send("/a", PAGE).allowed_origin is None


def test_a_match_that_a_middleware_has_replaced_does_not_count(serve):
    class Replace:
        def __init__(self, get_response):
            self._get_response = get_response

        def __call__(self, request):
            return self._get_response(request)

        def process_view(self, request, _view, _arguments, _keywords):
            request.resolver_match = resolve("/b")

    urlconf([], "tests_middleware", Replace=Replace)
    site = serve(path("a", for_other(view)), path("b", for_both(view)), above=["tests_middleware.Replace"])
    assert site.readers("/a") == [OTHER]


def test_a_login_that_runs_in_place_of_the_view_has_its_policy(serve, rewrite):
    def change(request):
        request.user = SimpleNamespace(is_authenticated=False)

    above, below = login_required(for_other(view)), for_other(login_required(view))
    apps = ["django.contrib.auth", "django.contrib.contenttypes"]  # login_required imports their models
    site = serve(path("a", above), path("b", below), below=rewrite(change), LOGIN_URL="/login", INSTALLED_APPS=apps)
    assert site.send("/a", OTHER).status == site.send("/b", OTHER).status == 302
    assert site.readers("/a") == site.readers("/b") == [OTHER]


def test_the_response_of_another_process_view_has_the_policy_of_the_view(serve):
    class Close:
        def __init__(self, get_response):
            self._get_response = get_response

        def __call__(self, request):
            return self._get_response(request)

        def process_view(self, _request, _view, _arguments, _keywords):
            return HttpResponse("closed", status=503)

    urlconf([], "tests_middleware", Close=Close)
    site = serve(path("a", for_other(view)), below=["tests_middleware.Close"])
    response = site.send("/a", OTHER)
    assert (response.status, response.allowed_origin) == (503, OTHER)


# -- policies that a decorator hides


@pytest.mark.parametrize("hiding", [hide, HidingCallable], ids=["function", "class"])
def test_a_hidden_policy_narrows_that_of_the_settings(serve, caplog, hiding):
    site = serve(path("a", hiding(for_other(view))), path("b", hiding(for_both(view))))
    assert site.send("/a", PAGE).allowed_origin is None
    assert site.send("/a", OTHER).allowed_origin is None
    assert site.send("/b", PAGE).allowed_origin == PAGE
    assert "cross_origin of view" in ours(caplog)[0]


def test_a_hidden_policy_that_is_also_that_of_the_include_applies(serve, caplog):
    site = serve(path("in/", for_other(include([path("a", hide(for_other(view)))]))))
    assert site.readers("/in/a") == [OTHER]
    assert ours(caplog) == []


@pytest.mark.parametrize("hiding", [hide, HidingCallable], ids=["function", "class"])
def test_csrf_protection_of_a_hidden_view_refuses_before_it_runs(serve, hiding):
    calls = []

    @cross_origin(allow_origins=[PAGE], csrf_protection=True)
    def protected(request):
        calls.append(request.path_info)
        return HttpResponse("protected")

    site = serve(path("a", hiding(protected)))
    assert site.send("/a", method="POST", **FORGED).status == 403
    assert calls == []
    assert site.send("/a", method="POST").status == 200


def test_csrf_protection_of_a_hidden_async_view_refuses_before_it_runs(serve):
    calls = []

    @cross_origin(allow_origins=[PAGE], csrf_protection=True)
    async def protected(request):
        calls.append(request.path_info)
        return HttpResponse("protected")

    class Hiding:
        async def __call__(self, request):
            return await protected(request)

    async def call(request):
        return await Hiding()(request)

    site = serve(path("a", call))
    assert site.send("/a", method="POST", **FORGED).status == 403
    assert calls == []
    assert site.send("/a", method="POST").status == 200


@pytest.mark.parametrize("hiding", [hide, HidingCallable], ids=["function", "class"])
def test_a_hidden_class_narrows_that_of_the_settings(serve, hiding):
    class Methods(View):
        @for_other
        def get(self, _request):
            return HttpResponse("get")

        def delete(self, _request):
            return HttpResponse("delete")

    @cross_origin(allow_origins=[PAGE], csrf_protection=True)
    class Protected(View):
        def post(self, _request):
            return HttpResponse("post")

    site = serve(path("a", hiding(Methods.as_view())), path("b", hiding(Protected.as_view())))
    assert site.send("/a", PAGE).allowed_origin is None
    assert site.send("/a", PAGE, "DELETE").allowed_origin == PAGE
    assert site.send("/b", method="POST", **FORGED).status == 403
    assert site.send("/b", method="POST").status == 200


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_csrf_protection_of_a_method_of_a_deeply_hidden_class_refuses_before_it_runs(serve, is_async):
    calls, protect = [], cross_origin(allow_origins=[PAGE], csrf_protection=True)

    class Sync(View):
        @protect
        def dispatch(self, request):
            calls.append(request.method)
            return super().dispatch(request)

        def post(self, _request):
            return HttpResponse("post")

    class Async(Sync):
        async def post(self, _request):
            return HttpResponse("post")

    async def call(request):
        return await Async.as_view()(request)

    site = serve(path("a", call if is_async else hide(hide(Sync.as_view()))))
    assert site.send("/a", method="POST", **FORGED).status == 403
    assert calls == []
    assert site.send("/a", method="POST").body == b"post"


def test_a_sync_view_that_an_async_one_calls_is_verified(serve):
    calls = []

    @cross_origin(allow_origins=[PAGE], csrf_protection=True)
    def protected(request):
        calls.append(request.method)
        return HttpResponse("protected")

    async def call(request):
        return protected(request)

    site = serve(path("a", call))
    assert site.send("/a", method="POST", **FORGED).status == 403
    assert site.send("/a", method="POST").status == 200
    assert calls == ["POST"]


def test_a_hidden_policy_is_not_the_innermost_of_an_include(serve):
    site = serve(path("in/", for_both(include([path("a", hide(for_other(view)))]))))
    assert site.send("/in/a", OTHER).allowed_origin == OTHER
    assert site.send("/in/a", PAGE).allowed_origin is None


def test_a_policy_above_a_hidden_one_replaces_it(serve, caplog):
    site = serve(path("a", for_both(hide(for_other(view)))))
    assert site.readers("/a") == [PAGE, OTHER]
    assert ours(caplog) == []


def test_a_view_that_calls_another_one_is_narrowed_by_its_policy(serve):
    own = for_other(view)

    def calling(request):
        return own(request)

    site = serve(path("a", calling))
    assert site.send("/a", PAGE).allowed_origin is None


def test_other_functions_that_views_refer_to_hide_no_policy(serve, caplog):
    site = serve(path("a", hide(view)), path("b", csrf_exempt(hide(hide(view)))))
    assert site.readers("/a") == site.readers("/b") == [PAGE]
    assert ours(caplog) == []
