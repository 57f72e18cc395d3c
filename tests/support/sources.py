"""An origin source whose answers a test sets."""

from collections.abc import Iterable

from asgi_cors import Policy
from asgi_cors._configuration.source import Answer, OriginSource
from asgi_cors._origins.origin_set import OriginSet


class Customers(OriginSource):
    """A source that allows a set of origins, and describes that as `Loaded` does.

    Args:
        allowed: The origins.
        age: The text that follows each answer.
        known: Whether it can describe an answer without a call.
    """

    def __init__(self, *allowed: str, age: str = "loaded 12 s ago", known: bool = True) -> None:
        self.allowed = frozenset(allowed)
        self.age = age
        self.known = known

    def look_up(self, origin: str, policy: Policy | None = None) -> Answer:
        return Answer(origin in self.allowed)

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        if not self.known:
            return None, "asked at run time (customers())"
        allowed = origin in self.allowed
        return allowed, f"{'allowed' if allowed else 'refused'} by customers(), {self.age}"

    def origin_sets(self, policy: Policy) -> Iterable[OriginSet]:
        return (OriginSet(self.allowed, (), ()),)

    def __repr__(self) -> str:
        return "Customers()"
