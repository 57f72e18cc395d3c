"""The options in force, and how they decide a request; shared by the middlewares for ASGI and WSGI.

The options in force are one attribute, so that `reconfigure` replaces them at once.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable, Mapping
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack

from asgi_cors import _http
from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.decision import Decision, Outcome, decide, intersect, refuse, unite_names
from asgi_cors._decision.explanation import Explanation, Step, explain, remedy
from asgi_cors._decision.request import Request, is_internal_host, read_request
from asgi_cors._middleware.mark import add_inner_decision
from asgi_cors._policy.policy import Policy
from asgi_cors._routing.rules import InvalidViewError, PolicyMatch, PolicySpec, Rules, Views, path_in_code

from .cache import Kept, Tables
from .evaluation import MiddlewareOptions, Observes, Settings, configured
from .log import SAME_ORIGIN, Log
from .lookup import call_origin_callables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgi_cors._http import Headers, Scope
    from asgi_cors._middleware.mark import State

    from .log import Quiet
    from .lookup import AwaitableGenerator

Key = TypeVar("Key")

_NO_TABLES: Final = Tables()  # never filled
MOST_PATHS: Final = 1024  # cached, since clients may request any
LONGEST_PATH: Final = 256  # characters
MOST_LINES: Final = 1000  # with more headers, the view is not looked up here


class Judgement:
    """The policy that serves a request, and its decision.

    Args:
        policy: The policy; if the request is passed through, the base policy.
        decision: The decision that is sent.
        checked: The decision that `enforce` uses: that of all policies which may serve the request. It may allow even
            if nothing is granted because of an ambiguous path or a failed `policy_for`.
        lasting: Whether an identical request always gets the same decision.
        passes_through: Whether the response is left to the app, with the names in `decision.vary` added to Vary.
        quiet: Until when a cached refusal is not logged again; None if it must not be cached.
        answer: Status and body of a response that is sent without the app: a preflight's, or `enforce`'s.
    """

    __slots__ = ("answer", "checked", "decision", "lasting", "passes_through", "policy", "quiet")

    def __init__(
        self,
        policy: Policy,
        decision: Decision,
        checked: Decision | None = None,
        *,
        lasting: bool = False,
        passes_through: bool = False,
    ) -> None:
        """Begin without what follows from these."""
        self.policy = policy
        self.decision = decision
        self.checked = checked or decision
        self.lasting = lasting
        self.passes_through = passes_through
        self.quiet: Quiet | None = None
        self.answer: tuple[int, str] | None = None

    def keep(self, kept: Kept[Key], key: Key, ready: tuple[Any, ...]) -> None:
        """Keep what carries this decision out, for other requests like this."""
        if self.lasting and not self.decision.refused:
            kept.keep(key, ready)
        elif self.lasting and self.quiet:
            kept.keep(key, ready, *self.quiet)


class _TablesByPath(dict["str | tuple[str, str]", "Tables | None"]):
    """The tables of the policies that serve recently requested paths, so that a path is not matched each time.

    The key is the path, or a pair of path and root path. A table belongs to one settings object. A thread that is
    overtaken by `reconfigure` therefore writes to the old one.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._rules = settings.rules if settings.keeps and settings.rules.depends_on_path_only else None

    def __missing__(self, key: str | tuple[str, str]) -> Tables | None:
        path, root = (key, "") if isinstance(key, str) else key
        tables = _tables(self._rules.at(path, root)) if self._rules else _NO_TABLES
        if len(path) <= LONGEST_PATH:
            if len(self) >= MOST_PATHS:
                self.clear()  # at a thousandth of the cost of finding the oldest each time
            self[key] = tables
        return tables


def _tables(match: PolicyMatch) -> Tables | None:
    """Return the tables of a match with one policy; None if it passes requests through. Otherwise they are empty."""
    if not match.is_plain:
        return _NO_TABLES
    return match.policy.compiled.tables if match.policy else None


