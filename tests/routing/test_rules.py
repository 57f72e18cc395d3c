"""Which policy serves a request: paths, policy_for, and what an ambiguous path gets."""

import re
import warnings
from typing import Any

import anyio.lowlevel
import pytest

from asgi_cors import ConfigError, ConfigWarning, CORSMiddleware, Policy
from tests.support.apps import App
from tests.support.clients import call_asgi, http_scope
from tests.support.event_loops import RUNNERS, run_asyncio
from tests.support.expected import APP, EVIL, OWN, VARY, granted, origin_line, refused

PARTNER = "https://partner.example.org"
OPEN = Policy(allow_origins="*")
PARTNERS = Policy(allow_origins=PARTNER)
BASE: dict[str, Any] = {"allow_origins": APP, "max_age": 5}

UNTOUCHED = [OWN]
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

# behaviour, path, the answer to a page of the partner
SERVED: list[tuple[str, str, list[str]]] = [
    ("what no pattern matches has the base policy", "/other", STRICT),
    ("an exact path", "/exact", WILD),
    ("an exact path is not a prefix", "/exact/x", STRICT),
    ("an exact path covers the one that ends in a slash", "/exact/", WILD),
    ("a prefix is the prefix itself", "/public", WILD),
    ("a prefix is all below it", "/public/a/b", WILD),
    ("a prefix with its slash", "/public/", WILD),
    ("a prefix ends at a slash", "/publicity", STRICT),
    ("a prefix is case-sensitive", "/Public/a", STRICT),
    ("exact beats prefix", "/public/secret", NAMED),
    ("longer beats shorter", "/public/secret/a", UNTOUCHED),
    ("None passes through untouched", "/internal/a", UNTOUCHED),
    ("a dict is a policy over the base", "/dict", NAMED),
    ("a path is matched decoded", "/ümlaut/a", WILD),
    ("a percent sign left in the decoded path is itself", "/public%2fa", STRICT),
    ("a dot segment that stays under one policy is no matter", "/public/./a/../b", WILD),
    ("a doubled slash that stays under one policy is no matter", "/public//a", WILD),
    ("three dots are a name", "/public/.../a", WILD),
    ("a dot segment that leads to the base is refused", "/public/../other", STRICT),
    ("a dot segment that leads to another policy is refused", "/public/x/../secret", STRICT),
    ("a dot segment that leads to None is refused", "/public/../internal/a", STRICT),
    ("a dot segment out of None is refused", "/internal/../public/a", STRICT),
    ("a doubled slash that hides a prefix is refused", "//public/a", STRICT),
    ("a final dot segment is removed too", "/public/..", STRICT),
    ("a single dot that hides an exact path is refused", "/./exact", STRICT),
    ("slashes are removed before dot segments", "/public//../other", STRICT),
    ("dot segments above the root stay at the root", "/../../public/a", STRICT),
]


@pytest.mark.parametrize(("path", "lines"), [row[1:] for row in SERVED], ids=[row[0] for row in SERVED])
def test_paths(serve: Any, path: str, lines: list[str]) -> None:
    """The app answers with the fields of the policy of its path; an ambiguous path is granted nothing."""
    served = serve(paths=PATHS, **BASE)
    answer = served.request(path=path, origin=PARTNER)
    assert (answer.lines, served.reached) == (lines, 1)


AMBIGUOUS = [
    row for row in SERVED if row[0].endswith("refused") or "slashes" in row[0] or "root" in row[0] or "final" in row[0]
]


@pytest.mark.parametrize("path", [row[1] for row in AMBIGUOUS], ids=[row[0] for row in AMBIGUOUS])
@pytest.mark.parametrize("origin", [APP, PARTNER, EVIL])
def test_an_ambiguous_path_is_granted_nothing(serve: Any, path: str, origin: str) -> None:
    """Neither the policy of the path as sent nor that of the path as cleaned grants anything."""
    answer = serve(paths=PATHS, **BASE).request(path=path, origin=origin)
    assert (answer.cors, answer.values("vary")) == ([], ["Origin"])


