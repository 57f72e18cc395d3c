"""Every hint, followed literally, is accepted and allows no more than the value did."""

import enum
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import asgi_cors
from asgi_cors import (
    Cached,
    ConfigError,
    CORSMiddleware,
    Issue,
    Loaded,
    OriginSource,
    Policy,
    Tenants,
    check_origin,
)
from asgi_cors.metrics import DecisionMetrics
from asgi_cors.registry import SQLiteRegistry
from tests.support.hints import NOTHING, Keywords, correction, follow, found_in
from tests.support.policies import allows, issues, policy_without_warnings

PAGE = "https://app.example.com"
EVIL = ["https://evil.test", "http://evil.test", "https://example.com.evil.test", "https://evilexample.com", "null"]
SOURCES = File(asgi_cors.__file__).parent


class Text:
    """An object whose str is a URL, such as pydantic's."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Broken:
    """An object whose repr and str raise."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


class Scalar:
    """Has `__iter__` but cannot be iterated, as an array without dimensions."""

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("iteration over a 0-d array")


class Later(Awaitable[bool]):
    """The result of a function that returns neither a coroutine nor a bool."""

    def __await__(self) -> Generator[None, None, bool]:
        yield
        return True


class Site(enum.Enum):
    """An enum that is not a str."""

    APP = "https://app.example.com/"


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list, `depth` times."""
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


MISTYPED = json.loads((File(__file__).parents[1] / "data" / "mistyped-options.json").read_text("utf-8"))
OTHERS: list[Any] = [
    *(5, 5.5, True, object(), b"https://example.com", b"https://example.com/", b"\xff", {"https://a.com": 1}),
    *(Text("https://a.com/"), Text("x"), ["https://a.com"], ["https://a.com/", b"b.com"], Site.APP, Broken(), Scalar()),
    *(bytearray(b"a.com"), nested(2000), [None], [[]], {}, File("/x"), range(3), 10**5000, ("https://a.com", 443)),
    *({"origin": "https://a.com"}, frozenset({"https://a.com"}), None),
]
LONG = [
    "(" * 5000,
    "[" * 5000,
    f"http://localhost:{'1' * 5000}-2",
    f"http://localhost:{'1' * 5000}",
    "a." * 9999,
    "*" * 999,
]


async def customers(_origin: str) -> bool:
    return True


async def each(_origin: str) -> AsyncIterator[bool]:
    yield True


def each_of_a_list(_origin: str) -> Iterator[bool]:
    yield True


COROUTINE, ITERATOR = customers(PAGE), each(PAGE)
COROUTINE.close()
REGISTRY = SQLiteRegistry("origins.db")
TENANTS = Tenants.by_host(lambda _name: None)
CLASSES: list[Any] = [Cached, Loaded, SQLiteRegistry, OriginSource, Tenants, Policy, bool, str, Text, dict]
FUNCTIONS: list[Any] = [
    *(
        TENANTS,
        TENANTS.get,
        Tenants.by_host,
        Cached(customers).get,
        Cached(customers).stats,
        check_origin,
        lambda: True,
    ),
    *(lambda _one, _two: True, lambda *, origin: origin, each, each_of_a_list, COROUTINE, ITERATOR),
    *(REGISTRY.add, REGISTRY.list, REGISTRY.tenant, REGISTRY.sync.add, REGISTRY.sync, partial(REGISTRY.add, by="x")),
    *(partial(customers, PAGE), Later()),
]
ORIGINS: dict[str, list[Any]] = {
    **MISTYPED.pop("allow_origins"),
    "type": OTHERS,
    "length": LONG,
    "class": CLASSES,
    "function": FUNCTIONS,
}


def label(value: Any) -> str:
    """Return the id of a value's row."""
    try:
        return re.sub(" at 0x[0-9a-f]+", "", ascii(value))[:60]
    except Exception:  # noqa: BLE001 - some values of the table are made to fail here
        return type(value).__name__


ENTRIES = [(kind, entry) for kind, entries in ORIGINS.items() for entry in entries]
ANY = {
    "*",
    "'*'",
    " * ",
    "**",
    ".*",
    "^.*$",
    "*://*",
    "*://*/*",
    '["*"]',
    "*,*",
    "('*',)",
    "https://.*",
    "https://.+",
    "/.*/",
    "a|",
    "^$",
}
ANY_OF_SCHEME = re.compile(r"https?://\*+(:\d+|:\*)?(/.*)?")


