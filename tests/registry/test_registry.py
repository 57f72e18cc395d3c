"""The interface of a registry: arguments, the sync methods, watching, URLs."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st

import asgi_cors.registry
from asgi_cors import ConfigError, Policy
from asgi_cors.registry import Entry, Registry, RegistryError, SQLiteRegistry, open_registry
from asgi_cors.registry.background import run, run_blocking
from tests.registry.support import APP, DEADLINE, SHOP, FailingStore, outage, wait_until


@pytest.fixture
def store(tmp_path: Path) -> FailingStore:
    return FailingStore(tmp_path / "origins.db")


@pytest.fixture
def registry(store: FailingStore) -> Iterator[Registry]:
    registry = Registry(store, poll=0.01)
    yield registry
    store.failure = None
    registry.sync.close()


def issues(call: Any) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        call()
    return [(issue.option, issue.hint) for issue in caught.value.issues]


# -- arguments

END = "Write datetime.now(UTC) + timedelta(days=30)."


@pytest.mark.parametrize(
    ("values", "option", "hint"),
    [
        ({"tenant": None}, "tenant", "Write tenant='…', or leave it out."),
        ({"note": b"bytes"}, "note", "Write note='…', or leave it out."),
        ({"by": 7}, "by", "Write by='…', or leave it out."),
        ({"note": "x" * 2_001}, "note", "Shorten it."),
        ({"note": "a\nb"}, "note", "Write it on one line, without control characters."),
        ({"tenant": "a\u2028b"}, "tenant", "Write it on one line, without control characters."),
        ({"expires_at": "2999-01-01"}, "expires_at", END),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at", END),
        (
            {"expires_at": datetime(2999, 1, 1)},  # noqa: DTZ001 - the mistake
            "expires_at",
            "Add one: expires_at.replace(tzinfo=UTC), or expires_at.astimezone() for the local time.",
        ),
    ],
)
def test_an_invalid_value_of_an_entry_is_refused_with_a_hint(registry, values, option, hint) -> None:
    assert issues(lambda: registry.sync.add(APP, **values)) == [(option, hint)]


def test_all_mistakes_of_an_entry_are_reported_at_once(registry) -> None:
    found = issues(lambda: registry.sync.add("*", tenant=1, note="\0", by=2, expires_at=3))
    assert [option for option, _ in found] == ["allow_origins", "tenant", "note", "by", "expires_at"]


def test_an_end_in_another_time_zone_is_the_same_time(registry) -> None:
    end = datetime(2999, 1, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    registry.sync.add(APP, expires_at=end)
    [entry] = registry.sync.list()
    assert (entry.expires_at, entry.expires_at.utcoffset()) == (end, timedelta(0))


@pytest.mark.parametrize(
    ("call", "options"),
    [
        (lambda registry: registry.sync.remove(None, by=3), ["origin", "by"]),
        (lambda registry: registry.sync.list(tenant=1, after=-1, limit=0), ["tenant", "after", "limit"]),
        (lambda registry: registry.sync.list(after=1 << 63, limit=True), ["after", "limit"]),
        (lambda registry: registry.sync.history(after="1"), ["after"]),
        (lambda registry: registry.sync.purge_history("2020"), ["before"]),
        (lambda registry: registry.sync.purge_history(datetime(2020, 1, 1)), ["before"]),  # noqa: DTZ001
        (lambda registry: registry.sync.watch(after=-1), ["after"]),
        (lambda registry: registry.sync.add_all("https://app.example.com"), ["entries"]),
        (lambda registry: registry.sync.add_all(7), ["entries"]),
        (lambda registry: registry.tenant("a\nb"), ["tenant"]),
        (lambda registry: registry.tenant(None), ["tenant"]),
        (lambda registry: SQLiteRegistry("o.db", poll=0, clock=0), ["poll", "clock"]),
        (lambda registry: SQLiteRegistry("o.db", poll=True), ["poll"]),
    ],
)
def test_an_invalid_argument_is_refused(registry, call, options) -> None:
    assert [option for option, _ in issues(lambda: call(registry))] == options


def test_a_tenant_is_equal_to_itself(registry, tmp_path) -> None:
    other = SQLiteRegistry(tmp_path / "origins.db")
    assert registry.tenant("a") == registry.tenant("a")
    assert len({registry.tenant("a"), registry.tenant("a"), registry.tenant("b"), other.tenant("a")}) == 3
    assert registry.tenant("a") != "a"


def test_a_policy_can_have_a_registry_and_origins(registry) -> None:
    assert Policy(allow_origins=[APP, registry, registry.tenant("acme")])


# -- add_all


async def _entries() -> AsyncIterator[Entry | str]:
    yield APP
    yield Entry(origin=SHOP, tenant="acme")


def test_add_all_reads_an_async_iterable_in_the_callers_event_loop(registry) -> None:
    loops: list[object] = []

    async def entries() -> AsyncIterator[Entry | str]:
        loops.append(asyncio.get_running_loop())
        async for entry in _entries():
            yield entry

    async def main() -> None:
        assert (await registry.add_all(entries())).added == 2
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_sync_add_all_reads_an_iterable_in_the_callers_thread(registry) -> None:
    def entries() -> Iterator[str]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        yield APP

    assert registry.sync.add_all(entries()).added == 1


def test_the_last_transaction_of_add_all_may_be_full(registry) -> None:
    progress: list[int] = []
    origins = [f"https://shop-{number}.example.com" for number in range(5_000)]
    assert registry.sync.add_all(origins, on_progress=progress.append).added == 5_000
    assert progress == [5_000]


def test_the_issues_of_add_all_name_the_entry(registry) -> None:
    result = registry.sync.add_all([APP, 7, "https://example.com/path"])
    assert [issue.message.partition(":")[0] for issue in result.issues] == ["entry 2", "entry 3"]
    assert result[:3] == (1, 0, 0)


def test_entries_are_found_by_their_texts(registry) -> None:
    registry.sync.add_all([APP, SHOP, Entry(origin=APP, tenant="acme"), "https://*.example.org"])
    assert [entry.id for entry in registry.sync.find(iter([APP, "https://a.example.org", "https://\ud800"]))] == [1]
    assert [entry.id for entry in registry.sync.find(["https://*.example.org"])] == [4]
    assert [entry.id for entry in registry.sync.find([APP, SHOP], tenant="acme")] == [3]


def test_many_entries_are_found_in_calls_of_a_fixed_size(monkeypatch, registry) -> None:
    monkeypatch.setattr("asgi_cors.registry.registry.BATCH", 10)
    shops = [f"https://shop-{number}.example.com" for number in range(25)]
    registry.sync.add_all(shops)
    assert [entry.origin for entry in registry.sync.find(shops)] == shops


@pytest.mark.parametrize(
    ("origins", "tenant", "expected"),
    [
        (APP, "", ["origins"]),
        (None, "", ["origins"]),
        ([APP, 7, None], "", ["origins", "origins"]),
        ([7], "two\nlines", ["origins", "tenant"]),
    ],
)
def test_invalid_arguments_of_find_are_refused(registry, origins, tenant, expected) -> None:
    found = issues(lambda: registry.sync.find(origins, tenant=tenant))
    assert [option for option, _ in found] == expected
    assert found[0][1] == "Write ['https://app.example.com']."


def test_all_entries_are_scanned(registry) -> None:
    registry.sync.add_all(
        [APP, Entry(origin=SHOP, tenant="acme"), Entry(origin="https://*.example.org", tenant="acme")]
    )
    assert [entry.id for entry in registry.sync.scan()] == [1, 2, 3]
    assert [entry.id for entry in registry.sync.scan(tenant="acme")] == [2, 3]
    assert [entry.id for entry in registry.sync.scan(tenant="acme", only_patterns=True)] == [3]
    assert issues(lambda: registry.sync.scan(tenant=7))[0][0] == "tenant"


@pytest.mark.parametrize("run", [asyncio.run, trio.run])
def test_a_scan_can_be_left_in_every_event_loop(monkeypatch, registry, run) -> None:
    monkeypatch.setattr("asgi_cors.registry.sqlite._PAGE", 2)
    registry.sync.add_all(f"https://shop-{number}.example.com" for number in range(9))

    async def main() -> list[int]:
        async for _ in registry.scan():
            break
        return [entry.id async for entry in registry.scan()]

    assert (run(main) if run is trio.run else run(main())) == [*range(1, 10)]
    next(registry.sync.scan())


def test_a_dry_run_does_not_make_the_store(registry, store) -> None:
    assert registry.sync.add_all([APP, APP], dry_run=True)[:3] == (1, 0, 1)
    assert not store.path.exists()


def test_a_dry_run_counts_what_an_import_would_do(registry) -> None:
    """Also for entries of other tenants, and for those that come again in a later transaction."""
    end = datetime(2999, 1, 1, tzinfo=UTC)
    registry.sync.add_all([APP, Entry(origin=APP, tenant="acme", note="old"), Entry(origin=SHOP, expires_at=end)])
    shops = [f"https://shop-{number}.example.com" for number in range(5_000)]
    entries: list[Entry | str] = [
        APP,
        Entry(origin=APP, tenant="acme", note="new"),
        Entry(origin=SHOP, expires_at=end.astimezone(timezone(timedelta(hours=5)))),
        *shops,
        *shops[:10],
        Entry(origin=shops[10], note="new"),
        Entry(origin=shops[10], tenant="acme"),
        Entry(origin=APP, tenant="acme", note="new"),
    ]
    preview = registry.sync.add_all(entries, dry_run=True)
    assert preview[:3] == (5_001, 2, 13)
    assert registry.sync.add_all(entries) == preview


def test_a_dry_run_takes_constant_memory(monkeypatch, registry) -> None:
    monkeypatch.setattr("asgi_cors.registry.batches.BATCH", 200)
    registry.sync.add_all(f"https://shop-{number}.example.com" for number in range(2_000))
    assert registry.sync.add_all([APP], dry_run=True).added == 1
    tracemalloc.start()
    try:
        registry.sync.add_all((f"https://shop-{number}.example.org" for number in range(4_000)), dry_run=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000  # a transaction has 200 entries


def test_a_dry_run_without_space_for_its_temporary_file_is_an_error(monkeypatch, registry) -> None:
    connect = sqlite3.connect

    def limited(path: str, **options: Any) -> sqlite3.Connection:
        connection = connect(path, **options)
        if not path:
            connection.execute("PRAGMA max_page_count = 5")
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)
    shops = [f"https://shop-{number}.example.com" for number in range(5_000)]
    with pytest.raises(
        RegistryError, match=r"the dry run has no temporary file \(database or disk is full\). Free some"
    ):
        registry.sync.add_all(shops, dry_run=True)


def test_a_dry_run_counts_an_entry_that_has_ended_as_new(registry, store) -> None:
    from asgi_cors.registry import Write  # noqa: PLC0415

    asyncio.run(store.write([Write("add", Entry(origin=APP, expires_at=datetime(2020, 1, 1, tzinfo=UTC)))]))
    assert registry.sync.add_all([APP], dry_run=True)[:3] == (1, 0, 0)
    assert registry.sync.add_all([APP])[:3] == (1, 0, 0)


# -- watch


def test_watch_begins_with_the_next_change_and_survives_an_outage(registry, store) -> None:
    registry.sync.add(APP)

    async def main() -> list[str]:
        changes = registry.watch()
        first = asyncio.ensure_future(anext(changes))
        while not first.done():  # until the iterator knows the version from which it begins
            await registry.add(SHOP, note=str(datetime.now(UTC)))
            await asyncio.sleep(0.01)
        found = [first.result()]
        store.failure = outage()
        following = asyncio.ensure_future(anext(changes))
        while not store.has_failed.is_set():  # the iterator may still have changes that it read before
            if following.done():
                found.append(following.result())
                following = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0.001)
        store.failure = None
        await registry.remove(SHOP)
        found.append(await following)
        while found[-1].action != "remove":
            found.append(await anext(changes))
        versions = [change.version for change in found]
        assert versions == [*range(versions[0], versions[-1] + 1)]
        return [found[0].origin, found[-1].action]

    assert asyncio.run(main()) == [SHOP, "remove"]


def test_watch_of_a_new_store_begins_with_its_first_change(registry, store) -> None:
    async def main() -> str:
        change = asyncio.ensure_future(anext(registry.watch(tenant="acme")))
        await asyncio.wait({change}, timeout=0.1)
        await registry.add(SHOP)
        await registry.add(APP, tenant="acme")
        return (await change).origin

    assert asyncio.run(main()) == APP


def test_watch_of_a_replaced_store_begins_with_its_oldest_change(registry, store) -> None:
    registry.sync.add_all([APP, SHOP])
    changes = registry.sync.watch(after=0)
    assert [next(changes).version, next(changes).version] == [1, 2]
    store.other_id = "other"
    assert next(changes).version == 1


def test_watch_survives_a_notification_that_fails(monkeypatch, registry, store) -> None:
    waited = threading.Event()

    async def wait(timeout: float) -> None:  # noqa: ASYNC109
        waited.set()
        raise outage()

    monkeypatch.setattr(store, "wait", wait)

    async def main() -> str:
        change = asyncio.ensure_future(anext(registry.watch(after=0)))
        await asyncio.to_thread(waited.wait, DEADLINE)
        await registry.add(APP)
        return (await change).origin

    assert asyncio.run(main()) == APP


# -- event loops and threads


def test_a_cancelled_write_is_made(registry) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(registry.add(APP))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    wait_until(lambda: [entry.origin for entry in registry.sync.list()] == [APP])


def test_a_caller_whose_event_loop_has_ended_is_not_woken(registry) -> None:
    """Its write goes on, and the background event loop, too."""
    for start in (asyncio.run, trio.run):
        start(_give_up, registry) if start is trio.run else start(_give_up(registry))
    assert registry.sync.add(APP)


async def _give_up(registry: Registry) -> None:
    from asgi_cors.registry.background import submit, wait_for  # noqa: PLC0415

    await wait_for(submit(asyncio.sleep(0.2)), 0.01)


def test_sync_methods_in_the_background_event_loop_are_refused() -> None:
    async def nested() -> None:
        run_blocking(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="without sync"):
        asyncio.run(run(nested()))


PROGRAM_THAT_WRITES_AT_ITS_END = """
import sys
import tracemalloc
from asgi_cors.registry import SQLiteRegistry

