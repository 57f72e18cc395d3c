"""docs/recipes.md quotes the recipes, and has all of them."""

import re

import pytest

from tests.project.examples.dynamic.serving import RECIPES

PAGE = RECIPES.parents[1] / "docs" / "recipes.md"
CHAPTER = PAGE.read_text("utf-8").partition("\n## Origins from your own data\n")[2].partition("\n## ")[0]
SECTIONS = CHAPTER.split("\n### ")[1:]
NAMES = [re.search(r"\(\.\./examples/dynamic/(\w+)\.py\)", section).group(1) for section in SECTIONS]


@pytest.mark.parametrize(("name", "section"), [*zip(NAMES, SECTIONS, strict=True)], ids=NAMES)
def test_the_code_of_a_section_is_part_of_its_recipe(name, section):
    """The files of a project, which begin with their names, are run by test_django_guide."""
    recipe = (RECIPES / f"{name}.py").read_text("utf-8")
    for code in re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        assert code in recipe or re.match(r"# [\w/]+\.py\n", code)


def test_every_recipe_has_a_section():
    assert sorted(NAMES) == sorted(path.stem for path in RECIPES.glob("*.py"))


def test_the_table_links_to_every_section():
    titles = [section.partition("\n")[0] for section in SECTIONS]
    anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert re.findall(r"\]\(#([\w-]+)\)", CHAPTER) == anchors
