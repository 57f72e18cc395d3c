"""The four risks with credentials: refused, unless `dangerously_allow` names them."""

import re
from typing import Any

import pytest

from asgi_cors import Policy, Request, decide
from asgi_cors._origins.origin import SHARED_SUFFIXES
from tests.support.policies import allows, issues, policy_without_warnings, warned

ANY, NULL, SUFFIX, HTTP = (
    "credentials-from-any-origin",
    "credentials-from-null",
    "credentials-from-shared-suffix",
    "credentials-over-http",
)

# entry, its risk, an origin that it allows if the risk is accepted
RISKY: list[tuple[Any, str, str]] = [
    ("*", ANY, "https://evil.example.net"),
    ("null", NULL, "null"),
    ("https://*.github.io", SUFFIX, "https://attacker.github.io"),
    ("https://*.co.uk", SUFFIX, "https://attacker.co.uk"),
    ("https://*.amazonaws.com", SUFFIX, "https://a.s3.amazonaws.com"),
    ("https://app-*.vercel.app", SUFFIX, "https://app-evil.vercel.app"),
    ("https://*.vercel.app", SUFFIX, "https://evil.vercel.app"),
    ("https://*.pages.dev", SUFFIX, "https://attacker.pages.dev"),
    ("https://*.com", SUFFIX, "https://evil.com"),
    ("https://*.internal", SUFFIX, "https://a.internal"),
    ("https://*.intranet:8443", SUFFIX, "https://a.intranet:8443"),
    ("chrome-extension://*", SUFFIX, "chrome-extension://abc"),
    ("moz-extension://*", SUFFIX, "moz-extension://abc"),
    ("vscode-webview://*", SUFFIX, "vscode-webview://abc"),
    ("http://example.com", HTTP, "http://example.com"),
    ("http://*.example.com", HTTP, "http://a.example.com"),
    ("http://*.vercel.app:443", SUFFIX, "http://evil.vercel.app:443"),
    ("http://example.com:8080", HTTP, "http://example.com:8080"),
    ("http://192.168.1.10", HTTP, "http://192.168.1.10"),
    ("http://intranet", HTTP, "http://intranet"),
    ("http://localhost.example.com", HTTP, "http://localhost.example.com"),
    (re.compile(r".*"), ANY, "https://evil.example.net"),
    (re.compile(r"https://.*"), ANY, "https://evil.example.net"),
    (re.compile(r"https://[a-z-]+\.vercel\.app"), SUFFIX, "https://evil.vercel.app"),
    (re.compile(r"https://.*\.github\.io"), SUFFIX, "https://evil.github.io"),
    (re.compile(r"https://\w+\.netlify\.app"), SUFFIX, "https://evil.netlify.app"),
    (re.compile(r"https://app-\w+\.vercel\.app"), SUFFIX, "https://app-evil.vercel.app"),
    (re.compile(r"https://.*\.amazonaws\.com"), SUFFIX, "https://evil.s3.amazonaws.com"),
    (re.compile(r"https://.*\.run\.app"), SUFFIX, "https://evil.a.run.app"),
    (re.compile(r"chrome-extension://.*"), SUFFIX, "chrome-extension://abc"),
]


def label(value: Any) -> str:
    """Return the id of a row's value."""
    return value.pattern if isinstance(value, re.Pattern) else str(value)


@pytest.mark.parametrize(("entry", "risk"), [row[:2] for row in RISKY], ids=label)
def test_a_risky_entry_with_credentials_is_refused_and_the_hint_names_the_risk(entry: Any, risk: str) -> None:
    found = issues(allow_origins=[entry], allow_credentials=True)
    assert {each.option for each in found} == {"allow_origins"}
    assert risk in " ".join(each.hint for each in found)
    assert found[0].value in {entry, getattr(entry, "pattern", entry)}


