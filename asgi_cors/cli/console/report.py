"""Show what console messages mean, and write docs/console.md."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.text import Text

from asgi_cors.cli.policy_lines import policy_line
from asgi_cors.cli.terminal import labelled, plain, whole_line

from .cause import Cause
from .causes import CAUSES
from .messages import Reading
from .templates import CHROMIUM_OPENING, FIREFOX_OPENING, PREFLIGHT

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .templates import Template

SCHEMA: Final = 1
_MAX_COMMANDS: Final = 3
_EXAMPLES: Final = {
    "allow_origins": "https://app.example.com",
    "allow_methods": "PUT",
    "allow_headers": "x-id",
    "expose_headers": "x-id",
}
_URL: Final = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>()]{1,2000}")
_PAGE_HEAD: Final = """\
# Console messages and their remedies

Browsers print these messages when they block a response. Each section has the texts of Chromium (Chrome, Edge, Opera),
Firefox and Safari, the cause, and the remedy: on any server, and in a policy of `asgi_cors`. The browser fills in the
words in capitals. Text in brackets is optional. `asgi-cors console "<the message>"` finds the section of a message.

If nothing on this page helps, `asgi-cors doctor URL --origin ORIGIN` tests the server itself.
"""


def policy_text(reading: Reading) -> str:
    """Return the options of a policy, with the values of the message, and a sentence about them. Both may be ""."""
    options = _fill(reading.cause, origins=reading.values("origin"), names=reading.values("name"))
    line = policy_line(**options) if options else ""
    return _sentences(line or (_refused(options) if options else ""), reading.cause.advice)


def _sentences(line: str, advice: str) -> str:
    return f"{line.rstrip('.')}. {advice}" if line and advice else line or advice


def _fill(cause: Cause, *, origins: list[str], names: list[str]) -> dict[str, Any]:
    """Return the options of a cause, with these values or else examples."""
    known = {"['{origin}']": origins[:1], "['{name}']": names}
    filled: dict[str, Any] = {}
    for option, template in cause.options.items():
        values = known.get(str(template))
        filled[option] = template if values is None else _spelled(option, values) or [_EXAMPLES[option]]
    return filled


def _spelled(option: str, values: list[str]) -> list[str]:
    """Return names as a policy spells them: methods in upper case, and an origin without a slash at its end."""
    if option == "allow_methods":
        return list(dict.fromkeys(value.upper() for value in values))
    return [_without_slash(value) for value in values]


def _without_slash(origin: str) -> str:
    """Return an origin without a slash at its end, unless it is `file://`."""
    return origin if origin.endswith("://") else origin.rstrip("/")


def _refused(options: dict[str, Any]) -> str:
    """Return a sentence instead of options that a policy refuses or warns about."""
    origin = next(iter(options.get("allow_origins", ())), "")
    if origin == "null" or origin.startswith("file:"):
        return f"Don't allow {origin!r}: any page can have this origin. Serve the page over http or https."
    if origin.startswith("http:") and options.get("allow_credentials"):
        return "Serve the page over https, then allow that origin with allow_credentials=True."
    return "A policy refuses this value, because it is not safe."


def doctor_commands(reading: Reading) -> list[str]:
    """Return the commands that test the server itself, one for each URL of the messages."""
    urls = [url for url in reading.values("url") if _URL.match(url)]
    return [_doctor_command(reading, url) for url in urls[:_MAX_COMMANDS]]


def _doctor_command(reading: Reading, url: str) -> str:
    """Return the command that sends the request of a message, or its preflight, to a URL."""
    code, filled = reading.cause.code, reading.filled
    origin = _without_slash(filled.get("origin", "")) or "ORIGIN"
    names = reading.values("name")
    method = names[0] if code.startswith("Method") and names else filled.get("method", "")
    headers = names if code.startswith("Header") and reading.is_of_preflight else []
    if reading.is_of_preflight and not method and not headers:
        method = "PUT"  # any method that needs a preflight
    words = ["asgi-cors", "doctor", url, "--origin", origin]
    words += ["-X", method] if method and method != "GET" else []
    words += [word for name in headers for word in ("-H", _example_header(name))]
    words += ["--reads", *names[:1]] if code == "HeaderNotExposed" and names else []
    words += ["--credentials"] if "Credentials" in code or "Wildcard" in code else []
    words += ["--preflight-only"] if reading.is_of_preflight else []
    return shlex.join(words)


def _example_header(name: str) -> str:
    return f"{name}: application/json" if name.lower() == "content-type" else name


def report(readings: list[Reading]) -> RenderableType:
    """Return the causes of messages for the terminal."""
    return Group(*_parts(readings))


def _parts(readings: list[Reading]) -> Iterator[RenderableType]:
    for number, reading in enumerate(readings):
        if number:
            yield Text("")
        cause = reading.cause
        yield Text(cause.title, "bold")
        rows: list[tuple[str, RenderableType]] = [
            ("Code", plain(f"{cause.code}, reported by {reading.browser}", "dim"))
        ]
        rows += [("Means", plain(cause.means)), ("Write", plain(cause.write))]
        rows += [("asgi_cors", plain(policy_text(reading)))] if policy_text(reading) else []
        yield labelled(rows, style="cyan")
        yield from _commands(doctor_commands(reading) or [_doctor_command(reading, "URL")])


def _commands(commands: list[str]) -> Iterator[RenderableType]:
    text = (
        "this command, which tests the server itself"
        if len(commands) == 1
        else "one of these commands, which test the server itself"
    )
    yield labelled([("Run", plain(text))], style="cyan")
    yield from (whole_line(command, "bold") for command in commands)


def unknown_report(text: str, closest: Template | None) -> RenderableType:
    """Return what is known of a text without a known message, for the terminal."""
    rows: list[tuple[str, RenderableType]] = []
    if closest is not None and closest.cause is not None:
        rows += [("Closest", plain(f"{_whole(closest.browser, closest.text)} ({closest.browser})"))]
        rows += [("Means", plain(closest.cause.means)), ("Write", plain(closest.cause.write))]
    hint = "Paste the whole message of the browser's console, in quotes."
    return Group(plain("asgi-cors: the text has no known message of Chromium, Firefox or Safari.", "bold"), plain(hint),
                 *([labelled(rows, style="cyan")] if rows else []), *_commands([unknown_command(text)]))  # fmt: skip


def unknown_command(text: str) -> str:
    """Return the command that tests the first URL of a text, for the page at its second one."""
    urls = [url.rstrip(".,:;") for url in _URL.findall(text)]
    url, origin = [*urls, "URL"][0], next((url for url in urls[1:] if url.count("/") == 2), "ORIGIN")  # noqa: PLR2004
    return shlex.join(["asgi-cors", "doctor", url, "--origin", origin])


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
                "policy": policy_text(reading),
                "filled": reading.filled,
                "ask": next(iter(doctor_commands(reading)), ""),
                "commands": doctor_commands(reading),
            }
            for reading in readings
        ],
    }


def unknown_as_json(text: str, closest: Template | None) -> dict[str, Any]:
    """Return what is known of a text without a known message, as data."""
    cause = closest.cause if closest else None
    return {
        "schema": SCHEMA,
        "command": "console",
        "messages": [],
        "closest": {"code": cause.code, "title": cause.title, "means": cause.means, "write": cause.write}
        if cause
        else None,
        "ask": unknown_command(text),
    }


def page() -> str:
    """Return docs/console.md."""
    return "\n".join([_PAGE_HEAD, *map(_section, CAUSES)])


def _section(cause: Cause) -> str:
    lines = [f"## {_prose(cause.title)}", "", f"`{cause.code}`. {_prose(cause.means)}", ""]
    for browser, texts in (
        ("Chromium", cause.chromium),
        ("Chromium, earlier versions", cause.older),
        ("Firefox", cause.firefox),
        ("Safari", cause.safari),
        ("Edge before version 79, Internet Explorer", cause.edge),
    ):
        lines += [f"- {browser}: {_code(_readable(browser, text, cause))}" for text in texts]
    lines += ["", f"**Write:** {_prose(cause.write)}"]
    options = _fill(cause, origins=[], names=[])
    policy = _sentences(_code(policy_line(**options)) if options else "", _prose(cause.advice))
    lines += ["", f"**In a policy:** {policy}"] if policy else []
    return "\n".join([*lines, ""])


def _prose(text: str) -> str:
    """Return a text in which Markdown finds no emphasis: two `*` of a paragraph would be one."""
    return text.replace("*", r"\*")


def _readable(browser: str, text: str, cause: Cause) -> str:
    """Return a whole message as the page shows it, with the values of the browser in capitals."""
    preflight = f"[{PREFLIGHT.strip()}] " if cause.has_preflight and browser == "Chromium" else ""
    whole = _whole(browser, text, preflight)
    return re.sub(r"{(\w+)}", lambda match: match[1].upper(), whole.replace("{kind} at", "fetch at"))


def _whole(browser: str, text: str, preflight: str = "") -> str:
    """Return a reason within the browser's sentence."""
    if text.startswith("!"):
        return text[1:]
    if browser == "Chromium":
        return f"{CHROMIUM_OPENING}{preflight}{text}"
    return f"{FIREFOX_OPENING}{text})." if browser == "Firefox" else text


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"
