"""The public names, and two walls: adapters and `asgi_cors.testing` use public names only, and no adapter decides."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import asgi_cors

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted((ROOT / "adapters").rglob("*.py"))
OUTSIDE = [*ADAPTERS, *sorted((ROOT / "asgi_cors" / "testing").rglob("*.py"))]
OURS = (
    "asgi_cors",
    "asgi_cors_django",
    "asgi_cors_flask",
    "asgi_cors_quart",
    "asgi_cors_starlette",
    "asgi_cors_werkzeug",
)
# The headers that a decision reads or sends. `vary_header` is an option of Flask-CORS.
PREFIXES = ("access-control-", "access_control_", "sec-fetch-site")
NAMES = {"origin", "vary", "http_origin"}
PUBLIC = {
    *("CORSMiddleware", "WSGIMiddleware", "asgi_cors", "asgi_cors_decorator"),
    *("Policy", "PolicyDiff", "PolicyOptions", "MiddlewareOptions", "Configuration"),
    *("ConfigError", "ConfigWarning", "Issue"),
    *("Request", "read_request", "Decision", "Outcome", "decide", "Rules", "PerMethodKey"),
    *("explain", "Explanation", "Step"),
    *("OriginSource", "Answer", "Lease", "LimitedAwaitable", "AppContext"),
    *("OriginTable", "check_origin", "Loaded", "LoadedOptions", "LoadedStatistics"),
    *("AttachedPolicy", "DENY_ALL", "EXEMPT", "activate_when_used", "attach_policy", "attached_policy", "note_usage"),
    *("FixedPolicy", "TOO_LONG", "is_too_long", "wrapper_of"),
    *("Cached", "CachedOptions", "CacheStatistics", "Tenants", "TenantsOptions"),
}


def imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package if node.level == 1 else ""
            if node.level > 1:
                base = package.rpartition(".")[0] if node.level == 2 else ""
            module = ".".join(filter(None, [base, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    root = ROOT / "adapters" if path.is_relative_to(ROOT / "adapters") else ROOT
    return ".".join(path.relative_to(root).parent.parts)


def private_imports(source: str, package: str) -> list[str]:
    """Return the private names of our other packages that a module of `package` imports."""
    return [
        name
        for name in imports(ast.parse(source), package)
        if name.partition(".")[0] in OURS
        and any(part.startswith("_") for part in name.split("."))
        and not name.startswith(f"{package.partition('._')[0]}.")
    ]


def cors_headers(source: str) -> list[str]:
    """Return the strings in a module that are names of CORS headers."""
    texts = [
        node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ]
    return [text for text in texts if text.lower().startswith(PREFIXES) or text.lower() in NAMES]


def test_the_public_names_are_listed_and_importable():
    assert set(asgi_cors.__all__) == PUBLIC
    assert [name for name in PUBLIC if not hasattr(asgi_cors, name)] == []


def test_a_star_import_brings_the_public_names():
    names: dict[str, object] = {}
    exec("from asgi_cors import *", names)  # noqa: S102 - our own line
    assert names.keys() >= PUBLIC


def test_the_function_asgi_cors_is_not_hidden_by_the_package_of_the_same_name():
    assert callable(asgi_cors.asgi_cors)


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_adapters_and_the_browser_for_tests_import_public_names_only(path):
    assert private_imports(path.read_text("utf-8"), package_of(path)) == []


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_adapter_names_no_cors_header(path):
    assert cors_headers(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "import asgi_cors._policy.policy",
        "from asgi_cors import _policy",
        "from asgi_cors._policy.policy import Policy",
        "from asgi_cors_werkzeug._views import Views",
        "from asgi_cors.testing._page import Page",
    ],
)
def test_the_check_finds_a_private_import(line):
    assert len(private_imports(f"def late():\n    {line}", "asgi_cors_flask")) == 1


@pytest.mark.parametrize("line", ["headers[b'Origin']", "x = 'Access-Control-Allow-Origin'", "HTTP = 'HTTP_ORIGIN'"])
def test_the_check_finds_a_cors_header(line):
    assert len(cors_headers(line)) == 1


def test_the_check_looks_at_every_adapter():
    assert {package_of(path) for path in ADAPTERS} >= set(OURS[1:])
