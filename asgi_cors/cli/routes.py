"""The routes of an app, and the policy that serves each."""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import Configuration, Policy

if TYPE_CHECKING:
    from .apps import Installed

AT_RUN_TIME: Final = "at run time"
Served = Policy | str | None

_WERKZEUG: Final = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
_STARLETTE: Final = re.compile(r"{(\w+)(?::(\w+))?}")
_SAMPLES: Final = {"int": "1", "float": "1.5", "uuid": str(uuid.UUID(int=1)), "path": "x/y"}


@dataclass(frozen=True)
class Route:
    """A path that is served.

    Args:
        path: As it is written.
        sample: A path that it matches.
        methods: Those that it serves; HEAD and OPTIONS, which come by themselves, left out.
        is_websocket: Whether it is a WebSocket's.
    """

    path: str
    sample: str
    methods: tuple[str, ...]
    is_websocket: bool = False


def routes_of(installed: Installed) -> list[Route]:
    """Give the routes of an app, in the order of their paths; those of an app that tells none are none."""
    if installed.framework in {"Flask", "Quart"}:
        found = list(_of_werkzeug(installed.app))
    elif installed.framework:
        found = list(_of_starlette(installed.app.routes, ""))
    else:
        found = []
    return sorted(_merged(found), key=lambda route: (route.path, route.is_websocket))


def _merged(routes: list[Route]) -> Iterator[Route]:
    """Join the routes of one path, which frameworks list by method."""
    by_path: dict[tuple[str, bool], Route] = {}
    for route in routes:
        key = route.path, route.is_websocket
        methods = (*by_path[key].methods, *route.methods) if key in by_path else route.methods
        by_path[key] = Route(route.path, route.sample, tuple(sorted(set(methods))), route.is_websocket)
    yield from by_path.values()


def _served(methods: Any) -> tuple[str, ...]:
    return tuple(sorted(set(methods or ()) - {"HEAD", "OPTIONS"}))


def _of_werkzeug(app: Any) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        is_websocket = bool(getattr(rule, "websocket", False))
        yield Route(rule.rule, _WERKZEUG.sub(_werkzeug_sample, rule.rule), _served(rule.methods), is_websocket)


def _werkzeug_sample(match: re.Match[str]) -> str:
    if match[1] == "any" and match[2]:
        return match[2].split(",")[0].strip("\"' ")
    return _SAMPLES.get(match[1] or "", "x")


def _of_starlette(routes: Any, prefix: str) -> Iterator[Route]:
    for route in routes:
        inner = getattr(route, "routes", None)
        path = prefix + getattr(route, "path", "")
        if inner:
            yield from _of_starlette(inner, path)
            continue
        is_websocket = "WebSocket" in type(route).__name__
        is_mount = not is_websocket and not hasattr(route, "methods")
        written = f"{path}/*" if is_mount else path
        sample = _STARLETTE.sub(lambda match: _SAMPLES.get(match[2] or "", "x"), path) + ("/x" if is_mount else "")
        yield Route(written, sample, _served(getattr(route, "methods", ())), is_websocket)


def policy_of(installed: Installed, path: str, method: str, *, is_websocket: bool = False) -> Served:
    """Find the policy that serves a request, as the middleware does; "at run time" where only that can tell."""
    if installed.configuration is None:
        return None
    scope: dict[str, Any] = {
        "type": "websocket" if is_websocket else "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"host", _host(installed).encode())],
        "server": (_host(installed).partition(":")[0], 80),
        "client": None,
    }
    return _found(installed.configuration, scope)


def _host(installed: Installed) -> str:
    config: Mapping[str, Any] = installed.app.config if installed.framework in {"Flask", "Quart"} else {}
    return config.get("SERVER_NAME") or "localhost"


def _found(configuration: Configuration, scope: dict[str, Any]) -> Served:
    asking = configuration.settings.rules.find(scope)
    try:
        awaitable = next(asking)
    except StopIteration as stop:
        policy: Policy | None = stop.value.policy
        return policy
    except Exception:  # noqa: BLE001 - what a function needs of a request, this one has not
        return AT_RUN_TIME
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    asking.close()
    return AT_RUN_TIME
