"""The code that Flask and Quart share: how werkzeug's routes lead to the policy that is attached to a view.

- `BaseInstallation` is the middleware of one app and the policies of its views. A framework's installation adds how it
  reads its configuration and binds its routes. `BaseExtension` is the part that both classes `CORS` share.
- A decorator attaches a policy to a view: `attach_policy(view, AttachedPolicy(place))`. `ViewPolicies` finds the policy
  of the view, or else of its blueprint, that serves a scope. Requests of a view with the policy `EXEMPT` (by
  `cors_exempt`) are passed through.
- The view is predicted, because a preflight is answered before the app routes it. A handler of the framework's signal
  gets the keys of both views from `ViewPolicies.misprediction` and passes them to the middleware's `verify_view`.
- `UrlBinder` binds an app's routes for a scope. It caches the server name and subdomain of each Host.
- `parse_resources` parses Flask-CORS's mapping of paths as `paths` of a Configuration.

Limits: the changes of a middleware inside of ours are predicted for proxy middlewares only. A path of more than 2048
characters is not matched, and nothing is allowed there (`TOO_LONG`).
"""

from ._installation import (
    EXTENSION_KEY,
    BaseExtension,
    BaseInstallation,
    check_app,
    standalone_configuration,
)
from ._resources import EVERY_PATH, Resources, is_regex, list_of, parse_regex, parse_resources
from ._routes import (
    UrlBinder,
    build_environ,
    first_headers,
    layers,
    scheme_of,
    split_root_path,
    through_proxy_fixes,
    to_wsgi_path,
)
from ._views import (
    PREDICTED,
    Predict,
    ViewPolicies,
    cors_exempt,
)

__all__ = [
    "EVERY_PATH",
    "EXTENSION_KEY",
    "PREDICTED",
    "BaseExtension",
    "BaseInstallation",
    "Predict",
    "Resources",
    "UrlBinder",
    "ViewPolicies",
    "build_environ",
    "check_app",
    "cors_exempt",
    "first_headers",
    "is_regex",
    "layers",
    "list_of",
    "parse_regex",
    "parse_resources",
    "scheme_of",
    "split_root_path",
    "standalone_configuration",
    "through_proxy_fixes",
    "to_wsgi_path",
]
