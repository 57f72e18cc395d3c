"""Show what console messages mean, and write docs/console.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.text import Text

from asgi_cors.cli.terminal import labelled, plain

from .causes import CAUSES, Cause
from .messages import Reading, readable, templates_of

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA: Final = 1
_PAGE_HEAD: Final = """\
# Console messages and their remedies

Browsers print these messages when they block a response. Each section has the texts of Chromium (Chrome, Edge, Opera),
Firefox and Safari, the cause, and the remedy: on any server, and in a policy of `asgi_cors`. The browser fills in the
words in capitals. Text in brackets is optional. `asgi-cors console "<the message>"` finds the section of a message.

If nothing on this page helps, `asgi-cors doctor URL --origin ORIGIN` tests the server itself.
"""


def policy_line(reading: Reading) -> str:
    """Return the option of a policy, with the values of the message, or ""."""
    return _fill(reading.cause, reading.filled)


def _fill(cause: Cause, filled: dict[str, str]) -> str:
    """Return the option of a policy, with the values of a message or else examples."""
    examples = {"origin": "https://app.example.com", "name": "PUT" if cause.code.startswith("Method") else "x-id"}
    return cause.policy.format(**(examples | filled))


def doctor_command(reading: Reading) -> str:
    """Return the command that tests the server itself, or "" if the message has no URL."""
    url, origin, name = (reading.filled.get(key, "") for key in ("url", "origin", "name"))
    if not url.startswith("http"):
        return ""
    code = reading.cause.code
    method = f" -X {name}" if code.startswith("Method") and name else ""
    header = f" -H {name}" if code.startswith("Header") and name else ""
    credentials = " --credentials" if "Credentials" in code or "Wildcard" in code else ""
    return f"asgi-cors doctor {url} --origin {origin.rstrip('/') or 'ORIGIN'}{method}{header}{credentials}"


def report(readings: list[Reading]) -> RenderableType:
    """Return the causes of messages for the terminal."""
    return Group(*_parts(readings))


def _parts(readings: list[Reading]) -> Iterator[RenderableType]:
    for number, reading in enumerate(readings):
        if number:
            yield Text("")
        cause = reading.cause
        yield Text.assemble((cause.title, "bold"), (f"  {cause.code}, reported by {reading.browser}", "dim"))
        rows: list[tuple[str, RenderableType]] = [("Means", plain(cause.means)), ("Write", plain(cause.write))]
        rows += [("asgi_cors", plain(policy_line(reading)))] if cause.policy else []
        rows += [("Run", plain(doctor_command(reading)))] if doctor_command(reading) else []
        yield labelled(rows)


def as_json(readings: list[Reading]) -> dict[str, Any]:
    """Return the readings as data. docs/cli.md describes the keys."""
    return {
        "schema": SCHEMA,
        "command": "console",
        "messages": [
            {
                "browser": reading.browser,
                "code": reading.cause.code,
                "title": reading.cause.title,
                "means": reading.cause.means,
                "write": reading.cause.write,
                "policy": policy_line(reading),
                "filled": reading.filled,
                "ask": doctor_command(reading),
            }
            for reading in readings
        ],
    }


def page() -> str:
    """Return docs/console.md."""
    return "\n".join([_PAGE_HEAD, *map(_section, CAUSES)])


def _section(cause: Cause) -> str:
    lines = [f"## {cause.title}", "", f"`{cause.code}`. {cause.means}", ""]
    messages = dict.fromkeys((browser, readable(template)) for browser, template in templates_of(cause))
    lines += [f"- {browser}: {_code(text)}" for browser, text in messages]
    lines += ["", f"**Write:** {cause.write}"]
    policy = _fill(cause, {})
    lines += ["", f"**In a policy:** {_code(policy) if '=' in policy else policy}"] if policy else []
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"
