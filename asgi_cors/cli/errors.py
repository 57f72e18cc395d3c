"""The error that every command shares."""

from __future__ import annotations


class CannotRunError(Exception):
    """A command cannot start, or a server does not respond. The message is one line for the user."""
