"""Tracebacks that end at the user's line.

An error of a page is about the user's call. The frames of this package and of httpx do not explain it, so the public
functions remove them. The frame of the public function itself remains, and pytest hides it.
"""

from __future__ import annotations

import dis
import functools
import inspect
import pathlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from .errors import FetchError, FetchTimeout, LifespanError, NetworkError, SameOriginWarning

P = ParamSpec("P")
T = TypeVar("T")

_PACKAGE = str(pathlib.Path(__file__).parent.parent)
_MISUSE = (TypeError, ValueError, RuntimeError)
_RAISE = dis.opmap["RAISE_VARARGS"]
_ERRORS = (FetchError, LifespanError, SameOriginWarning, *_MISUSE)


def short_traceback(function: Callable[P, T]) -> Callable[P, T]:
    """Remove the inner frames of the errors that the function, or the coroutine function, raises."""
    # Both wrappers raise the error outside of `except`, so that it is not its own context.
    if inspect.iscoroutinefunction(function):
        awaited: Callable[..., Any] = function

        @functools.wraps(function)
        async def wait(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            try:
                return await awaited(*args, **kwargs)
            except _ERRORS as error:
                failure = _shortened(error)
            try:
                raise failure
            finally:
                del failure  # it holds this frame

        return cast("Callable[P, T]", wait)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except _ERRORS as error:
            failure = _shortened(error)
        try:
            raise failure
        finally:
            del failure

    return call


def _shortened(error: Exception) -> Exception:
    """Remove the frames, and a cause that adds nothing. Errors of other code and bugs of this package stay complete."""
    if isinstance(error, _MISUSE) and not isinstance(error, FetchError) and not _is_raised_by_us(error):
        return error
    cause = error.__cause__
    if cause is None or not _is_informative(error, cause):
        error.__cause__ = None
        error.__suppress_context__ = False
    elif isinstance(error, LifespanError):
        cause.__traceback__ = _without_our_frames(cause.__traceback__)
    else:
        # The transport's error. Its own cause remains as its __context__, and is not printed.
        cause.__traceback__ = None
        cause.__cause__ = None
    error.__context__ = None
    return error.with_traceback(None)


def _is_informative(error: Exception, cause: BaseException) -> bool:
    """Return whether the transport or the application raised the cause. The error's message has the text of others."""
    if isinstance(cause, FetchError) or type(cause) is TimeoutError:
        return False
    return isinstance(error, NetworkError | FetchTimeout | LifespanError)


def _is_raised_by_us(error: BaseException) -> bool:
    """Return whether a `raise` of this package raised it. Python's own errors may show a bug of this package."""
    is_raised_by_us = False  # the last entry, the innermost frame, decides
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        is_raised_by_us = _is_ours(code.co_filename) and code.co_code[traceback.tb_lasti] == _RAISE
        traceback = traceback.tb_next
    return is_raised_by_us


def _without_our_frames(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    return traceback


def users_stacklevel() -> int:
    """Return the `stacklevel` with which the caller's warning shows the user's line."""
    level = 1
    frame = inspect.currentframe()
    while (frame := frame and frame.f_back) and _is_ours(frame.f_code.co_filename):
        level += 1
    return level


def _is_ours(filename: str) -> bool:
    return filename.startswith(_PACKAGE)
