"""The checks of the project, each in an environment of its own. `nox -l` lists them."""

import ast
import contextlib
import os
import shlex
import shutil
import tarfile
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "lint", "types"]
nox.options.error_on_missing_interpreters = False

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
FAST = "not slow and not system and not corpus"

# pyenv hides installed versions that are not selected. Let nox find them, too.
_PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
for _version in PYTHONS:
    for _bin in sorted(_PYENV.glob(f"{_version}.*/bin")):
        os.environ["PATH"] += f"{os.pathsep}{_bin}"


def _group(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, *names)


def _build(session: nox.Session) -> tuple[Path, dict[str, str]]:
    """Build the sdist, and the wheel from it, as for a release. Return the wheel and the environment of the tests."""
    dist = Path(session.virtualenv.location, "dist")
    shutil.rmtree(dist, ignore_errors=True)
    session.install(*_group("build"))
    session.run("python", "-m", "build", "--no-isolation", f"--outdir={dist}", silent=True)
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    # The source tree stays off sys.path, so that the installed package is tested.
    return wheel, {"PYTHONSAFEPATH": "1", "SDIST": str(sdist), "WHEEL": str(wheel)}


def _chromium(session: nox.Session) -> str:
    """Return the path of the system's Chromium, so that Playwright downloads none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        session.error("No Chromium found: `apt-get install chromium`, or set CHROMIUM to its path.")
    return found


def _firefox(session: nox.Session) -> str:
    """Return the path of the system's Firefox."""
    found = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        session.error("No Firefox found: `apt-get install firefox-esr`, or set FIREFOX to its path.")
    return found


def _install_node(session: nox.Session, project: str) -> Path:
    """Install the Node packages of a folder's package.json, and return the copy of the folder that has them."""
    node = Path(session.create_tmp(), "node")
    shutil.copytree(project, node, dirs_exist_ok=True)
    npm = ("npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund")
    session.run(*npm, "--prefix", str(node), external=True)
    return node


@nox.session
def demo(session: nox.Session) -> None:
    """Serve an API and the pages that call it, until Ctrl-C."""
    session.install(".[django,flask,quart,starlette]", *_group("demo"))
    with contextlib.suppress(KeyboardInterrupt):
        session.run("python", "examples/demo", *session.posargs, interrupt_timeout=10)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests against the built wheel, on all cores. The first and the last Python run the slow ones, too."""
    wheel, env = _build(session)
    session.install(f"{wheel}[all]", *_group("tests", "frameworks", "corpus", "metrics"))
    is_whole = session.python in {PYTHONS[0], PYTHONS[-1]}
    selected = ("--cov", "-m", "not system and not corpus") if is_whole else ("-m", FAST)
    session.run("pytest", "--numprocesses=auto", *(session.posargs or selected), env=env)


@nox.session
def minimal(session: nox.Session) -> None:
    """Run the tests without any extra. Those that need one are skipped."""
    wheel, env = _build(session)
    session.install(str(wheel), *_group("tests"))
    session.run("pytest", *session.posargs, env=env)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run all but the slow tests with the oldest release of every direct dependency."""
    wheel, env = _build(session)
    session.install("uv")
    oldest = "--resolution=lowest-direct"
    session.run("uv", "pip", "install", oldest, f"asgi-cors-bridge[all] @ {wheel.as_uri()}", *_group("metrics"))
    session.install(*_group("tests"))
    session.run("pytest", "-m", FAST, *session.posargs, env=env)


@nox.session(python=PYTHONS[0])
def fastapi(session: nox.Session) -> None:
    """Run the tests of FastAPI's policies with several releases: the oldest supported one and the newest, and others.

    The releases after 0.136 no longer copy the routes of routers. 0.137.0 has no public function that lists them.
    """
    wheel, env = _build(session)
    session.install(f"{wheel}[cli,flask,quart,testing]", *_group("tests"))
    commands = ("tests/cli/apps", "tests/cli/audit", "tests/cli/test_explain.py")
    for release in ("fastapi==0.110.*", "fastapi==0.136.*", "fastapi==0.137.0", "fastapi"):
        session.install("--upgrade", release)
        is_outermost = release in {"fastapi==0.110.*", "fastapi"}
        folders = ("tests/adapters/starlette", *(commands if is_outermost else ()))
        session.run("pytest", *(session.posargs or folders), env=env)


