"""Run the Django project that a page shows: the blocks that begin with a file name, and the programs after them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# A block of Python or of commands, and the block with its output if one follows.
BLOCK = re.compile(
    r"^```(?P<kind>python|shell)\n(?P<code>.*?)^```\n(?:\n^```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"# (?P<name>[\w/]+\.py)\n")
FIRST = "import django\ndjango.setup()\n"
CHECK = "manage.py check"


class Step(NamedTuple):
    """A program of a page that is not a file of the project, and the output shown."""

    code: str
    output: str


class Project:
    """A Django project in a folder.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        """Begin without a file; see the class."""
        self._folder = folder

    def add(self, name: str, code: str) -> None:
        """Append code to a file of the project."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(code)

    def run(self, code: str) -> str:
        """Run a program after `django.setup()` and return its output."""
        return self._run("-c", FIRST + code)

    def check(self) -> str:
        """Run `manage.py check` and return its report."""
        return self._run("-m", "django", "check")

    def _run(self, *arguments: str) -> str:
        environment = {"PYTHONPATH": ":".join([str(self._folder), *sys.path]), "DJANGO_SETTINGS_MODULE": "settings"}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout


def run_page(text: str, project: Project) -> list[tuple[Step, str]]:
    """Add the files of a page to a project, and run its other programs. Return the programs with their real output."""
    done = []
    for block in BLOCK.finditer(text):
        code, output = block["code"], block["output"] or ""
        file = FILE.match(code)
        if block["kind"] == "shell":
            if CHECK in code:
                done.append((Step(code, output), project.check()))
        elif file:
            project.add(file["name"], code)
        else:
            done.append((Step(code, output), project.run(code)))
    return done
