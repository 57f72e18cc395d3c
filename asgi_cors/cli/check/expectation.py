"""The declared expectation: who may read a URL, with which methods, headers and credentials."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from asgi_cors import ConfigError, ConfigWarning, Policy
from asgi_cors.cli.doctor.question import parse_header, parse_url
from asgi_cors.cli.errors import CannotRunError

EVERY_ORIGIN: Final = "*"
ATTACKER: Final = "asgi-cors-check.example"
OTHER_SITE: Final = f"https://{ATTACKER}"
SAFELISTED_METHODS: Final = ("GET", "HEAD", "POST")
_NORMALIZED: Final = {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"}
_SAFELISTED_NAMES: Final = {"accept", "accept-language", "content-language", "range"}
_SOCKETS: Final = ("ws:", "wss:")
_FRAMING: Final = {"connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"}

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The declaration of a user, and the options of the check.

    Args:
        url: The URL; `ws` and `wss` are WebSockets.
        allow: The entries that are allowed: origins, patterns, `null`, or `*` for every origin.
        refuse: Origins that must be refused.
        methods: The methods of scripts, normalized as browsers do.
        headers: The names of request headers that scripts set, in lower case.
        credentials: Whether scripts set `credentials: "include"`.
        expose: The response headers that scripts read, in lower case.
        error_url: A URL whose response is an error, or "".
        main_headers: Request headers for every request that is not a preflight, such as Authorization.
        send_unsafe: Whether unsafe methods are really sent.
        timeout: Seconds for a response.
    """

    url: str
    allow: tuple[str, ...]
    refuse: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET",)
    headers: tuple[str, ...] = ()
    credentials: bool = False
    expose: tuple[str, ...] = ()
    error_url: str = ""
    main_headers: Headers = ()
    send_unsafe: bool = False
    timeout: float = 10

    @property
    def is_websocket(self) -> bool:
        """Whether the URL is that of a WebSocket."""
        return self.url.startswith(_SOCKETS)

    @property
    def http_url(self) -> str:
        """The URL with the scheme http or https."""
        return "http" + self.url.removeprefix("ws") if self.is_websocket else self.url

    @property
    def allows_every_origin(self) -> bool:
        """Whether every origin is declared."""
        return EVERY_ORIGIN in self.allow

    @property
    def origins(self) -> tuple[str, ...]:
        """An allowed origin for each entry."""
        if self.allows_every_origin:
            return (OTHER_SITE,)
        return tuple(entry.replace(":*", ":3000").replace("*", "asgi-cors-check") for entry in self.allow)

    def allows(self, origin: str) -> bool:
        """Return whether an origin is declared as allowed."""
        return self.allows_every_origin or origin in self._policy.compiled.origins

    @cached_property
    def _policy(self) -> Policy:
        return _policy(allow_origins=self.allow)

    @property
    def script_headers(self) -> Headers:
        """The declared headers with values that need a preflight."""
        return tuple((name, self._value(name)) for name in self.headers)

    def _value(self, name: str) -> str:
        given = {given.lower(): value for given, value in self.main_headers}
        if name == "authorization":
            return given.get(name, "Bearer asgi-cors-check")
        if name == "content-type":
            return "application/json"
        return "x" * 129 if name in _SAFELISTED_NAMES else given.get(name, "1")

    @property
    def preflights(self) -> tuple[tuple[str, Headers], ...]:
        """The declared methods that need a preflight, each with the headers of the script."""
        return tuple(
            (method, self.script_headers) for method in self.methods if self.headers or method not in SAFELISTED_METHODS
        )


def parse_expectation(url: str, *, allow: Iterable[str], refuse: Iterable[str], **options: Any) -> Expectation:
    """Check and normalize the arguments of the command line.

    Args:
        url: The URL.
        allow: The values of `--allow`.
        refuse: The values of `--refuse`.
        **options: `methods`, `headers`, `credentials`, `expose`, `error_url`, `main_headers`, `send_unsafe`, `timeout`.

    Raises:
        CannotRunError: An argument is wrong. The message has the correction.
    """
    allow = tuple(dict.fromkeys(map(str.strip, allow)))
    methods = tuple(dict.fromkeys(map(_parse_method, options.pop("methods", ())))) or ("GET",)
    headers = tuple(dict.fromkeys(_parse_name("--header", text) for text in options.pop("headers", ())))
    expectation = Expectation(
        url=parse_url(url),
        allow=allow,
        refuse=tuple(dict.fromkeys(map(str.strip, refuse))),
        methods=methods,
        headers=headers,
        expose=tuple(dict.fromkeys(_parse_name("--expose", text) for text in options.pop("expose", ()))),
        error_url=_parse_error_url(options.pop("error_url", "") or ""),
        main_headers=tuple(map(_parse_header, options.pop("main_headers", ()))),
        **options,
    )
    _check_origins(expectation)
    return expectation


