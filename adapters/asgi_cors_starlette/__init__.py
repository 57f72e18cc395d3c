"""CORS for Starlette and FastAPI: a policy for an app, and for each route, router or mounted app.

    app = Starlette(…)
    install(app, allow_origins=["https://app.example.com"])

    @app.get("/public")
    @cross_origin(allow_origins="*")
    async def public(): …

With `app.add_middleware(CORSMiddleware, …)` the middleware is inside of Starlette's own error handling, and inside of
middlewares that are added later. `install` puts it outside of both, so every response gets the policy's headers.

The way of a request: The middleware of `_install` gets the policy of the route that will serve it from `_routes`.
`_matching` finds this route as Starlette does; `_fastapi` knows FastAPI's included routers, `_copied_routes` those of
old releases, and `_preflights` the routes of the other methods. `_attachments` reads the policy that `_decorators` has
attached to the endpoint, or else to a route, router or app around it; the innermost one counts. The core decides by
this policy, and answers preflights and refused requests without the app. Before the route runs, the guard of its router
(`_guards`; `_hidden` finds routers that are not predicted) compares it with the prediction; if they differ, both
policies must allow.
"""

from ._decorators import cors_exempt, cross_origin
from ._install import Installation, install

__all__ = ["Installation", "cors_exempt", "cross_origin", "install"]
