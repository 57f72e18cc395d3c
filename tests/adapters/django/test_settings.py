"""The settings: their names, values and mistakes, and changes while the app serves."""

import re
import subprocess
import sys
import threading
import warnings

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.functional import SimpleLazyObject

from asgi_cors import ConfigError, ConfigWarning, MiddlewareOptions, Policy, explain
from asgi_cors_django import installation

from .views.site import OTHER, OURS, PAGE

API = "https://api.example.com"


def view(_):
    return HttpResponse("hello")


def readers(site, path="/x"):
    """Return the origins that may read a path."""
    return [origin for origin in (PAGE, OTHER) if site.send(path, origin).allowed_origin]


@pytest.fixture
def load():
    """Return a function that reads settings, and returns the policy. No other CORS_* settings are there."""

    def read(**changed):
        with override_settings(**changed):
            installation.load()
            return installation.configuration.policy

    return read


@pytest.fixture
def mistakes(load):
    """Return a function that reads settings, and returns the settings that have a mistake, with the codes."""

    def read(**changed):
        with pytest.raises(ConfigError) as caught:
            load(**changed)
        return [(issue.option, issue.code) for issue in caught.value.issues]

    return read


# -- the settings of django-cors-headers


@pytest.mark.parametrize("name", ["CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST", "CORS_ALLOW_ORIGINS"])
def test_each_name_of_the_origins_is_read(load, name):
    assert load(**{name: [PAGE]}).allow_origins == (PAGE,)


@pytest.mark.parametrize("name", ["CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST"])
@pytest.mark.parametrize("regex", [r"^https://\w+\.example\.com$", re.compile(r"https://\w+\.example\.com")])
def test_a_regex_allows_origins(load, name, regex):
    policy = load(**{name: [regex]})
    assert [explain(policy, "GET", each).allowed for each in (API, OTHER)] == [True, False]


def test_a_regex_must_match_the_whole_origin(load):
    policy = load(CORS_ALLOWED_ORIGIN_REGEXES=[r"^https://app\.example\.com"])
    assert not explain(policy, "GET", "https://app.example.com.evil.example").allowed


def test_regexes_are_added_to_the_origins(load):
    policy = load(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOWED_ORIGIN_REGEXES=[r"https://api\.example\.com"])
    assert [explain(policy, "GET", each).allowed for each in (PAGE, API, OTHER)] == [True, True, False]


def test_regexes_are_added_to_a_single_origin(load):
    policy = load(CORS_ALLOW_ORIGINS=PAGE, CORS_ALLOWED_ORIGIN_REGEXES=[r"https://api\.example\.com"])
    assert [explain(policy, "GET", each).allowed for each in (PAGE, API, OTHER)] == [True, True, False]


@pytest.mark.parametrize("name", ["CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"])
def test_all_origins_are_allowed(load, name):
    assert load(**{name: True}).allow_origins == "*"


def test_not_all_origins_are_allowed(load):
    assert load(CORS_ALLOW_ALL_ORIGINS=False, CORS_ALLOWED_ORIGINS=[PAGE]).allow_origins == (PAGE,)


def test_other_settings_of_origins_have_no_effect_if_all_are_allowed(load):
    with pytest.warns(ConfigWarning, match="CORS_ALLOWED_ORIGINS has no effect"):
        policy = load(CORS_ALLOW_ALL_ORIGINS=True, CORS_ALLOWED_ORIGINS=[PAGE])
    assert policy.allow_origins == "*"


