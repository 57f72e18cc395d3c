"""Policies of views, with which adapters serve a framework's routes."""

import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asgi_cors import ConfigError, Configuration, ConfigWarning, Issue, Policy, Rules
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, websocket_scope
from tests.support.expected import APP, EVIL, FAILED, OWN, VARY, granted, origin_line

ONE: dict[str, Any] = {"allow_origins": APP}
GRANT = sorted([OWN, VARY, origin_line(APP)])
STRICT = sorted([OWN, VARY])
WILD = sorted([OWN, origin_line("*")])


def by_path(scope: Any) -> str | None:
    """Return the key of a view: the last segment of the path."""
    return scope["path"].rpartition("/")[2] or None


@pytest.fixture
def configuration() -> Configuration:
    """Return a configuration of three views, a path and a base policy."""
    configuration = Configuration(view_of=by_path, paths={"/path/*": {"allow_origins": EVIL}}, **ONE)
    configuration.set_view("open", Policy(allow_origins="*"))
    configuration.set_view("dict", {"allow_methods": "PUT"})
    configuration.set_view("none", None)
    return configuration


ROWS = [
    ("a view's own policy", "/open", WILD),
    ("a view's own policy goes before paths", "/path/open", WILD),
    ("a view's None passes through unchanged", "/path/none", [OWN]),
    ("a mapping is merged over the base policy", "/path/dict", GRANT),
    ("a view without a policy is served by its path", "/path/other", STRICT),
    ("a view without a policy or a path is served by the base policy", "/other", GRANT),
    ("a request without a view is served by the base policy", "/", GRANT),
]


