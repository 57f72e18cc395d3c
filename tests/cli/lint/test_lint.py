"""`asgi-cors lint` reads the settings of other libraries, without running them."""
# ruff: noqa: E501 - a source is one line of a table

import ast
import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import CORSMiddleware, Policy
from tests.support.command_line import run

CLEAN, FOUND, COULD_NOT_RUN = 0, 1, 2
STARLETTE = "from starlette.middleware.cors import CORSMiddleware\n"
FLASK = "from flask_cors import CORS, cross_origin\n"
QUART = "import quart_cors\nfrom quart_cors import cors, route_cors\n"
HOSTS = "from starlette.middleware.trustedhost import TrustedHostMiddleware\nAPP = 'https://app.example.com'\n"
APP = "https://app.example.com"


@pytest.fixture
def lint(tmp_path: Path) -> Any:
    """Return a function that writes a file and returns what lint prints for it as JSON."""

    def check(source: str) -> Any:
        (tmp_path / "main.py").write_text(source, "utf-8")
        ran = run("lint", str(tmp_path), "--json")
        found = ran.json["files"]
        names = [finding["name"] for file in found for setup in file["setups"] for finding in setup["findings"]]
        assert ran.code == (FOUND if names else CLEAN)
        return found

    return check


def added(options: str) -> str:
    return f"{STARLETTE}app.add_middleware(CORSMiddleware, {options})"


