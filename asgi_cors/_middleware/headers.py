"""A response's own fields and the policy's, made one list.

The policy decides: CORS fields that the app has set itself are replaced, whatever their letter case, since two
Access-Control-Allow-Origin fields block every browser. What the app exposes, and what it varies by, is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgi_cors import _http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asgi_cors._http import Headers

WATCHED: Final = _http.CORS_RESPONSE_HEADERS | {_http.VARY}
# By the length of a name, which is cheaper than to lower and look up each (-40 ns at three fields).
MAYBE_WATCHED: Final = tuple(map({*map(len, WATCHED)}.__contains__, range(256)))

Header = Any  # a pair of bytes: a tuple by the ASGI specification, a list in some apps


def merge(
    headers: Iterable[Sequence[bytes]],
    fields: Headers,
    vary: tuple[bytes, ...],
    *,
    replaced: Callable[[bytes], None],
) -> list[Header]:
    """Make a new list of a response's headers and the policy's fields.

    Args:
        headers: What the app sends.
        fields: The CORS fields that the policy sends.
        vary: Names that Vary must have.
        replaced: Called with the lower-case name of each CORS field that the app has set.
    """
    kept: list[Header] = []
    exposed: list[bytes] = []
    varied: list[bytes] = []
    place = None
    for header in headers:
        name = header[0].lower()
        if name not in WATCHED:
            kept.append(header)
        elif name != _http.VARY:
            replaced(name)
            exposed += [header[1]] if name == _http.EXPOSE_HEADERS else []
        elif vary:
            place = len(kept) if place is None else place
            varied.append(header[1])
        else:
            kept.append(header)
    if place is not None:
        kept.insert(place, (_http.VARY, _merged_vary(varied, vary)))
    last = ((_http.VARY, b", ".join(vary)),) if vary and place is None else ()
    return [*kept, *(_exposing(fields, exposed) if exposed and fields else fields), *last]


def add_vary(headers: Iterable[Sequence[bytes]], vary: tuple[bytes, ...]) -> list[Header]:
    """Return a new list of a response's headers with names added to Vary; CORS headers of the app stay."""
    headers = list(headers)
    lines = [header[1] for header in headers if header[0].lower() == _http.VARY]
    others = [header for header in headers if header[0].lower() != _http.VARY]
    return [*others, (_http.VARY, _merged_vary(lines, vary))] if vary else headers


def _merged_vary(lines: list[bytes], names: tuple[bytes, ...]) -> bytes:
    """Add names to an app's own Vary; `*` says it all already (RFC 9110, 12.5.5)."""
    present = [name.lower() for line in lines for name in _http.split_list(line)]
    added = [] if b"*" in present else [name for name in names if name.lower() not in present]
    return b", ".join([*filter(None, lines), *added])


def _exposing(fields: Headers, exposed: list[bytes]) -> Headers:
    """Join what the app exposes to what the policy does."""
    own = [value for name, value in fields if name == _http.EXPOSE_HEADERS]
    names: dict[bytes, bytes] = {}
    for line in (*own, *exposed):
        for name in _http.split_list(line):
            names.setdefault(name.lower(), name)
    others = tuple(field for field in fields if field[0] != _http.EXPOSE_HEADERS)
    return (*others, (_http.EXPOSE_HEADERS, b", ".join(names.values()))) if names else others
