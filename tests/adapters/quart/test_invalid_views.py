"""A mistake in one view's policy, or in the configuration, never stops an app that serves."""

import logging
import threading
import warnings

import pytest
from quart import Blueprint, Quart, websocket

from asgi_cors import ConfigError
from asgi_cors_quart import CORS, cors, route_cors, websocket_cors

PAGE, OTHER = "https://app.example.com", "https://other.example"


def another():
    async def view():
        return "view"

    return view


@pytest.fixture
def app():
    app = Quart(__name__, static_folder=None)
    app.add_url_rule("/health", "health", another())
    return app


def decorated_without_origins(app):
    """Credentials for every origin, which is the default."""
    app.add_url_rule("/view", "view", route_cors(allow_credentials=True)(another()), methods=["GET", "PUT"])


def credentials_in_config(app):
    app.config["QUART_CORS_ALLOW_CREDENTIALS"] = True
    app.add_url_rule("/view", "view", route_cors(allow_origin="*")(another()), methods=["GET", "PUT"])


def replaced(app):
    app.add_url_rule("/view", "view", another(), methods=["GET", "PUT"])
    app.view_functions["view"] = route_cors(allow_credentials=True)(app.view_functions["view"])


def unknown_key_in_config(app):
    app.config["QUART_CORS_ORIGIN"] = PAGE
    app.add_url_rule("/view", "view", route_cors()(another()), methods=["GET", "PUT"])


def of_a_blueprint(app):
    blueprint = cors(Blueprint("bp", __name__), allow_credentials=True)
    blueprint.add_url_rule("/view", "view", another(), methods=["GET", "PUT"])
    app.register_blueprint(blueprint)


MISTAKES = [decorated_without_origins, credentials_in_config, replaced, unknown_key_in_config, of_a_blueprint]


def is_closed(headers):
    return not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("served", [False, True], ids=["before a request", "after requests"])
async def test_only_the_view_with_the_mistake_refuses_every_origin(
    app, send_request, cors_headers, caplog, mistake, served
):
    CORS(app, allow_origins=[PAGE])
    assert not served or (await send_request(app, path="/health")).status_code == 200
    mistake(app)
    for _ in range(2):
        assert (await send_request(app, path="/health")).status_code == 200
        assert (await cors_headers(app, path="/health", origin=PAGE))["access-control-allow-origin"] == PAGE
        response = await send_request(app, path="/view", origin=PAGE)
        assert (response.status_code, await response.get_data()) == (200, b"view")
        preflight = await send_request(app, "OPTIONS", "/view", origin=PAGE, access_control_request_method="PUT")
        assert (preflight.status_code, bool(await preflight.get_data())) == (200, True)
        for each in (response, preflight):
            assert is_closed([name.lower() for name in dict(each.headers)])
    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "route_cors(view)" in error.message or "cors(bp)" in error.message


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_the_app_does_not_start_with_a_mistake(app, mistake):
    CORS(app, allow_origins=[PAGE])
    mistake(app)
    with pytest.raises(ConfigError):
        await app.startup()


async def test_a_websocket_with_a_mistake_is_refused(app, open_websocket):
    CORS(app, allow_origins=[PAGE])

    async def serve():
        await websocket.send("hello")

    app.add_websocket("/ws", "ws", websocket_cors(allow_credentials=True)(serve))
    app.add_websocket("/plain", "plain", serve)
    assert (await open_websocket(app, origin=PAGE), await open_websocket(app)) == (403, None)
    assert await open_websocket(app, "/plain", origin=PAGE) is None


class Incomparable:
    """A value like a NumPy array, which cannot be compared."""

    __hash__ = None

    def __eq__(self, other):
        raise ValueError("the truth value of an array is ambiguous")


