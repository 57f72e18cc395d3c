"""The running stacks of the corpus, a certificate, and a resolver that looks up no page in DNS."""

import contextlib
import functools
import socket
import ssl

import pytest

from tests.cli.corpus.sockets import certificate
from tests.cli.corpus.stacks import STACKS


@pytest.fixture(scope="module")  # not longer: other modules turn the clock, which servers in threads would see
def url_of(tmp_path_factory):
    """Start a stack when a test first needs it. All stop together."""
    with contextlib.ExitStack() as running:

        @functools.cache
        def start(stack: str) -> str:
            return running.enter_context(STACKS[stack].start(tmp_path_factory.mktemp("stack")))

        yield start


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS context with a self-signed certificate."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _no_look_up_of_pages(monkeypatch):
    """Fail at once for the hosts of pages, as DNS does after up to five seconds. The doctor looks each of them up."""
    resolve = socket.getaddrinfo

    def resolve_others(host, *arguments, **options):
        if isinstance(host, str) and host.endswith(("example.com", "example.net")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_others)
