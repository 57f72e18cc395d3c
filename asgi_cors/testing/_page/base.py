"""The base class of both kinds of page: the checked options, and the state of a page."""

from __future__ import annotations

import abc
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypedDict, Unpack

import httpx

from asgi_cors.testing._errors.errors import SameOriginWarning, ScriptError
from asgi_cors.testing._errors.tracebacks import users_stacklevel
from asgi_cors.testing._exchange import Exchange, table
from asgi_cors.testing._fetch.cookies import CookieJar
from asgi_cors.testing._fetch.engines import Engine, engine_named
from asgi_cors.testing._fetch.fetch import Fetch
from asgi_cors.testing._fetch.form import parse_form
from asgi_cors.testing._fetch.navigation import Submission
from asgi_cors.testing._fetch.preflight_cache import new_cache
from asgi_cors.testing._fetch.referrer import DEFAULT_POLICY, ReferrerPolicy
from asgi_cors.testing._fetch.script import FetchInit, Stream, only_bytes, parse_fetch_init
from asgi_cors.testing._fetch.state import PageState
from asgi_cors.testing._fetch.url import HTTP_SCHEMES, is_relative, parse, serialize_origin
from asgi_cors.testing._transports.apps import Interface, check_app, interface_of

from .fetch_options import check_fetch_options, check_submit_options
from .options import check_option_names, check_option_values, checked_clock, parse_base_url, parse_origin

Cookies = Mapping[str, Iterable[str]]


class PageOptions(TypedDict, total=False):
    """The options of every page.

    Keys:
        base_url: the API's origin. Relative URLs are resolved against it; by default, against the page's origin.
        engine: "browsers" (default), "standard", "chromium", "firefox", "webkit" or an Engine. "browsers" is the
            standard with the departures that all three browsers share.
        cookies: Set-Cookie lines by URL, stored as if a visit to the URL had set them.
        referrer_policy: the policy of the page's own header Referrer-Policy; "strict-origin-when-cross-origin".
        clock: returns seconds, for the preflight cache and the ages of cookies; called at each fetch; time.monotonic.
        follow: the highest number of redirects that are followed; 20.
        timeout: seconds for a fetch with its body; with `stream=True`, for its start and for each part; 30.
    """

    base_url: str | None
    engine: str | Engine
    cookies: Cookies | None
    referrer_policy: ReferrerPolicy
    clock: Callable[[], float]
    follow: int
    timeout: float


class BasePage(abc.ABC):
    """A page: its origin, cookies, preflight cache and exchanges."""

    _interfaces: ClassVar[frozenset[Interface]]
    _transport_method: ClassVar[str]

    def __init__(
        self,
        origin: str,
        *,
        app: Callable[..., Any] | None,
        transport: object,
        **options: Unpack[PageOptions],
    ) -> None:
        check_option_names(type(self).__name__, options)
        check_option_values(options)
        url = parse_origin(origin)
        engine = engine_named(options.get("engine", "browsers"))
        clock = checked_clock(options.get("clock", time.monotonic))
        jar = CookieJar(engine, clock)
        for visited, lines in (options.get("cookies") or {}).items():
            jar.visit(visited, [lines] if isinstance(lines, str) else lines)
        self._timeout = options.get("timeout", 30)
        self._state = PageState(
            origin=origin,
            url=url,
            base_url=parse_base_url(options.get("base_url")),
            engine=engine,
            cookies=jar,
            cache=new_cache(engine),
            clock=clock,
            follow=options.get("follow", 20),
            referrer_policy=options.get("referrer_policy", DEFAULT_POLICY),
        )
        self._check_network(app, transport)
        self._has_app = app is not None
        self._is_entered = False

    def __repr__(self) -> str:
        """Show the kind of page, its origin and engine."""
        return f"<{type(self).__name__} {self.origin} ({self.engine.name})>"

    @property
    def origin(self) -> str:
        """The page's origin as browsers serialize it; "null" for a sandboxed page. `submit()` changes it."""
        return self._state.origin

    @property
    def url(self) -> httpx.URL | None:
        """The page's URL; None for a sandboxed page, an app or an extension. `submit()` changes it."""
        return self._state.url

    @property
    def engine(self) -> Engine:
        """The engine whose rules apply."""
        return self._state.engine

    @property
    def exchanges(self) -> list[Exchange]:
        """The requests with their responses, oldest first; also preflights that the cache made unnecessary."""
        return self._state.exchanges

    @property
    def cookies(self) -> CookieJar:
        """The cookies stored."""
        return self._state.cookies

    def _check_not_entered(self) -> None:
        """Raise RuntimeError if the page is entered: its application would start twice."""
        if self._is_entered:
            raise RuntimeError("the page is already entered. Make another page, or leave this one first.")

    def _check_network(self, app: Callable[..., Any] | None, transport: object) -> None:
        """Raise ValueError for an application or a transport that this kind of page cannot use."""
        kind = type(self).__name__
        if app is not None:
            if transport is not None:
                raise ValueError("app and transport are both given. Write one of them.")
            check_app(app)
            if interface_of(app) not in self._interfaces:
                raise ValueError(f"{app!r} is a WSGI application. Write Page({self.origin!r}, app=...).")
        elif transport is not None and not hasattr(transport, self._transport_method):
            missing, other = self._transport_method, "AsyncPage" if kind == "Page" else "Page"
            raise ValueError(
                f"transport={transport!r:.200} is not a transport for {kind}: it has no {missing}(). Use {other}, or a"
                " transport of httpx."
            )

    def _warn_if_same_origin(self, url: object) -> None:
        """Warn if a relative URL leads to the page's own origin. A malformed URL raises later."""
        text, base = str(url), self._state.base
        if not self._has_app or base is None or not isinstance(url, str | httpx.URL) or not is_relative(text, base):
            return
        try:
            target = parse(text, base)
        except ScriptError:
            return
        if target.scheme not in HTTP_SCHEMES or serialize_origin(target) != self.origin:
            return
        api = "https://api.test" if self.origin != "https://api.test" else "https://api.example.com"
        warnings.warn(
            f"{text[:200]!r} is relative. It leads to the page's own origin, {self.origin}. CORS does not apply there."
            f" Write '{api}{target.raw_path.decode()[:200]}', or base_url='{api}' for the page.",
            SameOriginWarning,
            stacklevel=users_stacklevel(),
        )

    def _new_fetch(self, url: str | httpx.URL, init: FetchInit, *, stream: bool) -> Fetch:
        check_fetch_options(url, init, stream=stream)
        request = parse_fetch_init(url, self._state.base, self.engine, **init)
        if request.stream is not None:
            request = replace(request, stream=self._checked_stream(only_bytes(request.stream)))
        return Fetch(request, self._state)

    def _new_submission(self, url: str | httpx.URL, options: Mapping[str, Any]) -> Submission:
        check_submit_options(options)
        form = parse_form(url, self._state.base, options)
        return Submission(form, self._state, by_user=options.get("by_user", True))

    @abc.abstractmethod
    def _checked_stream(self, stream: Stream) -> Stream:
        """Return the stream in the form that the transport needs. Raises ScriptError."""

    def table(self) -> str:
        """Return the exchanges as text, with the headers that CORS depends on."""
        return table(self.exchanges)
