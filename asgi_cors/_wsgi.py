"""WSGIMiddleware, the shell for WSGI (PEP 3333): Flask's, and good for Django, Pyramid, Bottle.

The same decision as under ASGI, by way of a scope built from environ; the fields are put in by a wrapped
`start_response`. The iterable, its `close()` and `wsgi.file_wrapper` pass unchanged.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Unpack, cast

from ._configuration import Configuration
from ._http import VARY
from ._installed import Installed
from ._log import SAME_ORIGIN, warn_replaced, warn_stacked
from ._lookup import run_blocking
from ._mark import CONFIGURATION, INNER, MARK, NEXT, REQUEST, STARTED, note, restrict, restricted
from ._merge import WATCHED, merge
from ._origins import MAX_ORIGIN
from ._scope import read_request
from ._settings import MiddlewareOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._configuration import Judgement
    from ._decision import Decision
    from ._mark import State
    from ._policy import Policy
    from ._types import Environ, Scope, StartResponse, WSGIApp, WSGIHeaders

_PHRASES: Final = {200: "200 OK", 204: "204 No Content", 403: "403 Forbidden", 500: "500 Internal Server Error"}
_UNKNOWN: Final = (None, 0, 0.0)
_WATCHED: Final = frozenset(name.decode() for name in WATCHED)


class WSGIMiddleware(Installed):
    """Apply one policy to a WSGI app.

    Args:
        app: The app.
        policy: The base policy; else its options are given as keywords.
        options: As those of `CORSMiddleware`; callables get an ASGI-shaped scope built from environ.

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    def __init__(
        self, app: WSGIApp, policy: Policy | Configuration | None = None, **options: Unpack[MiddlewareOptions]
    ) -> None:
        """Validate and compile; see the class."""
        super().__init__(app, policy, options)
        self.app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if MARK not in environ and environ["REQUEST_METHOD"] != "OPTIONS":
            tables = self.configuration.tables or self.configuration.tables_at(_routed(environ))
            if tables is None:
                return self.app(environ, start_response)
            origin = environ.get("HTTP_ORIGIN")
            ready, level, until = tables.wsgi.get(origin, _UNKNOWN)
            if ready is not None and not (level and self.configuration.is_due(level, until, {})):
                return self._decorated(environ, ready, start_response)
        return self._decided(environ, start_response)

    def _decided(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Decide what has not been decided before."""
        outer: State | None = environ.get(MARK)
        if outer is not None and outer[STARTED]:
            outer = None  # of an earlier request, whose environ is used again
        if outer is not None and outer[CONFIGURATION] is self.configuration:
            return self.app(environ, start_response)
        scope = scope_of(environ)
        request = read_request(scope)
        judgement = run_blocking(self.configuration.judge(scope, request))
        if judgement is None:
            return self.app(environ, start_response)
        if outer is not None:
            warn_stacked(judgement.policy, scope["path"])
            restrict(outer, judgement.decision)
        ready = _Ready.of(judgement)
        if judgement.answer is not None:
            state: State = [start_response, False, self.configuration, scope["path"], None]
            return _plain(ready.starts(state), *judgement.answer)
        if outer is not None:
            return self.app(environ, start_response)
        if len(request.origin or b"") <= MAX_ORIGIN and judgement.quiet != SAME_ORIGIN:  # which only a scope can tell
            tables = judgement.policy.compiled.tables
            judgement.keep(tables.wsgi, environ.get("HTTP_ORIGIN"), (ready,))
        return self._decorated(environ, ready, start_response)

    def _decorated(self, environ: Environ, ready: _Ready, start_response: StartResponse) -> Iterable[bytes]:
        """Call the app; where it raises, the page gets a 500 that it can read, and the server the exception."""
        state: State = [start_response, False, self.configuration, environ.get("PATH_INFO", ""), None]
        starts = ready.starts(state)
        environ[MARK] = state
        try:
            return self.app(environ, starts)
        except Exception as error:
            if self._is_raised_on(environ):
                note(error)
                raise
            return _then_raise(_plain(starts, 500, "Internal Server Error", sys.exc_info()), error)

    def _is_raised_on(self, environ: Environ) -> bool:
        """Tell whether a crash is asked for: by werkzeug's debugger, or by Flask's configuration."""
        config: object = getattr(getattr(self.app, "__self__", None), "config", None)
        known: Mapping[str, Any] = cast("Mapping[str, Any]", config) if isinstance(config, Mapping) else {}
        asked = any(known.get(key) for key in ("PROPAGATE_EXCEPTIONS", "TESTING", "DEBUG"))
        return asked or "werkzeug.debug.preserve_context" in environ


def scope_of(environ: Environ) -> Scope:
    """Build an ASGI-shaped scope of an environ; the environ itself is its `wsgi.environ`."""
    headers = [(key[5:].replace("_", "-").lower(), value) for key, value in environ.items() if key.startswith("HTTP_")]
    names = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
    port = str(environ.get("SERVER_PORT") or "")
    headers += [(name, environ[key]) for key, name in names.items() if environ.get(key)]
    root = _decoded(environ.get("SCRIPT_NAME", "")).rstrip("/")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "root_path": root,
        "path": root + _routed(environ),
        "query_string": (environ.get("QUERY_STRING") or "").encode("latin-1", "replace"),
        "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers],
        "server": (environ.get("SERVER_NAME", ""), int(port) if port.isdecimal() else None),
        "client": (environ.get("REMOTE_ADDR", ""), 0),
        "wsgi.environ": environ,
    }


def _routed(environ: Environ) -> str:
    """Give the path that the app's router sees; an empty one is its root."""
    return _decoded(environ.get("PATH_INFO", "")) or "/"


def _decoded(path: str) -> str:
    """Read a path as PEP 3333 hands it over: bytes of UTF-8, one to a character."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


class _Ready(NamedTuple):
    """A decision made ready for WSGI."""

    policy: Policy
    decision: Decision
    tail: WSGIHeaders

    @classmethod
    def of(cls, judgement: Judgement) -> _Ready:
        decision = judgement.decision
        vary = ((VARY, b", ".join(decision.vary)),) if decision.vary else ()
        return cls(judgement.policy, decision, _as_text((*decision.headers, *vary)))

    def starts(self, state: State) -> StartResponse:
        """Wrap a `start_response`, so that the fields are put in, at a second call with `exc_info` too."""

        def start(status: str, headers: WSGIHeaders, exc_info: Any = None) -> Callable[[bytes], object]:
            state[STARTED] = True
            watched = [header for header in headers if header[0].lower() in _WATCHED]
            if watched or state[INNER]:
                headers = [*(header for header in headers if header not in watched), *self._merged(state, watched)]
            else:
                headers = [*headers, *self.tail]
            return state[NEXT](status, headers, exc_info) if exc_info else state[NEXT](status, headers)  # type: ignore[no-any-return]

        return start

    def _merged(self, state: State, watched: WSGIHeaders) -> WSGIHeaders:
        own = [(name.encode(), value.encode("latin-1", "replace")) for name, value in watched]
        sent = restricted(self.decision.headers, self.decision.vary, state[INNER] or ())
        return _as_text(merge(own, *sent, replaced=lambda name: warn_replaced(name, self.policy, state[REQUEST])))


def _as_text(fields: Iterable[tuple[bytes, bytes]]) -> WSGIHeaders:
    return [(name.decode(), value.decode("latin-1")) for name, value in fields]


def _plain(starts: StartResponse, status: int, text: str, exc_info: object = None) -> list[bytes]:
    body = text.encode()
    headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body)))]
    if status == 204:  # noqa: PLR2004 - which has no content (RFC 9110, 15.3.5)
        headers = []
    starts(_PHRASES[status], headers, exc_info)
    return [body]


def _then_raise(body: list[bytes], error: Exception) -> Iterator[bytes]:
    """Give the body of an answered crash, then let the server have the exception."""
    yield from body
    raise error
