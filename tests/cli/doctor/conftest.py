"""The running stacks of the corpus, and a certificate."""

import contextlib
import functools
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
