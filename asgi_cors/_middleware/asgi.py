"""CORSMiddleware, for ASGI apps.

A preflight never reaches the app. Of every other response, only the start is changed, on a copy. Decisions are cached,
so that most requests cost a scan of their headers and one look-up. `__call__` and its two synchronous helpers are the
hot path. `_serve_uncached` serves the rest. `decide` states the rules for both.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from operator import length_hint
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Never, Unpack

from asgi_cors._configuration.cache import MAX_LINES
from asgi_cors._configuration.configuration import Configuration, MiddlewareOptions
from asgi_cors._configuration.log import logger
from asgi_cors._configuration.lookup import drive
from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._decision.request import PREFLIGHT_HEADERS
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
    from collections.abc import Awaitable, Callable, Hashable

    from asgi_cors._configuration.cache import ResponseCache
    from asgi_cors._configuration.evaluation import Evaluation
    from asgi_cors._http import ASGIApp, Headers, Receive, Scope, Send
    from asgi_cors._policy.policy import Policy

    from .base import ResponseState

    Response = tuple[int, list[tuple[bytes, bytes]], bytes]
    Start = Callable[[ResponseState, Any], Awaitable[None]]

# By the length of a name, whether it can be a header that a preflight's response depends on.
_PREFLIGHT_NAME_LENGTHS: Final = tuple(map({*map(len, PREFLIGHT_HEADERS)}.__contains__, range(256)))
_REPEATED: Final = object()  # in place of the value of a repeated header: such a request is never cached
_STARLETTE_METHODS: Final = (
    *("is_allowed_origin", "allow_explicit_origin", "preflight_response", "simple_response", "send"),
)


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
            `on_decision` (called with each decision and its scope).

    Raises:
        ConfigError: With every mistake found, before any request is served.
    """

    interface = "ASGI"

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
        configuration, method, start = self.configuration, scope["method"], None  # an app may overwrite its scope
        cache = configuration.asgi_cache or configuration.find_cache(scope)
        if cache is None:
            return await self._pass_through(scope, receive, send)
        if method == "OPTIONS":
            start = _cached_preflight(cache, scope)
        elif SCOPE_KEY not in scope:
            start = cache.any_origin or _cached_response(cache, scope)
        if type(start) is not FunctionType:
            if type(start) is tuple:  # the middleware's own response
                status, headers, body = start
                await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
                await send({"type": "http.response.body", "body": body, "more_body": False})
                return None
            start = await self._serve_uncached(scope, receive, send, cache, start)
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
        self, scope: Scope, receive: Receive, send: Send, cache: ResponseCache, found: Any
    ) -> Start | None:
        """Serve a request whose response start is not cached.

        Args:
            scope: The request.
            receive: The server's.
            send: The server's.
            cache: The cache of the policy that serves the request.
            found: An evaluation to be driven; None if it has not begun.

        Returns:
            The function that sends the response start; None if the response is complete.
        """
        configuration, outer = self.configuration, scope.get(SCOPE_KEY)
        if outer is not None and outer[CONFIGURATION] is configuration:
            await self.app(scope, receive, send)
            return None
        configuration.root_path = scope.get("root_path", "")
        evaluation: Evaluation = await drive(found or cache.evaluate(scope))
        decision = evaluation.decision
        if evaluation.passes_through:
            await self._pass_through(scope, receive, send, decision.vary)
            return None
        if outer is not None:
            report_nested(outer, configuration, scope, outer[SCOPE]["path"], decision)
        if evaluation.response is not None:
            response = build_response(*evaluation.response, decision)
            _store(evaluation, response, scope)
            await _send_response(response, evaluation.request.method, send)
        elif outer is not None:
            await self.app(scope, receive, send)
        else:
            start = make_send(evaluation.policy, decision)
            _store(evaluation, start, scope)
            return start
        return None

    async def _pass_through(self, scope: Scope, receive: Receive, send: Send, vary: tuple[bytes, ...] = ()) -> None:
        """Leave a response to the app, except for Vary. If a view with a policy runs after all, grant nothing."""
        configuration = self.configuration
        if not vary and configuration.evaluator.rules.view_of is None:
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
            await _send_response(_ERROR_RESPONSE, method, MethodType(start, state))
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
        evaluation = await drive(self._verify_view(scope, predicted, key, state))
        return build_response(*evaluation.response, evaluation.decision) if evaluation and evaluation.response else None

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a lifespan, or a handshake: browsers apply no CORS to it (Fetch, 4.12; RFC 6455, 10.2)."""
        configuration = self.configuration
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


# -- the cache


def _cached_response(cache: ResponseCache, scope: Scope) -> Any:
    """Find the cached response of an actual request.

    Returns:
        The function that sends the response start, or what `_serve_uncached` needs in place of it.
    """
    origin = None
    for name, value in scope["headers"]:
        if name == b"origin":
            if origin is not None:
                return None
            origin = value
    try:
        start, log_after, condition = cache.actual[origin]
    except KeyError:
        return None
    if start is None:
        found = cache.check(condition, cache.actual, origin, scope)
        return (*found[:2], b"") if isinstance(found, tuple) and scope["method"] == "HEAD" else found
    return None if log_after and cache.clock() >= log_after else start


def _cached_preflight(cache: ResponseCache, scope: Scope) -> Any:
    """Find the cached response of a preflight; None if it isn't cached, or is not a preflight."""
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
        key = origin, method, names, private
        response, log_after, condition = cache.preflight[key]
    except LookupError:  # not cached, or a name is longer than any that counts
        return None
    if response is None:
        return cache.check(condition, cache.preflight, key, scope)
    return None if log_after and cache.clock() >= log_after else response


