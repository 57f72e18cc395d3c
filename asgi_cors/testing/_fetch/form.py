"""Forms as browsers send them (HTML, form submission; URL, application/x-www-form-urlencoded serializing).

- GET: the entries replace the URL's query. The encoding type does not matter.
- POST: the entries are the body. `application/x-www-form-urlencoded` and `text/plain` send the name of a file only.
- The encoding is UTF-8. A line break in a name or a value is sent as CR LF.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypedDict, TypeGuard, cast, get_args
from urllib.parse import quote_plus

import httpx

from asgi_cors.testing._errors.errors import NetworkError, ScriptError

from .url import HTTP_SCHEMES, parse, url_text

Enctype = Literal["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
ENCTYPES: tuple[Enctype, ...] = get_args(Enctype)
URLENCODED: Enctype = "application/x-www-form-urlencoded"

File = tuple[str, bytes] | tuple[str, bytes, str]
"""A file that the user has chosen: its name, content, and perhaps its type."""
Value = str | File
FormData = Mapping[str, Value | list[Value] | list[str]] | Iterable[tuple[str, Value]]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_EXAMPLE = "Write data={'name': 'value'}, or pairs."
_PAIR = 2


class Entry(NamedTuple):
    """An entry of a form. `content` is None for text."""

    name: str
    value: str
    content: bytes | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class Form:
    """A checked form: the request that its submission makes. `content_type` is empty for GET."""

    url: httpx.URL
    method: str
    body: bytes | None
    content_type: str


class FormInit(TypedDict, total=False):
    """The options of `submit()`.

    Keys:
        method: "POST" (default) or "GET".
        data: the entries: a mapping or pairs of names to text; a list is one entry for each value. A file is a tuple of
            its name, its content and, if you like, its type.
        enctype: "application/x-www-form-urlencoded" (default), "multipart/form-data" or "text/plain".
        by_user: whether the user pressed a button (default) or a script sent the form: for Sec-Fetch-User.
    """

    method: str
    data: FormData
    enctype: Enctype
    by_user: bool


def parse_form(url: object, base: httpx.URL | None, options: Mapping[str, object]) -> Form:
    """Parse the arguments of `submit()`. Raises ScriptError, and NetworkError for a URL that is not HTTP(S)."""
    target = _url(url, base)
    upper = _method(options.get("method", "POST"))
    enctype = options.get("enctype", URLENCODED)
    if enctype not in ENCTYPES:
        raise ScriptError(f"enctype={enctype!r:.200} is not known. Write one of {', '.join(map(repr, ENCTYPES))}.")
    entries = _entries(options.get("data", ()))
    if upper == "GET":
        query = _urlencoded(entries).encode()
        path = target.raw_path.partition(b"?")[0]
        return Form(url=target.copy_with(raw_path=path + b"?" + query), method=upper, body=None, content_type="")
    body, content_type = _SERIALIZERS[enctype](entries)
    return Form(url=target, method=upper, body=body, content_type=content_type)


def _url(url: object, base: httpx.URL | None) -> httpx.URL:
    target = parse(url_text(url), base)
    if target.userinfo:
        raise ScriptError(f"{target.copy_with(userinfo=b'')} has a user name or a password. Leave them out.")
    if target.scheme not in HTTP_SCHEMES:
        raise NetworkError(f"{target} is not an http or https URL. Write one such as 'https://api.test/items'.")
    return target


def _method(method: object) -> str:
    if not isinstance(method, str) or method.upper() not in {"GET", "POST"}:
        raise ScriptError(f"method={method!r:.200} is not a form's. Write 'GET' or 'POST', or use fetch().")
    return method.upper()


def _entries(data: object) -> list[Entry]:
    """Return the entry list of the form."""
    if data is None or isinstance(data, str | bytes):
        raise ScriptError(f"data={data!r:.200} is not a mapping of names to values. {_EXAMPLE}")
    if isinstance(data, Mapping):
        items = cast("Mapping[object, object]", data).items()
        pairs = [(name, value) for name, listed in items for value in _listed(listed)]
    else:
        try:
            pairs = [_pair(item) for item in cast("Iterable[object]", data)]
        except (TypeError, ValueError) as error:
            raise ScriptError(f"data={data!r:.200} is not a mapping of names to values. {_EXAMPLE}") from error
    return [_entry(name, value) for name, value in pairs]


def _pair(item: object) -> tuple[object, object]:
    if isinstance(item, str):  # not a pair, even if it has two characters
        raise TypeError(item)
    name, value = cast("tuple[object, object]", item)
    return name, value


def _listed(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _entry(name: object, value: object) -> Entry:
    if not isinstance(name, str) or not name:
        raise ScriptError(f"data: {name!r:.200} is not the name of an entry. Browsers send entries with a name only.")
    if isinstance(value, str):
        return Entry(_text(name), _text(value), None, "")
    if not _is_file(value):
        raise ScriptError(
            f"data: {name!r:.200} has the value {value!r:.200}. Write text, a list of text, or a file as"
            " ('name.txt', b'content', 'text/plain')."
        )
    filename, content, *kind = value
    return Entry(_text(name), _text(filename), content, _file_type(*kind))


def _file_type(kind: str = "") -> str:
    """Return the Content-Type of a file (File API: a type is in lower case, and empty if a character is not ASCII)."""
    is_printable = re.fullmatch(r"[\x20-\x7e]+", kind)
    return kind.lower() if is_printable else "application/octet-stream"


def _is_file(value: object) -> TypeGuard[File]:
    if not isinstance(value, tuple):
        return False
    parts = cast("tuple[object, ...]", value)
    types = (str, bytes, str)[: max(len(parts), _PAIR)]
    return len(parts) == len(types) and all(map(isinstance, parts, types))


def _text(text: str) -> str:
    """Return the text with U+FFFD for half of a surrogate pair, as browsers do."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _normalized(text: str) -> str:
    return _LINE_BREAK.sub("\r\n", text)


def _urlencoded(entries: Sequence[Entry]) -> str:
    return "&".join(f"{_quoted(entry.name)}={_quoted(entry.value)}" for entry in entries)


def _quoted(text: str) -> str:
    return quote_plus(_normalized(text), safe="*").replace("~", "%7E")


def _urlencoded_body(entries: Sequence[Entry]) -> tuple[bytes, str]:
    return _urlencoded(entries).encode(), URLENCODED


def _plain_body(entries: Sequence[Entry]) -> tuple[bytes, str]:
    lines = [f"{_normalized(entry.name)}={_normalized(entry.value)}\r\n" for entry in entries]
    return "".join(lines).encode(), "text/plain"


def _multipart_body(entries: Sequence[Entry]) -> tuple[bytes, str]:
    """Return the body and its type (HTML, multipart/form-data encoding algorithm; RFC 7578)."""
    boundary = f"----FormBoundary{os.urandom(16).hex()}"
    parts = [f"--{boundary}\r\n".encode() + _part(entry) for entry in entries]
    body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"


def _part(entry: Entry) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{_escaped(_normalized(entry.name))}"'
    if entry.content is None:
        return f"{disposition}\r\n\r\n{_normalized(entry.value)}\r\n".encode()
    head = f'{disposition}; filename="{_escaped(entry.value)}"\r\nContent-Type: {entry.kind}\r\n\r\n'
    return head.encode() + entry.content + b"\r\n"


def _escaped(text: str) -> str:
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


_SERIALIZERS: dict[object, Callable[[Sequence[Entry]], tuple[bytes, str]]] = {
    "application/x-www-form-urlencoded": _urlencoded_body,
    "multipart/form-data": _multipart_body,
    "text/plain": _plain_body,
}
