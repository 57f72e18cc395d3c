"""`decide`: a pure function of a policy and a request."""

from typing import Any

import pytest

from asgi_cors import Decision, Outcome, Policy, Request, decide
from tests.support.expected import APP, EVIL, FREE, SAFE

ORIGIN, EVIL_ORIGIN = APP.encode(), EVIL.encode()
ONE = Policy(allow_origins=APP)
ANY = Policy(allow_origins="*")
PREFLIGHT_VARY = (b"Origin", b"Access-Control-Request-Method", b"Access-Control-Request-Headers")
NAMED = ((b"access-control-allow-origin", ORIGIN),)
LISTS = ((b"access-control-allow-methods", SAFE.encode()), (b"access-control-allow-headers", FREE.encode()))


def preflight(origin: bytes | None = ORIGIN, method: bytes | None = b"GET", headers: bytes | None = None) -> Request:
    """Build a preflight."""
    return Request("OPTIONS", origin=origin, requested_method=method, requested_headers=headers)


# behaviour, policy, request, outcome, reason, headers, vary
ROWS: list[tuple[str, Policy, Request, Outcome, str | None, Any, Any]] = [
    ("no Origin is not CORS", ONE, Request("GET"), Outcome.NOT_CORS, None, (), (b"Origin",)),
    (
        "no Origin under an anonymous *",
        ANY,
        Request("GET"),
        Outcome.NOT_CORS,
        None,
        ((b"access-control-allow-origin", b"*"),),
        (),
    ),
    (
        "a preflight's headers without Origin are not CORS",
        ONE,
        preflight(None),
        Outcome.NOT_CORS,
        None,
        (),
        (b"Origin",),
    ),
    ("an allowed origin", ONE, Request("GET", origin=ORIGIN), Outcome.ALLOWED, None, NAMED, (b"Origin",)),
    (
        "a refused origin",
        ONE,
        Request("GET", origin=EVIL_ORIGIN),
        Outcome.REFUSED,
        "MissingAllowOriginHeader",
        (),
        (b"Origin",),
    ),
    ("null", ONE, Request("GET", origin=b"null"), Outcome.REFUSED, "MissingAllowOriginHeader", (), (b"Origin",)),
    ("an invalid origin", ONE, Request("GET", origin=b"a b"), Outcome.REFUSED, "InvalidOrigin", (), (b"Origin",)),
    (
        "two origins",
        ONE,
        Request("GET", origin=ORIGIN + b", " + ORIGIN),
        Outcome.REFUSED,
        "InvalidOrigin",
        (),
        (b"Origin",),
    ),
    ("an ordinary OPTIONS", ONE, Request("OPTIONS", origin=ORIGIN), Outcome.ALLOWED, None, NAMED, (b"Origin",)),
    (
        "an allowed preflight",
        ONE,
        preflight(),
        Outcome.PREFLIGHT_ALLOWED,
        None,
        (*NAMED, *LISTS, (b"access-control-max-age", b"600")),
        PREFLIGHT_VARY,
    ),
    (
        "a preflight from a refused origin",
        ONE,
        preflight(EVIL_ORIGIN),
        Outcome.PREFLIGHT_REFUSED,
        "PreflightMissingAllowOriginHeader",
        (),
        PREFLIGHT_VARY,
    ),
    (
        "a preflight from an invalid origin",
        ONE,
        preflight(b"a b"),
        Outcome.PREFLIGHT_REFUSED,
        "InvalidOrigin",
        (),
        PREFLIGHT_VARY,
    ),
    (
        "a refused method",
        ONE,
        preflight(method=b"PUT"),
        Outcome.PREFLIGHT_REFUSED,
        "MethodDisallowedByPreflightResponse",
        (*NAMED, *LISTS),
        PREFLIGHT_VARY,
    ),
    (
        "a refused header",
        ONE,
        preflight(headers=b"x-a"),
        Outcome.PREFLIGHT_REFUSED,
        "HeaderDisallowedByPreflightResponse",
        (*NAMED, *LISTS),
        PREFLIGHT_VARY,
    ),
    (
        "an empty requested method",
        ONE,
        preflight(method=b""),
        Outcome.PREFLIGHT_REFUSED,
        "InvalidRequestedMethod",
        (),
        PREFLIGHT_VARY,
    ),
    (
        "a requested method that is not a token",
        ONE,
        preflight(method=b"P\xff"),
        Outcome.PREFLIGHT_REFUSED,
        "InvalidRequestedMethod",
        (),
        PREFLIGHT_VARY,
    ),
    (
        "a requested header that is not a token",
        ONE,
        preflight(headers=b"x a"),
        Outcome.PREFLIGHT_REFUSED,
        "InvalidRequestedHeaders",
        (),
        PREFLIGHT_VARY,
    ),
    (
        "oversized requested headers",
        ONE,
        preflight(headers=b"," * 8193),
        Outcome.PREFLIGHT_REFUSED,
        "InvalidRequestedHeaders",
        (),
        PREFLIGHT_VARY,
    ),
]


@pytest.mark.parametrize(
    ("policy", "request_", "outcome", "reason", "headers", "vary"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_a_decision_has_an_outcome_a_reason_headers_and_vary(
    policy: Policy, request_: Request, outcome: Outcome, reason: str | None, headers: Any, vary: Any
) -> None:
    """Only a preflight's decision has a status."""
    found = decide(policy, request_)
    assert (found.outcome, found.reason, tuple(found.headers), tuple(found.vary)) == (outcome, reason, headers, vary)
    assert found.status == {Outcome.PREFLIGHT_ALLOWED: 204, Outcome.PREFLIGHT_REFUSED: 200}.get(outcome)
    assert found.allowed is (outcome in {Outcome.ALLOWED, Outcome.PREFLIGHT_ALLOWED})
    assert found.refused is (outcome in {Outcome.REFUSED, Outcome.PREFLIGHT_REFUSED})


@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        (preflight(method=b"PUT"), "PUT"),
        (preflight(headers=b"accept,X-A"), "x-a"),
        (preflight(), ""),
        (preflight(EVIL_ORIGIN), ""),
    ],
    ids=["a method", "a header", "nothing", "an origin"],
)
def test_the_subject_of_a_refusal_is_the_refused_method_or_header(request_: Request, subject: str) -> None:
    """It is empty otherwise."""
    assert decide(ONE, request_).subject == subject


def test_decisions_on_equal_requests_are_equal_and_immutable() -> None:
    one, other = decide(ONE, preflight()), decide(ONE, preflight())
    assert isinstance(one, Decision)
    assert one == other
    with pytest.raises(AttributeError):
        one.outcome = Outcome.ALLOWED


def test_outcomes_are_strings() -> None:
    """Metrics use them as labels."""
    assert sorted(Outcome) == ["allowed", "lookup", "not-cors", "preflight-allowed", "preflight-refused", "refused"]


def test_the_private_network_header_is_sent_if_requested_and_allowed() -> None:
    with pytest.warns(UserWarning, match="private"):
        policy = Policy(allow_origins=APP, allow_private_network=True)
    requested = Request("OPTIONS", origin=ORIGIN, requested_method=b"GET", private_network=True)
    assert (b"access-control-allow-private-network", b"true") in decide(policy, requested).headers
    assert (b"access-control-allow-private-network", b"true") not in decide(policy, preflight()).headers
