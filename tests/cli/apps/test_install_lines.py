"""The lines that add a policy to an app: each is accepted as printed."""

import subprocess
import sys

import pytest

from tests.cli.apps.conftest import MODULE, PAGE

APPS = [
    pytest.param("flask", "from flask import Flask\napp = Flask('x')", "asgi_cors_flask", id="Flask"),
    pytest.param("quart", "from quart import Quart\napp = Quart('x')", "asgi_cors_quart", id="Quart"),
    pytest.param(
        "starlette",
        "from starlette.applications import Starlette\napp = Starlette()",
        "asgi_cors_starlette",
        id="Starlette",
    ),
    pytest.param("fastapi", "from fastapi import FastAPI\napp = FastAPI()", "asgi_cors_starlette", id="FastAPI"),
    pytest.param(
        "starlette", "from starlette.routing import Router\napp = Router()", "asgi_cors", id="a router of Starlette"
    ),
    pytest.param("click", "def app(environ, start_response): ...", "asgi_cors", id="WSGI"),
    pytest.param("click", "async def app(scope, receive, send): ...", "asgi_cors", id="ASGI"),
]


@pytest.mark.parametrize(("framework", "source", "package"), APPS)
def test_the_line_of_the_audit_is_accepted_and_removes_the_finding(written, framework, source, package):
    pytest.importorskip(framework)
    (finding,) = [each for each in written(source).audit()["findings"] if each["name"] == "no-policy"]
    assert finding["code"].startswith(f"from {package} import ")
    assert "no-policy" not in written(f"{source}\n{finding['code']}\n").findings()


@pytest.mark.parametrize(("framework", "source", "package"), APPS)
def test_the_line_of_explain_is_that_of_the_audit(written, framework, source, package):
    pytest.importorskip(framework)
    app = written(source)
    (finding,) = [each for each in app.audit()["findings"] if each["name"] == "no-policy"]
    ran = app.run("explain", "/", "-o", PAGE)
    imported, line = finding["code"].split("\n")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert f"Write {line}, with {imported.rpartition(' ')[2]} from {package}." in ran.err


def test_the_line_has_the_name_of_the_users_variable(written):
    app = written("async def api(scope, receive, send): ...\ndef make(): return api\nclass own: served = api")
    assert "Write api = CORSMiddleware(api, " in app.run("explain", "/", "-o", PAGE, name="api").err
    assert "Write app = CORSMiddleware(app, " in app.run("explain", "/", "-o", PAGE, name="make()").err
    assert "Write served = CORSMiddleware(served, " in app.run("explain", "/", "-o", PAGE, name="own.served").err


PRINTS = """
import atexit, logging, os, subprocess, sys
print("printed")
sys.stdout.write("streamed\\n")
os.write(1, b"raw\\n")
subprocess.run([sys.executable, "-c", "print('child')"])
logging.basicConfig(stream=sys.stdout, level="INFO")
logging.info("logged")

def allowed(origin):
    print("called")
    return origin == "https://app.example.com"

from asgi_cors import CORSMiddleware

async def api(scope, receive, send): ...

app = CORSMiddleware(api, allow_origins=[allowed])
"""


@pytest.mark.parametrize("command", [["audit"], ["explain", "-o", PAGE]], ids=["audit", "explain"])
@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_the_output_of_an_app_goes_to_standard_error(written, command, form):
    folder = written(PRINTS).folder
    name, *options = command
    program = [sys.executable, "-m", "asgi_cors", name, f"{MODULE}:app", *options, *form, "--app-dir", str(folder)]
    ran = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0
    assert ran.stdout[:1] == ("{" if form else ("w" if name == "audit" else "G"))
    printed = {"printed", "streamed", "raw", "child", "INFO:root:logged", "called"}
    assert set(ran.stderr.splitlines()) >= printed
    assert not printed & set(ran.stdout.splitlines())


@pytest.mark.skipif(sys.platform == "win32", reason="closes a file descriptor as POSIX does")
def test_a_closed_output_is_no_error_for_the_app(written):
    folder = written("print('printed')\nasync def app(scope, receive, send): ...").folder
    program = f"{sys.executable} -m asgi_cors audit {MODULE}:app --app-dir {folder} >&-"
    ran = subprocess.run(program, shell=True, capture_output=True, text=True, check=False, timeout=60)  # noqa: S602 - our own
    assert (ran.returncode, ran.stdout) == (1, "")  # the app has no policy
    assert "printed" in ran.stderr
