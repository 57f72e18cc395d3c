"""Our library passes every case on each interface, served on loopback."""

import pytest

from asgi_cors import CORSMiddleware, WSGIMiddleware
from asgi_cors.cli.check.cases import WEBSOCKETS
from tests.cli.corpus.stacks.case import asgi_server
from tests.support.command_line import run

from .sites import INTERFACES, OPTIONS, plain_asgi, plain_wsgi

PAGE, ADMIN = OPTIONS["allow_origins"]
ARGUMENTS = [
    *("--allow", PAGE, "--allow", ADMIN, "--refuse", "https://partner.example.net", "--method", "PUT"),
    *("--method", "PATCH", "--header", "x-id", "--header", "authorization", "--credentials", "--expose", "x-total"),
]
# The reason for which a case does not apply to these servers.
SKIPPED = {
    "request-slash": "does not redirect",
    "refused-body": "200, which is not an error",
    "header-credentials-undeclared": "--credentials is declared",
    "cache-without-origin": "do not cache",
    "cache-other-origin": "do not cache",
    "websocket": "is not a WebSocket",
}


@pytest.mark.parametrize("name", INTERFACES)
def test_our_library_passes_every_case(name):
    serve, make, package = INTERFACES[name]
    pytest.importorskip("uvicorn")
    if package:
        pytest.importorskip(package)
    with serve(make()) as url:
        ran = run("check", f"{url}/items", *ARGUMENTS, "--error", f"{url}/crash", "--send-unsafe", "--json")
    cases = {case["name"]: case for case in ran.json["cases"]}
    assert {name: case["problems"] for name, case in cases.items() if case["status"] == "failed"} == {}
    assert ran.code == 0
    for key, case in cases.items():
        if case["status"] == "skipped":
            reason = SKIPPED["websocket" if key.startswith("websocket") else key]
            assert reason in case["problems"][0]


@pytest.mark.parametrize("name", ["ASGI", "Quart", "Starlette"])
def test_our_library_passes_every_case_of_a_websocket(name):
    _, make, package = INTERFACES[name]
    for module in ("uvicorn", "websockets", *([package] if package else [])):
        pytest.importorskip(module)
    with asgi_server(make(), ws="websockets-sansio") as url:
        ran = run("check", f"{url.replace('http', 'ws')}/feed", *ARGUMENTS, "--json")
    assert {case["name"]: case["status"] for case in ran.json["cases"]} == {case.name: "passed" for case in WEBSOCKETS}
    assert ran.code == 0


# Options besides CORS. None of them changes what a page of an allowed origin gets.
PROTECTED = {
    "csrf_protection": True,
    "csrf_trusted_origins": "https://bank.example.net",
    "timing_allow_origin": True,
    "resource_policy": "same-origin",
    "presets": ["opentelemetry"],
    "name": "public",
    "allowed_hosts": ["127.0.0.1"],
    "report_only": {"max_age": 5},
}


@pytest.mark.parametrize("interface", ["ASGI", "WSGI"])
def test_our_library_passes_every_case_with_the_protections_on(interface):
    pytest.importorskip("uvicorn")
    middleware, app = {"ASGI": (CORSMiddleware, plain_asgi), "WSGI": (WSGIMiddleware, plain_wsgi)}[interface]
    serve = INTERFACES[interface][0]
    with serve(middleware(app, **OPTIONS, **PROTECTED)) as url:
        ran = run("check", f"{url}/items", *ARGUMENTS, "--error", f"{url}/crash", "--send-unsafe", "--json")
    problems = {case["name"]: case["problems"] for case in ran.json["cases"] if case["status"] == "failed"}
    assert (problems, ran.code) == ({}, 0)
