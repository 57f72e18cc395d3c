"""The policies that serve a request to an app."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from asgi_cors import AttachedPolicy, PerMethodKey, Policy

if TYPE_CHECKING:
    from asgi_cors._decision.host import HostSet
    from asgi_cors._routing.rules import PolicyMatch

    from .inspection import InspectedApp
    from .routes import Installed

AT_RUN_TIME: Final = "at run time"


@dataclass(frozen=True)
class AppRequest:
    """The part of a request that leads to its policies.

    Args:
        path: The path, decoded.
        method: The method.
        host: The host, or "" for that of the app.
        is_websocket: Whether it is the handshake of a WebSocket.
        scheme: The scheme of the URL.
    """

    path: str
    method: str = "GET"
    host: str = ""
    is_websocket: bool = False
    scheme: str = "http"


@dataclass(frozen=True)
class Served:
    """The policies that serve a request.

    Args:
        policies: Those of the middlewares that decide, from the outside in. All of them must allow.
        at_run_time: Whether a function needs the request itself to find the policy.
        is_ambiguous: Whether another reading of the path leads to other policies, so that nothing is granted.
        is_nested: Whether two middlewares decide.
        is_checked: For a handshake: whether a middleware checks it.
        is_inside_route: Whether the first middleware that decides belongs to one route.
        enforce: The option of the middlewares that decide: True if one of them has it.
        hosts: The `allowed_hosts` of all middlewares around the route. They also apply where no policy decides.
        report_only: The policy of `report_only` that is compared with the one that decides.
        owner: The decorator and the view that the first policy belongs to, or "" for a policy of the app.
    """

    policies: tuple[Policy, ...] = ()
    at_run_time: bool = False
    is_ambiguous: bool = False
    is_nested: bool = False
    is_checked: bool = False
    is_inside_route: bool = False
    enforce: bool | Literal["report"] = False
    hosts: tuple[HostSet, ...] = ()
    report_only: Policy | None = None
    owner: str = field(default="", compare=False)

    @property
    def policy(self) -> Policy | str | None:
        """The first policy, "at run time", or None if no policy serves the request."""
        if self.at_run_time:
            return AT_RUN_TIME
        return self.policies[0] if self.policies else None


def find_served(app: InspectedApp, installed: Iterable[Installed], request: AppRequest) -> Served:
    """Find the policies that serve a request, in the middlewares around its route."""
    found = [(each, _match(app, each, request)) for each in installed]
    hosts = tuple(each.configuration.evaluator.hosts for each, _ in found)
    limits = tuple(each for each in hosts if each is not None)
    if any(match is None for _, match in found):
        return Served(at_run_time=True, hosts=limits)
    deciding = [(each, match) for each, match in found if match and match.policy is not None]
    policies = tuple(policy for _, match in deciding for policy in match.policies if policy is not None)
    evaluators = [each.configuration.evaluator for each, _ in deciding]
    enforced: set[bool | Literal["report"]] = {evaluator.enforce for evaluator in evaluators}
    reported = [
        each.configuration.evaluator.report_only
        for each, match in deciding
        if match.policies == (each.configuration.policy,)
    ]
    return Served(
        policies,
        is_ambiguous=any(match.is_ambiguous for _, match in deciding),
        is_nested=len(deciding) > 1,
        is_checked=any(evaluator.check_websockets or evaluator.enforce for evaluator in evaluators),
        is_inside_route=bool(deciding) and deciding[0][0].is_inside_route,
        enforce=True if True in enforced else "report" if "report" in enforced else False,
        hosts=limits,
        report_only=next(filter(None, reported), None),
        owner=_owner(app, deciding[0][0], request) if deciding else "",
    )


def _owner(app: InspectedApp, installed: Installed, request: AppRequest) -> str:
    """Return the decorator and the view whose policy a middleware finds, or ""."""
    view_of = installed.configuration.evaluator.rules.view_of
    key = view_of(_scope(app, installed, request)) if view_of else None
    key = key.key if isinstance(key, PerMethodKey) else key
    return str(key) if isinstance(key, AttachedPolicy) else ""


def _match(app: InspectedApp, installed: Installed, request: AppRequest) -> PolicyMatch | None:
    """Return the policies that one middleware finds, or None if they are known at run time only."""
    finding = installed.configuration.evaluator.rules.find(_scope(app, installed, request))
    try:
        awaitable = next(finding)
    except StopIteration as stop:
        match: PolicyMatch = stop.value
        return match
    except Exception:  # noqa: BLE001 - policy_for may need a header that this scope lacks, and raise anything
        return None
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    finding.close()
    return None


def _scope(app: InspectedApp, installed: Installed, request: AppRequest) -> dict[str, Any]:
    config: Any = getattr(app.app, "config", {}) if app.framework in {"Flask", "Quart"} else {}
    host: str = request.host or config.get("SERVER_NAME") or "localhost"
    name, _, port = host.partition(":")
    return {
        "type": "websocket" if request.is_websocket else "http",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "root_path": installed.root,
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"host", host.encode())],
        "server": (name, int(port) if port.isdecimal() else 80),
        "client": None,
    }
