"""Django projects over WSGI and ASGI, with sync, async and mixed chains of middlewares."""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("django") and find_spec("werkzeug"):  # werkzeug sends the requests over WSGI
    import django
    from django.conf import settings

    if not settings.configured:
        DATABASE = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(tempfile.mkdtemp()) / "tests.db"),
            "OPTIONS": {"timeout": 20},
        }
        settings.configure(
            SECRET_KEY="of a test",  # noqa: S106 - of no server
            ALLOWED_HOSTS=["*"],
            DATABASES={"default": DATABASE},
            USE_TZ=True,
        )
        django.setup()
    from asgi_cors_django import installation

    from .views.site import Site
else:
    collect_ignore_glob = ["test_*.py"]

SYNC_ONLY = "tests.adapters.django.middlewares.sync_only"
ASYNC_ONLY = "tests.adapters.django.middlewares.async_only"
CHAINS = {
    "WSGI": ("WSGI", ()),
    "ASGI": ("ASGI", ()),
    "ASGI, sync chain": ("ASGI", (SYNC_ONLY,)),
    "WSGI, async chain": ("WSGI", (ASYNC_ONLY,)),
}


@pytest.fixture(autouse=True)
def fresh_log():
    """Forget the mistakes that other tests have logged, because each is logged once a minute."""
    log = installation.configuration.log
    vars(log).update(vars(type(log)()))


@pytest.fixture(params=CHAINS)
def chain(request):
    """Run a test with each interface, and with each kind of chain below the middleware."""
    return request.param


@pytest.fixture
def serve(chain):
    """Return a function that serves URL patterns. Its middlewares are below ours, and above the end of the chain."""
    interface, end = CHAINS[chain]
    sites = []

    def start(*patterns, below=(), **options):
        sites.append(Site(interface, [*patterns], below=(*below, *end), **options))
        return sites[-1]

    yield start
    for site in reversed(sites):
        site.close()
