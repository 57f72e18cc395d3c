"""`audit`: forged requests, and the Host of a DNS rebinding."""

import pytest

from tests.cli.corpus.raw import PAGE, PAGE_ALLOWED
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run
from tests.support.remedies import build_every_policy, build_policy

pytest.importorskip("starlette")

APP = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from asgi_cors import CORSMiddleware

async def view(request): ...

class CSRFMiddleware:
    def __init__(self, app):
        self.app = app
    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

routes = [
    Route("/items", view, methods=["GET", "POST"]), Route("/items/x", view, methods=["PUT", "DELETE"]),
    Route("/read", view), Route("/pay", view, methods=["POST"]), WebSocketRoute("/ws", view),
]
"""


@pytest.fixture
def audited(tmp_path, request):
    """Audit the app with a middleware of these options."""

    def audit(options, *, around="", **arguments):
        name = f"requests_{abs(hash((request.node.name, options)))}"
        middlewares = f"Middleware(CORSMiddleware, {options}){around}"
        (tmp_path / f"{name}.py").write_text(f"{APP}\napp = Starlette(routes=routes, middleware=[{middlewares}])\n")
        return run("audit", f"{name}:app", "--app-dir", str(tmp_path), *arguments.get("more", ["--json"]))

    return audit


def requests_of(ran):
    """Return the requests that got in, by the kind of the attack."""
    return {attack["kind"]: attack["got_in"] for attack in ran.json["requests"]}


def names(findings):
    return [finding["name"] for finding in findings]


ORIGIN = f"allow_origins={PAGE!r}, allow_methods=['PUT', 'DELETE']"


def test_a_form_of_another_site_is_a_mistake_if_the_policy_allows_cookies(audited):
    ran = audited(f"{ORIGIN}, allow_credentials=True")
    assert ran.code == 1
    (finding,) = ran.json["findings"]
    assert finding["name"] == "forged-requests-accepted"
    assert finding["sentence"].startswith(
        "/items, /pay: the policy allows cookies, and a form of any site can send POST"
    )
    assert build_policy(finding["policy"]).csrf_protection is True
    assert requests_of(ran)["forged-request"] == ["POST /items", "POST /pay"]
    assert ran.json["requests"][0]["tried"] == 4


def test_without_cookies_it_is_a_note(audited):
    ran = audited(ORIGIN)
    assert (ran.code, names(ran.json["findings"]), names(ran.json["notes"])) == (0, [], ["forged-requests-accepted"])
    assert "That harms no user of an API that reads only tokens" in ran.json["notes"][0]["sentence"]
    build_every_policy(ran.json)


@pytest.mark.parametrize(
    ("options", "passed"),
    [
        ("csrf_protection=True", []),
        ("enforce=True", []),
        ("csrf_protection=True, csrf_trusted_origins='https://evil.test'", ["POST /items", "POST /pay"]),
        ("csrf_protection=True, paths={'/pay': {'csrf_protection': False}}", ["POST /pay"]),
        ("csrf_protection=True, paths={'/pay': None}", ["POST /pay"]),
        ("policy_for=lambda scope: scope['state']['policy']", []),
    ],
)
def test_the_routes_that_run_a_forged_request_are_listed(audited, options, passed):
    ran = audited(f"{ORIGIN}, {options}")
    assert requests_of(ran)["forged-request"] == passed
    routes = {route["path"]: route["forged_methods"] for route in ran.json["routes"]}
    assert [path for path, methods in routes.items() if methods] == [line.partition(" ")[2] for line in passed]


def test_a_protection_that_only_reports_is_a_note(audited):
    ran = audited(f"{ORIGIN}, allow_credentials=True, csrf_protection='report'")
    assert (ran.code, names(ran.json["notes"])) == (0, ["forged-requests-reported"])


def test_the_protection_of_another_library_is_not_repeated(audited):
    ran = audited(f"{ORIGIN}, allow_credentials=True", around=", Middleware(CSRFMiddleware)")
    assert "forged-requests-accepted" not in names([*ran.json["findings"], *ran.json["notes"]])


@pytest.mark.parametrize(
    ("options", "passed"),
    [
        ("", ["rebinding.evil.test"]),
        (", allowed_hosts=['api.example.com']", []),
        (", allowed_hosts=['*.evil.test']", ["rebinding.evil.test"]),
    ],
)
def test_the_host_of_a_rebinding_is_refused_by_allowed_hosts(audited, options, passed):
    ran = audited(f"{ORIGIN}{options}")
    assert requests_of(ran)["rebinding-host"] == passed
    assert {route["allowed_hosts"] for route in ran.json["routes"]} == {bool(options)}


def test_the_report_has_the_requests_and_the_names_of_the_policies(audited):
    said = " ".join(audited(f"{ORIGIN}, csrf_protection=True, name='public'", more=[]).out.split())
    assert f"public: {PAGE}" in said
    assert "✓ a forged request of another site, with cookies: no route runs it" in said
    assert "? DNS rebinding: Host rebinding.evil.test is not refused (allowed_hosts)" in said
    said = " ".join(audited(ORIGIN, more=[]).out.split())
    assert "? a forged request of another site, with cookies: the app runs POST /items, POST /pay" in said


def test_the_trusted_origins_are_in_the_data(audited):
    ran = audited(f"{ORIGIN}, csrf_protection=True, csrf_trusted_origins=['https://bank.test'], name='p'")
    route = ran.json["routes"][0]
    assert (route["policy"], route["csrf_protection"], route["csrf_trusted_origins"]) == (
        "p",
        True,
        "https://bank.test",
    )


def test_many_routes_are_shortened(tmp_path):
    (tmp_path / "many_posts.py").write_text(
        "from starlette.applications import Starlette\nfrom starlette.routing import Route\n"
        "from asgi_cors import CORSMiddleware\n"
        "app = Starlette(routes=[Route(f'/{n}', print, methods=['POST']) for n in range(12)])\n"
        f"app.add_middleware(CORSMiddleware, allow_origins={PAGE!r})\n"
    )
    assert "POST /5 and 4 more" in " ".join(run("audit", "many_posts:app", "--app-dir", str(tmp_path)).out.split())


@pytest.mark.parametrize(("status", "passed"), [(200, ["rebinding.evil.test"]), (421, [])])
def test_a_live_url_is_tested_with_another_host_by_get_only(status, passed):

    def respond(request):
        return Response(status) if request.headers["host"] == "rebinding.evil.test" else PAGE_ALLOWED

    with serving(respond) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    assert requests_of(ran) == {"rebinding-host": passed}
    assert {request.method for request in server.requests} == {"GET"}
    assert ran.code == 0
