"""Download the original source of a Debian package and unpack it: `debian.py PACKAGE SUITE FOLDER`.

PyPI's sdist of a project may lack its tests; Debian has the source as released. It comes from the mirrors that the
machine installs its packages from, whatever release of Debian it has. Nothing but FOLDER is written to, and no root is
needed: apt gets a list of sources, and folders for its state, of its own.
"""

import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

# The machine's own configuration, such as a proxy, applies; its hooks don't.
CONFIGURATION = """
Dir::Etc::SourceList "{folder}/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""

ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<uris>\S+)\s+(?P<suites>\S+)\s+(?P<components>[^#\n]+)", re.MULTILINE
)
SIGNED_BY = re.compile(r"\bsigned-by=(\S+)")


def source_entries(etc: Path, suite: str) -> list[str]:
    """Return an entry for the sources of a suite for each mirror that a machine has packages from.

    Args:
        etc: The folder of apt's configuration, such as /etc/apt.
        suite: A release of Debian, such as "trixie".
    """
    parts = etc / "sources.list.d"
    lists = [path for path in (etc / "sources.list", *sorted(parts.glob("*.list"))) if path.is_file()]
    found = [entry for path in lists for entry in _one_line_entries(path.read_text("utf-8"), suite)]
    for path in sorted(parts.glob("*.sources")):
        found += _deb822_entries(path.read_text("utf-8"), suite)
    return list(dict.fromkeys(found))


def _one_line_entries(text: str, suite: str) -> Iterator[str]:
    """Yield an entry for each line such as `deb [signed-by=/key] http://mirror/ bookworm main`."""
    for line in ONE_LINE.finditer(text):
        if _is_a_release(line["suites"].split(), line["components"].split()):
            key = SIGNED_BY.search(line["options"] or "")
            yield _entry(line["uris"], suite, key and key[1])


def _deb822_entries(text: str, suite: str) -> Iterator[str]:
    """Yield an entry for each paragraph such as `Types: deb`, `URIs: http://mirror/` and `Suites: bookworm`."""
    without_comments = re.sub(r"(?m)^#.*\n?", "", text)
    for paragraph in re.split(r"\n\s*\n", without_comments.strip()):
        values = message_from_string(paragraph)
        types, suites, components = (values.get(name, "").split() for name in ("Types", "Suites", "Components"))
        is_enabled = values.get("Enabled", "yes").lower() not in {"no", "false", "0", "off", "disable", "without"}
        if is_enabled and "deb" in types and _is_a_release(suites, components):
            yield _entry(values["URIs"], suite, values["Signed-By"])


def _is_a_release(suites: list[str], components: list[str]) -> bool:
    """Return whether one of the suites is a release with Debian's main component, not its updates or security fixes."""
    return "main" in components and any(suite.isalpha() for suite in suites)


def _entry(uris: str, suite: str, key: str | None) -> str:
    signed_by = f"Signed-By: {key}\n" if key else ""
    return f"Types: deb-src\nURIs: {uris}\nSuites: {suite}\nComponents: main\n{signed_by}"


def download(package: str, entry: str, folder: Path) -> Path | None:
    """Download the original source of a package, and return its archive, or None if the entry has none."""
    for name in ("lists/partial", "cache/archives/partial"):
        folder.joinpath(name).mkdir(parents=True, exist_ok=True)
    folder.joinpath("debian.sources").write_text(entry, "utf-8")
    configuration = folder / "apt.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder), "utf-8")
    for command in (["update"], ["source", "--download-only", "--tar-only", package]):
        if subprocess.run(["apt-get", "-qq", "-c", configuration, *command], cwd=folder, check=False).returncode:
            return None
    return next(folder.glob(f"{package}_*.orig.tar.*"))


def main(package: str, suite: str, folder: Path) -> None:
    """Unpack the source of a package into a folder, from the first mirror that has it."""
    for entry in source_entries(Path("/etc/apt"), suite):
        archive = download(package, entry, folder.resolve())
        if archive is not None:
            with tarfile.open(archive) as source:
                source.extractall(folder, filter="data")
            return
    raise SystemExit(f"apt has no source of {package} in Debian's {suite}.")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
