"""The key of the view that serves a request, by Django's own URL resolver.

The middleware predicts the view before any code of the app runs. `misprediction` compares the prediction with the view
that Django has resolved, in `process_view`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.http import Http404, HttpRequest
from django.middleware.common import CommonMiddleware
from django.middleware.locale import LocaleMiddleware
from django.urls import ResolverMatch, get_resolver
from django.utils import translation
from django.utils.module_loading import import_string

from asgi_cors import DENY_ALL, TOO_LONG, AttachedPolicy, FixedPolicy, Issue, is_too_long

from ._views import (
    attached_for_any_method,
    attached_to_pattern,
    attached_to_view,
    class_of,
    hidden_view,
    key_of,
    key_of_preflight,
)

if TYPE_CHECKING:
    from django.http import HttpResponseBase

Scope = MutableMapping[str, Any]

REQUEST: Final = "asgi_cors.request"  # the key of Django's request, in the scope or environ that the core gets
PREDICTED: Final = "asgi_cors.view"  # the key of the predicted view, in the scope or environ
VERIFIER: Final = "_asgi_cors_verifier"  # the attribute of a request whose view `process_view` has verified

_UNKNOWN: Final = FixedPolicy("an unknown view", DENY_ALL)


class Verifier(Protocol):
    """The middleware's check of one request, for a view whose policy the URL does not lead to.

    The middleware stores it in the request, as `VERIFIER`, when `process_view` has verified the view.
    """

    key: Hashable | None  # of the view that `process_view` has verified

    def verify(self, key: Hashable | None) -> HttpResponseBase | None:
        """Require another policy to allow the request, too. Return a refusal, or None if the view may run."""
        ...

    async def verify_async(self, key: Hashable | None) -> HttpResponseBase | None:
        """Require another policy to allow the request, too; for an async view."""
        ...


def view_of(scope: Scope) -> Hashable | None:
    """Return the key of the view that will serve a scope; None if it has no policy. For `Configuration(view_of=…)`.

    The scope, or the environ in it, has Django's request as `REQUEST`. Without one, the scope's path is resolved by
    `ROOT_URLCONF`. For a preflight, return a `PerMethodKey` if other methods of the URL lead to other keys. A path that
    is too long is not resolved, and nothing is allowed there.
    """
    noted = scope.get("wsgi.environ", scope)
    if scope.get("asgi_cors.preflight"):
        return _predict(scope, noted, key_of_preflight)
    noted[PREDICTED] = _UNKNOWN  # it stays if a converter raises, so that the view that runs is checked
    noted[PREDICTED] = key = _predict(scope, noted, key_of)
    return key


def misprediction(
    request: HttpRequest, callback: Callable[..., Any], key: AttachedPolicy | None, noted: Mapping[str, Any]
) -> tuple[Hashable | None, AttachedPolicy | None] | None:
    """Compare the view that is about to run with the predicted one; for `process_view`.

    Args:
        request: The request, which Django has resolved.
        callback: The view.
        key: Its policy, as `key_of_request` returns it.
        noted: The scope or environ, in which `view_of` stored its prediction.

    Returns:
        The predicted key and that of the view that runs; None if they are the same. Before the first view of the
        process has a policy, nothing is predicted, and a URLconf that Django imports late may have one. A preflight
        is not compared: it comes here only if the view that it is for passes it through.
    """
    predicted = noted.get(PREDICTED, key if request.method == "OPTIONS" else None)
    if predicted is not key:
        return predicted, key
    hidden = hidden_view(callback)
    if class_of(hidden) is None:  # the decorator of a function checks it when it is called
        return None
    found = next(attached_to_view(hidden, request.method or "GET"), key)
    return None if found is key else (key, found)


def key_of_request(request: HttpRequest, callback: Callable[..., Any]) -> AttachedPolicy | None:
    """Return the policy attached to the view that Django has resolved for a request."""
    method = request.method or "GET"
    match = request.resolver_match
    if match is None or match.func is not callback:  # another middleware has replaced the view
        return next(attached_to_view(callback, method), None)
    return key_of(match, method)


def registered(urlconf: Any = None) -> list[AttachedPolicy]:
    """Return the policies of all views and includes of an URLconf, `ROOT_URLCONF` by default; for checks."""
    found: dict[AttachedPolicy, None] = {}
    for pattern in _all_patterns(get_resolver(urlconf).url_patterns, set()):
        found |= dict.fromkeys(attached_for_any_method(getattr(pattern, "callback", None)))
        found |= dict.fromkeys(attached_to_pattern(pattern))
    return [*found]


def hidden_views(urlconf: Any = None) -> list[Issue]:
    """Return an issue for each view whose policy is hidden by a decorator above it; for checks."""
    views = [getattr(each, "callback", None) for each in _all_patterns(get_resolver(urlconf).url_patterns, set())]
    return [_hidden_issue(view, hidden) for view in views if (hidden := hidden_view(view)) is not None]


def _hidden_issue(view: object, hidden: object) -> Issue:
    name = getattr(view, "__qualname__", type(view).__qualname__)
    policy = next(attached_for_any_method(hidden))
    message = f"{name!r} hides the policy of the view that it calls ({policy}), so preflights have another one"
    hint = f"Use functools.wraps in the decorator, or write {policy.place} above it."
    return Issue("hidden-policy", policy.place, view, message, hint)


def _all_patterns(patterns: Iterable[Any], seen: set[int]) -> Iterator[Any]:
    """Yield all patterns, and those that they include, each list once."""
    for pattern in patterns:
        yield pattern
        included = getattr(pattern, "url_patterns", ())
        if id(included) not in seen:
            seen.add(id(included))
            yield from _all_patterns(included, seen)


# -- the view that Django will find


def _predict(
    scope: Scope, noted: Mapping[str, Any], key_for: Callable[[ResolverMatch, str], Hashable | None]
) -> Hashable | None:
    if is_too_long(scope["path"]):
        return TOO_LONG
    match = find_match(noted.get(REQUEST) or _request_for(scope))
    return None if match is None else key_for(match, scope.get("method", "GET"))


def _request_for(scope: Scope) -> HttpRequest:
    """Return a request for a path that has none, such as one that is explained."""
    request = HttpRequest()
    root: str = scope.get("root_path", "").rstrip("/")
    request.method = scope.get("method", "GET")
    request.path = scope["path"]
    request.path_info = request.path.removeprefix(root) or "/"
    return request


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
