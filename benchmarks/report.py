"""Results as files, and docs/performance.md made of them: whichever benchmark runs, the page shows the newest of each.

Nothing on the page is typed by hand; `python benchmarks/report.py` makes it anew.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import plot

RESULTS: Final = Path(__file__).with_name("results")
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_KINDS: Final = ("overhead", "scaling", "servers")  # in the page's order
_OPENING: Final = """\
# What it costs

Made by `nox -s bench`, which measures and writes this page. Compare figures of one table only: all of it was measured
in one run, the contenders taking turns.
"""


def save(kind: str, title: str, told: str, *, versions: Mapping[str, str], parts: Sequence[Any]) -> None:
    """Write what a benchmark found on this Python, and the page.

    Args:
        kind: The benchmark.
        title: Its title.
        told: What it measures, and how.
        versions: Of what is compared, by distribution.
        parts: Tables made by `table` and plots made by `bars`.
    """
    python = platform.python_version()
    found = {"title": title, "told": told, "python": python, "versions": versions, "parts": parts}
    RESULTS.mkdir(exist_ok=True)
    short = ".".join(python.split(".")[:2])
    (RESULTS / f"{kind}-{short}.json").write_text(json.dumps(found, indent=1) + "\n")
    write()


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> dict[str, Any]:
    """Make a table, its first column words and the others numbers."""
    return {"title": title, "head": list(head), "rows": [[str(value) for value in row] for row in rows]}


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Make a plot: groups of bars, each bar a name and a number."""
    return {"title": title, "groups": groups}


def write() -> None:
    """Write the page and its plots."""
    lines = [_OPENING]
    for kind in _KINDS:
        for place, path in enumerate(sorted(RESULTS.glob(f"{kind}-*.json"))):
            found = json.loads(path.read_text())
            lines += [f"## {found['title']}\n", f"{found['told']}\n"] if place == 0 else []
            versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
            lines += [f"### CPython {found['python']}\n", f"With {versions}.\n" if versions else ""]
            lines += [_shown(part, f"{path.stem}-{n}.svg") for n, part in enumerate(found["parts"])]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(line for line in lines if line))


def text(part: Mapping[str, Any]) -> str:
    """Write a table as Markdown."""
    head = part["head"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *part["rows"]]
    title = f"{part['title']}\n\n" if part["title"] else ""
    return title + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _shown(part: Mapping[str, Any], name: str) -> str:
    if "head" in part:
        return text(part)
    (PAGE.parent / name).write_text(plot.svg(part["title"], part["groups"]))
    return f"![{part['title']}]({name})\n"


if __name__ == "__main__":
    write()
