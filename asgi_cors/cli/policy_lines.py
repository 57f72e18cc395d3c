"""Options of a policy, as a user writes them. Only options that `Policy` accepts without a warning are shown."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from asgi_cors import ConfigError, ConfigWarning, Policy

_EXAMPLE: Final[dict[str, Any]] = {"allow_origins": ["https://app.example.com"]}
_NULL: Final = (
    "Any site gets the origin 'null' with a sandboxed frame. Serve the page from an origin of its own, and allow that."
)
_OVER_HTTP: Final = (
    "With credentials, a policy refuses origins over http. Serve the page over https, and allow {secure!r}. If no"
    " cookies are needed, leave credentials out."
)
_REFUSED: Final = "A policy refuses {origin!r}. Serve the page from an https origin of its own, and allow that."
# The settings of an option, if it has several. Those of django-cors-headers come first, then those that it had earlier.
_SETTINGS: Final = {
    "allow_origins": ("CORS_ALLOWED_ORIGINS", "CORS_ALLOW_ORIGINS", "CORS_ORIGIN_WHITELIST"),
    "max_age": ("CORS_PREFLIGHT_MAX_AGE", "CORS_MAX_AGE"),
    "csrf_trusted_origins": ("CORS_CSRF_TRUSTED_ORIGINS", "CSRF_TRUSTED_ORIGINS"),  # Django always has the latter
}


@dataclass(frozen=True)
class PolicyRemedy:
    """The change in an app that uses `asgi_cors`.

    Args:
        options: Options of a policy, from `policy_line`; "" if no option helps.
        advice: The change as a short sentence, or "".
        code: Whole lines to write, the import included, or "".
    """

    options: str = ""
    advice: str = ""
    code: str = ""


def policy_line(**options: Any) -> str:
    """Return options of a policy in one line, or "" if `Policy` refuses them or warns about them.

    Args:
        **options: The options, by name. If `allow_origins` is missing, an example is used for the check.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConfigWarning)
        try:
            Policy(**(_EXAMPLE | options))
        except (ConfigError, ConfigWarning):
            return ""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def setting_names(option: str) -> tuple[str, ...]:
    """Return the settings of `asgi_cors_django` for an option, the usual one first."""
    return _SETTINGS.get(option, (f"CORS_{option.upper()}",))


def settings_lines(options: str) -> str:
    """Return options of a policy as the settings of a Django project, one in each line.

    Args:
        options: Keyword arguments, as source code.
    """
    code = f"dict({options})"
    call = next(node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return "\n".join(_setting(str(word.arg), ast.get_source_segment(code, word.value) or "") for word in call.keywords)


def _setting(option: str, value: str) -> str:
    """Return an assignment. The settings of django-cors-headers have neither patterns nor compiled regexes."""
    if option == "allow_origins" and value == "'*'":
        return "CORS_ALLOW_ALL_ORIGINS = True"
    if option == "allow_origins" and ("*" in value or "re.compile(" in value):
        return f"CORS_ALLOW_ORIGINS = {value}"
    if option == "allow_origin_regex":  # of a project with django-cors-headers: a list
        return f"CORS_ALLOWED_ORIGIN_REGEXES = {value}"
    return f"{setting_names(option)[0]} = {value}"


def policy_remedy(otherwise: str, **options: Any) -> PolicyRemedy:
    """Return a remedy by options of a policy.

    Args:
        otherwise: The advice if `Policy` refuses the options or warns about them.
        **options: The options, by name.
    """
    line = policy_line(**options)
    return PolicyRemedy(line) if line else PolicyRemedy(advice=otherwise)


def origin_remedy(origin: str, others: Iterable[str] = (), **options: Any) -> PolicyRemedy:
    """Return the options that allow an origin, or the advice for an origin that no policy should allow.

    Args:
        origin: The page's origin, or "null".
        others: The origins that are allowed today.
        **options: More options, by name.
    """
    if origin == "null":
        advice = _NULL
    elif origin.startswith("http://") and options.get("allow_credentials"):
        advice = _OVER_HTTP.format(secure=origin.replace("http:", "https:", 1))
    else:
        advice = _REFUSED.format(origin=origin)
    return policy_remedy(advice, allow_origins=list(dict.fromkeys([*others, origin])), **options)


def accepted_names(option: str, names: Iterable[str]) -> list[str]:
    """Return the names that `Policy` accepts in a list, each once.

    Args:
        option: `allow_methods`, `allow_headers` or `expose_headers`.
        names: The names. Other servers also list names that no script can send or read.
    """
    return [name for name in dict.fromkeys(names) if policy_line(**{option: [name]})]
