"""The responses that the middleware for WSGI sends, and the start of those that the app sends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from asgi_cors._decision.decision import Decision, Outcome
from asgi_cors._http import VARY

from .base import (
    CONFIGURATION,
    INNER_DECISIONS,
    SCOPE,
    SEND,
    STARTED,
    ResponseState,
    add_cors_note,
    intersect_with_inner,
)
from .environ import decode_path, to_bytes
from .headers import NO_STORE, UNCACHEABLE, add_vary, forbid_storing, merge_headers, merged_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asgi_cors._http import StartResponse, WSGIHeaders
    from asgi_cors._policy.policy import Policy

Response = tuple[str, "WSGIHeaders", bytes]
Start = Callable[..., Callable[[bytes], object]]  # of a response state, and the arguments of `start_response`

_PHRASES: Final = {
    200: "200 OK",
    204: "204 No Content",
    403: "403 Forbidden",
    421: "421 Misdirected Request",
    500: "500 Internal Server Error",
}


def build_response(status: int, text: str, decision: Decision) -> Response:
    """Return status, headers and body of a response of the middleware's own."""
    headers = [] if status == 204 else _content_headers(text)  # noqa: PLR2004 - it has no content (RFC 9110, 15.3.5)
    if status in UNCACHEABLE or decision.no_store:
        headers += _as_text((NO_STORE,))
    return _PHRASES[status], [*headers, *_policy_headers(decision)], text.encode()


def make_start_response(policy: Policy, decision: Decision) -> Start:
    """Return the function that adds a decision's headers to a response start, also if it is called with `exc_info`.

    It replaces `start_response` once it is bound to the response state by `MethodType`, as `make_send` of ASGI.
    """
    policy_headers = _policy_headers(decision)
    as_bytes, name_lengths = merged_names(decision.headers)
    names = frozenset(name.decode() for name in as_bytes)

    def start(
        state: ResponseState, status: str, headers: WSGIHeaders, exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Replace `start_response`, once bound to a state."""
        state[STARTED] = True
        try:
            sent = headers + policy_headers if state[INNER_DECISIONS] is None else merged(state, headers)
            for name, _ in headers:
                if name_lengths[len(name)] and name.lower() in names:
                    sent = merged(state, headers)
                    break
        except (LookupError, TypeError):  # a very long name, or not a list
            sent = merged(state, [*headers])
        return state[SEND](status, sent, exc_info) if exc_info else state[SEND](status, sent)  # type: ignore[no-any-return]

    def merged(state: ResponseState, headers: WSGIHeaders) -> WSGIHeaders:
        others = [header for header in headers if header[0].lower() not in names]
        own = [header for header in headers if header[0].lower() in names]
        sent = intersect_with_inner(state, decision)
        warn, path = state[CONFIGURATION].log.warn_overridden, decode_path(state[SCOPE])
        merged = merge_headers(
            _as_bytes(own), sent.headers, sent.vary, on_override=lambda name: warn(name, policy, path)
        )
        headers = [*others, *_as_text(merged)]
        return _as_text(forbid_storing(_as_bytes(headers))) if sent.no_store else headers

    return _make_merging_start(merged) if decision.no_store else start


def make_pass_through_start_response(vary: tuple[bytes, ...]) -> Start:
    """Return the function that leaves a response to the app, except for Vary; see `make_pass_through_send` of ASGI."""

    def merged(state: ResponseState, headers: WSGIHeaders) -> WSGIHeaders:
        if not state[INNER_DECISIONS]:
            return _as_text(add_vary(_as_bytes(headers), vary)) if vary else headers
        sent = intersect_with_inner(state, Decision(Outcome.NOT_CORS, vary=vary))
        found = merge_headers(_as_bytes(headers), (), sent.vary, on_override=lambda _: None)
        return _as_text(forbid_storing(found) if sent.no_store else found)

    return _make_merging_start(merged)


def _make_merging_start(merged: Callable[[ResponseState, WSGIHeaders], WSGIHeaders]) -> Start:
    """Return the function that replaces `start_response` and changes the headers of every response."""

    def start(
        state: ResponseState, status: str, headers: WSGIHeaders, exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Replace `start_response`, once bound to a state."""
        state[STARTED] = True
        headers = merged(state, headers)
        return state[SEND](status, headers, exc_info) if exc_info else state[SEND](status, headers)  # type: ignore[no-any-return]

    return start


def _policy_headers(decision: Decision) -> WSGIHeaders:
    vary = ((VARY, b", ".join(decision.vary)),) if decision.vary else ()
    return _as_text((*decision.headers, *vary))


def _as_text(headers: Iterable[tuple[bytes, bytes]]) -> WSGIHeaders:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _as_bytes(headers: WSGIHeaders) -> list[tuple[bytes, bytes]]:
    return [(to_bytes(name), to_bytes(value)) for name, value in headers]


def _content_headers(text: str) -> WSGIHeaders:
    return [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(text.encode())))]


def send_response(response: Response, method: str, start_response: StartResponse) -> list[bytes]:
    """Send a response of the middleware's own."""
    status, headers, body = response
    start_response(status, headers.copy())  # the server may change its list (PEP 3333)
    return [_body(method, body)]


def _body(method: str, body: bytes) -> bytes:
    """Return the body of a response of the middleware's own: none on HEAD (RFC 9110, 9.3.2)."""
    return b"" if method == "HEAD" else body


def send_error_response(method: str, start_response: StartResponse, state: ResponseState) -> bytes:
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


def then_raise(body: bytes, error: Exception) -> Iterator[bytes]:
    """Yield the body of a crash's 500, then raise the exception for the server."""
    yield body
    raise error


class UnstartedBody:
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
