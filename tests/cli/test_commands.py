"""The commands as a program: help, exit codes, and a missing extra."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import asgi_cors
from asgi_cors.cli import main
from tests.support.command_line import run


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a program of its own."""
    program = [sys.executable, "-m", "asgi_cors", *arguments]
    return subprocess.run(program, capture_output=True, env=os.environ | env, check=False, timeout=60)


def test_piped_output_has_no_colours():
    ran = command("console", "TypeError: Failed to fetch")
    assert ran.returncode == 0
    assert b"The error that the script sees" in ran.stdout
    assert b"\x1b" not in ran.stdout


def test_an_output_that_cannot_be_stored_is_reported_in_one_line(monkeypatch, capsys):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("asgi_cors.cli.console.command.recognise", fail)
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "console", "x"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "asgi-cors: the output can't be stored: No space left on device.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_reported_in_one_line():
    program = [sys.executable, "-m", "asgi_cors", "--help"]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (2, b"asgi-cors: the output can't be stored: No space left on device.\n")


def test_python_m_asgi_cors_is_the_script(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "--help"])
    runpy.run_path(str(Path(asgi_cors.__file__).with_name("__main__.py")), run_name="__main__")
    assert "doctor" in capsys.readouterr().out


def test_help_and_version_exit_with_0():
    assert "doctor" in run("--help").out
    assert "version" in run("--version").out
    for name in ("doctor", "explain", "audit", "console"):
        ran = run(name, "--help")
        assert ran.code == 0
        assert max(map(len, ran.out.splitlines())) <= 80
    assert run("doctor", "--wrong").code == 2
    assert run().code in {0, 2}


@pytest.mark.parametrize(("columns", "longest"), [("200", 80), ("80", 80), ("40", 40)])
@pytest.mark.parametrize("name", [[], ["audit"], ["explain"], ["origins"], ["origins", "list"]], ids=" ".join)
def test_help_fits_the_terminal_and_no_summary_is_cut(monkeypatch, columns, longest, name):
    monkeypatch.setenv("COLUMNS", columns)
    out = run(*name, "--help").out
    assert max(map(len, out.splitlines())) <= longest
    assert "..." not in out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["audit", "--bogus"], "asgi-cors: No such option '--bogus'. Write asgi-cors audit --help.\n"),
        (["explain"], "asgi-cors: Missing argument 'APP'. Write asgi-cors explain --help.\n"),
        (["origins", "nothing"], "asgi-cors: No such command 'nothing'. Write asgi-cors origins --help.\n"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_line(arguments, line):
    ran = run(*arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", line)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_an_error_is_wrapped_between_words_on_a_terminal():
    import pty  # noqa: PLC0415 - POSIX alone has it

    main, terminal = pty.openpty()
    program = [sys.executable, "-m", "asgi_cors", "audit", "no_such_module:app"]
    ran = subprocess.run(program, stderr=terminal, env=os.environ | {"COLUMNS": "40"}, check=False, timeout=60)
    os.close(terminal)
    out = os.read(main, 65536).decode()
    os.close(main)
    assert ran.returncode == 2
    lines = out.replace("\r\n", "\n").splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(map(str.strip, lines)).startswith(
        "asgi-cors: there is no module 'no_such_module'. Run the command in"
    )


def test_ctrl_c_exits_with_130(monkeypatch):

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("asgi_cors.cli.console.command.recognise", fail)
    assert run("console", "x").code == 130


def test_a_closed_pipe_ends_the_command_without_an_error():
    program = f"{sys.executable} -m asgi_cors --help | head -1"
    ran = subprocess.run(program, shell=True, capture_output=True, check=False, timeout=60)  # noqa: S602 - a pipe of ours
    assert ran.stderr == b""


def test_an_unexpected_error_has_its_traceback(monkeypatch):
    monkeypatch.setattr("asgi_cors.cli.commands.group", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("console", "x")


def test_a_missing_click_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("asgi_cors.cli.commands", "click."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "click", None)
    ran = run("--help")
    assert ran.code == 2
    assert ran.err == "asgi-cors needs click. Install it with pip install 'asgi-cors-bridge[cli]'.\n"


@pytest.mark.parametrize("missing", ["h2", "httpx", "rich"])
def test_a_missing_library_of_the_extra_is_named(missing):
    """In a process of its own, because modules that are imported twice confuse other tests."""
    program = f"import sys; sys.modules[{missing!r}] = None; from asgi_cors.cli import main; main()"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 2
    assert ran.stderr == f"asgi-cors needs {missing}. Install it with pip install 'asgi-cors-bridge[cli]'.\n"


def test_a_missing_module_of_our_own_raises(monkeypatch):
    monkeypatch.delitem(sys.modules, "asgi_cors.cli.commands")
    monkeypatch.setitem(sys.modules, "asgi_cors.cli.terminal", None)
    with pytest.raises(ModuleNotFoundError):
        run("--help")


def test_import_asgi_cors_imports_nothing_of_the_command_line():
    program = "import sys, asgi_cors; print({'click', 'httpx', 'rich', 'asgi_cors.cli'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "set()\n"
