"""The options of a middleware, validated together with those of its base policy, and the configuration in force.

The evaluator in force is one attribute, so `reconfigure` replaces all options at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, Unpack

from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.callables import get_answer
from asgi_cors._decision.explainer import Step
from asgi_cors._decision.explanation import (
    Explanation,
    explain_host,
    explain_with,
    is_own_origin,
    strictest,
    with_host,
    with_report_only,
)
from asgi_cors._decision.remedies import remedy
from asgi_cors._errors import ConfigError, Issue
from asgi_cors._policy.policy import DEFAULTS, NoOrigins, Policy, PolicyOptions
from asgi_cors._routing.rules import PathPolicies, PolicyFor, PolicySpec, Rules, Views, path_in_code, policy_from_spec

from .attached import DENY_ALL
from .calls import call, call_after_fork
from .evaluation import Evaluator, OnDecision
from .log import Log
from .middleware_options import (
    MIDDLEWARE_DEFAULTS,
    base_policy,
    check_options,
    has_rules,
    parse_allowed_hosts,
    repeatable,
    vary_names,
)

if TYPE_CHECKING:
    from asgi_cors._http import Scope

    from .cache import ResponseCache
    from .calls import AppContext
    from .source import Source


class MiddlewareOptions(PolicyOptions, total=False):
    """The options of a middleware and of its base policy, as keywords."""

    paths: PathPolicies | None
    policy_for: PolicyFor | None
    vary: str | Iterable[str]
    enforce: bool | Literal["report"]
    check_websockets: bool
    allowed_hosts: str | Iterable[str] | None
    report_only: Policy | PolicyOptions | None
    on_decision: OnDecision | None


class Configuration:
    """A policy with the middleware's options and rules, for one or more middlewares.

    Args:
        policy: The base policy; else the policy's options are given as keywords.
        view_of: Returns the key of the view that serves a scope, for an adapter that knows a framework's routes. It is
            called only if views have policies of their own; see `set_views`.
        view_policy: Returns the policy of a view that `set_views` has not named. If it raises a ConfigError, only
            requests of that view are refused, and an ERROR names the view.
        describe_path: Returns the user's own text for a path pattern, such as `resources['/api*']`, for messages.
        before_request: Called without arguments before each request is evaluated, cached or not, for an adapter that
            updates the configuration. Its exceptions are logged.
        app_context: Returns the context manager in which callables of `allow_origins` run, such as Flask's
            `app.app_context`. They never run in the context of a request.
        is_placeholder: Whether `policy` is only there until an adapter knows the app's policy, so that the first
            replacement is not logged.
        options: Those of the middleware and of its base policy.

    Raises:
        ConfigError: With every mistake found.
    """

    def __init__(  # noqa: PLR0913 - options of adapters
        self,
        policy: Policy | None = None,
        *,
        view_of: Callable[[Scope], Hashable | None] | None = None,
        view_policy: Callable[[Any], PolicySpec | Rules] | None = None,
        describe_path: Callable[[Any], str] = path_in_code,
        before_request: Callable[[], object] | None = None,
        app_context: AppContext | None = None,
        is_placeholder: bool = False,
        **options: Unpack[MiddlewareOptions],
    ) -> None:
        """Validate and compile; see the class."""
        self._is_placeholder = is_placeholder
        self._views = Views(view_of, {}, view_policy) if view_of else None
        self._describe_path = describe_path
        self._reset_lock()
        call_after_fork(self, Configuration._reset_lock)
        self._app_context = app_context
        self.before_request: Final = before_request
        self.log = Log()
        self.root_path = ""  # of the latest request that was not cached; see `Log.warn_nested`
        self._activate(self._build_evaluator(policy, options))

    def _reset_lock(self) -> None:
        self._lock = threading.Lock()  # held while the evaluator is replaced, so that no change is lost

    def _activate(self, evaluator: Evaluator) -> None:
        """Replace the evaluator, and the caches of the policy that serves every request, if one does."""
        self.evaluator = evaluator
        is_direct = self.before_request is None
        self.asgi_cache = evaluator.asgi.only if is_direct else None
        self.wsgi_cache = evaluator.wsgi.only if is_direct else None

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.evaluator.rules.policy

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy and the given options at once. Mappings are merged over the new base policy.

        A policy is replaced as a whole: `reconfigure(max_age=60)` allows nothing. To change one option of the policy in
        force, write `reconfigure(policy=app.policy.replace(max_age=60))`.

        Raises:
            ConfigError: With every mistake found. Nothing is replaced then.
        """
        with self._lock:
            self._reconfigure(policy, options, self._views)

    def set_view(self, key: Hashable, policy: PolicySpec | Rules) -> None:
        """Set the policy of one view; see `set_views`."""
        self.set_views({key: policy})

    def set_views(self, policies: Mapping[Hashable, PolicySpec | Rules]) -> None:
        """Set the policies of views: a Policy, rules, options to merge over the base policy, or None.

        Args:
            policies: The policies, by the key that `view_of` returns.

        Raises:
            ConfigError: If options don't make a policy. Nothing is replaced then.
            TypeError: If the configuration was built without `view_of`.
        """
        if self._views is None:
            raise TypeError("set_views needs a configuration with view_of. Write Configuration(view_of=…).")
        with self._lock:
            views = self._views
            self._reconfigure(None, {}, Views(views.key_of, {**views.policies, **policies}, views.policy_of))

    def _reconfigure(self, policy: Policy | None, options: Mapping[str, Any], views: Views | None) -> None:
        """Replace the evaluator. The caller holds the lock."""
        previous = self.policy
        self._activate(self._build_evaluator(policy, options, self.evaluator, views))
        self._views = views
        if self._is_placeholder and self.policy is not previous:
            self._is_placeholder = False
        else:
            self.log.replaced(previous, self.policy)

    def _build_evaluator(
        self,
        policy: object,
        options: Mapping[str, Any],
        previous: Evaluator | None = None,
        views: Views | None = None,
    ) -> Evaluator:
        """Validate all options, and compile them. Options that are not given are the previous ones, or the defaults.

        Raises:
            ConfigError: With every mistake found.
        """
        known = (*DEFAULTS, *MIDDLEWARE_DEFAULTS)
        issues = [Issue.unknown(name, known) for name in options if name not in known]
        given = {name: repeatable(value) for name, value in options.items() if name in MIDDLEWARE_DEFAULTS}
        own = {**(previous.options if previous else MIDDLEWARE_DEFAULTS), **given}
        may_be_empty = has_rules(own) or own["allowed_hosts"] is not None  # a fallback, or not needed
        default: PolicyOptions = {"allow_origins": NoOrigins()} if may_be_empty else {}
        base = base_policy(policy, {name: options[name] for name in options if name in DEFAULTS}, issues, default)
        if base is None and issues:
            base = Policy(allow_origins="https://placeholder.invalid")  # so that mistakes in paths are found as well
        elif base is None:
            base = previous.rules.policy if previous else Policy(**default)
        check_options(own, issues)
        hosts = parse_allowed_hosts(own["allowed_hosts"], issues)
        report_only = policy_from_spec(base, "report_only", own["report_only"], issues)
        names, warns = vary_names(own["vary"], issues), previous is None or "paths" in options
        try:
            paths, find, describe = own["paths"], own["policy_for"], self._describe_path
            rules = Rules(base, paths, find, views, vary=names, describe_path=describe, warns=warns)
        except ConfigError as error:
            raise ConfigError([*issues, *error.issues]) from None
        if issues:
            raise ConfigError(issues)
        return Evaluator(rules, own, self.log, self._app_context, hosts=hosts, report_only=report_only)

    def find_cache(self, scope: Scope) -> ResponseCache | None:
        """Return the response cache of the policy that serves `scope`; None if the request is passed through."""
        self.call_before_request()
        return self.evaluator.asgi.for_scope(scope)

    def call_before_request(self) -> None:
        """Call `before_request`."""
        if self.before_request is not None:
            try:
                self.before_request()
            except Exception as error:  # noqa: BLE001 - the last valid configuration stays in force
                self.log.failure("before_request raised", error)

    def start_sources(self) -> list[Source]:
        """Start the sources of the known policies, and return them."""
        sources = self.evaluator.sources()
        for source in sources:
            self._call_source("start", source)
        return sources

    def stop_sources(self, started: Iterable[Source]) -> None:
        """Stop the sources that were started, and those of the policies in force."""
        for source in {id(source): source for source in (*started, *self.evaluator.sources())}.values():
            self._call_source("stop", source)

    def _call_source(self, name: str, source: Source) -> None:
        try:
            getattr(source, name)()
        except Exception as error:  # noqa: BLE001 - an error in it must not end the app
            self.log.failure(f"{type(source).__name__}.{name}() raised", error)

    def with_policy(self, policy: Policy | None) -> Configuration:
        """Return a configuration with the policy of a view, and with these `allowed_hosts` and `enforce`; for adapters.

        Args:
            policy: The policy; None passes requests through.
        """
        own = self.evaluator.options
        paths: PathPolicies | None = {"/*": None} if policy is None else None
        return Configuration(
            policy or DENY_ALL,
            app_context=self._app_context,
            allowed_hosts=own["allowed_hosts"],
            enforce=own["enforce"],
            paths=paths,
        )

    def explain(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
        host: str | None = None,
    ) -> Explanation:
        """Explain what a browser does with a request, and why; see `asgi_cors.explain`.

        `policy_for` and the policies of views are left out, because they need more of a request than its path.
        """
        checked = explain_host(self.evaluator.hosts, host)
        return with_host(self._explain_path(method, origin, path, headers, credentials=credentials, host=host), checked)

    def _explain_path(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        origin: str,
        path: str,
        headers: Iterable[str | tuple[str, str]],
        *,
        credentials: bool,
        host: str | None,
    ) -> Explanation:
        """Explain a request by the policies of its path."""
        request = f"{method} {path!r} from {origin!r}"
        evaluator, rules = self.evaluator, self.evaluator.rules
        match = rules.at(path)
        if match.is_ambiguous:
            line = remedy(self.policy, _reasons.AMBIGUOUS_PATH, "", origin)
            return Explanation(request, False, _reasons.AMBIGUOUS_PATH, (), line)
        if match.policy is None:
            step = Step("path", "no policy serves it: the app's own headers decide", repr(path), passed=None)
            return Explanation(request, None, None, (step,), "")
        explain_by = partial(
            explain_with,
            partial(get_answer, call=partial(call, app_context=self._app_context)),
            method=method,
            origin=origin,
            headers=tuple(headers),
            credentials=credentials,
            own_origin=is_own_origin(origin, host),
            enforce=evaluator.enforce,
        )
        found = strictest([explain_by(policy) for policy in match.policies if policy])
        if evaluator.report_only is not None and match.policies == (self.policy,):
            found = with_report_only(found, explain_by(evaluator.report_only, applies_reports=True))
        if rules.policy_for is None:
            return found
        rule = "asked at run time (policy_for); the other checks apply if it returns NotImplemented"
        step = Step("policy", rule, repr(path), passed=None)
        return Explanation(found.request, None, None, (step, *found.steps), found.remedy)