def _check_origins(expectation: Expectation) -> None:
    if not expectation.allow:
        raise CannotRunError("check needs an allowed origin. Write --allow https://app.example.com.")
    if expectation.allows_every_origin:
        if len(expectation.allow) > 1:
            raise CannotRunError("--allow '*' is every origin. Leave out the other --allow.")
        if expectation.credentials:
            raise CannotRunError("--allow '*' with --credentials is not possible in browsers. Name the origins.")
        if expectation.refuse:
            raise CannotRunError("--allow '*' is every origin, so --refuse has no meaning. Name the allowed origins.")
        return
    _check_entries("--allow", expectation.allow)
    for origin in expectation.refuse:
        if "*" in origin:
            raise CannotRunError(f"--refuse {origin[:200]!r} is a pattern. Write an origin: https://other.example.com.")
        _check_entries("--refuse", (origin,))
        if expectation.allows(origin):
            raise CannotRunError(f"--refuse {origin!r} is also allowed by --allow. Write it once.")


def _check_entries(option: str, entries: tuple[str, ...]) -> None:
    for entry in entries:
        _check_text(option, entry)
    try:
        _policy(allow_origins=entries)
    except ConfigError as error:
        raise CannotRunError(_without_python(str(error.issues[0]).replace("allow_origins", option, 1))) from None


def _check_text(option: str, text: str) -> None:
    """Refuse what `Policy` explains in Python, and the command line needs in other words."""
    if not text.strip():
        raise CannotRunError(f"{option} '' is empty. Leave it out, or set the variable that it is read from.")
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if "," in text and parts:
        raise CannotRunError(f"{option} {text[:200]!r} is a list. Write {_repeated(option, parts)[:200]}.")


def _repeated(option: str, values: list[str]) -> str:
    return " ".join(f"{option} {value}" for value in values)


def _without_python(message: str) -> str:
    """Leave out a correction that is Python."""
    return message.partition(" Write re.compile(")[0]


def _parse_error_url(text: str) -> str:
    url = parse_url(text) if text else ""
    if url.startswith(_SOCKETS):
        raise CannotRunError(f"--error {text[:200]!r} is a WebSocket. Write an http or https URL.")
    return url


def _parse_header(text: str) -> tuple[str, str]:
    """Return a header for every request. Those that frame a request would send a body, or no whole request."""
    name, value = parse_header(text)
    if name.lower() in _FRAMING:
        raise CannotRunError(f"-H {text[:200]!r}: the connection sets this header. Leave it out.")
    if not value.isprintable() or not value.isascii():
        raise CannotRunError(f"-H: the value of {name} has a character that is not printable ASCII. Encode it.")
    return name, value


def _policy(**options: Any) -> Policy:
    """Return a policy without warnings. It has no credentials, so no risk is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigWarning)
        return Policy(**options)


def _parse_method(text: str) -> str:
    _check_text("--method", text)
    name = text.strip()
    method = name.upper() if name.upper() in _NORMALIZED else name
    try:
        _policy(allow_origins="*", allow_methods=[method])
    except ConfigError as error:
        raise CannotRunError(str(error.issues[0]).replace("allow_methods", "--method", 1)) from None
    if method == "*":
        raise CannotRunError("--method '*' is not a method. Write the name of a method, such as PUT.")
    return method


def _parse_name(option: str, text: str) -> str:
    """Return the name of a header. A value after a colon is ignored."""
    name = text.partition(":")[0].strip().lower()
    _check_text(option, name)
    key = "allow_headers" if option == "--header" else "expose_headers"
    options: dict[str, Any] = {"allow_origins": "*", key: [name]}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConfigWarning)
            Policy(**options)
    except ConfigError as error:
        raise CannotRunError(str(error.issues[0]).replace(key, option, 1)) from None
    except ConfigWarning as warning:
        raise CannotRunError(str(warning).replace(key, option, 1)) from None
    if name == "*":
        raise CannotRunError(f"{option} '*' is not a name. Write the name of a header, such as x-request-id.")
    return name
