"""`csrf_protection` of views, in Flask over WSGI and ASGI, and in Quart: a forged request never reaches a view."""

import functools
import secrets

import pytest

pytest.importorskip("werkzeug", reason="werkzeug comes with Flask and Quart")

PAGE, OTHER, EVIL = "https://app.example.com", "https://other.example", "https://evil.example.org"
CHANGES = [
    pytest.param({"path": "/secret"}, id="path"),
    pytest.param({"method": "PUT"}, id="method"),
    pytest.param({"host": "secret.test"}, id="host"),
]
LONG = "/" + "a/" * 1500


# -- csrf_protection of the view that really runs

CROSS_SITE = {"sec_fetch_site": "cross-site"}


def form(framework, called, **options):
    """Return a view that is protected, or has other options."""
    own = {"csrf_protection": True, **options}
    return framework.own(**own)(lambda **_: called.append(framework.module.request.path) or "form")


@pytest.mark.parametrize("changes", CHANGES)
def test_a_forged_request_is_refused_by_the_view_that_runs(framework, changes):
    """Neither the app's functions before a request nor its error handlers run."""
    app, called = framework.app(host_matching=True), []
    framework.rewrite(app, **{name: "POST" if name == "method" else value for name, value in changes.items()})
    framework.ours.CORS(app, allow_origins=PAGE)
    secret = form(framework, called)
    methods = ["GET", "PUT"] if "method" in changes else ["GET", "POST"]
    app.add_url_rule("/", "open", lambda: called.append("open") or "open", methods=methods, host="open.test")
    if "method" in changes:
        app.add_url_rule("/", "post", secret, methods=["POST"], host="open.test")
    app.add_url_rule("/secret", "secret", secret, methods=["POST"], host="open.test")
    app.add_url_rule("/", "host", secret, methods=["POST"], host="secret.test")
    app.before_request(lambda: called.append("before"))
    for error in (403, Exception):
        app.register_error_handler(error, lambda _: called.append("handler") or "handled")
    method = "PUT" if "method" in changes else "POST"
    send = functools.partial(framework.send, app, "/", method=method, host="open.test")
    for origin in (EVIL, None):
        response = send(origin, **CROSS_SITE)
        assert (response.status, response.cors) == (403, {"vary": "Origin"})
        assert response.header("cache-control") == "no-store"
        assert response.body.startswith(b"Refused by the CORS policy: another site may have forged the request")
    assert called == []
    response = send(OTHER, **CROSS_SITE)
    assert (response.status, response.body, called) == (200, b"form", ["before", called[-1]])


def test_an_exempt_view_that_runs_in_place_of_another_is_refused_by_the_other(framework):
    """Both policies must allow: that of the predicted view and that of the view that runs."""
    app, called = framework.app(), []
    framework.rewrite(app, path="/exempt")
    framework.ours.CORS(app, allow_origins=PAGE, csrf_protection=True)
    app.add_url_rule("/", "view", lambda: called.append("view") or "view", methods=["POST"])
    exempt = framework.ours.cors_exempt(lambda: called.append("exempt") or "exempt")
    app.add_url_rule("/exempt", "exempt", exempt, methods=["POST"])
    assert framework.send(app, "/", EVIL, "POST", **CROSS_SITE).status == 403
    assert called == []
    assert framework.send(app, "/", method="POST", sec_fetch_site="same-origin").body == b"exempt"


def test_a_view_in_place_of_an_exempt_one_is_protected(framework):
    app, called = framework.app(), []
    framework.rewrite(app, path="/form")
    framework.ours.CORS(app, allow_origins=PAGE)
    app.add_url_rule("/", "exempt", framework.ours.cors_exempt(lambda: "exempt"), methods=["POST"])
    app.add_url_rule("/form", "form", form(framework, called), methods=["POST"])
    assert (framework.send(app, "/", EVIL, "POST", **CROSS_SITE).status, called) == (403, [])
    assert framework.send(app, "/", method="POST").body == b"form"


@pytest.mark.parametrize("attached", [True, False], ids=["a policy of its own", "the app's policy"])
def test_a_forged_request_is_refused_at_a_path_that_is_too_long(framework, attached):
    app, called = framework.app(), []
    framework.ours.CORS(app, allow_origins=PAGE, csrf_protection=not attached)
    app.add_url_rule("/other", "other", form(framework, called))
    view = form(framework, called) if attached else lambda _: called.append("view") or "view"
    app.add_url_rule("/<path:_>", "view", view, methods=["POST"])
    assert framework.send(app, LONG, EVIL, "POST", **CROSS_SITE).status == 403
    assert called == []
    assert framework.send(app, LONG, method="POST").status == 200


