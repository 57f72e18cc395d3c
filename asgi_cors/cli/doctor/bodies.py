"""Bodies of responses, bounded: a server may send a compressed bomb, or the name of any codec as its charset."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Final

import httpx

MAX_BODY: Final = 16_384  # bytes; enough to recognise the software that sent an error page
_ANY_HEADER: Final = zlib.MAX_WBITS | 32  # gzip or zlib
_NO_HEADER: Final = -zlib.MAX_WBITS
_COMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {"gzip": gzip.compress, "deflate": zlib.compress}


def text_of(response: httpx.Response) -> str:
    """Return the text of a body, or "" if it was not read, or can't be decompressed."""
    try:
        return response.text
    except httpx.ResponseNotRead:
        return ""
    except (UnicodeError, AssertionError):  # a codec that is not for text, such as zlib_codec
        return response.content.decode("utf-8", "replace")


def bound_body(body: bytes, coding: str) -> bytes:
    """Return a body that has at most `MAX_BODY` bytes when it is decoded. The coding stays the same.

    Args:
        body: The beginning of a body, as it was received.
        coding: The header Content-Encoding. A coding that the doctor does not accept leaves an empty body.
    """
    coding = coding.strip().lower()
    if coding in {"", "identity"}:
        return body
    compress = _COMPRESS.get(coding)
    if compress is None:
        return b""
    for window in (_ANY_HEADER, _NO_HEADER):
        decoder = zlib.decompressobj(window)
        try:
            decoded = decoder.decompress(body, MAX_BODY)
        except zlib.error:
            continue
        return compress(decoded) if decoder.unconsumed_tail else body
    return body
