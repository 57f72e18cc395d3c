"""The parts that the middlewares for ASGI and WSGI share: the object, the response state, and the uncached request.

A middleware leaves the state of the response in the scope or environ, under `SCOPE_KEY`. A nested middleware finds it
there. The state is a list, because the function that sends the response start is bound to it at each request.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Final, Unpack

from asgi_cors._configuration.configuration import Configuration
from asgi_cors._decision import decision as _reasons
from asgi_cors._decision.decision import Decision, intersect, refuse
from asgi_cors._errors import ConfigError, Issue, PositionalOptionsError
from asgi_cors._interfaces import interface_of, is_factory
from asgi_cors._policy.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from asgi_cors._configuration.cache import ResponseCache
    from asgi_cors._configuration.configuration import MiddlewareOptions
    from asgi_cors._configuration.evaluation import Evaluation, LookUp
    from asgi_cors._configuration.lookup import AwaitableGenerator
    from asgi_cors._decision.explanation import Explanation
    from asgi_cors._http import Scope

SCOPE_KEY: Final = "asgi_cors"
PASSED_THROUGH: Final = "asgi_cors.passed_through"  # the key of the state of a response that is left to the app

# The function to call, whether the response has started, the configuration that decided, the scope (under WSGI
# PATH_INFO), and the decisions of nested middlewares and of the view that ran: None, or a list.
SEND, STARTED, CONFIGURATION, SCOPE, INNER_DECISIONS = range(5)
ResponseState = list[Any]

CRASH_NOTE: Final = "CORS: the page will see this as a CORS error, since the 500 is made outside of the middleware."


class BaseMiddleware:
    """Base class of both middlewares: `policy`, `explain` and `reconfigure`.

    Args:
        app: The app to wrap.
        policy: A base policy, or a configuration to share with another middleware.
        arguments: Other positional arguments, which are a mistake.
        options: Those of the middleware and of its base policy.

    Raises:
        ConfigError: With every mistake found.
    """

    interface: ClassVar[str]
    _build_response: ClassVar[staticmethod[[int, str, Decision], Any]]
    _make_start: ClassVar[staticmethod[[Policy, Decision], Any]]
    _store: ClassVar[staticmethod[[Evaluation, Any, Scope], None]]

    def __init__(
        self,
        app: object,
        policy: Policy | Configuration | None,
        arguments: Sequence[object],
        options: MiddlewareOptions,
    ) -> None:
        """Store the configuration, or build it; see the class."""
        issues = self._app_issues(app)
        misplaced = _argument_issues(type(self).__name__, policy, arguments, options)
        if issues or misplaced:
            error = PositionalOptionsError if arguments else ConfigError
            raise error([*issues, *misplaced, *_option_issues(policy, options)])
        self.configuration = policy if isinstance(policy, Configuration) else Configuration(policy, **options)

    @classmethod
    def _app_issues(cls, app: object) -> list[Issue]:
        interface = interface_of(app) if callable(app) else ""
        if interface == cls.interface or (callable(app) and interface is None and not is_factory(app)):
            return []
        article = "an" if cls.interface == "ASGI" else "a"
        return [Issue.wrong_app(app, f"{article} {cls.interface} app", f"{cls.__name__}(app, …)")]

    @property
    def policy(self) -> Policy:
        """The base policy in force."""
        return self.configuration.policy

    def reconfigure(self, policy: Policy | None = None, **options: Unpack[MiddlewareOptions]) -> None:
        """Replace the policy as a whole and the given options, at once; see `Configuration.reconfigure`."""
        self.configuration.reconfigure(policy, **options)

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
        """Explain what a browser does with a request, and why; see `Configuration.explain`."""
        return self.configuration.explain(method, origin, path, headers, credentials=credentials, host=host)

    def _respond(
        self, scope: Scope, cache: ResponseCache, answer: LookUp | None, outer: ResponseState | None, outer_path: str
    ) -> AwaitableGenerator[tuple[Any, tuple[bytes, ...]]]:
        """Evaluate a request whose response is not cached.

        Args:
            scope: The request.
            cache: The cache of the policy that serves it.
            answer: The answer of this policy's callables, if they were called already.
            outer: The response state of an outer middleware.
            outer_path: The path, as the outer middleware got it.

        Yields:
            An awaitable, whose result must be sent in.

        Returns:
            A response of the middleware's own, or the function that sends the start of the app's, or None to pass the
            request through; and the names that Vary gets if the request is passed through.
        """
        configuration = self.configuration
        if outer is not None and outer[CONFIGURATION] is configuration:
            return None, ()
        configuration.root_path = scope.get("root_path", "")
        evaluation = yield from cache.evaluate(scope, answer)
        decision = evaluation.decision
        if evaluation.passes_through:
            return None, decision.vary
        if outer is not None:
            configuration.log.warn_nested(scope, outer_path, outer[CONFIGURATION].root_path)
            add_inner_decision(outer, decision)
        if evaluation.response is not None:
            response = self._build_response(*evaluation.response, decision)
        elif outer is None:
            response = self._make_start(evaluation.policy, decision)
        else:
            return None, ()
        self._store(evaluation, response, scope)
        return response, ()

    def _verify_view(
        self, scope: Scope, predicted: Hashable | None, key: Hashable | None, state: ResponseState | None
    ) -> AwaitableGenerator[Any]:
        """Compare the view that runs with the predicted one. If they differ, both policies must allow.

        Args:
            scope: The request.
            predicted: The key that `view_of` returned for it.
            key: The key of the view that runs.
            state: The state of the response; None for a handshake.

        Yields:
            An awaitable, whose result must be sent in.

        Returns:
            The response to be sent in place of the view's; None if the view may run.
        """
        evaluator = self.configuration.evaluator
        if predicted == key or evaluator.rules.view_of is None:
            return None
        evaluator.log.unpredicted_view(scope, predicted, key)
        evaluation = yield from evaluator.evaluate_view(scope, key)
        if state is not None:
            # None leaves the decision to the app, so nothing can be granted.
            narrower = refuse(evaluation.request, _reasons.POLICY_FAILED)
            add_inner_decision(state, narrower if evaluation.passes_through else evaluation.decision)
        return self._build_response(*evaluation.response, evaluation.decision) if evaluation.response else None


def add_inner_decision(state: ResponseState, decision: Decision) -> None:
    """Add a decision that the outer middleware must respect: that of a nested middleware, or of the view that ran."""
    state[INNER_DECISIONS] = [*(state[INNER_DECISIONS] or ()), decision]


def intersect_with_inner(state: ResponseState, decision: Decision) -> Decision:
    """Return the narrower of a decision and of all inner decisions."""
    return functools.reduce(intersect, state[INNER_DECISIONS] or (), decision)


def add_cors_note(error: Exception) -> None:
    """Add a note to an exception, once: the page cannot read the 500 that an outer layer sends for it."""
    if CRASH_NOTE not in getattr(error, "__notes__", ()):
        error.add_note(CRASH_NOTE)


def _argument_issues(
    place: str, policy: object, arguments: Sequence[object], options: MiddlewareOptions
) -> list[Issue]:
    """Return the mistakes of options that are positional arguments, or are given with a configuration."""
    if isinstance(policy, Configuration) and options:
        message = f"a configuration and options ({', '.join(options)}) are given"
        return [Issue("configuration-and-options", "policy", policy, message, "Write configuration.reconfigure(…).")]
    is_policy = policy is None or isinstance(policy, Policy | Configuration)
    if is_policy and not arguments:
        return []
    return [Issue.positional(place, arguments if is_policy else (policy, *arguments))]


def _option_issues(policy: object, options: MiddlewareOptions) -> Iterable[Issue]:
    """Return the mistakes in the options, so that all mistakes are reported at once."""
    if isinstance(policy, Configuration) or not options:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Configuration(policy if isinstance(policy, Policy) else None, **options)
        except ConfigError as error:
            return error.issues
    return ()
