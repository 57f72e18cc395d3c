"""Small apps with a place for the lines of a recipe, to try the recipes on the real frameworks.

In a template, NAME is the goal. The line "# recipe" is replaced by the lines, with its indentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

EACH = """
import sys
import types
APPS = {}
for goal, text in TEXTS.items():
    module = sys.modules["myapp"] = types.ModuleType("myapp")
    module.NAME = goal
    exec(compile(text, goal, "exec"), vars(module))
    APPS[goal] = module.app
"""
AIOHTTP = f"""{EACH}
from aiohttp import web
app = web.Application()
for goal, inner in APPS.items():
    app.add_subapp(f"/{{goal}}", inner)
"""
TORNADO = f"""{EACH}
from tornado.routing import PathMatches, Rule, RuleRouter
app = RuleRouter([Rule(PathMatches(f"/{{goal}}/.*"), inner) for goal, inner in APPS.items()])
"""
DJANGO = """
import sys
import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse
from django.test.utils import override_settings
from django.urls import path

settings.configure(ROOT_URLCONF="served", ALLOWED_HOSTS=["*"], SECRET_KEY="corpus", LOGGING_CONFIG=None)
django.setup()

def login(get_response):
    return lambda request: get_response(request) if request.COOKIES else HttpResponse(status=401)

def items(request):
    return JsonResponse({"name": "Ann"}, headers={"X-Total": "1"})

def crash(request):
    return JsonResponse({"name": {}["Ann"]})

urlpatterns = [path("items", items), path("crash", crash)]

def build(goal, text):
    names = {"NAME": goal}
    exec(compile(text, goal, "exec"), names)
    changed = {name: value for name, value in names.items() if name.isupper()}
    with override_settings(**changed):
        handler = WSGIHandler()
    def app(environ, start_response):
        with override_settings(**changed):
            return handler(environ, start_response)
    return app

APPS = {goal: build(goal, text) for goal, text in TEXTS.items()}
"""


@dataclass(frozen=True)
class Template:
    """An app with a place for a recipe.

    Args:
        server: The server, as `serve.py` names it.
        packages: The import names of the packages that it needs.
        text: The app.
        before: For a goal, the goals whose recipes are in the app as well, in front of its own; for all others, at "".
        build: The program that builds the apps.
    """

    server: str
    packages: tuple[str, ...]
    text: str
    before: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    build: str = EACH


STARLETTE_GUARD = """
if NAME == "preflight":
    @app.middleware("http")
    async def check_login(request, call_next):
        if "session" in request.cookies:
            return await call_next(request)
        return JSONResponse({"detail": "sign in"}, status_code=401)
"""
TEMPLATES = {
    "Flask": Template(
        "werkzeug",
        ("flask", "flask_cors"),
        """
from flask import Flask, abort, request
from flask_cors import CORS

app = Flask("recipe")
# recipe

if NAME == "preflight":
    @app.before_request
    def check_login():
        if "session" not in request.cookies:
            abort(401)

@app.route("/items", methods=["GET", "PUT"])
def items():
    return {"name": "Ann"}, {"X-Total": "1"}

@app.get("/crash")
def crash():
    return {"name": {}["Ann"]}
""",
        before={"": ("vary",), "vary": ("origin",), "once": ()},
    ),
    "Django": Template(
        "wsgiref",
        ("django", "corsheaders"),
        """
INSTALLED_APPS = []
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
if NAME == "preflight":
    MIDDLEWARE.append("served.login")
if NAME in {"preflight", "errors"}:
    INSTALLED_APPS = ["corsheaders"]
    CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
# recipe
""",
        before={"": ("origin",), "origin": (), "preflight": (), "errors": ()},
        build=DJANGO,
    ),
    "FastAPI": Template(
        "uvicorn",
        ("fastapi", "uvicorn"),
        f"""
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

app = FastAPI()

@app.api_route("/items", methods=["GET", "PUT"])
async def items():
    return JSONResponse({{"name": "Ann"}}, headers={{"X-Total": "1"}})

@app.get("/crash")
async def crash():
    return {{"name": {{}}["Ann"]}}
{STARLETTE_GUARD}
# recipe
""",
        before={"vary": ("origin",)},
    ),
    "Starlette": Template(
        "uvicorn",
        ("starlette", "uvicorn"),
        """
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

async def items(request):
    return JSONResponse({"name": "Ann"}, headers={"X-Total": "1"})

async def crash(request):
    return JSONResponse({"name": {}["Ann"]})

async def check_login(request, call_next):
    return JSONResponse({"detail": "sign in"}, status_code=401)

app = Starlette(routes=[Route("/items", items, methods=["GET", "PUT"]), Route("/crash", crash)])
if NAME == "preflight":
    app.add_middleware(BaseHTTPMiddleware, dispatch=check_login)
# recipe
""",
    ),
    "Quart": Template(
        "hypercorn",
        ("quart", "quart_cors", "hypercorn"),
        """
from quart import Quart, abort, request
from quart_cors import cors

app = Quart("recipe")
# recipe

if NAME == "preflight":
    @app.before_request
    async def check_login():
        if "session" not in request.cookies:
            abort(401)

@app.route("/items", methods=["GET", "PUT"])
async def items():
    return {"name": "Ann"}, {"X-Total": "1"}

@app.get("/crash")
async def crash():
    return {"name": {}["Ann"]}
""",
        before={"vary": ("origin",)},
    ),
    "aiohttp": Template(
        "aiohttp",
        ("aiohttp", "aiohttp_cors"),
        """
import aiohttp_cors
from aiohttp import web

