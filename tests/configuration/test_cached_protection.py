"""A cached response is the one that a new middleware sends: under the options that refuse requests before the app."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_cors import CORSMiddleware, Policy
from tests.support.apps import App
from tests.support.cached import cached
from tests.support.clients import Client, call_asgi, call_wsgi, http_scope, wsgi_environ
from tests.support.expected import APP, EVIL

pytestmark = pytest.mark.slow

SELF, BANK = "https://api.example.com", "https://pay.example.org"
HOST = ("host", "api.example.com")
ORIGINS = [None, APP, EVIL, BANK, SELF, "http://api.example.com", "null", "", "https://evil.test/x"]
HOSTS: list[list[str]] = [
    ["api.example.com"],
    ["API.example.com"],
    ["web:8000"],
    ["other.example.com"],
    [],
    [HOST[1]] * 2,
]
SITES: list[list[str]] = [
    [],
    ["same-origin"],
    ["none"],
    ["same-site"],
    ["cross-site"],
    ["Same-Origin"],
    ["same-origin"] * 2,
]
REFERRERS: list[list[str]] = [[], [f"{SELF}/a"], [f"{SELF}/b?c"], [SELF], [f"{EVIL}/"], [f"{SELF}.evil.test/"], [""]]
REFERRERS += [[f"{APP}/x"], [f"{SELF}/", f"{EVIL}/"], ["/"]]
CREDENTIALS: list[list[tuple[str, str]]] = [
    [],
    [("cookie", "a=1")],
    [("cookie", "")],
    [("authorization", "Bearer x")],
    [("authorization", "Basic x")],
    [("authorization", "Bearer x"), ("authorization", "Basic y")],
]
METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "DELETE"]


@st.composite
def sent_requests(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, str]]]:
    """Generate a method, a scheme and the headers on which a decision may depend, in any order."""
    lines = [("host", value) for value in draw(st.sampled_from(HOSTS))]
    lines += [("sec-fetch-site", value) for value in draw(st.sampled_from(SITES))]
    lines += [("referer", value) for value in draw(st.sampled_from(REFERRERS))]
    lines += draw(st.sampled_from(CREDENTIALS))
    origin = draw(st.sampled_from(ORIGINS))
    lines += [] if origin is None else [("origin", origin)]
    method = draw(st.sampled_from(METHODS))
    if method == "OPTIONS" and draw(st.booleans()):
        lines.append(("access-control-request-method", "PUT"))
    return method, draw(st.sampled_from(["http", "https"])), draw(st.permutations(lines))


@st.composite
def option_sets(draw: st.DrawFn) -> dict[str, Any]:
    """Generate the options of a middleware."""
    protection = st.sampled_from([False, True, True, "report"])
    trusted = st.sampled_from([(), BANK, [BANK, SELF.__eq__]])
    options: dict[str, Any] = {
        "allow_origins": draw(st.sampled_from([[APP], "*", [APP, SELF], [BANK.__eq__, APP]])),
        "csrf_protection": draw(protection),
        "csrf_trusted_origins": draw(trusted),
        "enforce": draw(protection),
        "allowed_hosts": draw(st.sampled_from([None, "api.example.com", ["*.example.com"]])),
        "resource_policy": draw(st.sampled_from([None, "same-origin"])),
        "timing_allow_origin": draw(st.booleans()),
    }
    options["allow_credentials"] = options["allow_origins"] != "*" and draw(st.booleans())
    reported = draw(st.sampled_from(["", "origins", "csrf", "credentials"]))
    options["report_only"] = {
        "": None,
        "origins": {"allow_origins": [EVIL]},
        "csrf": {"csrf_protection": True},
        "credentials": {"allow_credentials": False},
    }[reported]
    if draw(st.booleans()):
        options["paths"] = {"/raw": None, "/open": {"csrf_protection": False}}
    return options


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@settings(max_examples=100)
@given(options=option_sets(), reports=st.booleans(), data=st.data())
def test_each_response_and_report_is_that_of_a_middleware_without_a_cache(
    interface: str, options: dict[str, Any], reports: bool, data: st.DataObject
) -> None:
    found: list[Any] = []
    expected: list[Any] = []
    pool = data.draw(st.lists(sent_requests(), min_size=1, max_size=4))
    client = build(interface, options, found if reports else None)
    for method, scheme, headers in data.draw(st.lists(st.sampled_from(pool), min_size=2, max_size=12)):
        path = data.draw(st.sampled_from(["/", "/", "/raw", "/open"]))
        fresh = build(interface, options, expected if reports else None)
        found.clear()
        expected.clear()
        responses = [send(each, method, path, scheme, headers) for each in (client, fresh)]
        assert responses[0] == responses[1]
        assert found == expected


def build(interface: str, options: dict[str, Any], reports: list[Any] | None) -> Client:
    """Build a client whose middleware appends each decision to `reports`."""
    hook = None if reports is None else (lambda decision, _: reports.append(decision))
    return Client(interface, App(), on_decision=hook, **options)


def send(client: Client, method: str, path: str, scheme: str, headers: list[tuple[str, str]]) -> Any:
    """Return the response, as far as the middleware decides it."""
    if client.interface == "asgi":
        response = call_asgi(client.middleware, http_scope(method, path, headers, scheme=scheme))
    else:
        environ = wsgi_environ(method, path, headers) | {"wsgi.url_scheme": scheme}
        response = call_wsgi(client.middleware, environ)
    return response.status, response.lines, response.body, client.reached > 0 and response.body == b"the app"


# -- what is cached


def decided_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every later decision fail."""
    monkeypatch.delattr("asgi_cors._configuration.evaluation.decide")


