"""Origin patterns: which are accepted, and what each allows."""

import re
from typing import Any

import pytest

from asgi_cors import Policy
from tests.support.policies import allows, policy_without_warnings

LABELS = ".".join(["a"] * 117)
EXTENSION = "abcdefghijklmnopabcdefghijklmnop"

# behaviour, pattern, origins allowed, origins refused
PATTERNS: list[tuple[str, str, list[str], list[str]]] = [
    (
        "an exact origin is compared byte for byte",
        "https://example.com",
        ["https://example.com"],
        [
            "http://example.com",
            "https://example.com:443",
            "https://example.com:8443",
            "https://example.com.",
            "https://Example.com",
            "HTTPS://example.com",
            "https://www.example.com",
            "https://example.co",
            "https://example.comx",
            "https://xexample.com",
            "https://example.com.evil.net",
            "https://example",
            "https://evil.net",
        ],
    ),
    (
        "a port is part of the origin",
        "https://example.com:8443",
        ["https://example.com:8443"],
        ["https://example.com", "https://example.com:84430", "https://example.com:844", "https://example.com:08443"],
    ),
    (
        "a leading star is one or more labels, never the base itself",
        "https://*.example.com",
        [
            "https://a.example.com",
            "https://a.b.example.com",
            "https://xn--bcher-kva.example.com",
            "https://a_b-1.example.com",
            f"https://{LABELS}.example.com",
        ],
        [
            "https://example.com",
            "https://.example.com",
            "https://a..example.com",
            "https://.a.example.com",
            "https://xexample.com",
            "https://example.com.evil.net",
            "https://a.example.com.evil.net",
            "http://a.example.com",
            "https://a.example.com:8443",
            "https://a.example.com.",
            "https://a.example.comx",
            f"https://{LABELS}.example.net",
        ],
    ),
    (
        "a wildcard label accepts letters, digits, - and _ alone",
        "https://*.example.com",
        ["https://a-b_c9.example.com"],
        [f"https://a{char}.example.com" for char in "{}`!$&'()*+,;=~%\"[]:"]
        + [
            "https://%2A.example.com",
            "https://*.example.com",
            "https://A.example.com",
            "https://a\xe9.example.com",
            "https://[::1].example.com",
        ],
    ),
    (
        "a star inside a label is one or more characters of it",
        "https://app-*-team.example.com",
        ["https://app-1-team.example.com", "https://app-a-b-team.example.com", "https://app-a_b-team.example.com"],
        [
            "https://app--team.example.com",
            "https://app-team.example.com",
            "https://app-a.b-team.example.com",
            "https://app-1-team.example.net",
            "https://x.app-1-team.example.com",
            "https://app-{-team.example.com",
            "https://xapp-1-team.example.com",
            "https://app-1-teamx.example.com",
        ],
    ),
    (
        "a star may end a label",
        "https://pr-*.example.com",
        ["https://pr-1.example.com", "https://pr-a-b.example.com"],
        [
            "https://pr-.example.com",
            "https://pr.example.com",
            "https://pr-1.x.example.com",
            "https://xpr-1.example.com",
        ],
    ),
    (
        "a star may begin a label",
        "https://*-api.example.com",
        ["https://a-api.example.com", "https://a-b-api.example.com"],
        [
            "https://-api.example.com",
            "https://api.example.com",
            "https://x.a-api.example.com",
            "https://a-apix.example.com",
        ],
    ),
    (
        "any port is any port or none",
        "http://localhost:*",
        ["http://localhost", "http://localhost:1", "http://localhost:3000", "http://localhost:65535"],
        [
            "https://localhost",
            "http://localhost:",
            "http://localhost:0",
            "http://localhost:65536",
            "http://localhost:03000",
            "http://localhost:3e3",
            "http://localhost:-1",
            "http://localhost:x",
            "http://localhostx:3000",
            "http://localhost.:3000",
            "http://a.localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://localhost:3000.evil.net",
        ],
    ),
    (
        "an IPv4 address with any port",
        "http://127.0.0.1:*",
        ["http://127.0.0.1", "http://127.0.0.1:8000"],
        [
            "http://127.0.0.10:8000",
            "http://127.1:8000",
            "http://0x7f.1:8000",
            "http://2130706433:8000",
            "http://127.0.0.1.evil.net:80",
        ],
    ),
    (
        "an IPv6 address with any port",
        "http://[::1]:*",
        ["http://[::1]", "http://[::1]:8000"],
        [
            "http://[::1",
            "http://[::1]x",
            "http://[::1].evil.net",
            "http://[::ffff:7f00:1]:8000",
            "http://[0:0:0:0:0:0:0:1]:8000",
            "http://::1:8000",
            "http://[::1]:0",
        ],
    ),
    (
        "subdomains with any port",
        "https://*.example.com:*",
        ["https://a.example.com", "https://a.b.example.com:8443"],
        ["https://example.com", "https://example.com:8443", "https://a.example.com:x", "https://a.example.com:0"],
    ),
    (
        "subdomains with one port",
        "https://*.example.com:8443",
        ["https://a.example.com:8443"],
        ["https://a.example.com", "https://a.example.com:844", "https://example.com:8443"],
    ),
    (
        "a star inside a label with any port",
        "https://pr-*.example.com:*",
        ["https://pr-1.example.com:3000", "https://pr-1.example.com"],
        ["https://pr-.example.com:3000"],
    ),
    (
        "subdomains of localhost",
        "http://*.localhost:*",
        ["http://a.localhost:3000", "http://a.b.localhost"],
        ["http://localhost:3000"],
    ),
    (
        "an app's scheme",
        "capacitor://localhost",
        ["capacitor://localhost"],
        ["capacitor://localhost.evil.net", "CAPACITOR://localhost", "http://localhost", "capacitor://localhost:80"],
    ),
    ("another app's scheme", "tauri://localhost", ["tauri://localhost"], ["tauri://evil", "https://tauri.localhost"]),
    (
        "an extension by its id",
        f"chrome-extension://{EXTENSION}",
        [f"chrome-extension://{EXTENSION}"],
        [f"chrome-extension://{EXTENSION[::-1]}", f"moz-extension://{EXTENSION}"],
    ),
    (
        "an opaque host may begin with digits",
        "moz-extension://11111111-2222-3333-4444-555555555555",
        ["moz-extension://11111111-2222-3333-4444-555555555555"],
        ["moz-extension://99999999-2222-3333-4444-555555555555"],
    ),
    (
        "an opaque host may look like a bad IP",
        "chrome-extension://1.2.3",
        ["chrome-extension://1.2.3"],
        ["chrome-extension://1.2.0.3"],
    ),
    (
        "an opaque host keeps its letter case",
        "safari-web-extension://A1B2C3D4-0000-1111-2222-333344445555",
        ["safari-web-extension://A1B2C3D4-0000-1111-2222-333344445555"],
        ["safari-web-extension://a1b2c3d4-0000-1111-2222-333344445555"],
    ),
    ("an opaque host may be a hyphen", "app://-", ["app://-"], ["app://--", "app://"]),
    (
        "a star as a whole opaque host is any host of the scheme",
        "moz-extension://*",
        ["moz-extension://11111111-2222-3333-4444-555555555555", "moz-extension://a"],
        ["moz-extension://", "chrome-extension://a", "https://a", "moz-extensionx://a"],
    ),
    ("webviews of an editor", "vscode-webview://*", ["vscode-webview://0abc1def"], ["http://vscode-webview.evil.net"]),
    (
        "a single label with a port",
        "https://intranet:8443",
        ["https://intranet:8443"],
        ["https://intranet", "https://a.intranet:8443"],
    ),
    (
        "punycode is compared as it is sent",
        "https://xn--bcher-kva.example",
        ["https://xn--bcher-kva.example"],
        ["https://XN--BCHER-KVA.example", "https://b\xfccher.example", "https://buecher.example"],
    ),
    ("an emoji domain is a domain", "https://xn--i-7iq.ws", ["https://xn--i-7iq.ws"], ["https://xn--i-7iq.wsx"]),
    (
        "a label of 63 characters is a label",
        f"https://{'a' * 63}.com",
        [f"https://{'a' * 63}.com"],
        [f"https://{'a' * 62}.com"],
    ),
    (
        "an underscore may be part of a host",
        "https://a_b.example.com",
        ["https://a_b.example.com"],
        ["https://a-b.example.com"],
    ),
    ("the highest port", "https://example.com:65535", ["https://example.com:65535"], ["https://example.com:6553"]),
    (
        "http with the port of https",
        "http://example.com:443",
        ["http://example.com:443"],
        ["https://example.com", "http://example.com"],
    ),
]


