"""If ours differs from Starlette's CORSMiddleware, a page can read the same responses or fewer, except in four rows."""

import sys
from pathlib import Path

import pytest
from starlette.middleware.cors import CORSMiddleware as Original

from asgi_cors import CORSMiddleware

sys.path.extend(map(str, Path(__file__).parents[:2]))

from named import check_proofs, check_row, check_verdicts
from starlette_differences import DIFFERENCES, INVISIBLE

EACH = pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.row)


@EACH
def test_the_verdict_is_the_same_or_as_the_guide_says(difference):
    check_verdicts(difference, Original, CORSMiddleware)


@EACH
def test_the_guide_has_a_row_for_it(difference):
    check_row(difference, "Starlette and FastAPI")


def test_each_row_of_the_guide_has_a_proof():
    check_proofs("Starlette and FastAPI", DIFFERENCES, INVISIBLE)
