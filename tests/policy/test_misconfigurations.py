"""Known misconfigurations and hostile origins: each gets its secure response.

An entry describes a configuration (`config_idea`), a request (`origin_probe`) and the behaviour of a secure library
(`secure_answer`). The descriptions are parsed by class, so that further entries of a class need no code. "Ours:" in a
docstring is a rule of this library that differs from the entry. `LEFT_OUT` has the classes that cannot be
expressed as a policy and a request, each with the reason.
"""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asgi_cors import ConfigError, Policy
from tests.support import logs
from tests.support.apps import App
from tests.support.clients import Client
from tests.support.expected import FAILED, OWN, VARY, origin_line
from tests.support.misconfigurations import ENTRIES, Entry, options_of, policies_of, sent, strings
from tests.support.policies import issues, policy_without_warnings
from tests.support.secure_responses import (
    always_send,
    boolean_casing,
    classification,
    credentials_on_deny,
    error_response,
    granted,
    max_age,
    nested,
    not_modified_and_head,
    path_policy,
    preflight_auth,
    preflight_headers,
    preflight_leak,
    preflight_method,
    preflight_status,
    redirect,
    streaming,
    vary,
    websocket,
    wildcard_authorization,
)

EVIL = "https://evil.test"

LEFT_OUT = {
    "duplicate-headers": "two layers outside the app (nginx and the app): seen by a client, not by a middleware",
    "private-network": "the browser's own permission, decided before any request is sent",
    "callback-cache": "the time to live of a cache of callables, which a plain callable does not have",
}

pytestmark = pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")


@contextmanager
def bounded() -> Iterator[None]:
    """Raise a TimeoutError after 20 seconds, in place of a test that runs for minutes."""

    def stop(number: int, frame: Any) -> None:
        raise TimeoutError(number, frame)

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(20)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


DENY, ALLOW = "no Access-Control-Allow-Origin", "Access-Control-Allow-Origin: "


def denied(interface: str, entry: Entry) -> None:
    """Assert that the app's response is unchanged, except for `Vary: Origin`."""
    for policy in policies_of(entry):
        assert Client(interface, App(), policy).request(headers=sent(entry)).lines == sorted([OWN, VARY]), policy


def allowed(interface: str, entry: Entry) -> None:
    """Assert that the response allows the origin, with credentials if they are on, and has `Vary: Origin`."""
    for policy in policies_of(entry):
        assert Client(interface, App(), policy).request(headers=sent(entry)).lines == granted(
            policy, entry["origin_probe"]
        )


def rejected(interface: str, entry: Entry) -> None:
    """Assert that the configuration is refused with a message."""
    del interface
    for found in issues(**options_of(entry)):
        assert found.message


def by_answer(interface: str, entry: Entry) -> None:
    """Assert that a request is denied or allowed, or that a configuration is refused, as the entry says."""
    response = entry["secure_answer"]
    (
        allowed
        if response.startswith(ALLOW)
        else denied
        if response.startswith((DENY, "never pass", "fail closed"))
        else rejected
    )(interface, entry)


def null_entry(interface: str, entry: Entry) -> None:
    """Assert that `null` with credentials is refused, and allowed once the risk is accepted."""
    if entry["kind"] == "request":
        return by_answer(interface, entry)
    rejected(interface, entry)
    policy = policy_without_warnings(**options_of(entry), dangerously_allow="credentials-from-null")
    assert Client(interface, App(), policy).request(origin="null").lines == granted(policy, "null")
    return None


def regex_policy(interface: str, entry: Entry) -> None:
    """Assert that with credentials the regex is refused or the request is denied, in bounded time.

    Ours: without credentials a regex allows every origin that it matches as a whole.
    """
    with bounded():
        try:
            policy = policy_without_warnings(**options_of(entry), allow_credentials=True)
        except ConfigError:
            return
        assert Client(interface, App(), policy).request(origin=entry["origin_probe"]).cors == []


def bare_string(interface: str, entry: Entry) -> None:
    """Assert that a single string is one entry or refused, never a sequence of characters."""
    if re.search(r"[,\s]", options_of(entry)["allow_origins"]):
        assert "[" in issues(**options_of(entry))[0].hint
        return
    policy = policy_without_warnings(**options_of(entry))
    assert Client(interface, App(), policy).request(origin=entry["origin_probe"]).cors == []


def config_entry(interface: str, entry: Entry) -> None:
    """Assert that an invalid entry is refused.

    Ours: an object that is not a string is refused with a hint; its `str()` is not used.
    """
    if "AnyHttpUrl" not in entry["config_idea"]:
        return by_answer(interface, entry)
    (url,) = strings(entry["config_idea"])
    given = type("AnyHttpUrl", (), {"__str__": lambda _: url + "/"})()
    (found,) = issues(allow_origins=[given])
    assert found.hint
    return None


