"""`asgi-cors lint` in Django projects: the settings to write, and the names that change."""
# ruff: noqa: E501 - a source is one line of a table

import re
from pathlib import Path
from typing import Any

import pytest

from asgi_cors import ConfigWarning, Policy
from tests.support.command_line import run

THEIRS, OURS = "corsheaders.middleware.CorsMiddleware", "asgi_cors_django.middleware.CORSMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def setups_in(source: str) -> list[Any]:
    Path("settings.py").write_text(source, "utf-8")
    return [setup for file in run("lint", "settings.py", "--json").json["files"] for setup in file["setups"]]


def findings_in(source: str) -> list[str]:
    return [finding["name"] for setup in setups_in(source) for finding in setup["findings"]]


def added_lines(source: str) -> list[str]:
    Path("settings.py").write_text(source, "utf-8")
    lines = run("lint", "settings.py", "--diff").out.splitlines()
    return [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("CORS_ALLOWED_ORIGINS = ['https://a.test/']", "CORS_ALLOWED_ORIGINS = ['https://a.test']"),
        ("CORS_ORIGIN_WHITELIST = ['HTTPS://A.test']", "CORS_ALLOWED_ORIGINS = ['https://a.test']"),
        ("CORS_ALLOWED_ORIGINS = ['https://*.a.test']", "CORS_ALLOW_ORIGINS = ['https://*.a.test']"),
        (
            r"CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\w+\.a\.test$']",
            r"CORS_ALLOW_ORIGINS = [re.compile('^https://\\w+\\.a\\.test$')]",
        ),
        ("CORS_ORIGIN_ALLOW_ALL = True", "CORS_ALLOW_ALL_ORIGINS = True"),
        (
            "CORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True",
            "CORS_ALLOWED_ORIGINS = ['https://app.example.com']\nCORS_ALLOW_CREDENTIALS = True",
        ),
        (
            "CORS_ALLOWED_ORIGINS = load()\nCORS_ALLOWED_ORIGIN_REGEXES = PATTERNS\nCORS_ALLOW_CREDENTIALS = True",
            "CORS_ALLOWED_ORIGINS = load()\nCORS_ALLOWED_ORIGIN_REGEXES = PATTERNS\nCORS_ALLOW_CREDENTIALS = True",
        ),
        (
            "CORS_ALLOWED_ORIGINS = ['https://a.test']\nCORS_URLS_REGEX = r'^/api/.*$'\nCORS_PREFLIGHT_MAX_AGE = 60",
            "CORS_ALLOWED_ORIGINS = ['https://a.test']\nCORS_PREFLIGHT_MAX_AGE = 60\nCORS_URLS_REGEX = '^/api/.*$'",
        ),
    ],
)
def test_the_settings_to_write_have_the_names_of_django_cors_headers_if_it_has_them(source, settings):
    (setup,) = setups_in(source)
    assert setup["asgi_cors"] == settings


@pytest.mark.parametrize(
    "source",
    [
        "CORS_ORIGIN_ALLOW_ALL = True\nCORS_ALLOW_CREDENTIALS = True",
        r"CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\w+\.example\.com']",
        "CORS_ORIGIN_WHITELIST = ('app.example.com:8000', 'https://b.test')",
    ],
)
@pytest.mark.filterwarnings(f"ignore::{ConfigWarning.__module__}.{ConfigWarning.__name__}")
def test_a_policy_accepts_the_settings_to_write(source):
    (setup,) = setups_in(source)
    settings: dict[str, Any] = {}
    exec(setup["asgi_cors"], {"re": re}, settings)  # noqa: S102 - our own lines
    names = {"CORS_ALLOWED_ORIGINS": "allow_origins"}
    assert Policy(**{names.get(name, name.removeprefix("CORS_").lower()): value for name, value in settings.items()})


def test_a_long_list_has_an_entry_on_each_line():
    origins = [f"https://{letter * 30}.example.com" for letter in "ab"]
    setups_in(f"CORS_ALLOWED_ORIGINS = {[*origins, 'https://c.test/']}")
    out = run("lint", "settings.py").out
    entries = "".join(f"        {origin!r},\n" for origin in [*origins, "https://c.test"])
    assert f"    CORS_ALLOWED_ORIGINS = [\n{entries}    ]\n" in out


