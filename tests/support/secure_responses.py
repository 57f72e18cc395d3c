"""The secure answers of misconfigurations.json that are told of responses, preflights and handshakes, by class."""

import re
from datetime import timedelta

from asgi_cors import CORSMiddleware, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.browser_checks import passes_preflight
from tests.support.clients import Served, call_asgi, http_scope, websocket_scope
from tests.support.expected import CREDENTIALS, OWN, VARY, origin_line
from tests.support.misconfigurations import SITE, Entry, ages, options_of, requested_headers, sent, strings
from tests.support.policies import issues, policy_without_warnings, warned

EVIL = "https://evil.test"


def granted(policy: Policy, origin: str) -> list[str]:
    """The lines of an actual response that is granted."""
    return sorted([OWN, VARY, origin_line(origin), *([CREDENTIALS] if policy.allow_credentials else [])])


def wildcard_authorization(shell: str, entry: Entry) -> None:
    """Authorization is listed beside the wildcard."""
    answer = Served(shell, App(), **options_of(entry)).preflight("GET", "authorization", origin=SITE)
    assert "authorization" in answer.elements("access-control-allow-headers")


def vary(shell: str, entry: Entry) -> None:
    """Vary: Origin on every response, merged into the app's own, ``*`` left alone."""
    idea, origin = entry["config_idea"], entry["origin_probe"]
    own = re.search(r"Vary: (.+)", idea)
    lines = ["Accept-Encoding", "Cookie"] if "two Vary" in idea else [own.group(1)] if own else []
    policy = policy_without_warnings(**options_of(entry))
    answer = Served(shell, App([("content-type", "text/plain"), *(("Vary", line) for line in lines)]), policy).request(
        origin=origin
    )
    wanted = {name.strip() for line in lines for name in line.split(",")}
    assert set(answer.elements("vary")) == (wanted if "*" in wanted else wanted | {"Origin"})
    assert answer.cors == [line for line in granted(policy, origin) if origin == SITE and line.startswith("access")]


def always_send(shell: str, entry: Entry) -> None:
    """No ACAO to a request without Origin."""
    assert Served(shell, App(), **options_of(entry)).request().lines == sorted([OWN, VARY])


def nested(shell: str, entry: Entry) -> None:
    """One ACAO, whoever else set it or however often the middleware was added."""
    policy = policy_without_warnings(**options_of(entry))
    served = Served(shell, App([("content-type", "text/plain"), ("Access-Control-Allow-Origin", SITE)]), policy)
    if "twice" in entry["config_idea"]:
        served.middleware = (CORSMiddleware if shell == "asgi" else WSGIMiddleware)(served.middleware, policy)
    assert served.request(origin=SITE).lines == granted(policy, SITE)


def credentials_on_deny(shell: str, entry: Entry) -> None:
    """A denied response carries neither ACAC nor ACEH."""
    assert Served(shell, App(), **options_of(entry), expose_headers="x-a").request(origin=EVIL).cors == []


def preflight_leak(shell: str, entry: Entry) -> None:
    """A denied origin's preflight carries no CORS field."""
    assert Served(shell, App(), **options_of(entry), allow_methods="PUT").preflight("PUT", origin=EVIL).cors == []


def boolean_casing(shell: str, entry: Entry) -> None:
    """The value is exactly ``true``."""
    assert Served(shell, App(), **options_of(entry)).request(origin=SITE).values(
        "access-control-allow-credentials"
    ) == ["true"]


def error_response(shell: str, entry: Entry) -> None:
    """Errors of the app carry the fields; an exception after the start propagates without a second start."""
    policy = policy_without_warnings(**options_of(entry))
    for status in (int(each) for each in re.findall(r"\b[45]\d\d\b", entry["config_idea"])):
        answer = Served(shell, App(status=status), policy).request(origin=entry["origin_probe"])
        assert (answer.status, answer.lines) == (status, granted(policy, SITE))
    if "raises" in entry["config_idea"]:
        error = RuntimeError()
        app = App(raises=error, late="after" in entry["config_idea"])
        answer = call_asgi(CORSMiddleware(app.asgi, policy), http_scope("GET", "/", sent(entry)))
        assert answer.raised is error
        assert [message["type"] for message in answer.messages].count("http.response.start") == 1
        assert origin_line(SITE) in answer.lines


def redirect(shell: str, entry: Entry) -> None:
    """A redirect carries ACAO; a preflight is answered before routing."""
    policy = policy_without_warnings(**options_of(entry))
    for status in (int(each) for each in re.findall(r"\b3\d\d\b", entry["config_idea"])):
        served = Served(shell, App(status=status), policy)
        assert served.request(origin=SITE).lines == granted(policy, SITE)
        assert (served.preflight(origin=SITE).status, served.reached) == (204, 1)


