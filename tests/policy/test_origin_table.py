"""Origins that change at run time: checked and matched as a policy's own entries are."""

import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, OriginTable, Policy, check_origin
from asgi_cors._origins.origin_set import closest_origin
from tests.support.hints import NOTHING, correction
from tests.support.policies import allows, policy_without_warnings

RISKS = ["credentials-from-shared-suffix", "credentials-over-http"]

LABEL = st.sampled_from(["a", "b", "pr-*", "*", "*-x", "github", "app", "xn--bcher-kva", "A", "1"])
HOST = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
END = st.sampled_from(["", ".com", ".github.io", ".test", ".localhost", ".127.0.0.1", "/", "."])
PORT = st.sampled_from(["", ":1", ":443", ":*", ":0"])
SCHEME = st.sampled_from(["https", "http", "app", "ws", "HTTP"])
TEXT = st.builds("{}://{}{}{}".format, SCHEME, HOST, END, PORT) | st.sampled_from(
    [
        "http://localhost",
        "http://[::1]:*",
        "app://*",
        "null",
        "*",
        "",
        "a.com",
        "^https://.*$",
        "https://a.com, https://b.com",
    ]
)


def issues_of(text: str, **options: Any) -> tuple[Any, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Policy(allow_origins=[text], **options)
        except ConfigError as error:
            return error.issues
    return ()


@given(TEXT | st.text(), st.booleans())
def test_check_origin_finds_the_mistake_that_a_policy_finds(text: str, credentials: bool) -> None:
    issue = check_origin(text, credentials=credentials)
    if text in {"*", "null"}:
        assert issue is not None
        return
    found = [] if issue is None else [issue]
    expected = issues_of(text, allow_credentials=credentials)[:1]
    for one, other in zip(found, expected, strict=True):
        assert (one.code, one.option, one.value, one.message) == (other.code, other.option, other.value, other.message)


@given(st.lists(TEXT), st.lists(TEXT), st.lists(TEXT, max_size=3), st.booleans(), st.lists(st.sampled_from(RISKS)))
def test_a_table_allows_the_origins_that_a_policy_of_its_entries_allows(
    added: list[str], removed: list[str], origins: list[str], credentials: bool, accepted: list[str]
) -> None:
    table = OriginTable()
    entries = dict.fromkeys(added)
    for text in added:
        assert table.add(text) == check_origin(text)
    for text in removed:
        table.discard(text)
        entries.pop(text, None)
    options: dict[str, Any] = {"allow_credentials": credentials, "dangerously_allow": accepted}
    safe = [text for text in entries if text not in {"*", "null"} and not issues_of(text, **options)]
    policy = policy_without_warnings(allow_origins=safe, **options)
    for origin in (*origins, *(text.replace("*", "x") for text in (*added, *removed))):
        assert table.allows(origin, policy) is allows(policy, origin), origin


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("*", "origin-not-data"),
        ("null", "origin-not-data"),
        ("", "origin-empty"),
        (".*", "origin-no-scheme"),
        (r"^https://.*\.example\.com$", "origin-regex"),
        ("https://a.com, https://b.com", "origin-list"),
        (None, "wrong-type"),
        (("https://a.com",), "wrong-type"),
        (re.compile("https://a"), "wrong-type"),
        (str, "wrong-type"),
        (b"https://a.com", "wrong-type"),
    ],
    ids=repr,
)
def test_data_that_is_not_an_origin_or_pattern_is_refused_with_a_hint(text: Any, code: str) -> None:
    issue = check_origin(text)
    assert issue is not None
    assert issue.code == code
    assert issue.hint
    assert "regex" not in issue.hint
    assert "Write re" not in issue.hint
    assert "variable" not in issue.hint
    assert OriginTable([text]).add(text) == issue


@given(TEXT | st.text(), st.booleans())
def test_the_correction_that_a_hint_proposes_is_valid(text: str, credentials: bool) -> None:
    issue = check_origin(text, credentials=credentials)
    proposed = correction(issue.hint) if issue else NOTHING
    for entry in proposed if isinstance(proposed, list) else [] if proposed is NOTHING else [proposed]:
        assert check_origin(entry, credentials=credentials) is None


