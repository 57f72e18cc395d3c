"""The calls of the page, each with the decision of a policy."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from asgi_cors import Explanation, Policy

JSON = {"content-type": "application/json"}
EXEMPT = "The route is exempt, so only its own headers count."
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row. `how` is the browser's interface, `reads` a response header that the script reads.

    The policy does not decide on an exempt route. `by_app` is the result of the headers that the route itself sends.
    """

    id: str
    title: str
    path: str
    how: str = "fetch"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = "{}"
    credentials: bool = False
    reads: str | None = None
    by_app: bool | None = None


CASES = (
    Case(id="get", title="Simple GET", path="/items"),
    Case(id="json", title="POST of JSON", path="/items", method="POST", headers=JSON),
    Case(id="put", title="PUT with a header", path="/items/1", method="PUT", headers={"x-request-id": "7"}),
    Case(id="cookie", title="GET with a cookie", path="/me", credentials=True),
    Case(id="crash", title="A route that crashes", path="/crash"),
    Case(id="public", title="A path open to all", path="/public/news"),
    Case(id="public-cookie", title="The same with a cookie", path="/public/news", credentials=True),
    Case(id="method", title="A method that isn't allowed", path="/items/1", method="DELETE"),
    Case(id="header", title="A header that isn't allowed", path="/items", headers={"x-debug": "1"}),
    Case(id="exposed", title="An exposed response header", path="/items", reads="x-total-count"),
    Case(id="unexposed", title="One that isn't exposed", path="/items", reads="x-build"),
    Case(id="form", title="POST of a form", path="/orders", how="form", method="POST", credentials=True),
    Case(
        id="form-read",
        title="The same by script, to read the response",
        path="/orders",
        method="POST",
        headers=FORM,
        body="id=by-script",
        credentials=True,
    ),
    Case(id="xhr", title="XMLHttpRequest", path="/items/1", how="xhr", method="PUT", headers=JSON),
    Case(id="sse", title="Server-sent events", path="/events", how="eventsource"),
    Case(id="websocket", title="WebSocket", path="/echo", how="websocket", credentials=True),
)

# The routes with policies of their own. The origin that the API refuses is the partner of some of them.
ROUTES = (
    Case(id="route", title="A route of a router for partners", path="/partner/items", credentials=True),
    Case(id="route-put", title="PUT to that route", path="/partner/items", method="PUT"),
    Case(id="inner", title="A route of the same router, open to all", path="/partner/status"),
    Case(id="patch", title="A method with a policy of its own", path="/stock", method="PATCH"),
    Case(id="delete", title="Another method of that path", path="/stock", method="DELETE"),
    Case(id="exempt", title="An exempt route, with headers of its own", path="/legacy", by_app=True),
    Case(id="exempt-put", title="PUT to it, which it refuses", path="/legacy", method="PUT", by_app=False),
    Case(
        id="open-form",
        title="POST of a form to a route without csrf_protection",
        path="/newsletter",
        how="form",
        method="POST",
        credentials=True,
    ),
    Case(
        id="trusting-form",
        title="POST of a form to a route that trusts partners only",
        path="/transfer",
        how="form",
        method="POST",
        credentials=True,
    ),
    Case(id="route-websocket", title="WebSocket for partners", path="/partner/echo", how="websocket", credentials=True),
)


def without_websockets(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return the cases of an interface that has no WebSocket."""
    return tuple(case for case in cases if case.how != "websocket")


class Explains(Protocol):
    """The interface of an API's policy."""

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        ...

    def explain(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        origin: str,
        path: str = ...,
        headers: Iterable[str | tuple[str, str]] = ...,
        *,
        credentials: bool = ...,
        host: str | None = ...,
    ) -> Explanation:
        """Explain the result of a request in a browser."""
        ...


def row(case: Case, cors: Explains, origin: str, host: str) -> dict[str, Any]:
    """Return a case with the decision of the policy, for the page; `host` is the Host header of its calls."""
    explanation = cors.explain(
        case.method,
        origin,
        path=case.path,
        headers=list(case.headers.items()),
        credentials=case.credentials,
        host=host,
    )
    # A form's page never reads the response. The question is whether the app runs.
    allowed = explanation.reaches_app if case.how == "form" else explanation.allowed
    verdict = {
        "allowed": allowed,
        "code": None if allowed else explanation.code,
        "remedy": EXEMPT if allowed is None else "" if allowed else explanation.remedy,
        "text": str(explanation),
    }
    expected = case.by_app if allowed is None else allowed
    exposed = cors.policy.expose_headers
    if allowed and case.reads and case.reads not in exposed:
        verdict |= {
            "allowed": False,
            "code": "not exposed",
            "remedy": f"Write expose_headers={[*exposed, case.reads]!r}.",
            "text": f"The page gets the response, but {case.reads} is not among the exposed headers.",
        }
        expected = False
    return asdict(case) | {"verdict": verdict, "expected": expected}
