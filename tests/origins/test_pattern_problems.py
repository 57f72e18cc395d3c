"""Entries of `allow_origins` that are refused when the policy is built, and their hints."""

from typing import Any

import pytest

from asgi_cors import Policy
from tests.support.policies import issue, issues

# behaviour, entry, the correction in the hint (None if there is no correction)
REFUSED: list[tuple[str, Any, str | None]] = [
    ("a trailing slash", "https://example.com/", "'https://example.com'"),
    ("a path", "https://example.com/a/b", "'https://example.com'"),
    ("a path behind a port", "https://example.com:8443/a", "'https://example.com:8443'"),
    ("a query", "https://example.com?a=1", "'https://example.com'"),
    ("a fragment", "https://example.com#a", "'https://example.com'"),
    ("userinfo", "https://user:pw@example.com", "'https://example.com'"),
    ("a host in upper case", "https://Example.COM", "'https://example.com'"),
    ("a scheme in upper case", "HTTPS://example.com", "'https://example.com'"),
    ("white space before it", " https://example.com", "'https://example.com'"),
    ("white space behind it", "https://example.com\t\n", "'https://example.com'"),
    ("the default port of https", "https://example.com:443", "'https://example.com'"),
    ("the default port of http", "http://localhost:80", "'http://localhost'"),
    ("port 0", "https://example.com:0", None),
    ("a port over 65535", "https://example.com:65536", None),
    ("a port that is not a number", "https://example.com:abc", None),
    ("a port with a leading zero", "https://example.com:08443", "'https://example.com:8443'"),
    ("an empty port", "https://example.com:", "'https://example.com'"),
    ("a missing scheme", "example.com", "'https://example.com'"),
    ("a missing scheme with a subdomain star", "*.example.com", "'https://*.example.com'"),
    ("a missing scheme with a port", "localhost:3000", "'http://localhost:3000'"),
    ("a scheme-relative form", "//example.com", "'https://example.com'"),
    ("a scheme without slashes", "https:example.com", "'https://example.com'"),
    ("a scheme with one slash", "https:/example.com", "'https://example.com'"),
    ("a scheme without a host", "https://", None),
    ("a file", "file://", None),
    ("a file's path", "file:///x", None),
    ("a data URL", "data:text/html", None),
    ("a blob", "blob:https://example.com/1", None),
    ("a script", "javascript:1", None),
    ("a blank page", "about:blank", None),
    ("a WebSocket's scheme", "ws://localhost:3000", "'http://localhost:3000'"),
    ("a WebSocket's secure scheme", "wss://example.com", "'https://example.com'"),
    ("an IPv4 address as one number", "http://2130706433", "'http://127.0.0.1'"),
    ("a short IPv4 address", "http://127.1", "'http://127.0.0.1'"),
    ("a hexadecimal IPv4 address", "http://0x7f.1", "'http://127.0.0.1'"),
    ("an octal IPv4 address", "http://0177.0.0.1", "'http://127.0.0.1'"),
    ("an IPv4 address out of range", "http://999.0.0.1", None),
    ("a host that ends in a number but is not an address", "http://example.1", None),
    ("five numbers", "http://1.2.3.4.5", None),
    ("an IPv6 address in upper case", "http://[2001:DB8::A]", "'http://[2001:db8::a]'"),
    ("an IPv6 address at full length", "http://[0:0:0:0:0:0:0:1]:3000", "'http://[::1]:3000'"),
    ("an IPv6 address with an IPv4 tail", "http://[::ffff:127.0.0.1]", "'http://[::ffff:7f00:1]'"),
    ("an IPv6 address with a zone", "http://[fe80::1%25eth0]", None),
    ("an IPv6 address without its bracket", "http://[::1", None),
    ("an invalid IPv6 address", "http://[:::1]", None),
    ("text behind an IPv6 address", "http://[::1]x", None),
    ("a host beyond ASCII", "https://bücher.example", "'https://xn--bcher-kva.example'"),
    ("an ideographic full stop", "https://example。com", "'https://example.com'"),
    ("an emoji host", "https://i\u2764.ws", "'https://xn--i-7iq.ws'"),
    ("a host beyond ASCII that no browser takes", "https://\u00fc_b.example", None),
    ("an address in full-width digits", "https://\uff11\uff12\uff17.0.0.1", "'https://127.0.0.1'"),
    ("a subdomain star before a host beyond ASCII", "https://*.bücher.example", "'https://*.xn--bcher-kva.example'"),
    ("a punycode label that does not decode", "https://xn--a.example", None),
    ("a punycode label that is empty", "https://xn--.example", None),
    ("a punycode label that decodes to ASCII", "https://xn--abc-.example", None),
    ("an empty label", "https://example..com", None),
    ("a leading dot", "https://.example.com", None),
    ("a final dot", "https://example.com.", "'https://example.com'"),
    ("a label over 63 characters", f"https://{'a' * 64}.com", None),
    ("a host over 253 bytes", "https://" + ".".join(["a" * 49] * 5 + ["abcd"]), None),
    ("a star against a letter before it", "https://pr*.example.com", None),
    ("a star against a letter behind it", "https://*example.com", "'https://*.example.com'"),
    ("a star without a scheme against a letter", "*example.com", None),
    ("a star against a digit", "https://pr-*1.example.com", None),
    ("a star in place of the host", "https://*", None),
    ("a star in place of the host, with a port", "https://*:8443", None),
    ("a star in place of the last label", "https://example.*", None),
    ("a star as part of a port", "http://localhost:80*", None),
    ("a star as part of a scheme", "http*://example.com", None),
    ("a star in place of a scheme", "*://example.com", None),
    ("two stars", "https://**.example.com", None),
    ("a star as part of an opaque host", "chrome-extension://abc*", None),
    ("a star as part of an IP address", "http://192.168.1.*", None),
    ("a character that no host has", "https://exa{mple.com", None),
    ("a character that no opaque host has", "app://a[b", None),
    ("a host of two ports", "https://example.com:1:2", None),
    ("an IPv4 address of a bad octal", "http://127.0.0.08", None),
    ("an IPv4 address with an empty number", "http://127..1", None),
    ("a glob's question mark", "https://exam?le.com", None),
    ("a regex with anchors", r"^https://example\.com$", "allow_origin_regex"),
    ("a regex with a dot-star", r"https://.*\.example\.com", "allow_origin_regex"),
    ("a regex between slashes", r"/example\.com$/", "allow_origin_regex"),
    ("a regex with an escaped dot", r"https://example\.com", "allow_origin_regex"),
    ("two origins with a comma", "https://a.com,https://b.com", "['https://a.com', 'https://b.com']"),
    ("two origins with a comma and a blank", "https://a.com, https://b.com", "['https://a.com', 'https://b.com']"),
    ("two origins with a blank", "https://a.com https://b.com", "['https://a.com', 'https://b.com']"),
    ("a JSON list in a string", '["https://a.com", "https://b.com"]', "['https://a.com', 'https://b.com']"),
    ("an empty string", "", None),
    ("the word None", "None", None),
    ("the word True", "True", None),
    ("the word Null", "Null", None),
    ("None", None, None),
    ("a number", 5, None),
    ("bytes", b"https://example.com", "'https://example.com'"),
    ("an object", object(), None),
]