@pytest.mark.parametrize(
    ("pattern", "allowed", "refused"), [row[1:] for row in PATTERNS], ids=[row[0] for row in PATTERNS]
)
def test_patterns(pattern: str, allowed: list[str], refused: list[str]) -> None:
    """A pattern allows these origins and none of those."""
    policy = Policy(allow_origins=[pattern])
    assert [origin for origin in allowed if not allows(policy, origin)] == []
    assert [origin for origin in refused if allows(policy, origin)] == []


@pytest.mark.parametrize(
    ("pattern", "allowed", "refused"), [row[1:] for row in PATTERNS], ids=[row[0] for row in PATTERNS]
)
def test_patterns_among_others(pattern: str, allowed: list[str], refused: list[str]) -> None:
    """A pattern allows the same beside others as alone."""
    others = ["https://one.test", "https://*.two.test", "http://three.test:*", "https://x-*.four.test", "other-app://*"]
    policy = Policy(allow_origins=[*others, pattern])
    assert [origin for origin in allowed if not allows(policy, origin)] == []
    assert [origin for origin in refused if allows(policy, origin)] == []


def test_a_host_of_253_bytes() -> None:
    """The longest host is accepted, as an entry and under a wildcard."""
    host = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert len(host) == 253
    assert allows(Policy(allow_origins=f"https://{host}"), f"https://{host}")
    assert allows(Policy(allow_origins=f"https://*.{'b' * 61}"), f"https://{host}")


