"""What ``import asgi_cors`` loads, in a fresh interpreter."""

import json
import subprocess
import sys

import pytest

FOREIGN = {
    "starlette",
    "quart",
    "flask",
    "werkzeug",
    "httpx",
    "asgiref",
    "click",
    "rich",
    "redis",
    "anyio",
    "trio",
    "sniffio",
}
ON_DEMAND = {"idna", "publicsuffixlist"}
HEAVY = {
    "asyncio",
    "concurrent",
    "socket",
    "ssl",
    "selectors",
    "multiprocessing",
    "sqlite3",
}


def modules_of(code: str) -> set[str]:
    """The modules that are loaded when a program has run."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a program loads."""
    return {name.partition(".")[0] for name in modules_of(code)}


BARE = "import json, sys"


def test_nothing_foreign() -> None:
    """The import loads no framework, no client, no command-line library, and no event loop."""
    loaded = loaded_by("import asgi_cors") - loaded_by(BARE)
    assert loaded & (FOREIGN | ON_DEMAND) == set()
    assert loaded & HEAVY == set()


MIDDLEWARE = (
    "from asgi_cors import CORSMiddleware, Policy\nasync def app(scope, receive, send): ...\n"
    "m = CORSMiddleware(app, allow_origins='https://example.com')"
)


# behaviour, program, modules needed, modules not needed
ROWS = [
    ("an ASCII origin needs neither", "asgi_cors.Policy(allow_origins='https://example.com')", set(), ON_DEMAND),
    (
        "a wildcard without credentials needs no suffix list",
        "asgi_cors.Policy(allow_origins='https://*.example.com')",
        set(),
        ON_DEMAND,
    ),
    (
        "an exact origin with credentials needs no suffix list",
        "asgi_cors.Policy(allow_origins='https://example.com', allow_credentials=True)",
        set(),
        ON_DEMAND,
    ),
    (
        "a wildcard with credentials needs the suffix list",
        "asgi_cors.Policy(allow_origins='https://*.example.com', allow_credentials=True)",
        {"publicsuffixlist"},
        {"idna"},
    ),
]


@pytest.mark.parametrize(("code", "needed", "spared"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_on_demand(code: str, needed: set[str], spared: set[str]) -> None:
    """Idna and publicsuffixlist are loaded only where a policy needs them."""
    loaded = loaded_by(f"import asgi_cors\n{code}")
    assert needed <= loaded
    assert loaded & spared == set()


def test_idna_on_demand() -> None:
    """A host beyond ASCII needs idna for its hint."""
    code = """
import asgi_cors
try: asgi_cors.Policy(allow_origins="https://b\u00fccher.example")
except asgi_cors.ConfigError: pass
"""
    assert "idna" in loaded_by(code)


def test_serving_needs_no_event_loop() -> None:
    """A fixed policy is served without asyncio being loaded."""
    code = """
import asgi_cors
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
async def send(message): sent.append(message)
sent = []
scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", b"https://a.com")]}
try: asgi_cors.CORSMiddleware(app, allow_origins="https://a.com")(scope, None, send).send(None)
except StopIteration: pass
assert (b"access-control-allow-origin", b"https://a.com") in sent[0]["headers"]
"""
    assert loaded_by(code) & {"asyncio", "trio", "anyio"} == set()


@pytest.mark.parametrize(
    "name",
    [
        "CORSMiddleware",
        "Configuration",
        "MiddlewareOptions",
        "PerMethodKey",
        "Step",
        "WSGIMiddleware",
        "Policy",
        "PolicyOptions",
        "ConfigError",
        "ConfigWarning",
        "Issue",
        "explain",
        "Explanation",
        "Request",
        "Decision",
        "Outcome",
        "decide",
        "Rules",
        "asgi_cors",
        "asgi_cors_decorator",
    ],
)
def test_public_names(name: str) -> None:
    """The name is public: importable and listed."""
    import asgi_cors  # noqa: PLC0415 - the module is what is tested

    assert hasattr(asgi_cors, name)
    assert name in asgi_cors.__all__


def test_the_package_lists_its_public_names_and_no_other() -> None:
    """Whether they have been imported yet or not; `from asgi_cors import *` gives them all."""
    import asgi_cors  # noqa: PLC0415 - the module is what is tested

    assert {*asgi_cors.__all__, "__file__"} <= {*dir(asgi_cors)}
    code = f"from asgi_cors import *\nassert {set(asgi_cors.__all__)} <= set(globals())\nassert callable(asgi_cors)"
    assert "asgi_cors" in loaded_by(code)


def test_the_function_of_the_same_name_stays_one() -> None:
    """`asgi_cors.asgi_cors` is the callable, however it is reached."""
    code = "import asgi_cors\nfrom asgi_cors import asgi_cors as wrap\nassert callable(wrap)"
    assert "asgi_cors" in loaded_by(f"{code}\nassert asgi_cors.asgi_cors is wrap")


def test_there_is_no_other_name() -> None:
    """What is misspelt is told as for any module."""
    import asgi_cors  # noqa: PLC0415 - the module is what is tested

    with pytest.raises(AttributeError, match="module 'asgi_cors' has no attribute 'CORSMiddelware'"):
        _ = asgi_cors.CORSMiddelware  # type: ignore[attr-defined]
