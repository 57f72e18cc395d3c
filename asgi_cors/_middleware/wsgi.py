"""WSGIMiddleware, for WSGI apps (PEP 3333): Flask, and also Django, Pyramid and Bottle.

The decision is the same as under ASGI, for a scope that is built from environ. A wrapped `start_response` adds the
headers. The iterable, its `close()` and `wsgi.file_wrapper` are unchanged if the app has called `start_response` before
it returns. Otherwise the iterable is wrapped, because it may still raise before the response starts. Decisions are
cached. `__call__` and its two helpers are the hot path, and `_serve_uncached` serves the rest.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Never, Unpack, cast

from asgi_cors._configuration.configuration import Configuration, MiddlewareOptions
from asgi_cors._configuration.lookup import drive_blocking
from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._http import VARY

from .base import (
    CONFIGURATION,
    INNER_DECISIONS,
    PASSED_THROUGH,
    SCOPE,
    SCOPE_KEY,
    SEND,
    STARTED,
    BaseMiddleware,
    add_cors_note,
    intersect_with_inner,
    report_nested,
)
from .headers import CORS_AND_VARY, CORS_NAME_LENGTHS, add_vary, merge_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from asgi_cors._configuration.cache import BoundedCache, ResponseCache
    from asgi_cors._configuration.evaluation import Evaluation
    from asgi_cors._http import Environ, Scope, StartResponse, WSGIApp, WSGIHeaders
    from asgi_cors._policy.policy import Policy

    from .base import ResponseState

    Response = tuple[str, WSGIHeaders, bytes]
    Start = Callable[..., Callable[[bytes], object]]  # of a response state, and the arguments of `start_response`

_PHRASES: Final = {200: "200 OK", 204: "204 No Content", 403: "403 Forbidden", 500: "500 Internal Server Error"}
_CORS_AND_VARY: Final = frozenset(name.decode() for name in CORS_AND_VARY)


class WSGIMiddleware(BaseMiddleware):
    """Apply one policy to a WSGI app.

    Args:
        app: The app.
        policy: The base policy; else its options are given as keywords.
        options: As those of `CORSMiddleware`. Callables get an ASGI-shaped scope built from environ.

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

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        configuration, start = self.configuration, None
        method = environ["REQUEST_METHOD"]  # an app may overwrite it
        outer = _outer_state(environ)
        if outer is not None and outer[CONFIGURATION] is configuration:
            return self.app(environ, start_response)
        cache = configuration.wsgi_cache or _find_cache(configuration, environ)
        if cache is None:
            return self._pass_through(environ, start_response)
        if outer is None:
            start = _cached_preflight(cache, environ) if method == "OPTIONS" else _cached_response(cache, environ)
        if type(start) is not FunctionType:
            start = self._serve_uncached(environ, start_response, cache, start)
            if type(start) is not FunctionType:
                return cast("Iterable[bytes]", start)
        environ[SCOPE_KEY] = state = [start_response, False, configuration, environ.get("PATH_INFO", ""), None]
        try:
            body = self.app(environ, MethodType(start, state))
        except Exception as error:
            if self.propagates_exceptions(environ):
                add_cors_note(error)
                raise
            return _then_raise(_send_error_response(method, MethodType(start, state), state), error)
        if state[STARTED] or isinstance(body, (list, tuple)):
            return body
        send_error = functools.partial(_send_error_response, method, MethodType(start, state), state)
        return _Unstarted(body, state, send_error, functools.partial(self.propagates_exceptions, environ))

    def _serve_uncached(self, environ: Environ, start_response: StartResponse, cache: ResponseCache, found: Any) -> Any:
        """Serve a request whose response start is not cached; see `CORSMiddleware`.

        Returns:
            The function that starts the response; else the body.
        """
        if isinstance(found, tuple):
            return _send_response(found, environ["REQUEST_METHOD"], start_response)
        configuration, outer, scope = self.configuration, _outer_state(environ), scope_of(environ)
        configuration.root_path = scope["root_path"]
        evaluation: Evaluation = drive_blocking(found or cache.evaluate(scope))
        decision = evaluation.decision
        if evaluation.passes_through:
            return self._pass_through(environ, start_response, decision.vary)
        if outer is not None:
            report_nested(outer, configuration, scope, scope["path"], decision)
        if evaluation.response is not None:
            response = build_response(*evaluation.response, decision)
            _store(evaluation, response, environ, scope)
            return _send_response(response, evaluation.request.method, start_response)
        if outer is not None:
            return self.app(environ, start_response)
        start = make_start_response(evaluation.policy, decision)
        _store(evaluation, start, environ, scope)
        return start

    def _pass_through(
        self, environ: Environ, start_response: StartResponse, vary: tuple[bytes, ...] = ()
    ) -> Iterable[bytes]:
        """Leave a response to the app, except for Vary. If a view with a policy runs after all, grant nothing."""
        configuration = self.configuration
        if not vary and configuration.evaluator.rules.view_of is None:
            return self.app(environ, start_response)
        environ[PASSED_THROUGH] = state = [start_response, False, configuration, environ.get("PATH_INFO", ""), None]
        return self.app(environ, MethodType(make_pass_through_start_response(vary), state))

    def verify_view(self, environ: Environ, predicted: Hashable | None, key: Hashable | None) -> Response | None:
        """Compare the view that runs with the one that `view_of` predicted; see `CORSMiddleware.verify_view`."""
        state = environ.get(SCOPE_KEY) or environ.get(PASSED_THROUGH)
        evaluation = drive_blocking(self._verify_view(scope_of(environ), predicted, key, state))
        return build_response(*evaluation.response, evaluation.decision) if evaluation and evaluation.response else None

    def propagates_exceptions(self, environ: Environ) -> bool:
        """Return whether the app's exceptions are raised, for werkzeug's debugger or by Flask's config."""
        config: object = getattr(getattr(self.app, "__self__", None), "config", None)
        values: Mapping[str, Any] = cast("Mapping[str, Any]", config) if isinstance(config, Mapping) else {}
        is_configured = any(values.get(key) for key in ("PROPAGATE_EXCEPTIONS", "TESTING", "DEBUG"))
        return is_configured or "werkzeug.debug.preserve_context" in environ


