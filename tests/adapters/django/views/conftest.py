"""Django projects over WSGI and over ASGI."""

from importlib.util import find_spec

import pytest

if find_spec("django") and find_spec("werkzeug"):  # werkzeug sends the requests over WSGI
    from .site import Site
else:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(params=["WSGI", "ASGI"])
def serve(request):
    """Return a function that serves URL patterns over WSGI, and in a second run over ASGI."""
    sites = []

    def start(*patterns, **options):
        sites.append(Site(request.param, [*patterns], **options))
        return sites[-1]

    yield start
    for site in reversed(sites):
        site.close()
