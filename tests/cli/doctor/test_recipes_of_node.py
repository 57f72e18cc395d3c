"""The recipes for Node's frameworks work on these frameworks: the doctor finds the request allowed, and no risk."""

import contextlib
import json
import tomllib
from importlib import resources

import pytest

from asgi_cors.cli.doctor.recipes import (
    CREDENTIALS,
    DOCS,
    ERRORS,
    EXPOSE,
    HEADERS,
    METHODS,
    ONCE,
    ORIGIN,
    PREFLIGHT,
    VARY,
    fill,
)
from tests.cli.corpus.raw import PAGE
from tests.cli.corpus.stacks import node
from tests.cli.corpus.stacks.case import COOKIES, ID, PUT
from tests.support.command_line import doctor

pytestmark = pytest.mark.corpus

ALLOWED = 0
TABLE = tomllib.loads(resources.files("asgi_cors.cli.doctor.recipes").joinpath("node.toml").read_text("utf-8"))
RECIPES = {
    f"{software}.{goal}": fill(text, origin=PAGE, methods="PATCH", headers="x-id")
    for software, recipes in TABLE.items()
    for goal, text in recipes.items()
    if goal != DOCS
}
# For each goal, the call that the recipe makes work. The server of `preflight` needs a login, that of `errors` fails.
CALLS = {
    ORIGIN: {},
    PREFLIGHT: PUT,
    ERRORS: {},
    ONCE: {},
    CREDENTIALS: COOKIES,
    METHODS: {"method": "PATCH"},
    HEADERS: ID,
    EXPOSE: {"reads": ["x-id"]},
    VARY: {},
}
PATHS = {"Socket.IO": "/socket.io/?EIO=4&transport=polling"}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Serve every recipe, and the same servers without the recipe below `…_empty`."""
    folder = tmp_path_factory.mktemp("recipes")
    file = folder / "recipes.json"
    file.write_text(json.dumps(RECIPES | {f"{name}_empty": "" for name in RECIPES}), "utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as running:
        patch.setenv("RECIPES", str(file))
        yield running.enter_context(node.start("recipes", folder))


def call(url, name, suffix=""):
    software, _, goal = name.rpartition(".")
    return doctor(CALLS[goal], f"{url}/{name}{suffix}{PATHS.get(software, '/items')}")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_allows_the_request_without_a_risk(url, name):
    ran = call(url, name)
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])


@pytest.mark.parametrize("name", RECIPES)
def test_the_doctor_finds_a_mistake_in_the_same_server_without_the_recipe(url, name):
    ran = call(url, name, "_empty")
    assert ran.json["cause"] or ran.json["risks"]
