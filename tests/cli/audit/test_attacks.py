"""The hostile origins that an audit tries."""

import json
from pathlib import Path

import pytest

from asgi_cors import Policy
from asgi_cors.cli.audit.attacks import attacks_on, is_sent_by_browsers, targets_of

DATA = Path(__file__).parents[2] / "data"
MISCONFIGURATIONS = json.loads((DATA / "misconfigurations.json").read_text("utf-8"))


POLICIES = ('origins=["https://example.com"]', "probe against exact", 'origins=["https://*.ex', "exact custom")
ON_EXAMPLE = [
    case
    for case in MISCONFIGURATIONS
    if case["kind"] == "request"
    and case["secure_answer"].startswith("no Access-Control-Allow-Origin")
    and case["config_idea"].startswith(POLICIES)
    and case["origin_probe"].isascii()
    and len(case["origin_probe"]) < 200
]  # fmt: skip  # fmt: skip


@pytest.mark.parametrize("case", ON_EXAMPLE, ids=lambda case: case["id"])
def test_every_known_attack_on_example_com_is_tried(case):
    made = {origin for _, origin in attacks_on("https://example.com")} | {"https://example.com"}
    assert case["origin_probe"] in made


def test_an_origin_with_a_port_or_an_ipv6_address_is_attacked():
    assert ("scheme-downgrade", "ws://localhost:3000") in attacks_on("http://localhost:3000")
    assert ("trailing-dot", "http://[::1].") in attacks_on("http://[::1]:3000")


def test_every_string_entry_of_a_policy_is_attacked():
    policy = Policy(allow_origins=["https://*.a.test", "http://localhost:*", lambda _: False])
    assert list(targets_of(policy)) == ["https://a.a.test", "http://localhost:3000"]
    assert list(targets_of(Policy(allow_origins="*"))) == []


@pytest.mark.parametrize(
    ("origin", "sent"),
    [("null", True), ("https://a.test", True), ("https://a.test/", False), ("tauri://a", False), ("Null", False)],
)
def test_only_origins_of_pages_are_sent_by_browsers(origin, sent):
    assert is_sent_by_browsers(origin) == sent
