"""Run the cases one after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from asgi_cors.cli.errors import CannotRunError

from .case import Case, Result, SkipCase
from .cases import ALL, WEBSOCKETS
from .guard import OutOfTimeError
from .session import NoResponseError, Session

if TYPE_CHECKING:
    import httpx

    from .expectation import Expectation

Progress = Callable[[str], None]


@dataclass(frozen=True)
class CheckReport:
    """The results of a check.

    Args:
        expectation: The declared expectation.
        results: A result for each selected case that was run.
        sent: The number of requests that were sent.
        seconds: The time that the check took.
        stopped: The reason for which the check ended early, or "".
    """

    expectation: Expectation
    results: tuple[Result, ...]
    sent: int
    seconds: float
    stopped: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether a required or security case failed."""
        return any(result.is_fatal for result in self.results)

    def count(self, status: str) -> int:
        """Return the number of results with a status."""
        return sum(result.status == status for result in self.results)


def select_cases(expectation: Expectation | None, only: Iterable[str], skip: Iterable[str]) -> tuple[Case, ...]:
    """Return the cases whose names match `only`, and not `skip`.

    Args:
        expectation: The declared expectation. For a WebSocket, the cases of other requests are left out.
        only: Names, with wildcards as in a file name. Without one, all cases.
        skip: Names, in the same form.

    Raises:
        CannotRunError: A name matches no case.
    """
    for option, names in (("--only", only), ("--skip", skip)):
        for name in names:
            if not any(fnmatchcase(case.name, name) for case in ALL):
                raise CannotRunError(f"{option} {name!r} is not the name of a case. {_suggestion(name)}")
    cases = WEBSOCKETS if expectation and expectation.is_websocket else ALL
    wanted = [case for case in cases if not only or any(fnmatchcase(case.name, name) for name in only)]
    return tuple(case for case in wanted if not any(fnmatchcase(case.name, name) for name in skip))


def _suggestion(name: str) -> str:
    closest = get_close_matches(name, [case.name for case in ALL], 1)
    return f"Did you mean {closest[0]!r}?" if closest else "asgi-cors check --list shows all names."


def run_check(
    expectation: Expectation,
    transport: httpx.BaseTransport,
    cases: tuple[Case, ...] = ALL,
    *,
    seconds: float = 300,
    progress: Progress = lambda _: None,
) -> CheckReport:
    """Run cases, and the cases that they need.

    Args:
        expectation: The declared expectation.
        transport: The transport that sends the requests. The caller closes it.
        cases: The cases to report.
        seconds: The time limit.
        progress: Called with the name of each case.

    Raises:
        CannotRunError: The server does not respond to the first request.
    """
    session, began = Session(expectation, transport, seconds), time.monotonic()
    try:
        session.ping()
    except NoResponseError as error:
        raise CannotRunError(f"the server does not respond. {error}") from error
    results: dict[str, Result] = {}
    stopped = _run_cases(_with_needs(cases), session, results, progress)
    wanted = tuple(results[case.name] for case in cases if case.name in results)
    return CheckReport(expectation, wanted, session.guard.sent, time.monotonic() - began, stopped)


def _run_cases(cases: list[Case], session: Session, results: dict[str, Result], progress: Progress) -> str:
    """Run cases, and add their results by name. Return why the check ended early, or ""."""
    for case in cases:
        progress(case.name)
        failed = {name for name, result in results.items() if result.status == "failed"}
        try:
            results[case.name] = _run_case(case, session, failed)
        except NoResponseError as error:
            return f"the server stopped responding at {case.name}. {error}"
        except OutOfTimeError:
            limit = f"{session.guard.seconds:g} s"
            return f"the check took over {limit}, and ended at {case.name}. Set --time-limit to wait longer."
    return ""


def _with_needs(cases: tuple[Case, ...]) -> list[Case]:
    """Return the cases with all that they need, in order."""
    by_name = {case.name: case for case in ALL}
    wanted, waiting = set[str](), [case.name for case in cases]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += by_name[name].needs
    return [case for case in ALL if case.name in wanted]


def _run_case(case: Case, session: Session, failed: set[str]) -> Result:
    """Run a case, and once more if the server did not respond.

    Raises:
        NoResponseError: The server responds to no request.
    """
    blocking = next((name for name in case.needs if name in failed), None)
    if blocking:
        return Result(case, "skipped", (f"see {blocking} (fails).",))
    began = time.monotonic()
    try:
        result = _check(case, session)
    except NoResponseError as error:
        result = _check_again(case, session, error)
    return Result(result.case, result.status, result.problems, result.steps, time.monotonic() - began)


def _check_again(case: Case, session: Session, error: NoResponseError) -> Result:
    """Return the result of a case whose request got no response. It is run once more, unless that was done."""
    if not error.is_confirmed:
        session.ping()
        session.forget()
        try:
            return _check(case, session)
        except NoResponseError as again:
            session.ping()
            error = again
    if error.origin is not None and not session.expectation.allows(error.origin):
        reason = f"the server does not respond to {error.origin!r:.100}, which is not declared."
        return Result(case, "skipped", (reason,), tuple(session.steps))
    return Result(case, "failed", (f"The server does not respond. {error}",), tuple(session.steps))


def _check(case: Case, session: Session) -> Result:
    session.steps = []
    try:
        problems = tuple(case.check(session))
    except SkipCase as reason:
        return Result(case, "skipped", (str(reason),), tuple(session.steps))
    return Result(case, "failed" if problems else "passed", problems, tuple(session.steps))
