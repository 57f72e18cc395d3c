"""Who can get a host below a domain: the public suffix list, and the hosts that never leave the machine.

Source: https://publicsuffix.org/list/, by the package `publicsuffixlist`, imported only when a policy needs it; and
a table of well-known hosts that are not on the list.
"""

from __future__ import annotations

import functools
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Hosts at which anyone can register, and that are missing from the list or new in it; in the list's notation.
SHARED_SUFFIXES: Final = (
    # apps and functions
    *("*.azurecontainerapps.io", "*.cloudapp.azure.com", "app.beam.cloud", "b4a.run", "cyclic.app", "e2b.dev"),
    *("exp.direct", "genez.io", "gigalixirapp.com", "koyeb.app", "modal.run", "nhost.run", "osc-fr1.scalingo.io"),
    *("powerappsportals.com", "shuttleapp.rs", "sliplane.app", "stormkit.dev", "tcloudbaseapp.com"),
    # made by a prompt
    *("base44.app", "bolt.host", "claudeusercontent.com", "created.app", "durable.co", "emergent.host"),
    *("lovable.app", "manus.space", "mocha.app", "oaiusercontent.com", "preview.emergentagent.com", "softr.app"),
    *("v0.dev", "vusercontent.net"),
    # sites and blogs
    *("000webhostapp.com", "42web.io", "bigcartel.com", "cargo.site", "cloudwaysapps.com", "edgeone.app"),
    *("edgeone.dev", "epizy.com", "flywheelsites.com", "gamma.site", "ghost.io", "glide.page", "godaddysites.com"),
    *("hashnode.dev", "hostingersite.com", "hs-sites.com", "hubspotpagebuilder.com", "infinityfreeapp.com"),
    *("itch.io", "jimdofree.com", "jimdosite.com", "kinsta.app", "kinsta.cloud", "kinsta.page", "mailchimpsites.com"),
    *("mybigcommerce.com", "mystrikingly.com", "neocities.org", "netlify.live", "rf.gd", "sourceforge.io"),
    *("squarespace.com", "strikingly.com", "substack.com", "super.site", "surge.sh", "tiiny.site", "tilda.ws"),
    *("tumblr.com", "webnode.page", "weebly.com", "wordpress.com", "wpengine.com", "zapier.app", "zohosites.com"),
    # files, distributed storage
    *("4everland.app", "arweave.dev", "arweave.net", "b-cdn.net", "cdn.ampproject.org", "fly.storage.tigris.dev"),
    *("g8way.io", "googleusercontent.com", "ic0.app", "nftstorage.link", "on.fleek.co", "permagate.io"),
    *("s3.us-west-004.backblazeb2.com", "siasky.net", "storage.googleapis.com", "w3s.link", "wasabisys.com"),
    # editors and previews
    *("*.cloudworkstations.dev", "*.gitpod.io", "*.webcontainer.io", "app.github.dev", "cdpn.io"),
    *("codesandbox.io", "daytona.work", "github.dev", "glitch.me", "gradio.live", "jsbin.com", "repl.co"),
    *("sse.codesandbox.io", "stackblitz.io"),
    # tunnels to any machine, names of any address
    *("*.devtunnels.ms", "*.pinggy.link", "*.pinggy.online", "chickenkiller.com", "instatunnel.my", "jprq.live"),
    *("lhr.life", "lhr.rocks", "loca.lt", "localhost.run", "loclx.io", "mooo.com", "nip.io", "pagekite.me"),
    *("pgrok.com", "ply.gg", "portmap.io", "serveo.net", "serveousercontent.com", "share.zrok.io"),
    *("sharedwithexpose.com", "sslip.io", "traefik.me", "tunnelto.dev", "tunwg.com", "xip.io"),
)


def is_local(host: str) -> bool:
    """Tell whether `host` is this machine: localhost, `*.localhost`, 127.0.0.0/8, [::1] (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_shared_suffix(base: str) -> bool:
    """Tell whether strangers can get hosts below `base`: it is a public suffix, or belongs to who has some beneath it.

    So `s3.a-new-region.amazonaws.com` is shared before it is listed. A single label counts, listed or not: nothing
    says who hands out names below it. `localhost` doesn't.
    """
    if base == "localhost":
        return False
    return (
        "." not in base or _list().is_public(base) or not _above_suffixes().isdisjoint({base, registrable_domain(base)})
    )


def registrable_domain(host: str) -> str | None:
    """Give the domain that its owner has registered (HTML, "site"); None for a public suffix or a single label."""
    return _list().privatesuffix(host)


@functools.cache
def top_level_domains() -> tuple[str, ...]:
    """Return every listed top-level domain."""
    return tuple(sorted({rule.rpartition(".")[2] for rule in _rules()}))


@functools.cache
def _rules() -> tuple[str, ...]:
    """Every rule, in the form in which browsers send it."""
    from publicsuffixlist import PSLFILE  # noqa: PLC0415 - expensive, and rarely needed

    lines = (line.split(maxsplit=1)[0] for line in Path(PSLFILE).read_text("utf-8").splitlines() if line.strip())
    listed = (line for line in lines if not line.startswith("//"))
    return tuple(rule if rule.isascii() else _encoded(rule) for rule in (*listed, *SHARED_SUFFIXES))


def _encoded(rule: str) -> str:
    labels = (label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in rule.split("."))
    return ".".join(labels)


@functools.cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - expensive, and rarely needed

    return PublicSuffixList(_rules(), accept_encoded_idn=False)


@functools.cache
def _above_suffixes() -> frozenset[str]:
    """Every domain of two labels or more that has a public suffix beneath it, such as amazonaws.com."""
    labels = (rule.split(".") for rule in _rules() if not rule.startswith("!"))
    return frozenset(".".join(parts[i:]) for parts in labels for i in range(1, len(parts) - 1))