def refused(entry: Any, *, credentials: bool) -> tuple[Issue, dict[str, Any]]:
    """Return the issue of an entry, and the options that have the entry."""
    options = {"allow_origins": [entry], "allow_credentials": credentials}
    found = issues(**options)
    assert [each.option for each in found] == ["allow_origins"], found
    return found[0], options


def is_accepted(entry: Any) -> bool:
    try:
        policy_without_warnings(allow_origins=[entry])
    except ConfigError:
        return False
    return True


def test_every_entry_of_the_table_is_refused_without_credentials() -> None:
    assert len(ENTRIES) > 300
    assert [label(entry) for _, entry in ENTRIES if is_accepted(entry)] == []


@pytest.mark.parametrize("credentials", [False, True], ids=["without credentials", "with credentials"])
@pytest.mark.parametrize(
    "entry", [row[1] for row in ENTRIES], ids=[f"{kind}: {label(entry)}" for kind, entry in ENTRIES]
)
def test_the_hint_for_an_origin_is_accepted_and_allows_no_more(entry: Any, credentials: bool) -> None:
    check_hint(*refused(entry, credentials=credentials))


@pytest.mark.parametrize(
    "entry", [row[1] for row in ENTRIES], ids=[f"{kind}: {label(entry)}" for kind, entry in ENTRIES]
)
def test_the_hint_for_a_trusted_origin_is_accepted_names_its_option_and_trusts_no_more(entry: Any) -> None:
    options = {"csrf_trusted_origins": [entry]}
    (found,) = issues(**options)
    assert found.option == "csrf_trusted_origins"
    assert not re.search(
        r"allow_origins|allow_origin_regex|allow_credentials|could read", str(found).replace(label(entry), "")
    )
    policy = policy_without_warnings(**follow(options, found))
    if isinstance(entry, str) and entry not in ANY and "evil" not in entry:
        assert not (policy.compiled.trusted and any(allows(policy.compiled.trusted, origin) for origin in EVIL))


def check_hint(found: Issue, options: dict[str, Any]) -> None:
    """Assert that the hint's correction is accepted and allows no hostile origin that the entry does not name."""
    assert found.hint
    assert found.hint.endswith((".", "?"))
    assert "\n" not in str(found)
    policy = policy_without_warnings(**follow(options, found))
    allowed = [origin for origin in EVIL if allows(policy, origin)]
    text = found.value if isinstance(found.value, str) else ""
    if not text or text in ANY or "evil" in text:
        return
    if ANY_OF_SCHEME.fullmatch(text):
        assert all(origin.startswith(text.partition("*")[0].partition(":")[0]) for origin in allowed)
    elif "null" not in text:
        assert allowed == []
    if isinstance(new := correction(found.hint), (str, list)) and text.isascii():
        for line in [new] if isinstance(new, str) else new:
            assert_same_host(line, text)


def assert_same_host(line: str, text: str) -> None:
    """Assert that every name in the host of a correction is in the text, unless the host is an address."""
    host = line.partition("://")[2].partition(":")[0] if "[" not in line else ""
    if not re.search(r"[0-9]$|xn--", host) and line not in {"null", "*"}:
        meant = unicodedata.normalize("NFKC", text).lower()
        assert all(name in meant for name in re.findall(r"[a-z0-9]+", host)), (line, text)


@st.composite
def mistyped_origins(draw: st.DrawFn) -> str:
    """Generate a valid origin with a few characters inserted, deleted or changed."""
    text = draw(
        st.sampled_from(
            [
                PAGE,
                "http://localhost:*",
                "https://*.example.com",
                "http://[::1]:3000",
                "https://a-*.b.co:8443",
                "http://10.0.0.1",
                "app://x",
            ]
        )
    )
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        new = draw(
            st.sampled_from(
                [
                    "",
                    *"*/.:@[](){}|^$\\?#,; \"'%+-_~<>!&=0",
                    "A",
                    "\u00fc",
                    "\u3002",
                    "://",
                    "https",
                    ".*",
                    "443",
                    "xn--",
                    "${X}",
                ]
            )
        )
        text = text[:at] + new + text[at + draw(st.integers(0, 2)) :]
    return text