@pytest.mark.parametrize(
    ("key", "nonsense", "sense"),
    [
        pytest.param("QUART_CORS_ALLOW_ORIGIN", "https://app.example.com/", OTHER, id="an origin with a path"),
        pytest.param("QUART_CORS_ALLOW_ORIGIN", object(), OTHER, id="an origin of a wrong type"),
        pytest.param("QUART_CORS_ALLOW_ORIGIN", Incomparable(), OTHER, id="an origin that can't be compared"),
        pytest.param("QUART_CORS_ALLOW_METHODS", ["TRACE"], ["PUT"], id="a method that no script can send"),
        pytest.param("QUART_CORS_MAX_AGE", "soon", 7, id="an age that is not a number"),
    ],
)
async def test_the_last_valid_policy_stays_in_force(app, cors_headers, caplog, key, nonsense, sense):
    """This holds for the app and its views. Each change is logged once, and a valid change applies at once."""
    app.config["QUART_CORS_ALLOW_ORIGIN"] = [PAGE]
    cors(app)
    app.add_url_rule("/own", "own", route_cors(expose_headers=["x-a"])(another()))
    before = [await cors_headers(app, path=path, origin=PAGE) for path in ("/health", "/own")]
    app.config[key] = nonsense
    for _ in range(2):
        assert [await cors_headers(app, path=path, origin=PAGE) for path in ("/health", "/own")] == before
    assert [record.levelno for record in caplog.records if record.levelno >= logging.WARNING] == [logging.ERROR]
    assert key in caplog.text
    app.config[key] = sense
    expected = sense if sense == OTHER else PAGE
    for path in ("/health", "/own"):
        assert (await cors_headers(app, path=path, origin=expected))["access-control-allow-origin"] == expected


async def test_a_change_refuses_only_the_views_that_it_makes_invalid(app, cors_headers):
    """The app's own policy is valid with the change."""
    app.config["QUART_CORS_ALLOW_ORIGIN"] = [PAGE]
    CORS(app, allow_origins=[PAGE])
    app.add_url_rule("/cookies", "cookies", route_cors(allow_credentials=True)(another()))
    app.add_url_rule("/own", "own", route_cors(allow_origin=OTHER)(another()))
    assert (await cors_headers(app, path="/cookies", origin=PAGE))["access-control-allow-credentials"] == "true"
    app.config["QUART_CORS_ALLOW_ORIGIN"] = "*"
    assert is_closed(await cors_headers(app, path="/cookies", origin=PAGE))
    assert (await cors_headers(app, path="/own", origin=OTHER))["access-control-allow-origin"] == OTHER
    app.config["QUART_CORS_ALLOW_ORIGIN"] = [OTHER]
    assert (await cors_headers(app, path="/cookies", origin=OTHER))["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("key", ["QUART_CORS_ALLOW_HEADER", "QUART_CORS_MAX_AGE"])
async def test_a_warning_that_is_an_error_never_fails_a_request(app, send_request, key):
    CORS(app, allow_origins=[PAGE])
    await send_request(app, path="/health")
    app.config.update({"QUART_CORS_MAX_AGE": 100_000, key: 100_000})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = route_cors(allow_origin=OTHER)(another())
        app.add_url_rule("/own", "own", own)
        route_cors(allow_origin=OTHER)(app.view_functions["health"])
        for path in ("/health", "/own"):
            assert (await send_request(app, path=path, origin=PAGE)).status_code == 200


async def test_explain_uses_the_policy_in_force(app):
    """It is the last valid policy."""
    cors(app, allow_origin=PAGE)
    app.config["QUART_CORS_MAX_AGE"] = "soon"
    assert app.extensions["asgi_cors"].explain("GET", PAGE, "/health").allowed


async def test_reconfigurations_in_several_threads_all_take_effect(app):
    """Each changes one option. No change is lost."""
    installed = CORS(app, allow_origins=PAGE)
    for _ in range(20):
        installed.reconfigure(enforce=False, check_websockets=True, paths=None, on_decision=None)
        changes = {"enforce": True, "check_websockets": False, "paths": {"/x": None}, "on_decision": print}
        begin = threading.Barrier(len(changes))

        def change(name, begin=begin, changes=changes):
            begin.wait(10)
            installed.reconfigure(**{name: changes[name]})

        threads = [threading.Thread(target=change, args=(name,)) for name in changes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        given = app.extensions["asgi_cors"].configuration.evaluator.options
        assert {name: given[name] for name in changes} == changes


def test_several_threads_apply_a_change_once(app, caplog):
    """Event loops may run in several threads."""
    cors(app, allow_origin=PAGE)
    installed = app.extensions["asgi_cors"]
    installed.sync_config()
    app.config["QUART_CORS_MAX_AGE"] = "soon"
    begin = threading.Barrier(4)

    def serve():
        begin.wait(10)
        installed.sync_config()

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(caplog.records) == 1


def test_a_thread_that_waited_does_not_apply_the_change_again(app, monkeypatch):
    """It waited for the thread that did."""
    cors(app, allow_origin=PAGE)
    installed = app.extensions["asgi_cors"]
    responses = iter([False, True])
    monkeypatch.setattr(installed, "_is_synced", lambda: next(responses))
    monkeypatch.setattr(installed, "_apply_config", lambda: pytest.fail("read again"))
    installed.sync_config()
    assert next(responses, None) is None
