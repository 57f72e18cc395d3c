"""The commands, their options and the exit codes: 0 allowed, 1 blocked or something found, 2 could not run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click

from asgi_cors.testing import ScriptError

from .apps import inspect_app, load_app, one_line_errors
from .audit import report as audit_report
from .audit.app import audit_app
from .audit.url import audit_url
from .console.command import command as console_command
from .doctor import report as doctor_report
from .doctor.collect import collect_evidence
from .doctor.connections import Connections
from .doctor.diagnosis import diagnose
from .doctor.question import Question, check_body, parse_header, parse_page_origin, parse_url
from .doctor.recipes import find_software, software_names
from .errors import CannotRunError
from .explain import as_json as explanation_as_json
from .explain import explain_request, find_path_policy
from .explain import report as explanation_report
from .origins.commands import group as origins_group
from .sources import answers_of
from .terminal import escape, plain, stderr, stdout

if TYPE_CHECKING:
    from rich.console import RenderableType

BLOCKED: Final = 1
COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130
Command = TypeVar("Command", bound=Callable[..., Any])


def run() -> None:
    """Run a command. Report a user's mistake in one line on standard error."""
    try:
        group(prog_name="asgi-cors", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except CannotRunError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(INTERRUPTED) from None
    except (ScriptError, UnicodeEncodeError) as error:
        _fail(f"this request can't be sent: {error}")
    except OSError as error:  # of the output, such as a full disk
        sys.stdout = None  # Python would report it again when it ends
        _fail(f"the output can't be stored: {error.strerror or error}.")


def _fail(line: str) -> NoReturn:
    stderr().print(plain(f"asgi-cors: {' '.join(line.split())}"), soft_wrap=True)
    raise SystemExit(COULD_NOT_RUN)


def _show(report: RenderableType, data: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        stdout().print(report, crop=False)  # lines to copy are never broken


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Combine options that several commands share."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it.")
_REQUEST: Final = _options(
    click.option("--origin", "-o", required=True, help="The page's origin: https://app.example.com"),
    click.option("--method", "-X", default="GET", show_default=True, help="The method, as the script spells it."),
    click.option("--header", "-H", "headers", multiple=True, help="A request header: 'x-id: 7'. Repeatable."),
    click.option("--credentials", "-c", is_flag=True, help="credentials: 'include' (cookies)."),
    _JSON,
)
_APP: Final = _options(
    click.option("--app-dir", default=".", show_default=True, help="The folder from which MODULE is imported."),
    click.option("--factory", is_flag=True, help="APP is a function that returns the app."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
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
@_REQUEST
@click.option("--reads", "-r", multiple=True, help="A response header that the script reads. Repeatable.")
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
    _show(doctor_report.report(diagnosis), doctor_report.as_json(diagnosis), as_json=options["as_json"])
    if not evidence.is_allowed:
        raise SystemExit(BLOCKED)


def _transport(options: dict[str, Any]) -> Connections:
    return Connections(verify=not options["insecure"])


def _parse_question(url: str, options: dict[str, Any]) -> Question:
    return Question(
        url=parse_url(url),
        origin=parse_page_origin(options["origin"]),
        method=options["method"],
        headers=tuple(map(parse_header, options["headers"])),
        credentials=options["credentials"],
        reads=tuple(name.lower() for name in options["reads"]),
        cookies=options["cookie"],
        data=check_body(options["data"]),
        timeout=options["timeout"],
        preflight_only=options["preflight_only"],
        server=options["server"],
    )


@group.command()
@click.argument("app")
@click.argument("path", default="/")
@_REQUEST
@_APP
def explain(app: str, path: str, **options: Any) -> None:
    """Explain how an app decides on a request.

    APP is MODULE:APP. The module is imported, and the app is not started.
    """
    headers = tuple(map(parse_header, options["headers"]))
    origin, credentials = parse_page_origin(options["origin"]), options["credentials"]
    with one_line_errors(app):
        inspected = inspect_app(load_app(app, app_dir=options["app_dir"], factory=options["factory"]))
        policy = find_path_policy(inspected, options["method"], path)
    with answers_of(inspected) as answers, stderr().status(f"looking {escape(origin)} up"):
        explanation = explain_request(
            answers, policy, options["method"], origin, path, headers=headers, credentials=credentials
        )
    _show(explanation_report(explanation), explanation_as_json(app, path, explanation), as_json=options["as_json"])
    if explanation.allowed is False:
        raise SystemExit(BLOCKED)


@group.command()
@click.argument("app", required=False)
@click.option("--url", help="A live URL, instead of MODULE:APP.")
@click.option("--origin", "-o", "origins", multiple=True, help="An origin that must be allowed. Repeatable.")
@_APP
@click.option("--insecure", "-k", is_flag=True, help="With --url: accept any TLS certificate.")
@_JSON
def audit(app: str | None, url: str | None, **options: Any) -> None:
    """Check every route of an app, or a live URL, for CORS mistakes.

    APP is MODULE:APP. The module is imported, and the app is not started.
    """
    if (app is None) == (url is None):
        raise CannotRunError("audit takes MODULE:APP or --url URL. Write asgi-cors audit main:app.")
    origins = tuple(map(parse_page_origin, options["origins"]))
    if url is not None:
        with _transport(options) as transport, stderr().status(f"testing {escape(url)}") as status:
            found = audit_url(parse_url(url), origins, transport, progress=lambda step: status.update(escape(step)))
    else:
        found = audit_app(app or "", origins, app_dir=options["app_dir"], factory=options["factory"])
    _show(audit_report.report(found), audit_report.as_json(found), as_json=options["as_json"])
    if found.findings:
        raise SystemExit(BLOCKED)


group.add_command(origins_group)
group.add_command(console_command)
