"""What the two kinds of page share: the checked options, and the state of a page."""

from __future__ import annotations

import abc
import contextlib
import functools
import inspect
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypedDict

import httpx

from ._cache import new_cache
from ._cookies import CookieJar
from ._engines import Engine, engine_named
from ._errors import ScriptError
from ._exchange import Exchange, table
from ._fetch import Fetch
from ._script import FetchInit, Stream, script_request
from ._state import PageState
from ._url import HTTP_SCHEMES, parse, serialize_origin

Cookies = Mapping[str, Iterable[str]]


class PageOptions(TypedDict, total=False):
    """The options of every page.

    Keys:
        engine: "browsers" (default), "standard", "chromium", "firefox", "webkit" or an Engine. "browsers" is the
            standard, but for what all three browsers do otherwise.
        cookies: Set-Cookie fields by URL, stored as if a visit to the URL had set them.
        clock: returns seconds; read at each fetch, for the preflight cache and the cookies' ages; time.monotonic.
        follow: how many redirects are followed; 20.
        timeout: seconds for a fetch, its body included, with `stream=True` for its start and for each part; 30.
    """

    engine: str | Engine
    cookies: Cookies | None
    clock: Callable[[], float]
    follow: int
    timeout: float


# capacitor://localhost, chrome-extension://<id>: schemes whose pages have an origin of their own.
_APP_ORIGIN = re.compile(r"[a-z][a-z0-9+.\-]*://[^\x00-\x20\x7f-\U0010ffff/?#@\\<>^|]+")
_NO_APPS = ("http:", "https:", "ws:", "wss:", "file:", "data:", "blob:", "about:", "javascript:")
_OPAQUE_SCHEMES = frozenset({"file", "data", "blob", "about", "javascript"})


class BasePage(abc.ABC):
    """A page: its origin, cookies and preflight cache, and what it sent."""

    def __init__(  # noqa: PLR0913 - the options of a page
        self,
        origin: str,
        *,
        engine: str | Engine = "browsers",
        cookies: Cookies | None = None,
        clock: Callable[[], float] = time.monotonic,
        follow: int = 20,
        timeout: float = 30,
    ) -> None:
        url = _page_url(origin)
        chosen = engine_named(engine)
        jar = CookieJar(url, chosen, clock)
        for visited, fields in (cookies or {}).items():
            jar.visit(visited, [fields] if isinstance(fields, str) else fields)
        self._timeout = timeout
        self._state = PageState(
            origin=origin,
            url=url,
            engine=chosen,
            cookies=jar,
            cache=new_cache(chosen),
            clock=clock,
            follow=follow,
        )

    def __repr__(self) -> str:
        """Show the kind of page, its origin and engine."""
        return f"<{type(self).__name__} {self.origin} ({self.engine.name})>"

    @property
    def origin(self) -> str:
        """The page's origin as browsers write it; "null" for a sandboxed page."""
        return self._state.origin

    @property
    def engine(self) -> Engine:
        """The engine whose rules hold."""
        return self._state.engine

    @property
    def exchanges(self) -> list[Exchange]:
        """What went over the wire, oldest first, and which preflights the cache spared."""
        return self._state.exchanges

    @property
    def cookies(self) -> CookieJar:
        """The cookies stored."""
        return self._state.cookies

    def _check_ways(self, app: Callable[..., Any] | None, transport: object, *, asgi: bool) -> None:
        if app is None:
            return
        if transport is not None:
            raise ValueError("app and transport are both given; write one.")
        if is_asgi(app) != asgi:
            kind, page = ("a WSGI", "Page") if asgi else ("an ASGI", "AsyncPage")
            raise ValueError(f"{app!r} is {kind} application. Write {page}({self.origin!r}, app=...).")

    def _new_fetch(self, url: str | httpx.URL, init: FetchInit) -> Fetch:
        request = script_request(url, self._state.url, self.engine, **init)
        if request.stream is not None:
            request = replace(request, stream=self._usable(request.stream))
        return Fetch(request, self._state)

    @abc.abstractmethod
    def _usable(self, stream: Stream) -> Stream:
        """Return the stream in the form that the transport reads."""

    def table(self) -> str:
        """Show the exchanges for people, with the fields that decided."""
        return table(self.exchanges)


def _page_url(origin: str) -> httpx.URL | None:
    """Give the page's URL; None for a sandboxed page, and for an app or extension, whose pages are no site's."""
    if origin == "null" or (_APP_ORIGIN.fullmatch(origin) and not origin.startswith(_NO_APPS)):
        return None
    try:
        url = parse(origin)
    except ScriptError as error:
        raise ValueError(f"origin={origin[:200]!r} is not a URL. {_origin_hint(origin)}") from error
    if url.scheme not in HTTP_SCHEMES or serialize_origin(url) != origin:
        raise ValueError(f"origin={origin[:200]!r} is not an origin as browsers write it. {_origin_hint(origin, url)}")
    return url


def _origin_hint(origin: str, url: httpx.URL | None = None) -> str:
    """Return what to write instead of a text that is not a serialized origin."""
    scheme = url.scheme if url else ""
    if url and scheme in HTTP_SCHEMES and url.host:
        return f"Write {serialize_origin(url)!r}."
    if scheme in _OPAQUE_SCHEMES:
        return "Write 'null': its pages send that."
    if (app := _APP_ORIGIN.match(origin)) and not origin.startswith(_NO_APPS):
        return f"Write {app[0]!r}."  # of an app or extension, with a path
    host = re.match(r"(?:wss?:)?(?://)?((\[[0-9a-f:.]+\]|[\w.-]+)(?::[0-9]+)?)(?![^/?#])", origin)
    is_local = host and re.match(r"\[|127\.|(?:.*\.)?localhost$", host[2])
    with contextlib.suppress(ScriptError):
        if host and (found := parse(f"{'http' if is_local else 'https'}://{host[1]}")).host:
            return f"Write {serialize_origin(found)!r}."
    return "Write an origin such as 'https://app.example.com', or 'null'."


def is_asgi(app: Callable[..., Any]) -> bool:
    """Tell an ASGI application from a WSGI one: a coroutine function, or one of three arguments."""
    function: Any = app
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return True
    return _takes(app, 3) and not _takes(app, 2)


def _takes(app: Callable[..., Any], arguments: int) -> bool:
    try:
        inspect.signature(app).bind(*range(arguments))
    except (TypeError, ValueError):  # ValueError: a built-in, which tells nothing of its arguments
        return False
    return True
