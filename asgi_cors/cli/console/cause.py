"""One cause, as the three browsers tell it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One cause, as the three browsers tell it.

    Args:
        code: The name that Chromium's DevTools protocol gives it, or one of ours where there is none.
        title: The cause in a few words.
        means: What is so.
        write: What to do on any server.
        policy: What to write in a policy; empty where it is nothing of the policy's.
        chromium: What Chromium prints: the reason alone, or with `!` before it the whole message.
        firefox: What Firefox prints, likewise.
        safari: What Safari prints.
        has_preflight: Whether Chromium tells a preflight's failure by the same reason.
        is_echo: Whether it says only that something failed, beside a message that says what.
    """

    code: str
    title: str
    means: str
    write: str
    policy: str = ""
    chromium: tuple[str, ...] = ()
    firefox: tuple[str, ...] = ()
    safari: tuple[str, ...] = ()
    has_preflight: bool = False
    is_echo: bool = False
