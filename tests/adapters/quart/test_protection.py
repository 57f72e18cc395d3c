"""Options against forged requests, rebinding and leaks, by the names of Quart-CORS and the policy's own."""

import logging

import pytest
from quart import Blueprint, Quart

from asgi_cors import ConfigError, Policy
from asgi_cors_quart import CORS, cors, route_cors, websocket_cors

PAGE, OTHER, EVIL = "https://app.example.com", "https://other.example.net", "https://evil.example.org"
PROTECTION = {
    "csrf_protection": True,
    "csrf_trusted_origins": [OTHER],
    "timing_allow_origin": True,
    "resource_policy": "same-site",
    "presets": ["mcp"],
    "name": "public-api",
}
REFUSED = "this option applies to the whole app, not to a view or blueprint. Write it in CORS(app, …)."


def as_config(options):
    return {f"QUART_CORS_{name.upper()}": value for name, value in options.items()}


def make(config=None):
    app = Quart("app", static_folder=None)
    app.config.update(config or {})

    @app.route("/", methods=["GET", "POST"])
    async def form():
        return "done"

    return app


def forged(send_request, app, path="/", host="localhost"):
    return send_request(app, "POST", path, origin=EVIL, sec_fetch_site="cross-site", host=host)


def by_cors(app, **options):
    cors(app, **{{"allow_origins": "allow_origin"}.get(name, name): value for name, value in options.items()})
    return app.extensions["asgi_cors"]


def by_class(app, **options):
    return CORS(app, **options)


BOTH = pytest.mark.parametrize("install", [by_class, by_cors], ids=["CORS", "cors"])


@BOTH
def test_each_option_of_the_policy_is_a_keyword_and_a_key_of_the_configuration(install):
    given = install(make(), allow_origins=PAGE, **PROTECTION).policy
    configured = install(make(as_config(PROTECTION)), allow_origins=PAGE).policy
    assert given == configured
    for policy in (given, configured):
        assert {name: getattr(policy, name) for name in PROTECTION} == {
            **PROTECTION,
            "csrf_trusted_origins": (OTHER,),
            "presets": ("mcp",),
        }


async def test_a_view_overrides_the_configuration(send_request):
    app = make({"QUART_CORS_CSRF_PROTECTION": True})
    cors(app, allow_origin=PAGE)
    for name, options in {"on": {}, "off": {"csrf_protection": False}, "unset": {"csrf_protection": None}}.items():
        view = route_cors(allow_origin=PAGE, **options)(lambda: "done")
        app.add_url_rule(f"/{name}", name, view, methods=["POST"])
    found = [(await forged(send_request, app, path)).status_code for path in ("/", "/on", "/off", "/unset")]
    assert found == [403, 403, 200, 403]


async def test_the_protection_follows_the_configuration(send_request):
    """Keywords override it."""
    app = make()
    cors(app, allow_origin=PAGE)
    cors(fixed := make(), allow_origin=PAGE, csrf_protection=False)
    for value, status in [(True, 403), (False, 200), ("report", 200), (True, 403)]:
        app.config["QUART_CORS_CSRF_PROTECTION"] = fixed.config["QUART_CORS_CSRF_PROTECTION"] = value
        assert (await forged(send_request, app)).status_code == status
        assert (await forged(send_request, fixed)).status_code == 200
    del app.config["QUART_CORS_CSRF_PROTECTION"]
    assert (await forged(send_request, app)).status_code == 200


