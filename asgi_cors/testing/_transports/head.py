"""Checks the head of an application's response as strictly as an HTTP/1.1 server does (RFC 9112, 4 and 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable

BODILESS = frozenset({204, 304})
"""The statuses of responses without a body (RFC 9110, 6.4.1)."""

SERVER_ERROR = 500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error"
"""A server's response for an exception of the application."""

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def check_head(status: object, headers: Iterable[tuple[object, object]]) -> None:
    """Raise ValueError for a status or a header that no HTTP response can have."""
    if not isinstance(status, int) or not 100 <= status <= 999:  # noqa: PLR2004 - three digits
        raise ValueError(f"the application's status {status!r} is not a number of three digits")
    for name, value in headers:
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise ValueError(f"the application's header {name!r}: {value!r} is not bytes")  # noqa: TRY004 - the same error for every mistake of the application
        if not _NAME.fullmatch(name) or any(byte in value for byte in b"\0\r\n"):
            raise ValueError(f"the application's header {name!r}: {value[:200]!r} is malformed")
