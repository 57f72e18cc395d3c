"""The system checks: their ids, and the settings and middlewares that they name."""

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from asgi_cors import Policy
from asgi_cors_django import cors_exempt, cross_origin

from .views.site import OTHER, OURS, PAGE, urlconf

COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"
SUBCLASS = "tests.adapters.django.middlewares.OurSubclass"


def view(_):
    return HttpResponse()


def found(*patterns, middleware=(OURS,), **options):
    """Return the messages of the checks, by id."""
    options = {"ROOT_URLCONF": urlconf([*patterns]), "MIDDLEWARE": [*middleware], "DEBUG": False, **options}
    with override_settings(**options):
        messages = run_checks(tags=["security"])
    return {message.id: message for message in messages if message.id.startswith("asgi_cors.")}


def test_valid_settings_have_no_message():
    assert found(CORS_ALLOWED_ORIGINS=[PAGE]) == {}
    assert found(middleware=[OURS, COMMON, CSRF], CORS_ALLOWED_ORIGINS=[PAGE]) == {}


def test_a_mistake_in_a_setting_is_an_error():
    message = found(CORS_ALLOWED_ORIGINS=["app.example.com"])["asgi_cors.E001"]
    assert message.obj == "CORS_ALLOWED_ORIGINS"
    assert message.hint == "Write 'https://app.example.com'."
    assert "has no scheme" in message.msg


def test_a_decorator_that_hides_the_policy_of_a_view_is_a_warning():
    def hiding(request):
        return own(request)

    own = cross_origin(allow_origins=[PAGE])(view)
    messages = found(path("x", hiding))
    assert {*messages} == {"asgi_cors.W009"}
    assert "functools.wraps" in messages["asgi_cors.W009"].hint
    assert "hiding' hides the policy of the view that it calls" in messages["asgi_cors.W009"].msg


def test_a_decorator_that_hides_an_exemption_is_a_warning():
    def hiding(request):
        return exempt(request)

    exempt = cors_exempt(view)
    message = found(path("x", hiding))["asgi_cors.W009"]
    assert (message.obj, message.hint[-27:]) == ("cors_exempt", "write cors_exempt above it.")


def test_a_mistake_does_not_change_the_policy_in_force(serve):
    site = serve(path("x", view))
    with override_settings(CORS_ALLOWED_ORIGINS=["app.example.com"]):
        run_checks(tags=["security"])
    assert site.send("/x", PAGE).allowed_origin == PAGE


def test_a_probable_mistake_is_a_warning():
    message = found(CORS_ALLOWED_ORIGINS=[])["asgi_cors.W001"]
    assert message.obj == "CORS_ALLOWED_ORIGINS"


def test_an_unknown_setting_is_a_warning():
    message = found(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ENFROCE=True)["asgi_cors.W002"]
    assert (message.obj, message.hint) == ("CORS_ENFROCE", "Did you mean 'CORS_ENFORCE'?")


@pytest.mark.parametrize("setting", ["CORS_MODEL", "CORS_REPLACE_HTTPS_REFERER"])
def test_a_setting_of_an_old_version_is_a_warning_to_delete_it(setting):
    message = found(CORS_ALLOWED_ORIGINS=[PAGE], **{setting: "x"})["asgi_cors.W002"]
    assert (message.obj, message.hint) == (setting, "Delete it.")


def test_the_policy_of_a_view_is_checked_with_the_trusted_origins():
    protected = path("x", cross_origin(Policy(allow_origins=[PAGE], csrf_protection=True))(view))
    messages = found(protected, CORS_ALLOWED_ORIGINS=[PAGE], CSRF_TRUSTED_ORIGINS=["http://pay.example"])
    assert "csrf_trusted_origins" in messages["asgi_cors.E002"].msg


def test_a_probable_mistake_of_a_view_is_a_warning():
    with pytest.warns(UserWarning, match="allow_private_network"):
        decorated = cross_origin(allow_origins=[PAGE], allow_private_network=True)(view)
    message = found(path("x", decorated), CORS_ALLOWED_ORIGINS=[PAGE])["asgi_cors.W003"]
    assert "allow_private_network" in message.msg


def test_an_exempt_view_is_not_a_mistake():
    assert found(path("x", cors_exempt(lambda _: HttpResponse())), CORS_ALLOWED_ORIGINS=[PAGE]) == {}


def test_two_middlewares_are_an_error():
    assert "asgi_cors.E003" in found(middleware=[OURS, SUBCLASS], CORS_ALLOWED_ORIGINS=[PAGE])


@pytest.mark.parametrize("middleware", [["corsheaders.middleware.CorsMiddleware", OURS]])
def test_django_cors_headers_at_the_same_time_is_an_error(middleware):
    message = found(middleware=middleware, CORS_ALLOWED_ORIGINS=[PAGE])["asgi_cors.E004"]
    assert "corsheaders.middleware.CorsMiddleware" in message.msg


