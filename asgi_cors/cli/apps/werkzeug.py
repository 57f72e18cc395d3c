"""The routes of Flask and Quart."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

from .routes import Place, Route, listed_methods
from .templates import PathTemplate, Variable

_VARIABLE: Final = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
_KNOWN: Final = {
    "int": Variable(r"-?\d+", "1"),
    "float": Variable(r"-?\d+\.\d+", "1.5"),
    "path": Variable(r"[^/].*?", "x/y", has_slashes=True),
    "uuid": Variable(r"[\da-fA-F-]{36}", str(uuid.UUID(int=1))),
    "string": Variable(),
    "default": Variable(),
    "": Variable(),
}


def werkzeug_routes(app: Any, place: Place) -> Iterator[Route]:
    """Yield the routes of a Flask or Quart app."""
    for rule in app.url_map.iter_rules():
        if rule.build_only:
            continue
        template = _parse_rule(rule.rule, app.url_map.converters)
        host = place.host or _host(app, rule)
        values: dict[str, Any] = {"host": host, "is_websocket": bool(getattr(rule, "websocket", False))}
        yield place.route(template, methods=listed_methods(rule.methods), **values)


def _host(app: Any, rule: Any) -> str:
    """Return the host of a rule, or its subdomain of the server name."""
    if app.url_map.host_matching:
        return rule.host or ""
    if not rule.subdomain or rule.subdomain == app.url_map.default_subdomain:
        return ""
    return f"{rule.subdomain}.{app.config.get('SERVER_NAME') or 'localhost'}"


def _parse_rule(text: str, converters: Any) -> PathTemplate:
    """Parse a path such as `/items/<int:id>`."""
    parts: list[str | Variable] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        parts += [text[position : match.start()]] if match.start() > position else []
        parts.append(_variable(match[1] or "", match[2] or "", converters))
        position = match.end()
    parts += [text[position:]] if position < len(text) else []
    return PathTemplate(text, tuple(parts))


def _variable(name: str, arguments: str, converters: Any) -> Variable:
    if name == "any":
        values = [value.strip().strip("\"'") for value in arguments.split(",")]
        return Variable("|".join(map(re.escape, values)), values[0])
    if name in _KNOWN:
        return _KNOWN[name]
    own = getattr(converters.get(name), "regex", None)  # of a converter class of the app
    if not isinstance(own, str):
        return Variable("(?s:.*)", "x", has_slashes=True)
    return Variable(own, "x", not getattr(converters[name], "part_isolating", True))
