"""Options by Flask-CORS's names, their defaults, levels and mistakes."""

import re
from datetime import timedelta

import pytest
from flask import Blueprint, Flask

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors_flask import CORS, cross_origin

PAGE = "https://app.example.com"
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
DEFAULT = Policy(allow_origins="*", allow_methods=METHODS, allow_headers="*", max_age=None)


def policy_of(config=None, **options):
    app = Flask("app")
    app.config.update(config or {})
    return CORS(app, **options).policy


def mistakes_of(config=None, **options):
    with pytest.raises(ConfigError) as raised:
        policy_of(config, **options)
    return [str(issue) for issue in raised.value.issues]


def test_the_defaults_are_those_of_flask_cors():
    assert policy_of() == DEFAULT


@pytest.mark.parametrize(
    ("options", "same"),
    [
        pytest.param({"origins": PAGE}, {"allow_origins": [PAGE]}, id="origins: one"),
        pytest.param({"origins": {PAGE}}, {"allow_origins": [PAGE]}, id="origins: a set"),
        pytest.param({"origins": ".*"}, {"allow_origins": "*"}, id="origins: the regex for all"),
        pytest.param({"origins": ["*"]}, {"allow_origins": "*"}, id="origins: a list of the wildcard"),
        pytest.param(
            {"origins": "https://*.example.com"}, {"allow_origins": "https://*.example.com"}, id="origins: a pattern"
        ),
        pytest.param(
            {"origins": [PAGE, r"https://[a-z]+\.example\.com"]},
            {"allow_origins": [PAGE, re.compile(r"https://[a-z]+\.example\.com", re.IGNORECASE)]},
            id="origins: a text that only a regex can be",
        ),
        pytest.param({"methods": "put"}, {"allow_methods": ["PUT"]}, id="methods: one, in lower case"),
        pytest.param({"methods": "PUT, patch"}, {"allow_methods": ["PUT", "PATCH"]}, id="methods: a text"),
        pytest.param({"methods": {"PUT", "PATCH"}}, {"allow_methods": ["PUT", "PATCH"]}, id="methods: a set"),
        pytest.param({"methods": "*"}, {"allow_methods": "*"}, id="methods: all"),
        pytest.param({"allow_headers": "X-A"}, {"allow_headers": ["x-a"]}, id="allow_headers: one"),
        pytest.param({"allow_headers": ["X-A", r"X-B-.*"]}, {"allow_headers": ["x-a", "x-b-*"]}, id="and a regex"),
        pytest.param({"allow_headers": re.compile("^X-B-.+")}, {"allow_headers": "x-b-*"}, id="and a compiled one"),
        pytest.param({"allow_headers": "x-b-*"}, {"allow_headers": "x-b-*"}, id="and our prefix"),
        pytest.param({"allow_headers": r".*"}, {"allow_headers": "*"}, id="and the regex for all"),
        pytest.param({"expose_headers": None}, {"expose_headers": ()}, id="expose_headers: none"),
        pytest.param({"expose_headers": "X-A, X-B"}, {"expose_headers": ["X-A", "X-B"]}, id="expose_headers: a text"),
        pytest.param({"max_age": "600"}, {"max_age": 600}, id="max_age: a text"),
        pytest.param({"max_age": timedelta(minutes=1)}, {"max_age": 60}, id="max_age: a timedelta"),
        pytest.param(
            {"supports_credentials": True, "origins": PAGE},
            {"allow_credentials": True, "allow_origins": PAGE},
            id="supports_credentials",
        ),
        pytest.param({"send_wildcard": False, "automatic_options": False}, {}, id="options that change no policy"),
        pytest.param(
            {"allow_origins": PAGE}, {"allow_origins": PAGE}, id="the policy's own names, on the same defaults"
        ),
        pytest.param(
            {"allow_origin_regex": r"https://[a-z]+\.example\.com"},
            {"allow_origins": (), "allow_origin_regex": r"https://[a-z]+\.example\.com"},
            id="a regex next to the default of every origin",
        ),
        pytest.param(
            {"supports_credentials": True, "dangerously_allow": "credentials-from-any-origin"},
            {"allow_credentials": True, "dangerously_allow": "credentials-from-any-origin"},
            id="risk, by its name",
        ),
    ],
)
def test_an_option_means_the_same_as_in_flask_cors(options, same):
    assert policy_of(**options) == DEFAULT.replace(**same)


