"""The commands, their options and the exit codes: 0 allowed, 1 blocked or something found, 2 could not run."""

from __future__ import annotations

import shutil
import sys
from typing import Any, Final, NoReturn

import click

from asgi_cors.testing import ScriptError

from .audit.command import command as audit_command
from .check.command import check as check_command
from .console.command import command as console_command
from .doctor import report as doctor_report
from .doctor.collect import collect_evidence
from .doctor.connections import Connections
from .doctor.diagnosis import diagnose
from .doctor.question import (
    Question,
    check_body,
    parse_cookies,
    parse_header,
    parse_method,
    parse_names,
    parse_page_origin,
    parse_url,
)
from .doctor.recipes import find_software, software_names
from .errors import CannotRunError
from .explain.command import command as explain_command
from .lint.command import command as lint_command
from .options import BLOCKED, REQUEST, CommandGroup, show
from .origins.commands import group as origins_group
from .terminal import escape, plain, stderr

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


def _find_server(context: click.Context, _parameter: click.Parameter, name: str | None) -> str:
    """Return the name of a software as the table spells it, "" for none. Print all names for "list"."""
    if name == "list":
        click.echo("\n".join(software_names()))
        context.exit()
    return find_software(name) if name else ""


@group.command()
@click.argument("url")
@REQUEST
@click.option("--reads", "-r", multiple=True, help="A response header that the script reads: a,b. Repeatable.")
@click.option("--cookie", multiple=True, help="A cookie that the browser has: 'sid=1'. Repeatable.")
@click.option("--data", "-d", help="The body.")
@click.option("--preflight-only", is_flag=True, help="Send only the preflight, not the request itself.")
@click.option("--no-probes", is_flag=True, help="Don't test other origins.")
@click.option(
    "--server",
    metavar="NAME",
    is_eager=True,
    callback=_find_server,
    help="Your software, for the lines to write, or list.",
)
@click.option("--insecure", "-k", is_flag=True, help="Accept any TLS certificate, unlike browsers.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10, show_default=True, help="Seconds to wait.")
def doctor(url: str, **options: Any) -> None:
    """Test a live server as three browsers would.

    The report says why Chromium, Firefox or Safari blocks the request, and what to write. The request is really sent,
    once: -X DELETE deletes. URL may also be ws:// or wss://.
    """
    question = _parse_question(url, options)
    with _transport(options) as transport, stderr().status(f"testing {escape(question.url)}") as status:
        evidence = collect_evidence(
            question,
            transport,
            probing=not options["no_probes"],
            progress=lambda step: status.update(f"{escape(question.url)}: {step}"),
        )
    diagnosis = diagnose(evidence)
    show(doctor_report.report(diagnosis), doctor_report.as_json(diagnosis), as_json=options["as_json"])
    if not evidence.is_allowed:
        raise SystemExit(BLOCKED)


def _transport(options: dict[str, Any]) -> Connections:
    return Connections(verify=not options["insecure"])


def _parse_question(url: str, options: dict[str, Any]) -> Question:
    return Question(
        url=parse_url(url),
        origin=parse_page_origin(options["origin"]),
        method=parse_method(options["method"]),
        headers=tuple(map(parse_header, options["headers"])),
        credentials=options["credentials"],
        reads=parse_names(options["reads"]),
        cookies=parse_cookies(options["cookie"]),
        data=check_body(options["data"], options["method"]),
        timeout=options["timeout"],
        preflight_only=options["preflight_only"],
        server=options["server"],
    )


for _command in (explain_command, audit_command, check_command, lint_command, origins_group, console_command):
    group.add_command(_command)
