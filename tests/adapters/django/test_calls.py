"""Functions that decide on origins with Django's database, and receivers of check_request_enabled."""

import asyncio
import threading

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.urls import path

from asgi_cors import Cached, Loaded, Policy, Tenants
from asgi_cors_django import check_request_enabled, cross_origin, installation

from .views.site import OTHER, PAGE


def view(_):
    return HttpResponse("hello")


def readers(site, url="/x", **headers):
    return [origin for origin in (PAGE, OTHER) if site.send(url, origin, **headers).allowed_origin]


def select(origin):
    """Return what the database makes of an origin."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s = %s", [origin, PAGE])
        return bool(cursor.fetchone()[0])


async def select_async(origin):
    """Run the query as Django's async methods do."""
    from asgiref.sync import sync_to_async  # noqa: PLC0415 - Django's own

    return await sync_to_async(select)(origin)


@pytest.fixture(autouse=True)
def closed():
    """Close the connection of this thread, which serves requests of more than one test."""
    yield
    connections.close_all()


@pytest.mark.parametrize("function", [select, select_async], ids=["sync", "async"])
def test_a_function_may_use_the_database(serve, function):
    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=[function])) == [PAGE]


@pytest.mark.parametrize("function", [select, select_async], ids=["sync", "async"])
def test_a_single_function_may_use_the_database(serve, function):
    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=function)) == [PAGE]


def test_a_method_may_use_the_database(serve):
    class Customers:
        def has(self, origin):
            return select(origin)

    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=[Customers().has])) == [PAGE]


@pytest.mark.parametrize("spec", [{"allow_origins": [select]}, Policy(allow_origins=select)], ids=["dict", "policy"])
def test_the_function_of_a_path_may_use_the_database(serve, spec):
    assert readers(serve(path("x", view), CORS_PATHS={"/x": spec})) == [PAGE]


def test_the_function_of_a_view_may_use_the_database(serve):
    site = serve(path("x", cross_origin(allow_origins=[select])(view)), CORS_ALLOWED_ORIGINS=[OTHER])
    assert readers(site) == [PAGE]


@pytest.mark.parametrize("thread", [True, False])
def test_a_cached_function_may_use_the_database(serve, thread, chain):
    if not thread and chain == "ASGI":
        pytest.skip("Django allows no query in an event loop")
    if not thread and chain == "WSGI, async chain":
        pytest.skip("Django allows no query in an event loop")
    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=[Cached(select, thread=thread)])) == [PAGE]


def test_a_cached_async_function_may_use_the_database(serve):
    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=[Cached(select_async)])) == [PAGE]


def test_a_loaded_list_may_be_read_from_the_database(serve):
    def load():
        return [PAGE] if select(PAGE) else []

    source = Loaded(load, every=60)
    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=[source])) == [PAGE]


def test_tenants_have_policies(serve):
    tenants = Tenants.by_host(lambda host: Policy(allow_origins=[PAGE]) if host == "a.example" else None)
    site = serve(path("x", view), CORS_POLICY_FOR=tenants)
    assert (readers(site, host="a.example"), readers(site, host="b.example")) == ([PAGE], [])


def test_a_function_that_raises_allows_nothing(serve, caplog):
    def fail(_):
        raise LookupError("no such table")

    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=[fail])) == []
    assert "no such table" in caplog.text


def test_no_connection_stays_open_in_a_thread_of_a_look_up(serve):
    opened = []

    def look_up(origin):
        found = select(origin)
        opened.append((threading.current_thread(), connections["default"]))
        return found

    site = serve(path("x", view), CORS_ALLOWED_ORIGINS=[Cached(look_up, thread=True)])
    assert readers(site) == [PAGE]
    assert {thread.name[:9] for thread, _ in opened} == {"asgi_cors"}
    assert all(each.connection is None for _, each in opened)


def test_the_function_of_an_unchanged_setting_stays_the_same(serve):
    serve(path("x", view), CORS_ALLOWED_ORIGINS=[select])
    before = installation.policy
    installation.invalidate()
    assert installation.policy == before


def test_a_mistake_in_a_function_is_still_found(serve):
    def generate(_):
        yield True

    with pytest.raises(ValueError, match="function"):
        serve(path("x", view), CORS_ALLOWED_ORIGINS=[generate])


# -- check_request_enabled


