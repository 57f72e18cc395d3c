"""Which requests are same-origin: one table for `enforce` under ASGI and WSGI, and for handshakes."""

from typing import Any

import pytest

from asgi_cors import CORSMiddleware, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import call_asgi, call_wsgi, http_scope, websocket_scope, wsgi_environ
from tests.support.expected import APP

OPTIONS: dict[str, Any] = {"allow_origins": APP, "enforce": True}
HTTPS, HTTP = "https://api.example.com", "http://api.example.com"
HOST = ("host", "api.example.com")

# behaviour, whether the server was reached by TLS, the headers, whether the request is same-origin
ROWS: list[tuple[str, bool, list[tuple[str, str]], bool]] = [
    ("an https page of Host", True, [("origin", HTTPS), HOST], True),
    ("an https page of Host, behind a proxy that ends TLS", False, [("origin", HTTPS), HOST], True),
    ("an http page of Host over http", False, [("origin", HTTP), HOST], True),
    ("an http page of Host over https", True, [("origin", HTTP), HOST], False),
    ("an http page of Host with https's port", True, [("origin", f"{HTTP}:443"), ("host", f"{HOST[1]}:443")], False),
    ("an http page with Sec-Fetch-Site: none", True, [("origin", HTTP), HOST, ("sec-fetch-site", "none")], True),
    ("Host in upper case", True, [("origin", HTTPS), ("host", "API.Example.COM")], True),
    ("Host with the default port", True, [("origin", HTTPS), ("host", "api.example.com:443")], True),
    (
        "Host with the default port of http",
        True,
        [("origin", HTTPS), ("host", "api.example.com:80")],
        False,
    ),
    ("Host with an empty port", True, [("origin", HTTPS), ("host", "api.example.com:")], True),
    ("Host and Origin with a port", True, [("origin", f"{HTTPS}:8443"), ("host", "api.example.com:8443")], True),
    ("only Origin with a port", True, [("origin", f"{HTTPS}:8443"), HOST], False),
    ("another host", True, [("origin", "https://www.example.com"), HOST], False),
    ("another scheme than http and https", False, [("origin", "capacitor://localhost"), ("host", "localhost")], False),
    ("a browser extension whose id is the host", True, [("origin", "chrome-extension://api.example.com"), HOST], False),
    ("null", True, [("origin", "null"), ("host", "null")], False),
    ("no Host", True, [("origin", HTTPS)], False),
    ("an empty Host", True, [("origin", HTTPS), ("host", "")], False),
    ("two lines of Host", True, [("origin", HTTPS), HOST, HOST], False),
    ("two lines of Host, one empty", True, [("origin", HTTPS), HOST, ("host", "")], False),
    ("a long Host", True, [("origin", HTTPS), ("host", "api.example.com" + ":0" * 5000)], False),
    ("Sec-Fetch-Site: same-origin", True, [("origin", APP + ".x"), ("sec-fetch-site", "same-origin")], True),
    (
        "Sec-Fetch-Site: same-origin from an opaque origin",
        True,
        [("origin", "null"), ("sec-fetch-site", "same-origin")],
        True,
    ),
    (
        "Sec-Fetch-Site: same-site, although Host is equal",
        True,
        [("origin", HTTPS), HOST, ("sec-fetch-site", "same-site")],
        False,
    ),
    (
        "Sec-Fetch-Site: cross-site, although Host is equal",
        True,
        [("origin", HTTPS), HOST, ("sec-fetch-site", "cross-site")],
        False,
    ),
    ("an unknown Sec-Fetch-Site", True, [("origin", HTTPS), HOST, ("sec-fetch-site", "x")], False),
    ("an empty Sec-Fetch-Site", True, [("origin", HTTPS), HOST, ("sec-fetch-site", "")], False),
    ("two lines of Sec-Fetch-Site", True, [("origin", HTTPS), HOST, *[("sec-fetch-site", "same-origin")] * 2], False),
]


@pytest.mark.parametrize(("tls", "headers", "same"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_same_origin_request_passes_enforce_and_the_handshake_check(
    tls: bool, headers: list[tuple[str, str]], same: bool
) -> None:
    """Any other request is refused."""
    scheme = "https" if tls else "http"
    asgi = call_asgi(CORSMiddleware(App().asgi, **OPTIONS), http_scope("POST", "/", headers, scheme=scheme))
    environ = {**wsgi_environ("POST", "/", headers), "wsgi.url_scheme": scheme}
    wsgi = call_wsgi(WSGIMiddleware(App().wsgi, **OPTIONS), environ)
    scope = websocket_scope("/", headers, scheme="wss" if tls else "ws")
    handshake = call_asgi(CORSMiddleware(App().asgi, **OPTIONS), scope)
    accepted = handshake.messages[0]["type"] == "websocket.accept"
    assert (asgi.status, wsgi.status, accepted) == ((200, 200, True) if same else (403, 403, False))


def test_a_scope_without_a_scheme_is_http() -> None:
    """The scheme is optional in ASGI."""
    scope = http_scope("POST", "/", [("origin", HTTP), HOST])
    del scope["scheme"]
    assert call_asgi(CORSMiddleware(App().asgi, **OPTIONS), scope).status == 200


def test_the_log_names_the_host_of_a_refused_handshake(caplog: pytest.LogCaptureFixture) -> None:
    """Without the response extension, the client gets no reason."""
    caplog.set_level("INFO", logger="asgi_cors")
    for origin in ("https://evil.example.net", "http://app.example.com"):
        call_asgi(CORSMiddleware(App().asgi, **OPTIONS), websocket_scope("/", [("origin", origin), HOST]))
    first, second = (record.getMessage() for record in caplog.records)
    assert "The Host received is 'api.example.com'." in first
    assert "Did you mean 'https://app.example.com'?" in second
    assert "The Host received is 'api.example.com'." in second
