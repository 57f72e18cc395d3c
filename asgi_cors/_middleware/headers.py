"""Merges the headers of an app's response and those of the policy into one list.

The policy decides: CORS headers that the app sets itself are replaced, whatever their letter case, because browsers
block a response with two Access-Control-Allow-Origin headers. The app's Vary and Access-Control-Expose-Headers stay.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from asgi_cors import _http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asgi_cors._http import Headers

CORS_AND_VARY: Final = _http.CORS_RESPONSE_HEADERS | {_http.VARY}
RESOURCE_HEADERS: Final = frozenset({_http.RESOURCE_POLICY, _http.TIMING_ALLOW_ORIGIN})

NO_STORE: Final = (b"cache-control", b"no-store")
UNCACHEABLE: Final = (403, 421)  # statuses of refusals, which depend on more than the names in Vary
_CACHE_HEADERS: Final = (b"cache-control", b"surrogate-control")

Header = Any  # a pair of bytes: a tuple by the ASGI specification, a list in some apps


def merged_names(headers: Headers) -> tuple[frozenset[bytes], tuple[bool, ...]]:
    """Return the names that an app's headers are searched for, to be merged with a policy's.

    Args:
        headers: The headers of the policy.

    Returns:
        The names; and for each length, whether a name can be one of them. An index costs less than `lower` and a
        look-up.
    """
    return _names_with(frozenset(name for name, _ in headers if name in RESOURCE_HEADERS))


@functools.cache  # responses share the tuples
def _names_with(more: frozenset[bytes]) -> tuple[frozenset[bytes], tuple[bool, ...]]:
    names = CORS_AND_VARY | more
    return names, tuple(map({*map(len, names)}.__contains__, range(256)))


def merge_headers(
    headers: Iterable[Sequence[bytes]],
    cors: Headers,
    vary: tuple[bytes, ...],
    *,
    on_override: Callable[[bytes], None],
) -> list[Header]:
    """Return a new list of a response's headers and the policy's.

    Args:
        headers: The app's headers.
        cors: The CORS headers of the policy.
        vary: Names that Vary must have.
        on_override: Called with the lower-case name of each CORS header that the app has set.
    """
    others: list[Header] = []
    exposed: list[bytes] = []
    varied: list[bytes] = []
    position = None  # of the app's first Vary
    for header in headers:
        name = header[0].lower()
        if name not in CORS_AND_VARY:
            others.append(header)
            if name in RESOURCE_HEADERS:  # the app's own stays
                cors = tuple(each for each in cors if each[0] != name)
        elif name != _http.VARY:
            on_override(name)
            exposed += [header[1]] if name == _http.EXPOSE_HEADERS else []
        elif vary:
            position = len(others) if position is None else position
            varied.append(header[1])
        else:
            others.append(header)
    if position is not None:
        others.insert(position, (_http.VARY, _merged_vary(varied, vary)))
    last = ((_http.VARY, b", ".join(vary)),) if vary and position is None else ()
    return [*others, *(_exposing(cors, exposed) if exposed and cors else cors), *last]


def add_vary(headers: Iterable[Sequence[bytes]], vary: tuple[bytes, ...]) -> list[Header]:
    """Return a new list of a response's headers with names added to Vary. The app's CORS headers stay."""
    headers = list(headers)
    lines = [header[1] for header in headers if header[0].lower() == _http.VARY]
    others = [header for header in headers if header[0].lower() != _http.VARY]
    return [*others, (_http.VARY, _merged_vary(lines, vary))] if vary else headers


def forbid_storing(headers: Iterable[Sequence[bytes]]) -> list[Header]:
    """Return a new list of a response's headers with `Cache-Control: no-store` in place of the app's own.

    Headers for one kind of cache, such as CDN-Cache-Control, take precedence over Cache-Control (RFC 9213, 2.2).
    """
    return [*(header for header in headers if not header[0].lower().endswith(_CACHE_HEADERS)), NO_STORE]


def _merged_vary(lines: list[bytes], names: tuple[bytes, ...]) -> bytes:
    """Return the app's Vary with names added. `*` covers every name (RFC 9110, 12.5.5)."""
    present = [name.lower() for line in lines for name in _http.split_list(line)]
    added = [] if b"*" in present else [name for name in names if name.lower() not in present]
    return b", ".join([*filter(None, lines), *added])


def _exposing(cors: Headers, exposed: list[bytes]) -> Headers:
    """Return the policy's headers with the app's exposed names added."""
    own = [value for name, value in cors if name == _http.EXPOSE_HEADERS]
    names: dict[bytes, bytes] = {}
    for line in (*own, *exposed):
        for name in _http.split_list(line):
            names.setdefault(name.lower(), name)
    others = tuple(header for header in cors if header[0] != _http.EXPOSE_HEADERS)
    return (*others, (_http.EXPOSE_HEADERS, b", ".join(names.values()))) if names else others