@given(st.lists(mistyped_origins() | st.text(max_size=30), min_size=1, max_size=3, unique=True), st.booleans())
def test_a_policy_of_mistyped_origins_is_accepted_once_all_hints_are_followed(
    entries: list[str], credentials: bool
) -> None:
    options: dict[str, Any] = {"allow_origins": entries, "allow_credentials": credentials}
    for _ in range(len(entries) + 4):
        for found in found_in(Policy, **options)[:1]:
            assert found.hint
            if not found.code.startswith("credentials-"):
                options = follow(options, found)
            elif found.option == "allow_origins":
                options |= {"allow_origins": [each for each in options["allow_origins"] if each != found.value]}
            else:
                options.pop(found.option)
    policy = policy_without_warnings(**options)
    if not any("*" in entry or "." in entry for entry in entries):
        assert not any(allows(policy, origin) for origin in EVIL[:3])


# -- the other options

ONE = {"allow_origins": PAGE}
NOT_TEXT: dict[str, list[Any]] = {
    "allow_methods": [
        *(b"PUT", 5, None, True, object(), [5], [None], [["PUT"]], {"PUT": 1}, ["PUT", ""], ["PUT", "DELETE, PATCH"]),
        *(["put\n"], nested(2000), Broken(), 10**5000, ["PUT", b"DELETE"], ("PUT", 1), Scalar()),
    ],
    "allow_headers": [
        *(
            b"x-a",
            5,
            None,
            True,
            [None],
            [["x-a", "x-b"]],
            {"x-a": "1"},
            ["x-a", "x b"],
            ["x-a, x-b", "x-c"],
            nested(2000),
        ),
    ],
    "expose_headers": [b"x-a", 5, None, [None], ["x-a", "Set-Cookie"], {"x-a": 1}, [["x-a"]]],
    "allow_credentials": [None, 1, 0, 2, 1.0, [], object(), Broken()],
    "allow_private_network": [None, 1],
    "max_age": [
        *(-1, True, False, 1.5, float("nan"), float("inf"), -1.5, [], object(), 10**5000, -(10**30), int),
        *(timedelta(seconds=-1), timedelta(microseconds=-1), timedelta.min),
    ],
    "dangerously_allow": [True, 5, None, ["credentials-over-http", "x"], b"x", [[]]],
    "csrf_protection": [
        *(None, 0, 1, 0.0, "", "true", "True", "false", "off", "Report", "REPORT", " report ", "reporting", "reports"),
        *(b"report", b"false", ["report"], [], {}, object(), Broken(), Scalar(), float("nan"), int, "x" * 9999),
    ],
    "timing_allow_origin": [None, 0, 1, "", "*", "true", "false", PAGE, [PAGE], [], b"*", object(), Broken()],
    "resource_policy": [
        *("Same-Origin", "SAME-SITE", "same_site", "same site", "sameorigin", "crossorigin", " cross-origin ", "cross"),
        *("Cross-Origin-Resource-Policy: same-site", "none", "None", "null", "", "off", "require-corp", "same-site,"),
        *(
            True,
            False,
            5,
            b"same-origin",
            ["same-origin"],
            ["same-origin", "same-site"],
            [],
            [5],
            {},
            object(),
            "\ud800",
        ),
        *("x" * 9999, Broken(), Scalar()),
    ],
    "presets": [
        *(
            "MCP",
            "mcpp",
            "grpc_web",
            "gRPC web",
            "grpcweb",
            "GRPC-Web",
            "mcp,tus",
            "mcp tus",
            '["mcp"]',
            "mcp/tus",
            "*",
        ),
        *("", None, True, 5, b"mcp", [None], [5], [["mcp"]], ["mcp", ""], ["mcp", "TUS"], {"mcp": True}, "otel", "zzz"),
        *(Broken(), Scalar(), nested(2000), object(), "x" * 9999),
    ],
    "name": [
        *("", " ", " a", "a\n", "a\nb", "\x1b[31m", "a" * 101, " " * 300, "\ud800", b"api", 5, True, ["api"], [], {}),
        *(object(), Broken(), "\u200b"),
    ],
    "allow_origin_regex": [5, b"https://a", ["https://a"], object(), re.compile(b"x"), "(" * 5000, Broken()],
}
NAMES = {option: [*MISTYPED.get(option, ()), *values] for option, values in NOT_TEXT.items()}
CASES = [(option, value) for option, values in NAMES.items() for value in values]


