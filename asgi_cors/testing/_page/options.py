"""Checks the options of a page when the page is created."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import httpx

from asgi_cors.testing._errors.errors import ScriptError
from asgi_cors.testing._errors.suggestions import did_you_mean
from asgi_cors.testing._fetch.engines import Engine
from asgi_cors.testing._fetch.referrer import DEFAULT_POLICY, POLICIES
from asgi_cors.testing._fetch.url import HTTP_SCHEMES, is_absolute, parse, serialize_origin

OPTION_NAMES = (
    *("origin", "app", "transport", "base_url", "engine", "cookies", "referrer_policy", "clock", "follow", "timeout"),
)

# Names from other test clients, and a hint for each.
_OTHER_NAMES = {
    "auth": "Pass headers={'authorization': ...} to fetch().",
    "backend": "Leave it out: AsyncPage runs in the test's event loop, Page in its own.",
    "client": "Write transport=, with an httpx transport.",
    **dict.fromkeys(
        ("cache", "content", "credentials", "headers", "json", "method", "mode", "redirect", "stream"),
        "It is an option of fetch().",
    ),
    **dict.fromkeys(("data", "enctype"), "It is an option of submit()."),
    **dict.fromkeys(("referrer", "referrerPolicy"), "Write referrer_policy= instead."),
    "follow_redirects": "Write follow=0 to follow none; fetch() has redirect='manual'.",
    "max_redirects": "Write follow= instead.",
    "proxy": "Write transport=httpx.HTTPTransport(proxy=...).",
    "raise_app_exceptions": "Leave it out: page.exchanges[-1].exception has the application's exception.",
    "raise_server_exceptions": "Leave it out: page.exchanges[-1].exception has the application's exception.",
    "url": "Write the page's origin first. The API's origin is base_url=.",
    "verify": "Write transport=httpx.HTTPTransport(verify=...).",
}
# Schemes whose pages have an origin of their own, such as capacitor://localhost and chrome-extension://<id>.
_APP_ORIGIN = re.compile(r"[a-z][a-z0-9+.\-]*://[^\x00-\x20\x7f-\U0010ffff/?#@\\<>^|]+")
_NOT_APP_SCHEMES = ("http:", "https:", "ws:", "wss:", "file:", "data:", "blob:", "about:", "javascript:")
_OPAQUE_SCHEMES = frozenset({"file", "data", "blob", "about", "javascript"})
_HTTP_SCHEME_OF = {"ws": "http", "wss": "https"}


def check_option_names(owner: str, names: Collection[str], known: Collection[str] = OPTION_NAMES) -> None:
    """Raise TypeError for an unknown option. `owner` is the name of the callable. The message has the correction."""
    for name in names:
        if name not in known:
            hint = _OTHER_NAMES.get(name) or did_you_mean(name, known)
            if owner == "AsyncPage":
                hint = hint.replace("httpx.HTTPTransport", "httpx.AsyncHTTPTransport")
            raise TypeError(f"{owner} has no option {name!r}. {hint}")


def check_option_values(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a value of the wrong type or range."""
    timeout, follow = options.get("timeout", 30), options.get("follow", 20)
    if not is_timeout(timeout):
        raise ValueError(f"timeout={timeout!r} is not a number of seconds. Write timeout=30.")
    if not isinstance(follow, int) or isinstance(follow, bool) or follow < 0:
        raise ValueError(f"follow={follow!r} is not a number of redirects. Write follow=20.")
    if "clock" in options and not callable(options["clock"]):
        raise ValueError(f"clock={options['clock']!r} is not callable. Write clock=time.monotonic.")
    if not isinstance(options.get("engine", ""), str | Engine):
        raise ValueError(  # noqa: TRY004 - as for other values
            f"engine={options['engine']!r:.200} is not known. Write engine='chromium', for instance."
        )
    if options.get("referrer_policy", DEFAULT_POLICY) not in POLICIES:
        shown = ", ".join(map(repr, POLICIES))
        raise ValueError(f"referrer_policy={options['referrer_policy']!r:.200} is not known. Write one of {shown}.")
    _check_cookies(options.get("cookies"))


