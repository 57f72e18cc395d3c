"""The policy that serves a request: by path, by `policy_for`, and for an ambiguous path."""

import re
import warnings
from typing import Any

import anyio.lowlevel
import pytest

from asgi_cors import ConfigError, ConfigWarning, CORSMiddleware, Policy
from tests.support.apps import App
from tests.support.clients import call_asgi, http_scope
from tests.support.event_loops import RUNNERS, run_asyncio
from tests.support.expected import APP, EVIL, FAILED, OWN, VARY, granted, origin_line, refused

PARTNER = "https://partner.example.org"
OPEN = Policy(allow_origins="*")
PARTNERS = Policy(allow_origins=PARTNER)
BASE: dict[str, Any] = {"allow_origins": APP, "max_age": 5}

UNCHANGED = [OWN]
STRICT = sorted([OWN, VARY])
WILD = sorted([OWN, origin_line("*")])
OPEN_VARYING = sorted([OWN, VARY, origin_line("*")])
NAMED = sorted([OWN, VARY, origin_line(PARTNER)])

PATHS: dict[str, Any] = {
    "/public/*": OPEN,
    "/public/secret": PARTNERS,
    "/public/secret/*": None,
    "/internal/*": None,
    "/exact": OPEN,
    "/dict": {"allow_origins": PARTNER},
    "/ümlaut/*": OPEN,
}

# behaviour, path, the lines of the response to the partner's page
SERVED: list[tuple[str, str, list[str]]] = [
    ("a path that no pattern matches has the base policy", "/other", STRICT),
    ("an exact path", "/exact", WILD),
    ("an exact path is not a prefix", "/exact/x", STRICT),
    ("an exact path matches with a final slash", "/exact/", WILD),
    ("a prefix matches itself", "/public", WILD),
    ("a prefix matches all paths below it", "/public/a/b", WILD),
    ("a prefix matches itself with a final slash", "/public/", WILD),
    ("a prefix ends at a slash", "/publicity", STRICT),
    ("a prefix is case-sensitive", "/Public/a", STRICT),
    ("an exact path wins over a prefix", "/public/secret", NAMED),
    ("a longer prefix wins over a shorter one", "/public/secret/a", UNCHANGED),
    ("None passes through unchanged", "/internal/a", UNCHANGED),
    ("a dict is merged over the base policy", "/dict", NAMED),
    ("a path is matched decoded", "/ümlaut/a", WILD),
    ("a percent sign in the decoded path is literal", "/public%2fa", STRICT),
    ("a dot segment that leads to the same policy does not matter", "/public/./a/../b", WILD),
    ("a doubled slash that leads to the same policy does not matter", "/public//a", WILD),
    ("three dots are not a dot segment", "/public/.../a", WILD),
]
AMBIGUOUS: list[tuple[str, str, list[str]]] = [
    ("a dot segment that leads to the base is refused", "/public/../other", STRICT),
    ("a dot segment that leads to another policy is refused", "/public/x/../secret", STRICT),
    ("a dot segment that leads to None is refused", "/public/../internal/a", STRICT),
    ("a dot segment that leads from None to another policy is refused", "/internal/../public/a", STRICT),
    ("a doubled slash that hides a prefix is refused", "//public/a", STRICT),
    ("a final dot segment is removed too", "/public/..", STRICT),
    ("a single dot that hides an exact path is refused", "/./exact", STRICT),
    ("slashes are removed before dot segments", "/public//../other", STRICT),
    ("dot segments above the root lead to the root", "/../../public/a", STRICT),
]


@pytest.mark.parametrize(
    ("path", "lines"), [row[1:] for row in SERVED + AMBIGUOUS], ids=[row[0] for row in SERVED + AMBIGUOUS]
)
def test_a_request_is_served_by_the_policy_of_its_path(serve: Any, path: str, lines: list[str]) -> None:
    """The app runs. An ambiguous path is granted nothing."""
    client = serve(paths=PATHS, **BASE)
    response = client.request(path=path, origin=PARTNER)
    assert (response.lines, client.reached) == (lines, 1)


@pytest.mark.parametrize("path", [row[1] for row in AMBIGUOUS], ids=[row[0] for row in AMBIGUOUS])
@pytest.mark.parametrize("origin", [APP, PARTNER, EVIL])
def test_an_ambiguous_path_is_granted_nothing(serve: Any, path: str, origin: str) -> None:
    """Neither by the policy of the path as sent nor by that of another reading."""
    response = serve(paths=PATHS, **BASE).request(path=path, origin=origin)
    assert (response.cors, response.values("vary")) == ([], ["Origin"])


