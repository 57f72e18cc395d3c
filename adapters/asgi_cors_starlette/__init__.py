"""CORS for Starlette and FastAPI: `install` applies one policy to all responses of an app.

    app = Starlette(…)
    install(app, allow_origins=["https://app.example.com"])

With `app.add_middleware(CORSMiddleware, …)` the middleware is inside of Starlette's own error handling, and inside of
middlewares that are added later. `install` puts it outside of both, so every response gets the policy's headers.
"""

from ._install import install

__all__ = ["install"]
