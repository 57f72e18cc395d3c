"""Django projects: their routes, the policies of views and settings, and remedies that the settings accept."""

import pytest

pytest.importorskip("django")

from .projects import COMMON, CSRF, NAME, OURS, PAGE, WrittenProject  # needs Django

PARTNER = "https://partner.example.com"
CORSHEADERS = "corsheaders.middleware.CorsMiddleware"


@pytest.fixture(params=["asgi", "wsgi"])
def project(tmp_path, request):
    return WrittenProject(tmp_path, request.param)


# -- routes


def test_nested_includes_and_class_based_views_are_listed(project):
    project.write(
        'path("items/<int:id>/", Items.as_view()), path("shop/", include(([path("a", view)], "shop"), "shop"))',
        """
        class Items(View):
            def get(self, request, id): ...
            def post(self, request, id): ...
        """,
    )
    assert project.routes() == [("/items/<int:id>/", "GET POST", PAGE), ("/shop/a", "", PAGE)]


def test_the_methods_of_a_decorated_function_are_listed(project):
    project.write(
        'path("a", require_POST(view)), path("b", csrf_exempt(limited)), path("c", loop)',
        'limited = require_http_methods(["GET", "PUT"])(view)',
        "def loop(request): ...",
        "loop.__wrapped__ = loop",
        CORS_ALLOW_METHODS=["PUT"],
    )
    assert project.routes() == [("/a", "POST", PAGE), ("/b", "GET PUT", PAGE), ("/c", "", PAGE)]


def test_the_actions_of_a_viewset_are_listed(project):
    pytest.importorskip("rest_framework")
    project.write(
        'path("items/", Items.as_view({"get": "list", "post": "create"})), path("plain/", plain)',
        """
        from rest_framework.decorators import api_view
        from rest_framework.viewsets import ViewSet

        class Items(ViewSet):
            def list(self, request): ...
            def create(self, request): ...

        @api_view(["GET", "DELETE"])
        def plain(request): ...
        """,
    )
    assert project.routes() == [("/items/", "GET POST", PAGE), ("/plain/", "DELETE GET", PAGE)]


@pytest.mark.parametrize(
    ("pattern", "path", "sample", "other"),
    [
        (r"^old/(?P<year>[0-9]{4})/$", "/old/<year>/", "/old/1999/", "/old/19/"),
        (r"^a-b/x\.json$", "/a-b/x.json", "/a-b/x.json", "/a-b/xyjson"),
        (r"^(?P<a>\d+)/(?P<b>[a-z]+)$", "/<a>/<b>", "/12/xy", "/xy/12"),
        (r"anywhere", "/anywhere", "/x/anywhere/y", "/nowhere"),
        (r"^(?P<id>[q-w]{7})$", "/<id>", "/qrstuvw", "/abc"),
    ],
)
def test_a_regular_expression_is_shown_as_a_path(project, pattern, path, sample, other):
    project.write(f"re_path({pattern!r}, view)")
    assert project.routes() == [(path, "", PAGE)]
    assert project.explain(sample)["steps"][0]["check"] == "origin"
    assert "no route of the app serves it" in project.explain(other)["steps"][0]["rule"]


@pytest.mark.parametrize(("prefix_default", "sample"), [(True, "/en/hi"), (False, "/hi")])
def test_the_prefix_of_a_language_is_a_variable(project, prefix_default, sample):
    languages = [("en", "English"), ("de", "German")]
    project.write(
        f'*i18n_patterns(path("hi", view), prefix_default_language={prefix_default})',
        LANGUAGES=languages,
        LANGUAGE_CODE="en",
    )
    assert project.routes() == [("/<language>/hi", "", PAGE)]
    for path in (sample, "/de/hi"):
        assert project.explain(path)["steps"][0]["check"] == "origin"
    assert "no route of the app serves it" in project.explain("/fr/hi")["steps"][0]["rule"]


def test_only_the_first_of_two_routes_with_one_path_is_listed(project):
    project.write('path("a", require_POST(view)), path("a", view)')
    assert project.routes() == [("/a", "POST", PAGE)]


def test_includes_in_includes_are_listed_up_to_a_limit(project):
    project.write(
        "*nested", "nested = [path('end', view)]", "for _ in range(20): nested = [path('x/', include(nested))]"
    )
    ran = project.run("audit")
    assert "no list of the routes: include() at" in " ".join(ran.out.split())


def test_a_urlconf_that_cannot_be_imported_is_reported_in_one_line(project):
    project.write("path('a', missing_view)")
    ran = project.run("audit")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "NameError: name 'missing_view' is not defined" in ran.err


