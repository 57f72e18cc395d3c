"""One CORS policy for every Python web app: refused when it is unsafe, explained when a browser blocks.

The packages are layers, and each imports only the ones before it: `_http` and `_errors`, `_origins`, `_policy`,
`_decision`, `_routing`, `_configuration`, `_middleware`. To read the code, begin with `decide` in
`_decision/decision.py` and go up to `CORSMiddleware` in `_middleware/asgi.py`. `registry` stores origins, `cli` is the
command line, and `_compat` has the names of PyPI's `asgi-cors`. `testing` simulates a browser and imports none of them.
"""

from ._compat import asgi_cors, asgi_cors_decorator
from ._configuration.attached import (
    DENY_ALL,
    EXEMPT,
    TOO_LONG,
    AttachedPolicy,
    FixedPolicy,
    activate_when_used,
    attach_policy,
    attached_policy,
    is_too_long,
    note_usage,
    wrapper_of,
)
from ._configuration.cached.cached import Cached, CachedOptions
from ._configuration.cached.records import CacheStatistics
from ._configuration.cached.tenants import Tenants, TenantsOptions
from ._configuration.calls import AppContext, LimitedAwaitable
from ._configuration.configuration import Configuration, MiddlewareOptions
from ._configuration.loaded.loaded import Loaded
from ._configuration.loaded.options import LoadedOptions, LoadedStatistics
from ._configuration.source import Answer, Lease, OriginSource
from ._decision.decision import Decision, Outcome, decide
from ._decision.explainer import Step
from ._decision.explanation import Explanation, explain
from ._decision.request import Request, read_request
from ._errors import ConfigError, ConfigWarning, Issue
from ._middleware.asgi import CORSMiddleware
from ._middleware.wsgi import WSGIMiddleware
from ._policy.diff import PolicyDiff
from ._policy.origin_table import OriginTable, check_origin
from ._policy.policy import Policy, PolicyOptions
from ._routing.rules import PerMethodKey, Rules

__all__ = [
    "DENY_ALL",
    "EXEMPT",
    "TOO_LONG",
    "Answer",
    "AppContext",
    "AttachedPolicy",
    "CORSMiddleware",
    "CacheStatistics",
    "Cached",
    "CachedOptions",
    "ConfigError",
    "ConfigWarning",
    "Configuration",
    "Decision",
    "Explanation",
    "FixedPolicy",
    "Issue",
    "Lease",
    "LimitedAwaitable",
    "Loaded",
    "LoadedOptions",
    "LoadedStatistics",
    "MiddlewareOptions",
    "OriginSource",
    "OriginTable",
    "Outcome",
    "PerMethodKey",
    "Policy",
    "PolicyDiff",
    "PolicyOptions",
    "Request",
    "Rules",
    "Step",
    "Tenants",
    "TenantsOptions",
    "WSGIMiddleware",
    "activate_when_used",
    "asgi_cors",
    "asgi_cors_decorator",
    "attach_policy",
    "attached_policy",
    "check_origin",
    "decide",
    "explain",
    "is_too_long",
    "note_usage",
    "read_request",
    "wrapper_of",
]
