"""The command `asgi-cors explain`."""

from __future__ import annotations

from typing import Any

import click

from asgi_cors.cli.apps import inspect_app, load_app, one_line_errors
from asgi_cors.cli.doctor.question import parse_header, parse_page_origin
from asgi_cors.cli.options import APP, BLOCKED, REQUEST, show
from asgi_cors.cli.sources import answers_of
from asgi_cors.cli.terminal import apps_output_on_stderr, escape, stderr

from . import report
from .request import AppCall, explain_request, find_situation, parse_target


@click.command("explain")
@click.argument("app")
@click.argument("path", default="/")
@REQUEST
@click.option("--host", help="The value of Host, for allowed_hosts. Default: the host of the URL.")
@APP
def command(app: str, path: str, **options: Any) -> None:
    """Explain how an app decides on a request.

    APP is MODULE:APP. The module is imported, and the app is not started. The output of the app goes to standard error.
    PATH may also be a URL, such as wss://api.example.com/ws.
    """
    request = parse_target(path, options["method"])
    call = AppCall(
        method=options["method"],
        origin=parse_page_origin(options["origin"]),
        headers=tuple(map(parse_header, options["headers"])),
        credentials=options["credentials"],
        request=request,
        host=request.host or None if options["host"] is None else options["host"],
    )
    with apps_output_on_stderr() as output:
        with one_line_errors(app):
            loaded = load_app(app, app_dir=options["app_dir"], factory=options["factory"])
            inspected = inspect_app(loaded)
            situation = find_situation(inspected, app, loaded, call)
        with answers_of(inspected) as answers, stderr().status(f"looking up {escape(call.origin)}"):
            explanation = explain_request(answers, situation, call)
        data = report.as_json(app, call.request.path, explanation)
        show(report.report(explanation), data, as_json=options["as_json"], output=output)
    if explanation.allowed is False:
        raise SystemExit(BLOCKED)
