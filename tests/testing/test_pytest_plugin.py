"""The pytest plugin: `cors_page`, the marker `cors`, and the exchanges in the report of a failed test."""

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
    """Return the names of the plugins that the distribution's entry points load."""
    return {point.name for point in entry_points(group="pytest11")}


def test_the_fixture_returns_the_page_class_for_the_interface_of_the_app(run):
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


def test_the_marker_sets_the_arguments_that_a_call_leaves_out(run):
    """The arguments of the call come first, then the closest marker."""
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


def test_the_report_of_a_failing_test_shows_the_exchanges_of_its_pages(run):
    """A line for each exchange, and the headers that CORS depends on. A passing test shows nothing."""
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
            "*Exchanges of <Page https://app.example.com (browsers)>*",
            "*1  main GET https://api.test/items -> 200",
            "*> origin: https://app.example.com",
            "*< access-control-allow-origin: https://app.example.com",
            "*2  preflight OPTIONS https://api.test/items -> 200",
            "*> access-control-request-method: PUT",
            "*= blocked: MethodDisallowedByPreflightResponse",
        ]
    )
    result.stdout.no_fnmatch_line("*api.test/other*")


def test_the_report_shows_the_exception_of_the_application(run):
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


def test_the_report_says_that_a_page_sent_nothing(run):
    """The mistake is in the test."""
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
        ("Page(ORIGIN, app=wsgi, transport=1)", "*app and transport are both given. Write one of them."),
    ],
)
def test_the_wrong_class_of_page_names_the_right_one(run, arguments, hint):
    result = run(
        f"""
    def test_fails():
        {arguments}
    """
    )
    result.stdout.fnmatch_lines([hint])


def test_page_class_chooses_the_class_of_the_page(run):
    """It can be chosen in the call and by the marker, and the call wins."""
    run(
        """
    def test_sync(cors_page):
        with cors_page(ORIGIN, app=asgi, page_class=Page) as page:
            with pytest.raises(CORSError):
                page.fetch("https://api.test/items")
        assert isinstance(cors_page(ORIGIN, page_class=AsyncPage), AsyncPage)

    @pytest.mark.cors(page_class=Page)
    def test_marked(cors_page):
        assert isinstance(cors_page(ORIGIN, app=asgi), Page)
        assert isinstance(cors_page(ORIGIN, app=asgi, page_class=AsyncPage), AsyncPage)
    """
    ).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("cors_page()", "cors_page() needs the page's origin. Write cors_page('https://app.example.com', ...)."),
        (
            "cors_page(app=wsgi)",
            "cors_page() needs the page's origin. Write cors_page('https://app.example.com', ...).",
        ),
        (
            "cors_page(ORIGIN, wsgi)",
            "cors_page() takes only the origin by position. Write the others by name, such as",
        ),
        ("cors_page(ORIGIN, origin=ORIGIN)", "cors_page() has the origin twice: 'https://app.example.com' and origin="),
        ("cors_page(ORIGIN, enginge='firefox')", "cors_page() has no option 'enginge'. Did you mean 'engine'?"),
        ("cors_page(ORIGIN, headers={})", "cors_page() has no option 'headers'. It is an option of fetch()."),
        (
            "cors_page(ORIGIN, page_class=dict)",
            "page_class=<class 'dict'> is not a class of pages. Write page_class=Page, or AsyncPage.",
        ),
    ],
)
def test_a_wrong_call_of_the_fixture_is_a_type_error_with_the_correction(run, call, message):
    """The message names the function that the test called."""
    result = run(
        f"""
    def test_fails(cors_page):
        {call}
    """
    )
    result.assert_outcomes(failed=1)
    assert f"E       TypeError: {message}" in result.stdout.str()


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("ORIGIN, enginge='firefox'", "pytest.mark.cors() has no option 'enginge'. Did you mean 'engine'?"),
        ("ORIGIN, wsgi", "pytest.mark.cors() takes only the origin by position. Write the others by name, such as"),
        ("ORIGIN, origin=ORIGIN", "pytest.mark.cors() has the origin twice: 'https://app.example.com' and origin="),
    ],
)
def test_a_wrong_argument_of_the_marker_is_a_type_error_that_names_it(run, marker, message):
    """The marker is checked even if the call has all arguments."""
    result = run(
        f"""
    @pytest.mark.cors({marker})
    def test_fails(cors_page):
        cors_page(ORIGIN, app=wsgi)
    """
    )
    result.assert_outcomes(failed=1)
    assert f"E       TypeError: {message}" in result.stdout.str()


def test_the_origin_may_be_a_keyword_argument(run):
    """In the call and in the marker. The call wins."""
    run(
        """
    @pytest.mark.cors(origin="null")
    def test_named(cors_page):
        assert cors_page(app=wsgi).origin == "null"
        assert cors_page(origin=ORIGIN).origin == ORIGIN
        assert cors_page(ORIGIN).origin == ORIGIN
    """
    ).assert_outcomes(passed=1)


def test_the_warning_for_a_relative_url_shows_the_line_of_an_async_test(run):
    result = run(
        """
    def test_warns(cors_page):
        with cors_page(ORIGIN, app=wsgi) as page:
            page.fetch("/items")  # reader
    """,
        "-W",
        "default",
    )
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*.py:*: SameOriginWarning: '/items' is relative.*", "*# reader"])


@pytest.mark.parametrize("options", [(), ("-p", "no:anyio")], ids=["anyio is there", "no plugin for async tests"])
def test_an_async_test_without_a_plugin_for_async_tests_fails(run, options):
    result = run(
        """
    async def test_never_awaited(cors_page):
        async with cors_page(ORIGIN, app=asgi) as page:
            await page.fetch("https://api.test/items")
    """,
        *options,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*async def functions are not natively supported.*"])
