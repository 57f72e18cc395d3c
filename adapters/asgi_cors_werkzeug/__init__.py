"""What Flask and Quart share: from werkzeug's routes to the policy that a view was given.

A decorator leaves a mark on a view: `mark(view, anything_hashable)`. `Views(app, bind, policy_of)` finds the mark of
the view, or else of its blueprint, that serves a scope. An adapter puts it to work in three steps:

    views = Views(app, bind, policy_of)    # scope -> MapAdapter | None; mark -> Policy | mapping | None | Rules
    configuration = Configuration(policy, view_of=views.of, …)
    views.refresh(configuration)           # now, and before each request: views are registered at any time

`views.blueprints[full_name] = mark` gives a mark to all views of a blueprint. A view marked `EXEMPT` (by `cors_exempt`)
is passed through untouched. A `Binder` is a `bind` that keeps what an app makes of a Host; `divided(scope)` is where an
app is mounted and the path within, `encoded(path)` that path as an environ has it, and `environ_of(scope)` what
`Map.bind_to_environ` takes. `read_resources` reads a table of paths as Flask-CORS writes it, to be `paths=` of a
Configuration; `read_regex` reads one regular expression.
"""

from ._binding import Binder, divided, encoded
from ._resources import Path, is_regex, list_of, read_regex, read_resources
from ._views import EXEMPT, Views, cors_exempt, environ_of, mark, mark_of, wraps_view

__all__ = [
    "EXEMPT",
    "Binder",
    "Path",
    "Views",
    "cors_exempt",
    "divided",
    "encoded",
    "environ_of",
    "is_regex",
    "list_of",
    "mark",
    "mark_of",
    "read_regex",
    "read_resources",
    "wraps_view",
]
