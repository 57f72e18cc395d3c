"""The callables of a policy, for developers: how they decide on an origin, as text, and how a refusal is corrected.

Nothing here is called to decide on a request.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeGuard, runtime_checkable

from asgi_cors._errors import show
from asgi_cors._origins.origin_set import Suggestion, closest_origin

if TYPE_CHECKING:
    from asgi_cors._origins.origin_set import OriginSet
    from asgi_cors._policy.options import OriginCallable
    from asgi_cors._policy.policy import Policy

DEPENDS_ON_CALLABLE: Final = "asked at run time"
_MAX_TEXTS: Final = 3  # of callables, in one line
_MAX_LENGTH: Final = 100  # characters of a value or an exception
_MAX_ERROR: Final = 400  # characters of the exception of a source, which ends with its remedy
_MAX_SETS: Final = 16  # origin sets in which the closest origin is looked up


@runtime_checkable
class DescribesOrigins(Protocol):
    """The methods of an `OriginSource`, such as `Cached` or `Loaded`, that describe its answers."""

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        """Return whether the origin is allowed, None if that is not known yet, and the reason as text."""
        ...

    def origin_sets(self, policy: Policy) -> Iterable[OriginSet]:
        """Return the sets of allowed origins."""
        ...

    def remedy(self, origin: str) -> str:
        """Return how the origin can be allowed, as an imperative without a full stop."""
        ...


def is_source(entry: object) -> TypeGuard[DescribesOrigins]:
    """Return whether an entry of `allow_origins` describes its answers."""
    return isinstance(entry, DescribesOrigins)


class OriginAnswer(NamedTuple):
    """The answer of a policy's callables for one origin, for developers.

    Args:
        allowed: Whether the origin is allowed; None if that is known at run time only.
        text: How that was decided, such as `"allowed by customers()"`.
        failed: Whether a callable failed. `allowed` is False then.
    """

    allowed: bool | None
    text: str
    failed: bool = False


GetAnswer = Callable[["OriginCallable", str, "Policy"], OriginAnswer]


def get_answer(
    entry: OriginCallable, origin: str, policy: Policy, call: Callable[[OriginCallable, str], object] | None = None
) -> OriginAnswer:
    """Return the answer of one callable. A sync function is called, an async one is not.

    Args:
        entry: The callable.
        origin: A serialized origin.
        policy: The policy that has the entry.
        call: Calls a sync function. Default: in an empty context, as at run time.
    """
    if is_source(entry):
        return _describe(entry, origin, policy)
    name = call_name(entry)
    if _is_async(entry):
        return OriginAnswer(None, f"{DEPENDS_ON_CALLABLE} ({name})")
    try:
        result = (call or Context().run)(entry, origin)
    except Exception as error:  # noqa: BLE001 - a callable may raise anything, and the request would be refused
        return failed_answer(entry, error)
    if inspect.isawaitable(result):
        getattr(result, "close", lambda: None)()  # a coroutine that is never awaited
        return OriginAnswer(None, f"{DEPENDS_ON_CALLABLE} ({name})")
    if result is True:
        return OriginAnswer(True, f"allowed by {name}")
    returned = "" if result is False else f", which returned {_short(show(result))} and not True"
    return OriginAnswer(False, f"refused by {name}{returned}")


def _describe(source: DescribesOrigins, origin: str, policy: Policy) -> OriginAnswer:
    """Return the answer that a source describes. If that raises, the request may still be allowed."""
    try:
        allowed, text = source.describe(origin, policy)
        return OriginAnswer(allowed, f"{text}")
    except Exception as error:  # noqa: BLE001 - a source of a user may raise anything
        return OriginAnswer(None, f"{DEPENDS_ON_CALLABLE} ({show(source)}, whose describe() raised {_text_of(error)})")


def failed_answer(entry: OriginCallable, error: Exception) -> OriginAnswer:
    """Return the answer of a callable that raised an exception."""
    if is_source(entry):
        return OriginAnswer(False, f"{show(entry)} failed: {_text_of(error, _MAX_ERROR)}", failed=True)
    return OriginAnswer(False, f"{call_name(entry)} raised {_text_of(error)}", failed=True)


def _text_of(error: Exception, limit: int = _MAX_LENGTH) -> str:
    """Return the type and the text of an exception."""
    try:
        text = f": {_short(' '.join(str(error).split()), limit)}" if str(error) else ""
    except Exception:  # noqa: BLE001 - a user's exception may fail in any way
        text = ""
    return f"{type(error).__name__}{text}"


def combined_answer(policy: Policy, origin: str, get: GetAnswer = get_answer) -> OriginAnswer:
    """Return the answer of all callables of a policy: that of the first that allows, or else of all.

    Args:
        policy: The policy.
        origin: A serialized origin.
        get: Returns the answer of one callable.
    """
    answers: list[OriginAnswer] = []
    for entry in policy.compiled.callables:
        answer = get(entry, origin, policy)
        if answer.allowed:
            return answer
        answers.append(answer)
    unknown = [answer for answer in answers if answer.allowed is None]
    if unknown:
        return OriginAnswer(None, _join(unknown))
    return OriginAnswer(False, _join(answers), failed=any(answer.failed for answer in answers))


def describe_refusal(policy: Policy, origin: str) -> str:
    """Return how the sources of a policy refused an origin; empty if none of them did. No function is called."""
    answers = (_describe(source, origin, policy) for source in _sources(policy))
    return _join([answer for answer in answers if answer.allowed is False])


def closest_allowed(policy: Policy, origin: str) -> Suggestion | None:
    """Return the closest origin that a policy allows by its strings or, if there is none, by its sources."""
    of_sources = chain.from_iterable(_sets_of(source, policy) for source in _sources(policy))
    sets = islice(chain([policy.compiled.origins], of_sources), _MAX_SETS)
    return next(filter(None, (closest_origin(origins, origin) for origins in sets)), None)


def _sets_of(source: DescribesOrigins, policy: Policy) -> Iterator[OriginSet]:
    """Yield the origin sets of a source, until it raises."""
    with contextlib.suppress(Exception):
        yield from source.origin_sets(policy)


def source_remedy(policy: Policy, origin: str) -> str | None:
    """Return how the first source of a policy that does not raise can allow an origin; None if there is none."""
    for source in _sources(policy):
        with contextlib.suppress(Exception):
            return source.remedy(origin)
    return None


def call_name(function: Any) -> str:
    """Return a callable as text: `customers()`, with the class for a method, or "a lambda"."""
    name = name_of(function)
    return "a lambda" if name == "<lambda>" else f"{name}()"


def name_of(function: Any) -> str:
    """Return the qualified name of a function, or of the type of a callable object."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", None)
    name = name if isinstance(name, str) else type(function).__qualname__
    return name.rpartition("<locals>.")[2]


def _sources(policy: Policy) -> Iterator[DescribesOrigins]:
    return (entry for entry in policy.compiled.callables if is_source(entry))


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _join(answers: list[OriginAnswer]) -> str:
    texts = [answer.text for answer in answers[:_MAX_TEXTS]]
    more = len(answers) - len(texts)
    return "; ".join([*texts, f"{more} more"] if more else texts)


def _short(text: str, limit: int = _MAX_LENGTH) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
