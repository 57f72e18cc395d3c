"""One CORS policy for every Python web app: refused when it is unsafe, explained when a browser blocks.

To read the code, follow a request. `_policy` is what the user writes, with its options in `_option_origins` and
`_options`; `_compiled` is what it comes to. `_decision` is the one statement of the rules. `_rules` finds the policy
that serves a request, `_configuration` leads from the request to its decision, and the shells, `_middleware` for ASGI
and `_wsgi` for WSGI, carry it out. `_explain` and `_log` tell of it in words.
"""

from ._compat import asgi_cors, asgi_cors_decorator
from ._configuration import Configuration
from ._decision import Decision, Outcome, Request, decide
from ._errors import ConfigError, ConfigWarning, Issue
from ._explain import Explanation, Step, explain
from ._middleware import CORSMiddleware
from ._policy import Policy, PolicyOptions
from ._rules import OneOfSeveral, Rules
from ._settings import MiddlewareOptions
from ._wsgi import WSGIMiddleware

__all__ = [
    "CORSMiddleware",
    "ConfigError",
    "ConfigWarning",
    "Configuration",
    "Decision",
    "Explanation",
    "Issue",
    "MiddlewareOptions",
    "OneOfSeveral",
    "Outcome",
    "Policy",
    "PolicyOptions",
    "Request",
    "Rules",
    "Step",
    "WSGIMiddleware",
    "asgi_cors",
    "asgi_cors_decorator",
    "decide",
    "explain",
]
