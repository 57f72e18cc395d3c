"""The middlewares that are compared. Each is built from the same policy, so all respond alike."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import of_django
from limit import Limit
from limit import Policy as FixedPolicy
from policies import METHODS, NAMES, OPTIONS, Policy, Spends
from traffic import ALLOWED, App, Scope, spend


class Contender(NamedTuple):
    """One of the middlewares compared.

    Args:
        title: Its name in the tables.
        distribution: The distribution whose version is shown; empty for a part of this benchmark.
        make: Wraps an app with a policy. Returns None if the contender has no such policy.
    """

    title: str
    distribution: str
    make: Callable[[App, Policy], Spends | None]

    @property
    def version(self) -> str:
        """Return the version compared."""
        return importlib.metadata.version(self.distribution) if self.distribution else ""


def _bare(app: App, _policy: Policy) -> Spends:
    return partial(spend, app)


def _limit(app: App, policy: Policy) -> Spends:
    origins = None if "*" in policy.origins else [origin.encode() for origin in (*policy.origins, ALLOWED)]
    methods, names = [method.encode() for method in METHODS], [name.encode() for name in NAMES]
    fixed = FixedPolicy(origins, credentials=policy.credentials, methods=methods, names=names)
    return partial(spend, Limit(app, fixed))


def _ours(app: App, policy: Policy) -> Spends:
    from asgi_cors import CORSMiddleware
    from asgi_cors import Policy as Ours

    own = Ours(
        allow_origins=[_is_allowed] if policy.condition == "callable" else policy.origins,
        allow_origin_regex=None if policy.origins else policy.regex,
        allow_credentials=policy.credentials,
        allow_methods=METHODS,
        allow_headers=NAMES,
    )
    if not policy.paths:
        options = {name: getattr(own, name) for name in ("allow_origins", "allow_methods", "allow_headers")}
        more: Any = OPTIONS.get(policy.condition, {})
        return partial(spend, CORSMiddleware(app, **{**options, **more}) if more else CORSMiddleware(app, own))
    base = own.replace(allow_origins="https://base.example.org")
    return partial(spend, CORSMiddleware(app, base, paths={f"/area{n}/*": own for n in range(policy.paths)}))


def _is_allowed(origin: str) -> bool:
    return origin == ALLOWED


def _starlette(app: App, policy: Policy) -> Spends | None:
    from starlette.middleware.cors import CORSMiddleware

    if not policy.is_common:
        return None
    made: Any = CORSMiddleware(
        app,
        allow_origins=() if policy.regex else policy.origins,
        allow_origin_regex=policy.regex or None,
        allow_credentials=policy.credentials,
        allow_methods=METHODS,
        allow_headers=NAMES,
    )
    return partial(spend, made)


def _asgi_cors(app: App, policy: Policy) -> Spends | None:
    if not policy.is_common or policy.credentials or not policy.origins:
        return None
    wildcards = [origin for origin in policy.origins if "*" in origin]
    made = _other_asgi_cors().asgi_cors(
        app,
        allow_all="*" in policy.origins,
        hosts=[origin for origin in policy.origins if origin not in wildcards],
        host_wildcards=wildcards,
        headers=NAMES,
        methods=METHODS,
    )
    return partial(spend, made)


def _other_asgi_cors() -> Any:
    """Load PyPI's asgi-cors from its file under another name, because our package has the same one."""
    if "other_asgi_cors" not in sys.modules:
        files = importlib.metadata.files("asgi-cors") or ()
        (file,) = (file for file in files if file.name == "asgi_cors.py")
        spec = importlib.util.spec_from_file_location("other_asgi_cors", str(file.locate()))
        if spec is None or spec.loader is None:
            raise ImportError(file)
        sys.modules["other_asgi_cors"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["other_asgi_cors"])
    return sys.modules["other_asgi_cors"]


def _litestar(app: App, policy: Policy) -> Spends | None:
    from litestar import Litestar
    from litestar.config.cors import CORSConfig
    from litestar.middleware._internal.cors import CORSMiddleware

    if not policy.is_common:
        return None
    config = CORSConfig(
        allow_origins=list(policy.origins),
        allow_origin_regex=None if policy.origins else policy.regex,
        allow_credentials=policy.credentials,
        allow_methods=[*METHODS],  # type: ignore[list-item] # a list of its literals
        allow_headers=NAMES,
    )
    made: Any = CORSMiddleware(app, config)
    around = Litestar([])  # answers preflights by its request class

    def spends(requests: list[Scope]) -> float:
        for scope in requests:
            scope["litestar_app"] = around
        return spend(made, requests)

    return spends


BARE: Final = "bare app"
OURS: Final = "asgi_cors"
LIMIT: Final = "by hand"
STARLETTE: Final = "Starlette"
DJANGO: Final = "django-cors-headers"
DJANGO_OURS: Final = "asgi_cors_django"
DJANGO_BARE: Final = "bare Django"

CONTENDERS: Final = (
    Contender(BARE, "", _bare),
    Contender(LIMIT, "", _limit),
    Contender(OURS, "asgi-cors-bridge", _ours),
    Contender(STARLETTE, "starlette", _starlette),
    Contender("asgi-cors", "asgi-cors", _asgi_cors),
    Contender("Litestar", "litestar", _litestar),
    Contender(DJANGO_BARE, "django", of_django.bare),
    Contender(DJANGO_OURS, "asgi-cors-bridge", of_django.ours),
    Contender(DJANGO, "django-cors-headers", of_django.cors_headers),
)
