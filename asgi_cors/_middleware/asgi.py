"""CORSMiddleware, for ASGI apps.

A preflight never reaches the app. Of every other response, only the start is changed, on a copy. Decisions are cached,
so that most requests cost a scan of their headers and one look-up. `__call__`, `_cached_actual` and `_cached_preflight`
are the hot path. `_serve_uncached` serves the rest. `decide` states the rules for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Never, Unpack

from asgi_cors._configuration.cache import READS, UNCACHED
from asgi_cors._configuration.configuration import Configuration, MiddlewareOptions
from asgi_cors._configuration.lookup import drive
from asgi_cors._configuration.refusal_records import logger
from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._decision.request import PREFLIGHT_HEADERS

from .asgi_keys import READER, find_write, has_plain_names, origin_and_host_of, origin_of
from .asgi_response import build_response, make_pass_through_send, make_send, send_response
from .base import PASSED_THROUGH, SCOPE, SCOPE_KEY, STARTED, BaseMiddleware, add_cors_note
from .environ import decode_path

if TYPE_CHECKING:
    from collections.abc import Hashable

    from asgi_cors._configuration.bounded_cache import CachedResponse
    from asgi_cors._configuration.cache import ResponseCache
    from asgi_cors._configuration.evaluation import Evaluation
    from asgi_cors._http import ASGIApp, Message, Receive, Scope, Send
    from asgi_cors._policy.policy import Policy

    from .asgi_response import Response, Start
    from .base import ResponseState

_ERROR_RESPONSE: Final = build_response(500, "Internal Server Error", Decision(Outcome.NOT_CORS))
# By the length of a name, whether it can be a header that a preflight's response depends on.
_PREFLIGHT_NAME_LENGTHS: Final = tuple(map({*map(len, PREFLIGHT_HEADERS)}.__contains__, range(256)))
_REPEATED: Final = object()  # in place of the value of a repeated header: such a request is never cached
_STARLETTE_METHODS: Final = (
    *("is_allowed_origin", "allow_explicit_origin", "preflight_response", "simple_response", "send"),
)


def _store(evaluation: Evaluation, response: Any, scope: Scope) -> None:
    """Store a response for identical requests."""
    if evaluation.cacheable and has_plain_names(scope):
        cache = evaluation.cache or evaluation.evaluator.asgi.for_policy(evaluation.policy)
        cache.store(evaluation, response, scope, READER)


class CORSMiddleware(BaseMiddleware):
    """Apply one policy to an ASGI app.

    Args:
        app: The app.
        policy: The base policy; else its options are given as keywords.
        options: The options of the base policy, and
            `paths` (policies by path: `/exact` or `/prefix/*`; a mapping is merged over the base, None passes through),
            `policy_for` (a callable from scope to Policy, None or NotImplemented, or an awaitable of these),
            `vary` (names of request headers, besides Origin, that `policy_for` looks at),
            `enforce` (send 403 to refused cross-origin requests before the app runs),
            `check_websockets` (refuse handshakes that the policy doesn't allow; default True),
            `allowed_hosts` (send 421 to requests with another Host),
            `report_only` (a policy that is compared with the base policy, but not applied),
            `on_decision` (called with each decision and its scope).

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    interface = "ASGI"
    _build_response = staticmethod(build_response)
    _make_start = staticmethod(make_send)
    _store = staticmethod(_store)

    def __init_subclass__(cls, **options: object) -> None:
        """Refuse a subclass that was made for Starlette's middleware: its methods would never be called.

        Raises:
            TypeError: If it has one of Starlette's methods.
        """
        super().__init_subclass__(**options)
        overridden = [name for name in _STARLETTE_METHODS if hasattr(cls, name)]
        if overridden:
            raise TypeError(
                f"{cls.__name__} overrides {overridden[0]!r} of Starlette's CORSMiddleware, which is never called here."
                " Write CORSMiddleware(app, allow_origins=[callable]), where callable(origin) returns True or False."
            )

    def __init__(
        self,
        app: ASGIApp,
        policy: Policy | Configuration | None = None,
        *arguments: Never,
        **options: Unpack[MiddlewareOptions],
    ) -> None:
        """Validate and compile; see the class."""
        super().__init__(app, policy, arguments, options)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return await self._serve_other(scope, receive, send)
        configuration, method, cached = self.configuration, scope["method"], None  # an app may overwrite its scope
        cache = configuration.asgi_cache or configuration.find_cache(scope)
        if cache is None:
            return await self._pass_through(scope, receive, send)
        if method == "OPTIONS":
            cached = (_checked_preflight if cache.is_checked else _cached_preflight)(cache, scope)
        elif SCOPE_KEY not in scope:
            cached = cache.any_origin or (_checked_actual if cache.is_checked else _cached_actual)(cache, scope)
        start = None if cached is None else cached.response
        if type(start) is not FunctionType:
            if start is not None:  # the middleware's own response
                status, headers, body = start if method != "HEAD" else (*start[:2], b"")
                await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
                await send({"type": "http.response.body", "body": body, "more_body": False})
                return None
            start = await self._serve_uncached(scope, receive, send, cache, cached)
            if start is None:
                return None
        scope[SCOPE_KEY] = state = [send, False, configuration, scope, None]
        try:
            await self.app(scope, receive, MethodType(start, state))
        except Exception as error:
            await self._send_error_response(scope, method, start, state, error)
            raise
        finally:  # break the reference cycle: scope, response state, send, the server's request, scope
            if SCOPE_KEY in scope:
                del scope[SCOPE_KEY]

    async def _serve_uncached(
        self, scope: Scope, receive: Receive, send: Send, cache: ResponseCache, cached: CachedResponse | None
    ) -> Start | None:
        """Serve a request whose response is not cached.

        Args:
            scope: The request.
            receive: The server's.
            send: The server's.
            cache: The cache of the policy that serves the request.
            cached: An item without a response; None if there is none.

        Returns:
            The function that sends the response start; None if the response is complete.
        """
        answer, outer = cached.answer if cached else None, scope.get(SCOPE_KEY)
        path = _path_of(outer) if outer else ""
        response, vary = await drive(self._respond(scope, cache, answer, outer, path))
        if response is None:
            await self._pass_through(scope, receive, send, vary)
        elif isinstance(response, FunctionType):
            return response
        else:
            await send_response(response, scope["method"], send)
        return None

    async def _pass_through(self, scope: Scope, receive: Receive, send: Send, vary: tuple[bytes, ...] = ()) -> None:
        """Leave a response to the app, except for Vary. If a view with a policy runs after all, grant nothing."""
        configuration = self.configuration
        if not vary and (configuration.evaluator.rules.view_of is None or SCOPE_KEY in scope):
            await self.app(scope, receive, send)
            return
        scope[PASSED_THROUGH] = state = [send, False, configuration, scope, None]
        try:
            await self.app(scope, receive, MethodType(make_pass_through_send(vary), state))
        finally:
            scope.pop(PASSED_THROUGH, None)  # a cycle, as in `__call__`

    async def _send_error_response(
        self, scope: Scope, method: str, start: Start, state: ResponseState, error: Exception
    ) -> None:
        """Send a 500 that the page can read, for an app that raised before its response started."""
        if state[STARTED]:
            return
        app = scope.get("app")  # Starlette's; if this middleware is inside of it, that may respond by itself
        is_inside = app is not self.app and getattr(app, "middleware_stack", None) is not self
        handlers: object = getattr(app, "exception_handlers", None)
        has_handler = isinstance(handlers, Mapping) and (500 in handlers or Exception in handlers)  # noqa: PLR2004 - its key
        if is_inside and (has_handler or getattr(app, "debug", False)):
            add_cors_note(error)
            return
        try:
            await send_response(_ERROR_RESPONSE, method, MethodType(start, state))
        except Exception:  # noqa: BLE001 - a client that is gone must not hide the app's exception
            logger.debug("the 500 could not be sent", exc_info=True)

    async def verify_view(self, scope: Scope, predicted: Hashable | None, key: Hashable | None) -> Response | None:
        """Compare the view that runs with the one that `view_of` predicted; for adapters.

        If they differ, the response gets the narrower of both policies, and a warning names both.

        Args:
            scope: The request, which this middleware serves.
            predicted: The key that `view_of` returned for it.
            key: The key of the view that runs.

        Returns:
            Status, headers and body of the response to be sent in place of the view's; None if the view may run.
        """
        state = scope.get(SCOPE_KEY) or scope.get(PASSED_THROUGH)
        response: Response | None = await drive(self._verify_view(scope, predicted, key, state))
        return response

    async def _serve_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a lifespan. The sources of origins start when the app has started, and stop before it does.

        An app opens the connections that its sources use when it starts, and closes them when it stops.
        """
        with ExitStack() as running:

            async def start(message: Message) -> None:
                if message["type"] == "lifespan.startup.complete":
                    running.callback(self.configuration.stop_sources, self.configuration.start_sources())
                await send(message)

            async def stop() -> Message:
                message = await receive()
                if message["type"] == "lifespan.shutdown":
                    running.close()
                return message

            await self.app(scope, stop, start)

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a lifespan, or a handshake: browsers apply no CORS to it (Fetch, 4.12; RFC 6455, 10.2)."""
        configuration = self.configuration
        if scope["type"] == "lifespan":
            await self._serve_lifespan(scope, receive, send)
            return
        if scope["type"] == "websocket":
            configuration.call_before_request()
            evaluator = configuration.evaluator
            if evaluator.checks_handshake(scope):
                configuration.root_path = scope.get("root_path", "")
                evaluation = await drive(evaluator.evaluate(scope))
                if evaluation.response is not None:
                    await _refuse_handshake(*evaluation.response, scope, send)
                    return
        await self.app(scope, receive, send)


def _cached_actual(cache: ResponseCache, scope: Scope) -> CachedResponse | None:
    """Return the cached response of an actual request; else None, or an item without a response."""
    origin = None
    for name, value in scope["headers"]:
        if name == b"origin":
            if origin is not None:
                return None
            origin = value
    try:
        cached = cache.actual[origin]
    except KeyError:
        return None
    if cached.response is None:
        return cache.check(cached, cache.actual, scope, READER)
    if cached.log_after and cache.clock() >= cached.log_after:
        return None
    return cached if not cached.leases or cached.is_current() else None


def _checked_actual(cache: ResponseCache, scope: Scope) -> CachedResponse | None:
    """Check Host and the sender of an actual request, and return its cached response as `_cached_actual` does."""
    responses = cache.actual
    if cache.checks_sender and scope["method"] not in READS:
        responses = cache.writes  # Host is a part of its keys, so each of them has an allowed one
        cached = find_write(responses, scope) if scope["method"] not in UNCACHED else None
    elif cache.hosts is not None:
        origin, host = origin_and_host_of(scope)
        cached = (cache.any_read or responses.get(origin)) if host in cache.hosts else None
    else:
        cached = cache.any_read or responses.get(origin_of(scope))
    if cached is not None and cached.response is None:
        return cache.check(cached, responses, scope, READER)
    if cached is None or (cached.log_after and cache.clock() >= cached.log_after):
        return None
    return cached if not cached.leases or cached.is_current() else None


def _checked_preflight(cache: ResponseCache, scope: Scope) -> CachedResponse | None:
    """Check Host, and return the cached response of a preflight as `_cached_preflight` does."""
    is_allowed = cache.hosts is None or origin_and_host_of(scope)[1] in cache.hosts
    return _cached_preflight(cache, scope) if is_allowed else None


def _cached_preflight(cache: ResponseCache, scope: Scope) -> CachedResponse | None:
    """Return the cached response of a preflight; else None, or an item without a response."""
    origin = method = names = private = None
    name_lengths = _PREFLIGHT_NAME_LENGTHS
    try:
        for name, value in scope["headers"]:
            if name_lengths[len(name)]:
                if name == b"origin":
                    origin = value if origin is None else _REPEATED
                elif name == b"access-control-request-method":
                    method = value if method is None else _REPEATED
                elif name == b"access-control-request-headers":
                    names = value if names is None else _REPEATED
                elif name == b"access-control-request-private-network":
                    private = value if private is None else _REPEATED
        cached = cache.preflight[origin, method, names, private]
    except LookupError:  # not cached, or a name is longer than any that counts
        return None
    if cached.response is None:
        return cache.check(cached, cache.preflight, scope, READER)
    if cached.log_after and cache.clock() >= cached.log_after:
        return None
    return cached if not cached.leases or cached.is_current() else None


def _path_of(outer: ResponseState) -> str:
    """Return the path that an outer middleware got: its scope's, or PATH_INFO if it serves WSGI."""
    scope = outer[SCOPE]
    return decode_path(scope) if isinstance(scope, str) else scope["path"]


async def _refuse_handshake(status: int, text: str, scope: Scope, send: Send) -> None:
    """Refuse a handshake, with the reason if the server can send it (ASGI, "WebSocket Denial Response").

    `websocket.connect` is not awaited: no server requires that, and Quart's test client never sends it.
    """
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    status, headers, body = build_response(status, text, Decision(Outcome.NOT_CORS))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
