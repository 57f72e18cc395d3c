"""The wheel and the sdist. nox passes their paths; otherwise they are built here."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import asgi_cors

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ADAPTERS = [folder for folder in (ROOT / "adapters").iterdir() if folder.is_dir() and folder.name != "__pycache__"]
PACKAGES = {folder.name: folder for folder in (ROOT / "asgi_cors", *ADAPTERS)}
EXTRAS = {"django", "flask", "quart", "starlette", "testing", "cli", "opentelemetry", "prometheus", "redis", "all"}


def run(*command: str | Path) -> str:
    """Run a program, and return its output."""
    done = subprocess.run(command, cwd=ROOT.anchor, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """Return the paths of the sdist and of the wheel built from it."""
    if "WHEEL" in os.environ:
        return Path(os.environ["SDIST"]), Path(os.environ["WHEEL"])
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def wheel(dist):
    """Return the names in the wheel, and its metadata."""
    with zipfile.ZipFile(dist[1]) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        return names, Parser().parsestr(archive.read(metadata).decode())


@pytest.fixture
def names(wheel) -> list[str]:
    return wheel[0]


@pytest.fixture
def metadata(wheel) -> Message:
    return wheel[1]


def test_the_wheel_has_every_file_of_our_packages_and_no_other(names):
    """Besides the metadata."""
    ours = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == ours


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_has_a_py_typed(names, package):
    """PEP 561."""
    assert f"{package}/py.typed" in names


def test_the_sdist_has_the_packages_the_metadata_and_the_files_that_it_names(dist):
    with tarfile.open(dist[0]) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    needed = {"PKG-INFO", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore"}
    assert tops == needed | {path.relative_to(ROOT).parts[0] for path in PACKAGES.values()}


def test_the_core_requires_idna_and_publicsuffixlist_only(metadata):
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(line.partition(">=")[0] for line in required) == ["idna", "publicsuffixlist"]


def test_the_extra_all_is_the_sum_of_the_others(metadata):
    assert set(metadata.get_all("Provides-Extra")) == EXTRAS
    lines = [line.partition("; extra == ") for line in metadata.get_all("Requires-Dist")]
    brought = {needed for needed, _, extra in lines if extra and extra.strip("'\"") != "all"}
    assert brought
    assert {needed for needed, _, extra in lines if extra.strip("'\"") == "all"} == brought


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Name", "asgi-cors-bridge"),
        ("Requires-Python", ">=3.11"),
        ("License-Expression", "MIT"),
        ("License-File", "LICENSE"),
        ("Description-Content-Type", "text/markdown"),
    ],
)
def test_the_metadata_has_the_value(metadata, key, value):
    assert metadata[key] == value


@pytest.mark.skipif("WHEEL" not in os.environ, reason="only nox tests the wheel")
def test_the_installed_wheel_is_tested_and_not_the_source_tree():
    assert not Path(asgi_cors.__file__).is_relative_to(PACKAGES["asgi_cors"])
    assert str(ROOT) not in sys.path


@pytest.mark.registry
@pytest.mark.parametrize("ours_first", [True, False], ids=["ours installed first", "theirs installed first"])
def test_our_package_is_imported_if_pypis_asgi_cors_is_installed_too(dist, tmp_path, ours_first):
    """It installs a module file of the same name. Python prefers a package."""
    theirs, site = tmp_path / "theirs", tmp_path / "site"
    pip = (sys.executable, "-m", "pip")
    download = (*pip, "download", "-q", "--no-deps", "--dest", theirs, "asgi-cors")
    if subprocess.run(download, capture_output=True, check=False).returncode:
        pytest.skip("the package registry can't be reached")
    wheels = [dist[1], next(theirs.iterdir())]
    for wheel in wheels if ours_first else reversed(wheels):
        run(*pip, "install", "-q", "--no-deps", "--target", site, wheel)
    assert (site / "asgi_cors.py").is_file()
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import asgi_cors; from asgi_cors import asgi_cors as drop_in, asgi_cors_decorator\n"
        "print(asgi_cors.__file__, drop_in.__module__, asgi_cors_decorator.__module__)"
    )
    file, *modules = run(sys.executable, "-c", program).split()
    assert Path(file) == site / "asgi_cors" / "__init__.py"
    assert all(module.startswith("asgi_cors.") for module in modules)
