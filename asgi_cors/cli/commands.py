"""The group of all commands, and the exit codes: 0 allowed, 1 blocked or something found, 2 could not run."""

from __future__ import annotations

import shutil
import sys
from typing import Final, NoReturn

import click

from asgi_cors.testing import ScriptError

from .audit.command import command as audit_command
from .check.command import check as check_command
from .console.command import command as console_command
from .doctor.command import command as doctor_command
from .errors import CannotRunError
from .explain.command import command as explain_command
from .lint.command import command as lint_command
from .options import CommandGroup
from .origins.commands import group as origins_group
from .terminal import plain, stderr

COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130
_MIN_WIDTH: Final = 30  # columns of help
_MAX_WIDTH: Final = 80
# An argument or option -> an example of it.
_EXAMPLES: Final = {
    "url": "asgi-cors doctor https://api.example.com/items -o https://app.example.com",
    "origin": "-o https://app.example.com",
    "timeout": "--timeout 10",
}


def run() -> None:
    """Run a command. Report a user's mistake in one line on standard error."""
    try:
        group(prog_name="asgi-cors", standalone_mode=False, terminal_width=_help_width())
    except click.ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2
            error.show()
            raise SystemExit(error.exit_code) from None
        _fail(_usage_line(error))
    except CannotRunError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(INTERRUPTED) from None
    except (ScriptError, UnicodeEncodeError) as error:
        _fail(f"this request can't be sent: {error}")
    except OSError as error:  # of the output, such as a full disk
        sys.stdout = None  # Python would report it again when it ends
        _fail(f"the output can't be stored: {error.strerror or error}.")


def _help_width() -> int:
    """Return the width of help in columns. By default, click writes 50 on a terminal with fewer."""
    return max(_MIN_WIDTH, min(_MAX_WIDTH, shutil.get_terminal_size().columns) - 2)


def _usage_line(error: click.ClickException) -> str:
    """Return in one line how an option or an argument is wrong, and what to write."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "asgi-cors"
    parameter = error.param.name if isinstance(error, click.BadParameter) and error.param else ""
    write = _EXAMPLES.get(parameter or "", f"{command} --help")
    return f"{error.format_message().rstrip('.')}. Write {write}."


def _fail(line: str) -> NoReturn:
    """Print one line, which is wrapped between words if a terminal shows it."""
    console = stderr()
    console.print(plain(f"asgi-cors: {' '.join(line.split())}"), soft_wrap=not console.is_terminal)
    raise SystemExit(COULD_NOT_RUN)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="asgi-cors-bridge")
def group() -> None:
    """Find out why the browser blocks a request: test a server, an app or a console message.

    Exit codes: 0 allowed or in order, 1 blocked or something found, 2 could not run.
    """


for _command in (
    doctor_command,
    explain_command,
    audit_command,
    check_command,
    lint_command,
    origins_group,
    console_command,
):
    group.add_command(_command)