@nox.session
def doctor(session: nox.Session) -> None:
    """Run the doctor, and Chromium next to it, on real servers that are broken in known ways."""
    for program in ("node", "npm", "openssl", "nginx", "apache2", "haproxy", "caddy", "varnishd", "lighttpd"):
        if not shutil.which(program):
            session.error(f"No {program} found: install it, as .ci/run does.")
    wheel, env = _build(session)
    session.install(f"{wheel}[all]", *_group("tests", "corpus", "corpus-frameworks", "browser"))
    node = _install_node(session, "tests/cli/corpus/node")
    env |= {"CORPUS": "whole", "CORPUS_NODE": str(node), "CHROMIUM": _chromium(session)}
    # A module is run by one process, because it starts its servers once.
    workers = ("--numprocesses=auto", "--dist=loadfile")
    session.run("pytest", *workers, "-m", "corpus", "tests/cli", *session.posargs, env=env)


@nox.session
def peers(session: nox.Session) -> None:
    """Run `asgi-cors check` on Starlette, Flask-CORS, Quart-CORS, asgi-cors and express `cors`."""
    session.install(".[cli]")
    # A peer has the same import name as this project, so the peers have an environment of their own.
    folder = Path(session.create_tmp())
    theirs, node = folder / "python", folder / "node"
    session.run("python", "-m", "venv", str(theirs))
    python = str(theirs / "bin" / "python")
    packages = ("asgi-cors", "flask-cors", "quart-cors", "starlette", "uvicorn")
    session.run(python, "-m", "pip", "install", "-q", "-U", *packages, external=True)
    session.run("npm", "install", "--prefix", str(node), "--silent", "express", "cors", external=True)
    session.run("python", "tests/upstream/peers/peers.py", python, str(node), *session.posargs)


@nox.session
def registries(session: nox.Session) -> None:
    """Run the tests of the registries, of the recipes and of whole systems, on real servers: Redis and PostgreSQL."""
    wheel, env = _build(session)
    session.install(f"{wheel}[all]", *_group("tests", "recipes"))
    folders = [
        folder
        for folder in ("tests/registry", "tests/project/examples/dynamic", "tests/system")
        if Path(folder).is_dir()
    ]
    env |= {"REAL_SERVERS": "required"}
    session.run("pytest", "--numprocesses=auto", *(session.posargs or folders), env=env)


