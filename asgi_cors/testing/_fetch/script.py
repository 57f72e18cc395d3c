"""The arguments of `fetch()`, checked and normalized (Fetch, Request class).

- Methods: DELETE, GET, HEAD, OPTIONS, POST and PUT are upper-cased, others are not changed. CONNECT, TRACE and TRACK
  are forbidden.
- Headers are byte strings. Forbidden ones are dropped. `no-cors` allows safelisted ones only, and the methods GET, HEAD
  and POST.
- A text body has the type `text/plain;charset=UTF-8`, JSON `application/json`, bytes none. An iterator is a stream.
- A stream, or an upload listener of XMLHttpRequest, sets the use-CORS-preflight flag.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, cast, get_args

import httpx

from asgi_cors.testing._errors.errors import NetworkError, ScriptError

from .engines import Engine
from .headers import is_token
from .referrer import POLICIES, ReferrerPolicy
from .safelist import FORBIDDEN_METHODS, Header, filter_no_cors, is_forbidden
from .url import HTTP_SCHEMES, fragment, parse

Credentials = Literal["omit", "same-origin", "include"]
Mode = Literal["cors", "no-cors", "same-origin"]
RedirectMode = Literal["follow", "error", "manual"]
CacheMode = Literal["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"]
Text = str | bytes
HeaderInit = Mapping[str, str] | Sequence[tuple[Text, Text]] | Iterator[tuple[Text, Text]]
Stream = Iterable[bytes] | AsyncIterable[bytes]
BodyInit = str | bytes | bytearray | memoryview | Stream

_NORMALIZED = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_WHITESPACE = "\t\n\r "
_CHOICES = {
    "credentials": get_args(Credentials),
    "mode": get_args(Mode),
    "redirect": get_args(RedirectMode),
    "cache": get_args(CacheMode),
    "referrer_policy": ("", *POLICIES),
}


class FetchInit(TypedDict, total=False):
    """The options of `fetch()`, most of them as in JavaScript.

    Keys:
        method: "GET" by default.
        headers: a mapping or pairs; text is sent as latin-1.
        content: text, bytes, or an iterator of bytes: a stream.
        json: an object that is sent as JSON, in place of `content`.
        credentials: "omit", "same-origin" (default) or "include".
        mode: "cors" (default), "no-cors" or "same-origin".
        redirect: "follow" (default), "error" or "manual".
        cache: some engines skip the preflight cache for some of its values.
        upload_listener: True for an XMLHttpRequest with a listener on its `upload`.
        referrer_policy: in place of the page's; "" (default) is the page's.
    """

    method: str
    headers: HeaderInit
    content: BodyInit | None
    json: object
    credentials: Credentials
    mode: Mode
    redirect: RedirectMode
    cache: CacheMode
    upload_listener: bool
    referrer_policy: ReferrerPolicy | Literal[""]


@dataclass(frozen=True, kw_only=True)
class ScriptRequest:
    """A checked request.

    Attributes:
        url: the URL, without its fragment.
        fragment: the URL's fragment, with its `#`.
        headers: with names in lower case.
        body: the body, None without one or for a stream.
        stream: the body if it is a stream.
        use_preflight: the use-CORS-preflight flag of the standard.
    """

    url: httpx.URL
    fragment: str
    method: str
    headers: Sequence[Header]
    body: bytes | None
    stream: Stream | None
    credentials: Credentials
    mode: Mode
    redirect: RedirectMode
    cache: CacheMode
    use_preflight: bool
    referrer_policy: ReferrerPolicy | Literal[""]


def parse_fetch_init(  # noqa: PLR0913 - the options of fetch()
    url: str | httpx.URL,
    base: httpx.URL | None,
    engine: Engine,
    *,
    method: str = "GET",
    headers: HeaderInit = (),
    content: BodyInit | None = None,
    json: object = None,
    credentials: Credentials = "same-origin",
    mode: Mode = "cors",
    redirect: RedirectMode = "follow",
    cache: CacheMode = "default",
    upload_listener: bool = False,
    referrer_policy: ReferrerPolicy | Literal[""] = "",
) -> ScriptRequest:
    """Parse the arguments of `fetch()`. Raises ScriptError, and NetworkError for a URL that is not HTTP(S)."""
    _check_choices(credentials=credentials, mode=mode, redirect=redirect, cache=cache, referrer_policy=referrer_policy)
    method = _method(method, mode)
    if cache == "only-if-cached" and mode != "same-origin":
        raise ScriptError("cache='only-if-cached' needs mode='same-origin'.")
    if upload_listener and method in {"GET", "HEAD"}:
        content = json = None  # XMLHttpRequest, send(): they have no body
    body, stream, kind = _body(content, json)
    if method in {"GET", "HEAD"} and (body is not None or stream is not None):
        raise ScriptError(f"a {method} request has no body; write method='POST', or leave content and json out.")
    request = ScriptRequest(
        url=_url(url, base),
        fragment=fragment(str(url)),
        method=method,
        headers=_headers(headers, kind, mode, engine),
        body=body,
        stream=stream,
        credentials=credentials,
        mode=mode,
        redirect=redirect,
        cache=cache,
        use_preflight=upload_listener and not (engine.upload_listener_needs_body and body is None and stream is None),
        referrer_policy=referrer_policy,
    )
    return request if stream is None else _stream(request, engine)


def _check_choices(**chosen: str) -> None:
    for option, value in chosen.items():
        if value not in _CHOICES[option]:
            raise ScriptError(
                f"{option}={value!r} is not known. Write one of {', '.join(map(repr, _CHOICES[option]))}."
            )


def _url(url: str | httpx.URL, base: httpx.URL | None) -> httpx.URL:
    parsed = parse(str(url), base)
    if parsed.userinfo:
        raise ScriptError(f"{parsed.copy_with(userinfo=b'')} has a user name or a password. Leave them out.")
    if parsed.scheme not in HTTP_SCHEMES:
        raise NetworkError(f"{parsed} is not an http or https URL. Write one such as 'https://api.test/items'.")
    return parsed


def _method(method: str, mode: Mode) -> str:
    upper = method.upper()
    if not is_token(method) or upper in FORBIDDEN_METHODS:
        raise ScriptError(
            f"method={method!r} is not allowed. Write a token such as 'PUT', other than CONNECT, TRACE and TRACK."
        )
    method = upper if upper in _NORMALIZED else method
    if mode == "no-cors" and method not in {"GET", "HEAD", "POST"}:
        raise ScriptError(f"method={method!r} needs mode='cors'; mode='no-cors' sends GET, HEAD and POST only.")
    return method


def _headers(init: HeaderInit, kind: str, mode: Mode, engine: Engine) -> list[Header]:
    headers = [_header(name, value) for name, value in _pairs(init)]
    headers = [(name, value) for name, value in headers if not is_forbidden(name, value, engine)]
    own = filter_no_cors(headers, engine) if mode == "no-cors" else headers
    if not kind or any(name == "content-type" for name, _ in own):
        return own
    typed = [*own, ("content-type", kind)]  # the body's type, if the script's own is absent or was dropped
    return filter_no_cors(typed, engine) if mode == "no-cors" else typed


def _pairs(init: HeaderInit) -> list[tuple[Text, Text]]:
    try:
        if isinstance(init, Mapping):
            return list(init.items())
        return [(name, value) for name, value in init]
    except (TypeError, ValueError) as error:
        example = "Write headers={'x-request-id': '1'}, or pairs."
        raise ScriptError(f"headers={init!r:.200} is not a mapping of names to values. {example}") from error


def _header(name: Text, value: Text) -> Header:
    for text in (name, value):
        if not isinstance(text, str | bytes):  # pyright: ignore[reportUnnecessaryIsInstance] - a script may pass anything
            raise ScriptError(f"header {name!r:.200}: {value!r:.200} is not text. Write {str(text)!r:.200}.")
    try:
        name, value = _byte_string(name), _byte_string(value).strip(_WHITESPACE)
    except UnicodeEncodeError as error:
        raise ScriptError(
            f"header {name!r}: {value!r} has a character above U+00FF. Encode it as UTF-8 bytes, or in %-escapes."
        ) from error
    if not is_token(name) or any(character in value for character in "\0\r\n"):
        raise ScriptError(
            f"header {name!r}: {value[:200]!r} is malformed. Write a token, and a value without NUL, CR and LF."
        )
    return name.lower(), value


def _byte_string(text: Text) -> str:
    return (text if isinstance(text, bytes) else text.encode("latin-1")).decode("latin-1")


def _body(content: BodyInit | None, json: object) -> tuple[bytes | None, Stream | None, str]:
    if json is not None:
        if content is not None:
            raise ScriptError("content and json are both given; write one.")
        try:
            return jsonlib.dumps(json, separators=(",", ":")).encode(), None, "application/json"
        except (TypeError, ValueError) as error:
            raise ScriptError(f"json={json!r:.200} cannot be encoded as JSON: {error}") from error
    if isinstance(content, str):
        # As browsers do, with U+FFFD for half of a surrogate pair.
        text = content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text.encode(), None, "text/plain;charset=UTF-8"
    if content is None:
        return None, None, ""
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content), None, ""
    if not isinstance(content, Mapping) and (hasattr(content, "__iter__") or hasattr(content, "__aiter__")):
        return None, content, ""
    raise ScriptError(
        f"content={content!r:.200} is not text, bytes or an iterator of bytes. Write json= for other objects."
    )


def _stream(request: ScriptRequest, engine: Engine) -> ScriptRequest:
    if engine.stream_bodies == "refused":
        raise ScriptError(f"{engine.name} does not send streams; pass content as bytes.")
    if engine.stream_bodies == "stringified":
        typed = any(name == "content-type" for name, _ in request.headers)
        kind = [] if typed else [("content-type", "text/plain;charset=UTF-8")]
        return replace(request, body=b"[object ReadableStream]", stream=None, headers=[*request.headers, *kind])
    if request.mode != "cors":
        raise ScriptError("content is a stream. Write mode='cors', or pass content as bytes.")
    return replace(request, use_preflight=True)


def only_bytes(stream: Stream) -> Stream:
    """Return the stream with a check: a part that is not bytes raises ScriptError."""
    return _AsyncBytes(stream) if isinstance(stream, AsyncIterable) else map(_checked_part, stream)


class _AsyncBytes(AsyncIterator[bytes]):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._parts = aiter(stream)

    async def __anext__(self) -> bytes:
        return _checked_part(await anext(self._parts))


def _checked_part(part: object) -> bytes:
    if not isinstance(part, bytes | bytearray | memoryview):
        raise ScriptError(
            f"content has the part {part!r:.200}, which is not bytes. Write text as b'...', or encode it."
        )
    return bytes(cast("bytes", part))
