"""A cause of a block: its messages in each browser, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause, and the messages by which the three browsers report it.

    In a text, `{url}`, `{origin}` and others are the parts that the browser fills in. A text is the reason
    within the browser's opening sentence. A text that begins with `!` is a whole message.

    Args:
        code: Its name in Chromium's DevTools protocol, or a name of this project if there is none.
        title: The cause in a few words.
        means: The explanation.
        write: The remedy on any server.
        options: The options of an asgi_cors policy, with `{origin}` and `{name}` for the values of the message.
        advice: A sentence about the policy.
        chromium: The texts of Chromium.
        older: Those of its earlier versions.
        firefox: The texts of Firefox.
        safari: The texts of Safari.
        edge: Those of Edge before version 79 and of Internet Explorer.
        has_preflight: Whether Chromium prints the same reason for a preflight.
        is_echo: Whether the message says only that the request failed, and another message names the cause.
        is_incomplete: Whether the message is only the beginning of one that names the cause.
    """

    code: str
    title: str
    means: str
    write: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    advice: str = ""
    chromium: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    firefox: tuple[str, ...] = ()
    safari: tuple[str, ...] = ()
    edge: tuple[str, ...] = ()
    has_preflight: bool = False
    is_echo: bool = False
    is_incomplete: bool = False

    @property
    def is_of_preflight(self) -> bool:
        """Whether only a preflight can fail with this cause."""
        return "Preflight" in self.code
