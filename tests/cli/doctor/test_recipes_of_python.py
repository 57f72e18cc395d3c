"""The recipes for Python frameworks work: with their lines, the request is allowed, and the doctor reports no risk."""

import contextlib
import functools
import importlib.util
import re
import textwrap

import pytest

from asgi_cors.cli.doctor.recipes import DOCS, fill, read_table
from tests.cli.corpus.python.templates import TEMPLATES
from tests.cli.corpus.raw import PAGE
from tests.cli.corpus.stacks.case import COOKIES, ID, PUT, require
from tests.cli.corpus.stacks.python import served
from tests.support.command_line import doctor

pytestmark = pytest.mark.corpus

CALLS = {
    "origin": ("items", {}),
    "preflight": ("items", PUT),
    "errors": ("crash", {}),
    "once": ("items", {}),
    "credentials": ("items", COOKIES),
    "methods": ("items", PUT),
    "headers": ("items", ID),
    "expose": ("items", {"reads": ["x-total"]}),
    "vary": ("items", {}),
}


def recipe(software: str, goal: str) -> str:
    """Return the lines of a recipe for the corpus."""
    headers = "x-total" if goal == "expose" else "x-id"
    return fill(read_table()[software][goal], origin=PAGE, methods="GET, PUT", headers=headers).strip("\n")


def app(software: str, goal: str) -> str:
    """Return the text of a template with the lines of a recipe."""
    template = TEMPLATES[software]
    goals = (*template.before.get(goal, template.before.get("", ())), goal)
    lines = "\n\n".join(recipe(software, each) for each in goals)

    def indented(place: re.Match[str]) -> str:
        return textwrap.indent(lines, place[1])

    return re.sub(r"^( *)# recipe$", indented, template.text, flags=re.MULTILINE)


def goals_of(software: str) -> list[str]:
    return [goal for goal in read_table()[software] if goal != DOCS]


@pytest.fixture(scope="module")
def url_of(tmp_path_factory):
    """Serve all recipes of a framework when a test first needs it."""
    with contextlib.ExitStack() as running:

        @functools.cache
        def start(software: str) -> str:
            template, folder = TEMPLATES[software], tmp_path_factory.mktemp("recipes")
            missing = [name for name in template.packages if importlib.util.find_spec(name) is None]
            require(is_installed=not missing, name=", ".join(missing))
            texts = {goal: app(software, goal) for goal in goals_of(software)}
            program = folder / "program.py"
            program.write_text(f"TEXTS = {texts!r}\n{template.build}", "utf-8")
            return running.enter_context(served(template.server, program, folder / "log"))

        yield start


@pytest.mark.parametrize(
    ("software", "goal"), [(software, goal) for software in TEMPLATES for goal in goals_of(software)]
)
def test_a_request_is_allowed_without_risk_with_the_lines_of_a_recipe(url_of, software, goal):
    path, call = CALLS[goal]
    ran = doctor(call, f"{url_of(software)}/{goal}/{path}")
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (0, None, []), app(software, goal)