def _store(evaluation: Evaluation, response: Start | Response, scope: Scope) -> None:
    """Store a response for identical requests."""
    if evaluation.cacheable and _has_plain_names(scope):
        request = evaluation.request
        key: Any = request.origin
        if request.is_preflight:
            private = b"true" if request.private_network else None
            key = request.origin, request.requested_method, request.requested_headers, private
        evaluation.evaluator.asgi.for_policy(evaluation.policy).store(evaluation, key, response, scope)


def _has_plain_names(scope: Scope) -> bool:
    """Return whether all header names are in lower case, as ASGI requires. The cache finds no others."""
    if length_hint(scope["headers"]) > MAX_LINES:
        return False
    names = b"".join([name for name, _ in scope["headers"]])
    return names == names.lower()


# -- the response


def build_response(status: int, text: str, decision: Decision) -> Response:
    """Return status, headers and body of a response of the middleware's own."""
    body = text.encode()
    headers: Headers = ()
    if status != 204:  # noqa: PLR2004 - it has no content (RFC 9110, 15.3.5)
        headers += ((b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)))
    if status == 403:  # noqa: PLR2004 - it depends on more than Vary names
        headers += ((b"cache-control", b"no-store"),)
    return status, [*headers, *_policy_headers(decision)], body


def make_send(policy: Policy, decision: Decision) -> Start:
    """Return the function that adds a decision's headers to a response start.

    It replaces `send` once it is bound to the response state by `MethodType`, which costs less than a closure for each
    request.
    """
    policy_headers, name_lengths, names = _policy_headers(decision), CORS_NAME_LENGTHS, CORS_AND_VARY

    def start(state: ResponseState, message: dict[str, Any]) -> Awaitable[None]:
        """Replace `send`, once bound to a state."""
        if message["type"] == "http.response.start":
            state[STARTED] = True
            try:
                own = message["headers"]
                headers = own + policy_headers if state[INNER_DECISIONS] is None else merged(state, own)
                for name, _ in own:
                    if name_lengths[len(name)] and name.lower() in names:
                        headers = merged(state, own)
                        break
            except (LookupError, TypeError):  # no headers, not a list, or a very long name
                headers = merged(state, [*message.get("headers", ())])
            message = message.copy()  # the app may use its own again
            message["headers"] = headers
        return state[SEND](message)  # type: ignore[no-any-return]

    def merged(state: ResponseState, headers: list[Any]) -> list[Any]:
        sent = intersect_with_inner(state, decision)
        warn, path = state[CONFIGURATION].log.warn_overridden, state[SCOPE]["path"]
        return merge_headers(headers, sent.headers, sent.vary, on_override=lambda name: warn(name, policy, path))

    return _as_coroutine_function(start)


def make_pass_through_send(vary: tuple[bytes, ...]) -> Start:
    """Return the function that leaves a response to the app, except for Vary.

    If a view with a policy ran, the prediction was wrong. Both must allow, so nothing is granted.
    """

    def start(state: ResponseState, message: dict[str, Any]) -> Awaitable[None]:
        """Replace `send`, once bound to a state."""
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ())]
            if state[INNER_DECISIONS]:
                sent = intersect_with_inner(state, Decision(Outcome.NOT_CORS, vary=vary))
                headers = merge_headers(headers, (), sent.vary, on_override=lambda _: None)
            else:
                headers = add_vary(headers, vary)
            message = {**message, "headers": headers}
        return state[SEND](message)  # type: ignore[no-any-return]

    return _as_coroutine_function(start)


def _policy_headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    vary = ((VARY, b", ".join(decision.vary)),) if decision.vary else ()
    return [*decision.headers, *vary]


def _as_coroutine_function(start: Start) -> Start:
    """Declare a function that returns an awaitable as one: asgiref's AsyncToSync warns of others."""
    if sys.version_info >= (3, 12):  # pragma: no cover - one of the two on each version
        return inspect.markcoroutinefunction(start)
    marker = getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)  # pragma: no cover - the other
    setattr(start, "_is_coroutine", marker)  # noqa: B010  # pragma: no cover
    return start  # pragma: no cover


async def _send_response(response: Response, method: str, send: Send) -> None:
    """Send a response of the middleware's own. On HEAD the body is left out, its length not (RFC 9110, 9.3.2)."""
    status, headers, body = response
    if method == "HEAD":
        body = b""
    await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
    # ASGI makes `more_body` optional, but Quart's test client requires it.
    await send({"type": "http.response.body", "body": body, "more_body": False})


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


_ERROR_RESPONSE: Final = build_response(500, "Internal Server Error", Decision(Outcome.NOT_CORS))
