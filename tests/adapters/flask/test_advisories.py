"""Published attacks on Flask-CORS and sanic-cors fail here. `nox -s upstream` shows which still succeed there.

With FLASK_CORS_SOURCE, the folder of Flask-CORS 6.0.5, the same attacks are tried there as well, and those that are
still open must succeed.
"""

import importlib.util
import logging
import os
import re
import sys
from pathlib import Path

import pytest
from flask import Flask

import asgi_cors_flask

FRIEND, EVIL = "https://trusted.example", "https://trusted.example.evil.example"
ORIGINAL = os.environ.get("FLASK_CORS_SOURCE")
STILL_OPEN = {
    "CVE-2020-25032: dot segments",
    "CVE-2020-25032: doubled slashes",
    "CVE-2024-6839: the longer text before the more specific rule",
    "CVE-2024-6839: a prefix is no whole path",
    "CVE-2026-37737: the beginning of an origin",
    "CVE-2026-37737: a compiled regex",
}


def flask_cors():
    """Import Flask-CORS itself, under another name."""
    source = Path(ORIGINAL) / "flask_cors"
    spec = importlib.util.spec_from_file_location(
        "original_flask_cors", source / "__init__.py", submodule_search_locations=[str(source)]
    )
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def app_with(module, resources):
    app = Flask("app")
    module.CORS(app, resources=resources)
    app.add_url_rule("/<path:_>", "view", lambda _: "secret")
    return app


CLOSED, OPEN = {"origins": FRIEND}, {"origins": "*"}
READS = {
    "CVE-2020-25032: dot segments": ({"/public/*": OPEN, "/private/*": CLOSED}, "/public/../private/key"),
    "CVE-2020-25032: encoded dot segments": ({"/public/*": OPEN, "/private/*": CLOSED}, "/private/%2e/key"),
    "CVE-2020-25032: doubled slashes": ({"/[a-z/]+": OPEN, "/private/key": CLOSED}, "/private//key"),
    "CVE-2024-6839: the longer text before the more specific rule": (
        {"/[a-z0-9-]+/.*": OPEN, "/admin/.*": CLOSED},
        "/admin/users",
    ),
    "CVE-2024-6839: a prefix is no whole path": ({"/v[12]": OPEN, "/*": CLOSED}, "/v1secret"),
    "CVE-2024-6844: a plus is no space": ({"/a b": OPEN, "/a+b": CLOSED}, "/a+b"),
    "CVE-2024-6866: case counts": ({"/Private": OPEN, "/private": CLOSED}, "/private"),
    "CVE-2024-6866: case counts in regexes": ({r"/Private/\d+": OPEN, "/private/*": CLOSED}, "/private/1"),
    "CVE-2026-37737: the beginning of an origin": ({"/*": {"origins": r"https://trusted\.example(:\d+)?"}}, "/key"),
    "CVE-2026-37737: a compiled regex": (
        {"/*": {"origins": re.compile(r"https://trusted\.example")}},
        "/key",
    ),
}


def cases():
    for name in READS:
        yield pytest.param(asgi_cors_flask, name, id=name)
        if ORIGINAL:
            marks = [pytest.mark.xfail(strict=True, reason="still open in 6.0.5")] if name in STILL_OPEN else []
            yield pytest.param(flask_cors(), name, id=f"Flask-CORS: {name}", marks=marks)


@pytest.mark.parametrize(("module", "name"), [*cases()])
def test_a_hostile_page_cannot_read_the_response(module, name):
    """A trusted page can read it, unless the attack is on the path. Refusing every page would not pass."""
    resources, path = READS[name]
    client = app_with(module, resources).test_client()
    response = client.get(path, headers={"Origin": EVIL})
    assert "Access-Control-Allow-Origin" not in response.headers
    if "//" not in path and "/." not in path and "%" not in path:
        assert client.get(path, headers={"Origin": FRIEND}).headers["Access-Control-Allow-Origin"] == FRIEND


MODULES = [pytest.param(asgi_cors_flask, id="ours")]
MODULES += [pytest.param(flask_cors(), id="Flask-CORS")] if ORIGINAL else []


@pytest.mark.parametrize("module", MODULES)
def test_cve_2024_6221_private_networks_stay_closed(module):
    """By default, no page may access a private network."""
    preflight = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Private-Network": "true",
    }
    response = app_with(module, {"/*": OPEN}).test_client().options("/key", headers=preflight)
    assert response.headers["Access-Control-Allow-Origin"] in {"*", FRIEND}
    assert response.headers.get("Access-Control-Allow-Private-Network") != "true"


@pytest.mark.parametrize("module", MODULES)
def test_cve_2024_1681_no_request_forges_a_log_line(module, caplog):
    """Neither by its path nor at any log level."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, module.__name__)
    client = app_with(module, {"/*": CLOSED}).test_client()
    client.get("/a%0d%0aFORGED", headers={"Origin": EVIL})
    lines = [record.getMessage() for record in caplog.records if "cors" in record.name]
    assert lines
    assert not [line for line in lines if "\r" in line or "\nFORGED" in line]
