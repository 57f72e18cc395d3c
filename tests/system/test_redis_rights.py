"""The users of docs/dynamic.md have the rights that they need in a real Redis, and no others."""

import contextlib
import re
from pathlib import Path

import pytest

from asgi_cors import WSGIMiddleware
from asgi_cors.registry import RegistryError, open_registry
from tests.support.apps import App
from tests.support.clients import call_wsgi, wsgi_environ
from tests.support.programs import wait_until
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.system

PAGE = Path(__file__).parents[2] / "docs" / "dynamic.md"
LINES = re.findall(r"^ +(ACL SETUSER .+)$", PAGE.read_text("utf-8"), re.MULTILINE)
CUSTOMER = "https://customer.example.com"


@pytest.fixture
def users(redis: RedisServer) -> dict[str, str]:
    """Return the URLs of the users that the page creates."""
    names = []
    for line in LINES:
        assert redis.execute(*line.split()).startswith("+OK")
        names.append(line.split()[2])
    return {name: f"redis://{name}:PASSWORD@127.0.0.1:{redis.port}/0" for name in names}


def test_a_worker_follows_the_changes_of_a_writer(users):
    registry = open_registry(users["cors-worker"])
    app = WSGIMiddleware(App().wsgi, allow_origins=[registry])

    def allows() -> bool:
        response = call_wsgi(app, wsgi_environ("GET", "/", [("origin", CUSTOMER)]))
        return ("access-control-allow-origin", CUSTOMER) in response.headers

    with contextlib.closing(registry.sync), contextlib.closing(open_registry(users["cors-writer"]).sync) as writer:
        writer.add(CUSTOMER)
        wait_until(allows, "the worker allows the origin")
        writer.remove(CUSTOMER)
        wait_until(lambda: not allows(), "the worker refuses the origin")


def test_a_worker_can_not_write(users):
    with contextlib.closing(open_registry(users["cors-worker"]).sync) as worker, pytest.raises(RegistryError):
        worker.add(CUSTOMER)
