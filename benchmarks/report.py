"""Store results, one file per Python, and build docs/performance.md from them, and the figures of docs/dynamic.md.

Everything on the first page comes from this module and from the files. `python benchmarks/report.py` builds both again.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import plot

RESULTS: Final = Path(__file__).with_name("results")
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
DYNAMIC: Final = PAGE.with_name("dynamic.md")  # its figures are between two comments, which stay
_FIGURES: Final = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of the figures -->)", re.DOTALL)
_OPENING: Final = """\
# Performance

`nox -s bench` measures everything and writes this page. Compare only figures of the same table. They come from one run,
in which the contenders took turns.
"""
_SECTIONS: Final = {  # in the page's order
    "overhead": """\
## A request

Each app is called without a server and without an event loop. The requests are those of Chromium's `fetch`. They have
12 headers, and Origin is the 8th. The app responds with three headers and a short body. All contenders take turns in
each process, and several processes run, each with a memory layout of its own. The figure is a contender's time minus
the time of the bare app. A preflight never reaches the app, so the figure is its whole time.

- `by hand` is `benchmarks/limit.py`. It is written for one fixed policy, and does only the work that the rules require.
- asgi_cors_django and django-cors-headers are measured around a Django view.
- `-`: the contender has no such policy, or leaves preflights to the app.
""",
    "scaling": """\
## Size

All figures are medians. The sizes took turns in one process. *Request* is the time, in nanoseconds, that the middleware
adds to a request whose decision is cached. *Decision* is the time of `decide()`, which a request from a new origin
needs in addition. *Memory* is the memory of the policy, without the caller's list.
""",
    "extensions": """\
## A framework

A whole app serves each request, without a server. The apps of one framework take turns in one process. All figures are
medians. The first column is the time of the app without CORS. The others are added to it.

- *`paths`*: each route has a rule in `paths`. *A route's own*, *a view's own*: a decorator sets the policy.
- *100 routes*: the last route serves the requests, so the framework compares 100 paths. The search for the policy does
  the same.
""",
    "servers": """\
## A server

The server runs on one core, and wrk with eight connections on another. The apps take turns. All figures are medians.
*Of bare* is the requests per second divided by those of the bare app, as the median over all rounds. *CPU* is the
server's time per request, and *added* is that time minus the time of the bare app.

- *Headers alone*: the bare app sets the two headers of the response itself. The figure is the cost of sending them.
- *By hand*: `benchmarks/limit.py`.
""",
}


def save(kind: str, *, versions: Mapping[str, str], parts: Sequence[Any]) -> None:
    """Store the results of a benchmark on this Python, and build the pages.

    Args:
        kind: The benchmark, a key of the page's sections; `dynamic-` and a section for docs/dynamic.md.
        versions: The versions of the distributions that are compared.
        parts: Tables from `table` and plots from `bars`.
    """
    path = RESULTS / f"{'.'.join(platform.python_version_tuple()[:2])}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results[kind] = {"python": platform.python_version(), "versions": versions, "parts": parts}
    RESULTS.mkdir(exist_ok=True)
    path.write_text(_dump(results))
    build_page()
    build_figures()


def _dump(results: Any) -> str:
    """Return JSON with one line for each row of a table."""
    text = json.dumps(results, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([^\[\]{}]+?)\s+\]", lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> dict[str, Any]:
    """Build a table. The first column has text, the others numbers."""
    return {"title": title, "head": list(head), "rows": [[str(value) for value in row] for row in rows]}


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Build a plot: groups of bars, each with a name and a number."""
    return {"title": title, "groups": groups}


def build_page() -> None:
    """Write the page and its plots."""
    lines = [_OPENING]
    versions = sorted(RESULTS.glob("*.json"))
    for kind, opening in _SECTIONS.items():
        measured = {path: json.loads(path.read_text()).get(kind) for path in versions}
        lines += [opening] if any(measured.values()) else []
        for path, found in measured.items():
            if found:
                compared = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
                lines += [f"### CPython {found['python']}\n", f"With {compared}.\n"]
                lines += [_render(part, f"{kind}-{path.stem}-{n}.svg") for n, part in enumerate(found["parts"])]
    PAGE.write_text("\n".join(lines))


def build_figures() -> None:
    """Write the figures of origins that change at run time into their page."""
    lines = []
    for path in sorted(RESULTS.glob("*.json")):
        found = [value for kind, value in json.loads(path.read_text()).items() if kind.startswith("dynamic-")]
        if found:
            versions = ", ".join(f"{name} {version}" for name, version in found[0]["versions"].items())
            lines.append(f"\n### CPython {found[0]['python']}\n\nWith {versions}.\n")
        lines += [f"\n{text(part)}" for value in found for part in value["parts"]]
    DYNAMIC.write_text(_FIGURES.sub(lambda _: "".join(lines) + "\n", DYNAMIC.read_text()))


def text(part: Mapping[str, Any]) -> str:
    """Return a table as Markdown."""
    head = part["head"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *part["rows"]]
    title = f"{part['title']}\n\n" if part["title"] else ""
    return title + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _render(part: Mapping[str, Any], name: str) -> str:
    if "head" in part:
        return text(part)
    (PAGE.parent / name).write_text(plot.svg(part["title"], part["groups"]))
    return f"![{part['title']}]({name})\n"


if __name__ == "__main__":
    build_page()
    build_figures()
