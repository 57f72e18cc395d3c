"""Django projects: the order of MIDDLEWARE, and the names that change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from .origins import MISTAKE, Problem
from .values import UNKNOWN, as_list, constants_of, evaluate

THEIRS: Final = "corsheaders.middleware.CorsMiddleware"
OURS: Final = "asgi_cors_django.middleware.CORSMiddleware"
# Middlewares that respond themselves, such as with a redirect.
_RESPONDING: Final = (
    *("django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"),
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *("django.middleware.cache.UpdateCacheMiddleware", "django.contrib.auth.middleware.LoginRequiredMiddleware"),
)
_APP: Final = {"corsheaders": "asgi_cors_django", "corsheaders.apps.CorsHeadersAppConfig": "asgi_cors_django"}
# The modules whose names asgi_cors_django has, too.
MODULES: Final = {
    "corsheaders.defaults": "asgi_cors_django.defaults",
    "corsheaders.signals": "asgi_cors_django.signals",
}


def names_middleware(tree: ast.Module, name: str) -> bool:
    """Return whether a file names a middleware."""
    return any(isinstance(node, ast.Constant) and node.value == name for node in ast.walk(tree))


def check_order(tree: ast.Module) -> Iterator[Problem]:
    """Yield the mistakes in the order of Django's MIDDLEWARE."""
    constants = constants_of(tree)
    node = constants.get("MIDDLEWARE")
    if node is None:
        return
    names = as_list(evaluate(node, constants))
    if UNKNOWN in names:
        return
    if THEIRS not in names:
        message = f"MIDDLEWARE does not have {THEIRS!r}, so the settings have no effect."
        yield Problem("middleware-missing", MISTAKE, message, "Put it at the top of MIDDLEWARE.", node.lineno)
        return
    if OURS in names:
        message = f"MIDDLEWARE has both {THEIRS!r} and {OURS!r}."
        yield Problem("middleware-twice", MISTAKE, message, f"Remove {THEIRS!r}.", node.lineno)
        return
    before = [name for name in _RESPONDING if name in names[: names.index(THEIRS)]]
    if before:
        message = f"{before[0]!r} is before {THEIRS!r}, so its responses have no CORS headers."
        yield Problem("middleware-order", MISTAKE, message, "Put CorsMiddleware at the top of MIDDLEWARE.", node.lineno)


def changed_names(source: str, tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield the texts that name the middleware or the app of django-cors-headers, with ours as source code."""
    lists = [node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple)]
    apps = {id(entry) for node in lists for entry in node.elts}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        new = OURS if node.value == THEIRS else _APP.get(node.value, "") if id(node) in apps else ""
        text = ast.get_source_segment(source, node) or ""
        if new and node.value in text:
            yield node, text.replace(node.value, new)
