"""Fixtures of the doctor's tests."""

import ssl

import pytest

from tests.cli.corpus.sockets import certificate


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS context with a self-signed certificate."""
    return certificate(tmp_path_factory.mktemp("tls"))
