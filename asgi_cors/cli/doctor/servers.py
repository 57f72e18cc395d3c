"""Recognise the software that sent a response by its headers and its body."""

from __future__ import annotations

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
    "envoy": "Envoy",
    "varnish": "Varnish",
    "caddy": "Caddy",
    "microsoft-iis": "IIS",
    "microsoft-httpapi": "IIS",
    "asp.net": "ASP.NET",
    "kestrel": "ASP.NET",
    "express": "Express",
    "next.js": "Next.js",
    "werkzeug": "Flask",
    "uvicorn": "uvicorn",
    "hypercorn": "Hypercorn",
    "gunicorn": "gunicorn",
    "waitress": "waitress",
    "daphne": "daphne",
    "wsgiserver": "Python",
    "php": "PHP",
    "litespeed": "LiteSpeed",
    "jetty": "Jetty",
    "vercel": "Vercel",
    "netlify": "Netlify",
    "google frontend": "Google Frontend",
}
# A header that only one product sends -> the software.
_HEADERS: Final = {
    "cf-ray": "Cloudflare",
    "x-amz-cf-id": "CloudFront",
    "x-amzn-errortype": "API Gateway",
    "x-amz-apigw-id": "API Gateway",
    "x-vercel-id": "Vercel",
    "x-azure-ref": "Azure Front Door",
    "x-varnish": "Varnish",
    "x-envoy-upstream-service-time": "Envoy",
    "x-kong-response-latency": "Kong",
}
# A text in error pages, in lower case -> the software.
_TEXTS: Final = {
    "disallowed cors": "Starlette",
    "<center>nginx": "nginx",
    "invalid cors request": "Spring",
    "rejected by cors": "Spring",
    "<pre>cannot ": "Express",
    "<title>werkzeug": "Flask",
    "djdt": "Django",
}
PROXIES: Final = frozenset(
    {
        *("nginx", "Apache", "Cloudflare", "CloudFront", "AWS load balancer", "Envoy", "Varnish", "Caddy", "IIS"),
        *("API Gateway", "Vercel", "Netlify", "Google Frontend", "Azure Front Door", "Kong", "LiteSpeed"),
    }
)


def detect_servers(response: ServerResponse) -> tuple[str, ...]:
    """Return the names of the software that a response reveals, proxies first."""
    product = " ".join(response.lower(name) for name in ("server", "x-powered-by", "x-aspnet-version", "via"))
    found = [
        name for text, name in _PRODUCTS.items() if text in product and not (text == "apache" and "coyote" in product)
    ]
    found += [name for header, name in _HEADERS.items() if response.get(header) is not None]
    body = response.text[:4096].lower()
    found += [name for text, name in _TEXTS.items() if text in body]
    return tuple(sorted(dict.fromkeys(found), key=lambda name: name not in PROXIES))


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
