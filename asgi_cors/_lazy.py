"""Regular expressions that are compiled when they are first asked: to compile is dear, and to import must not be."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """A stand-in that becomes as fast as the pattern: what is asked of it is kept in its own dict."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._source), name)  # `re` keeps the pattern
        setattr(self, name, value)
        return value


def regex(source: AnyStr) -> re.Pattern[AnyStr]:
    """Stand in for `re.compile(source)`."""
    return cast("re.Pattern[AnyStr]", _Lazy(source))
