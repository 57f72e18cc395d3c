"""`allowed_hosts`: whether the Host of a request is one of the server's names, which DNS rebinding does not have.

An entry is a host, or a pattern as in `allow_origins`, without the scheme. An entry without a port matches any port.
Host is compared in lower case. X-Forwarded-Host is never read.

Sources: RFC 9110, 7.2 and 7.4 (Host, 421); RFC 9112, 3.2 (a request has exactly one Host).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asgi_cors._errors import UNSET, OptionIssues, show, text_of
from asgi_cors._origins.corrections import corrected
from asgi_cors._origins.origin import MAX_HOST, MAX_PORT
from asgi_cors._origins.origin_set import OriginSet, closest_origin
from asgi_cors._origins.pattern import UNSET_TEXTS, Pattern, Problem, parse_pattern
from asgi_cors._policy.options import list_of

from .decision import HOST_NOT_ALLOWED, Decision, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgi_cors._policy.policy import Policy

    from .request import Request

ANY_PORT: Final = "*"
_DEFAULT_PORTS: Final = ("80", "443")  # of a Host without a port
_SCHEME: Final = "https://"  # of the origins by which hosts are compared
_MAX_LENGTH: Final = MAX_HOST + len(":65535")
_MAX_KNOWN: Final = 1024  # allowed values of Host that are remembered
_HOST: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{0,5}))?")
_ENTRY: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([1-9][0-9]{0,4}|\*))?")
_NETWORK: Final = re.compile(r"[0-9.]+/[0-9]{1,2}|\[?[0-9a-fA-F:]+\]?/[0-9]{1,3}")


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
        self.known: set[bytes | None] = set()  # allowed values, for a fast look-up

    def allows(self, host: bytes | None) -> bool:
        """Return whether the value of one Host header is in the set; None is a request without exactly one."""
        if host in self.known:
            return True
        if host is None or len(host) > _MAX_LENGTH or not self._allows(host):
            return False
        if len(self.known) >= _MAX_KNOWN:
            self.known.clear()  # in place of a search for the oldest value
        self.known.add(host)
        return True

    def _allows(self, host: bytes) -> bool:
        match = _HOST.fullmatch(_text_of(host))
        if match is None:
            return False
        name, port = match.groups("")
        ports = (ANY_PORT, port) if port else (ANY_PORT, *_DEFAULT_PORTS)
        return any(f"{_SCHEME}{name}" in self._by_port[port] for port in ports if port in self._by_port)

    def closest(self, host: bytes | None) -> str | None:
        """Return the entry that was probably meant by a refused Host; None if there is none."""
        match = _HOST.fullmatch(_text_of((host or b"")[:_MAX_LENGTH]))
        origin = f"{_SCHEME}{match[1].rstrip('.')}" if match else ""
        for port, origins in self._by_port.items():
            found = origin if origin in origins else getattr(closest_origin(origins, origin), "origin", None)
            if found is not None:
                return f"{found.removeprefix(_SCHEME)}{'' if port == ANY_PORT else f':{port}'}"
        return None


def _text_of(host: bytes) -> str:
    return host.strip(b" \t").decode("latin-1").lower()


def refuse_host(policy: Policy, request: Request) -> Decision:
    """Refuse a request because of its Host, whatever the policy allows."""
    headers = () if request.is_preflight else policy.compiled.resource_headers
    return Decision(Outcome.REFUSED, HOST_NOT_ALLOWED, headers, status=421, policy_name=policy.name)


# -- the option

_EXAMPLE: Final = "allowed_hosts=['api.example.com']"
_OTHERWISE: Final = "Name the host as in 'api.example.com', or a pattern such as '*.example.com'."


def parse_hosts(value: Any, issues: OptionIssues) -> HostSet | None:
    """Parse `allowed_hosts`: None, `"*"`, or hosts. None is returned if every host is allowed."""
    if value is None or (isinstance(value, str) and value == "*"):
        return None
    entries = list_of((value,) if isinstance(value, str) else value)
    if entries is None:
        text = text_of(value)
        advice = "Write allowed_hosts=None for any host." if value is False else f"Write {_EXAMPLE}."
        advice = f"Write {text!r}." if text and _parse_text(text) else advice
        issues.add_wrong_type(value, "a host, or a list of hosts", advice)
        return None
    if not entries:
        issues.add("no-hosts", value, "an empty list refuses every request", "Write allowed_hosts=None for any host.")
    is_star = [isinstance(entry, str) and entry == "*" for entry in entries]
    if any(is_star) and not all(is_star):
        message = "'*' allows every host, so the other entries are redundant: '*' or the others are not intended"
        issues.add("redundant-entry", "*", message, "Leave '*' out.")
    parsed = [_parse_entry(entry, issues) for entry, star in zip(entries, is_star, strict=True) if not star]
    return None if any(is_star) else HostSet(each for each in parsed if each is not None)


def _parse_entry(entry: Any, issues: OptionIssues) -> tuple[Pattern, str] | None:
    """Parse one entry: a host or a pattern, and its port. Return None if it has a mistake."""
    if not isinstance(entry, str):
        text = text_of(entry)
        advice = f"Write {text!r}." if text and _parse_text(text) else _OTHERWISE
        issues.add_wrong_type(entry, "a string", advice)
        return None
    parsed = _parse_text(entry)
    if parsed is None:
        code, problem = _problem_of(entry)
        issues.add(code, entry, f"{show(entry)} {problem}", _hint(entry))
    return parsed


def _parse_text(entry: str) -> tuple[Pattern, str] | None:
    """Return the pattern and the port of a valid entry."""
    match = _ENTRY.fullmatch(entry.lower())
    if match is None or match[1] in UNSET_TEXTS:
        return None
    port = match[2] or ANY_PORT
    if port != ANY_PORT and int(port) > MAX_PORT:
        return None
    parsed = parse_pattern(f"{_SCHEME}{match[1]}")
    return (parsed, port) if isinstance(parsed, Pattern) else None


def _problem_of(entry: str) -> tuple[str, str]:
    """Return the code and the message for an entry with a mistake."""
    if not entry.strip():
        return "origin-empty", f"is empty ({UNSET})"
    if entry.lower() in UNSET_TEXTS:
        return "origin-empty", f"is the text of a value that is not set ({UNSET})"
    if entry != entry.strip():
        return "origin-white-space", "has white space around it"
    if entry.startswith("."):
        return "host-leading-dot", "begins with a dot; a pattern for subdomains begins with '*.'"
    if re.search(r"[/?#@\\]", entry):
        return "host-url", "is more than a host: Host has no scheme, user name or path"
    problem = parse_pattern(f"{_SCHEME}{entry.lower()}")
    return (problem.code, problem.message) if isinstance(problem, Problem) else ("origin-port", "has an invalid port")


def _hint(entry: str) -> str:
    """Return what to write in place of an entry with a mistake."""
    if not entry.strip() or entry.lower() in UNSET_TEXTS:
        return "Leave allowed_hosts out for any host, or set the variable."
    text = entry.strip(" \t\r\n\"'")
    as_json = re.search("[\"']", text)  # '["a.com", "b.com"]'
    listed = [part for part in re.split(r"[\s,;\"']+", text.strip("[]") if as_json else text) if _parse_text(part)]
    if len(listed) > 1 or (listed and as_json):
        return f"Write {listed!r}."
    if _NETWORK.fullmatch(text):
        return "Name each address, or let the proxy send a host name."
    if text.startswith("."):
        text = f"*{text}"
    line = corrected(text if "://" in text else f"{_SCHEME}{text}")
    candidates = [line.partition("://")[2]] if line else []
    candidates += [re.sub(r":[^\]:]*$", "", text)]
    return next((f"Write {each!r}." for each in candidates if _parse_text(each)), _OTHERWISE)
