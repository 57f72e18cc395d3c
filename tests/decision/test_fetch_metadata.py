"""Recorded requests of real browsers, replayed: a forged request is refused, and an own page's request passes.

The data has the headers of real browsers, by target, initiator and action. The right verdict comes from the initiator
alone: pages of the target pass, all others are refused, except for the cases below.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from asgi_cors import Policy, Request, decide
from asgi_cors._decision.fetch_metadata import check_sender, referer_origin
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, call_wsgi, http_scope, wsgi_environ

DATA: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "fetch-metadata.json").read_text("utf-8"))
WORKER = "through the target's service worker"
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}

# Requests of the server's own pages that are refused: no header tells them from those of another site.
OWN_BUT_REFUSED = {
    "dataform": "a form in a data: URL has an opaque origin",
    "form POST, 307 at a cross-site host, back to the target": "the other site's redirect could be forged",
    "form POST, 308 at a cross-site host, back to the target": "the other site's redirect could be forged",
    "fetch POST (cors), 307 at a cross-site host, back to the target": "the other site's redirect could be forged",
    "fetch POST (cors), 308 at a cross-site host, back to the target": "the other site's redirect could be forged",
}
# On plain http, browsers send no Sec-Fetch-Site. The refusal names Referrer-Policy.
OWN_BUT_REFUSED_ON_HTTP = "form POST, Referrer-Policy: no-referrer"
# The page of another site has Referrer-Policy: no-referrer or same-origin, and the target's own service worker forwards
# its form. WebKit sends the target's own Origin. The session cookie needs an explicit SameSite=Lax or Strict.
FORGED_BUT_PASSES = {
    ("webkit", action)
    for action in (
        "the same, attacker's page no-referrer",
        "worker, cross-site form POST, attacker's Referrer-Policy same-origin",
        "worker, cross-site form POST, attacker's Referrer-Policy no-referrer",
    )
}
# Firefox sends the same for the forms of other sites.
OWN_BUT_REFUSED_IN_FIREFOX = ("firefox", "same-origin form POST no-referrer through the worker")


class Sent(NamedTuple):
    """A request that a browser sent."""

    target: str
    initiator: str
    action: str
    browser: str
    seen: dict[str, Any]


def sent_requests() -> Iterator[Sent]:
    for row in DATA["rows"]:
        for browser, seen in row["seen"].items():
            if seen.get("sent", True):
                yield Sent(row["target"], row["initiator"], row["action"], browser, seen)


REQUESTS = [*sent_requests()]


def headers_of(sent: Sent) -> list[tuple[str, str]]:
    """Return the headers that tell the sender, as the browser sent them."""
    keys = ("origin", "sec_fetch_site", "sec_fetch_mode", "referer")
    found = [(key.replace("_", "-"), sent.seen[key]) for key in keys if sent.seen.get(key) is not None]
    return [("host", sent.target.partition("://")[2]), ("cookie", "session=1"), *found]


def status_of(sent: Sent, interface: str) -> int | None:
    """Return the status under `csrf_protection`."""
    client = Client(interface, App(), allow_origins=[], csrf_protection=True)
    scheme, method = sent.target.partition("://")[0], sent.seen["method"]
    if interface == "asgi":
        return call_asgi(client.middleware, http_scope(method, "/", headers_of(sent), scheme=scheme)).status
    environ = wsgi_environ(method, "/", headers_of(sent)) | {"wsgi.url_scheme": scheme}
    return call_wsgi(client.middleware, environ).status


def is_own(sent: Sent) -> bool:
    """Return whether a page of the target, or the user, caused the request."""
    return sent.initiator in {"same-origin", "user (address bar)"}


def is_refused_by_name(sent: Sent) -> bool:
    """Return whether a request of an own page is one of those that are refused."""
    is_http = sent.target == "http://victim.test:18701"
    return sent.action in OWN_BUT_REFUSED or (is_http and sent.action == OWN_BUT_REFUSED_ON_HTTP)


def test_the_data_has_each_browser_and_many_requests() -> None:
    assert {sent.browser for sent in REQUESTS} == {"chromium", "firefox", "webkit"}
    assert sum(sent.seen["method"] not in SAFE for sent in REQUESTS) > 200


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_every_request_of_real_browsers_gets_the_verdict_of_its_initiator(interface: str) -> None:
    wrong: list[Sent] = []
    for sent in REQUESTS:
        passes = sent.seen["method"] in SAFE or is_own(sent)
        if is_own(sent) and sent.seen["method"] not in SAFE:
            passes = not is_refused_by_name(sent)
        if WORKER in sent.action and not is_own(sent) and "referer" not in sent.seen:
            continue  # recorded without Referer; the next test has these requests with it
        if status_of(sent, interface) != (200 if passes else 403):
            wrong.append(sent)
    assert [(sent.browser, sent.initiator, sent.action, sent.target, sent.seen) for sent in wrong] == []


def worker_requests() -> Iterator[Sent]:
    for row in DATA["service_worker"]["rows"]:
        for browser, seen in row["seen"].items():
            if seen.get("sent", True) and seen.get("method"):
                yield Sent(row["target"], row["initiator"], row["action"], browser, seen)


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_a_form_that_the_targets_service_worker_forwards_gets_the_verdict_of_its_page(interface: str) -> None:
    """Firefox and WebKit send `same-origin` with it."""
    wrong: list[tuple[str, str]] = []
    for sent in worker_requests():
        if sent.seen["method"] in SAFE:
            continue
        case = sent.browser, sent.action
        is_own_page = sent.action.startswith("same-origin") and case != OWN_BUT_REFUSED_IN_FIREFOX
        passes = is_own_page or case in FORGED_BUT_PASSES
        if status_of(sent, interface) != (200 if passes else 403):
            wrong.append((sent.browser, sent.action))
    assert wrong == []


# -- the rules, one by one

OWN, OTHER, TRUSTED, READER = b"https://api.test", b"https://evil.test", b"https://pay.test", b"https://app.test"
SAME = b"same-origin"

# the rule, the request, whether it passes
RULES: list[tuple[str, dict[str, Any], bool]] = [
    ("no header at all", {}, True),
    ("same-origin, no Origin, no Referer", {"fetch_site": SAME}, True),
    ("none, no Origin, no Referer", {"fetch_site": b"none"}, True),
    ("same-origin with the own Origin", {"fetch_site": SAME, "origin": OWN}, True),
    ("same-origin with null", {"fetch_site": SAME, "origin": b"null"}, True),
    ("same-origin with another Origin", {"fetch_site": SAME, "origin": OTHER}, False),
    ("same-origin with an empty Origin", {"fetch_site": SAME, "origin": b""}, False),
    ("same-origin with a malformed Origin", {"fetch_site": SAME, "origin": b"https://api.test/"}, False),
    ("same-origin with two Origins", {"fetch_site": SAME, "origin": OWN + b", " + OTHER}, False),
    ("same-origin with Origin twice", {"fetch_site": SAME, "origin": OWN + b", " + OWN}, False),
    ("same-origin with the own Referer", {"fetch_site": SAME, "origin": OWN, "referer": OWN + b"/a?b#c"}, True),
    ("same-origin with the own Referer alone", {"fetch_site": SAME, "referer": OWN}, True),
    ("same-origin with an empty Referer", {"fetch_site": SAME, "origin": OWN, "referer": b""}, True),
    ("same-origin with another Referer", {"fetch_site": SAME, "origin": OWN, "referer": OTHER + b"/"}, False),
    ("same-origin with another Referer alone", {"fetch_site": SAME, "referer": OTHER + b"/"}, False),
    ("same-origin with null by a form", {"fetch_site": SAME, "origin": b"null", "fetch_mode": b"navigate"}, True),
    ("same-origin with null by a worker", {"fetch_site": SAME, "origin": b"null", "fetch_mode": SAME}, False),
    ("same-origin with null and another Referer", {"fetch_site": SAME, "origin": b"null", "referer": OTHER}, False),
    ("a Referer that begins like the own one", {"fetch_site": SAME, "referer": OWN + b".evil.test/"}, False),
    ("a Referer with a user name", {"fetch_site": SAME, "referer": OWN + b"@evil.test/"}, False),
    ("a Referer with a backslash", {"fetch_site": SAME, "referer": b"https://evil.test\\@api.test/"}, False),
    ("a Referer that is no URL", {"fetch_site": SAME, "referer": b"about:blank"}, False),
    ("a Referer null", {"fetch_site": SAME, "referer": b"null"}, False),
    ("same-site with the own Origin", {"fetch_site": b"same-site", "origin": OWN}, False),
    ("cross-site with the own Origin", {"fetch_site": b"cross-site", "origin": OWN}, False),
    ("cross-site without Origin", {"fetch_site": b"cross-site"}, False),
    ("an odd letter case of same-origin", {"fetch_site": b"Same-Origin", "origin": OWN}, False),
    ("two lines of same-origin", {"fetch_site": b"same-origin, same-origin", "origin": OWN}, False),
    ("an empty Sec-Fetch-Site", {"fetch_site": b"", "origin": OWN}, False),
    ("the own Origin without Sec-Fetch-Site", {"origin": OWN}, True),
    ("the own Origin without Sec-Fetch-Site, another Referer", {"origin": OWN, "referer": OTHER}, True),
    ("null without Sec-Fetch-Site", {"origin": b"null"}, False),
    ("another Origin without Sec-Fetch-Site", {"origin": OTHER}, False),
    ("an empty Origin without Sec-Fetch-Site", {"origin": b""}, False),
    ("an http page of an https server", {"origin": b"http://api.test", "scheme": "https"}, False),
    (
        "an http page of an https server, same-origin",
        {"origin": b"http://api.test", "scheme": "https", "fetch_site": SAME},
        False,
    ),
    ("an https page of a server behind a proxy that ends TLS", {"origin": OWN, "scheme": "http"}, True),
    ("two Hosts", {"origin": OWN, "host": b"api.test, api.test"}, False),
    ("two Hosts, same-origin", {"origin": OWN, "host": b"api.test, api.test", "fetch_site": SAME}, False),
    ("two Hosts without a dot, same-origin", {"origin": OWN, "host": b"api, api", "fetch_site": SAME}, False),
    ("no Host", {"origin": OWN, "host": None}, False),
    ("no Host, same-origin", {"origin": OWN, "host": None, "fetch_site": SAME}, False),
    ("no Host and no Origin, same-origin", {"host": None, "fetch_site": SAME}, True),
    ("an empty Host, same-origin", {"origin": OWN, "host": b"", "fetch_site": SAME}, False),
    ("an upstream's Host, same-origin", {"origin": OWN, "host": b"web:8000", "fetch_site": SAME}, True),
    (
        "an upstream's address, same-origin",
        {"origin": OWN, "host": b"10.0.3.4:8000", "fetch_site": SAME, "referer": OWN},
        True,
    ),
    ("an upstream's IPv6 address, same-origin", {"origin": OWN, "host": b"[fd00::1]:8000", "fetch_site": SAME}, True),
    ("an upstream's Host without Sec-Fetch-Site", {"origin": OWN, "host": b"web:8000"}, False),
    ("an upstream's Host, cross-site", {"origin": OTHER, "host": b"web:8000", "fetch_site": b"cross-site"}, False),
    (
        "a development server that changes Host",
        {"origin": b"http://localhost:5173", "host": b"127.0.0.1:8000", "fetch_site": SAME},
        False,
    ),
    ("an IPv6 Host", {"origin": b"http://[::1]:8000", "host": b"[::1]:8000"}, True),
    ("a Host in upper case", {"origin": OWN, "host": b"API.Test"}, True),
    ("a Host with a final dot", {"origin": OWN, "host": b"api.test."}, False),
    ("a trusted origin", {"origin": TRUSTED, "fetch_site": b"cross-site", "has_ambient_credentials": True}, True),
    ("a trusted origin that claims same-origin", {"origin": TRUSTED, "fetch_site": SAME}, True),
    ("an allowed origin without credentials", {"origin": READER, "fetch_site": b"cross-site"}, True),
    ("an allowed origin with credentials", {"origin": READER, "has_ambient_credentials": True}, False),
    ("a trusted origin twice", {"origin": TRUSTED + b", " + TRUSTED}, False),
]


@pytest.mark.parametrize(("headers", "passes"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "get", "QUERY", "CONNECT"])
def test_each_rule_decides_for_every_method_that_may_write(method: str, headers: dict[str, Any], passes: bool) -> None:
    assert check(method, headers) is passes


@pytest.mark.parametrize("method", sorted(SAFE))
def test_methods_that_read_are_never_checked(method: str) -> None:
    assert all(check(method, headers) for _, headers, _ in RULES)


def check(method: str, headers: dict[str, Any], **options: Any) -> bool:
    """Return whether a request passes under a policy that trusts one origin and lets another one read."""
    policy = Policy(
        **{
            "allow_origins": [READER.decode()],
            "csrf_trusted_origins": TRUSTED.decode(),
            "csrf_protection": True,
            **options,
        }
    )
    request = Request(method, **{"host": b"api.test", "scheme": "http", **headers})
    return check_sender(policy, request, decide(policy, request)) is None


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_what_an_allowed_origin_may_send_depends_on_allow_credentials() -> None:
    with_cookie = {"origin": READER, "has_ambient_credentials": True}
    assert check("POST", with_cookie, allow_credentials=True)
    assert not check("POST", with_cookie)
    assert not check("POST", {"origin": READER}, allow_origins="*")
    assert not check("POST", {"origin": b"null"}, allow_origins=["null"])
    risky = {"allow_origins": ["null"], "allow_credentials": True, "dangerously_allow": "credentials-from-null"}
    assert not check("POST", {"origin": b"null"}, **risky)
    trusting = {"csrf_trusted_origins": ["null"], "dangerously_allow": "credentials-from-null"}
    assert not check("POST", {"origin": b"null"}, **trusting)


@pytest.mark.parametrize(
    ("referer", "origin"),
    [
        (b"https://a.test/b", b"https://a.test"),
        (b"https://A.test:8443?x", b"https://a.test:8443"),
        (b"http://[::1]:8000/", b"http://[::1]:8000"),
        (b"https://a.test/b c", b"https://a.test"),
        (b"https://user@a.test/", b"https://user@a.test/"),
        (b"ftp://a.test/", b"ftp://a.test/"),
        (b"", b""),
    ],
)
def test_the_origin_of_a_referer_is_its_scheme_host_and_port(referer: bytes, origin: bytes) -> None:
    assert referer_origin(referer) == origin