def test_a_regex_must_match_the_whole_origin(app, serve):
    """In Flask-CORS it must match only their beginning: `https://shop.example.evil.com` is another site."""
    CORS(app, origins=r"https://\w+\.Example\.com")
    client = serve(app)
    granted = [
        client.get("/", origin).cors.get("access-control-allow-origin")
        for origin in ("https://a.example.com", "https://a.example.com.evil.com", "https://a.b.example.com")
    ]
    assert granted == ["https://a.example.com", None, None]


# -- levels


def test_resources_override_keywords_which_override_the_config(app, serve):
    """The config overrides the defaults."""
    app.config |= {"CORS_MAX_AGE": 1, "CORS_EXPOSE_HEADERS": "X-Config", "CORS_METHODS": ["PUT"]}
    table = {"/r": {"max_age": 3}, "/s": {}}
    CORS(app, origins=PAGE, max_age=2, resources=table)
    client = serve(app)
    for path, max_age in {"/r": "3", "/s": "2"}.items():
        headers = client.preflight(path, PAGE).cors
        assert (headers["access-control-max-age"], headers["access-control-allow-methods"]) == (
            max_age,
            "GET, HEAD, POST, PUT",
        )
        assert client.get(path, PAGE).cors["access-control-expose-headers"] == "X-Config"


def test_config_keys_have_both_names():
    """These are Flask-CORS's name and the policy's."""
    assert policy_of({"CORS_ORIGINS": PAGE}) == policy_of({"CORS_ALLOW_ORIGINS": PAGE}) == policy_of(origins=PAGE)


def test_a_config_key_of_none_is_ignored():
    assert policy_of({"CORS_ORIGINS": None}) == DEFAULT


def test_the_origins_of_a_level_replace_all_origins_below():
    """It does not matter by which names."""
    regex = r"https://[a-z]+\.example\.com"
    below = {"CORS_ORIGINS": PAGE}
    assert policy_of(below, allow_origin_regex=regex) == policy_of(allow_origin_regex=regex)
    assert policy_of({"CORS_ALLOW_ORIGIN_REGEX": regex}, origins=PAGE) == policy_of(origins=PAGE)


def test_the_config_is_parsed_when_the_app_is_bound():
    cors, app = CORS(), Flask("app")
    app.config["CORS_ORIGINS"] = PAGE
    cors.init_app(app)
    assert cors.policy == policy_of(origins=PAGE)


# -- mistakes


def test_credentials_for_every_origin_are_refused_with_a_hint():
    (mistake,) = mistakes_of(supports_credentials=True)
    assert mistake.startswith("origins: '*' with supports_credentials: ")
    assert "origins=['https://app.example.com']" in mistake


NO_SUCH = "there is no option of this name"
ONE = "are the same option. Write one of them."
NO_NAMES = "is a regular expression, not a name or a prefix. Write the names, or a prefix such as 'x-company-*'."
NO_REGEX = (
    "is not a path pattern or a valid regular expression (missing ), unterminated subpattern at position 21). "
    "If a regular expression is meant, write re.compile(r'…')."
)


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({"origin": "*"}, f"origin: {NO_SUCH}. Did you mean 'origins'?"),
        ({"orgins": PAGE}, f"orgins: {NO_SUCH}. Did you mean 'origins'?"),
        ({"resources": {"/a": {"orign": PAGE}}}, f"resources['/a'].orign: {NO_SUCH}. Did you mean 'origins'?"),
        ({"origins": PAGE, "allow_origins": PAGE}, f"origins: origins and allow_origins {ONE}"),
        (
            {"supports_credentials": False, "allow_credentials": False},
            f"supports_credentials: supports_credentials and allow_credentials {ONE}",
        ),
        ({"methods": 5}, "methods: 5 is not a name, or a list of names. Use a name, or a list of names."),
        ({"send_wildcard": "yes"}, "send_wildcard: 'yes' is not True or False. Leave it out."),
        (
            {"allow_headers": ["X-A", "X-(A|B)"]},
            f"allow_headers: 'X-(A|B)' {NO_NAMES}",
        ),
        (
            {"origins": "https://*.example.com("},
            f"origins: 'https://*.example.com(' {NO_REGEX}",
        ),
        (
            {"resources": 5},
            "resources: 5 is not a path, or a list or mapping of paths. Write resources={'/api/*': {'origins': […]}}.",
        ),
        (
            {"resources": {"/a": 5}},
            (
                "resources['/a']: 5 is not a mapping of options, a Policy or None."
                " Use a dict of options, such as {'max_age': 60}, a Policy, or None."
            ),
        ),
    ],
)
def test_a_mistake_is_refused_with_a_hint(options, mistake):
    assert mistakes_of(**options) == [mistake]


