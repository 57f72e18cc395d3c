"""The view that Django will find for a request, by its own URL resolver: redirects and languages included."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.http import Http404
from django.middleware.common import CommonMiddleware
from django.middleware.locale import LocaleMiddleware
from django.urls import get_resolver
from django.utils import translation
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import ResolverMatch


def find_match(request: HttpRequest) -> ResolverMatch | None:
    """Return Django's own match for a request; None if nothing matches.

    For a request that Django redirects, because its path lacks a final slash or the language, return the match of the
    target.

    Raises:
        Exception: Any exception of a converter but ValueError and Http404.
    """
    urlconf = getattr(request, "urlconf", None) or getattr(settings, "ROOT_URLCONF", None)
    if urlconf is None:  # a unit test of a middleware
        return None
    with _language_of(request, urlconf):
        resolver = get_resolver(urlconf)
        for path in _paths(request, urlconf):
            with contextlib.suppress(Http404):
                match: ResolverMatch = resolver.resolve(path)
                if path == request.path_info or getattr(match.func, "should_append_slash", True):
                    return match
    return None


def _paths(request: HttpRequest, urlconf: Any) -> Iterator[str]:
    """Yield the path of a request, and those that Django redirects it to if that does not exist."""
    path = request.path_info
    yield path
    appends_slash = settings.APPEND_SLASH and not path.endswith("/")
    if appends_slash and _has_middleware(CommonMiddleware):
        yield f"{path}/"
    if _adds_language(path, urlconf):
        yield f"/{translation.get_language()}{path}"
        if appends_slash:
            yield f"/{translation.get_language()}{path}/"


def _adds_language(path: str, urlconf: Any) -> bool:
    """Return whether `LocaleMiddleware` redirects a path that does not exist to one with the language."""
    if not _has_middleware(LocaleMiddleware):
        return False
    is_used, has_prefix = is_language_prefix_patterns_used(urlconf)
    return is_used and has_prefix and not translation.get_language_from_path(path)


def _language_of(request: HttpRequest, urlconf: Any) -> contextlib.AbstractContextManager[Any]:
    """Return a context manager that activates the language that `LocaleMiddleware` will choose."""
    if not _has_middleware(LocaleMiddleware):
        return contextlib.nullcontext()
    is_used, has_prefix = is_language_prefix_patterns_used(urlconf)
    if is_used and not has_prefix and not translation.get_language_from_path(request.path_info):
        return translation.override(settings.LANGUAGE_CODE)
    return translation.override(translation.get_language_from_request(request, check_path=is_used))


def _has_middleware(middleware: type) -> bool:
    return _is_in(middleware, tuple(settings.MIDDLEWARE))


@lru_cache(maxsize=64)
def _is_in(middleware: type, paths: tuple[str, ...]) -> bool:
    """Return whether the middlewares contain one of a class, or of a subclass."""
    loaded = (import_string(path) for path in paths)
    return any(isinstance(each, type) and issubclass(each, middleware) for each in loaded)