@nox.session
def pages(session: nox.Session) -> None:
    """Write docs/console.md and docs/servers.md, and draw docs/doctor.svg."""
    session.install(".[cli]")
    session.run("python", "docs/make.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, spelling, words to avoid and the layers of imports."""
    session.install(*_group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", env={"PYTHONPATH": "adapters"})
    session.run("codespell")
    session.run("python", ".ci/words.py")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, both strict."""
    session.install(".[all]", *_group("types"))
    session.run("mypy", f"--cache-dir={os.devnull}")  # a warm cache has hidden errors
    session.run("pyright")


@nox.session(python=[PYTHONS[0], PYTHONS[-1]])
def examples(session: nox.Session) -> None:
    """Serve the example of each framework to a browser for tests.

    The oldest Python has the oldest supported FastAPI and Django, the newest Python the newest of every framework.
    """
    wheel, env = _build(session)
    session.install(f"{wheel}[testing]", *_group("examples", "tests"))
    if session.python == PYTHONS[0]:
        session.install("fastapi==0.110.*", "django==4.2.*")  # and the Starlette of this FastAPI
    # Django leaves the temporary file of a request's body to the garbage collector.
    ignored = ("-W", "ignore:Unclosed file:ResourceWarning")
    session.run("pytest", *ignored, "tests/project/examples", *session.posargs, env=env | {"EXAMPLES": "all"})


@nox.session
def newcomer(session: nox.Session) -> None:
    """Run the commands in the first lines of examples/test_my_cors.py, in an empty folder."""
    wheel, _ = _build(session)
    example = Path("examples/test_my_cors.py").resolve()
    docstring = ast.get_docstring(ast.parse(example.read_text("utf-8"))) or ""
    commands = [shlex.split(line) for line in docstring.splitlines() if line.startswith("    ")]
    # Not in the project's own folder, whose pyproject.toml would configure pytest.
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        shutil.copy(example, folder)
        for program, *arguments in commands:
            if program == "pip":
                built = f"asgi-cors-bridge[testing] @ {wheel.as_uri()}"
                packages = [built if name == "asgi-cors-bridge[testing]" else name for name in arguments[1:]]
                session.install(*packages)
            else:
                session.run(program, *arguments)


@nox.session
def upstream(session: nox.Session) -> None:
    """Run the tests of other libraries with ours in their place, and show what differs."""
    wheel, env = _build(session)
    session.install(f"{wheel}[django,flask,quart,starlette,testing]", *_group("tests"), "packaging", "httpx2")
    source = _source(session, "flask-cors==6.0.5")
    for interface in ("WSGI", "ASGI"):
        _in_its_place(session, source, "flask_cors", "in_its_place", "tests", env | {"INTERFACE": interface})
    with_source = {**env, "FLASK_CORS_SOURCE": str(source)}
    session.run("pytest", "tests/upstream/flask_cors", "tests/adapters/flask/test_advisories.py", env=with_source)
    source = _source(session, "quart-cors==0.8.0")
    _in_its_place(session, source, "quart_cors", "quart_in_its_place", "tests", env, "-o", "asyncio_mode=auto")
    session.run("pytest", "tests/upstream/quart_cors", env={**env, "QUART_CORS_SOURCE": str(source)})
    version = session.run("python", "-c", "import starlette; print(starlette.__version__)", silent=True)
    source = _source(session, f"starlette=={str(version).strip()}")
    _in_its_place(session, source, "starlette_cors", "starlette_in_its_place", "tests/middleware/test_cors.py", env)
    session.run("pytest", "tests/upstream/starlette_cors", env=env)
    source = _django_cors_headers(session)
    _in_its_place(session, source, "django_cors_headers", "django_in_its_place", "tests", env)
    source = _source(session, "django-cors-headers==4.9.0")
    with_source = {**env, "DJANGO_CORS_HEADERS_SOURCE": str(source)}
    session.run("pytest", "tests/upstream/django_cors_headers", env=with_source)


def _in_its_place(  # noqa: PLR0913, PLR0917 - the differences between the suites
    session: nox.Session, source: Path, folder: str, plugin: str, tests: str, env: dict[str, str], *options: str
) -> None:
    """Run another project's tests outside of its own package, with a plugin that puts ours in its place."""
    theirs = Path(session.create_tmp(), "in-its-place").resolve()
    shutil.rmtree(theirs, ignore_errors=True)
    shutil.copytree(source / "tests", theirs / "tests")
    theirs.joinpath("pytest.ini").write_text("[pytest]\n", "utf-8")
    env = {**env, "PYTHONPATH": f"{Path('tests/upstream', folder).resolve()}{os.pathsep}{theirs}"}
    with session.chdir(theirs):
        session.run("pytest", "-q", "-p", plugin, "-p", "no:randomly", "-W", "ignore", *options, tests, env=env)


def _source(session: nox.Session, requirement: str) -> Path:
    """Download and unpack the sdist of another project. This repository has no copy of it."""
    folder = Path(session.create_tmp(), requirement.partition("==")[0])
    shutil.rmtree(folder, ignore_errors=True)
    where = f"--dest={folder}"
    session.run("python", "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:", where, requirement)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return Path(str(sdist).removesuffix(".tar.gz")).resolve()


def _django_cors_headers(session: nox.Session) -> Path:
    """Return the source of django-cors-headers with its tests, which PyPI doesn't have: a checkout, or Debian's."""
    checkout = os.environ.get("DJANGO_CORS_HEADERS")
    if checkout:
        return Path(checkout).resolve()
    if not shutil.which("apt-get"):
        session.error("No apt-get found: set DJANGO_CORS_HEADERS to the path of a checkout of version 4.7.0 or newer.")
    folder = Path(session.create_tmp(), "debian")
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "tests/upstream/django_cors_headers/debian.py", "django-cors-headers", "trixie", str(folder))
    (source,) = folder.glob("django-cors-headers-*/")
    return source.resolve()


@nox.session
def browser(session: nox.Session) -> None:
    """Open each page of the demo in Chromium and in Firefox, and check every row."""
    wheel, env = _build(session)
    session.install(f"{wheel}[django,flask,quart,starlette]", *_group("browser"))
    env |= {"CHROMIUM": _chromium(session), "FIREFOX": _firefox(session)}
    session.run("pytest", "tests/browser", *session.posargs, env=env)


@nox.session(python=PYTHONS[0])
def clients(session: nox.Session) -> None:
    """Run the reference client of each preset in Chromium, and the Model Context Protocol's SDK with its attacker."""
    if not shutil.which("npm"):
        session.error("No npm found: install Node with npm.")
    wheel, env = _build(session)
    session.install(str(wheel), *_group("clients"))
    env |= {"CLIENTS_NODE": str(_install_node(session, "tests/clients")), "CHROMIUM": _chromium(session)}
    session.run("pytest", "tests/clients", *session.posargs, env=env)


@nox.session(python=[PYTHONS[0], PYTHONS[-1]])
def bench(session: nox.Session) -> None:
    """Measure the middleware and its peers, and write docs/performance.md. Takes half an hour."""
    session.install(".[all]", *_group("bench"))
    for name in session.posargs or ("overhead", "scaling", "extensions", "servers", "hostile"):
        session.run("python", f"benchmarks/{name}.py")


@nox.session(python=[PYTHONS[0], PYTHONS[-1]])
def gate(session: nox.Session) -> None:
    """Count the instructions of a request, and fail if they have grown. Needs valgrind."""
    session.install(".")
    session.run("python", "benchmarks/gate.py", *session.posargs)
