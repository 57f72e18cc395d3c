"""A mistake in one view's policy never stops the app. Only that view's responses lose their CORS headers."""

import asyncio
import logging
import threading

import pytest
from flask import Blueprint
from flask.views import MethodView

from asgi_cors import ConfigError
from asgi_cors_flask import CORS, asgi_app, cross_origin

PAGE, EVIL = "https://app.example.com", "https://evil.example"
CREDENTIALS = {"supports_credentials": True}


def decorated_without_origins(app):
    """Credentials for every origin, which is the default."""
    app.add_url_rule("/view", "view", cross_origin(**CREDENTIALS)(lambda: "view"), methods=["GET", "PUT"])


def credentials_in_config(app):
    app.config["CORS_SUPPORTS_CREDENTIALS"] = True
    app.add_url_rule("/view", "view", cross_origin(origins="*")(lambda: "view"), methods=["GET", "PUT"])


def nonsense_in_config(app):
    app.config["CORS_ORIGINS"] = "https://app.example.com/"
    app.add_url_rule("/view", "view", cross_origin()(lambda: "view"), methods=["GET", "PUT"])


def wrong_type_in_config(app):
    app.config["CORS_MAX_AGE"] = object()
    app.add_url_rule("/view", "view", cross_origin(origins=PAGE)(lambda: "view"), methods=["GET", "PUT"])


def unknown_key_in_config(app):
    app.config["CORS_ORIGIN"] = PAGE
    app.add_url_rule("/view", "view", cross_origin()(lambda: "view"), methods=["GET", "PUT"])


def unreadable_in_config(app):
    class Unreadable:
        def __iter__(self):
            raise RuntimeError("unreadable")

    app.config["CORS_EXPOSE_HEADERS"] = Unreadable()
    app.add_url_rule("/view", "view", cross_origin(origins=PAGE)(lambda: "view"), methods=["GET", "PUT"])


def replaced(app):
    app.add_url_rule("/view", "view", lambda: "view", methods=["GET", "PUT"])
    app.view_functions["view"] = cross_origin(**CREDENTIALS)(app.view_functions["view"])


def of_a_class(app):
    class Methods(MethodView):
        decorators = (cross_origin(**CREDENTIALS),)

        def get(self):
            return "view"

        put = get

    app.add_url_rule("/view", view_func=Methods.as_view("view"))


def config_of_a_blueprints_view(app):
    """The blueprint has no policy. That of its view depends on the config."""
    blueprint = Blueprint("bp", __name__)
    blueprint.add_url_rule("/view", "view", cross_origin(**CREDENTIALS)(lambda: "view"), methods=["GET", "PUT"])
    app.register_blueprint(blueprint)


MISTAKES = [
    unreadable_in_config,
    decorated_without_origins,
    credentials_in_config,
    nonsense_in_config,
    wrong_type_in_config,
    unknown_key_in_config,
    replaced,
    of_a_class,
    config_of_a_blueprints_view,
]


