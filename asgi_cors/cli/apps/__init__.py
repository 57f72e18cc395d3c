"""Load an app and inspect it without starting it: its middlewares, its routes, and the policies of each route.

`loading` imports the app. `layers` follows the middlewares around it. `inspection` finds its policies and its routes:
those of Starlette and FastAPI in `starlette`, those of Flask and Quart in `werkzeug`. `templates` compares the paths of
routes with those of policies, and `policies` finds the policies that serve a request. `installing` has the line that
adds a policy.

Frameworks are recognised by the names of classes, so that none is imported. Limits: a middleware that hides its app
ends the inspection. The routes of other frameworks are not listed.
"""

from .inspection import InspectedApp, inspect_app
from .loading import load_app, one_line_errors
from .policies import AT_RUN_TIME, AppRequest, Served, find_served
from .routes import Route

__all__ = [
    "AT_RUN_TIME",
    "AppRequest",
    "InspectedApp",
    "Route",
    "Served",
    "find_served",
    "inspect_app",
    "load_app",
    "one_line_errors",
]
