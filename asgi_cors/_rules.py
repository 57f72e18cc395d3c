"""Which policy serves a request: a view's own, a function's, a path's, or the base.

Knows how they are written and in which order they are asked; knows no origin. What is asked may be a coroutine, so
`Rules.find` is a generator that yields what is to be awaited.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Generator, Hashable, Iterable, Mapping
from types import NotImplementedType
from typing import TYPE_CHECKING, Any, cast

from ._errors import ConfigError, issue
from ._policy import Policy, PolicyOptions
from ._scope import other_readings, read_request, route_path

if TYPE_CHECKING:
    from ._issue import Issue
    from ._paths import PathPattern, Paths
    from ._types import Scope

Found = Policy | None | NotImplementedType
FindsPolicy = Callable[["Scope"], Found | Awaitable[Found]]
Written = Policy | Mapping[str, Any] | None
PathPolicies = Mapping["PathPattern", Written]
Asking = Generator[Awaitable[Any], Any, "Policy | None"]


class AmbiguousPathError(Exception):
    """The path leads to one policy as it stands, and to another as a router on the way may read it."""


class OneOfSeveral:
    """The key of a view whose URL leads by another method to another policy.

    Browsers keep a preflight's answer by URL: what one policy says must not be kept where it isn't the only one.
    """

    def __init__(self, key: Hashable | None) -> None:
        """Keep the key."""
        self.key = key


class Views:
    """The policies of views, for an adapter that knows a framework's routes.

    Args:
        of: Gives the key of the view that serves a scope; None where that has no policy of its own. Of a preflight,
            it is given a scope with the method that is asked for and a true `asgi_cors.preflight`, and gives
            `OneOfSeveral` where not all of that URL's views have one key.
        policies: Policies by key; a mapping is laid over the base, None passes the request through untouched, and
            Rules go on to look at the path.
    """

    def __init__(self, of: Callable[[Scope], Hashable | None], policies: Mapping[Hashable, Written | Rules]) -> None:
        """Keep both."""
        self.of = of
        self.policies = policies


class Rules:
    """Where each request's policy comes from: its view, then `policy_for`, then its path, then the base.

    Args:
        policy: The base, for everything that no other serves.
        paths: Policies by path: `/exact`, `/prefix/*` for the prefix itself and all below, or an `re.Pattern` that
            must match the whole path. A mapping is laid over the base; None passes the request through untouched.
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
        written: Mapping[Hashable, Written | Rules] = views.policies if views else {}
        self.policy = policy
        self.policy_for = policy_for
        self.paths = _compiled(policy, paths, issues) if paths else None
        self.view_of = views.of if views and written else None
        self.views: dict[Hashable | None, Policy | Rules | None] = {
            key: value if isinstance(value, Rules) else laid_over(policy, f"{key!r}", value, issues)
            for key, value in written.items()
        }
        inner = [value for value in written.values() if isinstance(value, Rules)]
        self.asks: bool = policy_for is not None or any(rules.asks for rules in inner)
        self.unkept = _unkept([self, *inner]) if written else {}
        if issues:
            raise ConfigError(issues)
        if self.paths:
            from ._paths import ties  # noqa: PLC0415 - as below

            for tie in ties(paths or ()):
                tie.warn()

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
        if self.view_of is None:
            return (yield from self._found(scope, None))
        key = self.view_of(_asked_about(scope))
        if not isinstance(key, OneOfSeveral):
            return (yield from self._found(scope, key))
        policy = yield from self._found(scope, key.key)
        return self.unkept.get(policy, policy)

    def _found(self, scope: Scope, key: Hashable | None) -> Asking:
        if key in self.views:
            own = self.views[key]
            return (yield from own.find(scope)) if isinstance(own, Rules) else own
        if self.policy_for is not None:
            import inspect  # noqa: PLC0415 - dear to import; an event loop brings it along

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
        if self.paths is None:
            return self.policy
        policy = self.paths.find(path)
        if any(self.paths.find(reading) != policy for reading in other_readings(path)):
            raise AmbiguousPathError(path)
        return policy


def _asked_about(scope: Scope) -> Scope:
    """Give the scope of the request that a preflight asks about; of any other request, its own."""
    if scope.get("method") != "OPTIONS":
        return scope
    request = read_request(scope)
    if request.origin is None or request.requested_method is None:
        return scope
    return {**scope, "method": request.requested_method.decode("latin-1"), "asgi_cors.preflight": True}


def _unkept(all_rules: Iterable[Rules]) -> dict[Policy | None, Policy]:
    """Give, for each policy of rules with views, the same without anything to be kept by browsers."""
    from ._issue import ConfigWarning  # noqa: PLC0415 - only where views have policies

    unkept: dict[Policy | None, Policy] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)  # what there is to warn of has been said
        for rules in all_rules:
            own = [policy for policy in rules.views.values() if isinstance(policy, Policy)]
            for policy in (rules.policy, *(rules.paths.values() if rules.paths else ()), *own):
                if policy is not None and policy not in unkept:
                    unkept[policy] = policy.replace(max_age=0)
    return unkept


def _compiled(base: Policy, paths: PathPolicies, issues: list[Issue]) -> Paths[Policy | None]:
    """Read what stands for each path, and index the paths."""
    from ._paths import Paths, path_issue  # noqa: PLC0415 - most apps have one policy

    policies: dict[PathPattern, Policy | None] = {}
    for path, written in paths.items():
        found = path_issue(path)
        if found:
            issues.append(found)
            continue
        policies[path] = laid_over(base, f"paths[{path!r}]", written, issues)
    return Paths(policies, base)


def laid_over(base: Policy, place: str, written: Written, issues: list[Issue]) -> Policy | None:
    """Read what stands for a path or view: a policy, nothing, or options to lay over the base."""
    if written is None or isinstance(written, Policy):
        return written
    if not _is_mapping(written):
        issues.append(issue("wrong-type", place, written, f"{written!r} is no Policy, mapping or None"))
        return None
    try:
        return base.replace(**cast("PolicyOptions", written))
    except ConfigError as error:
        issues += (issue(i.code, f"{place}.{i.option}", i.value, i.message, i.hint) for i in error.issues)
        return None


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)
