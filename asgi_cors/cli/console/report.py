"""`console`: what a message means, told with what stands in it; and docs/console.md, made of the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.text import Text

from asgi_cors.cli.terminal import labelled, plain

from .cause import Meaning
from .causes import MEANINGS
from .messages import Reading, recognise, shown, templates_of

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA: Final = 1
_EXAMPLES: Final = {"origin": "https://app.example.com", "name": "x-id"}
_HEAD: Final = """\
# What the console says, and what to do

Browsers print these messages when they keep an answer from a page. Here is each of Chromium (Chrome, Edge, Opera),
Firefox and Safari, what it means, and what to write: on any server, and in a policy of `asgi_cors`. Capital words stand
for what the browser fills in; words in brackets may be missing. `asgi-cors console "<the message>"` looks a message up.

When nothing here helps: `asgi-cors doctor URL --origin ORIGIN` asks the server itself.
"""


def read(text: str) -> list[Reading]:
    """Recognise the messages in a paste."""
    return recognise(text)


def policy_line(reading: Reading) -> str:
    """Write what to put into a policy, with what stands in the message."""
    return reading.meaning.policy.format(**{**_EXAMPLES, **reading.filled}) if reading.meaning.policy else ""


def next_question(reading: Reading) -> str:
    """Write the command that asks the server itself; empty where the message doesn't tell what to ask."""
    url, origin = reading.filled.get("url", ""), reading.filled.get("origin", "")
    if not url.startswith("http"):
        return ""
    method = (
        f" -X {reading.filled['name']}"
        if reading.meaning.code.startswith("Method") and "name" in reading.filled
        else ""
    )
    header = (
        f" -H {reading.filled['name']}"
        if reading.meaning.code.startswith("Header") and "name" in reading.filled
        else ""
    )
    credentials = (
        " --credentials" if "Credentials" in reading.meaning.code or "Wildcard" in reading.meaning.code else ""
    )
    return f"asgi-cors doctor {url} --origin {origin.rstrip('/') or 'ORIGIN'}{method}{header}{credentials}"


def report(readings: list[Reading]) -> RenderableType:
    """Tell people what the messages mean."""
    return Group(*_parts(readings))


def _parts(readings: list[Reading]) -> Iterator[RenderableType]:
    for number, reading in enumerate(readings):
        if number:
            yield Text("")
        meaning = reading.meaning
        yield Text.assemble((meaning.title, "bold"), (f"  {meaning.code}, as {reading.browser} says it", "dim"))
        rows: list[tuple[str, RenderableType]] = [("Means", plain(meaning.means)), ("Write", plain(meaning.write))]
        rows += [("asgi_cors", plain(policy_line(reading)))] if meaning.policy else []
        rows += [("Ask", plain(next_question(reading)))] if next_question(reading) else []
        yield labelled(rows)


def as_json(readings: list[Reading]) -> dict[str, Any]:
    """Give it as data; docs/cli.md describes it."""
    return {
        "schema": SCHEMA,
        "command": "console",
        "messages": [
            {
                "browser": reading.browser,
                "code": reading.meaning.code,
                "title": reading.meaning.title,
                "means": reading.meaning.means,
                "write": reading.meaning.write,
                "policy": policy_line(reading),
                "filled": reading.filled,
                "ask": next_question(reading),
            }
            for reading in readings
        ],
    }


def page() -> str:
    """Write docs/console.md."""
    return "\n".join([_HEAD, *map(_section, MEANINGS)])


def _section(meaning: Meaning) -> str:
    lines = [f"## {meaning.title}", "", f"`{meaning.code}`. {meaning.means}", ""]
    messages = dict.fromkeys((browser, shown(template)) for browser, template in templates_of(meaning))
    lines += [f"- {browser}: {_code(text)}" for browser, text in messages]
    lines += ["", f"**Write:** {meaning.write}"]
    policy = meaning.policy.format(**_EXAMPLES) if meaning.policy else ""
    lines += ["", f"**In a policy:** {_code(policy) if '=' in policy else policy}"] if policy else []
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    space = " " if fence == "``" else ""
    return f"{fence}{space}{text}{space}{fence}"
