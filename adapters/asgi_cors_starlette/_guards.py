"""Guards around routers, which check the policy of the route that really runs before it does.

A middleware of the app may change the path, Host or method of a request before it is routed. The guard of a router is
inside of all middlewares around it. If its scope differs from the predicted one, the guard predicts the route again.
If the policy of that route differs, too, both must allow, and the guard sends the refusal of the second.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable, Hashable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.routing import Router

from asgi_cors import DENY_ALL, FixedPolicy

from ._candidates import Scope
from ._hidden import routers_held_by
from ._matching import RouteMatch, layers, signature_of

if TYPE_CHECKING:
    from ._routes import RoutePolicies

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Response = tuple[int, list[tuple[bytes, bytes]], bytes]

PREDICTION: Final = "asgi_cors.route"  # the key of the prediction in the scope
UNKNOWN: Final = FixedPolicy("an unknown route", DENY_ALL)
_GUARDED: Final = "_asgi_cors_guarded"
_SEARCHED: Final = "_asgi_cors_searched"
_POLICY_VIOLATION: Final = 1008  # RFC 6455, 7.4.1

_lock: Final = threading.Lock()


class Prediction:
    """The predicted route of one request, for one installation.

    Args:
        policies: The policies of the app's routes.
        scope: The request.
        outer: The prediction of an installation around it; None if there is none.
        match: A match without a route, until the route is known.
    """

    __slots__ = ("_endpoint", "_headers", "key", "match", "outer", "policies")

    def __init__(self, policies: RoutePolicies, scope: Scope, outer: Prediction | None, match: RouteMatch) -> None:
        """Begin with an unknown route."""
        self.policies = policies
        self.outer = outer
        self.key: Hashable | None = UNKNOWN
        self.match = match
        self._headers = [*scope["headers"]]  # a middleware may change the list
        self._endpoint = scope.get("endpoint")  # that of an app around the installation

    def holds_for(self, scope: Scope) -> bool:
        """Return whether the prediction was made for the same request."""
        return self.match.signature == signature_of(scope)

    def expects(self, router: Router, scope: Scope) -> bool:
        """Return whether a router gets the scope that is predicted, so that it leads to the predicted route."""
        known = self.match.reached.get(id(router))
        return known is not None and self.match.is_certain and known[1] == signature_of(scope)

    async def verify_router(self, router: Router, holder: object, scope: Scope) -> Response | None:
        """Predict again at a router, because its scope is not the predicted one; return the refusal if there is one.

        Args:
            router: The router.
            holder: The app of this router; None if it has none.
            scope: The scope that the router gets.

        Raises:
            Exception: That of a converter of this router, which the router would raise, too.
        """
        known = self.match.reached.get(id(router))
        owners = self.match.owners[: known[0]] if known else [*self.match.owners, holder]
        match = RouteMatch(owners, guard)
        match.match(router, scope)
        if match.error is not None and match.failed is router:
            raise match.error
        key: Hashable | None = UNKNOWN
        if match.error is None:
            key = self.policies.key_of_match(match, scope)
        predicted, self.key, self.match = self.key, key, match
        if key is UNKNOWN:
            return None  # an inner router raises, and its guard checks the scope again
        return await self._verify(scope, predicted, key)

    def expects_endpoint(self, scope: Scope) -> bool:
        """Return whether no endpoint has run, or the predicted one."""
        endpoint = scope.get("endpoint")
        if endpoint is None or endpoint is self.match.endpoint or endpoint is self._endpoint:
            return True
        known = (self.match.endpoint, *self.match.owners)
        return any(each is endpoint or each is getattr(endpoint, "__self__", None) for each in known if each)

    async def verify_endpoint(self, scope: Scope) -> None:
        """Apply the policy of the endpoint that ran, because it is not the predicted one, when its response starts.

        This is so if a router or route of the app's own calls another one. Both policies must allow then.
        """
        self._endpoint = endpoint = scope["endpoint"]
        match = RouteMatch(self.match.owners, guard)
        match.endpoint = endpoint
        route = scope.get("route")
        if route is not None:
            match.owners.append(route)
        predicted, self.key = self.key, self.policies.key_of_match(match, scope)
        await self._verify(scope, predicted, self.key)

    async def _verify(self, scope: Scope, predicted: Hashable | None, key: Hashable | None) -> Response | None:
        """Return the response to be sent in place of the route's; None if the route may run."""
        sent = {**scope, "headers": self._headers}  # as the client sent them: a middleware may remove Origin
        return await self.policies.middleware.verify_view(sent, predicted, key)


class RouterGuard:
    """The check around a router, for all installations that serve a request.

    Args:
        router: The router.
        app: The app to call: the router without its middlewares.
    """

    holder: object = None  # the app of this router, which may have a policy

    def __init__(self, router: Router, app: Any) -> None:
        """Store both."""
        self._router = router
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        predictions = [] if scope["type"] == "lifespan" else [*_predictions(scope)]
        for prediction in predictions:
            is_expected = prediction.expects(self._router, scope)
            refusal = None if is_expected else await prediction.verify_router(self._router, self.holder, scope)
            if refusal is not None:
                await _send_refusal(refusal, scope, send)
                return

        async def verify_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                for prediction in predictions:
                    if not prediction.expects_endpoint(scope):
                        await prediction.verify_endpoint(scope)
            await send(message)

        await self.app(scope, receive, verify_and_send if predictions else send)


def guard(layer: object) -> None:
    """Guard a router, once; for an app or middleware, the routers that it may call unpredictably.

    The guard is directly around a router, inside of the middlewares of `Router(middleware=…)`.
    """
    if isinstance(layer, Router):
        if _GUARDED not in vars(layer):
            with _lock:
                _guard_router(layer)
    elif _SEARCHED not in getattr(layer, "__dict__", ()):
        with _lock:
            for found in (layer, *routers_held_by(layer)):
                if isinstance(found, Starlette):
                    _guard_router(found.router).holder = found
                elif isinstance(found, Router):
                    _guard_router(found)
        with contextlib.suppress(AttributeError, TypeError):  # without `__dict__`, it is searched each time
            object.__setattr__(layer, _SEARCHED, True)  # not that of a proxy


def _guard_router(router: Router) -> RouterGuard:
    known: RouterGuard | None = vars(router).get(_GUARDED)
    if known is None:
        holder, name = _slot_of(router)
        known = RouterGuard(router, getattr(holder, name))
        setattr(holder, name, known)
        setattr(router, _GUARDED, known)
    return known


def _slot_of(router: Router) -> tuple[Any, str]:
    """Return the object and attribute that lead to the router's own method; else its stack of middlewares."""
    holder: Any = router
    for layer in layers(router.middleware_stack):
        if layer is router:
            return holder, "middleware_stack" if holder is router else "app"
        holder = layer
    return router, "middleware_stack"


def _predictions(scope: Scope) -> Iterator[Prediction]:
    """Yield the predictions of all installations that serve a request, the innermost first."""
    found: Prediction | None = scope.get(PREDICTION)
    while found is not None:
        yield found
        found = found.outer


async def _send_refusal(refusal: Response, scope: Scope, send: Send) -> None:
    """Send a refusal in place of a route's response, or refuse a handshake."""
    status, headers, body = refusal
    prefix = "http"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
            return
        prefix = "websocket.http"
    await send({"type": f"{prefix}.response.start", "status": status, "headers": headers})
    await send({"type": f"{prefix}.response.body", "body": b"" if scope.get("method") == "HEAD" else body})
