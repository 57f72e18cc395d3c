"""What both shells share: the options in force, the way from a request to its decision, and what people ask of it.

A shell reads a request and writes an answer; everything between stands here, once. The options in force are one
attribute, so that `reconfigure` replaces them at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Mapping
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack

from . import _reasons
from ._decision import Decision, Outcome, Request, decide, refuse
from ._kept import Kept, Tables
from ._log import SAME_ORIGIN, Log
from ._lookup import ask
from ._policy import Policy
from ._rules import AmbiguousPathError, Rules, Views, Written
from ._scope import is_same_origin, looks_upstream, route_path
from ._settings import MiddlewareOptions, Observes, Settings, configured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._explain import Explanation
    from ._log import Quiet
    from ._lookup import Asking
    from ._types import Scope

Key = TypeVar("Key")

_NO_TABLES: Final = Tables()  # never filled
MOST_PATHS: Final = 1024  # kept, since strangers may ask for any
LONGEST_PATH: Final = 256  # characters
MOST_LINES: Final = 1000  # headers of a request whose view is looked up to find its tables


class Judgement:
    """A request's policy and what it decides.

    Args:
        policy: The policy that serves it.
        decision: What that decides.
        lasting: Whether every request like this is decided alike.
        quiet: How long a refusal need not be looked at again; None of one that must be.
        answer: Status and body of what is answered without the app: a preflight, and what `enforce` refuses.
    """

    __slots__ = ("answer", "decision", "lasting", "policy", "quiet")

    def __init__(self, policy: Policy, decision: Decision, *, lasting: bool = False) -> None:
        """Begin without what follows from these."""
        self.policy = policy
        self.decision = decision
        self.lasting = lasting
        self.quiet: Quiet | None = None
        self.answer: tuple[int, str] | None = None

    def keep(self, kept: Kept[Key], key: Key, ready: tuple[Any, ...]) -> None:
        """Keep what carries this decision out, for other requests like this."""
        if self.lasting and not self.decision.refused:
            kept.keep(key, ready)
        elif self.lasting and self.quiet:
            kept.keep(key, ready, *self.quiet)


class _TablesByPath(dict[str, Tables | None]):
    """The tables of the policies that serve the paths seen lately: a look-up of 30 ns in place of 1,000.

    Of one settings object, so that no thread keeps here what it has found in settings that have been replaced since.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._rules = settings.rules if settings.keeps and settings.rules.is_by_path else None

    def __missing__(self, path: str) -> Tables | None:
        tables: Tables | None = _NO_TABLES
        if self._rules:
            with contextlib.suppress(AmbiguousPathError):
                policy = self._rules.at(path)
                tables = policy.compiled.tables if policy else None
        if len(path) <= LONGEST_PATH:
            if len(self) >= MOST_PATHS:
                self.clear()  # at a thousandth of the cost of finding the oldest each time
            self[path] = tables
        return tables


