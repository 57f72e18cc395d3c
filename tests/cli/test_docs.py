"""docs/cli.md describes every option and every finding, and docs/doctor.svg is up to date."""

import html
import importlib.util
import re
from pathlib import Path

import pytest

from asgi_cors.cli import commands
from asgi_cors.cli.audit import rules
from asgi_cors.cli.doctor import diagnosis
from asgi_cors.cli.doctor.command import command as doctor_command
from asgi_cors.cli.doctor.recipes import page as recipes_page
from asgi_cors.cli.doctor.rules import notes, risks

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "cli.md").read_text("utf-8")
CLI = Path(commands.__file__).parent


def names_in(*modules: str) -> set[str]:
    """Return the names of findings in the code of modules."""
    text = "".join(source.read_text("utf-8") for module in modules for source in CLI.glob(f"{module}.py"))
    named = set(re.findall(r'(?:Finding\(|evidence,)\s*"([a-z][a-z-]+)"', text))
    assert named
    return named | set(risks.CARELESS_CHECKS)


@pytest.mark.parametrize("name", sorted(names_in("doctor/rules/*", "doctor/diagnosis", "audit/rules")))
def test_the_page_describes_every_finding(name):
    assert f"`{name}`" in PAGE


def test_every_rule_is_in_a_list_once():
    listed = [*diagnosis.CAUSES, *risks.RULES, *notes.RULES, *rules.RULES, *rules.NOTES]
    assert len({rule.__name__ for rule in listed}) == len(listed) - 1  # the doctor and the audit have trusts_subdomains


def test_the_page_describes_every_command_and_option_of_origins():
    section = PAGE.partition("\n## origins\n")[2].partition("\n## ")[0]
    for name, command in commands.origins_group.commands.items():
        assert f"`{name}" in section
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        assert [option for option in options if f"`{option}`" not in section and f"`{option}" not in section] == []


def test_the_page_describes_every_option_of_the_doctor():
    options = [option for parameter in doctor_command.params for option in parameter.opts if option.startswith("--")]
    assert options
    for option in options:
        assert f"`{option}`" in PAGE


def words(svg: str) -> list[str]:
    """Return the words of a picture. Releases of rich draw them differently."""
    body = re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", body)).split()


def test_the_page_of_recipes_is_up_to_date():
    assert (DOCS / "servers.md").read_text("utf-8") == recipes_page.page(), "run nox -s pages"


def test_the_picture_is_what_the_command_draws():
    spec = importlib.util.spec_from_file_location("make", DOCS / "make.py")
    assert spec
    assert spec.loader
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert words((DOCS / "doctor.svg").read_text("utf-8")) == words(make.picture())
