"""The options of the middleware: enforce, on_decision, reconfigure."""

import warnings
from typing import Any

import pytest

from asgi_cors import (
    ConfigError,
    Configuration,
    ConfigWarning,
    CORSMiddleware,
    Outcome,
    Policy,
    Tenants,
    WSGIMiddleware,
)
from tests.support.expected import APP, EVIL, OWN, VARY, granted, origin_line, refused

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
HOST = ("host", "api.example.com")
SELF = "https://api.example.com"

# behaviour, method, Origin, headers, whether the app runs
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
    ("a malformed origin is answered 403", "POST", "https://a b", [HOST], False),
    ("no Origin passes", "POST", None, [HOST], True),
    ("the same origin passes", "POST", SELF, [HOST], True),
    ("the same origin by Sec-Fetch-Site passes", "POST", "null", [HOST, ("sec-fetch-site", "same-origin")], True),
    ("a navigation that the user began passes", "POST", EVIL, [HOST, ("sec-fetch-site", "none")], True),
    (
        "a cross-site request by Sec-Fetch-Site is refused although Host is equal",
        "POST",
        SELF,
        [HOST, ("sec-fetch-site", "cross-site")],
        False,
    ),
    ("another port is answered 403", "POST", f"{SELF}:8443", [HOST], False),
    ("a port that is the default of the origin's scheme passes", "POST", SELF, [("host", "api.example.com:443")], True),
    ("an OPTIONS request that is not a preflight is answered 403", "OPTIONS", EVIL, [HOST], False),
]


@pytest.mark.parametrize(
    ("method", "origin", "headers", "runs"), [row[1:] for row in ENFORCED], ids=[row[0] for row in ENFORCED]
)
def test_enforce_refuses_cross_origin_requests_of_other_origins_before_the_app_runs(
    serve: Any, method: str, origin: str | None, headers: list[tuple[str, str]], runs: bool
) -> None:
    """The response is a 403 in plain text."""
    client = serve(enforce=True, **ONE)
    response = client.request(method, origin=origin, headers=headers)
    assert (response.status, bool(client.reached)) == ((200, True) if runs else (403, False))
    assert response.values("vary") == ["Origin"]
    assert response.cors == ([origin_line(APP)] if origin == APP else [])
    if not runs:
        assert response.values("content-type")[0].startswith("text/plain")
        assert origin in response.body.decode() or "rigin" in response.body.decode()


@pytest.mark.parametrize("origin", [APP, EVIL])
def test_without_enforce_a_refused_request_reaches_the_app(serve: Any, origin: str) -> None:
    client = serve(**ONE)
    assert (client.request("POST", origin=origin, headers=[HOST]).status, client.reached) == (200, 1)


def test_enforce_does_not_change_the_responses_to_preflights(serve: Any) -> None:
    client = serve(enforce=True, **ONE)
    assert client.preflight(origin=APP, headers=[HOST]).lines == granted()
    response = client.preflight(origin=EVIL, headers=[HOST])
    assert (response.status, response.lines) == (200, refused(response.body))


def test_enforce_does_not_refuse_requests_of_paths_without_policy(serve: Any) -> None:
    """Such a path may receive cross-site form posts."""
    client = serve(enforce=True, paths={"/saml": None}, **ONE)
    assert client.request("POST", "/saml", origin=EVIL, headers=[HOST]).lines == [OWN]
    assert client.request("POST", "/other", origin=EVIL, headers=[HOST]).status == 403


def test_a_refusal_names_the_host_received_and_the_line_for_the_proxy(serve: Any) -> None:
    """The Host looks like a proxy's upstream."""
    body = serve(enforce=True, **ONE).request("POST", origin=SELF, headers=[("host", "127.0.0.1:8000")]).body.decode()
    assert "127.0.0.1:8000" in body
    assert "proxy_set_header Host $host" in body


DECISIONS: list[tuple[str, str, str | None, Outcome]] = [
    ("allowed", "GET", APP, Outcome.ALLOWED),
    ("refused", "GET", EVIL, Outcome.REFUSED),
    ("no Origin", "GET", None, Outcome.NOT_CORS),
    ("preflight", "preflight", APP, Outcome.PREFLIGHT_ALLOWED),
    ("refused preflight", "preflight", EVIL, Outcome.PREFLIGHT_REFUSED),
]


@pytest.mark.parametrize(
    ("method", "origin", "outcome"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS]
)
def test_on_decision_is_called_once_for_each_decision_with_it_and_the_scope(
    serve: Any, method: str, origin: str | None, outcome: Outcome
) -> None:
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


def test_on_decision_is_not_called_if_no_policy_applies(serve: Any) -> None:
    seen: list[Any] = []
    serve(on_decision=lambda *args: seen.append(args), paths={"/*": None}, **ONE).request(origin=APP)
    assert seen == []


def test_an_exception_in_on_decision_is_logged_and_does_not_change_the_response(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:

    def fail(decision: Any, scope: Any) -> None:
        message = f"{decision.outcome} {scope['path']}"
        raise RuntimeError(message)

    assert serve(on_decision=fail, **ONE).request(origin=APP).lines == GRANT
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.name == "asgi_cors"
    assert "on_decision" in record.getMessage()


def test_options_of_reconfigure_replace_the_policy_at_once(serve: Any) -> None:
    client = serve(**ONE)
    assert client.request(origin=APP).lines == GRANT
    client.middleware.reconfigure(allow_origins=EVIL)
    assert client.request(origin=APP).lines == STRICT
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])
    assert client.middleware.policy == Policy(allow_origins=EVIL)


def test_reconfigure_accepts_a_policy(serve: Any) -> None:
    """For example one that replace() returned."""
    client = serve(**ONE)
    client.middleware.reconfigure(policy=client.middleware.policy.replace(allow_origins=[APP, EVIL]))
    assert client.request(origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])


