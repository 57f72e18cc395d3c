"""Apps whose origins are known at run time, to explain and to audit."""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asgi_cors import Answer, Configuration, CORSMiddleware, LimitedAwaitable, OriginSource, Policy
from tests.support.cli_apps import raw
from tests.support.sources import Customers

PAGE = "https://app.example.com"
in_app_context: ContextVar[bool] = ContextVar("in_app_context", default=False)


@contextmanager
def app_context() -> Any:
    """Enter the context of an app."""
    token = in_app_context.set(True)
    try:
        yield
    finally:
        in_app_context.reset(token)


class Later(OriginSource):
    """A source that must be awaited before it knows the origins.

    Args:
        allowed: The origins.
        limit: The seconds after which the call ends.
        remembers: Whether it can describe its answer afterwards.
    """

    def __init__(self, *allowed: str, limit: float = 5, remembers: bool = True) -> None:
        self._allowed = allowed
        self._limit = limit
        self._remembers = remembers
        self._known = False
        self.stopped = False

    def look_up(self, origin: str, policy: Policy | None = None) -> LimitedAwaitable:
        return LimitedAwaitable(self._load(origin), self._limit)

    async def _load(self, origin: str) -> Answer:
        self._known = True
        return Answer(origin in self._allowed)

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        if not (self._known and self._remembers):
            return None, "asked at run time (customers())"
        allowed = origin in self._allowed
        return allowed, f"{'allowed' if allowed else 'refused'} by customers(), loaded 0 s ago, 2 entries"

    def stop(self) -> None:
        self.stopped = True

    def __repr__(self) -> str:
        return "Later(customers)"


class Hanging(Later):
    """A source whose call does not end in time."""

    async def _load(self, origin: str) -> Answer:
        import asyncio  # noqa: PLC0415 - here only

        await asyncio.Event().wait()
        return await super()._load(origin)


class Failing(Later):
    """A source that cannot answer."""

    async def _load(self, origin: str) -> Answer:
        del origin
        return Answer(allowed=False, error=OSError("no database"))


class Broken(Later):
    """A source that raises, although it must not."""

    def look_up(self, origin: str, policy: Policy | None = None) -> LimitedAwaitable:
        raise RuntimeError(f"{origin} {policy}")

    def stop(self) -> None:
        raise RuntimeError


class Silent(Later):
    """A source that answers, but raises when it is to describe that."""

    def describe(self, origin: str, policy: Policy | None = None) -> tuple[bool | None, str]:
        raise RuntimeError(f"{origin} {policy}")

    def remedy(self, origin: str) -> str:
        raise RuntimeError(origin)

    def __repr__(self) -> str:
        raise RuntimeError


class Untyped(Later):
    """A source whose call returns another value than an `Answer`."""

    async def _load(self, origin: str) -> Any:
        return origin in self._allowed


class ContextDependent(Later):
    """A source that needs the app's context."""

    async def _load(self, origin: str) -> Answer:
        assert self.app_context is not None
        with self.app_context():
            return Answer(in_app_context.get() and origin in self._allowed)


later_source = Later(PAGE)


def by_context(origin: str) -> bool:
    """Allow an origin in the app's context only."""
    return in_app_context.get() and origin == PAGE


def _app(*entries: Any, **options: Any) -> CORSMiddleware:
    return CORSMiddleware(raw, allow_origins=entries, **options)


loaded = _app(later_source)
known = _app(Customers(PAGE))
forgetful = _app(Later(PAGE, remembers=False))
hanging = _app(Hanging(limit=-0.9))
failing = _app(Failing())
broken = _app(Broken())
silent = _app(Silent(PAGE))
untyped = _app(Untyped(PAGE))
several = _app(Failing(), Later(PAGE))
with_credentials = _app("https://static.example.com", Later("http://static.example.com"), allow_credentials=True)
with_context = CORSMiddleware(raw, Configuration(Policy(allow_origins=[by_context]), app_context=app_context))
source_with_context = CORSMiddleware(
    raw, Configuration(Policy(allow_origins=[ContextDependent(PAGE, remembers=False)]), app_context=app_context)
)
