"""ASGI and WSGI as types, without a typing package to depend on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[Any]]  # parameters are contravariant: other packages' types must fit

Environ = dict[str, Any]
WSGIHeaders = list[tuple[str, str]]


class StartResponse(Protocol):
    """WSGI's `start_response` (PEP 3333)."""

    def __call__(self, status: str, headers: WSGIHeaders, exc_info: Any = ..., /) -> Callable[[bytes], object]:
        """Begin the response."""
        ...


WSGIApp = Callable[[Environ, Any], Iterable[bytes]]
