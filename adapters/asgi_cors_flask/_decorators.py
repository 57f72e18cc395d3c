"""cross_origin: a policy for one view, with `CORS(app)` or without.

With `CORS(app)`, the policy is found before anything of the app runs. Without, the view applies its policy itself: it
answers its preflights and adds the headers to its responses, including those for the exceptions that it raises.
Responses that are sent before the view is reached, such as a 404 or a login, then have no CORS headers.
`csrf_protection` refuses forged requests before the view's function runs, but after the app's `before_request`
functions, whose side effects it can't prevent.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, Unpack, cast, overload

from flask import Flask, Response, after_this_request, current_app, request

from asgi_cors import AttachedPolicy, Configuration, MiddlewareOptions, Policy, WSGIMiddleware, attach_policy
from asgi_cors_werkzeug import EXTENSION_KEY, standalone_configuration

from ._extension import Installation
from ._options import AUTOMATIC_OPTIONS, VIEW_OPTIONS, ParsedOptions, ViewOptions, parse_options

View = Callable[..., Any]
F = TypeVar("F", bound=View)

_STANDALONE: Final = "asgi_cors_standalone"
_START: Final = "asgi_cors_flask.start_response"


@overload
def cross_origin(view: F, /) -> F: ...
@overload
def cross_origin(**options: Unpack[ViewOptions]) -> Callable[[F], F]: ...
def cross_origin(view: Any = None, /, **options: Unpack[ViewOptions]) -> Any:
    """Apply a policy to one view. Write it below `route`.

    Args:
        view: The view, if no options are given.
        options: By Flask-CORS's names or the policy's own. They are merged over the `CORS_*` keys of the app's config
            and the defaults of `CORS`. The options of `CORS(app, …)` do not apply.

    Raises:
        ConfigError: With every mistake found. `CORS(app)` finds those that depend on the app's config. If the view
            comes later, it allows no origin then, and the log names it.
    """
    policy = ViewPolicy(parse_options(options, VIEW_OPTIONS))

    def decorate(view: View) -> Any:
        policy.add_view(view)
        return DecoratedView(view, policy)

    return decorate if view is None else decorate(view)


class ViewPolicy(AttachedPolicy):
    """The policy of the views that one `cross_origin` decorates.

    Args:
        options: The options of the decorator.

    Raises:
        ConfigError: With every mistake that does not depend on an app's config.
    """

    def __init__(self, options: ParsedOptions) -> None:
        """Check the options; see the class."""
        super().__init__("cross_origin")
        self._options = options
        self.answers_options: bool = options.others.get(AUTOMATIC_OPTIONS, True)
        checked = options.check("cross_origin: ")
        self._policy = checked if options.sets_origins else None

    def policy(self, app: Flask) -> Policy:
        """Return the policy for an app, merged over the app's config.

        Raises:
            ConfigError: With every mistake found in the merged options.
        """
        options = self._options.merged_over_config(app.config)
        is_unchanged = options.policy.keys() == self._options.policy.keys()
        return self._policy if self._policy and is_unchanged else options.build("cross_origin: ")

    def configuration(self, app: Flask, **checks: Unpack[MiddlewareOptions]) -> Configuration:
        """Return a configuration with the policy for an app, and the app's own checks."""
        return Configuration(self.policy(app), app_context=app.app_context, **checks)


class DecoratedView:
    """A view that `cross_origin` decorates. It may be a method of a class."""

    required_methods: set[str]

    def __init__(self, view: View, policy: ViewPolicy) -> None:
        """Wrap a view, and attach its policy."""
        functools.update_wrapper(self, view)
        self._view = view
        self._policy = policy
        attach_policy(self, policy, wrapped=view)
        if policy.answers_options:
            self.required_methods = {*getattr(view, "required_methods", ()), "OPTIONS"}
            self.provide_automatic_options = False

    @property
    def provide_automatic_options(self) -> bool | None:
        """Whether Flask answers OPTIONS without calling the view; None leaves it to the app."""
        return vars(self).get("provide_automatic_options")

    @provide_automatic_options.setter
    def provide_automatic_options(self, value: bool | None) -> None:
        # Flask's View.as_view sets it to None, by default, on the result of its decorators.
        if value is not None:
            vars(self)["provide_automatic_options"] = value

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Return a bound method if the view is a method."""
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Serve a request. Apply the policy here if the app has no middleware that does."""
        installation: Installation | None = current_app.extensions.get(EXTENSION_KEY)
        if installation is None or not installation.applies(self._policy):
            response = _apply_to_view(_standalone_middleware(self._policy))
            if response is not None:
                return response
        if request.method == "OPTIONS" and self._policy.answers_options:
            return _options_response()
        return current_app.ensure_sync(self._view)(*args, **kwargs)


def _standalone_middleware(policy: ViewPolicy) -> WSGIMiddleware:
    """Return the middleware that applies a view's policy in the current app. It is built once."""
    cache: dict[ViewPolicy, WSGIMiddleware] = current_app.extensions.setdefault(_STANDALONE, {})
    if policy not in cache:
        app = cast("Any", current_app)._get_current_object()  # noqa: SLF001 - the documented way
        configuration = standalone_configuration(policy, lambda policy: policy.policy(app), app.app_context)
        cache[policy] = WSGIMiddleware(_capture_start_response, configuration)
    return cache[policy]


def _apply_to_view(middleware: WSGIMiddleware) -> Response | None:
    """Return the middleware's own response, such as a preflight's. Otherwise have it change the view's response."""
    started: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None, /) -> Callable[[bytes], object]:
        started.update(status=status, headers=headers)
        return _ignore_chunk

    environ = request.environ
    environ.pop(_START, None)
    body = middleware(environ, start)
    start_response = environ.pop(_START, None)
    if start_response is None:
        response = current_app.response_class(body, started["status"])
        response.headers = type(response.headers)(started["headers"])
        return response

    @after_this_request
    def decorate(response: Response) -> Response:
        start_response(response.status, response.headers.to_wsgi_list())
        response.headers = type(response.headers)(started["headers"])
        return response

    return None


def _capture_start_response(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Store `start_response` for the response that the view will return. The middleware calls this as its app."""
    environ[_START] = start_response
    return ()


def _ignore_chunk(_chunk: bytes) -> None: ...


def _options_response() -> Response:
    """Return the allowed methods of the URL, as Flask does when it answers OPTIONS."""
    response = current_app.response_class()
    adapter = current_app.create_url_adapter(request)
    response.allow.update(adapter.allowed_methods() if adapter else ())
    return response
