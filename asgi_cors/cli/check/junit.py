"""The report of a check as JUnit XML, which CI servers read.

A failed case of the kind advice is `skipped`, so that it does not turn a build red; its message begins with "advice".
Control characters, which XML does not have, are escaped.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from asgi_cors.cli.doctor.evidence import ENGINES
from asgi_cors.cli.terminal import escape

from .report import describe, is_sent

if TYPE_CHECKING:
    from .case import Result
    from .run import CheckReport
    from .session import Step


def junit_xml(check: CheckReport) -> bytes:
    """Return the report as a document."""
    fatal = sum(result.is_fatal for result in check.results)
    skipped = sum(result.status != "passed" for result in check.results) - fatal
    counts = {"tests": str(len(check.results)), "failures": str(fatal), "errors": "1" if check.stopped else "0"}
    if check.stopped:
        counts["tests"] = str(len(check.results) + 1)
    root = Element("testsuites", {"name": "asgi-cors check", **counts, "time": f"{check.seconds:.3f}"})
    suite = SubElement(
        root,
        "testsuite",
        {
            "name": escape(describe(check.expectation)),
            **counts,
            "skipped": str(skipped),
            "time": f"{check.seconds:.3f}",
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": escape(socket.gethostname()),
        },
    )
    for result in check.results:
        _add_case(suite, result)
    if check.stopped:
        stopped = SubElement(suite, "testcase", {"name": "stopped", "classname": "asgi-cors.check", "time": "0.000"})
        SubElement(stopped, "error", {"type": "stopped", "message": escape(check.stopped)})
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_case(suite: Element, result: Result) -> None:
    names = {"name": result.case.name, "classname": f"asgi-cors.{result.case.kind}"}
    element = SubElement(suite, "testcase", {**names, "time": f"{result.seconds:.3f}"})
    message = escape(" ".join(result.problems))
    if result.is_fatal:
        failure = SubElement(element, "failure", {"type": result.case.kind, "message": message})
        failure.text = _details(result)
    elif result.status == "failed":
        SubElement(element, "skipped", {"message": f"advice: {message} {escape(result.case.write)}"})
    elif result.status == "skipped":
        SubElement(element, "skipped", {"message": message})
    if result.status != "skipped":
        SubElement(element, "system-out").text = _details(result)


def _details(result: Result) -> str:
    case = result.case
    lines = [case.title, *result.problems, f"Clause: {case.clause.name}, {case.clause.url}", f"Write: {case.write}"]
    for step in result.steps:
        lines += _step_lines(step)
    return "\n".join(map(escape, lines))


def _step_lines(step: Step) -> list[str]:
    lines: list[str] = []
    for exchange in step.exchanges:
        sent = is_sent(exchange, step)
        status = f"{exchange.response.status_code}" if exchange.response and sent else "not sent"
        lines.append(f"{exchange.request.method} {exchange.request.url} -> {status}")
    verdicts = [f"{ENGINES.get(each.engine, each.engine)}: {each.code or 'allowed'}" for each in step.results]
    return [*lines, *([f"Browsers: {', '.join(verdicts)}"] if verdicts else [])]
