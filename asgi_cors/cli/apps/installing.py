"""The line that adds a policy to an app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from asgi_cors._interfaces import interface_of
from asgi_cors.cli.policy_lines import PolicyRemedy

from .layers import framework_of

_EXAMPLE: Final = "allow_origins=['https://app.example.com']"
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
        code: The line to write where the app is created.
        module: The module to import from.
        name: The name to import.
    """

    code: str
    module: str
    name: str

    @property
    def sentence(self) -> str:
        """The line and the import that it needs, in one line of text."""
        return f"Write {self.code}, with {self.name} from {self.module}."

    @property
    def remedy(self) -> PolicyRemedy:
        """The remedy of a finding: the line and the import that it needs."""
        return PolicyRemedy(
            advice="Write this where the app is created:", code=f"from {self.module} import {self.name}\n{self.code}"
        )


def install_line(app: Any, name: str) -> InstallLine:
    """Return the line that adds a policy to an app.

    Args:
        app: The app, as it was loaded.
        name: MODULE:APP.
    """
    variable = name.partition(":")[2].rpartition(".")[2]
    variable = "app" if variable.endswith("()") or not variable.isidentifier() else variable
    framework = framework_of(app)
    if framework and hasattr(app, "router" if framework in {"Starlette", "FastAPI"} else "extensions"):
        module, function = _ADAPTERS[framework]
        return InstallLine(f"{function}({variable}, {_EXAMPLE})", module, function)
    middleware = "WSGIMiddleware" if interface_of(app) == "WSGI" else "CORSMiddleware"
    return InstallLine(f"{variable} = {middleware}({variable}, {_EXAMPLE})", "asgi_cors", middleware)