def not_modified_and_head(shell: str, entry: Entry) -> None:
    """304 and HEAD carry ACAO and Vary."""
    policy = policy_without_warnings(**options_of(entry))
    lines = [line for line in granted(policy, SITE) if line != OWN]
    assert Served(shell, App((), 304, b""), policy).request(origin=SITE).lines == lines
    assert Served(shell, App(body=b""), policy).request("HEAD", origin=SITE).lines == granted(policy, SITE)


def streaming(shell: str, entry: Entry) -> None:
    """A stream's headers carry the fields."""
    policy = policy_without_warnings(**options_of(entry))
    served = Served(shell, App([("content-type", "text/event-stream")]), policy)
    lines = served.request(origin=SITE).lines
    assert lines == sorted(
        ["content-type: text/event-stream", *(line for line in granted(policy, SITE) if line != OWN)]
    )


def classification(shell: str, entry: Entry) -> None:
    """``OPTIONS *`` passes to the app; an empty requested method is a refused preflight that echoes nothing."""
    if "EMPTY" in entry["origin_probe"]:
        answer = Served(shell, App(), **options_of(entry)).preflight("", origin=SITE)
        assert (answer.status, answer.cors) == (200, [])
        return
    app = App()
    call_asgi(CORSMiddleware(app.asgi, **options_of(entry)), http_scope("OPTIONS", "*", []))
    assert len(app.seen) == 1


def preflight_method(shell: str, entry: Entry) -> None:
    """Each method asked for is allowed or denied as the words say."""
    served = Served(shell, App(), **options_of(entry))
    allow = entry["secure_answer"].startswith("allow")
    for method in entry["origin_probe"].removeprefix("ACRM: ").split(" / "):
        assert (served.preflight(method, origin=SITE).status == 204) is allow, method


def preflight_headers(shell: str, entry: Entry) -> None:
    """The requested headers are read tolerantly, and in bounded work."""
    served = Served(shell, App(), **options_of(entry))
    deny = "deny" in entry["secure_answer"]
    for lines in requested_headers(entry["origin_probe"]):
        fields = [("access-control-request-headers", line) for line in lines[1:]]
        answer = served.preflight("GET", lines[0], origin=SITE, fields=fields)
        assert (answer.status == 204) is not deny, lines


def preflight_status(shell: str, entry: Entry) -> None:
    """A refused method or header is answered 2xx with the origin and the true lists, and blocked by the browser."""
    served = Served(shell, App(), **options_of(entry))
    for method, names in (("PUT", []), ("GET", ["x-b"])):
        answer = served.preflight(method, ",".join(names), origin=SITE)
        assert answer.status in range(200, 300)
        assert origin_line(SITE) in answer.lines
        assert not passes_preflight(answer, SITE, method, names, credentials=True)


def preflight_auth(shell: str, entry: Entry) -> None:
    """Where CORS is outermost a preflight is answered before any auth runs."""
    served = Served(shell, App(status=401), **options_of(entry))
    assert (served.preflight(origin=SITE).status, served.reached) == (204, 0)


def max_age(shell: str, entry: Entry) -> None:
    """What is no whole number of seconds from 0 on is refused, more than a day is warned of, the others are sent."""
    for value in ages(entry["config_idea"]):
        seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value
        if type(seconds) is not int or seconds < 0:
            assert issues(allow_origins=SITE, max_age=value)
            continue
        assert bool(warned(allow_origins=SITE, max_age=value)) is (seconds > 86400)
        answer = Served(shell, App(), policy_without_warnings(allow_origins=SITE, max_age=value)).preflight(origin=SITE)
        assert answer.values("access-control-max-age") == [str(seconds)]


def websocket(shell: str, entry: Entry) -> None:
    """A handshake is accepted or refused as the words say."""
    del shell
    app = App()
    origin = entry["origin_probe"].replace("<Host of this server>", "api.test")
    scope = websocket_scope("/", [("host", "api.test"), ("origin", origin), ("cookie", "a=1")])
    call_asgi(CORSMiddleware(app.asgi, **options_of(entry)), scope)
    assert bool(app.seen) is entry["secure_answer"].startswith(("accept", "allow"))


def path_policy(shell: str, entry: Entry) -> None:
    """No spelling of a strict path gets the answer of an open one."""
    strict, wide = strings(entry["config_idea"])
    paths = {f"{strict}/*": Policy(allow_origins=SITE), f"{wide}/*": Policy(allow_origins="*")}
    served = Served(shell, App(), paths=paths, allow_origins="https://base.test")
    assert served.request(path=wide, origin=EVIL).cors == [origin_line("*")]
    for path in re.findall(r"/[^\s,]*", entry["origin_probe"]):
        assert served.request(path=path, origin=EVIL).cors == [], path