def test_an_unknown_option_unlike_any_other_lists_the_known_ones():
    (mistake,) = mistakes_of(resources={"/a": {"zzz": 1}})
    assert mistake.startswith(f"resources['/a'].zzz: {NO_SUCH}. Known: allow_credentials, allow_headers, ")


def test_all_mistakes_are_reported_at_once():
    """These are unknown names and invalid values, of keywords and of resources."""
    found = mistakes_of(orgins=PAGE, origins=f"{PAGE}/", max_age=-1, resources={"/a": {"origns": 1}, "/b": 5})
    assert [line.partition(":")[0] for line in found] == [
        "orgins",
        "resources['/a'].origns",
        "resources['/b']",
        "origins",
        "max_age",
    ]


def test_mistakes_of_all_resources_are_reported_at_once():
    found = mistakes_of(resources={"/a": {"origins": "a"}, "/b": {"supports_credentials": True}})
    assert [line.partition(" ")[0] for line in found] == ["resources['/a'].origins:", "resources['/b'].origins:"]


def test_mistakes_are_found_without_an_app():
    """CORS(…) finds them before init_app. Those that depend on the config are left to that."""
    with pytest.raises(ConfigError, match="slash"):
        CORS(origins=f"{PAGE}/")
    assert CORS(supports_credentials=True)


def test_an_unknown_config_key_raises_a_warning():
    """An app may have its own keys with this prefix."""
    with pytest.warns(ConfigWarning, match="CORS_ORIGIN: there is no option.*CORS_ORIGINS"):
        assert policy_of({"CORS_ORIGIN": "x"}, origins=PAGE).allow_origins == (PAGE,)


def blueprint():
    found = Blueprint("bp", "bp")
    CORS(found)
    return found


def decorated(app):
    app.add_url_rule("/", "view", cross_origin(lambda: "view"))
    app.test_client().get("/")


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize(
    "install",
    [CORS, lambda app: app.register_blueprint(blueprint())],
    ids=["CORS(app)", "CORS(blueprint)"],
)
def test_an_unknown_config_key_is_refused_if_no_origins_are_given(install):
    """It may be a misspelt CORS_ORIGINS, and the default is every origin."""
    app = Flask("app")
    app.testing = True
    app.config["CORS_ORIGIN"] = PAGE
    with pytest.raises(ConfigError, match=r"CORS_ORIGIN: .*Did you mean 'CORS_ORIGINS'\?"):
        install(app)


@pytest.mark.parametrize(
    "option",
    [{"vary_header": False}, {"always_send": False}, {"send_wildcard": True}, {"intercept_exceptions": False}],
    ids=str,
)
def test_an_option_without_effect_raises_a_warning(option):
    (name,) = option
    with pytest.warns(ConfigWarning, match=f"{name}: .* has no effect: .*Leave it out"):
        assert policy_of(**option) == DEFAULT


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ({"origins": r"https://shop*.example.com"}, r"'p\*' matches any number of 'p'.*'https://shop.*.example.com'"),
        ({"resources": "/v[12]/item*"}, r"'m\*' matches any number of 'm'"),
        ({"resources": "/a/*/b"}, r"'/\*' matches any number of '/'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*dot")
def test_a_wildcard_star_in_a_regex_raises_a_warning(options, warning):
    with pytest.warns(ConfigWarning, match=warning):
        policy_of(**options)


def test_a_warning_points_at_the_line_of_the_app():
    with pytest.warns(ConfigWarning, match="has no effect") as warned:
        CORS(Flask("app"), send_wildcard=True)
    assert warned[0].filename == __file__


# -- options against forged requests, rebinding and leaks

OTHER = "https://other.example.net"
PROTECTION = {
    "csrf_protection": True,
    "csrf_trusted_origins": [OTHER],
    "timing_allow_origin": True,
    "resource_policy": "same-site",
    "presets": ["mcp"],
    "name": "public-api",
}
OF_APP = {"enforce": True, "allowed_hosts": ["localhost"], "report_only": {"origins": OTHER}}
REFUSED = "this option applies to the whole app, not to a view or path. Write it in CORS(app, …)."


