"""cross_origin: a policy of its own for one view, with `CORS(app)` or without.

With it, the policy is found before anything of the app runs. Without, the view itself answers its preflights, and has
its responses decorated, those to what it raises included; what is answered before the view is reached, a 404 or a
login, is then out of its reach.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, Unpack, overload

from flask import Flask, Response, after_this_request, current_app, request

from asgi_cors import Configuration, Policy, WSGIMiddleware
from asgi_cors_werkzeug import AttachedPolicy, mark, wraps_view

from ._installation import NAME, Installation, configuration_of
from ._options import AUTOMATIC_OPTIONS, OF_VIEWS, Options, read_config, read_options, refuse_unknown
from ._typing import ViewOptions

View = Callable[..., Any]
F = TypeVar("F", bound=View)

_ALONE: Final = "asgi_cors_alone"
_START: Final = "asgi_cors_flask.start_response"


@overload
def cross_origin(view: F, /) -> F: ...
@overload
def cross_origin(**options: Unpack[ViewOptions]) -> Callable[[F], F]: ...
def cross_origin(view: Any = None, /, **options: Unpack[ViewOptions]) -> Any:
    """Give a view a policy of its own; it stands below `route`.

    Args:
        view: The view, where no options are given.
        options: By Flask-CORS's names or the policy's own, over the `CORS_*` keys of the app's config and the defaults
            of `CORS`. What `CORS(app, …)` is given doesn't count.

    Raises:
        ConfigError: With every mistake found. `CORS(app)` finds those that depend on the app's config. If the view
            comes later, it allows no origin then, and the log names it.
    """
    decoration = Decoration(read_options(options, OF_VIEWS))

    def decorate(view: View) -> Any:
        decoration.add_view(view)
        return DecoratedView(view, decoration)

    return decorate if view is None else decorate(view)


class Decoration(AttachedPolicy):
    """What is left on a view: the options of one `cross_origin`, and the policies that they come to."""

    def __init__(self, options: Options) -> None:
        """Check what doesn't depend on an app's config."""
        super().__init__("cross_origin")
        self._options = options
        self.answers_options: bool = options.others.get(AUTOMATIC_OPTIONS, True)
        checked = options.check("cross_origin: ")
        self._policy = checked if options.names_origins else None

    def policy(self, app: Flask) -> Policy:
        """Give the policy for an app, whose config counts.

        Raises:
            ConfigError: Of what its config makes of the options.
        """
        config, unknown = read_config(app.config, warns=False)
        options = self._options.over(config)
        refuse_unknown(unknown, options)
        return self._policy if self._policy and not config.policy else options.build("cross_origin: ")

    def configuration(self, app: Flask) -> Configuration:
        """Give the same, to be explained, or applied by itself."""
        return Configuration(self.policy(app))


class DecoratedView:
    """A view in the hands of `cross_origin`: callable as the view is, a method of a class included."""

    required_methods: set[str]

    def __init__(self, view: View, decoration: Decoration) -> None:
        """Take the view's place."""
        functools.update_wrapper(self, view)
        self._view = view
        self._decoration = decoration
        mark(self, decoration)
        wraps_view(self, view)
        if decoration.answers_options:
            self.required_methods = {*getattr(view, "required_methods", ()), "OPTIONS"}
            self.provide_automatic_options = False

    @property
    def provide_automatic_options(self) -> bool | None:
        """Whether Flask answers OPTIONS by itself, without the view; None leaves it to the app."""
        return vars(self).get("provide_automatic_options")

    @provide_automatic_options.setter
    def provide_automatic_options(self, value: bool | None) -> None:
        # Flask's View.as_view sets it to None, by default, on whatever its decorators return.
        if value is not None:
            vars(self)["provide_automatic_options"] = value

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Be a method, where the view is one."""
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Serve a request, or leave the policy to what stands around the app."""
        installation: Installation | None = current_app.extensions.get(NAME)
        if installation is None or not installation.serves(self._decoration):
            answer = _answered(_alone(self._decoration))
            if answer is not None:
                return answer
        if request.method == "OPTIONS" and self._decoration.answers_options:
            return _options_response()
        return current_app.ensure_sync(self._view)(*args, **kwargs)


def _alone(decoration: Decoration) -> WSGIMiddleware:
    """Give what applies a view's policy by itself, where nothing does so around the app; made once for each app."""
    made: dict[Decoration, WSGIMiddleware] = current_app.extensions.setdefault(_ALONE, {})
    if decoration not in made:
        made[decoration] = WSGIMiddleware(_keep_start, configuration_of(current_app, decoration))
    return made[decoration]


def _answered(middleware: WSGIMiddleware) -> Response | None:
    """Have the policy answer a preflight; else let it decorate the response, whatever comes to be it."""
    started: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /) -> Callable[[bytes], object]:
        started.update(status=status, headers=headers)
        return _nothing_to_write

    environ = request.environ
    environ.pop(_START, None)
    body = middleware(environ, start)
    starts = environ.pop(_START, None)
    if starts is None:
        response = current_app.response_class(body, started["status"])
        response.headers = type(response.headers)(started["headers"])
        return response

    @after_this_request
    def decorate(response: Response) -> Response:
        starts(response.status, response.headers.to_wsgi_list())
        response.headers = type(response.headers)(started["headers"])
        return response

    return None


def _keep_start(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Be the app inside: keep what begins the response for when there is one."""
    environ[_START] = start_response
    return ()


def _nothing_to_write(_chunk: bytes) -> None: ...


def _options_response() -> Response:
    """Say which methods the URL has, as Flask does where it answers OPTIONS by itself."""
    response = current_app.response_class()
    adapter = current_app.create_url_adapter(request)
    response.allow.update(adapter.allowed_methods() if adapter else ())
    return response
