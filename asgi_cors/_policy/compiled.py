"""A policy as the machine uses it: sets and byte strings, with nothing left to parse per request.

Knows which origins, methods and headers are allowed, and the field values that say so; when they are said is for
`_decision` to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgi_cors import _http
from asgi_cors._origins.origin_set import OriginSet

from .origin_entries import equality_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asgi_cors._http import Headers

    from .options import Names
    from .origin_entries import OriginEntries


class CompiledPolicy:
    """What a `Policy` comes to.

    Args:
        options: The policy's options, each validated and normalised.
        origins: What its origins come to.
    """

    def __init__(self, options: Mapping[str, Any], origins: OriginEntries) -> None:
        self.origins = OriginSet(origins.exact, origins.patterns, origins.regexes, origins.ports)
        self.allows_any_origin = origins.any
        self.callables = tuple(origins.callables)
        self.credentials: bool = options["allow_credentials"]
        self.ignores_origin = self.allows_any_origin and not self.credentials
        self.private_network: bool = options["allow_private_network"]
        self.max_age = None if options["max_age"] is None else str(options["max_age"]).encode()
        self._exposed = ", ".join(options["expose_headers"]).encode()
        self._compile_methods(options["allow_methods"])
        self._compile_headers(options["allow_headers"])
        self.key = _key(options, origins, self.origins.exact)

    def _compile_methods(self, methods: Names) -> None:
        self.allows_any_method = methods == "*"
        listed = _http.KNOWN_METHODS if self.allows_any_method else dict.fromkeys((*_http.SAFELISTED_METHODS, *methods))
        self.method_names = frozenset(listed)
        self._methods = ", ".join(listed)

    def _compile_headers(self, headers: Names) -> None:
        self.allows_any_header = headers == "*"
        self.header_prefixes = () if self.allows_any_header else tuple(name[:-1] for name in headers if name[-1] == "*")
        named = () if self.allows_any_header else (name for name in headers if name[-1] != "*")
        self._headers = tuple(dict.fromkeys((*_http.SAFELISTED_HEADERS, *named)))
        self.header_names = frozenset(self._headers)

    # -- what is allowed

    def allows_method(self, method: str) -> bool:
        """Tell whether a page may send `method` (case-sensitive; Fetch, "CORS-preflight fetch", step 7)."""
        if self.allows_any_method:
            return method.upper() not in _http.FORBIDDEN_METHODS
        return method in self.method_names

    def allows_header(self, name: str) -> bool:
        """Tell whether a page may send the header `name`, given in lower case."""
        return self.allows_any_header or name in self.header_names or name.startswith(self.header_prefixes)

    # -- the fields that say so

    def origin_headers(self, origin: bytes) -> Headers:
        """Allow `origin` to read: Access-Control-Allow-Origin and -Credentials."""
        if self.ignores_origin:
            return ((_http.ALLOW_ORIGIN, b"*"),)
        if self.credentials:
            return ((_http.ALLOW_ORIGIN, origin), (_http.ALLOW_CREDENTIALS, b"true"))
        return ((_http.ALLOW_ORIGIN, origin),)

    @property
    def expose_headers(self) -> Headers:
        """Let scripts read response headers: Access-Control-Expose-Headers."""
        return ((_http.EXPOSE_HEADERS, self._exposed),) if self._exposed else ()

    def preflight_headers(self, method: str, names: Iterable[str]) -> Headers:
        """List what is allowed, as wide as the policy, so that one kept answer serves every later request.

        Args:
            method: The method asked for, listed where a wildcard would not do.
            names: The headers asked for, in lower case, listed where a wildcard or prefix allows them.
        """
        headers = self._header_list(names)
        fields: Headers = ((_http.ALLOW_METHODS, self._method_list(method).encode()),)
        return (*fields, (_http.ALLOW_HEADERS, headers.encode())) if headers else fields

    def _method_list(self, method: str) -> str:
        if not self.allows_any_method or not self.allows_method(method):
            return self._methods
        if not self.credentials:
            return "*"  # with credentials the standard takes it for the name of a method
        return self._methods if method in self.method_names else f"{self._methods}, {method}"

    def _header_list(self, names: Iterable[str]) -> str:
        if not self.allows_any_header:
            by_prefix = (
                name for name in names if name not in self.header_names and name.startswith(self.header_prefixes)
            )
            return ", ".join((*self._headers, *by_prefix))
        return ", ".join(names) if self.credentials else "*, authorization"  # which `*` never covers


def _key(options: Mapping[str, Any], origins: OriginEntries, exact: frozenset[str]) -> tuple[object, ...]:
    """What makes two policies equal: their meaning, not their spelling."""
    names = ("allow_methods", "allow_headers", "dangerously_allow")
    flags = ("allow_credentials", "max_age", "allow_private_network")
    return (
        exact,
        frozenset(pattern.text for pattern in origins.patterns),
        frozenset(origins.regexes),
        frozenset(map(equality_key, origins.callables)),
        origins.any,
        frozenset(map(str.lower, options["expose_headers"])),
        *(frozenset(options[name]) for name in names),
        *(options[name] for name in flags),
    )
