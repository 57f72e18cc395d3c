"""What CORS costs at the least: objects written by hand, each for one fixed policy.

They do all that the rules ask of a request, and nothing else: `async __call__`, the guard of the scope, the whole list
of headers scanned (a second Origin is seen), the policy in one swappable attribute, the mark against stacking set in
the scope, the start message copied and its header list new, the app's own CORS and Vary fields looked for in any
letter case, a 500 with the same fields when the app raises before its response starts, preflights from a bounded
table, a refusal logged once a minute. Left out is what makes a library: options and their validation, explanations,
policies by path, callables, WebSockets. Whoever beats them gives the library a new mark to reach.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from types import MethodType
from typing import Any, Final, TypeVar

from traffic import App, Message, Receive, Scope, Send

Field = tuple[bytes, bytes]
State = list[Any]
Start = Callable[[State, Message], Awaitable[None]]
Answer = tuple[int, list[Field], bytes]
Asked = tuple[bytes, bytes, bytes | None]
Value = TypeVar("Value")

MARK: Final = "limit"
ORIGIN: Final = b"access-control-allow-origin"
VARY: Final = b"vary"
EXPOSE: Final = b"access-control-expose-headers"
CRASH: Final = (500, [(b"content-type", b"text/plain"), (b"content-length", b"21")], b"Internal Server Error")
WATCHED: Final = frozenset(
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
_MOST: Final = 4096  # answers kept; strangers can ask for any number
# By length, whether a name may be one that counts: an index costs half of what a look-up of the name does. A longer
# name than any header's has no place in the table.
_WATCHED: Final = tuple(length in set(map(len, WATCHED)) for length in range(65536))
_ASKED: Final = tuple(length in {6, 29, 30} for length in range(65536))


class Policy:
    """One policy, ready to be carried out.

    Args:
        origins: Those that may read; None for all, whose answer is the same for every request.
        methods: Those that a page may use, beside those that it always may.
        names: The request headers that a page may send, in lower case, beside those that it always may.
    """

    def __init__(
        self,
        origins: Iterable[bytes] | None,
        *,
        credentials: bool = False,
        methods: Iterable[bytes] = (),
        names: Iterable[bytes] = (),
    ) -> None:
        """Make the starts that no origin is needed for."""
        self.origins = None if origins is None else frozenset(origins)
        self.credentials = [(b"access-control-allow-credentials", b"true")] if credentials else []
        self.everyone = start_with((ORIGIN, b"*")) if self.origins is None else None
        self.stranger = start_with((VARY, b"Origin"))
        # Each with the time until which a refusal need not be logged again; None where there is nothing to log.
        self.starts: dict[bytes | None, tuple[Start, float | None]] = {None: (self.stranger, None)}
        self.answers: dict[Asked, tuple[int, list[Field], bytes, float | None]] = {}
        self._methods = [b"GET", b"HEAD", b"POST", *methods]
        self._names = [b"accept", b"accept-language", b"content-language", b"content-type", *names]

    def start(self, origin: Any) -> Start:
        """Make the start for an origin, and keep it; or log that it is refused."""
        value = self._granted(origin)
        if value:
            start = start_with((ORIGIN, value), *self.credentials, (VARY, b"Origin"))
            return _kept(self.starts, origin, (start, None))[0]
        return _kept(self.starts, origin, (self.stranger, self._logged(origin)))[0]

    def answer(self, origin: bytes, method: bytes, names: bytes | None) -> Answer:
        """Answer a preflight, and keep the answer."""
        fields: list[Field] = [(VARY, b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")]
        asked = {name.strip(b" \t").lower() for name in (names or b"").split(b",")} - {b""}
        value = self._granted(origin)
        granted = bool(value) and method in self._methods and asked.issubset(self._names)
        if value:
            lists = (b"methods", self._methods), (b"headers", self._names)
            fields += [(ORIGIN, value), *self.credentials]
            fields += [(b"access-control-allow-" + kind, b", ".join(which)) for kind, which in lists]
            fields += [(b"access-control-max-age", b"600")] if granted else []
        if granted:
            return _kept(self.answers, (origin, method, names), (*_answer(204, b"", fields), None))[:3]
        refusal = *_answer(200, b"refused", fields), self._logged(origin)
        return _kept(self.answers, (origin, method, names), refusal)[:3]

    def _logged(self, origin: bytes) -> float:
        logging.getLogger("limit").info("refused %r", origin)
        return monotonic() + 60

    def _granted(self, origin: bytes) -> bytes:
        value = origin.strip(b" \t")
        return b"*" if self.origins is None else value if value in self.origins else b""


def _kept(table: dict[Any, Value], key: object, value: Value) -> Value:
    if len(table) >= _MOST:
        table.clear()
    table[key] = value
    return value


def _answer(status: int, body: bytes, fields: list[Field]) -> Answer:
    content = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))] if body else []
    return status, [*content, *fields], body


def start_with(*fields: Field) -> Start:
    """Make the function that sends a response start with `fields`, to be bound to the response's state."""
    tail = list(fields)
    watched = _WATCHED

    def start(state: State, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            state[1] = True
            try:
                own = message["headers"]
                headers = own + tail
                for name, _ in own:
                    if watched[len(name)] and name.lower() in WATCHED:
                        headers = merged(own, tail)
                        break
            except (KeyError, TypeError):  # no headers, or no list of them
                headers = merged(message.get("headers", ()), tail)
            message = message.copy()
            message["headers"] = headers
        return state[0](message)  # type: ignore[no-any-return]

    return start


def merged(own: Iterable[Field], tail: list[Field]) -> list[Field]:
    """Take the app's own CORS fields out, and let its Vary and what it exposes stand beside the policy's."""
    own = list(own)
    kept = [field for field in own if field[0].lower() not in WATCHED]
    allows = any(name != VARY for name, _ in tail)
    for name in (EXPOSE, VARY) if allows else (VARY,):
        lines = [value for key, value in (*own, *tail) if key.lower() == name]
        words = {word.lower(): word for line in lines for word in map(bytes.strip, line.split(b",")) if word}
        if words:
            kept.append((name, b"*" if b"*" in words else b", ".join(words.values())))
    return kept + [field for field in tail if field[0] != VARY]


def refuse(state: State) -> None:
    """Have an outer middleware's response start lose what this one, further in, does not allow."""
    following = state[0]

    def refused(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = [field for field in message["headers"] if field[0] == VARY or field[0] not in WATCHED]
            message = {**message, "headers": headers}
        return following(message)  # type: ignore[no-any-return]

    state[0] = refused


async def answer(send: Send, ready: Answer) -> None:
    """Send an answer that is ready."""
    status, headers, body = ready
    await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
    await send({"type": "http.response.body", "body": body})


class Limit:
    """The middleware of one policy."""

    def __init__(self, app: App, policy: Policy) -> None:
        """Serve `app` under a policy, which may be replaced at any time."""
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
            asked = _ASKED
            for name, value in scope["headers"]:
                if asked[len(name)]:
                    if name == b"origin":
                        origin = value if origin is None else b"%b, %b" % (origin, value)
                    elif name == b"access-control-request-method":
                        method = value if method is None else b"%b, %b" % (method, value)
                    elif name == b"access-control-request-headers":
                        names = value if names is None else b"%b, %b" % (names, value)
            if origin is not None and method is not None:
                key = (origin, method, names)
                try:
                    status, headers, body, until = policy.answers[key]
                    if until is not None and monotonic() > until:
                        status, headers, body = policy.answer(origin, method, names)
                except KeyError:
                    status, headers, body = policy.answer(origin, method, names)
                await send({"type": "http.response.start", "status": status, "headers": headers.copy()})
                await send({"type": "http.response.body", "body": body})
                return
            origin = None
        start = policy.everyone
        if start is None:
            for name, value in scope["headers"]:
                if name == b"origin":
                    origin = value if origin is None else b"%b, %b" % (origin, value)
            try:
                start, until = policy.starts[origin]
                if until is not None and monotonic() > until:
                    start = policy.start(origin)
            except KeyError:
                start = policy.start(origin)
        if MARK in scope:
            if start is policy.stranger:
                refuse(scope[MARK])
            await self.app(scope, receive, send)
            return
        scope[MARK] = state = [send, False]
        try:
            await self.app(scope, receive, MethodType(start, state))
        except Exception:
            if not state[1]:
                await answer(MethodType(start, state), CRASH)
            raise
        finally:  # no cycle through `send` and the server is left to the collector
            del scope[MARK]
