"""Who wrote an answer: the software that its fields and its body give away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .evidence import Answer

# What a Server or X-Powered-By field begins with or holds, in lower case -> who that is.
_WORDS: Final = {
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
# A field that only one layer sends -> who that is.
_FIELDS: Final = {
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
# What stands in the pages and errors of one framework -> who that is.
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


def makers(answer: Answer) -> tuple[str, ...]:
    """Name the software that an answer gives away, what stands before it first."""
    said = " ".join(answer.says(name) for name in ("server", "x-powered-by", "x-aspnet-version", "via"))
    found = [who for word, who in _WORDS.items() if word in said and not (word == "apache" and "coyote" in said)]
    found += [who for name, who in _FIELDS.items() if answer.get(name) is not None]
    text = answer.text[:4096].lower()
    found += [who for word, who in _TEXTS.items() if word in text]
    return tuple(sorted(dict.fromkeys(found), key=lambda who: who not in PROXIES))


def proxy(answer: Answer) -> str:
    """Name the proxy before the app, by a field of its own; empty where none shows."""
    via = answer.get("via")
    return next((who for who in makers(answer) if who in PROXIES), f"a proxy (Via: {via[:60]})" if via else "")


def clue(answer: Answer) -> str:
    """Quote the field that gives a proxy away."""
    names = ("server", "via", "cf-ray", "x-amzn-errortype", "x-amz-cf-id")
    return ", ".join(f"{name}: {answer.get(name)}" for name in names if answer.get(name) is not None)
