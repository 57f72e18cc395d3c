"""A certificate for servers on loopback."""

import subprocess
from pathlib import Path


def create_certificate(folder: Path) -> Path:
    """Create a certificate for 127.0.0.1, in one file with its key."""
    path = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", str(path), "-out", str(path)], check=True, capture_output=True)
    return path
