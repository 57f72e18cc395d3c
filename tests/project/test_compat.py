"""The names of PyPI's asgi-cors: asgi_cors() and asgi_cors_decorator(), with the same keywords."""

from typing import Any

import pytest

from asgi_cors import ConfigError, asgi_cors, asgi_cors_decorator
from tests.support.apps import App
from tests.support.browser_checks import passes_cors_check
from tests.support.clients import Response, call_asgi, http_scope
from tests.support.event_loops import run_asyncio
from tests.support.expected import APP, EVIL, FREE, OWN, SAFE, VARY, granted, origin_line

pytestmark = pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")


async def by_scheme(origin: str) -> bool:
    """Allow origins such as https://app.example.com, from an async callback."""
    return origin.startswith("https://app.")


def get(app: Any, origin: str | None) -> Response:
    """Send GET / from an origin."""
    return call_asgi(app, http_scope("GET", "/", [] if origin is None else [("origin", origin)]), run_asyncio)


def preflight(app: Any, origin: str, method: str, headers: str = "") -> Response:
    """Send a preflight from an origin."""
    fields = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    ]
    return call_asgi(app, http_scope("OPTIONS", "/", fields))


# behaviour, keywords, origins allowed, origins refused
ROWS: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    ("allow_all allows every origin", {"allow_all": True}, [APP, EVIL], []),
    ("nothing allows none", {}, [], [APP, EVIL]),
    (
        "hosts are exact origins",
        {"hosts": [APP, "https://b.example.com"]},
        [APP, "https://b.example.com"],
        [EVIL, "https://x.b.example.com"],
    ),
    ("hosts may be bytes", {"hosts": [APP.encode()]}, [APP], [EVIL]),
    (
        "a star in a host is one or more labels",
        {"host_wildcards": ["http://*.example.com"]},
        ["http://a.example.com", "http://a.b.example.com"],
        ["http://example.com", "https://a.example.com", "http://a.example.com.evil.net"],
    ),
    (
        "a star in a port is any digits",
        {"host_wildcards": ["http://localhost:800*"]},
        ["http://localhost:8000", "http://localhost:8009"],
        ["http://localhost:9000", "http://localhost", "http://localhost:80"],
    ),
    ("a star as the whole wildcard is every origin", {"host_wildcards": ["*"]}, [APP, EVIL], []),
    ("wildcards may be bytes", {"host_wildcards": [b"https://*.example.com"]}, [APP], [EVIL]),
    (
        "hosts and wildcards may be combined",
        {"hosts": [EVIL], "host_wildcards": ["https://*.example.com"]},
        [APP, EVIL],
        ["https://c.example.org"],
    ),
    ("the argument of a callback is a str", {"callback": lambda origin: origin.endswith("example.com")}, [APP], [EVIL]),
    ("an async callback is awaited", {"callback": by_scheme}, [APP], [EVIL]),
    (
        "a callback is called for origins that hosts do not have",
        {"hosts": [EVIL], "callback": by_scheme},
        [APP, EVIL],
        ["https://c.example.org"],
    ),
]


@pytest.mark.parametrize(("keywords", "allowed", "refused"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("form", ["function", "decorator"])
def test_the_same_origins_are_allowed_as_by_the_other_package(
    form: str, keywords: dict[str, Any], allowed: list[str], refused: list[str]
) -> None:
    app = App().asgi
    wrapped = asgi_cors(app, **keywords) if form == "function" else asgi_cors_decorator(**keywords)(app)
    assert [origin for origin in allowed if not passes_cors_check(get(wrapped, origin), origin)] == []
    assert [origin for origin in refused if passes_cors_check(get(wrapped, origin), origin)] == []


def test_allow_all_sends_the_wildcard_also_without_origin() -> None:
    assert get(asgi_cors(App().asgi, allow_all=True), None).lines == sorted([OWN, origin_line("*")])


def test_a_response_that_depends_on_the_origin_has_vary() -> None:
    """The other package sends none."""
    assert get(asgi_cors(App().asgi, hosts=[APP]), APP).lines == sorted([OWN, VARY, origin_line(APP)])


def test_a_preflight_gets_the_configured_methods_headers_and_max_age() -> None:
    """The other package passes preflights to the app."""
    app = asgi_cors(
        App().asgi, hosts=[APP], methods=["GET", "OPTIONS", "PUT"], headers=["Authorization", b"X-Id"], max_age=60
    )
    assert preflight(app, APP, "PUT", "x-id").lines == granted(
        APP, f"{SAFE}, OPTIONS, PUT", f"{FREE}, authorization, x-id", 60
    )


def test_max_age_is_sent_as_bytes() -> None:
    """The other package sends a str, which servers refuse."""
    response = preflight(asgi_cors(App().asgi, allow_all=True, max_age=3600), APP, "GET")
    assert response.messages[0]["headers"].count((b"access-control-max-age", b"3600")) == 1


@pytest.mark.parametrize(
    "keywords",
    [{"hosts": [f"{APP}/"]}, {"host_wildcards": ["https://*.example.com/"]}, {"hosts": ["example.com"]}],
    ids=str,
)
def test_a_host_that_is_not_an_origin_is_refused(keywords: dict[str, Any]) -> None:
    """The other package raises an AssertionError, for a slash at the end only."""
    with pytest.raises(ConfigError):
        asgi_cors(App().asgi, **keywords)


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(TypeError):
        asgi_cors(App().asgi, allow_origins="*")


def test_positional_arguments_have_the_order_of_the_other_package() -> None:
    assert get(asgi_cors(App().asgi, False, [APP]), APP).lines == sorted([OWN, VARY, origin_line(APP)])