def test_invalid_settings_are_reported_in_one_line(project):
    project.write('path("a", view)', CORS_ALLOWED_ORIGINS=["https://app.example.com/"])
    ran = project.run("audit")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "CORS_ALLOWED_ORIGINS" in ran.err


def test_a_project_mounted_in_a_starlette_app_is_listed_below_its_path(project):
    pytest.importorskip("starlette")
    project.interface = "asgi"
    project.write('path("a", view), path("b", cross_origin(allow_origins="*")(view))')
    mounting = "\nfrom starlette.applications import Starlette\nfrom starlette.routing import Mount\n"
    path = project.folder / NAME / "asgi.py"
    path.write_text(f"{path.read_text()}{mounting}mounted = Starlette(routes=[Mount('/django', application)])\n")
    routes = project.run("audit", "--json", name="mounted").json["routes"]
    assert [(route["path"], route["origins"]) for route in routes] == [
        ("/django/a", PAGE),
        ("/django/b", "every origin"),
    ]


# -- policies


POLICIES = """
path("open", cross_origin(allow_origins="*")(view)),
path("legacy", cors_exempt(view)),
path("stock", Stock.as_view()),
path("partner/", cross_origin(allow_origins=["https://partner.example.com"])(include([
    path("items", view), path("status", cross_origin(allow_origins="*")(view)),
]))),
path("rest", view),
"""
STOCK = """
class Stock(View):
    def get(self, request): ...
    @cross_origin(allow_origins=["https://partner.example.com"], allow_methods=["PUT"])
    def put(self, request): ...
"""


def test_each_route_has_the_policy_of_its_view_include_or_method(project):
    project.write(POLICIES, STOCK)
    assert project.routes() == [
        ("/legacy", "", "-"),
        ("/open", "", "every origin"),
        ("/partner/items", "", PARTNER),
        ("/partner/status", "", "every origin"),
        ("/rest", "", PAGE),
        ("/stock", "GET", PAGE),
        ("/stock", "PUT", PARTNER),
    ]


@pytest.mark.parametrize(
    ("path", "method", "origin", "allowed"),
    [
        ("/partner/items", "GET", PAGE, False),
        ("/partner/items", "GET", PARTNER, True),
        ("/partner/status", "GET", PAGE, True),
        ("/stock", "PUT", PARTNER, True),
        ("/stock", "PUT", PAGE, False),
        ("/stock", "GET", PAGE, True),
        ("/legacy", "GET", PAGE, None),
        ("/rest", "GET", PAGE, True),
    ],
)
def test_explain_decides_by_the_policy_of_the_view(project, path, method, origin, allowed):
    project.write(POLICIES, STOCK)
    assert project.explain(path, "-X", method, origin=origin)["allowed"] is allowed


def test_explain_names_the_view_whose_policy_refuses(project):
    project.write(POLICIES, STOCK)
    step = project.explain("/stock", "-X", "PUT")["steps"][0]
    assert (step["check"], step["rule"], step["note"]) == ("policy", "that of cross_origin of view 'put'", True)


def test_the_policies_of_views_are_attacked(project):
    project.write(
        'path("a", cross_origin(allow_origins=[ends_with], allow_credentials=True)(view))',
        "def ends_with(origin): return origin.endswith('example.com')",
    )
    assert "by ends_with()" in project.findings()["attack-gets-in"]["sentence"]


# -- remedies, which are lines of the settings


def test_the_lines_of_a_project_without_a_policy_are_accepted(project):
    project.write('path("a", view)', MIDDLEWARE=[COMMON], CORS_ALLOWED_ORIGINS=None)
    code = project.findings()["no-policy"]["code"]
    assert code == f"MIDDLEWARE = [{OURS!r}, *MIDDLEWARE]\nCORS_ALLOWED_ORIGINS = ['https://app.example.com']"
    assert project.append(code).findings() == {}


def test_explain_has_the_same_lines(project):
    project.write('path("a", view)', MIDDLEWARE=[COMMON], CORS_ALLOWED_ORIGINS=None)
    ran = project.run("explain", "/a", "-o", PAGE)
    lines = f"MIDDLEWARE = [{OURS!r}, *MIDDLEWARE] and CORS_ALLOWED_ORIGINS = ['https://app.example.com']"
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert f"Write {lines} at the end of {NAME}.settings." in ran.err