async def items(request):
    return web.json_response({"name": "Ann"}, headers={"X-Total": "1"})

async def crash(request):
    return web.json_response({"name": {}["Ann"]})

@web.middleware
async def check_login(request, handler):
    if NAME == "preflight" and "session" not in request.cookies:
        raise web.HTTPUnauthorized
    return await handler(request)

app = web.Application(middlewares=[check_login])
app.router.add_get("/items", items)
app.router.add_put("/items", items)
app.router.add_get("/crash", crash)
# recipe
""",
        before={"": ("vary",), "vary": ("origin",), "preflight": ("vary", "origin"), "errors": (), "once": ()},
        build=AIOHTTP,
    ),
    "Sanic": Template(
        "sanic",
        ("sanic", "sanic_ext", "uvicorn"),
        """
from sanic import Sanic, empty, json
from sanic.exceptions import Unauthorized
from sanic_ext import Extend

app = Sanic(NAME, configure_logging=False)
app.config.AUTO_EXTEND = False
app.config.TOUCHUP = False
# recipe
if NAME != "once":
    Extend(app)

if NAME == "preflight":
    @app.on_request
    async def check_login(request):
        raise Unauthorized("sign in")

@app.route("/items", methods=["GET", "PUT"])
async def items(request):
    return json({"name": "Ann"}, headers={"X-Total": "1"})

@app.get("/crash")
async def crash(request):
    return json({"name": {}["Ann"]})
""",
        before={"vary": ("origin",)},
    ),
    "Tornado": Template(
        "tornado",
        ("tornado",),
        """
from tornado.web import Application, RequestHandler

class Base(RequestHandler):
    # recipe

class Items(Base):
    def get(self):
        self.set_header("X-Total", "1")
        self.write({"name": "Ann"})

    put = get

class Crash(Base):
    def get(self):
        self.write({"name": {}["Ann"]})

app = Application([(f"/{NAME}/items", Items), (f"/{NAME}/crash", Crash)])
""",
        build=TORNADO,
    ),
    "Falcon": Template(
        "wsgiref",
        ("falcon",),
        """
import falcon

class Login:
    def process_request(self, req, resp):
        if "session" not in req.cookies:
            raise falcon.HTTPUnauthorized

class Items:
    def on_get(self, req, resp):
        resp.media = {"name": "Ann"}
        resp.set_header("X-Total", "1")

    on_put = on_get

class Crash:
    def on_get(self, req, resp):
        resp.media = {"name": {}["Ann"]}

app = falcon.App()
# recipe
if NAME == "preflight":
    app.add_middleware(Login())
app.add_route("/items", Items())
app.add_route("/crash", Crash())
""",
        before={"": ("vary",), "vary": ("origin",)},
    ),
    "Litestar": Template(
        "uvicorn",
        ("litestar", "uvicorn"),
        """
from litestar import Litestar, Response, get, route
from litestar.config.cors import CORSConfig
from litestar.datastructures import ResponseHeader
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractMiddleware

class Login(AbstractMiddleware):
    async def __call__(self, scope, receive, send):
        raise NotAuthorizedException

@route("/items", http_method=["GET", "PUT"], status_code=200)
async def items() -> Response[dict[str, str]]:
    return Response({"name": "Ann"}, headers={"X-Total": "1"})

@get("/crash")
async def crash() -> dict[str, str]:
    return {"name": {}["Ann"]}

response_headers = []
# recipe
middleware = [Login] if NAME == "preflight" else []
app = Litestar(
    [items, crash],
    cors_config=cors_config,
    response_headers=response_headers,
    middleware=middleware,
    openapi_config=None,
)
""",
        before={"": ("vary",), "vary": ("origin",)},
    ),
    "BlackSheep": Template(
        "uvicorn",
        ("blacksheep", "uvicorn"),
        """
from blacksheep import Application, Response, Router, json

app = Application(router=Router())
# recipe

if NAME == "preflight":
    async def check_login(request, handler):
        return Response(401)

    app.middlewares.append(check_login)

async def items(request):
    response = json({"name": "Ann"})
    response.add_header(b"X-Total", b"1")
    return response

app.router.add_get("/items", items)
app.router.add_put("/items", items)
""",
        before={"": ("vary",), "vary": ("origin",)},
    ),
    "Bottle": Template(
        "wsgiref",
        ("bottle",),
        """
from bottle import Bottle, HTTPResponse, abort, request, response

app = Bottle()
# recipe

if NAME == "preflight":
    @app.hook("before_request")
    def check_login():
        if not request.get_cookie("session"):
            abort(401)

@app.route("/items", ["GET", "PUT"])
def items():
    response.headers["X-Total"] = "1"
    return {"name": "Ann"}

@app.get("/crash")
def crash():
    return {"name": {}["Ann"]}
""",
        before={"preflight": ("origin",), "methods": ("origin",), "headers": ("origin",)},
    ),
    "Pyramid": Template(
        "waitress",
        ("pyramid", "waitress"),
        """
from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.response import Response

def items(request):
    request.response.headers["X-Total"] = "1"
    return {"name": "Ann"}

def crash(request):
    return {"name": {}["Ann"]}

def login_tween(handler, registry):
    return lambda request: handler(request) if request.cookies else Response(status=401)

config = Configurator()
for view in (items, crash):
    config.add_route(view.__name__, f"/{view.__name__}")
    config.add_view(view, route_name=view.__name__, renderer="json", request_method=("GET", "PUT"))
if NAME == "preflight":
    config.add_tween("myapp.login_tween")
# recipe
app = config.make_wsgi_app()
""",
    ),
}
