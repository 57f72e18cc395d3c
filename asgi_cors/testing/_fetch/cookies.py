"""The cookie jar (RFC 6265bis).

- Parsing: the first `=` ends the name, and semicolons separate attributes. Control characters and oversized pairs are
  refused.
- Storage: Domain must cover the host and must not be a public suffix. Secure needs a secure (or loopback) URL. The name
  prefixes `__Secure-` and `__Host-` require their attributes. SameSite=None requires Secure, except in WebKit. A
  SameSite cookie is not stored from another site.
- Retrieval: by host, path and Secure. Another site gets SameSite=None only; in engines without Lax-by-default, also
  cookies without the attribute. A top-level navigation to another site also gets SameSite=Lax by GET, and by POST in
  some engines new cookies without the attribute. Longer paths come first, then older cookies.
Third-party cookies are stored. HttpOnly has no effect. The time is the page's clock.
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import httpx

from .engines import Engine
from .url import is_ip_address, is_loopback, is_same_site, is_schemelessly_same_site, parse, public_suffixes

SameSite = Literal["none", "lax", "strict", "default"]

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PAIR_LIMIT = 4096
_ATTRIBUTE_LIMIT = 1024


@dataclass(frozen=True, kw_only=True)
class Cookie:
    """A stored cookie. `created` and `expires` are times of the page's clock; None is the end of the session."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    same_site: SameSite
    expires: float | None
    created: float


@dataclass(frozen=True)
class Client:
    """The sender of a request.

    Attributes:
        page: the page's URL; None for an opaque origin.
        urls: the URLs of the request so far, the current one last.
        navigation: the method if the request is a top-level navigation, otherwise "".
    """

    page: httpx.URL | None
    urls: Sequence[httpx.URL]
    navigation: str = ""

    @property
    def is_navigation(self) -> bool:
        """Whether the request is a top-level navigation."""
        return bool(self.navigation)


