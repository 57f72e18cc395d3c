"""Recognise the software that sent a response by its headers and its body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .evidence import ServerResponse

# A part of Server, X-Powered-By, X-AspNet-Version or Via, in lower case -> the software.
_PRODUCTS: Final = {
    "nginx": "nginx",
    "openresty": "nginx",
    "tengine": "nginx",
    "apache-coyote": "Tomcat",
    "apache": "Apache",
    "cloudflare": "Cloudflare",
    "cloudfront": "CloudFront",
    "awselb": "AWS load balancer",
    "amazons3": "S3",
    "minio": "MinIO",
    "envoy": "Envoy",
    "varnish": "Varnish",
    "caddy": "Caddy",
    "traefik": "Traefik",
    "haproxy": "HAProxy",
    "kong/": "Kong",
    "akamaighost": "Akamai",
    "akamainetstorage": "Akamai",
    "lighttpd": "lighttpd",
    "litespeed": "LiteSpeed",
    "openlitespeed": "LiteSpeed",
    "microsoft-azure-application-gateway": "Azure Application Gateway",
    "microsoft-iis": "IIS",
    "microsoft-httpapi": "IIS",
    "asp.net": "ASP.NET",
    "kestrel": "ASP.NET",
    "express": "Express",
    "next.js": "Next.js",
    "werkzeug": "Werkzeug",
    "uvicorn": "uvicorn",
    "hypercorn": "Hypercorn",
    "granian": "Granian",
    "gunicorn": "gunicorn",
    "waitress": "waitress",
    "daphne": "daphne",
    "cheroot": "CherryPy",
    "cherrypy": "CherryPy",
    "tornadoserver": "Tornado",
    "aiohttp": "aiohttp",
    "wsgiserver": "Python",
    "php": "PHP",
    "phusion passenger": "Passenger",
    "jetty": "Jetty",
    "undertow": "Undertow",
    "vercel": "Vercel",
    "netlify": "Netlify",
    "fly/": "Fly.io",
    "google frontend": "Google Frontend",
    "gws": "Google Frontend",
    "sucuri": "Sucuri",
    "bunnycdn": "bunny.net",
    "deno/": "Deno",
}
# A header that only one product sends -> the software.
_HEADERS: Final = {
    "cf-ray": "Cloudflare",
    "x-amz-cf-id": "CloudFront",
    "x-amzn-errortype": "API Gateway",
    "x-amz-apigw-id": "API Gateway",
    "apigw-requestid": "API Gateway",
    "x-amz-bucket-region": "S3",
    "x-vercel-id": "Vercel",
    "x-nf-request-id": "Netlify",
    "x-azure-ref": "Azure Front Door",
    "x-varnish": "Varnish",
    "x-fastly-request-id": "Fastly",
    "fastly-restarts": "Fastly",
    "x-envoy-upstream-service-time": "Envoy",
    "x-kong-response-latency": "Kong",
    "x-kong-proxy-latency": "Kong",
    "x-kong-upstream-latency": "Kong",
    "x-iinfo": "Imperva",
    "x-sucuri-id": "Sucuri",
    "x-akamai-transformed": "Akamai",
    "akamai-grn": "Akamai",
    "x-github-request-id": "GitHub Pages",
    "cors-error": "BlackSheep",
    "x-drupal-cache": "PHP",
    "x-aspnetmvc-version": "ASP.NET",
}
# The beginning of X-Served-By of Fastly: the name of a cache, such as cache-fra-eddf8230042-FRA.
_FASTLY_CACHE: Final = re.compile(r"^cache-[a-z]{3}", re.IGNORECASE)
# A regular expression that only bodies of one product match -> the software.
_TEXTS: Final = {
    r"<center>(?:nginx|openresty)": "nginx",
    r"<address>Apache": "Apache",
    r"<h1>50[234] [A-Z][\w ]+</h1>\n(?:No server is available|The server didn't respond)": "HAProxy",
    r"<h1>4\d\d [A-Z][\w ]+</h1>\n(?:Request forbidden by administrative|Your browser sent an invalid)": "HAProxy",
    r"Varnish cache server": "Varnish",
    r"Disallowed CORS (?:origin|method|headers)": "Starlette",
    r"Disallowed CORS Origin": "Litestar",
    r'^\{"status_code":\d{3},"detail":': "Litestar",
    r"^Invalid CORS request": "Spring",
    r'^\{"timestamp":"?[^,]+,"status":\d{3},"error":': "Spring",
    r"Whitelabel Error Page": "Spring",
    r"<pre>Cannot [A-Z]+ /|<title>Error</title>\s*</head>\s*<body>\s*<pre>": "Express",
    r"<title>[^<]* // Werkzeug Debugger": "Flask",
    r"You're seeing this error because you have <code>DEBUG = True|djdt|csrfmiddlewaretoken": "Django",
    r"<h1>Not Found</h1><p>The requested resource was not found on this server\.</p>": "Django",
    r"^\{\"title\": \"\d{3} [A-Z]": "Falcon",
    r"^⚠️ \d{3} — ": "Sanic",
    r"^\d{3}: [A-Z][\w ]+$|Server got itself in trouble": "aiohttp",
    r"^CORS preflight request failed: ": "aiohttp",
    r"<html><title>\d{3}: [\w ]+</title><body>\d{3}: ": "Tornado",
    r'^\{"message":"Route [A-Z]+:\S* not found"': "Fastify",
    r'"code":"FST_ERR_|^Invalid Preflight Request$|Invalid CORS origin option': "Fastify",
    r'^\{"statusCode":404,"error":"Not Found","message":"Not Found"|"An internal server error occurred"': "hapi",
    r'^\{"message":"CORS (?:error|is disabled)': "hapi",
    r"^404 Not Found$": "Hono",
    r'^\{"code":\d,"message":"(?:Transport unknown|Session ID unknown|Bad handshake|origin not)': "Socket.IO",
    r"no Route matched with those values": "Kong",
    r"<Code>\w+</Code>[\s\S]*<(?:HostId|ResourceType)>": "S3",
}
# NestJS runs on Express, and its errors have another form.
_NESTJS: Final = re.compile(r'^\{"(?:statusCode":\d{3},"message":|message":.*"statusCode":\d{3}\}$)', re.DOTALL)
# These name the server below a framework.
_GENERIC: Final = {"Werkzeug", "Python"}
_MAX_BODY: Final = 4096  # characters
PROXIES: Final = frozenset(
    {
        *("nginx", "Apache", "Cloudflare", "CloudFront", "AWS load balancer", "Envoy", "Varnish", "Caddy", "IIS"),
        *("API Gateway", "Vercel", "Netlify", "Google Frontend", "Azure Front Door", "Kong", "LiteSpeed"),
        *("HAProxy", "Traefik", "lighttpd", "Fastly", "Akamai", "Imperva", "Sucuri", "bunny.net", "Fly.io"),
        *("Azure Application Gateway", "GitHub Pages"),
    }
)


def detect_servers(response: ServerResponse) -> tuple[str, ...]:
    """Return the names of the software that a response reveals, proxies first."""
    found = [*_by_product(response), *(name for header, name in _HEADERS.items() if response.get(header) is not None)]
    found += ["Fastly"] if _FASTLY_CACHE.match(response.get("x-served-by") or "") else []
    found += _by_body(response)
    names = dict.fromkeys(found)
    if "Express" in names and _NESTJS.search(response.text):
        names = dict.fromkeys("NestJS" if name == "Express" else name for name in names)
    return tuple(sorted(_without_generic(list(names)), key=lambda name: name not in PROXIES))


def _by_product(response: ServerResponse) -> list[str]:
    product = " ".join(response.lower(name) for name in ("server", "x-powered-by", "x-aspnet-version", "via"))
    names = [name for text, name in _PRODUCTS.items() if text in product]
    return [name for name in names if name != "Apache" or "coyote" not in product]


def _by_body(response: ServerResponse) -> list[str]:
    """Return the software that the body reveals."""
    body = response.text[:_MAX_BODY]
    return [name for text, name in _TEXTS.items() if body and re.search(text, body)]


def _without_generic(names: list[str]) -> list[str]:
    """Return the names without a server that only shows the language. Werkzeug alone is most likely Flask's."""
    frameworks = [name for name in names if name not in PROXIES and name not in _GENERIC]
    if "Werkzeug" in names and not frameworks:
        names = ["Flask" if name == "Werkzeug" else name for name in names]
    return [name for name in names if name not in _GENERIC or not frameworks]


def detect_proxy(response: ServerResponse) -> str:
    """Return the name of the proxy before the app, or "" if the response reveals none."""
    via = response.get("via")
    proxies = (name for name in detect_servers(response) if name in PROXIES)
    return next(proxies, f"a proxy (Via: {via[:60]})" if via else "")


def proxy_headers(response: ServerResponse) -> str:
    """Return the headers that reveal a proxy, in parentheses after a space, or ""."""
    names = ("server", "via", "cf-ray", "x-amzn-errortype", "x-amz-cf-id")
    headers = ", ".join(f"{name}: {response.get(name)}" for name in names if response.get(name) is not None)
    return f" ({headers})" if headers else ""
