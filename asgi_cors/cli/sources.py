"""Calls the sources of a policy for `explain` and `audit`, so that the verdict does not depend on the first request."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from asgi_cors import Answer, OriginSource
from asgi_cors._configuration.calls import call, run_in_background
from asgi_cors._configuration.lookup import check_answer
from asgi_cors._decision.callables import OriginAnswer, failed_answer, get_answer
from asgi_cors._errors import show

if TYPE_CHECKING:
    from asgi_cors import AppContext, LimitedAwaitable, Policy
    from asgi_cors._policy.options import OriginCallable

    from .apps import InspectedApp

TIME_LIMIT: Final = 30.0  # seconds for one call, if the source's own limit is longer


class SourceAnswers:
    """The answers of callables and sources, which are called as a request would call them.

    Args:
        app_context: The context in which functions run.
    """

    def __init__(self, app_context: AppContext | None) -> None:
        """Start without a call."""
        self._app_context = app_context
        self._called: dict[int, OriginSource] = {}

    def get(self, entry: OriginCallable, origin: str, policy: Policy) -> OriginAnswer:
        """Return the answer of one callable. A source is called if needed. An async function is not."""
        if not isinstance(entry, OriginSource):
            return get_answer(entry, origin, policy, partial(call, app_context=self._app_context))
        self._called[id(entry)] = entry
        entry.app_context = entry.app_context or self._app_context
        try:
            answer = entry.look_up(origin, policy)
            answer = check_answer(answer if isinstance(answer, Answer) else _wait(answer))
        except Exception as error:  # noqa: BLE001 - a source of a user may raise anything
            return failed_answer(entry, error)
        if answer.error is not None:
            return failed_answer(entry, answer.error)
        described = get_answer(entry, origin, policy)
        if described.allowed is answer.allowed:
            return described
        return OriginAnswer(answer.allowed, f"{'allowed' if answer.allowed else 'refused'} by {show(entry)}")

    def stop(self) -> None:
        """Stop the sources that were called."""
        for source in self._called.values():
            with contextlib.suppress(Exception):
                run_in_background(_stop(source)).result(TIME_LIMIT)


@contextmanager
def answers_of(app: InspectedApp) -> Generator[SourceAnswers]:
    """Yield the answers of the callables in an app. The answers report failures, so nothing is logged."""
    configurations = [part.configuration for part in (app, *app.parts) if part.configuration]
    contexts = [configuration.evaluator.app_context for configuration in configurations]
    answers = SourceAnswers(next(filter(None, contexts), None))
    logger = logging.getLogger("asgi_cors")
    handler = logging.NullHandler()
    logger.addHandler(handler)  # otherwise Python prints warnings on standard error
    propagate, logger.propagate = logger.propagate, False
    try:
        yield answers
    finally:
        answers.stop()
        logger.removeHandler(handler)
        logger.propagate = propagate


def _wait(answer: LimitedAwaitable) -> Answer:
    """Wait for an answer in the background event loop.

    Raises:
        TimeoutError: If there is no answer in time.
    """
    limit = min(answer.limit + 1, TIME_LIMIT)
    future = run_in_background(_await(answer))
    try:
        return future.result(limit)
    except TimeoutError:
        future.cancel()
        raise TimeoutError(f"no result within {limit:g} seconds") from None


async def _await(answer: LimitedAwaitable) -> Answer:
    return cast("Answer", await answer.awaitable)


async def _stop(source: OriginSource) -> None:
    source.stop()
