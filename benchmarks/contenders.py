"""Who is compared: each made of one description of a policy, so that all answer the same requests alike."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from limit import Limit
from limit import Policy as FixedPolicy
from traffic import ALLOWED, App, Scope, spend

Spends = Callable[[list[Scope]], float]

METHODS: Final = ["PUT"]
NAMES: Final = ["x-request-id"]
PATTERN: Final = "https://*.example.com"
REGEX: Final = r"https://[a-z0-9]+\.example\.com"


class Policy(NamedTuple):
    """What a policy of the comparison allows.

    Args:
        title: How the tables call it.
        origins: The entries of its list.
        regex: An expression in place of a list; a pattern has one for those who know no patterns.
        credentials: Whether cookies are allowed.
        paths: How many rules by path there are, the last of which serves the requests.
    """

    title: str
    origins: tuple[str, ...] = ()
    regex: str = ""
    credentials: bool = False
    paths: int = 0

    @property
    def path(self) -> str:
        """Where its requests go."""
        return f"/area{self.paths - 1}/items" if self.paths else "/items"


_TEN: Final = (*(f"https://site{n}.example.org" for n in range(9)), ALLOWED)

POLICIES: Final = (
    Policy("any (`*`)", ("*",)),
    Policy("one origin", (ALLOWED,)),
    Policy("ten origins", _TEN),
    Policy("ten, credentials", _TEN, credentials=True),
    Policy("subdomain pattern", (PATTERN,), regex=r"https://([a-z0-9-]+\.)+example\.com"),
    Policy("regex", regex=REGEX),
    Policy("1 path rule", (ALLOWED,), paths=1),
    Policy("1,000 path rules", (ALLOWED,), paths=1000),
)


class Contender(NamedTuple):
    """One of those compared.

    Args:
        title: How the tables call it.
        distribution: Whose version is shown; empty for what is part of this benchmark.
        make: Wraps an app by a policy, and gives what serves requests; None where it knows no such policy.
    """

    title: str
    distribution: str
    make: Callable[[App, Policy], Spends | None]

    @property
    def version(self) -> str:
        """The version compared."""
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
        allow_origins=policy.origins,
        allow_origin_regex=None if policy.origins else policy.regex,
        allow_credentials=policy.credentials,
        allow_methods=METHODS,
        allow_headers=NAMES,
    )
    if not policy.paths:
        return partial(spend, CORSMiddleware(app, own))
    base = own.replace(allow_origins="https://base.example.org")
    return partial(spend, CORSMiddleware(app, base, paths={f"/area{n}/*": own for n in range(policy.paths)}))


def _starlette(app: App, policy: Policy) -> Spends | None:
    from starlette.middleware.cors import CORSMiddleware

    if policy.paths:
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
    if policy.paths or policy.credentials or not policy.origins:
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
    """Load PyPI's asgi-cors from its file, under a name of its own, since ours is a package of the same name."""
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

    if policy.paths:
        return None
    config = CORSConfig(
        allow_origins=list(policy.origins),
        allow_origin_regex=None if policy.origins else policy.regex,
        allow_credentials=policy.credentials,
        allow_methods=[*METHODS],  # type: ignore[list-item] # a list of any of its words
        allow_headers=NAMES,
    )
    made: Any = CORSMiddleware(app, config)
    around = Litestar([])  # answers preflights by its request class

    def spends(requests: list[Scope]) -> float:
        for scope in requests:
            scope["litestar_app"] = around
        return spend(made, requests)

    return spends


def _django_bare(app: App, policy: Policy) -> Spends | None:
    import of_django

    return of_django.bare(app, policy)


def _django(app: App, policy: Policy) -> Spends | None:
    import of_django

    return of_django.cors_headers(app, policy)


BARE: Final = "bare app"
OURS: Final = "asgi_cors"
LIMIT: Final = "by hand"
STARLETTE: Final = "Starlette"
DJANGO: Final = "django-cors-headers"
DJANGO_BARE: Final = "bare Django"

CONTENDERS: Final = (
    Contender(BARE, "", _bare),
    Contender(LIMIT, "", _limit),
    Contender(OURS, "asgi-cors-bridge", _ours),
    Contender(STARLETTE, "starlette", _starlette),
    Contender("asgi-cors", "asgi-cors", _asgi_cors),
    Contender("Litestar", "litestar", _litestar),
    Contender(DJANGO_BARE, "django", _django_bare),
    Contender(DJANGO, "django-cors-headers", _django),
)