@BOTH
async def test_the_options_of_the_app_follow_the_configuration(send_request, install):
    """Also with a Policy that does not. Keywords override it."""
    app, fixed = make(), make()
    install(app, allow_origins=PAGE)
    install(fixed, allow_origins=PAGE, allowed_hosts="localhost", enforce=True)
    from_policy = make()
    CORS(from_policy, Policy(allow_origins=PAGE))
    apps = (app, fixed, from_policy)
    for hosts, enforce, expected in [
        (None, False, [200, 403, 200]),
        (["api.test"], False, [421, 403, 421]),
        (["api.test", "localhost"], True, [403, 403, 403]),
        (["localhost"], "report", [200, 403, 200]),
    ]:
        for each in apps:
            each.config.update(QUART_CORS_ALLOWED_HOSTS=hosts, QUART_CORS_ENFORCE=enforce)
        assert [(await forged(send_request, each)).status_code for each in apps] == expected
    app.config["QUART_CORS_ALLOWED_HOSTS"].append("api.test")  # a list that is changed in place
    app.config["QUART_CORS_ALLOWED_HOSTS"].remove("localhost")
    assert (await forged(send_request, app)).status_code == 421


async def test_an_invalid_configuration_leaves_the_last_protection(send_request, caplog):
    """The log names the key."""
    app = make({"QUART_CORS_ALLOWED_HOSTS": "localhost"})
    cors(app, allow_origin=PAGE, csrf_protection=True)
    app.config["QUART_CORS_ALLOWED_HOSTS"] = ".example.com"
    assert (await forged(send_request, app)).status_code == 403
    assert (await forged(send_request, app, host="evil.test")).status_code == 421
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "QUART_CORS_ALLOWED_HOSTS: '.example.com' begins with a dot" in record.getMessage()


async def test_report_only_has_the_names_of_its_place(send_request):
    """Quart-CORS's names in `cors` and the configuration, the policy's in `CORS`."""
    reports = {}
    own = {"allow_origin": OTHER, "max_age": "5", "allow_credentials": None}
    apps = {"cors": make(), "config": make({"QUART_CORS_REPORT_ONLY": own}), "CORS": make()}
    cors(apps["cors"], allow_origin=PAGE, report_only=own)
    cors(apps["config"], allow_origin=PAGE)
    CORS(apps["CORS"], allow_origins=PAGE, report_only={"allow_origins": OTHER, "max_age": 5})
    for name, app in apps.items():
        found = reports.setdefault(name, [])
        app.extensions["asgi_cors"].reconfigure(on_decision=lambda decision, _, found=found: found.append(decision))
        for origin in (PAGE, OTHER, None):
            assert (await send_request(app, origin=origin)).status_code == 200
    expected = ["would refuse", "would allow", None]
    assert {name: [decision.report for decision in found] for name, found in reports.items()} == dict.fromkeys(
        apps, expected
    )


async def test_reconfigure_replaces_an_option_and_leaves_the_others(send_request):
    """An option that is given no longer follows the configuration."""
    app = make({"QUART_CORS_ALLOWED_HOSTS": "api.test"})
    installation = by_cors(app, allow_origins=PAGE, csrf_protection=True)

    async def statuses():
        return [(await forged(send_request, app, host=host)).status_code for host in ("localhost", "api.test")]

    assert await statuses() == [421, 403]
    installation.reconfigure(allowed_hosts="localhost")
    app.config["QUART_CORS_ENFORCE"] = True
    assert await statuses() == [403, 421]
    installation.reconfigure(installation.policy.replace(csrf_protection=False), enforce=False)
    assert await statuses() == [200, 421]
    app.config["QUART_CORS_ALLOWED_HOSTS"] = "example.com"
    assert await statuses() == [200, 421]


def decorated(**options):
    return route_cors(**options)(make)


def socket(**options):
    return websocket_cors(**options)(make)


def blueprint(**options):
    return cors(Blueprint("bp", __name__), **options)


@pytest.mark.parametrize("option", ["enforce", "allowed_hosts", "report_only", "paths", "policy_for", "on_decision"])
@pytest.mark.parametrize(
    ("install", "place"), [(decorated, "route_cors(make)"), (socket, "websocket_cors(make)"), (blueprint, "cors(bp)")]
)
def test_an_option_of_the_app_is_refused_on_a_view_or_blueprint(install, place, option):
    with pytest.raises(ConfigError) as raised:
        install(**{option: "x"})
    assert str(raised.value) == f"{place}.{option}: {REFUSED}"


