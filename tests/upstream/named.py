"""The shared code of the suites of other libraries: expected failures, and the proof that they are harmless.

`build` makes an app with either module, and pages send `fetches` to it. With both modules, a page can read the same
responses; with ours fewer if `safer`, or more if `wider`. Each `row` is in docs/migrating.md.
"""

import asyncio
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import ConfigError, ConfigWarning
from asgi_cors.testing import AsyncPage, CORSError

GUIDE = Path(__file__).parents[2] / "docs" / "migrating.md"
API = "http://api.test"


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """One fetch of a page."""

    page: str
    path: str = "/"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference between the modules, and the tests that fail because of it, if any do."""

    tests: tuple[str, ...] = ()
    reason: str
    row: str
    build: Callable[[Any], Any]
    fetches: tuple[Fetch, ...]
    safer: bool = False
    wider: bool = False


def expect_failures(
    items: Iterable[pytest.Item],
    differences: Iterable[Difference],
    raises: tuple[type[Exception], ...] | None = None,
) -> None:
    """Expect the named tests to fail, and no other. A name without brackets means all parameters of a test."""
    named = {name: difference.reason for difference in differences for name in difference.tests}
    found = set()
    for item in items:
        names = {f"{item.path.stem}.{item.name}", f"{item.path.stem}.{item.originalname}"} & named.keys()
        found |= names
        for name in names:
            item.add_marker(pytest.mark.xfail(strict=True, raises=raises, reason=named[name]))
    if found != named.keys():
        raise pytest.UsageError(f"there are no tests of these names: {sorted(named.keys() - found)}")


def load(source: Path, name: str) -> Any:
    """Import a package from its source, under another name."""
    spec = importlib.util.spec_from_file_location(name, source / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def verdicts(difference: Difference, made_with: Any) -> list[bool]:
    """Return, for each fetch, whether the page can read the response. If the module refuses the app, none can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        try:
            app = difference.build(made_with)
        except ConfigError:
            return [False] * len(difference.fetches)
        return [asyncio.run(_may_read(app, fetch)) for fetch in difference.fetches]


async def _may_read(app: Any, fetch: Fetch) -> bool:
    async with AsyncPage(fetch.page, app=app) as page:
        try:
            await page.fetch(API + fetch.path, **fetch.options)
        except CORSError:
            return False
    return True


def check_verdicts(difference: Difference, theirs: Any, ours: Any) -> None:
    """Check that the browser's verdicts differ from those with the original only as the difference says."""
    before, after = verdicts(difference, theirs), verdicts(difference, ours)
    assert any(before)  # a page that can read nothing proves nothing
    lost = [was and not now for was, now in zip(before, after, strict=True)]
    won = [now and not was for was, now in zip(before, after, strict=True)]
    assert (any(lost), any(won)) == (difference.safer, difference.wider)


def check_row(difference: Difference, section: str) -> None:
    """Check that a section of the guide has the difference's row."""
    assert f"\n| {difference.row}" in _section(section)


def check_proofs(section: str, differences: Iterable[Difference], invisible: Iterable[str]) -> None:
    """Check that each row of a section's differences has a proof, except for those that no page can see."""
    _, _, rest = _section(section).partition("\n### What differs\n")
    _, _, *lines = (line for line in rest.partition("\n### ")[0].splitlines() if line.startswith("|"))
    proven = tuple(f"| {row}" for row in (*(difference.row for difference in differences), *invisible))
    assert [line for line in lines if not line.startswith(proven)] == []
    assert [row for row in proven if not any(line.startswith(row) for line in lines)] == []


def _section(name: str) -> str:
    """Return the text of a section of the guide."""
    _, _, rest = GUIDE.read_text("utf-8").partition(f"\n## {name}\n")
    return rest.partition("\n## ")[0]
