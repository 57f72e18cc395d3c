"""The server software that a response reveals, and the recipes for it."""

import httpx
import pytest

from asgi_cors.cli.doctor.evidence import ServerResponse
from asgi_cors.cli.doctor.recipes import DOCS, fill, read_table, recipe
from asgi_cors.cli.doctor.servers import detect_proxy, detect_servers, proxy_headers
from tests.cli.corpus.raw import PAGE


def response_with(**headers: str) -> ServerResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx.Request("GET", "https://api.test/")
    return ServerResponse(request, httpx.Response(502, headers=names, text="bad"))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (response_with(server="nginx/1.25"), ("nginx",)),
        (response_with(server="Apache/2.4"), ("Apache",)),
        (response_with(server="Apache-Coyote/1.1"), ("Tomcat",)),
        (response_with(server="uvicorn", via="1.1 varnish"), ("Varnish", "uvicorn")),
        (response_with(cf_ray="1", x_powered_by="Express"), ("Cloudflare", "Express")),
        (response_with(x_amzn_errortype="X"), ("API Gateway",)),
        (response_with(), ()),
    ],
)
def test_servers_are_recognised_by_their_headers_proxies_first(response, expected):
    assert detect_servers(response) == expected


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"server": "Werkzeug/3.1"}, "<title>404 Not Found</title>", ("Flask",)),
        (
            {"server": "Werkzeug/3.1"},
            "<h1>Not Found</h1><p>The requested resource was not found on this server.</p>",
            ("Django",),
        ),
        ({"server": "WSGIServer/0.2 CPython/3.11"}, '{"title": "404 Not Found"}', ("Falcon",)),
        ({"server": "WSGIServer/0.2 CPython/3.11"}, "", ("Python",)),
        ({"server": "uvicorn"}, '{"status_code":404,"detail":"Not Found"}', ("uvicorn", "Litestar")),
        ({"x-powered-by": "Express"}, "<pre>Cannot GET /x</pre>", ("Express",)),
        ({"x-powered-by": "Express"}, '{"statusCode":500,"message":"Internal server error"}', ("NestJS",)),
        ({"x-powered-by": "Express"}, '{"message":"Cannot GET /x","error":"Not Found","statusCode":404}', ("NestJS",)),
        ({}, '{"message":"Route GET:/x not found","error":"Not Found","statusCode":404}', ("Fastify",)),
        ({}, '{"statusCode":404,"error":"Not Found","message":"Not Found"}', ("hapi",)),
        ({}, "404 Not Found", ("Hono",)),
        ({}, "\u26a0\ufe0f 404 \u2014 Not Found\n====", ("Sanic",)),
        ({"server": "TornadoServer/6.6.1"}, "", ("Tornado",)),
        ({"server": "Python/3.11 aiohttp/3.14"}, "404: Not Found", ("aiohttp",)),
        ({"cors-error": "The origin of the request is not enabled by CORS rules."}, "", ("BlackSheep",)),
        ({"via": "1.1 Caddy", "server": "gunicorn"}, "", ("Caddy", "gunicorn")),
        ({"x-served-by": "cache-fra-eddf8230042-FRA"}, "", ("Fastly",)),
        ({"server": "AkamaiGHost"}, "", ("Akamai",)),
        ({}, "a page about nginx, Express and CORS", ()),
    ],
)
def test_frameworks_are_recognised_by_the_form_of_their_errors(headers, body, expected):
    request = httpx.Request("GET", "https://api.test/")
    assert detect_servers(ServerResponse(request, httpx.Response(404, headers=headers, text=body))) == expected


def test_an_unknown_proxy_is_recognised_by_via():
    assert detect_proxy(response_with(via="1.1 squid")) == "a proxy (Via: 1.1 squid)"
    assert detect_proxy(response_with()) == ""
    assert proxy_headers(response_with(via="1.1 squid", server="x")) == " (server: x, via: 1.1 squid)"


RECIPES = [
    pytest.param(text, id=f"{software} {goal}")
    for software, recipes in read_table().items()
    for goal, text in recipes.items()
    if goal != DOCS
]


@pytest.mark.parametrize("text", RECIPES)
def test_a_recipe_has_all_values_filled_in(text):
    line = fill(text, origin=PAGE, methods="PUT, DELETE", headers="x-id")
    assert not any(name in line for name in ("{origin", "{methods", "{headers", "methods'}", 'methods"}'))


@pytest.mark.parametrize("software", list(read_table()))
def test_every_software_has_a_link_to_its_documentation(software):
    assert read_table()[software][DOCS].startswith("https://")


def test_names_are_quoted_as_the_recipe_writes_them():
    assert fill("""{methods} | {'methods'} | {"headers"}""", methods="PUT, DELETE", headers="x-id") == (
        """PUT, DELETE | 'PUT', 'DELETE' | "x-id\""""
    )


def test_the_recipe_is_for_the_app_behind_a_detect_proxy():
    line = recipe("origin", response_with(server="cloudflare", x_powered_by="Express"), origin=PAGE)
    assert (line.software, line.docs) == ("Express", "https://github.com/expressjs/cors")
    assert f"origin: ['{PAGE}']" in line.lines
    assert recipe("origin", None).lines == ""
