"""The defaults of `CORS_ALLOW_HEADERS` and `CORS_ALLOW_METHODS`, for settings that extend them.

from asgi_cors_django.defaults import default_headers

CORS_ALLOW_HEADERS = [*default_headers, "x-id"]
"""

default_headers = ("accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with")
default_methods = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")

__all__ = ["default_headers", "default_methods"]
