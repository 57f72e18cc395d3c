"""docs/design.md describes the code as it is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "design.md").read_text("utf-8")
TREE = TEXT.partition("```\n")[2].partition("```\n")[0]


def described() -> set[Path]:
    """Return the paths that the page's tree names."""
    paths, folder = set(), ROOT
    for indent, name in re.findall(r"^( *)(\S+)", TREE, re.MULTILINE):
        folder = folder if indent else ROOT / name
        paths.add(folder / name if indent else folder)
    return paths


def existing(folder: Path) -> set[Path]:
    """Return the packages and modules of a folder, without `__init__` and `__main__`."""
    return {path for path in folder.iterdir() if path.suffix in {"", ".py"} and not path.name.startswith("__")}


@pytest.mark.parametrize("folder", ["asgi_cors", "adapters"])
def test_the_tree_names_every_package_and_module_and_no_other(folder):
    assert {path for path in described() if path.parent == ROOT / folder} == existing(ROOT / folder)