def test_nested_patterns() -> None:
    """A longer pattern neither hides nor widens a shorter one."""
    policy = Policy(allow_origins=["https://*.a.example.com", "https://*.example.com:8443"])
    assert allows(policy, "https://x.a.example.com")
    assert allows(policy, "https://x.a.example.com:8443")
    assert not allows(policy, "https://x.b.example.com")
    assert not allows(policy, "https://x.a.example.com:8080")


ANY: list[tuple[str, dict[str, Any]]] = [
    ("the string", {"allow_origins": "*"}),
    ("a list of it", {"allow_origins": ["*"]}),
    ("a tuple of it", {"allow_origins": ("*",)}),
    ("a generator of it", {"allow_origins": (each for each in ["*"])}),
]


@pytest.mark.parametrize("options", [row[1] for row in ANY], ids=[row[0] for row in ANY])
def test_any_origin(options: dict[str, Any]) -> None:
    """``*`` alone, in any form, is ``*``."""
    policy = Policy(**options)
    assert policy.allow_origins == "*"
    assert allows(policy, "https://evil.example.net")


def test_null_is_an_entry_of_its_own() -> None:
    """``null`` is allowed by the entry ``null`` and by no other."""
    assert allows(policy_without_warnings(allow_origins=["null", "https://example.com"]), "null")
    for entry in ("https://null", re.compile(".*"), lambda _: True):
        assert not allows(policy_without_warnings(allow_origins=[entry]), "null")


REGEXES: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    (
        "a compiled pattern is an entry",
        {"allow_origins": [re.compile(r"https://[ab]\.example\.com")]},
        ["https://a.example.com", "https://b.example.com"],
        ["https://c.example.com"],
    ),
    (
        "it must match the whole origin, to its end",
        {"allow_origins": re.compile(r"https://example\.com")},
        ["https://example.com"],
        ["https://example.com.evil.net", "https://example.com:8443"],
    ),
    (
        "it must match the whole origin, from its start",
        {"allow_origins": re.compile(r"example\.com")},
        [],
        ["https://example.com"],
    ),
    (
        "alternatives match the whole origin each",
        {"allow_origin_regex": r"https://a\.com|https://b\.com"},
        ["https://a.com", "https://b.com"],
        ["https://a.com.evil.net", "https://x/https://b.com"],
    ),
    (
        "a final dollar does not accept a newline",
        {"allow_origin_regex": r"^https://example\.com$"},
        ["https://example.com"],
        ["https://example.com\n"],
    ),
    (
        "allow_origin_regex takes a compiled pattern with its flags",
        {"allow_origin_regex": re.compile(r"HTTPS://A\.COM", re.IGNORECASE)},
        ["https://a.com"],
        ["https://ab.com"],
    ),
    (
        "a regex stands beside other entries",
        {"allow_origins": ["https://x.com"], "allow_origin_regex": r"https://y\d\.com"},
        ["https://x.com", "https://y1.com"],
        ["https://y.com", "https://yy.com"],
    ),
]


@pytest.mark.parametrize(
    ("options", "allowed", "refused"), [row[1:] for row in REGEXES], ids=[row[0] for row in REGEXES]
)
def test_regexes(options: dict[str, Any], allowed: list[str], refused: list[str]) -> None:
    """A regex is a full match on the whole origin."""
    policy = policy_without_warnings(**options)
    assert [origin for origin in allowed if not allows(policy, origin)] == []
    assert [origin for origin in refused if allows(policy, origin)] == []