class CookieJar(Mapping[str, str]):
    """The page's cookies: a mapping of name to value. If hosts or paths share a name, the newest cookie counts."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._stored: dict[tuple[str, str, str], Cookie] = {}

    @property
    def all(self) -> tuple[Cookie, ...]:
        """The cookies that have not expired, oldest first."""
        now = self._clock()
        return tuple(cookie for cookie in self._stored.values() if cookie.expires is None or cookie.expires > now)

    def __getitem__(self, name: str) -> str:
        """Return the value of the newest cookie of that name."""
        return {cookie.name: cookie.value for cookie in self.all}[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, each once."""
        return iter(dict.fromkeys(cookie.name for cookie in self.all))

    def __len__(self) -> int:
        """Return the number of names."""
        return len(list(iter(self)))

    def __repr__(self) -> str:
        """Show the cookies by name."""
        return f"CookieJar({dict(self)!r})"

    def visit(self, url: str, lines: Iterable[str]) -> None:
        """Store cookies as if the user had visited the URL and the response had these Set-Cookie lines."""
        parsed = parse(url)
        for line in lines:
            self._store(parsed, line, from_same_site=True)

    def store(self, url: httpx.URL, lines: Iterable[str], client: Client) -> None:
        """Store the cookies that the response to a request of the client sets."""
        same_site = client.is_navigation or self._is_same_site(client)
        for line in lines:
            if same_site or self._engine.stores_third_party_cookies:
                self._store(url, line, from_same_site=same_site)

    def header(self, url: httpx.URL, client: Client) -> str:
        """Return the value of Cookie in the client's request to this URL, or "" without cookies."""
        same_site = self._is_same_site(client)
        secure = url.scheme in {"https", "wss"} or (self._engine.secure_on_loopback and is_loopback(url.host))
        sent = [
            cookie
            for cookie in self.all
            if _covers(cookie, url)
            and (secure or not cookie.secure)
            and (same_site or self._crosses_sites_with(cookie, client))
        ]
        sent.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in sent)

    def _is_same_site(self, client: Client) -> bool:
        considers_redirects = self._engine.redirects_make_cookies_cross_site
        is_chain = considers_redirects == "always" or (considers_redirects == "navigations" and client.is_navigation)
        urls = client.urls if is_chain else client.urls[-1:]
        compare = is_same_site if self._engine.same_site_counts_scheme else is_schemelessly_same_site
        return client.page is not None and all(compare(client.page, url) for url in urls)

    def _crosses_sites_with(self, cookie: Cookie, client: Client) -> bool:
        """Return whether the client's request to another site has the cookie."""
        if self._crosses_sites(cookie):
            return True
        if client.navigation == "GET":
            return cookie.same_site != "strict"
        limit = self._engine.lax_post_limit
        is_new = limit is not None and self._clock() - cookie.created <= limit
        return client.is_navigation and cookie.same_site == "default" and is_new

    def _crosses_sites(self, cookie: Cookie) -> bool:
        return cookie.same_site == "none" or (cookie.same_site == "default" and not self._engine.lax_by_default)

    def _store(self, url: httpx.URL, line: str, *, from_same_site: bool) -> None:
        cookie = self._parse(url, line)
        if cookie is None or not _is_acceptable(cookie, url) or not (from_same_site or self._crosses_sites(cookie)):
            return
        if cookie.same_site == "none" and not cookie.secure and self._engine.none_requires_secure:
            return
        if not cookie.host_only and public_suffixes().is_public(cookie.domain):
            if cookie.domain != url.host or not self._engine.public_suffix_makes_host_cookie:
                return
            cookie = replace(cookie, host_only=True)
        key = (cookie.name, cookie.domain, cookie.path)
        replaced = self._stored.get(key)
        if replaced is not None and replaced.value == cookie.value:
            cookie = replace(cookie, created=replaced.created)
        if cookie.expires is not None and cookie.expires <= self._clock():
            self._stored.pop(key, None)
        else:
            self._stored[key] = cookie

    def _parse(self, url: httpx.URL, line: str) -> Cookie | None:
        pair, *rest = line.split(";")
        name, equals, value = pair.partition("=")
        name, value = (name.strip(" \t"), value.strip(" \t")) if equals else ("", pair.strip(" \t"))
        if _CONTROL.search(line) or not (name or value) or len(name) + len(value) > _PAIR_LIMIT:
            return None
        attributes = dict(_attributes(rest))
        domain = attributes.get("domain", "").removeprefix(".").lower()
        path = attributes.get("path", "")
        same_site_value = attributes.get("samesite", "").lower()
        return Cookie(
            name=name,
            value=value,
            domain=domain or url.host,
            path=path if path.startswith("/") else _default_path(url),
            host_only=not domain,
            secure="secure" in attributes,
            same_site=_SAME_SITE.get(same_site_value, "default"),
            expires=self._expires(attributes),
            created=self._clock(),
        )

    def _expires(self, attributes: Mapping[str, str]) -> float | None:
        age = attributes.get("max-age", "")
        if re.fullmatch(r"-?[0-9]+", age):
            return self._clock() + float(age) if int(age) > 0 else float("-inf")
        try:
            date = email.utils.parsedate_to_datetime(attributes.get("expires", ""))
        except ValueError:
            return None
        return self._clock() + date.timestamp() - time.time()


_SAME_SITE: dict[str, SameSite] = {"none": "none", "lax": "lax", "strict": "strict"}


def _attributes(parts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        name, _, value = part.partition("=")
        if len(value.strip()) <= _ATTRIBUTE_LIMIT:
            yield name.strip(" \t").lower(), value.strip(" \t")


def _default_path(url: httpx.URL) -> str:
    return url.raw_path.partition(b"?")[0].decode("ascii").rpartition("/")[0] or "/"


def _domain_matches(host: str, domain: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not is_ip_address(host))


def _is_acceptable(cookie: Cookie, url: httpx.URL) -> bool:
    if not _domain_matches(url.host, cookie.domain):
        return False
    prefix = cookie.name.lower()
    if prefix.startswith("__host-") and not (cookie.secure and cookie.host_only and cookie.path == "/"):
        return False
    if prefix.startswith("__secure-") and not cookie.secure:
        return False
    return not cookie.secure or url.scheme in {"https", "wss"} or is_loopback(url.host)


def _covers(cookie: Cookie, url: httpx.URL) -> bool:
    host_matches = url.host == cookie.domain if cookie.host_only else _domain_matches(url.host, cookie.domain)
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return host_matches and (
        path == cookie.path
        or (path.startswith(cookie.path) and (cookie.path.endswith("/") or path[len(cookie.path)] == "/"))
    )
