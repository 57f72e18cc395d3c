# ruff: noqa
# mypy: ignore-errors
# pyright: basic
"""Stands in for `check_origin` and `OriginTable` until they are merged."""

from asgi_cors._errors import Issue
from asgi_cors._origins.origin_set import OriginSet
from asgi_cors._origins.pattern import Pattern, parse_pattern


def check_origin(text, *, credentials=False):
    if not isinstance(text, str):
        return Issue.wrong_type("allow_origins", text, "a string", "")
    if text in ("*", "null"):
        return Issue("origin-not-data", "allow_origins", text, "not data", "Name the origin.")
    parsed = parse_pattern(text)
    return None if isinstance(parsed, Pattern) else Issue(parsed.code, "allow_origins", text, parsed.message, "")


class OriginTable:
    def __init__(self, texts=()):
        self._entries = {}
        for text in texts:
            self.insert(text)

    def add(self, text):
        return None if self.insert(text) else check_origin(text)

    def insert(self, text):
        parsed = parse_pattern(text)
        if not isinstance(parsed, Pattern):
            return False
        self._entries[text] = parsed
        return True

    def discard(self, text):
        self._entries.pop(text, None)

    def allows(self, origin, policy=None):
        if origin in self._entries:
            return True
        return any(p for t, p in [*self._entries.items()] if "*" in t) and origin in OriginSet(
            [*self._entries.values()]
        )

    def origin_sets(self, policy=None):
        return (OriginSet([*self._entries.values()]),)

    def __len__(self):
        return len(self._entries)

    def __contains__(self, text):
        return text in self._entries