@pytest.mark.parametrize(("option", "value"), CASES, ids=label)
@pytest.mark.parametrize("listed", [False, True], ids=["alone", "in a list"])
def test_the_one_hint_for_an_invalid_option_is_accepted(option: str, value: Any, listed: bool) -> None:
    valid = "mcp" if option == "presets" else "x-ok"
    is_names = option.startswith(("allow_m", "allow_h", "expose", "presets"))
    options = {**ONE, option: [valid, value] if listed and is_names else value}
    found = issues(**options)
    assert [each.option for each in found] == [option], found
    assert found[0].hint
    assert "\n" not in str(found[0])
    policy_without_warnings(**follow(options, found[0]))


ACCEPT_ANY = "Or accept the risk: dangerously_allow=['credentials-from-any-origin']."


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("allow_headers", "Origin, Content-Type", "Write ['Content-Type']."),
        ("allow_headers", "*, X-A", "Write ['*']."),
        ("allow_headers", "X-A: 1", "Write 'X-A'."),
        ("allow_methods", "PUT, TRACE", "Write ['PUT']."),
        ("allow_methods", "GET/PUT", "Write ['GET', 'PUT']."),
        ("allow_credentials", "false", "Write allow_credentials=False."),
        ("allow_credentials", "true", "Write allow_credentials=True."),
        ("csrf_protection", "true", "Write csrf_protection=True."),
        ("csrf_protection", "Report", "Write csrf_protection='report'."),
        ("csrf_protection", "strict", "Write csrf_protection=True."),
        ("csrf_protection", None, "Write csrf_protection=False."),
        ("timing_allow_origin", "*", "Write timing_allow_origin=True."),
        ("timing_allow_origin", "", "Write timing_allow_origin=False."),
        ("resource_policy", "Same-Origin", "Write 'same-origin'."),
        ("resource_policy", "Cross-Origin-Resource-Policy: cross-origin", "Write 'cross-origin'."),
        ("resource_policy", "none", "Write resource_policy=None."),
        ("resource_policy", "require-corp", "Use one of: 'same-origin', 'same-site', 'cross-origin'."),
        ("presets", "MCP", "Write 'mcp'."),
        ("presets", "grpc_web", "Write 'grpc-web'."),
        ("presets", "mcp, tus", "Write ['mcp', 'tus']."),
        ("presets", "opentelmetry", "Did you mean 'opentelemetry'?"),
        ("presets", None, "Write [] for none, or set the variable."),
        ("name", "public\napi", "Write name='public api'."),
        ("name", "", "Write name=None."),
        ("name", 5, "Write name='public-api'."),
        ("csrf_trusted_origins", "https://bank.example/", "Write 'https://bank.example'."),
        ("csrf_trusted_origins", "*", f"Name the origins: csrf_trusted_origins=['{PAGE}']. {ACCEPT_ANY}"),
        ("csrf_trusted_origins", "null", "Leave 'null' out."),
        ("csrf_trusted_origins", "https://(a|b)\\.com", r"Write re.compile('https://(a|b)\\.com')."),
        ("csrf_trusted_origins", r"https?://a\.com", "Write 'https://a.com'."),
        ("csrf_trusted_origins", "(", "Use re.compile(…), with a valid regular expression."),
        ("max_age", "3600", "Write max_age=3600."),
        ("max_age", "soon", "Write max_age=600."),
        ("allow_origins", None, "Write [] for none, or set the variable."),
        ("allow_origins", "", "Write [] for none, or set the variable."),
        ("allow_origins", "https://a:8000:9000", "Write ['https://a:8000', 'https://a:9000']."),
        ("allow_origins", "https://::1", "Write 'https://[::1]'."),
        ("allow_origins", "'https://a.com'", "Write 'https://a.com'."),
        ("allow_origins", "http://localhost:[3000,5173]", "Write ['http://localhost:3000', 'http://localhost:5173']."),
        ("allow_origins", "https?://example.com", r"Write allow_origin_regex='https?://example\\.com'."),
        ("allow_origins", "*://example.com", "Write 'https://example.com'."),
        ("allow_origins", "https://**.example.com", "Write 'https://*.example.com'."),
    ],
)
def test_a_common_mistake_has_its_hint(option: str, value: Any, hint: str) -> None:
    (found,) = issues(**{**ONE, option: value})
    assert found.hint == hint


