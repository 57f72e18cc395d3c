"""A pytest plugin that runs Flask-CORS's own tests with our module in its place, over WSGI or ASGI.

The tests that `differences` names must fail, and all others must pass. Tests of its private functions are skipped.
"""

import asyncio
import os
import sys
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from asgi_cors_flask import asgi_app

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "shim")]

from differences import DIFFERENCES, INTERNAL  # noqa: E402 - found next to this file


class ASGIClient(FlaskClient):
    """Flask's test client, over asgi_app."""

    def run_wsgi_app(self, environ, buffered=False):
        messages = asyncio.run(exchange(asgi_app(self.application, threads=1), environ))
        start, *rest = messages
        headers = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        status = f"{start['status']} {HTTPStatus(start['status']).phrase}"
        return [message.get("body", b"") for message in rest], status, Headers(headers)


async def exchange(app, environ):
    sent, requests = [], [{"type": "http.request", "body": environ["wsgi.input"].read()}]

    async def receive():
        return requests.pop() if requests else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    names = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"].encode("latin-1").decode(),
        "query_string": environ["QUERY_STRING"].encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in names.items()],
    }
    await app(scope, receive, send)
    return sent


def pytest_configure():
    if os.environ["INTERFACE"] == "ASGI":
        Flask.test_client_class = ASGIClient


def name_of(item: pytest.Item) -> str:
    """Return a test's name as in `differences`: file, class and method."""
    return f"{item.path.stem}.{item.nodeid.partition('::')[2].replace('::', '.')}"


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if name_of(item).startswith(INTERNAL)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    named = {name: difference.reason for difference in DIFFERENCES for name in difference.tests}
    unknown = named.keys() - {name_of(item) for item in items}
    if unknown:
        raise pytest.UsageError(f"differences has tests that do not exist: {sorted(unknown)}")
    for item in items:
        if name_of(item) in named:
            item.add_marker(pytest.mark.xfail(strict=True, reason=named[name_of(item)]))