def test_the_middleware_of_django_cors_headers_is_replaced(project):
    project.write('path("a", view)', MIDDLEWARE=[CORSHEADERS, COMMON])
    project.add("corsheaders.py", "")
    code = "MIDDLEWARE = [\n    'asgi_cors_django.middleware.CORSMiddleware',\n"
    code += "    'django.middleware.common.CommonMiddleware',\n]"
    ran = _without_module(project)
    found = {finding["name"]: finding for finding in ran["findings"]}
    assert found["no-policy"]["code"] == code
    assert "decorate them with cross_origin" in found["cors-inside"]["advice"]
    assert project.append(code).findings() == {}


def _without_module(project):
    """Audit a project whose middleware of django-cors-headers is an empty one of its own."""
    project.add("settings.py", (project.folder / NAME / "settings.py").read_text().replace(CORSHEADERS, f"{NAME}.cors"))
    project.add("__init__.py", "def cors(get_response): return get_response\n")
    return project.audit()


def test_a_middleware_that_runs_before_is_moved(project):
    project.write('path("a", view)', MIDDLEWARE=[COMMON, OURS, CSRF])
    finding = project.findings()["runs-before"]
    assert COMMON in finding["sentence"]
    assert project.append(finding["code"]).findings() == {}


@pytest.mark.parametrize("redirects", [True, False])
def test_the_security_middleware_may_run_before_unless_it_redirects(project, redirects):
    security = "django.middleware.security.SecurityMiddleware"
    project.write('path("a", view)', MIDDLEWARE=[security, OURS], SECURE_SSL_REDIRECT=redirects)
    assert ("runs-before" in project.findings()) is redirects


def test_a_subclass_of_the_middleware_is_recognised(project):
    project.write('path("a", view)', MIDDLEWARE=[COMMON, f"{NAME}.own.Own"])
    project.add("own.py", "from asgi_cors_django.middleware import CORSMiddleware\nclass Own(CORSMiddleware): ...\n")
    code = project.findings()["runs-before"]["code"]
    assert code == f"MIDDLEWARE = [\n    '{NAME}.own.Own',\n    '{COMMON}',\n]"
    assert project.append(code).findings() == {}


@pytest.mark.parametrize("setting", ["CORS_ALLOWED_ORIGINS", "CORS_ALLOW_ORIGINS", "CORS_ORIGIN_WHITELIST"])
def test_a_remedy_has_the_setting_that_the_project_has(project, setting):
    project.write('path("a", view)', **{"CORS_ALLOWED_ORIGINS": None, setting: [PAGE]})
    finding = project.findings("-o", PARTNER)["origin-refused"]
    assert finding["code"] == f"{setting} = ['https://app.example.com', 'https://partner.example.com']"
    assert project.append(finding["code"]).findings("-o", PARTNER) == {}


def test_the_remedy_of_a_view_has_options_of_its_decorator(project):
    project.write('path("a", cross_origin(allow_origins=["https://a.example.com"])(view))')
    finding = project.findings("-o", PARTNER)["origin-refused"]
    assert finding["policy"] == "allow_origins=['https://a.example.com', 'https://partner.example.com']"
    assert finding["code"] == ""


def test_a_method_that_the_settings_refuse_is_added(project):
    project.write('path("a", require_http_methods(["PURGE"])(view))', CORS_ALLOW_METHODS=["PUT"])
    finding = project.findings()["method-refused"]
    assert finding["code"] == "CORS_ALLOW_METHODS = ['PUT', 'PURGE']"
    assert project.append(finding["code"]).findings() == {}


@pytest.mark.filterwarnings("ignore::asgi_cors.ConfigWarning")
def test_settings_that_allow_no_origin_get_an_example(project):
    project.write('path("a", view)', CORS_ALLOWED_ORIGINS=[])
    finding = project.findings()["nothing-allowed"]
    assert finding["code"] == "CORS_ALLOWED_ORIGINS = ['https://app.example.com']"
    assert project.append(finding["code"]).findings() == {}


def test_an_attack_on_the_settings_is_answered_with_settings(project):
    project.write('path("a", view)', CORS_ALLOWED_ORIGINS=None, CORS_ALLOW_CREDENTIALS=True)
    project.append("CORS_ALLOW_ORIGINS = [lambda origin: origin.endswith('example.com')]")
    finding = project.findings()["attack-gets-in"]
    assert finding["code"] == "CORS_ALLOW_ORIGINS = ['https://app.example.com']\nCORS_ALLOW_CREDENTIALS = True"
    assert "attack-gets-in" not in project.append(finding["code"]).findings()


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("-X", "PUT"), "Write CORS_ALLOW_METHODS = ['GET', 'PUT']."),
        (("-H", "x-id: 1"), "Write CORS_ALLOW_HEADERS = ['x-other', 'x-id']."),
        (("--credentials",), "Write CORS_ALLOW_CREDENTIALS = True."),
    ],
)
def test_the_remedy_of_explain_is_a_setting_that_is_accepted(project, arguments, remedy):
    project.write('path("a", view)', CORS_ALLOW_METHODS=["GET"], CORS_ALLOW_HEADERS=["x-other"])
    found = project.explain("/a", *arguments)
    assert (found["allowed"], found["remedy"]) == (False, remedy)
    project.append(remedy.removeprefix("Write ").removesuffix("."))
    assert project.explain("/a", *arguments)["allowed"] is True