def test_reconfigure_does_not_change_paths_and_options_that_are_not_named(serve: Any) -> None:
    """A dict of `paths` is merged over the new base at once."""
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


def test_reconfigure_with_paths_alone_does_not_change_the_policy(serve: Any) -> None:
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
def test_an_invalid_change_raises_and_leaves_the_old_configuration_in_force(serve: Any, change: dict[str, Any]) -> None:
    client = serve(paths={"/a": None}, **ONE)
    with pytest.raises(ConfigError):
        client.middleware.reconfigure(**change)
    assert client.request(origin=APP).lines == GRANT
    assert client.request(path="/a", origin=APP).lines == [OWN]


def test_a_new_base_that_makes_a_dict_of_paths_invalid_raises(serve: Any) -> None:
    """The old configuration stays in force."""
    client = serve(paths={"/a": {"allow_origins": "*"}}, **ONE)
    with pytest.raises(ConfigError):
        client.middleware.reconfigure(allow_origins=APP, allow_credentials=True)
    assert client.request(path="/a", origin=EVIL).lines == sorted([OWN, origin_line("*")])
    assert client.middleware.policy == Policy(**ONE)


def test_the_middleware_has_its_app_and_its_policy_as_attributes(serve: Any) -> None:
    client = serve(**ONE)
    assert client.middleware.app == (client.app.asgi if client.interface == "asgi" else client.app.wsgi)
    assert client.middleware.policy == Policy(**ONE)
    assert serve(Policy(**ONE)).middleware.policy == Policy(**ONE)


WRONG: list[dict[str, Any]] = [{"enforce": 1}, {"check_websockets": "no"}, {"policy_for": 5}, {"on_decision": "x"}]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_an_option_of_the_middleware_of_a_wrong_type_is_refused_by_its_name(
    serve: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(**ONE, **options)
    assert [each.option for each in caught.value.issues] == list(options)


def test_enforce_refuses_an_ambiguous_path_if_one_of_its_policies_does(serve: Any) -> None:
    client = serve(enforce=True, paths={"/open/*": {"allow_origins": EVIL}}, **ONE)
    assert (client.request("POST", "/open/../x", origin=APP, headers=[HOST]).status, client.reached) == (403, 0)


@pytest.mark.parametrize("wrong", [None, 5, "app"], ids=repr)
def test_an_app_that_is_not_callable_is_refused(interface: str, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="app"):
        (CORSMiddleware if interface == "asgi" else WSGIMiddleware)(wrong, **ONE)


async def test_reconfigure_does_not_lose_options_given_as_iterators() -> None:
    """A generator among the options of a path, or in `vary`, is read once and stays in force."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None: ...

    paths = {"/a": {"allow_origins": (origin for origin in [EVIL])}, "/b": {"max_age": 1}, "/c": None}
    middleware = CORSMiddleware(app, allow_origins=APP, paths=paths, vary=(name for name in ["x-tenant"]))
    for origin in (APP, SELF):
        middleware.reconfigure(allow_origins=origin)
        assert middleware.explain("GET", EVIL, "/a").allowed
        assert middleware.explain("GET", origin, "/b").allowed


@pytest.mark.parametrize(
    "options",
    [
        {"policy_for": Tenants.by_host(lambda _: None)},
        {"policy_for": lambda _: NotImplemented, "allow_methods": ["PUT"]},
        {"paths": {"/api/*": {"allow_origins": APP}}},
        {"paths": {"/api/*": {"allow_origins": APP}}, "max_age": 60},
    ],
)
def test_a_base_policy_without_origins_is_intended_if_other_rules_find_the_policy(options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        configuration = Configuration(**options)
        configuration.reconfigure(max_age=30)
    assert configuration.policy.allow_origins == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_age": 60},
        {"paths": {}},
        {"paths": {"/api/*": None}, "allow_origins": []},
        {"policy_for": lambda _: None, "allow_origin_regex": None},
    ],
)
def test_a_policy_without_origins_is_warned_of_otherwise(options: dict[str, Any]) -> None:
    with pytest.warns(ConfigWarning, match="nothing is allowed"):
        Configuration(**options)


def test_a_fallback_policy_warns_of_its_other_options() -> None:
    with pytest.warns(ConfigWarning, match="browsers no longer request it") as caught:
        Configuration(policy_for=lambda _: None, allow_private_network=True)
    assert len(caught) == 1


def test_reconfigure_logs_what_the_new_base_policy_allows_and_refuses(caplog: pytest.LogCaptureFixture) -> None:
    """Once, at INFO. A policy that allows the same is not logged."""
    configuration = Configuration(allow_origins=APP, allow_methods="PUT")
    caplog.set_level("INFO", logger="asgi_cors")
    new = Policy(allow_origins=[APP, EVIL], name="next")
    for policy in (new, new, new.replace(name="same")):
        configuration.reconfigure(policy)
    configuration.reconfigure(enforce=True)
    (record,) = caplog.records
    assert record.getMessage() == "the base policy was replaced: " + "; ".join(
        str(Policy(allow_origins=APP, allow_methods="PUT").diff(new)).splitlines()
    )
    assert EVIL in record.getMessage()
    assert (record.levelname, record.cors_policy) == ("INFO", "next")  # type: ignore[attr-defined]


def test_a_name_in_a_report_of_reconfigure_cannot_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    configuration = Configuration(allow_origins=APP)
    caplog.set_level("INFO", logger="asgi_cors")
    configuration.reconfigure(Policy(allow_origins=[APP, lambda _: True]))
    assert all(len(record.getMessage().splitlines()) == 1 for record in caplog.records)
