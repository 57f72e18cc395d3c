"""The policy of the view that really runs applies, in Flask over WSGI and ASGI, and in Quart."""

import functools
import gc
import logging
import weakref

import pytest

pytest.importorskip("werkzeug", reason="werkzeug comes with Flask and Quart")

PAGE, OTHER = "https://app.example.com", "https://other.example"


@pytest.fixture
def app(framework):
    app = framework.app()
    framework.ours.CORS(app, allow_origins=PAGE)
    return app


# -- the policy of the view that is registered now


def decorated(framework, view):
    return framework.own()(view)


def replaced(framework, _view):
    return framework.own()(lambda: "another")


def wrapped(framework, view):
    """Put a decorator that preserves attributes above the view's decorator."""
    own = framework.own()(view)
    return functools.wraps(own)(own)


@pytest.mark.parametrize("change", [decorated, replaced, wrapped])
@pytest.mark.parametrize("served", [False, True], ids=["before a request", "after requests"])
def test_a_view_decorated_late_has_its_policy(app, framework, change, served):
    app.add_url_rule("/", "view", lambda: "view")
    assert not served or framework.readers(app, "/") == [PAGE]
    app.view_functions["view"] = change(framework, app.view_functions["view"])
    assert framework.readers(app, "/") == [OTHER]


def test_a_view_replaced_by_a_plain_one_has_the_apps_policy(app, framework):
    app.add_url_rule("/", "view", framework.own()(lambda: "view"))
    assert framework.readers(app, "/") == [OTHER]
    app.view_functions["view"] = lambda: "plain"
    assert framework.readers(app, "/") == [PAGE]


@pytest.mark.parametrize("rewrap", [False, True], ids=["itself", "by a wrapper"])
def test_a_view_exempted_late_is_passed_through(app, framework, rewrap):
    app.add_url_rule("/", "view", lambda: "view")
    assert framework.readers(app, "/") == [PAGE]
    exempt = framework.ours.cors_exempt(app.view_functions["view"])
    app.view_functions["view"] = functools.wraps(exempt)(exempt) if rewrap else exempt
    assert framework.send(app, "/", PAGE).cors == {}


def test_a_blueprint_registered_late_has_its_policy(app, framework):
    app.add_url_rule("/", "view", lambda: "view")
    framework.send(app, "/", PAGE, "OPTIONS", access_control_request_method="GET")
    make = framework.module.Blueprint
    outer, inner = make("outer", __name__, url_prefix="/outer"), make("inner", __name__, url_prefix="/inner")
    framework.attach_to_blueprint(inner)
    inner.add_url_rule("/", "view", lambda: "inner")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert (framework.readers(app, "/outer/inner/"), framework.readers(app, "/")) == ([OTHER], [PAGE])


def test_a_method_of_a_class_decorated_late_has_its_policy(app, framework):
    """HEAD is served by the policy of GET."""

    class Methods(framework.views.MethodView):
        def get(self):
            return "get"

        def put(self):
            return "put"

    app.add_url_rule("/", view_func=Methods.as_view("view"))
    assert framework.readers(app, "/", "PUT") == [PAGE]
    Methods.get = framework.own()(Methods.get)
    found = {method: framework.readers(app, "/", method) for method in ("GET", "HEAD", "PUT")}
    assert found == {"GET": [OTHER], "HEAD": [OTHER], "PUT": [PAGE]}


def test_a_class_whose_dispatch_is_decorated_has_its_policy(app, framework):
    class Whole(framework.views.View):
        @framework.own()
        def dispatch_request(self):
            return "view"

    app.add_url_rule("/", view_func=Whole.as_view("view"))
    assert framework.readers(app, "/") == [OTHER]


def test_each_app_is_verified_by_its_own_views(framework):
    apps = []
    for _ in range(3):
        app = framework.app()
        framework.ours.CORS(app, allow_origins=PAGE)
        app.add_url_rule("/", "view", framework.own()(lambda: "view"))
        apps.append(app)
    apps[1].view_functions["view"] = lambda: "plain"
    assert [framework.readers(app, "/") for app in apps] == [[OTHER], [PAGE], [OTHER]]