def _outer_state(environ: Environ) -> ResponseState | None:
    """Return the response state of an outer middleware."""
    state: ResponseState | None = environ.get(SCOPE_KEY)
    return None if state is None or state[STARTED] else state  # else of an earlier request with the same environ


def scope_of(environ: Environ) -> Scope:
    """Return an ASGI-shaped scope for an environ. Its `wsgi.environ` is the environ itself."""
    headers = [(_name(key[5:]), _bytes(value)) for key, value in environ.items() if key[:5] == "HTTP_"]
    headers += [(_name(key), _bytes(environ[key])) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    port = str(environ.get("SERVER_PORT") or "")
    root = _decode_path(environ.get("SCRIPT_NAME", "")).rstrip("/")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "root_path": root,
        "path": root + _route_path(environ),
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


def _route_path(environ: Environ) -> str:
    """Return the path that the app's router sees: with its slash, which servers leave out after a SCRIPT_NAME."""
    path = _decode_path(environ.get("PATH_INFO", ""))
    return path if path[:1] == "/" else f"/{path}"


def _decode_path(path: str) -> str:
    """Decode a path of PEP 3333, which has one character for each byte of UTF-8."""
    if path.isascii():
        return path
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


# -- the cache


def _find_cache(configuration: Configuration, environ: Environ) -> ResponseCache | None:
    """Return the cache of the policy that serves an environ; see `Configuration.find_cache`."""
    configuration.call_before_request()
    caches = configuration.evaluator.wsgi
    if caches.depends_on_view:
        return caches.for_scope(scope_of(environ))
    return caches.for_path(_route_path(environ))


def _cached_response(cache: ResponseCache, environ: Environ) -> Any:
    """Find the cached response of an actual request; see `_cached_response` of ASGI."""
    if cache.any_origin is not None:
        return cache.any_origin
    return _find(cache, cache.actual, environ.get("HTTP_ORIGIN"), environ)


def _cached_preflight(cache: ResponseCache, environ: Environ) -> Any:
    """Find the cached response of a preflight; send it."""
    return _find(cache, cache.preflight, _preflight_key(environ), environ)


def _find(cache: ResponseCache, responses: BoundedCache, key: Hashable, environ: Environ) -> Any:
    try:
        response, log_after, condition = responses[key]
    except KeyError:
        return None
    if response is None:
        return cache.check(condition, responses, key, environ, scope_of)
    return None if log_after and cache.clock() >= log_after else response


def _preflight_key(environ: Environ) -> tuple[str | None, ...]:
    """Return the headers on which a preflight's response depends."""
    get = environ.get
    return (
        get("HTTP_ORIGIN"),
        get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"),
        get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS"),
        get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK"),
    )


def _store(evaluation: Evaluation, response: Start | Response, environ: Environ, scope: Scope) -> None:
    """Store a response for identical requests."""
    if evaluation.cacheable:
        key = _preflight_key(environ) if evaluation.request.is_preflight else environ.get("HTTP_ORIGIN")
        evaluation.evaluator.wsgi.for_policy(evaluation.policy).store(evaluation, key, response, scope)


# -- the response


def build_response(status: int, text: str, decision: Decision) -> Response:
    """Return status, headers and body of a response of the middleware's own."""
    headers = [] if status == 204 else _content_headers(text)  # noqa: PLR2004 - it has no content (RFC 9110, 15.3.5)
    headers += [("cache-control", "no-store")] if status == 403 else []  # noqa: PLR2004 - it depends on more than Vary names
    return _PHRASES[status], [*headers, *_policy_headers(decision)], text.encode()


def make_start_response(policy: Policy, decision: Decision) -> Start:
    """Return the function that adds a decision's headers to a response start, also if it is called with `exc_info`.

    It replaces `start_response` once it is bound to the response state by `MethodType`, as `make_send` of ASGI.
    """
    policy_headers = _policy_headers(decision)

    def start(
        state: ResponseState, status: str, headers: WSGIHeaders, exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Replace `start_response`, once bound to a state."""
        state[STARTED] = True
        try:
            sent = headers + policy_headers if state[INNER_DECISIONS] is None else merged(state, headers)
            for name, _ in headers:
                if CORS_NAME_LENGTHS[len(name)] and name.lower() in _CORS_AND_VARY:
                    sent = merged(state, headers)
                    break
        except (LookupError, TypeError):  # a very long name, or not a list
            sent = merged(state, [*headers])
        return state[SEND](status, sent, exc_info) if exc_info else state[SEND](status, sent)  # type: ignore[no-any-return]

    def merged(state: ResponseState, headers: WSGIHeaders) -> WSGIHeaders:
        others = [header for header in headers if header[0].lower() not in _CORS_AND_VARY]
        own = [header for header in headers if header[0].lower() in _CORS_AND_VARY]
        sent = intersect_with_inner(state, decision)
        warn, path = state[CONFIGURATION].log.warn_overridden, _decode_path(state[SCOPE])
        merged = merge_headers(
            _as_bytes(own), sent.headers, sent.vary, on_override=lambda name: warn(name, policy, path)
        )
        return [*others, *_as_text(merged)]

    return start


def make_pass_through_start_response(vary: tuple[bytes, ...]) -> Start:
    """Return the function that leaves a response to the app, except for Vary; see `make_pass_through_send` of ASGI."""

    def start(
        state: ResponseState, status: str, headers: WSGIHeaders, exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Replace `start_response`, once bound to a state."""
        if state[INNER_DECISIONS]:
            sent = intersect_with_inner(state, Decision(Outcome.NOT_CORS, vary=vary))
            headers = _as_text(merge_headers(_as_bytes(headers), (), sent.vary, on_override=lambda _: None))
        elif vary:
            headers = _as_text(add_vary(_as_bytes(headers), vary))
        return state[SEND](status, headers, exc_info) if exc_info else state[SEND](status, headers)  # type: ignore[no-any-return]

    return start


def _policy_headers(decision: Decision) -> WSGIHeaders:
    vary = ((VARY, b", ".join(decision.vary)),) if decision.vary else ()
    return _as_text((*decision.headers, *vary))


def _as_text(headers: Iterable[tuple[bytes, bytes]]) -> WSGIHeaders:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _as_bytes(headers: WSGIHeaders) -> list[tuple[bytes, bytes]]:
    return [(_bytes(name), _bytes(value)) for name, value in headers]


def _content_headers(text: str) -> WSGIHeaders:
    return [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text.encode())))]


