"""WebSocket handshakes. Browsers do not apply CORS to them."""

from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy
from tests.support.apps import App
from tests.support.clients import Response, call_asgi, websocket_scope
from tests.support.event_loops import RUNNERS
from tests.support.expected import APP, EVIL
from tests.support.policies import policy_without_warnings

RESPONSE_EXTENSION = {"websocket.http.response": {}}
ONE: dict[str, Any] = {"allow_origins": APP}
CREDENTIALED: dict[str, Any] = {**ONE, "allow_credentials": True}
ANY: dict[str, Any] = {"allow_origins": "*"}


def shake(
    options: dict[str, Any], headers: list[tuple[str, str]], *, extension: bool = True, path: str = "/", **more: Any
) -> tuple[Response, App]:
    """Send one handshake, with the server's own Host unless `fields` has another."""
    app = App()
    if not any(name == "host" for name, _ in headers):
        headers = [("host", "api.example.com"), *headers]
    scope = websocket_scope(path, headers, extensions=RESPONSE_EXTENSION if extension else {})
    return call_asgi(CORSMiddleware(app.asgi, **options, **more), scope), app


COOKIE, AUTHORIZATION = ("cookie", "a=1"), ("authorization", "Bearer x")
SELF = "https://api.example.com"

# behaviour, options, headers
ACCEPTED: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("an allowed origin without credentials", ONE, [("origin", APP)]),
    ("an allowed origin with a cookie under allow_credentials", CREDENTIALED, [("origin", APP), COOKIE]),
    ("an allowed origin with Authorization under allow_credentials", CREDENTIALED, [("origin", APP), AUTHORIZATION]),
    ("any origin without credentials under *", ANY, [("origin", EVIL)]),
    ("no Origin", ONE, []),
    ("no Origin with a cookie", ONE, [COOKIE]),
    ("the same origin by Host", ONE, [("origin", SELF)]),
    ("the same origin by Host with a cookie", ONE, [("origin", SELF), COOKIE]),
    (
        "the same origin by Host, whose port is the default of the origin's scheme",
        ONE,
        [("origin", SELF), ("host", "api.example.com:443")],
    ),
    ("the same origin by Host over http", ONE, [("origin", "http://api.example.com")]),
    ("the same origin by Host with a port", ONE, [("origin", f"{SELF}:8443"), ("host", "api.example.com:8443")]),
    ("the same origin by an IPv6 Host", ONE, [("origin", "http://[::1]:8000"), ("host", "[::1]:8000")]),
    ("the same origin by an IPv6 Host without port", ONE, [("origin", "http://[::1]"), ("host", "[::1]")]),
    (
        "the same origin by Sec-Fetch-Site, whatever Host is",
        ONE,
        [("origin", EVIL), ("host", "10.0.0.1:8000"), ("sec-fetch-site", "same-origin")],
    ),
    ("a request by the user (Sec-Fetch-Site: none)", ONE, [("origin", EVIL), ("sec-fetch-site", "none")]),
    ("an opaque origin with Sec-Fetch-Site: same-origin", ONE, [("origin", "null"), ("sec-fetch-site", "same-origin")]),
]


