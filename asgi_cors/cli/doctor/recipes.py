"""The line to write for each goal and each server software that the doctor recognises.

`{origin}`, `{methods}` and `{headers}` are filled in from the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .servers import detect_servers

if TYPE_CHECKING:
    from .evidence import ServerResponse

ORIGIN: Final = "origin"
PREFLIGHT: Final = "preflight"
ERRORS: Final = "errors"
ONCE: Final = "once"
CREDENTIALS: Final = "credentials"
METHODS: Final = "methods"
HEADERS: Final = "headers"
EXPOSE: Final = "expose"
VARY: Final = "vary"
_ADD_LAST: Final = "add the CORS middleware last, because add_middleware puts each one outside of those before it"

RECIPES: Final[dict[str, dict[str, str]]] = {
    ORIGIN: {
        "nginx": "add_header Access-Control-Allow-Origin {origin} always; or leave CORS to the app behind it",
        "Apache": 'Header always set Access-Control-Allow-Origin "{origin}"',
        "Express": "app.use(cors({{ origin: ['{origin}'] }})), before every route",
        "Flask": "CORS(app, origins=['{origin}'])",
        "Starlette": "allow_origins=['{origin}']",
        "Spring": '.allowedOrigins("{origin}")',
        "ASP.NET": 'policy.WithOrigins("{origin}")',
        "IIS": '<cors enabled="true"><add origin="{origin}" /></cors>',
        "S3": '"AllowedOrigins": ["{origin}"] in the bucket\'s CORS configuration',
        "PHP": "header('Access-Control-Allow-Origin: {origin}');",
        "API Gateway": "enable CORS for the resource with {origin}, and send the header from the integration as well",
    },
    PREFLIGHT: {
        "nginx": "if ($request_method = OPTIONS) {{ return 204; }}, with the add_header lines inside that block",
        "Apache": 'RewriteCond %{{REQUEST_METHOD}} OPTIONS, then RewriteRule ^ - [R=204,L], before "Require"',
        "Express": "app.use(cors(…)) before app.use(auth) and before the routes",
        "Flask": "CORS(app, …), and in before_request: if request.method == 'OPTIONS': return None",
        "uvicorn": _ADD_LAST,
        "Starlette": _ADD_LAST,
        "Spring": "http.cors(withDefaults()) in the security chain, so that it runs before authentication",
        "ASP.NET": "app.UseCors(…) before app.UseAuthentication()",
        "API Gateway": "an OPTIONS method without an authorizer (Enable CORS adds one)",
        "Cloudflare": 'in the WAF or Access: skip requests with http.request.method eq "OPTIONS"',
    },
    ERRORS: {
        "nginx": "add_header … always; without `always`, nginx omits the header from 4xx and 5xx responses",
        "Apache": "Header always set …; without `always`, Apache omits the header from errors",
        "Express": "set the headers in the error handler as well, or call cors() before the code that fails",
        "uvicorn": "put CORS outside of the error handling; with asgi_cors: install(app, …) or CORSMiddleware(app, …)",
        "API Gateway": "gateway responses DEFAULT_4XX and DEFAULT_5XX with the CORS headers",
    },
    ONCE: {
        "nginx": "remove add_header Access-Control-Allow-Origin, or proxy_hide_header Access-Control-Allow-Origin",
        "Apache": "Header set instead of Header add, or remove it",
    },
    CREDENTIALS: {
        "nginx": "add_header Access-Control-Allow-Credentials true always;",
        "Express": "cors({{ origin: ['{origin}'], credentials: true }})",
        "Flask": "CORS(app, origins=['{origin}'], supports_credentials=True)",
        "Starlette": "allow_origins=['{origin}'], allow_credentials=True",
        "Spring": '.allowedOrigins("{origin}").allowCredentials(true)',
        "ASP.NET": 'policy.WithOrigins("{origin}").AllowCredentials()',
    },
    METHODS: {
        "nginx": 'add_header Access-Control-Allow-Methods "{methods}" always;',
        "Express": "cors({{ methods: ['{methods}'] }})",
        "Flask": "CORS(app, methods=['{methods}'])",
        "Starlette": "allow_methods=['{methods}']",
        "Spring": '.allowedMethods("{methods}")',
        "ASP.NET": 'policy.WithMethods("{methods}")',
    },
    HEADERS: {
        "nginx": 'add_header Access-Control-Allow-Headers "{headers}" always;',
        "Express": "cors({{ allowedHeaders: ['{headers}'] }})",
        "Flask": "CORS(app, allow_headers=['{headers}'])",
        "Starlette": "allow_headers=['{headers}']",
        "Spring": '.allowedHeaders("{headers}")',
        "ASP.NET": 'policy.WithHeaders("{headers}")',
    },
    EXPOSE: {
        "nginx": 'add_header Access-Control-Expose-Headers "{headers}" always;',
        "Express": "cors({{ exposedHeaders: ['{headers}'] }})",
        "Flask": "CORS(app, expose_headers=['{headers}'])",
        "Starlette": "expose_headers=['{headers}']",
    },
    VARY: {
        "nginx": "add_header Vary Origin always;",
        "Express": "res.vary('Origin')",
        "Flask": "CORS(app, vary_header=True), or response.vary.add('Origin')",
    },
}


def recipe(
    goal: str, response: ServerResponse | None, *, origin: str = "", methods: str = "", headers: str = ""
) -> str:
    """Return the line to write for the software that sent `response`, or "" if there is no recipe for it."""
    for server in reversed(detect_servers(response)) if response else ():
        line = RECIPES[goal].get(server)
        if line:
            return f"{server}: {line.format(origin=origin, methods=methods, headers=headers)}"
    return ""
