"""The doctor finds the right cause of every broken server, and none in a healthy one. Its policies can be built."""

import pytest

from tests.cli.corpus import comparisons, edges, gateways, protections, raw
from tests.cli.corpus.raw import Row
from tests.cli.corpus.serving import serving
from tests.support.command_line import doctor
from tests.support.remedies import build_every_policy

ALLOWED, BLOCKED = 0, 1
TABLES = (raw, gateways, comparisons, edges, protections)
ROWS = [row for table in TABLES for row in table.ROWS]
HEALTHY = [row for table in TABLES for row in table.HEALTHY]


def names(findings: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(finding["name"] for finding in findings)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_doctor_finds_the_mistake_of_a_broken_server(row: Row):
    with serving(row.server) as server:
        ran = doctor(row.call, f"{server.url}/items")
    found = ran.json
    build_every_policy(found)
    assert ran.code == (BLOCKED if row.cause else ALLOWED)
    if row.cause:
        assert (found["cause"] or {}).get("name") == row.cause, found["cause"]
        assert found["cause"]["remedy"]
    else:
        assert found["cause"] is None
        assert names(found["risks"]) == row.risks


@pytest.mark.parametrize("row", HEALTHY, ids=lambda row: row.id)
def test_the_doctor_finds_nothing_in_a_healthy_server(row: Row):
    with serving(row.server) as server:
        ran = doctor(row.call, f"{server.url}/items")
    build_every_policy(ran.json)
    assert (ran.code, ran.json["cause"], ran.json["risks"]) == (ALLOWED, None, [])


def test_a_page_with_a_name_in_unicode_is_diagnosed():
    with serving(raw.origin("https://xn--bcher-kva.example")) as server:
        ran = doctor({"origin": "https://bücher.example"}, f"{server.url}/items")
        sent = {request.origin for request in server.requests}
    assert (ran.code, ran.json["cause"]) == (ALLOWED, None)
    assert "https://attackerxn--bcher-kva.example" in sent
