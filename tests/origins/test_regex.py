"""Regular expressions for origins: the origins that they allow with credentials, and how long they take."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgi_cors import ConfigError, CORSMiddleware, Issue
from asgi_cors._origins.origin import is_loopback, parse_origin, registrable_domain
from asgi_cors._origins.regex.analysis import RegexAnalysis, analyse
from tests.support.backtracking import TooManyStepsError, count_steps
from tests.support.policies import allows, issue, issues, policy_without_warnings, warned

pytestmark = pytest.mark.slow

ANY, SUFFIX, HTTP = ("credentials-from-any-origin", "credentials-from-shared-suffix", "credentials-over-http")
DATA: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "regexes.json").read_text("utf-8"))

# A regex, and an origin that it allows, by the risk of both.
UNSAFE: dict[str, list[tuple[str, str]]] = {
    ANY: [
        (r"https://example\.[a-z]{2,3}", "https://example.xyz"),
        (r"https://(www\.)?example\.[a-z]{2,4}", "https://example.xyz"),
        (r"https://example\.co\.[a-z]{2}", "https://example.co.za"),
        (r"https://.*example\.com\.*", "https://evilexample.com"),
        (r"https?://example\.com\d.*", "https://example.com1.net"),
        (r"https://example\.com?", "https://example.co"),
        (r"https://example\.com+", "https://example.comm"),
        (r"https://example\.com.?.?.?", "https://example.com.br"),
        (r"https://example\.com\.?[a-z]{0,3}", "https://example.com.br"),
        (r"https://(sub\.|)*example\.com.{0,9}", "https://example.com.evil.de"),
        (r"https://.*example[.]com", "https://evilexample.com"),
        (r"https://[a-z0-9-]*example[.]com", "https://evil-example.com"),
        (r"https://.{0,10}example\.com", "https://evilexample.com"),
        (r"https://[a-z]{0,4}example\.com", "https://evilexample.com"),
        (r"https://[A-Za-z0-9]{5}example\.com", "https://evil1example.com"),
        (r"https://[a-z]+example\.(com|de)", "https://evilexample.com"),
        (r"https://(?:[a-z]{1,4}\.?)?example\.com", "https://evilexample.com"),
        (r"https://(([a-z]+)\.?)?example\.com", "https://evilexample.com"),
        (r"https://((a|b|c|d)(e|f|g|h)(i|j|k|l)?(m|n)?(o)?(p)?.*)example\.com", "https://aevilexample.com"),
        (r"https://(\S*)example\.com", "https://evilexample.com"),
        (r"https:\/\/.*example\.com", "https://evilexample.com"),
        (r"https://my-*example\.com", "https://my--example.com"),
        (r"https://(my)+example\.com", "https://mymyexample.com"),
        ("https://\\u0065xample\\.com.*", "https://example.com.evil.de"),
        (r"(?x) https:// .* example \. com  # ours", "https://evilexample.com"),
        (r"(?i)HTTPS://.*EXAMPLE\.COM", "https://evilexample.com"),
        (r"https://(?#any).*(?i:EXAMPLE)\.com", "https://evilexample.com"),
        (r"https://app.example.com", "https://appxexample.com"),
        (r"https://[^/]{1,12}", "https://evil.com"),
        (r"https://.{1,12}", "https://evil.com"),
        (r"https://[a-z]+\.[a-z]{2,3}", "https://evil.com"),
        (r"https://app\.example\.com|https://evil.*", "https://evil.org"),
        (r"https://app\.example\.com|.*corp.*", "https://corp.evil.net"),
        (r"https://.*:8443", "https://evil.net:8443"),
        (r"https://.*:3000", "https://evil.net:3000"),
        (r"https://.*:\d+", "https://evil.net:3000"),
        (r"https?://.*:8080", "https://evil.net:8080"),
        (r"https://[a-z.]+:3000", "https://evil.net:3000"),
        (r"https://example\.com.*:3000", "https://example.com.evil.net:3000"),
        (r"https://.*example\.com:3000", "https://evilexample.com:3000"),
        (r"https://(?=.*[a-z]{3}\.net)(?:attacker|b)[.](?=n)\w{3}", "https://attacker.net"),
        (r"https://\d+\.\d+\.\d+\.\d+", "https://203.0.113.7"),
        (r"https://192\.\d+\.\d+\.\d+", "https://192.1.2.3"),
        (r"https://\[[0-9a-f:]+\]", "https://[2001:db8::1]"),
        (r"https://192\.\d{1,3}\.\d{1,3}\.\d{1,3}", "https://192.0.2.1"),
        (r"https://(?:\d+\.){3}\d+", "https://203.0.113.7"),
        (r"https://[abcdefgh][abcdefgh][abcdefgh]\.com", "https://abc.com"),
        (r"https://example\.com|https://.*(?<=example\.com)", "https://evilexample.com"),
        (r"https://(?:app\.example\.com|(?=.*example\.com).*)", "https://example.com.evil.net"),
        (r"https://example.co\.uk", "https://examplexco.uk"),
        (r"https?://localhost.*", "https://localhost.evil.net"),
    ],
    SUFFIX: [
        (r"https://myapp-[a-z0-9]{9}\.vercel\.app", "https://myapp-123456789.vercel.app"),
        (r"https://myapp-[a-z0-9]{9}-myteam\.vercel\.app", "https://myapp-123456789-myteam.vercel.app"),
        (r"https://[a-f0-9]{24}--mysite\.netlify\.app", f"https://{'a' * 24}--mysite.netlify.app"),
        (r"https://mysite-[a-z0-9]{4}\.onrender\.com", "https://mysite-ab12.onrender.com"),
        (r"https://myapp-[0-9a-f]{12}\.herokuapp\.com", "https://myapp-0123456789ab.herokuapp.com"),
        (r"https://mysite-(\d{6})\.web\.app", "https://mysite-123456.web.app"),
        (r"https://[0-9]{4}-myteam\.ngrok\.io", "https://1234-myteam.ngrok.io"),
        (r"https://[a-z0-9]{3}\.github\.io", "https://abc.github.io"),
        (r"https://(?P<team>[a-z]+)\.github\.io", "https://evil.github.io"),
        (r"https://[a-z-]+\.azurestaticapps\.net", "https://evil.azurestaticapps.net"),
        (r"https://[a-z-]+\.up\.railway\.app", "https://evil.up.railway.app"),
        (r"https://[a-z0-9-]+\.github\.dev", "https://evil.github.dev"),
        (r"https://.*\.glitch\.me", "https://evil.glitch.me"),
        (r"https://.*\.s3\.eu-north-99\.amazonaws\.com", "https://evil.s3.eu-north-99.amazonaws.com"),
        (r"https://[a-z0-9]{10,}\.com", "https://evil123456.com"),
        (r"https://[a-z]{1,5}\.com", "https://evil.com"),
        (r"https://\w{2,6}\.io", "https://evil.io"),
        (r"https://[a-z]+\.(com|de)", "https://evil.com"),
        (r"https://(?=a).*\.com", "https://attacker.com"),
        (r"https://(?![b-z]).*\.com", "https://attacker.com"),
        (r"https://z.*\.com", "https://zevil.com"),
        (r"https://(app|my).*\.com", "https://appevil.com"),
        (r"chrome-extension://[a-p]{32}", f"chrome-extension://{'a' * 32}"),
        (r"chrome-extension://[a-z]+", f"chrome-extension://{'a' * 32}"),
        (r"moz-extension://[0-9a-f-]{36}", "moz-extension://0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e1f"),
        (r"safari-web-extension://[0-9A-F-]{36}", "safari-web-extension://0F1E2D3C-4B5A-4697-8879-6A5B4C3D2E1F"),
        (r"capacitor://.*", "capacitor://evil"),
        (r"capacitor://a+", "capacitor://aaa"),
        (r"(?i)https://[a-z]+\.GITHUB\.io", "https://evil.github.io"),
        (r"https://\w+-example\.com", "https://evil-example.com"),
    ],
    HTTP: [
        (r"https?://[a-z]+\.example\.com", "http://a.example.com"),
        (r"http.?://[a-z]+\.example\.com", "http://a.example.com"),
        (r".*://app\.example\.com", "http://app.example.com"),
        (r"\w+://app\.example\.com", "http://app.example.com"),
        (r"(?:http|https)://app\.example\.com", "http://app.example.com"),
        (r"http(s|)://app\.example\.com", "http://app.example.com"),
        (r"http[s]?://app[.]example[.]com", "http://app.example.com"),
        (r"http[s]?://[\w.]+[.]example[.]com", "http://x.example.com"),
        (r"http://[a-z]{3,5}\.example\.com:3000", "http://evil.example.com:3000"),
        (r"https?://app\.example\.com:\d{4}", "http://app.example.com:3000"),
        (r"https?://app\.example\.com:8080", "http://app.example.com:8080"),
        (r"https?://10\.0\.0\.\d+", "http://10.0.0.5"),
        (r"http://10\.0\.0\.\d{1,2}", "http://10.0.0.5"),
        (r"http://192\.168\.1\.[0-9]{1,3}:3000", "http://192.168.1.5:3000"),
        (r"http://10\.\d+\.\d+\.\d+", "http://10.1.2.3"),
        (r"http://intranet", "http://intranet"),
        (r"http://[a-z]+:3000", "http://evil:3000"),
        (r"http://.*localhost", "http://evillocalhost"),
        (r"http://192.168.0.1", "http://192.168.0.1"),
        (r"https?://172\.(1[6-9]|2\d|3[01])\.\d+\.\d+", "http://172.16.0.1"),
        (r"http://\[2001:db8::1\]", "http://[2001:db8::1]"),
    ],
}
UNSAFE_ROWS = [(risk, *row) for risk, rows in UNSAFE.items() for row in rows]

SAFE = [
    r"https://([a-z0-9-]+\.)*example\.com",
    r"https://(?:[\w-]+\.)+example\.com(:\d+)?",
    r"https://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+example\.com",
    r"https://[a-z]+\.example\.co\.uk",
    r"https://(app|admin)\.example\.com(:\d{1,5})?",
    r"https?://(localhost|127\.0\.0\.1)(:\d+)?",
    r"https://(?:.+\.)?example\.com",
    r"^https://.*\.example\.com$",
    r"https://[^.]+\.example\.com",
    r"https://.+[.]example[.]com",
    r"https://(www[.])?example[.]com",
    r"https://(example|sample)\.(com|org)",
    r"https://(\w+\.)?(foo|bar)\.(com|org|co\.uk)",
    r"https://[\w-]+\.mysite\.pages\.dev",
    r"https://[0-9a-f]{8}\.mysite\.pages\.dev",
    r"https://([\w-]+\.)?mysite\.github\.io",
    r"https://app\.example\.com|https://admin\.example\.org",
    r"https://(?:app|www)\.example\.com|http://localhost:(3000|5173)",
    r"https://ex-ample\.com",
    r"https://[a-z]{2}\.example\.com",
    r"https://.*\.example\.com(:[0-9]+)?",
    r"https://(dev|staging|prod)-[a-z]+\.example\.com",
    r"https://(.+\.)?my-company\.io",
    r"chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    r"capacitor://localhost|ionic://localhost|https://localhost",
    r"https://[a-z0-9-]+\.s3-website\.mycompany\.com",
    r"https://(?:[^.]+\.){0,3}example\.com",
    r"https://([a-z]+\.)?t\.co",
    r"https://(?i:app)\.example\.com",
    r"https://a(b|c)?\.example\.com",
    r"https://(?P<sub>[a-z0-9-]+)\.example\.com",
    r"https://(foo)?bar\.com",
    r"https://(my-)?shop\.com",
    r"https://(app)?\.?example\.com",
    r"https://examples?\.com",
    r"https://[a-z0-9.-]+\.example\.com",
    r"https://\d+\.\d+\.\d+\.\d+\.example\.com",
    r"https://(shop|blog)\.(mysite|other)\.(com|de)",
    r"https://pr-\d+\.preview\.example\.dev",
    r"https://(user|org)\.github\.io",
    r"https://my-app\.(vercel|netlify)\.app",
    r"https://(www\.)?example\.(com|com\.br|co\.uk)",
    r"https://198\.51\.100\.\d+",
    r"https://10\.\d+\.\d+\.\d+",
    r"https://w{3}\.example\.com",
    r"https://web[12]\.example\.com\.?",
    r"https://[a-z]+:\d{4}",
    r"https://(?:s(?:0|1|2|3|4|5|6|7|8|9)){2}\.example\.com",
    r"https:\/\/(.+\.)?example.com",
    r"https://172\.(1[6-9]|2\d|3[01])\.\d+\.\d+",
    r"https://192.168.0.1",
    r"http://127\.\d+\.\d+\.\d+(:\d+)?",
    r"http://127.0.0.1:\d+",
    r"http://localhost:?[0-9]*",
    r"https?://(localhost|127.0.0.1):?\d*",
    r"https://(?!admin)[a-z]+\.example\.com",
    r"https://[abcdef]\.com",
    r"https://example[1-3]\.com",
    r"https://.*localhost",
    r"https://\[2001:db8::1\]:\d+",
    r"tauri://(.*\.)?localhost",
    r"https://APP\.example\.com|https://.*\.Evil\.net",
    r"(?i)https://[A-Z0-9-]+\.EXAMPLE\.com",
    r"(?x) https:// [a-z]+ \. example \. com  # ours",
    r"https://(?>[a-z]+)\.example\.com",
    r"https://[a-z]++\.example\.com",
    r"https://[a-z]+?\.example\.com",
    r"(?a:https://\w+\.example\.com)",
    r"https://app\.example\.com:443|https://.*:443",
    r"https://(?!).*|https://app\.example\.com",
    *(r"https://" + "|".join(f"app{n}" for n in range(100)) + r"\.example\.com",),
    r"https://(" + "|".join(f"(?:[a-z0-9-]+\\.)*site{n}\\.com" for n in range(60)) + r")(:\d+)?",
]

# Regexes that take too long.
SLOW = [
    r"https://(a+)+",
    r"https://([a-z0-9]+-?)+\.example\.com",
    r"https://([\w-]+\.?)+example\.com",
    r"https://(?P<s>[a-z]+)+\.example\.com",
    r"https://([a-z]+|[0-9]+)*\.example\.com",
    r"https://(?:[a-z0-9-]*\.?)*example\.com",
    r"https://.*.*.*.*.*\.example\.com",
    r"https://(([a-z]+))+\.example\.com",
    r"https://([a-z]{1,63})+\.example\.com",
    r"https://([a-z]+)+\.staging\.my-company\.department\.example\.com",
    r"https://(a|a)*\.example\.com",
    r"https://([a-z]?){30}\.example\.com",
    r"https://(?=([a-z]+)+!)x",
    r"https://app-([x-z]+)+\.example\.com",
    r"(?s)https://(.+)+\.example\.com",
    r"(?x) https:// ([a-z]+ -?)+ \.example\.com",
    r"https://(?=[a-z0-9!.-]*\.example\.com$)(?:[a-z0-9]+-?)+\.example\.com",
    "|".join(f"https://x{n}\\.example\\.com" for n in range(16)) + r"|https://([a-z]+)+\.example\.org",
    r"https://(?:[a-z]?){24}[a-z]{24}\.example\.com",
    r"https://(?:a|a|a|a|a|a|a|a|a|a){6}\.example\.com",
    r"https://(?:(?:a|aa)(?:a|aa)(?:a|aa)){6}\.example\.com",
    r"https://(?:[a-z]?){14}[a-z]*\.example\.com",
    r"https://[a-z0-9-]+-[a-z0-9-]+-[a-z0-9-]+\.example\.com",
    r"https://([a-z]+\.)*([a-z]+\.)*([a-z]+\.)*example\.com",
    r"https://[\w-]+-[\w-]+[a-z]{9}\.example\.com",
    r"https://(?:[a-z]+-[a-z]+-?)+\.example\.com",
    r"https://(?:(?=[a-z]*x)[a-z]*[a-z])*y",
    r"https://(?>[a-z]+[a-z]+)+\.example\.com",
    r"https://(?:[a-z]++-?)+\.example\.com",
    r"https://(?:[a-z]+?-?)+?\.example\.com",
    r"https://(?:a?b?)*\.example\.com",
    r"https://(?:ab|aba|b)+\.example\.com",
    r"https://(?:\w\d?|x)+-[^/]+",
    r"(?i)https://(?:[A-Z]|xx?)+\.example\.com",
]
UNSUPPORTED = {
    r"https://(?P<t>[a-z]{3})-(?P=t)-(?:[a-z]+)+\.example\.com": "a back-reference",
    r"https://([a-z])\1\.example\.com": "a back-reference",
    r"https://(www\.)?(?(1)a|b)\.example\.com": "a conditional group",
    r"https://a{2001}\.example\.com": "over 2,000 letters",
    r"https://(?:a{1000}){1000}\.example\.com": "over 2,000 letters",
    r"https://(?:){1000000}": "over 6,000 parts",
    "(" * 90 + "a" + ")" * 90: "nested too deeply",
    "[a-z]*" * 900: "over 20,000 ways",
    "a" * 50_000: "over 40,000 characters",
    "(?:" + "|".join(f"[a-z]*[{a}{n}]" for a in "abcdefghijklmnopqrstuvwxyz" for n in range(10)) + ")y": "too many",
    r"https://(?:[ab]x|[bc]x|[ac]x){11}y": "too many alternatives and loops for the same text",
}


SLOW_CODES = {"regex-backtracking", "regex-unsupported"}


def found_issues(**options: Any) -> tuple[Issue, ...]:
    """Return the issues of a policy; an empty tuple if the policy is accepted."""
    try:
        policy_without_warnings(**options)
    except ConfigError as error:
        return error.issues
    return ()


def follow(found: Issue) -> dict[str, Any]:
    """Return the options that a hint proposes."""
    line = re.findall(r"Write (allow_origin_regex=.*?|re\.compile\(.*?\))\.(?: Or accept|$)", found.hint)
    if not line:
        names = re.search(r"allow_origins=(\[.*?\])", found.hint)
        assert names
        return {"allow_origins": eval(names[1])}  # noqa: S307 - a list of strings
    value = eval(line[0].removeprefix("allow_origin_regex="), {"re": re})  # noqa: S307 - the hint's own code
    return {"allow_origin_regex": value}


@pytest.mark.parametrize("row", DATA, ids=lambda row: row["id"])
def test_each_regex_of_the_data_has_its_verdict(row: dict[str, Any]) -> None:
    """A regex with the verdict `either` may be refused for its time, or for http."""
    found = {each.code for each in found_issues(allow_origin_regex=row["regex"], allow_credentials=row["credentials"])}
    expected = {row["word"], *row.get("also", ())}
    if row["verdict"] == "either":
        assert found <= SLOW_CODES | {HTTP}
    elif row["word"] == "redos":
        assert found & SLOW_CODES
    elif row["verdict"] == "refuse":
        assert found & expected
    else:
        assert not found


@pytest.mark.parametrize(("risk", "regex", "origin"), UNSAFE_ROWS)
def test_an_unsafe_regex_is_refused_with_credentials_unless_its_risk_is_accepted(
    risk: str, regex: str, origin: str
) -> None:
    """The message shows an origin that the regex allows."""
    given: dict[str, Any] = {"allow_origin_regex": regex, "allow_credentials": True}
    found = {each.code: each.message for each in issues(**given)}
    assert risk in found
    shown = re.search(r"allows '(.*?)': ", found[risk])
    assert shown
    policy = policy_without_warnings(**given, dangerously_allow=set(found))
    assert (allows(policy, shown[1]), allows(policy, origin)) == (True, True)
    assert risk in {each.code for each in issues(**given, dangerously_allow={ANY, SUFFIX, HTTP} - {risk})}
    assert not found_issues(allow_origin_regex=regex)


@pytest.mark.parametrize("regex", [row[1] for row in UNSAFE_ROWS])
def test_the_hint_for_an_unsafe_regex_is_accepted(regex: str) -> None:
    """The hint begins with the remedy without cookies."""
    for found in issues(allow_origin_regex=regex, allow_credentials=True):
        assert found.hint.startswith("If no cookies are needed, leave allow_credentials out")
        options = follow(found)
        assert not found_issues(**options, allow_credentials=True)


@pytest.mark.parametrize("regex", SAFE)
def test_a_safe_regex_is_accepted_with_credentials_and_allows_no_other_site(regex: str) -> None:
    """The registrable domain is spelled out."""
    policy = policy_without_warnings(allow_origin_regex=regex, allow_credentials=True)
    others = ("https://evil.net", "http://evil.net", "https://evil.github.io", "http://example.com", "https://com")
    assert [origin for origin in others if allows(policy, origin)] == []


@pytest.mark.parametrize("regex", SLOW)
def test_a_regex_that_takes_too_long_is_refused_with_a_text_that_is_slow(regex: str) -> None:
    """It is refused with credentials and without. Another matcher counts the steps for the text."""
    for credentials in (False, True):
        found = issue(
            allow_origin_regex=regex, allow_credentials=credentials, dangerously_allow={ANY, SUFFIX, HTTP} - {ANY}
        )
        assert (found.code, found.option, found.value) == ("regex-backtracking", "allow_origin_regex", regex)
        shown = re.search(r"takes over 60,000 steps for '(.{1,326})', and", found.message)
        assert shown
        assert not found_issues(**follow(found))
    if not re.search(r"\?>|\+\+|\*x\)", regex):  # the other matcher does not know these, or the look-ahead fails
        with pytest.raises(TooManyStepsError):
            count_steps(re.compile(regex), shown[1], limit=10_000)


@pytest.mark.parametrize(
    "regex",
    [
        r"https://example\.com" + "(?:|)" * 20,
        r"https://example\.com" + "(|)*" * 20,
        "(|)*" * 22,
        "https://" + "(|)*" * 1000 + "x",
        r"https://(?:a|ab?)(?:|){9}c" + "(?:|)" * 9,
        r"https://.*.*.*.*^",
        r"(?:^https://|http://).*.*.*.*$\A",
        r"https://.*-.*(?:x|" + "|".join(f"-{n}" for n in range(20)) + r")\.example\.com",
        r"https://.*-.*\.(?:x|" + "|".join(f"c{n:03}" for n in range(300)) + r")\.example\.com",
    ],
    ids=["ways to end", "loops at the end", "no letter", "huge", "both", "start", "start later", "same", "same behind"],
)
def test_ways_without_a_letter_count_as_steps(regex: str) -> None:
    """So do an anchor behind all letters, and alternatives that begin alike."""
    assert issue(allow_origin_regex=regex).code == "regex-backtracking"


@pytest.mark.parametrize(
    "regex", [r"^https://.*.*.*$|^http://.*.*.*", r"(?:|^)https://.*.*.*", r"https://(?:\.?|)example\.com(?:|)"]
)
def test_a_regex_whose_end_always_matches_is_accepted(regex: str) -> None:
    """Nor do an anchor before the first letter, or a few ways without a letter, make a regex slow."""
    policy_without_warnings(allow_origin_regex=regex)


@pytest.mark.parametrize(
    ("regex", "better"),
    [
        (r"https://.+example\.com", r"https://(?:[a-z0-9-]+\.)+example\.com"),
        (r"https:\/\/(.*)example\.com", r"https:\/\/(?:[a-z0-9-]+\.)*example\.com"),
        (r"https://[a-z]*example\.com", None),
        (r"https://example\.com.*", r"https://example\.com"),
        (r"https://example\.com.+", None),
        (r"https://example.*", None),
        (r"https://www\.example.*", None),
        (r"https://app\.example\.com|https://.*", None),
        (r"http://localhost.*", r"http://localhost(?::[0-9]+)?"),
        (r"http://localhost:3000|http://example\.com", r"http://localhost:3000|https://example\.com"),
    ],
)
def test_the_correction_of_a_regex_allows_no_more_than_the_regex(regex: str, better: str | None) -> None:
    """The only exception is https in place of http."""
    (found,) = issues(allow_origin_regex=regex, allow_credentials=True)
    assert (f"Write allow_origin_regex={better!r}. " in found.hint) == (better is not None)
    assert ("Write the origins that you trust" in found.hint) == (better is None)


@pytest.mark.parametrize(("regex", "reason"), UNSUPPORTED.items(), ids=[regex[:40] for regex in UNSUPPORTED])
def test_a_regex_that_cannot_be_analysed_is_refused_and_the_message_names_the_part(regex: str, reason: str) -> None:
    """The hint is accepted."""
    (found,) = issues(allow_origin_regex=regex, allow_credentials=True, dangerously_allow=ANY)
    assert (found.code, reason in found.message) == ("regex-unsupported", True)
    assert not found_issues(**follow(found), allow_credentials=True)


@pytest.mark.parametrize(
    "regex", ["(" * 5000 + "a" + ")" * 5000, "a{99999999999999999999}"], ids=["nested", "overflow"]
)
def test_a_regex_that_is_too_large_to_compile_is_refused(regex: str) -> None:
    """It raises a ConfigError, never a RecursionError."""
    assert issue(allow_origin_regex=regex).code in {"regex-unsupported", "regex-syntax"}


def test_a_regex_analysed_deep_in_the_stack_is_unsupported() -> None:
    """The parser of `re` raises a RecursionError there."""
    regex = re.compile("(" * 50 + "a" + ")" * 50)

    def call(depth: int) -> str:
        return call(depth - 1) if depth else RegexAnalysis(regex).unsupported

    assert call(sys.getrecursionlimit() - len(inspect.stack()) - 60) == "groups nested too deeply"
    assert call(0) == ""


def test_the_message_says_who_could_read_the_data() -> None:
    """The consequence fits the origin shown: a site, a network address, a shared host, a network without TLS."""

    def message(regex: str) -> str:
        return issue(allow_origin_regex=regex, allow_credentials=True).message

    assert message(r"https://.*").startswith(
        "'https://.*' with allow_credentials allows 'https://evil.net': another site "
    )
    assert "any server with such an address" in message(r"https://\d+\.\d+\.\d+\.\d+")
    assert "any server with such an address" in message(r"https://\[[0-9a-f:]+\]")
    assert "anyone can register such an origin" in message(r"https://.*\.github\.io")
    network = message(r"https?://172\.(1[6-9]|2\d|3[01])\.\d+\.\d+")
    assert "allows 'http://172.16.1.1'" in network
    assert "an attacker on the network" in network


def test_a_regex_that_is_safe_only_because_of_its_look_arounds_is_refused() -> None:
    """The message says that they are ignored if they exclude all origins that were found."""
    found = issue(allow_origin_regex=r"https://(?=app\.example\.com$).*", allow_credentials=True)
    assert (found.code, "allows 'https://evil.net', if its look-arounds are ignored" in found.message) == (ANY, True)


@pytest.mark.parametrize(
    ("regex", "better"),
    [
        (r"https?://app\.example\.com", r"https://app\.example\.com"),
        (r"(http|https)://app\.example\.com", r"https://app\.example\.com"),
        (r"https://.*example\.com", r"https://(?:[a-z0-9-]+\.)*example\.com"),
        (r"https?://.*example\.com.*", r"https://(?:[a-z0-9-]+\.)*example\.com"),
        (r"https://app.example.com", r"https://app\.example\.com"),
    ],
)
def test_the_hint_has_the_corrected_regex(regex: str, better: str) -> None:
    """A regex with flags is shown with them."""
    (found,) = issues(allow_origin_regex=regex, allow_credentials=True)
    assert f"Write allow_origin_regex={better!r}." in found.hint
    (found,) = issues(allow_origins=re.compile(regex, re.IGNORECASE), allow_credentials=True)
    assert f"Write re.compile({better!r}, re.IGNORECASE)." in found.hint


def test_the_hint_for_a_loop_in_a_loop_has_one_loop_less() -> None:
    """Both match the same texts."""
    found = issue(allow_origin_regex=r"https://([a-z0-9]+-?)+\.example\.com")
    assert found.hint == r"Write allow_origin_regex='https://([a-z0-9]-?)+\\.example\\.com'."


def test_two_risks_of_one_regex_are_two_issues() -> None:
    """Each has to be accepted."""
    regex = r"https?://(\w+\.vercel\.app|app\.example\.com)"
    found = issues(allow_origin_regex=regex, allow_credentials=True)
    assert sorted(each.code for each in found) == sorted([SUFFIX, HTTP])


@pytest.mark.parametrize(
    ("regex", "codes"),
    [
        ("https://example.com", ["regex-dot"]),
        ("https://(?:app|www).(?:example)", ["regex-dot"]),
        (r"https://[a.b]\.example\.com", []),
        (r"https://example\.com/", ["regex-matches-nothing"]),
        (r"https://EXAMPLE\.com", ["regex-matches-nothing"]),
        (r"https://example\.com:443", ["regex-matches-nothing"]),
        (r"example\.com", ["regex-matches-nothing"]),
        ("(?!)", []),
        (r"https://example\.com:8443", []),
    ],
)
def test_an_unescaped_dot_and_a_regex_that_matches_no_origin_raise_warnings(regex: str, codes: list[str]) -> None:
    """A dot in brackets is literal."""
    assert [each.code for each in warned(allow_origin_regex=regex)] == codes


@pytest.mark.parametrize("path", [r"/(\w+)+/x", "/(?:[\u0430-\u044f]+)+!", r"/([a-z/]*\.?)*", r"/(a)\1"])
def test_a_regex_for_paths_that_takes_too_long_is_refused(path: str) -> None:
    """Paths have letters beyond ASCII, too."""
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(print, allow_origins="*", paths={re.compile(path): None})  # type: ignore[arg-type]
    found = [each for each in caught.value.issues if each.option == "paths"]
    assert [each.code in SLOW_CODES for each in found] == [True]
    assert "Write" in found[0].hint


@pytest.mark.parametrize("path", [r"/api/.*", r"/v\d+/(?:items|users)/.*", r"/[^/]+/[^/]+/[^/]+", r"/.*/x/.*", r"/ä+"])
def test_an_ordinary_regex_for_paths_is_accepted(path: str) -> None:
    """One loop per segment is fast."""
    CORSMiddleware(print, allow_origins="*", paths={re.compile(path): None})  # type: ignore[arg-type]


def test_every_process_has_the_same_results() -> None:
    """Texts and origins do not depend on the order of sets, which differs between processes."""
    program = """
