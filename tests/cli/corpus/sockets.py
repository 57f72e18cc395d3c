"""Servers below HTTP: raw bytes, TLS with a certificate of their own, and HTTP/2 without TLS."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Speak = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def listening(speak: Speak, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Call `speak` with each connection and its first bytes, then close the connection."""

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError), tls.wrap_socket(plain, server_side=True) if tls else plain as socket_:
            speak(socket_, socket_.recv(65536))

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextlib.contextmanager
def speaking(*parts: bytes, wait: float = 0) -> Iterator[str]:
    """Serve bytes that need not be HTTP, wait for `wait` seconds at most, then close the connection."""
    ended = threading.Event()

    def speak(connection: socket.socket, _: bytes) -> None:
        for part in parts:
            connection.sendall(part)
        ended.wait(wait)

    with listening(speak) as url:
        try:
            yield url
        finally:
            ended.set()


def answering(responses: dict[str, bytes], *, hangs: threading.Event | None = None) -> Speak:
    """Respond by method, and close the connection for other methods, or first wait for `hangs`."""

    def speak(connection: socket.socket, received: bytes) -> None:
        response = responses.get(received.partition(b" ")[0].decode("latin-1"))
        if response is not None:
            connection.sendall(response)
        elif hangs is not None:
            hangs.wait(20)

    return speak


def http2_only(connection: socket.socket, received: bytes) -> None:
    """Serve HTTP/2 by prior knowledge, as a gRPC server does, and close connections that speak HTTP/1.1."""
    from h2.config import H2Configuration  # noqa: PLC0415 - only if the extra is installed
    from h2.connection import H2Connection  # noqa: PLC0415
    from h2.events import RequestReceived  # noqa: PLC0415

    if not received.startswith(b"PRI * HTTP/2.0"):
        return
    state = H2Connection(H2Configuration(client_side=False))
    state.initiate_connection()
    while received:
        for event in state.receive_data(received):
            if isinstance(event, RequestReceived):
                state.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
        connection.sendall(state.data_to_send())
        received = connection.recv(65536)


def certificate(folder: Path, *, client: bool = False) -> ssl.SSLContext:
    """Return a TLS context with a self-signed certificate; with `client`, it requires one of the client, too."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    if client:
        context.load_verify_locations(folder / "cert.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context
