"""`enforce` for handshakes, and for requests that several policies may serve."""

import re
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, websocket_scope
from tests.support.expected import APP, EVIL

HOST = ("host", "api.example.com")
SELF = "https://api.example.com"


@pytest.mark.parametrize("check", [True, False], ids=["checked", "not checked"])
@pytest.mark.parametrize(
    ("origin", "accepted"),
    [(APP, True), (EVIL, False), (SELF, True), (None, True), ("null", False)],
    ids=["allowed", "refused", "the same origin", "no Origin", "opaque"],
)
def test_enforce_refuses_handshakes_whether_they_are_checked_or_not(
    check: bool, origin: str | None, accepted: bool
) -> None:
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, enforce=True, check_websockets=check)
    headers = [HOST] if origin is None else [HOST, ("origin", origin)]
    scope = websocket_scope("/", headers, extensions={"websocket.http.response": {}})
    response = call_asgi(middleware, scope)
    if accepted:
        assert response.messages == [{"type": "websocket.accept"}]
    else:
        assert (response.status, response.values("cache-control")) == (403, ["no-store"])


def test_a_handshake_with_an_ambiguous_path_is_refused_by_the_check_but_not_by_enforce_if_all_policies_allow() -> None:
    paths: dict[Any, Any] = {"/a": {"allow_origins": [APP, EVIL]}}
    scope = websocket_scope("/./a", [HOST, ("origin", APP)])
    for options, kind in (
        ({"check_websockets": False, "enforce": True}, "websocket.accept"),
        ({"enforce": True}, "websocket.close"),
        ({}, "websocket.close"),
    ):
        middleware = CORSMiddleware(App().asgi, allow_origins=APP, paths=paths, **options)
        assert call_asgi(middleware, dict(scope)).messages[0]["type"] == kind
    evil = websocket_scope("/./a", [HOST, ("origin", EVIL)])
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, paths=paths, check_websockets=False, enforce=True)
    assert call_asgi(middleware, evil).messages[0]["type"] == "websocket.close"


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_enforce_checks_both_policies_of_one_rank(interface: str) -> None:
    """A None of the same rank does not exempt the request."""
    one, both = Policy(allow_origins=APP), Policy(allow_origins=[APP, EVIL])
    paths: dict[Any, Any] = {re.compile("/[a-z]+"): both, re.compile("/[b-z]+"): one, re.compile("/[x-z]+"): None}
    client = Client(interface, App(), allow_origins=APP, enforce=True, paths=paths)
    sent = {
        (path, origin): client.request("POST", path, origin=origin, headers=[HOST]).status
        for path in ("/a", "/b", "/x")
        for origin in (APP, EVIL)
    }
    refused = [request for request, status in sent.items() if status == 403]
    assert refused == [("/b", EVIL), ("/x", EVIL)]
    assert client.request(path="/x", origin=APP).cors == []
