"""What stands outside of the core uses its public names alone; and an adapter finds a policy, it never decides."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted((ROOT / "adapters").rglob("*.py"))
OUTSIDE = [*ADAPTERS, *sorted((ROOT / "asgi_cors" / "testing").rglob("*.py"))]
OURS = ("asgi_cors", "asgi_cors_flask", "asgi_cors_quart", "asgi_cors_starlette", "asgi_cors_werkzeug")
# A field of the protocol, or a header that it goes by: of these, the core alone knows. `vary_header` is an option.
FIELDS = ("access-control-", "access_control_", "sec-fetch-site")
HEADERS = {"origin", "vary", "http_origin"}


def imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Give what a module imports, as dotted names."""
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


def crossings(source: str, package: str) -> list[str]:
    """Give the private names of another package of ours that a module of `package` imports."""
    return [
        name
        for name in imported(ast.parse(source), package)
        if name.partition(".")[0] in OURS
        and any(part.startswith("_") for part in name.split("."))
        and not name.startswith(f"{package.partition('._')[0]}.")
    ]


def decisions(source: str) -> list[str]:
    """Give the texts in a module that only what decides has a use for."""
    texts = [
        node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ]
    return [text for text in texts if any(map(text.lower().startswith, FIELDS)) or text.lower() in HEADERS]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_public_names_are_imported(path):
    assert crossings(path.read_text("utf-8"), package_of(path)) == []


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_adapter_names_no_field(path):
    assert decisions(path.read_text("utf-8")) == []


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
def test_a_crossing_is_found(line):
    """Were one made, the test above would fail."""
    assert len(crossings(f"def late():\n    {line}", "asgi_cors_flask")) == 1


@pytest.mark.parametrize("line", ["headers[b'Origin']", "x = 'Access-Control-Allow-Origin'", "HTTP = 'HTTP_ORIGIN'"])
def test_a_field_is_found(line):
    """Were one written in an adapter, the test above would fail."""
    assert len(decisions(line)) == 1


def test_there_is_something_to_look_at():
    """A wall around nothing holds always."""
    assert {package_of(path) for path in ADAPTERS} >= {"asgi_cors_flask", "asgi_cors_werkzeug"}