import json, re, sys
from asgi_cors._origins.regex.analysis import RegexAnalysis, analyse
found = [analyse(re.compile(regex)) for regex in json.load(sys.stdin)]
print([(each.ambiguous_text, each.unsupported, sorted(each.witnesses.items())) for each in found])
"""
    regexes = [*SAFE, *SLOW, *(row[1] for row in UNSAFE_ROWS), *(row["regex"] for row in DATA)]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(regexes),
            capture_output=True,
            check=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


# Regexes as users combine them.
PARTS = st.tuples(
    st.sampled_from(["https://", "https?://", "http://", ".*", "(?:https|http)://", "[a-z]+://", "(?i)https://"]),
    st.sampled_from(
        [
            "",
            ".*",
            r"(.*\.)?",
            "[a-z]+",
            r"([a-z0-9-]+\.)*",
            "app.",
            r"app\.",
            "(app|www)?",
            "[^.]+-",
            ".",
            r"\w+\.",
            "x*",
        ]
    ),
    st.sampled_from(["example", "exa.ple", "(example|sample)", r"example\d", "ex[ab]mple", "(?=.)example", "EXAMPLE"]),
    st.sampled_from(
        [r"\.com", ".com", r"\.[a-z]{2,3}", r"\.(com|org)", r"\.co.uk", r"\.com?", r"\.github\.io", r"\.vercel.app"]
    ),
    st.sampled_from(["", ".*", r"(:\d+)?", r":\d+", ".?", r"\.?", "[^:]*"]),
)
HOSTILE_HOSTS = [
    *("evil.net", "evilexample.com", "evil-example.com", "appxexample.com", "example.xyz", "example.co", "sample.co"),
    *("example.com.evil.net", "example.comx.net", "xxexample.com", "example7.com", "examplexco.uk", "exaxple.com"),
    *(
        "evil.github.io",
        "evil-example.github.io",
        "evil-example.vercel.app",
        "evilexample.vercel.app",
        "evilexample.org",
    ),
    *("203.0.113.7", "[2001:db8::1]"),
]
HOSTILE = [f"{scheme}://{host}{port}" for scheme in ("http", "https") for host in HOSTILE_HOSTS for port in ("", ":81")]
HOSTILE += ["http://example.com", "http://app.example.com", "http://example.github.io", "http://example.vercel.app:81"]


@pytest.mark.parametrize(
    "regex",
    [r"https://a(?:b?c|c)d\.com", rf"https://{'a' * 260}\.com"],
    ids=["two ways to one host", "a host that is longer than any"],
)
def test_a_regex_for_one_host_has_no_risk(regex: str) -> None:
    analysis = analyse(re.compile(regex))
    assert analysis.witnesses == {}
    assert not analysis.unsupported


@settings(max_examples=200, deadline=None)
@given(PARTS, st.booleans())
def test_no_hostile_origin_is_allowed_by_an_accepted_regex(parts: tuple[str, ...], has_alternative: bool) -> None:
    """If a regex is refused, the origin in the message is a risk."""
    regex = re.compile("".join(parts) + (r"|https://app\.example\.com" if has_alternative else ""))
    analysis = analyse(regex)
    if analysis.ambiguous_text or analysis.unsupported:
        return
    if not analysis.witnesses:
        assert [origin for origin in HOSTILE if regex.fullmatch(origin)] == []
    for risk, text in analysis.witnesses.items():
        origin = parse_origin(text)
        assert origin
        assert regex.fullmatch(text)
        if risk == HTTP:
            assert (origin.scheme, is_loopback(origin.host)) == ("http", False)
        else:
            own = registrable_domain(origin.host) if origin.scheme in {"http", "https"} else None
            assert own not in {"example.com", "sample.com", "example.co.uk", "app.vercel.app"}


ATOMS = st.sampled_from(["a", "b", "[ab]", "[a-c]", ".", "-", r"\.", "[^a]", r"\w"])


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "{0,3}"])
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, quantifiers).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


SIMPLE = ATOMS | _combine(ATOMS)
EXPRESSIONS = SIMPLE | _combine(SIMPLE)
UNITS = ["a", "b", "c", "-", ".", "ab", "ba", "a-", "aab", "ac"]


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, st.sampled_from(["", "a", "b", "ab"]))
@example("(?:a|aa|b)*", "")
@example("(?:a*b?)*", "a")
def test_an_accepted_regex_takes_few_steps(regex: str, prefix: str) -> None:
    """Another matcher counts the steps for short texts of several letters."""
    compiled = re.compile(regex + "x")
    if found_issues(allow_origins=compiled):
        return
    for unit in UNITS:
        count_steps(compiled, prefix + (unit * 60)[:40] + "!", limit=12_000)


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS)
def test_the_text_in_the_message_is_slow(regex: str) -> None:
    """Another matcher counts its steps."""
    compiled = re.compile(regex + "x")
    for found in found_issues(allow_origins=compiled):
        shown = re.search("steps for '(.*)', and", found.message)
        if shown:
            with pytest.raises(TooManyStepsError):
                count_steps(compiled, shown[1], limit=10_000)


@pytest.mark.parametrize(
    ("regex", "allowed"),
    [
        (r"https://app\.example\.com|https://.*(?<=example\.com)", "https://evilexample.com"),
        (r"https://(?:app\.example\.com|(?=.*example\.com).*)", "https://evilexample.com"),
        (r"https://(?=app\.example\.com).*", "https://app.example.com.evil.net"),
    ],
    ids=["a look-behind", "a look-ahead in an alternative", "a look-ahead at the start"],
)
def test_the_origin_in_the_message_is_of_another_site(regex: str, allowed: str) -> None:
    """A subdomain of a spelled-out host would not show the mistake."""
    shown = analyse(re.compile(regex)).witnesses[ANY]
    assert re.fullmatch(regex, shown)
    assert registrable_domain(shown.removeprefix("https://")) == registrable_domain(allowed.removeprefix("https://"))


def test_a_correction_that_is_not_a_regex_is_not_proposed() -> None:
    """A text in brackets is not a host, so the correction of a host can break it."""
    (found,) = issues(allow_origin_regex="https?://.*[^http://.*localhost]", allow_credentials=True)
    assert "Write the origins that you trust" in found.hint
