"""WSGIMiddleware, for WSGI apps (PEP 3333): Flask, and also Django, Pyramid and Bottle.

The decision is the same as under ASGI, for a scope that is built from environ. A wrapped `start_response` adds the
headers. The iterable, its `close()` and `wsgi.file_wrapper` are unchanged if the app has called `start_response` before
it returns. Otherwise the iterable is wrapped, because it may still raise before the response starts. Decisions are
cached, as under ASGI: `__call__` is the hot path, and `_decided` serves the rest. Figures: CPython 3.11, per request.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, Never, Unpack, cast

from asgi_cors._configuration.cache import LONGEST
from asgi_cors._configuration.configuration import Configuration
from asgi_cors._configuration.evaluation import MiddlewareOptions
from asgi_cors._configuration.log import SAME_ORIGIN
from asgi_cors._configuration.lookup import drive_blocking
from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._decision.request import read_request
from asgi_cors._http import VARY

from .base import Installed
from .headers import MAYBE_WATCHED, WATCHED, add_vary, merge
from .mark import (
    CONFIGURATION,
    INNER,
    MARK,
    NEXT,
    PASSED_THROUGH,
    REQUEST,
    STARTED,
    add_inner_decision,
    intersect_with_inner,
    note,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from asgi_cors._configuration.cache import Tables
    from asgi_cors._configuration.configuration import Judgement
    from asgi_cors._decision.request import Request
    from asgi_cors._http import Environ, Scope, StartResponse, WSGIApp, WSGIHeaders
    from asgi_cors._policy.policy import Policy

    from .mark import State

    Answer = tuple[str, WSGIHeaders, bytes]
    Start = Callable[..., Callable[[bytes], object]]  # of a state, and what `start_response` takes

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

    interface = "WSGI"

    def __init__(
        self,
        app: WSGIApp,
        policy: Policy | Configuration | None = None,
        *arguments: Never,
        **options: Unpack[MiddlewareOptions],
    ) -> None:
        """Validate and compile; see the class."""
        super().__init__(app, policy, arguments, options)
        self.app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:  # noqa: C901, PLR0912 - flat, see above
        """Serve one request."""
        configuration, outer, start = self.configuration, environ.get(MARK), None
        if configuration.before_request is not None:
            configuration.before_request()
        method = environ["REQUEST_METHOD"]  # an app may overwrite it
        if outer is not None and outer[STARTED]:
            outer = None  # of an earlier request, whose environ is used again
        if outer is None:
            tables = configuration.tables or _tables(configuration, environ)
            if tables is None:
                return self._pass_through(configuration, environ, start_response)
            if method == "OPTIONS":
                answer = _known_answer(configuration, tables, environ)
                if answer is not None:
                    return _send(answer, start_response)
            else:
                start, level, until = tables.wsgi.get(environ.get("HTTP_ORIGIN"), _UNKNOWN)
                if level and configuration.log.is_due(level, until, {}):
                    start = None
        elif outer[CONFIGURATION] is configuration:
            return self.app(environ, start_response)
        if start is None:
            start, body = self._decided(configuration, environ, start_response, outer)
            if start is None:
                return body
        state: State = [start_response, False, configuration, environ.get("PATH_INFO", ""), None]
        environ[MARK] = state
        try:
            body = self.app(environ, MethodType(start, state))
        except Exception as error:
            if self.propagates_exceptions(environ):
                note(error)
                raise
            return _then_raise(_crashed(method, MethodType(start, state), state), error)
        if state[STARTED] or isinstance(body, (list, tuple)):
            return body
        crashed = functools.partial(_crashed, method, MethodType(start, state), state)
        return _Unstarted(body, state, crashed, functools.partial(self.propagates_exceptions, environ))

    def _decided(
        self, configuration: Configuration, environ: Environ, start_response: StartResponse, outer: State | None
    ) -> tuple[Start | None, Iterable[bytes]]:
        """Decide what has not been decided before; None and the body where nothing is left to do."""
        scope = scope_of(environ)
        request = read_request(scope)
        judgement = drive_blocking(configuration.judge(scope, request))
        if judgement.passes_through:
            return None, self._pass_through(configuration, environ, start_response, judgement.decision.vary)
        if outer is not None:
            configuration.log.warn_nested(scope, outer)
            add_inner_decision(outer, judgement.decision)
        if judgement.answer is not None:
            status, headers, text = _kept_answer(judgement, environ, request)
            return None, _send((status, headers, _body(request.method, text)), start_response)
        if outer is not None:
            return None, self.app(environ, start_response)
        return _kept_start(judgement, environ), ()

    def _pass_through(
        self,
        configuration: Configuration,
        environ: Environ,
        start_response: StartResponse,
        vary: tuple[bytes, ...] = (),
    ) -> Iterable[bytes]:
        """Leave a response to the app, except for Vary. If a view with a policy runs after all, grant nothing."""
        if not vary and configuration.settings.rules.view_of is None:
            return self.app(environ, start_response)
        environ[PASSED_THROUGH] = state = [start_response, False, configuration, environ.get("PATH_INFO", ""), None]
        return self.app(environ, MethodType(make_pass_through(vary), state))

    def verify_view(self, environ: Environ, predicted: Hashable | None, key: Hashable | None) -> Answer | None:
        """Compare the view that runs with the one that `view_of` predicted; see `CORSMiddleware.verify_view`."""
        state, scope = environ.get(MARK) or environ.get(PASSED_THROUGH), scope_of(environ)
        judgement = drive_blocking(self.configuration.verify_view(scope, predicted, key, state))
        return answered(judgement) if judgement and judgement.answer else None

    def propagates_exceptions(self, environ: Environ) -> bool:
        """Return True if the app's exceptions are to be raised: werkzeug's debugger or Flask's config wants them."""
        config: object = getattr(getattr(self.app, "__self__", None), "config", None)
        known: Mapping[str, Any] = cast("Mapping[str, Any]", config) if isinstance(config, Mapping) else {}
        asked = any(known.get(key) for key in ("PROPAGATE_EXCEPTIONS", "TESTING", "DEBUG"))
        return asked or "werkzeug.debug.preserve_context" in environ


