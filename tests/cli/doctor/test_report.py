"""The doctor's report, its options, and the requests that it sends."""

import pytest

from tests.cli.corpus.raw import (
    ACAC,
    ACAM,
    ACAO,
    ACEH,
    ACMA,
    PAGE,
    PAGE_ALLOWED,
    PREFLIGHT_ALLOWED,
    allowing,
    echoing,
    sends,
    splits,
)
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run


def report(behaviour, *arguments: str) -> str:
    """Return the report on a server for the terminal."""
    with serving(behaviour) as server:
        return run("doctor", f"{server.url}/items", "-o", PAGE, *arguments).out


def test_the_report_of_a_block_is_plain_text_of_80_columns():
    out = report(splits(Response(401, (("Server", "nginx"),)), PAGE_ALLOWED), "-X", "PUT", "-H", "X-Id: 7", "-c")
    text = " ".join(out.split())
    assert "✗ Chromium blocks it at the preflight PreflightMissingAllowOriginHeader" in text
    assert "✗ Safari blocks it at the preflight" in text
    assert "preflight-needs-login" in text
    assert "Remedy Let OPTIONS pass before authentication" in text
    assert "Write these lines for nginx" in text
    assert "asgi_cors Make CORSMiddleware the outermost" in text
    assert "1. preflight: OPTIONS http://127.0.0.1:" in text
    assert "> access-control-request-headers: x-id" in text
    assert "< server: nginx" in text
    assert "Firefox Cross-Origin Request Blocked" in text
    assert "with credentials, headers x-id" in text
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_the_report_of_an_allowed_request_has_risks_and_no_console():
    out = report(sends(200, (ACAO, PAGE), (ACAC, "true"), ("Set-Cookie", "a=1"), ("Location", "x" * 300)), "-c")
    text = " ".join(out.split())
    assert "✓ Firefox allows it" in text
    assert "Allowed, but with mistakes" in text
    assert "cookie-not-kept" in text
    assert "(300 characters)" in text
    assert "console" not in text


def test_a_hidden_header_is_reported_but_not_as_a_block():
    out = report(sends(200, (ACAO, "*"), ("X-Id", "7")), "--reads", "X-Id")
    assert "allows it, but hides a header HeaderNotExposed" in " ".join(out.split())


def test_risks_are_reported_next_to_a_cause():
    assert "Other mistakes" in report(echoing(lambda _: True), "-c", "-X", "DELETE")


def test_three_engines_send_each_request_once():
    with serving(splits(allowing((ACAM, "DELETE"), status=204), PAGE_ALLOWED)) as server:
        assert run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "DELETE").code == 0
    methods = [request.method for request in server.requests if request.origin == PAGE]
    assert methods == ["OPTIONS", "DELETE"]


def test_preflight_only_never_sends_the_request_itself():
    with serving(splits(allowing((ACAM, "DELETE"), status=204), PAGE_ALLOWED)) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "DELETE", "--preflight-only")
    assert {request.method for request in server.requests} == {"OPTIONS"}
    assert (ran.code, "the request itself not sent" in ran.out) == (0, True)


def test_no_probes_sends_only_the_origin_of_the_page():
    with serving(sends(200, (ACAO, "*"))) as server:
        run("doctor", f"{server.url}/items", "-o", PAGE, "--no-probes")
    assert [request.origin for request in server.requests] == [PAGE]


def test_probes_for_an_unsafe_method_are_preflights():
    with serving(splits(PREFLIGHT_ALLOWED, PAGE_ALLOWED)) as server:
        run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "PUT", "-d", "x")
    assert {request.method for request in server.requests if request.origin != PAGE} == {"OPTIONS"}


def test_a_cookie_is_sent_with_credentials_only():
    with serving(sends(200, (ACAO, PAGE), (ACAC, "true"))) as server:
        run("doctor", f"{server.url}/items", "-o", PAGE, "-c", "--cookie", "sid=1", "--no-probes")
        with_credentials = server.requests[0].headers.get("cookie")
        server.requests.clear()
        run("doctor", f"{server.url}/items", "-o", PAGE, "--cookie", "sid=1", "--no-probes")
    assert (with_credentials, server.requests[0].headers.get("cookie")) == ("sid=1", None)


