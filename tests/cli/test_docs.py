"""docs/cli.md tells of every option and every name, and the picture is what the command draws."""

import html
import importlib.util
import re
from pathlib import Path

import pytest

from asgi_cors.cli import commands
from asgi_cors.cli.audit import rules
from asgi_cors.cli.doctor import diagnosis
from asgi_cors.cli.doctor.rules import notes, risks

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "cli.md").read_text("utf-8")
CLI = Path(commands.__file__).parent


def names_in(*modules: str) -> set[str]:
    """Give the names of findings that modules write."""
    text = "".join(source.read_text("utf-8") for module in modules for source in CLI.glob(f"{module}.py"))
    named = set(re.findall(r'(?:Finding\(|evidence,)\s*"([a-z][a-z-]+)"', text))
    assert named
    return named


@pytest.mark.parametrize("name", sorted(names_in("doctor/rules/*", "doctor/diagnosis", "audit/rules")))
def test_every_finding_is_described(name):
    """No finding is missing from the page."""
    assert f"`{name}`" in PAGE


def test_every_rule_counts():
    """Each rule of a list writes a name of its own."""
    every = [*diagnosis.CAUSES, *risks.RISKS, *notes.NOTES, *rules.RULES, *rules.NOTES]
    assert len({rule.__name__ for rule in every}) == len(every) - 1  # an audit trusts subdomains by a rule of its own


def test_every_option_of_the_doctor_is_described():
    """No option is missing from the table."""
    options = [option for parameter in commands.doctor.params for option in parameter.opts if option.startswith("--")]
    assert options
    for option in options:
        assert f"`{option}`" in PAGE


def words(svg: str) -> list[str]:
    """Give the words of a picture; how they are drawn differs between releases of rich."""
    body = re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body)).split()


def test_the_picture_is_what_the_command_draws():
    """docs/doctor.svg is up to date: `nox -s pages` draws it."""
    spec = importlib.util.spec_from_file_location("make", DOCS / "make.py")
    assert spec
    assert spec.loader
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert words((DOCS / "doctor.svg").read_text("utf-8")) == words(make.picture())