def scope_of(environ: Environ) -> Scope:
    """Build an ASGI-shaped scope of an environ; the environ itself is its `wsgi.environ`."""
    headers = [(_name(key[5:]), _bytes(value)) for key, value in environ.items() if key[:5] == "HTTP_"]
    headers += [(_name(key), _bytes(environ[key])) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    port = str(environ.get("SERVER_PORT") or "")
    root = _decoded(environ.get("SCRIPT_NAME", "")).rstrip("/")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "root_path": root,
        "path": root + _routed(environ),
        "query_string": _bytes(environ.get("QUERY_STRING") or ""),
        "headers": headers,
        "server": (environ.get("SERVER_NAME", ""), int(port) if port.isdecimal() else None),
        "client": (environ.get("REMOTE_ADDR", ""), 0),
        "wsgi.environ": environ,
    }


@functools.lru_cache(maxsize=256)
def _name(key: str) -> bytes:
    return _bytes(key.replace("_", "-").lower())


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _routed(environ: Environ) -> str:
    """Give the path that the app's router sees: with its slash, which servers leave out behind a SCRIPT_NAME."""
    path = _decoded(environ.get("PATH_INFO", ""))
    return path if path[:1] == "/" else f"/{path}"


def _decoded(path: str) -> str:
    """Read a path as PEP 3333 hands it over: bytes of UTF-8, one to a character."""
    if path.isascii():  # which asks one bit, and saves two copies of almost every path
        return path
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


# -- what is kept


def _asked(environ: Environ) -> tuple[str | None, ...]:
    """Give what a preflight's answer hangs on."""
    get = environ.get
    return (
        get("HTTP_ORIGIN"),
        get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"),
        get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS"),
        get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK"),
    )


def _tables(configuration: Configuration, environ: Environ) -> Tables | None:
    """Give the tables of the policy that serves an environ; None where it is passed through untouched."""
    if configuration.settings.rules.view_of is None:
        return configuration.tables_at(_routed(environ))
    return configuration.tables_of(scope_of(environ))


def _known_answer(configuration: Configuration, tables: Tables, environ: Environ) -> Answer | None:
    """Give the answer that is kept for an environ; None without one, or where it is to be looked at again."""
    kept = tables.wsgi_answers.get(_asked(environ))
    if kept is None:
        return None
    status, headers, body, level, until = kept
    return None if level and configuration.log.is_due(level, until, {}) else (status, headers, body)


def _kept_answer(judgement: Judgement, environ: Environ, request: Request) -> Answer:
    """Make an answer of a judgement, and keep it for other requests like this."""
    answer, asked = answered(judgement), _asked(environ)
    if not request.oversized and sum(len(value or "") for value in asked) <= LONGEST and judgement.quiet != SAME_ORIGIN:
        judgement.keep(judgement.policy.compiled.tables.wsgi_answers, asked, answer)
    return answer


def _kept_start(judgement: Judgement, environ: Environ) -> Start:
    """Make the function that sends a response start, and keep it for other requests like this."""
    start, origin = starter(judgement), environ.get("HTTP_ORIGIN")
    if len(origin or "") <= LONGEST and judgement.quiet != SAME_ORIGIN:  # which only a scope can tell
        judgement.keep(judgement.policy.compiled.tables.wsgi, origin, (start,))
    return start


# -- what is sent


def answered(judgement: Judgement) -> Answer:
    """Make status, headers and body of a judgement's answer."""
    status, text = judgement.answer or (204, "")
    content = [] if status == 204 else _content(text)  # noqa: PLR2004 - which has none (RFC 9110, 15.3.5)
    content += [("cache-control", "no-store")] if status == 403 else []  # noqa: PLR2004 - a refusal of `enforce`
    return _PHRASES[status], [*content, *_tail(judgement.decision)], text.encode()