def test_the_defaults_are_those_of_django_cors_headers(load):
    policy = load(CORS_ALLOWED_ORIGINS=[PAGE])
    assert set(policy.allow_methods) == {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"}
    names = {"accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with"}
    assert set(policy.allow_headers) == names
    assert (policy.max_age, policy.allow_credentials, policy.allow_private_network) == (86400, False, False)


def test_each_option_has_its_setting(load):
    policy = load(
        CORS_ALLOWED_ORIGINS=[PAGE],
        CORS_ALLOW_METHODS=["PURGE"],
        CORS_ALLOW_HEADERS=["x-own"],
        CORS_EXPOSE_HEADERS=["X-Total"],
        CORS_ALLOW_CREDENTIALS=True,
        CORS_PREFLIGHT_MAX_AGE=60,
        CORS_NAME="settings",
    )
    assert policy == Policy(
        allow_origins=[PAGE],
        allow_methods=["PURGE"],
        allow_headers=["x-own"],
        expose_headers=["X-Total"],
        allow_credentials=True,
        max_age=60,
        name="settings",
    )


def test_a_private_network_may_be_allowed(load):
    with pytest.warns(ConfigWarning, match="CORS_ALLOW_PRIVATE_NETWORK: browsers no longer request it"):
        assert load(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_PRIVATE_NETWORK=True).allow_private_network


@pytest.mark.parametrize("age", [0, None])
def test_no_preflight_max_age_is_sent(load, age):
    assert load(CORS_ALLOWED_ORIGINS=[PAGE], CORS_PREFLIGHT_MAX_AGE=age).max_age is None


def test_our_max_age_of_0_disables_caching(load):
    assert load(CORS_ALLOWED_ORIGINS=[PAGE], CORS_MAX_AGE=0).max_age == 0


@pytest.mark.parametrize(
    ("regex", "served"),
    [
        (r"^/api/.*$", ["/api/x", "/api/"]),
        (r"^/api/", ["/api/x", "/api/"]),
        (r"/api/x", ["/api/x"]),
        (r"^/(api|web)/x$", ["/api/x", "/web/x"]),
        (r"^/api/x$|^/web", ["/api/x", "/web/x"]),
        (r"(?i)^/API/", ["/api/x", "/api/"]),
        (re.compile("^/api/  # all of them", re.VERBOSE), ["/api/x"]),
        (r"^.*$", ["/api/x", "/api/", "/web/x"]),
        (r"^/$", []),
        (r"^/api/$|^/web/", ["/api/", "/web/x"]),
        (r"^/[a|]pi/", ["/api/x", "/api/"]),
        (r"^\/api\/", ["/api/x", "/api/"]),
        (SimpleLazyObject(lambda: "^/api/"), ["/api/x", "/api/"]),
        (r"^/\\/|^/web/x", ["/web/x"]),
    ],
)
def test_only_urls_that_match_have_the_policy(serve, regex, served):
    paths = ("/api/x", "/api/", "/web/x")
    site = serve(*(path(each[1:], view) for each in paths), CORS_URLS_REGEX=regex)
    assert [each for each in paths if site.send(each, PAGE).allowed_origin] == served


def test_a_url_that_does_not_match_has_the_headers_of_its_view(serve):
    own = lambda _: HttpResponse(headers={"Access-Control-Allow-Origin": "*"})  # noqa: E731
    site = serve(path("x", own), CORS_URLS_REGEX="^/api/")
    assert site.send("/x", OTHER).cors == {"access-control-allow-origin": "*"}
    assert site.preflight("/x", OTHER).cors == {"access-control-allow-origin": "*"}


def test_paths_may_have_policies_besides_the_regex(serve):
    paths = {"/web/x": {"allow_origins": [OTHER]}}
    site = serve(path("api/x", view), path("web/x", view), CORS_URLS_REGEX="^/api/", CORS_PATHS=paths)
    assert (readers(site, "/api/x"), readers(site, "/web/x")) == ([PAGE], [OTHER])


# -- our settings


def test_a_function_decides_by_request(serve):
    def policy_for(scope):
        return Policy(allow_origins=[OTHER]) if scope["path"] == "/x" else NotImplemented

    site = serve(path("x", view), path("y", view), CORS_POLICY_FOR=policy_for)
    assert (readers(site), readers(site, "/y")) == ([OTHER], [PAGE])


def test_without_settings_every_request_is_passed_through(serve):
    own = lambda _: HttpResponse(headers={"Access-Control-Allow-Origin": "*"})  # noqa: E731
    site = serve(path("x", own))
    with override_settings():
        del settings.CORS_ALLOWED_ORIGINS
        installation.invalidate()
        assert site.send("/x", OTHER).cors == {"access-control-allow-origin": "*"}


def test_trusted_origins_are_added_to_the_policy_of_a_path_with_protection(serve):
    options = {"CSRF_TRUSTED_ORIGINS": ["https://pay.example"], "DEBUG": False}
    own = Policy(allow_origins=[PAGE], csrf_protection=True)
    paths = {"/x": {"csrf_protection": True}, "/y": own, "/z": None}
    site = serve(path("x", view), path("y", view), path("z", view), CORS_PATHS=paths, **options)
    for each in ("/x", "/y"):
        assert site.send(each, "https://pay.example", "POST", sec_fetch_site="cross-site").status == 200
        assert site.send(each, OTHER, "POST", sec_fetch_site="cross-site").status == 403
    assert site.send("/z", OTHER, "POST", sec_fetch_site="cross-site").status == 200


@pytest.mark.parametrize("trusted", [None, "https://pay.example", []])
def test_trusted_origins_that_are_not_a_list_are_left_to_django(load, trusted):
    policy = load(CORS_ALLOWED_ORIGINS=[PAGE], CORS_CSRF_PROTECTION=True, CSRF_TRUSTED_ORIGINS=trusted)
    assert policy.csrf_trusted_origins == ()


# -- mistakes


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"CORS_ALLOWED_ORIGINS": ["app.example.com"]}, [("CORS_ALLOWED_ORIGINS", "origin-no-scheme")]),
        ({"CORS_ORIGIN_WHITELIST": [1]}, [("CORS_ORIGIN_WHITELIST", "wrong-type")]),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": ["("]}, [("CORS_ALLOWED_ORIGIN_REGEXES", "regex-syntax")]),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": "https://a"}, [("CORS_ALLOWED_ORIGIN_REGEXES", "wrong-type")]),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": [re.compile(b"a")]}, [("CORS_ALLOWED_ORIGIN_REGEXES", "wrong-type")]),
        ({"CORS_ALLOW_ALL_ORIGINS": "yes"}, [("CORS_ALLOW_ALL_ORIGINS", "wrong-type")]),
        ({"CORS_URLS_REGEX": "("}, [("CORS_URLS_REGEX", "regex-syntax")]),
        ({"CORS_URLS_REGEX": 1}, [("CORS_URLS_REGEX", "wrong-type")]),
        ({"CORS_URLS_REGEX": r"^/(a)pi/|^/(w)eb\2"}, [("CORS_URLS_REGEX", "regex-unsupported")]),
        ({"CORS_URLS_REGEX": r"^/(?P<name>.)pi/|^/web(?P=name)"}, [("CORS_URLS_REGEX", "regex-unsupported")]),
        ({"CORS_URLS_REGEX": r"^/(a)?pi|^/(?(1)a|web)"}, [("CORS_URLS_REGEX", "regex-unsupported")]),
        ({"CORS_URLS_REGEX": "api/"}, [("CORS_URLS_REGEX", "bad-path")]),
        ({"CORS_PATHS": {"x": None}}, [("CORS_PATHS", "bad-path")]),
        ({"CORS_PATHS": 1, "CORS_URLS_REGEX": "^/api/"}, [("CORS_PATHS", "wrong-type")]),
        ({"CORS_PATHS": {"/x": {"max_age": "1"}}}, [("CORS_PATHS['/x'].max_age", "wrong-type")]),
        ({"CORS_REPORT_ONLY": {"max_age": "1"}}, [("CORS_REPORT_ONLY.max_age", "wrong-type")]),
        ({"CORS_MAX_AGE": "1"}, [("CORS_MAX_AGE", "wrong-type")]),
        ({"CORS_PREFLIGHT_MAX_AGE": -1}, [("CORS_PREFLIGHT_MAX_AGE", "negative-max-age")]),
        ({"CORS_POLICY_FOR": 1}, [("CORS_POLICY_FOR", "wrong-type")]),
        ({"CORS_MAX_AGE": 1, "CORS_PREFLIGHT_MAX_AGE": 1}, [("CORS_PREFLIGHT_MAX_AGE", "two-names")]),
        (
            {
                "CORS_PATHS": {"/x": Policy(allow_origins=[PAGE], csrf_protection=True)},
                "CSRF_TRUSTED_ORIGINS": ["http://pay.example"],
            },
            [("CORS_PATHS['/x'].csrf_trusted_origins", "credentials-over-http")],
        ),
        (
            {"CORS_CSRF_PROTECTION": True, "CSRF_TRUSTED_ORIGINS": ["http://pay.example"]},
            [("CSRF_TRUSTED_ORIGINS", "credentials-over-http")],
        ),
    ],
)
def test_a_mistake_names_its_setting(mistakes, changed, found):
    assert mistakes(**({} if "WHITELIST" in str(changed) else {"CORS_ALLOWED_ORIGINS": [PAGE]}) | changed) == found


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"CORS_ALLOWED_ORIGINS": ["https://*.github.io"], "CORS_ALLOW_CREDENTIALS": True},
            "with CORS_ALLOW_CREDENTIALS: .* leave CORS_ALLOW_CREDENTIALS out: .* CORS_DANGEROUSLY_ALLOW = \\[",
        ),
        ({"CORS_POLICY_FOR": 3}, "CORS_POLICY_FOR: .* Leave CORS_POLICY_FOR out"),
        ({"CORS_EXPOSE_HEADERS": ["max_age "]}, "'max_age '"),
        ({"CORS_PATHS": {"/a.b": {"max_age": "x"}}}, r"CORS_PATHS\['/a.b'\].max_age: .* Write max_age="),
    ],
    ids=["settings", "an option alone", "a value", "an option in a dict"],
)
def test_a_message_has_settings_in_place_of_options(load, changed, text):
    with pytest.raises(ConfigError, match=text) as raised:
        load(**changed)
    assert "CORS_MAX_AGE" not in str(raised.value)


