"""The code that Flask and Quart share: how werkzeug's routes lead to the policy that is attached to a view.

A decorator attaches a policy to a view: `mark(view, AttachedPolicy(place))`. `Views(app, bind, policy_of)` finds the
policy of the view, or else of its blueprint, that serves a scope. An adapter uses it in four steps:

    views = Views(app, bind, policy_of)    # scope -> MapAdapter | None; key -> Policy | mapping | None | Rules
    configuration = Configuration(policy, view_of=views.of, view_policy=views.policy_of, …)
    views.install(configuration, connect)  # routes are matched from the first attached policy on
    views.refresh(configuration)           # at start-up: raise for every mistake that can be known by then

`connect` connects a handler to the framework's signals. It compares `views.key_of(endpoint, method)` of the view that
really runs with the prediction, `PREDICTED` in the scope or environ, and calls `verify_view` if they differ. The
prediction is `TOO_LONG` if the path is too long to be matched; nothing is allowed there.

`views.attach_to_blueprint(name, policy)` attaches a policy to all views of a blueprint. Requests of a view with the
policy `EXEMPT` (by `cors_exempt`) are passed through.

- `Binder` is a `bind` that caches the server name and subdomain of each Host.
- `divided(scope)` returns the root path and the path within. `encoded(path)` returns a path as an environ has it.
- `environ_of(scope)` returns the environ for matching a route. `first_lines(scope)` returns the headers that count.
- `layers(app)` and `through_proxy_fixes` find and apply the middlewares inside of ours.
- `read_resources` reads Flask-CORS's table of paths, as `paths=` of a Configuration. `read_regex` reads one expression.
"""

from ._attached import EXEMPT, AttachedPolicy, cors_exempt, mark, mark_of, wraps_view
from ._binding import Binder, divided, encoded, environ_of, first_lines, scheme_of
from ._proxies import layers, through_proxy_fixes
from ._resources import EVERY_PATH, Path, Resources, is_regex, list_of, read_regex, read_resources
from ._views import DENY_ALL, PREDICTED, TOO_LONG, Views, standalone_configuration

__all__ = [
    "DENY_ALL",
    "EVERY_PATH",
    "EXEMPT",
    "PREDICTED",
    "TOO_LONG",
    "AttachedPolicy",
    "Binder",
    "Path",
    "Resources",
    "Views",
    "cors_exempt",
    "divided",
    "encoded",
    "environ_of",
    "first_lines",
    "is_regex",
    "layers",
    "list_of",
    "mark",
    "mark_of",
    "read_regex",
    "read_resources",
    "scheme_of",
    "standalone_configuration",
    "through_proxy_fixes",
    "wraps_view",
]
