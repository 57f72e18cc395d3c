"""Checks the names and types of the options of `fetch()`, before a request is built.

Users know other names from httpx, requests, the test clients of frameworks, and JavaScript. The message has the
correction for each.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx

from asgi_cors.testing._errors.errors import ScriptError
from asgi_cors.testing._errors.suggestions import did_you_mean
from asgi_cors.testing._fetch.form import FormInit
from asgi_cors.testing._fetch.script import FetchInit
from asgi_cors.testing._fetch.url import url_text

from .options import OPTION_NAMES as PAGE_OPTIONS
from .options import is_timeout

OPTION_NAMES = (*FetchInit.__annotations__, "timeout", "stream")

SUBMIT_NAMES = (*FormInit.__annotations__, "timeout")

_FORM = "application/x-www-form-urlencoded"


def check_fetch_options(url: object, init: Mapping[str, Any], *, stream: object) -> None:
    """Raise ScriptError for an unknown option of fetch(), or a value of the wrong type."""
    url_text(url)
    for name, value in init.items():
        if name not in OPTION_NAMES:
            raise ScriptError(f"fetch() has no option {name!r}. {_hint(_Misuse(name, value, str(url), init))}")
    if not isinstance(init.get("method", "GET"), str):
        raise ScriptError(f"method={init['method']!r:.200} is not text. Write method='GET', or leave it out.")
    if "headers" in init and init["headers"] is None:
        raise ScriptError("headers=None is not a mapping. Write headers={}, or leave it out.")
    for name, flag in (("stream", stream), ("upload_listener", init.get("upload_listener", False))):
        if not isinstance(flag, bool):
            note = " A body is sent by content=." if name == "stream" else ""
            raise ScriptError(f"{name}={flag!r:.200} is not True or False. Write {name}=True, or leave it out.{note}")


def check_submit_options(options: Mapping[str, Any]) -> None:
    """Raise ScriptError for an unknown option of submit(), or a `by_user` that is not a bool."""
    for name in options:
        if name not in SUBMIT_NAMES:
            hint = _SUBMIT_HINTS.get(name) or did_you_mean(name, SUBMIT_NAMES)
            raise ScriptError(f"submit() has no option {name!r}. {hint}")
    if not isinstance(options.get("by_user", True), bool):
        raise ScriptError(f"by_user={options['by_user']!r:.200} is not True or False. Write by_user=False.")


def parse_timeout(timeout: float | None, default: float) -> float:
    """Return the timeout of a fetch or a submission in seconds. Raises ScriptError."""
    if timeout is None:
        return default
    if not is_timeout(timeout):
        raise ScriptError(f"timeout={timeout!r:.200} is not a number of seconds. Write timeout=30, or leave it out.")
    return timeout


class _Misuse(NamedTuple):
    """An unknown option with its value, and the other arguments of the call."""

    name: str
    value: Any
    url: str
    init: Mapping[str, Any]


def _hint(misuse: _Misuse) -> str:
    name = misuse.name
    if misuse.value is None and (name in _HINTS or name in _FIXED_HINTS):
        return "Leave it out."
    if name in _FIXED_HINTS:
        return _FIXED_HINTS[name]
    if name in _HINTS:
        try:
            return _HINTS[name](misuse)
        except Exception:  # noqa: BLE001 - an unexpected value; show an example
            return _EXAMPLES.get(name) or did_you_mean(name, OPTION_NAMES)
    if name in PAGE_OPTIONS:
        return f"It is an option of the page: write Page(..., {name}=...)."
    return did_you_mean(name, OPTION_NAMES)


def _params(misuse: _Misuse) -> str:
    url = httpx.URL(misuse.url).copy_merge_params(httpx.QueryParams(misuse.value))
    return f"Write the query into the URL: {str(url)!r}."


def _data(misuse: _Misuse) -> str:
    if "files" in misuse.init:
        return _files(misuse)
    if isinstance(misuse.value, str | bytes):
        return f"Write {_method(misuse)}content={misuse.value!r:.200}."
    try:
        form = urlencode(misuse.value, doseq=True)
    except (TypeError, ValueError):
        form = "name=value"
    return f"Write {_method(misuse)}content={form!r}, headers={{'content-type': '{_FORM}'}}."


def _files(misuse: _Misuse) -> str:
    data = "data=data, " if "data" in misuse.init else ""
    return (
        f"Let httpx encode them: form = httpx.Request('POST', url, {data}files=files). Then write {_method(misuse)}"
        "content=form.read(), headers={'content-type': form.headers['content-type']}."
    )


def _body(misuse: _Misuse) -> str:
    option = "json" if isinstance(misuse.value, Mapping | list | int) else "content"
    return f"Write {_method(misuse)}{option}= instead."


def _cookies(misuse: _Misuse) -> str:
    target = httpx.URL(misuse.url)
    lines = [f"{name}={text}; SameSite=None; Secure" for name, text in dict(misuse.value).items()]
    return _COOKIES.format({f"{target.scheme}://{target.netloc.decode()}": lines})


def _auth(misuse: _Misuse) -> str:
    user, password = misuse.value
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Write headers={{'authorization': 'Basic {encoded}'}}."


def _follow_redirects(misuse: _Misuse) -> str:
    return "Leave it out: redirects are followed." if misuse.value else "Write redirect='manual'."


def _with_credentials(misuse: _Misuse) -> str:
    if misuse.value:
        return "Write credentials='include'."
    return "Leave it out: credentials='same-origin' is the default."


def _content_type(misuse: _Misuse) -> str:
    return f"Write headers={{'content-type': {str(misuse.value)!r:.200}}}."


def _method(misuse: _Misuse) -> str:
    """Return the `method` option that a body needs, or "" if a method with a body is given."""
    return "" if str(misuse.init.get("method", "GET")).upper() not in {"GET", "HEAD"} else "method='POST', "


_COOKIES = "A script cannot send cookies of its own. Write Page(..., cookies={}), and fetch with credentials='include'."
# The corrections that show the value.
_HINTS: dict[str, Callable[[_Misuse], str]] = {
    **dict.fromkeys(("params", "query", "query_string"), _params),
    **dict.fromkeys(("data", "form"), _data),
    "files": _files,
    **dict.fromkeys(("body", "text"), _body),
    "cookies": _cookies,
    "auth": _auth,
    **dict.fromkeys(("allow_redirects", "follow_redirects"), _follow_redirects),
    **dict.fromkeys(("withCredentials", "with_credentials"), _with_credentials),
    **dict.fromkeys(("content_type", "mimetype"), _content_type),
}
# The same for a value of an unexpected type.
_EXAMPLES = {
    **dict.fromkeys(
        ("params", "query", "query_string"), "Write the query into the URL: 'https://api.test/items?name=value'."
    ),
    "cookies": _COOKIES.format({"https://api.test": ["sid=1; SameSite=None; Secure"]}),
    "auth": "Write headers={'authorization': 'Bearer token'}.",
}
# The corrections that are the same for every value.
_FIXED_HINTS = {
    **dict.fromkeys(("onUploadProgress", "on_upload_progress", "onprogress"), "Write upload_listener=True."),
    **{
        name: f"It is an option of the transport: write Page(..., transport=httpx.HTTPTransport({name}=...)), or"
        f" AsyncPage(..., transport=httpx.AsyncHTTPTransport({name}=...))."
        for name in ("cert", "proxy", "verify")
    },
    "max_redirects": "It is an option of the page: write Page(..., follow=...).",
    "signal": "Leave it out; timeout=5 ends the fetch after 5 seconds.",
    **dict.fromkeys(
        ("duplex", "extensions", "hooks", "integrity", "keepalive", "priority", "referrer", "window"),
        "Leave it out: it has no effect here.",
    ),
    "referrerPolicy": "Write referrer_policy= instead.",
    "enctype": "It is an option of submit(), which sends a form.",
}
# The same for submit().
_SUBMIT_HINTS = {
    **dict.fromkeys(
        ("cache", "credentials", "headers", "json", "mode", "redirect", "stream", "upload_listener"),
        "A form has no such option: it is an option of fetch().",
    ),
    **dict.fromkeys(("body", "content", "form", "params"), "Write data={'name': 'value'}."),
    **dict.fromkeys(("content_type", "encoding"), "Write enctype='multipart/form-data', for instance."),
    "files": "Write data={'file': ('name.txt', b'content', 'text/plain')}, enctype='multipart/form-data'.",
    "cookies": "It is an option of the page: write Page(..., cookies=...).",
    "referrer_policy": "It is an option of the page: write Page(..., referrer_policy=...).",
    **dict.fromkeys(
        ("allow_redirects", "follow_redirects"), "Leave it out: a form's redirects are followed. Page(..., follow=0)"
    ),
}
