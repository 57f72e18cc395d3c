"""The packages that `import asgi_cors`, a policy and a request load, each measured in a fresh interpreter."""

import json
import subprocess
import sys

import pytest

EXTRAS = {
    *("asgiref", "click", "flask", "httpx", "opentelemetry", "prometheus_client", "quart", "redis", "rich"),
    *("starlette", "werkzeug"),
}
EVENT_LOOPS = {"anyio", "asyncio", "sniffio", "trio"}
EXPENSIVE = {"concurrent", "multiprocessing", "selectors", "socket", "sqlite3", "ssl"}
DEFERRED = {"idna", "publicsuffixlist"}

SERVE = """
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
IDN = """
try: asgi_cors.Policy(allow_origins="https://b\u00fccher.example")
except asgi_cors.ConfigError: pass
"""


def loaded_by(code: str) -> set[str]:
    """Return the packages that a program has loaded when it ends."""
    program = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_import_asgi_cors_loads_no_extra_no_event_loop_and_no_expensive_package():
    added = loaded_by("import asgi_cors") - loaded_by("")
    assert added & (EXTRAS | EVENT_LOOPS | EXPENSIVE | DEFERRED) == set()


def test_serving_a_fixed_policy_loads_no_event_loop():
    assert loaded_by(SERVE) & EVENT_LOOPS == set()


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("asgi_cors.Policy(allow_origins='https://example.com')", set()),
        ("asgi_cors.Policy(allow_origins='https://*.example.com')", set()),
        ("asgi_cors.Policy(allow_origins='https://example.com', allow_credentials=True)", set()),
        ("asgi_cors.Policy(allow_origins='https://*.example.com', allow_credentials=True)", {"publicsuffixlist"}),
        (IDN, {"idna"}),
    ],
    ids=[
        "an ASCII origin loads neither",
        "a wildcard without credentials loads neither",
        "an exact origin with credentials loads neither",
        "a wildcard with credentials loads the suffix list",
        "a host beyond ASCII loads idna",
    ],
)
def test_idna_and_the_suffix_list_are_loaded_when_a_policy_needs_them(code, loaded):
    assert loaded_by(f"import asgi_cors\n{code}") & DEFERRED == loaded
