"""The options of the middleware: enforce, on_decision, reconfigure."""

from typing import Any

import pytest

from asgi_cors import ConfigError, CORSMiddleware, Outcome, Policy, WSGIMiddleware
from tests.support.expected import APP, EVIL, OWN, VARY, granted, origin_line, refused

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
HOST = ("host", "api.example.com")
SELF = "https://api.example.com"

# behaviour, method, Origin, fields, whether the app runs
ENFORCED: list[tuple[str, str, str | None, list[tuple[str, str]], bool]] = [
    ("an allowed origin passes", "POST", APP, [HOST], True),
    ("a refused origin is answered 403", "GET", EVIL, [HOST], False),
    (
        "a simple request that changes state is answered 403",
        "POST",
        EVIL,
        [HOST, ("content-type", "text/plain")],
        False,
    ),
    ("null is answered 403", "POST", "null", [HOST], False),
    ("what is no origin is answered 403", "POST", "https://a b", [HOST], False),
    ("no Origin passes", "POST", None, [HOST], True),
    ("the same origin passes", "POST", SELF, [HOST], True),
    ("the same origin by Sec-Fetch-Site passes", "POST", "null", [HOST, ("sec-fetch-site", "same-origin")], True),
    ("a navigation of the user passes", "POST", EVIL, [HOST, ("sec-fetch-site", "none")], True),
    (
        "what the browser calls cross-site is refused though Host is equal",
        "POST",
        SELF,
        [HOST, ("sec-fetch-site", "cross-site")],
        False,
    ),
    ("another port is another origin", "POST", f"{SELF}:8443", [HOST], False),
    ("a port that is the default of the origin's scheme passes", "POST", SELF, [("host", "api.example.com:443")], True),
    ("an ordinary OPTIONS is a request like any", "OPTIONS", EVIL, [HOST], False),
]


@pytest.mark.parametrize(
    ("method", "origin", "headers", "runs"), [row[1:] for row in ENFORCED], ids=[row[0] for row in ENFORCED]
)
def test_enforce(serve: Any, method: str, origin: str | None, headers: list[tuple[str, str]], runs: bool) -> None:
    """enforce=True answers a refused cross-origin request 403 in plain text before the app runs."""
    client = serve(enforce=True, **ONE)
    response = client.request(method, origin=origin, headers=headers)
    assert (response.status, bool(client.reached)) == ((200, True) if runs else (403, False))
    assert response.values("vary") == ["Origin"]
    assert response.cors == ([origin_line(APP)] if origin == APP else [])
    if not runs:
        assert response.values("content-type")[0].startswith("text/plain")
        assert origin in response.body.decode() or "rigin" in response.body.decode()


@pytest.mark.parametrize("origin", [APP, EVIL])
def test_without_enforce(serve: Any, origin: str) -> None:
    """Without enforce a refused request runs, as CORS has it."""
    client = serve(**ONE)
    assert (client.request("POST", origin=origin, headers=[HOST]).status, client.reached) == (200, 1)


def test_enforce_leaves_preflights(serve: Any) -> None:
    """Preflights are answered as ever."""
    client = serve(enforce=True, **ONE)
    assert client.preflight(origin=APP, headers=[HOST]).lines == granted()
    response = client.preflight(origin=EVIL, headers=[HOST])
    assert (response.status, response.lines) == (200, refused(response.body))


def test_enforce_leaves_paths_without_policy(serve: Any) -> None:
    """A cross-site form post that is meant to arrive goes by paths={...: None}."""
    client = serve(enforce=True, paths={"/saml": None}, **ONE)
    assert client.request("POST", "/saml", origin=EVIL, headers=[HOST]).lines == [OWN]
    assert client.request("POST", "/other", origin=EVIL, headers=[HOST]).status == 403


def test_enforce_names_the_host_received(serve: Any) -> None:
    """The refusal names the Host received and, where it looks like a proxy's upstream, the line for the proxy."""
    body = serve(enforce=True, **ONE).request("POST", origin=SELF, headers=[("host", "127.0.0.1:8000")]).body.decode()
    assert "127.0.0.1:8000" in body
    assert "proxy_set_header Host $host" in body


DECISIONS: list[tuple[str, str, str | None, Outcome]] = [
    ("GET", "GET", APP, Outcome.ALLOWED),
    ("refused", "GET", EVIL, Outcome.REFUSED),
    ("no Origin", "GET", None, Outcome.NOT_CORS),
    ("preflight", "preflight", APP, Outcome.PREFLIGHT_ALLOWED),
    ("refused preflight", "preflight", EVIL, Outcome.PREFLIGHT_REFUSED),
]


@pytest.mark.parametrize(
    ("method", "origin", "outcome"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS]
)
def test_on_decision(serve: Any, method: str, origin: str | None, outcome: Outcome) -> None:
    """on_decision is called once after each decision, with it and the scope."""
    seen: list[Any] = []
    client = serve(
        on_decision=lambda decision, scope: seen.append(
            (decision.outcome, decision.reason, scope["type"], scope["path"])
        ),
        **ONE,
    )
    if method == "preflight":
        client.preflight(origin=origin, path="/a")
    else:
        client.request(method, "/a", origin=origin)
    reason = seen[0][1]
    assert seen == [(outcome, reason, "http", "/a")]
    assert (reason is None) is (outcome not in {Outcome.REFUSED, Outcome.PREFLIGHT_REFUSED})


def test_on_decision_not_called_without_policy(serve: Any) -> None:
    """Where no policy serves the request there is no decision."""
    seen: list[Any] = []
    serve(on_decision=lambda *args: seen.append(args), paths={"/*": None}, **ONE).request(origin=APP)
    assert seen == []