def test_each_method_of_a_url_has_its_own_protection(framework):
    """Two views of one URL, and the methods of a class."""
    app, called = framework.app(), []
    framework.ours.CORS(app, allow_origins=PAGE)
    app.add_url_rule("/", "put", form(framework, called), methods=["PUT"])
    app.add_url_rule("/", "post", form(framework, called, csrf_protection=False), methods=["POST"])

    class Methods(framework.views.MethodView):
        @framework.own(csrf_protection=True)
        def put(self):
            return called.append("put") or "put"

        def post(self):
            return called.append("post") or "post"

    app.add_url_rule("/class", view_func=Methods.as_view("class"))
    for path in ("/", "/class"):
        statuses = [framework.send(app, path, EVIL, method, **CROSS_SITE).status for method in ("PUT", "POST")]
        assert statuses == [403, 200]
    assert called == ["/", "post"]


@pytest.mark.parametrize("nested", [False, True], ids=["a blueprint", "a nested blueprint"])
def test_the_views_of_a_blueprint_are_protected(framework, nested):
    app, called = framework.app(), []
    framework.ours.CORS(app, allow_origins=PAGE)
    make = framework.module.Blueprint
    outer, inner = make("outer", __name__, url_prefix="/outer"), make("inner", __name__, url_prefix="/inner")
    framework.attach_to_blueprint(outer, csrf_protection=True)
    target = inner if nested else outer
    exempt = framework.ours.cors_exempt(lambda: "exempt")
    target.add_url_rule("/form", "form", lambda: called.append("form") or "form", methods=["POST"])
    target.add_url_rule("/exempt", "exempt", exempt, methods=["POST"])
    if nested:
        outer.register_blueprint(inner)
    app.register_blueprint(outer)
    root = "/outer/inner" if nested else "/outer"
    found = [framework.send(app, root + path, EVIL, "POST", **CROSS_SITE).status for path in ("/form", "/exempt")]
    assert (found, called) == ([403, 200], [])
    assert framework.send(app, f"{root}/form", method="POST").body == b"form"


def test_with_enforce_the_refusal_of_head_has_no_body(framework):
    app = framework.app()
    framework.rewrite(app, path="/secret")
    framework.ours.CORS(app, allow_origins=PAGE, enforce=True)
    app.add_url_rule("/", "open", lambda: "open")
    app.add_url_rule("/secret", "secret", framework.own()(lambda: pytest.fail("the view ran")))
    response, of_get = (framework.send(app, "/", PAGE, method) for method in ("HEAD", "GET"))
    assert (response.status, response.body) == (403, b"")
    assert response.header("content-length") == of_get.header("content-length") == str(len(of_get.body))


# -- a view without CORS(app), which applies its policy itself


@pytest.mark.parametrize("kind", ["view", "async view", "stream", "class"])
def test_a_standalone_view_refuses_a_forged_request(framework, kind):
    """Its function does not run. The app's functions before a request do."""
    app, called = framework.app(), []
    own = framework.own(csrf_protection=True, csrf_trusted_origins=PAGE, timing_allow_origin=True)

    def view():
        called.append("view")
        return "done"

    async def async_view():
        return view()

    def stream():
        called.append("view")
        return framework.module.Response(iter([b"do", b"ne"]) if framework.is_flask else b"done")

    class Form(framework.views.MethodView):
        post = own(lambda _: view())
        get = post

    views = {"view": own(view), "async view": own(async_view), "stream": own(stream), "class": Form.as_view("form")}
    app.add_url_rule("/", "form", views[kind], methods=["GET", "POST"])
    app.before_request(lambda: called.append("before"))
    app.register_error_handler(403, lambda _: "handled")
    for origin in (EVIL, None):
        response = framework.send(app, "/", origin, "POST", **CROSS_SITE)
        assert (response.status, response.cors) == (403, {"vary": "Origin"})
        assert response.header("cache-control") == "no-store"
        assert response.body.startswith(b"Refused by the CORS policy: another site may have forged the request")
    assert called == ["before"] * 2
    granted = {"access-control-allow-origin": OTHER, "vary": "Origin"}
    for origin, method, expected in [
        (None, "POST", {"vary": "Origin"}),
        (PAGE, "POST", {"vary": "Origin"}),
        (OTHER, "POST", granted),
        (EVIL, "GET", {"vary": "Origin"}),
    ]:
        response = framework.send(app, "/", origin, method, **(CROSS_SITE if origin else {}))
        assert (response.status, response.body, response.cors) == (200, b"done", expected)
        assert dict(response.headers).get("timing-allow-origin") == (OTHER if origin == OTHER else None)
    assert called.count("view") == 4