class Owner:
    registry = SQLiteRegistry(sys.argv[1])

    def __del__(self):
        try:
            self.registry.sync.add("https://app.example.com")
        except RuntimeError as error:
            print(error, flush=True)

owner = Owner()
owner.registry.sync.list()
"""


def test_sync_methods_at_the_end_of_python_do_not_wait_for_ever(tmp_path) -> None:
    command = [sys.executable, "-c", PROGRAM_THAT_WRITES_AT_ITS_END, str(tmp_path / "origins.db")]
    ran = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert ran.stdout == "registry.sync can't be used while Python ends. Call it in a function of atexit.\n"


def test_sync_methods_are_refused_while_python_ends(registry, monkeypatch) -> None:
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    with pytest.raises(RuntimeError, match="while Python ends"):
        registry.sync.list()


def test_the_background_task_does_not_have_the_variables_of_the_first_request(registry) -> None:
    from contextvars import ContextVar  # noqa: PLC0415

    user = ContextVar("user", default="nobody")

    async def read() -> str:
        return user.get()

    async def main() -> str:
        user.set("ann")
        return await run(read())

    assert asyncio.run(main()) == "nobody"


def test_an_end_after_the_year_9999_is_refused(registry) -> None:
    """No read of the store could return it."""
    end = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))
    with pytest.raises(ConfigError, match=r"after the year 9999 in UTC\. Leave it out"):
        registry.sync.add(APP, expires_at=end)
    assert registry.sync.add_all([Entry(origin=APP, expires_at=end)]).issues
    assert registry.sync.add(APP, expires_at=datetime.max.replace(tzinfo=timezone(timedelta(hours=12))))
    assert len(registry.sync.list()) == 1


def test_the_removal_of_a_text_that_no_store_can_have_finds_nothing(registry) -> None:
    assert registry.sync.remove("https://\ud800.example.com") is False


# -- URLs


def test_a_url_makes_a_registry(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    relative = open_registry("sqlite:///my%20origins.db", poll=2)
    assert repr(relative) == "SQLiteRegistry('my origins.db', poll=2)"
    assert open_registry(f"sqlite:///{tmp_path}/o.db").store.path == tmp_path / "o.db"


@given(st.text(min_size=1).filter(lambda path: "\0" not in path and path != "/"))
@example("a%20b.db")
@example("%2e%%.db")
@example("a b \u2003")
@example("/srv/ä?x#y %00\udcff.db")
def test_the_name_of_an_sqlite_store_is_the_url_of_its_file(path: str) -> None:
    if not path.startswith((":memory:", "sqlite:", "file:")):
        registry = SQLiteRegistry(path)
        opened = open_registry(registry.store.name)
        assert opened.store.path == registry.store.path
        assert repr(opened) == repr(registry)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "must be a text, not NoneType"),
        (b"redis://:secret@host", "must be a text, not bytes"),
        ("redis:/:secret@host", "the URL has no scheme"),
        ("sqlite://user:secret@host/o.db", "an SQLite URL has three slashes, and no host"),
        ("sqlite:///origins.db?mode=ro", "a URL of SQLite has no options"),
        ("sqlite:///origins.db\n", "the URL has white space around it"),
        ("user:secret@redis://host", "there is no store for this URL"),
        ("origins.db", "the URL has no scheme"),
        ("sqlite://", "the path is missing"),
        ("sqlite:///", "the path is missing"),
        ("sqlite://host/o.db", "an SQLite URL has three slashes, and no host"),
        ("mysql://user:secret@host/db", "there is no store for mysql://…"),
    ],
)
def test_an_invalid_url_is_refused_without_its_password(url, message) -> None:
    with pytest.raises(ConfigError) as caught:
        open_registry(url)
    [issue] = caught.value.issues
    assert issue.message == message
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(issue)


def test_an_unknown_name_of_the_package_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'OracleRegistry'"):
        asgi_cors.registry.OracleRegistry  # noqa: B018


def test_the_registry_imports_public_names_of_the_core_only() -> None:
    """So that another project can write such a package."""
    folder = Path(asgi_cors.registry.__file__).parent
    private = [
        line
        for file in folder.glob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if line.strip().startswith(
            ("from asgi_cors._", "import asgi_cors._", "from .._", "from ..", "import asgi_cors.")
        )
    ]
    assert private == []


def test_the_core_does_not_import_the_registry() -> None:
    program = "import sys, asgi_cors; sys.exit(any('registry' in name for name in sys.modules))"
    subprocess.run(
        [sys.executable, "-P", "-c", program],
        check=True,
        cwd=Path(asgi_cors.__file__).parents[1],
        env={"PYTHONPATH": "."},
    )
