"""`origins add`, `remove`, `list`, `check` and `history`: results, exit codes and failures."""

import contextlib
import getpass
import json
import shlex
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from asgi_cors import registry as registry_package
from asgi_cors.registry import open_registry
from tests.cli.origins.conftest import skip_without_redis
from tests.support.command_line import run

APP, SHOP, PATTERN = "https://app.example.com", "https://shop.example.com", "https://*.example.org"
DONE, REFUSED, COULD_NOT_RUN = 0, 1, 2


def rows(ran):
    return [json.loads(line) for line in ran.out.splitlines()]


def results(ran):
    return {row["origin"]: row["result"] for row in rows(ran)}


def text(ran):
    return " ".join(ran.out.split())


def test_origins_and_patterns_are_added_listed_and_removed(store):
    added = run("origins", "add", APP, PATTERN, "--store", store, "--json")
    assert (added.code, results(added)) == (DONE, {APP: "added", PATTERN: "added"})
    assert [row["origin"] for row in rows(run("origins", "list", "--store", store, "--json"))] == [APP, PATTERN]
    removed = run("origins", "remove", APP, SHOP, "--store", store, "--json")
    assert (removed.code, results(removed)) == (REFUSED, {APP: "removed", SHOP: "not-found"})
    assert [row["origin"] for row in rows(run("origins", "list", "--store", store, "--json"))] == [PATTERN]
    changes = rows(run("origins", "history", "--store", store, "--json"))
    assert [(change["version"], change["action"], change["origin"]) for change in changes] == [
        (1, "add", APP),
        (2, "add", PATTERN),
        (3, "remove", APP),
    ]


def test_the_store_has_what_the_options_say(origins, sqlite_url):
    assert origins("add", APP, "--tenant", "acme", "--note", "Müller", "--by", "ann", "--expires", "30d").code == DONE
    with contextlib.closing(open_registry(sqlite_url).sync) as registry:
        (entry,) = registry.list()
    assert (entry.origin, entry.tenant, entry.note, entry.by) == (APP, "acme", "Müller", "ann")
    assert abs(entry.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)


