"""The doctor tests real stacks as users set them up: nginx, Express, Flask-CORS, Starlette and others."""

import pytest

from tests.cli.corpus.stacks import STACKS
from tests.support.command_line import doctor
from tests.support.remedies import build_every_policy

pytestmark = pytest.mark.corpus

ALLOWED, BLOCKED = 0, 1


def cases(kind):
    """Return the parameters of a test: each case with its stack."""
    return [
        pytest.param(name, case, id=" ".join([name, case.path, *map(str, case.call.values())]))
        for name, stack in STACKS.items()
        for case in getattr(stack, kind)
    ]


@pytest.mark.parametrize(("stack", "case"), cases("broken"))
def test_the_doctor_finds_the_mistake_of_a_broken_stack(url_of, stack, case):
    ran = doctor(case.call, url_of(stack) + case.path)
    found = ran.json["cause"]
    build_every_policy(ran.json)
    assert (found and found["name"], ran.code) == (case.cause, BLOCKED if case.cause else ALLOWED), found
    assert tuple(risk["name"] for risk in ran.json["risks"]) == case.risks


@pytest.mark.parametrize(("stack", "case"), cases("healthy"))
def test_the_doctor_finds_nothing_in_a_healthy_stack(url_of, stack, case):
    ran = doctor(case.call, url_of(stack) + case.path)
    build_every_policy(ran.json)
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])
