"""What to write, by what is to be had and by the software that gave itself away.

A recipe is one line; `{origin}`, `{methods}` and `{headers}` stand for those of the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .servers import makers

if TYPE_CHECKING:
    from .evidence import Answer

ORIGIN: Final = "origin"
PREFLIGHT: Final = "preflight"
ERRORS: Final = "errors"
ONCE: Final = "once"
CREDENTIALS: Final = "credentials"
METHODS: Final = "methods"
HEADERS: Final = "headers"
EXPOSE: Final = "expose"
VARY: Final = "vary"

_RECIPES: Final[dict[tuple[str, str], str]] = {
    (ORIGIN, "nginx"): "add_header Access-Control-Allow-Origin {origin} always; or leave CORS to the app behind it",
    (ORIGIN, "Apache"): 'Header always set Access-Control-Allow-Origin "{origin}"',
    (ORIGIN, "Express"): "app.use(cors({{ origin: ['{origin}'] }})), before every route",
    (ORIGIN, "Flask"): "CORS(app, origins=['{origin}'])",
    (ORIGIN, "Starlette"): "allow_origins=['{origin}']",
    (ORIGIN, "Spring"): '.allowedOrigins("{origin}")',
    (ORIGIN, "ASP.NET"): 'policy.WithOrigins("{origin}")',
    (ORIGIN, "IIS"): '<cors enabled="true"><add origin="{origin}" /></cors>',
    (ORIGIN, "S3"): '"AllowedOrigins": ["{origin}"] in the bucket\'s CORS configuration',
    (ORIGIN, "PHP"): "header('Access-Control-Allow-Origin: {origin}');",
    (
        ORIGIN,
        "API Gateway",
    ): "enable CORS for the resource with {origin}, and let the integration send the field as well",
    (
        PREFLIGHT,
        "nginx",
    ): "if ($request_method = OPTIONS) {{ return 204; }}, with the add_header lines inside that block",
    (PREFLIGHT, "Apache"): 'RewriteCond %{{REQUEST_METHOD}} OPTIONS, then RewriteRule ^ - [R=204,L], before "Require"',
    (PREFLIGHT, "Express"): "app.use(cors(…)) before app.use(auth) and before the routes",
    (PREFLIGHT, "Flask"): "CORS(app, …), and in before_request: if request.method == 'OPTIONS': return None",
    (
        PREFLIGHT,
        "uvicorn",
    ): "add the CORS middleware last (add_middleware puts each one outside of the others before it)",
    (
        PREFLIGHT,
        "Starlette",
    ): "add the CORS middleware last (add_middleware puts each one outside of the others before)",
    (PREFLIGHT, "Spring"): "http.cors(withDefaults()) in the security chain, so that it comes before authentication",
    (PREFLIGHT, "ASP.NET"): "app.UseCors(…) before app.UseAuthentication()",
    (PREFLIGHT, "API Gateway"): "an OPTIONS method without an authorizer (Enable CORS adds one)",
    (PREFLIGHT, "Cloudflare"): 'in the WAF or Access: skip requests with http.request.method eq "OPTIONS"',
    (ERRORS, "nginx"): "add_header … always; without `always` nginx leaves the field out of 4xx and 5xx",
    (ERRORS, "Apache"): "Header always set …; without `always` Apache leaves the field out of errors",
    (ERRORS, "Express"): "set the fields in the error handler as well, or call cors() before what fails",
    (
        ERRORS,
        "uvicorn",
    ): "put CORS outside of the error handling: with asgi_cors, install(app, …) or CORSMiddleware(app, …)",
    (ERRORS, "API Gateway"): "gateway responses DEFAULT_4XX and DEFAULT_5XX with the CORS fields",
    (ONCE, "nginx"): "remove add_header Access-Control-Allow-Origin, or proxy_hide_header Access-Control-Allow-Origin",
    (ONCE, "Apache"): "Header set instead of Header add, or remove it",
    (CREDENTIALS, "nginx"): "add_header Access-Control-Allow-Credentials true always;",
    (CREDENTIALS, "Express"): "cors({{ origin: ['{origin}'], credentials: true }})",
    (CREDENTIALS, "Flask"): "CORS(app, origins=['{origin}'], supports_credentials=True)",
    (CREDENTIALS, "Starlette"): "allow_origins=['{origin}'], allow_credentials=True",
    (CREDENTIALS, "Spring"): '.allowedOrigins("{origin}").allowCredentials(true)',
    (CREDENTIALS, "ASP.NET"): 'policy.WithOrigins("{origin}").AllowCredentials()',
    (METHODS, "nginx"): 'add_header Access-Control-Allow-Methods "{methods}" always;',
    (METHODS, "Express"): "cors({{ methods: ['{methods}'] }})",
    (METHODS, "Flask"): "CORS(app, methods=['{methods}'])",
    (METHODS, "Starlette"): "allow_methods=['{methods}']",
    (METHODS, "Spring"): '.allowedMethods("{methods}")',
    (METHODS, "ASP.NET"): 'policy.WithMethods("{methods}")',
    (HEADERS, "nginx"): 'add_header Access-Control-Allow-Headers "{headers}" always;',
    (HEADERS, "Express"): "cors({{ allowedHeaders: ['{headers}'] }})",
    (HEADERS, "Flask"): "CORS(app, allow_headers=['{headers}'])",
    (HEADERS, "Starlette"): "allow_headers=['{headers}']",
    (HEADERS, "Spring"): '.allowedHeaders("{headers}")',
    (HEADERS, "ASP.NET"): 'policy.WithHeaders("{headers}")',
    (EXPOSE, "nginx"): 'add_header Access-Control-Expose-Headers "{headers}" always;',
    (EXPOSE, "Express"): "cors({{ exposedHeaders: ['{headers}'] }})",
    (EXPOSE, "Flask"): "CORS(app, expose_headers=['{headers}'])",
    (EXPOSE, "Starlette"): "expose_headers=['{headers}']",
    (VARY, "nginx"): "add_header Vary Origin always;",
    (VARY, "Express"): "res.vary('Origin')",
    (VARY, "Flask"): "CORS(app, vary_header=True), or response.vary.add('Origin')",
}


def recipe(goal: str, answer: Answer | None, *, origin: str = "", methods: str = "", headers: str = "") -> str:
    """Give the line to write for the software that wrote `answer`; empty where none is known."""
    for who in reversed(makers(answer)) if answer else ():
        line = _RECIPES.get((goal, who))
        if line:
            return f"{who}: {line.format(origin=origin, methods=methods, headers=headers)}"
    return ""
