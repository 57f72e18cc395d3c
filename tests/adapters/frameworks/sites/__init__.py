"""One site, written for each framework with the same paths, responses and policies.

- `/items`: GET, PUT (and HEAD); `x-total: 2`.
- `/open`: every origin, without credentials. `/partner`: another origin, with DELETE. `/late`: the same policy,
  attached after the view was registered. `/exempt`: no policy at all.
- `/private`: 401 without Authorization, by the framework's usual means.
- `/slash`: redirects to `/slash/`. `/crash`: raises. `/stream`: sends three parts. `/cached`: 304 to its own ETag.
- `/echo` (WebSocket): the app's policy. `/exempt-echo`: no policy at all.
"""

from typing import Any

from asgi_cors import Policy

PAGE = "https://app.example.com"
PARTNER = "https://partner.example.net"
EVIL = "https://evil.example.org"
ETAG = '"v1"'
PARTS = (b"one ", b"two ", b"three")

BASE: dict[str, Any] = {
    "allow_origins": [PAGE],
    "allow_methods": ["PUT"],
    "allow_headers": ["x-id", "authorization", "if-none-match"],
    "expose_headers": ["x-total"],
    "allow_credentials": True,
    "max_age": 600,
}
ALL_METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"]
OPEN: dict[str, Any] = {"allow_origins": "*", "allow_methods": ALL_METHODS, "allow_headers": "*", "max_age": None}
FOR_PARTNER: dict[str, Any] = {
    "allow_origins": [PARTNER],
    "allow_methods": ["DELETE"],
    "allow_headers": ["x-id"],
    "allow_credentials": True,
    "max_age": 60,
}
PATHS = {
    "/open": Policy(**OPEN),
    "/partner": Policy(**FOR_PARTNER),
    "/late": Policy(**FOR_PARTNER),
    "/exempt": None,
    "/exempt-echo": None,
}


class DeliberateError(Exception):
    """The exception that `/crash` raises."""
