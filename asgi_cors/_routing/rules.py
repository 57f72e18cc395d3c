"""The rules that lead from a scope to its policies, and the order in which they apply.

A user's function may return an awaitable, so `Rules.find` is a generator that yields the awaitables.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Hashable, Iterable, Iterator, Mapping
from types import NotImplementedType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from asgi_cors import _http
from asgi_cors._decision.request import read_requested_method
from asgi_cors._errors import ConfigError, Issue, show
from asgi_cors._policy.policy import Policy, PolicyOptions

from .paths import PathTable, ambiguous_patterns, path_issue

if TYPE_CHECKING:
    from asgi_cors._http import Scope

    from .paths import PathPattern

PolicyResult = Policy | None | NotImplementedType
PolicyFor = Callable[["Scope"], PolicyResult | Awaitable[PolicyResult]]
PolicySpec = Policy | Mapping[str, Any] | None
PathPolicies = Mapping["PathPattern", PolicySpec]


class PolicyMatch(NamedTuple):
    """The policies that serve one request.

    Args:
        policies: All of them must allow; more than one if several path patterns of one rank match. None passes the
            request through.
        is_ambiguous: Whether another reading of the path leads to another policy. Then nothing is granted.
        per_method: Whether other methods of the URL have other policies, so that browsers must not cache a preflight.
        vary: Request headers, besides those of the policy, that the response depends on.
    """

    policies: tuple[Policy | None, ...]
    is_ambiguous: bool = False
    per_method: bool = False
    vary: tuple[bytes, ...] = ()

    @property
    def policy(self) -> Policy | None:
        """The first policy that is not None."""
        return next((policy for policy in self.policies if policy is not None), None)

    @property
    def is_plain(self) -> bool:
        """Whether one policy alone serves every request with this view or path."""
        return len(self.policies) == 1 and not (self.is_ambiguous or self.per_method or self.vary)


MatchGenerator = Generator[Awaitable[Any], Any, PolicyMatch]


class PerMethodKey:
    """A view key that holds for one method only, because other methods of the URL have other policies.

    Browsers cache a preflight by its URL, so a preflight with such a key is sent with a max-age of 0.
    """

    def __init__(self, key: Hashable | None) -> None:
        """Store the key."""
        self.key = key


class InvalidViewError(Exception):
    """The policy of one view can't be built, so its requests are refused.

    Args:
        key: The key of the view.
        cause: The exception that was raised: a ConfigError with the mistakes, or any other.
    """

    def __init__(self, key: Hashable, cause: Exception) -> None:
        """Build the message."""
        text = f"{cause}" if isinstance(cause, ConfigError) else f"{cause!r}"
        super().__init__(f"the policy of {key} is invalid, so all its requests are refused: {text}")
        self.is_logged = False


class Views(NamedTuple):
    """The policies of views, for an adapter that knows a framework's routes.

    Args:
        key_of: Returns the key of the view that serves a scope, or None if it has no policy of its own. For a
            preflight, `scope["method"]` is the requested method and `scope["asgi_cors.preflight"]` is True. Returns a
            `PerMethodKey` if the URL's views have different keys.
        policies: Policies by key. A mapping is merged over the base policy, None passes the request through, and Rules
            find the policy by path.
        policy_of: Returns the policy of a key that is not in `policies`, because the view is new.
    """

    key_of: Callable[[Scope], Hashable | None]
    policies: Mapping[Hashable, PolicySpec | Rules]
    policy_of: Callable[[Any], PolicySpec | Rules] | None = None


def path_in_code(path: object) -> str:
    """Return a path pattern as code, such as `paths['/api/*']`."""
    return f"paths[{path!r}]"


class Rules:
    """The rules that lead from a scope to a policy: by view, by `policy_for`, by path, and the base policy.

    Args:
        policy: The base policy, for every request that no other rule serves.
        paths: Policies by path: `/exact`, `/prefix/*` for the prefix itself and all below, or an `re.Pattern` that
            must match the whole path. A mapping is merged over the base policy, None passes the request through.
        policy_for: Returns the policy of a scope, None to pass the request through, NotImplemented to leave it to the
            next rule, or an awaitable of these.
        views: The policies of views.
        vary: Request headers, besides Origin, that `policy_for` reads.
        describe_path: Returns the user's own text for a path pattern, for messages.
        warns: Whether to warn of path patterns with the same rank; False if the paths have not changed.

    Raises:
        ConfigError: If a path is not valid, or options don't make a policy.
    """

    def __init__(  # noqa: PLR0913 - one for each rule
        self,
        policy: Policy,
        paths: PathPolicies | None = None,
        policy_for: PolicyFor | None = None,
        views: Views | None = None,
        *,
        vary: Iterable[bytes] = (),
        describe_path: Callable[[Any], str] = path_in_code,
        warns: bool = True,
    ) -> None:
        """Compile paths and views; see the class."""
        issues: list[Issue] = []
        specs: Mapping[Hashable, PolicySpec | Rules] = views.policies if views else {}
        self.policy = policy
        self.policy_for = policy_for
        self.vary = (*_http.VARY_ORIGIN, *vary)
        self.paths = _path_table(policy, paths, issues, describe_path, warns=warns) if paths else None
        self.view_of = views.key_of if views and specs else None
        self._policy_of = views.policy_of if views else None
        self._views: dict[Hashable | None, Policy | Rules | InvalidViewError | None] = {
            key: spec if isinstance(spec, Rules) else policy_from_spec(policy, f"{key!r}", spec, issues)
            for key, spec in specs.items()
        }
        inner = [rules for rules in self._views.values() if isinstance(rules, Rules)]
        self.calls_function: bool = policy_for is not None or any(rules.calls_function for rules in inner)
        if issues:
            raise ConfigError(issues)

    @property
    def has_one_policy(self) -> bool:
        """Whether the base policy serves every request."""
        return not (self.view_of or self.policy_for or self.paths)

    @property
    def depends_on_path_only(self) -> bool:
        """Whether the path alone leads to the policy."""
        return not (self.view_of or self.policy_for)

    def policies(self) -> Iterator[Policy]:
        """Yield the base policy, those of paths, and those of the views that have been built; some more than once."""
        yield self.policy
        yield from filter(None, self.paths.values if self.paths else ())
        for found in [*self._views.values()]:  # a copy, because a request may build another view's
            if isinstance(found, Rules):
                yield from found.policies()
            elif isinstance(found, Policy):
                yield found

    def find(self, scope: Scope) -> MatchGenerator:
        """Find the policies that serve `scope`.

        Yields:
            An awaitable. Its result must be sent in.

        Raises:
            InvalidViewError: If the view's policy can't be built.
            Exception: Any exception of a user's function; TypeError if it does not return a policy.
        """
        if self.view_of is None:
            return (yield from self.find_by_key(scope, None))
        key = self.view_of(_actual_request_scope(scope))
        if not isinstance(key, PerMethodKey):
            return (yield from self.find_by_key(scope, key))
        match = yield from self.find_by_key(scope, key.key)
        return match._replace(per_method=True)

    def find_by_key(self, scope: Scope, key: Hashable | None) -> MatchGenerator:
        """Find the policies that serve `scope` if the view with this key does; see `find`."""
        if key is not None and (key in self._views or self._policy_of):
            own = self._find_view(key)
            return (yield from own.find(scope)) if isinstance(own, Rules) else PolicyMatch((own,))
        if self.policy_for is None:
            return self.at(scope["path"], scope.get("root_path", ""))
        found = self.policy_for(scope)
        if inspect.isawaitable(found):
            found = yield found
        if found is NotImplemented:  # this result may depend on Origin, too
            return self.at(scope["path"], scope.get("root_path", ""))._replace(vary=self.vary)
        if found is None or isinstance(found, Policy):
            return PolicyMatch((found,), vary=self.vary)
        raise TypeError(f"policy_for returned {found!r}, which is not a Policy, None or NotImplemented")

    def has_view_policy(self, scope: Scope) -> bool:
        """Return whether `scope` is served by a view with a policy of its own, so that `policy_for` is not called."""
        key = self.view_of(_actual_request_scope(scope)) if self.view_of else None
        is_known = key in self._views or self._policy_of is not None
        return isinstance(key, PerMethodKey) or (key is not None and is_known)

    def _find_view(self, key: Hashable) -> Policy | Rules | None:
        """Return the policy of a view. That of a new view is built once."""
        if self._policy_of and key not in self._views:
            self._views[key] = self._build_view(key, self._policy_of)
        found = self._views[key]
        if isinstance(found, InvalidViewError):
            raise found
        return found

    def _build_view(
        self, key: Hashable, policy_of: Callable[[Any], PolicySpec | Rules]
    ) -> Policy | Rules | InvalidViewError | None:
        """Build the policy of a new view."""
        issues: list[Issue] = []
        try:
            spec = policy_of(key)
            policy = spec if isinstance(spec, Rules) else policy_from_spec(self.policy, f"{key}", spec, issues)
        except Exception as error:  # noqa: BLE001 - a value may raise anything, and warnings may be errors
            return InvalidViewError(key, error)
        if isinstance(policy, Rules):
            self.calls_function |= policy.calls_function
        return InvalidViewError(key, ConfigError(issues)) if issues else policy

    def at(self, path: str, root: str = "") -> PolicyMatch:
        """Find the policies that serve `path`, below the root path `root`, by path or else the base policy."""
        if self.paths is None:
            return PolicyMatch((self.policy,))
        policies, is_ambiguous = self.paths.match(path, root)
        # If one of several policies is None, the app decides, so nothing can be granted.
        return PolicyMatch(policies, is_ambiguous or (len(policies) > 1 and None in policies))


def _actual_request_scope(scope: Scope) -> Scope:
    """Return the scope of the actual request that a preflight announces; for other requests, the scope itself."""
    method = read_requested_method(scope)
    return scope if method is None else {**scope, "method": method.decode("latin-1"), "asgi_cors.preflight": True}


def _path_table(
    base: Policy, paths: PathPolicies, issues: list[Issue], describe: Callable[[Any], str], *, warns: bool
) -> PathTable[Policy | None]:
    """Validate the paths, build their policies, and index them."""
    policies: dict[PathPattern, Policy | None] = {}
    for path, spec in paths.items():
        if issue := path_issue(path):
            issues.append(issue)
        else:
            policies[path] = policy_from_spec(base, describe(path), spec, issues)
    if warns and not issues:
        for first, second in ambiguous_patterns(policies):
            message = f"it has the same rank as {describe(first)}, so both must allow a path that both match"
            hint = "Write a longer literal prefix in the path that is meant to apply."
            Issue("paths-tie", describe(second), second, message, hint).warn()
    return PathTable(policies, base)


def policy_from_spec(base: Policy, place: str, spec: object, issues: list[Issue]) -> Policy | None:
    """Build the policy of a path or view. A mapping is merged over the base policy."""
    if spec is None or isinstance(spec, Policy):
        return spec
    if not _is_mapping(spec):
        message = f"{show(spec)} is not a Policy, a mapping from names of options, or None"
        hint = "Use a dict of options to change, such as {'max_age': 60}; None passes requests through."
        issues.append(Issue("wrong-type", place, spec, message, hint))
        return None
    try:
        return base.replace(**cast("PolicyOptions", spec))
    except ConfigError as error:
        issues += (Issue(i.code, f"{place}.{i.option}", i.value, i.message, i.hint) for i in error.issues)
        return None


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in cast("Mapping[object, object]", value))