@pytest.fixture
def receive():
    """Return a function that connects a receiver for the time of the test."""
    connected = []

    def connect(receiver):
        check_request_enabled.connect(receiver)
        connected.append(receiver)

    yield connect
    for each in connected:
        check_request_enabled.disconnect(each)


def for_y(request, **_):
    return request.path == "/y"


async def for_y_async(request, **_):
    await asyncio.sleep(0)
    return request.path == "/y"


def test_a_receiver_allows_an_origin(serve, receive):
    receive(for_y)
    site = serve(path("x", view), path("y", view))
    assert (readers(site, "/x"), readers(site, "/y")) == ([PAGE], [PAGE, OTHER])
    assert site.preflight("/y", OTHER).allowed_origin == OTHER


def test_an_async_receiver_allows_an_origin(serve, receive):
    receive(for_y_async)
    site = serve(path("x", view), path("y", view))
    allowed = [PAGE, OTHER] if hasattr(check_request_enabled, "asend") else [PAGE]  # Django 4.2 has no async receivers
    assert (readers(site, "/x"), readers(site, "/y")) == ([PAGE], allowed)


class Answer:
    """An awaitable that is not a coroutine."""

    def __init__(self, **_):
        pass

    def __await__(self):
        raise NotImplementedError


@pytest.mark.parametrize("awaitable", [for_y_async, Answer])
def test_a_receiver_that_returns_an_awaitable_allows_nothing(serve, receive, caplog, awaitable):
    def receiver(**named):
        return awaitable(**named)

    receive(receiver)
    assert readers(serve(path("x", view)), "/x") == [PAGE]
    assert "returned an awaitable" in caplog.text


def test_a_receiver_may_use_the_database(serve, receive):
    def receiver(request, **_):
        return select(request.headers["origin"])

    receive(receiver)
    assert readers(serve(path("x", view), CORS_ALLOWED_ORIGINS=["https://x.example"])) == [PAGE]


def test_a_receiver_allows_a_url_without_the_policy(serve, receive):
    receive(for_y)
    site = serve(path("x", view), path("y", view), CORS_URLS_REGEX="^/api/")
    assert (readers(site, "/x"), readers(site, "/y")) == ([], [PAGE, OTHER])


def test_a_receiver_may_be_connected_and_disconnected_while_the_app_serves(serve):
    site = serve(path("y", view))
    assert readers(site, "/y") == [PAGE]
    check_request_enabled.connect(for_y)
    assert readers(site, "/y") == [PAGE, OTHER]
    assert check_request_enabled.disconnect(for_y)
    assert readers(site, "/y") == [PAGE]


def test_a_request_without_an_origin_is_not_sent_to_receivers(serve, receive):
    found = []

    def receiver(request, **_):
        found.append(request.path)

    receive(receiver)
    assert serve(path("x", view)).send("/x").cors == {"vary": "Origin"}
    assert not found


def test_a_receiver_that_raises_leaves_the_decision_to_the_settings(serve, receive, caplog):
    def receiver(**_):
        raise LookupError("a mistake of a receiver")

    receive(receiver)
    site = serve(path("x", view))
    assert readers(site, "/x") == [PAGE]
    assert site.send("/x", OTHER).status == 200
    assert "a mistake of a receiver" in caplog.text


@pytest.mark.parametrize("is_async", [True, False])
def test_policy_for_applies_to_the_requests_that_no_receiver_allows(serve, receive, is_async):
    def policy_for(_):
        return Policy(allow_origins=["https://own.example"])

    async def policy_for_async(scope):
        return policy_for(scope)

    receive(for_y)
    site = serve(path("x", view), path("y", view), CORS_POLICY_FOR=policy_for_async if is_async else policy_for)
    assert (readers(site, "/x"), readers(site, "/y")) == ([], [PAGE, OTHER])
    assert site.send("/x", "https://own.example").allowed_origin == "https://own.example"


def test_a_receiver_cannot_allow_null(serve, receive):
    receive(for_y)
    assert serve(path("y", view)).send("/y", "null").allowed_origin is None


def test_a_policy_of_a_view_counts_instead_of_the_receivers(serve, receive):
    receive(for_y)
    site = serve(path("y", cross_origin(allow_origins=["https://own.example"])(view)))
    assert readers(site, "/y") == []