def _check_cookies(cookies: object) -> None:
    """Raise ValueError unless `cookies` is a mapping of URLs to Set-Cookie lines."""
    example = "{'https://api.test': ['sid=1; SameSite=None; Secure']}"
    if cookies is None:
        return
    if not isinstance(cookies, Mapping):
        raise ValueError(f"cookies={cookies!r:.200} is not a mapping of URLs. Write cookies={example}.")  # noqa: TRY004 - as for other values
    for url, lines in cast("Mapping[object, object]", cookies).items():
        if not isinstance(url, str) or not is_absolute(url):
            raise ValueError(f"cookies: {url!r:.200} is not a URL. Write cookies={example}.")
        listed = [lines] if isinstance(lines, str) else lines
        if isinstance(listed, Sequence):
            is_text = all(isinstance(line, str) for line in cast("Sequence[object]", listed))
        else:
            is_text = isinstance(listed, Iterable)
        if not is_text:
            raise ValueError(f"cookies: {lines!r:.200} is not a list of Set-Cookie lines. Write cookies={example}.")


def is_timeout(value: object) -> bool:
    """Return whether the value is a number of seconds. Infinity is; an integer too large for a float is not."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 <= value <= sys.float_info.max or value == math.inf


def checked_clock(clock: Callable[[], object]) -> Callable[[], float]:
    """Return a clock whose times are checked at each call."""

    def now() -> float:
        seconds = clock()
        if not isinstance(seconds, int | float) or math.isnan(seconds):
            raise ValueError(f"clock() returned {seconds!r:.200}, not a number of seconds. Return one, such as 0.0.")
        return seconds

    return now


def parse_origin(origin: object) -> httpx.URL | None:
    """Return the page's URL, or None for a sandboxed page, an app or an extension. Raises ValueError."""
    if not isinstance(origin, str):
        raise ValueError(f"origin={origin!r:.200} is not text. {_page_hint('', None)}")  # noqa: TRY004 - as for other values
    if origin == "null" or (_APP_ORIGIN.fullmatch(origin) and not origin.startswith(_NOT_APP_SCHEMES)):
        return None
    return _origin_url("origin", origin, _page_hint)


def parse_base_url(base_url: object) -> httpx.URL | None:
    """Return the URL that relative URLs are resolved against, or None if it is not given. Raises ValueError."""
    if base_url is None:
        return None
    if not isinstance(base_url, str):
        raise ValueError(f"base_url={base_url!r:.200} is not text. {_base_hint('', None)}")  # noqa: TRY004 - as for other values
    return _origin_url("base_url", base_url, _base_hint)


def _origin_url(option: str, origin: str, hint: Callable[[str, httpx.URL | None], str]) -> httpx.URL:
    shown = f"{option}={origin[:200]!r}"
    try:
        url = parse(origin)
    except ScriptError as error:
        raise ValueError(f"{shown} is not a URL. {hint(origin, None)}") from error
    if url.scheme not in HTTP_SCHEMES or serialize_origin(url) != origin:
        raise ValueError(f"{shown} is not an origin as browsers serialize it. {hint(origin, url)}")
    return url


def _page_hint(origin: str, url: httpx.URL | None) -> str:
    """Return the correction for a text that is not a serialized origin."""
    scheme = url.scheme if url else ""
    if url and scheme in HTTP_SCHEMES and url.host:
        return f"Write {serialize_origin(url)!r}."
    if scheme in _OPAQUE_SCHEMES:
        return "Write 'null': pages of this scheme send it."
    if (app := _APP_ORIGIN.match(origin)) and not origin.startswith(_NOT_APP_SCHEMES):
        return f"Write {app[0]!r}."  # an app or an extension, without its path
    return _correct_host(origin) or "Write an origin such as 'https://app.example.com', or 'null'."


def _base_hint(base_url: str, url: httpx.URL | None) -> str:
    """Return the correction for a text that is not the origin of an API."""
    example = "Write an origin such as 'https://api.test'."
    scheme, colon, rest = base_url.partition("://")
    if colon:
        with contextlib.suppress(ScriptError):
            target = parse(f"{_HTTP_SCHEME_OF.get(scheme.lower(), scheme)}://{rest}")
            return f"Write {serialize_origin(target)!r}." if target.scheme in HTTP_SCHEMES else example
    elif base_url != "null" and not (url and url.scheme in _OPAQUE_SCHEMES):
        return _correct_host(base_url) or example
    return example


def _correct_host(text: str) -> str:
    """Return the correction for a host without a scheme, or ""."""
    host = re.match(r"(?:wss?:)?(?://)?((\[[0-9a-f:.]+\]|[\w.-]+)(?::[0-9]+)?)(?![^/?#])", text)
    is_local = host and re.match(r"\[|127\.|(?:.*\.)?localhost$", host[2])
    with contextlib.suppress(ScriptError):
        if host and (found := parse(f"{'http' if is_local else 'https'}://{host[1]}")).host:
            return f"Write {serialize_origin(found)!r}."
    return ""