def test_by_is_the_name_of_the_user(origins, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    origins("add", APP)
    assert rows(origins("list", "--json"))[0]["by"] == "ann"


@pytest.mark.parametrize("error", [KeyError, OSError, ImportError])
def test_by_is_empty_if_the_user_has_no_name(origins, monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    origins("add", APP)
    assert rows(origins("list", "--json"))[0]["by"] == ""


def test_an_origin_that_is_there_is_unchanged_and_another_note_updates_it(origins):
    assert results(origins("add", APP, "--json")) == {APP: "added"}
    assert results(origins("add", APP, "--json")) == {APP: "unchanged"}
    assert results(origins("add", APP, "--note", "x", "--json")) == {APP: "updated"}
    assert text(origins("add", APP, "--note", "x")) == f"✓ {APP}: was there already"


def test_an_invalid_origin_is_reported_with_its_hint_and_the_others_are_added(origins):
    ran = origins("add", f"{APP}/", "*", SHOP)
    assert ran.code == REFUSED
    assert f"✗ '{APP}/' ends in a slash; an origin has no path. Write '{APP}'. ✗ '*'" in text(ran)
    assert [row["origin"] for row in rows(origins("list", "--json"))] == [SHOP]


def test_an_origin_that_credentials_forbid_is_added_with_a_remark(origins):
    ran = origins("add", "http://app.example.com")
    assert ran.code == DONE
    assert "added, but a policy with allow_credentials does not allow it" in text(ran)


def test_a_tenants_origins_are_its_own(origins):
    origins("add", APP, "--tenant", "acme")
    ran = origins("remove", APP)
    assert ran.code == REFUSED
    assert f"✗ {APP}: there is no such entry without a tenant." in text(ran)
    assert "tenant 'other' has no such entry" in text(origins("remove", APP, "--tenant", "other"))
    assert origins("remove", APP, "--tenant", "acme").code == DONE


# -- list and history


def test_the_list_is_limited_and_says_how_to_go_on(origins):
    origins("import", stdin="".join(f"https://a{number}.example.com\n" for number in range(105)))
    first = origins("list")
    assert len(first.out.splitlines()) == 101
    assert "These are the first 100. Write --all for all, or --after 100 for the next ones." in first.err
    following = rows(origins("list", "--after", "100", "--json"))
    assert [row["id"] for row in following] == [101, 102, 103, 104, 105]
    assert len(rows(origins("list", "--all", "--json"))) == 105
    assert origins("list", "--limit", "105").err == ""


def test_a_long_list_is_shown_in_pages(origins):
    origins("import", stdin="".join(f"https://a{number}.example.com\n" for number in range(2500)))
    assert len(rows(origins("list", "--all", "--json"))) == 2500
    assert len(rows(origins("list", "--limit", "2000", "--json"))) == 2000
    assert [row["version"] for row in rows(origins("history", "--limit", "2", "--json"))] == [2499, 2500]


@pytest.mark.parametrize("width", [40, 80])
def test_no_width_hides_or_breaks_an_origin(origins, monkeypatch, width):
    monkeypatch.setattr("asgi_cors.cli.terminal._PIPED_WIDTH", width)
    origins("add", SHOP, "--tenant", "acme", "--note", "ticket 812", "--by", "ann", "--expires", "30d")
    for command in ("list", "history"):
        lines = [line.strip() for line in origins(command).out.splitlines()]
        assert SHOP in lines
        assert "tenant acme" in " ".join(lines)
        assert max(map(len, lines)) <= width


def test_the_list_shows_one_tenant(origins):
    origins("add", APP, "--tenant", "acme")
    origins("add", SHOP)
    assert [row["origin"] for row in rows(origins("list", "--tenant", "acme", "--json"))] == [APP]
    assert [row["origin"] for row in rows(origins("list", "--tenant", "", "--json"))] == [SHOP]
    assert "tenant" in origins("list").out.splitlines()[0]


def test_the_keys_of_the_json_lines_are_those_of_the_documents(origins):
    origins("add", APP)
    (entry,), (change,) = rows(origins("list", "--json")), rows(origins("history", "--json"))
    assert list(entry) == ["id", "origin", "tenant", "note", "by", "added_at", "expires_at"]
    assert list(change) == ["version", "at", "action", "origin", "tenant", "by", "note", "expires_at"]
    assert datetime.fromisoformat(entry["added_at"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize("command", ["list", "history", "export", "list --json", "history --json"])
def test_a_store_that_was_never_made_is_reported_since_its_url_may_be_mistyped(origins, command):
    ran = origins(*command.split())
    assert (ran.code, ran.out) == (COULD_NOT_RUN, "")
    assert "there is no registry yet. Correct the URL" in ran.err


def test_an_empty_store_is_said_to_be_empty(origins):
    origins("add", APP)
    origins("remove", APP)
    assert (origins("list").code, origins("list").err) == (DONE, "There are no entries.\n")
    assert origins("history", "--tenant", "acme").err == "There are no changes.\n"
    empty = (["list", "--json"], ["history", "--json", "--tenant", "acme"], ["export"])
    assert [origins(*command).code for command in empty] == [DONE] * 3


def test_the_history_shows_the_last_changes_or_those_after_a_version(origins):
    origins("add", APP, SHOP, PATTERN)
    versions = [row["version"] for row in rows(origins("history", "--limit", "2", "--json"))]
    assert versions == [2, 3]
    assert [row["version"] for row in rows(origins("history", "--after", "0", "--limit", "2", "--json"))] == [1, 2]
    assert "add" in origins("history").out


def test_an_entry_that_has_ended_is_marked(origins, sqlite_url):
    origins("add", APP, "--expires", "1h")
    end_all(sqlite_url)
    assert "(expired)" in origins("list").out


def end_all(sqlite_url):
    """Move the end of all entries to the past, as time does."""
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE entries SET expires_at = 1")


# -- check


def test_texts_are_checked_without_a_store(monkeypatch):
    monkeypatch.delenv("ASGI_CORS_STORE", raising=False)
    ran = run("origins", "check", APP, "https://a.com/", "http://app.example.com", "--json")
    assert (ran.code, [row["result"] for row in rows(ran)]) == (REFUSED, ["valid", "invalid", "valid"])
    assert rows(ran)[1]["hint"] == "Write 'https://a.com'."
    assert run("origins", "check", "http://app.example.com", "--credentials").code == REFUSED
    assert run("origins", "check", APP, PATTERN, "-c").code == DONE


def test_a_check_says_whether_the_store_allows_the_origin(origins):
    origins("add", APP, "--by", "ann", "--expires", "30d")
    origins("add", PATTERN, "--by", "")
    ran = origins("check", APP, "https://x.example.org", SHOP, "*")
    assert ran.code == REFUSED
    assert f"✓ {APP}: valid, and the store has it: added on 20" in text(ran)
    assert " UTC, by ann, until 20" in text(ran)
    assert f"✓ https://x.example.org: valid, and the store allows it with '{PATTERN}'" in text(ran)
    assert f"✗ {SHOP}: valid, but the store does not have it" in text(ran)
    assert origins("check", APP, PATTERN).code == DONE
    assert origins("check", APP, "--tenant", "acme").code == REFUSED


def test_a_check_finds_an_entry_that_has_ended(origins, sqlite_url):
    origins("add", APP, PATTERN, "--expires", "1h")
    end_all(sqlite_url)
    ran = origins("check", APP, "https://x.example.org")
    assert ran.code == REFUSED
    assert f"✗ {APP}: valid, but it expired on 1970-01-01 00:00 UTC" in text(ran)
    assert "✗ https://x.example.org: valid, but the store does not have it" in text(ran)


def test_a_pattern_of_the_store_counts_although_the_origins_own_entry_has_ended(origins, sqlite_url):
    origins("add", "https://x.example.org", "--expires", "1h")
    end_all(sqlite_url)
    origins("add", PATTERN)
    assert origins("check", "https://x.example.org").code == DONE


# -- mistakes


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--expires", "9999-12-31T23:59-12:00"], "--expires: '9999-12-31T23:59-12:00' is too far away"),
        (["--expires", "soon"], "--expires: 'soon' is not a time. Write 2030-01-31T12:00Z, or a duration such as 30d"),
        (["--expires", "2001-01-01"], "--expires: '2001-01-01' has passed."),
        (["--expires", "0s"], "--expires: '0s' has passed."),
        (
            ["--expires", "999999999w"],
            "--expires: '999999999w' is too far away. Leave it out for origins that never expire.",
        ),
        (["--note", "a\nb"], "--note: 'a\\nb' has the control character"),
        (["--tenant", "x" * 300], "--tenant: the text has 300 characters, and at most 200 are allowed"),
        (["--by", "\udcff"], "--by: "),
    ],
)
def test_an_invalid_option_is_reported_in_one_line_and_nothing_is_stored(origins, arguments, line):
    ran = origins("add", APP, *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (COULD_NOT_RUN, "", 1)
    assert line in ran.err
    assert origins("list", "--json").out == ""


@pytest.mark.parametrize("command", ["list", "history", "export", "check"])
def test_an_invalid_tenant_is_reported_in_one_line(origins, command):
    ran = origins(command, *([APP] if command == "check" else []), "--tenant", "a\nb")
    assert (ran.code, ran.out, ran.err.count("\n")) == (COULD_NOT_RUN, "", 1)
    assert "tenant: 'a\\nb' has the control character" in ran.err


@pytest.mark.parametrize("origin", ["\udcff", "a\nb", "x" * 3000])
def test_a_text_that_no_entry_can_have_is_not_there(origins, origin):
    origins("add", APP)
    ran = origins("remove", origin, "--json")
    assert (ran.code, rows(ran)[0]["result"]) == (REFUSED, "not-found")


@pytest.mark.parametrize("option", ["--limit", "--after"])
@pytest.mark.parametrize("value", ["-1", "99999999999999999999", "x"])
def test_a_number_out_of_range_is_a_mistake_of_usage(origins, option, value):
    assert origins("list", option, value).code == COULD_NOT_RUN
    assert origins("history", option, value).code == COULD_NOT_RUN


@pytest.mark.parametrize("end", ["2099-01-01", "2099-01-01T00:00Z", "2099-01-01T01:00+01:00", "2099-01-01 00:00"])
def test_the_end_is_in_utc_unless_it_has_an_offset(origins, end):
    origins("add", APP, "--expires", end)
    assert rows(origins("list", "--json"))[0]["expires_at"] == "2099-01-01T00:00:00+00:00"


@pytest.mark.parametrize("command", ["add", "remove", "list", "history", "import", "export"])
def test_a_missing_store_is_a_mistake_of_usage(command, monkeypatch):
    monkeypatch.delenv("ASGI_CORS_STORE", raising=False)
    ran = run("origins", command, *([APP] if command in {"add", "remove"} else []))
    assert (ran.code, ran.out) == (COULD_NOT_RUN, "")
    assert "Missing option '--store' (env var: 'ASGI_CORS_STORE')" in ran.err


def test_the_store_may_come_from_the_environment(sqlite_url, monkeypatch):
    monkeypatch.setenv("ASGI_CORS_STORE", sqlite_url)
    assert run("origins", "add", APP).code == DONE
    assert run("origins", "check", APP).out.endswith("\n")
    assert "the store has it" in text(run("origins", "check", APP))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://origins.db",
        "sqlite:////nonexistent/folder/origins.db",
        "mysql://root:secret@localhost/x",
        "origins.db",
        "postgres:secret",
    ],
)
@pytest.mark.parametrize("command", ["add", "list", "check", "import", "export", "history", "remove"])
def test_a_store_that_cannot_be_opened_exits_with_2_and_one_line_without_its_password(url, command):
    arguments = [APP] if command in {"add", "check", "remove"} else []
    ran = run("origins", command, *arguments, "--store", url, stdin=f"{APP}\n")
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "Traceback" not in ran.err
    assert "secret" not in ran.out + ran.err


def test_a_prefix_opens_another_registry_of_the_same_redis(redis_server, monkeypatch):
    from asgi_cors.registry import RedisRegistry  # noqa: PLC0415 - an optional dependency

    redis_server.execute("FLUSHALL")
    registry = RedisRegistry(redis_server.url, prefix="{shop}:")
    command = registry.remedy(APP).partition("`")[2].partition("`")[0]
    assert run(*shlex.split(command)[1:]).code == 0
    shop = ["--store", redis_server.url, "--prefix", "{shop}:"]
    assert APP in run("origins", "list", *shop).out
    assert APP not in run("origins", "list", "--store", redis_server.url).out
    assert [entry.origin for entry in registry.sync.list()] == [APP]
    registry.sync.close()
    assert "the store has it" in run("origins", "check", APP, *shop).out
    exported = run("origins", "export", *shop).out
    assert run("origins", "import", "--store", redis_server.url, "--prefix", "{other}:", stdin=exported).code == 0
    monkeypatch.setenv("ASGI_CORS_PREFIX", "{other}:")
    assert APP in run("origins", "history", "--store", redis_server.url).out
    assert run("origins", "remove", APP, "--store", redis_server.url).code == 0
    assert APP in run("origins", "list", *shop).out


def test_a_prefix_of_an_sqlite_file_or_without_text_is_an_error_in_usage(sqlite_url):
    ran = run("origins", "list", "--store", sqlite_url, "--prefix", "x")
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "--prefix: an SQLite file has no prefix." in ran.err
    skip_without_redis()
    ran = run("origins", "list", "--store", "redis://127.0.0.1:1/0", "--prefix", "")
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "--prefix: must be a text that is not empty" in ran.err


@pytest.mark.parametrize("command", ["add", "list", "check", "import", "export", "history"])
def test_a_redis_server_that_is_away_exits_with_2_and_one_line_without_its_password(command):
    skip_without_redis()
    arguments = [APP] if command in {"add", "check"} else []
    ran = run("origins", command, *arguments, "--store", "redis://user:secret@127.0.0.1:1/0", stdin=f"{APP}\n")
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "127.0.0.1" in ran.err
    assert "secret" not in ran.out + ran.err


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delattr(registry_package, "redis", raising=False)
    for name in [name for name in sys.modules if name.startswith(("redis.", "asgi_cors.registry.redis"))]:
        monkeypatch.delitem(sys.modules, name)
    ran = run("origins", "list", "--store", "redis://127.0.0.1:1/0")
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    assert "pip install 'asgi-cors-bridge[redis]'" in ran.err


def test_a_file_that_is_not_a_database_or_of_a_newer_version_is_named(origins, sqlite_url, tmp_path):
    (tmp_path / "origins.db").write_text("not a database, but some text\n" * 100)
    ran = origins("list")
    assert (ran.code, ran.err.count("\n")) == (COULD_NOT_RUN, 1)
    (tmp_path / "origins.db").unlink()
    origins("add", APP)
    with contextlib.closing(sqlite3.connect(tmp_path / "origins.db")) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    for command in ("list", "history", "export"):
        assert (origins(command).code, origins(command).err.count("\n")) == (COULD_NOT_RUN, 1)
    assert origins("add", SHOP).code == COULD_NOT_RUN


def test_values_cannot_write_to_the_terminal(origins, sqlite_url):
    origins("add", APP)
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE entries SET note = ?", ("\x1b[31mred [bold]",))
    assert "\x1b" not in origins("list").out
    assert "[bold]" in " ".join(origins("list").out.split())
    assert "\x1b" not in origins("remove", "\x1b[31m").out


def test_the_tables_fit_into_80_columns(origins):
    origins("add", "https://a-very-long-name-of-a-customer.with-a-long-domain.example.com", "--note", "n" * 90)
    origins("add", APP, "--tenant", "acme", "--expires", "30d")
    for command in ("list", "history"):
        assert max(map(len, origins(command).out.splitlines())) <= 80


def test_a_closed_pipe_ends_a_list_without_an_error(origins, sqlite_url):
    origins("import", stdin="".join(f"https://a{number}.example.com\n" for number in range(3000)))
    for command in ("list --all --json", "list --all", "export", "history --limit 3000 --json"):
        program = f"{sys.executable} -m asgi_cors origins {command} --store {sqlite_url} | head -1"
        ran = subprocess.run(program, shell=True, capture_output=True, check=False, timeout=60)  # noqa: S602 - ours
        assert (ran.stderr, ran.stdout.count(b"\n")) == (b"", 1)


@pytest.mark.parametrize("command", ["add", "remove", "list", "check", "history", "import", "export"])
def test_every_command_has_a_help_text(command):
    ran = run("origins", command, "--help")
    assert (ran.code, ran.err) == (DONE, "")
    assert "--store URL" in ran.out