@pytest.mark.parametrize(
    "entry", ["http://shop.test", "https://*.github.io", "http://*.github.io", "http://*.shop.test"]
)
def test_an_unsafe_entry_is_allowed_by_policies_without_credentials_or_that_accept_its_risks(entry: str) -> None:
    table, origin = OriginTable([entry, "https://safe.test"]), entry.replace("*", "x")
    unsafe = Policy(allow_origins="https://a.com", allow_credentials=True)
    accepting = unsafe.replace(dangerously_allow=RISKS)
    plain = Policy(allow_origins="https://a.com")
    assert [table.allows(origin, policy) for policy in (None, unsafe, accepting, plain)] == [False, False, True, True]
    assert [[*table.unsafe_entries(policy)] for policy in (None, unsafe, accepting, plain)] == [
        [entry],
        [entry],
        [],
        [],
    ]
    assert table.allows("https://safe.test")


def test_a_table_lists_its_entries_and_knows_them_by_text() -> None:
    entries = [
        "https://a.com",
        "https://*.b.com",
        "http://localhost:*",
        "app://*",
        "https://pr-*.c.com",
        "https://d.com:1",
    ]
    table = OriginTable([*entries, *entries, "bad", "*"])
    assert sorted(table) == sorted(entries)
    assert len(table) == 6
    assert all(text in table for text in entries)
    assert "https://x.b.com" not in table
    assert repr(table) == "<OriginTable of 6 entries>"
    for text in [*entries, "bad", "https://e.com", "app://x:*"]:
        table.discard(text)
    assert [*table] == []
    assert not any(origins.ports for origins in table.origin_sets())


def test_a_removed_entry_leaves_the_others_in_force() -> None:
    table = OriginTable(["https://pr-*.a.com", "https://x-*.a.com", "https://pr-*.a.com:1", "app://*", "app://*:1"])
    for text in ("https://pr-*.a.com", "app://*"):
        table.discard(text)
        table.discard(text)
    assert not table.allows("https://pr-1.a.com")
    assert table.allows("https://x-1.a.com")
    assert table.allows("https://pr-1.a.com:1")
    policy = Policy(allow_origins="https://a.com")
    assert table.allows("app://x", policy)
    table.discard("app://*:1")
    assert not table.allows("app://x", policy)


def test_the_closest_entry_of_a_table_is_found() -> None:
    table = OriginTable(["https://a.com:8443", "https://*.b.com"])
    table.discard("https://a.com:1")
    closest = [closest_origin(origins, "https://a.com") for origins in table.origin_sets()]
    assert "https://a.com:8443" in [found.origin for found in closest if found]
    assert [found.origin for origins in table.origin_sets() if (found := closest_origin(origins, "https://b.com"))]


def test_threads_read_while_one_thread_changes_the_table() -> None:
    """No read raises, and an entry that is never removed is always allowed."""
    table = OriginTable(["https://stays.com", "https://*.stays.com", "https://pr-*.stays.org"])
    policy = Policy(allow_origins="https://a.com")
    stop, failures = threading.Event(), list[str]()

    def read() -> None:
        while not stop.is_set():
            for origin in ("https://stays.com", "https://x.stays.com", "https://pr-1.stays.org"):
                if not table.allows(origin, policy):
                    failures.append(origin)
            len(table), [*table]

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in range(1_000):
            texts = [
                f"https://{part}{number % 50}.stays.{end}" for part in ("a", "*.b", "pr-*-") for end in ("com", "org")
            ]
            for text in texts:
                assert table.add(text) is None
            for text in texts:
                table.discard(text)
        stop.set()
        for reader in readers:
            reader.result()
    assert failures == []


def test_a_pattern_with_a_wildcard_for_subdomains_and_one_in_a_label_matches_both() -> None:
    table = OriginTable(["https://*.pr-*.a.com"])
    assert table.allows("https://x.y.pr-1.a.com")
    assert not table.allows("https://pr-1.a.com")
    assert not table.allows("https://x.pr.a.com")
    assert not table.allows("https://{.pr-1.a.com")
