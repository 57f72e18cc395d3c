"""The command `asgi-cors doctor`."""

from __future__ import annotations

from typing import Any

import click

from asgi_cors.cli.options import BLOCKED, REQUEST, show
from asgi_cors.cli.terminal import escape, stderr

from . import report
from .collect import collect_evidence
from .connections import Connections
from .diagnosis import diagnose
from .question import (
    Question,
    check_body,
    parse_cookies,
    parse_header,
    parse_method,
    parse_names,
    parse_page_origin,
    parse_url,
)
from .recipes import find_software, software_names


def _find_server(context: click.Context, _parameter: click.Parameter, name: str | None) -> str:
    """Return the name of a software as the table spells it, "" for none. Print all names for "list"."""
    if name == "list":
        click.echo("\n".join(software_names()))
        context.exit()
    return find_software(name) if name else ""


@click.command("doctor")
@click.argument("url")
@REQUEST
@click.option("--reads", "-r", multiple=True, help="Response headers that the script reads: x-id,x-total. Repeatable.")
@click.option("--cookie", multiple=True, help="A cookie that the browser has: 'sid=1'. Repeatable.")
@click.option("--data", "-d", help="The body.")
@click.option("--preflight-only", is_flag=True, help="Send only the preflight, not the request itself.")
@click.option("--no-probes", is_flag=True, help="Don't test other origins.")
@click.option(
    "--server",
    metavar="NAME",
    is_eager=True,
    callback=_find_server,
    help="The server software, for the lines to write. 'list' prints all names.",
)
@click.option("--insecure", "-k", is_flag=True, help="Accept any TLS certificate, unlike browsers.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10, show_default=True, help="Seconds to wait.")
def command(url: str, **options: Any) -> None:
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
    show(report.report(diagnosis), report.as_json(diagnosis), as_json=options["as_json"])
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