def test_doubled_slashes_are_removed_before_dot_segments(serve: Any) -> None:
    """`/a//../b` is `/b`."""
    client = serve(paths={"/a/*": PARTNERS, "/a/b": PARTNERS, "/b": OPEN}, **BASE)
    assert client.request(path="/a//../b", origin=PARTNER).lines == STRICT


def test_a_preflight_is_served_by_the_policy_of_its_path(serve: Any) -> None:
    """A dict is merged over the base policy."""
    client = serve(paths=PATHS, **BASE)
    assert client.preflight(origin=PARTNER, path="/dict").lines == granted(PARTNER, max_age=5)
    assert client.preflight(origin=PARTNER, path="/exact").lines == granted("*")
    response = client.preflight(origin=PARTNER, path="/other")
    assert (response.status, response.lines) == (200, refused(response.body))
    assert client.reached == 0


def test_a_preflight_of_a_path_with_none_reaches_the_app(serve: Any) -> None:
    client = serve(paths=PATHS, **BASE)
    assert client.preflight(origin=PARTNER, path="/internal/a").lines == UNCHANGED
    assert client.reached == 1


def test_a_preflight_of_an_ambiguous_path_is_refused_without_cors_headers(serve: Any) -> None:
    client = serve(paths=PATHS, **BASE)
    response = client.preflight(origin=APP, path="/public/../other")
    assert (response.status, response.lines, client.reached) == (200, refused(response.body), 0)


def test_the_apps_own_cors_headers_are_unchanged_under_none(serve: Any) -> None:
    own = [("Access-Control-Allow-Origin", "*"), ("content-type", "text/plain")]
    assert serve(app=App(headers=own), paths={"/*": None}, **BASE).request(path="/a", origin=APP).headers == own


@pytest.mark.parametrize(
    ("path", "root_path", "lines"),
    [
        ("/sub/public/a", "/sub", WILD),
        ("/sub/public", "/sub", WILD),
        ("/public/a", "/sub", WILD),
        ("/sub/public/a", "", STRICT),
        ("/subpublic/public/a", "/sub", STRICT),
        ("/sub/sub/public/a", "/sub", STRICT),
    ],
    ids=[
        "removed",
        "removed before the prefix itself",
        "unchanged without that prefix",
        "empty",
        "removed on a slash boundary only",
        "removed once",
    ],
)
def test_the_root_path_is_removed_from_the_path(path: str, root_path: str, lines: list[str]) -> None:
    middleware = CORSMiddleware(App().asgi, paths=PATHS, **BASE)
    assert call_asgi(middleware, http_scope("GET", path, [("origin", PARTNER)], root_path=root_path)).lines == lines


def test_slash_asterisk_matches_every_path(serve: Any) -> None:
    client = serve(paths={"/*": OPEN}, **BASE)
    assert [client.request(path=path, origin=EVIL).lines for path in ("/", "/a", "/a/b")] == [WILD] * 3