@pytest.mark.parametrize("value", [None, "", [None], [""]], ids=repr)
@pytest.mark.parametrize("option", ["allow_origins", "allow_methods", "allow_headers", "expose_headers"])
def test_the_message_for_none_or_an_empty_string_mentions_environment_variables(option: str, value: Any) -> None:
    """Such a value mostly comes from an environment variable that is not set."""
    (found,) = issues(**{**ONE, option: value})
    assert found.message.endswith("(is an environment variable not set?)")


@pytest.mark.parametrize("value", ["https?://example.com", r"https://.*\.a\.com", "^https://a.com"])
def test_the_message_for_a_regex_in_a_string_says_so(value: str) -> None:
    assert "looks like a regular expression" in issues(allow_origins=value)[0].message


# -- combinations, paths and the middleware

COMBINED: list[tuple[str, dict[str, Any]]] = [
    ("a star next to an origin", {"allow_origins": ["*", PAGE]}),
    ("a star next to a callable", {"allow_origins": ["*", len]}),
    ("a star next to allow_origin_regex", {"allow_origins": "*", "allow_origin_regex": r"https://a\.com"}),
    ("any exposed header with credentials", {**ONE, "expose_headers": "*", "allow_credentials": True}),
    (
        "any exposed header, and others, with credentials",
        {**ONE, "expose_headers": ["*", "x-a"], "allow_credentials": True},
    ),
    ("a mistyped option", {**ONE, "allow_orgins": PAGE}),
    ("an option like no other", {**ONE, "zzz": 1}),
    ("an option of another library", {"origins": PAGE}),
]


@pytest.mark.parametrize("options", [row[1] for row in COMBINED], ids=[row[0] for row in COMBINED])
def test_the_hint_for_contradictory_or_unknown_options_is_accepted(options: dict[str, Any]) -> None:
    (found,) = issues(**options)
    assert found.hint
    policy_without_warnings(**follow(options, found))


RISKS = [
    "*",
    "null",
    "https://*.github.io",
    "https://*.com",
    "http://example.com",
    "http://*.example.com",
    "moz-extension://*",
]


@pytest.mark.parametrize("entry", [*RISKS, re.compile(".*"), re.compile(r"http://a\.com")], ids=str)
def test_the_hint_for_a_risk_names_the_risk_to_accept(entry: Any) -> None:
    """The entry is accepted with this risk, or without credentials."""
    (found,) = issues(allow_origins=[entry], allow_credentials=True)
    (code,) = re.findall(r"dangerously_allow=\['([a-z-]+)'\]", found.hint)
    policy_without_warnings(allow_origins=[entry], allow_credentials=True, dangerously_allow=code)
    policy_without_warnings(allow_origins=[entry])


PATHS: list[tuple[Any, str]] = [
    ("/api/*/x", "re.compile('/api/[^/]+/x')"),
    ("/v1/*a*a*a/x", "'/v1/*'"),
    ("/*/x", "re.compile('/[^/]+/x')"),
    ("/api/*.json", r"re.compile('/api/[^/]+\\.json')"),
    ("/api/*/x/*", "re.compile('/api/[^/]+/x(?:/.*)?')"),
    ("/api/**", "'/api/*'"),
    ("/api*", "'/api/*'"),
    ("/api/*/", "'/api/*'"),
    ("/api/*/*", "'/api/*'"),
    ("api", "'/api'"),
    ("api/*", "'/api/*'"),
    ("*", "'/*'"),
    ("**", "'/*'"),
    ("", "'/'"),
    ("https://a.com/api", "'/api'"),
    ("https://a.com/api/*", "'/api/*'"),
    ("api?x=1", "'/api'"),
    ("/a%20b", "'/a b'"),
    ("/a//b", "'/a/b'"),
    ("/a/../b", "'/b'"),
    ("/a?x", "'/a'"),
    ("a/v1/*/b", "re.compile('/a/v1/[^/]+/b')"),
    (b"/api", "'/api'"),
    (re.compile("api/.*"), "re.compile('/api/.*')"),
    (re.compile("^api"), "re.compile('^/api')"),
    (re.compile(b"/api"), "re.compile('/api')"),
]


def refused_path(path: Any) -> Issue:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(lambda *_: None, **ONE, paths={path: None})
    (found,) = caught.value.issues
    return found


