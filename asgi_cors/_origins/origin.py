"""An origin as browsers send it: taken apart, and known from what no browser sends.

Sources: Fetch, "Origin header" (`serialized-origin`); HTML, "ascii serialization of an origin".
`_origin_patterns` reads what people write.
"""

# A NamedTuple takes twice as long to make of annotations that are strings, so there is no `from __future__` here.
import re
from typing import Final, NamedTuple

# What is unsafe with credentials: the words of `dangerously_allow`.
ANY_ORIGIN: Final = "credentials-from-any-origin"
FROM_NULL: Final = "credentials-from-null"
SHARED_SUFFIX: Final = "credentials-from-shared-suffix"
OVER_HTTP: Final = "credentials-over-http"
RISKS: Final = (ANY_ORIGIN, FROM_NULL, SHARED_SUFFIX, OVER_HTTP)

MAX_ORIGIN: Final = 326  # bytes: a scheme of 64, "://", a host of 253, ":65535"
MAX_HOST: Final = 253  # RFC 1035, 2.3.4, without the final dot
MAX_PORT: Final = 65535

WEB_PORTS: Final = {"http": 80, "https": 443}

# serialized-scheme "://" serialized-host [ ":" port ], in printable ASCII; no comma, by which servers join two fields.
# A host's characters are listed: `re` takes 1.5 ms for a set that leaves out all beyond ASCII.
_ORIGIN: Final = re.compile(
    r"([a-z][a-z0-9+.\-]*)://(\[[0-9a-f:.]+\]|[!\"$%&'()*+\-.0-9;=A-Z_`a-z{}~]+)(?::([1-9][0-9]{0,4}))?"
)
# Most entries, of which nothing more needs to be known: an ASCII host name without port, wildcard or punycode.
_PLAIN: Final = re.compile(r"https?://(?:[a-z0-9_\-]{1,63}\.)*[a-z][a-z0-9_\-]{0,62}")


class Origin(NamedTuple):
    """A serialised origin taken apart; `port` is empty where it is the scheme's default."""

    scheme: str
    host: str
    port: str


def parse_origin(value: str) -> Origin | None:
    """Take an origin apart as a browser has put it together; None for everything that no browser sends."""
    match = _ORIGIN.fullmatch(value) if len(value) <= MAX_ORIGIN else None
    if match is None:
        return None
    scheme, host, port = match.groups("")
    if port and (int(port) > MAX_PORT or int(port) == WEB_PORTS.get(scheme)):
        return None
    return Origin(scheme, host, port)


def is_plain(text: str) -> bool:
    """Tell quickly that `text` is an exact origin that needs no further look."""
    return bool(_PLAIN.fullmatch(text)) and len(text) <= MAX_HOST and "xn--" not in text
