"""FastAPI with its own CORSMiddleware."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import JSONResponse

from tests.cli.corpus.raw import PAGE

ALLOWED = {"allow_origins": [PAGE], "allow_methods": ["*"], "allow_headers": ["*"]}


def api(**options: Any) -> FastAPI:
    """Return an API with the routes that every set-up has."""
    app = FastAPI(**options)

    @app.api_route("/items", methods=["GET", "PUT"])
    async def items() -> Any:
        return {"name": "Ann"}

    @app.get("/crash")
    async def crash() -> Any:
        return {"name": {}["Ann"]}

    def current_user(authorization: Annotated[str, Header()] = "") -> str:
        if not authorization:
            raise HTTPException(status_code=401, detail="Not authenticated")
        return authorization

    @app.get("/me")
    async def me(user: Annotated[str, Depends(current_user)]) -> Any:
        return {"name": user}

    return app


def debug() -> FastAPI:
    """FastAPI(debug=True). A view fails, and the traceback contains cors.py."""
    app = api(debug=True)
    app.add_middleware(CORSMiddleware, **ALLOWED)
    return app


def production() -> FastAPI:
    """The same without debug mode: the error is handled outside of CORSMiddleware."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED)
    return app


def methods() -> FastAPI:
    """allow_methods was forgotten."""
    app = api()
    app.add_middleware(CORSMiddleware, allow_origins=[PAGE], allow_headers=["*"])
    return app


def headers() -> FastAPI:
    """allow_headers was forgotten."""
    app = api()
    app.add_middleware(CORSMiddleware, allow_origins=[PAGE], allow_methods=["*"])
    return app


def slash() -> FastAPI:
    """An origin with a slash, as pydantic's AnyHttpUrl prints it."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED | {"allow_origins": [f"{PAGE}/"]})
    return app


def guarded() -> FastAPI:
    """A check of tokens that was added after CORSMiddleware, so that it is outside of it."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED)

    @app.middleware("http")
    async def check_token(request: Request, call_next: Any) -> Any:
        if "authorization" not in request.headers:
            return JSONResponse({"detail": "Missing token"}, status_code=401)
        return await call_next(request)

    return app


def tenant() -> FastAPI:
    """A middleware outside of CORSMiddleware that fails on a preflight."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED)

    @app.middleware("http")
    async def read_tenant(request: Request, call_next: Any) -> Any:
        request.state.tenant = request.headers["authorization"]
        return await call_next(request)

    return app


def elsewhere() -> FastAPI:
    """Another origin is allowed, with credentials, and a dependency responds with 401."""
    app = api()
    app.add_middleware(CORSMiddleware, allow_origins=["http://localhost:3000"], allow_credentials=True)
    return app


def mounted() -> FastAPI:
    """CORSMiddleware on the app for /v1, and a route of the outer app."""
    inner = api()
    inner.add_middleware(CORSMiddleware, **ALLOWED)
    outer = api()
    outer.mount("/v1", inner)
    return outer


def star() -> FastAPI:
    """`*` with credentials."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED | {"allow_origins": ["*"]}, allow_credentials=True)
    return app


def trusted_hosts() -> FastAPI:
    """A check of Host that was added after CORSMiddleware, so that it is outside of it."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example.com"])
    return app


def well() -> FastAPI:
    """One origin with credentials."""
    app = api()
    app.add_middleware(CORSMiddleware, **ALLOWED, allow_credentials=True)
    return app


WAYS = (debug, production, methods, headers, slash, guarded, tenant, elsewhere, mounted, star, trusted_hosts, well)
APPS = {way.__name__: way() for way in WAYS}
