"""The middleware's own options: their defaults and checks, and the base policy among the options given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from asgi_cors._decision.host import HostSet, parse_hosts
from asgi_cors._errors import ConfigError, Issue, OptionIssues, show
from asgi_cors._http import TOKEN
from asgi_cors._policy.choices import parse_protection
from asgi_cors._policy.functions import Problem, function_problem, is_a, wrong_place
from asgi_cors._policy.options import list_of, parse_flag
from asgi_cors._policy.policy import Policy, PolicyOptions

from .source import OriginSource

MIDDLEWARE_DEFAULTS: Final[Mapping[str, Any]] = {
    "paths": None,
    "policy_for": None,
    "vary": (),
    "enforce": False,
    "check_websockets": True,
    "allowed_hosts": None,
    "report_only": None,
    "on_decision": None,
}
_ORIGINS: Final = {"allow_origins", "allow_origin_regex"}


def repeatable(value: Any) -> Any:
    """Return iterators as lists, those of a path's options included, because `reconfigure` reads them again."""
    if isinstance(value, Mapping):
        return {path: _with_lists(options) for path, options in cast("Mapping[object, object]", value).items()}
    return list(cast("Iterator[object]", value)) if isinstance(value, Iterator) else value


def _with_lists(options: object) -> object:
    if not isinstance(options, Mapping):
        return options
    values = cast("Mapping[object, object]", options)
    has_iterators = any(isinstance(value, Iterator) for value in values.values())
    return {name: repeatable(value) for name, value in values.items()} if has_iterators else values


def has_rules(options: Mapping[str, Any]) -> bool:
    """Return whether other rules than the base policy find policies."""
    paths = options["paths"]
    return callable(options["policy_for"]) or (isinstance(paths, Mapping) and bool(cast("object", paths)))


def base_policy(
    policy: object, options: Mapping[str, Any], issues: list[Issue], default: PolicyOptions
) -> Policy | None:
    """Return the base policy, or None if it is not given or not valid.

    Args:
        policy: The policy given.
        options: The options of a policy that are given.
        issues: The issues.
        default: The options that count unless others set the origins.
    """
    if isinstance(policy, Policy) and options:
        issues.append(both_given(policy, options))
    elif policy is not None and not isinstance(policy, Policy):
        hint = "Use Policy(…), or the options as keywords."
        issues.append(Issue("wrong-type", "policy", policy, f"{show(policy)} is not a Policy", hint))
    if not options:
        return policy if isinstance(policy, Policy) else None
    try:
        if isinstance(policy, Policy):
            return policy.replace(**cast("PolicyOptions", options))
        return Policy(**cast("PolicyOptions", options if _ORIGINS & {*options} else {**default, **options}))
    except ConfigError as error:
        issues += error.issues
        return None


def both_given(policy: object, options: Iterable[str]) -> Issue:
    """Describe a policy that is given together with options of a policy."""
    message = f"a policy and options of a policy ({', '.join(options)}) are given"
    return Issue("policy-and-options", "policy", policy, message, "Write policy.replace(…), or the options alone.")


def parse_allowed_hosts(value: object, issues: list[Issue]) -> HostSet | None:
    """Return the hosts of `allowed_hosts`; None if every host is allowed."""
    return parse_hosts(value, OptionIssues("allowed_hosts", issues))


def vary_names(value: object, issues: list[Issue]) -> tuple[bytes, ...]:
    """Return the names of `vary` without Origin, which `Rules` adds in any case."""
    names = list_of((value,) if isinstance(value, str) else value)
    found: dict[str, bytes] = {}
    for name in [value] if names is None else names:
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            hint = "Write the names of request headers: vary=['x-tenant']."
            issues.append(Issue("invalid-name", "vary", name, f"{show(name)} is not a header name", hint))
        elif name.lower() != "origin":
            found.setdefault(name.lower(), name.encode())
    return tuple(found.values())


def _is_sync(value: Any) -> bool:
    functions = (value, getattr(value, "__call__", None))  # noqa: B004 - an object's method may be async
    return value is None or (callable(value) and not any(map(inspect.iscoroutinefunction, functions)))


# By option: a check of its value, a noun for valid values, and the hint.
_CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str, str]]] = {
    "check_websockets": (lambda value: value is not None, "True or False", "Write check_websockets=True."),
    "policy_for": (
        lambda value: value is None or callable(value),
        "callable",
        "Leave policy_for out, or use a function from scope to Policy.",
    ),
    "on_decision": (
        _is_sync,
        "a synchronous callable: its result is not awaited",
        "Leave on_decision out, or use a function made with def.",
    ),
    "paths": (
        lambda value: value is None or isinstance(value, Mapping),
        "a mapping of paths",
        "Leave paths out, or use a dict such as {'/api/*': {'max_age': 60}}.",
    ),
}


def check_options(options: dict[str, Any], issues: list[Issue]) -> None:
    """Check types. An option of the wrong type is replaced by its default, so that the others are still checked."""
    for name, (is_valid, noun, hint) in _CHECKS.items():
        if not is_valid(options[name]):
            message = f"{show(options[name])} is not {noun}"
            issues.append(Issue("wrong-type", name, options[name], message, hint))
            options[name] = MIDDLEWARE_DEFAULTS[name]
    options["enforce"] = parse_protection(options["enforce"], OptionIssues("enforce", issues))
    options["check_websockets"] = parse_flag(options["check_websockets"], OptionIssues("check_websockets", issues))
    for name, find_problem in (("policy_for", _policy_for_problem), ("on_decision", _on_decision_problem)):
        function = options[name]
        if function is not None and (problem := find_problem(function)):
            issues.append(Issue(problem.code, name, function, problem.message, problem.hint))
            options[name] = None


def _policy_for_problem(find: Any) -> Problem | None:
    """Return what is wrong with a callable `policy_for`."""
    if is_a(find, OriginSource):
        return wrong_place(find, "allow_origins", "Use it in allow_origins, and leave policy_for out.")
    return function_problem(find, ("scope",), "Use a function from scope to Policy.")


def _on_decision_problem(function: Any) -> Problem | None:
    """Return what is wrong with a callable `on_decision`."""
    hint = "Use a function of (decision, scope), or an object such as PrometheusMetrics()."
    return function_problem(function, ("decision", "scope"), hint)
