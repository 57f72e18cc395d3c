"""cross_origin and cors_exempt: a policy for one view, class, method or pattern, or for all views of an `include()`.

A view or pattern is never changed: the decorator returns another one, so that the same view may have other policies at
other URLs. A class is changed in place, as `method_decorator` does. The middleware reads the policies; see `_views`.
"""

from __future__ import annotations

import asyncio
import copy
import functools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from importlib import import_module
from inspect import ismethod
from typing import TYPE_CHECKING, Any, Final, Never, TypeVar, Unpack, cast

from asgiref.sync import iscoroutinefunction
from django.urls import URLPattern, URLResolver

from asgi_cors import EXEMPT, AttachedPolicy, ConfigError, FixedPolicy, Issue, Policy, PolicyOptions, attach_policy

from ._exchanges import VERIFIER
from ._views import class_of, leads_to

if TYPE_CHECKING:
    from django.http import HttpResponseBase

    from ._exchanges import Exchange

T = TypeVar("T")

_AFTER_URLS: Final = (1, 2)  # app_name in the argument of include(), and namespace, too, in its result
_DJANGO_DECORATORS: Final = "django.utils.decorators"  # method_decorator tries a decorator on a function of its own
_HINT: Final = "Decorate a view, a class, a method, path(…), include(…), or a list of patterns."


def cross_origin(
    policy: Policy | None = None, /, *arguments: Never, **options: Unpack[PolicyOptions]
) -> Callable[[T], T]:
    """Apply a policy to a view, class, method, `path(…)`, `include(…)` or list of patterns.

    It replaces the policy of the settings and that of an outer `include()`. The innermost policy counts. Decorators
    above it must use `functools.wraps`.

    Args:
        policy: The policy; else its options are given as keywords.
        arguments: None: options are keywords.
        options: Those of `Policy`.

    Raises:
        ConfigError: With every mistake found.
    """
    attached = FixedPolicy.from_arguments(policy, arguments, options, _is_target, _setting_line)

    def decorate(target: T) -> T:
        return cast("T", _attach(target, attached, "cross_origin(…)"))

    return decorate


def cors_exempt(target: T) -> T:
    """Pass the requests of a view through, preflights included: the view's own headers decide.

    Args:
        target: As for `cross_origin`.

    Raises:
        ConfigError: If it is none of these.
    """
    return cast("T", _attach(target, EXEMPT, "cors_exempt"))


# -- the kinds of targets


def _setting_line(option: str) -> str:
    return f"CORS_{option.upper()} = … in the settings"


def _is_target(value: Any) -> bool:
    """Return whether a positional argument is a view, a pattern or an `include()`, and no origins."""
    if isinstance(value, list | tuple):
        entries = cast("Iterable[object]", value)
        return any(
            isinstance(each, list | URLPattern | URLResolver) or hasattr(each, "urlpatterns") for each in entries
        )
    return callable(value) or isinstance(value, URLPattern | URLResolver)


def _attach(target: Any, policy: AttachedPolicy, line: str) -> object:
    """Return a target with a policy.

    Args:
        target: The target.
        policy: The policy.
        line: The code of the decorator, for messages.
    """
    if isinstance(target, URLPattern | URLResolver):
        return _copy_pattern(target, policy)
    if isinstance(target, list | tuple):
        return _attach_to_urls(cast("Any", target), policy, line)
    if isinstance(target, type):
        _add_name(target, policy)
        attach_policy(target, policy)
        return target
    if callable(target):
        return _wrap(target, policy)
    raise ConfigError([_target_issue(target, line)])


def _attach_to_urls(urls: Any, policy: AttachedPolicy, line: str) -> object:
    """Return patterns with a policy: a list of them, or the tuple that `include` takes or returns."""
    if all(isinstance(each, URLPattern | URLResolver) for each in urls):
        return type(urls)(_copy_pattern(each, policy) for each in urls)
    first, *rest = urls
    is_tuple = isinstance(cast("object", urls), tuple)
    included = _include(first, policy) if is_tuple and len(rest) in _AFTER_URLS else None
    if included is None:
        raise ConfigError([_target_issue(urls, line)])
    return (included, *rest)


def _target_issue(target: Any, line: str) -> Issue:
    hint = _HINT
    if isinstance(target, str) or hasattr(target, "urlpatterns"):
        name = target if isinstance(target, str) else getattr(target, "__name__", "…")
        hint = f'Write {line}(include("{name}")).'
    elif hasattr(target, "urls"):
        is_tuple = isinstance(target.urls, tuple)  # of an AdminSite, which include() does not accept
        hint = f"Write {line}(site.urls)." if is_tuple else f"Write {line}(include(router.urls))."
    message = f"{Issue.show(target)} is not a view, a class, a pattern or an include()"
    return Issue("wrong-target", line.partition("(")[0], target, message, hint)


