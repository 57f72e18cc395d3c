"""What is imported when: the plugin is loaded in every run of pytest, also where httpx is missing."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

import asgi_cors.testing
from asgi_cors import testing

needs_httpx = pytest.mark.skipif(importlib.util.find_spec("httpx") is None, reason="needs the extra [testing]")

HOME = pathlib.Path(testing.__file__).parent

BLOCKED = """
import sys
sys.modules["httpx"] = None
"""


def python(code: str) -> str:
    """Run the code in an interpreter of its own; return what it prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("module", ["asgi_cors", "asgi_cors.testing", "asgi_cors.testing._pytest"])
def test_httpx_is_imported_only_when_a_page_is_asked_for(module):
    """Nor is anyio."""
    names = {"httpx", "anyio", "asgi_cors.testing._page.async_page", "asgi_cors.testing._page.sync_page"}
    assert python(f"import sys, {module}; print([n for n in {sorted(names)} if n in sys.modules])") == "[]"


def test_without_httpx_the_error_names_the_extra():
    """And what to run."""
    code = BLOCKED + "import asgi_cors.testing\ntry: asgi_cors.testing.Page\nexcept ImportError as error: print(error)"
    assert "pip install 'asgi-cors-bridge[testing]'" in python(code)


@pytest.mark.parametrize(("missing", "extra"), [("httpx", True), ("anyio", True), ("something", False)])
def test_only_the_extras_modules_are_blamed_on_the_extra(monkeypatch, missing, extra):
    """Another module's absence is told as it is."""

    def refuse(name):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.delitem(vars(testing), "Page", raising=False)
    monkeypatch.setattr(testing.importlib, "import_module", refuse)
    with pytest.raises(ModuleNotFoundError) as caught:
        _ = testing.Page
    assert ("[testing]" in str(caught.value)) is extra
    assert caught.value.name == missing


@needs_httpx
def test_every_public_name_is_there():
    """And no other."""
    assert all(getattr(testing, name) is not None for name in testing.__all__)
    assert dir(testing) == sorted(testing.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = testing.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", sorted(HOME.rglob("*.py")), ids=lambda path: str(path.relative_to(HOME)))
def test_the_simulated_browser_imports_nothing_of_the_core(module: pathlib.Path):
    """Therefore it can prove the core wrong."""
    imports = re.findall(r"^\s*(?:from|import) +(\S+)", module.read_text(encoding="utf-8"), re.MULTILINE)
    ours = [name for name in imports if name.startswith(("asgi_cors", ".."))]
    assert [name for name in ours if not name.startswith("asgi_cors.testing.")] == []


@needs_httpx
def test_the_package_has_its_names_under_its_parent():
    """`import asgi_cors.testing` suffices."""
    assert asgi_cors.testing.Page is testing.Page