def test_a_long_expression_stays_on_one_line():
    expression = f"load('{'x' * 90}') + [1]"
    setups_in(f"CORS_ALLOWED_ORIGINS = {expression}\nCORS_PREFLIGHT_MAX_AGE = 5\nMIDDLEWARE = ['a']")
    assert (
        f"    CORS_ALLOWED_ORIGINS = {expression}\n    CORS_PREFLIGHT_MAX_AGE = 5\n" in run("lint", "settings.py").out
    )


def test_both_middlewares_at_once_are_a_mistake():
    assert findings_in(f"MIDDLEWARE = ['{OURS}', '{THEIRS}']\nCORS_ALLOW_ALL_ORIGINS = True") == ["middleware-twice"]


def test_settings_that_our_middleware_reads_are_not_checked():
    assert setups_in(f"MIDDLEWARE = ['{COMMON}', '{OURS}']\nCORS_ALLOWED_ORIGINS = ['https://a.test/']") == []


def test_our_middleware_counts_for_all_files_of_a_project(folder):
    (folder / "base.py").write_text(f"MIDDLEWARE = ['{OURS}']")
    (folder / "prod.py").write_text("from .base import *\nCORS_ALLOWED_ORIGINS = ['https://a.test/']")
    assert run("lint", ".", "--json").json["files"] == []
    (folder / "old.py").write_text(f"MIDDLEWARE = ['{THEIRS}']")
    assert [Path(file["path"]).name for file in run("lint", ".", "--json").json["files"]] == ["old.py", "prod.py"]


def test_the_diff_changes_the_names_of_the_app_and_of_the_middleware():
    source = (
        "# corsheaders\n"
        'INSTALLED_APPS = ["django.contrib.admin", "corsheaders"]\n'
        f"MIDDLEWARE = [\n    '{THEIRS}',\n    '{COMMON}',\n]\n"
        'LOGGERS = {"corsheaders": {}}\nCORS_NAME = "corsheaders"\n'
    )
    assert added_lines(source) == ['INSTALLED_APPS = ["django.contrib.admin", "asgi_cors_django"]', f"    '{OURS}',"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from corsheaders.signals import check_request_enabled", "from asgi_cors_django.signals import check_request_enabled"),
        ("from corsheaders.defaults import default_headers as names", "from asgi_cors_django.defaults import default_headers as names"),
        ("APPS = ('corsheaders.apps.CorsHeadersAppConfig',)", "APPS = ('asgi_cors_django',)"),
        (f"x = 'é', '{THEIRS}'", f"x = 'é', '{OURS}'"),
    ],
)  # fmt: skip
def test_the_diff_changes_the_modules_that_we_have_too(before, after):
    assert added_lines(f"{before}\n") == [after]


@pytest.mark.parametrize(
    "source",
    [
        "from corsheaders.middleware import CorsMiddleware\nclass Own(CorsMiddleware): ...\n",
        "MIDDLEWARE = ['corsheaders.middleware' '.CorsMiddleware']\n",
    ],
    ids=["a subclass", "a text in two parts"],
)
def test_other_names_do_not_change(source):
    assert added_lines(source) == []


def test_the_diff_names_the_settings_that_also_change():
    Path("settings.py").write_text(f"MIDDLEWARE = ['{THEIRS}']\nCORS_ALLOWED_ORIGINS = ['https://a.test/']\n", "utf-8")
    assert run("lint", "settings.py", "--diff").err.splitlines() == [
        "settings.py:2 also needs another line: CORS_ALLOWED_ORIGINS = ['https://a.test']"
    ]
    with Path("settings.py").open("a", encoding="utf-8") as file:
        file.write("CORS_ALLOW_CREDENTIALS = True\n")
    assert run("lint", "settings.py", "--diff").err.splitlines() == [
        "settings.py:2 also needs other lines: CORS_ALLOWED_ORIGINS = ['https://a.test']",
        "CORS_ALLOW_CREDENTIALS = True",
    ]
