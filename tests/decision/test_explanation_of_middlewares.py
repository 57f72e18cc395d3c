"""`explain` of a middleware: its own options, which decide besides the policy."""

from typing import Any

import pytest

from asgi_cors import Configuration, Explanation, Policy
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.expected import APP, EVIL

BANK = "https://bank.example.net"


async def later(origin: str) -> bool:
    """Decide at run time."""
    return bool(origin)


def step(explanation: Explanation, check: str) -> Any:
    """Return the step of a check, or None."""
    return next((step for step in explanation.steps if step.check == check), None)


# -- allowed_hosts

HOSTS = Configuration(allow_origins=APP, allowed_hosts=["api.example.com", "localhost:8000"], paths={"/raw": None})


@pytest.mark.parametrize("host", ["api.example.com", "API.example.com:8443", "localhost:8000"])
def test_an_allowed_host_passes(host: str) -> None:
    found = HOSTS.explain("GET", APP, host=host)
    assert (found.allowed, step(found, "host").passed) == (True, True)


@pytest.mark.parametrize("path", ["/", "/raw", "/raw/../x"])
@pytest.mark.parametrize("host", ["evil.example", "localhost", "[::1]:8000", "EVIL.example:80"])
def test_another_host_is_refused_on_every_path_and_the_remedy_suffices(path: str, host: str) -> None:
    found = HOSTS.explain("GET", APP, path, host=host)
    assert (found.allowed, found.code, found.reaches_app) == (False, "HostNotAllowed", False)
    assert found.verdict == "the middleware refuses it, and the app never runs it"
    entry = found.remedy.removeprefix("If that is a name of this server, add '").removesuffix("' to allowed_hosts.")
    assert entry == host.lower()
    corrected = Configuration(allow_origins=APP, allowed_hosts=[entry])
    assert corrected.explain("GET", APP, host=host).allowed


@pytest.mark.parametrize("host", ["a b", "*.example.com", "x" * 300, ""])
def test_a_host_that_no_browser_sends_is_not_proposed(host: str) -> None:
    assert HOSTS.explain("GET", APP, host=host).remedy.startswith("No browser sends this Host.")


def test_the_closest_host_is_named() -> None:
    assert "Did you mean 'api.example.com'?" in str(HOSTS.explain("GET", APP, host="www.api.example.com"))
    assert "Did you mean" not in str(HOSTS.explain("GET", APP, host="evil.example"))


def test_without_a_host_the_verdict_depends_on_it() -> None:
    found = HOSTS.explain("GET", APP)
    assert (found.allowed, found.reaches_app) == (None, None)
    assert "depends on the Host header" in str(found)
    assert HOSTS.explain("GET", EVIL).allowed is False


def test_a_host_does_not_matter_without_allowed_hosts() -> None:
    assert step(Configuration(allow_origins=APP).explain("GET", APP, host="evil.example"), "host") is None


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_the_middlewares_explain_takes_a_host(interface: str) -> None:
    client = Client(interface, App(), Policy(allow_origins=APP), allowed_hosts=["api.example.com"])
    assert client.middleware.explain("GET", APP, host="evil.example").code == "HostNotAllowed"
    assert client.middleware.explain("POST", "https://api.example.com", host="api.example.com").allowed


# -- enforce


@pytest.mark.parametrize(
    ("method", "origin", "reaches_app", "rule"),
    [
        ("GET", EVIL, False, "a 403 before the app runs, because no entry allows the origin"),
        ("GET", BANK, False, "a 403 before the app runs"),
        ("POST", EVIL, False, "a 403 before the app runs"),
        ("POST", BANK, True, "csrf_trusted_origins pass"),
        ("GET", APP, True, None),
    ],
)
def test_enforce_stops_the_requests_of_refused_origins(
    method: str, origin: str, reaches_app: bool, rule: str | None
) -> None:
    configuration = Configuration(allow_origins=APP, csrf_trusted_origins=BANK, enforce=True)
    found = configuration.explain(method, origin)
    assert (found.allowed, found.reaches_app) == (origin == APP, reaches_app)
    assert found.code == (None if origin == APP else "MissingAllowOriginHeader")
    assert step(found, "enforce") is None if rule is None else step(found, "enforce").rule.startswith(rule)


def test_enforce_waits_for_callables() -> None:
    found = Configuration(allow_origins=[later], enforce=True).explain("GET", APP)
    assert (found.allowed, found.reaches_app) == (None, None)
    found = Configuration(allow_origins=APP, csrf_trusted_origins=[later], enforce=True).explain("POST", EVIL)
    assert (found.allowed, found.reaches_app, step(found, "enforce").passed) == (False, None, None)


def test_enforce_that_only_reports_is_a_note() -> None:
    found = Configuration(allow_origins=APP, enforce="report").explain("GET", EVIL)
    assert (found.reaches_app, step(found, "enforce").is_note) == (True, True)
    assert step(found, "enforce").rule == "'report': would refuse it, because no entry allows the origin"


# -- report_only


@pytest.mark.parametrize(
    ("method", "origin", "report_only", "rule"),
    [
        ("GET", APP, {"allow_origins": BANK}, "would refuse it (MissingAllowOriginHeader), and only the log says so"),
        ("GET", BANK, {"allow_origins": BANK}, "would allow it, and only the log says so"),
        ("POST", EVIL, {"csrf_protection": True}, "would refuse it (CrossSiteRequest), and only the log says so"),
        ("POST", EVIL, {"csrf_protection": "report"}, "would refuse it (CrossSiteRequest), and only the log says so"),
        ("GET", APP, {"allow_origins": [later]}, "depends on a callable, and only the log says so"),
        ("GET", APP, {"max_age": 5}, None),
    ],
)
def test_the_policy_of_report_only_changes_no_verdict_and_says_what_it_would_do(
    method: str, origin: str, report_only: Any, rule: str | None
) -> None:
    plain = Configuration(allow_origins=APP).explain(method, origin)
    found = Configuration(allow_origins=APP, report_only=report_only).explain(method, origin)
    assert (found.allowed, found.reaches_app, found.code) == (plain.allowed, plain.reaches_app, plain.code)
    assert getattr(step(found, "report_only"), "rule", None) == rule


def test_a_policy_of_report_only_that_protects_less_would_allow() -> None:
    configuration = Configuration(allow_origins=APP, csrf_protection=True, report_only={"csrf_protection": False})
    assert step(configuration.explain("POST", EVIL), "report_only").rule.startswith("would allow it")


def test_report_only_is_not_compared_with_the_policy_of_a_path() -> None:
    configuration = Configuration(allow_origins=APP, report_only={"allow_origins": BANK}, paths={"/x": {"max_age": 5}})
    assert step(configuration.explain("GET", APP, "/x"), "report_only") is None
