"""CORS for Django: `asgi_cors_django.middleware.CORSMiddleware` reads the settings `CORS_*`.

    INSTALLED_APPS = ["asgi_cors_django", …]  # for the system checks
    MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware", …]
    CORS_ALLOWED_ORIGINS = ["https://app.example.com"]

`cross_origin` sets the policy of a view, and `cors_exempt` leaves a view to its own headers.
"""

from . import _checks as _checks
from ._decorators import cors_exempt, cross_origin
from ._installation import Installation, installation
from .signals import check_request_enabled

__all__ = ["Installation", "check_request_enabled", "cors_exempt", "cross_origin", "installation"]