def test_the_checks_of_django_cors_headers_at_the_same_time_are_a_warning(monkeypatch):
    from django.conf import settings  # noqa: PLC0415 - the name is changed

    monkeypatch.setattr(settings, "INSTALLED_APPS", ["corsheaders"])
    assert "asgi_cors.W007" in found(CORS_ALLOWED_ORIGINS=[PAGE])


def test_settings_without_the_middleware_are_a_warning():
    assert list(found(middleware=[COMMON, "no.such.Middleware"], CORS_ALLOWED_ORIGINS=[PAGE])) == ["asgi_cors.W004"]


def test_decorated_views_without_the_middleware_are_a_warning():
    decorated = path("x", cross_origin(allow_origins=[PAGE])(view))
    assert list(found(decorated, middleware=[])) == ["asgi_cors.W004"]


def test_a_project_without_cors_has_no_message():
    assert found(middleware=[COMMON]) == {}


def test_a_middleware_without_settings_is_a_warning():
    assert list(found()) == ["asgi_cors.W005"]


@pytest.mark.parametrize("above", [COMMON, "whitenoise.middleware.WhiteNoiseMiddleware"])
def test_a_middleware_above_that_makes_responses_is_a_warning(above):
    message = found(middleware=[above, OURS], CORS_ALLOWED_ORIGINS=[PAGE])["asgi_cors.W006"]
    assert above in message.msg


def test_redirects_of_the_security_middleware_count():
    assert found(middleware=[SECURITY, OURS], CORS_ALLOWED_ORIGINS=[PAGE]) == {}
    messages = found(middleware=[SECURITY, OURS], CORS_ALLOWED_ORIGINS=[PAGE], SECURE_SSL_REDIRECT=True)
    assert list(messages) == ["asgi_cors.W006"]


@pytest.mark.parametrize(
    ("origins", "trusted", "refused"),
    [
        ([PAGE, OTHER], [], [PAGE, OTHER]),
        ([PAGE, OTHER], [OTHER], [PAGE]),
        ([PAGE, OTHER], [PAGE, OTHER], []),
        ([PAGE], ["https://*.example.com"], []),
        (["https://example.com"], ["https://*.example.com"], []),
        (["https://*.example.com"], ["https://*.example.com"], []),
        (["https://*.example.com"], [], ["https://*.example.com"]),
        (["http://localhost:3000"], ["https://*.example.com"], ["http://localhost:3000"]),
        ([lambda _: True], [], []),
    ],
)
def test_an_origin_that_django_refuses_is_a_warning(origins, trusted, refused):
    options = {"CORS_ALLOWED_ORIGINS": origins, "CORS_ALLOW_CREDENTIALS": True, "CSRF_TRUSTED_ORIGINS": trusted}
    messages = found(middleware=[OURS, CSRF], **options)
    assert list(messages) == (["asgi_cors.W008"] if refused else [])
    if refused:
        assert messages["asgi_cors.W008"].hint == f"Write CSRF_TRUSTED_ORIGINS = {[*trusted, *refused]!r}."


def test_the_hint_has_only_origins_that_django_can_trust():
    origins = [PAGE, "http://localhost:*", "https://*.example.org"]
    options = {"CORS_ALLOWED_ORIGINS": origins, "CORS_ALLOW_CREDENTIALS": True}
    messages = found(middleware=[OURS, CSRF], **options)
    assert messages["asgi_cors.W008"].hint == f"Write CSRF_TRUSTED_ORIGINS = {[PAGE, 'https://*.example.org']!r}."
    trusted = [PAGE, "http://localhost:*", "https://*.example.org"]  # Django does not understand the port
    messages = found(middleware=[OURS, CSRF], CSRF_TRUSTED_ORIGINS=trusted, **options)
    assert "with cookies: 'http://localhost:*'." in messages["asgi_cors.W008"].msg
    assert messages["asgi_cors.W008"].hint.startswith("Name each origin")


def test_origins_of_a_view_that_django_refuses_are_a_warning():
    decorated = path("x", cross_origin(allow_origins=[OTHER], allow_credentials=True)(view))
    messages = found(decorated, middleware=[OURS, CSRF], CORS_ALLOWED_ORIGINS=[PAGE])
    assert OTHER in messages["asgi_cors.W008"].msg


def test_the_checks_run_without_urls():
    with override_settings(MIDDLEWARE=[OURS], CORS_ALLOWED_ORIGINS=["x"], ROOT_URLCONF=None):
        assert [message.id for message in run_checks(tags=["security"]) if "asgi_cors" in message.id] == [
            "asgi_cors.E001"
        ]