def wildcard_credentials(interface: str, entry: Entry) -> None:
    """Assert that any origin with credentials is refused.

    Ours: a callable that allows every origin is accepted, because it is called for each.
    """
    if "callable" not in entry["config_idea"]:
        return rejected(interface, entry)
    policy = Policy(allow_origins=[lambda _: True], allow_credentials=True)
    assert Client(interface, App(), policy).request(origin=entry["origin_probe"]).lines == granted(
        policy, entry["origin_probe"]
    )
    return None


def custom_wildcard(interface: str, entry: Entry) -> None:
    """Assert that any host of a custom scheme is refused with credentials. Ours: it is allowed without."""
    options = options_of(entry) | {"allow_credentials": True}
    assert issues(**options)
    del options["allow_credentials"]
    assert Client(interface, App(), **options).request(origin=entry["origin_probe"]).cors == [
        origin_line(entry["origin_probe"])
    ]


def subdomain_trust(interface: str, entry: Entry) -> None:
    """Assert that every subdomain is allowed, by design."""
    allowed(interface, entry)


def log_injection(interface: str, entry: Entry) -> None:
    """Send hostile values. The caller asserts that none of them forges a log line."""
    client = Client(interface, App(), **options_of(entry))
    origin = entry["origin_probe"].split(" / ")[0]
    for value in (origin, origin.replace("%0d%0a", "\r\n"), "https://a\x1b[31m\x00\x7f"):
        client.request(origin=value)
        client.request(path=f"/{value}", origin=EVIL)


def callback_failure(interface: str, entry: Entry) -> None:
    """Assert that a callable that raises denies the origin, and that the request is served."""

    def fail(origin: str) -> bool:
        raise ConnectionError(origin)

    assert Client(interface, App(), allow_origins=[fail]).request(origin=entry["origin_probe"]).lines == FAILED


BY_CLASS: dict[str, Callable[[str, Entry], None]] = {
    **dict.fromkeys(
        [
            "exact-allow",
            "origin-normalisation",
            "port-confusion",
            "scheme-downgrade",
            "trailing-dot",
            "empty-label",
            "userinfo",
            "malformed-origin",
            "duplicate-origin-header",
            "prefix-suffix-substring",
            "special-character-host",
            "special-character-label",
            "subdomain-wildcard-allow",
            "subdomain-wildcard-deny",
            "public-suffix-wildcard",
            "third-party-origin",
            "pattern-syntax",
            "insecure-origin-credentials",
            "localhost-any-port-allow",
            "localhost-any-port-deny",
            "ipv4",
            "ipv6",
            "idn",
            "custom-scheme-allow",
            "custom-scheme-deny",
        ],
        by_answer,
    ),
    "null-origin": null_entry,
    "regex-policy": regex_policy,
    "bare-string-config": bare_string,
    "config-entry": config_entry,
    "wildcard-credentials": wildcard_credentials,
    "custom-scheme-wildcard": custom_wildcard,
    "subdomain-trust": subdomain_trust,
    "wildcard-authorization": wildcard_authorization,
    "cache-poisoning-vary": vary,
    "always-send": always_send,
    "nested-policy": nested,
    "credentials-on-deny": credentials_on_deny,
    "preflight-leak": preflight_leak,
    "boolean-casing": boolean_casing,
    "error-response": error_response,
    "redirect": redirect,
    "304-and-head": not_modified_and_head,
    "streaming": streaming,
    "preflight-classification": classification,
    "preflight-method": preflight_method,
    "preflight-headers": preflight_headers,
    "preflight-status": preflight_status,
    "preflight-auth": preflight_auth,
    "preflight-max-age": max_age,
    "websocket-origin": websocket,
    "path-policy": path_policy,
    "log-injection": log_injection,
    "callback-failure": callback_failure,
}
CASES = [entry for entry in ENTRIES if entry["class"] not in LEFT_OUT]


def name_of(entry: Entry) -> str:
    """Return the id of a row: its number and class, the request, the secure response."""
    return ascii(f"{entry['id']} {entry['class']}: {entry['origin_probe'][:60]} -> {entry['secure_answer'][:60]}")


@pytest.mark.parametrize("entry", CASES, ids=name_of)
def test_an_entry_gets_its_secure_answer_and_forges_no_log_line(
    interface: str, entry: Entry, caplog: pytest.LogCaptureFixture
) -> None:
    BY_CLASS[entry["class"]](interface, entry)
    assert [line for line in logs.lines(caplog) if not line.isprintable()] == []


def test_every_class_is_asserted_or_left_out_with_its_reason() -> None:
    assert {entry["class"] for entry in ENTRIES} <= BY_CLASS.keys() | LEFT_OUT.keys()
    assert not BY_CLASS.keys() & LEFT_OUT.keys()