@pytest.mark.parametrize(
    "paths",
    [
        {"public": OPEN},
        {"/a*": OPEN},
        {"/*/a": OPEN},
        {"": OPEN},
        {5: OPEN},
        {"/a": "https://a.com"},
        {"/a": 5},
        ["/a"],
        {"/a": {"allow_origin": "*"}},
        {"/a": {"allow_origins": "https://a.com/"}},
        {"/a": True},
    ],
    ids=repr,
)
def test_an_invalid_path_or_policy_is_refused_at_set_up(serve: Any, paths: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(paths=paths, **BASE)
    assert all(each.message for each in caught.value.issues)


def test_mistakes_in_paths_are_reported_together_with_those_in_options(serve: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(paths={"a": OPEN, "/b": {"allow_origin": "*"}}, allow_origins="https://a.com/")
    assert len(caught.value.issues) >= 3


def test_a_policy_together_with_options_is_refused(serve: Any) -> None:
    """One of them would be ignored."""
    with pytest.raises(ConfigError):
        serve(OPEN, allow_origins=APP)
    with pytest.raises(ConfigError):
        serve("https://a.com")


ANSWERS: list[tuple[str, Any, list[str]]] = [
    ("a policy serves the request", OPEN, sorted([*WILD, VARY])),
    ("None leaves the response to the app, but for Vary", None, STRICT),
    ("NotImplemented leaves the request to paths", NotImplemented, NAMED),
]


@pytest.mark.parametrize(("value", "lines"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_policy_for_goes_before_paths(serve: Any, kind: str, value: Any, lines: list[str]) -> None:
    def policy_for(scope: Any) -> Any:
        del scope
        return value

    async def policy_for_async(scope: Any) -> Any:
        return policy_for(scope)

    function = policy_for if kind == "sync" else policy_for_async
    client = serve(run=run_asyncio, policy_for=function, paths=PATHS, **BASE)
    assert client.request(path="/dict", origin=PARTNER).lines == lines


def test_not_implemented_without_a_matching_path_is_the_base_policy(serve: Any) -> None:
    client = serve(policy_for=lambda _: NotImplemented, **BASE)
    assert client.request(path="/x", origin=APP).lines == sorted([OWN, VARY, origin_line(APP)])


def test_policy_for_gets_an_asgi_scope_also_under_wsgi(serve: Any) -> None:
    """Here it finds a tenant by Host."""
    seen: list[Any] = []

    def by_host(scope: Any) -> Any:
        seen.append(scope)
        return OPEN if (b"host", b"open.example.com") in scope["headers"] else PARTNERS

    client = serve(policy_for=by_host, **BASE)
    assert client.request("POST", "/ü", origin=PARTNER, headers=[("host", "open.example.com")]).lines == OPEN_VARYING
    assert client.request(origin=PARTNER, headers=[("host", "x.example.com")]).lines == NAMED
    assert (seen[0]["type"], seen[0]["method"], seen[0]["path"]) == ("http", "POST", "/ü")
    assert (b"origin", PARTNER.encode()) in seen[0]["headers"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_policy_for_that_raises_refuses_and_is_logged(
    serve: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The app runs."""

    def fail(scope: Any) -> Any:
        message = f"tenant of {scope['path']} unknown"
        raise LookupError(message)

    async def fail_later(scope: Any) -> Any:
        return fail(scope)

    client = serve(run=run_asyncio, policy_for=fail if kind == "sync" else fail_later, **BASE)
    assert client.request(path="/a", origin=APP).lines == FAILED
    response = client.preflight(origin=APP, path="/a")
    assert (response.status, response.cors, client.reached) == (200, [], 1)
    assert any(record.levelname == "ERROR" and record.name == "asgi_cors" for record in caplog.records)


@pytest.mark.parametrize("value", ["*", {"allow_origins": "*"}, 5, True], ids=repr)
def test_a_policy_for_that_returns_an_invalid_value_refuses_and_is_logged(
    serve: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert serve(policy_for=lambda _: value, **BASE).request(origin=APP).lines == FAILED
    assert caplog.records


@pytest.mark.parametrize("run", [RUNNERS["asyncio"], RUNNERS["trio"]], ids=["asyncio", "trio"])
def test_an_async_policy_for_may_wait_for_its_event_loop(run: Any) -> None:
    async def policy_for(scope: Any) -> Any:
        del scope
        await anyio.lowlevel.checkpoint()
        return OPEN

    middleware = CORSMiddleware(App().asgi, policy_for=policy_for, **BASE)
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", EVIL)]), run).lines == OPEN_VARYING


def test_responses_vary_by_origin_and_the_headers_that_policy_for_reads(serve: Any) -> None:
    """It may read Origin, whatever it returns, and the headers that `vary` names."""

    def policy_for(scope: Any) -> Any:
        return {"/open": OPEN, "/none": None}.get(scope["path"], NotImplemented)

    app = App(headers=[("content-type", "text/plain"), ("vary", "accept, ORIGIN")])
    client = serve(app=app, policy_for=policy_for, vary=["X-Tenant", "origin", "x-tenant"], **BASE)
    for path in ("/open", "/none", "/other"):
        for origin in (None, APP, EVIL):
            assert client.request(path=path, origin=origin).elements("vary") == ["accept", "ORIGIN", "X-Tenant"]
    preflight = client.preflight(origin=APP, path="/other")
    names = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "X-Tenant"]
    assert preflight.elements("vary") == names


def test_the_vary_of_policy_for_is_not_added_for_other_users_of_the_policy(serve: Any) -> None:

    def policy_for(scope: Any) -> Any:
        return OPEN if scope["path"] == "/for" else NotImplemented

    client = serve(policy_for=policy_for, **BASE)
    assert client.request(path="/for", origin=EVIL).lines == OPEN_VARYING
    assert serve(OPEN).request(path="/for", origin=EVIL).lines == WILD


@pytest.mark.parametrize("vary", ["x tenant", ["a", "b c"], 5, [None], ""], ids=repr)
def test_vary_with_an_invalid_header_name_is_refused(serve: Any, vary: Any) -> None:
    with pytest.raises(ConfigError, match=r"vary: .* Write the names of request headers: vary=\['x-tenant'\]\."):
        serve(policy_for=lambda _: OPEN, vary=vary, **BASE)


@pytest.mark.parametrize("path", ["/open/../x", "/open/" + "x" * 2100], ids=["dot segments", "too long for a regex"])
def test_enforce_checks_every_policy_that_may_serve_an_ambiguous_path(serve: Any, path: str) -> None:
    """If all of them allow, the app runs, but without CORS headers; one refusal is enough for a 403."""
    paths = {re.compile(r"/open/.*"): OPEN, "/x": PARTNERS}
    client = serve(enforce=True, paths=paths, allow_origins=[APP, PARTNER])
    assert client.request("POST", path, origin=PARTNER, headers=[("host", "a")]).lines == STRICT
    assert client.request("POST", path, origin=APP, headers=[("host", "a")]).status == 403
    assert client.request("POST", path, origin=EVIL, headers=[("host", "a")]).status == 403


def test_enforce_checks_the_base_policy_if_policy_for_fails(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An origin that the base allows reaches the app, but is granted nothing."""

    def fail(scope: Any) -> Any:
        raise LookupError(scope["path"])

    client = serve(enforce=True, policy_for=fail, **BASE)
    assert client.request(origin=APP, headers=[("host", "a")]).lines == FAILED
    refusal = client.request(origin=EVIL, headers=[("host", "a")])
    assert (refusal.status, refusal.values("cache-control"), client.reached) == (403, ["no-store"], 1)
    assert "LookupError" in caplog.text


def test_both_policies_of_patterns_with_the_same_rank_must_allow(serve: Any) -> None:
    """Origins, methods, headers, exposed headers, credentials and max-age are those that both allow."""
    paths: dict[Any, Any] = {
        re.compile(r"/\w+/v1/.*"): Policy(
            allow_origins=[APP, PARTNER],
            allow_methods=["PUT", "DELETE"],
            allow_headers="*",
            expose_headers=["x-a", "X-B"],
            allow_credentials=True,
            max_age=60,
        ),
        re.compile(r"/\w+/v1/admin/.*"): Policy(
            allow_origins=[APP], allow_methods=["PUT"], allow_headers=["x-id"], expose_headers=["x-b"]
        ),
    }
    with pytest.warns(ConfigWarning, match="same rank"):
        client = serve(paths=paths, **BASE)
    path = "/x/v1/admin/y"
    exposed = "access-control-expose-headers: X-B"
    assert client.request(path=path, origin=APP).lines == sorted([OWN, VARY, origin_line(APP), exposed])
    assert client.request(path=path, origin=PARTNER).lines == STRICT
    allowed = client.preflight("PUT", "x-id", origin=APP, path=path)
    assert (allowed.status, allowed.values("access-control-allow-methods")) == (204, ["GET, HEAD, POST, PUT"])
    assert allowed.elements("access-control-allow-headers") == ["x-id"]
    assert allowed.values("access-control-max-age") == ["60"]
    assert not allowed.values("access-control-allow-credentials")
    assert client.preflight("DELETE", origin=APP, path=path).status == 200
    assert client.preflight("PUT", origin=PARTNER, path=path).cors == []
    assert client.middleware.explain("DELETE", APP, path=path).allowed is False
    assert client.middleware.explain("PUT", APP, path=path).allowed is True


@pytest.mark.parametrize("first", ["*", APP, EVIL])
@pytest.mark.parametrize("second", ["*", APP])
def test_an_origin_is_granted_what_the_narrower_of_two_policies_grants(serve: Any, first: str, second: str) -> None:
    """A `*` is narrowed to the origin that the other policy names."""
    paths = {re.compile("/[a-z]+"): Policy(allow_origins=first), re.compile("/[b-z]+"): Policy(allow_origins=second)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        client = serve(paths=paths, **BASE)
    granted_origin = "*" if first == second == "*" else APP
    lines = [] if first == EVIL else [origin_line(granted_origin)]
    for _ in range(2):
        assert client.request(path="/b", origin=APP).cors == lines
