"""CORSMiddleware, the shell for ASGI: reads a scope, asks for a decision, and carries it out.

A preflight is answered here, so that the app is never called; of every other response only the start is touched, on
a copy. What has been decided once is kept ready in a table, so that most requests cost a scan of their headers and
one look-up: `__call__` is the hot path, `_decided` the long way, and `decide` the one statement of the rules for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import length_hint
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, Never, Unpack

from asgi_cors._configuration.cache import LONGEST
from asgi_cors._configuration.configuration import MOST_LINES, Configuration
from asgi_cors._configuration.evaluation import MiddlewareOptions
from asgi_cors._configuration.log import logger, root
from asgi_cors._configuration.lookup import drive
from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._decision.request import PREFLIGHT_HEADERS, read_request

from .base import Installed
from .mark import CONFIGURATION, MARK, PASSED_THROUGH, STARTED, add_inner_decision, note
from .ready import answered, make_pass_through, starter
from .websocket import guard

if TYPE_CHECKING:
    from collections.abc import Hashable

    from asgi_cors._configuration.configuration import Judgement
    from asgi_cors._http import ASGIApp, Receive, Scope, Send
    from asgi_cors._policy.policy import Policy

    from .mark import State
    from .ready import Answer, Start

_MAYBE_ASKED: Final = tuple(map({*map(len, PREFLIGHT_HEADERS)}.__contains__, range(256)))  # by the length of a name
# In place of the value of a repeated header: a key that is in no table, so lines are not joined.
_UNCACHED: Final[Any] = object()
_STARLETTE_METHODS: Final = (
    *("is_allowed_origin", "allow_explicit_origin", "preflight_response", "simple_response", "send"),
)
_CRASH: Final = answered(500, "Internal Server Error", Decision(Outcome.NOT_CORS))


class CORSMiddleware(Installed):
    """Apply one policy to an ASGI app.

    Args:
        app: The app.
        policy: The base policy; else its options are given as keywords.
        options: The options of the base policy, and
            `paths` (policies by path: `/exact` or `/prefix/*`; a mapping is merged over the base, None passes through),
            `policy_for` (a callable from scope to Policy, None or NotImplemented, or an awaitable of these),
            `vary` (names of request headers, besides Origin, that `policy_for` looks at),
            `enforce` (answer 403 to refused cross-origin requests before the app runs),
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912, PLR0915 - flat
        """Serve one connection."""
        if scope["type"] != "http":
            await self._beside_http(scope, receive, send)
            return
        configuration, start = self.configuration, None
        if configuration.before_request is not None:
            configuration.before_request()
        tables = configuration.tables or configuration.tables_of(scope)
        if tables is None:
            await self._pass_through(configuration, scope, receive, send)
            return
        sent_as = scope["method"]  # an app may overwrite it
        if sent_as == "OPTIONS":
            origin = method = names = private = None
            maybe_asked = _MAYBE_ASKED  # a local
            try:
                for name, value in scope["headers"]:
                    if maybe_asked[len(name)]:  # 16 ns a field, of which few go on; four comparisons take 40
                        if name == b"origin":
                            if origin is not None:
                                origin = _UNCACHED
                                break
                            origin = value
                        elif name == b"access-control-request-method":
                            method = value if method is None else _UNCACHED
                        elif name == b"access-control-request-headers":
                            names = value if names is None else _UNCACHED
                        elif name == b"access-control-request-private-network":
                            private = value if private is None else _UNCACHED
                status, headers, body, level, until = tables.answers[origin, method, names, private]
            except LookupError:  # nothing like it is kept, or a name is longer than any that counts
                pass
            else:
                # What `isEnabledFor` goes by, at half of its 30 ns; where the level is on, `is_due` asks that, too.
                if not (
                    level
                    and (logger.level or root.level) <= level
                    and configuration.log.clock() >= until
                    and configuration.log.is_due(level, until, scope)
                ):
                    await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
                    # `more_body` may be left out by ASGI, but Quart's test client looks for it.
                    await send({"type": "http.response.body", "body": body, "more_body": False})
                    return
        elif MARK not in scope:
            start = tables.always
            if start is None:
                origin = None
                for name, value in scope["headers"]:  # 215 ns in all, where a dict of them takes 420
                    if name == b"origin":  # to the end, since a second one must be seen
                        if origin is not None:
                            origin = _UNCACHED
                            break
                        origin = value
                try:  # one table for both kinds: a second look-up would cost refusals 60 ns
                    start, level, until = tables.asgi[origin]
                    if (
                        level  # of a refusal; as above
                        and (logger.level or root.level) <= level
                        and configuration.log.clock() >= until
                        and configuration.log.is_due(level, until, scope)
                    ):
                        start = None
                except KeyError:
                    pass
        if start is None and (start := await self._decided(configuration, scope, receive, send)) is None:
            return
        scope[MARK] = state = [send, False, configuration, scope, None]
        try:
            await self.app(scope, receive, MethodType(start, state))  # no coroutine of our own in between: 60 to 120 ns
        except Exception as error:
            if not state[STARTED]:
                await self._crashed(scope, sent_as, MethodType(start, state), error)
            raise
        finally:  # the mark leads to `send`, and so to the server's object that holds the scope: a cycle
            try:  # noqa: SIM105 - which costs a call
                del scope[MARK]
            except KeyError:
                pass

    async def _decided(self, configuration: Configuration, scope: Scope, receive: Receive, send: Send) -> Start | None:
        """Decide what has not been decided before; None where nothing is left to do, the app having been called."""
        outer: State | None = scope.get(MARK)
        request = read_request(scope)
        same = outer is not None and outer[CONFIGURATION] is configuration
        if same:
            await self.app(scope, receive, send)
            return None
        judgement = await drive(configuration.judge(scope, request))
        if judgement.passes_through:
            await self._pass_through(configuration, scope, receive, send, judgement.decision.vary)
            return None
        if outer is not None:
            configuration.log.warn_nested(scope, outer)
            add_inner_decision(outer, judgement.decision)
        if judgement.answer is not None:
            ready = answered(*judgement.answer, judgement.decision)
            private = b"true" if request.private_network else None
            asked = (request.origin, request.requested_method, request.requested_headers, private)
            if not request.oversized and sum(len(value or b"") for value in asked) <= LONGEST:
                tables = judgement.policy.compiled.tables
                judgement.keep(tables.answers, asked, ready)
            await _send(ready, request.method, send)
        elif outer is not None:
            await self.app(scope, receive, send)
        else:
            return _ready(judgement, request.origin, scope)
        return None

    async def _pass_through(
        self, configuration: Configuration, scope: Scope, receive: Receive, send: Send, vary: tuple[bytes, ...] = ()
    ) -> None:
        """Leave a response to the app, except for Vary. If a view with a policy runs after all, grant nothing."""
        if not vary and configuration.settings.rules.view_of is None:
            await self.app(scope, receive, send)
            return
        scope[PASSED_THROUGH] = state = [send, False, configuration, scope, None]
        try:
            await self.app(scope, receive, MethodType(make_pass_through(vary), state))
        finally:
            scope.pop(PASSED_THROUGH, None)  # a cycle, as in `__call__`

    async def verify_view(self, scope: Scope, predicted: Hashable | None, key: Hashable | None) -> Answer | None:
        """Compare the view that runs with the one that `view_of` predicted; for adapters.

        If they differ, the response gets the narrower of both policies, and a warning names both.

        Args:
            scope: The request, which this middleware serves.
            predicted: The key that `view_of` returned for it.
            key: The key of the view that runs.

        Returns:
            Status, headers and body of the response to be sent in place of the view's; None if the view may run.
        """
        state = scope.get(MARK) or scope.get(PASSED_THROUGH)
        judgement = await drive(self.configuration.verify_view(scope, predicted, key, state))
        return answered(*judgement.answer, judgement.decision) if judgement and judgement.answer else None

    async def _crashed(self, scope: Scope, method: str, send: Send, error: Exception) -> None:
        """Answer for an app that raised before its response started, so that the page gets a 500 that it can read."""
        app = scope.get("app")  # Starlette's; where this middleware stands inside, that may answer by itself
        inside = app is not self.app and getattr(app, "middleware_stack", None) is not self
        handlers: object = getattr(app, "exception_handlers", None)
        own = isinstance(handlers, Mapping) and (500 in handlers or Exception in handlers)  # noqa: PLR2004 - its key
        if inside and (own or getattr(app, "debug", False)):
            note(error)
            return
        try:
            await _send(_CRASH, method, send)
        except Exception:  # noqa: BLE001 - a client that is gone must not hide what the app raised
            logger.debug("the 500 could not be sent", exc_info=True)

    async def _beside_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            configuration = self.configuration
            if configuration.before_request is not None:
                configuration.before_request()
            if configuration.settings.check_websockets or configuration.settings.enforce:
                await guard(self.app, configuration, scope, receive, send)
                return
        await self.app(scope, receive, send)


def _ready(judgement: Judgement, origin: bytes | None, scope: Scope) -> Start:
    """Make a decision ready to be carried out, and keep it for other requests like this."""
    start = starter(judgement)
    compiled = judgement.policy.compiled
    tables = compiled.tables
    if judgement.lasting and compiled.ignores_origin:
        tables.always = start
    elif judgement.lasting and len(origin or b"") <= LONGEST and (origin is not None or _has_plain_names(scope)):
        judgement.keep(tables.asgi, origin, (start,))
    return start


def _has_plain_names(scope: Scope) -> bool:
    """Return whether names are in lower case, as ASGI asks; of others, `Origin` would pass for none."""
    if length_hint(scope["headers"]) > MOST_LINES:
        return False  # which are not worth a look
    names = b"".join([name for name, _ in scope["headers"]])
    return names == names.lower()


async def _send(answer: Answer, method: str, send: Send) -> None:
    """Send the middleware's own response. On HEAD the body is left out, and its length is sent (RFC 9110, 9.3.2)."""
    status, headers, body = answer
    if method == "HEAD":
        body = b""
    await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
    await send({"type": "http.response.body", "body": body, "more_body": False})
