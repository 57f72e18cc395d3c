"""A Django project: its routes, and the middlewares of its settings.

Django's modules and those of the adapter are taken from `sys.modules`, because the app has imported them.

Limits: the routes are those of ROOT_URLCONF. The methods of a function are known if `require_http_methods`,
`require_GET` or a similar decorator limits them.
"""

from __future__ import annotations

import inspect
import itertools
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .layers import is_kind
from .routes import Place, Route, listed_methods
from .templates import PathTemplate, Variable

MIDDLEWARE: Final = "asgi_cors_django.middleware.CORSMiddleware"
COMMON: Final = "django.middleware.common.CommonMiddleware"
CSRF: Final = "django.middleware.csrf.CsrfViewMiddleware"
SECURITY: Final = "django.middleware.security.SecurityMiddleware"

_ORIGIN_SETTINGS: Final = (
    *("CORS_ALLOW_ORIGINS", "CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST", "CORS_ALLOW_ORIGIN_REGEX"),
    *("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST", "CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"),
)
_VARIABLE: Final = re.compile(r"<(?:[^>:]+:)?(\w+)>")
_GROUP_NAME: Final = re.compile(r"\(\?P<\w+>")
_LITERAL: Final = re.compile(r"(?:[\w/~%@:,=&!-]|\\[./-])*")  # a regular expression without special characters
_VALUE: Final = re.compile(r"%\((\w+)\)s")
_VALUES: Final = ("1", "x", "1.5", "2000", "2000-01-01", str(uuid.UUID(int=1)), "en", "abc", "abc-1", "x/y")
_MAX_SAMPLES: Final = 2000
_MAX_DEPTH: Final = 16  # of include() in include()


def settings() -> Any:
    """Return the settings of the project."""
    return sys.modules["django.conf"].settings


def installation() -> Any:
    """Return the adapter's installation, with the configuration of the settings; None if it is not imported."""
    return getattr(sys.modules.get("asgi_cors_django"), "installation", None)


@dataclass(frozen=True)
class Middlewares:
    """The names in the setting MIDDLEWARE.

    Args:
        outer: Those before the adapter's middleware, or all if it is missing.
        inner: Those after it.
        own: The name of the adapter's middleware, or "" if it is missing.
    """

    outer: tuple[str, ...]
    inner: tuple[str, ...] = ()
    own: str = ""


def list_middlewares() -> Middlewares:
    """Return the middlewares of the settings, from the outside in."""
    names = tuple(settings().MIDDLEWARE)
    position = next((number for number, name in enumerate(names) if is_ours(name)), None)
    if position is None:
        return Middlewares(names)
    return Middlewares(names[:position], names[position + 1 :], names[position])


def is_ours(name: str) -> bool:
    """Return whether a name in MIDDLEWARE is that of the adapter's middleware, or of a subclass."""
    if name == MIDDLEWARE:
        return True
    module, _, attribute = name.rpartition(".")
    kind = getattr(sys.modules.get(module), attribute, None)
    ours = getattr(sys.modules.get("asgi_cors_django.middleware"), "CORSMiddleware", None)
    return inspect.isclass(kind) and ours is not None and issubclass(kind, ours)


def is_cors(name: str) -> bool:
    """Return whether a name in MIDDLEWARE is that of another CORS library."""
    return "cors" in name.lower() and not is_ours(name)


def has_origins() -> bool:
    """Return whether the settings name origins, for this adapter or for django-cors-headers."""
    return any(getattr(settings(), name, None) for name in _ORIGIN_SETTINGS)


def settings_place() -> str:
    """Return the name of the settings' module."""
    return getattr(settings(), "SETTINGS_MODULE", None) or "the settings"


def redirects_to_https() -> bool:
    """Return whether Django's SecurityMiddleware redirects requests over http."""
    return bool(getattr(settings(), "SECURE_SSL_REDIRECT", False))


def refuses_host(host: str) -> bool:
    """Return whether Django's CommonMiddleware refuses a Host by ALLOWED_HOSTS."""
    own = settings()
    validate_host = sys.modules["django.http.request"].validate_host
    return COMMON in own.MIDDLEWARE and not validate_host(host, own.ALLOWED_HOSTS)


def django_routes(place: Place) -> Iterator[Route]:
    """Yield the routes of the URLconf. If two have the same path, Django never reaches the second one.

    Args:
        place: The place of the project.
    """
    resolver = sys.modules["django.urls"].get_resolver()
    found: set[str] = set()
    for route in _routes(resolver.url_patterns, place.below(PathTemplate("/", ("/",))), 0):
        if route.path not in found:
            found.add(route.path)
            yield route


def _routes(patterns: Iterable[Any], place: Place, depth: int) -> Iterator[Route]:
    for pattern in patterns:
        below = place.below(parse_pattern(pattern.pattern))
        if not hasattr(pattern, "url_patterns"):
            yield _route(below, pattern.callback)
        elif depth < _MAX_DEPTH:
            yield from _routes(pattern.url_patterns, below, depth + 1)
        else:
            yield below.everything_below(unlisted="include()")


