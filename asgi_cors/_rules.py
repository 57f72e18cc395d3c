"""Which policy serves a request: a view's own, a function's, a path's, or the base.

Knows how they are written and in which order they are asked; knows no origin. What is asked may be a coroutine, so
`Rules.find` is a generator that yields what is to be awaited.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Hashable, Mapping
from types import NotImplementedType
from typing import Any, Final, NamedTuple, cast

from ._errors import ConfigError, Issue
from ._policy import Policy, PolicyOptions
from ._scope import route_path, without_dots
from ._types import Scope

Found = Policy | None | NotImplementedType
FindsPolicy = Callable[[Scope], Found | Awaitable[Found]]
Written = Policy | Mapping[str, Any] | None
PathPolicies = Mapping[str, Written]
Asking = Generator[Awaitable[Any], Any, "Policy | None"]


class AmbiguousPathError(Exception):
    """The path leads to one policy as it stands, and to another without its dot segments and doubled slashes."""


class Views(NamedTuple):
    """The policies of views, for an adapter that knows a framework's routes.

    Args:
        of: Gives the key of the view that serves a scope; None where that has no policy of its own.
        policies: Policies by key; a mapping is laid over the base, None passes the request through untouched.
    """

    of: Callable[[Scope], Hashable | None]
    policies: Mapping[Hashable, Written]


class Rules:
    """Where each request's policy comes from: its view, then `policy_for`, then its path, then the base.

    Args:
        policy: The base, for everything that no other serves.
        paths: Policies by path: `/exact`, or `/prefix/*` for the prefix itself and all below. A mapping is laid over
            the base; None passes the request through untouched.
        policy_for: A function from scope to Policy, None (pass through) or NotImplemented (ask the paths), or to an
            awaitable of these.
        views: The policies of views.

    Raises:
        ConfigError: Of a path that can't be one, or options that make no policy.
    """

    def __init__(
        self,
        policy: Policy,
        paths: PathPolicies | None = None,
        policy_for: FindsPolicy | None = None,
        views: Views | None = None,
    ) -> None:
        """Compile paths and views; see the class."""
        issues: list[Issue] = []
        written: Mapping[Hashable, Written] = views.policies if views else {}
        self.policy = policy
        self.policy_for = policy_for
        self.paths = _Paths(policy, paths, issues) if paths else None
        self.view_of = views.of if views and written else None
        self.views: dict[Hashable | None, Policy | None] = {
            key: laid_over(policy, f"{key!r}", value, issues) for key, value in written.items()
        }
        if issues:
            raise ConfigError(issues)

    @property
    def is_fixed(self) -> bool:
        """Whether the base serves every request."""
        return not (self.view_of or self.policy_for or self.paths)

    @property
    def is_by_path(self) -> bool:
        """Whether nothing but the path tells the policy."""
        return not (self.view_of or self.policy_for)

    def find(self, scope: Scope) -> Asking:
        """Find the policy that serves `scope`; None passes it through untouched.

        Yields:
            What is to be awaited, its result to be sent in.

        Raises:
            AmbiguousPathError: Where the path leads to more than one policy.
            Exception: What a function raises, and TypeError for what is no policy.
        """
        if self.view_of is not None:
            key = self.view_of(scope)
            if key in self.views:
                return self.views[key]
        if self.policy_for is not None:
            found = self.policy_for(scope)
            if inspect.isawaitable(found):
                found = yield found
            if found is None or isinstance(found, Policy):
                return found
            if found is not NotImplemented:
                message = f"policy_for returned {found!r}, which is no Policy, None or NotImplemented"
                raise TypeError(message)
        return self.at(route_path(scope))

    def at(self, path: str) -> Policy | None:
        """Find the policy that serves `path` where no finder knows better.

        Raises:
            AmbiguousPathError: Where the path leads to more than one policy.
        """
        return self.paths.find(path) if self.paths else self.policy


_MISSING: Final = object()


class _Paths:
    """Policies by path, found by one look-up for the path and one for each `/` up to the deepest prefix."""

    def __init__(self, base: Policy, paths: PathPolicies, issues: list[Issue]) -> None:
        self.base = base
        self.exact: dict[str, Policy | None] = {}
        self.prefixes: dict[str, Policy | None] = {}
        for path, written in paths.items():
            issue = _path_issue(path)
            if issue:
                issues.append(issue)
                continue
            policy = laid_over(base, f"paths[{path!r}]", written, issues)
            if path.endswith("/*"):
                self.prefixes[path[:-2]] = policy
            else:
                self.exact[path] = policy
        self.depth = max((prefix.count("/") for prefix in self.prefixes), default=0)

    def find(self, path: str) -> Policy | None:
        policy = self._at(path)
        if "//" in path or "/." in path:
            other = self._at(without_dots(path))
            if other != policy:
                raise AmbiguousPathError(path)
        return policy

    def _at(self, path: str) -> Policy | None:
        found: Any = self.exact.get(path, _MISSING)
        if found is _MISSING:
            found = self.prefixes.get("", _MISSING)
            end = 0
            for _ in range(self.depth):
                end = path.find("/", end + 1)
                longer = self.prefixes.get(path[:end] if end > 0 else path, _MISSING)
                found = found if longer is _MISSING else longer
                if end < 0:
                    break
        return self.base if found is _MISSING else found


def laid_over(base: Policy, place: str, written: Written, issues: list[Issue]) -> Policy | None:
    """Read what stands for a path or view: a policy, nothing, or options to lay over the base."""
    if written is None or isinstance(written, Policy):
        return written
    if not _is_mapping(written):
        issues.append(Issue("wrong-type", place, written, f"{written!r} is no Policy, mapping or None"))
        return None
    try:
        return base.replace(**cast("PolicyOptions", written))
    except ConfigError as error:
        issues += (Issue(i.code, f"{place}.{i.option}", i.value, i.message, i.hint) for i in error.issues)
        return None


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _path_issue(path: object) -> Issue | None:
    if not isinstance(path, str):
        return Issue("wrong-type", "paths", path, f"{path!r} is no string")
    stem = path.removesuffix("/*")
    if path == stem + "/*" and (stem.startswith("/") or not stem) and "*" not in stem:
        return None
    if path.startswith("/") and "*" not in path:
        return None
    hint = (
        f"Write '/{stem.strip('/*')}/*' for all below it."
        if "*" in path and stem.strip("/*")
        else "Write '/*' for every path."
    )
    message = f"{path!r} is no path: it begins with a slash, and has a '*' only as its last segment"
    return Issue("bad-path", "paths", path, message, hint if "*" in path else f"Write '/{path}'.")
