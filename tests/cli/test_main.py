"""`python -m asgi_cors`."""

import runpy
import sys
from pathlib import Path

import pytest

import asgi_cors
from tests.support.command_line import run


def test_the_package_runs_as_the_script_does(monkeypatch, capsys):
    """It takes the same words, and says the same."""
    monkeypatch.setattr(sys, "argv", ["asgi-cors", "--help"])
    runpy.run_path(str(Path(asgi_cors.__file__).with_name("__main__.py")), run_name="__main__")
    assert "doctor" in capsys.readouterr().out


def test_a_mistake_of_our_own_is_raised(monkeypatch):
    """An error that is not the user's mistake has its traceback."""
    monkeypatch.setattr("asgi_cors.cli.commands.group", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("console", "x")