def test_explain_names_the_setting_for_an_origin(project):
    project.write('path("a", view)')
    found = project.explain("/a", origin=PARTNER)
    assert found["remedy"] == f"If that page is yours, add {PARTNER!r} to CORS_ALLOWED_ORIGINS."


@pytest.mark.parametrize("own", ["CSRF_TRUSTED_ORIGINS", "CORS_CSRF_TRUSTED_ORIGINS"])
def test_explain_names_the_setting_of_trusted_origins_that_counts(project, own):
    form = ("-X", "POST", "-H", "content-type: application/x-www-form-urlencoded", "--credentials")
    project.write('path("a", view)', CORS_CSRF_PROTECTION=True, **{own: ["https://other.example.com"]})
    found = project.explain("/a", *form, origin=PARTNER)
    assert f"add {PARTNER!r} to {own}." in found["remedy"]
    project.append(f"{own}.append({PARTNER!r})")
    assert project.explain("/a", *form, origin=PARTNER)["reaches_app"] is True


def test_explain_names_the_setting_of_hosts_also_for_the_policy_of_a_view(project):
    project.write('path("a", cross_origin(allow_origins="*")(view))', CORS_ALLOWED_HOSTS=["api.example.com"])
    found = project.explain("/a", "--host", "other.example.com")
    assert found["remedy"] == "If that is a name of this server, add 'other.example.com' to CORS_ALLOWED_HOSTS."


# -- forged requests, and Hosts


@pytest.mark.parametrize(
    ("view", "middlewares", "is_forged"),
    [
        ("require_POST(view)", [OURS], True),
        ("require_POST(view)", [OURS, CSRF], False),
        ("csrf_exempt(require_POST(view))", [OURS, CSRF], True),
        ("cross_origin(allow_origins='*')(csrf_exempt(require_POST(view)))", [OURS, CSRF], True),
    ],
)
def test_forged_requests_are_found_unless_django_checks_them(project, view, middlewares, is_forged):
    project.write(f'path("a", {view})', MIDDLEWARE=middlewares)
    attack = next(each for each in project.audit()["requests"] if each["kind"] == "forged-request")
    assert attack["got_in"] == (["POST /a"] if is_forged else [])


@pytest.mark.parametrize(
    ("authentication", "is_forged"), [("SessionAuthentication", False), ("TokenAuthentication", True)]
)
def test_session_authentication_of_rest_framework_refuses_forged_requests(project, authentication, is_forged):
    pytest.importorskip("rest_framework")
    project.write(
        'path("a", Items.as_view())',
        f"""
        from rest_framework.authentication import {authentication}
        from rest_framework.views import APIView

        class Items(APIView):
            authentication_classes = [{authentication}]
            def post(self, request): ...
        """,
        MIDDLEWARE=[OURS, CSRF],
    )
    attack = next(each for each in project.audit()["requests"] if each["kind"] == "forged-request")
    assert bool(attack["got_in"]) is is_forged


def test_protection_against_forged_requests_is_a_setting(project):
    project.write('path("a", require_POST(view))', CORS_ALLOW_CREDENTIALS=True)
    finding = project.findings()["forged-requests-accepted"]
    assert finding["code"] == "CORS_CSRF_PROTECTION = True"
    assert project.append(finding["code"]).findings() == {}


@pytest.mark.parametrize(
    ("values", "is_refused"),
    [
        ({"MIDDLEWARE": [OURS]}, False),
        ({"MIDDLEWARE": [OURS, COMMON]}, True),
        ({"MIDDLEWARE": [OURS, COMMON], "ALLOWED_HOSTS": ["*"]}, False),
        ({"MIDDLEWARE": [OURS], "CORS_ALLOWED_HOSTS": ["api.example.com"]}, True),
    ],
)
def test_the_host_of_another_site_is_refused_by_django_or_by_the_policy(project, values, is_refused):
    project.write('path("a", view)', **values)
    attack = next(each for each in project.audit()["requests"] if each["kind"] == "rebinding-host")
    assert (attack["got_in"] == []) is is_refused