def test_slashes_before_dots(serve: Any) -> None:
    """``/a//../b`` is ``/b``, as the slashes go first."""
    served = serve(paths={"/a/*": PARTNERS, "/a/b": PARTNERS, "/b": OPEN}, **BASE)
    assert served.request(path="/a//../b", origin=PARTNER).lines == STRICT


def test_a_preflight_of_a_path(serve: Any) -> None:
    """A preflight is answered by the policy of its path, a dict being laid over the base's options."""
    served = serve(paths=PATHS, **BASE)
    assert served.preflight(origin=PARTNER, path="/dict").lines == granted(PARTNER, max_age=5)
    assert served.preflight(origin=PARTNER, path="/exact").lines == granted("*")
    answer = served.preflight(origin=PARTNER, path="/other")
    assert (answer.status, answer.lines) == (200, refused(answer.body))
    assert served.reached == 0


def test_a_preflight_without_policy(serve: Any) -> None:
    """Under None a preflight reaches the app."""
    served = serve(paths=PATHS, **BASE)
    assert served.preflight(origin=PARTNER, path="/internal/a").lines == UNTOUCHED
    assert served.reached == 1


def test_a_preflight_of_an_ambiguous_path(serve: Any) -> None:
    """A preflight of an ambiguous path is answered, without any CORS field."""
    served = serve(paths=PATHS, **BASE)
    answer = served.preflight(origin=APP, path="/public/../other")
    assert (answer.status, answer.lines, served.reached) == (200, refused(answer.body), 0)


def test_untouched_means_untouched(serve: Any) -> None:
    """Under None the app's own CORS fields stay as they are."""
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
        "left where it is no prefix",
        "empty",
        "removed on a slash only",
        "removed once",
    ],
)
def test_root_path(path: str, root_path: str, lines: list[str]) -> None:
    """The path is scope["path"] without scope["root_path"] where that is its prefix on a slash."""
    middleware = CORSMiddleware(App().asgi, paths=PATHS, **BASE)
    assert call_asgi(middleware, http_scope("GET", path, [("origin", PARTNER)], root_path=root_path)).lines == lines


def test_a_mount_point_itself(serve: Any) -> None:
    """``/*`` is every path."""
    served = serve(paths={"/*": OPEN}, **BASE)
    assert [served.request(path=path, origin=EVIL).lines for path in ("/", "/a", "/a/b")] == [WILD] * 3


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
def test_bad_paths(serve: Any, paths: Any) -> None:
    """A pattern or value of another form is refused at set-up, in words."""
    with pytest.raises(ConfigError) as caught:
        serve(paths=paths, **BASE)
    assert all(each.message for each in caught.value.issues)


def test_all_bad_paths_at_once(serve: Any) -> None:
    """Mistakes of paths are reported together with those of the options."""
    with pytest.raises(ConfigError) as caught:
        serve(paths={"a": OPEN, "/b": {"allow_origin": "*"}}, allow_origins="https://a.com/")
    assert len(caught.value.issues) >= 3


def test_a_policy_and_options_are_alternatives(serve: Any) -> None:
    """A policy and options beside it are refused: one of them would be lost."""
    with pytest.raises(ConfigError):
        serve(OPEN, allow_origins=APP)
    with pytest.raises(ConfigError):
        serve("https://a.com")


ANSWERS: list[tuple[str, Any, list[str]]] = [
    ("a policy serves the request", OPEN, sorted([*WILD, VARY])),
    ("None leaves the response to the app, but for Vary", None, STRICT),
    ("NotImplemented asks the next: paths", NotImplemented, NAMED),
]


