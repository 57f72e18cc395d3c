"""A regex among the origins: what it must not let in with credentials, and how long it may take."""

import re
from typing import Any

import pytest
from support.policies import allows, issue, issues, quiet

from asgi_cors import ConfigError, Policy

ANY, SUFFIX, HTTP = ("credentials-from-any-origin", "credentials-from-shared-suffix", "credentials-over-http")

# A regex, and an origin that it lets in, by the word that both need.
DANGEROUS: dict[str, list[tuple[str, str]]] = {
    ANY: [
        (r"https://example\.[a-z]{2,3}", "https://example.xyz"),
        (r"https://(www\.)?example\.[a-z]{2,4}", "https://example.xyz"),
        (r"https://example\.co\.[a-z]{2}", "https://example.co.za"),
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
        (r"https:\/\/(.+\.)?example.com", "https://a.examplexcom"),
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
        (r"https://(a|b)?x([a-z])\1\.github\.io|https://.*\.nip\.io", "https://evil.nip.io"),
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
    ],
}
ROWS = [(word, *row) for word, rows in DANGEROUS.items() for row in rows]

HONEST = [
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
]

# A regex that freezes the process, and what it takes to see it: an origin that it nearly matches.
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
]


@pytest.mark.parametrize(("word", "regex", "origin"), ROWS)
def test_a_dangerous_regex(word: str, regex: str, origin: str) -> None:
    """With credentials the regex is refused by the word of its danger, and names an origin that it lets in."""
    given: dict[str, Any] = {"allow_origin_regex": regex, "allow_credentials": True}
    found = {each.code: each.message for each in issues(**given)}
    assert word in found
    shown = re.search(r"lets in '(.*?)'", found[word])
    assert shown
    policy = quiet(**given, dangerously_allow=set(found))
    assert (allows(policy, shown[1]), allows(policy, origin)) == (True, True)
    assert word in {each.code for each in issues(**given, dangerously_allow={ANY, SUFFIX, HTTP} - {word})}


@pytest.mark.parametrize("regex", HONEST)
def test_an_honest_regex(regex: str) -> None:
    """With credentials the regex is accepted, and lets no stranger in."""
    policy = quiet(allow_origin_regex=regex, allow_credentials=True)
    strangers = ("https://evil.net", "http://evil.net", "https://evil.github.io", "http://example.com")
    assert [origin for origin in strangers if allows(policy, origin)] == []


@pytest.mark.parametrize("regex", SLOW)
def test_a_regex_that_takes_too_long(regex: str) -> None:
    """The regex is refused, with credentials or without; the message names a length and what to write."""
    for credentials in (False, True):
        found = issue(allow_origin_regex=regex, allow_credentials=credentials)
        assert (found.code, found.option, found.value) == ("regex-backtracking", "allow_origin_regex", regex)
        assert re.search(r"an origin of \d{2,3} bytes", found.message)
        assert "Leave one way to match a text" in found.hint


def test_a_regex_of_which_nothing_is_found_out() -> None:
    """With credentials a regex that no probe gets through is refused: nothing is known of it."""
    regex = r"https://(?=.*xyzzy\d)(?!.*[hmt])\w+\.com"
    found = issue(allow_origin_regex=regex, allow_credentials=True)
    assert (found.code, "no probe" in found.message) == (ANY, True)
    word = {"allow_credentials": True, "dangerously_allow": ANY}
    assert allows(Policy(allow_origin_regex=regex.replace("[hmt]", "[k]"), **word), "https://xyzzy1.com")


@pytest.mark.parametrize(
    "host",
    [
        *("glitch.me", "github.dev", "app.github.dev", "ws-eu.gitpod.io", "gitpod.io", "codesandbox.io"),
        *("stackblitz.io", "local.webcontainer.io", "loca.lt", "nip.io", "sslip.io", "googleusercontent.com"),
        *("cdn.ampproject.org", "ngrok.io", "ngrok-free.app", "s3.eu-north-99.amazonaws.com", "amazonaws.com"),
        *("xn--mre-og-romsdal-qqb.no", "xn--stfold-9xa.no"),
    ],
)
def test_a_host_that_strangers_share(host: str) -> None:
    """With credentials `*` below a host where anyone can get a name is refused, as a pattern and as a regex."""
    for entry in (f"https://*.{host}", re.compile(rf"https://.*\.{re.escape(host)}")):
        assert issue(allow_origins=entry, allow_credentials=True).code == SUFFIX


def test_a_regex_with_two_dangers() -> None:
    """Each danger of a regex is an issue of its own."""
    regex = r"https?://(\w+\.vercel\.app|app\.example\.com)"
    found = issues(allow_origin_regex=regex, allow_credentials=True)
    assert sorted(each.code for each in found) == sorted([SUFFIX, HTTP])


def test_a_dot_too_many_is_only_a_doubt() -> None:
    """A bare dot that lets in nobody's host is no danger."""
    with pytest.warns(match="has a dot"):
        assert allows(Policy(allow_origin_regex="https://example.com", allow_credentials=True), "https://example.com")


def test_a_slow_regex_is_not_probed() -> None:
    """A regex that takes too long is not probed as well: probing would take as long."""
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origin_regex=r"https://([\w.]+)+", allow_credentials=True)
    assert [each.code for each in caught.value.issues] == ["regex-backtracking"]
