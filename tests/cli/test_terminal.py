"""Text on a terminal: escaped, and coloured only if the terminal has colours."""

import io
import json
import os
import subprocess
import sys

import pytest

from asgi_cors.cli.terminal import apps_output_on_stderr, escape, stdout
from tests.cli.corpus.raw import PAGE, sends
from tests.cli.corpus.serving import serving


def test_control_characters_are_escaped():
    assert escape("a\x1b[31m\r\u202eb\u00e9") == "a\\x1b[31m\\r\\u202eb\u00e9"


def test_a_terminal_without_unicode_gets_question_marks(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    stdout().print("✗ blocked")
    stream.flush()
    assert stream.buffer.getvalue() == b"? blocked\n"


def test_a_closed_output_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    stdout().print("blocked")


def test_the_output_of_an_app_is_redirected_with_the_file_descriptor(monkeypatch, tmp_path):
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        out.write("before\n")
        with apps_output_on_stderr() as output:
            sys.stdout.write("by the app\n")
            out.write("by a stream of the app\n")
            out.flush()
            os.write(out.fileno(), b"by the descriptor\n")
            output.write("the report\n")
        sys.stdout.write("after\n")
        monkeypatch.undo()
    assert (tmp_path / "out").read_text() == "before\nthe report\nafter\n"
    assert (tmp_path / "err").read_text() == "by a stream of the app\nby the descriptor\nby the app\n"


NOISY = """
import atexit, os, subprocess, sys, threading, time

def end():
    print("at exit")
    os.write(1, b"at exit, by the descriptor")
    subprocess.run([sys.executable, "-c", "print('at exit, by a child')"])

def late():
    time.sleep(0.5)
    print("by a thread")

atexit.register(end)
threading.Thread(target=late).start()
print("at import")

async def app(scope, receive, send): ...
"""


def test_what_an_app_prints_after_the_command_does_not_spoil_its_output(tmp_path):
    (tmp_path / "noisy.py").write_text(NOISY)
    command = [sys.executable, "-m", "asgi_cors", "audit", "noisy:app", "--app-dir", str(tmp_path), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(ran.stdout)["command"] == "audit"
    for text in ("at import", "by a thread", "at exit", "at exit, by the descriptor", "at exit, by a child"):
        assert text in ran.stderr


@pytest.mark.parametrize("is_process", [True, False])
def test_the_output_of_the_process_itself_stays_redirected(monkeypatch, tmp_path, is_process):
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        monkeypatch.setattr(sys, "__stdout__", out if is_process else None)
        with apps_output_on_stderr() as output:
            output.write("the report")
        out.write("after")
        monkeypatch.undo()
    assert (tmp_path / "out").read_text() == ("the report" if is_process else "the reportafter")


def test_a_closed_output_of_an_app_is_redirected(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    with apps_output_on_stderr() as output:
        sys.stdout.write("by the app\n")
        output.write("the report")
    assert capsys.readouterr().err == "by the app\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_no_color_is_set(env, coloured):
    import pty  # noqa: PLC0415 - POSIX alone has it

    main, terminal = pty.openpty()
    with serving(sends()) as server:
        program = [sys.executable, "-m", "asgi_cors", "doctor", server.url, "-o", PAGE, "--no-probes"]
        environ = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        process = subprocess.Popen(
            program, stdout=terminal, stderr=subprocess.DEVNULL, env=environ | {"TERM": "xterm-256color"} | env
        )
        os.close(terminal)
        out = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            out += part
        assert process.wait(60) == 1
    os.close(main)
    assert (b"\x1b[31m" in out) == coloured
    assert "✗".encode() in out
