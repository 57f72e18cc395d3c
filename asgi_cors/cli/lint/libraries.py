"""The CORS libraries whose settings are read: their names, options and defaults, and how they compare origins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# How a library compares an entry of its list of origins with the request's Origin.
EXACT: Final = "exact"  # the whole text
EXACT_OR_REGEX: Final = "exact-or-regex"  # a text with special characters is a regular expression


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """A CORS library.

    Args:
        name: Its name, as users know it.
        modules: The modules from which its functions are imported.
        positional: The options that may be passed by position, after the app.
        functions: The names of the functions and classes that take options.
        options: The name of each option, and that of the policy's option with the same meaning.
        ignored: Its options that a policy does not have.
        entries: How it compares a text in its list of origins: EXACT or EXACT_OR_REGEX.
        regexes_match_beginning: Whether a regular expression needs to match only the beginning of an origin.
        defaults: The policy's options that it has by default, if they are not the policy's own.
        new_module: The module of asgi_cors with the same names.
        call: The line to write with asgi_cors; `{}` is replaced by the options. Django has settings instead.
        other_calls: The lines for some functions of the library. They have the library's names of the options.
    """

    name: str
    modules: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    functions: frozenset[str] = frozenset()
    options: Mapping[str, str]
    ignored: frozenset[str] = frozenset()
    entries: str = EXACT
    regexes_match_beginning: bool = True
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    new_module: str = ""
    call: str = ""
    other_calls: Mapping[str, str] = field(default_factory=dict[str, str])


_SAME: Final = {
    name: name
    for name in (
        *("allow_origins", "allow_origin_regex", "allow_methods", "allow_headers", "allow_credentials"),
        *("expose_headers", "max_age", "allow_private_network"),
    )
}
FLASK_CORS: Final = Library(
    name="Flask-CORS",
    modules=("flask_cors", "flask_cors.extension", "flask_cors.decorator"),
    functions=frozenset({"CORS", "cross_origin"}),
    options={
        "origins": "allow_origins",
        "methods": "allow_methods",
        "allow_headers": "allow_headers",
        "expose_headers": "expose_headers",
        "supports_credentials": "allow_credentials",
        "max_age": "max_age",
        "allow_private_network": "allow_private_network",
    },
    ignored=frozenset(
        {"send_wildcard", "always_send", "automatic_options", "vary_header", "intercept_exceptions", "resources"}
    ),
    entries=EXACT_OR_REGEX,
    defaults={"allow_origins": "*", "allow_headers": "*"},
    new_module="asgi_cors_flask",
    call="CORS(app, {})",
    other_calls={"cross_origin": "@cross_origin({})"},
)
QUART_CORS: Final = Library(
    name="Quart-CORS",
    modules=("quart_cors",),
    functions=frozenset({"cors", "route_cors", "websocket_cors"}),
    options={
        "allow_origin": "allow_origins",
        "allow_methods": "allow_methods",
        "allow_headers": "allow_headers",
        "expose_headers": "expose_headers",
        "allow_credentials": "allow_credentials",
        "max_age": "max_age",
    },
    ignored=frozenset({"send_origin_wildcard", "provide_automatic_options"}),
    defaults={"allow_origins": "*", "allow_headers": "*"},
    new_module="asgi_cors_quart",
    call="CORS(app, {})",
    other_calls={"route_cors": "@route_cors({})", "websocket_cors": "@websocket_cors({})"},
)
STARLETTE: Final = Library(
    name="Starlette's CORSMiddleware",
    modules=("starlette.middleware.cors", "fastapi.middleware.cors"),
    positional=("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex"),
    functions=frozenset({"CORSMiddleware"}),
    options=_SAME,
    regexes_match_beginning=False,
    new_module="asgi_cors",
    call="app.add_middleware(CORSMiddleware, {})",
    other_calls={"CORSMiddleware": "app = CORSMiddleware(app, {})", "Middleware": "Middleware(CORSMiddleware, {})"},
)
DJANGO: Final = Library(
    name="django-cors-headers",
    options={
        "CORS_ALLOWED_ORIGINS": "allow_origins",
        "CORS_ORIGIN_WHITELIST": "allow_origins",
        "CORS_ALLOWED_ORIGIN_REGEXES": "allow_origin_regex",
        "CORS_ORIGIN_REGEX_WHITELIST": "allow_origin_regex",
        "CORS_ALLOW_ALL_ORIGINS": "allow_all",
        "CORS_ORIGIN_ALLOW_ALL": "allow_all",
        "CORS_ALLOW_CREDENTIALS": "allow_credentials",
        "CORS_ALLOW_METHODS": "allow_methods",
        "CORS_ALLOW_HEADERS": "allow_headers",
        "CORS_EXPOSE_HEADERS": "expose_headers",
        "CORS_PREFLIGHT_MAX_AGE": "max_age",
        "CORS_ALLOW_PRIVATE_NETWORK": "allow_private_network",
    },
    ignored=frozenset({"CORS_URLS_REGEX", "CORS_REPLACE_HTTPS_REFERER", "CORS_MODEL"}),
)
IMPORTED: Final = (FLASK_CORS, QUART_CORS, STARLETTE)
# The keys of an app's configuration: their prefix, and the library that reads them.
CONFIG_PREFIXES: Final = {"CORS_": FLASK_CORS, "QUART_CORS_": QUART_CORS}