@pytest.mark.parametrize(("path", "lines"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_policy_of_a_view_goes_first(
    interface: str, configuration: Configuration, path: str, lines: list[str]
) -> None:
    assert Client(interface, App(), configuration).request(path=path, origin=APP).lines == lines


def test_a_preflight_is_served_by_the_policy_of_the_view(interface: str, configuration: Configuration) -> None:
    client = Client(interface, App(), configuration)
    assert client.preflight("PUT", origin=APP, path="/dict").lines == granted(APP, "GET, HEAD, POST, PUT")


def test_views_go_before_policy_for_before_paths_before_the_base_policy(interface: str) -> None:
    called: list[str] = []

    def policy_for(scope: Any) -> Any:
        called.append(scope["path"])
        return Policy(allow_origins="*") if scope["path"] == "/for" else NotImplemented

    paths = {"/path": {"allow_origins": EVIL}, "/view": {"allow_origins": EVIL}, "/for": {"allow_origins": EVIL}}
    configuration = Configuration(view_of=by_path, policy_for=policy_for, paths=paths, **ONE)
    configuration.set_view("view", Policy(allow_origins="*"))
    client = Client(interface, App(), configuration)
    lines = {path: client.request(path=path, origin=APP).lines for path in ("/view", "/for", "/path", "/base")}
    varying = sorted([*WILD, VARY])  # policy_for may read Origin
    assert lines == {"/view": WILD, "/for": varying, "/path": STRICT, "/base": GRANT}
    assert called == ["/for", "/path", "/base"]


def test_reconfigure_merges_the_mappings_of_views_over_the_new_base(
    interface: str, configuration: Configuration
) -> None:
    """A view's Policy stays."""
    client = Client(interface, App(), configuration)
    client.middleware.reconfigure(allow_origins=EVIL)
    assert client.request(path="/dict", origin=EVIL).lines == sorted([OWN, VARY, origin_line(EVIL)])
    assert client.request(path="/open", origin=EVIL).lines == WILD


def test_reconfigure_raises_if_the_mapping_of_a_view_is_invalid_over_the_new_base(interface: str) -> None:
    """The old base stays in force."""
    configuration = Configuration(view_of=by_path, **ONE)
    configuration.set_view("open", {"allow_origins": "*"})
    client = Client(interface, App(), configuration)
    with pytest.raises(ConfigError):
        client.middleware.reconfigure(allow_origins=APP, allow_credentials=True)
    assert client.request(path="/open", origin=EVIL).lines == WILD


@pytest.mark.parametrize("policy", [{"allow_origin": "*"}, {"allow_origins": "a.com"}, 5], ids=str)
def test_an_invalid_policy_of_a_view_is_refused(interface: str, configuration: Configuration, policy: Any) -> None:
    """The old policy stays in force."""
    with pytest.raises(ConfigError):
        configuration.set_view("open", policy)
    assert Client(interface, App(), configuration).request(path="/open", origin=EVIL).lines == WILD


def test_a_view_of_that_raises_refuses_and_is_logged(interface: str, caplog: pytest.LogCaptureFixture) -> None:
    configuration = Configuration(view_of=lambda scope: scope["nothing"], **ONE)
    configuration.set_view("open", None)
    assert Client(interface, App(), configuration).request(origin=APP).lines == FAILED
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_set_views_sets_all_policies_or_none(interface: str, configuration: Configuration) -> None:
    client = Client(interface, App(), configuration)
    with pytest.raises(ConfigError):
        configuration.set_views({"dict": None, "open": {"allow_origins": "a.com"}})
    assert client.request(path="/dict", origin=APP).lines == GRANT
    configuration.set_views({"dict": None, "open": {"allow_origins": EVIL}})
    assert client.request(path="/dict", origin=APP).lines == [OWN]
    assert client.request(path="/open", origin=APP).lines == STRICT
    assert client.request(path="/none", origin=APP).lines == [OWN]


def test_set_view_without_view_of_raises_a_type_error() -> None:
    with pytest.raises(TypeError, match="view_of"):
        Configuration(**ONE).set_view("open", None)


class Late:
    """Views that are found at a request, with replaceable policies by key."""

    def __init__(self, **policies: Any) -> None:
        self.policies, self.built = policies, 0

    def policy_of(self, key: str) -> Any:
        """Return the policy of a view, or raise its error."""
        self.built += 1
        policy = self.policies[key]
        if isinstance(policy, Exception):
            raise policy
        return policy


def view_of(late: Late) -> Any:
    """Return a function that returns the key of a view with a policy."""
    return lambda scope: key if (key := by_path(scope)) in late.policies else None


def late_configuration(late: Late, **options: Any) -> Configuration:
    """Return a configuration whose views are found at a request."""
    configuration = Configuration(view_of=view_of(late), view_policy=late.policy_of, **{**ONE, **options})
    configuration.set_view("exempt", None)
    return configuration


BROKEN = ConfigError([Issue("wrong-type", "allow_origins", 5, "5 is not an origin", "Write '*'.")])


def test_the_policy_of_a_new_view_is_built_once(interface: str) -> None:
    """At its first request, without `set_views`."""
    late = Late(open=Policy(allow_origins="*"), dict={"allow_origins": EVIL}, none=None)
    rules = Rules(Policy(allow_origins=EVIL), {"/inner/*": None})
    late.policies["rules"] = rules
    client = Client(interface, App(), late_configuration(late))
    for _ in range(2):
        assert client.request(path="/open", origin=EVIL).lines == WILD
        assert client.request(path="/dict", origin=APP).lines == STRICT
        assert client.request(path="/none", origin=APP).lines == [OWN]
        assert client.request(path="/rules", origin=APP).lines == STRICT
        assert client.request(path="/other", origin=APP).lines == GRANT
    assert late.built == len(late.policies)


@pytest.mark.parametrize(
    ("broken", "hint"),
    [
        pytest.param(BROKEN, "Write '*'.", id="raises"),
        pytest.param(RuntimeError("unreadable"), "RuntimeError('unreadable')", id="raises another error"),
        pytest.param(ConfigWarning("a useless value"), "a useless value')", id="a warning that is an error"),
        pytest.param({"allow_origin": "*"}, "Did you mean 'allow_origins'?", id="unknown option"),
        pytest.param(5, "None passes requests through.", id="not a policy"),
    ],
)
def test_a_view_whose_policy_is_invalid_fails_closed(
    interface: str, broken: Any, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It gets no CORS header, its preflights get the reason, and one ERROR names the view. Other views are served."""
    late = Late(broken=broken, open=Policy(allow_origins="*"))
    client = Client(
        interface, App(headers=[*App().headers, ("access-control-allow-origin", "*")]), late_configuration(late)
    )
    for _ in range(2):
        assert client.request(path="/broken", origin=APP).lines == STRICT
        assert client.request(path="/broken").lines == STRICT
        preflight = client.preflight("PUT", origin=APP, path="/broken")
        assert (preflight.status, preflight.cors) == (200, [])
        assert b"PolicyLookupFailed" in preflight.body
        assert client.request(path="/open", origin=APP).cors == [origin_line("*")]
        assert client.request(path="/health").cors == []
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].startswith("the policy of broken is invalid, so all its requests are refused: ")
    assert errors[0].endswith(hint)


def test_a_view_whose_policy_is_invalid_is_closed_under_enforce(interface: str) -> None:
    """The allowed origins are not known, so a cross-origin request does not reach the app."""
    client = Client(interface, App(), late_configuration(Late(broken=BROKEN), enforce=True))
    host = [("host", "api.example.com")]
    assert client.request("POST", "/broken", origin=APP, headers=host).status == 403
    assert client.request("POST", "/broken", origin="https://api.example.com", headers=host).status == 200
    assert client.request("POST", "/broken", headers=host).status == 200


def test_reconfigure_builds_the_policies_of_views_again(interface: str) -> None:
    """A view that was invalid under the old base is built under the new one."""
    late = Late(dict={"allow_origins": "*"})
    client = Client(interface, App(), late_configuration(late, allow_credentials=True))
    assert client.request(path="/dict", origin=EVIL).lines == STRICT
    client.middleware.reconfigure(allow_origins=APP)
    assert client.request(path="/dict", origin=EVIL).lines == WILD


class Misrouted:
    """An app that runs another view than the predicted one, and lets its middleware verify that."""

    def __init__(self, interface: str, actual: str | None, **options: Any) -> None:
        self.actual, self.own = (
            actual,
            App(headers=[*App().headers, ("access-control-allow-origin", "*"), ("vary", "accept")]),
        )
        policies = {"open": Policy(allow_origins="*"), "app": {"allow_credentials": True}, "none": None}
        self.late = Late(**policies, evil=Policy(allow_origins=EVIL))
        self.served = Client(interface, self, late_configuration(self.late, **options))  # type: ignore[arg-type]

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Verify, as an adapter does by a signal, and run the view."""
        predicted = view_of(self.late)(scope)
        refusal = await self.served.middleware.verify_view(scope, predicted, self.actual)
        if refusal is None:
            await self.own.asgi(scope, receive, send)
        else:
            status, headers, body = refusal
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        """Verify, and run the view."""
        predicted = view_of(self.late)({"path": environ["PATH_INFO"]})
        refusal = self.served.middleware.verify_view(environ, predicted, self.actual)
        if refusal is None:
            return self.own.wsgi(environ, start_response)
        status, headers, body = refusal
        start_response(status, headers)
        return [body]


BOTH_VARY = "vary: accept, Origin"


@pytest.mark.parametrize(
    ("path", "actual", "lines"),
    [
        pytest.param("/open", "open", [origin_line("*"), "vary: accept"], id="as predicted"),
        pytest.param("/app", "evil", [BOTH_VARY], id="the view that ran refuses"),
        pytest.param("/evil", "open", [BOTH_VARY], id="the predicted view refuses"),
        pytest.param("/open", "app", [origin_line(APP), BOTH_VARY], id="both allow"),
        pytest.param("/app", "open", [origin_line(APP), BOTH_VARY], id="both allow, in reverse"),
        pytest.param("/app", None, [origin_line(APP), BOTH_VARY], id="a view with the base policy"),
        pytest.param("/none", "open", ["vary: accept"], id="a view with a policy instead of an exempt one"),
        pytest.param("/open", "none", [BOTH_VARY], id="an exempt view instead of one with a policy"),
        pytest.param("/none", None, [BOTH_VARY], id="the base policy instead of an exempt view"),
    ],
)
def test_the_response_gets_the_narrower_of_two_policies_if_another_view_ran(
    interface: str, path: str, actual: str | None, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    misrouted = Misrouted(interface, actual)
    for _ in range(3):
        assert misrouted.served.request(path=path, origin=APP).lines == sorted([OWN, *lines])
    warned = [r.getMessage() for r in caplog.records if "another view than predicted served" in r.getMessage()]
    assert len(warned) == (path != f"/{actual}")
    assert all(path[1:] in line and (actual or "no view") in line for line in warned)


def test_a_request_without_origin_gets_the_narrower_of_two_policies(interface: str) -> None:
    """A cache may serve its response to another page."""
    assert Misrouted(interface, "evil").served.request(path="/open").lines == sorted([OWN, BOTH_VARY])


def test_enforce_refuses_before_a_view_that_was_not_predicted_runs(interface: str) -> None:
    misrouted = Misrouted(interface, "evil", enforce=True)
    response = misrouted.served.request("POST", "/app", origin=APP, headers=[("host", "api.example.com")])
    assert (response.status, response.values("cache-control"), misrouted.own.seen) == (403, ["no-store"], [])
    assert misrouted.served.request("POST", "/evil", origin=EVIL, headers=[("host", "a")]).status == 200


@pytest.mark.parametrize("path", ["/app", "/none"], ids=["another policy predicted", "an exempt view predicted"])
def test_the_sender_is_checked_before_a_view_that_was_not_predicted_runs(
    interface: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal is logged, and reported once more."""
    caplog.set_level("INFO", logger="asgi_cors")
    seen: list[str | None] = []
    misrouted = Misrouted(interface, "csrf", on_decision=lambda decision, _: seen.append(decision.reason))
    misrouted.late.policies["csrf"] = Policy(allow_origins=APP, csrf_protection=True)
    site = [("host", "api.example.com"), ("sec-fetch-site", "cross-site")]
    for _ in range(2):
        response = misrouted.served.request("POST", path, origin=EVIL, headers=site)
        assert (response.status, misrouted.own.seen) == (403, [])
    assert seen == (["MissingAllowOriginHeader", "CrossSiteRequest"] if path == "/app" else ["CrossSiteRequest"]) * 2
    assert "(CrossSiteRequest)" in caplog.text
    own = [("host", "api.example.com"), ("sec-fetch-site", "same-origin")]
    assert misrouted.served.request("POST", path, origin="https://api.example.com", headers=own).status == 200


def test_the_sender_is_checked_by_the_base_policy_if_the_policy_of_a_view_is_invalid(interface: str) -> None:
    client = Client(interface, App(), late_configuration(Late(broken=BROKEN), csrf_protection=True))
    host = ("host", "api.example.com")
    for origin, site, status in ((EVIL, "cross-site", 403), (APP, "cross-site", 403), (None, "same-origin", 200)):
        headers = [host, ("sec-fetch-site", site)]
        assert client.request("POST", "/broken", origin=origin, headers=headers).status == status


def test_an_exempt_view_that_crashes_is_left_to_the_server(interface: str) -> None:
    """Its response is the app's own, so the middleware sends no 500."""
    client = Client(interface, App(raises=LookupError("x")), late_configuration(Late(none=None)))
    response = client.request(path="/none", origin=APP)
    assert (response.status, type(response.raised)) == (None, LookupError)


@pytest.mark.parametrize(("actual", "accepted"), [("app", True), ("evil", False), ("none", True)])
def test_a_handshake_must_be_allowed_by_the_view_that_runs(actual: str, accepted: bool) -> None:
    misrouted = Misrouted("asgi", actual)
    scope = websocket_scope("/app", [("origin", APP), ("host", "api.example.com")])
    response = call_asgi(misrouted.served.middleware, scope)
    assert (response.messages[0]["type"] == "websocket.accept") is accepted
    assert response.status == (None if accepted else 403)


def test_no_change_of_several_threads_is_lost() -> None:
    """The calls are serialized, so one thread's change stays if another thread changes something else."""
    configuration = Configuration(view_of=by_path, **ONE)
    names = [f"view{number}" for number in range(40)]
    start = threading.Barrier(4)

    def set_views(part: int) -> None:
        start.wait()
        for name in names[part::2]:
            configuration.set_view(name, Policy(allow_origins=EVIL))

    def reconfigure(option: str) -> None:
        start.wait()
        for number in range(40):
            configuration.reconfigure(**{option: number % 2 == 1})  # type: ignore[arg-type]

    with ThreadPoolExecutor() as pool:
        done = [pool.submit(set_views, part) for part in (0, 1)]
        done += [pool.submit(reconfigure, option) for option in ("enforce", "check_websockets")]
        assert [each.result() for each in done] == [None] * 4
    assert configuration.evaluator.enforce
    assert configuration.evaluator.check_websockets
    client = Client("asgi", App(), configuration)
    assert all(client.request(path=f"/{name}", origin=APP).status == 403 for name in names)


def test_the_warning_of_patterns_with_the_same_rank_is_not_repeated_for_each_view() -> None:
    paths: dict[Any, Any] = {re.compile("/[a-z]+"): None, re.compile("/[b-z]+"): {"max_age": 5}}
    with pytest.warns(ConfigWarning, match="same rank"):
        configuration = Configuration(view_of=by_path, paths=paths, **ONE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        configuration.set_view("view", None)
        configuration.reconfigure(enforce=True)
    assert caught == []
    with pytest.warns(ConfigWarning, match="same rank"):
        configuration.reconfigure(paths=paths)
