"""The programs of docs/csrf.md run in their order and print the output shown. Its table of redirects is true."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.project.test_readme import BLOCK, run

TEXT = (Path(__file__).parents[2] / "docs" / "csrf.md").read_text("utf-8")
PROGRAMS = [(match["code"], match["output"] or "") for match in BLOCK.finditer(TEXT)]


@pytest.fixture
def browser() -> Iterator[None]:
    """Have the simulated browser, and afterwards no handler that a program adds."""
    pytest.importorskip("httpx")
    logger = logging.getLogger("asgi_cors")
    before = logger.handlers[:]
    yield
    logger.handlers[:] = before


def of_frameworks(code: str) -> str | None:
    """Return the framework that a program imports."""
    return next((name for name in ("django", "flask", "quart", "starlette") if f"from {name}" in code), None)


@pytest.mark.usefixtures("browser")
def test_the_programs_run_in_their_order_and_print_the_output_shown() -> None:
    names: dict[str, object] = {"__name__": "guide"}
    for code, output in PROGRAMS:
        if of_frameworks(code) is None:
            assert run(code, names) == output


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("framework", ["flask", "quart", "starlette"])
def test_a_migrated_app_refuses_a_forged_form(framework: str) -> None:
    pytest.importorskip(framework)
    programs = [program for program in PROGRAMS if of_frameworks(program[0]) == framework]
    assert programs
    names: dict[str, object] = {"__name__": "guide"}
    run(PROGRAMS[0][0], names)
    for code, output in programs:
        assert run(code, names) == output == "403\n"


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_the_table_of_redirects_shows_which_returns_pass(engine: Literal["chromium", "firefox", "webkit"]) -> None:
    from asgi_cors.testing import Page  # noqa: PLC0415 - an optional dependency

    names: dict[str, Any] = {"__name__": "guide"}
    run(PROGRAMS[0][0], names)
    results = []
    for status in (None, 302, 303, 307, 308):
        with Page("https://pay.example", app=redirected(names["app"], status), engine=engine) as page:
            target = "https://shop.example.com/paid" if status is None else "https://pay.example/confirm"
            results.append(page.submit(target).status)
    form, found, other, *repeated = ({200: "passes", 403: "403"}[status] for status in results)
    assert found == other
    assert repeated[0] == repeated[1]
    rows = [re.split(r" *\| *", line)[2:5] for line in TEXT.splitlines() if line.startswith("| a ")]
    column = ["chromium", "firefox", "webkit"].index(engine)
    assert [row[column] for row in rows] == [form, found, repeated[0]]


def redirected(shop: Any, status: int | None) -> Any:
    """Serve the shop, and a payment provider that redirects to it."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if dict(scope.get("headers", ())).get(b"host") != b"pay.example":
            await shop(scope, receive, send)
            return
        location = (b"location", b"https://shop.example.com/paid")
        await send({"type": "http.response.start", "status": status, "headers": [location]})
        await send({"type": "http.response.body", "body": b""})

    return serve
