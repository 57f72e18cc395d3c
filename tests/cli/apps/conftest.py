"""Apps that a test writes as a module, as users do."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Ran, run

PAGE = "https://app.example.com"
MODULE = "written_app"


class WrittenApp:
    """A module with an app, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, source: str) -> "WrittenApp":
        (self.folder / f"{MODULE}.py").write_text(textwrap.dedent(source))
        return self

    def run(self, command: str, *arguments: str, name: str = "app") -> Ran:
        sys.modules.pop(MODULE, None)
        return run(command, f"{MODULE}:{name}", *arguments, "--app-dir", str(self.folder))

    def audit(self, *arguments: str) -> Any:
        return self.run("audit", *arguments, "--json").json

    def explain(self, path: str, *arguments: str, origin: str = PAGE) -> Any:
        return self.run("explain", path, "-o", origin, *arguments, "--json").json

    def routes(self) -> dict[str, list[str]]:
        """Return the methods of each route by path; of a WebSocket `["WebSocket"]`."""
        found = self.audit()["routes"]
        return {
            route["host"] + route["path"]: ["WebSocket"] if route["websocket"] else route["methods"] for route in found
        }

    def findings(self, *arguments: str) -> dict[str, str]:
        return {finding["name"]: finding["sentence"] for finding in self.audit(*arguments)["findings"]}


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Callable[[str], WrittenApp]]:
    """Return the function that writes an app."""
    yield WrittenApp(tmp_path).write
    sys.modules.pop(MODULE, None)