def as_config(options):
    return {f"CORS_{name.upper()}": value for name, value in options.items()}


def test_each_option_of_the_policy_is_a_keyword_and_a_key_of_the_config():
    expected = DEFAULT.replace(**PROTECTION)
    for policy in (policy_of(**PROTECTION), policy_of(as_config(PROTECTION))):
        assert policy == expected
        assert (policy.presets, policy.name) == (("mcp",), "public-api")


def test_a_level_overrides_the_protection_of_the_levels_below(app, serve):
    """The level of a view is the decorator. It overrides the config only."""
    app.config["CORS_CSRF_PROTECTION"] = True
    CORS(app, origins=PAGE, resources={"/*": {}, "/off": {"csrf_protection": False}})
    views = {"config": cross_origin, "off-here": cross_origin(csrf_protection=False)}
    for path, decorate in views.items():
        app.add_url_rule(f"/{path}", path, decorate(lambda: "done"), methods=["POST"])
    app.add_url_rule("/off", "off", lambda: "done", methods=["POST"])
    app.add_url_rule("/on", "on", lambda: "done", methods=["POST"])
    client = serve(app)
    paths = ("/on", "/off", "/config", "/off-here")
    assert [client.request("POST", path, OTHER).status for path in paths] == [403, 200, 403, 200]


@pytest.mark.parametrize("config", [False, True], ids=["keywords", "config"])
def test_each_option_of_the_app_is_a_keyword_and_a_key_of_the_config(app, serve, config):
    decisions = []
    app.config.update(as_config(OF_APP) if config else {})
    options = {} if config else OF_APP
    CORS(app, origins=PAGE, **options, on_decision=lambda decision, _: decisions.append(decision))
    app.add_url_rule("/", "view", lambda: "done")
    client = serve(app)
    assert client.get("/", PAGE, host="evil.test").status == 421
    assert client.get("/", "https://evil.example").status == 403
    assert client.get("/", PAGE).status == 200
    assert [decision.report for decision in decisions] == [None, None, "would refuse"]


@pytest.mark.parametrize("names", [("origins", "methods"), ("allow_origins", "allow_methods")], ids=["Flask's", "ours"])
def test_report_only_has_the_names_of_the_other_options(app, serve, names):
    """It is merged over the base policy; its origins replace all others."""
    decisions = []
    own = dict(zip(names, ([OTHER], ["PUT"]), strict=True))
    CORS(
        app,
        allow_origin_regex=r"https://[a-z]+\.example\.com",
        methods=[],
        report_only=own,
        on_decision=lambda decision, _: decisions.append(decision),
    )
    client = serve(app)
    client.get("/", PAGE)
    client.get("/", OTHER)
    client.preflight("/", OTHER)
    client.get("/")
    assert [decision.report for decision in decisions] == ["would refuse", "would allow", "would allow", None]


def test_report_only_is_compared_with_the_policy_of_every_path(app, serve):
    decisions = []
    resources = {"/*": {"origins": PAGE}, "/a": {"origins": PAGE, "max_age": 1}}
    CORS(
        app,
        resources=resources,
        report_only={"csrf_protection": True},
        on_decision=lambda decision, _: decisions.append(decision),
    )
    app.add_url_rule("/<path>", "view", lambda path: path, methods=["POST"])
    client = serve(app)
    for path in ("/a", "/b"):
        assert client.request("POST", path, OTHER).status == 200
    assert [decision.report for decision in decisions] == [None, "would refuse"]


@pytest.mark.parametrize("value", [{"origins": OTHER}, Policy(allow_origins=OTHER)], ids=["options", "a policy"])
@pytest.mark.parametrize("resources", ["/a/*", {"/a": {}}, {"/*": None}], ids=str)
def test_report_only_without_a_policy_of_every_path_raises_a_warning(value, resources):
    with pytest.warns(ConfigWarning, match=r"report_only: it has no effect: .* Add '/\*' to resources"):
        policy_of(origins=PAGE, resources=resources, report_only=value)


