"""Measure the time that CORS adds to a request of each framework: no server.

python benchmarks/extensions.py [--rounds 25]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import frameworks
import of_django
import of_starlette
import report
from frameworks import ROWS, Apps

VERSIONS: Final = (
    *("asgi-cors-bridge", "django", "django-cors-headers", "fastapi", "flask", "flask-cors", "quart", "quart-cors"),
    "starlette",
)

Columns = dict[str, list[str]]  # the figures of each row, by title

_STARLETTE: Final[tuple[tuple[of_starlette.Build, str, int], ...]] = (
    (of_starlette.starlette_app, "Starlette", 1),
    (of_starlette.starlette_app, "Starlette, 100 routes", 100),
    (of_starlette.fastapi_app, "FastAPI", 1),
    (of_starlette.fastapi_app, "FastAPI, 100 routes", 100),
)
# The adapters look for the policies of views only after the first one has been attached in the process. So the apps
# without such policies come first.
BUILDERS: Final[tuple[Callable[[], Apps], ...]] = (
    *(partial(of_starlette.by_path, *app) for app in _STARLETTE),
    of_django.by_path,
    of_django.by_path_asgi,
    frameworks.flask_apps,
    frameworks.quart_apps,
    *(partial(of_starlette.by_route, *app) for app in _STARLETTE),
    of_django.by_view,
    frameworks.flask_apps_by_view,
    frameworks.quart_apps_by_view,
)


def measured(apps: Apps, rounds: int) -> Columns:
    """Let the apps of one framework take turns. Return the median of the nanoseconds that each one adds, by title."""
    bare = next(iter(apps))
    turns = [{(title, row): apps[title](ROWS[row]) for row in ROWS for title in apps} for _ in range(rounds + 1)][1:]

    def added(title: str, row: str) -> str:
        is_whole = title == bare or "preflight" in row  # a preflight never reaches the app
        return f"{statistics.median(turn[title, row] - (0 if is_whole else turn[bare, row]) for turn in turns):,.0f}"

    return {title: [added(title, row) for row in ROWS] for title in apps}


def tables(rounds: int) -> list[dict[str, Any]]:
    """Measure every framework, and return a table for each."""
    found: dict[str, Columns] = {}
    for build in BUILDERS:
        apps = build()
        columns = found.setdefault(next(iter(apps)), {})
        columns.update((title, values) for title, values in measured(apps, rounds).items() if title not in columns)
    return [_table(columns) for columns in found.values()]


def _table(columns: Columns) -> dict[str, Any]:
    bare, *others = columns
    rows = [[row, *values] for row, values in zip(ROWS, zip(*columns.values(), strict=True), strict=True)]
    title = "Nanoseconds added (for a preflight, its whole time)"
    return report.table(title, ["", f"{bare} alone", *others], rows)


def main() -> None:
    """Measure everything, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    parts = tables(rounds)
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    report.save("extensions", versions=versions, parts=parts)
    print(*map(report.text, parts), sep="\n")


if __name__ == "__main__":
    main()
