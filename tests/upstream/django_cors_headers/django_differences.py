"""The tests of django-cors-headers that fail with our middleware in its place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import path
from named import Difference, Fetch

PAGE, OTHER = "https://example.com", "https://example.org"
COOKIES = {"credentials": "include"}
TO_ALL = {"CORS_ALLOW_ALL_ORIGINS": True}


async def home(_: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


async def own(_: HttpRequest) -> HttpResponse:
    return HttpResponse("own", headers={"Access-Control-Allow-Origin": OTHER})


urlpatterns = [path("", home), path("api/", home), path("own/", own)]


@dataclass(frozen=True)
class Made:
    """A middleware, and its signal."""

    middleware: str
    check_request_enabled: Any


@dataclass
class Project:
    """An ASGI app with Django, whose settings apply only while it serves.

    Args:
        made_with: The middleware.
        settings: The settings of the middleware.
        receiver: A receiver of the signal, or None.
    """

    made_with: Made
    settings: dict[str, Any]
    receiver: Callable[..., bool] | None
    app: ASGIHandler = field(init=False)

    def __post_init__(self) -> None:
        with self._in_force():
            self.app = ASGIHandler()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._in_force():
            await self.app(scope, receive, send)

    @contextmanager
    def _in_force(self) -> Iterator[None]:
        signal = self.made_with.check_request_enabled
        with override_settings(MIDDLEWARE=[self.made_with.middleware], **self.settings):
            if self.receiver is not None:
                signal.connect(self.receiver)
            try:
                yield
            finally:
                signal.disconnect(self.receiver)


def configure() -> None:
    """Configure Django for the projects."""
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="django_differences", SECRET_KEY="for-tests", USE_TZ=True)  # noqa: S106


def project(receiver: Callable[..., bool] | None = None, **options: Any) -> Callable[[Made], Project]:
    """Make a project with settings, and a receiver of the signal."""
    return lambda made_with: Project(made_with, options, receiver)


def allow_api(request: HttpRequest, **_: object) -> bool:
    return request.path.startswith("/api/")


class Answer:
    """An awaitable, which a receiver may return by mistake."""

    def __await__(self) -> Iterator[None]:
        return iter(())


def forget_await(**_: object) -> Any:
    return Answer()


def crash(**_: object) -> bool:
    raise ValueError("as a receiver may")


def fetch_with(*, path: str = "/", **options: Any) -> Fetch:
    """Return a fetch of the allowed page."""
    return Fetch(page=PAGE, path=path, options=options)


METHODS = tuple(fetch_with(method=method) for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

DIFFERENCES = (
    Difference(
        tests=(
            "test_middleware.test_allow_all_origins_get",
            "test_middleware.test_allow_all_origins_options",
            "test_middleware.test_non_200_headers_still_set",
            "test_middleware.test_auth_view_options",
        ),
        reason="credentials for every origin are refused when the middleware is loaded",
        row="`CORS_ALLOW_ALL_ORIGINS` with `CORS_ALLOW_CREDENTIALS`",
        build=project(**TO_ALL, CORS_ALLOW_CREDENTIALS=True),
        fetches=(fetch_with(**COOKIES), Fetch(page=OTHER, options=COOKIES), fetch_with()),
        safer=True,
    ),
    Difference(
        tests=(
            "test_middleware.test_file_in_allowed_origins",
            "test_checks.test_cors_allowed_origins_allowed",
        ),
        reason="`file://` is refused when the middleware is loaded: files send `null`",
        row="`file://` and `null`",
        build=project(CORS_ALLOWED_ORIGINS=[PAGE, "file://"]),
        fetches=(fetch_with(), Fetch(page=OTHER), fetch_with(method="PUT")),
        safer=True,
    ),
    Difference(
        tests=("test_middleware.test_allow_private_network_added_if_enabled_and_requested",),
        reason="the header is on preflights only, which alone can request it",
        row="`CORS_ALLOW_PRIVATE_NETWORK`",
        build=project(**TO_ALL, CORS_ALLOW_PRIVATE_NETWORK=True),
        fetches=METHODS,
    ),
    Difference(
        tests=(
            "test_middleware.test_options_allowed_origin",
            "test_middleware.test_async_options_allowed_origin",
        ),
        reason="an allowed preflight gets a 204 without a body",
        row="An allowed preflight",
        build=project(**TO_ALL, CORS_ALLOW_HEADERS=["content-type"], CORS_ALLOW_METHODS=["PUT"]),
        fetches=(*METHODS, fetch_with(method="PUT", json=1), fetch_with(headers={"x-other": "1"})),
    ),
    Difference(
        tests=(
            "test_middleware.test_signal_handler_that_returns_true",
            "test_middleware.test_signal_handler_allow_some_urls_to_everyone",
        ),
        reason="as above",
        row="An allowed preflight",
        build=project(allow_api, CORS_ALLOWED_ORIGINS=[PAGE]),
        fetches=(
            fetch_with(method="PUT"),
            Fetch(page=OTHER, options={"method": "PUT"}),
            Fetch(page=OTHER, path="/api/", options={"method": "PUT"}),
            Fetch(page=OTHER, path="/api/"),
        ),
    ),
    Difference(
        tests=("test_middleware.test_options_no_max_age",),
        reason="a preflight's response also lists the headers that every page may send",
        row="The list in `Access-Control-Allow-Headers`",
        build=project(**TO_ALL, CORS_ALLOW_HEADERS=["x-id"], CORS_PREFLIGHT_MAX_AGE=0),
        fetches=(
            fetch_with(headers={"x-id": "1"}),
            fetch_with(headers={"accept": "text/html"}),
            fetch_with(headers={"x-other": "1"}),
        ),
    ),
    Difference(
        tests=(
            "test_middleware.test_get_origin_vary_by_default",
            "test_middleware.test_options_empty_request_method",
            "test_middleware.test_signal_handler_that_returns_false",
        ),
        reason="without settings, a request passes through, unless a receiver of the signal allows its origin",
        row="No `CORS_*` setting",
        build=project(allow_api),
        fetches=(
            fetch_with(),
            fetch_with(method="PUT"),
            Fetch(page=PAGE, path="/api/"),
            Fetch(page=PAGE, path="/api/", options={"method": "PUT"}),
        ),
    ),
    Difference(
        tests=(
            "test_middleware.test_cors_enabled_is_attached_and_bool",
            "test_middleware.test_works_if_view_deletes_cors_enabled",
        ),
        reason="the attribute is private",
        row="`request._cors_enabled`",
        build=project(CORS_ALLOWED_ORIGINS=[PAGE]),
        fetches=(fetch_with(), Fetch(page=OTHER)),
    ),
    Difference(
        tests=(
            "test_checks.test_cors_allow_all_origins_non_bool",
            "test_checks.test_cors_allow_all_origins_old_name",
            "test_checks.test_cors_allowed_origins_old_name",
            "test_checks.test_cors_allowed_origin_regexes_old_name",
        ),
        reason="the mistake is reported in other words, and the middleware is not loaded",
        row="System checks",
        build=project(CORS_ALLOW_ALL_ORIGINS="yes"),
        fetches=(fetch_with(), fetch_with(method="PUT")),
        safer=True,
    ),
    Difference(
        tests=(
            "test_checks.test_cors_allowed_origins_no_scheme",
            "test_checks.test_cors_allowed_origins_no_scheme_old_name",
            "test_checks.test_cors_allowed_origins_no_netloc",
            "test_checks.test_cors_allowed_origins_path",
            "test_checks.test_cors_allowed_origins_path_old_name",
        ),
        reason="all mistakes in the settings have one id, and the middleware is not loaded",
        row="System checks",
        build=project(CORS_ALLOWED_ORIGINS=[PAGE, "example.com", f"{OTHER}/path"]),
        fetches=(fetch_with(), fetch_with(method="PUT"), Fetch(page=OTHER), Fetch(page="null")),
        safer=True,
    ),
    Difference(
        tests=(
            "test_checks.test_cors_model_failure",
            "test_checks.test_cors_replace_https_referer_failure",
        ),
        reason="a setting that does not exist is a warning",
        row="An unknown setting",
        build=project(**TO_ALL, CORS_MODEL="api.Origin", CORS_REPLACE_HTTPS_REFERER=True),
        fetches=METHODS,
    ),
    Difference(
        reason="credentials for a page over http are refused",
        row="Credentials for `http://` origins",
        build=project(CORS_ALLOWED_ORIGINS=["http://example.com"], CORS_ALLOW_CREDENTIALS=True),
        fetches=(Fetch(page="http://example.com", options=COOKIES),),
        safer=True,
    ),
    Difference(
        reason="credentials for pages that anyone can publish are refused",
        row="Credentials below a shared suffix",
        build=project(CORS_ALLOWED_ORIGIN_REGEXES=[r"^https://\w+\.github\.io$"], CORS_ALLOW_CREDENTIALS=True),
        fetches=(Fetch(page="https://a.github.io", options=COOKIES),),
        safer=True,
    ),
    Difference(
        reason="`null` with credentials is refused",
        row="`null` with credentials",
        build=project(CORS_ALLOWED_ORIGINS=["null"], CORS_ALLOW_CREDENTIALS=True),
        fetches=(Fetch(page="null", options=COOKIES),),
        safer=True,
    ),
    Difference(
        reason="no regular expression matches `null`",
        row="`null` and regular expressions",
        build=project(CORS_ALLOWED_ORIGIN_REGEXES=[".*"]),
        fetches=(fetch_with(), Fetch(page="null")),
        safer=True,
    ),
    Difference(
        reason="a regular expression must match the whole origin",
        row="Regular expressions for origins",
        build=project(CORS_ALLOWED_ORIGIN_REGEXES=[r"^https://\w+\.example\.com"]),
        fetches=(Fetch(page="https://a.example.com"), Fetch(page="https://a.example.com.evil.com")),
        safer=True,
    ),
    Difference(
        reason="every page may send these",
        row="GET, HEAD, POST, and the header Content-Type",
        build=project(**TO_ALL, CORS_ALLOW_METHODS=["PUT"], CORS_ALLOW_HEADERS=["x-id"]),
        fetches=(*METHODS, fetch_with(method="POST", json=1)),
        wider=True,
    ),
    Difference(
        reason="`*` means every method and header also with credentials",
        row="`*` in `CORS_ALLOW_METHODS` and `CORS_ALLOW_HEADERS`",
        build=project(
            CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_CREDENTIALS=True, CORS_ALLOW_METHODS=["*"], CORS_ALLOW_HEADERS=["*"]
        ),
        fetches=(
            fetch_with(**COOKIES),
            fetch_with(method="PUT", **COOKIES),
            fetch_with(headers={"x-id": "1"}, **COOKIES),
        ),
        wider=True,
    ),
    Difference(
        reason="browsers write the methods that they know in upper case",
        row='Lower case: `CORS_ALLOW_METHODS = ["put"]`',
        build=project(**TO_ALL, CORS_ALLOW_METHODS=["put"]),
        fetches=(fetch_with(), fetch_with(method="put"), fetch_with(method="DELETE")),
        wider=True,
    ),
    Difference(
        reason="`*` is every origin",
        row="`*` and patterns in `CORS_ALLOWED_ORIGINS`",
        build=project(lambda request, **_: "/api/" in request.path, CORS_ALLOWED_ORIGINS=["*"]),
        fetches=(fetch_with(), fetch_with(path="/api/")),
        wider=True,
    ),
    Difference(
        reason="two names of one setting are a mistake",
        row="The old and the new name of a setting",
        build=project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ORIGIN_WHITELIST=[OTHER]),
        fetches=(fetch_with(), Fetch(page=OTHER)),
        safer=True,
    ),
    Difference(
        reason="only an origin as browsers send it is accepted",
        row="An origin with a slash, upper case or `:443`",
        build=project(CORS_ALLOWED_ORIGINS=[f"{PAGE}/"]),
        fetches=(fetch_with(),),
        safer=True,
    ),
    Difference(
        reason="an entry without a scheme is refused",
        row="An entry without a scheme",
        build=project(CORS_ALLOWED_ORIGINS=["example.com"]),
        fetches=(fetch_with(), Fetch(page="null")),
        safer=True,
    ),
    Difference(
        reason="another reading of the path must not lead to another policy",
        row="Letter case, doubled slashes and dot segments in a path",
        build=project(**TO_ALL, CORS_URLS_REGEX="^/(?!api/)"),
        fetches=(fetch_with(), fetch_with(path="/api/"), fetch_with(path="/API/"), fetch_with(path="//api/")),
        safer=True,
    ),
    Difference(
        reason="the headers of a preflight are on preflights only",
        row="An OPTIONS request that is not a preflight",
        build=project(**TO_ALL, CORS_ALLOW_METHODS=["PUT"]),
        fetches=METHODS,
    ),
    Difference(
        reason="names that no script can set are dropped",
        row="Useless names in `CORS_ALLOW_HEADERS`",
        build=project(**TO_ALL, CORS_ALLOW_HEADERS=["origin", "cookie", "x-id"]),
        fetches=(fetch_with(headers={"x-id": "1"}), fetch_with(headers={"x-other": "1"})),
    ),
    Difference(
        reason="a refused preflight has the lists of the policy",
        row="A refused preflight",
        build=project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_METHODS=["PUT"]),
        fetches=(*METHODS, Fetch(page=OTHER, options={"method": "PUT"}), fetch_with(headers={"x-other": "1"})),
    ),
    Difference(
        reason="a response with `*` doesn't vary, so that caches work",
        row="`Vary: Origin` under `*`",
        build=project(**TO_ALL),
        fetches=(fetch_with(), Fetch(page=OTHER), Fetch(page="null")),
    ),
    Difference(
        reason="a slash at the end of a path may be missing",
        row="A slash at the end of `CORS_URLS_REGEX`",
        build=project(**TO_ALL, CORS_URLS_REGEX="^/api/.*$"),
        fetches=(fetch_with(path="/api/"), fetch_with(path="/api"), fetch_with(path="/apis/")),
        wider=True,
    ),
    Difference(
        reason="the slash at the end may be missing, so that every URL matches",
        row="`CORS_URLS_REGEX` for URLs that end in a slash",
        build=project(**TO_ALL, CORS_URLS_REGEX="^.*/$"),
        fetches=(fetch_with(path="/api/"), fetch_with(path="/api")),
        wider=True,
    ),
    Difference(
        reason="a line feed matches, too",
        row="A line feed in a path",
        build=project(**TO_ALL, CORS_URLS_REGEX="^/api/.*$"),
        fetches=(fetch_with(path="/api/"), fetch_with(path="/api/%0Ax")),
        wider=True,
    ),
    Difference(
        reason="a receiver that returns an awaitable allows nothing",
        row="A receiver of the signal that returns an awaitable",
        build=project(forget_await, CORS_ALLOWED_ORIGINS=[OTHER]),
        fetches=(fetch_with(), Fetch(page=OTHER)),
        safer=True,
    ),
    Difference(
        reason="a receiver can't allow `null`",
        row="A receiver of the signal, and `null`",
        build=project(allow_api, CORS_ALLOWED_ORIGINS=[OTHER]),
        fetches=(fetch_with(path="/api/"), Fetch(page="null", path="/api/")),
        safer=True,
    ),
    Difference(
        reason="an exception in a receiver is logged, and the receiver allows nothing",
        row="A receiver of the signal that raises",
        build=project(crash, CORS_ALLOWED_ORIGINS=[OTHER], CORS_URLS_REGEX="^/api/"),
        fetches=(fetch_with(path="/api/"), Fetch(page=OTHER, path="/api/")),
    ),
    Difference(
        reason="the policy replaces CORS headers of the view",
        row="CORS headers that a view sets itself",
        build=project(CORS_ALLOWED_ORIGINS=[PAGE]),
        fetches=(fetch_with(path="/own/"), Fetch(page=OTHER, path="/own/")),
        safer=True,
    ),
)
# The rows of differences that no page can see.
INVISIBLE = (
    "Settings |",
    "Headers without Origin, under `*`",
    "`CSRF_TRUSTED_ORIGINS`",
    "WebSockets (Channels)",
)
