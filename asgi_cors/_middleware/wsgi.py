"""WSGIMiddleware, for WSGI apps (PEP 3333): Flask, and also Django, Pyramid and Bottle.

The decision is the same as under ASGI, for a scope that is built from environ. A wrapped `start_response` adds the
headers. The iterable, its `close()` and `wsgi.file_wrapper` are unchanged if the app has called `start_response` before
it returns. Otherwise the iterable is wrapped, because it may still raise before the response starts. Decisions are
cached. `__call__`, `_cached_actual` and `_cached_preflight` are the hot path, and `_serve_uncached` serves the rest.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Never, Unpack, cast

from asgi_cors._configuration.cache import READS, UNCACHED
from asgi_cors._configuration.configuration import Configuration, MiddlewareOptions
from asgi_cors._configuration.lookup import drive_blocking

from .base import CONFIGURATION, PASSED_THROUGH, SCOPE_KEY, STARTED, BaseMiddleware, add_cors_note
from .environ import route_path, scope_of
from .wsgi_keys import READER, host_of, preflight_key, write_key
from .wsgi_response import (
    UnstartedBody,
    build_response,
    make_pass_through_start_response,
    make_start_response,
    send_error_response,
    send_response,
    then_raise,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from asgi_cors._configuration.bounded_cache import BoundedCache, CachedResponse
    from asgi_cors._configuration.cache import ResponseCache
    from asgi_cors._configuration.evaluation import Evaluation
    from asgi_cors._http import Environ, Scope, StartResponse, WSGIApp
    from asgi_cors._policy.policy import Policy

    from .base import ResponseState
    from .wsgi_response import Response, Start


def _store(evaluation: Evaluation, response: Any, scope: Scope) -> None:
    """Store a response for identical requests."""
    if evaluation.cacheable:
        cache = evaluation.cache or evaluation.evaluator.wsgi.for_policy(evaluation.policy)
        cache.store(evaluation, response, scope["wsgi.environ"], READER)


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
    _build_response = staticmethod(build_response)
    _make_start = staticmethod(make_start_response)
    _store = staticmethod(_store)

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
        configuration, cached, start = self.configuration, None, None
        method = environ["REQUEST_METHOD"]  # an app may overwrite it
        outer = _outer_state(environ)
        if outer is not None and outer[CONFIGURATION] is configuration:
            return self.app(environ, start_response)
        cache = configuration.wsgi_cache or _find_cache(configuration, environ)
        if cache is None:
            return self._pass_through(environ, start_response)
        if outer is None:
            cached = _cached_preflight(cache, environ) if method == "OPTIONS" else _cached_actual(cache, environ)
            start = None if cached is None else cached.response
        if type(start) is not FunctionType:
            start, body = self._serve_uncached(environ, start_response, cache, cached)
            if start is None:
                return body
        environ[SCOPE_KEY] = state = [start_response, False, configuration, environ.get("PATH_INFO", ""), None]
        try:
            body = self.app(environ, MethodType(start, state))
        except Exception as error:
            if self.propagates_exceptions(environ):
                add_cors_note(error)
                raise
            return then_raise(send_error_response(method, MethodType(start, state), state), error)
        if state[STARTED] or isinstance(body, (list, tuple)):
            return body
        send_error = functools.partial(send_error_response, method, MethodType(start, state), state)
        return UnstartedBody(body, state, send_error, functools.partial(self.propagates_exceptions, environ))

    def _serve_uncached(
        self, environ: Environ, start_response: StartResponse, cache: ResponseCache, cached: CachedResponse | None
    ) -> tuple[Start | None, Iterable[bytes]]:
        """Serve a request without a cached function that starts the response; see `CORSMiddleware`.

        Returns:
            The function that starts the response; None if it has been started. Then its body.
        """
        if cached is not None and cached.response is not None:
            return None, send_response(cached.response, environ["REQUEST_METHOD"], start_response)
        answer = None if cached is None else cached.answer
        scope, outer = scope_of(environ), _outer_state(environ)
        response, vary = drive_blocking(self._respond(scope, cache, answer, outer, scope["path"]))
        if response is None:
            return None, self._pass_through(environ, start_response, vary)
        if isinstance(response, FunctionType):
            return response, ()
        return None, send_response(response, environ["REQUEST_METHOD"], start_response)

    def _pass_through(
        self, environ: Environ, start_response: StartResponse, vary: tuple[bytes, ...] = ()
    ) -> Iterable[bytes]:
        """Leave a response to the app, except for Vary. If a view with a policy runs after all, grant nothing."""
        configuration = self.configuration
        if not vary and (configuration.evaluator.rules.view_of is None or _outer_state(environ) is not None):
            return self.app(environ, start_response)
        environ[PASSED_THROUGH] = state = [start_response, False, configuration, environ.get("PATH_INFO", ""), None]
        return self.app(environ, MethodType(make_pass_through_start_response(vary), state))

    def verify_view(self, environ: Environ, predicted: Hashable | None, key: Hashable | None) -> Response | None:
        """Compare the view that runs with the one that `view_of` predicted; see `CORSMiddleware.verify_view`."""
        state = environ.get(SCOPE_KEY) or environ.get(PASSED_THROUGH)
        response: Response | None = drive_blocking(self._verify_view(scope_of(environ), predicted, key, state))
        return response

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


def _find_cache(configuration: Configuration, environ: Environ) -> ResponseCache | None:
    """Return the cache of the policy that serves an environ; see `Configuration.find_cache`."""
    configuration.call_before_request()
    evaluator = configuration.evaluator
    if evaluator.wsgi.needs_scope or evaluator.hosts is not None:
        return evaluator.wsgi.for_scope(scope_of(environ))
    return evaluator.wsgi.for_path(route_path(environ))


def _cached_actual(cache: ResponseCache, environ: Environ) -> CachedResponse | None:
    """Return the cached response of an actual request; else None, or an item without a response."""
    if cache.is_checked:
        if cache.hosts is not None and host_of(environ) not in cache.hosts:
            return None
        if cache.checks_sender and (method := environ["REQUEST_METHOD"]) not in READS:
            return None if method in UNCACHED else _find(cache, cache.writes, write_key(environ), environ)
        if cache.any_read is not None:
            return cache.any_read
    return cache.any_origin or _find(cache, cache.actual, environ.get("HTTP_ORIGIN"), environ)


def _cached_preflight(cache: ResponseCache, environ: Environ) -> CachedResponse | None:
    """Return the cached response of a preflight; else None, or an item without a response."""
    if cache.hosts is not None and host_of(environ) not in cache.hosts:
        return None
    return _find(cache, cache.preflight, preflight_key(environ), environ)


def _find(cache: ResponseCache, responses: BoundedCache, key: Hashable, environ: Environ) -> CachedResponse | None:
    cached = responses.get(key)
    if cached is not None and cached.response is None:
        return cache.check(cached, responses, environ, READER)
    if cached is None or (cached.log_after and cache.clock() >= cached.log_after):
        return None
    return cached if not cached.leases or cached.is_current() else None