def test_on_decision_that_raises(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Its exceptions are logged and break nothing."""

    def fail(decision: Any, scope: Any) -> None:
        message = f"{decision.outcome} {scope['path']}"
        raise RuntimeError(message)

    assert serve(on_decision=fail, **ONE).request(origin=APP).lines == GRANT
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.name == "asgi_cors"
    assert "on_decision" in record.getMessage()


def test_reconfigure_options(serve: Any) -> None:
    """reconfigure(**options) replaces the policy at once; a decision taken before does not linger."""
    client = serve(**ONE)
    assert client.request(origin=APP).lines == GRANT
    client.middleware.reconfigure(allow_origins=EVIL)
    assert client.request(origin=APP).lines == STRICT
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])
    assert client.middleware.policy == Policy(allow_origins=EVIL)


def test_reconfigure_a_policy(serve: Any) -> None:
    """reconfigure(policy=...) takes a policy, as by replace()."""
    client = serve(**ONE)
    client.middleware.reconfigure(policy=client.middleware.policy.replace(allow_origins=[APP, EVIL]))
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])


def test_reconfigure_keeps_what_is_not_named(serve: Any) -> None:
    """Paths and the rest stay unless named; a dict of paths is laid over the new base at once."""
    seen: list[Any] = []
    client = serve(
        paths={"/a": {"allow_origins": EVIL}, "/b": None},
        on_decision=lambda *args: seen.append(args),
        enforce=True,
        **ONE,
    )
    client.middleware.reconfigure(allow_origins=APP, max_age=77)
    assert client.preflight(origin=EVIL, path="/a").lines == granted(EVIL, max_age=77)
    assert client.request(path="/b", origin=EVIL).lines == [OWN]
    assert client.request(path="/c", origin=EVIL, headers=[HOST]).status == 403
    assert len(seen) == 2


def test_reconfigure_paths_alone(serve: Any) -> None:
    """The policy stays where only paths are named."""
    client = serve(**ONE)
    client.middleware.reconfigure(paths={"/a": None})
    assert client.request(path="/a", origin=APP).lines == [OWN]
    assert client.request(path="/b", origin=APP).lines == GRANT
    client.middleware.reconfigure(paths=None)
    assert client.request(path="/a", origin=APP).lines == GRANT


@pytest.mark.parametrize(
    "change",
    [
        {"allow_origins": "https://a.com/"},
        {"paths": {"x": None}},
        {"allow_origin": APP},
        {"policy": "*"},
        {"allow_credentials": True, "allow_origins": "*"},
    ],
    ids=str,
)
def test_reconfigure_is_all_or_nothing(serve: Any, change: dict[str, Any]) -> None:
    """An invalid change raises and leaves the old configuration in force."""
    client = serve(paths={"/a": None}, **ONE)
    with pytest.raises(ConfigError):
        client.middleware.reconfigure(**change)
    assert client.request(origin=APP).lines == GRANT
    assert client.request(path="/a", origin=APP).lines == [OWN]


def test_reconfigure_that_breaks_a_dict_of_paths(serve: Any) -> None:
    """A dict that is no policy over the new base makes the whole call raise."""
    client = serve(paths={"/a": {"allow_origins": "*"}}, **ONE)
    with pytest.raises(ConfigError):
        client.middleware.reconfigure(allow_origins=APP, allow_credentials=True)
    assert client.request(path="/a", origin=EVIL).lines == sorted([OWN, origin_line("*")])
    assert client.middleware.policy == Policy(**ONE)


def test_attributes(serve: Any) -> None:
    """The middleware shows its app and its policy."""
    client = serve(**ONE)
    assert client.middleware.app == (client.app.asgi if client.interface == "asgi" else client.app.wsgi)
    assert client.middleware.policy == Policy(**ONE)
    assert serve(Policy(**ONE)).middleware.policy == Policy(**ONE)


WRONG: list[dict[str, Any]] = [{"enforce": 1}, {"check_websockets": "no"}, {"policy_for": 5}, {"on_decision": "x"}]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_options_of_a_wrong_type(serve: Any, options: dict[str, Any]) -> None:
    """An option of the middleware of a wrong type is refused under its name."""
    with pytest.raises(ConfigError) as caught:
        serve(**ONE, **options)
    assert [each.option for each in caught.value.issues] == list(options)


def test_enforce_and_an_ambiguous_path(serve: Any) -> None:
    """Under enforce a request does not reach the app if one of the policies of its path refuses it."""
    client = serve(enforce=True, paths={"/open/*": {"allow_origins": EVIL}}, **ONE)
    assert (client.request("POST", "/open/../x", origin=APP, headers=[HOST]).status, client.reached) == (403, 0)


@pytest.mark.parametrize("wrong", [None, 5, "app"], ids=repr)
def test_an_app_that_is_none(interface: str, wrong: Any) -> None:
    """What can't be called is refused as an app at set-up."""
    with pytest.raises(ConfigError, match="app"):
        (CORSMiddleware if interface == "asgi" else WSGIMiddleware)(wrong, **ONE)


async def test_reconfigure_reads_iterators_again() -> None:
    """A generator among the options of a path, or in vary, is read once, and holds after reconfigure."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None: ...

    paths = {"/a": {"allow_origins": (origin for origin in [EVIL])}, "/b": {"max_age": 1}, "/c": None}
    middleware = CORSMiddleware(app, allow_origins=APP, paths=paths, vary=(name for name in ["x-tenant"]))
    for origin in (APP, SELF):
        middleware.reconfigure(allow_origins=origin)
        assert middleware.explain("GET", EVIL, "/a").allowed
        assert middleware.explain("GET", origin, "/b").allowed
