"""Apps of the wrong interface, positional options and subclasses for Starlette are refused with the line to write."""

import functools
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from asgi_cors import ConfigError, CORSMiddleware, Policy, WSGIMiddleware

PAGE = "https://app.example.com"


def wsgi(environ, start_response): ...


async def asgi(scope, receive, send): ...


def returns_coroutine(scope, receive, send):
    return asgi(scope, receive, send)


class WSGIApp:
    def __call__(self, environ, start_response): ...

    def bound(self, environ, start_response): ...


class ASGIApp:
    async def __call__(self, scope, receive, send): ...

    async def bound(self, scope, receive, send): ...


class DoubleCallable:
    """ASGI 2: called with the scope, then with the rest."""

    def __init__(self, scope): ...

    async def __call__(self, receive, send): ...


class TakesAnything:
    def __call__(self, *args, **kwargs): ...


class HasNoSignature:
    __signature__ = "none"

    def __call__(self, *args): ...


def to_asgi(app):
    """Decorate an app with a function of another signature than that of `__wrapped__`."""

    @functools.wraps(app)
    def adapted(*args): ...

    return adapted


class Flask:
    """A class with the module and name of `flask.Flask`."""

    __module__ = "flask.app"

    def __call__(self, environ, start_response): ...


class Quart(ASGIApp):
    __module__ = "quart.app"


class Starlette(ASGIApp):
    __module__ = "starlette.applications"


class FastAPI(Starlette):
    __module__ = "fastapi.applications"


class APIFlask(Flask):
    __module__ = "apiflask.app"


EITHER = [
    pytest.param(lambda *args: args, id="a lambda of any arguments"),
    pytest.param(TakesAnything(), id="an object that takes anything"),
    pytest.param(HasNoSignature(), id="an object with a broken signature"),
    pytest.param(to_asgi(wsgi), id="a decorated WSGI app"),
    pytest.param(to_asgi(asgi), id="a decorated ASGI app"),
    pytest.param(MagicMock(), id="a mock"),
    pytest.param(Mock(), id="another mock"),
    pytest.param(DoubleCallable, id="a double callable of ASGI 2"),
    pytest.param(functools.partial(TakesAnything(), 1), id="a partial of anything"),
    pytest.param(len, id="a built-in function"),
]
ASGI = [
    pytest.param(asgi, id="a coroutine function"),
    pytest.param(returns_coroutine, id="a function that returns a coroutine"),
    pytest.param(ASGIApp(), id="an object"),
    pytest.param(ASGIApp().bound, id="a bound method"),
    pytest.param(functools.partial(asgi), id="a partial"),
    pytest.param(functools.partial(ASGIApp()), id="a partial of an object"),
    pytest.param(AsyncMock(), id="an async mock"),
    pytest.param(CORSMiddleware(asgi, allow_origins=PAGE), id="our middleware"),
]
WSGI = [
    pytest.param(wsgi, id="a function"),
    pytest.param(WSGIApp(), id="an object"),
    pytest.param(WSGIApp().bound, id="a bound method"),
    pytest.param(functools.partial(wsgi), id="a partial"),
    pytest.param(WSGIMiddleware(wsgi, allow_origins=PAGE), id="our middleware"),
]


@pytest.mark.parametrize("app", [*ASGI, *EITHER])
def test_an_asgi_app_is_accepted(app: Any) -> None:
    """CORSMiddleware takes every callable that can be an ASGI app."""
    assert CORSMiddleware(app, allow_origins=PAGE).app is app


@pytest.mark.parametrize("app", [*WSGI, *EITHER])
def test_a_wsgi_app_is_accepted(app: Any) -> None:
    """WSGIMiddleware takes every callable that can be a WSGI app."""
    assert WSGIMiddleware(app, allow_origins=PAGE).app is app


def refusal(middleware: Any, app: Any) -> tuple[str, str]:
    """Return the message and hint with which an app is refused."""
    with pytest.raises(ConfigError) as caught:
        middleware(app, allow_origins=PAGE)
    (found,) = caught.value.issues
    assert (found.code, found.option, found.value) == ("wrong-app", "app", app)
    return found.message, found.hint


