"""`audit --url`: a live URL under the attacks that a browser could carry out.

Every request is a GET, so that nothing changes on the server. Forged requests, which would change something, are not
sent.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx

from asgi_cors.cli.doctor.collect import PROBE_TIMEOUT, collect_evidence
from asgi_cors.cli.doctor.diagnosis import diagnose
from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, ServerResponse
from asgi_cors.cli.doctor.question import Question
from asgi_cors.cli.doctor.recorder import NETWORK_ERRORS, Recorder
from asgi_cors.cli.errors import CannotRunError
from asgi_cors.cli.findings import Finding

from .attacks import attacks_on, is_sent_by_browsers
from .requests import REBINDING, REBOUND_HOST
from .results import Attack, AttackResults, Audit, RequestAttack


def audit_url(
    url: str, origins: tuple[str, ...], transport: httpx.BaseTransport, *, progress: Callable[[str], None]
) -> Audit:
    """Test a live URL as each origin, then with every attack on these origins.

    Raises:
        CannotRunError: The server did not respond, or `origins` is empty.
    """
    if not origins:
        raise CannotRunError("audit --url needs --origin, an allowed origin from which the attacks are derived.")
    recorder = Recorder(transport)
    attacks: list[AttackResults] = []
    findings: dict[str, Finding] = {}
    for origin in origins:
        diagnosis = diagnose(collect_evidence(Question(url=url, origin=origin), recorder, progress=progress))
        findings |= {found.name: found for found in (diagnosis.cause, *diagnosis.risks) if found}
        if diagnosis.evidence.failure:  # no attack gets a response either
            continue
        attacks.append(_attack_url(url, origin, recorder, progress))
    requests = (_rebind(url, recorder, progress),) if attacks else ()
    return Audit(url, "live URL", (), tuple(attacks), tuple(findings.values()), requests=requests)


def _rebind(url: str, recorder: Recorder, progress: Callable[[str], None]) -> RequestAttack:
    """Send a GET with the Host of another site, as its page does after DNS rebinding."""
    progress(f"testing the Host {REBOUND_HOST}")
    own, other = _send(url, None, recorder), _send(url, None, recorder, host=REBOUND_HOST)
    is_served = own is not None and other is not None and own.status == other.status
    return RequestAttack(REBINDING, 1, (REBOUND_HOST,) if is_served else ())


def _attack_url(url: str, origin: str, recorder: Recorder, progress: Callable[[str], None]) -> AttackResults:
    """Send a request with every hostile origin that a browser could send."""
    hostile = [(kind, value) for kind, value in attacks_on(origin) if is_sent_by_browsers(value)]
    allowed: list[Attack] = []
    credentials = False
    for number, (kind, value) in enumerate(hostile, 1):
        progress(f"attack {number} of {len(hostile)}: {value}")
        response = _send(url, value, recorder)
        if response is not None and response.allowed_origin == value:
            credentials = credentials or response.get(ALLOW_CREDENTIALS) == "true"
            rule = "with credentials" if credentials else "without credentials"
            allowed.append(Attack(kind, value, rule, is_sent=True))
    return AttackResults(f"as {origin}", credentials, len(hostile), tuple(allowed))


def _send(url: str, origin: str | None, recorder: Recorder, *, host: str = "") -> ServerResponse | None:
    headers = {"accept": "*/*", "user-agent": "asgi-cors audit"}
    headers |= {name: value for name, value in (("origin", origin), ("host", host)) if value}
    request = httpx.Request("GET", url, headers=headers, extensions={"timeout": dict(PROBE_TIMEOUT)})
    try:
        return ServerResponse(request, recorder.handle_request(request))
    except NETWORK_ERRORS:
        return None
