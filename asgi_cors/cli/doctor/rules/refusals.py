"""The reason that a CORS library, or a check of the app's own, writes into a response when it refuses a request.

A reason is read only from places where a program writes a message: a short body, a message in JSON or XML, the first
line of a stack, a header. A traceback that mentions CORS somewhere is a crash, not a refusal.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from asgi_cors.cli.guards import is_dict, is_list

if TYPE_CHECKING:
    from asgi_cors.cli.doctor.evidence import ServerResponse

_MAX_LENGTH: Final = 300  # characters; a longer text is a page, not a message
_MAX_DEPTH: Final = 4
_MAX_ITEMS: Final = 10
# The origin of a certificate or a country, and the server behind a proxy, are not the Origin of CORS.
_SUBJECT: Final = re.compile(
    r"\b(cors|cross[- ]origin|(?<!\w of )origins?(?! servers?\b))\b|corspreflight|corsresponse", re.IGNORECASE
)
_REFUSAL: Final = re.compile(
    r"\b(not (be )?(allowed|permitted|enabled|accepted|trusted|authori[sz]ed|whitelisted|supported|in)"
    r"|disallowed|denied|forbidden|blocked|reject(ed|s)?|refuse[ds]?|unauthori[sz]ed|untrusted|unsupported|violation"
    r"|does not match|no matching rule|is disabled for|preflight request failed|invalid cors request)\b",
    re.IGNORECASE,
)
# Complete messages. Fastify's documentation throws the first, and its plugin the last.
_COMPLETE: Final = {"not allowed", "invalid cors origin option"}
_MESSAGE_KEYS: Final = ("message", "error", "detail", "title", "reason", "msg", "description", "errors")
_REFUSAL_HEADERS: Final = ("cors-error", "x-cors-error", "x-cors-reason")
# A message of a crash: the program did not raise it on purpose.
_CRASH: Final = re.compile(
    r"^(?!Error:|Exception:)\w+(Error|Exception)\b|is not (a function|defined|iterable)|cannot read propert"
    r"|has no attribute|'?nonetype'?|invalid url",
    re.IGNORECASE,
)
_BUILTIN: Final = re.compile(
    r"\b(Type|Value|Key|Index|Attribute|Name|Runtime|Assertion|Lookup|Import|ModuleNotFound|Unicode\w*|ZeroDivision"
    r"|Reference|Range|Syntax|URI|NoMethod|Argument)Error\b|\b(NullPointer|IllegalState|NullReference)Exception\b"
)
_TRACEBACK: Final = re.compile(
    r"Traceback \(most recent call last\)|Werkzeug Debugger|(?:\n|<br ?/?>|<li>)(?:\s|&nbsp;)*at [^\n]*[:(]|"
    r"^Stack trace:|\bat [\w.$]+\([\w.]+\.java:\d+\)|^goroutine \d+",
    re.MULTILINE,
)
_XML_MESSAGE: Final = re.compile(r"<(Message|Code)>([^<]{1,300})</\1>")
_HTML_PLACES: Final = (
    re.compile(r"<title>([^<\n]{1,300})", re.IGNORECASE),  # Werkzeug's debugger
    re.compile(r"<pre>([^<\n]{1,300})", re.IGNORECASE),  # Express
    re.compile(r"<b>Message</b>([^<]{1,300})", re.IGNORECASE),  # Tomcat
    re.compile(r"<(?:p|h1|h2)>([^<]{1,300})</(?:p|h1|h2)>", re.IGNORECASE),
)


def refusal_reason(response: ServerResponse | None) -> str:
    """Return the reason for which a response says that CORS refuses the request, or ""."""
    if response is None:
        return ""
    for message in _messages(response):
        text = " ".join(html.unescape(message).split())
        is_refusal = _SUBJECT.search(text) and _REFUSAL.search(text)
        if len(text) <= _MAX_LENGTH and (is_refusal or _is_complete(text)):
            return text
    return ""


def refused_parts(reason: str) -> list[str]:
    """Return the parts of the request that a reason names, in its order: "origin", "method", "header"."""
    return list(dict.fromkeys(re.findall(r"\b(origin|method|header)s?\b", reason.lower())))


def refused_part(reason: str) -> str:
    """Return the part of the request that a reason names first, or ""."""
    return next(iter(refused_parts(reason)), "")


def is_crash(response: ServerResponse) -> bool:
    """Return whether a body shows a crash: a traceback, or the message of an error that is not raised on purpose."""
    texts = [" ".join(html.unescape(message).split()) for message in _messages(response)]
    if any(text.startswith(("Error: ", "Exception: ")) for text in texts):
        return False
    return bool(_TRACEBACK.search(response.text)) or any(_CRASH.search(text) for text in texts)


def is_vague_reason(reason: str) -> bool:
    """Return whether a reason does not name CORS or an origin: "Not allowed" is also said for other reasons."""
    return _is_complete(reason) and not _SUBJECT.search(reason)


def raises_builtin(response: ServerResponse) -> bool:
    """Return whether a traceback shows an error of the language itself, such as a TypeError."""
    return is_crash(response) and bool(_BUILTIN.search(response.text))


def _is_complete(text: str) -> bool:
    return text.lower().removeprefix("error:").strip(" .!") in _COMPLETE


def _messages(response: ServerResponse) -> Iterator[str]:
    """Yield the texts of a response that a program writes as a message."""
    yield from (response.get(name) or "" for name in _REFUSAL_HEADERS)
    body = response.text.strip()
    if body.startswith(("{", "[")):
        yield from _json_messages(body)
    elif body.startswith("<"):
        yield from (match[2] for match in _XML_MESSAGE.finditer(body))
        yield from (match[1] for place in _HTML_PLACES for match in place.finditer(body))
    elif body:
        lines = body.splitlines()
        yield lines[-1 if lines[0].startswith("Traceback") else 0]


def _json_messages(body: str) -> Iterator[str]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return
    yield from _strings(data, _MAX_DEPTH)


def _strings(value: Any, depth: int) -> Iterator[str]:
    """Yield the strings under the keys of a message."""
    if isinstance(value, str):
        yield value
    elif is_list(value) and depth:
        for item in value[:_MAX_ITEMS]:
            yield from _strings(item, depth - 1)
    elif is_dict(value) and depth:
        for key in _MESSAGE_KEYS:
            yield from _strings(value.get(key), depth - 1)
