"""`allowed_hosts` with `enforce=True`: the rule of the Model Context Protocol's transport, with its reference SDK."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import mcp
import pytest
from mcp.server.transport_security import TransportSecuritySettings

from asgi_cors import CORSMiddleware

from .apis import mcp_recipe
from .apis.mcp import build
from .serving import Recorder, serving

PAGE = "https://inspector.example"
HOSTS = ["localhost:*", "127.0.0.1:*"]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@dataclass
class Server:
    """A running server, and a record of the requests that its app got."""

    origin: str
    app: Recorder

    @property
    def port(self) -> str:
        return self.origin.rpartition(":")[2]

    def send(self, method: str, headers: dict[str, str]) -> int:
        """Send a request with exactly these headers, in which PORT is the server's, and return the status."""
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc, timeout=20)
        body = json.dumps(INITIALIZE) if method == "POST" else ""
        connection.putrequest(method, "/mcp", skip_host=True, skip_accept_encoding=True)
        common = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        for name, value in {**common, "Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value.replace("PORT", self.port))
        connection.endheaders(body.encode())
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture(scope="module")
def ours() -> Iterator[Server]:
    """Serve the SDK's app without its checks, behind the middleware."""
    app = Recorder(build())
    protected = CORSMiddleware(app, allow_origins=[PAGE], presets=["mcp"], allowed_hosts=HOSTS, enforce=True)
    with serving(protected) as origin:
        yield Server(origin, app)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Server]:
    """Serve the SDK's app with its own checks of the same hosts and origins."""
    app = Recorder(build(TransportSecuritySettings(allowed_hosts=HOSTS, allowed_origins=[PAGE])))
    with serving(app) as origin:
        yield Server(origin, app)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
async def test_the_sdks_client_calls_a_tool(ours, mode, version, host):
    async with mcp.Client(f"http://{host}:{ours.port}/mcp", mode=mode) as client:
        assert client.protocol_version == version
        assert [tool.name for tool in (await client.list_tools()).tools] == ["add"]
        result = await client.call_tool("add", {"left": 2, "right": 3})
        assert [part.text for part in result.content] == ["5"]


PASSES = 200
LOOPBACK = {"Host": "127.0.0.1:PORT"}
REBOUND = {"Host": "attacker.example:PORT"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
# The status of the middleware, and that of the SDK's own checks
REQUESTS = {
    "a client that is not a browser": (LOOPBACK, PASSES, PASSES),
    "a client that is not a browser, by name": ({"Host": "localhost:PORT"}, PASSES, PASSES),
    "an allowed page": ({**LOOPBACK, **CROSS_SITE, "Origin": PAGE}, PASSES, PASSES),
    "a page after rebinding": ({**REBOUND, **SAME_ORIGIN, "Origin": "http://attacker.example:PORT"}, 421, 421),
    "a page after rebinding, without Origin": ({**REBOUND, **SAME_ORIGIN}, 421, 421),
    "a page after rebinding, of an allowed origin": ({**REBOUND, **CROSS_SITE, "Origin": PAGE}, 421, 421),
    "a rebound page that forges X-Forwarded-Host": ({**REBOUND, "X-Forwarded-Host": "localhost:PORT"}, 421, 421),
    "a host that begins with an allowed one": ({"Host": "localhost.attacker.example:PORT"}, 421, 421),
    "an address that is not in the list": ({"Host": "[::1]:PORT"}, 421, 421),
    "a page of another site": ({**LOOPBACK, **CROSS_SITE, "Origin": "https://attacker.example"}, 403, 403),
    "a page of another port of loopback": ({**LOOPBACK, "Origin": "http://localhost:5173"}, 403, 403),
    "a sandboxed page": ({**LOOPBACK, **CROSS_SITE, "Origin": "null"}, 403, 403),
}
# A host doesn't depend on letter case (RFC 9110, 4.2.3), and the server's own origin needs no entry. The SDK compares
# text, so that a client's `localhost:x` begins with an allowed one. `:*` means any port or none.
DIFFERENCES = {
    "a host in capitals": ({"Host": "LocalHost:PORT"}, PASSES, 421),
    "a host without a port": ({"Host": "localhost"}, PASSES, 421),
    "the server's own page": ({**LOOPBACK, **SAME_ORIGIN, "Origin": "http://127.0.0.1:PORT"}, PASSES, 403),
    "an empty Origin": ({**LOOPBACK, "Origin": ""}, 403, PASSES),
    "a port that is not a number": ({"Host": "localhost:x"}, 421, PASSES),
}


ROWS = {**REQUESTS, **DIFFERENCES}


@pytest.mark.parametrize("name", ROWS)
def test_the_app_runs_only_for_requests_that_pass(ours, name):
    headers, expected, _ = ROWS[name]
    before = len(ours.app.requests)
    assert ours.send("POST", headers) == expected
    assert len(ours.app.requests) - before == (expected == PASSES)


@pytest.mark.parametrize("name", ROWS)
def test_the_sdks_own_checks_agree_except_for_the_differences(theirs, name):
    headers, ours, expected = ROWS[name]
    assert theirs.send("POST", headers) == expected
    assert (ours != expected) == (name in DIFFERENCES)


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_a_rebound_page_is_refused_with_every_method(ours, method):
    before = len(ours.app.requests)
    assert ours.send(method, {**REBOUND, **SAME_ORIGIN}) == 421
    assert len(ours.app.requests) == before


async def test_the_recipe_serves_clients_and_refuses_the_attacker():
    with serving(Recorder(mcp_recipe.app)) as origin:
        async with mcp.Client(f"{origin}/mcp") as client:
            assert (await client.call_tool("add", {"left": 2, "right": 3})).structured_content == {"result": 5}
        server = Server(origin, Recorder(mcp_recipe.app))
        assert server.send("POST", {**REBOUND, **SAME_ORIGIN}) == 421
        assert server.send("POST", {**LOOPBACK, "Origin": "https://attacker.example"}) == 403
        assert server.send("POST", {**LOOPBACK, "Origin": PAGE}) == PASSES
