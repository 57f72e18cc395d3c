"""The imports of the plugin, which pytest loads in every run, also without httpx."""

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
    """Run the code in a new interpreter. Return its output."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("module", ["asgi_cors", "asgi_cors.testing", "asgi_cors.testing._pytest"])
def test_httpx_and_anyio_are_imported_only_when_a_page_is_used(module):
    names = {"httpx", "anyio", "asgi_cors.testing._page.async_page", "asgi_cors.testing._page.sync_page"}
    assert python(f"import sys, {module}; print([n for n in {sorted(names)} if n in sys.modules])") == "[]"


def test_without_httpx_the_error_names_the_extra():
    """It has the command to run."""
    code = BLOCKED + "import asgi_cors.testing\ntry: asgi_cors.testing.Page\nexcept ImportError as error: print(error)"
    assert "pip install 'asgi-cors-bridge[testing]'" in python(code)


@pytest.mark.parametrize(("missing", "extra"), [("httpx", True), ("anyio", True), ("something", False)])
def test_only_a_missing_module_of_the_extra_names_the_extra(monkeypatch, missing, extra):
    """The error for another module is not changed."""

    def refuse(name):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.delitem(vars(testing), "Page", raising=False)
    monkeypatch.setattr(testing.importlib, "import_module", refuse)
    with pytest.raises(ModuleNotFoundError) as caught:
        _ = testing.Page
    assert ("[testing]" in str(caught.value)) is extra
    assert caught.value.name == missing


@needs_httpx
def test_every_public_name_can_be_imported_and_no_other():
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
def test_importing_the_package_provides_its_names_under_asgi_cors():
    """`import asgi_cors.testing` suffices."""
    assert asgi_cors.testing.Page is testing.Page
