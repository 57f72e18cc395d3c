"""`audit --url`: one live URL under the attacks that a browser could carry out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx

from asgi_cors.cli.doctor.collect import examine
from asgi_cors.cli.doctor.diagnosis import diagnose
from asgi_cors.cli.doctor.evidence import ALLOW_CREDENTIALS, Answer
from asgi_cors.cli.doctor.question import CannotAskError, Question
from asgi_cors.cli.doctor.recorder import Recorder
from asgi_cors.cli.findings import Finding

from .app import Attack, Attacked, Audit
from .attacks import attacks_on, is_sent_by_browsers

_TIMEOUT: Final = 5.0  # seconds for one request


def audit_url(
    url: str, origins: tuple[str, ...], transport: httpx.BaseTransport, *, progress: Callable[[str], None]
) -> Audit:
    """Ask a live URL as each origin, then with every attack on these origins.

    Raises:
        CannotAskError: There was no answer, or no origin to begin with.
    """
    if not origins:
        raise CannotAskError("audit --url takes --origin, a page that the URL is meant for: what attacks start from.")
    recorder = Recorder(transport)
    attacked: list[Attacked] = []
    findings: dict[str, Finding] = {}
    for origin in origins:
        diagnosis = diagnose(examine(Question(url=url, origin=origin), recorder, progress=progress))
        findings |= {found.name: found for found in (diagnosis.cause, *diagnosis.risks) if found}
        attacked.append(_attacked(url, origin, recorder, progress))
    return Audit(url, "live URL", (), tuple(attacked), tuple(findings.values()))


def _attacked(url: str, origin: str, recorder: Recorder, progress: Callable[[str], None]) -> Attacked:
    """Ask with every hostile origin that a browser could send."""
    hostile = [(kind, value) for kind, value in attacks_on(origin) if is_sent_by_browsers(value)]
    got_in: list[Attack] = []
    trusts = False
    for number, (kind, value) in enumerate(hostile, 1):
        progress(f"attack {number} of {len(hostile)}: {value}")
        answer = _asked(url, value, recorder)
        if answer is not None and answer.allowed_origin == value:
            trusts = trusts or answer.get(ALLOW_CREDENTIALS) == "true"
            got_in.append(Attack(kind, value, "with credentials" if trusts else "without credentials", is_sent=True))
    return Attacked(f"as {origin}", trusts, len(hostile), tuple(got_in))


def _asked(url: str, origin: str, recorder: Recorder) -> Answer | None:
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), _TIMEOUT)
    headers = {"origin": origin, "accept": "*/*", "user-agent": "asgi-cors audit"}
    request = httpx.Request("GET", url, headers=headers, extensions={"timeout": timeout})
    try:
        return Answer(request, recorder.handle_request(request))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
        return None
