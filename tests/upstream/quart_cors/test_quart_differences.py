"""If ours differs from Quart-CORS 0.8.0, a page can read the same responses, or fewer."""

import os
import sys
from pathlib import Path

import pytest

import asgi_cors_quart

sys.path.extend(map(str, Path(__file__).parents[:2]))

from named import check_row, check_verdicts, load
from quart_differences import DIFFERENCES

pytestmark = pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.row)


@pytest.fixture(scope="module")
def original():
    """Quart-CORS itself, from its sdist."""
    return load(Path(os.environ["QUART_CORS_SOURCE"]) / "src" / "quart_cors", "original_quart_cors")


def test_the_verdict_is_the_same_or_safer(difference, original):
    check_verdicts(difference, original, asgi_cors_quart)


def test_the_guide_has_a_row_for_it(difference):
    check_row(difference, "Quart-CORS")
