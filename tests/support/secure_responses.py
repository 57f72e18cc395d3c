"""Checks of misconfigurations.json that concern responses, preflights and handshakes: one for each class."""

import re
from datetime import timedelta

from asgi_cors import CORSMiddleware, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.browser_checks import passes_preflight
from tests.support.clients import Client, call_asgi, http_scope, websocket_scope
from tests.support.expected import CREDENTIALS, OWN, VARY, origin_line
from tests.support.misconfigurations import SITE, Entry, ages, options_of, requested_headers, sent, strings
from tests.support.policies import issues, policy_without_warnings, warned

EVIL = "https://evil.test"


def granted(policy: Policy, origin: str) -> list[str]:
    """Return the lines of an allowed actual response."""
    return sorted([OWN, VARY, origin_line(origin), *([CREDENTIALS] if policy.allow_credentials else [])])


def wildcard_authorization(interface: str, entry: Entry) -> None:
    """Authorization is listed next to the wildcard."""
    answer = Client(interface, App(), **options_of(entry)).preflight("GET", "authorization", origin=SITE)
    assert "authorization" in answer.elements("access-control-allow-headers")


def vary(interface: str, entry: Entry) -> None:
    """Vary: Origin on every response, merged with the app's own. ``*`` stays."""
    idea, origin = entry["config_idea"], entry["origin_probe"]
    own = re.search(r"Vary: (.+)", idea)
    lines = ["Accept-Encoding", "Cookie"] if "two Vary" in idea else [own.group(1)] if own else []
    policy = policy_without_warnings(**options_of(entry))
    answer = Client(
        interface, App([("content-type", "text/plain"), *(("Vary", line) for line in lines)]), policy
    ).request(origin=origin)
    wanted = {name.strip() for line in lines for name in line.split(",")}
    assert set(answer.elements("vary")) == (wanted if "*" in wanted else wanted | {"Origin"})
    assert answer.cors == [line for line in granted(policy, origin) if origin == SITE and line.startswith("access")]


def always_send(interface: str, entry: Entry) -> None:
    """A request without Origin gets no ACAO."""
    assert Client(interface, App(), **options_of(entry)).request().lines == sorted([OWN, VARY])


def nested(interface: str, entry: Entry) -> None:
    """There is one ACAO, even if the app sets it or the middleware was added twice."""
    policy = policy_without_warnings(**options_of(entry))
    client = Client(interface, App([("content-type", "text/plain"), ("Access-Control-Allow-Origin", SITE)]), policy)
    if "twice" in entry["config_idea"]:
        client.middleware = (CORSMiddleware if interface == "asgi" else WSGIMiddleware)(client.middleware, policy)
    assert client.request(origin=SITE).lines == granted(policy, SITE)


def credentials_on_deny(interface: str, entry: Entry) -> None:
    """A refused response has neither ACAC nor ACEH."""
    assert Client(interface, App(), **options_of(entry), expose_headers="x-a").request(origin=EVIL).cors == []


def preflight_leak(interface: str, entry: Entry) -> None:
    """The preflight of a refused origin gets no CORS header."""
    assert Client(interface, App(), **options_of(entry), allow_methods="PUT").preflight("PUT", origin=EVIL).cors == []


def boolean_casing(interface: str, entry: Entry) -> None:
    """The value is exactly ``true``."""
    assert Client(interface, App(), **options_of(entry)).request(origin=SITE).values(
        "access-control-allow-credentials"
    ) == ["true"]


def error_response(interface: str, entry: Entry) -> None:
    """Errors of the app have CORS headers. An exception after the start propagates without a second start."""
    policy = policy_without_warnings(**options_of(entry))
    for status in (int(each) for each in re.findall(r"\b[45]\d\d\b", entry["config_idea"])):
        answer = Client(interface, App(status=status), policy).request(origin=entry["origin_probe"])
        assert (answer.status, answer.lines) == (status, granted(policy, SITE))
    if "raises" in entry["config_idea"]:
        error = RuntimeError()
        app = App(raises=error, late="after" in entry["config_idea"])
        answer = call_asgi(CORSMiddleware(app.asgi, policy), http_scope("GET", "/", sent(entry)))
        assert answer.raised is error
        assert [message["type"] for message in answer.messages].count("http.response.start") == 1
        assert origin_line(SITE) in answer.lines


def redirect(interface: str, entry: Entry) -> None:
    """A redirect has ACAO. A preflight gets its response before routing."""
    policy = policy_without_warnings(**options_of(entry))
    for status in (int(each) for each in re.findall(r"\b3\d\d\b", entry["config_idea"])):
        client = Client(interface, App(status=status), policy)
        assert client.request(origin=SITE).lines == granted(policy, SITE)
        assert (client.preflight(origin=SITE).status, client.reached) == (204, 1)


