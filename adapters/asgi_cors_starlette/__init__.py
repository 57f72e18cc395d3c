"""CORS for Starlette and FastAPI: a policy for an app, and for each route, router or mounted app.

    app = Starlette(…)
    install(app, allow_origins=["https://app.example.com"])

    @app.get("/public")
    @cross_origin(allow_origins="*")
    async def public(): …

With `app.add_middleware(CORSMiddleware, …)` the middleware is inside of Starlette's own error handling, and inside of
middlewares that are added later. `install` puts it outside of both, so every response gets the policy's headers.
"""

from ._decorators import cors_exempt, cross_origin
from ._install import Installation, install

__all__ = ["Installation", "cors_exempt", "cross_origin", "install"]
