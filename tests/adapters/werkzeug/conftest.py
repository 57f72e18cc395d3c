"""Flask over WSGI and ASGI, and Quart, under the same names."""

import asyncio
import importlib
from importlib.util import find_spec

import pytest

if find_spec("werkzeug"):
    from tests.adapters.exchange import by_asgi, by_wsgi
else:
    collect_ignore_glob = ["test_*.py"]

PAGE, OTHER = "https://app.example.com", "https://other.example"
EXTENSIONS = {"flask": ("asgiref", "flask.ctx"), "quart": ("quart.ctx",)}


class Framework:
    """Flask or Quart, under the same names."""

    def __init__(self, name, interface):
        for module in EXTENSIONS[name]:
            pytest.importorskip(module)
        self.module = importlib.import_module(name)
        self.views = importlib.import_module(f"{name}.views")
        self.ours = importlib.import_module(f"asgi_cors_{name}")
        self.is_flask, self.interface = name == "flask", interface

    def app(self, **options):
        return (self.module.Flask if self.is_flask else self.module.Quart)("app", static_folder=None, **options)

    def own(self, **options):
        """Return a decorator for a view that OTHER may read."""
        if self.is_flask:
            return self.ours.cross_origin(origins=OTHER, **options)
        return self.ours.route_cors(allow_origin=OTHER, **options)

    def attach_to_blueprint(self, blueprint, **options):
        """Apply a policy to a blueprint that OTHER may read."""
        if self.is_flask:
            self.ours.CORS(blueprint, origins=OTHER, **options)
        else:
            self.ours.cors(blueprint, allow_origin=OTHER, **options)

    def rewrite(self, app, path=None, method=None, host=None):
        """Add an inner middleware, as a closure, so that its changes cannot be predicted."""
        inner = app.wsgi_app if self.is_flask else app.asgi_app
        names = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_HOST": host}
        environ_changes = {name: value for name, value in names.items() if value}
        scope_changes = {name: value for name, value in {"path": path, "method": method}.items() if value}

        async def rewrite(scope, receive, send):
            headers = [
                (b"host", host.encode()) if host and name == b"host" else (name, v) for name, v in scope["headers"]
            ]
            await inner({**scope, **scope_changes, "headers": headers}, receive, send)

        if self.is_flask:
            app.wsgi_app = lambda environ, start_response: inner({**environ, **environ_changes}, start_response)
        else:
            app.asgi_app = rewrite

    def send(self, app, path, origin=None, method="GET", **headers):
        """Send one request, and return its response."""
        named = {name.replace("_", "-"): value for name, value in headers.items()} | (
            {"origin": origin} if origin else {}
        )
        if self.interface == "WSGI":
            return by_wsgi(app, method, path, named)
        return by_asgi(self.ours.asgi_app(app, threads=2) if self.is_flask else app, method, path, named)

    def readers(self, app, path, method="GET", **headers):
        """Return the origins that may read a path. A preflight must have the same result."""
        found = []
        for origin in (PAGE, OTHER):
            preflight = {**headers, "access_control_request_method": method}
            responses = [
                self.send(app, path, origin, method, **headers),
                self.send(app, path, origin, "OPTIONS", **preflight),
            ]
            allowed = {response.allowed_origin for response in responses}
            assert len(allowed) == 1, (origin, responses)
            found += allowed - {None}
        return found

    def posted(self, app, path):
        """Post to a path with the framework's own test client, and return the status."""
        if self.is_flask:
            return app.test_client().post(path).status_code

        async def post():
            return (await app.test_client().post(path)).status_code

        return asyncio.run(post())


@pytest.fixture(params=["Flask over WSGI", "Flask over ASGI", "Quart"])
def framework(request):
    name, _, interface = request.param.partition(" over ")
    return Framework(name.lower(), interface)
