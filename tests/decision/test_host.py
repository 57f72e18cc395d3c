"""`allowed_hosts`: which values of Host are allowed, and the hints for entries with a mistake."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import ConfigError, CORSMiddleware
from asgi_cors._decision.host import HostSet, parse_hosts
from asgi_cors._errors import OptionIssues
from tests.support.apps import App
from tests.support.hints import follow, found_in


def hosts(*entries: str) -> HostSet:
    """Return the set of valid entries."""
    issues = OptionIssues("allowed_hosts")
    found = parse_hosts(entries, issues)
    assert found is not None
    assert issues.errors == []
    return found


# entries, Host, whether it is allowed
ROWS: list[tuple[list[str], bytes | None, bool]] = [
    (["api.example.com"], b"api.example.com", True),
    (["api.example.com"], b"API.Example.Com", True),
    (["API.example.com"], b"api.example.com", True),
    (["api.example.com"], b" api.example.com\t", True),
    (["api.example.com"], b"api.example.com:8443", True),
    (["api.example.com"], b"api.example.com:", True),
    (["api.example.com"], b"api.example.com:http", False),
    (["api.example.com"], b"api.example.com:8443:1", False),
    (["api.example.com"], b"api.example.com.", False),
    (["api.example.com"], b"www.example.com", False),
    (["api.example.com"], b"evilapi.example.com", False),
    (["api.example.com"], b"api.example.com.evil.net", False),
    (["api.example.com"], b"api.example.com@evil.net", False),
    (["api.example.com"], b"evil.net/api.example.com", False),
    (["api.example.com"], b"http://api.example.com", False),
    (["api.example.com"], b"", False),
    (["api.example.com"], b":80", False),
    (["api.example.com"], None, False),
    (["api.example.com"], b"api.example.com, api.example.com", False),
    (["api.example.com"], b"api.example.com,evil.net", False),
    (["api.example.com"], b"api.example.com" + b" " * 400, False),
    (["api.example.com:8443"], b"api.example.com:8443", True),
    (["api.example.com:8443"], b"api.example.com", False),
    (["api.example.com:8443"], b"api.example.com:443", False),
    (["api.example.com:443"], b"api.example.com", True),
    (["localhost:*"], b"localhost", True),
    (["localhost:*"], b"localhost:5000", True),
    (["localhost:*"], b"localhost.evil.net:5000", False),
    (["*.example.com"], b"api.example.com", True),
    (["*.example.com"], b"a.b.example.com:8000", True),
    (["*.example.com"], b"example.com", False),
    (["*.example.com"], b"evilexample.com", False),
    (["*.example.com"], b"evil.net#.example.com", False),
    (["*.example.com"], b"evil.net/.example.com", False),
    (["*.example.com"], b"x@y.example.com", False),
    (["*.example.com"], b"*.example.com", False),
    (["*.example.com"], b"\xe9.example.com", False),
    (["pr-*.example.com:8080"], b"pr-7.example.com:8080", True),
    (["pr-*.example.com:8080"], b"pr-7.example.com", False),
    (["127.0.0.1"], b"127.0.0.1:8000", True),
    (["127.0.0.1"], b"10.0.0.1", False),
    (["[::1]"], b"[::1]", True),
    (["[::1]"], b"[::1]:8000", True),
    (["[::1]:8000"], b"[::1]:8000", True),
    (["[::1]:8000"], b"[::1]", False),
    (["[::1]"], b"::1", False),
    (["[::1]"], b"[::1].evil.net", False),
    (["api.example.com", "localhost:8000"], b"localhost:8000", True),
    (["api.example.com", "localhost:8000"], b"localhost:8001", False),
    (["api.example.com:8443"], b"api.example.com:08443", False),
]


@pytest.mark.parametrize(("entries", "host", "allowed"), ROWS)
def test_host_is_compared_in_lower_case_and_an_entry_without_a_port_matches_any(
    entries: list[str], host: bytes | None, allowed: bool
) -> None:
    found = hosts(*entries)
    assert [found.allows(host) for _ in range(2)] == [allowed, allowed]


@given(st.binary(max_size=40))
def test_no_value_without_the_name_is_allowed(junk: bytes) -> None:
    """The name may be followed by a port only."""
    found = hosts("api.example.com", "*.example.org")
    host = junk.strip(b" \t").lower()
    name = host.partition(b":")[0]
    if found.allows(junk):
        assert name == b"api.example.com" or name.endswith(b".example.org")
        assert not set(name) & set(b"/@#?\\, ")


def test_the_allowed_values_that_are_remembered_are_bounded() -> None:
    found = hosts("*.example.com")
    for number in range(5000):
        assert found.allows(b"h%d.example.com" % number)
    assert len(found.known) <= 1024
    assert found.allows(b"h0.example.com")


@pytest.mark.parametrize(
    ("host", "closest"),
    [
        (b"www.example.com", "example.com"),
        (b"example.com.", "example.com"),
        (b"127.0.0.1:8000", "localhost:9000"),
        (b"evil.net", None),
        (b"a:b:c", None),
        (None, None),
    ],
)
def test_the_closest_entry_of_a_refused_host_is_found(host: bytes | None, closest: str | None) -> None:
    assert hosts("example.com", "localhost:9000").closest(host) == closest


# -- the option


@pytest.mark.parametrize("value", [None, "*", ["*"], ("*", "*")])
def test_a_star_or_none_allows_every_host(value: Any) -> None:
    issues = OptionIssues("allowed_hosts")
    assert parse_hosts(value, issues) is None
    assert issues.errors == []


# the value, the code, the hint
MISTAKES: list[tuple[Any, str, str]] = [
    ([], "no-hosts", "Write allowed_hosts=None for any host."),
    (5, "wrong-type", "Write allowed_hosts=['api.example.com']."),
    (b"api.example.com", "wrong-type", "Write 'api.example.com'."),
    ({"api.example.com": 1}, "wrong-type", "Write allowed_hosts=['api.example.com']."),
    ([b"api.example.com"], "wrong-type", "Write 'api.example.com'."),
    ([None], "wrong-type", "Name the host as in 'api.example.com', or a pattern such as '*.example.com'."),
    (["*", "api.example.com"], "redundant-entry", "Leave '*' out."),
    (["", "a.com"], "origin-empty", "Leave allowed_hosts out for any host, or set the variable."),
    ("None", "origin-empty", "Leave allowed_hosts out for any host, or set the variable."),
    ([".example.com"], "host-leading-dot", "Write '*.example.com'."),
    (["https://api.example.com"], "host-url", "Write 'api.example.com'."),
    (["https://api.example.com/"], "host-url", "Write 'api.example.com'."),
    (["https://api.example.com:8443/v1"], "host-url", "Write 'api.example.com:8443'."),
    (["api.example.com/v1"], "host-url", "Write 'api.example.com'."),
    (["user@api.example.com"], "host-url", "Write 'api.example.com'."),
    (["api.example.com."], "origin-final-dot", "Write 'api.example.com'."),
    ([" api.example.com"], "origin-white-space", "Write 'api.example.com'."),
    (["a.com, b.com:8000"], "origin-list", "Write ['a.com', 'b.com:8000']."),
    ("a.com;b.com", "origin-list", "Write ['a.com', 'b.com']."),
    (["b\u00fccher.example"], "origin-non-ascii", "Write 'xn--bcher-kva.example'."),
    (["::1"], "origin-ip", "Write '[::1]'."),
    (["api.example.com:0"], "origin-port", "Write 'api.example.com'."),
    (["api.example.com:70000"], "origin-port", "Write 'api.example.com'."),
    (["api.example.com:http"], "origin-port", "Write 'api.example.com'."),
    (
        ["*example.com"],
        "origin-wildcard",
        "Write '*.example.com'.",
    ),
    (["/"], "host-url", "Name the host as in 'api.example.com', or a pattern such as '*.example.com'."),
]


@pytest.mark.parametrize(("value", "code", "hint"), MISTAKES, ids=[f"{row[0]}"[:40] for row in MISTAKES])
def test_a_mistake_has_a_hint_that_is_accepted(value: Any, code: str, hint: str) -> None:
    options = {"allow_origins": "*", "allowed_hosts": value}
    (found,) = found_in(CORSMiddleware, app=App().asgi, **options)
    assert (found.option, found.code, found.hint) == ("allowed_hosts", code, hint)
    left = found_in(CORSMiddleware, app=App().asgi, **follow(options, found))
    assert [each.code for each in left] in ([], ["no-hosts"])  # advice leaves the entry out


def test_all_mistakes_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(App().asgi, allow_origins="https://a.com/", allowed_hosts=[".a.com", "https://b.com", "c.com"])
    assert [issue.code for issue in caught.value.issues] == ["origin-trailing-slash", "host-leading-dot", "host-url"]
