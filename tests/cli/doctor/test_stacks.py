"""The doctor tests real stacks as users configure them: nginx, Express, Flask-CORS, Starlette."""

import contextlib
import functools

import pytest

from tests.cli.corpus.stacks import STACKS
from tests.support.command_line import doctor

ALLOWED, BLOCKED = 0, 1
PUT = {"method": "PUT"}
COOKIES = {"credentials": True}
ID = {"headers": ["x-id: 7"]}


# The stack, the path, the call, the cause that blocks or None, the risks.
BROKEN = [
    ("nginx", "/own/items", {}, "two-origin-fields", []),
    ("nginx", "/not-always/missing", {}, "error-without-cors", []),
    ("nginx", "/not-always/crash", {}, "response-crashed", []),
    ("nginx", "/small/items", {"method": "PUT", "data": "too long"}, "gateway-error", []),
    ("nginx", "/down/items", {}, "gateway-error", []),
    ("nginx", "/empty-204/items", PUT, "preflight-not-answered", []),
    ("nginx", "/guarded/items", PUT, "preflight-needs-login", []),
    ("nginx", "/prefix/items", COOKIES, None, ["compares-by-prefix", "unescaped-dot"]),
    ("nginx", "/reflecting/items", COOKIES, None, ["reflects-any-origin"]),
    ("nginx", "/https/items", PUT, "preflight-redirected-to-https", []),
    ("nginx", "/not-always/items", PUT, "method-not-allowed", []),
    ("express", "/slash/items", {}, "origin-with-slash", []),
    ("express", "/star/items", COOKIES, "wildcard-with-credentials", []),
    ("express", "/reflecting/items", COOKIES, None, ["reflects-any-origin"]),
    ("express", "/regex/items", COOKIES, None, ["compares-by-prefix", "compares-by-suffix", "trusts-http"]),
    ("express", "/suffix/items", COOKIES, None, ["compares-by-suffix", "trusts-http"]),
    ("express", "/methods/items", PUT, "method-not-allowed", []),
    ("express", "/headers/items", ID, "header-not-allowed", []),
    ("express", "/one-origin/items", {}, "another-origin-allowed", []),
    ("express", "/late/items", {}, "no-cors", []),
    ("express", "/throwing/items", {}, "refused-by-status", []),
    ("express", "/auth-first/items", PUT, "preflight-needs-login", []),
    ("flask-cors", "/star/items", COOKIES, "credentials-not-allowed", ["vary-missing"]),
    ("flask-cors", "/reflecting/items", COOKIES, None, ["reflects-any-origin", "vary-missing"]),
    ("flask-cors", "/suffix/items", COOKIES, None, ["compares-by-prefix", "compares-by-suffix", "vary-missing"]),
    ("flask-cors", "/well/items", COOKIES, None, ["vary-missing"]),
    ("flask-cors", "/slash/items", {}, "origin-with-slash", []),
    ("flask-cors", "/methods/items", PUT, "method-not-allowed", []),
    ("flask-cors", "/headers/items", ID, "header-not-allowed", []),
    ("flask-cors", "/guarded/items", PUT, "preflight-needs-login", []),
    ("flask-cors", "/crashing/items", {}, "response-crashed", []),
    ("flask-cors", "/none/items", PUT, "no-cors", []),
    ("flask-cors", "/slashed/items", PUT, "preflight-redirected-for-slash", []),
    ("starlette", "/elsewhere/items", PUT, "refused-by-status", []),
    ("starlette", "/methods/items", PUT, "refused-by-status", []),
    ("starlette", "/star/items", COOKIES, "wildcard-with-credentials", []),
    ("starlette", "/suffix/items", COOKIES, None, ["compares-by-suffix"]),
    ("starlette", "/guarded/items", PUT, "preflight-needs-login", []),
    ("starlette", "/none/items", PUT, "preflight-not-routed", []),
    ("starlette", "/well/crash", COOKIES, "response-crashed", []),
]  # fmt: skip  # fmt: skip
HEALTHY = [
    ("nginx", "/well/items", PUT | ID),
    ("nginx", "/well/missing", {}),
    ("express", "/well/items", COOKIES),
    ("express", "/well/items", COOKIES | PUT),
    ("flask-cors", "/wildcard/items", {}),
    ("flask-cors", "/star/items", {}),
    ("starlette", "/well/items", COOKIES | PUT),
    ("starlette", "/star/items", {}),
    ("starlette", "/ours/items", COOKIES | PUT),
    ("starlette", "/ours/items", {}),
    ("starlette", "/ours/crash", COOKIES),
]  # fmt: skip  # fmt: skip


@pytest.fixture(scope="module")  # not longer: other modules turn the clock, which servers in threads would see
def url_of(tmp_path_factory):
    """Start a stack when a test first needs it. All stop together."""
    with contextlib.ExitStack() as running:

        @functools.cache
        def start(stack: str) -> str:
            return running.enter_context(STACKS[stack](tmp_path_factory.mktemp("stack")))

        yield start


def named(value: object) -> str | None:
    """Name a row by its stack, path and call."""
    return str(value) if isinstance(value, str | dict) else None


@pytest.mark.parametrize(("stack", "path", "call", "cause", "risks"), BROKEN, ids=named)
def test_the_doctor_finds_the_mistake_of_a_broken_stack(url_of, stack, path, call, cause, risks):
    ran = doctor(call, url_of(stack) + path)
    found = ran.json["cause"]
    assert (found and found["name"], ran.code) == (cause, BLOCKED if cause else ALLOWED), found
    assert [risk["name"] for risk in ran.json["risks"]] == risks


@pytest.mark.parametrize(("stack", "path", "call"), HEALTHY, ids=named)
def test_the_doctor_finds_nothing_in_a_healthy_stack(url_of, stack, path, call):
    ran = doctor(call, url_of(stack) + path)
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])