class Configuration:
    """A policy with the middleware's options and rules, for one or more middlewares.

    Args:
        policy: The base policy; else the policy's options are given as keywords.
        view_of: Returns the key of the view that serves a scope, for an adapter that knows a framework's routes. It is
            called only if views have policies of their own; see `set_views`.
        view_policy: Returns the policy of a view that `set_views` has not named. If it raises a ConfigError, only
            requests of that view are refused, and an ERROR names the view.
        before_request: Called before each request is evaluated, also before a cached response is used, for an adapter
            whose framework's configuration may have changed.
        describe_path: Returns the user's own text for a path pattern, such as `resources['/api*']`, for messages.
        options: Those of the middleware and of its base policy.

    Raises:
        ConfigError: With every mistake found.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        view_of: Callable[[Scope], Hashable | None] | None = None,
        view_policy: Callable[[Any], PolicySpec | Rules] | None = None,
        before_request: Callable[[], object] | None = None,
        describe_path: Callable[[Any], str] = path_in_code,
        **options: Unpack[MiddlewareOptions],
    ) -> None:
        """Validate and compile; see the class."""
        self._views = Views(view_of, {}, view_policy) if view_of else None
        self.before_request = before_request
        self._describe_path = describe_path
        self._lock = threading.Lock()  # held while the settings are replaced, so that no change is lost
        self.log = Log()
        self.root_path = ""  # of the latest request that was not cached; see `Log.warn_nested`
        self.settings: Settings
        self.tables: Tables | None
        self._put_in_force(configured(policy, options, describe_path=describe_path))

    def _put_in_force(self, settings: Settings) -> None:
        """Replace the settings, and the tables with those of the base policy where it alone serves."""
        self.settings = settings
        rules = settings.rules
        self.tables = rules.policy.compiled.tables if rules.has_one_policy and settings.keeps else None
        self.tables_by_path = _TablesByPath(settings)

    def tables_at(self, path: str, root: str = "") -> Tables | None:
        """Return the tables of the policy that serves `path`; None if the request is passed through.

        They are always empty if the policy depends on more than the path.
        """
        return self.tables_by_path[(path, root) if root else path]

    def tables_of(self, scope: Scope) -> Tables | None:
        """Return the tables of the policy that serves `scope`, by its view or path; see `tables_at`."""
        settings = self.settings
        rules = settings.rules
        if rules.view_of is None:
            return self.tables_at(scope["path"], scope.get("root_path", ""))
        if settings.keeps and not rules.calls_function and length_hint(scope["headers"]) <= MOST_LINES:
            try:
                next(rules.find(scope))  # ends at once, since nothing has to be awaited
            except StopIteration as found:
                return _tables(found.value)
            except Exception:  # noqa: BLE001, S110 - `judge` gets it again, and logs it
                pass
        return _NO_TABLES

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.settings.rules.policy

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy, and the options that are named, at once; mappings are laid over the new base.

        A policy is replaced whole: `reconfigure(max_age=60)` allows nothing. To change an option of the one in force
        write `reconfigure(policy=app.policy.replace(max_age=60))`.

        Raises:
            ConfigError: As the constructor does; what was in force stays so.
        """
        with self._lock:
            self._configure(policy, options, self._views)

    def _configure(self, policy: Policy | None, options: Mapping[str, Any], views: Views | None) -> None:
        """Apply options and views on top of those in force. The caller holds the lock."""
        before, describe = self.settings, self._describe_path
        self._put_in_force(configured(policy, options, before=before, views=views, describe_path=describe))
        self._views = views

    def set_view(self, key: Hashable, policy: PolicySpec | Rules) -> None:
        """Give one view a policy of its own; see `set_views`."""
        self.set_views({key: policy})

    def set_views(self, policies: Mapping[Hashable, PolicySpec | Rules]) -> None:
        """Give views policies of their own, by key: a Policy, rules, options to lay over the base, or None.

        Raises:
            ConfigError: Where options make no policy; what was in force stays so.
        """
        if self._views is None:
            raise TypeError("views have policies of their own only where view_of is given")
        with self._lock:
            views = self._views
            self._configure(None, {}, Views(views.key_of, {**views.policies, **policies}, views.policy_of))

    def explain(
        self,
        method: str,
        origin: str,
        path: str = "/",
        headers: Iterable[str | tuple[str, str]] = (),
        *,
        credentials: bool = False,
    ) -> Explanation:
        """Tell what a browser will do with a request, and why; see `asgi_cors.explain`.

        `policy_for` and a view's own policy are not asked, since they need more of the request than its path.
        """
        request = f"{method} {path!r} from {origin!r}"
        match = self.settings.rules.at(path)
        if match.is_ambiguous:
            line = remedy(self.policy, _reasons.AMBIGUOUS_PATH, "", origin)
            return Explanation(request, False, _reasons.AMBIGUOUS_PATH, (), line)
        if match.policy is None:
            step = Step("path", "no policy serves it: what the app itself sends decides", repr(path), passed=None)
            return Explanation(request, None, None, (step,), "")
        each = [explain(policy, method, origin, headers, credentials) for policy in match.policies if policy]
        found = next((one for allowed in (False, None) for one in each if one.allowed is allowed), each[0])
        if self.settings.rules.policy_for is None:
            return found
        rule = "asked at run time (policy_for); the rest holds where that leaves it to the path"
        step = Step("policy", rule, repr(path), passed=None)
        return Explanation(found.request, None, None, (step, *found.steps), found.remedy)

    # -- requests

    def judge(self, scope: Scope, request: Request) -> AwaitableGenerator[Judgement]:
        """Find the policies that serve a request, and decide.

        Yields:
            An awaitable, whose result must be sent in.
        """
        settings = self.settings
        self.root_path = scope.get("root_path", "")
        judgement = yield from self._judge_by(settings.rules.find(scope), settings, scope, request)
        if not judgement.passes_through:
            judgement.quiet = self._observe(judgement, scope, request, settings.on_decision)
            judgement.answer = _answer(judgement, scope, request, settings)
        return judgement

    def verify_view(
        self, scope: Scope, predicted: Hashable | None, key: Hashable | None, state: State | None
    ) -> AwaitableGenerator[Judgement | None]:
        """Compare the view that runs with the predicted one; if they differ, the policies of both must allow.

        Args:
            scope: The request.
            predicted: The key that `view_of` returned for it.
            key: The key of the view that runs.
            state: The state of the response; None for a handshake.

        Yields:
            An awaitable, whose result must be sent in.

        Returns:
            The policy of the view that runs and its decision; None if the prediction was right.
        """
        settings = self.settings
        if predicted == key or settings.rules.view_of is None:
            return None
        self.log.unpredicted_view(scope, predicted, key)
        request = read_request(scope)
        judgement = yield from self._judge_by(settings.rules.find_by_key(scope, key), settings, scope, request)
        judgement.answer = _answer(judgement, scope, request, settings)
        if state is not None:
            # None leaves the decision to the app, so nothing can be granted.
            narrower = refuse(request, _reasons.POLICY_FAILED) if judgement.passes_through else judgement.decision
            add_inner_decision(state, narrower)
        return judgement

    def _judge_by(
        self, finding: AwaitableGenerator[PolicyMatch], settings: Settings, scope: Scope, request: Request
    ) -> AwaitableGenerator[Judgement]:
        """Decide by the policies that `finding` returns. If it fails, refuse the request."""
        try:
            match = yield from finding
        except InvalidViewError as error:
            self.log.invalid_view(error)
            return Judgement(settings.rules.policy, refuse(request, _reasons.POLICY_FAILED))
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the request must not fail over it
            self.log.failure("the policy for a request could not be found, so it is refused", error)
            match = PolicyMatch((settings.rules.policy,), vary=settings.rules.vary)
            reason: str | None = _reasons.POLICY_FAILED
        else:
            reason = _reasons.AMBIGUOUS_PATH if match.is_ambiguous else None
        policy = match.policy
        if policy is None:
            decision = Decision(Outcome.NOT_CORS, vary=match.vary)
            return Judgement(settings.rules.policy, decision, passes_through=True)
        lasting = match.is_plain and reason is None and settings.keeps
        decisions: list[Decision] = []
        for each in filter(None, match.policies) if reason is None or settings.enforce else ():
            decision = decide(each, request)
            lasting = lasting and decision.outcome is not Outcome.LOOKUP
            if not lasting or scope["type"] == "websocket":
                decision = yield from self._decided(each, decision, scope, request)
            decisions.append(decision)
        checked = functools.reduce(intersect, decisions) if decisions else None
        decision = checked if checked and not reason else refuse(request, reason or _reasons.POLICY_FAILED)
        if match.per_method:
            decision = decision._replace(headers=_uncacheable(decision.headers))
        decision = decision._replace(vary=unite_names(decision.vary, match.vary))
        return Judgement(policy, decision, checked, lasting=lasting)

    def _decided(
        self, policy: Policy, decision: Decision, scope: Scope, request: Request
    ) -> AwaitableGenerator[Decision]:
        """Decide what takes more than policy and request; a callable's failure refuses."""
        if decision.outcome is Outcome.LOOKUP:
            origin = (request.origin or b"").strip(b" \t").decode("latin-1")
            try:
                granted = yield from call_origin_callables(policy, origin)
            except Exception as error:  # noqa: BLE001 - whatever is wrong, the request must not fail over it
                self.log.failure("an origin could not be looked up, so it is refused", error)
                return decide(policy, request, granted=False)._replace(reason=_reasons.LOOKUP_FAILED)
            decision = decide(policy, request, granted=granted)
        if (
            scope["type"] == "websocket"
            and decision.allowed
            and not policy.allow_credentials
            and request.has_credentials
        ):
            return refuse(request, _reasons.CREDENTIALS_NOT_ALLOWED)
        return decision

    def _observe(self, judgement: Judgement, scope: Scope, request: Request, observes: Observes | None) -> Quiet | None:
        """Log a refusal, and call `on_decision`."""
        decision, quiet = judgement.decision, None
        if decision.refused and request.same_origin:
            quiet = SAME_ORIGIN  # browsers let the page read it, so there is nothing to log
        elif decision.refused:
            quiet = self.log.refusal(judgement.policy, request, decision, scope)
        if observes is not None:
            try:
                observes(decision, scope)
            except Exception as error:  # noqa: BLE001 - counting must not fail a request
                self.log.failure("on_decision raised", error)
        return quiet


def _uncacheable(headers: Headers) -> Headers:
    """Return the headers of an allowed preflight that browsers must not cache."""
    if _http.ALLOW_METHODS not in dict(headers):
        return headers
    return (*(header for header in headers if header[0] != _http.MAX_AGE), (_http.MAX_AGE, b"0"))


def _answer(judgement: Judgement, scope: Scope, request: Request, settings: Settings) -> tuple[int, str] | None:
    """Return status and body of a response that is sent without the app."""
    decision = judgement.decision
    if decision.status is not None:
        return decision.status, _reasons.refusal_body(decision.reason, decision.subject) if decision.refused else ""
    guards = scope["type"] == "websocket" and settings.check_websockets
    checked = decision if guards else judgement.checked
    if (guards or settings.enforce) and checked.refused and not request.same_origin:
        return 403, _reasons.refusal_body(checked.reason, host=request.host or b"", internal=is_internal_host(request))
    return None
