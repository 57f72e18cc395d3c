"""The policies that serve a request to an app explain their decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from asgi_cors import Explanation, Policy, Step
from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.explanation import (
    explain_host,
    explain_with,
    is_own_origin,
    strictest,
    with_host,
    with_report_only,
)
from asgi_cors._decision.remedies import remedy
from asgi_cors.cli.apps import AppRequest, Served, find_served
from asgi_cors.cli.apps.installing import install_line
from asgi_cors.cli.apps.routes import ADDED_METHODS
from asgi_cors.cli.apps.settings import in_settings, is_in_settings
from asgi_cors.cli.doctor.question import parse_page_origin
from asgi_cors.cli.errors import CannotRunError

if TYPE_CHECKING:
    from asgi_cors.cli.apps import InspectedApp, Route
    from asgi_cors.cli.sources import SourceAnswers

_WEB_SCHEMES: Final = {"ws": "http", "wss": "https"}
_SCHEMES: Final = {"http", "https", "ws", "wss"}


@dataclass(frozen=True)
class AppCall:
    """The request to explain.

    Args:
        method: The method, as the script spells it.
        origin: The page's origin.
        headers: The request headers that the script sets.
        credentials: Whether the script sends credentials.
        request: The path and the host.
        host: The value of Host, or None if neither the URL nor an option has it.
    """

    method: str
    origin: str
    headers: tuple[tuple[str, str], ...]
    credentials: bool
    request: AppRequest
    host: str | None = None


@dataclass(frozen=True)
class Situation:
    """The routes and policies that serve a request.

    Args:
        served: The policies.
        is_websocket: Whether the request is the handshake of a WebSocket.
        notes: The steps that tell which route serves the path, if that is not as expected.
    """

    served: Served
    is_websocket: bool
    notes: tuple[Step, ...] = ()


def parse_target(target: str, method: str) -> AppRequest:
    """Parse a path or a URL. The query and the fragment are removed, and the path is decoded.

    Raises:
        CannotRunError: The URL is not valid.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", target)
    if scheme and scheme[1].lower() not in _SCHEMES:
        raise CannotRunError(f"{target[:200]!r} is neither a path nor an http, https, ws or wss URL. Write /items.")
    try:
        path = target if target.startswith("/") else f"/{target}"
        parts = urlsplit(target if scheme else f"http://{path}")
        host = parts.netloc.rpartition("@")[2]
        _ = parts.port
    except ValueError as error:
        raise CannotRunError(f"{target!r} is not a valid path or URL: {error}.") from None
    return AppRequest(
        unquote(parts.path) or "/", method, host, is_websocket=parts.scheme in _WEB_SCHEMES, scheme=parts.scheme
    )


def find_situation(app: InspectedApp, name: str, loaded: Any, call: AppCall) -> Situation:
    """Find the route that serves a request, and the policies around it.

    Raises:
        CannotRunError: The app has no asgi_cors middleware.
    """
    if not app.has_policy:
        line = install_line(loaded, name)
        raise CannotRunError(
            f"the {app.kind if app.framework else 'ASGI or WSGI'} app has no CORS policy of asgi_cors. {line.sentence}"
        )
    matching = [route for route in app.routes if _serves(route, call.request)]
    listed = [route for route in matching if not route.unlisted]
    is_websocket = call.request.is_websocket or (bool(listed) and all(route.is_websocket for route in listed))
    route = _choose(matching, call.method, is_websocket=is_websocket)
    installed = route.installed if route else _installed_around(app)
    served = find_served(app, installed, replace(call.request, is_websocket=is_websocket))
    notes = list(_route_notes(app, call, matching, is_websocket=is_websocket))
    if served.owner:
        notes.append(Step("policy", f"that of {served.owner}", repr(call.request.path), passed=None, is_note=True))
    return Situation(served, is_websocket, tuple(notes))


def _installed_around(app: InspectedApp) -> tuple[Any, ...]:
    """Return the policies around the whole app, for a path that no route serves."""
    return next((route.installed[:1] for route in app.routes if route.installed), ()) if app.configuration else ()


def _serves(route: Route, request: AppRequest) -> bool:
    host = re.sub(r"\\{.*?\\}", "[^.]+", re.escape(route.host))
    is_host = not request.host or not host or re.fullmatch(f"(?i){host}(:.*)?", request.host) is not None
    return is_host and route.template.matches(request.path)


def _choose(matching: list[Route], method: str, *, is_websocket: bool) -> Route | None:
    """Return the route that serves a request, as far as the routes are listed. A route of one path comes first."""

    def rank(route: Route) -> tuple[object, ...]:
        return bool(route.unlisted), not route.host, route.template.is_subtree, len(route.template.parts)

    right = sorted((route for route in matching if route.unlisted or route.is_websocket is is_websocket), key=rank)
    serving = [route for route in right if not route.methods or method.upper() in route.methods]
    return next(iter(serving or right), None)


