"""Views of Django REST framework: api_view, APIView, view sets and their actions, and routers."""

import pytest
from django.test import override_settings
from django.urls import include, path, reverse
from django.utils.decorators import method_decorator

from asgi_cors_django import cors_exempt, cross_origin

from .site import OTHER, PAGE, ours

pytest.importorskip("rest_framework")

from rest_framework.decorators import action, api_view
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter, SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

ALL_METHODS = ["GET", "POST", "PUT", "DELETE"]
for_other = cross_origin(allow_origins=[OTHER], allow_methods=ALL_METHODS)
for_both = cross_origin(allow_origins=[PAGE, OTHER], allow_methods=ALL_METHODS)


class Plain:
    """Needs neither users nor templates."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (JSONRenderer,)


@pytest.fixture(autouse=True)
def no_users():
    with override_settings(REST_FRAMEWORK={"UNAUTHENTICATED_USER": None}, CORS_ALLOW_METHODS=ALL_METHODS):
        yield


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("authentication_classes", "permission_classes", "renderer_classes"):
        monkeypatch.setattr(APIView, name, getattr(Plain, name))


def test_api_view_may_be_above_or_below(serve, caplog):
    @api_view(["GET", "POST"])
    @for_other
    def below(request):
        return Response({"method": request.method})

    @for_other
    @api_view(["GET", "POST"])
    def above(request):
        return Response({"method": request.method})

    @api_view(["GET"])
    @cors_exempt
    def exempt(_request):
        return Response(headers={"Access-Control-Allow-Origin": "https://own.example"})

    @api_view(["GET"])
    def undecorated(_request):
        return Response({})

    views = {"below": below, "above": above, "exempt": exempt, "undecorated": undecorated}
    site = serve(*(path(name, view) for name, view in views.items()))
    for name in ("/below", "/above"):
        assert site.readers(name) == site.readers(name, "POST") == [OTHER]
        assert site.preflight(name, OTHER).cors["access-control-max-age"] != "0"
        assert site.send(name, OTHER, "PUT").allowed_origin == OTHER  # 405
    assert site.send("/exempt", PAGE).allowed_origin == "https://own.example"
    assert site.readers("/undecorated") == [PAGE]
    assert ours(caplog) == []


def test_api_views_may_have_a_policy_for_the_class_and_each_method(serve, caplog):
    @for_other
    class Own(APIView):
        def get(self, _request):
            return Response({})

        @for_both
        def post(self, _request):
            raise ValidationError("wrong")

    site = serve(path("own", Own.as_view()))
    assert site.readers("/own") == site.readers("/own", "HEAD") == [OTHER]
    assert site.readers("/own", "POST") == [PAGE, OTHER]
    assert site.send("/own", PAGE, "POST").status == 400
    assert ours(caplog) == []


@pytest.mark.parametrize("router_class", [SimpleRouter, DefaultRouter])
def test_view_sets_may_have_a_policy_for_the_class_and_each_action(serve, router_class, caplog):
    @for_other
    class Shops(ViewSet):
        def list(self, _request):
            return Response([])

        @for_both
        def create(self, request):
            return self.list(request)

        @action(detail=True, methods=["get"])
        @for_both
        def open(self, _request, pk):
            return Response(pk)

        @cors_exempt
        @action(detail=False, methods=["get", "delete"])
        def close(self, _request):
            return Response({})

        @action(detail=False)
        def plain(self, _request):
            return Response({})

    router = router_class()
    router.register("shops", Shops, "shop")
    site = serve(path("api/", include(router.urls)))
    assert site.readers("/api/shops/") == site.readers("/api/shops/", "HEAD") == [OTHER]
    assert site.readers("/api/shops/", "POST") == site.readers("/api/shops/3/open/") == [PAGE, OTHER]
    assert site.readers("/api/shops/plain/") == [OTHER]
    assert site.send("/api/shops/close/", PAGE).cors == {}
    assert site.preflight("/api/shops/", OTHER).cors["access-control-max-age"] == "0"
    assert site.send("/api/shops/", PAGE, "PUT").status == 405
    assert reverse("shop-open", args=[3]) == "/api/shops/3/open/"
    assert ours(caplog) == []


def test_a_mapped_method_of_an_action_has_its_own_policy(serve):
    class Shops(ViewSet):
        @for_other
        @action(detail=False, methods=["get"])
        def stock(self, _request):
            return Response({})

        @stock.mapping.delete
        @for_both
        def clear_stock(self, _request):
            return Response({})

    router = SimpleRouter()
    router.register("shops", Shops, "shop")
    site = serve(*router.urls)
    assert site.readers("/shops/stock/") == [OTHER]
    assert site.readers("/shops/stock/", "DELETE") == [PAGE, OTHER]


def test_method_decorator_applies_a_policy_to_dispatch_and_actions(serve, caplog):
    @method_decorator(for_other, name="dispatch")
    @method_decorator(for_both, name="list")
    class Shops(ViewSet):
        def list(self, _request):
            return Response([])

        def create(self, _request):
            return Response([])

    router = SimpleRouter()
    router.register("shops", Shops, "shop")
    site = serve(*router.urls)
    assert site.readers("/shops/") == [PAGE, OTHER]
    assert site.readers("/shops/", "POST") == [OTHER]
    assert ours(caplog) == []


def test_the_urls_of_a_router_may_have_a_policy(serve):
    class Shops(ViewSet):
        def list(self, _request):
            return Response([])

        @for_both
        def create(self, _request):
            return Response([])

    router = DefaultRouter()
    router.register("shops", Shops, "shop")
    site = serve(path("own/", for_other(include(router.urls))), path("plain/", include((router.urls, "plain"))))
    assert site.readers("/own/shops/") == site.readers("/own/shops.json") == [OTHER]
    assert site.readers("/own/shops/", "POST") == site.readers("/plain/shops/", "POST") == [PAGE, OTHER]
    assert site.readers("/plain/shops/") == [PAGE]


def test_csrf_protection_of_an_action_refuses_before_it_runs(serve):
    calls = []

    class Shops(ViewSet):
        @cross_origin(allow_origins=[PAGE], csrf_protection=True)
        def create(self, request):
            calls.append(request.data)
            return Response([])

    site = serve(path("shops", Shops.as_view({"post": "create"})))
    assert site.send("/shops", method="POST", sec_fetch_site="cross-site").status == 403
    assert calls == []
    assert site.send("/shops", method="POST", sec_fetch_site="same-origin").status == 200


def test_a_hidden_api_view_narrows_the_policy_of_the_settings(serve):
    @api_view(["GET"])
    def plain_view(request):
        return own(request)

    @for_other
    def own(_request):
        return Response({})

    assert serve(path("a", plain_view)).send("/a", PAGE).allowed_origin is None