def test_two_names_of_the_origins_are_a_mistake(mistakes):
    names = {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_ORIGIN_WHITELIST": [PAGE]}
    assert mistakes(**names) == [("CORS_ORIGIN_WHITELIST", "two-names")]


def test_every_mistake_is_reported_at_once(mistakes):
    found = mistakes(CORS_ALLOWED_ORIGINS=["a"], CORS_MAX_AGE="x", CORS_URLS_REGEX="(", CORS_ENFORCE=3)
    assert {name for name, _ in found} == {"CORS_ALLOWED_ORIGINS", "CORS_MAX_AGE", "CORS_URLS_REGEX", "CORS_ENFORCE"}


def test_credentials_for_every_origin_are_a_mistake(load):
    with pytest.raises(ConfigError, match=r"Name the origins: CORS_ALLOWED_ORIGINS = \["):
        load(CORS_ALLOW_ALL_ORIGINS=True, CORS_ALLOW_CREDENTIALS=True)


def test_an_unknown_setting_is_a_warning_with_the_closest_name(load):
    with pytest.warns(ConfigWarning, match="Did you mean 'CORS_ENFORCE'"):
        load(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ENFROCE=True)


def test_a_warning_of_the_policy_names_its_setting(load):
    with pytest.warns(ConfigWarning, match="CORS_ALLOWED_ORIGINS"):
        load(CORS_ALLOWED_ORIGINS=[])


def test_a_mistake_ends_the_start_of_the_app(serve):
    with pytest.raises(ConfigError, match="CORS_ALLOWED_ORIGINS"):
        serve(path("x", view), CORS_ALLOWED_ORIGINS=["app.example.com"])


def test_every_option_of_the_core_has_a_setting():
    from asgi_cors_django import _options  # noqa: PLC0415 - its names are not public

    assert {f"CORS_{name.upper()}" for name in MiddlewareOptions.__annotations__} <= _options.KNOWN.keys()


# -- changes while the app serves


def test_a_changed_setting_applies_to_the_next_request(serve):
    site = serve(path("x", view))
    with override_settings(CORS_ALLOWED_ORIGINS=[OTHER]):
        assert readers(site) == [OTHER]
    assert readers(site) == [PAGE]


def test_changed_trusted_origins_apply_to_the_next_request(serve):
    site = serve(path("x", view), CORS_CSRF_PROTECTION=True)
    headers = {"sec_fetch_site": "cross-site"}
    assert site.send("/x", OTHER, "POST", **headers).status == 403
    with override_settings(CSRF_TRUSTED_ORIGINS=[OTHER]):
        assert site.send("/x", OTHER, "POST", **headers).status == 200


def test_the_last_valid_policy_stays_if_a_setting_becomes_invalid(serve, caplog):
    site = serve(path("x", view))
    with override_settings(CORS_ALLOWED_ORIGINS=["other.example"]):
        assert (readers(site), readers(site)) == ([PAGE], [PAGE])
    found = [record.getMessage() for record in caplog.records if "last valid policy" in record.getMessage()]
    assert len(found) == 1
    assert "CORS_ALLOWED_ORIGINS" in found[0]


def test_warnings_that_are_errors_do_not_fail_a_request(serve):
    site = serve(path("x", view))
    with warnings.catch_warnings(), override_settings(CORS_UNKNOWN=1):
        warnings.simplefilter("error")
        assert site.send("/x", PAGE).status == 200


def test_a_changed_setting_replaces_a_reconfigured_policy(serve):
    site = serve(path("x", view))
    installation.reconfigure(allow_origins=[OTHER])
    assert readers(site) == [OTHER]
    with override_settings(CORS_MAX_AGE=1):
        assert readers(site) == [PAGE]


def test_another_setting_changes_no_policy(serve):
    site = serve(path("x", view))
    installation.reconfigure(allow_origins=[OTHER])
    with override_settings(APPEND_SLASH=False):
        assert readers(site) == [OTHER]


def test_requests_of_many_threads_are_served_while_the_settings_are_read(serve):
    site, found, start = serve(path("x", view)), [], threading.Barrier(5)

    def send():
        start.wait()
        found.extend(tuple(readers(site)) for _ in range(20))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    while any(thread.is_alive() for thread in threads):
        installation.invalidate()
    for thread in threads:
        thread.join()
    assert found == [(PAGE,)] * 80


# -- processes


def run(*lines):
    """Run a program in a process of its own, and return its output."""
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()


CONFIGURE = (
    "from django.conf import settings",
    f"settings.configure(MIDDLEWARE=[{OURS!r}], CORS_ALLOWED_ORIGINS=[{PAGE!r}], ROOT_URLCONF='none')",
)


def test_the_import_needs_no_settings():
    lines = "import asgi_cors_django", "from django.conf import settings", "print(settings.configured)"
    assert run(*lines) == ["False"]


def test_a_forked_child_follows_the_settings():
    lines = (
        "import os",
        *CONFIGURE,
        "from asgi_cors_django import installation",
        "installation.load()",
        "installation._lock.acquire()  # as another thread of the parent",
        "if os.fork() == 0:",
        "    import threading",
        "    thread = threading.Thread(target=installation.reconfigure, kwargs={'allow_origins': ['https://b.example']})",
        "    thread.start()",
        "    thread.join(20)",
        "    print(*installation.configuration.policy.allow_origins, flush=True)",
        "    os._exit(0)",
        "os.wait()",
    )
    assert run(*lines) == ["https://b.example"]