@pytest.mark.parametrize("app", WSGI)
def test_a_wsgi_app_is_refused_by_asgi(app: Any) -> None:
    """CORSMiddleware names WSGIMiddleware for a WSGI app."""
    message, hint = refusal(CORSMiddleware, app)
    assert message.endswith(" is a WSGI app, not an ASGI app")
    assert hint == "Write WSGIMiddleware(app, …)."


@pytest.mark.parametrize("app", ASGI)
def test_an_asgi_app_is_refused_by_wsgi(app: Any) -> None:
    """WSGIMiddleware names CORSMiddleware for an ASGI app."""
    message, hint = refusal(WSGIMiddleware, app)
    assert message.endswith(" is an ASGI app, not a WSGI app")
    assert hint == "Write CORSMiddleware(app, …)."


@pytest.mark.parametrize(
    ("middleware", "app", "kind", "line"),
    [
        (
            CORSMiddleware,
            Flask(),
            "is a Flask app, which is WSGI",
            "Write asgi_cors_flask.CORS(app, …), or app.wsgi_app",
        ),
        (CORSMiddleware, APIFlask(), "is a Flask app, which is WSGI", "Write asgi_cors_flask.CORS(app, …), or "),
        (
            WSGIMiddleware,
            Quart(),
            "is a Quart app, which is ASGI",
            "Write asgi_cors_quart.CORS(app, …), or app.asgi_app",
        ),
        (WSGIMiddleware, Starlette(), "is a Starlette app, which is ASGI", "Write asgi_cors_starlette.install(app, …)"),
        (WSGIMiddleware, FastAPI(), "is a FastAPI app, which is ASGI", "Write asgi_cors_starlette.install(app, …)"),
    ],
    ids=["Flask", "a subclass of Flask", "Quart", "Starlette", "FastAPI"],
)
def test_the_app_of_a_known_framework_is_refused_with_the_line_of_its_adapter(
    middleware: Any, app: Any, kind: str, line: str
) -> None:
    message, hint = refusal(middleware, app)
    assert kind in message
    assert hint.startswith(line)


def create_app(): ...


@pytest.mark.parametrize(
    ("app", "call"),
    [(create_app, "create_app()"), (ASGIApp, "ASGIApp()"), (WSGIApp, "WSGIApp()"), (lambda: None, "lambda()")],
    ids=["a factory", "a class of ASGI apps", "a class of WSGI apps", "a lambda"],
)
def test_a_factory_or_class_in_place_of_an_app_is_refused_with_a_call_as_hint(app: Any, call: str) -> None:
    for middleware in (CORSMiddleware, WSGIMiddleware):
        message, hint = refusal(middleware, app)
        assert message.endswith(" is not an app, because it takes no arguments")
        assert hint == f"Write {middleware.__name__}({call}, …)."


@pytest.mark.parametrize("app", [None, 5, "main:app", object(), []], ids=["None", "5", "a name", "an object", "a list"])
def test_a_value_that_cannot_be_called_is_refused(app: Any) -> None:
    for middleware in (CORSMiddleware, WSGIMiddleware):
        message, hint = refusal(middleware, app)
        assert message.endswith(" is not an app")
        assert hint == f"Write {middleware.__name__}(app, …)."


# -- positional arguments

