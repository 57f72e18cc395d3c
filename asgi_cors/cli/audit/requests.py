"""Requests of hostile pages that change things, or that reach the app by a Host of the attacker.

- A forged request: another site's page sends a request with the user's cookies. A form needs no preflight for POST.
- DNS rebinding: the attacker's own host name resolves to the server, so that its page has the server's origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from asgi_cors._decision.explanation import explain_with, strictest

from .results import RequestAttack

if TYPE_CHECKING:
    from asgi_cors import Configuration
    from asgi_cors._decision.callables import GetAnswer
    from asgi_cors.cli.apps import Served

    from .results import RouteResult

FORGED: Final = "forged-request"
REBINDING: Final = "rebinding-host"
CHANGING: Final = ("POST", "PUT", "PATCH", "DELETE")
ATTACKER: Final = "https://evil.test"
REBOUND_HOST: Final = "rebinding.evil.test"
_FORM: Final = (("content-type", "text/plain"),)


def forged_methods(get: GetAnswer, found: Iterable[tuple[Served, str]]) -> tuple[str, ...]:
    """Return the methods that a page of another site can send with the user's cookies.

    Args:
        get: Returns the answer of a callable of a policy.
        found: The policies of a route, by method.
    """
    return tuple(method for served, method in found if _runs(get, served, method))


def _runs(get: GetAnswer, served: Served, method: str) -> bool:
    """Return whether the app runs a forged request. A preflight without a policy is refused."""
    if served.at_run_time:
        return False
    if not served.policies:
        return method == "POST"
    each = (
        explain_with(get, policy, method, ATTACKER, _FORM, credentials=True, enforce=served.enforce)
        for policy in served.policies
    )
    return strictest(list(each)).reaches_app is True


def request_attacks(
    routes: Iterable[RouteResult], configurations: Iterable[Configuration], *, checks_host: bool = False
) -> Iterator[RequestAttack]:
    """Yield the results of both attacks.

    Args:
        routes: The routes.
        configurations: The configurations of the app and its parts.
        checks_host: Whether the framework itself refuses the Host of another site.
    """
    changing = [(result, method) for result in routes for method in result.changing]
    if changing:
        passed = [f"{method} {result.route.path}" for result, method in changing if method in result.forged]
        yield RequestAttack(FORGED, len(changing), tuple(passed))
    hosts = [configuration.evaluator.hosts for configuration in configurations]
    if hosts:
        is_refused = checks_host or any(each is not None and not each.allows(REBOUND_HOST.encode()) for each in hosts)
        yield RequestAttack(REBINDING, 1, () if is_refused else (REBOUND_HOST,))
