"""A pytest plugin that runs the tests of django-cors-headers with our middleware, signal and checks in its place."""

import os
import sys
import warnings
from pathlib import Path

import django
from django.test.utils import setup_test_environment

from asgi_cors import ConfigWarning

sys.path[:0] = map(str, [Path(__file__).parents[0] / "shim", Path(__file__).parents[1]])

from django_differences import DIFFERENCES  # noqa: E402 - found next to this file
from named import expect_failures  # noqa: E402

INTERNAL = "test_conf.py"  # the tests of a private object that reads the settings


def pytest_configure():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    warnings.simplefilter("ignore", ConfigWarning)
    django.setup()
    setup_test_environment()


def pytest_ignore_collect(collection_path):
    return True if collection_path.name == INTERNAL else None


def pytest_collection_modifyitems(items):
    expect_failures(items, DIFFERENCES)