POSITIONAL: list[tuple[str, tuple[Any, ...], str]] = [
    ("origins", (["https://a.com"],), "allow_origins=['https://a.com']"),
    ("a lone origin", ("https://a.com",), "allow_origins='https://a.com'"),
    ("origins and methods", (["https://a.com"], ["PUT"]), "allow_origins=['https://a.com'], allow_methods=['PUT']"),
    ("tuples", (("https://a.com",), ("PUT",)), "allow_origins=['https://a.com'], allow_methods=['PUT']"),
    (
        "None for a default",
        (["https://a.com"], None, ["x-a"]),
        "allow_origins=['https://a.com'], allow_headers=['x-a']",
    ),
    (
        "all of an older Starlette",
        (["https://a.com"], ["PUT"], ["x-a"], True, None, ["x-b"], 5),
        (
            "allow_origins=['https://a.com'], allow_methods=['PUT'], allow_headers=['x-a'], allow_credentials=True, "
            "expose_headers=['x-b'], max_age=5"
        ),
    ),
    (
        "all of Starlette",
        (["https://a.com"], ["PUT"], ["x-a"], True, "https://b", False, ["x-b"], 5),
        (
            "allow_origins=['https://a.com'], allow_methods=['PUT'], allow_headers=['x-a'], allow_credentials=True, "
            "allow_origin_regex='https://b', allow_private_network=False, expose_headers=['x-b'], max_age=5"
        ),
    ),
    ("a mapping", ({"allow_origins": "https://a.com", "max_age": 5},), "allow_origins='https://a.com', max_age=5"),
]


@pytest.mark.parametrize(
    "call", [functools.partial(CORSMiddleware, asgi), functools.partial(WSGIMiddleware, wsgi), Policy]
)
@pytest.mark.parametrize(("values", "line"), [row[1:] for row in POSITIONAL], ids=[row[0] for row in POSITIONAL])
@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_positional_options_are_refused_with_the_keywords_as_hint(
    call: Any, values: tuple[Any, ...], line: str
) -> None:
    """They are in Starlette's order, and the hint is accepted."""
    with pytest.raises(ConfigError) as caught:
        call(*values)
    (found,) = caught.value.issues
    assert (found.code, found.hint) == ("positional-options", f"Write {line}.")
    assert "keywords" in found.message
    call(**eval(f"dict({line})"))  # noqa: S307 - of this table


def test_the_error_for_positional_options_is_also_a_type_error() -> None:
    """Python raises a TypeError for a call with too many arguments."""
    for call in (Policy, functools.partial(CORSMiddleware, asgi, None)):
        with pytest.raises(TypeError):
            call("*")


def test_positional_arguments_after_a_policy_are_refused() -> None:
    """The policy itself may be positional."""
    with pytest.raises(ConfigError, match=r"Write allow_origins=\['PUT'\]"):
        CORSMiddleware(asgi, Policy(allow_origins=PAGE), ["PUT"])  # type: ignore[arg-type]


def test_all_mistakes_of_a_call_are_reported_together() -> None:
    """In the app, the positional arguments and the keywords."""
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(wsgi, ["*"], max_age=-1, colour=1)
    assert [each.code for each in caught.value.issues] == [
        "wrong-app",
        "positional-options",
        "unknown-option",
        "negative-max-age",
    ]


def test_a_positional_none_is_refused_without_a_keyword_in_the_hint() -> None:
    with pytest.raises(ConfigError, match="Write the options as keywords"):
        Policy(None)  # type: ignore[arg-type]


# -- subclasses for Starlette's middleware

STARLETTE = ["is_allowed_origin", "allow_explicit_origin", "preflight_response", "simple_response", "send"]


@pytest.mark.parametrize("name", STARLETTE)
def test_an_override_of_starlettes_methods_is_refused(name: str) -> None:
    """The class is refused when it is created, since its method would never be called."""
    with pytest.raises(TypeError, match=rf"Mine overrides '{name}'.*allow_origins=\[callable\]"):
        type("Mine", (CORSMiddleware,), {name: lambda *args: args})


def test_an_override_in_a_mixin_is_refused() -> None:
    """A method of another base class counts, too."""
    mixin = type("Mixin", (), {"is_allowed_origin": lambda self, origin: bool(self and origin)})
    with pytest.raises(TypeError, match="is_allowed_origin"):
        type("Mine", (mixin, CORSMiddleware), {})


def test_a_subclass_with_its_own_methods_and_constructor_works() -> None:

    class Mine(CORSMiddleware):
        def __init__(self, app: Any) -> None:
            super().__init__(app, allow_origins=PAGE)

        def is_allowed(self, origin: str) -> bool:
            return bool(self.explain("GET", origin).allowed)

    assert Mine(asgi).is_allowed(PAGE)
