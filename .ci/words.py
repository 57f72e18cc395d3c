"""Report the words to avoid of pyproject.toml in docstrings, comments, messages, test names and Markdown."""

import io
import re
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

TABLE = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["words-to-avoid"]
SPACE = r"\s+(?:#\s+)?"  # a phrase may continue on the next line, also in a comment
AVOID = {rf"(?i)(?<!\w)(?:{find.replace(' ', SPACE)})(?!\w)": write for find, write in TABLE["avoid"].items()}
NOT_PROSE = "|".join([r"(?s:```.*?```)", r"`[^`\n]+`", r"\]\([^)]+\)", *TABLE["allow"]])


def blank(text: str) -> str:
    """Replace everything but line ends with spaces, so that positions stay."""
    return re.sub(r"[^\n]", " ", text)


def prose_of_python(source: str) -> str:
    """Blank everything but comments, the names of tests, and strings with a space."""
    lines = [blank(line) for line in source.splitlines(keepends=True)]
    for kind, text, (row, column), _, _ in tokenize.generate_tokens(io.StringIO(source).readline):
        is_test = kind == tokenize.NAME and text.startswith("test_")
        if is_test or kind == tokenize.COMMENT or (kind == tokenize.STRING and " " in text):
            for number, part in enumerate(text.splitlines(keepends=True), row - 1):
                start = 0 if number >= row else column
                prose = part.replace("_", " ") if is_test else part
                lines[number] = lines[number][:start] + prose + lines[number][start + len(part) :]
    return "".join(lines)


found = 0
for name in subprocess.check_output(["git", "ls-files", *TABLE["files"]], text=True).split():  # noqa: S603, S607
    text = Path(name).read_text("utf-8")
    prose = re.sub(NOT_PROSE, lambda match: blank(match[0]), prose_of_python(text) if name.endswith(".py") else text)
    for find, write in AVOID.items():
        for match in re.finditer(find, prose):
            found += 1
            print(f"{name}:{prose.count(chr(10), 0, match.start()) + 1}: {' '.join(match[0].split())!r}: {write}")
sys.exit(f"{found} words to avoid: see [tool.words-to-avoid] in pyproject.toml" if found else 0)
