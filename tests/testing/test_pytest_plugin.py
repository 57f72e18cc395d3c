"""The pytest plugin: `cors_page`, the marker `cors`, and the exchanges beneath a failed test."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

APPS = """
    import pytest
    from asgi_cors.testing import AsyncPage, CORSError, Page

    ORIGIN = "https://app.example.com"

    def wsgi(environ, start_response):
        start_response("200 OK", [("access-control-allow-origin", environ["HTTP_ORIGIN"])])
        return [b"ok"]

    async def asgi(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})
"""


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Run a test file in a pytest of its own, with the plugin."""

    def call(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(f"{APPS}\n{source}")
        plugin = () if "asgi_cors" in loaded(pytester) else ("-p", "asgi_cors.testing._pytest")
        return pytester.runpytest_inprocess(
            *plugin, "-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider", *options
        )

    return call


def loaded(pytester: pytest.Pytester) -> set[str]:
    """Return the names of the plugins that the distribution's entry points load by themselves."""
    return {point.name for point in entry_points(group="pytest11")}


def test_the_fixture_makes_the_page_that_suits_the_application(run):
    """AsyncPage for ASGI, Page for WSGI, for a sync transport and for real connections."""
    run(
        """
    def test_kinds(cors_page):
        import functools, httpx
        class Other(httpx.AsyncBaseTransport):
            pass
        assert isinstance(cors_page(ORIGIN, app=asgi), AsyncPage)
        assert isinstance(cors_page(ORIGIN, app=functools.partial(asgi)), AsyncPage)
        assert isinstance(cors_page(ORIGIN, app=lambda scope, receive, send: None), AsyncPage)
        assert isinstance(cors_page(ORIGIN, transport=Other()), AsyncPage)
        assert isinstance(cors_page(ORIGIN, app=wsgi), Page)
        assert isinstance(cors_page(ORIGIN, transport=httpx.MockTransport(wsgi)), Page)
        assert isinstance(cors_page(ORIGIN), Page)
    """
    ).assert_outcomes(passed=1)


def test_the_marker_gives_what_is_left_out(run):
    """The closest one first, then what surrounds it; an argument beats both."""
    run(
        """
    pytestmark = pytest.mark.cors(ORIGIN, engine="firefox", follow=5)

    @pytest.mark.cors(engine="webkit")
    def test_marked(cors_page):
        page = cors_page(app=wsgi)
        assert (page.origin, page.engine.name) == (ORIGIN, "webkit")
        assert cors_page("null", engine="chromium").engine.name == "chromium"
        assert cors_page("null").origin == "null"
    """,
        "--strict-markers",
    ).assert_outcomes(passed=1)


def test_a_failing_test_shows_what_its_pages_sent(run):
    """A line per exchange, and the fields that decided; a passing one shows nothing."""
    result = run(
        """
    def test_fails(cors_page):
        with cors_page(ORIGIN, app=wsgi) as page:
            page.fetch("https://api.test/items")
            page.fetch("https://api.test/items", method="PUT")

    def test_passes(cors_page):
        with cors_page(ORIGIN, app=wsgi) as page:
            page.fetch("https://api.test/other")
    """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Exchanges of <Page https://app.example.com (standard)>*",
            "*1  main GET https://api.test/items -> 200",
            "*> origin: https://app.example.com",
            "*< access-control-allow-origin: https://app.example.com",
            "*2  preflight OPTIONS https://api.test/items -> 200",
            "*> access-control-request-method: PUT",
            "*= blocked: MethodDisallowedByPreflightResponse",
        ]
    )
    result.stdout.no_fnmatch_line("*api.test/other*")


def test_the_exception_of_the_application_is_shown(run):
    """It is what failed."""
    result = run(
        """
    def broken(environ, start_response):
        raise LookupError("no such item")

    def test_fails(cors_page):
        with cors_page(ORIGIN, app=broken) as page:
            page.fetch("https://api.test/items")
    """
    )
    result.stdout.fnmatch_lines(["*! the application raised LookupError('no such item')"])


def test_a_page_that_sent_nothing_says_so(run):
    """The mistake lies in the test."""
    result = run(
        """
    def test_fails(cors_page):
        cors_page(ORIGIN, app=wsgi)
        assert False
    """
    )
    result.stdout.fnmatch_lines(["no request was sent"])


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("AsyncPage(ORIGIN, app=wsgi)", "*is a WSGI application. Write Page('https://app.example.com', app=...)."),
        ("Page(ORIGIN, app=wsgi, transport=1)", "*app and transport are both given; write one."),
    ],
)
def test_the_wrong_page_tells_which_is_the_right_one(run, arguments, hint):
    """So that nobody waits for a coroutine that never ran."""
    result = run(
        f"""
    def test_fails():
        {arguments}
    """
    )
    result.stdout.fnmatch_lines([hint])
