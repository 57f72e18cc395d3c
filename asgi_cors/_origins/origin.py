"""Origins as browsers send them, and the hosts in them: loopback hosts, registrable domains, shared suffixes.

Sources: Fetch, "Origin header" (`serialized-origin`); HTML, "ascii serialization of an origin"; the public suffix list,
https://publicsuffix.org/list/, from the package `publicsuffixlist`.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# The risks with credentials: the codes that `dangerously_allow` accepts.
ANY_ORIGIN: Final = "credentials-from-any-origin"
FROM_NULL: Final = "credentials-from-null"
SHARED_SUFFIX: Final = "credentials-from-shared-suffix"
OVER_HTTP: Final = "credentials-over-http"
RISKS: Final = (ANY_ORIGIN, FROM_NULL, SHARED_SUFFIX, OVER_HTTP)

# Parsing

MAX_ORIGIN: Final = 326  # bytes: a scheme of 64, "://", a host of 253, ":65535"
MAX_HOST: Final = 253  # bytes: RFC 1035, 2.3.4, without the final dot
MAX_PORT: Final = 65535

WEB_PORTS: Final = {"http": 80, "https": 443}

# serialized-scheme "://" serialized-host [ ":" port ]. A host has no comma: servers join two headers with it.
_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.\-]*)://(\[[0-9a-f:.]+\]|[!\"$%&'()*+\-.0-9;=A-Z_`a-z{}~]+)(?::([1-9][0-9]{0,4}))?"
)
_SIMPLE: Final = re.compile(r"https?://(?:[a-z0-9_\-]{1,63}\.)*[a-z][a-z0-9_\-]{0,62}")


class Origin(NamedTuple):
    """A parsed origin. `port` is empty for the scheme's default."""

    scheme: str
    host: str
    port: str


def parse_origin(value: str) -> Origin | None:
    """Parse a serialized origin; return None for a value that no browser sends."""
    match = _ORIGIN.fullmatch(value) if len(value) <= MAX_ORIGIN else None
    if match is None:
        return None
    scheme, host, port = match.groups("")
    if port and (int(port) > MAX_PORT or int(port) == WEB_PORTS.get(scheme)):
        return None
    return Origin(scheme, host, port)


def is_simple_origin(text: str) -> bool:
    """Return whether `text` is an origin with a host name, no port and no punycode, which needs no further check."""
    return bool(_SIMPLE.fullmatch(text)) and len(text) <= MAX_HOST and "xn--" not in text


# Hosts


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine: localhost, `*.localhost`, 127.0.0.0/8, [::1] (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def registrable_domain(host: str) -> str | None:
    """Return the part of `host` that its owner registered (URL, "registrable domain"); None for a public suffix."""
    return _public_suffixes().privatesuffix(host)


def is_shared_suffix(base: str) -> bool:
    """Return whether other parties can register hosts below `base`.

    True for a public suffix, and for a domain that has public suffixes below it: `s3.a-new-region.amazonaws.com` is
    shared before it is listed. True for a single label, except for `localhost`.
    """
    if base == "localhost":
        return False
    _, dot, top = base.rpartition(".")
    if dot and base.split(".", base.count(".") - 1)[-1] not in _second_levels() and f"*.{top}" not in _second_levels():
        return False  # without a search in the list, which takes ten times as long
    own = registrable_domain(base)
    return own is None or "." not in base or not _parents_of_suffixes().isdisjoint({base, own})


# Domains at which anyone can register, which the list does not have, or not in older releases; in the list's notation.
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


@functools.cache
def top_level_domains() -> tuple[str, ...]:
    """Return every listed top-level domain."""
    return tuple(sorted({rule.rpartition(".")[2] for rule in _suffix_rules()}))


@functools.cache
def _suffix_rules() -> tuple[str, ...]:
    """Return every rule, in ASCII."""
    from publicsuffixlist import PSLFILE  # noqa: PLC0415 - expensive, and rarely needed

    with open(PSLFILE, encoding="utf-8") as file:  # noqa: PTH123 - nothing else needs pathlib
        listed = [line.split(maxsplit=1)[0] for line in file if line.strip() and not line.startswith("//")]
    return tuple(".".join(map(to_ascii, rule.split("."))) for rule in (*listed, *SHARED_SUFFIXES))


def to_ascii(label: str) -> str:
    """Return a label as browsers send it: in punycode if it is not ASCII (RFC 3492)."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


@functools.cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - expensive, and rarely needed

    return PublicSuffixList(_suffix_rules(), accept_encoded_idn=False)


@functools.cache
def _second_levels() -> frozenset[str]:
    """Return the last two labels of every rule that has two or more."""
    rules = (rule.removeprefix("!").split(".") for rule in _suffix_rules())
    return frozenset(".".join(labels[-2:]) for labels in rules if len(labels) > 1)


@functools.cache
def _parents_of_suffixes() -> frozenset[str]:
    """Return every domain of two labels or more that has a public suffix below it, such as amazonaws.com."""
    labels = (rule.split(".") for rule in _suffix_rules() if not rule.startswith("!"))
    return frozenset(".".join(parts[i:]) for parts in labels for i in range(1, len(parts) - 1))
