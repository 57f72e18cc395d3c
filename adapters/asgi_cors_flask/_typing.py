"""The options of `CORS` and `cross_origin`, for type checkers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any, TypedDict

from asgi_cors import Decision, Policy

Origin = str | re.Pattern[str] | Callable[[str], bool | Awaitable[bool]]
Origins = Origin | Iterable[Origin]
Names = str | Iterable[str]
Headers = str | re.Pattern[str] | Iterable[str | re.Pattern[str]]
Path = str | re.Pattern[str]
Scope = MutableMapping[str, Any]


class ViewOptions(TypedDict, total=False):
    """The options of `cross_origin`: those of Flask-CORS, and the policy's own."""

    origins: Origins
    methods: Names
    allow_headers: Headers
    expose_headers: Names | None
    supports_credentials: bool
    max_age: int | str | timedelta | None
    send_wildcard: bool
    vary_header: bool
    automatic_options: bool
    always_send: bool
    allow_private_network: bool
    allow_origins: Origins
    allow_origin_regex: str | re.Pattern[str] | None
    allow_methods: Names
    allow_credentials: bool
    dangerously_allow: Names


class AppOptions(ViewOptions, total=False):
    """The options of `CORS`: those of `cross_origin`, and what concerns the whole app."""

    resources: Path | Iterable[Path] | Mapping[Path, Mapping[str, Any] | Policy | None]
    intercept_exceptions: bool
    policy_for: Callable[[Scope], Any] | None
    enforce: bool
    on_decision: Callable[[Decision, Scope], object] | None