@pytest.mark.parametrize(("entry", "risk", "origin"), RISKY, ids=label)
def test_a_risky_entry_is_allowed_with_credentials_if_its_own_risks_are_accepted(
    entry: Any, risk: str, origin: str
) -> None:
    hints = [each.hint for each in issues(allow_origins=[entry], allow_credentials=True)]
    risks = {each for each in (ANY, NULL, SUFFIX, HTTP) if any(each in hint for hint in hints)}
    policy = policy_without_warnings(allow_origins=[entry], allow_credentials=True, dangerously_allow=risks | {risk})
    headers = dict(decide(policy, Request("GET", origin=origin.encode())).headers)
    assert headers == {b"access-control-allow-origin": origin.encode(), b"access-control-allow-credentials": b"true"}
    others = {ANY, NULL, SUFFIX, HTTP} - risks - {risk}
    assert issues(allow_origins=[entry], allow_credentials=True, dangerously_allow=others)


@pytest.mark.parametrize(("entry", "origin"), [(row[0], row[2]) for row in RISKY], ids=label)
def test_a_risky_entry_without_credentials_is_allowed(entry: Any, origin: str) -> None:
    assert allows(policy_without_warnings(allow_origins=[entry]), origin)


SAFE = [
    "https://example.com",
    "https://*.example.com",
    "https://pr-*.example.com",
    "https://me.github.io",
    "https://app.vercel.app",
    "http://localhost",
    "http://localhost:*",
    "https://localhost:*",
    "http://*.localhost:*",
    "http://api.localhost",
    "https://*.localhost",
    "http://127.0.0.1:*",
    "http://127.1.2.3:8000",
    "http://[::1]:*",
    "https://intranet",
    "https://*.corp.internal",
    "https://*.shop.co.uk",
    "capacitor://localhost",
    "tauri://localhost",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "https://192.168.1.10",
    "https://*.me.github.io",
]


@pytest.mark.parametrize("entry", SAFE)
def test_a_safe_entry_with_credentials_has_no_warning(entry: str) -> None:
    assert warned(allow_origins=[entry], allow_credentials=True) == []


# Regular expressions that match the origin of another site, and those that do not.
UNSAFE_REGEXES = [
    r"https?://example\.com",
    r"https://.*example\.com",
    r"https://example\.com.*",
    r"https://example.com.*",
    r".*\.example\.com",
    r"https://[^/]*example\.com",
    r"(https?://)?(.+\.)?example\.com",
    r"https://example\.com|.*\.example\.com",
    r"https?://localhost.*",
    r"https://.+\.com",
    r"https://[^.]+\.netlify\.app",
    r"http://.*\.example\.com",
    r"https://(.*)",
    r"[a-z]+://example\.com",
    r"https://\d+\.\d+\.\d+\.\d+",
]
SAFE_REGEXES = [
    r"https://example\.com",
    r"https://[a-z0-9-]+\.example\.com",
    r"https://([a-z0-9-]+\.)*example\.com",
    r"http://localhost(:\d+)?",
    r"https?://localhost(:\d+)?",
    r"http://127\.0\.0\.1:\d+",
    r"https://(a|b)\.example\.com",
    r"https://me\.github\.io",
    r"https://(foo|bar)\.com",
    r"https://(www\.)?mysite\.(com|de|co\.uk)",
    r"https://([a-z0-9-]+\.)?(foo|bar)\.(com|org)",
    r"https://[a-z]+\.(staging|prod)\.example\.com",
]


@pytest.mark.parametrize("regex", UNSAFE_REGEXES)
@pytest.mark.parametrize("given", ["string", "compiled", "entry"])
def test_a_regex_that_matches_a_hostile_origin_is_refused_with_credentials(regex: str, given: str) -> None:
    options: dict[str, Any] = {"allow_origin_regex": regex if given == "string" else re.compile(regex)}
    if given == "entry":
        options = {"allow_origins": [re.compile(regex)]}
    found = issues(**options, allow_credentials=True)
    assert {each.option for each in found} == set(options)


@pytest.mark.parametrize("regex", SAFE_REGEXES)
def test_a_regex_that_matches_no_hostile_origin_is_accepted_with_credentials(regex: str) -> None:
    assert warned(allow_origin_regex=regex, allow_credentials=True) == []


def test_building_a_policy_does_not_call_its_callables() -> None:
    origins: list[str] = []
    Policy(allow_origins=[lambda origin: origins.append(origin) or True], allow_credentials=True)
    assert origins == []