MISTAKES = [
    ("csrf_protection", "yes", "'yes' is not "),
    ("csrf_trusted_origins", f"{OTHER}/", f"'{OTHER}/' ends in a slash"),
    ("timing_allow_origin", 1, "1 is not True or False"),
    ("resource_policy", "none", "'none' "),
    ("presets", ["mpc"], ""),
    ("name", 5, "5 is not a string or None"),
]
OF_APP = [
    ("enforce", "yes", "enforce", "'yes' is not "),
    ("allowed_hosts", ".example.com", "allowed_hosts", "'.example.com' begins with a dot"),
    ("report_only", 5, "report_only", "5 is not "),
    ("report_only", {"allow_origin": f"{OTHER}/"}, "report_only.allow_origin", f"'{OTHER}/' ends in a slash"),
    ("report_only", {"orgin": OTHER}, "report_only.orgin", "there is no option of this name"),
    ("report_only", {"allow_origin": "*"}, "report_only.allow_origin", "'*' with allow_credentials"),
]


@pytest.mark.parametrize(("option", "value", "message"), MISTAKES)
def test_a_mistake_in_the_policy_has_the_name_that_the_user_wrote(option, value, message):
    """A key of the configuration, if it is in the configuration."""
    for install, place in [(decorated, "route_cors(make)"), (blueprint, "cors(bp)")]:
        with pytest.raises(ConfigError) as raised:
            install(**{option: value})
        assert str(raised.value).startswith(f"{place}.{option}: {message}")
    with pytest.raises(ConfigError) as raised:
        cors(make(), allow_origin=PAGE, **{option: value})
    assert str(raised.value).startswith(f"cors.{option}: {message}")
    with pytest.raises(ConfigError) as raised:
        cors(make(as_config({option: value})), allow_origin=PAGE)
    assert str(raised.value).startswith(f"QUART_CORS_{option.upper()}: {message}")


@pytest.mark.parametrize(("option", "value", "place", "message"), OF_APP)
def test_a_mistake_in_an_option_of_the_app_has_the_name_that_the_user_wrote(option, value, place, message):
    with pytest.raises(ConfigError) as raised:
        cors(make(), allow_origin=PAGE, allow_credentials=True, **{option: value})
    assert str(raised.value).startswith(f"{place}: {message}")
    key, dot, rest = place.partition(".")
    with pytest.raises(ConfigError) as raised:
        cors(make(as_config({option: value})), allow_origin=PAGE, allow_credentials=True)
    assert str(raised.value).startswith(f"QUART_CORS_{key.upper()}{dot}{rest}: {message}")


def test_a_misspelt_key_names_the_right_one():
    app = make({"QUART_CORS_ALOWED_HOSTS": "api.test"})
    with pytest.raises(ConfigError, match="Did you mean 'QUART_CORS_ALLOWED_HOSTS'"):
        cors(app)


def test_a_risk_of_a_trusted_origin_can_be_accepted():
    risk = "credentials-over-http"
    with pytest.raises(ConfigError, match=risk):
        route_cors(allow_origin=PAGE, csrf_trusted_origins="http://pay.example.net")(make)
    assert route_cors(csrf_trusted_origins="http://pay.example.net", dangerously_allow=risk)(make)


async def test_a_websocket_may_have_a_name(open_websocket, caplog):
    """The log names the policy."""
    caplog.set_level(logging.INFO, "asgi_cors")
    app = make()
    cors(app, allow_origin=PAGE)
    app.websocket("/ws")(websocket_cors(allow_origin=PAGE, name="chat")(make))
    assert await open_websocket(app, origin=EVIL) == 403
    (record,) = [record for record in caplog.records if hasattr(record, "cors_reason")]
    assert record.cors_policy == "chat"


def test_a_path_that_the_configuration_makes_unsafe_is_named():
    app = make({"QUART_CORS_ALLOW_ORIGIN": "*"})
    with pytest.raises(ConfigError, match=r"^paths\['/x'\]\.allow_origins: '\*' with allow_credentials"):
        CORS(app, paths={"/x": {"allow_credentials": True}})
