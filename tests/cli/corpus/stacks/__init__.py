"""Real stacks as users set them up, each with the cases on which the doctor is tested."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from . import (
    apache,
    caddy,
    flask_cors,
    haproxy,
    lighttpd,
    nginx,
    node,
    node_cases,
    python,
    python_cases,
    starlette,
    varnish,
)
from .case import Case


@dataclass(frozen=True)
class Stack:
    """A stack: the function that serves it from a temporary folder, and its cases."""

    start: Callable[[Path], AbstractContextManager[str]]
    broken: tuple[Case, ...]
    healthy: tuple[Case, ...]


STACKS = {
    "nginx": Stack(nginx.start, nginx.BROKEN, nginx.HEALTHY),
    "nginx with TLS": Stack(nginx.start_tls, nginx.BROKEN_TLS, nginx.HEALTHY_TLS),
    "nginx with HTTP/2": Stack(nginx.start_http2, nginx.BROKEN_HTTP2, ()),
    "apache": Stack(apache.start, apache.BROKEN, apache.HEALTHY),
    "apache with TLS": Stack(apache.start_tls, apache.BROKEN_TLS, apache.HEALTHY_TLS),
    "haproxy": Stack(haproxy.start, haproxy.BROKEN, haproxy.HEALTHY),
    "caddy": Stack(caddy.start, caddy.BROKEN, caddy.HEALTHY),
    "varnish": Stack(varnish.start, varnish.BROKEN, varnish.HEALTHY),
    "lighttpd": Stack(lighttpd.start, lighttpd.BROKEN, lighttpd.HEALTHY),
    "flask-cors": Stack(flask_cors.start, flask_cors.BROKEN, flask_cors.HEALTHY),
    "starlette": Stack(starlette.start, starlette.BROKEN, starlette.HEALTHY),
}
STACKS |= {
    name: Stack(start, python_cases.BROKEN[name], python_cases.HEALTHY[name]) for name, start in python.STARTS.items()
}
STACKS |= {
    name: Stack(functools.partial(node.start, name), node_cases.BROKEN[name], node_cases.HEALTHY[name])
    for name in node_cases.BROKEN
}