def test_reconfigure_replaces_an_option_and_leaves_the_others(app, serve):
    cors = CORS(app, origins=PAGE, csrf_protection=True, allowed_hosts="localhost", enforce="report")
    app.add_url_rule("/", "form", lambda: "done", methods=["POST"])
    client = serve(app)

    def statuses():
        return [client.request("POST", "/", OTHER, host=host).status for host in ("localhost", "api.test")]

    assert statuses() == [403, 421]
    cors.reconfigure(allowed_hosts=["api.test"])
    assert statuses() == [421, 403]
    cors.reconfigure(csrf_protection="report")
    assert statuses() == [421, 200]
    cors.reconfigure(allowed_hosts=None, report_only={"csrf_protection": True})
    assert statuses() == [200, 200]
    cors.reconfigure(Policy(allow_origins=PAGE, csrf_protection=True), enforce=False)
    assert statuses() == [403, 403]
    with pytest.raises(ConfigError, match="csrf_protection: 'yes'"):
        cors.reconfigure(csrf_protection="yes")
    assert statuses() == [403, 403]


def decorate(**options):
    return cross_origin(**options)


def blueprint_with(**options):
    return CORS(Blueprint("bp", "bp"), **options)


@pytest.mark.parametrize("option", [*OF_APP, "policy_for", "on_decision"])
def test_an_option_of_the_app_is_refused_on_a_view_or_path(option):
    value = OF_APP.get(option, print)
    with pytest.raises(ConfigError) as of_view:
        decorate(**{option: value})
    assert str(of_view.value) == f"{option}: {REFUSED}"
    assert mistakes_of(resources={"/a": {option: value}}) == [f"resources['/a'].{option}: {REFUSED}"]
    assert mistakes_of(origins=PAGE, report_only={option: value}) == [f"report_only.{option}: {REFUSED}"]
    with pytest.raises(
        ConfigError, match=rf"{option}: a blueprint does not have this option\. Write it in CORS\(app\)"
    ):
        blueprint_with(**{option: value})


MISTAKES = [
    ({"csrf_protection": "yes"}, "csrf_protection: 'yes' is not "),
    ({"csrf_trusted_origins": f"{OTHER}/"}, f"csrf_trusted_origins: '{OTHER}/' ends in a slash"),
    ({"csrf_trusted_origins": "*"}, "csrf_trusted_origins: '*' "),
    ({"timing_allow_origin": 1}, "timing_allow_origin: 1 is not True or False"),
    ({"resource_policy": "none"}, "resource_policy: 'none' "),
    ({"presets": ["mpc"]}, "presets: "),
    ({"name": 5}, "name: 5 is not a string or None"),
    ({"enforce": "yes"}, "enforce: 'yes' is not "),
    ({"allowed_hosts": ".example.com"}, "allowed_hosts: '.example.com' begins with a dot"),
    ({"allowed_hosts": 5}, "allowed_hosts: 5 is not "),
    ({"report_only": 5}, "report_only: 5 is not "),
    ({"report_only": {"origins": f"{OTHER}/"}}, f"report_only.origins: '{OTHER}/' ends in a slash"),
    ({"report_only": {"orgins": OTHER}}, "report_only.orgins: there is no option of this name. Did you mean 'origins'"),
    ({"report_only": {"methods": 5}}, "report_only.methods: 5 is not a name, or a list of names"),
]


@pytest.mark.parametrize(("options", "mistake"), MISTAKES)
def test_a_mistake_has_the_name_that_the_user_wrote(options, mistake):
    """A key of the config, if it is in the config."""
    (found,) = mistakes_of(origins=PAGE, **options)
    assert found.startswith(mistake)
    (found,) = mistakes_of({"CORS_ORIGINS": PAGE, **as_config(options)})
    option, _, rest = mistake.partition(":")
    name, dot, of_report = option.partition(".")
    assert found.startswith(f"CORS_{name.upper()}{dot}{of_report}:{rest}")


def test_a_combination_that_only_the_merged_options_have_is_found():
    """The hint has the user's names."""
    (mistake,) = mistakes_of(origins=PAGE, supports_credentials=True, report_only={"origins": "*"})
    assert mistake.startswith("report_only.origins: '*' with supports_credentials: ")


def test_mistakes_of_the_config_have_the_keys_of_the_config():
    found = mistakes_of({"CORS_MAX_AGE": -1, "CORS_SEND_WILDCARD": 5, "CORS_RESOURCES": {"/a": {"orign": 1}}})
    assert {line.partition(": ")[0] for line in found} == {
        "CORS_SEND_WILDCARD",
        "CORS_RESOURCES['/a'].orign",
        "CORS_MAX_AGE",
    }
