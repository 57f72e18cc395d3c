"""`install(app, in_openapi=True)`: the policy of each operation in FastAPI's document."""

import json
import re

import pytest

pytest.importorskip("fastapi")
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse

from asgi_cors import Policy
from asgi_cors_starlette import cors_exempt, cross_origin, install

from .serving import send

PAGE = "https://app.example.com"
OTHER = "https://other.example.com"


def make_app(**keywords):
    """Return an app with operations of each kind of policy."""
    app = FastAPI()
    install(app, allow_origins=PAGE, **keywords)
    router = APIRouter()

    @router.get("/items")
    def read(): ...

    @router.post("/items")
    @cross_origin(allow_origins=[OTHER, "https://*.example.org"], allow_credentials=True, max_age=60)
    def write(): ...

    @app.get("/exempt")
    @cors_exempt
    def exempt(): ...

    @app.get("/plain")
    def plain(): ...

    app.include_router(cross_origin(allow_origins="*")(router), prefix="/v1")
    return app


def policies_of(app):
    """Return `x-cors` of each operation that has it."""
    paths = app.openapi().get("paths", {})
    items = {f"{method} {path}": item[method] for path, item in paths.items() for method in item}
    return {name: item["x-cors"] for name, item in items.items() if "x-cors" in item}


def test_each_operation_has_the_policy_that_serves_it():
    assert policies_of(make_app(in_openapi=True)) == {
        "get /v1/items": {"allow_origins": "*"},
        "post /v1/items": {
            "allow_origins": [OTHER, "https://*.example.org"],
            "allow_credentials": True,
            "max_age": 60,
        },
        "get /exempt": None,
        "get /plain": {"allow_origins": [PAGE]},
    }


def test_the_document_has_no_policies_by_default():
    assert policies_of(make_app()) == {}


def test_the_policies_are_served_and_nothing_else_changes():
    app, plain = make_app(in_openapi=True), make_app()
    document = send(app, "GET", "/openapi.json").json()
    for item in document["paths"].values():
        for operation in item.values():
            del operation["x-cors"]
    assert json.dumps(document) == json.dumps(plain.openapi())


def test_the_document_follows_the_policy_in_force():
    app = make_app(in_openapi=True)
    assert policies_of(app)["get /plain"] == {"allow_origins": [PAGE]}
    app.state.asgi_cors.reconfigure(allow_origins=OTHER)
    assert policies_of(app)["get /plain"] == {"allow_origins": [OTHER]}


def test_a_policy_that_depends_on_the_request_is_left_out():
    app = make_app(in_openapi=True, paths={"/plain": {"max_age": 1}})
    assert "get /plain" not in policies_of(app)
    assert policies_of(app)["get /exempt"] is None


def test_functions_are_left_out_and_regular_expressions_are_text():
    app = FastAPI()
    install(app, allow_origins=PAGE, in_openapi=True)
    entries = [OTHER, re.compile(r"https://\w+\.example\.net", re.ASCII), lambda origin: False]
    app.get("/")(cross_origin(Policy(allow_origins=entries, max_age=5))(lambda: "read"))
    (policy,) = policies_of(app).values()
    assert policy == {"allow_origins": [OTHER, r"https://\w+\.example\.net"], "max_age": 5}
    assert json.dumps(policy)


def test_routes_that_are_not_in_the_document_have_no_policy_in_it():
    app = FastAPI(openapi_url="/schema.json")
    install(app, allow_origins=PAGE, in_openapi=True)
    app.get("/hidden", include_in_schema=False)(lambda: "hidden")
    app.add_route("/starlette", lambda request: PlainTextResponse("plain"))
    assert app.openapi()["paths"] == {}


def test_the_first_of_two_routes_at_one_path_is_described():
    app = FastAPI()
    install(app, allow_origins=PAGE, in_openapi=True)
    app.get("/items", name="first")(cross_origin(allow_origins=OTHER)(lambda: "first"))
    app.get("/items", name="second")(lambda: "second")
    assert policies_of(app) == {"get /items": {"allow_origins": [OTHER]}}


def test_a_function_that_the_app_has_for_its_document_is_called():
    app = FastAPI()
    app.get("/items")(lambda: "items")
    build = app.openapi
    app.openapi = lambda: {**build(), "x-own": 1}
    install(app, allow_origins=PAGE, in_openapi=True)
    assert app.openapi()["x-own"] == 1
    assert policies_of(app) == {"get /items": {"allow_origins": [PAGE]}}