def starter(judgement: Judgement) -> Start:
    """Make the function that puts a decision's fields into a response start, at a second call with `exc_info` too.

    It is to be bound to the response's state, which costs 50 ns less than a closure for each; see `_ready.starter`.
    """
    policy, decision = judgement.policy, judgement.decision
    tail = _tail(decision)

    def start(state: State, status: str, headers: WSGIHeaders, exc_info: Any = None) -> Callable[[bytes], object]:
        """Stand in for `start_response`, once bound to a state."""
        state[STARTED] = True
        try:
            sent = headers + tail if state[INNER] is None else merged(state, headers)
            for name, _ in headers:
                if MAYBE_WATCHED[len(name)] and name.lower() in _WATCHED:
                    sent = merged(state, headers)
                    break
        except (LookupError, TypeError):  # an endless name, no list: free where nothing is raised
            sent = merged(state, [*headers])
        return state[NEXT](status, sent, exc_info) if exc_info else state[NEXT](status, sent)  # type: ignore[no-any-return]

    def merged(state: State, headers: WSGIHeaders) -> WSGIHeaders:
        others = [header for header in headers if header[0].lower() not in _WATCHED]
        watched = [header for header in headers if header[0].lower() in _WATCHED]
        own = [(name.encode(), value.encode("latin-1", "replace")) for name, value in watched]
        sent = intersect_with_inner(state, decision)
        warn, path = state[CONFIGURATION].log.warn_overridden, _decoded(state[REQUEST])
        ours = merge(own, sent.headers, sent.vary, replaced=lambda name: warn(name, policy, path))
        return [*others, *_as_text(ours)]

    return start


def make_pass_through(vary: tuple[bytes, ...]) -> Start:
    """Return the function that leaves a response to the app, except for Vary; see `_ready.make_pass_through`."""

    def start(state: State, status: str, headers: WSGIHeaders, exc_info: Any = None) -> Callable[[bytes], object]:
        """Replace `start_response`, once bound to a state."""
        own = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        if state[INNER]:
            sent = intersect_with_inner(state, Decision(Outcome.NOT_CORS, vary=vary))
            headers = _as_text(merge(own, (), sent.vary, replaced=lambda _: None))
        elif vary:
            headers = _as_text(add_vary(own, vary))
        return state[NEXT](status, headers, exc_info) if exc_info else state[NEXT](status, headers)  # type: ignore[no-any-return]

    return start


def _tail(decision: Decision) -> WSGIHeaders:
    vary = ((VARY, b", ".join(decision.vary)),) if decision.vary else ()
    return _as_text((*decision.headers, *vary))


def _as_text(fields: Iterable[tuple[bytes, bytes]]) -> WSGIHeaders:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]


def _content(text: str) -> WSGIHeaders:
    return [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text.encode())))]


def _send(answer: Answer, start_response: StartResponse) -> list[bytes]:
    status, headers, body = answer
    start_response(status, headers.copy())  # which is the server's to change (PEP 3333)
    return [body]


def _body(method: str, text: bytes) -> bytes:
    """Return the body of a response of the middleware's own: none on HEAD (RFC 9110, 9.3.2)."""
    return b"" if method == "HEAD" else text


def _crashed(method: str, start_response: StartResponse, state: State) -> bytes:
    """Start the 500 for a crash, which the page can read, and return its body."""
    text = "Internal Server Error"
    # `exc_info` replaces a response that has been started. Without one it means nothing, and uWSGI drops the body.
    replacing = (sys.exc_info(),) if state[STARTED] else ()
    write = start_response(_PHRASES[500], _content(text), *replacing)
    body = _body(method, text.encode())
    # On HEAD: some servers send the headers with the first non-empty piece only, and the exception would drop them.
    if not body and callable(write):  # some callers in tests return None
        write(body)
    return body


def _then_raise(body: bytes, error: Exception) -> Iterator[bytes]:
    """Yield the body of a crash's 500, then raise the exception for the server."""
    yield body
    raise error


class _Unstarted:
    """The iterable of an app that has not called `start_response` yet, such as a generator.

    Args:
        body: The iterable.
        state: The state of the response.
        crashed: Starts the 500, and returns its body.
        propagates: Returns True if the app's exceptions are to be raised.
    """

    def __init__(
        self, body: Iterable[bytes], state: State, crashed: Callable[[], bytes], propagates: Callable[[], bool]
    ) -> None:
        self._body, self._state = body, state
        self._crashed, self._propagates = crashed, propagates

    def __iter__(self) -> Iterator[bytes]:
        """Yield the app's body; if it raises before any of it is sent, that of a 500."""
        is_sent = False
        try:
            for piece in self._body:
                yield piece
                is_sent = is_sent or bool(piece)
        except Exception as error:
            if is_sent:
                raise
            if self._propagates():
                note(error)
                raise
            yield self._crashed()
            raise

    def close(self) -> None:
        """Close the app's iterable, if it can be closed (PEP 3333)."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
