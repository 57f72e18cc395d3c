"""The command `asgi-cors audit`."""

from __future__ import annotations

from typing import Any

import click
import httpx

from asgi_cors.cli.doctor.question import parse_page_origin, parse_url
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.cli.options import APP, BLOCKED, JSON, show
from asgi_cors.cli.terminal import apps_output_on_stderr, escape, stderr

from . import report
from .app import audit_app
from .results import Audit
from .url import audit_url


@click.command("audit")
@click.argument("app", required=False)
@click.option("--url", help="A live URL, instead of MODULE:APP.")
@click.option("--origin", "-o", "origins", multiple=True, help="An origin that must be allowed. Repeatable.")
@APP
@click.option("--insecure", "-k", is_flag=True, help="With --url: accept any TLS certificate.")
@JSON
def command(app: str | None, url: str | None, **options: Any) -> None:
    """Check every route of an app, or a live URL, for CORS mistakes.

    APP is MODULE:APP. The module is imported, and the app is not started. The output of the app goes to standard error.
    """
    if (app is None) == (url is None):
        raise CannotRunError("audit takes MODULE:APP or --url URL. Write asgi-cors audit main:app.")
    if app is not None and "://" in app:
        raise CannotRunError(f"{app!r} is a URL, not MODULE:APP. Write --url {app}.")
    origins = tuple(map(parse_page_origin, options["origins"]))
    with apps_output_on_stderr() as output:
        if url is not None:
            found = _audit_url(url, origins, insecure=options["insecure"])
        else:
            found = audit_app(app or "", origins, app_dir=options["app_dir"], factory=options["factory"])
        show(report.report(found), report.as_json(found), as_json=options["as_json"], output=output)
    if found.findings:
        raise SystemExit(BLOCKED)


def _audit_url(url: str, origins: tuple[str, ...], *, insecure: bool) -> Audit:
    with httpx.HTTPTransport(verify=not insecure) as transport, stderr().status(f"testing {escape(url)}") as status:
        return audit_url(parse_url(url), origins, transport, progress=lambda step: status.update(escape(step)))
