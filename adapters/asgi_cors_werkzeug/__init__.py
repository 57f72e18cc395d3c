"""What Flask and Quart share: from werkzeug's routes to the policy that a view was given.

A decorator attaches a policy to a view: `mark(view, AttachedPolicy(place))`. `Views(app, bind, policy_of)` finds the
policy of the view, or else of its blueprint, that serves a scope. An adapter puts it to work in four steps:

    views = Views(app, bind, policy_of)    # scope -> MapAdapter | None; key -> Policy | mapping | None | Rules
    configuration = Configuration(policy, view_of=views.of, view_policy=views.policy_of, …)
    views.install(configuration, connect)  # routes are matched from the first attached policy on
    views.refresh(configuration)           # at start-up: raise for every mistake that can be known by then

`connect` connects a handler to the framework's signals. It compares `views.key_of(endpoint, method)` of the view that
really runs with the prediction, `PREDICTED` in the scope or environ, and calls `verify_view` if they differ. The
prediction is `TOO_LONG` if the path is too long to be matched; nothing is allowed there.

`views.attach_to_blueprint(name, policy)` attaches a policy to all views of a blueprint. A view marked `EXEMPT` (by
`cors_exempt`) is passed through untouched. A `Binder` is a `bind` that keeps what an app makes of a Host;
`divided(scope)` is where an app is mounted and the path within, `encoded(path)` that path as an environ has it, and
`environ_of(scope)` what `Map.bind_to_environ` takes. `first_lines(scope)` are the header lines that count for a route.
`layers(app)` and `through_proxy_fixes` know the middlewares
inside of ours. `read_resources` reads a table of paths as Flask-CORS writes it, to be `paths=` of a Configuration;
`read_regex` reads one regular expression.
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
