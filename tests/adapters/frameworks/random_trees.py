"""Random trees of routes with policies, random requests, and the check of the responses.

The oracle is the framework: each route and each branch that a request passes writes the name of its policy into the
body, from the outermost to the innermost. A branch is a mount, a router or an include.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.adapters.exchange import drive, scope_of

BASE, OWN, BLUE, GREEN = (f"https://{name}.example" for name in ("base", "own", "blue", "green"))
ORIGINS = (BASE, OWN, BLUE, GREEN)
METHODS = ["GET", "HEAD", "PUT"]
APP: dict[str, Any] = {"allow_origins": BASE, "allow_methods": ["PUT"]}
OPTIONS: dict[str, dict[str, Any]] = {
    "own": {**APP, "allow_origins": OWN},
    "blue": {**APP, "allow_origins": BLUE},
    "guarded": {**APP, "allow_origins": GREEN, "allow_credentials": True, "csrf_protection": True},
}
ALLOWED = {"base": BASE, "own": OWN, "blue": BLUE, "guarded": GREEN, "exempt": None}
NONE = "-"  # the name of no policy


class Leaf(NamedTuple):
    """A route. Its policies are those of the route and of its view; or of a class and of its method."""

    segments: tuple[str, ...]
    method: str
    outer: str
    inner: str
    is_class: bool
    is_late: bool


class Branch(NamedTuple):
    """A branch of the tree. `is_shared` means that another branch has the same children."""

    prefix: str
    kind: int
    policy: str
    is_late: bool
    is_shared: bool
    children: tuple[Any, ...]


class Request(NamedTuple):
    """A request."""

    path: str
    method: str
    host: str
    root: str


class Rewrite(NamedTuple):
    """The changes of an inner middleware."""

    path: str | None
    method: str | None
    host: str | None


Send = Callable[[Any, Request, str, dict[str, str]], tuple[int, str, dict[str, str]]]

HOSTS = ("a.test", "b.test")
POLICIES = st.sampled_from([NONE, NONE, NONE, *OPTIONS, "exempt"])
PATHS = st.lists(st.sampled_from(["", "x", "xx", "1", "y", "de"]), max_size=3).map(lambda parts: "/" + "/".join(parts))
LEAVES = st.builds(
    Leaf,
    st.lists(st.sampled_from(["x", "xx", "y", "int", "name"]), max_size=2).flatmap(
        lambda parts: st.sampled_from([(*parts,), (*parts, ""), (*parts, "path")])
    ),
    st.sampled_from(["GET", "PUT"]),
    POLICIES,
    POLICIES,
    st.booleans(),
    st.booleans(),
)
TREES = st.lists(
    st.recursive(
        LEAVES,
        lambda nodes: st.builds(
            Branch,
            st.sampled_from(["x", "y", "", "name"]),
            st.integers(0, 4),
            POLICIES,
            st.booleans(),
            st.booleans(),
            st.lists(nodes, min_size=1, max_size=3).map(tuple),
        ),
        max_leaves=5,
    ),
    min_size=1,
    max_size=4,
)
VALUES = {"int": "1", "name": "y", "path": "x/1"}


def paths_of(tree: Iterable[Any]) -> list[str]:
    """Return a path of each route; of each shared branch by its other prefix, too."""
    paths = []
    for node in tree:
        if isinstance(node, Leaf):
            paths.append("/" + "/".join(VALUES.get(segment, segment) for segment in node.segments))
        else:
            prefixes = [VALUES.get(node.prefix, node.prefix), "xx", *(["y"] if not node.prefix else [])]
            paths += [f"/{prefix}{path}" if prefix else path for prefix in prefixes for path in paths_of(node.children)]
    return paths


def requests_of(tree: list[Any]) -> Any:
    """Return the strategy of requests, many to the routes of a tree."""
    found = st.sampled_from(sorted({*paths_of(tree)}))
    paths = found | found | found.map("/de{}".format) | PATHS
    requests = st.builds(
        Request, paths, st.sampled_from(METHODS), st.sampled_from(HOSTS), st.sampled_from(["", "", "/x", "/y"])
    )
    return st.tuples(st.just(tree), st.lists(requests, min_size=1, max_size=4))


CASES = TREES.flatmap(requests_of)
REWRITES = st.builds(
    Rewrite, st.none() | PATHS, st.none() | st.sampled_from(METHODS), st.none() | st.sampled_from(HOSTS)
)


def apply(adapter: Any, policy: str, thing: Any) -> Any:
    """Attach a policy to a view, a route or a branch, with the decorators of an adapter."""
    if policy == NONE:
        return thing
    return adapter.cors_exempt(thing) if policy == "exempt" else adapter.cross_origin(**OPTIONS[policy])(thing)


def body_of(passed: list[str]) -> str:
    """Return the body of a response that passed these policies."""
    return " ".join(["ran", *passed])


def check(app: Any, requests: list[Request], send: Send, rewrite: Rewrite | None = None) -> None:
    """Check that no response grants more than the policy of the view that ran.

    Without an inner middleware that changes requests, the policy applies whole, to preflights, too.
    """
    for request in requests:
        for origin in ORIGINS:
            headers = {"host": request.host, "origin": origin}
            status, text, sent = send(app, request, request.method, headers)
            granted = sent.get("access-control-allow-origin")
            preflight = {**headers, "access-control-request-method": request.method}
            announced = send(app, request, "OPTIONS", preflight)[2].get("access-control-allow-origin")
            note = (request, origin, status, text, sent, announced)
            policy = policy_of(text)
            if policy is None:
                continue
            assert granted in {None, ALLOWED[policy]}, note
            is_forged = request.method == "PUT" and policy == "guarded" and origin != GREEN
            assert not is_forged or (rewrite and rewrite.method), note
            if rewrite is None:
                assert granted == (origin if ALLOWED[policy] == origin else None), note
                assert policy == "exempt" or announced == granted, note


def policy_of(text: str) -> str | None:
    """Return the innermost policy of a view that ran, or None if none did."""
    if not text.startswith("ran"):
        return None
    return [name for name in ["base", *text.split()[1:]] if name != NONE][-1]


def over_asgi(app: Any, request: Request, method: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Send a request over ASGI, and return the status, the body and the headers of its response."""
    scope = scope_of(method, "/", headers) | {"path": request.root + request.path, "root_path": request.root}
    response = asyncio.run(drive(app, scope))
    return response.status, response.body.decode(), dict(response.headers)


def over_wsgi(app: Any, request: Request, method: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Send a request over WSGI, and return the status, the body and the headers of its response."""
    environ = EnvironBuilder(path="/", method=method, headers=headers).get_environ()
    chunks, status, sent = run_wsgi_app(app, environ | {"PATH_INFO": request.path, "SCRIPT_NAME": request.root})
    text = b"".join(chunks).decode()
    return int(status.split()[0]), text, {name.lower(): value for name, value in sent}
