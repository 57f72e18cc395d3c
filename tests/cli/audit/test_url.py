"""`audit --url`: the attacks on a live URL."""

import pytest

from tests.cli.corpus.raw import PAGE, echoing, sends
from tests.cli.corpus.serving import serving
from tests.support.command_line import run


def test_no_attack_passes_a_server_that_compares_whole_origins():
    with serving(echoing(lambda origin: origin == PAGE)) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    (attacked,) = ran.json["attacks"]
    assert (ran.code, ran.json["findings"], attacked["got_in"]) == (0, [], [])
    assert attacked["tried"] > 15


def test_every_allowed_attack_is_reported_with_its_credentials():
    with serving(echoing(lambda origin: origin.startswith(PAGE))) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    (attacked,) = ran.json["attacks"]
    assert f"{PAGE}.evil.test" in {attack["origin"] for attack in attacked["got_in"]}
    assert (ran.code, [finding["name"] for finding in ran.json["findings"]]) == (1, ["compares-by-prefix"])
    with serving(echoing(lambda _: True, credentials=False)) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    assert {attack["rule"] for attack in ran.json["attacks"][0]["got_in"]} == {"without credentials"}


def test_an_attack_without_a_response_is_not_allowed():

    def respond(request):
        if "evil" in request.origin:
            raise ConnectionResetError
        return sends(200, ("Access-Control-Allow-Origin", PAGE))(request)

    with serving(respond) as server:
        ran = run("audit", "--url", f"{server.url}/items", "-o", PAGE, "--json")
    assert ran.code == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "audit takes MODULE:APP or --url URL"),
        (["cli_apps:plain", "--url", "https://a.test"], "audit takes MODULE:APP or --url URL"),
        (["--url", "https://a.test"], "audit --url needs --origin"),
    ],
)
def test_audit_needs_an_app_or_a_url_with_an_origin(arguments, line):
    ran = run("audit", *arguments)
    assert ran.code == 2
    assert line in ran.err
