"""The least that CORS can cost: middlewares written by hand, each for one fixed policy.

They do everything that the rules require for a request, and nothing else: `async __call__`, the check of the scope's
type, a scan of all headers (so a second Origin is seen), the policy in one replaceable attribute, a key in the scope
against nesting, a copied start message with a new header list, a search for the app's own CORS headers and Vary in any
letter case, a 500 with the same headers if the app raises before its response starts, preflights from a bounded cache,
and a line in the log once a minute for a refusal. They lack the parts of a library: options and their validation,
explanations, policies by path, callables, WebSockets. A faster middleware would be the library's new limit.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from types import MethodType
from typing import Any, Final, TypeVar

from traffic import App, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]
State = list[Any]
Start = Callable[[State, Message], Awaitable[None]]
Response = tuple[int, list[Header], bytes]
PreflightKey = tuple[bytes, bytes, bytes | None]
Value = TypeVar("Value")

SCOPE_KEY: Final = "limit"
ORIGIN: Final = b"access-control-allow-origin"
VARY: Final = b"vary"
EXPOSE: Final = b"access-control-expose-headers"
ERROR_RESPONSE: Final = (500, [(b"content-type", b"text/plain"), (b"content-length", b"21")], b"Internal Server Error")
CORS_AND_VARY: Final = frozenset(
    f"access-control-{name}".encode()
    for name in (
        "allow-origin",
        "allow-credentials",
        "allow-methods",
        "allow-headers",
        "allow-private-network",
        "expose-headers",
        "max-age",
    )
) | {VARY}
_MAX_CACHED: Final = 4096  # cached responses; clients choose the keys
# By the length of a name, whether it can be a header that counts. No header name of a server is longer than the tables.
_CORS_NAME_LENGTHS: Final = tuple(length in set(map(len, CORS_AND_VARY)) for length in range(65536))
_PREFLIGHT_NAME_LENGTHS: Final = tuple(length in {6, 29, 30} for length in range(65536))


class Policy:
    """One policy, compiled.

    Args:
        origins: The allowed origins; None for all. The response is the same for all requests then.
        methods: The allowed methods, besides the safelisted ones.
        names: The allowed request headers in lower case, besides the safelisted ones.
    """

    def __init__(
        self,
        origins: Iterable[bytes] | None,
        *,
        credentials: bool = False,
        methods: Iterable[bytes] = (),
        names: Iterable[bytes] = (),
    ) -> None:
        """Build the response starts that need no origin."""
        self.origins = None if origins is None else frozenset(origins)
        self.credentials = [(b"access-control-allow-credentials", b"true")] if credentials else []
        self.any_origin = start_with((ORIGIN, b"*")) if self.origins is None else None
        self.refused = start_with((VARY, b"Origin"))
        # Each with the time after which a refusal is logged again; None for an allowed request.
        self.starts: dict[bytes | None, tuple[Start, float | None]] = {None: (self.refused, None)}
        self.responses: dict[PreflightKey, tuple[int, list[Header], bytes, float | None]] = {}
        self._methods = [b"GET", b"HEAD", b"POST", *methods]
        self._names = [b"accept", b"accept-language", b"content-language", b"content-type", *names]

    def start(self, origin: Any) -> Start:
        """Build and cache the response start for an origin. Log a refusal."""
        value = self._allowed_value(origin)
        if value:
            start = start_with((ORIGIN, value), *self.credentials, (VARY, b"Origin"))
            return _store(self.starts, origin, (start, None))[0]
        return _store(self.starts, origin, (self.refused, self._logged(origin)))[0]

    def preflight(self, origin: bytes, method: bytes, names: bytes | None) -> Response:
        """Build and cache the response to a preflight. Log a refusal."""
        headers: list[Header] = [(VARY, b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")]
        requested = {name.strip(b" \t").lower() for name in (names or b"").split(b",")} - {b""}
        value = self._allowed_value(origin)
        allowed = bool(value) and method in self._methods and requested.issubset(self._names)
        if value:
            lists = (b"methods", self._methods), (b"headers", self._names)
            headers += [(ORIGIN, value), *self.credentials]
            headers += [(b"access-control-allow-" + kind, b", ".join(which)) for kind, which in lists]
            headers += [(b"access-control-max-age", b"600")] if allowed else []
        if allowed:
            return _store(self.responses, (origin, method, names), (*_build_response(204, b"", headers), None))[:3]
        refusal = *_build_response(200, b"refused", headers), self._logged(origin)
        return _store(self.responses, (origin, method, names), refusal)[:3]

    def _logged(self, origin: bytes) -> float:
        logging.getLogger("limit").info("refused %r", origin)
        return monotonic() + 60

    def _allowed_value(self, origin: bytes) -> bytes:
        value = origin.strip(b" \t")
        return b"*" if self.origins is None else value if value in self.origins else b""


def _store(table: dict[Any, Value], key: object, value: Value) -> Value:
    if len(table) >= _MAX_CACHED:
        table.clear()
    table[key] = value
    return value


def _build_response(status: int, body: bytes, headers: list[Header]) -> Response:
    content = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))] if body else []
    return status, [*content, *headers], body


def start_with(*headers: Header) -> Start:
    """Return the function that adds `headers` to a response start, once it is bound to the response state."""
    policy_headers = list(headers)
    lengths = _CORS_NAME_LENGTHS

    def start(state: State, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            state[1] = True
            try:
                own = message["headers"]
                headers = own + policy_headers
                for name, _ in own:
                    if lengths[len(name)] and name.lower() in CORS_AND_VARY:
                        headers = merged(own, policy_headers)
                        break
            except (KeyError, TypeError):  # no headers, or not a list
                headers = merged(message.get("headers", ()), policy_headers)
            message = message.copy()
            message["headers"] = headers
        return state[0](message)  # type: ignore[no-any-return]

    return start


def merged(own: Iterable[Header], policy_headers: list[Header]) -> list[Header]:
    """Replace the app's own CORS headers. Its Vary and the headers that it exposes are merged with the policy's."""
    own = list(own)
    headers = [header for header in own if header[0].lower() not in CORS_AND_VARY]
    allows = any(name != VARY for name, _ in policy_headers)
    for name in (EXPOSE, VARY) if allows else (VARY,):
        lines = [value for key, value in (*own, *policy_headers) if key.lower() == name]
        names = {word.lower(): word for line in lines for word in map(bytes.strip, line.split(b",")) if word}
        if names:
            headers.append((name, b"*" if b"*" in names else b", ".join(names.values())))
    return headers + [header for header in policy_headers if header[0] != VARY]


def refuse(state: State) -> None:
    """Remove the CORS headers of an outer middleware, because this inner one refuses."""
    following = state[0]

    def refused(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = [header for header in message["headers"] if header[0] == VARY or header[0] not in CORS_AND_VARY]
            message = {**message, "headers": headers}
        return following(message)  # type: ignore[no-any-return]

    state[0] = refused


async def send_response(send: Send, response: Response) -> None:
    """Send a response of the middleware's own."""
    status, headers, body = response
    await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
    await send({"type": "http.response.body", "body": body})


