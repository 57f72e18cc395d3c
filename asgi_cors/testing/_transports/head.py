"""The head of a response, as strictly as an HTTP/1.1 server takes it from an application (RFC 9112, 4 and 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def check_head(status: object, headers: Iterable[tuple[object, object]]) -> None:
    """Raise ValueError for a status or a field that cannot stand in a response."""
    if not isinstance(status, int) or not 100 <= status <= 999:  # noqa: PLR2004 - three digits
        raise ValueError(f"the application's status {status!r} is no number of three digits")
    for name, value in headers:
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise ValueError(f"the application's header {name!r}: {value!r} is not of bytes")  # noqa: TRY004 - one kind of error for what the application sent
        if not _NAME.fullmatch(name) or any(byte in value for byte in b"\0\r\n"):
            raise ValueError(f"the application's header {name!r}: {value[:200]!r} is malformed")