@pytest.mark.parametrize(("entry", "hint"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_invalid_entry_of_a_list_is_one_issue_with_its_value_and_a_hint(entry: Any, hint: str | None) -> None:
    """The other entry of the list is valid."""
    found = issue(allow_origins=["https://ok.example.com", entry])
    assert (found.option, found.value) == ("allow_origins", entry)
    assert repr(entry)[:40] in str(found.message)
    assert (hint or "") in found.hint


@pytest.mark.parametrize(
    "entry",
    [row[1] for row in REFUSED if isinstance(row[1], str)],
    ids=[r[0] for r in REFUSED if isinstance(r[1], str)],
)
def test_an_invalid_entry_alone_is_the_same_issue_as_in_a_list(entry: str) -> None:
    """A string is a list of one entry."""
    (alone,) = issues(allow_origins=entry)
    (listed,) = issues(allow_origins=[entry])
    assert alone == listed


CORRECTED = [row for row in REFUSED if row[2] and row[2].startswith("'")]


@pytest.mark.parametrize("hint", [row[2] for row in CORRECTED], ids=[row[0] for row in CORRECTED])
def test_the_correction_in_a_hint_is_accepted(hint: str) -> None:
    """A hint that is followed must not lead to the next error."""
    assert Policy(allow_origins=[hint.strip("'")]).allow_origins == (hint.strip("'"),)


def test_each_kind_of_mistake_has_a_code_of_its_own() -> None:
    """Two entries with the same mistake have the same code."""
    one_each = {
        "https://example.com/": "https://other.example/",
        "https://example.com/a": "https://other.example/b/",
        "https://Example.com": "HTTPS://example.com",
        "https://example.com:443": "http://example.com:80",
        "example.com": "www.example.com",
        "file://": "data:text/html",
        "wss://example.com": "ws://example.com",
        "https://example.com:65536": "https://example.com:0",
        "https://bücher.example": "https://ümlaut.example",
        "https://pr*.example.com": "https://a*.example.com",
        "https://a.com, https://b.com": "https://c.com, https://d.com",
        "https://u@example.com": "https://u:p@example.com",
    }
    codes = {entry: issue(allow_origins=entry).code for entry in one_each}
    assert {entry: issue(allow_origins=twin).code for entry, twin in one_each.items()} == codes
    assert len(set(codes.values())) == len(codes)


def test_a_star_among_other_entries_is_refused_as_redundant() -> None:
    """One of the two is not intended."""
    found = issue(allow_origins=["*", "https://example.com"])
    assert found.option == "allow_origins"
    assert "'*'" in found.message + found.hint


def test_a_star_with_allow_origin_regex_is_refused_as_redundant() -> None:
    """One of the two is not intended."""
    assert issues(allow_origins="*", allow_origin_regex=r"https://a\.com")


def test_every_invalid_entry_of_a_list_is_reported_in_its_order() -> None:
    """One run shows everything to correct."""
    entries = ["https://a.com/", "https://ok.com", "b.com", "https://C.com"]
    assert [each.value for each in issues(allow_origins=entries)] == ["https://a.com/", "b.com", "https://C.com"]


@pytest.mark.parametrize("regex", ["(", r"https://[", 5, b"https://a"], ids=repr)
def test_an_invalid_regex_is_refused_under_its_own_option(regex: Any) -> None:
    """It does not compile, or it is not a regex of str."""
    assert issue(allow_origin_regex=regex).option == "allow_origin_regex"


def test_a_number_behind_a_wildcard_address_in_a_list_in_one_string_is_refused() -> None:
    """A number is the port of a second origin, but the entry before it is corrected to a regex, not to an origin."""
    assert issue(allow_origins="http://192.168.1.*,5173").code == "origin-list"
