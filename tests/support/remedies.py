"""Build the policies that a report proposes, as a user would write them."""

import ast
import warnings
from typing import Any

from asgi_cors import Policy

EXAMPLE: dict[str, Any] = {"allow_origins": ["https://app.example.com"]}


def parse_options(line: str) -> dict[str, Any]:
    """Return the options of a line such as `allow_methods=['PUT'], max_age=600`."""
    call = ast.parse(f"f({line})", mode="eval").body
    assert isinstance(call, ast.Call)
    assert not call.args, line
    return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}


def build_policy(line: str) -> Policy:
    """Build the policy of a line. A warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Policy(**(EXAMPLE | parse_options(line)))


def findings_of(report: dict[str, Any]) -> list[dict[str, str]]:
    """Return all findings of a report of the doctor or the audit, as JSON."""
    found = [report["cause"]] if report.get("cause") else []
    return [*found, *report.get("risks", []), *report.get("findings", []), *report.get("notes", [])]


def build_every_policy(report: dict[str, Any]) -> None:
    """Build the policy of each finding, and check that a sentence is not among the options."""
    for finding in findings_of(report):
        if finding["policy"]:
            build_policy(finding["policy"])
        assert finding["advice"] == "" or finding["advice"].endswith(":" if finding["code"] else "."), finding
        assert "'null'" not in finding["recipe"], finding
        assert '"null"' not in finding["recipe"], finding