def _add_name(view: object, policy: AttachedPolicy) -> None:
    """Note the name of a view for logs."""
    if policy is not EXEMPT and getattr(view, "__module__", "") != _DJANGO_DECORATORS:
        policy.add_view(view)


def _copy_pattern(pattern: Any, policy: AttachedPolicy) -> object:
    """Return a copy of a pattern with a policy. Its view, and the patterns that it includes, are the same."""
    copied = copy.copy(pattern)
    _add_name(pattern.callback or PoliciedURLs(pattern.urlconf_name), policy)
    attach_policy(copied, policy)
    return copied


def _include(urls: Any, policy: AttachedPolicy) -> PoliciedURLs | None:
    """Return the URLs of an `include()` with a policy; None if these are no URLs."""
    module = import_module(urls) if isinstance(urls, str) else urls
    patterns = getattr(module, "urlpatterns", module)
    if callable(patterns) or isinstance(patterns, str) or not isinstance(patterns, Iterable):
        return None
    included = PoliciedURLs(module)
    _add_name(included, policy)
    attach_policy(included, policy)
    return included


class PoliciedURLs:
    """The URLs of one `include()`, with a policy. All attributes are those of the included module.

    Django's resolver reads `urlpatterns` when it needs them, so the patterns stay the same objects, and URLs are
    reversed as before.

    Args:
        urls: The module, or the patterns.
    """

    def __init__(self, urls: Any) -> None:
        """Begin without a policy; see the class."""
        self._urls = urls
        self.__name__: str = urls if isinstance(urls, str) else getattr(urls, "__name__", "urlpatterns")

    @property
    def urlpatterns(self) -> Any:
        """The patterns that are registered now."""
        return getattr(self._urls, "urlpatterns", self._urls)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the module."""
        if name == "_urls":  # not yet set, in a copy that is being made
            raise AttributeError(name)
        return getattr(self._urls, name)

    def __repr__(self) -> str:
        """Return the text of the included module."""
        return repr(self._urls)


# -- views


def _wrap(view: Callable[..., Any], policy: AttachedPolicy) -> Callable[..., Any]:
    """Return a view with a policy, which has all attributes of the view. It may be a method of a class."""

    @functools.wraps(view)
    def serve(*args: Any, **kwargs: Any) -> Any:
        verifier = _verifier_for(view, policy, args)
        refusal = None if verifier is None else _verify(verifier, policy)
        if refusal is None:
            return view(*args, **kwargs)
        instance = getattr(getattr(view, "func", None), "__self__", args[0])
        return _return_async(refusal) if getattr(instance, "view_is_async", False) else refusal

    @functools.wraps(view)
    async def serve_async(*args: Any, **kwargs: Any) -> Any:
        verifier = _verifier_for(view, policy, args)
        refusal = None if verifier is None else await verifier.verify_async(policy)
        return await view(*args, **kwargs) if refusal is None else refusal

    wrapper = serve_async if iscoroutinefunction(view) else serve  # pyright: ignore[reportDeprecated]  # as Django does
    _add_name(view, policy)
    attach_policy(wrapper, policy)
    return wrapper


async def _return_async(refusal: HttpResponseBase) -> HttpResponseBase:
    """Return a refusal from `dispatch` of an async class, which returns an awaitable."""
    return refusal


def _verify(verifier: Exchange, policy: AttachedPolicy) -> HttpResponseBase | None:
    """Require a policy to allow the request, too. In an event loop, as in an async view that calls this one, wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return verifier.verify(policy)
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(copy_context().run, verifier.verify, policy).result()


def _verifier_for(view: Callable[..., Any], policy: AttachedPolicy, args: tuple[object, ...]) -> Exchange | None:
    """Return the check of the request that a view is called with; None if the URL leads to the view's policy.

    The outermost view with a policy removes the check from the request, because it replaces the inner policies. A
    method needs no check if the URL leads to its class: any method of the class may call it.
    """
    for position, argument in enumerate(args[:2]):  # the first one may be `self`
        request: Any = getattr(argument, "_request", argument)  # inside of the request of Django REST framework
        attributes: dict[str, Any] = getattr(request, "__dict__", {})
        if VERIFIER not in attributes:
            continue
        is_method = position > 0 or ismethod(getattr(view, "func", None))
        if is_method and class_of(request.resolver_match.func) is not None:
            return None
        verifier: Exchange = attributes.pop(VERIFIER)
        return None if policy is verifier.key or leads_to(request.resolver_match, policy) else verifier
    return None