def _send_response(response: Response, method: str, start_response: StartResponse) -> list[bytes]:
    """Send a response of the middleware's own."""
    status, headers, body = response
    start_response(status, headers.copy())  # the server may change its list (PEP 3333)
    return [_body(method, body)]


def _body(method: str, body: bytes) -> bytes:
    """Return the body of a response of the middleware's own: none on HEAD (RFC 9110, 9.3.2)."""
    return b"" if method == "HEAD" else body


def _send_error_response(method: str, start_response: StartResponse, state: ResponseState) -> bytes:
    """Start the 500 for an app that raised, which the page can read, and return its body."""
    text = "Internal Server Error"
    # `exc_info` replaces a response that has been started. Without one it means nothing, and uWSGI drops the body.
    replacing = (sys.exc_info(),) if state[STARTED] else ()
    write = start_response(_PHRASES[500], _content_headers(text), *replacing)
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
        send_error: Starts the 500, and returns its body.
        propagates: Returns whether the app's exceptions are raised.
    """

    def __init__(
        self,
        body: Iterable[bytes],
        state: ResponseState,
        send_error: Callable[[], bytes],
        propagates: Callable[[], bool],
    ) -> None:
        self._body, self._state = body, state
        self._send_error, self._propagates = send_error, propagates

    def __iter__(self) -> Iterator[bytes]:
        """Yield the app's body. If it raises before any of it is sent, yield the body of a 500."""
        is_sent = False
        try:
            for piece in self._body:
                yield piece
                is_sent = is_sent or bool(piece)
        except Exception as error:
            if is_sent:
                raise
            if self._propagates():
                add_cors_note(error)
                raise
            yield self._send_error()
            raise

    def close(self) -> None:
        """Close the app's iterable, if it can be closed (PEP 3333)."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
