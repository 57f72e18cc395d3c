"""Sets of many origins and patterns: which origins are in them, and how much work a look-up takes."""

import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_cors import Policy
from tests.support.policies import allows

LABELS = ".".join(["a"] * 117)


@pytest.fixture(scope="module")
def million() -> Policy:
    """A million exact origins."""
    return Policy(allow_origins=[f"https://t{n}.example.com" for n in range(1_000_000)])


@pytest.mark.parametrize("number", [0, 1, 499_999, 999_999])
def test_each_of_a_million_origins_is_allowed_with_its_scheme_and_port_only(million: Policy, number: int) -> None:
    """Another scheme or port is another origin."""
    assert allows(million, f"https://t{number}.example.com")
    assert not allows(million, f"http://t{number}.example.com")
    assert not allows(million, f"https://t{number}.example.com:8443")


@pytest.mark.parametrize(
    "origin",
    ["https://t1000000.example.com", "https://example.com", "https://t.example.com", "https://t01.example.com"],
)
def test_an_origin_that_is_not_among_a_million_is_refused(million: Policy, origin: str) -> None:
    """A look-up compares whole origins."""
    assert not allows(million, origin)


@pytest.fixture(scope="module")
def ten_thousand() -> Policy:
    """Ten thousand patterns for subdomains: with a port, without one, and with a wildcard in a label."""
    hosts = [f"https://*.t{n}.example.com" for n in range(5_000)]
    ports = [f"http://*.t{n}.example.net:*" for n in range(2_500)]
    inner = [f"https://pr-*.t{n}.example.org" for n in range(2_500)]
    return Policy(allow_origins=[*hosts, *ports, *inner])


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.t0.example.com", True),
        ("https://a.b.t4999.example.com", True),
        (f"https://{LABELS}.t77.example.com", True),
        ("http://a.t2499.example.net:5000", True),
        ("https://pr-5.t2499.example.org", True),
        ("https://t0.example.com", False),
        ("https://a.t5000.example.com", False),
        ("https://a.t0.example.com:1", False),
        ("http://a.t2500.example.net", False),
        ("https://pr-.t1.example.org", False),
        ("https://pr-1.a.t1.example.org", False),
        (f"https://{LABELS}.example.org", False),
    ],
)
def test_each_of_ten_thousand_patterns_matches_as_it_does_alone(
    ten_thousand: Policy, origin: str, allowed: bool
) -> None:
    """No pattern hides or widens another one."""
    assert allows(ten_thousand, origin) is allowed


LABEL = st.sampled_from(["a", "b", "a-b", "a_b", "xn--bcher-kva", "1"])
HOST = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
STARRED = st.lists(st.sampled_from(["a-*", "*-b", "a-*-b", "*", "b"]), max_size=3).map(
    lambda labels: "".join(f"{label}." for label in labels)
)
PORT = st.sampled_from(["", ":1", ":8443", ":*"])
PATTERN = st.builds("{}://{}{}.test{}".format, st.sampled_from(["http", "https"]), STARRED, HOST, PORT)
ORIGIN = st.builds(
    "{}://{}.test{}".format,
    st.sampled_from(["http", "https", "ftp"]),
    st.lists(LABEL | st.sampled_from(["a-x-b", "a-", "-b", "", "*", "a{", "A"]), min_size=1, max_size=5).map(".".join),
    st.sampled_from(["", ":1", ":8443", ":65535", ":65536", ":0", ":01", ":"]),
)


def reference(pattern: str) -> re.Pattern[str]:
    """Return a pattern as a regular expression, by the documented rules."""
    scheme, host, port = re.fullmatch(r"(\w+)://([^:]+)(:.+)?", pattern).groups("")
    labels = [re.escape(label).replace(r"\*", r"[a-z0-9_-]+") for label in host.split(".")]
    if host.startswith("*."):
        labels[0] = r"[a-z0-9_-]+(\.[a-z0-9_-]+)*"
    ports = {"": "", ":*": r"(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))?"}
    dotted = r"\.".join(labels)
    return re.compile(f"{scheme}://{dotted}{ports.get(port, port)}")


@given(st.lists(PATTERN, min_size=1, max_size=6), st.lists(ORIGIN, max_size=8))
def test_any_patterns_together_match_as_a_regex_for_each(patterns: list[str], origins: list[str]) -> None:
    """The slow definition of an origin set is one regular expression for each pattern."""
    policy = Policy(allow_origins=patterns)
    regexes = [reference(pattern) for pattern in patterns]
    for origin in origins:
        assert allows(policy, origin) is any(regex.fullmatch(origin) is not None for regex in regexes), origin


def lines_run(policy: Policy, origin: str) -> int:
    """Count the lines of Python that a decision runs: the same number on every machine."""
    count = 0

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal count
        del frame, arg
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        allows(policy, origin)
    finally:
        sys.settrace(before)
    return count


LOOKED_UP = [
    "https://a.t7.example.com",
    "https://evil.net",
    f"https://{LABELS}.t7.example.com",
    f"https://{LABELS}.net",
    "https://t7.example.com",
]


@pytest.mark.parametrize("origin", LOOKED_UP, ids=lambda origin: origin[:40])
def test_the_work_of_a_look_up_does_not_grow_with_the_number_of_entries(
    million: Policy, ten_thousand: Policy, origin: str
) -> None:
    """A million origins and ten thousand patterns take as many lines as ten of each."""
    few = Policy(allow_origins=[f"https://t{n}.example.com" for n in range(10)])
    assert lines_run(million, origin) <= lines_run(few, origin) + 10
    some = [f"https://*.t{n}.example.com" for n in range(10)]
    ports = [f"http://*.t{n}.example.net:*" for n in range(10)]
    inner = [f"https://pr-*.t{n}.example.org" for n in range(10)]
    assert lines_run(ten_thousand, origin) <= lines_run(Policy(allow_origins=[*some, *ports, *inner]), origin) + 10


def test_the_work_of_a_look_up_is_bounded_by_the_labels_of_the_origin(ten_thousand: Policy) -> None:
    """The longest host takes a few lines for each label."""
    assert lines_run(ten_thousand, f"https://{LABELS}.net") < 20 * len(LABELS.split(".")) + 200


def test_work_does_not_grow_with_the_combinations_of_two_wildcards() -> None:
    """Patterns with a wildcard in two labels take a step for each pair of lengths in one label, not in both."""
    names = [f"{'a' * before}-*-{'b' * behind}" for before in range(1, 7) for behind in range(1, 7)]
    one = Policy(allow_origins=[f"https://{name}.example.com" for name in names])
    two = Policy(allow_origins=[f"https://{inner}.{outer}.example.com" for inner in names for outer in names])
    assert lines_run(two, "https://evil.evil.example.com") <= lines_run(one, "https://evil.evil.example.com") + 10
    assert allows(two, "https://aa-1-b.a-2-bbb.example.com")
    assert not allows(two, "https://aa-1-b.a-bbb.example.com")
