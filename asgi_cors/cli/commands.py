"""What people type: the commands, their options, and the exit codes 0 (allowed), 1 (blocked) and 2 (could not ask)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import httpx

from .doctor.question import CannotAskError, Question, read_body, read_header, read_origin, read_url
from .terminal import plain, shown, stderr, stdout

if TYPE_CHECKING:
    from rich.console import RenderableType

BLOCKED, COULD_NOT_ASK = 1, 2
F = TypeVar("F", bound=Callable[..., Any])


def run() -> None:
    """Run a command; whatever goes wrong is told in one line."""
    try:
        group(prog_name="asgi-cors", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except CannotAskError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(130) from None
    except Exception as error:
        from asgi_cors.testing import ScriptError  # noqa: PLC0415 - only for a call that can't be sent

        if not isinstance(error, ScriptError | UnicodeEncodeError):
            raise
        _fail(f"this can't be sent: {error}")


def _fail(line: str) -> NoReturn:
    stderr().print(plain(f"asgi-cors: {' '.join(line.split())}"), soft_wrap=True)
    raise SystemExit(COULD_NOT_ASK)


def _show(report: RenderableType, data: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        stdout().print(report)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="asgi-cors-bridge")
def group() -> None:
    """Why does the browser block it? Ask a server, an app, or the console's words.

    Exit codes: 0 allowed or in order, 1 blocked or something found, 2 could not ask.
    """


def _the_call(command: F) -> F:
    """Add the options that describe a call."""
    options = [
        click.option("--origin", "-o", required=True, help="The page's origin: https://app.example.com"),
        click.option("--method", "-X", default="GET", show_default=True, help="The method, as the script writes it."),
        click.option("--header", "-H", "headers", multiple=True, help="A request header: 'x-id: 7'. Repeatable."),
        click.option("--credentials", "-c", is_flag=True, help="credentials: 'include' (cookies)."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@group.command()
@click.argument("url")
@_the_call
@click.option("--reads", "-r", multiple=True, help="A response header that the script reads. Repeatable.")
@click.option("--cookie", multiple=True, help="A cookie that the browser has: 'sid=1'. Repeatable.")
@click.option("--data", "-d", help="The body.")
@click.option("--preflight-only", is_flag=True, help="Don't send the request itself, only its preflight.")
@click.option("--no-probes", is_flag=True, help="Don't ask with other origins.")
@click.option("--insecure", "-k", is_flag=True, help="Take any TLS certificate, which browsers don't.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10, show_default=True, help="Seconds to wait.")
def doctor(url: str, **options: Any) -> None:
    """Ask a live server as Chromium, Firefox and Safari would, and say why they block.

    The request goes over the wire once, as a page would send it: -X DELETE deletes. URL may be ws:// or wss://.
    """
    from .doctor.collect import examine  # noqa: PLC0415
    from .doctor.diagnosis import diagnose  # noqa: PLC0415 - each command imports what it needs
    from .doctor.report import as_json, report  # noqa: PLC0415

    question = _question(url, options)
    with _transport(options) as transport, stderr().status(f"asking {shown(question.url)}") as status:
        evidence = examine(
            question,
            transport,
            probing=not options["no_probes"],
            progress=lambda what: status.update(f"{shown(question.url)}: {what}"),
        )
    diagnosis = diagnose(evidence)
    _show(report(diagnosis), as_json(diagnosis), as_json=options["as_json"])
    if not evidence.is_allowed:
        raise SystemExit(BLOCKED)


def _transport(options: dict[str, Any]) -> httpx.HTTPTransport:
    return httpx.HTTPTransport(verify=not options["insecure"])


def _question(url: str, options: dict[str, Any]) -> Question:
    """Read the options of a call."""
    return Question(
        url=read_url(url),
        origin=read_origin(options["origin"]),
        method=options["method"],
        headers=tuple(map(read_header, options["headers"])),
        credentials=options["credentials"],
        reads=tuple(name.lower() for name in options["reads"]),
        cookies=options["cookie"],
        data=read_body(options["data"]),
        timeout=options["timeout"],
        preflight_only=options["preflight_only"],
    )


@group.command()
@click.argument("app")
@click.argument("path", default="/")
@_the_call
@click.option("--app-dir", default=".", show_default=True, help="The folder from which MODULE is imported.")
@click.option("--factory", is_flag=True, help="APP is a function that makes the app.")
def explain(app: str, path: str, **options: Any) -> None:
    """Put the same question to an app, MODULE:APP, without starting it."""
    from .apps import inspecting, installed_in, load  # noqa: PLC0415 - each command imports what it needs
    from .explain import as_json, explanation_of, report  # noqa: PLC0415

    headers = tuple(map(read_header, options["headers"]))
    origin, credentials = read_origin(options["origin"]), options["credentials"]
    with inspecting(app):
        installed = installed_in(load(app, app_dir=options["app_dir"], factory=options["factory"]))
        explanation = explanation_of(installed, options["method"], origin, path, headers, credentials=credentials)
    _show(report(explanation), as_json(app, path, explanation), as_json=options["as_json"])
    if explanation.allowed is False:
        raise SystemExit(BLOCKED)


@group.command()
@click.argument("app", required=False)
@click.option("--url", help="A live URL, in place of MODULE:APP.")
@click.option("--origin", "-o", "origins", multiple=True, help="A page that must get through. Repeatable.")
@click.option("--app-dir", default=".", show_default=True, help="The folder from which MODULE is imported.")
@click.option("--factory", is_flag=True, help="APP is a function that makes the app.")
@click.option("--insecure", "-k", is_flag=True, help="With --url: take any TLS certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it.")
def audit(app: str | None, url: str | None, **options: Any) -> None:
    """Look over all routes of MODULE:APP, or over one live URL: who may do what, and which attacks get in."""
    from .audit.app import audit_app  # noqa: PLC0415 - each command imports what it needs
    from .audit.report import as_json, report  # noqa: PLC0415
    from .audit.url import audit_url  # noqa: PLC0415

    if (app is None) == (url is None):
        raise CannotAskError("audit takes MODULE:APP or --url URL. Write asgi-cors audit main:app.")
    origins = tuple(map(read_origin, options["origins"]))
    if url is not None:
        with _transport(options) as transport, stderr().status(f"asking {shown(url)}") as status:
            found = audit_url(read_url(url), origins, transport, progress=lambda what: status.update(shown(what)))
    else:
        found = audit_app(app or "", origins, app_dir=options["app_dir"], factory=options["factory"])
    _show(report(found), as_json(found), as_json=options["as_json"])
    if found.findings:
        raise SystemExit(BLOCKED)


def _standard_input() -> str:
    """Read standard input; it may be closed, or not be text."""
    try:
        return sys.stdin.read() if sys.stdin else ""
    except UnicodeDecodeError as error:
        raise CannotAskError(f"standard input is not text: {error}.") from None


@group.command()
@click.argument("message", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/cli.md describes it.")
def console(message: str | None, *, as_json: bool) -> None:
    """Say what a browser's console means: MESSAGE as pasted, or from standard input."""
    from .console.report import as_json as data_of  # noqa: PLC0415 - each command imports what it needs
    from .console.report import read, report  # noqa: PLC0415

    text = message if message is not None else _standard_input()
    readings = read(text)
    if not readings:
        raise CannotAskError(
            "this is no message about CORS that Chromium, Firefox or Safari prints. Paste it whole, in quotes."
        )
    _show(report(readings), data_of(readings), as_json=as_json)