def _route(place: Place, view: Any) -> Route:
    return place.route(PathTemplate(), methods=_methods(view), is_csrf_checked=_is_csrf_checked(view))


def _methods(view: Any) -> tuple[str, ...]:
    """Return the methods of a view; empty for every method."""
    actions: Any = getattr(view, "actions", None)  # of a ViewSet of Django REST framework
    if actions:
        return listed_methods(str(method).upper() for method in actions)
    view_class: Any = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if inspect.isclass(view_class):
        names: Sequence[str] = getattr(view_class, "http_method_names", ())
        return listed_methods(name.upper() for name in names if hasattr(view_class, name))
    return listed_methods(_required_methods(view))


def _required_methods(view: Any) -> Iterable[str]:
    """Return the methods that `require_http_methods` allows a function."""
    for _ in range(_MAX_DEPTH):
        methods = _request_methods(view)
        view = getattr(view, "__wrapped__", None)
        if methods or view is None:
            return methods
    return ()


def _request_methods(function: Any) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    names: tuple[str, ...] = code.co_freevars if code else ()
    if "request_method_list" not in names:
        return ()
    return tuple(function.__closure__[names.index("request_method_list")].cell_contents)


def _is_csrf_checked(view: Any) -> bool:
    """Return whether CsrfViewMiddleware checks a view, or SessionAuthentication of Django REST framework."""
    classes = getattr(getattr(view, "cls", None), "authentication_classes", ())
    names = {(base.__module__, base.__name__) for each in classes for base in getattr(each, "__mro__", ())}
    if ("rest_framework.authentication", "SessionAuthentication") in names:
        return True
    return CSRF in settings().MIDDLEWARE and not getattr(view, "csrf_exempt", False)


# -- patterns


def parse_pattern(pattern: Any) -> PathTemplate:
    """Parse the pattern of `path`, `re_path`, `include` or `i18n_patterns`."""
    if is_kind(pattern, "django.urls.resolvers", "LocalePrefixPattern"):
        return _parse_language(pattern)
    if is_kind(pattern, "django.urls.resolvers", "RoutePattern"):
        return _parse_route(str(pattern), pattern.converters)
    return _parse_regex(str(pattern), is_endpoint=bool(getattr(pattern, "_is_endpoint", False)))


def _parse_route(text: str, converters: Any) -> PathTemplate:
    """Parse a path such as `items/<int:id>`."""
    parts: list[str | Variable] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        parts += [text[position : match.start()]] if match.start() > position else []
        parts.append(_variable(converters[match[1]].regex))
        position = match.end()
    parts += [text[position:]] if position < len(text) else []
    return PathTemplate(text, tuple(parts))


def _variable(expression: str) -> Variable:
    expression = _GROUP_NAME.sub("(?:", expression)
    sample = next((value for value in _VALUES if re.fullmatch(expression, value)), "x")
    return Variable(expression, sample, re.fullmatch(expression, "x/y") is not None)


def _parse_language(pattern: Any) -> PathTemplate:
    """Return the prefix of a language."""
    default = settings().LANGUAGE_CODE
    prefixes = [f"{code}/" for code, _ in settings().LANGUAGES]
    if not pattern.prefix_default_language:
        prefixes = ["", *(prefix for prefix in prefixes if prefix != f"{default}/")]
    sample = f"{default}/" if pattern.prefix_default_language else ""
    return PathTemplate("<language>/", (Variable("|".join(map(re.escape, prefixes)), sample, has_slashes=True),))


def _parse_regex(text: str, *, is_endpoint: bool) -> PathTemplate:
    r"""Parse a regular expression such as `^items/(?P<id>\d+)/$`. It matches anywhere, unless it has ^ and $."""
    body = text.removeprefix("^").removesuffix("$")
    before = "" if text.startswith("^") else "(?s:.*)"
    after = "" if text.endswith(("$", r"\Z")) or not is_endpoint else "(?s:.*)"
    if _LITERAL.fullmatch(body):
        literal = body.replace("\\", "")
        parts = (Variable(before, "", has_slashes=True), literal, Variable(after, "", has_slashes=True))
        return PathTemplate(literal, tuple(part for part in parts if part and getattr(part, "expression", True)))
    shown, sample = _normalize(body)
    expression = _GROUP_NAME.sub("(?:", f"{before}{body}{after}")
    return PathTemplate(shown, (Variable(expression, sample, has_slashes=True),))


def _normalize(body: str) -> tuple[str, str]:
    """Return a regular expression as a path for a report, and a path that it matches."""
    form, names = sys.modules["django.utils.regex_helper"].normalize(body)[0]
    shown = _VALUE.sub(r"<\1>", form).replace("%%", "%")
    for values in itertools.islice(itertools.product(_VALUES, repeat=len(names)), _MAX_SAMPLES):
        sample: str = form % dict(zip(names, values, strict=True))
        if re.fullmatch(body, sample):
            return shown, sample
    return shown, form % dict.fromkeys(names, "x")
