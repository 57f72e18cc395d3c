"""The policies that are measured, in the terms of every contender."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from traffic import ALLOWED, Scope

Spends = Callable[[list[Scope]], float]  # serves requests, and returns nanoseconds per request

METHODS: Final = ["PUT"]
NAMES: Final = ["x-request-id"]
PATTERN: Final = "https://*.example.com"
REGEX: Final = r"https://[a-z0-9]+\.example\.com"


class Policy(NamedTuple):
    """A policy of the comparison.

    Args:
        title: Its name in the tables.
        origins: The entries of its list.
        regex: A regular expression in place of a list; for a pattern, its equivalent for contenders without patterns.
        credentials: Whether cookies are allowed.
        paths: The number of path rules. The last one serves the requests.
        condition: What is checked at each request, cached or not: `on_decision`, `enforce` or `callable`; or an option
            against forged requests, for resources or for reports, which is a key of `OPTIONS`.
    """

    title: str
    origins: tuple[str, ...] = ()
    regex: str = ""
    credentials: bool = False
    paths: int = 0
    condition: str = ""

    @property
    def is_common(self) -> bool:
        """Return whether other middlewares have such a policy."""
        return not (self.paths or self.condition)

    @property
    def path(self) -> str:
        """Return the path of its requests."""
        return f"/area{self.paths - 1}/items" if self.paths else "/items"


OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "csrf_protection": {"csrf_protection": True},
    "allowed_hosts": {"allowed_hosts": ["api.example.com"]},
    "report_only": {"report_only": {"max_age": 5}},
    "enforce": {"enforce": True},
    "on_decision": {"name": "public", "on_decision": lambda _decision, _scope: None},
    "timing, resource": {"timing_allow_origin": True, "resource_policy": "cross-origin"},
    "presets": {"presets": ["mcp"]},
}
"""Options of the middleware or its policy. Each one is measured next to a policy without all of them."""

_TEN: Final = (*(f"https://site{n}.example.org" for n in range(9)), ALLOWED)

POLICIES: Final = (
    Policy("any (`*`)", ("*",)),
    Policy("one origin", (ALLOWED,)),
    Policy("ten origins", _TEN),
    Policy("ten, credentials", _TEN, credentials=True),
    Policy("subdomain pattern", (PATTERN,), regex=r"https://([a-z0-9-]+\.)+example\.com"),
    Policy("regex", regex=REGEX),
    Policy("1 path rule", (ALLOWED,), paths=1),
    Policy("1,000 path rules", (ALLOWED,), paths=1000),
    Policy("sync callable", (ALLOWED,), condition="callable"),
    *(Policy(title, (ALLOWED,), condition=title) for title in OPTIONS),
)
