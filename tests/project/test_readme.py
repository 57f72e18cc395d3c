"""The README's programs run and print the output shown, and its tables have every option and its default."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import MiddlewareOptions, Policy, PolicyOptions

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
# A program, and the block with its output if one follows.
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n^```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
BLOCKS = [(match["code"], match["output"]) for match in BLOCK.finditer(TEXT)]
# Files of a Django project begin with their name; see `test_django_guide.py`.
PROGRAMS = [(code, output) for code, output in BLOCKS if not re.match(r"# \w+\.py\n", code)]
FIRST = PROGRAMS[0][0] + "\nfrom asgi_cors import Policy"
# Name and default of each option in the tables.
OPTIONS = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)`", TEXT, re.MULTILINE))
EXTRAS = {"fastapi", "flask", "httpx", "quart", "starlette"}


def run(code: str, names: dict[str, object]) -> str:
    """Run a program with the names of an earlier one, and return its output."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(README), "exec"), names)  # noqa: S102 - our own text
    return printed.getvalue()


@pytest.mark.parametrize(("code", "output"), PROGRAMS, ids=[code.splitlines()[-1] for code, _ in PROGRAMS])
def test_a_program_runs_after_the_first_one_and_prints_the_output_shown(code, output):
    names: dict[str, object] = {"__name__": "readme"}
    run(FIRST, names)
    try:
        printed = run(code, names)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS:  # a folder of tests may be a namespace of that name
            raise
        pytest.skip(f"{error.name} is an extra")
    assert printed == (output or "")


def test_the_tables_have_a_row_for_every_option_and_no_other():
    assert set(OPTIONS) == {"policy", *MiddlewareOptions.__annotations__}


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize("option", PolicyOptions.__annotations__)
def test_the_table_has_the_default_of_a_policys_option(option):
    assert OPTIONS[option] == repr(getattr(Policy(), option))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (b"https://app.example.com", True),
        (b"https://any.where.example.org", True),
        (b"http://localhost:5173", True),
        (b"https://example.org", False),
    ],
)
async def test_the_first_program_allows_the_origins_of_its_list_and_no_others(origin, allowed):
    names: dict[str, Any] = {"__name__": "readme"}
    run(FIRST, names)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", origin)]}
    await names["app"](scope, None, send)
    assert dict(sent[0]["headers"]).get(b"access-control-allow-origin") == (origin if allowed else None)
    assert sent[1]["body"] == b'["tea", "cake"]'
