"""The system checks: `manage.py check` reports the mistakes in the settings, and those of the middleware's position."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import get_resolver
from django.utils.http import is_same_domain
from django.utils.module_loading import import_string

from asgi_cors import DENY_ALL, EXEMPT, ConfigError, Configuration, ConfigWarning, Issue, Policy

from . import _options
from ._views import attached_for_any_method, attached_to_pattern, hidden_view

_OURS: Final = "asgi_cors_django.middleware.CORSMiddleware"
_OTHERS: Final = ("corsheaders.middleware.CorsMiddleware", "corsheaders.middleware.CorsPostCsrfMiddleware")
# Middlewares that make responses, or replace those of the view.
_RESPONDING: Final = (
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
)
_REDIRECTING: Final = "django.middleware.security.SecurityMiddleware"  # with SECURE_SSL_REDIRECT

Messages = Iterator[checks.CheckMessage]


def check_cors(app_configs: object = None, **_: object) -> list[checks.CheckMessage]:  # noqa: ARG001 - the signature of checks
    """Check the settings, the policies of views and the position of the middleware.

    Args:
        app_configs: The apps to check. They do not matter, because the settings are those of the whole project.

    Returns:
        The messages, with the ids `asgi_cors.E001` to `E004` and `asgi_cors.W001` to `W009`.
    """
    parsed = _options.parse_settings()
    configuration = Configuration(DENY_ALL, paths=_options.PASS_THROUGH, is_placeholder=True)
    found: list[checks.CheckMessage] = []
    try:
        parsed.apply(configuration)
    except ConfigError as error:
        found += (_error("E001", issue) for issue in error.issues)
    found += (_warning("W002" if issue.code == "unknown-option" else "W001", issue) for issue in parsed.warnings)
    views = [key for key in registered_policies() if key is not EXEMPT]
    policies = list(_view_policies(views, found)) if views else []
    hidden = hidden_views()
    found += (_warning("W009", issue) for issue in hidden)
    is_used = bool(parsed.names or views or hidden)
    return [*found, *_check_middleware(is_used=is_used), *_check_csrf([configuration.policy, *policies])]


def _error(number: str, issue: Issue) -> checks.CheckMessage:
    return checks.Error(f"{issue.message}.", hint=issue.hint or None, obj=issue.option, id=f"asgi_cors.{number}")


def _warning(number: str, issue: Issue) -> checks.CheckMessage:
    return checks.Warning(f"{issue.message}.", hint=issue.hint or None, obj=issue.option, id=f"asgi_cors.{number}")


# -- views


def registered_policies() -> list[Any]:
    """Return the policies of all views and includes."""
    found: dict[Any, None] = {}
    for pattern in _url_patterns():
        found |= dict.fromkeys(attached_for_any_method(getattr(pattern, "callback", None)))
        found |= dict.fromkeys(attached_to_pattern(pattern))
    return [*found]


def hidden_views() -> list[Issue]:
    """Return an issue for each view whose policy is hidden by a decorator above it."""
    views = [getattr(each, "callback", None) for each in _url_patterns()]
    return [_hidden_issue(view, hidden) for view in views if (hidden := hidden_view(view)) is not None]


def _hidden_issue(view: object, hidden: object) -> Issue:
    name = getattr(view, "__qualname__", type(view).__qualname__)
    policy = next(attached_for_any_method(hidden))
    message = f"{name!r} hides the policy of the view that it calls ({policy}), so preflights have another one"
    hint = f"Use functools.wraps in the decorator, or write {policy.place} above it."
    return Issue("hidden-policy", policy.place, view, message, hint)


def _url_patterns() -> Iterator[Any]:
    """Yield all patterns of `ROOT_URLCONF`; none without it."""
    if getattr(settings, "ROOT_URLCONF", None):
        yield from _with_included(get_resolver().url_patterns, set())


def _with_included(patterns: Iterable[Any], seen: set[int]) -> Iterator[Any]:
    """Yield patterns, and those that they include, each list once."""
    for pattern in patterns:
        yield pattern
        included = getattr(pattern, "url_patterns", ())
        if id(included) not in seen:
            seen.add(id(included))
            yield from _with_included(included, seen)


def _view_policies(keys: Iterable[Any], found: list[checks.CheckMessage]) -> Iterator[Policy]:
    """Yield the policies of views, and add the messages of their mistakes."""
    for key in keys:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                policy: Any = key.policy  # None only for `EXEMPT`
                policy = policy.replace(name=policy.name)  # it is validated again, with its warnings
                yield _options.with_trusted_origins(policy)
            except ConfigError as error:
                found += (_of_view("E002", key, issue, checks.Error) for issue in error.issues)
        issues = (each.message.issue for each in caught if isinstance(each.message, ConfigWarning))
        found += (_of_view("W003", key, issue, checks.Warning) for issue in issues)


def _of_view(number: str, key: object, issue: Issue, level: Any) -> checks.CheckMessage:
    message: checks.CheckMessage = level(f"{issue}", obj=key, id=f"asgi_cors.{number}")
    return message


# -- the middleware


def _check_middleware(*, is_used: bool) -> Messages:
    """Check that the middleware is there once, above those that make responses."""
    names = [*settings.MIDDLEWARE]
    positions = [position for position, name in enumerate(names) if _is_a(name, _OURS)]
    if not positions:
        if is_used:
            message = "there are CORS_* settings or decorated views, but the middleware is not in MIDDLEWARE"
            yield _warning("W004", Issue("no-middleware", "MIDDLEWARE", None, message, f"Write {_OURS!r} first."))
        return
    if len(positions) > 1:
        issue = Issue(
            "installed-twice", "MIDDLEWARE", None, f"{_OURS!r} is there {len(positions)} times", "Remove one."
        )
        yield _error("E003", issue)
    if not is_used:
        message = "the middleware has no effect: there is no CORS_* setting and no decorated view"
        hint = "Write CORS_ALLOWED_ORIGINS = ['https://app.example.com']."
        yield _warning("W005", Issue("no-settings", "MIDDLEWARE", None, message, hint))
    for name in names[: positions[0]]:
        if name in _RESPONDING or (name == _REDIRECTING and settings.SECURE_SSL_REDIRECT):
            message = f"{name!r} is above CORSMiddleware, so pages cannot read the responses that it makes"
            yield _warning("W006", Issue("position", "MIDDLEWARE", name, message, f"Move {_OURS!r} to the top."))
    yield from _check_other_library(names)


def _check_other_library(names: list[str]) -> Messages:
    """Check that django-cors-headers is not installed at the same time."""
    for name in names:
        if name in _OTHERS:
            message = f"{name!r} of django-cors-headers is there as well: two middlewares set the same headers"
            yield _error("E004", Issue("two-libraries", "MIDDLEWARE", name, message, f"Remove {name!r}."))
    if "corsheaders" in settings.INSTALLED_APPS:
        message = "'corsheaders' is there as well: it checks the same settings by other rules"
        yield _warning(
            "W007", Issue("two-libraries", "INSTALLED_APPS", "corsheaders", message, "Remove 'corsheaders'.")
        )


def _is_a(name: str, parent: str | type) -> bool:
    """Return whether a middleware is a class, or a subclass of it."""
    if name == parent:
        return True
    try:
        found: object = import_string(name)
        wanted: object = import_string(parent) if isinstance(parent, str) else parent
    except ImportError:  # Django reports it
        return False
    return isinstance(found, type) and isinstance(wanted, type) and issubclass(found, wanted)


# -- CsrfViewMiddleware


def _check_csrf(policies: list[Policy]) -> Messages:
    """Check that `CsrfViewMiddleware` allows the origins that are allowed with credentials."""
    if not any(_is_a(name, CsrfViewMiddleware) for name in settings.MIDDLEWARE):
        return
    origins = {entry: None for policy in policies if policy.allow_credentials for entry in policy.allow_origins}
    refused = [entry for entry in origins if isinstance(entry, str) and not _is_trusted(entry)]
    if refused:
        listed = ", ".join(map(repr, refused))
        message = f"CsrfViewMiddleware refuses POST requests of these origins, which are allowed with cookies: {listed}"
        hint = "Name each origin that sends POST requests, since CSRF_TRUSTED_ORIGINS can't have these."
        if possible := [entry for entry in refused if _can_be_trusted(entry)]:
            hint = f"Write CSRF_TRUSTED_ORIGINS = {[*settings.CSRF_TRUSTED_ORIGINS, *possible]!r}."
        yield _warning("W008", Issue("untrusted-origins", _options.TRUSTED_SETTING, refused, message, hint))


def _is_trusted(origin: str) -> bool:
    """Return whether `CSRF_TRUSTED_ORIGINS` has an origin or a pattern, as Django compares them."""
    if not _can_be_trusted(origin):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    wanted = urlsplit(origin)
    trusted: list[str] = [*settings.CSRF_TRUSTED_ORIGINS]
    patterns = [urlsplit(each) for each in trusted if "*" in each]
    netloc = wanted.netloc.removeprefix("*.")
    return any(wanted.scheme == each.scheme and is_same_domain(netloc, each.netloc.lstrip("*")) for each in patterns)


def _can_be_trusted(origin: str) -> bool:
    """Return whether Django understands an origin or a pattern. It has no patterns but `https://*.example.com`."""
    _, separator, host = origin.partition("://")
    return bool(separator) and "*" not in host.removeprefix("*.")


checks.register(check_cors, checks.Tags.security)