class Limit:
    """The middleware of one policy."""

    def __init__(self, app: App, policy: Policy) -> None:
        """Store the app and the policy, which may be replaced at any time."""
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912 - flat, for speed
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = self.policy
        origin = method = names = None
        if scope["method"] == "OPTIONS":
            lengths = _PREFLIGHT_NAME_LENGTHS
            for name, value in scope["headers"]:
                if lengths[len(name)]:
                    if name == b"origin":
                        origin = value if origin is None else b"%b, %b" % (origin, value)
                    elif name == b"access-control-request-method":
                        method = value if method is None else b"%b, %b" % (method, value)
                    elif name == b"access-control-request-headers":
                        names = value if names is None else b"%b, %b" % (names, value)
            if origin is not None and method is not None:
                key = (origin, method, names)
                try:
                    status, headers, body, log_after = policy.responses[key]
                    if log_after is not None and monotonic() > log_after:
                        status, headers, body = policy.preflight(origin, method, names)
                except KeyError:
                    status, headers, body = policy.preflight(origin, method, names)
                await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
                await send({"type": "http.response.body", "body": body})
                return
            origin = None
        start = policy.any_origin
        if start is None:
            for name, value in scope["headers"]:
                if name == b"origin":
                    origin = value if origin is None else b"%b, %b" % (origin, value)
            try:
                start, log_after = policy.starts[origin]
                if log_after is not None and monotonic() > log_after:
                    start = policy.start(origin)
            except KeyError:
                start = policy.start(origin)
        if SCOPE_KEY in scope:
            if start is policy.refused:
                refuse(scope[SCOPE_KEY])
            await self.app(scope, receive, send)
            return
        scope[SCOPE_KEY] = state = [send, False]
        try:
            await self.app(scope, receive, MethodType(start, state))
        except Exception:
            if not state[1]:
                await send_response(MethodType(start, state), ERROR_RESPONSE)
            raise
        finally:  # break the reference cycle through `send` and the server
            del scope[SCOPE_KEY]
