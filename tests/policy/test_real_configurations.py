"""Typical configurations of FastAPI, Starlette and Django projects: each is accepted, or refused with a correction.

The kinds are those of public repositories. Names and hosts are examples.
"""

from typing import Any

import pytest

from asgi_cors import Policy
from tests.support.hints import follow, found_in
from tests.support.policies import issues, policy_without_warnings, warned

LOCAL = ["http://localhost:3000", "http://127.0.0.1:5173"]
SITE = ["https://app.example.com", "https://www.example.com"]
VERBS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]
RISK = "credentials-from-any-origin"
HTTP = "credentials-over-http"
SHARED = "credentials-from-shared-suffix"


def fast(origins: Any, **options: Any) -> dict[str, Any]:
    """Return the usual options of a FastAPI app: any method and header, with credentials."""
    return {
        "allow_origins": origins,
        "allow_credentials": True,
        "allow_methods": ["*"],
        "allow_headers": ["*"],
        **options,
    }


def named(*headers: str, **options: Any) -> dict[str, Any]:
    """Return the usual options with a list of request headers."""
    return fast(SITE, **{"allow_headers": list(headers), **options})


# description, options
ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("FastAPI's documentation", fast(["http://localhost", "http://localhost:8080"])),
    ("local servers of front ends", fast(LOCAL)),
    ("sites in production", fast(SITE)),
    ("local servers and sites", fast([*LOCAL, *SITE])),
    ("a set of origins", fast(set(SITE))),
    ("any origin without credentials", {"allow_origins": ["*"], "allow_methods": ["*"], "allow_headers": ["*"]}),
    ("any origin and nothing else", {"allow_origins": ["*"]}),
    ("any origin, credentials off", fast(["*"], allow_credentials=False)),
    ("methods of REST", fast(SITE, allow_methods=VERBS)),
    ("methods in lower case", fast(SITE, allow_methods=["get", "post", "put", "delete"])),
    ("any header and Authorization", named("*", "Authorization")),
    ("Authorization and any header", named("authorization", "*")),
    ("headers of an API", named("Authorization", "Content-Type", "X-Requested-With", "Accept")),
    (
        "headers with a key",
        named("X-API-Key", "Content-Type", "Cache-Control", "Range", "If-Modified-Since", "User-Agent"),
    ),
    ("headers of CSRF", named("X-CSRFToken", "X-XSRF-TOKEN", "Content-Type")),
    ("exposed headers", fast(SITE, expose_headers=["Content-Disposition", "X-Total-Count", "Authorization"])),
    ("any exposed header, without credentials", {"allow_origins": ["*"], "expose_headers": ["*"]}),
    ("an hour", fast(SITE, max_age=3600)),
    ("a day", fast(SITE, max_age=86400)),
    ("a regex of local ports", fast([], allow_origin_regex=r"http://(localhost|127\.0\.0\.1):\d+")),
    ("a regex of local ports, or none", fast([], allow_origin_regex=r"^https?://(localhost|127\.0\.0\.1)(:\d+)?$")),
    ("a regex of previews without credentials", {"allow_origin_regex": r"https://.*\.vercel\.app"}),
    ("a regex of an own domain", fast([], allow_origin_regex=r"https://.*\.example\.com")),
    ("a regex next to origins", fast(SITE, allow_origin_regex=r"https://[a-z0-9-]+\.example\.com")),
    (
        "an app and an extension",
        fast(["capacitor://localhost", "ionic://localhost", "http://localhost", "chrome-extension://0abc"]),
    ),
    ("Starlette's documentation", {"allow_origins": ["https://example.com"]}),
    ("a preview on a shared host", fast(["https://my-app.vercel.app", "https://user.github.io"])),
    (
        "Django's lists",
        {"allow_origins": SITE, "allow_headers": ["accept", "authorization", "content-type", "x-csrftoken"]},
    ),
]
# description, options, number of warnings
WARNED: list[tuple[str, dict[str, Any], int]] = [
    ("any header next to a list", named("*", "Authorization", "Content-Type", "Accept"), 1),
    ("any header next to a pasted list", named("*", "Authorization", "Origin", "Set-Cookie"), 1),
    ("any method next to a list", fast(SITE, allow_methods=["*", "GET", "POST"]), 1),
    ("any exposed header next to one", {"allow_origins": ["*"], "expose_headers": ["*", "X-Total"]}, 1),
    ("Origin", named("Content-Type", "Origin"), 1),
    ("Set-Cookie", named("Content-Type", "Set-Cookie", "Authorization"), 1),
    ("a header of responses", named("Content-Type", "Access-Control-Allow-Origin"), 1),
    (
        "all headers of responses",
        named("Access-Control-Allow-Headers", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods"),
        3,
    ),
    (
        "Django's default list",
        {"allow_origins": SITE, "allow_headers": ["accept", "accept-encoding", "dnt", "origin", "user-agent"]},
        3,
    ),
    ("headers of a browser", named("Host", "Referer", "Connection", "Cookie", "Sec-Fetch-Mode", "X-A"), 5),
    ("a header of responses and any header", named("Access-Control-Allow-Origin", "*"), 1),
    ("an empty list of origins", fast([]), 1),
    ("a week", fast(SITE, max_age=604800), 1),
    ("patch in lower case", fast(SITE, allow_methods=["get", "patch"]), 1),
    ("null for a file", {"allow_origins": ["null", "https://example.com"]}, 1),
    ("a private network", fast(SITE, allow_private_network=True), 1),
]
# description, options, codes of the issues
REFUSED: list[tuple[str, dict[str, Any], set[str]]] = [
    ("any origin with credentials", fast(["*"]), {RISK}),
    ("any origin with credentials, as a string", fast("*"), {RISK}),
    ("any origin from a variable", fast(["*"]), {RISK}),
    ("a variable that is empty", fast([""]), {"origin-empty"}),
    ("a variable that is not set", fast([None]), {"wrong-type"}),
    ("a list in one variable", fast("https://a.com,https://b.com"), {"origin-list"}),
    ("a JSON list in one variable", fast('["https://a.com"]'), {"origin-list"}),
    ("blanks after commas", fast(["https://a.com", " https://b.com"]), {"origin-white-space"}),
    ("a slash at the end", fast(["https://app.example.com/"]), {"origin-trailing-slash"}),
    ("a path", fast(["http://127.0.0.1:5500/index.html"]), {"origin-path"}),
    ("no scheme", fast(["127.0.0.1:5173", "localhost"]), {"origin-no-scheme"}),
    ("any origin next to others", fast([*SITE, "*"], allow_credentials=False), {"redundant-entry"}),
    ("any origin next to others, with credentials", fast([*LOCAL, "*"]), {"redundant-entry", RISK}),
    (
        "any origin and a regex",
        fast("*", allow_credentials=False, allow_origin_regex="https://.*"),
        {"redundant-entry"},
    ),
    ("a wildcard on a shared host", fast(["https://*.vercel.app"]), {SHARED}),
    ("a regex on a shared host", fast([], allow_origin_regex=r"https://.*\.vercel\.app"), {SHARED}),
    ("a regex of any site", fast([], allow_origin_regex=r"^https?://.+$"), {RISK}),
    ("a regex of any secure site", fast([], allow_origin_regex="https://.*"), {RISK}),
    ("http with credentials", fast(["http://game.example.com"]), {HTTP}),
    ("an address with credentials", fast(["http://18.134.217.103"]), {HTTP}),
    ("a network address with credentials", fast(["http://192.168.1.20:3000"]), {HTTP}),
    ("0.0.0.0 with credentials", fast(["http://0.0.0.0:8000"]), {HTTP}),
    ("null with credentials", fast(["null"]), {"credentials-from-null"}),
    ("any exposed header with credentials", fast(SITE, expose_headers=["*"]), {"expose-any-with-credentials"}),
    ("Set-Cookie exposed", fast(SITE, expose_headers=["Set-Cookie", "X-A"]), {"unexposable-header"}),
    ("CORS headers as one string", named("Origin, Content-Type, Accept"), {"invalid-name"}),
    ("methods as one string", fast(SITE, allow_methods="GET, POST"), {"invalid-name"}),
    ("TRACE", fast(SITE, allow_methods=[*VERBS, "TRACE"]), {"forbidden-method"}),
    ("credentials as a text", fast(SITE, allow_credentials="true"), {"wrong-type"}),
    ("max_age as a text", fast(SITE, max_age="600"), {"wrong-type"}),
    ("a port of any number, as a glob", fast(["http://localhost:*/"]), {"origin-trailing-slash"}),
    ("https and :443", fast(["https://app.example.com:443"]), {"origin-default-port"}),
    ("a WebSocket", fast(["ws://localhost:8000", "http://localhost:8000"]), {"origin-websocket-scheme"}),
    ("upper case", fast(["https://App.Example.com"]), {"origin-upper-case"}),
    ("a file", fast(["file://"]), {"origin-opaque-scheme"}),
    ("pydantic's URL as a text", fast([b"https://app.example.com/"]), {"wrong-type"}),
]


def test_there_are_over_75_configurations() -> None:
    assert len(ACCEPTED) + len(WARNED) + len(REFUSED) > 75


@pytest.mark.parametrize("options", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_common_configuration_is_accepted_without_a_warning(options: dict[str, Any]) -> None:
    assert warned(**options) == []


@pytest.mark.parametrize(("options", "count"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED])
def test_a_configuration_with_parts_that_have_no_effect_is_accepted_with_warnings(
    options: dict[str, Any], count: int
) -> None:
    found = warned(**options)
    assert len(found) == count
    assert all(each.hint for each in found)
    assert isinstance(policy_without_warnings(**options), Policy)


@pytest.mark.parametrize(("options", "codes"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_wrong_configuration_is_accepted_once_its_hints_are_followed(
    options: dict[str, Any], codes: set[str]
) -> None:
    """For a risk, credentials are left out."""
    assert codes <= {each.code for each in issues(**options)}
    while found := found_in(Policy, **options):
        if found[0].code.startswith("credentials-"):
            options = {name: value for name, value in options.items() if name != "allow_credentials"}
        else:
            options = follow(options, found[0])
    assert isinstance(policy_without_warnings(**options), Policy)