class Configuration:
    """A policy with all that surrounds it, as one or more middlewares apply it.

    Args:
        policy: The base policy; else the policy's options are given as keywords.
        view_of: Gives the key of the view that serves a scope, for an adapter that knows a framework's routes.
        options: Those of the middleware and of its base policy.

    Raises:
        ConfigError: With every mistake found.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        view_of: Callable[[Scope], Hashable | None] | None = None,
        **options: Unpack[MiddlewareOptions],
    ) -> None:
        """Validate and compile; see the class."""
        self._views = Views(view_of, {}) if view_of else None
        self.log = Log()
        self.settings: Settings
        self.tables: Tables | None
        self._put_in_force(configured(policy, options))

    def _put_in_force(self, settings: Settings) -> None:
        """Replace the settings, and the tables with those of the base policy where it alone serves."""
        self.settings = settings
        self.tables = settings.rules.policy.compiled.tables if settings.rules.is_fixed and settings.keeps else None
        self.tables_by_path = _TablesByPath(settings)

    def tables_at(self, path: str) -> Tables | None:
        """Give the tables of the policy that serves `path`; None where it is passed through untouched.

        They are empty, and stay so, where more than the path tells the policy.
        """
        return self.tables_by_path[path]

    def tables_of(self, scope: Scope) -> Tables | None:
        """Give the tables of the policy that serves `scope`, by its view or path; see `tables_at`."""
        settings = self.settings
        rules = settings.rules
        if rules.view_of is None:
            return self.tables_by_path[route_path(scope)]
        if settings.keeps and not rules.asks and length_hint(scope["headers"]) <= MOST_LINES:
            try:
                next(rules.find(scope))  # ends at once, with nothing to be asked
            except StopIteration as found:
                return found.value.compiled.tables if found.value else None
            except Exception:  # noqa: BLE001, S110 - it is raised again, and told, where the request is judged
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
        self._put_in_force(configured(policy, options, before=self.settings, views=self._views))

    def set_view(self, key: Hashable, policy: Written | Rules) -> None:
        """Give one view a policy of its own; see `set_views`."""
        self.set_views({key: policy})

    def set_views(self, policies: Mapping[Hashable, Written | Rules]) -> None:
        """Give views policies of their own, by key: a Policy, rules, options to lay over the base, or None.

        Raises:
            ConfigError: Where options make no policy; what was in force stays so.
        """
        if self._views is None:
            raise TypeError("views have policies of their own only where view_of is given")
        both: dict[Hashable, Any] = {**self._views.policies, **policies}
        views = Views(self._views.of, both)
        self._put_in_force(configured(None, {}, before=self.settings, views=views))
        self._views = views

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
        from ._explain import Explanation, Step, explain  # noqa: PLC0415 - asked by people, not by requests

        request = f"{method} {path!r} from {origin!r}"
        try:
            policy = self.settings.rules.at(path)
        except AmbiguousPathError:
            return Explanation(request, False, _reasons.AMBIGUOUS_PATH, (), "Write the path as the router sees it.")
        if policy is None:
            step = Step("path", "no policy serves it: what the app itself sends decides", repr(path), passed=None)
            return Explanation(request, None, None, (step,), "")
        found = explain(policy, method, origin, headers, credentials)
        if self.settings.rules.policy_for is None:
            return found
        rule = "asked at run time (policy_for); the rest holds where that leaves it to the path"
        step = Step("policy", rule, repr(path), passed=None)
        return Explanation(found.request, None, None, (step, *found.steps), found.remedy)

    def judge(self, scope: Scope, request: Request) -> Asking[Judgement | None]:
        """Find a request's policy and decide; None where it is to be passed through untouched.

        Yields:
            What is to be awaited, its result to be sent in.
        """
        settings = self.settings
        try:
            policy = yield from settings.rules.find(scope)
        except AmbiguousPathError:
            judgement = Judgement(settings.rules.policy, refuse(request, _reasons.AMBIGUOUS_PATH))
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the request must not fail over it
            self.log.failure("the policy for a request could not be found, so it is refused", error)
            judgement = Judgement(settings.rules.policy, refuse(request, _reasons.POLICY_FAILED))
        else:
            if policy is None:
                return None
            decision = decide(policy, request)
            lasting = decision.outcome is not Outcome.LOOKUP and settings.keeps
            if not lasting or scope["type"] == "websocket":
                decision = yield from self._decided(policy, decision, scope, request)
            judgement = Judgement(policy, decision, lasting=lasting)
        judgement.quiet = self._observe(judgement, scope, request, settings.on_decision)
        judgement.answer = _answer(judgement.decision, scope, request, settings)
        return judgement

    def _decided(self, policy: Policy, decision: Decision, scope: Scope, request: Request) -> Asking[Decision]:
        """Decide what takes more than policy and request; a callable's failure refuses."""
        if decision.outcome is Outcome.LOOKUP:
            origin = (request.origin or b"").strip(b" \t").decode("latin-1")
            try:
                granted = yield from ask(policy, origin)
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
        """Log a refusal, and tell whoever counts."""
        decision, quiet = judgement.decision, None
        if decision.refused and is_same_origin(scope, request):
            quiet = SAME_ORIGIN  # browsers let the page read it, so there is nothing to log
        elif decision.refused:
            quiet = self.log.refusal(judgement.policy, request, decision, scope)
        if observes is not None:
            try:
                observes(decision, scope)
            except Exception as error:  # noqa: BLE001 - counting must not fail a request
                self.log.failure("on_decision raised", error)
        return quiet


def _answer(decision: Decision, scope: Scope, request: Request, settings: Settings) -> tuple[int, str] | None:
    """Give status and body of what is answered without the app."""
    if decision.answer is not None:
        return decision.answer, _reasons.refusal(decision.reason, decision.subject) if decision.refused else ""
    if decision.refused and settings.enforce and not is_same_origin(scope, request):
        return 403, _reasons.refusal(decision.reason, host=request.host or b"", upstream=looks_upstream(request))
    return None
