"""`Configuration(before_request=…)`: a function that may change the configuration before a request is evaluated."""

import pytest

from asgi_cors import Configuration, CORSMiddleware, WSGIMiddleware
from tests.support.clients import call_asgi, call_wsgi, http_scope, websocket_scope, wsgi_environ

PAGE, OTHER = "https://app.example.com", "https://other.example"


async def asgi_app(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})


def wsgi_app(environ, start_response):
    start_response("200 OK", [])
    return []


def allowed_by_asgi(configuration, method, headers):
    return call_asgi(CORSMiddleware(asgi_app, configuration), http_scope(method, "/", headers)).cors


def allowed_by_wsgi(configuration, method, headers):
    return call_wsgi(WSGIMiddleware(wsgi_app, configuration), wsgi_environ(method, "/", headers)).cors


@pytest.mark.parametrize("allowed", [allowed_by_asgi, allowed_by_wsgi], ids=["ASGI", "WSGI"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_change_before_a_request_applies_although_its_response_is_cached(allowed, method):
    origins = []
    configuration = Configuration(
        allow_origins=PAGE, before_request=lambda: origins and configuration.reconfigure(allow_origins=origins)
    )
    headers = [("origin", PAGE), ("access-control-request-method", "GET")]
    for _ in range(2):
        assert f"access-control-allow-origin: {PAGE}" in allowed(configuration, method, headers)
    origins.append(OTHER)
    assert f"access-control-allow-origin: {PAGE}" not in allowed(configuration, method, headers)


def test_a_change_before_a_handshake_applies_to_it():
    configuration = Configuration(
        allow_origins=PAGE, before_request=lambda: configuration.reconfigure(allow_origins=OTHER)
    )
    answers = [
        call_asgi(
            CORSMiddleware(asgi_app, configuration), websocket_scope("/", [("host", "api.test"), ("origin", origin)])
        )
        for origin in (PAGE, OTHER)
    ]
    assert [response.messages[0]["type"] for response in answers] == ["websocket.close", "websocket.accept"]


def test_an_error_in_before_request_is_logged_and_fails_no_request(serve, caplog):
    def fail():
        raise RuntimeError("no file")

    client = serve(Configuration(allow_origins=PAGE, before_request=fail))
    assert client.request(origin=PAGE).cors == [f"access-control-allow-origin: {PAGE}"]
    assert "before_request raised: RuntimeError: 'no file'" in caplog.text
