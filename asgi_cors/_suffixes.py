"""Who can get a host below a domain: the public suffix list, and the hosts that never leave the machine.

Source: https://publicsuffix.org/list/, by the package `publicsuffixlist`, imported only when a policy needs it.
"""

from __future__ import annotations

import functools
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_local(host: str) -> bool:
    """Tell whether `host` is this machine: localhost, `*.localhost`, 127.0.0.0/8, [::1] (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_shared(base: str) -> bool:
    """Tell whether strangers can get hosts below `base`: it is a public suffix, or has some beneath it.

    A single label counts, listed or not: nothing says who hands out names below it. `localhost` doesn't.
    """
    if base == "localhost":
        return False
    return "." not in base or _list().is_public(base) or base in _above_suffixes()


def site(host: str) -> str | None:
    """Give the domain that its owner has registered (HTML, "site"); None for a public suffix or a single label."""
    return _list().privatesuffix(host)


@functools.cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - large: only when a policy needs it

    return PublicSuffixList()


@functools.cache
def _above_suffixes() -> frozenset[str]:
    """Every domain of two labels or more that has a public suffix beneath it, such as amazonaws.com."""
    from publicsuffixlist import PSLFILE  # noqa: PLC0415 - large: only when a policy needs it

    rules = (line.split()[0] for line in Path(PSLFILE).read_text("utf-8").splitlines() if line.strip())
    labels = (rule.split(".") for rule in rules if not rule.startswith(("//", "!")))
    return frozenset(".".join(parts[i:]) for parts in labels for i in range(1, len(parts) - 1))
