"""A pytest plugin that runs the tests of django-cors-headers with our middleware, signal and checks in its place."""

import sys
import warnings
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.test.utils import setup_databases, setup_test_environment

from asgi_cors import ConfigError, ConfigWarning

sys.path[:0] = map(str, [Path(__file__).parents[0] / "shim", Path(__file__).parents[1]])

from django_differences import DIFFERENCES  # noqa: E402 - found next to this file
from named import expect_failures  # noqa: E402

INTERNAL = "test_conf.py"  # the tests of a private object that reads the settings
EXPECTED = (AssertionError, AttributeError, ConfigError, KeyError)  # a crash is not a difference


def pytest_configure():
    warnings.simplefilter("ignore", ConfigWarning)
    # Change the two settings of their project that docs/migrating.md says to change.
    theirs = import_module("tests.settings")
    theirs.INSTALLED_APPS = ["asgi_cors_django"]
    theirs.MIDDLEWARE = ["asgi_cors_django.middleware.CORSMiddleware"]
    settings.configure(**{name: value for name, value in vars(theirs).items() if name.isupper()})
    django.setup()
    setup_test_environment()
    setup_databases(verbosity=0, interactive=False)


def pytest_ignore_collect(collection_path):
    return True if collection_path.name == INTERNAL else None


def pytest_collection_modifyitems(items):
    expect_failures(items, DIFFERENCES, raises=EXPECTED)
