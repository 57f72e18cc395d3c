"""`allowed_hosts`: whether the Host of a request is one of the server's names, which DNS rebinding does not have.

An entry is a host, or a pattern as in `allow_origins`, without the scheme. An entry without a port matches any port.
Host is compared in lower case. X-Forwarded-Host is never read.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from asgi_cors._errors import OptionIssues, show
from asgi_cors._origins.corrections import hint
from asgi_cors._origins.origin import MAX_HOST, MAX_PORT
from asgi_cors._origins.origin_set import OriginSet
from asgi_cors._origins.pattern import Pattern, Problem, parse_pattern
from asgi_cors._policy.options import list_of

from .decision import HOST_NOT_ALLOWED, Decision, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgi_cors._policy.policy import Policy

ANY_PORT: Final = "*"
_PORT: Final = re.compile("[0-9]{0,5}")
_DEFAULT_PORTS: Final = ("80", "443")  # of a Host without a port
_SCHEME: Final = "https://"  # of the origins by which hosts are compared
_MAX_LENGTH: Final = MAX_HOST + len(":65535")
_MAX_REMEMBERED: Final = 1024  # hosts


class HostSet:
    """The entries of `allowed_hosts`.

    Args:
        entries: The entries, with their ports: `*`, or a number.
    """

    def __init__(self, entries: Iterable[tuple[Pattern, str]]) -> None:
        by_port: dict[str, list[Pattern]] = {}
        for pattern, port in entries:
            by_port.setdefault(port, []).append(pattern)
        self._by_port = {
            port: OriginSet(
                (each.text for each in patterns if each.is_exact), (each for each in patterns if not each.is_exact), ()
            )
            for port, patterns in by_port.items()
        }
        self.allows = functools.lru_cache(_MAX_REMEMBERED)(self._allows)

    def _allows(self, host: bytes | None) -> bool:
        """Return whether the value of one Host header is in the set; None is a request without exactly one."""
        if host is None or len(host) > _MAX_LENGTH:
            return False
        name, port = split_port(host.strip(b" \t").decode("latin-1").lower())
        if not _PORT.fullmatch(port):  # in the URL http://api.example.com:@attacker.example/ the host is the attacker's
            return False
        ports = (ANY_PORT, port) if port else (ANY_PORT, *_DEFAULT_PORTS)
        return any(f"{_SCHEME}{name}" in self._by_port[port] for port in ports if port in self._by_port)


def split_port(host: str) -> tuple[str, str]:
    """Return the name and the port of a Host value; an empty port if there is none."""
    name, colon, port = host.rpartition(":")
    return (host, "") if not colon or port.endswith("]") else (name, port)


def refuse_host(policy: Policy) -> Decision:
    """Refuse a request because of its Host, whatever the policy allows."""
    headers = policy.compiled.resource_headers
    return Decision(Outcome.REFUSED, HOST_NOT_ALLOWED, headers, status=421, policy_name=policy.name)


# -- the option


def parse_hosts(value: Any, issues: OptionIssues) -> HostSet | None:
    """Parse `allowed_hosts`: None, `"*"`, or hosts. None is returned if every host is allowed."""
    if value is None or value == "*":
        return None
    entries = list_of((value,) if isinstance(value, str) else value)
    if entries is None:
        issues.add_wrong_type(value, "a host, or a list of hosts", "Write allowed_hosts=['api.example.com'].")
        return None
    if not entries:
        issues.add("no-hosts", value, "an empty list refuses every request", "Name the hosts, or leave it out.")
    parsed = [_parse_host(entry, issues) for entry in entries if entry != "*"]
    if "*" in entries:
        return None
    return HostSet(each for each in parsed if each is not None)


def _parse_host(entry: Any, issues: OptionIssues) -> tuple[Pattern, str] | None:
    if not isinstance(entry, str):
        issues.add_wrong_type(entry, "a string", "Write allowed_hosts=['api.example.com'].")
        return None
    name, port = split_port(entry)
    if entry.startswith(".") and len(entry) > 1:
        issues.add("host-leading-dot", entry, f"{show(entry)} begins with a dot", f"Write {'*' + entry!r}.")
        return None
    parsed = parse_pattern(f"{_SCHEME}{name}")
    if isinstance(parsed, Problem):
        issues.add(parsed.code, entry, f"{show(entry)} {parsed.message}", hint(entry, parsed, lambda _: False))
        return None
    if port and port != ANY_PORT and not (port.isdecimal() and port.isascii() and 0 < int(port) <= MAX_PORT):
        issues.add("origin-port", entry, f"{show(entry)} has the port {port!r}", f"Write {name!r}.")
        return None
    return parsed, port or ANY_PORT