@pytest.mark.parametrize(("path", "line"), PATHS, ids=[repr(path) for path, _ in PATHS])
def test_the_hint_for_a_path_is_accepted(path: Any, line: str) -> None:
    found = refused_path(path)
    assert found.hint == f"Write {line}."
    CORSMiddleware(lambda *_: None, **ONE, paths={correction(found.hint): None})


@given(st.text(st.sampled_from("/*a.?%2#\\: ")) | st.text(max_size=12))
def test_the_hints_for_any_invalid_path_lead_to_an_accepted_path(path: str) -> None:
    for _ in range(4):
        try:
            CORSMiddleware(lambda *_: None, **ONE, paths={path: None})
        except ConfigError as error:
            path = correction(error.issues[0].hint)
    CORSMiddleware(lambda *_: None, **ONE, paths={path: None})


@pytest.mark.parametrize("path", [5, None, ("/a",)], ids=repr)
def test_the_hint_for_a_path_of_the_wrong_type_shows_the_right_types(path: Any) -> None:
    assert refused_path(path).hint == "Use a string such as '/api/*', or re.compile(…)."


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("enforce", ["yes", 1, None]),
        ("check_websockets", ["no", 0, None]),
        ("policy_for", [5, "x"]),
        ("on_decision", [5]),
        ("paths", [5, "/a", ["/a"]]),
    ],
)
def test_the_hint_for_an_option_of_the_middleware_is_accepted(option: str, values: list[Any]) -> None:
    for value in values:
        options = {**ONE, option: value}
        with pytest.raises(ConfigError) as caught:
            CORSMiddleware(lambda *_: None, **options)
        (found,) = caught.value.issues
        CORSMiddleware(lambda *_: None, **follow(options, found))


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"enforce": 0}, "Write enforce=False."),
        ({"enforce": ""}, "Write enforce=False."),
        ({"enforce": "Report"}, "Write enforce='report'."),
        ({"enforce": ["report"]}, "Write enforce='report'."),
        ({"check_websockets": 0}, "Write check_websockets=False."),
        ({"check_websockets": None}, "Write check_websockets=True."),
        ({"csrf_protection": "log"}, "Write csrf_protection='report'."),
        ({"csrf_protection": "POST"}, "Write csrf_protection=True."),
        ({"csrf_trusted_origins": ".example.com"}, "Write 'https://*.example.com'."),
        ({"csrf_trusted_origins": "/payments/*"}, "Name the origin, as in 'https://app.example.com'."),
        ({"allowed_hosts": "https://.example.com"}, "Write '*.example.com'."),
        ({"allowed_hosts": False}, "Write allowed_hosts=None for any host."),
        ({"allowed_hosts": '["a.com","b.com"]'}, "Write ['a.com', 'b.com']."),
        ({"allowed_hosts": "['a.com']"}, "Write ['a.com']."),
        ({"allowed_hosts": "10.0.0.0/8"}, "Name each address, or let the proxy send a host name."),
        ({"paths": {"/a": {"allowed_hosts": "a.com"}}}, "Write CORSMiddleware(app, allowed_hosts=…)."),
        ({"report_only": {"enforce": True}}, "Write CORSMiddleware(app, enforce=…)."),
        ({"on_decision": DecisionMetrics}, "Write DecisionMetrics(…), an object of the class."),
    ],
    ids=repr,
)
def test_a_hint_says_what_is_probably_meant(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(lambda *_: None, **{**ONE, **options})
    (found,) = caught.value.issues
    assert found.hint == hint


class AsyncCounter:
    async def __call__(self, decision: object, scope: object) -> None:
        """Count nothing, because it is not awaited."""


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda _: None, "can't be called with two arguments, the decision and the scope"),
        (AsyncCounter(), "is not a synchronous callable"),
    ],
    ids=["one argument", "async"],
)
def test_on_decision_is_checked_before_the_first_request(function: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        CORSMiddleware(lambda *_: None, **ONE, on_decision=function)


@pytest.mark.parametrize("value", [5, "*", True, {1: 2}, []], ids=repr)
def test_the_hint_for_an_invalid_policy_of_a_path_shows_a_valid_one(value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(lambda *_: None, **ONE, paths={"/a": value})
    (found,) = caught.value.issues
    assert "{'max_age': 60}" in found.hint
    CORSMiddleware(lambda *_: None, **ONE, paths={"/a": {"max_age": 60}})


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: Policy.from_mapping({1: 2}), "Use a mapping with these keys: allow_origins, "),
        (lambda: Policy(allow_origins=[len]).to_mapping(), "Write the other options in the mapping"),
        (
            lambda: Policy(allow_origin_regex=re.compile(r"https://a\.com", re.IGNORECASE)).to_mapping(),
            "Write them inside",
        ),
        (lambda: CORSMiddleware(len, Policy(**ONE), max_age=5), "Write policy.replace"),
        (
            lambda: CORSMiddleware(len, CORSMiddleware(len, **ONE).configuration, max_age=5),
            "Write configuration.reconf",
        ),
    ],
    ids=["a mapping", "a callable as text", "flags as text", "a policy and options", "a configuration and options"],
)
def test_other_mistakes_have_hints(call: Any, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call()
    assert caught.value.issues[0].hint.startswith(hint)


async def later(_: str) -> bool:
    """Return whether an origin is allowed, asynchronously."""
    return True


async def one_by_one() -> AsyncIterator[str]:
    """Yield an origin."""
    yield "https://a.com"


async def as_list() -> list[str]:
    """Return the list."""
    return [origin async for origin in one_by_one()]


# The code of a mistake, the call, and the same call as its hint says.
SOURCES_OF_ORIGINS: list[tuple[str, Callable[[], object], str, Callable[[], object]]] = [
    (
        "async-in-thread",
        lambda: Cached(later, thread=True),
        "Leave out thread=True.",
        lambda: Cached(later),
    ),
    (
        "async-key",
        lambda: Tenants(later, later),
        "Use a function made with def.",
        lambda: Tenants(lambda _: None, later),
    ),
    (
        "async-generator",
        lambda: Loaded(one_by_one),
        "Return a list: [origin async for origin in …].",
        lambda: Loaded(as_list),
    ),
]


@pytest.mark.parametrize(
    ("code", "call", "hint", "corrected"), SOURCES_OF_ORIGINS, ids=[row[0] for row in SOURCES_OF_ORIGINS]
)
def test_the_hint_for_a_source_of_origins_is_accepted(
    code: str, call: Callable[[], object], hint: str, corrected: Callable[[], object]
) -> None:
    with pytest.raises(ConfigError) as caught:
        call()
    (found,) = caught.value.issues
    assert (found.code, found.hint) == (code, hint)
    corrected()


def codes() -> set[str]:
    """Return the codes of all mistakes in the source of the core, except those of regular expressions."""
    files = (*SOURCES.glob("_*.py"), *SOURCES.glob("_*/**/*.py"))
    text = "".join(file.read_text("utf-8") for file in files)
    made = re.findall(r"(?:Issue|Problem|cls|\.add|\.warn)\(\s*f?\"([a-z]+(?:-[a-z{}]+)+)\"", text)
    origin_codes = [f"origin-{part}" for part in ("path", "query", "fragment")]
    return {code for code in (*made, *origin_codes) if "{" not in code and not code.startswith("regex-")}


# The codes of mistakes that have tests of their own, and of warnings.
ELSEWHERE = {
    *("positional-options", "wrong-app", "unknown-variable", "not-boolean", "not-number", "not-json"),
    *("policy-and-options", "configuration-and-options", "not-text", "bad-path", "unknown-option", "redundant-entry"),
    *("expose-any-with-credentials", "null-allowed", "nothing-allowed", "private-network", "paths-tie"),
    *("long-max-age", "lower-case-patch", "forbidden-header", "response-header", "origin-not-data"),
    *("async-generator", "async-key", "async-in-thread", "decorator-without-options"),
    *("null-not-trusted", "timing-without-origins", "no-hosts", "host-leading-dot", "host-url"),
}


def test_every_code_has_a_row_whose_hint_is_followed() -> None:
    found = {each.code for _, entry in ENTRIES for each in found_in(Policy, allow_origins=[entry])}
    found |= {each.code for option, value in CASES for each in found_in(Policy, **{**ONE, option: value})}
    found |= {code for code, *_ in SOURCES_OF_ORIGINS}
    assert codes() - found - ELSEWHERE == set()
    assert len(found) > 30


def test_the_correction_of_a_hint_is_a_value_or_keywords_or_nothing() -> None:
    assert correction("Write 'a' or b.") == "a"
    assert correction("Write max_age=0 to disable caching.") == Keywords(max_age=0)
    assert correction("Write ['a'].") == ["a"]
    assert correction("Name each header.") is correction("Write the options as keywords.") is NOTHING
