"""The steps of a form's submission, without I/O: a navigation of the top-level page (HTML, navigate; Fetch).

- CORS does not apply: no preflight, no check of the response, and the page cannot read the response.
- Cookies are sent by the rules of top-level navigations, and those of the response are stored.
- Origin is sent with POST. It is `null` if the referrer policy hides the page, or after a redirect between two foreign
  origins. In Chromium and WebKit, any redirect to another origin makes it `null`.
- 301, 302 and 303 turn POST into GET. 307 and 308 repeat the form.
- The page is then at the final URL, unless the response has no document: 204, 205, or a download.
"""

from __future__ import annotations

import httpx

from asgi_cors.testing._errors.errors import RedirectError
from asgi_cors.testing._exchange import Exchange

from .cookies import Client
from .engines import STANDARD
from .form import Form
from .headers import HeaderList
from .metadata import fetch_metadata
from .network import NetworkSteps, Steps, failed, status_of
from .redirect import BadLocationError, Hop, location_of, next_hop, resolve
from .referrer import DEFAULT_POLICY, parse_policy
from .requests import build_request, main_headers
from .state import Outcome, PageState
from .url import serialize_origin

_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_NO_DOCUMENT = frozenset({204, 205})


class Submission(NetworkSteps):
    """The submission of one form by the page."""

    def __init__(self, form: Form, page: PageState, *, by_user: bool) -> None:
        super().__init__(page, page.referrer_policy)
        headers = [("accept", _ACCEPT)]
        if form.content_type:
            headers.append(("content-type", form.content_type))
        self._by_user = by_user
        self._first_hop = self._hop = Hop(
            url=form.url,
            fragment="",
            method=form.method,
            headers=headers,
            preflighted=headers,
            body=form.body,
            stream=None,
        )
        self._urls = [form.url]
        self._is_tainted = False

    def run(self) -> Steps[Outcome]:
        """Run the submission, and move the page to its end. Raises NetworkError and RedirectError."""
        while True:
            exchange, headers = yield from self._load()
            try:
                location = location_of(headers, status_of(exchange), self._engine)
                if location is None:
                    return self._arrived(exchange, headers)
                self._redirect(location, exchange, headers)
            except BadLocationError as error:
                raise failed(RedirectError, str(error), exchange) from error

    def _load(self) -> Steps[tuple[Exchange, HeaderList]]:
        exchange = Exchange(kind="navigation", request=self._request())
        exchange, response = yield from self._send(exchange, repeatable=True)
        self._check_status(exchange, response)
        headers = self._parse_headers(exchange, response)
        self._page.cookies.store(self._hop.url, headers.lines("set-cookie"), self._client)
        return exchange, headers

    @property
    def _client(self) -> Client:
        return Client(self._page.url, urls=self._urls, navigation=self._hop.method)

    def _request(self) -> httpx.Request:
        hop = self._hop
        headers = main_headers(
            hop.headers,
            origin=self._origin_header(),
            cookie=self._page.cookies.header(hop.url, self._client),
            referer=self._referer(hop.url, by_script=False),
            metadata=fetch_metadata(self._client, "navigate", self._engine, dest="document", by_user=self._by_user),
        )
        return build_request(hop.method, hop.url, headers, body=hop.body)

    def _origin_header(self) -> str:
        """Return the value of Origin, or "" (Fetch, append a request `Origin` header)."""
        if self._hop.method == "GET":
            return ""
        origin = self._page.origin
        return "null" if self._is_tainted or self._hides_origin(origin, self._hop.url) else origin

    def _redirect(self, location: str, exchange: Exchange, headers: HeaderList) -> None:
        """Set the next hop (Fetch, HTTP-redirect fetch)."""
        self._check_count(len(self._urls), exchange)
        url = resolve(location, self._hop.url).copy_with(userinfo=b"")
        last, target = serialize_origin(self._hop.url), serialize_origin(url)
        is_foreign = last != self._page.origin or self._engine.redirected_form_hides_origin
        self._is_tainted = self._is_tainted or (is_foreign and last != target)
        self._policy = parse_policy(headers) or self._policy
        # The engines' departures for fetch() were not measured for navigations.
        self._hop = next_hop(self._hop, url, status_of(exchange), self._first_hop, STANDARD)
        self._urls.append(url)

    def _arrived(self, exchange: Exchange, headers: HeaderList) -> Outcome:
        """Move the page to its new URL, if the response has a document."""
        client = self._page
        if not _is_without_document(headers, status_of(exchange)):
            client.url = None if _is_sandboxed(headers) else self._hop.url
            client.origin = "null" if client.url is None else serialize_origin(client.url)
            client.referrer_policy = parse_policy(headers) or DEFAULT_POLICY
        return Outcome(
            exchange=exchange,
            headers=headers,
            kind="basic",
            url=self._hop.url,
            redirected=len(self._urls) > 1,
            credentials=True,
        )


def _is_without_document(headers: HeaderList, status: int | None) -> bool:
    disposition = headers.get("content-disposition") or ""
    return status in _NO_DOCUMENT or disposition.partition(";")[0].strip().lower() == "attachment"


def _is_sandboxed(headers: HeaderList) -> bool:
    """Return whether the new page has the origin `null` (Content Security Policy, sandbox)."""
    policies = [policy for line in headers.lines("content-security-policy") for policy in line.split(",")]
    directives = [directive.lower().split() for policy in policies for directive in policy.split(";")]
    return any(words[:1] == ["sandbox"] and "allow-same-origin" not in words for words in directives)
