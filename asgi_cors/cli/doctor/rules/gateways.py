"""Errors that a layer in front of the app sends itself: a proxy, a content delivery network, a limit, a tunnel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import ServerResponse

_STATUSES: Final = {
    *(408, 413, 414, 429, 431, 502, 503, 504),
    *(460, 464, 561),  # of Amazon's load balancer
    *(520, 521, 522, 523, 524, 525, 526, 527, 530),  # of Cloudflare
}
# A header that a layer sends only with an error of its own -> the beginning of its value.
_HEADERS: Final = {"ngrok-error-code": "ERR_NGROK_3", "x-railway-fallback": "true", "x-render-routing": "suspend"}
# Errors with a status that an app could send, too: Fastly, Envoy, nginx, Apache, IIS.
_TEXT: Final = re.compile(
    r"^\s*Fastly error: unknown domain|^fault filter abort|Request Header Or Cookie Too Large"
    r"|Size of a request header field exceeds server limit|Bad Request - Request Too Long"
)
_TOO_LARGE: Final = {413, 414, 431}


def is_gateway_error(response: ServerResponse) -> bool:
    """Return whether a layer in front of the app sent this response, which then says nothing about the app."""
    if response.status in _STATUSES:
        return True
    signs = ((response.get(name) or "").startswith(value) for name, value in _HEADERS.items())
    return not response.is_ok and (any(signs) or bool(_TEXT.search(response.text)))


def is_too_large(response: ServerResponse) -> bool:
    """Return whether a layer in front of the app refuses the request for its size."""
    is_text = response.status == 400 and is_gateway_error(response)  # noqa: PLR2004 - of nginx, Apache and IIS
    return response.status in _TOO_LARGE or is_text