def test_the_whole_url_of_a_page_is_accepted_as_its_origin():
    with serving(sends(200, (ACAO, PAGE))) as server:
        assert run("doctor", f"{server.url}/items", "-o", f"{PAGE}/a/page?x=1").code == 0


def test_origin_null_is_a_sandboxed_page():
    with serving(sends(200, (ACAO, "null"), (ACAC, "true"))) as server:
        ran = run("doctor", f"{server.url}/items", "-o", "null", "-c", "--json")
    assert (ran.code, ran.json["risks"]) == (0, [])


def test_json_has_the_documented_keys():
    with serving(splits(PREFLIGHT_ALLOWED, PAGE_ALLOWED)) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "PUT", "-H", "x-id: 7", "-r", "Etag", "--json")
    data = ran.json
    assert set(data) == {
        "schema", "command", "question", "allowed", "browsers", "cause", "risks", "notes", "exchanges",
    }  # fmt: skip
    assert data["question"] == {
        "url": f"{server.url}/items",
        "origin": PAGE,
        "method": "PUT",
        "headers": [["x-id", "7"]],
        "credentials": False,
        "reads": ["etag"],
    }
    assert data["browsers"][0] == {
        "browser": "Chromium",
        "engine": "chromium",
        "allowed": False,
        "code": "HeaderNotExposed",
        "step": "request",
        "console": None,
        "needs_https": False,
    }
    assert set(data["cause"]) == {
        "name", "sentence", "remedy", "recipe", "software", "docs", "policy", "advice", "code",
    }  # fmt: skip
    assert [exchange["kind"] for exchange in data["exchanges"]] == ["preflight", "main"]
    assert set(data["exchanges"][0]) == {
        "kind", "check", "method", "url", "sent", "status", "problem", "request", "response",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("behaviour", "arguments", "note"),
    [
        (splits(allowing((ACAM, "PUT"), (ACMA, "86400")), PAGE_ALLOWED), ["-X", "PUT"], "max-age-beyond-caps"),
        (splits(allowing((ACAM, "PUT"), (ACMA, "1h")), PAGE_ALLOWED), ["-X", "PUT"], "max-age-malformed"),
        (splits(allowing((ACAM, "PUT")), PAGE_ALLOWED), ["-X", "PUT"], "max-age-absent"),
        (echoing(lambda _: True, credentials=False), [], "open-to-all"),
        (sends(200, (ACAO, "*"), (ACAC, "true")), [], "wildcard-and-credentials"),
        (echoing(lambda origin: origin.endswith(".example.com") and "s:" in origin), [], "trusts-subdomains"),
        (splits(allowing((ACAM, "PUT"), (ACMA, "600")), PAGE_ALLOWED), ["-X", "PUT"], None),
    ],
)
def test_a_note_leaves_the_exit_code_at_0(behaviour, arguments, note):
    with serving(behaviour) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, *arguments, "--json")
    assert ran.code == 0
    assert [found["name"] for found in ran.json["notes"]] == ([note] if note else [])


def test_browsers_that_differ_are_reported_one_by_one():
    """After a redirect to a third origin, Firefox still sends the page's origin on the preflight, and allows it."""

    def respond(request):
        if request.path == "/items" and request.is_preflight:
            return allowing((ACAM, "PUT"))
        if request.path == "/items":
            return allowing(("Location", f"http://localhost:{request.port}/v2"), status=307)
        if request.is_preflight:
            return allowing((ACAM, "PUT"))
        return Response(200, ((ACAO, "null"),))

    with serving(respond) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "-X", "PUT", "--json")
    assert [browser["allowed"] for browser in ran.json["browsers"]] == [False, True, False]
    assert ran.json["browsers"][0]["step"] == "preflight after redirect 1"
    assert ran.json["cause"]["name"] == "redirected-to-another-origin"
    assert "browsers-differ" in [note["name"] for note in ran.json["notes"]]


def test_an_exposed_header_is_readable_in_any_letter_case():
    with serving(sends(200, (ACAO, "*"), (ACEH, "X-ID"), ("x-id", "7"))) as server:
        assert run("doctor", server.url, "-o", PAGE, "-r", "X-Id").code == 0
