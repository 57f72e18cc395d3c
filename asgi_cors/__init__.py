"""One CORS policy for every Python web app: refused when it is unsafe, explained when a browser blocks.

To read the code, follow a request:

1. `_middleware.CORSMiddleware.__call__` takes it (under WSGI `_wsgi.WSGIMiddleware`), and carries out what has been
   decided before. What is new goes the long way, `_decided`:
2. `_scope.read_request` reads what counts of it.
3. `_configuration.Configuration.judge` leads to the decision: `_rules.Rules.find` gives the policy (`_paths`),
4. and `_decision.decide` applies it: the one statement of the rules.
5. A preflight is answered there and then; of another response `_ready.starter` changes the start (`_merge`).
6. A crash before the start is answered with the same fields (`CORSMiddleware._crashed`), and raised on.

`_policy` is the policy that a user writes. `_option_origins` (with `_origins`, `_origin_patterns`, `_regexes` and
`_regex_cost`) and `_options` parse its options, `_credentials` finds the risks, `_issue` is one mistake. `_compiled` is
the policy as sets and header values. `_explain` and `_log` report a decision as text, with the closest origin (`_near`)
and the correction to write (`_remedies`). `_lookup` calls users' callables, `_websocket` guards handshakes, `_mark` is
the state that nested middlewares share, `_kept` is the cache, and `_lazy` delays expensive imports.
"""

from typing import TYPE_CHECKING

from ._configuration import Configuration
from ._decision import Decision, Outcome, Request, decide
from ._errors import ConfigError
from ._middleware import CORSMiddleware
from ._policy import Policy, PolicyOptions
from ._rules import OneOfSeveral, Rules
from ._settings import MiddlewareOptions

if TYPE_CHECKING:
    from ._compat import asgi_cors, asgi_cors_decorator
    from ._explain import Explanation, Step, explain
    from ._issue import ConfigWarning, Issue
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

# Imported when they are first asked for, since an ASGI app serves without.
_HOMES = {
    "ConfigWarning": "_issue",
    "Explanation": "_explain",
    "Issue": "_issue",
    "Step": "_explain",
    "WSGIMiddleware": "_wsgi",
    "asgi_cors": "_compat",
    "asgi_cors_decorator": "_compat",
    "explain": "_explain",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home, once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - here alone

    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return what is here, the public names among it, imported or not."""
    return sorted({*globals(), *__all__})