@pytest.mark.parametrize(("options", "headers"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
@pytest.mark.parametrize("extension", [True, False], ids=["response extension", "close only"])
def test_an_allowed_handshake_reaches_the_app(
    options: dict[str, Any], headers: list[tuple[str, str]], extension: bool
) -> None:
    """The app's messages pass unchanged."""
    response, app = shake(options, headers, extension=extension)
    assert (response.messages, response.raised, len(app.seen)) == ([{"type": "websocket.accept"}], None, 1)
    assert shake(options, [("origin", EVIL), COOKIE], extension=extension)[1].seen == []


# behaviour, options, headers, a text in the reason
REFUSED: list[tuple[str, dict[str, Any], list[tuple[str, str]], str]] = [
    ("another origin", ONE, [("origin", EVIL)], "api.example.com"),
    ("another origin under credentials", CREDENTIALED, [("origin", EVIL), COOKIE], "api.example.com"),
    ("null", CREDENTIALED, [("origin", "null")], "api.example.com"),
    ("a cookie without allow_credentials", ONE, [("origin", APP), COOKIE], "allow_credentials"),
    ("Authorization without allow_credentials", ONE, [("origin", APP), AUTHORIZATION], "allow_credentials"),
    ("a cookie from any origin under an anonymous *", ANY, [("origin", EVIL), COOKIE], "allow_credentials"),
    ("two Origin headers", ONE, [("origin", APP), ("origin", APP)], ""),
    ("an invalid origin", ONE, [("origin", "https://a b")], ""),
    ("an empty Origin", ONE, [("origin", "")], ""),
    ("a port that differs from Host's", ONE, [("origin", f"{SELF}:8443")], "api.example.com"),
    (
        "the default port of another scheme",
        ONE,
        [("origin", "http://api.example.com"), ("host", "api.example.com:443")],
        "api.example.com:443",
    ),
    ("a host that only begins like Host", ONE, [("origin", f"{SELF}.evil.net")], "api.example.com"),
    (
        "Sec-Fetch-Site: cross-site, although Host is equal",
        ONE,
        [("origin", SELF), ("sec-fetch-site", "cross-site")],
        "",
    ),
    (
        "Sec-Fetch-Site: same-site, although Host is equal",
        ONE,
        [("origin", SELF), ("sec-fetch-site", "same-site")],
        "",
    ),
    ("an empty Host", ONE, [("origin", SELF), ("host", "")], ""),
    ("two Host headers", ONE, [("origin", SELF), ("host", "api.example.com"), ("host", "x.example.com")], ""),
]


@pytest.mark.parametrize(("options", "headers", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_refused_handshake_gets_403_with_the_reason_or_a_close(
    options: dict[str, Any], headers: list[tuple[str, str]], text: str
) -> None:
    """The server closes it if it does not support `websocket.http.response`."""
    response, app = shake(options, headers)
    assert [message["type"] for message in response.messages] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert (response.status, len(app.seen)) == (403, 0)
    assert response.values("content-type")[0].startswith("text/plain")
    assert response.cors == []
    assert response.body
    assert text in response.body.decode()
    response, app = shake(options, headers, extension=False)
    assert [message["type"] for message in response.messages] == ["websocket.close"]
    assert app.seen == []


@pytest.mark.parametrize(("options", "headers"), [row[1:3] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_check_websockets_false_allows_every_handshake(options: dict[str, Any], headers: list[tuple[str, str]]) -> None:
    checked, unchecked = shake(options, headers), shake(options, headers, check_websockets=False)
    assert (len(checked[1].seen), len(unchecked[1].seen)) == (0, 1)
    assert unchecked[0].messages == [{"type": "websocket.accept"}]


def test_a_server_without_extensions_gets_the_close() -> None:
    scope = websocket_scope("/", [("origin", EVIL)])
    assert [message["type"] for message in call_asgi(CORSMiddleware(App().asgi, **ONE), scope).messages] == [
        "websocket.close"
    ]


def test_null_with_credentials_is_accepted_if_dangerously_allowed() -> None:
    policy = policy_without_warnings(
        allow_origins="null", allow_credentials=True, dangerously_allow="credentials-from-null"
    )
    response = call_asgi(CORSMiddleware(App().asgi, policy), websocket_scope("/", [("origin", "null"), COOKIE]))
    assert response.messages == [{"type": "websocket.accept"}]


def test_the_refusal_names_the_host_received() -> None:
    """Without Sec-Fetch-Site, that Host was compared."""
    response, _ = shake(ONE, [("origin", EVIL), ("host", "api.example.com")])
    assert "api.example.com" in response.body.decode()


@pytest.mark.parametrize(
    ("host", "is_internal"),
    [
        ("127.0.0.1:8000", True),
        ("localhost:8000", True),
        ("10.0.0.7:80", True),
        ("backend:8000", True),
        ("api.example.com", False),
    ],
)
def test_the_refusal_names_the_proxy_setting_if_host_looks_internal(host: str, is_internal: bool) -> None:
    response, _ = shake(ONE, [("origin", EVIL), ("host", host)])
    assert ("proxy_set_header Host $host" in response.body.decode()) is is_internal


def test_the_messages_of_an_accepted_handshake_pass_unchanged() -> None:
    """Also the headers of the accept, and data in both directions."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope
        assert await receive() == {"type": "websocket.connect"}
        await send(accept)
        await send(data)

    accept = {"type": "websocket.accept", "headers": [(b"access-control-allow-origin", b"x")]}
    data = {"type": "websocket.send", "bytes": b"1"}
    messages = call_asgi(CORSMiddleware(app, **ONE), websocket_scope("/", [("origin", APP)])).messages
    assert messages == [accept, data]
    assert messages[0] is accept


def test_the_apps_own_refusal_of_a_handshake_gets_no_cors_header() -> None:
    """Browsers ignore CORS headers there."""
    start = {"type": "websocket.http.response.start", "status": 404, "headers": [(b"x-a", b"1")]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send(start)

    assert call_asgi(CORSMiddleware(app, **ONE), websocket_scope("/", [("origin", APP)])).messages == [start]


def test_an_exception_of_the_app_during_a_handshake_is_raised_on() -> None:
    error = RuntimeError()
    response = call_asgi(CORSMiddleware(App(raises=error).asgi, **ONE), websocket_scope("/", [("origin", APP)]))
    assert (response.raised, response.messages) == (error, [])


@pytest.mark.parametrize(
    ("path", "accepted"), [("/chat", False), ("/public", True), ("/raw", True), ("/partner", True)]
)
def test_a_handshake_is_checked_by_the_policy_of_its_path(path: str, accepted: bool) -> None:
    """None passes every handshake through."""
    paths = {"/public": Policy(allow_origins="*"), "/raw": None, "/partner": {"allow_origins": EVIL}}
    _, app = shake(ONE, [("origin", EVIL)], path=path, paths=paths)
    assert bool(app.seen) is accepted


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_a_handshake_is_checked_by_callables(run: Any) -> None:
    middleware = CORSMiddleware(App().asgi, allow_origins=[lambda origin: origin == APP])
    accepted = call_asgi(middleware, websocket_scope("/", [("origin", APP)]), run)
    refused = call_asgi(middleware, websocket_scope("/", [("origin", EVIL)]), run)
    assert [response.messages[0]["type"] for response in (accepted, refused)] == ["websocket.accept", "websocket.close"]


def test_both_of_two_nested_middlewares_must_allow_a_handshake() -> None:
    app = App()
    both = CORSMiddleware(CORSMiddleware(app.asgi, allow_origins=[APP]), allow_origins=[APP, EVIL])
    kinds = [call_asgi(both, websocket_scope("/", [("origin", origin)])).messages[0]["type"] for origin in (APP, EVIL)]
    assert (kinds, len(app.seen)) == (["websocket.accept", "websocket.close"], 1)


def test_a_handshake_with_an_ambiguous_path_is_refused() -> None:
    paths = {"/open/*": Policy(allow_origins="*"), "/raw": None}
    for path in ("/open/../chat", "/open/../raw"):
        response, app = shake(ONE, [("origin", APP)], path=path, paths=paths)
        assert (response.status, app.seen) == (403, [])


def test_on_decision_is_called_for_handshakes() -> None:
    seen: list[Any] = []
    for headers in ([("origin", EVIL)], [("origin", APP), COOKIE]):
        shake(ONE, headers, on_decision=lambda decision, scope: seen.append((decision.reason, scope["type"])))
    assert seen == [("MissingAllowOriginHeader", "websocket"), ("CredentialsNotAllowed", "websocket")]


async def test_a_handshake_is_refused_without_waiting_for_its_connect_message() -> None:
    """Some test clients never send it."""
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await CORSMiddleware(App().asgi, **ONE)(websocket_scope("/", [("origin", EVIL)]), receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
