"""A policy compiled for requests: sets and header values, with nothing left to parse.

`_decision` decides which of the headers are sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from asgi_cors import _http
from asgi_cors._http import Headers
from asgi_cors._origins.origin_set import OriginSet

from .options import Names, OriginEntries, equality_key

if TYPE_CHECKING:
    from .policy import Policy


class CompiledPolicy:
    """The sets and header values of a `Policy`.

    Args:
        options: The policy's options, validated and normalised, with the names of its presets.
        origins: The entries of its origins.
        trusted: A policy that allows the origins of `csrf_trusted_origins`; None if there are none.
    """

    def __init__(self, options: Mapping[str, Any], origins: OriginEntries, trusted: Policy | None = None) -> None:
        exact = frozenset(origins.exact)
        self.origins = OriginSet(exact, origins.patterns, origins.regexes, origins.ports)
        self.allows_any_origin = origins.allows_any
        self.callables = tuple(origins.callables)
        self.credentials: bool = options["allow_credentials"]
        self.ignores_origin = self.allows_any_origin and not self.credentials
        self.private_network: bool = options["allow_private_network"]
        self.max_age = None if options["max_age"] is None else str(options["max_age"]).encode()
        self.csrf_protection: bool | Literal["report"] = options["csrf_protection"]
        self.trusted = trusted
        self.sends_timing: bool = options["timing_allow_origin"]
        resource_policy: str | None = options["resource_policy"]
        self.resource_headers: Headers = ((_http.RESOURCE_POLICY, resource_policy.encode()),) if resource_policy else ()
        self.exposed: Names = options["expose_headers"]
        self._exposed = ", ".join(self.exposed).encode()
        self._compile_methods(options["allow_methods"])
        self._compile_headers(options["allow_headers"])
        self.key: tuple[object, ...] = (*self._equality_key(options, origins), trusted and trusted.compiled.key)

    def _compile_methods(self, methods: Names) -> None:
        self.allows_any_method = methods == "*"
        listed = _http.KNOWN_METHODS if self.allows_any_method else dict.fromkeys((*_http.SAFELISTED_METHODS, *methods))
        self.methods = tuple(listed)
        self.method_names = frozenset(listed)
        self._methods = ", ".join(listed)

    def _compile_headers(self, headers: Names) -> None:
        self.allows_any_header = headers == "*"
        names = self.headers = () if self.allows_any_header else headers
        self.header_prefixes = tuple(name[:-1] for name in names if name[-1] == "*")
        self._headers = tuple(dict.fromkeys((*_http.SAFELISTED_HEADERS, *(name for name in names if name[-1] != "*"))))
        self.header_names = frozenset(self._headers)

    def _equality_key(self, options: Mapping[str, Any], origins: OriginEntries) -> tuple[object, ...]:
        """Return the meaning of a policy, whatever its spelling: policies with the same key are equal."""
        return (
            self.origins.exact,
            frozenset(self.origins.patterns),
            frozenset(origins.regexes),
            frozenset(map(equality_key, self.callables)),
            self.allows_any_origin,
            self.allows_any_method,
            self.method_names,
            self.allows_any_header,
            self.header_names,
            frozenset(self.header_prefixes),
            frozenset(map(str.lower, self.exposed)),
            frozenset(options["dangerously_allow"]),
            *(options[name] for name in ("allow_credentials", "max_age", "allow_private_network", "csrf_protection")),
            *(options[name] for name in ("timing_allow_origin", "resource_policy")),
        )

    @property
    def checks_risks(self) -> bool:
        """Whether a callable may decide by the accepted risks: they count with credentials, and for trusted origins."""
        return bool(self.credentials and self.callables) or bool(self.trusted and self.trusted.compiled.callables)

    def allows_method(self, method: str) -> bool:
        """Return whether a page may send `method` (case-sensitive; Fetch, "CORS-preflight fetch", step 7)."""
        if self.allows_any_method:
            return method.upper() not in _http.FORBIDDEN_METHODS
        return method in self.method_names

    def allows_header(self, name: str) -> bool:
        """Return whether a page may send the request header `name`, given in lower case."""
        return self.allows_any_header or name in self.header_names or name.startswith(self.header_prefixes)

    def origin_headers(self, origin: bytes) -> Headers:
        """Return Access-Control-Allow-Origin and -Credentials for an allowed origin."""
        if self.ignores_origin:
            return ((_http.ALLOW_ORIGIN, b"*"),)
        if self.credentials:
            return ((_http.ALLOW_ORIGIN, origin), (_http.ALLOW_CREDENTIALS, b"true"))
        return ((_http.ALLOW_ORIGIN, origin),)

    def actual_headers(self, origin: bytes) -> Headers:
        """Return the headers of a response that an allowed origin may read."""
        allowed = self.origin_headers(origin)
        timing = ((_http.TIMING_ALLOW_ORIGIN, allowed[0][1]),) if self.sends_timing else ()
        return (*allowed, *self.expose_headers, *timing, *self.resource_headers)

    @property
    def expose_headers(self) -> Headers:
        """Access-Control-Expose-Headers; empty if scripts may read no further header."""
        return ((_http.EXPOSE_HEADERS, self._exposed),) if self._exposed else ()

    def preflight_headers(self, method: str, names: Iterable[str]) -> Headers:
        """Return the allow-lists of the whole policy, so that one cached preflight covers later requests.

        Args:
            method: The requested method. It is listed if `*` would not allow it.
            names: The requested header names, in lower case. They are listed if `*` or a prefix allows them.
        """
        methods: Headers = ((_http.ALLOW_METHODS, self._method_list(method).encode()),)
        headers = self._header_list(names)
        return (*methods, (_http.ALLOW_HEADERS, headers.encode())) if headers else methods

    def _method_list(self, method: str) -> str:
        if not self.allows_any_method or not self.allows_method(method):
            return self._methods
        if not self.credentials:
            return "*"  # with credentials it is the name of a method (Fetch, "CORS protocol and credentials")
        return self._methods if method in self.method_names else f"{self._methods}, {method}"

    def _header_list(self, names: Iterable[str]) -> str:
        if self.allows_any_header:
            return ", ".join(names) if self.credentials else "*, authorization"  # `*` does not cover Authorization
        by_prefix = (name for name in names if name not in self.header_names and name.startswith(self.header_prefixes))
        return ", ".join((*self._headers, *by_prefix))