def test_an_app_that_is_dropped_leaves_no_receiver_behind(framework):
    def make():
        app = framework.app()
        framework.ours.CORS(app, allow_origins=PAGE)
        app.add_url_rule("/", "view", framework.own()(lambda: "view"))
        if framework.interface == "WSGI":  # a thread or an event loop may still hold the app
            framework.send(app, "/", PAGE)
        return weakref.ref(app)

    receivers = framework.module.request_started.receivers
    gc.collect()
    before, dropped = len(receivers), make()
    gc.collect()
    assert dropped() is None
    assert len(receivers) <= before


# -- views that cannot be predicted

CHANGES = [
    pytest.param({"path": "/secret"}, id="path"),
    pytest.param({"method": "PUT"}, id="method"),
    pytest.param({"host": "secret.test"}, id="host"),
]


def rewritten(framework, changes, **options):
    app, called = framework.app(host_matching=True), []
    framework.rewrite(app, **changes)
    framework.ours.CORS(app, allow_origins=[PAGE, OTHER], allow_credentials=True, **options)

    @framework.own()
    def secret():
        called.append(framework.module.request.path)
        return "secret"

    app.add_url_rule("/", "open", lambda: "open", host="open.test")
    app.add_url_rule("/", "put", secret, methods=["PUT"], host="open.test")
    app.add_url_rule("/secret", "secret", secret, host="open.test")
    app.add_url_rule("/", "host", secret, host="secret.test")
    return app, called


@pytest.mark.parametrize("changes", CHANGES)
def test_both_policies_must_allow_if_another_view_runs(framework, caplog, changes):
    app, called = rewritten(framework, changes)
    send = functools.partial(framework.send, app, "/", host="open.test")
    assert send(PAGE).cors == {"vary": "Origin"}
    assert send(OTHER).cors == {"access-control-allow-origin": OTHER, "vary": "Origin"}
    assert send().cors == {"vary": "Origin"}
    assert len(called) == 3
    (warning,) = [record for record in caplog.records if "another view" in record.message]
    assert ("cross_origin of view 'secret'" if framework.is_flask else "route_cors(secret)") in warning.message
    assert warning.levelno == logging.WARNING


@pytest.mark.parametrize("changes", CHANGES)
def test_with_enforce_the_view_does_not_run(framework, changes):
    """The app's functions before a request, and its error handlers, do not run either."""
    app, called = rewritten(framework, changes, enforce=True)
    app.before_request(lambda: called.append("before"))
    for error in (403, Exception):
        app.register_error_handler(error, lambda _: called.append("handler") or "handled")
    response = framework.send(app, "/", PAGE, host="open.test")
    assert (response.status, response.cors, called) == (403, {"vary": "Origin"}, [])
    assert response.body.startswith(b"Refused by the CORS policy: ")
    assert framework.send(app, "/", OTHER, host="open.test").status == 200


# -- a path that is too long to be matched

LONG = "/" + "a/" * 1500


@pytest.mark.parametrize("attached", [True, False], ids=["a policy of its own", "the app's policy"])
def test_nothing_is_allowed_at_a_path_that_is_too_long(app, framework, monkeypatch, attached):
    """It is not matched, because that would take longer than the request itself."""
    matched = []
    monkeypatch.setattr("asgi_cors_werkzeug._views._endpoints", lambda *_: matched.append(1) or ())
    app.add_url_rule("/other", "other", framework.own()(lambda: "other"))

    def view(_):
        return "view"

    app.add_url_rule("/<path:_>", "view", framework.own()(view) if attached else view)
    for origin in (PAGE, OTHER):
        response = framework.send(app, LONG, origin)
        assert (response.status, response.body, response.cors) == (200, b"view", {"vary": "Origin"})
        preflight = framework.send(app, LONG, origin, "OPTIONS", access_control_request_method="PUT")
        assert (preflight.status, preflight.allowed_origin) == (200, None)
        assert app.extensions["asgi_cors"].explain("GET", origin, LONG).allowed is False
    assert framework.send(app, LONG).body == b"view"
    assert matched == []


def test_enforce_refuses_every_origin_at_a_path_that_is_too_long(framework):
    """The app does not run, because the view is not known."""
    app = framework.app()
    framework.ours.CORS(app, allow_origins=PAGE, enforce=True)
    app.add_url_rule("/<path:_>", "view", framework.own()(lambda _: pytest.fail("the view ran")), methods=["POST"])
    assert {framework.send(app, LONG, origin, "POST").status for origin in (PAGE, OTHER)} == {403}
