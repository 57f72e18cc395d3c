"""CORS for Django: `asgi_cors_django.middleware.CORSMiddleware` reads the settings `CORS_*`.

    INSTALLED_APPS = ["asgi_cors_django", …]  # for the system checks
    MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware", …]
    CORS_ALLOWED_ORIGINS = ["https://app.example.com"]

`cross_origin` sets the policy of a view, and `cors_exempt` leaves a view to its own headers.

The way of a request: `middleware` runs the core on a scope or environ that `_conversion` makes of Django's request,
with the configuration of `_installation`, whose options `_options` has read from the settings. `_routes` finds the
policy of the view that will serve it: `_resolution` finds the view as Django does, and `_views` the policy that
`_decorators` has attached to it, to its class or to an `include()`. The core decides by this policy, or else by that of
the settings, and answers preflights and refused requests without the app. When Django has found the view,
`process_view` has `_exchanges` compare it with the prediction; if they differ, both policies must allow. The response
of the view gets the headers of the decision, by `_conversion` again.
"""

from . import _checks as _checks
from ._decorators import cors_exempt, cross_origin
from ._installation import Installation, installation
from .signals import check_request_enabled

__all__ = ["Installation", "check_request_enabled", "cors_exempt", "cross_origin", "installation"]
