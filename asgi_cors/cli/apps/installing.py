"""The lines that add a policy to an app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from asgi_cors._interfaces import interface_of
from asgi_cors.cli.policy_lines import PolicyRemedy

from . import django
from .layers import framework_of

_EXAMPLE: Final = "allow_origins=['https://app.example.com']"
_DJANGO_EXAMPLE: Final = "CORS_ALLOWED_ORIGINS = ['https://app.example.com']"
_ADAPTERS: Final = {
    "Flask": ("asgi_cors_flask", "CORS"),
    "Quart": ("asgi_cors_quart", "CORS"),
    "Starlette": ("asgi_cors_starlette", "install"),
    "FastAPI": ("asgi_cors_starlette", "install"),
}


@dataclass(frozen=True)
class InstallLine:
    """The code that adds a policy to an app.

    Args:
        sentence: The code in one line of text.
        remedy: The remedy of a finding: whole lines, imports included.
    """

    sentence: str
    remedy: PolicyRemedy


def install_line(app: Any, name: str) -> InstallLine:
    """Return the lines that add a policy to an app.

    Args:
        app: The app, as it was loaded.
        name: MODULE:APP.
    """
    variable = name.partition(":")[2].rpartition(".")[2]
    variable = "app" if variable.endswith("()") or not variable.isidentifier() else variable
    framework = framework_of(app)
    if framework == "Django":
        return _django_lines()
    if framework and hasattr(app, "router" if framework in {"Starlette", "FastAPI"} else "extensions"):
        module, function = _ADAPTERS[framework]
        return _app_line(f"{function}({variable}, {_EXAMPLE})", module, function)
    middleware = "WSGIMiddleware" if interface_of(app) == "WSGI" else "CORSMiddleware"
    return _app_line(f"{variable} = {middleware}({variable}, {_EXAMPLE})", "asgi_cors", middleware)


def _app_line(line: str, module: str, name: str) -> InstallLine:
    """Return a line to write where the app is created, and its import."""
    remedy = PolicyRemedy(advice="Write this where the app is created:", code=f"from {module} import {name}\n{line}")
    return InstallLine(f"Write {line}, with {name} from {module}.", remedy)


def _django_lines() -> InstallLine:
    """Return the lines of Django's settings. Those of MIDDLEWARE put the adapter's middleware first."""
    lines = [_middleware_lines()]
    if not django.has_origins():
        lines.append(_DJANGO_EXAMPLE)
    place = django.settings_place()
    joined = " and ".join(" ".join(line.split()).replace("[ ", "[").replace(", ]", "]") for line in lines)
    remedy = PolicyRemedy(advice=f"Write this at the end of {place}:", code="\n".join(lines))
    return InstallLine(f"Write {joined} at the end of {place}.", remedy)


def _middleware_lines() -> str:
    names = django.list_middlewares()
    others = [*names.outer, *names.inner]
    remaining = [name for name in others if not django.is_cors(name)]
    if not names.own and remaining == others:
        return f"MIDDLEWARE = [{django.MIDDLEWARE!r}, *MIDDLEWARE]"
    entries = "".join(f"    {name!r},\n" for name in (names.own or django.MIDDLEWARE, *remaining))
    return f"MIDDLEWARE = [\n{entries}]"