def _route_notes(app: InspectedApp, call: AppCall, matching: list[Route], *, is_websocket: bool) -> Iterator[Step]:
    """Yield a step if the path or the method is not served, or if it is the path of a WebSocket."""
    path = repr(call.request.path)
    right = [route for route in matching if route.unlisted or route.is_websocket is is_websocket]
    if is_websocket and right and not call.request.is_websocket:
        yield Step("path", "a WebSocket: the browser sends a handshake, and no preflight", path, passed=None)
    if not right:
        yield Step("path", _not_served(app, call.request, is_websocket=is_websocket), path, passed=None)
        return
    methods = {method for route in right for method in route.methods}
    is_any = any(not route.methods for route in right)
    if not (is_websocket or is_any or call.method.upper() in methods | ADDED_METHODS):
        rule = f"the route serves {', '.join(sorted(methods))}, so the response is an error such as 405"
        yield Step("method", rule, call.method, passed=None)


def _not_served(app: InspectedApp, request: AppRequest, *, is_websocket: bool) -> str:
    if is_websocket:
        return "no WebSocket of the app has this path"
    other = request.path.rstrip("/") if request.path.endswith("/") else f"{request.path}/"
    if any(_serves(route, replace(request, path=other)) and not route.is_websocket for route in app.routes):
        return f"no route serves it, but one serves {other!r}: the app redirects there, or responds with 404"
    return "no route of the app serves it, so the response is a 404"


def explain_request(answers: SourceAnswers, situation: Situation, call: AppCall) -> Explanation:
    """Explain a request by the policies that serve its path. The sources of the policies are called."""
    found = _explain(answers, situation, call)
    for hosts in situation.served.hosts:
        found = with_host(found, explain_host(hosts, call.host))
    names_hosts = found.code == _reasons.HOST_NOT_ALLOWED
    if any(map(is_in_settings, situation.served.hosts if names_hosts else situation.served.policies)):
        found = replace(found, remedy=in_settings(found.remedy))
    return replace(found, steps=(*situation.notes, *found.steps))


def _explain(answers: SourceAnswers, situation: Situation, call: AppCall) -> Explanation:
    served, path = situation.served, call.request.path
    request = f"{call.method} {path!r} from {call.origin!r}"
    if situation.is_websocket:
        request = f"WebSocket {path!r} from {call.origin!r}"
    if _is_same_origin(call) and (situation.is_websocket or served.at_run_time or not served.policies):
        step = Step("origin", "the page's own origin: browsers apply no CORS", repr(call.origin), passed=True)
        return Explanation(request, True, None, (step,), "", reaches_app=True)
    if served.at_run_time:
        return _undecided(request, path, "policy_for needs the request itself to find the policy")
    if situation.is_websocket and not served.is_checked:
        rule = "no policy checks the handshake: any page can open the WebSocket, unless the app checks Origin"
        return Explanation(request, True, None, (Step("policy", rule, repr(path), passed=None),), "", reaches_app=True)
    if not served.policies:
        return _undecided(request, path, "the path has no policy, and the app's own headers are sent unchanged")
    if served.is_ambiguous:
        rule = _reasons.REASON_TEXTS[_reasons.AMBIGUOUS_PATH]
        line = remedy(served.policies[0], _reasons.AMBIGUOUS_PATH, "", call.origin)
        step = Step("path", rule, repr(path), passed=False)
        return Explanation(request, False, _reasons.AMBIGUOUS_PATH, (step,), line)
    if situation.is_websocket:
        found = strictest([_explain_handshake(answers, policy, call) for policy in served.policies])
        return replace(found, request=request)
    found = strictest([_explain_policy(answers, policy, served, call) for policy in served.policies])
    if served.report_only is None:
        return found
    other = _explain_policy(answers, served.report_only, served, call, applies_reports=True)
    return with_report_only(found, other)


def _explain_policy(
    answers: SourceAnswers, policy: Policy, served: Served, call: AppCall, *, applies_reports: bool = False
) -> Explanation:
    return explain_with(
        answers.get,
        policy,
        call.method,
        call.origin,
        call.headers,
        credentials=call.credentials,
        own_origin=_is_same_origin(call),
        enforce=served.enforce,
        applies_reports=applies_reports,
    )


def _explain_handshake(answers: SourceAnswers, policy: Policy, call: AppCall) -> Explanation:
    found = explain_with(answers.get, policy, "GET", call.origin, credentials=call.credentials)
    steps = tuple(step for step in found.steps if step.check in {"policy", "origin", "credentials"})
    if found.allowed and not (call.credentials or policy.allow_credentials):
        rule = "allow_credentials is False: the handshake is refused if the browser has a cookie for the host"
        steps += (Step("credentials", rule, "cookies", passed=None),)
    return replace(
        found, code=None if found.code is None else "HandshakeRefused", steps=steps, reaches_app=found.allowed
    )


def _is_same_origin(call: AppCall) -> bool:
    """Return whether the page's origin is that of the URL. Without a URL, only Host is compared."""
    if not call.request.host:
        return is_own_origin(call.origin, call.host)
    scheme = _WEB_SCHEMES.get(call.request.scheme, call.request.scheme)
    return parse_page_origin(f"{scheme}://{call.request.host}") == call.origin


def _undecided(request: str, path: str, why: str) -> Explanation:
    return Explanation(request, None, None, (Step("path", why, repr(path), passed=None),), "")
