"""A case: one fact about a server, the clause that it is based on, and the correction if it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from .clauses import Clause
    from .session import Session, Step

Kind = Literal["required", "security", "advice"]
REQUIRED: Final = "required"
SECURITY: Final = "security"
ADVICE: Final = "advice"
KINDS: Final[dict[Kind, str]] = {
    REQUIRED: "a browser decides otherwise than declared",
    SECURITY: "an origin that is not declared can use the server",
    ADVICE: "browsers decide as declared",
}
Status = Literal["passed", "failed", "skipped"]
Check = Callable[["Session"], Iterator[str]]


class SkipCase(Exception):  # noqa: N818 - not an error
    """A case does not apply to this server or expectation. The message is the reason."""


@dataclass(frozen=True)
class Case:
    """A case.

    Args:
        name: The stable name, in kebab case.
        kind: The kind.
        clause: The clause on which the case is based.
        title: The behaviour that the case requires.
        write: The correction.
        check: Yields a sentence for each problem.
        needs: The cases that must not fail, because this one could not tell its own fault from theirs.
    """

    name: str
    kind: Kind
    clause: Clause
    title: str
    write: str
    check: Check
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """The result of a case.

    Args:
        case: The case.
        status: Whether it passed.
        problems: A sentence for each problem, or the reason for which the case was skipped.
        steps: The requests with their responses and the browsers' verdicts.
        seconds: The time that the case took.
    """

    case: Case
    status: Status
    problems: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0

    @property
    def is_fatal(self) -> bool:
        """Whether the command must fail."""
        return self.status == "failed" and self.case.kind != ADVICE


def case(  # noqa: PLR0913, PLR0917 - the columns of a table
    name: str, kind: Kind, clause: Clause, title: str, write: str, needs: tuple[str, ...] = ()
) -> Callable[[Check], Case]:
    """Return a decorator that makes a case of its check."""
    return lambda check: Case(name, kind, clause, title, write, check, needs)
