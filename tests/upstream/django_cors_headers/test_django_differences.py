"""If ours differs from django-cors-headers 4.9.0, a page can read the same responses, or as the guide says."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.extend(map(str, [Path(__file__).parent, Path(__file__).parents[1]]))

from django_differences import DIFFERENCES, INVISIBLE, Made, configure
from named import check_proofs, check_row, check_verdicts

configure()

from asgi_cors_django import check_request_enabled  # noqa: E402 - once Django is configured

EACH = pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.row)


@pytest.fixture(scope="module")
def original():
    """django-cors-headers itself, from its sdist."""
    sys.path.append(str(Path(os.environ["DJANGO_CORS_HEADERS_SOURCE"]) / "src"))
    signals = import_module("corsheaders.signals")
    return Made("corsheaders.middleware.CorsMiddleware", signals.check_request_enabled)


@pytest.fixture(scope="module")
def ours():
    return Made("asgi_cors_django.middleware.CORSMiddleware", check_request_enabled)


@EACH
def test_the_verdict_is_the_same_or_as_the_guide_says(difference, original, ours):
    check_verdicts(difference, original, ours)


@EACH
def test_the_guide_has_a_row_for_it(difference):
    check_row(difference, "django-cors-headers")


def test_each_row_of_the_guide_has_a_proof():
    check_proofs("django-cors-headers", DIFFERENCES, INVISIBLE)
