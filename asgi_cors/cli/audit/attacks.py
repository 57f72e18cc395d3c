"""Hostile origins that a careless check mistakes for an allowed one, by class.

Each class is a mistake that a library or server had. Browsers can send some of these origins. Others need a forged
client, and show only that the check compares text instead of origins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors._origins.origin import WEB_PORTS, parse_origin

if TYPE_CHECKING:
    from asgi_cors import Policy

_HOST_TERMINATORS: Final = "`{}$(+=_^<>]%#?"
_LABEL_CHARACTERS: Final = "+&)(!,_"
# {s} is the scheme, {h} the host, {a} the host with the port; see `attacks_on` for the others.
_TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    "third-party-origin": ("https://evil.test", "https://codepen.io", "https://jsfiddle.net", "http://www.webdevout.net"),
    "null-origin": ("null", "Null", "null ", " null"),
    "scheme-downgrade": ("http://{a}", "ws://{a}", "wss://{a}"),
    "port-confusion": ("{s}://{h}:80", "{s}://{h}:8443", "{s}://{h}:0443", "{s}://{h}:", "{s}://{h}:abc", "{s}://{h}:0"),
    "prefix-suffix-substring": (
        *("{s}://{h}.evil.test", "{s}://evil{h}", "{s}://x{h}", "{s}://wwwx{h}", "{s}:/x{h}", "{s}://{cut}"),
        *("{s}://evil.test/.{h}", "{s}://evil.test#.{h}", "{s}://evil.test:443.{h}", "{s}://localhost.evil.test"),
        *("{s}://evil.test?{h}", "{s}://evil-{h}", "{s}://{dotless}"),
    ),
    "subdomain": ("{s}://attacker.{a}", "{s}://a.b.{a}"),
    "origin-normalisation": ("{s}://{a}/", "{s}://{a}/path", "{s}://{a}?x", "{s}://{a}#x", "{upper}"),
    "trailing-dot": ("{s}://{h}.",),
    "empty-label": ("{s}://{doubled}", "{s}://.{h}", "{s}://a..{h}"),
    "userinfo": ("{s}://user:pw@{a}", "{s}://{a}@evil.test", "{s}://user@a.{h}"),
    "malformed-origin": (
        *("", " ", ",", "{s}://", "{s}:{h}", "//{h}", "{s}://*.{h}", "{s}://{a} https://evil.test"),
        *("{s}://{a},https://evil.test", "{s}://{a};https://evil.test", "{s}://{h}%00.evil.test"),
        *("{s}://{a}\r\nSet-Cookie: a=b", "{s}://{a}\x0b", "{s}://{tabbed}"),
    ),
    "special-character-host": (
        *(f"{{s}}://{{h}}{c.replace('{', '{{').replace('}', '}}')}.evil.test" for c in _HOST_TERMINATORS),
        *("{s}://{h}%2A.evil.test", "{s}://{h}%20.evil.test"),
    ),
    "special-character-label": tuple(f"{{s}}://{{h}}.{c}.evil.test" for c in _LABEL_CHARACTERS),
    "subdomain-wildcard-deny": (
        *("{s}://evil%2A.{h}", "{s}://a b.{h}", "javascript://a.{h}", "{s}://[::1].{h}", "{s}://A.{h}"),
    ),
    "localhost": ("http://localhostevil.test", "http://localhost.evil.test", "http://127.0.0.1.evil.test:3000"),
    "custom-scheme-deny": (
        *("capacitor://localhost.evil.test", "capacitor://localhost/", "CAPACITOR://localhost", "tauri://evil"),
        *("http://vscode-webview.evil.test", "moz-extension://99999999-2222-3333-4444-555555555555"),
        *("file:///etc/passwd", "about:blank", "about:srcdoc", "filesystem:{s}://{h}/x", "content://x"),
        *("android-app://x", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"),
    ),
}  # fmt: skip


def attacks_on(origin: str) -> Iterator[tuple[str, str]]:
    """Yield the class and origin of every attack on a check that allows `origin`."""
    scheme, _, authority = origin.partition("://")
    host = authority.partition(":")[0] if not authority.startswith("[") else authority.partition("]")[0] + "]"
    parts = {
        "s": scheme,
        "a": authority,
        "h": host,
        "cut": host[:-1],
        "dotless": host.replace(".", "x", 1),
        "doubled": host.replace(".", "..", 1),
        "tabbed": f"{host[:3]}\t{host[3:]}",
        "upper": origin.upper(),
    }
    for kind, templates in _TEMPLATES.items():
        for template in templates:
            hostile = template.format(**parts)
            if hostile != origin:
                yield kind, hostile


def is_sent_by_browsers(origin: str) -> bool:
    """Return whether a page can have this origin. Only such an attack can harm a user."""
    parsed = parse_origin(origin)
    return origin == "null" or (parsed is not None and parsed.scheme in WEB_PORTS)


def targets_of(policy: Policy) -> Iterator[str]:
    """Yield an origin for each entry of a policy that is a string, as the base of attacks."""
    entries = policy.allow_origins if isinstance(policy.allow_origins, tuple) else ()
    for entry in entries:
        if isinstance(entry, str) and "://" in entry:
            yield entry.replace(":*", ":3000").replace("*", "a")
