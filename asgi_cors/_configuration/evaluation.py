"""The options of a middleware: read, validated with those of its policy, and in force as one.

Knows what may be given and what it comes to; knows no request.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from asgi_cors._decision.decision import Decision
from asgi_cors._errors import ConfigError, Issue, show
from asgi_cors._http import TOKEN
from asgi_cors._policy.options import list_of
from asgi_cors._policy.policy import DEFAULTS, Policy, PolicyOptions
from asgi_cors._routing.rules import PathPolicies, PolicyFor, Rules, Views, path_in_code

if TYPE_CHECKING:
    from asgi_cors._http import Scope

Observes = Callable[[Decision, "Scope"], object]


class MiddlewareOptions(PolicyOptions, total=False):
    """The options of a middleware, as keywords; those of its base policy among them."""

    paths: PathPolicies | None
    policy_for: PolicyFor | None
    vary: str | Iterable[str]
    enforce: bool
    check_websockets: bool
    on_decision: Observes | None


_OWN: Final[Mapping[str, Any]] = {
    "paths": None,
    "policy_for": None,
    "vary": (),
    "enforce": False,
    "check_websockets": True,
    "on_decision": None,
}


class Settings:
    """The options in force: replaced as one, never changed."""

    def __init__(self, rules: Rules, written: Mapping[str, Any]) -> None:
        """Keep the rules, and what is written of the middleware's own options."""
        self.rules = rules
        self.written = written
        self.enforce: bool = written["enforce"]
        self.check_websockets: bool = written["check_websockets"]
        self.on_decision: Observes | None = written["on_decision"]

    @property
    def keeps(self) -> bool:
        """Whether a decision may be carried out again without a look at anything but the origin."""
        return self.on_decision is None and not self.enforce


def configured(
    policy: object,
    options: Mapping[str, Any],
    *,
    before: Settings | None = None,
    views: Views | None = None,
    describe_path: Callable[[Any], str] = path_in_code,
) -> Settings:
    """Validate everything that is given, and compile it.

    Args:
        policy: The base policy, if it isn't given by its options.
        options: Those of the middleware and of its base policy.
        before: The settings in force, for options that are not given; if None, the defaults.
        views: The policies of views.
        describe_path: Returns the user's own text for a path pattern.

    Raises:
        ConfigError: With every mistake found.
    """
    issues = [Issue.unknown(name, (*DEFAULTS, *_OWN)) for name in options if name not in DEFAULTS and name not in _OWN]
    written = {
        **(before.written if before else _OWN),
        **{name: _repeatable(value) for name, value in options.items() if name in _OWN},
    }
    base = _base(policy, {name: value for name, value in options.items() if name in DEFAULTS}, issues)
    if base is None:
        base = _stand_in() if issues else before.rules.policy if before else Policy()
    _check(written, issues)
    try:
        names = _vary_names(written["vary"], issues)
        find, paths = written["policy_for"], written["paths"]
        warns = before is None or "paths" in options
        rules = Rules(base, paths, find, views, vary=names, describe_path=describe_path, warns=warns)
    except ConfigError as error:
        raise ConfigError([*issues, *error.issues]) from None
    if issues:
        raise ConfigError(issues)
    return Settings(rules, written)


def _repeatable(value: Any) -> Any:
    """Return iterators as lists, those of the options of a path, too, because `reconfigure` reads them again."""
    if isinstance(value, Mapping):
        return {path: _listed(options) for path, options in cast("Mapping[object, object]", value).items()}
    return list(cast("Iterator[object]", value)) if isinstance(value, Iterator) else value


def _listed(options: object) -> object:
    if not isinstance(options, Mapping):
        return options
    values = cast("Mapping[object, object]", options)
    has_iterators = any(isinstance(value, Iterator) for value in values.values())
    return {name: _repeatable(value) for name, value in values.items()} if has_iterators else values


def _base(policy: object, options: Mapping[str, Any], issues: list[Issue]) -> Policy | None:
    """Read the base policy, however it is given; None where it isn't, or is wrong."""
    if isinstance(policy, Policy) and options:
        message = f"a policy and options of a policy ({', '.join(options)}) are given"
        line = "Write policy.replace(…), or the options alone."
        issues.append(Issue("policy-and-options", "policy", policy, message, line))
    elif policy is not None and not isinstance(policy, Policy):
        hint = "Use Policy(…), or the options as keywords."
        issues.append(Issue("wrong-type", "policy", policy, f"{show(policy)} is not a Policy", hint))
    if not options:
        return policy if isinstance(policy, Policy) else None
    try:
        given = cast("PolicyOptions", options)
        return policy.replace(**given) if isinstance(policy, Policy) else Policy(**given)
    except ConfigError as error:
        issues += error.issues
        return None


def _stand_in() -> Policy:
    """Stand in for a base that is wrong, so that the mistakes in paths are found as well."""
    return Policy(allow_origins="https://stand-in.invalid")


def _is_sync(value: object) -> bool:
    if value is None:
        return True
    return callable(value) and not inspect.iscoroutinefunction(value)


def _vary_names(value: object, issues: list[Issue]) -> tuple[bytes, ...]:
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


def _check(written: dict[str, Any], issues: list[Issue]) -> None:
    """Check the middleware's own options. An option of a wrong type is replaced by its default."""
    wanted: dict[str, tuple[Callable[[object], bool], str, str]] = {
        "enforce": (_is_bool, "True or False", "Write enforce=True."),
        "check_websockets": (_is_bool, "True or False", "Write check_websockets=True."),
        "policy_for": (
            lambda value: value is None or callable(value),
            "callable",
            "Leave policy_for out, or use a function from scope to Policy.",
        ),
        "on_decision": (
            _is_sync,
            "a synchronous callable: nothing awaits its result",
            "Leave on_decision out, or use a function made with def.",
        ),
        "paths": (
            lambda value: value is None or isinstance(value, Mapping),
            "a mapping of paths",
            "Leave paths out, or use a dict such as {'/api/*': {'max_age': 60}}.",
        ),
    }
    for name, (fits, what, hint) in wanted.items():
        if not fits(written[name]):
            issues.append(Issue("wrong-type", name, written[name], f"{show(written[name])} is not {what}", hint))
            written[name] = _OWN[name]


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)
