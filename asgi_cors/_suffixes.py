"""Who can get a host below a domain: the public suffix list, and the hosts that never leave the machine.

Source: https://publicsuffix.org/list/, by the package `publicsuffixlist`, imported only when a policy needs it; and
the well-known hosts that serve what anyone has written, of which some aren't on it.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Rules in the form of the list, whether they are on it or not: builds and previews, editors, tunnels to anyone's
# machine, names of anyone's address, uploads.
SHARED_HOSTS: Final = (
    *("vercel.app", "github.io", "gitlab.io", "netlify.app", "pages.dev", "workers.dev", "web.app", "firebaseapp.com"),
    *("herokuapp.com", "onrender.com", "fly.dev", "azurewebsites.net", "cloudfront.net", "s3.amazonaws.com"),
    *("surge.sh", "blogspot.com", "neocities.org", "tiiny.site", "koyeb.app", "b4a.run", "repl.co", "glitch.me"),
    *("github.dev", "app.github.dev", "*.gitpod.io", "codesandbox.io", "sse.codesandbox.io", "csb.app"),
    *("stackblitz.io", "*.webcontainer.io", "jsbin.com", "cdpn.io", "gradio.live"),
    *("ngrok.io", "ngrok.app", "ngrok.dev", "ngrok-free.app", "ngrok-free.dev", "trycloudflare.com", "loca.lt"),
    *("localhost.run", "lhr.life", "serveo.net", "*.devtunnels.ms", "*.pinggy.link", "ply.gg"),
    *("nip.io", "sslip.io", "xip.io", "traefik.me", "googleusercontent.com", "cdn.ampproject.org"),
)


def is_local(host: str) -> bool:
    """Tell whether `host` is this machine: localhost, `*.localhost`, 127.0.0.0/8, [::1] (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_shared(base: str) -> bool:
    """Tell whether strangers can get hosts below `base`: it is a public suffix, or belongs to who has some beneath it.

    So `s3.a-new-region.amazonaws.com` is shared before it is listed. A single label counts, listed or not: nothing
    says who hands out names below it. `localhost` doesn't.
    """
    if base == "localhost":
        return False
    return "." not in base or _list().is_public(base) or not _above_suffixes().isdisjoint({base, site(base)})


def site(host: str) -> str | None:
    """Give the domain that its owner has registered (HTML, "site"); None for a public suffix or a single label."""
    return _list().privatesuffix(host)


@functools.cache
def top_level_domains() -> tuple[str, ...]:
    """Return every listed top-level domain."""
    return tuple(sorted({rule.rpartition(".")[2] for rule in _rules()}))


@functools.cache
def _rules() -> tuple[str, ...]:
    """Every rule, in the form in which browsers send it."""
    from pathlib import Path  # noqa: PLC0415 - with the list

    from publicsuffixlist import PSLFILE  # noqa: PLC0415 - large: only when a policy needs it

    lines = (line.split(maxsplit=1)[0] for line in Path(PSLFILE).read_text("utf-8").splitlines() if line.strip())
    listed = (line for line in lines if not line.startswith("//"))
    return tuple(rule if rule.isascii() else _encoded(rule) for rule in (*listed, *SHARED_HOSTS))


def _encoded(rule: str) -> str:
    labels = (label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in rule.split("."))
    return ".".join(labels)


@functools.cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - as above

    return PublicSuffixList(_rules(), accept_encoded_idn=False)


@functools.cache
def _above_suffixes() -> frozenset[str]:
    """Every domain of two labels or more that has a public suffix beneath it, such as amazonaws.com."""
    labels = (rule.split(".") for rule in _rules() if not rule.startswith("!"))
    return frozenset(".".join(parts[i:]) for parts in labels for i in range(1, len(parts) - 1))