def healthy(app):
    app.add_url_rule("/health", "health", lambda: "ok")
    app.add_url_rule("/own", "own", cross_origin(origins=PAGE, max_age=5)(lambda: "own"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_only_the_view_with_the_mistake_refuses_every_origin(app, serve, caplog, mistake):
    CORS(app, origins=[PAGE])
    healthy(app)
    mistake(app)
    client = serve(app)
    for _ in range(2):
        assert (client.get("/health").status, client.get("/health").body) == (200, b"ok")
        assert client.get("/health", PAGE).cors["access-control-allow-origin"] == PAGE
        response, preflight = client.get("/view", PAGE), client.preflight("/view", PAGE)
        assert (response.status, response.body) == (200, b"view")
        assert preflight.status == 200
        assert preflight.body
        assert client.get("/view").body == b"view"
        for each in (response, preflight):
            assert not [name for name in each.cors if name.startswith("access-control-")]
    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "cross_origin of view" in error.message


def test_the_error_has_every_hint_in_one_line(app, serve, caplog):
    """The text is the app's own, so it is neither quoted nor truncated."""
    CORS(app, origins=[PAGE])
    app.config["CORS_SUPPORTS_CREDENTIALS"] = True
    app.add_url_rule("/view", "view", cross_origin(origins="*", expose_headers="*")(lambda: "view"))
    serve(app).get("/view", PAGE)
    (error,) = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert error.startswith("the policy of cross_origin of view ")
    assert "dangerously_allow=['credentials-from-any-origin']. cross_origin: expose_headers:" in error
    assert error.endswith("Name the headers, as in expose_headers=['x-request-id'].")
    assert "\n" not in error


ALONE = [decorated_without_origins, credentials_in_config, nonsense_in_config, unreadable_in_config, of_a_class]


@pytest.mark.parametrize("mistake", ALONE)
def test_a_standalone_view_with_a_mistake_refuses_every_origin(app, serve, caplog, mistake):
    """Without CORS(app), the view itself refuses. The response is not a 500."""
    mistake(app)
    app.add_url_rule("/health", "health", lambda: "ok")
    client = serve(app)
    for _ in range(2):
        assert (client.get("/health").status, client.get("/view").body) == (200, b"view")
        response, preflight = client.get("/view", PAGE), client.preflight("/view", PAGE)
        assert (response.status, preflight.status, response.body) == (200, 200, b"view")
        for each in (response, preflight):
            assert not [name for name in each.cors if name.startswith("access-control-")]
    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "cross_origin of view" in error.message


@pytest.mark.parametrize("mistake", [decorated_without_origins, replaced, of_a_class, config_of_a_blueprints_view])
def test_cors_raises_if_a_registered_view_has_a_mistake(app, mistake):
    """The configuration in force, here none, is unchanged."""
    mistake(app)
    with pytest.raises(ConfigError, match=r"cross_origin: origins: .*supports_credentials"):
        CORS(app, origins=PAGE)
    assert "Access-Control-Allow-Origin" not in app.test_client().get("/health", headers={"Origin": PAGE}).headers


def test_a_blueprints_mistake_is_raised_at_its_registration(app, serve):
    """Its views are not registered then. The app serves its other views."""
    CORS(app, origins=PAGE)
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")
    CORS(blueprint, **CREDENTIALS, origins=PAGE)
    app.config["CORS_ORIGINS"] = "https://app.example.com/"
    broken = Blueprint("broken", __name__, url_prefix="/broken")
    CORS(broken)
    app.add_url_rule("/health", "health", lambda: "ok")
    with pytest.raises(ConfigError, match="CORS_ORIGINS: "):
        app.register_blueprint(broken)
    assert serve(app).get("/health", PAGE).cors["access-control-allow-origin"] == PAGE


def test_enforce_refuses_a_view_with_a_mistake(app, serve):
    """It is not known which origins the view allows."""
    CORS(app, origins=PAGE, enforce=True)
    healthy(app)
    decorated_without_origins(app)
    client = serve(app)
    assert (client.get("/view", PAGE).status, client.get("/view").status, client.get("/own", PAGE).status) == (
        403,
        200,
        200,
    )


def test_reconfigure_applies_the_policy_of_a_corrected_view(app, serve):
    """`reconfigure` builds the view's policy again."""
    cors = CORS(app, origins=PAGE)
    decorated_without_origins(app)
    client = serve(app)
    assert "access-control-allow-origin" not in client.get("/view", PAGE).cors
    app.config["CORS_ORIGINS"] = PAGE
    cors.reconfigure()
    assert client.get("/view", PAGE).cors["access-control-allow-credentials"] == "true"


def test_reconfigure_changes_nothing_if_a_view_has_a_mistake(app, serve):
    cors = CORS(app, origins=PAGE)
    decorated_without_origins(app)
    with pytest.raises(ConfigError, match="cross_origin"):
        cors.reconfigure(origins=EVIL)
    assert cors.policy.allow_origins == (PAGE,)


async def start(app):
    """Start an ASGI app as servers do, and return its message."""
    sent = []
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        return {"type": next(events)}

    async def send(message):
        sent.append(message)

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    return sent


@pytest.mark.parametrize("mistake", [decorated_without_origins, replaced])
def test_an_asgi_server_does_not_start_an_app_with_a_mistake(app, mistake):
    CORS(app, origins=PAGE)
    mistake(app)
    (failed,) = asyncio.run(start(asgi_app(app)))
    assert failed["type"] == "lifespan.startup.failed"
    assert "cross_origin: origins" in failed["message"]


@pytest.mark.parametrize("install", [CORS, lambda app: None], ids=["with CORS(app)", "without CORS(app)"])
def test_an_asgi_server_starts_an_app_without_mistakes(app, install):
    install(app)
    healthy(app)
    sent = asyncio.run(start(asgi_app(app)))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_reconfigurations_in_several_threads_all_take_effect(app):
    """Each changes one option. No change is lost."""
    cors = CORS(app, origins=PAGE)
    options = {"max_age": 7, "allow_headers": ["x-a"], "expose_headers": ["x-b"], "methods": ["PUT"], "origins": EVIL}
    for _ in range(20):
        cors.reconfigure(origins=PAGE, max_age=1, allow_headers="*", expose_headers=(), methods=["GET"])
        begin = threading.Barrier(len(options))

        def change(name, begin=begin):
            begin.wait(10)
            cors.reconfigure(**{name: options[name]})

        threads = [threading.Thread(target=change, args=(name,)) for name in options]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        policy = cors.policy
        assert (policy.max_age, policy.allow_headers, policy.allow_methods) == (7, ("x-a",), ("PUT",))
        assert (policy.allow_origins, policy.expose_headers) == ((EVIL,), ("x-b",))
