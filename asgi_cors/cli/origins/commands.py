"""`asgi-cors origins`: its commands and their options.

Exit codes: 0 done, 1 an origin is invalid or not there, 2 could not run.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from asgi_cors import check_origin
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.cli.options import CommandGroup
from asgi_cors.cli.terminal import plain, stderr, stdout
from asgi_cors.registry import Entry
from asgi_cors.registry.validation import check_entry, check_text

from . import report
from .check import check_all
from .lines import Defaults, InvalidLine, LineReader, change_line, entry_line, parse_end
from .progress import Meter
from .report import OriginResult
from .store import StoreAddress, opened_store, require_registry, user_name
from .transfer import STANDARD, Import, all_entries, export, input_stream, output_stream

if TYPE_CHECKING:
    from asgi_cors.registry import Change, SyncRegistry

REFUSED: Final = 1
_LIMIT: Final = 100
_MAX_LIMIT: Final = 1_000_000
_MAX_VERSION: Final = 2**63 - 1
_PAGE: Final = 1_000
_MAX_INVALID: Final = 20  # invalid lines that are shown
Command = TypeVar("Command", bound=Callable[..., Any])


def _store_options(*, required: bool) -> Callable[[Command], Command]:
    """Return the decorator that adds the options of a store, and passes them as one `StoreAddress`."""
    url_option = click.option(
        "--store",
        required=required,
        envvar="ASGI_CORS_STORE",
        show_envvar=True,
        metavar="URL",
        help="sqlite:///origins.db, sqlite:////srv/origins.db (absolute), redis://127.0.0.1:6379/0.",
    )
    prefix_option = click.option(
        "--prefix",
        envvar="ASGI_CORS_PREFIX",
        show_envvar=True,
        metavar="TEXT",
        help="The prefix of RedisRegistry(…, prefix=TEXT), if it is not the default.",
    )

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(*, store: str | None, prefix: str | None, **values: Any) -> None:
            command(store=None if store is None else StoreAddress(store, prefix), **values)

        return cast("Command", url_option(prefix_option(run)))

    return decorate


_STORE: Final = _store_options(required=True)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON lines; docs/cli.md describes them.")
_TENANT: Final = click.option("--tenant", default="", help="The tenant that the origins belong to.")
_ONE_TENANT: Final = click.option("--tenant", help="Only this tenant; '' for the origins without one.")
_NOTE: Final = click.option("--note", default="", help="A text for administrators.")
_BY: Final = click.option("--by", default=user_name, show_default="your user name", help="Who makes the change.")
_EXPIRES: Final = click.option("--expires", metavar="TIME", help="When they expire: 2030-01-31T12:00Z (UTC), or 30d.")
_LIMIT_OPTION: Final = click.option(
    "--limit", type=click.IntRange(1, _MAX_LIMIT), default=_LIMIT, show_default=True, help="Rows."
)
_ORIGINS: Final = click.argument("origins", nargs=-1, required=True, metavar="ORIGIN...")


@click.group(name="origins", cls=CommandGroup)
def group() -> None:
    """Change and list the origins of a registry.

    Exit codes: 0 done, 1 an origin is invalid or not there, 2 could not run.
    """


def _check_texts(**texts: str | None) -> None:
    """Check the texts of options.

    Raises:
        CannotRunError: If a text is too long, or has control characters.
    """
    for option, text in texts.items():
        if text is not None and (issue := check_text(option, text)):
            raise CannotRunError(f"--{option}: {issue.message}. {issue.hint}")


def _show_results(results: Iterable[OriginResult], *, as_json: bool) -> None:
    """Show each result as soon as it is available.

    Raises:
        SystemExit: If one of them failed.
    """
    failed = False
    for result in results:
        failed = failed or result.failed
        if as_json:
            click.echo(result.line())
        else:
            stdout().print(result.text())
    if failed:
        raise SystemExit(REFUSED)


# -- one origin or a few


@group.command()
@_ORIGINS
@_STORE
@_TENANT
@_NOTE
@_BY
@_EXPIRES
@_JSON
def add(  # noqa: PLR0913 - the options
    origins: tuple[str, ...],
    store: StoreAddress,
    *,
    tenant: str,
    note: str,
    by: str,
    expires: str | None,
    as_json: bool,
) -> None:
    """Add origins or patterns, or change their note and expiry.

    If an origin is invalid, the others are still added.
    """
    _check_texts(tenant=tenant, note=note, by=by)
    end = parse_end(expires) if expires is not None else None
    with opened_store(store) as registry:
        entries = (Entry(origin=origin, tenant=tenant, note=note, by=by, expires_at=end) for origin in origins)
        _show_results((_add(registry, entry) for entry in entries), as_json=as_json)


def _add(registry: SyncRegistry, entry: Entry) -> OriginResult:
    if issues := check_entry(entry):
        issue = issues[0]
        return OriginResult(
            origin=entry.origin, tenant=entry.tenant, result=report.INVALID, message=issue.message, hint=issue.hint
        )
    found = registry.add_all([entry])
    result = report.ADDED if found.added else report.UPDATED if found.updated else report.UNCHANGED
    risk = check_origin(entry.origin, credentials=True)
    message = "but a policy with allow_credentials does not allow it" if risk else ""
    return OriginResult(origin=entry.origin, tenant=entry.tenant, result=result, message=message)


@group.command()
@_ORIGINS
@_STORE
@_TENANT
@_BY
@_JSON
def remove(origins: tuple[str, ...], store: StoreAddress, *, tenant: str, by: str, as_json: bool) -> None:
    """Remove origins or patterns, as they were added."""
    _check_texts(tenant=tenant, by=by)
    with opened_store(store) as registry:
        _show_results((_remove(registry, origin, tenant, by) for origin in origins), as_json=as_json)


def _remove(registry: SyncRegistry, origin: str, tenant: str, by: str) -> OriginResult:
    can_be_there = check_text("note", origin) is None  # no entry has a control character
    if can_be_there and registry.remove(origin, tenant=tenant, by=by):
        return OriginResult(origin=origin, tenant=tenant, result=report.REMOVED)
    place = f"tenant {tenant!r} has no such entry" if tenant else "there is no such entry without a tenant"
    hint = "Run asgi-cors origins list to see the entries."
    return OriginResult(origin=origin, tenant=tenant, result=report.NOT_FOUND, message=place, hint=hint)


@group.command()
@_ORIGINS
@_store_options(required=False)
@_TENANT
@click.option("--credentials", "-c", is_flag=True, help="Check them for a policy with allow_credentials, too.")
@_JSON
def check(
    origins: tuple[str, ...], store: StoreAddress | None, *, tenant: str, credentials: bool, as_json: bool
) -> None:
    """Check whether origins or patterns are valid and, with --store, whether the store allows them."""
    _check_texts(tenant=tenant)
    if store is None:
        _show_results(check_all(origins, credentials=credentials), as_json=as_json)
        return
    with opened_store(store) as registry, Meter("check") as meter:
        stored = chain(registry.find(origins, tenant=tenant), registry.scan(tenant=tenant, only_patterns=True))
        entries = meter.count(stored)
        results = [*check_all(origins, credentials=credentials, tenant=tenant, entries=entries)]
    _show_results(results, as_json=as_json)


# -- lists


@group.command(name="list")
@_STORE
@_ONE_TENANT
@click.option("--after", type=click.IntRange(0, _MAX_VERSION), help="Only entries after the one with this id.")
@_LIMIT_OPTION
@click.option("--all", "everything", is_flag=True, help="All rows, instead of --limit.")
@_JSON
def list_(  # noqa: PLR0913 - the options
    store: StoreAddress, *, tenant: str | None, after: int | None, limit: int, everything: bool, as_json: bool
) -> None:
    """List the entries, in the order in which they were added."""
    with opened_store(store) as registry:
        pages = _pages(all_entries(registry, tenant, after), None if everything else limit)
        shown = 0
        for page, more in pages:
            shown += len(page)
            if as_json:
                click.echo("".join(map(entry_line, page)), nl=False)
            else:
                stdout().print(report.entries_table(page))
            if more:
                _hint(
                    f"These are the first {shown:,}. Write --all for all, or --after {page[-1].id} for the next ones."
                )
        if not shown:
            require_registry(store)
            _hint("There are no entries.")


def _pages(entries: Iterator[Entry], limit: int | None) -> Iterator[tuple[list[Entry], bool]]:
    """Yield up to `limit` entries in pages. Each page has a flag: whether there are more entries than `limit`."""
    limited = islice(entries, limit)
    page = [*islice(limited, _PAGE)]
    while page:
        following = [*islice(limited, _PAGE)]
        yield page, not following and next(entries, None) is not None
        page = following


@group.command()
@_STORE
@_ONE_TENANT
@click.option(
    "--after", type=click.IntRange(0, _MAX_VERSION), help="Only changes after this version. Default: the last changes."
)
@_LIMIT_OPTION
@_JSON
def history(store: StoreAddress, *, tenant: str | None, after: int | None, limit: int, as_json: bool) -> None:
    """List the changes, the oldest first."""
    with opened_store(store) as registry:
        changes = _changes(registry, tenant, after, limit)
    if not changes:
        require_registry(store)
    if as_json:
        click.echo("".join(map(change_line, changes)), nl=False)
    elif changes:
        stdout().print(report.changes_table(changes))
    else:
        _hint("There are no changes.")


def _changes(registry: SyncRegistry, tenant: str | None, after: int | None, limit: int) -> list[Change]:
    """Return the changes after a version, or the last ones."""
    found: deque[Change] = deque(maxlen=limit)
    version = after or 0
    while page := registry.history(tenant=tenant, after=version, limit=_PAGE if after is None else limit):
        found.extend(page)
        version = page[-1].version
        if after is not None:
            break
    return [*found]


def _hint(text: str) -> None:
    """Show a fact that is not a result, on standard error."""
    stderr().print(plain(text, "dim"), soft_wrap=True)


# -- many origins


@group.command(name="import")
@click.argument("file", default=STANDARD)
@_STORE
@click.option("--tenant", help="The tenant of every line. It overrides the tenant of a JSON line.")
@_NOTE
@_BY
@_EXPIRES
@click.option("--dry-run", is_flag=True, help="Check and count, and store nothing.")
@_JSON
def import_(file: str, store: StoreAddress, *, expires: str | None, dry_run: bool, as_json: bool, **texts: Any) -> None:
    """Add the origins in FILE, or in standard input.

    A line is an origin, or a JSON object as export writes it. Empty lines and lines that begin with # are skipped.
    --note, --by and --expires apply to lines that do not have the value. Invalid lines are reported and left out. The
    exit code is then 1.
    """
    _check_texts(**texts)
    defaults = Defaults(**texts, expires_at=parse_end(expires) if expires is not None else None)
    with input_stream(file) as (stream, name, size), opened_store(store) as registry:
        lines = LineReader(stream, name, defaults)
        with Meter("import", size) as meter:
            invalid = _InvalidLines(meter, as_json=as_json)
            task = Import(registry, lines, invalid.show, meter)
            complete = False
            try:
                (task.preview if dry_run else task.run)()
                complete = True
            finally:  # report the stored transactions, also after Ctrl-C or a failure of the store
                meter.stop()
                invalid.end()
                if as_json:
                    click.echo(report.import_json(task.result, dry_run=dry_run, complete=complete))
                else:
                    stdout().print(report.import_text(task.result, dry_run=dry_run, complete=complete))
    if task.result.invalid:
        raise SystemExit(REFUSED)


class _InvalidLines:
    """Shows the invalid lines of an import as they are read: with --json all of them, otherwise the first 20."""

    def __init__(self, meter: Meter, *, as_json: bool) -> None:
        self._meter = meter
        self._as_json = as_json
        self._count = 0

    def show(self, line: InvalidLine) -> None:
        self._count += 1
        if self._as_json:
            click.echo(report.invalid_line(line))
        elif self._count <= _MAX_INVALID:
            self._meter.console.print(report.invalid_text(line), soft_wrap=True)

    def end(self) -> None:
        if not self._as_json and self._count > _MAX_INVALID:
            _hint(f"{self._count - _MAX_INVALID:,} more lines are invalid. Write --json to see all of them.")


@group.command(name="export")
@click.argument("file", default=STANDARD)
@_STORE
@_ONE_TENANT
def export_(file: str, store: StoreAddress, *, tenant: str | None) -> None:
    """Write the entries as JSON lines to FILE, or to standard output. Expired entries are left out."""
    with opened_store(store) as registry, output_stream(file) as stream, Meter("export") as meter:
        count = export(registry, tenant, stream, meter)
        if not count:
            require_registry(store)
    if file != STANDARD:
        _hint(f"{count:,} {'origin was' if count == 1 else 'origins were'} exported to {file!r}.")
