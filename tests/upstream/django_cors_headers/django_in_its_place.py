"""A pytest plugin that runs the tests of django-cors-headers with our middleware, signal and checks in its place."""

import os
import sys
import warnings
from pathlib import Path

import django
from django.test.utils import setup_test_environment

from asgi_cors import ConfigWarning

sys.path.extend(map(str, [Path(__file__).parents[0] / "shim", Path(__file__).parents[1]]))

from django_differences import DIFFERENCES
from named import expect_failures

INTERNAL = "test_conf"  # the tests of a private object that reads the settings


def pytest_configure():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    warnings.simplefilter("ignore", ConfigWarning)
    django.setup()
    setup_test_environment()


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if item.path.stem == INTERNAL]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    expect_failures(items, DIFFERENCES)