def test_a_standalone_view_of_an_exempt_wrapper_is_not_checked(framework):
    app = framework.app()
    exempt = framework.ours.cors_exempt(framework.own(csrf_protection=True)(lambda: "done"))
    app.add_url_rule("/", "exempt", exempt, methods=["POST"])
    framework.ours.CORS(app, allow_origins=PAGE, csrf_protection=True)
    assert framework.send(app, "/", EVIL, "POST", **CROSS_SITE).status == 200


def test_a_standalone_view_calls_a_callable_once(framework):
    """The request is evaluated once, before the view runs."""
    app, calls = framework.app(), []
    own = framework.own(csrf_protection=True, csrf_trusted_origins=lambda origin: calls.append(origin) or True)
    app.add_url_rule("/", "form", own(lambda: "done"), methods=["POST"])
    assert framework.send(app, "/", EVIL, "POST", **CROSS_SITE).body == b"done"
    assert calls == [EVIL]


# -- tests of the users


def test_the_frameworks_own_test_client_passes(framework):
    """It sends neither Origin nor Sec-Fetch-Site, and its Host is localhost."""
    app = framework.app()
    framework.ours.CORS(app, allow_origins=PAGE, csrf_protection=True, enforce=True, allowed_hosts="localhost")
    app.add_url_rule("/", "form", form(framework, []), methods=["POST"])
    app.add_url_rule("/session", "session", lambda: "done", methods=["POST"])
    for path in ("/", "/session"):
        assert framework.posted(app, path) == 200
    app.extensions["asgi_cors"].reconfigure(allowed_hosts="api.test")
    assert framework.posted(app, "/") == 421


def test_a_session_needs_no_option(framework):
    """The session's cookie is sent and read as before."""
    app = framework.app()
    app.secret_key = secrets.token_hex()
    framework.ours.CORS(app, allow_origins=PAGE, csrf_protection=True)

    def login():
        framework.module.session["user"] = 1
        return "done"

    app.add_url_rule("/login", "login", login, methods=["POST"])
    app.add_url_rule("/me", "me", lambda: str(framework.module.session.get("user")), methods=["POST"])
    response = framework.send(app, "/login", method="POST", sec_fetch_site="same-origin")
    cookie = response.header("set-cookie").partition(";")[0]
    assert framework.send(app, "/me", method="POST", cookie=cookie, sec_fetch_site="same-origin").body == b"1"
    assert framework.send(app, "/me", EVIL, "POST", cookie=cookie, **CROSS_SITE).status == 403


# -- explain, and the log


def test_explain_knows_the_checks_of_the_app_and_of_the_view(framework):
    """`allowed_hosts` and `enforce` are the app's, `csrf_protection` is the view's."""
    app = framework.app()
    cors = framework.ours.CORS(app, allow_origins=PAGE, allowed_hosts="api.test", enforce=True)
    app.add_url_rule("/form", "form", form(framework, []), methods=["GET", "POST"])
    app.add_url_rule("/exempt", "exempt", framework.ours.cors_exempt(lambda: "exempt"))
    for path in ("/", "/form", "/exempt", LONG):
        explanation = cors.explain("GET", EVIL, path, host="evil.test")
        assert (explanation.allowed, explanation.code) == (False, "HostNotAllowed")
    assert "403" in str(cors.explain("GET", EVIL, "/form", host="api.test"))
    assert cors.explain("GET", OTHER, "/form", host="api.test").allowed is True
    assert cors.explain("GET", EVIL, "/exempt", host="api.test").allowed is None
    cors.reconfigure(enforce=False)
    assert cors.explain("POST", EVIL, "/form", host="api.test").code == "CrossSiteRequest"


def test_a_new_policy_is_logged_but_not_the_first_one(framework, caplog):
    caplog.set_level("INFO", "asgi_cors")
    app = framework.app()
    cors = framework.ours.CORS(app, allow_origins=PAGE)
    framework.attach_to_blueprint(framework.module.Blueprint("bp", __name__))
    app.add_url_rule("/form", "form", form(framework, []), methods=["POST"])
    framework.send(app, "/form", method="POST")
    assert caplog.messages == []
    cors.reconfigure(cors.policy.replace(csrf_protection=True))
    assert caplog.messages == ["the base policy was replaced: refused: csrf_protection=True"]
