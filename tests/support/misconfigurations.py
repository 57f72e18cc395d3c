"""Parses the entries of misconfigurations.json: the policy, and the headers of the request."""

import ast
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from asgi_cors import Policy
from tests.support.policies import policy_without_warnings

Entry = dict[str, Any]
ENTRIES: list[Entry] = json.loads((Path(__file__).parents[1] / "data" / "misconfigurations.json").read_text("utf-8"))
SITE = "https://example.com"


def strings(text: str) -> list[str]:
    """Return the quoted strings in a description, with escapes unchanged."""
    return [single or double for single, double in re.findall(r"'([^']*)'|\"([^\"]*)\"", text)]


def listed(idea: str, name: str) -> Any:
    """Return the value of `name=[…]` or `name="…"` in a description; None if it is missing."""
    found = re.search(rf"(?<![a-z_]){name}=(\[.*\]|\"[^\"]*\"|'[^']*')", idea)
    if found is None:
        return None
    value = found.group(1)
    return strings(value) if value.startswith("[") else value[1:-1]


def options_of(entry: Entry) -> dict[str, Any]:
    """Return the options of the policy that an entry describes."""
    idea = entry["config_idea"]
    options: dict[str, Any] = {
        "allow_origins": listed(idea, "origins"),
        "allow_methods": listed(idea, "methods"),
        "allow_headers": listed(idea, "request_headers"),
        "expose_headers": listed(idea, "expose"),
    }
    options = {name: value for name, value in options.items() if value is not None}
    regex = re.search(r"origin_regex given by the user: (.+)", idea)
    if regex:
        options["allow_origin_regex"] = regex.group(1)
    if "custom-scheme origins (" in idea:
        options["allow_origins"] = [
            each
            for other in ENTRIES
            if other["class"] == "custom-scheme-allow"
            for each in listed(other["config_idea"], "origins")
        ]
    if not {"allow_origins", "allow_origin_regex"} & options.keys():
        options["allow_origins"] = [SITE]
    if re.search(r"(?<!no )credentials", idea) or "with credentials" in entry["secure_answer"].split(";")[-1]:
        options["allow_credentials"] = True
    return options


def policies_of(entry: Entry) -> list[Policy]:
    """Return the policies that an entry describes."""
    if "probe against" in entry["config_idea"]:
        regexes = [r"https://([a-z0-9-]+\.)*example\.com", *re.findall(r"regex such as (\S+)", entry["config_idea"])]
        wild = [SITE, "https://*.example.com", "https://app-*.example.com", "https://*.example.com:*"]
        return [policy_without_warnings(allow_origins=each, allow_credentials=True) for each in wild] + [
            policy_without_warnings(allow_origin_regex=each) for each in regexes
        ]
    if "matches anything" in entry["config_idea"]:
        risks = ["credentials-from-any-origin", "credentials-from-shared-suffix", "credentials-over-http"]
        return [
            Policy(allow_origins=[lambda _: True], allow_credentials=True),
            Policy(allow_origin_regex=".*", allow_credentials=True, dangerously_allow=risks),
        ]
    return [policy_without_warnings(**options_of(entry))]


def sent(entry: Entry) -> list[tuple[str, bytes]]:
    """Return the Origin headers that an entry describes, in UTF-8."""
    probe = entry["origin_probe"]
    if probe == "(absent)":
        return []
    values = probe.split(" + second header ") if "second header" in probe else [probe]
    return [("origin", value.encode()) for value in values]


def requested_headers(probe: str) -> list[list[str]]:
    """Return the values of Access-Control-Request-Headers of each preflight that a description has."""
    many = re.search(r"with ([\d ]+) names", probe)
    if many:
        return [[",".join(f"x-{number}" for number in range(int(many.group(1).replace(" ", ""))))]]
    cases = re.sub(r" \(.*\)$", "", probe.removeprefix("ACRH: ")).split(" / ")
    return [["x-a", "x-a"] if "two" in case else [case.strip("'")] for case in cases]


def ages(idea: str) -> list[Any]:
    """Return the values of `max_age=a / b / c` in a description."""
    known = {"timedelta": timedelta(hours=1), "float": 1.5, "10**9": 10**9}
    return [
        known[text] if text in known else ast.literal_eval(text) for text in idea.removeprefix("max_age=").split(" / ")
    ]