def test_all_risky_entries_are_reported_at_once_with_the_code_of_their_risk() -> None:
    entries = ["null", "https://*.github.io", "http://example.com"]
    found = issues(allow_origins=entries, allow_credentials=True)
    assert [each.value for each in found] == entries
    assert [each.code for each in found] == [NULL, SUFFIX, HTTP]


def test_an_entry_with_two_risks_is_allowed_only_if_both_are_accepted() -> None:
    both = {"allow_origins": "http://*.github.io", "allow_credentials": True}
    assert issues(**both, dangerously_allow=SUFFIX)
    assert issues(**both, dangerously_allow=HTTP)
    assert allows(Policy(**both, dangerously_allow=[SUFFIX, HTTP]), "http://a.github.io")


def test_accepting_a_risk_that_no_entry_has_allows_nothing_more() -> None:
    policy = Policy(
        allow_origins="https://example.com", allow_credentials=True, dangerously_allow=[ANY, NULL, SUFFIX, HTTP]
    )
    assert [origin for origin in ("null", "https://evil.net", "http://example.com") if allows(policy, origin)] == []


@pytest.mark.parametrize(
    "host",
    [
        *("glitch.me", "github.dev", "app.github.dev", "ws-eu.gitpod.io", "gitpod.io", "codesandbox.io"),
        *("stackblitz.io", "local.webcontainer.io", "loca.lt", "nip.io", "sslip.io", "googleusercontent.com"),
        *("cdn.ampproject.org", "ngrok.io", "ngrok-free.app", "s3.eu-north-99.amazonaws.com", "amazonaws.com"),
        *("xn--mre-og-romsdal-qqb.no", "xn--stfold-9xa.no", "up.railway.app", "lovable.app"),
        *("azurecontainerapps.io", "westeurope.azurecontainerapps.io", "cloudapp.azure.com"),
        *("westus2.cloudapp.azure.com", "s3.eu-central-003.backblazeb2.com", "osc-secnum-fr1.scalingo.io"),
        *(rule.replace("*", "eu-1") for rule in SHARED_SUFFIXES),
    ],
)
def test_a_wildcard_below_a_shared_suffix_is_refused_with_credentials_but_one_host_is_accepted(host: str) -> None:
    for entry in (f"https://*.{host}", re.compile(rf"https://.*\.{re.escape(host)}")):
        assert {each.code for each in issues(allow_origins=entry, allow_credentials=True)} == {SUFFIX}
    assert warned(allow_origins=f"https://my-app.{host}", allow_credentials=True) == []


def test_the_table_of_shared_suffixes_has_hosting_services_that_the_public_suffix_list_lacks() -> None:
    hosts = """
        storage.googleapis.com tumblr.com modal.run arweave.net ic0.app on.fleek.co 4everland.app edgeone.app weebly.com
        wordpress.com squarespace.com godaddysites.com mystrikingly.com ghost.io cargo.site durable.co hostingersite.com
        infinityfreeapp.com rf.gd kinsta.app kinsta.page stormkit.dev created.app manus.space softr.app app.beam.cloud
        s3.us-west-004.backblazeb2.com osc-fr1.scalingo.io gigalixirapp.com share.zrok.io e2b.dev
        *.azurecontainerapps.io *.cloudapp.azure.com
    """
    assert set(hosts.split()) <= set(SHARED_SUFFIXES)


@pytest.mark.parametrize(("entry", "risk"), [row[:2] for row in RISKY if isinstance(row[0], str)], ids=label)
def test_the_entry_that_the_hint_for_a_risk_proposes_is_accepted(entry: str, risk: str) -> None:
    """The hint begins with the way without cookies."""
    for found in issues(allow_origins=[entry], allow_credentials=True):
        assert found.hint.startswith("If no cookies are needed, leave allow_credentials out")
        better = re.search(r"(?:such as|Write) '(.*?)'|allow_origins=\['(.*?)'\]", found.hint)
        if better:
            left = {each.code for each in issues(allow_origins=[entry], allow_credentials=True)} - {found.code}
            policy = policy_without_warnings(
                allow_origins=better[1] or better[2], allow_credentials=True, dangerously_allow=left
            )
            assert policy.allow_credentials
        else:
            assert (entry, risk) == ("null", NULL)