@pytest.mark.parametrize("report", [False, True], ids=["", "with on_decision"])
def test_requests_with_another_path_in_referer_share_one_response(
    serve: Any, report: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    hook = (lambda decision, _: seen.append(decision)) if report else None
    client = serve(allow_origins=APP, csrf_protection=True, on_decision=hook)
    site = [HOST, ("sec-fetch-site", "same-origin")]
    client.request("POST", origin=SELF, headers=[*site, ("referer", f"{SELF}/")])
    client.request("POST", origin=EVIL, headers=[*site, ("referer", f"{EVIL}/")])
    decided_once(client, monkeypatch)
    for number in range(3):
        assert client.request("POST", origin=SELF, headers=[*site, ("referer", f"{SELF}/{number}")]).status == 200
        assert client.request("PUT", origin=EVIL, headers=[*site, ("referer", f"{EVIL}/{number}")]).status == 403
    assert len(seen) == (8 if report else 0)


@pytest.mark.parametrize("more", [[], [("cookie", "a=1")], [("authorization", "Basic x")]], ids=repr)
def test_writes_to_other_hosts_are_refused_although_allowed_ones_are_cached(serve: Any, more: Any) -> None:
    client = serve(allow_origins=APP, csrf_protection=True, allow_credentials=True, allowed_hosts="api.example.com")
    for _ in range(2):
        for host, status in ((HOST, 200), (("host", "evil.test"), 421)):
            assert client.request("POST", origin=APP, headers=[host, *more]).status == status


def test_refused_writes_do_not_displace_those_of_own_pages(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attackers vary Origin, Referer, Sec-Fetch-Site and Host."""
    policy = Policy(allow_origins=APP, csrf_protection=True)
    client = serve(policy)
    own = [HOST, ("sec-fetch-site", "same-origin"), ("referer", f"{SELF}/")]
    client.request("POST", origin=SELF, headers=own)
    client.request("GET", origin=APP, headers=[HOST])
    for number in range(600):
        evil = f"https://n{number}.evil.test"
        client.request("POST", origin=evil, headers=[HOST, ("referer", f"{evil}/")])
        client.request("POST", origin=evil, headers=[HOST, ("sec-fetch-site", f"x{number}")])
        client.request("POST", origin=EVIL, headers=[("host", f"n{number}.evil.test")])
        client.request("GET", origin=evil, headers=[HOST])
    assert max(len(cache) for cache in cached(client, policy)) < 600
    decided_once(client, monkeypatch)
    assert client.request("POST", origin=SELF, headers=own).status == 200
    assert client.request("GET", origin=APP, headers=[HOST]).status == 200


def test_the_cached_writes_are_bounded_however_hosts_vary(serve: Any) -> None:
    policy = Policy(allow_origins=APP, csrf_protection=True)
    client = serve(policy)
    for number in range(2500):
        name = f"n{number}.example.com"
        headers = [("host", name), ("sec-fetch-site", "same-origin")]
        assert client.request("POST", origin=f"https://{name}", headers=headers).status == 200
    assert 0 < max(len(cache) for cache in cached(client, policy)) <= 1024


def test_long_hosts_and_referers_are_not_cached(serve: Any) -> None:
    policy = Policy(allow_origins=APP, csrf_protection=True)
    client = serve(policy)
    for number in range(5):
        for name in ("host", "referer", "sec-fetch-site"):
            client.request("POST", origin=EVIL, headers=[(name, "a" * 5000 + str(number))])
    assert max(len(cache) for cache in cached(client, policy)) == 0


def test_requests_with_allowed_hosts_are_decided_once(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(allow_origins=APP, allowed_hosts=["*.example.com"])
    requests = [("GET", APP, []), ("GET", EVIL, []), ("POST", None, [])]
    requests.append(("OPTIONS", APP, [("access-control-request-method", "GET")]))
    for method, origin, headers in requests:
        client.request(method, origin=origin, headers=[HOST, *headers])
    client.request(headers=[("host", "other.example.com")])
    decided_once(client, monkeypatch)
    for method, origin, headers in requests:
        for host in (HOST, ("host", "other.example.com")):
            assert client.request(method, origin=origin, headers=[host, *headers]).status in {200, 204}
        assert client.request(method, origin=origin, headers=[("host", "evil.test"), *headers]).status == 421


def test_a_header_with_a_very_long_name_does_not_prevent_a_decision() -> None:
    middleware = CORSMiddleware(App().asgi, allow_origins=APP, csrf_protection=True)
    headers = [HOST, ("origin", EVIL), ("x" * 300, "1")]
    assert [call_asgi(middleware, http_scope("POST", "/", headers)).status for _ in range(2)] == [403, 403]
