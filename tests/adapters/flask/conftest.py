"""Requests to a Flask app over WSGI and over ASGI."""

from importlib.util import find_spec
from typing import NamedTuple

import pytest

if find_spec("asgiref") and getattr(find_spec("flask"), "origin", None):
    from flask import Flask

    from asgi_cors_flask import asgi_app
    from tests.adapters.exchange import by_asgi, by_wsgi, drive, scope_of
else:
    collect_ignore_glob = ["test_*.py"]


def by_bridge(app, method, path, headers, body):
    return by_asgi(asgi_app(app, threads=2), method, path, headers, body)


def by_server(app, method, path, headers, body):
    return by_wsgi(app, method, path, headers, body)


INTERFACES = {"WSGI": by_server, "ASGI": by_bridge}


class Client:
    """Sends requests to a Flask app over one interface."""

    def __init__(self, app, interface):
        self.app, self.interface = app, interface

    def request(self, method, path, origin=None, *, body=b"", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.interface(self.app, method, path, {**({"origin": origin} if origin else {}), **named}, body)

    def get(self, path, origin=None, **headers):
        return self.request("GET", path, origin, **headers)

    def preflight(self, path, origin, method="PUT", headers=None):
        requested = {"access-control-request-headers": headers} if headers else {}
        return self.request("OPTIONS", path, origin, **{"access-control-request-method": method, **requested})


@pytest.fixture(params=INTERFACES)
def serve(request):
    """Serve an app over WSGI, and in a second run over ASGI."""
    return lambda app: Client(app, INTERFACES[request.param])


@pytest.fixture
def app():
    return Flask("app")


@pytest.fixture
def asgi():
    """The functions that build a scope and send it to an app."""

    class ASGI(NamedTuple):
        scope: object = staticmethod(scope_of)
        drive: object = staticmethod(drive)

    return ASGI()