# The source, and the names of its findings.
UNSAFE = [
    (added('allow_origins=["*"], allow_credentials=True'), "credentials-from-any-origin"),
    (added("allow_origins=['*'], allow_credentials=1"), "credentials-from-any-origin"),
    (added('allow_origin_regex=".*", allow_credentials=True'), "credentials-from-any-origin"),
    (added(r'allow_origin_regex=r"https://.*example\.com", allow_credentials=True'), "regex-allows-others"),
    (added(r'allow_origin_regex=r"https://.*\.github\.io", allow_credentials=True'), "credentials-from-shared-suffix"),
    (added('allow_origins="https://app.example.com"'), "substring-test"),
    (added('allow_origins=["null"], allow_credentials=True'), "allows-null"),
    (added('allow_origins=["http://app.example.com"], allow_credentials=True'), "credentials-over-http"),
    (f"{STARLETTE}ALL = ['*']\napp = CORSMiddleware(app, allow_origins=ALL, allow_credentials=True)", "credentials-from-any-origin"),
    ("from starlette.middleware import Middleware\n" + STARLETTE + "M = [Middleware(CORSMiddleware, allow_origins=['*'], allow_credentials=True)]", "credentials-from-any-origin"),
    ("import fastapi.middleware.cors\napp.add_middleware(fastapi.middleware.cors.CORSMiddleware, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    (f"{FLASK}CORS(app, supports_credentials=True)", "credentials-from-any-origin"),
    (f"{FLASK}@cross_origin(supports_credentials=True)\ndef view(): ...", "credentials-from-any-origin"),
    (f"{FLASK}CORS(app, origins=r'.*', supports_credentials=True)", "credentials-from-any-origin"),
    (f"{FLASK}CORS(app, origins=[r'https://\\w+\\.example\\.com'], supports_credentials=True)", "regex-allows-others"),
    (f"import re\n{FLASK}CORS(app, origins=re.compile(r'https://\\w+\\.example\\.com'))", "regex-allows-others"),
    (f"{FLASK}CORS(app, origins='http://localhost:*')", "regex-allows-others"),
    (f"{FLASK}CORS(app, resources={{'/api/*': {{'origins': '*'}}}}, supports_credentials=True)", "credentials-from-any-origin"),
    (f"{FLASK}app.config['CORS_SUPPORTS_CREDENTIALS'] = True\nCORS(app)", "credentials-from-any-origin"),
    (f"{FLASK}app.config.update(CORS_SUPPORTS_CREDENTIALS=True)\nCORS(app)", "credentials-from-any-origin"),
    ("class Config:\n    CORS_ORIGINS = '*'\n    CORS_SUPPORTS_CREDENTIALS = True", "credentials-from-any-origin"),
    ("CORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True", "credentials-from-any-origin"),
    ("CORS_ORIGIN_ALLOW_ALL: bool = True\nCORS_ALLOW_CREDENTIALS = True", "credentials-from-any-origin"),
    (added("allow_origins=os.getenv('ORIGINS', '*').split(','), allow_credentials=True"), "credentials-from-any-origin"),
    (added("allow_origins=settings.ORIGINS or ['*'], allow_credentials=True"), "credentials-from-any-origin"),
    (added("allow_origins=settings.ORIGINS if PRODUCTION else ['*'], allow_credentials=True"), "credentials-from-any-origin"),
    (added(r"allow_origin_regex=r'https://.*\.vercel\.app' if DEMO else None, allow_credentials=True"), "credentials-from-shared-suffix"),
    (f"ORIGINS = ['https://a.test']\nORIGINS.append('*')\n{added('allow_origins=ORIGINS, allow_credentials=True')}", "credentials-from-any-origin"),
    ("CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\\w+\\.example\\.com']", "regex-allows-others"),
    # Options by position, in dicts, and by other names of the class.
    (f"{STARLETTE}app = CORSMiddleware(app, ['*'], ['*'], ['*'], True)", "credentials-from-any-origin"),
    (f"{STARLETTE}app = CORSMiddleware(app=app, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    (f"{STARLETTE}app.add_middleware(middleware_class=CORSMiddleware, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    (f"{STARLETTE}OPTIONS = {{'allow_origins': ['*'], 'allow_credentials': True}}\n{added('**OPTIONS')}", "credentials-from-any-origin"),
    (f"{STARLETTE}BASE = dict(allow_origins=['*'])\nOPTIONS = dict(**BASE, allow_credentials=True)\n{added('**OPTIONS')}", "credentials-from-any-origin"),
    ("from starlette.middleware import cors\napp.add_middleware(cors.CORSMiddleware, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    ("from starlette.middleware.cors import *\napp.add_middleware(CORSMiddleware, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    (f"{STARLETTE}class Own(CORSMiddleware): ...\napp.add_middleware(Own, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    (f"{STARLETTE}Own = CORSMiddleware\napp.add_middleware(Own, allow_origins=['*'], allow_credentials=True)", "credentials-from-any-origin"),
    # Flask-CORS gets its app later, or its options from a dict.
    (f"{FLASK}cors = CORS()\ncors.init_app(app, supports_credentials=True)", "credentials-from-any-origin"),
    (f"{FLASK}cors = CORS(supports_credentials=True)\ncors.init_app(app)", "credentials-from-any-origin"),
    (f"{FLASK}CORS().init_app(app, supports_credentials=True)", "credentials-from-any-origin"),
    ("from extensions import cors\ncors.init_app(app, resources={'/*': {'origins': '*'}}, supports_credentials=True)", "credentials-from-any-origin"),
    (f"{FLASK}app.config.update({{'CORS_SUPPORTS_CREDENTIALS': True}})\nCORS(app)", "credentials-from-any-origin"),
    (f"{FLASK}CORS(app, resources=['/api/*'], supports_credentials=True)", "credentials-from-any-origin"),
    # Values from classes, functions of libraries, and conditions.
    (f"class Settings:\n    origins = ['*']\nsettings = Settings()\n{added('allow_origins=settings.origins, allow_credentials=True')}", "credentials-from-any-origin"),
    (f"class Settings:\n    origins: list[str] = values.ListValue(['*'])\n{added('allow_origins=Settings.origins, allow_credentials=True')}", "credentials-from-any-origin"),
    (f"class Settings:\n    origins: list[str] = attrib(default_factory=lambda: ['*'])\n{added('allow_origins=Settings.origins, allow_credentials=True')}", "credentials-from-any-origin"),
    (f"ORIGINS = ['*']\nif PRODUCTION:\n    ORIGINS = ['https://a.test']\n{added('allow_origins=ORIGINS, allow_credentials=True')}", "credentials-from-any-origin"),
    (added("allow_origins=config('ORIGINS', default='*', cast=Csv()), allow_credentials=True"), "credentials-from-any-origin"),
    ("if DEBUG:\n    CORS_ALLOW_ALL_ORIGINS = True\nelse:\n    CORS_ALLOW_ALL_ORIGINS = False\nCORS_ALLOW_CREDENTIALS = True", "credentials-from-any-origin"),
    ("class Base:\n    CORS_ALLOW_CREDENTIALS = True\nclass Dev(Base):\n    CORS_ALLOW_ALL_ORIGINS = True", "credentials-from-any-origin"),
    ("CORS_ALLOWED_ORIGINS = ['*']\nCORS_ALLOW_CREDENTIALS = True", "allows-null"),
    ("CORS_ALLOWED_ORIGINS = ['null']\nCORS_ALLOW_CREDENTIALS = True", "allows-null"),
    ("CORS_ALLOWED_ORIGINS = os.getenv('ORIGINS', '').split(',')\nCORS_ALLOW_CREDENTIALS = True", "allows-null"),
    ("CORS_ALLOWED_ORIGIN_REGEXES = os.getenv('REGEXES', '').split(',')", "regex-allows-others"),
    ("import re\n" + QUART + "app = cors(app, allow_origin=[re.compile('.*')], allow_credentials=True)", "credentials-from-any-origin"),
]  # fmt: skip
NEVER_MATCHING = [
    (f"{FLASK}CORS(app, origins='https://a.test|https://b.test')", "origin-regex"),
    (added('allow_origins=["https://app.example.com/"]'), "origin-trailing-slash"),
    (added('allow_origins=["https://*.example.com"]'), "pattern-never-matches"),
    (added('allow_origins=["https://App.example.com"]'), "origin-upper-case"),
    (added('allow_origins=["app.example.com"]'), "origin-no-scheme"),
    (added('allow_origins=["https://app.example.com:443"]'), "origin-default-port"),
    (added('allow_origins=["https://app.example.com"] + ["https://b.example.com/"]'), "origin-trailing-slash"),
    (f"ORIGINS = ['https://a.test']\nORIGINS += ['https://b.test/']\nif DEBUG:\n    ORIGINS.extend(['http://localhost:3000'])\n{added('allow_origins=ORIGINS')}", "origin-trailing-slash"),
    (added('allow_origins="https://a.test/,https://b.test".split(",")'), "origin-trailing-slash"),
    (f"{FLASK}CORS(app, origins=['https://*.example.com'])", "pattern-never-matches"),
    (f"{FLASK}CORS(app, origins='https://app.example.com/')", "origin-trailing-slash"),
    (f"{QUART}app = cors(app, allow_origin=['https://*.example.com'])", "pattern-never-matches"),
    ("CORS_ORIGIN_WHITELIST = ('app.example.com:8000',)", "origin-no-scheme"),
    ("CORS_ALLOWED_ORIGINS = ['https://*.example.com']", "pattern-never-matches"),
    ("CORS_ALLOWED_ORIGINS = ['https://[']", "origin-ip"),
    (f"{STARLETTE}app = CORSMiddleware(app, ('https://app.example.com/',))", "origin-trailing-slash"),
    (f"{FLASK}cors = CORS()\ndef create_app(app):\n    cors.init_app(app, origins=['https://app.example.com/'])", "origin-trailing-slash"),
    ("HOST = 'a.test'\n" + added("allow_origins=[f'https://{HOST}/']"), "origin-trailing-slash"),
    ("CORS_ALLOWED_ORIGINS = env.list('CORS', default=['https://App.example.com'])", "origin-upper-case"),
]  # fmt: skip
MISTAKEN = [
    (f"{QUART}app = cors(app, allow_credentials=True)", "credentials-from-any-origin"),
    (f"{QUART}app = quart_cors.cors(app, allow_origin='*', allow_credentials=True)", "credentials-from-any-origin"),
    ("QUART_CORS_ALLOW_CREDENTIALS = True", "credentials-from-any-origin"),
    ("CORS_ALLOWED_ORIGINS = ['https://app.example.com/']", "origin-trailing-slash"),
    ("CORS_ORIGIN_WHITELIST = ('app.example.com',)", "allows-null"),
    ("CORS_ALLOWED_ORIGINS = 'https://app.example.com'", "text-not-list"),
    (f"{FLASK}CORS(app, origin='https://app.example.com')", "unknown-option"),
    (f"{FLASK}CORS(app, origins=['https://a.test'], allow_credentials=True)", "unknown-option"),
    (added("origins=['https://app.example.com'], allow_origins=['https://a.test']"), "unknown-option"),
    (added("allow_origins=['https://a.test'], allow_methods='GET, PUT'"), "text-not-list"),
    (added("allow_origins=['https://a.test'], allow_headers=['x id']"), "invalid-name"),
    (added("allow_origins=['https://a.test'], expose_headers=['set-cookie']"), "unexposable-header"),
    (added("allow_origins=['*', 'https://a.test']"), "redundant-entry"),
    (added("allow_methods=['PUT']"), "nothing-allowed"),
    (added("allow_origins=['null']"), "allows-null"),
    (f"{FLASK}CORS(app, origins='https://(')", "invalid-regex"),
    (f"{FLASK}ALL = {{'/a': {{'origins': ['*', 'https://a.test']}}}}\nCORS(app, resources=ALL)", "redundant-entry"),
    (f"{HOSTS}{added('allow_origins=[APP]')}\napp.add_middleware(TrustedHostMiddleware, allowed_hosts=['*'])", "any-host-allowed"),
    (f"{HOSTS}{added('allow_origins=[APP]')}\napp.add_middleware(TrustedHostMiddleware)", "any-host-allowed"),
    (f"{HOSTS}{added('allow_origins=[APP]')}\nALL = ['*']\napp = TrustedHostMiddleware(app, allowed_hosts=ALL)", "any-host-allowed"),
    (f"{FLASK}CORS(app, origins='https://a.test', csrf_protection=True)", "unknown-option"),
    ("MIDDLEWARE = ['django.middleware.common.CommonMiddleware']\nCORS_ALLOW_ALL_ORIGINS = True", "middleware-missing"),
    ("MIDDLEWARE = ['django.middleware.common.CommonMiddleware', 'corsheaders.middleware.CorsMiddleware']\nCORS_ALLOW_ALL_ORIGINS = True", "middleware-order"),
]  # fmt: skip
HEALTHY = [
    f"{HOSTS}{added('allow_origins=[APP]')}\napp.add_middleware(TrustedHostMiddleware, allowed_hosts=['api.example.com'])",
    f"{HOSTS}{added('allow_origins=[APP]')}\napp = TrustedHostMiddleware(app, ['*.example.com'])\nprint(TrustedHostMiddleware)",
    f"{HOSTS}{added('allow_origins=[APP]')}\napp.add_middleware(TrustedHostMiddleware, **options)",
    "CORS_ALLOWED_ORIGINS = env_list('ORIGINS', default='http://a.test,http://b.test')\nCORS_ALLOW_CREDENTIALS = True",
    "CORS_ALLOWED_ORIGINS = env('ORIGINS', default='http://localhost:3000')",
    "CORS_ALLOW_ALL_ORIGINS = env('ALL', cast=bool, default=False)\nCORS_ALLOW_CREDENTIALS = True",
    added("allow_origins=os.getenv('ORIGINS', '').split(','), allow_headers=True, allow_methods=[1, None], expose_headers=5, max_age='x'"),
    "from .base import *\nCORS_ALLOW_CREDENTIALS = True",
    "CORS_ALLOW_ALL_ORIGINS = DEBUG\nCORS_ALLOW_CREDENTIALS = True",
    "class Dev:\n    CORS_ALLOW_ALL_ORIGINS = True\nclass Prod:\n    CORS_ALLOWED_ORIGINS = ['https://a.test']\n    CORS_ALLOW_CREDENTIALS = True",
    "CORS_ALLOWED_ORIGINS = ['HTTPS://a.test']\nCORS_ALLOW_CREDENTIALS = True",
    "CORS_ALLOWED_ORIGINS = config('ORIGINS', default='a b', cast=str.split)\nCORS_ALLOW_ALL_ORIGINS = env('ALL')",
    f"{STARLETTE}def add(app, origins):\n    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)\nadd(app, origins := ['*'])",
    f"{STARLETTE}def add(app, *args):\n    app.add_middleware(CORSMiddleware, *args, allow_credentials=True)",
    f"{STARLETTE}OPTIONS = {{'allow_origins': ['*'], 'allow_credentials': True}}\nOPTIONS['allow_origins'] = load()\n{added('**OPTIONS')}",
    f"{FLASK}CORS(app, resources=RESOURCES, supports_credentials=True)",
    f"{FLASK}cors = CORS(supports_credentials=True)",
    f"{FLASK}OPTIONS = {{**OPTIONS}}\nCORS(app, **OPTIONS)\nCORS(app, origins=['https://a.test'], allow_headers=None)",
    added(r'allow_origin_regex=r"http://(localhost|127\.0\.0\.1):\d+", allow_credentials=True'),
    added(r'allow_origins=list(settings.cors_origins), allow_origin_regex=r"^https?://(localhost|127\.0\.0\.1)(:\d+)?$", allow_credentials=True'),
    added("allow_origins=[o.strip() for o in os.environ.get('ORIGINS', '').split(',')], allow_credentials=os.getenv('C', False)"),
    "app.run().append(1)\n" + added("allow_origins=os.getenv('ORIGINS', DEFAULT), allow_methods=os.getenv('M', 'PUT').split()"),
    added("allow_origins=['http://localhost:5173', *extra], allow_credentials=True, expose_headers=NAMES or NAMES"),
    f"{FLASK}app.config['CORS_HEADERS'] = 'Content-Type'\nCORS(bands, origins=['http://localhost:3000'], supports_credentials=True)",
    f"{FLASK}CORS(app, origins=[r'https://a\\.test:3000'])",
    f"import other, os.path\n{FLASK}app.config[KEY] = config.update(**more)\nCORS(app, origins=set(['https://a.test']))",
    added('allow_origins=["https://app.example.com"], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]'),
    added('allow_origins=["*"]'),
    added(r'allow_origin_regex=r"https://\w+\.example\.com", allow_credentials=True'),
    added(r'allow_origin_regex=r"https://.*example\.com"'),
    added("allow_origins=settings.ORIGINS, allow_credentials=True"),
    added("allow_origins=['https://a.test', *MORE], allow_credentials=settings.COOKIES"),
    added("**options"),
    f"{FLASK}CORS(app)\nCORS(app, origins='https://APP.example.com', allow_headers=r'x-.*', send_wildcard=True)",
    f"{FLASK}CORS(app, origins=[r'^https://\\w+\\.example\\.com$'], supports_credentials=True)",
    f"{FLASK}CORS(app, resources=RESOURCES, expose_headers=None)",
    f"{FLASK}RESOURCES = {{'/a': {{'origins': f'https://{{HOST}}'}}}}\nCORS(app, resources=RESOURCES)",
    added("allow_origins=['https://' + 'a.test', HOST + 'x'], allow_origin_regex='(', allow_methods=list(METHODS) + ['PUT'], allow_headers=load(1), expose_headers=TEXT.split(',')"),
    f"import re\n{FLASK}CORS(app, origins=[re.compile('('), re.compile(PATTERN), A + B, 'a'.split('')], max_age=timedelta())",
    f"{FLASK}CORS(app, resources={{r'/api/*': OPTIONS, **MORE}}, origins=['https://a.test'])",
    f"{QUART}@route_cors(allow_origin=['https://app.example.com'], allow_credentials=True)\nasync def view(): ...",
    f"{QUART}QUART_CORS_ALLOW_ORIGIN = ['https://a.test']\napp = cors(app, allow_credentials=True)",
    "MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware', 'django.middleware.common.CommonMiddleware']\nCORS_ALLOWED_ORIGINS = ['https://a.test']",
    "MIDDLEWARE = [*BASE]\nCORS_ALLOWED_ORIGINS = ['https://a.test']\nCORS_ALLOW_HEADERS = (*default_headers, 'x-id')\nCORS_URLS_REGEX = '^/api/.*$'",
]  # fmt: skip
UNUSED = ["import json\nD: int\nCORS_ALLOW_HEADERS = ['x-id']", "import re\nCORS = 1\nCORS_POLICY = '*'", "from starlette.middleware.gzip import GZipMiddleware\napp.add_middleware(GZipMiddleware)", "f()()\n(lambda: 1)()"]  # fmt: skip


@pytest.mark.parametrize(("source", "name"), UNSAFE)
def test_an_unsafe_setting_is_found(lint, source, name):
    findings = [finding for file in lint(source) for setup in file["setups"] for finding in setup["findings"]]
    assert [(finding["name"], finding["kind"]) for finding in findings] == [(name, "unsafe")]
    assert all(finding["remedy"] for finding in findings)


@pytest.mark.parametrize(("source", "name"), NEVER_MATCHING)
def test_an_origin_that_never_matches_is_found(lint, source, name):
    findings = [finding for file in lint(source) for setup in file["setups"] for finding in setup["findings"]]
    assert [(finding["name"], finding["kind"]) for finding in findings] == [(name, "never-matches")]


@pytest.mark.parametrize(("source", "name"), MISTAKEN)
def test_another_mistake_is_found(lint, source, name):
    findings = [finding for file in lint(source) for setup in file["setups"] for finding in setup["findings"]]
    assert [(finding["name"], finding["kind"]) for finding in findings] == [(name, "mistake")]


@pytest.mark.parametrize("source", HEALTHY)
def test_nothing_is_found_in_a_healthy_setting(lint, source):
    (file,) = lint(source)
    assert file["setups"]
    assert [setup["findings"] for setup in file["setups"]] == [[]] * len(file["setups"])


@pytest.mark.parametrize("source", UNUSED)
def test_a_file_without_a_cors_library_is_not_listed(lint, source):
    assert lint(source) == []


@pytest.mark.parametrize(
    "source",
    [
        source
        for source, _ in (*UNSAFE, *NEVER_MATCHING, *MISTAKEN)
        if not re.search("settings|Settings|getenv|ORIGIN", source)
    ],
)
def test_the_line_to_write_is_accepted_by_a_policy(lint, source):
    for setup in lint(source)[0]["setups"]:
        options = re.search(
            r"(?:app|application\(\)|CORSMiddleware|\(|dict\()(?:, |\()?((?:allow_|origins|expose).*?)\)*}?\)?$",
            setup["asgi_cors"],
        )
        assert options, setup["asgi_cors"]
        call = (
            options[1].replace("supports_credentials", "allow_credentials").replace("allow_origin=", "allow_origins=")
        )
        call = re.sub(r"(?<!_)\borigins=", "allow_origins=", call)
        depth = call.count("(") - call.count(")")
        assert eval(f"Policy({call}{')' * depth})", {"Policy": Policy, "re": re})  # noqa: S307 - our own line


def test_the_line_to_write_has_the_corrected_origins_and_the_programs_own_expressions(lint):
    (setup,) = lint(
        added('allow_origins=["https://app.example.com/", "https://*.example.com"], allow_methods=METHODS')
    )[0]["setups"]
    assert setup["asgi_cors"] == (
        "app.add_middleware(CORSMiddleware, allow_origins=['https://app.example.com', 'https://*.example.com'],"
        " allow_methods=METHODS)"
    )
    (setup,) = lint(added("allow_origins=load(), allow_credentials=True, origins=1"))[0]["setups"]
    assert setup["asgi_cors"] == "app.add_middleware(CORSMiddleware, allow_origins=load(), allow_credentials=True)"


def test_the_line_to_write_is_code_also_for_a_list_with_line_breaks_and_comments(lint, tmp_path):
    (setup,) = lint(added('allow_origins=[\n  "https://a.test/",  # ours\n  load(),\n]'))[0]["setups"]
    assert setup["asgi_cors"] == "app.add_middleware(CORSMiddleware, allow_origins=['https://a.test', load()])"
    assert setup["asgi_cors"] in run("lint", str(tmp_path)).out


def test_a_long_line_to_write_has_an_argument_on_each_line_and_breaks_no_text(lint, tmp_path):
    origin = f"https://{'a' * 60}.example.com"
    (setup,) = lint(added(f"allow_origins=[{origin!r}], allow_methods='GET'"))[0]["setups"]
    out = run("lint", str(tmp_path)).out
    assert f"    app.add_middleware(\n        CORSMiddleware,\n        allow_origins=[{origin!r}],\n" in out
    lines = out[out.index("    app.add_middleware(") :].split("\n\n")[0]
    assert ast.unparse(ast.parse(textwrap.dedent(lines))) == setup["asgi_cors"]


def test_a_decorator_to_write_is_one_line_or_several(lint, tmp_path):
    source = "from flask_cors import cross_origin\n@cross_origin(origins={!r}, methods='GET, PUT')\ndef view(): ...\n"
    lint(source.format("https://a.test/"))
    assert "    @cross_origin(origins=['https://a.test']" in run("lint", str(tmp_path)).out
    lint(source.format(f"https://{'a' * 60}.test/"))
    assert "    @cross_origin(\n        origins=['https://aaa" in run("lint", str(tmp_path)).out


def test_a_setup_that_is_not_checked_whole_has_a_question_mark(lint, tmp_path):
    lint(added("allow_origins=load()"))
    (tmp_path / "other.py").write_text("def cors(:")
    out = run("lint", str(tmp_path)).out
    assert out.count("? ") == 2
    assert "✓ nothing to change" in out
    assert out.count("✓") == 1


def test_each_path_of_resources_is_checked(lint):
    source = f"{FLASK}CORS(app, resources={{'/a/*': {{'origins': ['https://a.test/']}}, '/b/*': {{'origins': '*'}}}})"
    first, second = lint(source)[0]["setups"]
    assert (first["path"], [finding["name"] for finding in first["findings"]]) == ("/a/*", ["origin-trailing-slash"])
    assert (second["path"], second["findings"]) == ("/b/*", [])
    assert first["asgi_cors"] == "CORS(app, resources={'/a/*': dict(allow_origins=['https://a.test'])})"


def test_values_that_only_the_program_knows_are_reported_as_unchecked(lint, tmp_path):
    assert lint(added("allow_origins=load()"))[0]["setups"][0]["complete"] is False
    assert "known at run time only" in run("lint", str(tmp_path)).out
    assert lint(added("allow_origins=['https://a.test']"))[0]["setups"][0]["complete"] is True


def test_the_report_fits_into_80_columns_and_names_the_place(tmp_path):
    (tmp_path / "main.py").write_text(UNSAFE[0][0])
    ran = run("lint", str(tmp_path / "main.py"))
    assert ran.code == FOUND
    assert "main.py:2  Starlette's CORSMiddleware" in "".join(ran.out.splitlines()[:3]).replace("\n", "")
    assert "credentials-from-any-origin  unsafe" in ran.out
    assert max(map(len, ran.out.splitlines()[2:])) <= 80


def test_a_clean_project_exits_with_0(tmp_path):
    (tmp_path / "main.py").write_text(added("allow_origins=['https://app.example.com']"))
    ran = run("lint", str(tmp_path))
    assert (ran.code, "✓ nothing to change" in ran.out) == (CLEAN, True)
    (tmp_path / "main.py").write_text("")
    assert "no use of Flask-CORS" in run("lint", str(tmp_path)).out


def test_sarif_names_the_rule_the_file_and_the_line(tmp_path, monkeypatch):
    (tmp_path / "main.py").write_text(UNSAFE[0][0])
    monkeypatch.chdir(tmp_path)
    ran = run("lint", ".", "--sarif")
    assert ran.code == FOUND
    found = json.loads(ran.out)
    (sarif_run,) = found["runs"]
    (result,) = sarif_run["results"]
    location = result["locations"][0]["physicalLocation"]
    assert (found["version"], result["ruleId"], result["level"]) == ("2.1.0", "credentials-from-any-origin", "error")
    assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == ("main.py", 2)
    assert sarif_run["tool"]["driver"]["rules"] == [{"id": "credentials-from-any-origin"}]
    absolute = json.loads(run("lint", str(tmp_path), "--sarif").out)["runs"][0]["results"][0]["locations"][0]
    assert absolute["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from flask_cors import CORS, cross_origin", ["from asgi_cors_flask import CORS, cross_origin"]),
        ("from flask_cors import CORS as C", ["from asgi_cors_flask import CORS as C"]),
        ("import flask_cors", ["import asgi_cors_flask as flask_cors"]),
        ("from quart_cors import cors", ["from asgi_cors_quart import cors"]),
        ("from fastapi.middleware.cors import CORSMiddleware", ["from asgi_cors import CORSMiddleware"]),
        (
            "from starlette.middleware.cors import ALL_METHODS, CORSMiddleware",
            ["from starlette.middleware.cors import ALL_METHODS", "from asgi_cors import CORSMiddleware"],
        ),
        ("from starlette.middleware.cors import (\n    CORSMiddleware,\n)", ["from asgi_cors import CORSMiddleware"]),
    ],
)
def test_the_diff_changes_the_import(tmp_path, before, after):
    use = "app = f(CORSMiddleware)\nC(app), CORS(app), cors(app), flask_cors.CORS(app), CORSMiddleware(app, allow_origins=['*'])\n"
    (tmp_path / "main.py").write_text(f"import os\n{before}\n{use}")
    ran = run("lint", str(tmp_path), "--diff")
    assert ran.code == CLEAN
    lines = ran.out.splitlines()
    assert [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")] == after
    assert [line[1:] for line in lines if line.startswith("-") and not line.startswith("---")] == before.splitlines()


@pytest.mark.parametrize("source", ["import starlette.middleware.cors\nstarlette.middleware.cors.CORSMiddleware(app)", "from flask_cors import core\nCORS_ORIGINS = '*'", "CORS_ORIGINS = '*'"])  # fmt: skip
def test_other_imports_do_not_change(tmp_path, source):
    (tmp_path / "main.py").write_text(source)
    assert run("lint", str(tmp_path), "--diff").out == ""


def test_a_changed_program_without_a_final_line_break_still_runs(tmp_path):
    from asgi_cors.cli.lint.files import check_paths  # noqa: PLC0415 - here alone

    (tmp_path / "main.py").write_text(
        "async def app(scope, receive, send): ...\napp = None or app\nif True:\n    from starlette.middleware.cors import CORSMiddleware\n    app = CORSMiddleware(app, allow_origins=['https://a.test'])"
    )
    (file,) = check_paths([str(tmp_path)])
    names: dict[str, Any] = {}
    exec(file.changed, names)  # noqa: S102 - our own source
    assert isinstance(names["app"], CORSMiddleware)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"cors(:", "is not valid Python"),
        (b"# coding: nonsense\n", "is not valid Python"),
        (b"\xff\xfe", "is not valid Python"),
        (b"x = '\xff'", "is not valid Python"),
        (b"cors\x00", "can't be read|is not valid Python"),
        (b"cors = " + b"-" * 100_000 + b"1", "is nested too deeply|is not valid Python|can't be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_checked(tmp_path, content, error):
    (tmp_path / "a.py").write_bytes(content)
    (tmp_path / "b.py").write_text(UNSAFE[0][0])
    ran = run("lint", str(tmp_path), "--json")
    first, second = ran.json["files"]
    assert re.search(error, first["error"])
    assert second["setups"][0]["findings"]
    assert re.search("is not valid|can't be read|nested", " ".join(run("lint", str(tmp_path)).out.split()))


def test_a_broken_link_is_reported(tmp_path):
    (tmp_path / "a.py").symlink_to(tmp_path / "missing.py")
    assert "can't be read" in run("lint", str(tmp_path), "--json").json["files"][0]["error"]


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("asgi_cors.cli.lint.files._MAX_SIZE", 10)
    (tmp_path / "a.py").write_text(UNSAFE[0][0])
    assert run("lint", str(tmp_path), "--json").json["files"][0]["error"] == "is too large"


def test_folders_of_installed_packages_are_skipped(tmp_path):
    for folder in (".venv", "node_modules", "app"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "main.py").write_text(UNSAFE[0][0])
        (tmp_path / folder / "notes.txt").write_text(UNSAFE[0][0])
    files = run("lint", str(tmp_path), str(tmp_path / "app"), "--json").json["files"]
    assert [Path(file["path"]).parent.name for file in files] == ["app"]


def test_a_path_that_does_not_exist_exits_with_2():
    ran = run("lint", "missing")
    assert (ran.code, ran.out) == (COULD_NOT_RUN, "")
    assert ran.err.count("\n") == 1


def test_two_formats_at_once_are_refused():
    assert run("lint", ".", "--json", "--sarif").code == COULD_NOT_RUN


def test_a_name_that_refers_to_itself_is_unknown(lint):
    assert lint(f"A = B\nB = A\n{added('allow_origins=A, allow_methods=list(), allow_headers=[*B], max_age=-1')}")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            added("allow_origins=load(), allow_origin_regex=R, allow_credentials=C, max_age=60, allow_methods=['PUT']"),
            "app.add_middleware(CORSMiddleware, allow_origins=load(), allow_origin_regex=R, allow_credentials=C, allow_methods=['PUT'], max_age=60)",
        ),
        (
            added("allow_origins=['*'], allow_credentials=COOKIES, max_age=AGE, allow_private_network=False"),
            "app.add_middleware(CORSMiddleware, allow_origins=['https://app.example.com'], allow_credentials=COOKIES, max_age=AGE)",
        ),
        (
            "CORS_ALLOWED_ORIGINS = env.list('ORIGINS')\nCORS_ALLOW_HEADERS = [*default_headers]",
            "CORS_ALLOWED_ORIGINS = env.list('ORIGINS')\nCORS_ALLOW_HEADERS = [*default_headers]",
        ),
    ],
)
def test_the_line_to_write_has_all_options_of_the_program(lint, source, line):
    assert lint(source)[0]["setups"][0]["asgi_cors"] == line


def test_an_expression_that_grows_is_evaluated_in_a_limited_time(lint):
    doubled = "".join(f"A{n + 1} = A{n} + A{n}\n" for n in range(60))
    (setup,) = lint(f"A0 = ['https://a.test']\n{doubled}X = X + X\n{added('allow_origins=A60 + X')}")[0]["setups"]
    assert setup["complete"] is False


@pytest.mark.parametrize(
    "source",
    [
        "def old():\n    from starlette.middleware.cors import CORSMiddleware\n    return CORSMiddleware(app, allow_origins=['https://a.test'])\ndef new():\n    from asgi_cors import CORSMiddleware\n    return CORSMiddleware(app, paths={})",
        "try:\n    from asgi_cors import CORSMiddleware\nexcept ImportError:\n    from starlette.middleware.cors import CORSMiddleware\napp = CORSMiddleware(app, paths={})",
    ],
    ids=["functions", "fallback"],
)
def test_a_class_of_the_same_name_from_another_module_is_not_checked(lint, source):
    assert [setup["findings"] for file in lint(source) for setup in file["setups"]] in ([], [[]])


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        (b"import os\r\nfrom flask_cors import CORS\r\nCORS(app)\r\n", b"+from asgi_cors_flask import CORS\r\n"),
        (b"\xef\xbb\xbffrom flask_cors import CORS\n", b"+\xef\xbb\xbffrom asgi_cors_flask import CORS\n"),
        (b"x = 1\nfrom flask_cors import CORS", b"\\ No newline at end of file\n+from asgi_cors_flask import CORS\n\\ No newline at end of file\n"),
        ("x = 'é'; from flask_cors import CORS; y = 1\n".encode(), "+x = 'é'; from asgi_cors_flask import CORS; y = 1\n".encode()),
        (b"x = '\x0c \x1c'\nfrom flask_cors import CORS  # noqa\n", b"+from asgi_cors_flask import CORS  # noqa\n"),
        (b"if 1: from starlette.middleware.cors import A, CORSMiddleware\n", b"+if 1: from starlette.middleware.cors import A; from asgi_cors import CORSMiddleware\n"),
    ],
    ids=["crlf", "byte order mark", "no newline", "not ascii", "form feed", "one line"],
)  # fmt: skip
def test_git_applies_the_diff(tmp_path, monkeypatch, source, changed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a "b".py').write_bytes(source)
    monkeypatch.setattr(
        "asgi_cors.cli.lint.command.click.echo", lambda text, **_: Path("diff").write_bytes(text.encode())
    )
    run("lint", ".", "--diff")
    diff = Path("diff").read_bytes()
    assert changed in diff
    assert diff.startswith(b'--- "a/a \\"b\\".py"\n+++ "b/a \\"b\\".py"\n')


def test_the_diff_names_the_lines_that_also_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(
        f"{FLASK}CORS(app, origins=['HTTPS://a.test'])\nCORS(app, origins=load())\nCORS(app)", "utf-8"
    )
    Path("b.py").write_bytes(b"# -*- coding: latin-1 -*-\n# \xe9\nfrom flask_cors import CORS\n")
    ran = run("lint", ".", "--diff")
    assert ran.code == CLEAN
    assert ran.out.count("+from asgi_cors_flask import") == 1
    assert ran.err.splitlines() == [
        "a.py:2 also needs another line: CORS(app, allow_origins=['https://a.test'])",
        "a.py:3 has values that are known at run time only. Start the program to check them.",
        "b.py is not in UTF-8, so its change is not printed. Change its imports by hand.",
    ]


def test_a_pipe_is_reported_and_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    assert "pipe.py is not a regular file." in " ".join(run("lint", str(tmp_path)).out.split())


def test_the_order_of_middlewares_is_reported_once(lint):
    source = "MIDDLEWARE = []\n" + "".join(f"class C{n}:\n    CORS_ALLOW_ALL_ORIGINS = True\n" for n in range(3))
    assert [len(setup["findings"]) for setup in lint(source)[0]["setups"]] == [1, 0, 0]


def test_a_file_name_in_sarif_is_a_uri(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ä b\n#.py").write_text(UNSAFE[0][0], "utf-8")
    (result,) = run("lint", ".", "--sarif").json["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "%C3%A4%20b%0A%23.py"}


def test_an_option_that_only_asgi_cors_has_is_not_said_to_be_a_mistyped_one(lint):
    (file,) = lint(f"{FLASK}CORS(app, origins='https://a.test', csrf_protection=True)")
    (finding,) = file["setups"][0]["findings"]
    assert finding["remedy"] == "Remove it, or use asgi_cors, which has it."
