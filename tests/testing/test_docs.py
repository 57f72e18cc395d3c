"""The programs of docs/testing.md pass, and print the outputs that the page quotes."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import pytest

from asgi_cors.testing import CORSError, Page
from tests.support.empty_folder import run_pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "testing.md"
TEXT = PAGE.read_text(encoding="utf-8")
MAIN, *TESTS = re.findall(r"(?ms)^```python\n(.*?)^```$", TEXT)
ERROR, EXCHANGES = re.findall(r"(?ms)^```text\n(.*?)\n```$", TEXT)


@pytest.fixture
def page() -> Any:
    """Return a page with the application of the first program."""
    pytest.importorskip("fastapi")
    names: dict[str, Any] = {"__name__": "main"}
    exec(compile(MAIN, str(PAGE), "exec", dont_inherit=True), names)  # noqa: S102 - our own text
    return Page("https://app.example.com", app=names["app"], base_url="https://api.test")


def test_each_program_of_the_page_passes(tmp_path: pathlib.Path) -> None:
    """The first one is main.py, the others are tests. No test is skipped, and none warns."""
    pytest.importorskip("fastapi")
    (tmp_path / "main.py").write_text(MAIN, encoding="utf-8")
    for number, program in enumerate(TESTS):
        (tmp_path / f"test_{number}.py").write_text(program, encoding="utf-8")
    assert re.fullmatch(r"[0-9]+ passed in [\d.]+s", run_pytest(tmp_path, plugins=["anyio.pytest_plugin"]))


def test_the_error_quoted_on_the_page_is_the_real_one(page: Any) -> None:
    """It is the error for a header that the first program does not allow."""
    with page, pytest.raises(CORSError) as caught:
        page.fetch("/items/5", method="PUT", headers={"x-id": "1"})
    assert str(caught.value) == ERROR


def test_the_exchanges_quoted_on_the_page_are_the_real_ones(page: Any) -> None:
    """They are those of the fetch above them."""
    with page:
        page.fetch("/items/5", method="PUT")
        title, _, table = EXCHANGES.partition("\n")
        assert page.table() == table
        assert f" Exchanges of {page!r} " in title