@pytest.mark.parametrize(("value", "lines"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_policy_for(serve: Any, kind: str, value: Any, lines: list[str]) -> None:
    """policy_for is asked before paths."""

    def ask(scope: Any) -> Any:
        del scope
        return value

    async def ask_later(scope: Any) -> Any:
        return ask(scope)

    served = serve(run=run_asyncio, policy_for=ask if kind == "sync" else ask_later, paths=PATHS, **BASE)
    assert served.request(path="/dict", origin=PARTNER).lines == lines


def test_policy_for_falls_back_to_the_base(serve: Any) -> None:
    """NotImplemented without a matching path is the base."""
    served = serve(policy_for=lambda _: NotImplemented, **BASE)
    assert served.request(path="/x", origin=APP).lines == sorted([OWN, VARY, origin_line(APP)])


def test_policy_for_sees_the_scope(serve: Any) -> None:
    """policy_for gets an ASGI scope, under WSGI one of that shape: a tenant by Host."""
    seen: list[Any] = []

    def by_host(scope: Any) -> Any:
        seen.append(scope)
        return OPEN if (b"host", b"open.example.com") in scope["headers"] else PARTNERS

    served = serve(policy_for=by_host, **BASE)
    assert served.request("POST", "/ü", origin=PARTNER, fields=[("host", "open.example.com")]).lines == OPEN_VARYING
    assert served.request(origin=PARTNER, fields=[("host", "x.example.com")]).lines == NAMED
    assert (seen[0]["type"], seen[0]["method"], seen[0]["path"]) == ("http", "POST", "/ü")
    assert (b"origin", PARTNER.encode()) in seen[0]["headers"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_policy_for_that_raises(serve: Any, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """If policy_for raises, the request is refused, the app runs, and the error is logged."""

    def fail(scope: Any) -> Any:
        message = f"tenant of {scope['path']} unknown"
        raise LookupError(message)

    async def fail_later(scope: Any) -> Any:
        return fail(scope)

    served = serve(run=run_asyncio, policy_for=fail if kind == "sync" else fail_later, **BASE)
    assert served.request(path="/a", origin=APP).lines == STRICT
    answer = served.preflight(origin=APP, path="/a")
    assert (answer.status, answer.cors, served.reached) == (200, [], 1)
    assert any(record.levelname == "ERROR" and record.name == "asgi_cors" for record in caplog.records)


@pytest.mark.parametrize("value", ["*", {"allow_origins": "*"}, 5, True], ids=repr)
def test_policy_for_that_answers_something_else(serve: Any, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An answer that is no policy refuses the request and is logged."""
    assert serve(policy_for=lambda _: value, **BASE).request(origin=APP).lines == STRICT
    assert caplog.records


@pytest.mark.parametrize("run", [RUNNERS["asyncio"], RUNNERS["trio"]], ids=["asyncio", "trio"])
def test_policy_for_may_wait(run: Any) -> None:
    """An async policy_for may wait for its event loop."""

    async def ask(scope: Any) -> Any:
        del scope
        await anyio.lowlevel.checkpoint()
        return OPEN

    middleware = CORSMiddleware(App().asgi, policy_for=ask, **BASE)
    assert call_asgi(middleware, http_scope("GET", "/", [("origin", EVIL)]), run).lines == OPEN_VARYING


def test_responses_vary_by_what_policy_for_looks_at(serve: Any) -> None:
    """It may look at Origin, whatever it returns, and at the headers that `vary` names."""

    def policy_for(scope: Any) -> Any:
        return {"/open": OPEN, "/none": None}.get(scope["path"], NotImplemented)

    app = App(headers=[("content-type", "text/plain"), ("vary", "accept, ORIGIN")])
    served = serve(app=app, policy_for=policy_for, vary=["X-Tenant", "origin", "x-tenant"], **BASE)
    for path in ("/open", "/none", "/other"):
        for origin in (None, APP, EVIL):
            assert served.request(path=path, origin=origin).elements("vary") == ["accept", "ORIGIN", "X-Tenant"]
    preflight = served.preflight(origin=APP, path="/other")
    asked = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "X-Tenant"]
    assert preflight.elements("vary") == asked


def test_a_policy_that_others_use_too_does_not_vary_for_them(serve: Any) -> None:
    """What policy_for adds to Vary is not cached with the policy."""

    def policy_for(scope: Any) -> Any:
        return OPEN if scope["path"] == "/for" else NotImplemented

    served = serve(policy_for=policy_for, **BASE)
    assert served.request(path="/for", origin=EVIL).lines == OPEN_VARYING
    assert serve(OPEN).request(path="/for", origin=EVIL).lines == WILD


@pytest.mark.parametrize("vary", ["x tenant", ["a", "b c"], 5, [None], ""], ids=repr)
def test_vary_takes_names_of_headers(serve: Any, vary: Any) -> None:
    with pytest.raises(ConfigError, match=r"vary: .* Write the names of request headers: vary=\['x-tenant'\]\."):
        serve(policy_for=lambda _: OPEN, vary=vary, **BASE)


@pytest.mark.parametrize("path", ["/open/../x", "/open/" + "x" * 2100], ids=["dot segments", "too long for a regex"])
def test_enforce_checks_every_policy_that_may_serve_an_ambiguous_path(serve: Any, path: str) -> None:
    """If all of them allow, the app runs, but without CORS headers; one refusal is enough for a 403."""
    paths = {re.compile(r"/open/.*"): OPEN, "/x": PARTNERS}
    served = serve(enforce=True, paths=paths, allow_origins=[APP, PARTNER])
    assert served.request("POST", path, origin=PARTNER, fields=[("host", "a")]).lines == STRICT
    assert served.request("POST", path, origin=APP, fields=[("host", "a")]).status == 403
    assert served.request("POST", path, origin=EVIL, fields=[("host", "a")]).status == 403


def test_enforce_checks_the_base_policy_if_policy_for_fails(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An origin that the base allows reaches the app, but is granted nothing."""

    def fail(scope: Any) -> Any:
        raise LookupError(scope["path"])

    served = serve(enforce=True, policy_for=fail, **BASE)
    assert served.request(origin=APP, fields=[("host", "a")]).lines == STRICT
    refusal = served.request(origin=EVIL, fields=[("host", "a")])
    assert (refusal.status, refusal.values("cache-control"), served.reached) == (403, ["no-store"], 1)
    assert "LookupError" in caplog.text


def test_both_policies_of_one_rank_must_allow(serve: Any) -> None:
    """Origins, methods, headers, exposed headers, credentials and max-age are those of both."""
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
        served = serve(paths=paths, **BASE)
    path = "/x/v1/admin/y"
    exposed = "access-control-expose-headers: X-B"
    assert served.request(path=path, origin=APP).lines == sorted([OWN, VARY, origin_line(APP), exposed])
    assert served.request(path=path, origin=PARTNER).lines == STRICT
    allowed = served.preflight("PUT", "x-id", origin=APP, path=path)
    assert (allowed.status, allowed.values("access-control-allow-methods")) == (204, ["GET, HEAD, POST, PUT"])
    assert allowed.elements("access-control-allow-headers") == ["x-id"]
    assert allowed.values("access-control-max-age") == ["60"]
    assert not allowed.values("access-control-allow-credentials")
    assert served.preflight("DELETE", origin=APP, path=path).status == 200
    assert served.preflight("PUT", origin=PARTNER, path=path).cors == []
    assert served.middleware.explain("DELETE", APP, path=path).allowed is False
    assert served.middleware.explain("PUT", APP, path=path).allowed is True


@pytest.mark.parametrize("first", ["*", APP, EVIL])
@pytest.mark.parametrize("second", ["*", APP])
def test_an_origin_is_granted_what_the_narrower_of_two_policies_grants(serve: Any, first: str, second: str) -> None:
    """A `*` is narrowed to the origin that the other policy names."""
    paths = {re.compile("/[a-z]+"): Policy(allow_origins=first), re.compile("/[b-z]+"): Policy(allow_origins=second)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        served = serve(paths=paths, **BASE)
    granted_origin = "*" if first == second == "*" else APP
    lines = [] if first == EVIL else [origin_line(granted_origin)]
    for _ in range(2):
        assert served.request(path="/b", origin=APP).cors == lines