def not_modified_and_head(interface: str, entry: Entry) -> None:
    """304 and HEAD have ACAO and Vary."""
    policy = policy_without_warnings(**options_of(entry))
    lines = [line for line in granted(policy, SITE) if line != OWN]
    assert Client(interface, App((), 304, b""), policy).request(origin=SITE).lines == lines
    assert Client(interface, App(body=b""), policy).request("HEAD", origin=SITE).lines == granted(policy, SITE)


def streaming(interface: str, entry: Entry) -> None:
    """A stream has CORS headers."""
    policy = policy_without_warnings(**options_of(entry))
    client = Client(interface, App([("content-type", "text/event-stream")]), policy)
    lines = client.request(origin=SITE).lines
    assert lines == sorted(
        ["content-type: text/event-stream", *(line for line in granted(policy, SITE) if line != OWN)]
    )


def classification(interface: str, entry: Entry) -> None:
    """``OPTIONS *`` reaches the app. A preflight with an empty method is refused, and echoes nothing."""
    if "EMPTY" in entry["origin_probe"]:
        answer = Client(interface, App(), **options_of(entry)).preflight("", origin=SITE)
        assert (answer.status, answer.cors) == (200, [])
        return
    app = App()
    call_asgi(CORSMiddleware(app.asgi, **options_of(entry)), http_scope("OPTIONS", "*", []))
    assert len(app.seen) == 1


def preflight_method(interface: str, entry: Entry) -> None:
    """Each requested method is allowed or refused as the entry says."""
    client = Client(interface, App(), **options_of(entry))
    allow = entry["secure_answer"].startswith("allow")
    for method in entry["origin_probe"].removeprefix("ACRM: ").split(" / "):
        assert (client.preflight(method, origin=SITE).status == 204) is allow, method


def preflight_headers(interface: str, entry: Entry) -> None:
    """The requested headers are parsed tolerantly, with bounded work."""
    client = Client(interface, App(), **options_of(entry))
    deny = "deny" in entry["secure_answer"]
    for lines in requested_headers(entry["origin_probe"]):
        headers = [("access-control-request-headers", line) for line in lines[1:]]
        answer = client.preflight("GET", lines[0], origin=SITE, headers=headers)
        assert (answer.status == 204) is not deny, lines


def preflight_status(interface: str, entry: Entry) -> None:
    """A refused method or header gets a 2xx with the origin and the lists of the policy; the browser blocks it."""
    client = Client(interface, App(), **options_of(entry))
    for method, names in (("PUT", []), ("GET", ["x-b"])):
        answer = client.preflight(method, ",".join(names), origin=SITE)
        assert answer.status in range(200, 300)
        assert origin_line(SITE) in answer.lines
        assert not passes_preflight(answer, SITE, method, names, credentials=True)


def preflight_auth(interface: str, entry: Entry) -> None:
    """If CORS is outermost, a preflight gets its response before authentication runs."""
    client = Client(interface, App(status=401), **options_of(entry))
    assert (client.preflight(origin=SITE).status, client.reached) == (204, 0)


def max_age(interface: str, entry: Entry) -> None:
    """Only whole numbers of seconds from 0 on are accepted. More than a day issues a warning."""
    for value in ages(entry["config_idea"]):
        seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value
        if type(seconds) is not int or seconds < 0:
            assert issues(allow_origins=SITE, max_age=value)
            continue
        assert bool(warned(allow_origins=SITE, max_age=value)) is (seconds > 86400)
        answer = Client(interface, App(), policy_without_warnings(allow_origins=SITE, max_age=value)).preflight(
            origin=SITE
        )
        assert answer.values("access-control-max-age") == [str(seconds)]


def websocket(interface: str, entry: Entry) -> None:
    """A handshake is accepted or refused as the entry says."""
    del interface
    app = App()
    origin = entry["origin_probe"].replace("<Host of this server>", "api.test")
    scope = websocket_scope("/", [("host", "api.test"), ("origin", origin), ("cookie", "a=1")])
    call_asgi(CORSMiddleware(app.asgi, **options_of(entry)), scope)
    assert bool(app.seen) is entry["secure_answer"].startswith(("accept", "allow"))


def path_policy(interface: str, entry: Entry) -> None:
    """No spelling of a strict path gets the response of an open one."""
    strict, wide = strings(entry["config_idea"])
    paths = {f"{strict}/*": Policy(allow_origins=SITE), f"{wide}/*": Policy(allow_origins="*")}
    client = Client(interface, App(), paths=paths, allow_origins="https://base.test")
    assert client.request(path=wide, origin=EVIL).cors == [origin_line("*")]
    for path in re.findall(r"/[^\s,]*", entry["origin_probe"]):
        assert client.request(path=path, origin=EVIL).cors == [], path
