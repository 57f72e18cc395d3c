"""If ours differs from django-cors-headers 4.9.0, a page can read the same responses, or fewer."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.extend(map(str, [Path(__file__).parent, Path(__file__).parents[1]]))

from django_differences import DIFFERENCES, Made, configure
from named import check_row, check_verdicts

configure()

from asgi_cors_django import check_request_enabled

pytestmark = pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.row)


@pytest.fixture(scope="module")
def original():
    """django-cors-headers itself, from its sdist."""
    sys.path.append(str(Path(os.environ["DJANGO_CORS_HEADERS_SOURCE"]) / "src"))
    signals = import_module("corsheaders.signals")
    return Made("corsheaders.middleware.CorsMiddleware", signals.check_request_enabled)


@pytest.fixture(scope="module")
def ours():
    return Made("asgi_cors_django.middleware.CORSMiddleware", check_request_enabled)


def test_the_verdict_is_the_same_or_safer(difference, original, ours):
    check_verdicts(difference, original, ours)


def test_the_guide_has_a_row_for_it(difference):
    check_row(difference, "django-cors-headers")
